"""The providers of a mandataire: entering, changing, testing and switching them on and off.

Each function runs in the scope of the mandataire and leaves its Event in the transaction.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from portal import audit
from portal.identity import discovering
from portal.identity.discovering import Metadata
from portal.identity.faults import Unreachable
from portal.identity.models import IdentityProvider


class Incomplete(ValueError):
    """A provider that cannot be switched on yet; the text says what it lacks, in the reader's language."""


# --- before a tenant is known ------------------------------------------------------------------------


def behind(handle: UUID) -> tuple[UUID, int] | None:
    """The mandataire and the id of the open provider that an address names. To be read in that mandataire's scope."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mandataire_id, provider_id FROM portal_identity_provider(%s)", [handle])
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


def of_enterprise(number: str) -> list[tuple[UUID, int]]:
    """Mandataire and id of each open provider of an enterprise (BCE number, 10 digits), in whatever quality."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mandataire_id, provider_id FROM portal_identity_providers_of(%s)", [number])
        return [(mandataire, provider) for mandataire, provider in cursor.fetchall()]


# --- in the scope of the mandataire --------------------------------------------------------------------


def keep(provider: IdentityProvider, *, secret: str = "", **values: object) -> list[str]:
    """Keeps a new provider, or what changed of one; returns the names of what is different.

    An empty `secret` leaves the one that is known, which is never shown again; but not for another issuer: whoever
    may choose where the secret is sent to would get to read it. The provider is switched off then.
    """
    is_new = provider.pk is None
    changed = sorted(name for name, value in values.items() if getattr(provider, name) != value)
    for name in changed:
        setattr(provider, name, values[name])
    if "issuer" in changed and not is_new:
        provider.secret_sealed, provider.is_enabled = None, False
    if secret:
        provider.secret = secret
        changed.append("secret")
    if changed or is_new:
        provider.save()
        verb = "provider.added" if is_new else "provider.changed"
        audit.record(verb, provider, data={"name": provider.label, "fields": changed})
    return changed


def test(provider: IdentityProvider) -> Metadata:
    """Asks the provider now what it says of itself, and for its keys. Raises Unreachable, after the Event."""
    is_fit = False
    try:
        metadata = discovering.discover(provider.issuer, anew=True)
        if not discovering.signing_keys(metadata):
            raise Unreachable(_("The issuer publishes no key to sign with."))
        is_fit = True
    finally:
        audit.record("provider.tested", provider, data={"name": provider.label, "is_fit": is_fit})
    return metadata


def switch_on(provider: IdentityProvider) -> None:
    """Lets people sign in through it. Raises Incomplete, or Unreachable when it does not answer as it should."""
    if not provider.is_complete:
        raise Incomplete(_("Fill in the client id and the client secret first."))
    test(provider)
    IdentityProvider.objects.filter(pk=provider.pk).update(is_enabled=True)
    audit.record("provider.switched_on", provider, data={"name": provider.label})


def switch_off(provider: IdentityProvider) -> None:
    """Lets nobody in through it from now on. Accounts stay linked, for when it is switched on again."""
    IdentityProvider.objects.filter(pk=provider.pk).update(is_enabled=False)
    audit.record("provider.switched_off", provider, data={"name": provider.label})
