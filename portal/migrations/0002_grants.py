import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import Crossing, RaiseWall

OLD_DOOR = Crossing(
    "portal_memberships_of",
    arguments="who bigint",
    returns="TABLE (mandataire_id uuid)",
    reads={"portal_membership": ["id", "mandataire_id", "user_id"]},
    body="SELECT m.mandataire_id FROM portal_membership m WHERE m.user_id = who ORDER BY m.id",
)


def close_old_door(apps, schema_editor):
    OLD_DOOR.database_backwards("portal", schema_editor, None, None)


def open_old_door(apps, schema_editor):
    OLD_DOOR.database_forwards("portal", schema_editor, None, None)


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Grant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "application",
                    models.CharField(
                        choices=[
                            ("declarations", "Declarations"),
                            ("channels", "Channels"),
                            ("mandates", "Mandates"),
                            ("users", "Users"),
                        ],
                        max_length=20,
                    ),
                ),
                ("profile", models.CharField(max_length=20)),
                ("ends_on", models.DateField(blank=True, null=True)),
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
                    "member",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="portal.membership",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mandataire", "member", "application"), name="one_profile_per_application"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("application", "declarations"),
                                ("profile__in", ["encode", "administrative", "extended"]),
                            ),
                            models.Q(("application", "channels"), ("profile__in", ["see", "operate"])),
                            models.Q(
                                ("application__in", ["mandates", "users"]), ("profile__in", ["see", "manage"])
                            ),
                            _connector="OR",
                        ),
                        name="grant_profile_is_of_its_application",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="membership", name="is_blocked", field=models.BooleanField(default=False)
        ),
        migrations.AddField(
            model_name="membership", name="is_manager", field=models.BooleanField(default=False)
        ),
        migrations.AddField(
            model_name="membership",
            name="niss_index",
            field=models.BinaryField(max_length=32, null=True),
        ),
        migrations.AddField(model_name="membership", name="niss_sealed", field=models.BinaryField(null=True)),
        migrations.AddField(
            model_name="user", name="session_round", field=models.PositiveIntegerField(default=0)
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["mandataire", "id"], name="event_in_order"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["mandataire", "actor_id", "id"], name="event_by_actor"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "niss_index"), name="one_member_per_niss"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Upper("username"), name="one_user_per_name"
            ),
        ),
        RaiseWall("Grant"),
        migrations.RunPython(close_old_door, open_old_door),
        Crossing(
            "portal_memberships_of",
            arguments="who bigint",
            returns="TABLE (mandataire_id uuid, is_blocked boolean)",
            reads={"portal_membership": ["id", "mandataire_id", "user_id", "is_blocked"]},
            body="SELECT m.mandataire_id, m.is_blocked FROM portal_membership m WHERE m.user_id = who ORDER BY m.id",
        ),
    ]
