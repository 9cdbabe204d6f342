from django.db import migrations

from portal.managing import keep_a_manager, let_managers_go


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0003_grants_from_profiles"),
    ]

    operations = [
        migrations.RemoveField(model_name="membership", name="profile"),
        migrations.RunPython(keep_a_manager, let_managers_go),
    ]
