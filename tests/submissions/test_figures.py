"""The figures of a client: each counts exactly the rows that a plain count finds, and that its address opens."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from lxml import html

from mandates.models import Employer
from portal.models import Profile
from submissions import figures
from submissions.figures import PARTS, STATES, Asked, Period
from submissions.models import Anomaly, Declaration
from submissions.states import ACCEPTED, ON_THE_WAY, DeclarationState
from tests import factories
from tests.people import Person, signed_in
from tests.submissions import scenes

D = DeclarationState
pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
CODES = (("00024-179", "INSS"), ("00011-155", "CompanyID"), ("00024-179", "StartDate"))
OVER = figures.period("", "", TODAY)


@pytest.fixture(autouse=True)
def _in_scope(operator: Person) -> Iterator[None]:
    with operator.scope():
        yield


@pytest.fixture
def employer() -> Employer:
    """A client with sixty declarations, chosen at random: states, environments, months, days and anomalies."""
    chance = random.Random(7)
    made = factories.client(name="Hôtel & <Fils>")
    through = factories.channel()
    left = [scenes.acknowledged(30, through=through, of=client) for client in (made, factories.client())]
    midnight = figures.Period(OVER.first, OVER.first).moments[0]
    for batch in left:
        for declaration in batch.declarations.all():
            created = midnight + timedelta(minutes=chance.randrange(-40 * 1440, 365 * 1440))
            state = chance.choice((*ACCEPTED, D.REFUSED, *ON_THE_WAY))
            # Some exactly where a month begins, in Belgium and not in UTC.
            created = chance.choice((created, midnight, midnight - timedelta(seconds=1)))
            answered = created + timedelta(hours=chance.randrange(200)) if state not in ON_THE_WAY else None
            Declaration.objects.filter(pk=declaration.pk).update(
                state=state,
                environment=chance.choice("RRRTS"),
                created_at=created,
                answered_at=answered,
            )
            if answered:
                file = factories.inbound(batch.channel, b"<x/>", envelope=batch.envelope)
                for code, tag in chance.sample(CODES, chance.randrange(3)):
                    Anomaly.objects.create(declaration=declaration, inbound_file=file, code=code, tag=tag)
    factories.declaration(factories.record(factories.worker(made)))  # ready: not declared yet
    return made


def plain(employer: Employer, asked: Asked, states: tuple[str, ...]) -> list[Declaration]:
    """The rows behind a figure, found one by one."""

    def is_meant(row: Declaration) -> bool:
        encoded = timezone.localtime(row.created_at).date().replace(day=1)
        return (
            row.state in states
            and (asked.period is None or asked.period.first <= encoded <= asked.period.last)
            and asked.environment in ("", row.environment)
            and asked.service in ("", row.service)
        )

    rows = Declaration.objects.filter(employer=employer).prefetch_related("anomalies")
    return [row for row in rows if is_meant(row)]


@pytest.mark.parametrize("environment", ["R", "T", "S"])
def test_every_figure_is_a_plain_count_of_its_rows(employer: Employer, environment: str) -> None:
    found = figures.dashboard(employer, OVER, environment=environment)
    assert len(found.months) == 12
    for one in (found.total, *found.months):
        for name, states in STATES.items():
            assert one.counts[name] == len(plain(employer, one.asked, states))
        assert one.counts["declared"] == sum(one.counts[part] for part in PARTS)
        accepted = plain(employer, one.asked, ACCEPTED)
        took = sorted(
            (timezone.localtime(row.answered_at).date() - timezone.localtime(row.created_at).date()).days
            for row in accepted
            if row.answered_at
        )
        assert one.within(0.5) == (took[(len(took) + 1) // 2 - 1] if took else None)
        answered = plain(employer, one.asked, STATES["answered"])
        assert one.rate == (100 * len(accepted) / len(answered) if answered else None)
    declared = plain(employer, found.total.asked, STATES["declared"])
    for cause in found.causes:
        carried = [
            row
            for row in declared
            if any((cause.asked.code, cause.asked.tag) == (one.code, one.tag) for one in row.anomalies.all())
        ]
        assert cause.count == len(carried)
    pairs = {(one.code, one.tag) for row in declared for one in row.anomalies.all()}
    assert {(cause.asked.code, cause.asked.tag) for cause in found.causes} == pairs
    assert found.total.counts["declared"]


def test_every_address_of_the_page_opens_as_many_rows_as_its_figure_says(
    operator: Person, employer: Employer
) -> None:
    page = html.document_fromstring(
        operator.client.get(reverse("client_figures", args=[employer.pk])).content.decode()
    )
    links = page.xpath("//table//td[contains(@class, 'figure')]/a")
    assert len(links) > 20
    counted = 0
    for link in links:
        shown = link.text.replace("\u00a0", "")
        if not shown.isdigit():
            continue  # a rate or days: its rows are those that it was worked out from
        assert behind(operator, link.get("href")) == int(shown), link.get("href")
        counted += 1
    assert counted > 15


def behind(person: Person, address: str) -> int:
    """How many rows the list of declarations has at this address."""
    answer = person.client.get(address)
    assert answer.status_code == 200
    return int(answer.context["page"].paginator.count)


def test_the_list_keeps_a_figure_and_lets_each_part_of_it_go(operator: Person, employer: Employer) -> None:
    asked = figures.dashboard(employer, OVER).causes[0].asked
    address = f"{reverse('declarations')}?employer={employer.pk}&" + "&".join(
        f"{name}={value}" for name, value in asked.kept.items() if value
    )
    answer = operator.client.get(address)
    chips = [chip for chip in answer.context["chips"] if str(chip["label"]).endswith("×")]
    assert len(chips) == 4  # figure, period, environment, anomaly
    for chip in chips:
        left = QueryDict(urlsplit(chip["url"]).query)
        names = {name for name, value in asked.kept.items() if value} - set(left)
        assert names in ({"figure"}, {"from", "to"}, {"environment"}, {"code", "tag"})
    assert figures.asked(QueryDict(urlsplit(address).query)) == asked


def test_the_page_asks_the_same_however_many_rows(operator: Person, employer: Employer) -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            operator.client.get(reverse("client_figures", args=[employer.pk]))
        return len(queries)

    asked()
    few = asked()
    factories.ready(10, of=employer)
    assert asked() == few <= 30


def test_an_employer_user_sees_his_own_company_alone(operator: Person, employer: Employer) -> None:
    user = factories.place(operator.mandataire, Profile.ENCODE, employer=employer).user
    operator.client.force_login(user)
    assert operator.client.get(reverse("client_figures", args=[employer.pk])).status_code == 200
    other = Employer.objects.exclude(pk=employer.pk).first()
    assert other is not None
    assert operator.client.get(reverse("client_figures", args=[other.pk])).status_code == 404
    assert operator.client.get(reverse("client_figures_pdf", args=[other.pk])).status_code == 404
    assert operator.client.get(reverse("calls")).status_code == 403


def test_the_print_is_a_pdf_with_a_name(operator: Person, employer: Employer) -> None:
    answer = operator.client.get(
        reverse("client_figures_pdf", args=[employer.pk]), {"from": "2026-01", "to": "2026-02"}
    )
    assert answer.content.startswith(b"%PDF-")
    assert f'filename="figures-{employer.pk}-2026-01-2026-02.pdf"' in answer["Content-Disposition"]


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        ("2026-03", "2026-01", ("2026-01", "2026-03")),
        ("", "2026-02", ("2025-03", "2026-02")),
        ("1999-01", "0001-01", ("2025-12", "2026-11")),
        ("2026-13", "2026-1", ("2025-12", "2026-11")),
        ("2010-01", "2026-01", ("2023-02", "2026-01")),
        ("2099-12", "2099-12", ("2099-12", "2099-12")),
    ],
)
def test_a_period_is_whole_months_and_never_endless(first: str, last: str, shown: tuple[str, str]) -> None:
    found = figures.period(first, last, date(2026, 11, 22))
    assert (f"{found.first:%Y-%m}", f"{found.last:%Y-%m}") == shown
    since, until = found.moments
    assert since.astimezone(timezone.get_current_timezone()).day == 1
    assert isinstance(until, datetime)
    assert len(found.months) == len({*found.months}) <= figures.MOST


def test_a_month_of_one_client_and_service_has_that_alone(employer: Employer) -> None:
    month = Period(OVER.months[3], OVER.months[3])
    assert len(figures.dashboard(employer, month).months) == 1
    other: Any = figures.dashboard(employer, OVER, service="DIMONA")
    assert (other.total.counts["declared"], other.causes, other.services) == (0, [], ["FLA"])


def test_to_a_stranger_the_client_does_not_exist(employer: Employer) -> None:
    stranger = signed_in(factories.mandataire(), Profile.EXTENDED, "stranger")
    assert stranger.client.get(reverse("client_figures", args=[employer.pk])).status_code == 404
