import uuid

import django.db.models.deletion
from django.db import migrations, models

import portal.models
import portal.tenancy
from portal.walls import Crossing, RaiseWall


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0006_payroll_api"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdentityProvider",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("handle", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("label", models.CharField(max_length=60)),
                ("issuer", models.CharField(max_length=255)),
                ("client_id", models.CharField(blank=True, max_length=255)),
                ("secret_sealed", models.BinaryField(null=True)),
                ("scopes", models.CharField(default="openid", max_length=255)),
                ("acr_values", models.CharField(blank=True, max_length=255)),
                ("vouches_for_second_factor", models.BooleanField(default=False)),
                ("is_enabled", models.BooleanField(default=False)),
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
                "indexes": [models.Index(fields=["mandataire", "label"], name="provider_by_label")],
                "constraints": [
                    models.UniqueConstraint(fields=("handle",), name="one_provider_per_handle"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_enabled", False),
                            models.Q(
                                models.Q(("client_id", ""), _negated=True), ("secret_sealed__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="an_open_provider_has_its_secret",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityLink",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("issuer", models.CharField(max_length=255)),
                ("subject", models.CharField(max_length=255)),
                ("linked_at", models.DateTimeField(auto_now_add=True)),
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
                        related_name="identities",
                        to="portal.membership",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["mandataire", "member"], name="identity_by_member")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mandataire", "issuer", "subject"), name="one_member_per_identity"
                    )
                ],
            },
        ),
        RaiseWall("IdentityProvider"),
        RaiseWall("IdentityLink"),
        Crossing(
            "portal_identity_provider",
            arguments="which uuid",
            returns="TABLE (mandataire_id uuid, provider_id bigint)",
            reads={"portal_identityprovider": ["id", "mandataire_id", "handle", "is_enabled"]},
            body="SELECT p.mandataire_id, p.id FROM portal_identityprovider p WHERE p.handle = which AND p.is_enabled",
        ),
        Crossing(
            "portal_identity_providers_of",
            arguments="enterprise text",
            returns="TABLE (mandataire_id uuid, provider_id bigint)",
            reads={
                "portal_identityprovider": ["id", "mandataire_id", "is_enabled"],
                "portal_mandataire": ["id", "number"],
            },
            body="SELECT p.mandataire_id, p.id FROM portal_identityprovider p "
            "JOIN portal_mandataire m ON m.id = p.mandataire_id "
            "WHERE m.number = enterprise AND p.is_enabled ORDER BY p.id",
        ),
    ]
