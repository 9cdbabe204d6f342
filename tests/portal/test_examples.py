"""The example files as a whole, judged here by the written rules, in several orders."""

import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from mandates.numbers import (
    is_bis,
    parse_enterprise_number,
    parse_joint_committee,
    parse_niss,
    parse_onss_number,
    parse_sender_number,
)
from portal.examples import Counts, Expected, layout, write
from portal.examples.__main__ import main
from portal.examples.reading import TrainingRow, WorkerRow, read_trainings, read_workers

COMMITTED = Path(__file__).parents[2] / "examples"
SLUGS = ("secretariat-social-exemple", "dienstverlener-voorbeeld")
BY_HAND = {"README.md", ".gitattributes"}


@dataclass
class Client:
    """An employer's two files, as read back."""

    mandataire: dict[str, Any]
    number: str
    workers: list[WorkerRow]
    trainings: list[TrainingRow]


@dataclass
class Examples:
    """Everything in one folder of examples."""

    folder: Path
    expected: Expected | None = None
    clients: list[Client] = field(default_factory=list)

    @cached_property
    def registry(self) -> dict[str, list[dict[str, Any]]]:
        content: dict[str, list[dict[str, Any]]] = json.loads(
            (self.folder / "registry.json").read_text("utf-8")
        )
        return content

    def of(self, slug: str) -> list[Client]:
        return [client for client in self.clients if client.mandataire["slug"] == slug]

    def sendings(self) -> list[tuple[Client, TrainingRow]]:
        return [(client, training) for client in self.clients for training in client.trainings]


def load(folder: Path, expected: Expected | None = None) -> Examples:
    examples = Examples(folder, expected)
    for slug in SLUGS:
        mandataire = json.loads((folder / slug / "mandataire.json").read_text("utf-8"))
        for employer in mandataire["employers"]:
            stem = folder / slug / employer["number"]
            workers = read_workers(Path(f"{stem}-workers.csv"), mandataire["language"])
            trainings = read_trainings(Path(f"{stem}-trainings.csv"), mandataire["language"], workers)
            examples.clients.append(Client(mandataire, employer["number"], workers, trainings))
    return examples


@pytest.fixture(scope="module")
def committed() -> Examples:
    return load(COMMITTED)


@pytest.fixture(
    scope="module",
    params=[(1, 200, 12), (7, 200, 12), (2, 2, 2), (3, 40, 2), (4, 57, 57), (5, 3000, 25), (6, 999, 500)],
    ids=lambda sizes: "seed {}, {} records, {} employers".format(*sizes),
)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Examples:
    seed, records, employers = request.param
    folder = tmp_path_factory.mktemp("examples")
    return load(folder, write(folder, seed=seed, records=records, employers=employers))


# --- a judge who only knows the registers and the rules -------------------------------------------


