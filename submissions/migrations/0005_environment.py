import django.db.models.deletion
from django.db import migrations, models

import portal.models
from portal.walls import TieKey, tenants

IN_A_SET = """
    UPDATE submissions_declaration d SET environment = b.environment FROM submissions_batch b
    WHERE b.mandataire_id = d.mandataire_id AND b.id = d.batch_id AND d.environment = ''"""

# What speaks of an accepted declaration goes where that one went, and what corrects a refused one as well.
FOLLOWING = """
    UPDATE submissions_declaration d SET environment = e.environment FROM submissions_declaration e
    WHERE e.mandataire_id = d.mandataire_id AND d.batch_id IS NULL AND d.environment = '' AND e.environment <> ''
    AND (e.id = d.replaces_id AND e.state = 'refused'
         OR d.earlier_ticket <> '' AND e.record_id = d.record_id AND e.ticket = d.earlier_ticket)"""


def tell_where_each_went(apps, schema_editor):
    """Each declaration in a set went where the set went; until now only the set said so."""
    for tenant in tenants(schema_editor):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.mandataire', %s, true)", [tenant])
            cursor.execute(IN_A_SET)
            cursor.execute(FOLLOWING)
            cursor.execute("SELECT set_config('app.mandataire', '', true)")


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0011_events_by_kind"),
        ("submissions", "0004_sign_off"),
    ]

    operations = [
        migrations.AddField(
            model_name="declaration",
            name="environment",
            field=models.CharField(
                blank=True,
                choices=[("R", "Production"), ("T", "Circuit test"), ("S", "Simulation")],
                max_length=1,
            ),
        ),
        migrations.AddField(
            model_name="declaration",
            name="promotes",
            field=portal.models.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="promoted_as",
                to="submissions.declaration",
            ),
        ),
        TieKey("Declaration", "promotes"),
        migrations.RunPython(tell_where_each_went, migrations.RunPython.noop),
    ]
