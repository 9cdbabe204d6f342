from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("submissions", "0013_letters_and_corrections"),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="contradicted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="declaration",
            name="settled_by",
            field=models.CharField(blank=True, db_collation="C", db_default="", default="", max_length=100),
        ),
    ]
