"""Rows of an archive beside the register: what is known already, what is missing, and making what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_noop

from mandates.models import NISS as NISS_PURPOSE
from mandates.models import Contract, Employer, FormerNumber, Worker
from mandates.numbers import quarter_of
from portal import audit, tenancy
from portal.models import cipher
from submissions.importing.rows import EMPLOYER, NISS, Row, find_workers, hold_employers, hold_workers
from submissions.models import EmployerSize, FormerDeclaration, ManualRight, SignOff, TrainingRecord

PARTS: Final = ("contracts", "manual_rights", "former_numbers", "trainings")
_CONTRACT: Final = gettext_noop(
    "This contract is known, with another regime, normal day or last day: change it on the page of the worker."
)
_TRAINING: Final = gettext_noop(
    "This reference is that of another training, or of this one as it was: "
    "give another reference, or change the training on its page."
)
_TWICE: Final = gettext_noop("Two trainings of this archive have the same reference.")
_SIGNED: Final = gettext_noop("%(quarter)s is signed off: have it opened again before something is added.")
_SIZE: Final = gettext_noop(
    "The size for %(year)d is known, and is another: correct it on the page of the client."
)
_PERSON: Final = gettext_noop("This person is known here under another number, now or before.")
_RIGHT: Final = gettext_noop(
    "The right of %(year)d was decided by hand here as well: take that decision back first."
)


def compare(rows: Sequence[Row], *, is_final: bool) -> None:
    """Notes what differs, and puts into each sound row what the register lacks (`missing`).

    A fixed number of queries, however many rows. A client that is not known yet comes with its own row, which stands
    before those of its workers. Those that are known are held when it `is_final`, as by any other import.
    """
    sound = [row for row in rows if not row.faults]
    tenant = tenancy.current()
    numbers = {row.values[EMPLOYER] for row in sound}
    known = dict(
        Employer.objects.filter(mandataire_id=tenant, number__in=numbers).values_list("number", "pk")
    )
    for row in sound:
        row.values["employer_id"] = known.get(row.values[EMPLOYER])
    _compare_clients([row for row in sound if "person" not in row.values])
    people = [row for row in sound if "person" in row.values]
    for row in people:
        row.values[NISS] = row.values["person"]["niss"]
    workers = find_workers(people)
    if is_final:
        hold_employers([row for row in sound if row.values["employer_id"] is not None])
        hold_workers(workers.values())
    _find_by_other_numbers(people, workers)
    held = _held(list(workers.values()))
    references = _References(people)
    for row in people:
        values = row.values
        values["worker_id"] = workers.get((values["employer_id"], values["niss_index"]))
        _compare_person(row, held[values["worker_id"]], references)


def _compare_clients(rows: Sequence[Row]) -> None:
    ids = [row.values["employer_id"] for row in rows if row.values["employer_id"]]
    sizes = {
        (employer, year): fte
        for employer, year, fte in EmployerSize.objects.filter(
            mandataire_id=tenancy.current(), employer__in=ids
        ).values_list("employer_id", "year", "fte")
    }
    for row in rows:
        pk, told = row.values["employer_id"], row.values["client"]["sizes"]
        row.values["missing"] = {year: fte for year, fte in told.items() if (pk, year) not in sizes}
        for year, fte in told.items():
            if sizes.get((pk, year), fte) != fte:
                row.fault(EMPLOYER, _SIZE, {"year": year})
        row.is_same = pk is not None and not row.faults and not row.values["missing"]


def _find_by_other_numbers(rows: Sequence[Row], workers: dict[tuple[int, bytes], int]) -> None:
    """Notes persons whom the register knows under a former number, or whose former number is a worker of its own."""
    former = defaultdict[bytes, list[Row]](list)
    for row in rows:
        for one in row.values["person"]["former_numbers"]:
            one["index"] = cipher().blind_index(NISS_PURPOSE, one["niss"])
            if one["undone_at"] is None:
                former[one["index"]].append(row)
    tenant = tenancy.current()
    present = {row.values["niss_index"]: row for row in rows}
    found = FormerNumber.objects.filter(mandataire_id=tenant, niss_index__in=list(present), undone_at=None)
    for index, employer in found.values_list("niss_index", "worker__employer_id"):
        row = present[bytes(index)]
        if row.values["employer_id"] == employer and (employer, bytes(index)) not in workers:
            row.fault("person", _PERSON)
    others = Worker.objects.filter(mandataire_id=tenant, niss_index__in=list(former))
    for index, employer in others.values_list("niss_index", "employer_id"):
        for row in former[bytes(index)]:
            if row.values["employer_id"] == employer:
                row.fault("person", _PERSON)


type _Held = dict[str, dict[Any, Any]]


def _held(workers: Sequence[int]) -> defaultdict[int | None, _Held]:
    """What the register holds of known workers, by part and by what makes each thing one of its kind."""
    held: defaultdict[int | None, _Held] = defaultdict(lambda: defaultdict(dict))
    mine: dict[str, Any] = {"mandataire_id": tenancy.current(), "worker__in": workers}
    for contract in Contract.objects.filter(**mine):
        held[contract.worker_id]["contracts"][_contract_key(vars(contract))] = _contract(vars(contract))
    for right in ManualRight.objects.filter(**mine):
        held[right.worker_id]["manual_rights"][_right_key(vars(right))] = None
        if right.is_whole and right.withdrawn_at is None:
            held[right.worker_id]["whole_rights"][right.year] = None
    for number in FormerNumber.objects.filter(**mine):
        held[number.worker_id]["former_numbers"][bytes(number.niss_index)] = None
    return held


def _contract_key(told: dict[str, Any]) -> tuple[Any, ...]:
    return told["joint_committee"], told["entered_on"]


def _contract(told: dict[str, Any]) -> tuple[Any, ...]:
    return told["regime"], told["day_minutes"], told["left_on"]


def _right_key(told: dict[str, Any]) -> tuple[Any, ...]:
    return told["year"], told["minutes"], told["is_whole"], told["reason"], _milliseconds(told["made_at"])


def _milliseconds(moment: datetime) -> int:
    """An archive is as exact as that."""
    return int(moment.timestamp() * 1000)


class _References:
    """The trainings of the register that have a reference of these rows, and the quarters that are signed off."""

    def __init__(self, rows: Sequence[Row]) -> None:
        tenant = tenancy.current()
        clients = {row.values["employer_id"] for row in rows} - {None}
        said = {
            one["values"]["client_reference"] for row in rows for one in row.values["person"]["trainings"]
        }
        found = TrainingRecord.objects.filter(
            mandataire_id=tenant, employer__in=clients, client_reference__in=said
        )
        self.known = {(one.employer_id, one.client_reference): one for one in found}
        signed = SignOff.objects.filter(mandataire_id=tenant, employer__in=clients, reopened_at=None)
        self.signed = set(signed.values_list("employer_id", "quarter"))
        self.seen = set[tuple[str, str]]()


def _compare_person(row: Row, held: _Held, references: _References) -> None:
    values, person = row.values, row.values["person"]
    missing: dict[str, list[Any]] = {name: [] for name in PARTS}
    for contract in person["contracts"]:
        before = held["contracts"].get(_contract_key(contract))
        if before is None:
            missing["contracts"].append(contract)
        elif before != _contract(contract):
            row.fault("contracts", _CONTRACT)
    wholes = set(held["whole_rights"])
    for right in person["manual_rights"]:
        if _right_key(right) in held["manual_rights"]:
            continue
        if right["is_whole"] and right["withdrawn_at"] is None:
            if right["year"] in wholes:
                row.fault("manual_rights", _RIGHT, {"year": right["year"]})
            wholes.add(right["year"])
        missing["manual_rights"].append(right)
    missing["former_numbers"] = [
        one for one in person["former_numbers"] if one["index"] not in held["former_numbers"]
    ]
    for training in person["trainings"]:
        said = training["values"]
        key = values[EMPLOYER], said["client_reference"]
        if key in references.seen:
            row.fault("trainings", _TWICE)
        references.seen.add(key)
        before = references.known.get((values["employer_id"], said["client_reference"]))
        if before is None:
            quarter = quarter_of(said["ends_on"])
            if (values["employer_id"], quarter) in references.signed:
                row.fault("trainings", _SIGNED, {"quarter": quarter})
            missing["trainings"].append(training)
        elif before.worker_id != values["worker_id"] or any(
            said[name] != value for name, value in before.values().items()
        ):
            row.fault("trainings", _TRAINING)
    values["missing"] = missing
    row.is_same = values["worker_id"] is not None and not row.faults and not any(missing.values())


# --- making ---------------------------------------------------------------------------------------


def make(rows: Sequence[Row]) -> dict[str, list[list[int]]]:
    """Makes what these rows lack, in bulk. Returns, by what was made, the row and the id of each."""
    made: dict[str, list[list[int]]] = {}
    made["employers"] = _make_clients([row for row in rows if "person" not in row.values])
    people = [row for row in rows if "person" in row.values]
    numbers = {row.values[EMPLOYER] for row in people}
    rows_of = Employer.objects.filter(mandataire_id=tenancy.current(), number__in=numbers)
    clients = dict(rows_of.values_list("number", "pk"))
    for row in people:
        row.values["employer_id"] = clients[row.values[EMPLOYER]]
    new = [row for row in people if row.values["worker_id"] is None]
    workers = Worker.objects.bulk_create(_worker(row) for row in new)
    for row, worker in zip(new, workers, strict=True):
        row.values["worker_id"] = worker.pk
    made["workers"] = [[row.line, row.values["worker_id"]] for row in new]
    contracts = list(_parts(people, "contracts"))
    kept = Contract.objects.bulk_create(
        Contract(worker_id=row.values["worker_id"], **told) for row, told in contracts
    )
    made["contracts"] = [[row.line, one.pk] for (row, _told), one in zip(contracts, kept, strict=True)]
    ManualRight.objects.bulk_create(
        ManualRight(worker_id=row.values["worker_id"], **told)
        for row, told in _parts(people, "manual_rights")
    )
    FormerNumber.objects.bulk_create(
        FormerNumber(
            worker_id=row.values["worker_id"],
            niss_sealed=cipher().seal_text(NISS_PURPOSE, told["niss"]),
            niss_index=told["index"],
            replaced_at=told["replaced_at"],
            undone_at=told["undone_at"],
        )
        for row, told in _parts(people, "former_numbers")
    )
    made["trainings"] = _make_trainings(people)
    return {name: pairs for name, pairs in made.items() if pairs}


def _parts(rows: Iterable[Row], name: str) -> Iterable[tuple[Row, dict[str, Any]]]:
    return ((row, told) for row in rows for told in row.values["missing"][name])


def _make_clients(rows: Sequence[Row]) -> list[list[int]]:
    new = [row for row in rows if row.values["employer_id"] is None]
    columns = ("number", "onss_number", "name", "language")
    made = Employer.objects.bulk_create(
        Employer(**{name: row.values["client"][name] for name in columns}) for row in new
    )
    for row, employer in zip(new, made, strict=True):
        row.values["employer_id"] = employer.pk
    audit.record_all("employer.added", ((employer, {}) for employer in made))
    EmployerSize.objects.bulk_create(
        EmployerSize(employer_id=row.values["employer_id"], year=year, fte=fte)
        for row in rows
        for year, fte in row.values["missing"].items()
    )
    return [[row.line, row.values["employer_id"]] for row in new]


def _worker(row: Row) -> Worker:
    person = row.values["person"]
    return Worker(
        employer_id=row.values["employer_id"],
        niss_sealed=cipher().seal_text(NISS_PURPOSE, person["niss"]),
        niss_index=row.values["niss_index"],
        **{name: person[name] for name in ("family_name", "given_name", "language")},
    )


def _make_trainings(rows: Sequence[Row]) -> list[list[int]]:
    """Records, with what was declared about them as history: no declaration of this office is made."""
    trainings = list(_parts(rows, "trainings"))
    made = TrainingRecord.objects.bulk_create(
        TrainingRecord(
            employer_id=row.values["employer_id"], worker_id=row.values["worker_id"], **told["values"]
        )
        for row, told in trainings
    )
    FormerDeclaration.objects.bulk_create(
        _former(record, declared, row.values["client"]["origin"])
        for record, (row, told) in zip(made, trainings, strict=True)
        for declared in told["declarations"]
    )
    return [[row.line, record.pk] for record, (row, _told) in zip(made, trainings, strict=True)]


def _former(record: TrainingRecord, declared: dict[str, Any], archive: dict[str, str]) -> FormerDeclaration:
    """Whoever declared it first stays named, through however many archives it came."""
    said = dict(declared)
    origin = said.pop("origin") or archive
    return FormerDeclaration(
        record=record, origin_name=origin["name"], origin_number=origin["number"], **said
    )
