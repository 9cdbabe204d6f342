"""What to do after a crash, from what lies over there: every row of the table, and laws over all of them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.looking import CANNOT_LIST, HALF_A_SET, STRANGE_GO, Next, SetFiles, decide
from channels.naming import Environment, SetName

NAME = SetName("FLAD", "104217", date(2025, 11, 3), "P0001", Environment.PRODUCTION)
SIGNED = SetFiles.of(NAME, 2, is_signed=True)
UNSIGNED = SetFiles.of(NAME, 2, is_signed=False)
FI, FS, GO = set(SIGNED.fi), set(SIGNED.fs), {SIGNED.go}
OTHERS = {"FI.DMFA.104217.20251103.00001.R.1.1", "GO.DMFA.104217.20251103.00001.R.1"}


def test_the_names_of_a_set() -> None:
    assert SIGNED.fi == (
        "FI.FLAD.104217.20251103.P0001.R.2.1",
        "FI.FLAD.104217.20251103.P0001.R.2.2",
    )
    assert SIGNED.fs == (
        "FS.FLAD.104217.20251103.P0001.R.2.1",
        "FS.FLAD.104217.20251103.P0001.R.2.2",
    )
    assert SIGNED.go == "GO.FLAD.104217.20251103.P0001.R.2"
    assert UNSIGNED.fi == SIGNED.fi
    assert UNSIGNED.fs == ()


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (set(), Next.START_AGAIN),
        (FI, Next.START_AGAIN),
        (FI | FS, Next.START_AGAIN),
        ({SIGNED.fs[1]}, Next.START_AGAIN),
        (None, Next.START_AGAIN),
        (GO, Next.PARK),
        (FI | FS | GO, Next.PARK),
    ],
)
def test_before_the_intention_everything_may_be_repeated(there: set[str] | None, expected: Next) -> None:
    seen = None if there is None else there | OTHERS
    step, reason = decide(seen, SIGNED, had_intended=False)
    assert step is expected
    assert reason == (STRANGE_GO if expected is Next.PARK else "")


@pytest.mark.parametrize(
    ("there", "expected", "reason"),
    [
        (FI | FS, Next.PUT_GO, ""),
        (FI | FS | GO, Next.IT_LEFT, ""),
        (GO, Next.IT_LEFT, ""),
        (set(), Next.IT_LEFT, ""),
        (FS, Next.IT_LEFT, ""),
        ({SIGNED.fi[0]} | FS, Next.IT_LEFT, ""),
        (FI | GO, Next.IT_LEFT, ""),
        (FI, Next.PARK, HALF_A_SET),
        (FI | {SIGNED.fs[0]}, Next.PARK, HALF_A_SET),
        (None, Next.WAIT, CANNOT_LIST),
    ],
)
def test_after_the_intention_only_a_proof_of_absence_puts_go(
    there: set[str] | None, expected: Next, reason: str
) -> None:
    seen = None if there is None else there | OTHERS
    assert decide(seen, SIGNED, had_intended=True) == (expected, reason)


def test_without_signatures_their_absence_means_nothing() -> None:
    assert decide(FI, UNSIGNED, had_intended=True) == (Next.PUT_GO, "")


@given(
    there=st.none() | st.sets(st.sampled_from(sorted(FI | FS | GO | OTHERS))),
    had_intended=st.booleans(),
    files=st.sampled_from([SIGNED, UNSIGNED]),
)
def test_nothing_is_ever_sent_over_a_go(there: set[str] | None, had_intended: bool, files: SetFiles) -> None:
    step, reason = decide(there, files, had_intended=had_intended)
    if there is not None and files.go in there:
        assert step in (Next.PARK, Next.IT_LEFT)
    if had_intended:
        assert step is not Next.START_AGAIN
    if step is Next.PUT_GO:
        assert there is not None
        assert there.issuperset((*files.fi, *files.fs))
    assert bool(reason) is (step in (Next.PARK, Next.WAIT))
