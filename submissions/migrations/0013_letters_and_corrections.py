import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import Crossing, KeepWithin, RaiseWall, of_employer, through


class Migration(migrations.Migration):
    dependencies = [
        ("mandates", "0005_former_number"),
        ("portal", "0012_german"),
        ("submissions", "0012_import_kinds"),
    ]

    operations = [
        migrations.CreateModel(
            name="BalanceLetters",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("year", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "Due"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("deleted", "Deleted"),
                        ],
                        default="due",
                        max_length=8,
                    ),
                ),
                ("total", models.PositiveIntegerField()),
                ("done", models.PositiveIntegerField(default=0)),
                ("asked_at", models.DateTimeField()),
                ("asked_by", models.BigIntegerField(null=True)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="balance_letters",
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
            ],
        ),
        migrations.CreateModel(
            name="CorrectionRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("missing", "A training is missing"),
                            ("figures", "The figures are wrong"),
                            ("not_mine", "A training is not the worker's"),
                            ("other", "Something else"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "how",
                    models.CharField(
                        choices=[
                            ("in_person", "In person"),
                            ("phone", "By telephone"),
                            ("email", "By e-mail"),
                            ("letter", "By letter"),
                        ],
                        max_length=10,
                    ),
                ),
                ("text", models.TextField()),
                ("received_on", models.DateField()),
                ("noted_at", models.DateTimeField()),
                ("noted_by", models.CharField(max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("accepted", "Accepted"), ("declined", "Declined")],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.CharField(blank=True, max_length=200)),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="correction_requests",
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
                    "outcome",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrected_for",
                        to="submissions.trainingrecord",
                    ),
                ),
                (
                    "record",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="correction_requests",
                        to="submissions.trainingrecord",
                    ),
                ),
                (
                    "worker",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="correction_requests",
                        to="mandates.worker",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LetterPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "worker_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField()),
                ),
                ("letters", models.PositiveIntegerField(default=0)),
                ("size", models.PositiveIntegerField(default=0)),
                ("content_sealed", models.BinaryField(null=True)),
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
                    "of",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="submissions.balanceletters",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="balanceletters",
            index=models.Index(fields=["mandataire", "employer", "year"], name="letters_by_employer"),
        ),
        migrations.AddIndex(
            model_name="balanceletters",
            index=models.Index(fields=["mandataire", "due_at"], name="letters_by_turn"),
        ),
        migrations.AddConstraint(
            model_name="balanceletters",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_at", None), ("state", "deleted")),
                    models.Q(models.Q(("state", "deleted"), _negated=True), ("due_at__isnull", False)),
                    _connector="OR",
                ),
                name="letters_due_until_deleted",
            ),
        ),
        migrations.AddConstraint(
            model_name="balanceletters",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["due", "running"])),
                fields=("mandataire", "employer", "year"),
                name="letters_of_a_year_made_once_at_a_time",
            ),
        ),
        migrations.AddIndex(
            model_name="correctionrequest",
            index=models.Index(fields=["mandataire", "employer", "state"], name="correction_by_employer"),
        ),
        migrations.AddIndex(
            model_name="correctionrequest",
            index=models.Index(fields=["mandataire", "worker"], name="correction_by_worker"),
        ),
        migrations.AddIndex(
            model_name="correctionrequest",
            index=models.Index(
                condition=models.Q(("record__isnull", False)),
                fields=["mandataire", "record"],
                name="correction_by_record",
            ),
        ),
        migrations.AddIndex(
            model_name="correctionrequest",
            index=models.Index(
                condition=models.Q(("outcome__isnull", False)),
                fields=["mandataire", "outcome"],
                name="correction_by_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="correctionrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="correction_says_what"
            ),
        ),
        migrations.AddConstraint(
            model_name="correctionrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("state", "open")),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("state", "accepted"),
                        models.Q(
                            ("outcome__isnull", False),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                    ),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("outcome", None),
                        ("state", "declined"),
                        models.Q(("reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="correction_decided_with_its_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="letterpart",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "of", "number"), name="one_letter_part_per_number"
            ),
        ),
        RaiseWall("BalanceLetters", ("SELECT", "INSERT", "UPDATE")),
        RaiseWall("LetterPart"),
        RaiseWall("CorrectionRequest", ("SELECT", "INSERT", "UPDATE")),
        KeepWithin("BalanceLetters", of_employer("employer_id")),
        KeepWithin("LetterPart", through("submissions_balanceletters", "of_id", "submissions_letterpart")),
        KeepWithin("CorrectionRequest", of_employer("employer_id")),
        # Moments only: what is due is told without a look at any content or state.
        Crossing(
            "submissions_letters_due",
            arguments="timestamptz",
            returns="TABLE(mandataire_id uuid, letters_id bigint)",
            reads={"submissions_balanceletters": ("mandataire_id", "id", "due_at")},
            body="SELECT l.mandataire_id, l.id FROM submissions_balanceletters l WHERE l.due_at <= $1 "
            "ORDER BY l.due_at, l.id",
        ),
    ]