class Registers:
    """The national registers and the workers' accounts: refuse, remark on or accept a training at a time."""

    def __init__(self, content: dict[str, list[dict[str, Any]]]) -> None:
        self.employers = {row["number"] for row in content["employers"]}
        self.workers = {row["niss"] for row in content["workers"]}
        self.mandates = {
            (row["sender"], row["employer"], row["application"])
            for row in content["mandates"]
            if row["to"] is None
        }
        self.employments: dict[tuple[str, str], list[tuple[date, date]]] = defaultdict(list)
        for row in content["employments"]:
            until = date.fromisoformat(row["to"]) if row["to"] else date.max
            self.employments[row["employer"], row["niss"]].append((date.fromisoformat(row["from"]), until))
        self.rights = {(row["niss"], row["year"]): row["minutes"] for row in content["rights"]}
        self.accounts: dict[str, list[TrainingRow]] = defaultdict(list)

    def judge(self, sender: str, employer: str, training: TrainingRow) -> list[str]:
        """All anomaly codes; the training goes on the account unless one of them refuses it."""
        refusals = list(self._refusals(sender, employer, training))
        remarks = [] if refusals else list(self._remarks(training))
        if not refusals:
            self.accounts[training.niss].append(training)
        return refusals + remarks

    def _refusals(self, sender: str, employer: str, training: TrainingRow) -> Iterator[str]:
        if employer not in self.employers:
            yield "00014-017"
        elif (sender, employer, "FLAD") not in self.mandates:
            yield "00011-155"
        if training.niss not in self.workers:
            yield "00024-179"
            return
        periods = self.employments[employer, training.niss]
        for code, day in (("99003-152", training.starts_on), ("99004-152", training.ends_on)):
            if not any(first <= day <= last for first, last in periods):
                yield code
        others = self.accounts[training.niss]
        if any(
            (other.title, other.starts_on, other.ends_on)
            == (training.title, training.starts_on, training.ends_on)
            for other in others
        ):
            yield "99000-272"
        elif any(
            other.starts_on <= training.ends_on and training.starts_on <= other.ends_on for other in others
        ):
            yield "99000-334"

    def _remarks(self, training: TrainingRow) -> Iterator[str]:
        days = (training.ends_on - training.starts_on).days + 1
        if training.duration_minutes > days * training.day_minutes:
            yield "99005-420"
        year = training.starts_on.year
        charged = sum(
            other.charged_minutes for other in self.accounts[training.niss] if other.starts_on.year == year
        )
        if charged + training.charged_minutes > self.rights[training.niss, year]:
            yield "99008-326"


REMARKS = {"99005-420", "99008-326"}


def outcome(
    examples: Examples, sendings: Iterable[tuple[Client, TrainingRow]]
) -> tuple[dict[str, Counts], Counter[str]]:
    """Counts per mandataire and how often each code decided, when everything is sent in this order."""
    registers = Registers(examples.registry)
    counts = dict.fromkeys(SLUGS, Counts())
    reasons: Counter[str] = Counter()
    for client, training in sendings:
        codes = registers.judge(client.mandataire["sender"], client.number, training)
        reasons.update(codes[:1])
        is_refused = bool(set(codes) - REMARKS)
        is_remarked = bool(codes) and not is_refused
        if codes != ["99003-152", "99004-152"]:
            assert len(codes) <= 1, f"{training.reference} breaks several rules: {codes}"
        counts[client.mandataire["slug"]] += Counts(not codes, is_remarked, is_refused)
    return counts, reasons


def test_the_registers_answer_as_expected_in_any_order(made: Examples) -> None:
    assert made.expected is not None
    in_order = made.sendings()
    shuffled = in_order.copy()
    random.Random(11).shuffle(shuffled)
    for sendings in (in_order, in_order[::-1], shuffled):
        counts, reasons = outcome(made, sendings)
        assert counts == made.expected.by_mandataire
        assert sum(counts.values(), Counts()) == made.expected.counts
        assert reasons == made.expected.reasons


def test_two_hundred_are_150_and_30_and_20(committed: Examples) -> None:
    counts, reasons = outcome(committed, committed.sendings())
    assert sum(counts.values(), Counts()) == Counts(150, 30, 20)
    written = json.loads((COMMITTED / "expected.json").read_text("utf-8"))
    assert (written["accepted"], written["accepted_with_remarks"], written["refused"]) == (150, 30, 20)
    for slug in SLUGS:
        assert Counts(**written["by_mandataire"][slug]) == counts[slug]
    assert written["reasons"] == reasons
    refusals = {"00011-155", "00024-179", "99000-272", "99000-334", "99003-152", "99004-152"}
    assert set(reasons) == refusals | REMARKS


# --- bytes ----------------------------------------------------------------------------------------


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in BY_HAND
    }


def test_the_committed_files_are_a_fresh_generation(tmp_path: Path) -> None:
    write(tmp_path, seed=1, records=200, employers=12)
    assert content(tmp_path) == content(COMMITTED)


