from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0011_events_by_kind"),
    ]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="language",
            field=models.CharField(
                choices=[("fr", "French"), ("nl", "Dutch"), ("de", "German"), ("en", "English")],
                default="fr",
                max_length=2,
            ),
        ),
    ]
