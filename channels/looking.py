"""What to do about an interrupted drop, from what lies on the other side. Pure: it only decides.

GO marks the end of a transfer (www.socialsecurity.be/site_fr/general/helpcentre/batch/files/directives), so
before an attempt at GO everything may be repeated, and afterwards nothing is, unless the look proves that GO
never arrived.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from typing import Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels.naming import SetName


class Next(Enum):
    """The way on."""

    START_AGAIN = "start again"
    PUT_GO = "put GO"
    IT_LEFT = "it left"
    PARK = "park"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class SetFiles:
    """The names of all files of one set, by part. `fs` is empty where the environment wants no signature."""

    fi: tuple[str, ...]
    fs: tuple[str, ...]
    go: str

    def all(self) -> set[str]:
        """Every name of the set."""
        return {*self.fi, *self.fs, self.go}

    @classmethod
    def of(cls, name: SetName, parts: int, *, is_signed: bool) -> Self:
        """The names of a set of `parts` parts."""
        numbers = range(1, parts + 1)
        return cls(
            fi=tuple(name.fi(part, parts) for part in numbers),
            fs=tuple(name.fs(part, parts) for part in numbers) if is_signed else (),
            go=name.go(parts),
        )


STRANGE_GO = _(
    "A GO of this name lies on the server, but this portal did not put it: other software of the same sender "
    "may have used the name. Find out whose it is before anything is sent again."
)
OUR_OWN_GO = _(
    "The GO of this set, which was given up, lies on the server: it left after all, or waits there to be "
    "taken. Nothing is sent over it."
)
NAME_TAKEN = _(
    "A file of this name lies on the server, and this portal did not put it: other software of the same sender "
    "uses the name. Nothing was sent. Once that set is taken and you know whose it is, have this one dropped again; "
    "if its name is refused then, declare it again in a new set."
)
HALF_A_SET = _(
    "The declarations still lie on the server, but their signatures are gone. Nothing is sent again before "
    "somebody has found out whether social security took the set."
)
CANNOT_LIST = _(
    "The connection broke while GO was put, and this channel cannot be listed: the acknowledgement will tell."
)


def decide(
    there: AbstractSet[str] | None, files: SetFiles, *, had_intended: bool
) -> tuple[Next, str | Promise]:
    """The next step for a drop that was interrupted, and the sentence for a person where one must decide.

    `there` holds the names in the upload directory, or is None when the channel cannot list it;
    `had_intended` says whether GO was about to be put. The server may take all files away the moment GO is
    there, in any order.
    """
    if not had_intended:
        # Our GO cannot be there. Where nothing can be listed this is as safe as the first attempt was.
        return (Next.PARK, STRANGE_GO) if there is not None and files.go in there else (Next.START_AGAIN, "")
    if there is None:
        return Next.WAIT, CANNOT_LIST
    if files.go in there or not there >= set(files.fi):
        return Next.IT_LEFT, ""
    if not there >= set(files.fs):
        return Next.PARK, HALF_A_SET
    return Next.PUT_GO, ""
