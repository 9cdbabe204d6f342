from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0009_signing_in"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="grant",
            name="grant_profile_is_of_its_application",
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("application", "declarations"),
                        ("profile__in", ["encode", "administrative", "extended"]),
                    ),
                    models.Q(("application", "channels"), ("profile__in", ["see", "operate", "manage"])),
                    models.Q(
                        ("application__in", ["mandates", "users", "api"]), ("profile__in", ["see", "manage"])
                    ),
                    _connector="OR",
                ),
                name="grant_profile_is_of_its_application",
            ),
        ),
    ]
