from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("submissions", "0011_register_import")]

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
                ],
                max_length=12,
            ),
        ),
    ]
