from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0004_managers"),
    ]

    operations = [
        migrations.AlterField(model_name="mandataire", name="number", field=models.CharField(max_length=10)),
        migrations.AddConstraint(
            model_name="mandataire",
            constraint=models.UniqueConstraint(fields=("number", "quality"), name="one_tenant_per_quality"),
        ),
    ]