def test_another_seed_gives_other_files(tmp_path: Path) -> None:
    write(tmp_path, seed=2, records=200, employers=12)
    assert content(tmp_path)["registry.json"] != content(COMMITTED)["registry.json"]


def test_writing_again_leaves_nothing_of_the_run_before(tmp_path: Path) -> None:
    write(tmp_path / "fresh", seed=3, records=20, employers=4)
    write(tmp_path / "again", seed=9, records=60, employers=9)
    (tmp_path / "again" / "README.md").write_text("mine")
    write(tmp_path / "again", seed=3, records=20, employers=4)
    assert content(tmp_path / "again") == content(tmp_path / "fresh")
    assert (tmp_path / "again" / "README.md").read_text() == "mine"


def test_the_committed_files_are_small() -> None:
    assert sum(len(data) for data in content(COMMITTED).values()) < 300_000


def test_files_are_what_a_spreadsheet_saves() -> None:
    for name, data in content(COMMITTED).items():
        if name.endswith(".csv"):
            assert data.startswith(b"\xef\xbb\xbf"), name
            assert data.endswith(b"\r\n"), name
            assert data.count(b"\n") == data.count(b"\r\n"), name
            heading = data.decode("utf-8-sig").splitlines()[0]
            assert heading.startswith(("NISS;Nom", "Référence;NISS", "INSZ;Naam", "Referentie;INSZ")), name


# --- what is in there -----------------------------------------------------------------------------


def test_every_number_passes_its_check(made: Examples) -> None:
    for slug in SLUGS:
        mandataire = json.loads((made.folder / slug / "mandataire.json").read_text("utf-8"))
        assert parse_enterprise_number(mandataire["number"]) == mandataire["number"]
        assert parse_sender_number(mandataire["sender"]) == mandataire["sender"]
        for employer in mandataire["employers"]:
            assert parse_enterprise_number(employer["number"]) == employer["number"]
            assert parse_onss_number(employer["nsso"]) == employer["nsso"]
            assert all(parse_joint_committee(each) == each for each in employer["joint_committees"])
    for client in made.clients:
        for worker in client.workers:
            assert parse_niss(worker.niss, today=date(2025, 1, 1)) == worker.niss
            assert parse_joint_committee(worker.joint_committee) == worker.joint_committee
    assert all(parse_niss(row["niss"]) == row["niss"] for row in made.registry["workers"])


def test_nobody_shares_a_number_or_a_reference(made: Examples) -> None:
    employers = [client.number for client in made.clients]
    names = [row["name"] for row in made.registry["employers"]]
    onss = [row["nsso"] for row in made.registry["employers"]]
    references = [training.reference for _, training in made.sendings()]
    for values in (employers, names, onss, references, [row["niss"] for row in made.registry["workers"]]):
        assert len(set(values)) == len(values)
    people: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for client in made.clients:
        for worker in client.workers:
            people[worker.niss].add((worker.family_name, worker.given_name))
    assert all(len(names) == 1 for names in people.values())


def test_the_client_sees_nothing_wrong(made: Examples) -> None:
    for client in made.clients:
        contracts: dict[str, list[WorkerRow]] = defaultdict(list)
        for worker in client.workers:
            contracts[worker.niss].append(worker)
        mandate = next(row for row in client.mandataire["mandates"] if row["employer"] == client.number)
        assert mandate["to"] is None
        assert date.fromisoformat(mandate["from"]).strftime("%d%m") in ("0101", "0104", "0107", "0110")
        for training in client.trainings:
            assert date(2024, 4, 1) <= training.starts_on <= training.ends_on <= date(2025, 12, 31)
            assert training.starts_on >= date.fromisoformat(mandate["from"])
            assert any(
                row.entered_on <= training.starts_on
                and (row.left_on is None or training.ends_on <= row.left_on)
                for row in contracts[training.niss]
            ), training.reference
            assert 0 < len(training.title) <= 200
            assert training.charged_minutes <= training.duration_minutes
            assert training.charged_minutes == 0 or training.status in ("followed", "reserved")
            if training.certificate_valid_until:
                assert training.certificate_valid_until > training.ends_on


