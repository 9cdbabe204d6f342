from django.db import migrations

from portal.walls import tenants


def date_the_pauses(apps, schema_editor):
    """A channel that is paused was paused by somebody: until now there was no other reason."""
    for tenant in tenants(schema_editor):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.mandataire', %s, true)", [tenant])
            cursor.execute(
                "UPDATE channels_channel SET paused_at = now() WHERE is_paused AND paused_at IS NULL"
            )
            cursor.execute("SELECT set_config('app.mandataire', '', true)")


class Migration(migrations.Migration):
    dependencies = [
        ("channels", "0003_health"),
    ]

    operations = [
        migrations.RunPython(date_the_pauses, migrations.RunPython.noop),
    ]
