"""A house in which everything happened, and the addresses of all its pages.

The pages are those that the resolver knows, each about the newest object it may be about: so a new page is looked at
without a word here. After them come the states of a page that look different: a file with faults, letters being made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.urls import get_resolver, resolve, reverse
from django.utils import timezone

from channels.models import Channel
from mandates import granting
from mandates.models import Worker
from mandates.numbers import quarter_after, quarter_days, quarter_of
from portal import admitting
from portal.models import MandateProfile, Membership, Profile
from submissions.importing import applying, undoing
from submissions.letters import making
from submissions.models import Anomaly, Declaration, RegisterImport, SignOff, TrainingTemplate
from submissions.problems import Key
from submissions.states import DeclarationState, LettersState
from tests import factories
from tests.mandates import scenes as mandates
from tests.people import Person
from tests.portal.everything import make_one_of_everything
from tests.portal.matrix import MATRIX
from tests.portal.test_every_url import OBJECTS, OPEN_TO_ALL, walk
from tests.submissions import letters_files, register_files, relayed_files

OPERATOR, EMPLOYER, NEWCOMER, NOBODY = "operator", "employer", "newcomer", "nobody"
"""Who looks: the manager of the house, somebody of a client, who has no second factor yet, and who did not sign in."""

NOT_PAGES: Final = {
    **dict.fromkeys(("livez", "readyz", "metrics"), "read by machines"),
    **dict.fromkeys(("passkey_options", "client_suggestions"), "read by a script of a page"),
    **dict.fromkeys(("identity_start", "identity_back"), "lead on to the provider, and back"),
    "totp_qr": "a picture on the page of the app",
    **dict.fromkeys(("procuration", "account_pdf", "client_figures_pdf"), "documents"),
    **dict.fromkeys(("sent_file", "inbound_file", "channel_key_file"), "files of the channel"),
    **dict.fromkeys(
        ("mandate_import_template", "mandate_import_bad", "register_import_template"), "spreadsheets"
    ),
    "sign_in_code": "the second step of signing in, looked at in its own test",
}
"""Addresses that answer to GET and that nobody looks at here, each with the reason."""

DAY = quarter_days(quarter_after(quarter_of(timezone.localdate()), -1))[0]
"""A training of this day is due now."""


@dataclass(frozen=True)
class Place:
    """A page, and who looks at it."""

    name: str
    address: str
    who: str = OPERATOR

    @property
    def view(self) -> str:
        """The name of its address in the resolver."""
        return resolve(self.address.partition("?")[0]).url_name or ""


def asked_for() -> set[str]:
    """The name of every address that answers to GET."""
    return {name for name, method in MATRIX if method == "GET"}


def furnish(operator: Person, known: Mapping[str, str]) -> list[Place]:
    """Makes the rows, and tells all places of the house, the addresses that are `known` among them. In no scope."""
    with operator.scope():
        channel = Channel.objects.get()
        channel.services = relayed_files.SERVICES
        channel.save()
        factories.seal(channel)  # so that the next set holds nothing but its own
        make_one_of_everything(channel)
        factories.place(operator.mandataire)  # nobody changes himself
        objects = {name: model._default_manager.latest("pk").pk for name, model in OBJECTS.items()}
        with_link = reverse("choose_password", kwargs=admitting.issue_link(Membership.objects.latest("pk")))
        newest = list(_pages(objects))
    company = _company(operator)
    found = [
        *newest,
        *(Place(name, address) for name, address in known.items()),
        Place("a link for a password", with_link, NOBODY),
        Place("no second factor yet", "/security/", NEWCOMER),
        Place("the app", "/security/app/", NEWCOMER),
        *_problems(operator),
        *_due(operator, company),
        *_files(operator, company),
        *_letters(operator, company),
        *_mandates(operator),
        *_of_the_company(operator, company),
    ]
    return [*{(place.who, place.address): place for place in found}.values()]


def _pages(objects: dict[str, int]) -> Iterator[Place]:
    """Every page of the resolver that the manager is shown at once."""
    for found in walk(get_resolver().url_patterns):
        line = MATRIX.get((found.name, "GET"))
        if line is None or found.name in NOT_PAGES:
            continue
        who = NOBODY if found.name in OPEN_TO_ALL else OPERATOR
        if line.expected["anonymous" if who == NOBODY else "manager"] == 200:
            yield Place(found.name, found.path(objects.get(found.name, 1)), who)


def _company(operator: Person) -> Worker:
    """Somebody at a client that has all of the register, and an employer user who looks after it."""
    with operator.scope():
        client = factories.client(name="Établissements Vandenbroucke-De Keyser & Associés")
        somebody = factories.worker(
            client, family_name="Van den Bossche-Verhaegen", given_name="Marie-Hélène"
        )
        factories.contract(somebody)
        factories.contract(somebody, entered_on=DAY, joint_committee="140.03")
        factories.size(client)
        factories.manual_right(somebody, year=DAY.year)
        factories.former_number(somebody)
        for number, state in enumerate(
            (DeclarationState.READY, DeclarationState.READY, DeclarationState.DRAFT)
        ):
            about = factories.record(
                somebody,
                starts_on=DAY,
                ends_on=DAY,
                duration_minutes=456 * (number + 1),
                title=f"Excel {number}",
            )
            factories.declaration(about, state=state)
        TrainingTemplate.objects.create(employer=client, name="Secourisme, 2 jours", values={})
        held = (Profile.ADMINISTRATIVE, MandateProfile.MANAGE)
        factories.place(operator.mandataire, *held, employer=client, username=EMPLOYER)
        factories.place(operator.mandataire, Profile.ENCODE, username=NEWCOMER, has_app=False)
    return somebody


def _problems(operator: Person) -> Iterator[Place]:
    """A page for each thing to correct, and for each remark on what was accepted."""
    with operator.scope():
        found = Anomaly.objects.values_list("declaration__employer", "declaration__service", "code", "tag")
        keys = [Key(*values) for values in found.distinct().order_by("code")]
    for key in keys:
        yield Place(f"to correct: {key.code} {key.tag}", key.url())


def _due(operator: Person, company: Worker) -> Iterator[Place]:
    """What is due of several quarters: late, complete or not, signed off or not."""
    with operator.scope():
        signed = factories.client(name="Transport D'Haese")
        for back in (-1, -3):
            day = quarter_days(quarter_after(quarter_of(timezone.localdate()), back))[0]
            factories.declaration(factories.record(factories.worker(signed), starts_on=day, ends_on=day))
        SignOff.objects.create(
            employer=signed, quarter=quarter_of(DAY), signed_at=timezone.now(), signed_by="Lou Essai"
        )
    pick = f"{company.employer_id}-{quarter_of(DAY)}"
    yield Place("check what leaves", f"/due/send/?to=S&pick={pick}")
    yield Place("check what leaves for production", "/due/send/?to=R&everybody=1")
    yield Place("nothing is due", "/due/?q=nobody")


def _files(operator: Person, company: Worker) -> Iterator[Place]:
    """Files for the register at each step, with good and wrong rows."""
    client = company.employer

    def kept(kind: str, rows: Any, **fields: Any) -> RegisterImport:
        with operator.scope():
            made = register_files.uploaded(kind, rows, **fields)
        return register_files.worked(operator, made)

    def went_on(made: RegisterImport, how: Any, **asked: bool) -> RegisterImport:
        with operator.scope():
            how(made, **asked)
        return register_files.worked(operator, made)

    with operator.scope():
        trainings = [
            register_files.training(company, number, **cells)
            for number, cells in enumerate(
                ({}, {"title": ""}, {"niss": "1", "ends_on": "31/02/2025"}), start=1
            )
        ]
        content = register_files.csv_of("trainings", trainings).decode().replace("Intitulé", "Chapitre")
        contracts = [
            register_files.contract(company, entered_on="01/02/2025"),
            register_files.contract(company),
        ]
        decided = [
            register_files.right(company),
            register_files.right(company, decision="?", right_minutes="x"),
        ]
    asked = kept("trainings", content.encode(), employer=client)
    assert asked.state == "mapping"
    yield Place("which columns are which", f"/imports/{asked.pk}/columns/")
    faulty = {
        "trainings": kept("trainings", trainings),
        "contracts": kept("contracts", contracts),
        "rights": kept("rights", decided),
        "a file that cannot be read": kept("trainings", b"\x00\x01"),
    }
    for name, made in faulty.items():
        yield Place(f"dry run: {name}", f"/imports/{made.pk}/")
    used = went_on(kept("rights", decided), applying.begin, is_whole=False)
    with operator.scope():
        factories.record(company, charged_minutes=230 * 456)
    undone = went_on(used, undoing.begin)
    yield Place("an undone file", f"/imports/{undone.pk}/")
    with operator.scope():
        waiting = register_files.uploaded("workers", [register_files.person(client)], employer=client)
        broken = mandates.imported(mandates.rows_of("8.97E+08;Meir;;;FLA;2026Q1;", ";;;xx;?;2/2;1"))
    yield Place("a file that is being checked", f"/imports/{waiting.pk}/")
    yield Place("dry run: mandates", f"/mandates/imports/{broken.pk}/")


def _letters(operator: Person, company: Worker) -> Iterator[Place]:
    """Letters of each state, and requests of each outcome."""
    client, now = company.employer, timezone.now()
    with operator.scope():
        made = letters_files.made(client, 2024)
        gone = letters_files.made(client, 2023)
        gone.move(LettersState.DELETED, due_at=None)
        failed = making.ask(client, 2024)
        failed.move(LettersState.RUNNING)
        failed.move(LettersState.FAILED, ended_at=now)
        running = making.ask(client, 2025)
        about = Declaration.objects.filter(record__worker=company).latest("pk").record
        decided = {"decided_at": now, "decided_by": "Lou Essai"}
        requests = {
            "figures": factories.correction_request(about),
            "missing": factories.correction_request(about, kind="missing", record=None),
            "accepted": factories.correction_request(about, state="accepted", outcome=about, **decided),
            "declined": factories.correction_request(
                about, state="declined", reason="Le certificat dit un jour.", **decided
            ),
        }
    for name, letters in {"made": made, "gone": gone, "failed": failed, "running": running}.items():
        yield Place(f"letters: {name}", f"/letters/{letters.pk}/")
    for name, request in requests.items():
        yield Place(f"request: {name}", f"/corrections/{request.pk}/")


def _mandates(operator: Person) -> Iterator[Place]:
    """Mandates that are not active yet."""
    with operator.scope():
        draft = granting.prepare(factories.employer(), "FLA", mandates.SINCE)
        asked = mandates.proposed()
    yield Place("a mandate that waits", f"/mandates/{asked.pk}/")
    yield Place("change a mandate", f"/mandates/{draft.pk}/edit/")


def _of_the_company(operator: Person, company: Worker) -> Iterator[Place]:
    """The pages of one client: as the operator sees them, and as its own user does."""
    about = f"/employers/{company.employer_id}"
    worker = f"/workers/{company.pk}"
    shared = {
        "workers": f"{about}/workers/",
        "size": f"{about}/size/",
        "letters": f"{about}/letters/",
        "requests": f"{about}/corrections/",
        "worker": f"{worker}/",
        "account": f"{worker}/account/",
        "right": f"{worker}/rights/{DAY.year}/",
        "new training": f"/trainings/new/?employer={company.employer_id}",
    }
    own = {"home": "/", "due": "/due/", "declarations": "/declarations/", "to correct": "/to-correct/"}
    own |= {"files": "/imports/", "team": "/team/", "search": "/search/?q=Excel", "mandates": "/mandates/"}
    own |= {"note a request": f"{worker}/corrections/new/"}
    with operator.scope():
        newest = Declaration.objects.filter(record__worker=company).latest("pk")
        own |= {"training": f"/records/{newest.record_id}/", "declaration": f"/declarations/{newest.pk}/"}
    yield Place("the client", f"{about}/")
    for name, address in shared.items():
        yield Place(f"{name} of the client", address)
    for name, address in (shared | own).items():
        yield Place(f"{name}, for the employer", address, EMPLOYER)
