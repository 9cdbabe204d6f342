"""Which account over there is whose: made only by the member himself, while he is signed in here.

Never by the e-mail address: whoever may choose what a provider says his address is would choose whom he becomes.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from portal import audit, tenancy
from portal.identity.models import IdentityLink, IdentityProvider
from portal.models import Membership


class Taken(ValueError):
    """The account signs in somebody else here; the text says so, in the reader's language."""


def member_with(provider: IdentityProvider, subject: str) -> Membership | None:
    """The member of the current mandataire whose account this is, blocked or not, or None."""
    links = IdentityLink.objects.select_related("member__user")
    found = links.filter(mandataire_id=tenancy.current(), issuer=provider.issuer, subject=subject).first()
    return found.member if found else None


def link(member: Membership, provider: IdentityProvider, subject: str) -> None:
    """Lets the account sign the member in. Twice is once. Raises Taken."""
    try:
        with transaction.atomic():
            made, is_new = IdentityLink.objects.get_or_create(
                mandataire_id=tenancy.current(),
                issuer=provider.issuer,
                subject=subject,
                defaults={"member": member},
            )
    except IntegrityError as error:
        raise Taken(_taken(provider)) from error
    if made.member_id != member.pk:
        raise Taken(_taken(provider))
    if is_new:
        audit.record("identity.linked", member, data={"name": provider.label})


def unlink(found: IdentityLink, name: str) -> None:
    """Ends what the account may do here. `name` is what people call the provider."""
    audit.record("identity.unlinked", found.member, data={"name": name})
    found.delete()


def _taken(provider: IdentityProvider) -> str:
    return _("%(name)s: this account signs in another user here. Ask a manager which one.") % {
        "name": provider.label
    }
