import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import KeepWithin, RaiseWall, TieKey, application_role, limited, of_employer, through

RECORDS = "submissions_trainingrecord"
BEFORE = " AND ".join(
    [
        of_employer("employer_id"),
        through("mandates_employer", "employer_id", RECORDS),
        through("mandates_worker", "worker_id", RECORDS),
    ]
)
WITH_COURSE = (
    f"{BEFORE} AND ({RECORDS}.course_id IS NULL OR {through('submissions_course', 'course_id', RECORDS)})"
)


def records_refer_to(condition):
    """What a limited scope may write in the register; the wall stood before there were courses to refer to."""
    return ";".join(
        f"ALTER POLICY limited_{command} ON {RECORDS} TO {application_role()} WITH CHECK ({limited(condition)})"
        for command in ("insert", "update")
    )


class Migration(migrations.Migration):
    dependencies = [
        ("mandates", "0004_within"),
        ("portal", "0011_events_by_kind"),
        ("submissions", "0009_corrections_stay_with_their_employer"),
    ]

    operations = [
        migrations.CreateModel(
            name="Course",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField()),
                ("encoded_at", models.DateTimeField()),
                ("encoded_by", models.CharField(max_length=200)),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="courses",
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
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("mandataire", "key"), name="one_course_per_form")
                ],
            },
        ),
        migrations.CreateModel(
            name="TrainingTemplate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("values", models.JSONField()),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="training_templates",
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
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mandataire", "employer", "name"),
                        name="one_template_per_name",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        # What was encoded stays encoded.
        RaiseWall("Course", ("SELECT", "INSERT")),
        RaiseWall("TrainingTemplate", ("SELECT", "INSERT", "DELETE")),
        KeepWithin("Course", of_employer("employer_id")),
        # Those for all clients are read by everybody, and kept by who speaks for all of them.
        KeepWithin(
            "TrainingTemplate",
            f"(employer_id IS NULL OR {of_employer('employer_id')})",
            of_employer("employer_id"),
        ),
        migrations.AddField(
            model_name="trainingrecord",
            name="course",
            field=portal.models.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="records",
                to="submissions.course",
            ),
        ),
        migrations.AddIndex(
            model_name="trainingrecord",
            index=models.Index(
                condition=models.Q(("course__isnull", False)),
                fields=["mandataire", "course"],
                name="training_by_course",
            ),
        ),
        TieKey("TrainingRecord", "course"),
        migrations.RunSQL(records_refer_to(WITH_COURSE), records_refer_to(BEFORE)),
    ]
