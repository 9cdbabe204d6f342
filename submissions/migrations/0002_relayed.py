"""Ready-made files of other services, their forms, documents, and the official schemas that were loaded."""

import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import RaiseWall, TieKey


class Migration(migrations.Migration):
    dependencies = [
        ("channels", "0001_initial"),
        ("mandates", "0002_granting"),
        ("portal", "0004_managers"),
        ("submissions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PublishedSchema",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                ("root", models.CharField(blank=True, max_length=60)),
                ("version", models.CharField(blank=True, max_length=5)),
                ("sha256", models.CharField(max_length=64)),
                ("content", models.BinaryField()),
                ("loaded_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.AlterField(
            model_name="declaration",
            name="record",
            field=portal.models.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="declarations",
                to="submissions.trainingrecord",
            ),
        ),
        migrations.CreateModel(
            name="CareerDocument",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("CONTRACT_BASE", "Employment contract"),
                            ("CONTRACT_AMENDMENT", "Amendment to a contract"),
                            ("PAYSLIP", "Payslip"),
                        ],
                        max_length=20,
                    ),
                ),
                ("document_on", models.DateField()),
                (
                    "language",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Dutch"), (2, "French"), (3, "German"), (4, "English")]
                    ),
                ),
                (
                    "sign_status",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Signed already"), (1, "Status 1"), (2, "Status 2")], default=0
                    ),
                ),
                ("sign_until", models.DateField(null=True)),
                ("sign_email", models.CharField(blank=True, max_length=250)),
                ("using_employer_number", models.CharField(blank=True, max_length=10)),
                (
                    "duration_code",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "Without an end"),
                            (1, "Fixed term"),
                            (2, "For a defined work"),
                            (3, "Replacement"),
                        ]
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(null=True)),
                (
                    "contract_type",
                    models.PositiveSmallIntegerField(choices=[(0, "Full-time"), (1, "Part-time")]),
                ),
                ("mean_hours", models.PositiveSmallIntegerField()),
                ("reference_hours", models.PositiveSmallIntegerField()),
                ("dimona_period", models.CharField(blank=True, max_length=12)),
                ("name", models.CharField(max_length=200, verbose_name="file")),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                ("content_sealed", models.BinaryField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "contract",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="mandates.contract",
                    ),
                ),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
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
                        related_name="documents",
                        to="mandates.worker",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.AddField(
            model_name="declaration",
            name="document",
            field=portal.models.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="declarations",
                to="submissions.careerdocument",
            ),
        ),
        migrations.CreateModel(
            name="RelayedFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("service", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=200, verbose_name="file")),
                ("exchange_name", models.CharField(blank=True, max_length=40)),
                ("schema", models.CharField(blank=True, max_length=100)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                ("content_sealed", models.BinaryField()),
                ("forms_count", models.PositiveIntegerField()),
                ("is_withdrawn", models.BooleanField(default=False)),
                ("handed_over_at", models.DateTimeField(auto_now_add=True)),
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
                    "corrects",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrected_by",
                        to="submissions.relayedfile",
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
            name="RelayedForm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("line", models.PositiveIntegerField()),
                ("identification", models.CharField(max_length=20)),
                ("reference", models.CharField(blank=True, max_length=64)),
                ("created_on", models.CharField(blank=True, max_length=10)),
                ("created_hour", models.CharField(blank=True, max_length=20)),
                ("niss_sealed", models.BinaryField(null=True)),
                ("niss_index", models.BinaryField(max_length=32, null=True)),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="mandates.employer",
                    ),
                ),
                (
                    "file",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="forms",
                        to="submissions.relayedfile",
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
                "ordering": ("file", "position"),
            },
        ),
        migrations.AddField(
            model_name="declaration",
            name="form",
            field=portal.models.TenantKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="declarations",
                to="submissions.relayedform",
            ),
        ),
        migrations.AddIndex(
            model_name="declaration",
            index=models.Index(fields=["mandataire", "form"], name="declaration_by_form"),
        ),
        migrations.AddIndex(
            model_name="declaration",
            index=models.Index(fields=["mandataire", "document"], name="declaration_by_document"),
        ),
        migrations.AddConstraint(
            model_name="declaration",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("draft", "ready", "batched", "sent", "acknowledged"))),
                fields=("mandataire", "form"),
                name="one_live_declaration_per_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="declaration",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("draft", "ready", "batched", "sent", "acknowledged"))),
                fields=("mandataire", "document"),
                name="one_live_declaration_per_document",
            ),
        ),
        migrations.AddConstraint(
            model_name="declaration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("document", None), ("form", None), ("record__isnull", False), ("service", "FLA")
                    ),
                    models.Q(
                        models.Q(("service", "FLA"), _negated=True),
                        models.Q(
                            models.Q(("document", None), ("form__isnull", False), ("record", None)),
                            models.Q(("document__isnull", False), ("form", None), ("record", None)),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="about_one_thing",
            ),
        ),
        migrations.AddIndex(
            model_name="careerdocument",
            index=models.Index(fields=["mandataire", "worker"], name="document_by_worker"),
        ),
        migrations.AddConstraint(
            model_name="careerdocument",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_on", None), ("ends_on__gte", models.F("starts_on")), _connector="OR"
                ),
                name="document_contract_ends_after_it_starts",
            ),
        ),
        migrations.AddConstraint(
            model_name="relayedfile",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_withdrawn", False)),
                fields=("mandataire", "sha256"),
                name="one_relay_per_content",
            ),
        ),
        migrations.AddConstraint(
            model_name="relayedfile",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_withdrawn", False), models.Q(("exchange_name", ""), _negated=True)),
                fields=("mandataire", "exchange_name"),
                name="one_relay_per_name",
            ),
        ),
        migrations.AddIndex(
            model_name="relayedform",
            index=models.Index(fields=["mandataire", "reference"], name="relayed_form_by_reference"),
        ),
        migrations.AddConstraint(
            model_name="relayedform",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "file", "position"), name="one_row_per_relayed_form"
            ),
        ),
        RaiseWall("CareerDocument", ("SELECT", "INSERT")),
        RaiseWall("RelayedFile", ("SELECT", "INSERT", "UPDATE")),
        RaiseWall("RelayedForm", ("SELECT", "INSERT")),
        TieKey("Declaration", "form"),
        TieKey("Declaration", "document"),
    ]
