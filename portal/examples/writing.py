"""Write what was invented: the client's files, what the mandataire knows, and the national registers."""

import csv
import json
import random
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from mandates.numbers import format_niss
from portal.examples import layout
from portal.examples.cast import Contract, Person
from portal.examples.mandataires import SERVICE, Mandataire
from portal.examples.relayed import Hired, dimona, dmfa
from portal.examples.staff import Employer
from portal.examples.training import Training

#: The day on which the payroll software made its files, and the first day of the quarter that its DmfA is about.
MADE_ON, LAST_QUARTER = date(2026, 10, 5), date(2026, 7, 1)
#: Clients of each mandataire, from the first, who have it declare more than trainings.
CLIENTS_WITH_MORE = 2
#: The mandates they gave, and the application codes under which the registers know them.
MORE = {"DIMONA": "DIMN", "DMFA": "DMFA", "DOCUMENTS": "ATDO"}
#: The application code under which the registers know mandates for the Federal Learning Account: the
#: default of a setting, never confirmed by social security.
APPLICATION = "FLAD"


def write_mandataire(folder: Path, mandataire: Mandataire, employers: Sequence[Employer]) -> None:
    """`mandataire.json`: the mandataire, its operators, employers, and the mandates it believes it holds."""
    facts = {
        "slug": mandataire.slug,
        "name": mandataire.name,
        "number": mandataire.number,
        "sender": mandataire.sender,
        "quality": mandataire.quality,
        "language": mandataire.language,
        "operators": [
            {
                "username": operator.username,
                "first_name": operator.first_name,
                "last_name": operator.last_name,
                "email": operator.email,
                "language": operator.language,
                "profile": operator.profile,
            }
            for operator in mandataire.operators
        ],
        "employers": [
            {
                "number": employer.number,
                "nsso": employer.nsso,
                "name": employer.name,
                "language": employer.language,
                "joint_committees": list(employer.sector.joint_committees),
                "right_days": employer.sector.right_days,
            }
            for employer in employers
        ],
        "mandates": [
            {
                "employer": employer.number,
                "service": service,
                "from": employer.mandated_from.isoformat(),
                "to": None,
            }
            for place, employer in enumerate(employers)
            for service in (SERVICE, *(MORE if place < CLIENTS_WITH_MORE else ()))
        ],
    }
    write_json(folder / "mandataire.json", facts)


def write_workers(
    path: Path, language: str, roster: Iterable[tuple[Person, Contract]], rng: random.Random
) -> None:
    """One row per contract; the NISS is written with dots or without, as it comes."""
    _write_rows(
        path,
        layout.WORKER_FIELDS,
        language,
        (
            (
                _niss(person, rng),
                person.family_name,
                person.given_name,
                person.language.upper(),
                contract.joint_committee,
                str(contract.regime_percent),
                layout.write_hours(contract.day_minutes),
                layout.write_date(contract.entered_on),
                layout.write_date(contract.left_on),
            )
            for person, contract in roster
        ),
    )


def write_trainings(path: Path, language: str, trainings: Iterable[Training], rng: random.Random) -> None:
    """One row per training."""
    words = layout.WORDS[language]
    _write_rows(
        path,
        layout.TRAINING_FIELDS,
        language,
        (
            (
                training.reference,
                _niss(training.person, rng),
                training.title,
                words["kind"][training.kind],
                layout.write_date(training.starts_on),
                layout.write_date(training.ends_on),
                _duration(training, training.duration_minutes, language),
                words["status"][training.status],
                _duration(training, training.charged_minutes, language),
                training.nature,
                training.result,
                training.certificate,
                layout.write_date(training.certificate_valid_until),
                words["funding"][training.funding],
                training.provider,
                words["working_hours"][training.working_hours],
                layout.write_amount(training.cost_cents),
                training.domain,
            )
            for training in trainings
        ),
    )


def write_relayed(stem: Path, employer: Employer, roster: Iterable[tuple[Person, Contract]]) -> None:
    """A Dimona and a DmfA about three of its workers, as its payroll software would make them."""
    known = {person.niss: (person, contract) for person, contract in roster if person.is_known}
    hired = [
        Hired(person.niss, person.family_name, person.given_name, contract.joint_committee)
        for person, contract in list(known.values())[:3]
    ]
    number, nsso, code = employer.number, employer.nsso, employer.client_code
    made = {
        "dimona": dimona(number, nsso, hired, starts_on=MADE_ON, made_on=MADE_ON, reference=f"{code}-DIM"),
        "dmfa": dmfa(number, nsso, hired, quarter=LAST_QUARTER, made_on=MADE_ON, reference=f"{code}-DMFA"),
    }
    for kind, content in made.items():
        Path(f"{stem}-{kind}.xml").write_bytes(content)


def registry(
    clients: Iterable[tuple[Mandataire, Employer, bool]], people: Sequence[Person], years: Sequence[int]
) -> dict[str, list[dict[str, Any]]]:
    """The national registers as the simulator reads them; `clients` says whose mandate is known there."""
    clients = list(clients)
    known = [person for person in people if person.is_known]
    with_more = [
        employer
        for slug in dict.fromkeys(mandataire.slug for mandataire, _, _ in clients)
        for employer in [e for m, e, _ in clients if m.slug == slug][:CLIENTS_WITH_MORE]
    ]
    return {
        "employers": [
            {"number": employer.number, "nsso": employer.nsso, "name": employer.name}
            for _, employer, _ in clients
        ],
        "workers": [
            {"niss": person.niss, "family_name": person.family_name, "given_name": person.given_name}
            for person in known
        ],
        "employments": [
            {
                "employer": contract.employer,
                "niss": person.niss,
                "from": contract.entered_on.isoformat(),
                "to": contract.registered_until.isoformat() if contract.registered_until else None,
            }
            for person in known
            for contract in person.contracts
        ],
        "mandates": [
            {
                "sender": mandataire.sender,
                "employer": employer.number,
                "application": application,
                "from": employer.mandated_from.isoformat(),
                "to": None,
            }
            for mandataire, employer, has_mandate in clients
            if has_mandate
            for application in (APPLICATION, *(MORE.values() if employer in with_more else ()))
        ],
        "rights": [
            {"niss": person.niss, "year": year, "minutes": person.right(year)}
            for person in known
            for year in years
        ],
    }


def write_json(path: Path, facts: dict[str, Any]) -> None:
    """JSON with one element of a list per line: readable side by side, and small."""
    parts = []
    for key, value in facts.items():
        if isinstance(value, list):
            lines = ",\n".join(f"    {_json(element)}" for element in value)
            parts.append(f"  {_json(key)}: [\n{lines}\n  ]" if value else f"  {_json(key)}: []")
        else:
            parts.append(f"  {_json(key)}: {_json(value)}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8", newline="\n")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _niss(person: Person, rng: random.Random) -> str:
    return format_niss(person.niss) if rng.random() < 0.5 else person.niss


def _duration(training: Training, minutes: int, language: str) -> str:
    return layout.write_duration(minutes, training.duration_unit, training.contract.day_minutes, language)


def _write_rows(path: Path, fields: Sequence[str], language: str, rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding=layout.ENCODING, newline="") as file:
        writer = csv.writer(file, delimiter=layout.DELIMITER, lineterminator=layout.LINE_END)
        writer.writerow(layout.HEADINGS[language][field] for field in fields)
        writer.writerows(rows)
