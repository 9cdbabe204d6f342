"""The mix of outcomes, and how it is dealt out to employers."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.examples.plan import FEW, Counts, Fate, Share, mix, share_out


@pytest.mark.parametrize(
    ("records", "counts"),
    [
        (2, Counts(2, 0, 0)),
        (5, Counts(3, 1, 1)),
        (10, Counts(7, 2, 1)),
        (20, Counts(15, 3, 2)),
        (200, Counts(150, 30, 20)),
        (1000, Counts(750, 150, 100)),
        (20_000, Counts(15_000, 3_000, 2_000)),
        (100_000, Counts(75_000, 15_000, 10_000)),
    ],
)
def test_the_mix(records: int, counts: Counts) -> None:
    assert mix(records) == counts


@given(records=st.integers(1, 100_000))
def test_the_mix_loses_nobody(records: int) -> None:
    counts = mix(records)
    assert counts.total == records
    assert min(counts.accepted, counts.accepted_with_remarks, counts.refused) >= 0


@given(
    seed=st.integers(0, 2**32),
    sizes=st.integers(2, 60).flatmap(lambda e: st.tuples(st.just(e), st.integers(e, e * 40))),
    has_gap=st.booleans(),
)
def test_the_shares_make_the_mix(seed: int, sizes: tuple[int, int], has_gap: bool) -> None:
    employers, records = sizes
    gap = employers - 1 if has_gap else None
    shares = share_out(random.Random(seed), records, employers, gap)
    assert len(shares) == employers
    assert sum((share.counts for share in shares), Counts()) == mix(records)
    assert all(share.counts.total >= 1 for share in shares)
    assert [share.has_mandate for share in shares].count(False) == (
        1 if has_gap and mix(records).refused else 0
    )


def test_the_employer_without_mandate_is_small_and_all_its_records_are_refused() -> None:
    for records, expected in ((12, 1), (200, 4), (100_000, FEW)):
        shares = share_out(random.Random(1), records, 12, 6)
        assert shares[6] == Share((Fate.NO_MANDATE,) * expected, 0, has_mandate=False)
        assert shares[6].counts == Counts(0, 0, expected)


def test_all_mishaps_happen_among_two_hundred_records() -> None:
    shares = share_out(random.Random(1), 200, 12, 6)
    assert {fate for share in shares for fate in share.mishaps} == set(Fate)


def test_where_every_employer_has_one_record_no_pair_is_made() -> None:
    shares = share_out(random.Random(3), 500, 500, 290)
    assert all(fate.size == 1 for share in shares for fate in share.mishaps)
    assert sum((share.counts for share in shares), Counts()) == Counts(375, 75, 50)


def test_a_pair_is_one_record_accepted_and_one_not() -> None:
    assert Share((Fate.DUPLICATE,), 0).counts == Counts(1, 0, 1)
    assert Share((Fate.OVER_RIGHT_TOGETHER,), 0).counts == Counts(1, 1, 0)
    assert Share((Fate.TOO_LONG,), 3).counts == Counts(3, 1, 0)


def test_codes_are_counted_per_record_that_is_not_simply_accepted() -> None:
    share = Share((Fate.OVER_RIGHT, Fate.OVER_RIGHT_TOGETHER, Fate.OVERLAP), 5)
    assert share.codes == {"99008-326": 2, "99000-334": 1}
    assert share.codes.total() == share.counts.accepted_with_remarks + share.counts.refused
