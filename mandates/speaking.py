"""Whether we may speak for an employer today, and when not, why nothing leaves and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _

from mandates.catalogue import MandateService
from mandates.models import Employer, Mandate
from mandates.states import standing
from portal.templatetags.presenting import day


def silence(
    employer: Employer, mandates: Iterable[Mandate], service: MandateService, today: date
) -> str | None:
    """Why nothing of `service` leaves for the employer of these mandates today, with what to do; None when it may.

    The same rule as `EmployerQuerySet.spoken_for`, told: the mandataire's own enterprise is never silent.
    Of several causes the one nearest to its cure is told: waiting for a party, then yet to start, then ended.
    """
    if employer.is_own:
        return None
    found: dict[str, Mandate] = {}
    for mandate in sorted(mandates, key=lambda one: one.starts_on):
        if mandate.service == service.code:
            found[standing(mandate, today)] = mandate
    if "active" in found or "ending" in found:
        return None
    values = {"service": service.name}
    if pending := found.get("pending"):
        if pending.validated_by_employer_at:
            what = _("The mandate %(service)s waits for you: validate it.")
        elif pending.validated_by_mandataire_at:
            what = _("The mandate %(service)s waits for the employer: add the procuration he signed.")
        else:
            what = _(
                "The mandate %(service)s waits for both parties: validate it, and add the signed procuration."
            )
        return what % values
    if "to_finalise" in found:
        return _("The mandate %(service)s is prepared: propose it to both parties.") % values
    if upcoming := found.get("upcoming"):
        return _("The mandate %(service)s starts on %(day)s: nothing leaves before.") % {
            **values,
            "day": day(upcoming.starts_on),
        }
    if ended := found.get("ended"):
        return _("The mandate %(service)s ended on %(day)s. Propose a new one to declare again.") % {
            **values,
            "day": day(ended.ends_on),
        }
    return _("There is no mandate %(service)s for this client. Propose one.") % values