def test_nobody_is_hired_before_eighteen(made: Examples) -> None:
    for client in made.clients:
        for worker in client.workers:
            born = 2000 + int(worker.niss[:2]) if worker.niss[:2] < "26" else 1900 + int(worker.niss[:2])
            assert worker.entered_on.year - born >= 18


def test_most_trainings_are_of_2025(committed: Examples) -> None:
    years = Counter(training.starts_on.year for _, training in committed.sendings())
    assert years[2025] > 2 * years[2024] > 0


def test_the_texts_are_hostile(committed: Examples) -> None:
    titles = "\n".join(training.title for _, training in committed.sendings())
    for sign in ("&", "<", ">", '"', ";", "]]>", "'", "’", "≤", "é"):
        assert sign in titles
    assert re.search(r"^\+", titles, re.MULTILINE), "a title that a spreadsheet takes for a formula"
    names = " ".join(
        f"{worker.family_name} {worker.given_name}"
        for client in committed.clients
        for worker in client.workers
    )
    for sign in ("'", "é", "ë"):
        assert sign in names
    assert any(ord(sign) > 0xFF for sign in names), "a letter outside ISO-8859-1"


def test_all_sorts_of_people_are_there(committed: Examples) -> None:
    workers = [worker for client in committed.clients for worker in client.workers]
    bis = [worker.niss for worker in workers if is_bis(worker.niss)]
    assert any(20 <= int(niss[2:4]) <= 32 for niss in bis), "BIS, sex unknown"
    assert any(40 <= int(niss[2:4]) <= 52 for niss in bis), "BIS, sex known"
    assert any(worker.niss.startswith("0") for worker in workers), "born after 2000, with a leading zero"
    assert {50, 80, 100} <= {worker.regime_percent for worker in workers}
    assert {432, 456} == {worker.day_minutes for worker in workers}
    assert {"fr", "nl"} == {worker.language for worker in workers}
    assert any(worker.left_on for worker in workers)
    assert any(client.number.startswith("0") for client in committed.clients)
    committees = {worker.joint_committee for worker in workers}
    assert {"118.03", "121", "124", "140.03", "200", "302"} <= committees


