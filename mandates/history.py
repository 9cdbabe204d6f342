"""Events of clients and their mandates in the reader's words, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from mandates.models import Employer, Mandate
from portal import tenancy
from portal.models import Event, User
from portal.templatetags.presenting import DASH, day, person_name, quarter

MOST: Final = 50
"""Events shown; the whole chain is in the export."""

SENTENCES: Final[Mapping[str, str | Promise]] = MappingProxyType(
    {
        "employer.added": gettext_lazy("Client added"),
        "employer.size_set": gettext_lazy("Size of the enterprise for %(year)s: %(fte)s FTE"),
        "letters.made": gettext_lazy("Balance letters of %(year)s made"),
        "letters.failed": gettext_lazy("Balance letters of %(year)s could not all be made"),
        "letters.downloaded": gettext_lazy("Balance letters of %(year)s downloaded"),
        "mandate.created": gettext_lazy("Mandate prepared"),
        "mandate.changed": gettext_lazy("Quarters changed: from %(start)s"),
        "mandate.proposed": gettext_lazy("Mandate proposed from %(start)s"),
        "mandate.validated": gettext_lazy("Mandate validated by the mandataire"),
        "mandate.validated by employer": gettext_lazy(
            "Mandate validated by the employer, by a signed procuration"
        ),
        "mandate.accepted": gettext_lazy("Mandate validated by the employer"),
        "mandate.activated": gettext_lazy("Mandate active from %(start)s"),
        "mandate.refused": gettext_lazy("Mandate refused"),
        "mandate.declined": gettext_lazy("Mandate refused by the employer"),
        "mandate.withdrawn": gettext_lazy("Proposal of the mandate taken back"),
        "mandate.closed": gettext_lazy("Mandate closed at the end of %(end)s"),
        "mandate.closed by employer": gettext_lazy(
            "Mandate closed at the end of %(end)s, by a procuration of the employer"
        ),
        "mandate.ended": gettext_lazy("Mandate closed by the employer at the end of %(end)s"),
        "quarter.signed_off": gettext_lazy("%(quarter)s signed off"),
        "quarter.outdated": gettext_lazy("%(quarter)s to be signed off anew: a training changed"),
        "quarter.reopened": gettext_lazy("%(quarter)s opened again"),
        "procuration.downloaded": gettext_lazy("Procuration downloaded"),
    }
)


def of(employer: Employer | None, mandates: Iterable[Mandate]) -> list[dict[str, Any]]:
    """What happened to a client (or to none) and to these mandates. Two queries."""
    subjects = Q(subject_type="mandate", subject_id__in=[str(mandate.pk) for mandate in mandates])
    if employer:
        subjects |= Q(subject_type="employer", subject_id=str(employer.pk))
    events = list(
        Event.objects.filter(subjects, mandataire_id=tenancy.current(), verb__in=SENTENCES).order_by("-id")[
            :MOST
        ]
    )
    actors = User.objects.in_bulk({event.actor_id for event in events if event.actor_id})
    return [
        {
            "at": event.at,
            "text": told(event),
            "actor": person_name(actors[event.actor_id]) if event.actor_id in actors else event.actor_name,
            "reason": event.reason,
        }
        for event in events
    ]


def told(event: Event) -> str:
    """One Event as a sentence. Raises KeyError for a verb of another room."""
    by_employer = f"{event.verb} by employer"
    is_employer = event.data.get("party") == "employer" and by_employer in SENTENCES
    days = {
        name: day(date.fromisoformat(event.data[name])) for name in ("start", "end") if event.data.get(name)
    }
    sentence = str(SENTENCES[by_employer if is_employer else event.verb])
    code = str(event.data.get("quarter", ""))
    plain = {name: event.data.get(name, DASH) for name in ("year", "fte")}
    return sentence % {
        "start": DASH,
        "end": DASH,
        **plain,
        **days,
        "quarter": quarter(code) if code else DASH,
    }
