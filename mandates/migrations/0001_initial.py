import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import RaiseWall


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("portal", "0001_initial"),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name="Employer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=10, verbose_name="enterprise number")),
                ("onss_number", models.CharField(blank=True, max_length=10, verbose_name="ONSS number")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("language", models.CharField(default="fr", max_length=2, verbose_name="language")),
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
            name="Mandate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("employer_number", models.CharField(max_length=10)),
                ("service", models.CharField(max_length=16)),
                ("is_exclusive", models.BooleanField()),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("to_finalise", "to finalise"),
                            ("pending", "pending"),
                            ("active", "active"),
                            ("refused", "refused"),
                            ("closed", "closed"),
                        ],
                        default="to_finalise",
                        max_length=16,
                    ),
                ),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="mandates",
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
            name="Worker",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("niss_sealed", models.BinaryField()),
                ("niss_index", models.BinaryField(max_length=32)),
                ("family_name", models.CharField(max_length=100, verbose_name="family name")),
                ("given_name", models.CharField(max_length=100, verbose_name="given name")),
                ("language", models.CharField(default="fr", max_length=2, verbose_name="language")),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="workers",
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
            name="Contract",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("joint_committee", models.CharField(max_length=9, verbose_name="joint committee")),
                (
                    "regime",
                    models.DecimalField(
                        decimal_places=2, default=100, max_digits=5, verbose_name="work regime (%)"
                    ),
                ),
                (
                    "day_minutes",
                    models.PositiveSmallIntegerField(default=456, verbose_name="minutes of a normal day"),
                ),
                ("entered_on", models.DateField(verbose_name="entered on")),
                ("left_on", models.DateField(blank=True, null=True, verbose_name="left on")),
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
                    "worker",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contracts",
                        to="mandates.worker",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="employer",
            constraint=models.UniqueConstraint(fields=("mandataire", "number"), name="one_row_per_employer"),
        ),
        migrations.AddIndex(
            model_name="mandate",
            index=models.Index(fields=["mandataire", "employer", "service"], name="mandate_by_employer"),
        ),
        migrations.AddConstraint(
            model_name="mandate",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("is_exclusive", True), ("state", "active")),
                expressions=[
                    ("employer_number", "="),
                    ("service", "="),
                    (
                        models.Func(
                            models.F("starts_on"),
                            models.F("ends_on"),
                            models.Value("[]"),
                            function="DATERANGE",
                            output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
                        ),
                        "&&",
                    ),
                ],
                name="one_exclusive_mandate_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="mandate",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_on__day", 1), ("starts_on__month__in", [1, 4, 7, 10])),
                name="mandate_starts_with_a_quarter",
            ),
        ),
        migrations.AddConstraint(
            model_name="mandate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_on", None),
                    models.Q(
                        ("ends_on__day", 31),
                        ("ends_on__gt", models.F("starts_on")),
                        ("ends_on__month__in", [3, 12]),
                    ),
                    models.Q(
                        ("ends_on__day", 30),
                        ("ends_on__gt", models.F("starts_on")),
                        ("ends_on__month__in", [6, 9]),
                    ),
                    _connector="OR",
                ),
                name="mandate_ends_with_a_quarter",
            ),
        ),
        migrations.AddIndex(
            model_name="worker",
            index=models.Index(fields=["mandataire", "niss_index"], name="worker_by_niss"),
        ),
        migrations.AddConstraint(
            model_name="worker",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "employer", "niss_index"), name="one_row_per_worker"
            ),
        ),
        migrations.AddIndex(
            model_name="contract",
            index=models.Index(fields=["mandataire", "worker", "entered_on"], name="contract_by_worker"),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("regime__gt", 0), ("regime__lte", 100)), name="contract_regime_is_a_share"
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("left_on", None), ("left_on__gte", models.F("entered_on")), _connector="OR"
                ),
                name="contract_ends_after_it_starts",
            ),
        ),
        RaiseWall("Employer"),
        RaiseWall("Worker"),
        RaiseWall("Contract"),
        RaiseWall("Mandate"),
        migrations.RunSQL(
            "ALTER TABLE mandates_employer ADD CONSTRAINT employer_and_number UNIQUE (mandataire_id, id, number);"
            "ALTER TABLE mandates_mandate ADD CONSTRAINT mandate_of_that_number "
            "FOREIGN KEY (mandataire_id, employer_id, employer_number) "
            "REFERENCES mandates_employer (mandataire_id, id, number) DEFERRABLE INITIALLY DEFERRED",
            migrations.RunSQL.noop,
        ),
    ]
