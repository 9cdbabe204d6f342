"""The checks on a whole set, before any form is judged: what ends in a refusing ACRF.

In stages, like a reader who stops at the first thing that makes the rest unreadable: name, files and
sizes, signatures, content. All faults of one stage are told together.
"""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from simulator import names
from simulator.content import Form, read_part
from simulator.names import Refusal
from simulator.registry import Registry, Sender
from simulator.signatures import BadSignature, verify_detached
from simulator.switches import Switches


@dataclass(frozen=True)
class Taken:
    """A set in the archive. `preset`: a code that the intake found already (129 or 130), or nothing."""

    sender: Sender
    directory: str
    marker: str
    archive: Path
    preset: str = ""

    @property
    def key(self) -> str:
        """What its files share: `AAAA.EEEEEE.YYYYMMDD.SSSSS.V`."""
        return names.key_of(self.marker)


@dataclass
class Checked:
    """The forms of every part, in order, or the reasons to refuse the set."""

    parts: list[list[Form]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


_PRESETS = {"129": "unknown prefix", "130": "no GO came for these files"}


def name_rules(switches: Switches, today: date) -> names.Rules:
    """What the switches say about names."""
    return names.Rules(
        today=today,
        max_age_days=switches.number("max_age_days"),
        max_parts=switches.number("max_parts"),
        numeric_sequence=switches.flag("numeric_sequence"),
    )


def check_set(
    taken: Taken, registry: Registry, switches: Switches, today: date, *, is_name_used: bool
) -> Checked:
    """Check a set; the result has either parts or refusals."""
    if taken.preset:
        return Checked(refusals=[Refusal(taken.preset, _PRESETS[taken.preset])])
    refusals = names.check_marker(
        taken.marker, taken.sender.number, taken.directory, name_rules(switches, today)
    )
    if not refusals and is_name_used:
        refusals = [Refusal("133", f"{taken.key} was used before")]
    if not refusals:
        refusals = _check_files(taken, switches)
    if not refusals:
        refusals = _check_signatures(taken)
    if refusals:
        return Checked(refusals=refusals)
    return _check_content(taken, registry, switches)


def _files(taken: Taken, prefix: str) -> list[Path]:
    found = [path for path in taken.archive.iterdir() if names.prefix_of(path.name) == prefix]
    return sorted(found, key=lambda path: path.name)


def _check_files(taken: Taken, switches: Switches) -> list[Refusal]:
    refusals = []
    application = names.application_of(taken.key)
    if application not in taken.sender.applications:
        refusals.append(Refusal("154", f"sender {taken.sender.number} does not send {application}"))
    environment = names.environment_of(taken.key)
    refusals += names.check_parts(
        [path.name for prefix in ("FI", "FS") for path in _files(taken, prefix)],
        names.parts_announced(taken.marker),
        is_signed=environment != "S" and environment not in switches.word("unsigned"),
        may_sign=environment not in switches.word("unsigned"),
    )
    limit = switches.number("max_file_bytes")
    for path in _files(taken, "FI"):
        if path.stat().st_size > limit:
            refusals.append(
                Refusal("184", f"{path.name}: {path.stat().st_size} bytes, at most {limit} allowed")
            )
    return refusals


def _check_signatures(taken: Taken) -> list[Refusal]:
    refusals = []
    by_part = {names.part_number(path.name): path for path in _files(taken, "FS")}
    for path in _files(taken, "FI"):
        signature = by_part.get(names.part_number(path.name))
        if signature is None:
            continue  # simulation without signatures: the number of files was checked before
        try:
            certificate = verify_detached(signature.read_bytes(), path.read_bytes())
        except BadSignature as fault:
            refusals.append(Refusal("125", f"{signature.name}: {fault}"))
            continue
        if certificate not in taken.sender.certificates:
            refusals.append(
                Refusal("153", f"{signature.name}: certificate {certificate} is not the sender's")
            )
    return refusals


def _check_content(taken: Taken, registry: Registry, switches: Switches) -> Checked:
    checked = Checked()
    application = names.application_of(taken.key)
    for path in _files(taken, "FI"):
        forms, refusals = read_part(path.read_bytes(), application, switches.number("max_forms"))
        checked.parts.append(forms)
        checked.refusals += [Refusal(one.code, f"{path.name}: {one.why}") for one in refusals]
    total = sum(map(len, checked.parts))
    if total > switches.number("max_forms_per_set"):
        checked.refusals.append(Refusal("172", f"{total} forms in the set"))
    for company in sorted({form.company for part in checked.parts for form in part if form.company}):
        employer = registry.employers.get(company)
        if employer is not None and employer.only_sender not in ("", taken.sender.number):
            checked.refusals.append(Refusal("101", f"employer {company} is reserved to another sender"))
    return checked