def test_a_niss_is_written_both_ways() -> None:
    for path in COMMITTED.rglob("*-workers.csv"):
        cells = [line.split(";")[0] for line in path.read_text(layout.ENCODING).splitlines()[1:]]
        assert all(re.fullmatch(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}|\d{11}", cell) for cell in cells)
    everything = "\n".join(path.read_text(layout.ENCODING) for path in COMMITTED.rglob("*-workers.csv"))
    assert re.search(r"^\d{11};", everything, re.MULTILINE)
    assert re.search(r"^\d{2}\.\d{2}\.\d{2}-", everything, re.MULTILINE)


def test_every_value_of_the_closed_lists_occurs(tmp_path: Path) -> None:
    write(tmp_path, seed=1, records=3000, employers=12)
    trainings = [training for _, training in load(tmp_path).sendings()]
    for name, words in layout.WORDS["fr"].items():
        assert {getattr(training, name) for training in trainings} == set(words)
    assert {training.duration_unit for training in trainings} == {"hours", "days"}
    for name in ("result", "certificate", "certificate_valid_until", "provider", "cost_cents", "domain"):
        filled = [bool(getattr(training, name)) for training in trainings]
        assert any(filled), name
        assert not all(filled), name


def test_some_people_have_two_jobs_and_some_came_back(tmp_path: Path) -> None:
    write(tmp_path, seed=1, records=3000, employers=12)
    examples = load(tmp_path)
    employers: dict[str, set[str]] = defaultdict(set)
    for client in examples.clients:
        for worker in client.workers:
            employers[worker.niss].add(client.number)
    assert any(len(numbers) == 2 for numbers in employers.values())
    assert any(
        count > 1 for client in examples.clients for count in Counter(w.niss for w in client.workers).values()
    )


@pytest.mark.parametrize("slug", SLUGS)
def test_a_mandataire_has_one_operator_of_each_profile(slug: str) -> None:
    mandataire = json.loads((COMMITTED / slug / "mandataire.json").read_text("utf-8"))
    assert mandataire["slug"] == slug
    assert [operator["profile"] for operator in mandataire["operators"]] == ["extended", "encode"]
    assert all(operator["email"].endswith(".example") for operator in mandataire["operators"])


# --- bounds, speed, command -----------------------------------------------------------------------


@pytest.mark.parametrize(("records", "employers"), [(200, 1), (200, 501), (11, 12), (100_001, 12), (0, 0)])
def test_sizes_out_of_bounds_are_refused_before_anything_is_written(
    tmp_path: Path, records: int, employers: int
) -> None:
    with pytest.raises(ValueError, match=r"^(records|employers): from "):
        write(tmp_path / "out", seed=1, records=records, employers=employers)
    assert not (tmp_path / "out").exists()


def test_twenty_thousand_records_take_seconds(tmp_path: Path) -> None:
    started = time.process_time()
    expected = write(tmp_path, seed=1, records=20_000, employers=500)
    assert time.process_time() - started < 4  # 100,000 in under 20
    assert expected.counts == Counts(15_000, 3_000, 2_000)


def test_the_command_says_what_to_expect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "1", "--records", "200", "--employers", "12", "--out", str(tmp_path)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith("200 records = 150 accepted + 30 accepted with remarks + 20 refused")
    assert content(tmp_path) == content(COMMITTED)


def test_the_command_refuses_impossible_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--employers", "1", "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert "employers: from 2 to 500, not 1" in capsys.readouterr().err


# --- files that were tampered with ----------------------------------------------------------------


def tampered(tmp_path: Path, before: str, after: str, kind: str) -> Path:
    source = next(iter(sorted((COMMITTED / SLUGS[0]).glob(f"*-{kind}.csv"))))
    text = source.read_text(layout.ENCODING)
    assert before in text
    path = tmp_path / source.name
    path.write_text(text.replace(before, after, 1), encoding=layout.ENCODING)
    return path


def test_an_unknown_heading_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Prenom"):
        read_workers(tampered(tmp_path, "Prénom", "Prenom", "workers"), "fr")


def test_the_other_language_is_not_understood(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="headings"):
        read_workers(tampered(tmp_path, "NISS", "NISS", "workers"), "nl")


def test_columns_may_stand_in_another_order(tmp_path: Path) -> None:
    path = next(iter(sorted((COMMITTED / SLUGS[0]).glob("*-workers.csv"))))
    lines = [line.split(";") for line in path.read_text(layout.ENCODING).splitlines()]
    turned = tmp_path / "turned.csv"
    turned.write_text("\n".join(";".join(reversed(cells)) for cells in lines), encoding=layout.ENCODING)
    assert read_workers(turned, "fr") == read_workers(path, "fr")


def test_an_unknown_word_is_named(tmp_path: Path) -> None:
    path = tampered(tmp_path, ";suivie;", ";faite;", "trainings")
    source = next(client for client in load(COMMITTED).clients if path.name.startswith(client.number))
    with pytest.raises(ValueError, match="Statut: 'faite'"):
        read_trainings(path, "fr", source.workers)


def test_a_training_of_a_stranger_is_refused() -> None:
    path = next(iter(sorted((COMMITTED / SLUGS[0]).glob("*-trainings.csv"))))
    with pytest.raises(ValueError, match="not among the workers"):
        read_trainings(path, "fr", [])


def test_a_missing_cell_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tampered(tmp_path, "\n", "\nseul\n", "workers")
    with pytest.raises(ValueError, match="line 2: 1 cells"):
        read_workers(path, "fr")
