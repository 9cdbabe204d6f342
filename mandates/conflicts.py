"""One mandataire per employer at a time for an exclusive service, over all tenants of the installation.

The sentence of a conflict says that another mandataire holds the mandate and in which period, never who: the function
in the database that looks across tenants returns days and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.utils.translation import gettext, gettext_noop

from mandates.catalogue import MandateService
from portal.templatetags.presenting import day


@dataclass(frozen=True, slots=True)
class Period:
    """Days of a mandate, both inclusive; `ends_on` None: without an end."""

    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Words:
    """An English sentence that the catalogues know, and its values without the `service`: kept now, told later."""

    sentence: str
    values: dict[str, str]

    def told(self, service: MandateService) -> str:
        """The sentence in the reader's language."""
        return gettext(self.sentence) % {**self.values, "service": service.name}


def hold(employer_number: str, service: MandateService) -> None:
    """Makes everybody else who would activate a mandate of this employer wait until this transaction ends.

    The exclusion constraint alone would let two transactions wait for each other, and PostgreSQL would then end one of
    them as a deadlock, without a sentence.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"mandate {service.code} {employer_number}"],
        )


def taken(employer_number: str, service: MandateService, wanted: Period) -> list[Period]:
    """The periods, of whichever tenant, in which an active exclusive mandate overlaps the wanted one; first to last."""
    if not service.is_exclusive:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT starts_on, ends_on FROM mandates_taken(%s, %s, %s, %s) ORDER BY starts_on",
            [employer_number, service.code, wanted.starts_on, wanted.ends_on],
        )
        return [Period(starts_on, ends_on) for starts_on, ends_on in cursor.fetchall()]


def taken_by_place(wanted: Sequence[tuple[str, str, Period]]) -> Iterator[tuple[int, Period]]:
    """For many (employer number, service code, period): the place in the list, and the first period in its way.

    As `taken`, in one query; places where nothing is in the way are left out.
    """
    if not wanted:
        return
    numbers, codes, periods = zip(*wanted, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (w.place) w.place - 1, t.starts_on, t.ends_on "
            "FROM unnest(%s::text[], %s::text[], %s::date[], %s::date[]) WITH ORDINALITY "
            "AS w (number, service, starts_on, ends_on, place), "
            "LATERAL mandates_taken(w.number, w.service, w.starts_on, w.ends_on) t "
            "ORDER BY w.place, t.starts_on",
            [list(numbers), list(codes), [p.starts_on for p in periods], [p.ends_on for p in periods]],
        )
        for place, starts_on, ends_on in cursor.fetchall():
            yield place, Period(starts_on, ends_on)


def in_words(found: Period) -> Words:
    """What is in the way and what to do, without a name; the caller knows the `service`."""
    values = {"start": day(found.starts_on), "end": day(found.ends_on)}
    if found.ends_on is None:
        sentence = gettext_noop(
            "Another mandataire holds the mandate %(service)s of this employer since %(start)s, without an end. "
            "It must first be closed at the end of a quarter: by that mandataire, or by the employer."
        )
    else:
        sentence = gettext_noop(
            "Another mandataire holds the mandate %(service)s of this employer from %(start)s to %(end)s. "
            "Choose a quarter outside of this period."
        )
    return Words(sentence, values)


def sentence(service: MandateService, found: Period) -> str:
    """What is in the way and what to do, in the reader's language."""
    return in_words(found).told(service)
