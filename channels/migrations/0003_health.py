import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import ANYTHING, NOTHING, Crossing, KeepWithin, RaiseWall


class Migration(migrations.Migration):
    dependencies = [
        ("channels", "0002_within"),
        ("portal", "0004_managers"),
    ]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="broken_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="failing_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="failures",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="channel",
            name="host_key_proposed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="host_key_proposed_by",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="host_key_reason",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="host_key_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="is_exclusive",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="channel",
            name="last_probe",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="other_host_key",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="other_host_key_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="pause_reason",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="paused_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="channel",
            name="watched_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("host_key", "The server shows another key"),
                            ("broken", "The channel stopped trying"),
                            ("no_contact", "No contact with social security"),
                            ("unsent", "Declarations have not left"),
                            ("unanswered", "Social security does not answer"),
                            ("certificate_60", "The certificate ends within 60 days"),
                            ("certificate_30", "The certificate ends within 30 days"),
                            ("certificate_7", "The certificate ends within a week"),
                            ("certificate_1", "The certificate ends within a day or has ended"),
                        ],
                        max_length=20,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("told_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "channel",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alarms",
                        to="channels.channel",
                    ),
                ),
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("mandataire", "channel", "kind"),
                        name="one_open_alarm_per_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Departure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("service", models.CharField(max_length=16)),
                (
                    "minutes",
                    django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField()),
                ),
                ("is_on_working_days", models.BooleanField(default=True)),
                ("departs_at", models.DateTimeField()),
                (
                    "channel",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="departures",
                        to="channels.channel",
                    ),
                ),
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mandataire", "channel", "service"), name="one_departure_per_service"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LeftAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "environment",
                    models.CharField(
                        choices=[("R", "Production"), ("T", "Circuit test"), ("S", "Simulation")],
                        max_length=1,
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("size", models.BigIntegerField()),
                ("modified_at", models.BigIntegerField()),
                ("looks", models.PositiveSmallIntegerField(default=1)),
                ("looked_at", models.DateTimeField()),
                ("first_seen_at", models.DateTimeField()),
                (
                    "channel",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="left_answers",
                        to="channels.channel",
                    ),
                ),
                (
                    "kept",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="channels.inboundfile",
                    ),
                ),
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mandataire", "channel", "environment", "name"),
                        name="one_row_per_left_answer",
                    )
                ],
            },
        ),
        RaiseWall("LeftAnswer"),
        RaiseWall("Departure"),
        RaiseWall("Alarm", ("SELECT", "INSERT", "UPDATE")),
        KeepWithin("LeftAnswer", NOTHING),
        # Whoever makes something ready is told when it leaves.
        KeepWithin("Departure", ANYTHING, NOTHING),
        KeepWithin("Alarm", NOTHING),
        Crossing(
            "channels_to_watch",
            arguments="moment timestamptz",
            returns="TABLE (mandataire_id uuid, channel_id bigint)",
            reads={"channels_channel": ["id", "mandataire_id", "watched_at"]},
            body="SELECT c.mandataire_id, c.id FROM channels_channel c "
            "WHERE c.watched_at IS NULL OR c.watched_at < moment ORDER BY c.id",
        ),
    ]
