import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import KeepWithin, RaiseWall, of_employer


class Migration(migrations.Migration):
    dependencies = [
        ("mandates", "0004_within"),
        ("portal", "0008_reach"),
        ("submissions", "0003_within"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignOff",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quarter", models.CharField(max_length=5)),
                ("signed_at", models.DateTimeField()),
                ("signed_by", models.CharField(max_length=200)),
                ("reopened_at", models.DateTimeField(null=True)),
                ("reopened_by", models.CharField(blank=True, max_length=200)),
                ("reason", models.TextField(blank=True)),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sign_offs",
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
                        condition=models.Q(("reopened_at", None)),
                        fields=("mandataire", "employer", "quarter"),
                        name="one_sign_off_per_quarter",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reopened_at", None), models.Q(("reason", ""), _negated=True), _connector="OR"
                        ),
                        name="opened_again_with_a_reason",
                    ),
                ],
            },
        ),
        # What somebody signed is never thrown away.
        RaiseWall("SignOff", ("SELECT", "INSERT", "UPDATE")),
        KeepWithin("SignOff", of_employer("employer_id")),
    ]
