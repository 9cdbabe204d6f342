import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
import submissions.models.declaration
from portal.walls import Crossing, RaiseWall


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("channels", "0001_initial"),
        ("mandates", "0001_initial"),
        ("portal", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("service", models.CharField(max_length=16)),
                (
                    "environment",
                    models.CharField(
                        choices=[("R", "Production"), ("T", "Circuit test"), ("S", "Simulation")],
                        max_length=1,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "being prepared"),
                            ("sealed", "sealed"),
                            ("dropped", "dropped"),
                            ("acknowledged", "acknowledged"),
                            ("rejected", "refused as a whole"),
                            ("answered", "answered"),
                            ("parked", "waiting for a decision"),
                        ],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("declarations_count", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sealed_at", models.DateTimeField(null=True)),
                ("dropped_at", models.DateTimeField(null=True)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("ticket", models.CharField(blank=True, max_length=13, verbose_name="ticket")),
                (
                    "error_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list
                    ),
                ),
                ("parked_reason", models.TextField(blank=True)),
                (
                    "channel",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
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
                        related_name="batches",
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
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Declaration",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("service", models.CharField(max_length=16)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("original", "Original"),
                            ("modification", "Modification"),
                            ("cancellation", "Cancellation"),
                        ],
                        default="original",
                        max_length=16,
                    ),
                ),
                (
                    "reference",
                    models.CharField(default=submissions.models.declaration.new_reference, max_length=64),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "to complete"),
                            ("ready", "ready to leave"),
                            ("batched", "in a sealed set"),
                            ("sent", "sent"),
                            ("acknowledged", "received by social security"),
                            ("accepted", "accepted"),
                            ("accepted_with_remarks", "accepted with remarks"),
                            ("refused", "refused"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="draft",
                        max_length=24,
                    ),
                ),
                ("earlier_ticket", models.CharField(blank=True, max_length=13)),
                ("part", models.PositiveSmallIntegerField(null=True)),
                ("position", models.PositiveSmallIntegerField(null=True)),
                ("ticket", models.CharField(blank=True, max_length=13)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "batch",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="declarations",
                        to="submissions.batch",
                    ),
                ),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="declarations",
                        to="mandates.employer",
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
                (
                    "replaces",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="submissions.declaration",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Anomaly",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20)),
                ("anomaly_class", models.CharField(blank=True, max_length=4)),
                ("tag", models.CharField(blank=True, max_length=100)),
                ("value", models.CharField(blank=True, max_length=200)),
                ("label", models.CharField(blank=True, max_length=300)),
                ("location", models.CharField(blank=True, max_length=200)),
                ("field", models.CharField(blank=True, max_length=40)),
                (
                    "inbound_file",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
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
                (
                    "declaration",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="anomalies",
                        to="submissions.declaration",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="TrainingRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("client_reference", models.CharField(max_length=64, verbose_name="your reference")),
                ("title", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=10)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
                ("duration_unit", models.CharField(max_length=5)),
                ("duration_minutes", models.PositiveIntegerField()),
                ("day_minutes", models.PositiveSmallIntegerField()),
                ("status", models.CharField(max_length=16)),
                ("charged_minutes", models.PositiveIntegerField(default=0)),
                ("nature", models.CharField(blank=True, max_length=100)),
                ("result", models.CharField(blank=True, max_length=100)),
                ("certificate", models.CharField(blank=True, max_length=200)),
                ("certificate_valid_until", models.DateField(blank=True, null=True)),
                ("funding", models.CharField(max_length=16)),
                ("provider", models.CharField(blank=True, max_length=200)),
                ("working_hours", models.CharField(blank=True, max_length=8)),
                ("cost_cents", models.PositiveIntegerField(blank=True, null=True)),
                ("domain", models.CharField(blank=True, max_length=100)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="training_records",
                        to="mandates.employer",
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
                (
                    "worker",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="training_records",
                        to="mandates.worker",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="declaration",
            name="record",
            field=portal.models.TenantKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="declarations",
                to="submissions.trainingrecord",
            ),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["mandataire", "state", "-id"], name="batch_by_state"),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "envelope"), name="one_batch_per_envelope"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "open"),
                    models.Q(("envelope__isnull", False), ("sealed_at__isnull", False)),
                    _connector="OR",
                ),
                name="nothing_sealed_without_an_envelope",
            ),
        ),
        migrations.AddIndex(
            model_name="anomaly",
            index=models.Index(fields=["mandataire", "declaration"], name="anomaly_by_declaration"),
        ),
        migrations.AddIndex(
            model_name="anomaly",
            index=models.Index(fields=["mandataire", "code", "tag"], name="anomaly_by_cause"),
        ),
        migrations.AddIndex(
            model_name="trainingrecord",
            index=models.Index(fields=["mandataire", "worker", "starts_on"], name="training_by_worker"),
        ),
        migrations.AddConstraint(
            model_name="trainingrecord",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "employer", "client_reference"), name="one_record_per_client_reference"
            ),
        ),
        migrations.AddConstraint(
            model_name="trainingrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gte", models.F("starts_on"))),
                name="training_ends_after_it_starts",
            ),
        ),
        migrations.AddIndex(
            model_name="declaration",
            index=models.Index(fields=["mandataire", "state", "id"], name="declaration_by_state"),
        ),
        migrations.AddIndex(
            model_name="declaration",
            index=models.Index(fields=["mandataire", "employer", "state"], name="declaration_by_employer"),
        ),
        migrations.AddIndex(
            model_name="declaration",
            index=models.Index(fields=["mandataire", "record", "id"], name="declaration_by_record"),
        ),
        migrations.AddConstraint(
            model_name="declaration",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "reference"), name="one_declaration_per_reference"
            ),
        ),
        migrations.AddConstraint(
            model_name="declaration",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "replaces"), name="one_correction_per_declaration"
            ),
        ),
        migrations.AddConstraint(
            model_name="declaration",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "batch", "part", "position"), name="one_declaration_per_position"
            ),
        ),
        migrations.AddConstraint(
            model_name="declaration",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("draft", "ready", "batched", "sent", "acknowledged"))),
                fields=("mandataire", "record"),
                name="one_live_declaration_per_record",
            ),
        ),
        migrations.AddConstraint(
            model_name="declaration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("batch", None),
                        ("part", None),
                        ("position", None),
                        ("state__in", ["draft", "ready", "withdrawn"]),
                    ),
                    models.Q(
                        models.Q(("state__in", ["draft", "ready", "withdrawn"]), _negated=True),
                        ("batch__isnull", False),
                        ("part__isnull", False),
                        ("position__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="in_a_set_exactly_when_it_left",
            ),
        ),
        RaiseWall("TrainingRecord"),
        RaiseWall("Batch"),
        RaiseWall("Declaration"),
        RaiseWall("Anomaly"),
        Crossing(
            "submissions_to_drop",
            arguments="stale timestamptz, retry timestamptz",
            returns="TABLE (mandataire_id uuid, batch_id bigint)",
            reads={
                "submissions_batch": ["id", "mandataire_id", "state", "envelope_id", "channel_id"],
                "channels_channel": ["id", "mandataire_id", "is_paused"],
                "channels_drop": ["id", "mandataire_id", "envelope_id", "state", "heartbeat_at", "ended_at"],
            },
            body="SELECT b.mandataire_id, b.id FROM submissions_batch b "
            "JOIN channels_channel c ON c.mandataire_id = b.mandataire_id AND c.id = b.channel_id "
            "WHERE b.state = 'sealed' AND NOT c.is_paused AND NOT EXISTS (SELECT FROM channels_drop d "
            "WHERE d.mandataire_id = b.mandataire_id AND d.envelope_id = b.envelope_id AND ("
            "(d.state IN ('started', 'go_intended', 'unknown') AND d.heartbeat_at > stale) "
            "OR (d.state = 'failed' AND d.ended_at > retry))) ORDER BY b.id",
        ),
    ]
