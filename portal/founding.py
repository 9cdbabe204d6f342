"""Opening the portal for an organisation: an enterprise in one quality, with its first manager."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from portal import admitting, audit, tenancy
from portal.models import Mandataire, Membership, User


def found(
    *, name: str, number: str, quality: str, username: str, niss: str, **details: str
) -> tuple[Membership, dict[str, str] | None]:
    """Makes the organisation and its first manager, all in one transaction.

    `number` is an enterprise number of ten digits, `quality` one of Mandataire.Quality, `niss` eleven digits.
    `details` (first_name, last_name, email, language) are of a new user; of one who exists they are not looked at:
    he keeps his own, and his password. Returns the manager, and the arguments of the address at which a new one
    chooses his password. Raises admitting.Refused when the enterprise has this quality already, when the user
    is blocked, or when something is missing of a new one.
    """
    user = User.objects.filter(username__iexact=username).first()
    if user and not user.is_active:
        raise admitting.Refused(_("The user %(name)s is blocked everywhere.") % {"name": user.username})
    with transaction.atomic():
        mandataire = _mandataire(name, number, quality)
        with tenancy.scope(mandataire.pk):
            audit.record("mandataire.founded", mandataire)
            if user:
                manager = admitting.receive(user, niss)
            else:
                if missing := sorted(
                    key for key in ("first_name", "last_name", "email") if not details.get(key)
                ):
                    raise admitting.Refused(_("A new user needs: %(names)s.") % {"names": ", ".join(missing)})
                manager = admitting.admit(username=username, niss=niss, employer=None, **details)
            admitting.appoint(manager)
            return manager, None if user else admitting.issue_link(manager)


def _mandataire(name: str, number: str, quality: str) -> Mandataire:
    try:
        with transaction.atomic():
            return Mandataire.found(name=name, number=number, quality=quality)
    except IntegrityError as error:
        # Nobody can look first: rows of other organisations are not to be seen.
        raise admitting.Refused(
            _("The enterprise %(number)s has a place in the portal already as %(quality)s.")
            % {"number": number, "quality": str(Mandataire.Quality(quality).label).lower()}
        ) from error
