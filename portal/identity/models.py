"""Where a mandataire's people may sign in instead of here, and which account over there is whose."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from portal.models import Membership, TenantKey, TenantModel, cipher

_SECRET = "identity client secret"  # noqa: S105  (a purpose, no secret)


class IdentityProvider(TenantModel):
    """An OpenID provider that a mandataire trusts for its own people, and for nobody else's.

    `handle` names it in open addresses, before any tenant is known. `scopes` and `acr_values` are words with spaces
    between, as OpenID Connect Core 3.1.2.1 has them; when `acr_values` is not empty, the provider has to prove one.
    """

    handle = models.UUIDField(default=uuid.uuid4, editable=False)
    label = models.CharField(max_length=60)
    issuer = models.CharField(max_length=255)
    client_id = models.CharField(max_length=255, blank=True)
    secret_sealed = models.BinaryField(null=True)
    scopes = models.CharField(max_length=255, default="openid")
    acr_values = models.CharField(max_length=255, blank=True)
    vouches_for_second_factor = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["handle"], name="one_provider_per_handle"),
            models.CheckConstraint(
                condition=Q(is_enabled=False) | (~Q(client_id="") & Q(secret_sealed__isnull=False)),
                name="an_open_provider_has_its_secret",
            ),
        )
        indexes = (models.Index(fields=["mandataire", "label"], name="provider_by_label"),)

    @property
    def secret(self) -> str:
        """What the portal proves itself with over there, or nothing yet. Opens in the scope of its mandataire only."""
        if not self.secret_sealed:
            return ""
        return cipher().open_text(_SECRET, bytes(self.secret_sealed), subject=str(self.handle))

    @secret.setter
    def secret(self, value: str) -> None:
        self.secret_sealed = cipher().seal_text(_SECRET, value, subject=str(self.handle))

    @property
    def is_complete(self) -> bool:
        """Whether it has everything that is needed to switch it on."""
        return bool(self.client_id and self.secret_sealed)


class IdentityLink(TenantModel):
    """An account over there, `subject` of `issuer`, that signs one member of this mandataire in.

    Looked up inside of the mandataire whose provider was used: the account of a member elsewhere does not exist here,
    whatever a provider of this mandataire says.
    """

    member = TenantKey(Membership, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    linked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["mandataire", "issuer", "subject"], name="one_member_per_identity"
            ),
        )
        indexes = (models.Index(fields=["mandataire", "member"], name="identity_by_member"),)
