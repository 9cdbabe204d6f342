import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import Crossing, RaiseWall


class Migration(migrations.Migration):
    dependencies = [
        ("mandates", "0002_granting"),
        ("portal", "0004_managers"),
    ]

    operations = [
        migrations.CreateModel(
            name="MandateImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                ("content_sealed", models.BinaryField()),
                ("encoding", models.CharField(blank=True, max_length=20)),
                ("delimiter", models.CharField(blank=True, max_length=1)),
                ("uploaded_at", models.DateTimeField()),
                ("uploaded_by", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("checked", "Checked"),
                            ("applying", "Applying"),
                            ("applied", "Applied"),
                        ],
                        default="checked",
                        max_length=12,
                    ),
                ),
                ("is_whole", models.BooleanField(default=False)),
                ("applied_by", models.BigIntegerField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("total", models.PositiveIntegerField()),
                ("bad", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
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
            name="MandateImportRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("good", "Good"), ("bad", "Bad"), ("applied", "Applied")],
                        max_length=8,
                    ),
                ),
                ("cells", models.JSONField()),
                ("faults", models.JSONField(default=list)),
                ("is_new", models.BooleanField(default=False)),
                ("number", models.CharField(blank=True, max_length=10)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("onss_number", models.CharField(blank=True, max_length=10)),
                ("language", models.CharField(blank=True, max_length=2)),
                ("service", models.CharField(blank=True, max_length=16)),
                ("starts_on", models.DateField(null=True)),
                ("ends_on", models.DateField(null=True)),
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
                    "mandate",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="mandates.mandate",
                    ),
                ),
                (
                    "of",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="mandates.mandateimport",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="mandateimport",
            index=models.Index(fields=["mandataire", "sha256"], name="import_by_content"),
        ),
        migrations.AddIndex(
            model_name="mandateimport",
            index=models.Index(fields=["mandataire", "due_at"], name="import_by_turn"),
        ),
        migrations.AddIndex(
            model_name="mandateimportrow",
            index=models.Index(fields=["mandataire", "of", "state", "line"], name="row_by_state"),
        ),
        migrations.AddConstraint(
            model_name="mandateimportrow",
            constraint=models.UniqueConstraint(fields=("mandataire", "of", "line"), name="one_row_per_line"),
        ),
        migrations.AddConstraint(
            model_name="mandateimportrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("mandate__isnull", False), ("state", "applied")),
                    models.Q(models.Q(("state", "applied"), _negated=True), ("mandate__isnull", True)),
                    _connector="OR",
                ),
                name="applied_row_has_its_mandate",
            ),
        ),
        migrations.AddConstraint(
            model_name="mandateimportrow",
            constraint=models.UniqueConstraint(fields=("mandataire", "mandate"), name="one_row_per_mandate"),
        ),
        RaiseWall("MandateImport"),
        RaiseWall("MandateImportRow"),
        # Moments only: what is due is told without a look at any content or state.
        Crossing(
            "mandates_imports_due",
            arguments="timestamptz",
            returns="TABLE(mandataire_id uuid, import_id bigint)",
            reads={"mandates_mandateimport": ("mandataire_id", "id", "due_at")},
            body="SELECT i.mandataire_id, i.id FROM mandates_mandateimport i WHERE i.due_at <= $1 ORDER BY i.due_at, i.id",
        ),
    ]
