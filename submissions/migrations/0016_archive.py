import django.core.serializers.json
import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import KeepWithin, RaiseWall, through


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0012_german"),
        ("submissions", "0015_problems"),
    ]

    operations = [
        migrations.AlterField(
            model_name="registerimport",
            name="kind",
            field=models.CharField(
                choices=[
                    ("workers", "Workers"),
                    ("contracts", "Contracts"),
                    ("trainings", "Trainings"),
                    ("rights", "Rights"),
                    ("archive", "Archive"),
                ],
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="FormerDeclaration",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("origin_name", models.CharField(max_length=200)),
                ("origin_number", models.CharField(max_length=10)),
                ("reference", models.CharField(max_length=64)),
                ("service", models.CharField(max_length=16)),
                ("kind", models.CharField(max_length=16)),
                ("state", models.CharField(max_length=24)),
                ("environment", models.CharField(blank=True, max_length=1)),
                ("ticket", models.CharField(blank=True, max_length=13)),
                ("earlier_ticket", models.CharField(blank=True, max_length=13)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "anomalies",
                    models.JSONField(default=list, encoder=django.core.serializers.json.DjangoJSONEncoder),
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
                    "record",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_declarations",
                        to="submissions.trainingrecord",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
                "indexes": [
                    models.Index(fields=["mandataire", "record"], name="former_declaration_by_record")
                ],
            },
        ),
        # What another office declared stays as its archive told it; it only goes with the training.
        RaiseWall("FormerDeclaration", ("SELECT", "INSERT", "DELETE")),
        KeepWithin(
            "FormerDeclaration",
            through("submissions_trainingrecord", "record_id", "submissions_formerdeclaration"),
        ),
    ]
