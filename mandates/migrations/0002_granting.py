import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import Crossing, RaiseWall


class Migration(migrations.Migration):
    dependencies = [
        ("mandates", "0001_initial"),
        ("portal", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Procuration",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("validation", "validation of the mandate"),
                            ("closure", "closure of the mandate"),
                        ],
                        max_length=12,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                ("content_sealed", models.BinaryField()),
                ("received_at", models.DateTimeField()),
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="procurations",
                        to="mandates.mandate",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="mandate",
            name="reason",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="mandate",
            name="validated_by_employer_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="mandate",
            name="validated_by_mandataire_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="employer",
            index=models.Index(fields=["mandataire", "name", "id"], name="employer_by_name"),
        ),
        migrations.AddIndex(
            model_name="mandate",
            index=models.Index(fields=["mandataire", "state", "ends_on"], name="mandate_by_state"),
        ),
        migrations.AddIndex(
            model_name="procuration",
            index=models.Index(fields=["mandataire", "mandate"], name="procuration_by_mandate"),
        ),
        # The bytes of what somebody signed are never changed and never thrown away.
        RaiseWall("Procuration", ("SELECT", "INSERT")),
        Crossing(
            "mandates_taken",
            arguments="text, text, date, date",
            returns="TABLE(starts_on date, ends_on date)",
            reads={
                "mandates_mandate": (
                    "employer_number",
                    "service",
                    "is_exclusive",
                    "state",
                    "starts_on",
                    "ends_on",
                )
            },
            body="SELECT m.starts_on, m.ends_on FROM mandates_mandate m WHERE m.employer_number = $1 AND m.service = $2 "
            "AND m.is_exclusive AND m.state = 'active' "
            "AND daterange(m.starts_on, m.ends_on, '[]') && daterange($3, $4, '[]')",
        ),
    ]
