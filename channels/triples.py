"""Which files of a listing belong together, and which of them may be read. Pure.

An answer comes as FO (or CO, a zip of one FO), FS, then GO, and may be read only once its GO is there: see
www.socialsecurity.be/site_fr/general/helpcentre/batch/files/received.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from channels.naming import BadFileName, FileName, Prefix, parse_name

ANSWERS = frozenset({Prefix.ANSWER, Prefix.COMPRESSED_ANSWER})


@dataclass(slots=True)
class Triple:
    """The files of one answer set: usually one FO, one FS and one GO; several FO when it came in parts."""

    answers: list[FileName] = field(default_factory=list)
    signatures: dict[FileName, FileName] = field(default_factory=dict)
    go: list[FileName] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether the other side has finished writing it."""
        return bool(self.answers and self.go)


def group(names: Iterable[str]) -> list[Triple]:
    """The answer sets among `names`, oldest name first. What is not named like an answer is left out.

    A signature is found by the part numbers of its FO or by having none: answers come with and without them.
    """
    triples: dict[str, Triple] = {}
    signatures: dict[str, list[FileName]] = {}
    for text in names:
        with suppress(BadFileName):  # Something else lies in the directory: not ours to touch.
            name = parse_name(text)
            triple = triples.setdefault(name.stem, Triple())
            if name.prefix in ANSWERS:
                triple.answers.append(name)
            elif name.prefix is Prefix.GO:
                triple.go.append(name)
            elif name.prefix is Prefix.SIGNATURE:
                signatures.setdefault(name.stem, []).append(name)
    found = [(stem, triple) for stem, triple in triples.items() if triple.answers]
    for stem, triple in found:
        triple.answers.sort(key=str)
        for answer in triple.answers:
            numbers = {(answer.parts, answer.part), (None, None)}
            for signature in signatures.get(stem, ()):
                if (signature.parts, signature.part) in numbers or len(triple.answers) == 1:
                    triple.signatures.setdefault(answer, signature)
    return [triple for _stem, triple in sorted(found, key=lambda item: _age(item[1]))]


def _age(triple: Triple) -> tuple[str, str]:
    first = triple.answers[0]
    return first.day.isoformat(), str(first)
