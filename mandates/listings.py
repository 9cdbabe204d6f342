"""The lists of clients and mandates as files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from mandates import questions
from mandates.models import Employer, Mandate
from mandates.numbers import format_onss_number
from portal.sheets import Code, Listing, Value, enterprise_code
from portal.templatetags.wording import STATES


def clients(rows: QuerySet[Employer], today: date) -> Listing[Employer]:
    """The clients `rows`, each with the mandate that says most on the day `today`."""

    def read(chunk: Sequence[Employer]) -> list[list[Value]]:
        return [_client(row, today) for row in chunk]

    def headings() -> list[str]:
        return [
            _("Employer"),
            _("Enterprise number"),
            _("ONSS number"),
            _("Mandate"),
            _("Service"),
            _("First day"),
            _("Last day"),
        ]

    return Listing(questions.with_mandates(rows), ("name", "pk"), headings, read)


def _client(row: Employer, today: date) -> list[Value]:
    mandate = questions.client_row(row, today)["mandate"]
    onss = Code(format_onss_number(row.onss_number)) if row.onss_number else None
    told: list[Value] = [row.name, enterprise_code(row.number), onss]
    if mandate:
        standing = str(STATES["mandate"][mandate["standing"]].word)
        return [*told, standing, mandate["service"], mandate["starts_on"], mandate["ends_on"]]
    return [*told, _("Your own enterprise") if row.is_own else pgettext("mandate", "None"), None, None, None]


def mandates(rows: QuerySet[Mandate], today: date) -> Listing[Mandate]:
    """The mandates `rows`, newest first, as they stand on the day `today`."""

    def read(chunk: Sequence[Mandate]) -> list[list[Value]]:
        return [_mandate(row, today) for row in chunk]

    def headings() -> list[str]:
        return [
            _("Employer"),
            _("Enterprise number"),
            _("Service"),
            _("First day"),
            _("Last day"),
            _("State"),
            _("Validated by the mandataire"),
            _("Validated by the employer"),
            _("Reason"),
        ]

    return Listing(rows.select_related("employer"), ("-pk",), headings, read)


def _mandate(row: Mandate, today: date) -> list[Value]:
    shown = questions.mandate_row(row, today)
    return [
        row.employer.name,
        enterprise_code(row.employer.number),
        shown["service"],
        row.starts_on,
        row.ends_on,
        str(STATES["mandate"][shown["standing"]].word),
        row.validated_by_mandataire_at,
        row.validated_by_employer_at,
        row.reason,
    ]
