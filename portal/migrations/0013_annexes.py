"""The annexes of social security that the installation loaded: dated versions, of no mandataire."""

import django.db.models.deletion
from django.db import migrations, models

from portal.walls import application_role


def only_grow(apps, schema_editor):
    """What was published is kept as it came: the application adds and reads, nothing else."""
    for table in ("portal_publishedannex", "portal_annextext"):
        schema_editor.execute(f"REVOKE ALL ON {table} FROM {application_role()}")
        schema_editor.execute(f"GRANT SELECT, INSERT ON {table} TO {application_role()}")


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0012_german"),
    ]

    operations = [
        migrations.CreateModel(
            name="PublishedAnnex",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("version", models.CharField(max_length=5)),
                ("name", models.CharField(max_length=100)),
                ("sha256", models.CharField(max_length=64)),
                ("texts_count", models.PositiveIntegerField()),
                ("loaded_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("number", "sha256"), name="one_annex_per_content"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AnnexText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20)),
                ("begins", models.CharField(max_length=5)),
                ("ends", models.CharField(max_length=5)),
                ("fr", models.TextField()),
                ("nl", models.TextField()),
                (
                    "annex",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="texts",
                        to="portal.publishedannex",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("annex", "code", "begins"), name="one_text_per_code_and_quarter"
                    ),
                ],
            },
        ),
        migrations.RunPython(only_grow, migrations.RunPython.noop),
    ]
