import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import KeepWithin, RaiseWall, application_role, limited, of_employer, through


def about(kind, table):
    return f"WHEN '{kind}' THEN {through(table, 'subject_id::bigint', 'portal_event')} "


def readable(kinds):
    """Events about what the limited scope may read, and those that its own transaction has just added."""
    told = "".join(about(kind, table) for kind, table in kinds.items())
    return f"(position IS NULL OR CASE subject_type {told}ELSE false END)"


BEFORE = {
    "employer": "mandates_employer",
    "worker": "mandates_worker",
    "mandate": "mandates_mandate",
    "trainingrecord": "submissions_trainingrecord",
    "declaration": "submissions_declaration",
    "careerdocument": "submissions_careerdocument",
}
AFTER = {**BEFORE, "problem": "submissions_problem"}


def events_are_read(kinds):
    """What a limited scope reads of the journal; its wall stood before there were problems to tell of."""
    return f"ALTER POLICY limited_select ON portal_event TO {application_role()} USING ({limited(readable(kinds))})"


class Migration(migrations.Migration):
    dependencies = [
        ("mandates", "0005_former_number"),
        ("portal", "0012_german"),
        ("submissions", "0014_contradictions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Problem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("service", models.CharField(max_length=16)),
                ("code", models.CharField(blank=True, max_length=20)),
                ("tag", models.CharField(blank=True, max_length=100)),
                ("snoozed_until", models.DateField(null=True)),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="problems",
                        to="mandates.employer",
                    ),
                ),
                (
                    "mandataire",
                    models.ForeignKey(
                        db_index=False,
                        default=portal.tenancy.current,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portal.mandataire",
                    ),
                ),
                (
                    "owner",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="problems",
                        to="portal.membership",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Settlement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("settled_at", models.DateTimeField()),
                ("settled_by", models.CharField(max_length=200)),
                ("reason", models.TextField(blank=True)),
                (
                    "declaration",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="settlements",
                        to="submissions.declaration",
                    ),
                ),
                (
                    "mandataire",
                    models.ForeignKey(
                        db_index=False,
                        default=portal.tenancy.current,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="portal.mandataire",
                    ),
                ),
                (
                    "problem",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="settlements",
                        to="submissions.problem",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="problem",
            index=models.Index(fields=["mandataire", "owner"], name="problem_by_owner"),
        ),
        migrations.AddConstraint(
            model_name="problem",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "employer", "service", "code", "tag"), name="one_problem_per_cause"
            ),
        ),
        migrations.AddIndex(
            model_name="settlement",
            index=models.Index(fields=["mandataire", "problem"], name="settlement_by_problem"),
        ),
        migrations.AddConstraint(
            model_name="settlement",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "declaration"), name="one_settlement_per_declaration"
            ),
        ),
        RaiseWall("Problem"),
        # A decision is taken back by removing it; what was decided is never changed.
        RaiseWall("Settlement", ("SELECT", "INSERT", "DELETE")),
        KeepWithin("Problem", of_employer("employer_id")),
        KeepWithin("Settlement", through("submissions_problem", "problem_id", "submissions_settlement")),
        migrations.RunSQL(events_are_read(AFTER), events_are_read(BEFORE)),
    ]
