import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import KeepWithin, RaiseWall, through


class Migration(migrations.Migration):
    dependencies = [
        ("mandates", "0004_within"),
        ("portal", "0011_events_by_kind"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerNumber",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("niss_sealed", models.BinaryField()),
                ("niss_index", models.BinaryField(max_length=32)),
                ("merged_id", models.BigIntegerField(null=True)),
                ("replaced_at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(null=True)),
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
                        related_name="former_numbers",
                        to="mandates.worker",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["mandataire", "niss_index"], name="former_number_by_niss"),
                    models.Index(fields=["mandataire", "worker"], name="former_number_by_worker"),
                ],
            },
        ),
        # What a number was is never thrown away.
        RaiseWall("FormerNumber", ("SELECT", "INSERT", "UPDATE")),
        KeepWithin("FormerNumber", through("mandates_worker", "worker_id", "mandates_formernumber")),
    ]
