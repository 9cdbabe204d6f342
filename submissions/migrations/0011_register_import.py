import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import Crossing, KeepWithin, RaiseWall, of_employer, through


class Migration(migrations.Migration):
    dependencies = [
        ("mandates", "0004_within"),
        ("portal", "0011_events_by_kind"),
        ("submissions", "0010_courses"),
    ]

    operations = [
        migrations.CreateModel(
            name="RegisterImport",
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
                        choices=[("workers", "Workers"), ("trainings", "Trainings")], max_length=12
                    ),
                ),
                ("declares", models.BooleanField(default=False)),
                ("name", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                ("encoding", models.CharField(blank=True, max_length=20)),
                ("delimiter", models.CharField(blank=True, max_length=1)),
                ("uploaded_at", models.DateTimeField()),
                ("uploaded_by", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("checking", "Checking"),
                            ("mapping", "Mapping"),
                            ("checked", "Checked"),
                            ("applying", "Applying"),
                            ("applied", "Applied"),
                            ("undoing", "Undoing"),
                            ("undone", "Undone"),
                            ("unreadable", "Unreadable"),
                            ("discarded", "Discarded"),
                        ],
                        default="checking",
                        max_length=12,
                    ),
                ),
                ("headings", models.JSONField(default=list)),
                ("heading_line", models.PositiveIntegerField(default=0)),
                ("mapping", models.JSONField(default=list)),
                ("month_first_line", models.PositiveIntegerField(null=True)),
                ("refusal", models.JSONField(default=list)),
                ("is_whole", models.BooleanField(default=False)),
                ("applied_by", models.BigIntegerField(null=True)),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("due_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("lines", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("bad", models.PositiveIntegerField(default=0)),
                ("same", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("undone", models.PositiveIntegerField(default=0)),
                ("kept", models.PositiveIntegerField(default=0)),
                (
                    "employer",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
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
            ],
        ),
        migrations.CreateModel(
            name="ImportPiece",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("content_sealed", models.BinaryField()),
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
                    "of",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sealed_pieces",
                        to="submissions.registerimport",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ImportFault",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line", models.PositiveIntegerField()),
                ("faults", models.JSONField()),
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
                    "of",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="faults",
                        to="submissions.registerimport",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ImportChunk",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("through", models.PositiveIntegerField()),
                ("made", models.JSONField()),
                ("is_undone", models.BooleanField(default=False)),
                ("kept", models.JSONField(default=dict)),
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
                    "of",
                    portal.models.TenantKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="submissions.registerimport",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="registerimport",
            index=models.Index(fields=["mandataire", "sha256"], name="register_import_by_content"),
        ),
        migrations.AddIndex(
            model_name="registerimport",
            index=models.Index(fields=["mandataire", "due_at"], name="register_import_by_turn"),
        ),
        migrations.AddIndex(
            model_name="registerimport",
            index=models.Index(fields=["mandataire", "employer", "kind"], name="register_import_by_employer"),
        ),
        migrations.AddConstraint(
            model_name="registerimport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_at__isnull", False), ("state__in", ["checking", "applying", "undoing"])),
                    models.Q(
                        models.Q(("state__in", ["checking", "applying", "undoing"]), _negated=True),
                        ("due_at", None),
                    ),
                    _connector="OR",
                ),
                name="due_exactly_while_at_work",
            ),
        ),
        migrations.AddConstraint(
            model_name="importpiece",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "of", "number"), name="one_piece_per_place"
            ),
        ),
        migrations.AddConstraint(
            model_name="importfault",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "of", "line"), name="one_fault_row_per_line"
            ),
        ),
        migrations.AddConstraint(
            model_name="importchunk",
            constraint=models.UniqueConstraint(
                fields=("mandataire", "of", "number"), name="one_chunk_per_number"
            ),
        ),
        RaiseWall("RegisterImport"),
        RaiseWall("ImportPiece", ("SELECT", "INSERT", "DELETE")),
        RaiseWall("ImportFault", ("SELECT", "INSERT", "DELETE")),
        RaiseWall("ImportChunk"),
        # A file about all clients exists for nobody who is limited to some.
        KeepWithin("RegisterImport", of_employer("employer_id")),
        KeepWithin("ImportPiece", through("submissions_registerimport", "of_id", "submissions_importpiece")),
        KeepWithin("ImportFault", through("submissions_registerimport", "of_id", "submissions_importfault")),
        KeepWithin("ImportChunk", through("submissions_registerimport", "of_id", "submissions_importchunk")),
        # Moments only: what is due is told without a look at any content or state.
        Crossing(
            "submissions_imports_due",
            arguments="timestamptz",
            returns="TABLE(mandataire_id uuid, import_id bigint)",
            reads={"submissions_registerimport": ("mandataire_id", "id", "due_at")},
            body="SELECT i.mandataire_id, i.id FROM submissions_registerimport i WHERE i.due_at <= $1 "
            "ORDER BY i.due_at, i.id",
        ),
    ]
