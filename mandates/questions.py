"""What the pages ask of clients and their mandates: every answer costs a fixed number of queries, whatever the rows."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any, Final

from django.db.models import Count, Prefetch, Q, QuerySet

from mandates.catalogue import mandate_services
from mandates.models import Employer, EmployerQuerySet, Mandate, MandateQuerySet
from mandates.numbers import NumberError, parse_enterprise_number, parse_onss_number
from mandates.states import STANDINGS, standing, standing_filter
from portal import tenancy

WITH, WITHOUT, ENDING = "with", "without", "ending"
CLIENT_FILTERS: Final = (WITH, WITHOUT, ENDING)
_EXCLUSIVE: Final = "FLA"


def mine() -> MandateQuerySet:
    """Every mandate of the current mandataire. The filter lets the indexes, which lead with the tenant, serve.

    In a limited scope it says the limit again, for the index on the employer: the wall alone would look at every row.
    """
    rows, limit = MandateQuerySet(Mandate).filter(mandataire_id=tenancy.current()), tenancy.limit()
    return rows if limit is None else rows.filter(employer_id__in=limit)


# --- clients --------------------------------------------------------------------------------------


def clients(text: str) -> QuerySet[Employer]:
    """Clients by name, those only whose name holds `text` or whose enterprise or ONSS number it is."""
    rows = Employer.objects.filter(mandataire_id=tenancy.current())
    text = text.strip()
    if text:
        found = Q(name__icontains=text)
        with suppress(NumberError):
            found |= Q(number=parse_enterprise_number(text))
        with suppress(NumberError):
            found |= Q(onss_number=parse_onss_number(text))
        rows = rows.filter(found)
    return rows.order_by("name", "pk")


def _having(today: date) -> Q:
    """Clients for whom FLA may be declared that day. A list in a subquery: looked up once, not once for each client."""
    return Q(pk__in=EmployerQuerySet(Employer).spoken_for(today, _EXCLUSIVE).values("pk"))


def _ending(today: date) -> Q:
    """Clients whose FLA has its last day in this quarter."""
    ending = mine().filter(standing_filter("ending", today), service=_EXCLUSIVE)
    return Q(pk__in=ending.values("employer_id"))


def client_counts(rows: QuerySet[Employer], today: date) -> dict[str, int]:
    """How many of `rows` are behind each filter, and "" for all. One query."""
    found = rows.order_by().aggregate(
        every=Count("pk"),
        having=Count("pk", filter=_having(today)),
        ending=Count("pk", filter=_ending(today)),
    )
    every, having = found["every"], found["having"]
    return {"": every, WITH: having, WITHOUT: every - having, ENDING: found["ending"]}


def filtered(rows: QuerySet[Employer], chosen: str, today: date) -> QuerySet[Employer]:
    """Those of `rows` behind one of CLIENT_FILTERS; all of them for anything else."""
    match chosen:
        case "with":
            return rows.filter(_having(today))
        case "without":
            return rows.exclude(_having(today))
        case "ending":
            return rows.filter(_ending(today))
        case _:
            return rows


def client_rows(page: Any, today: date) -> list[dict[str, Any]]:
    """The clients of one page (a slice of `clients`), each with the mandate that says most today. Two queries."""
    return [client_row(employer, today) for employer in with_mandates(page)]


def with_mandates(rows: QuerySet[Employer]) -> QuerySet[Employer]:
    """`rows` with all that `client_row` reads of them."""
    return rows.select_related("mandataire").prefetch_related(
        Prefetch("mandates", queryset=mine().order_by("starts_on", "pk"))
    )


def client_row(employer: Employer, today: date) -> dict[str, Any]:
    """One of `with_mandates` as the lists show it."""
    telling = _most_telling(list(employer.mandates.all()), today)
    return {
        "pk": employer.pk,
        "name": employer.name,
        "number": employer.number,
        "onss_number": employer.onss_number,
        "is_own": employer.is_own,
        "mandate": mandate_row(telling, today) if telling else None,
    }


def _most_telling(mandates: list[Mandate], today: date) -> Mandate | None:
    rank = {name: place for place, name in enumerate(_BY_WEIGHT)}
    ordered = sorted(mandates, key=lambda mandate: rank[standing(mandate, today)])
    return ordered[0] if ordered else None


_BY_WEIGHT: Final = (
    "active",
    "ending",
    "pending",
    "to_finalise",
    "upcoming",
    "ended",
    "refused",
    "withdrawn",
)


# --- mandates -------------------------------------------------------------------------------------


def mandate_counts(rows: QuerySet[Mandate], today: date) -> dict[str, int]:
    """How many of `rows` stand in each of STANDINGS on that day, and "" for all. One query."""
    counts = {name: Count("pk", filter=standing_filter(name, today)) for name in STANDINGS}
    found: dict[str, int] = rows.aggregate(every=Count("pk"), **counts)
    return {"": found.pop("every"), **found}


def search(rows: QuerySet[Mandate], text: str) -> QuerySet[Mandate]:
    """Those of `rows` whose employer's name holds `text`, or whose number it is."""
    text = text.strip()
    if not text:
        return rows
    found = Q(employer__name__icontains=text)
    with suppress(NumberError):
        found |= Q(employer_number=parse_enterprise_number(text))
    return rows.filter(found)


def mandate_row(mandate: Mandate, today: date) -> dict[str, Any]:
    """One mandate as the pages show it."""
    known = mandate_services().get(mandate.service)
    return {
        "pk": mandate.pk,
        "service": str(known.name) if known else mandate.service,
        "starts_on": mandate.starts_on,
        "ends_on": mandate.ends_on,
        "standing": standing(mandate, today),
        "by_mandataire_at": mandate.validated_by_mandataire_at,
        "by_employer_at": mandate.validated_by_employer_at,
        "reason": mandate.reason,
    }
