import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import ANYTHING, NOTHING, KeepWithin, RaiseWall, application_role, of_employer, through


class Migration(migrations.Migration):
    dependencies = [
        ("mandates", "0005_former_number"),
        ("portal", "0011_events_by_kind"),
        ("submissions", "0007_outdated_sign_offs"),
    ]

    operations = [
        migrations.CreateModel(
            name="EmployerSize",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("year", models.PositiveSmallIntegerField(verbose_name="year")),
                (
                    "fte",
                    models.DecimalField(decimal_places=2, max_digits=8, verbose_name="full-time equivalents"),
                ),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sizes",
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
                        fields=("mandataire", "employer", "year"), name="one_size_per_year"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fte__gte", 0), ("year__gte", 2023), ("year__lte", 2099)),
                        name="size_of_a_year",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ManualRight",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("year", models.PositiveSmallIntegerField(verbose_name="year")),
                ("minutes", models.IntegerField()),
                ("is_whole", models.BooleanField(default=False)),
                ("reason", models.TextField()),
                ("made_at", models.DateTimeField()),
                ("made_by", models.CharField(max_length=200)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("withdrawn_by", models.CharField(blank=True, max_length=200)),
                ("withdrawn_reason", models.TextField(blank=True)),
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="manual_rights",
                        to="mandates.worker",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["mandataire", "worker", "year"], name="manual_right_by_worker")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_whole", True), ("withdrawn_at", None)),
                        fields=("mandataire", "worker", "year"),
                        name="one_whole_right_by_hand",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="right_by_hand_has_a_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("withdrawn_at", None),
                            models.Q(("withdrawn_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="right_taken_back_with_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_whole", False), ("minutes__gte", 0), _connector="OR"),
                        name="whole_right_is_not_below_zero",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SectorAgreement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("joint_committee", models.CharField(max_length=9, verbose_name="joint committee")),
                ("number", models.CharField(max_length=30, verbose_name="registration number")),
                ("from_year", models.PositiveSmallIntegerField(verbose_name="from the year")),
                (
                    "until_year",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="to the year"),
                ),
                (
                    "days",
                    models.DecimalField(
                        decimal_places=2, max_digits=4, verbose_name="days a year from 20 FTE on"
                    ),
                ),
                (
                    "small_days",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=4,
                        null=True,
                        verbose_name="days a year from 10 to 19 FTE",
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
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            ("mandataire", "="),
                            ("joint_committee", "="),
                            (
                                models.Func(
                                    models.F("from_year"),
                                    models.F("until_year"),
                                    models.Value("[]"),
                                    function="INT4RANGE",
                                    output_field=django.contrib.postgres.fields.ranges.IntegerRangeField(),
                                ),
                                "&&",
                            ),
                        ],
                        name="one_agreement_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("from_year__gte", 2000),
                            ("from_year__lte", 2099),
                            models.Q(
                                ("until_year", None),
                                models.Q(
                                    ("until_year__gte", models.F("from_year")), ("until_year__lte", 2099)
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="agreement_ends_after_it_starts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("days__gte", 0),
                            models.Q(("small_days", None), ("small_days__gte", 0), _connector="OR"),
                        ),
                        name="agreement_gives_days",
                    ),
                ],
            },
        ),
        RaiseWall("EmployerSize", ("SELECT", "INSERT", "UPDATE")),
        KeepWithin("EmployerSize", of_employer("employer_id")),
        # Sector agreements hold for all clients: who reaches only some reads them, and changes none.
        RaiseWall("SectorAgreement"),
        KeepWithin("SectorAgreement", ANYTHING, NOTHING),
        # What somebody decided is taken back, never thrown away.
        RaiseWall("ManualRight", ("SELECT", "INSERT", "UPDATE")),
        KeepWithin("ManualRight", through("mandates_worker", "worker_id", "submissions_manualright")),
        # Documents follow their worker when two rows of one person become one; nothing else of them ever changes.
        migrations.RunSQL(
            "GRANT UPDATE (worker_id, contract_id, content_sealed) ON submissions_careerdocument "
            f"TO {application_role()}",
            f"REVOKE UPDATE ON submissions_careerdocument FROM {application_role()}",
        ),
    ]
