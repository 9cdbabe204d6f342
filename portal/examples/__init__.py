"""Example data: two mandataires, the files their clients send, and the national registers that judge them.

    python -m portal.examples --seed 1 --records 200 --employers 12 --out examples/

The same arguments give the same bytes. Everything is fictitious; numbers of people and enterprises pass
every check and belong to nobody. `plan` says which record meets which fate, and by which rules.
"""

import random
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from portal.examples import mishaps, plan, writing
from portal.examples.cast import Cast, Person
from portal.examples.mandataires import MANDATAIRES, Mandataire, invent_employers, split_employers
from portal.examples.plan import Counts, Share
from portal.examples.staff import Employer, Staff
from portal.examples.training import CLOSED_ON, OPENED_ON, Training

__all__ = ["Counts", "Expected", "write"]

FEWEST_EMPLOYERS, MOST_EMPLOYERS = 2, 500
MOST_RECORDS = 100_000


@dataclass(frozen=True, slots=True)
class Expected:
    """What the registers will answer when every record is declared once: in all, and per mandataire's slug.

    `reasons` counts the anomaly codes for which records are refused or remarked on; the answer to a training
    after the worker left carries a second one, see `plan`.
    """

    counts: Counts
    by_mandataire: dict[str, Counts]
    reasons: dict[str, int]


def write(out: Path, *, seed: int, records: int, employers: int) -> Expected:
    """Write the example files into the folder `out`, which is made when absent.

    Files of an earlier run are replaced, those of employers that are gone are deleted; nothing else in the
    folder is touched. `employers` is from 2 to 500, `records` from `employers` to 100,000: else ValueError.
    """
    if not FEWEST_EMPLOYERS <= employers <= MOST_EMPLOYERS:
        raise ValueError(f"employers: from {FEWEST_EMPLOYERS} to {MOST_EMPLOYERS}, not {employers}")
    if not employers <= records <= MOST_RECORDS:
        raise ValueError(f"records: from {employers}, one per employer, to {MOST_RECORDS}, not {records}")
    # Reproducible on purpose; nothing here is a secret.
    rng = random.Random(seed)  # noqa: S311
    sizes = split_employers(employers)
    # The first mandataire's last client, when it has others: a small one, without a mandate in the registers.
    without_mandate = sizes[0] - 1 if sizes[0] > 1 else None
    shares = plan.share_out(rng, records, employers, without_mandate)

    cast = Cast(rng)
    part_timers: list[Person] = []
    clients: list[tuple[Mandataire, Employer, bool]] = []
    by_mandataire: dict[str, Counts] = {}
    codes: Counter[str] = Counter()
    for mandataire, size in zip(MANDATAIRES, sizes, strict=True):
        folder = _emptied(out / mandataire.slug)
        counts = Counts()
        theirs = invent_employers(rng, mandataire, size, first_code=len(clients) + 1)
        writing.write_mandataire(folder, mandataire, theirs)
        for employer in theirs:
            share = shares[len(clients)]
            staff = Staff(rng, cast, employer, part_timers)
            trainings = _trainings(staff, share)
            stem, language = folder / employer.number, mandataire.language
            writing.write_workers(Path(f"{stem}-workers.csv"), language, staff.roster, rng)
            writing.write_trainings(Path(f"{stem}-trainings.csv"), language, trainings, rng)
            if employer is theirs[0]:
                writing.write_relayed(stem, employer, staff.roster)
            clients.append((mandataire, employer, share.has_mandate))
            counts += share.counts
            codes += share.codes
        by_mandataire[mandataire.slug] = counts

    years = range(OPENED_ON.year, CLOSED_ON.year + 1)
    writing.write_json(out / "registry.json", writing.registry(clients, cast.people, years))
    expected = Expected(sum(by_mandataire.values(), Counts()), by_mandataire, dict(sorted(codes.items())))
    _write_expected(out / "expected.json", expected)
    return expected


def _trainings(staff: Staff, share: Share) -> list[Training]:
    """All trainings of an employer, mishaps among the others, numbered by the client."""
    trainings = [staff.ordinary_training() for _ in range(share.ordinary)]
    for fate in share.mishaps:
        trainings += mishaps.make(fate, staff)
    staff.rng.shuffle(trainings)
    for _ in range(len(trainings) // 12):
        staff.hire()  # not everybody followed a training
    staff.rng.shuffle(staff.roster)
    return [
        training.numbered(staff.employer.client_code, place) for place, training in enumerate(trainings, 1)
    ]


def _emptied(folder: Path) -> Path:
    """The folder of a mandataire without the client files of an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("*-workers.csv", "*-trainings.csv", "*-dimona.xml", "*-dmfa.xml"):
        for path in folder.glob(pattern):
            path.unlink()
    return folder


def _write_expected(path: Path, expected: Expected) -> None:
    writing.write_json(
        path,
        {
            **asdict(expected.counts),
            "by_mandataire": {slug: asdict(counts) for slug, counts in expected.by_mandataire.items()},
            "reasons": expected.reasons,
        },
    )
