import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import Crossing, RaiseWall


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("portal", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Channel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "quality",
                    models.CharField(
                        choices=[
                            ("social_secretariat", "Social secretariat"),
                            ("service_provider", "Service provider"),
                            ("employer", "ONSS employer"),
                        ],
                        max_length=20,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("sender_number", models.CharField(max_length=6)),
                ("username", models.CharField(max_length=64)),
                ("host", models.CharField(default="sftp.socialsecurity.be", max_length=255)),
                ("port", models.PositiveIntegerField(default=8022)),
                ("host_key", models.TextField()),
                (
                    "services",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), default=list
                    ),
                ),
                (
                    "environment",
                    models.CharField(
                        choices=[("R", "Production"), ("T", "Circuit test"), ("S", "Simulation")],
                        default="S",
                        max_length=1,
                    ),
                ),
                ("sequence_prefix", models.CharField(default="P", max_length=1)),
                ("max_file_bytes", models.PositiveIntegerField(default=50000000)),
                ("allows_ssh_rsa", models.BooleanField(default=False)),
                ("can_list_in", models.BooleanField(default=True)),
                ("signs_tests", models.BooleanField(default=True)),
                ("is_paused", models.BooleanField(default=False)),
                ("departs_at", models.DateTimeField(null=True)),
                ("collects_at", models.DateTimeField(null=True)),
                ("last_contact_at", models.DateTimeField(null=True)),
                ("last_error", models.TextField(blank=True)),
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
        ),
        migrations.CreateModel(
            name="Credential",
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
                        choices=[("ssh", "SSH key"), ("signing", "Signing certificate")], max_length=10
                    ),
                ),
                ("sealed", models.BinaryField()),
                ("public", models.TextField()),
                ("fingerprint", models.CharField(max_length=100)),
                ("expires_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "channel",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credentials",
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
        ),
        migrations.CreateModel(
            name="Envelope",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("stem", models.CharField(max_length=40)),
                (
                    "environment",
                    models.CharField(
                        choices=[("R", "Production"), ("T", "Circuit test"), ("S", "Simulation")],
                        max_length=1,
                    ),
                ),
                ("service", models.CharField(max_length=16)),
                ("certificate", models.CharField(blank=True, max_length=100)),
                ("sealed_at", models.DateTimeField()),
                (
                    "channel",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="envelopes",
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
        ),
        migrations.CreateModel(
            name="Drop",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("started", "being dropped"),
                            ("go_intended", "about to put GO"),
                            ("confirmed", "dropped"),
                            ("failed", "failed"),
                            ("unknown", "to be looked at"),
                        ],
                        default="started",
                        max_length=16,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("heartbeat_at", models.DateTimeField()),
                ("go_intended_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
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
                    "envelope",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drops",
                        to="channels.envelope",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EnvelopePart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("part", models.PositiveSmallIntegerField()),
                ("forms_count", models.PositiveSmallIntegerField()),
                ("fi_sealed", models.BinaryField()),
                ("fi_sha256", models.CharField(max_length=64)),
                ("fi_size", models.PositiveIntegerField()),
                ("fs_sealed", models.BinaryField()),
                ("fs_size", models.PositiveIntegerField()),
                (
                    "envelope",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="channels.envelope",
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
        ),
        migrations.CreateModel(
            name="InboundFile",
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
                ("kind", models.CharField(blank=True, max_length=20)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                ("content_sealed", models.BinaryField()),
                ("signature_sealed", models.BinaryField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("stored", "received"),
                            ("applied", "processed"),
                            ("unmatched", "matches nothing"),
                            ("unreadable", "unreadable"),
                        ],
                        default="stored",
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("received_at", models.DateTimeField()),
                ("applied_at", models.DateTimeField(null=True)),
                ("deleted_there_at", models.DateTimeField(null=True)),
                (
                    "channel",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="inbound_files",
                        to="channels.channel",
                    ),
                ),
                (
                    "envelope",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="channels.envelope",
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
        ),
        migrations.CreateModel(
            name="ReservedName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sender_number", models.CharField(max_length=6)),
                ("application_code", models.CharField(max_length=4)),
                ("day", models.DateField()),
                (
                    "environment",
                    models.CharField(
                        choices=[("R", "Production"), ("T", "Circuit test"), ("S", "Simulation")],
                        max_length=1,
                    ),
                ),
                ("counter", models.PositiveIntegerField()),
                ("sequence", models.CharField(max_length=5)),
                ("reserved_at", models.DateTimeField(auto_now_add=True)),
                (
                    "channel",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="names",
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
        ),
        migrations.AddField(
            model_name="envelope",
            name="name",
            field=portal.models.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="channels.reservedname",
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "quality"), name="one_channel_per_quality"
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.UniqueConstraint(fields=("sender_number",), name="one_channel_per_sender"),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "channel", "kind"), name="one_credential_per_kind"
            ),
        ),
        migrations.AddIndex(
            model_name="drop",
            index=models.Index(fields=["mandataire", "envelope"], name="drop_by_envelope"),
        ),
        migrations.AddConstraint(
            model_name="drop",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "failed"), _negated=True),
                fields=("mandataire", "envelope"),
                name="one_live_drop_per_envelope",
            ),
        ),
        migrations.AddConstraint(
            model_name="drop",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "started"), _negated=True),
                    ("go_intended_at__isnull", True),
                    _connector="OR",
                ),
                name="started_before_go",
            ),
        ),
        migrations.AddConstraint(
            model_name="drop",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "go_intended"), _negated=True),
                    ("go_intended_at__isnull", False),
                    _connector="OR",
                ),
                name="go_intended_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="envelopepart",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "envelope", "part"), name="one_row_per_part"
            ),
        ),
        migrations.AddIndex(
            model_name="inboundfile",
            index=models.Index(fields=["mandataire", "state", "id"], name="inbound_by_state"),
        ),
        migrations.AddIndex(
            model_name="inboundfile",
            index=models.Index(
                condition=models.Q(("deleted_there_at__isnull", True)),
                fields=["mandataire", "channel", "environment"],
                name="inbound_to_delete",
            ),
        ),
        migrations.AddIndex(
            model_name="inboundfile",
            index=models.Index(fields=["mandataire", "envelope"], name="inbound_by_envelope"),
        ),
        migrations.AddConstraint(
            model_name="inboundfile",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "channel", "name", "sha256"), name="one_row_per_answer"
            ),
        ),
        migrations.AddConstraint(
            model_name="reservedname",
            constraint=models.UniqueConstraint(
                fields=("sender_number", "day", "environment", "sequence"), name="one_use_of_a_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="envelope",
            constraint=models.UniqueConstraint(fields=("mandataire", "name"), name="one_envelope_per_name"),
        ),
        migrations.AddConstraint(
            model_name="envelope",
            constraint=models.UniqueConstraint(fields=("mandataire", "stem"), name="one_envelope_per_stem"),
        ),
        RaiseWall("Channel"),
        RaiseWall("Credential"),
        RaiseWall("ReservedName", ("SELECT", "INSERT")),
        RaiseWall("Envelope", ("SELECT", "INSERT")),
        RaiseWall("EnvelopePart", ("SELECT", "INSERT")),
        RaiseWall("Drop", ("SELECT", "INSERT", "UPDATE")),
        RaiseWall("InboundFile", ("SELECT", "INSERT", "UPDATE")),
        Crossing(
            "channels_due",
            arguments="moment timestamptz",
            returns="TABLE (mandataire_id uuid, channel_id bigint, departs boolean, collects boolean)",
            reads={"channels_channel": ["id", "mandataire_id", "departs_at", "collects_at", "is_paused"]},
            body="SELECT c.mandataire_id, c.id, coalesce(c.departs_at, moment) <= moment, "
            "coalesce(c.collects_at, moment) <= moment FROM channels_channel c WHERE NOT c.is_paused "
            "AND (coalesce(c.departs_at, moment) <= moment OR coalesce(c.collects_at, moment) <= moment)",
        ),
        Crossing(
            "channels_unapplied",
            returns="TABLE (mandataire_id uuid, file_id bigint)",
            reads={"channels_inboundfile": ["id", "mandataire_id", "state"]},
            body="SELECT f.mandataire_id, f.id FROM channels_inboundfile f WHERE f.state = 'stored' ORDER BY f.id",
        ),
    ]
