"""Read a client's two files back into plain rows, with the heading mapping and the words of `layout`."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from portal.examples import layout


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One contract of a worker. A worker who came back, or who works for two employers, has several rows."""

    niss: str
    family_name: str
    given_name: str
    language: str
    joint_committee: str
    regime_percent: int
    day_minutes: int
    entered_on: date
    left_on: date | None


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """One training, as the client wrote it; durations are in minutes, cost in cents of euro."""

    reference: str
    niss: str
    title: str
    kind: str
    starts_on: date
    ends_on: date
    duration_unit: str
    duration_minutes: int
    day_minutes: int
    status: str
    charged_minutes: int
    nature: str
    result: str
    certificate: str
    certificate_valid_until: date | None
    funding: str
    provider: str
    working_hours: str
    cost_cents: int | None
    domain: str


def read_workers(path: Path, language: str) -> list[WorkerRow]:
    """The contracts in the file, in its order. Raises ValueError when a heading or cell is not understood."""
    return [
        WorkerRow(
            niss=layout.read_niss(row["niss"]),
            family_name=row["family_name"],
            given_name=row["given_name"],
            language=row["language"].lower(),
            joint_committee=row["joint_committee"],
            regime_percent=int(row["regime_percent"]),
            day_minutes=layout.read_duration(row["day_length"], 0, language)[0],
            entered_on=_day(row["entered_on"]),
            left_on=layout.read_date(row["left_on"]),
        )
        for row in _rows(path, layout.WORKER_FIELDS, language)
    ]


def read_trainings(path: Path, language: str, workers: list[WorkerRow]) -> list[TrainingRow]:
    """The trainings in the file, in its order.

    The length of a day comes from the worker's contract, so `workers` must hold every NISS of the file.
    Raises ValueError when a heading, a cell or a worker is not understood.
    """
    day_lengths = {worker.niss: worker.day_minutes for worker in workers}
    return [_training(row, language, day_lengths) for row in _rows(path, layout.TRAINING_FIELDS, language)]


def _training(row: dict[str, str], language: str, day_lengths: dict[str, int]) -> TrainingRow:
    niss = layout.read_niss(row["niss"])
    if niss not in day_lengths:
        raise ValueError(f"training {row['reference']} is of somebody who is not among the workers")
    day_minutes = day_lengths[niss]
    duration_minutes, duration_unit = layout.read_duration(row["duration"], day_minutes, language)
    return TrainingRow(
        reference=row["reference"],
        niss=niss,
        title=row["title"],
        kind=_value("kind", row, language),
        starts_on=_day(row["starts_on"]),
        ends_on=_day(row["ends_on"]),
        duration_unit=duration_unit,
        duration_minutes=duration_minutes,
        day_minutes=day_minutes,
        status=_value("status", row, language),
        charged_minutes=layout.read_duration(row["charged"], day_minutes, language)[0],
        nature=row["nature"],
        result=row["result"],
        certificate=row["certificate"],
        certificate_valid_until=layout.read_date(row["certificate_valid_until"]),
        funding=_value("funding", row, language),
        provider=row["provider"],
        working_hours=_value("working_hours", row, language),
        cost_cents=layout.read_amount(row["cost"]),
        domain=row["domain"],
    )


def _rows(path: Path, fields: tuple[str, ...], language: str) -> Iterator[dict[str, str]]:
    headings = layout.HEADINGS[language]
    expected = [headings[field] for field in fields]
    with path.open(encoding=layout.ENCODING, newline="") as file:
        reader = csv.reader(file, delimiter=layout.DELIMITER, strict=True)
        found = next(reader, [])
        if sorted(found) != sorted(expected):
            raise ValueError(f"{path.name}: the headings are {found}, expected {expected}")
        by_heading = {headings[field]: field for field in fields}
        columns = [by_heading[heading] for heading in found]
        for cells in reader:
            if len(cells) != len(columns):
                raise ValueError(f"{path.name}, line {reader.line_num}: {len(cells)} cells")
            yield dict(zip(columns, cells, strict=True))


def _value(field: str, row: dict[str, str], language: str) -> str:
    for value, word in layout.WORDS[language][field].items():
        if word == row[field]:
            return value
    raise ValueError(f"unknown word in {layout.HEADINGS[language][field]}: {row[field]!r}")


def _day(text: str) -> date:
    day = layout.read_date(text)
    if day is None:
        raise ValueError("a date is missing")
    return day
