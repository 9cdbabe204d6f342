"""Which answers are complete, and what belongs to them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channels.triples import Triple, group

STEM = "ACRF.999999.20251103.00001.R"


def names_of(triple: Triple) -> tuple[list[str], list[str], list[str]]:
    return (
        [str(name) for name in triple.answers],
        [str(name) for name in triple.signatures.values()],
        [str(name) for name in triple.go],
    )


def test_a_triple() -> None:
    (triple,) = group([f"GO.{STEM}", f"FS.{STEM}", f"FO.{STEM}"])
    assert triple.is_complete
    assert names_of(triple) == ([f"FO.{STEM}"], [f"FS.{STEM}"], [f"GO.{STEM}"])


def test_without_its_go_an_answer_is_still_being_written() -> None:
    (triple,) = group([f"FS.{STEM}", f"FO.{STEM}"])
    assert not triple.is_complete


def test_without_signature_it_is_complete_all_the_same() -> None:
    (triple,) = group([f"GO.{STEM}", f"FO.{STEM}"])
    assert triple.is_complete
    assert triple.signatures == {}


def test_a_zip_is_an_answer() -> None:
    (triple,) = group([f"GO.{STEM}", f"CO.{STEM}", f"FS.{STEM}"])
    assert names_of(triple)[0] == [f"CO.{STEM}"]


def test_part_numbers_may_be_on_some_names_only() -> None:
    (triple,) = group([f"FO.{STEM}.1.1", f"FS.{STEM}.1.1", f"GO.{STEM}.1"])
    assert triple.is_complete
    assert names_of(triple) == ([f"FO.{STEM}.1.1"], [f"FS.{STEM}.1.1"], [f"GO.{STEM}.1"])


def test_parts_share_one_go_and_keep_their_own_signatures() -> None:
    listing = [f"{prefix}.{STEM}.2.{part}" for prefix in ("FO", "FS") for part in (2, 1)] + [f"GO.{STEM}.2"]
    (triple,) = group(listing)
    assert names_of(triple) == (
        [f"FO.{STEM}.2.1", f"FO.{STEM}.2.2"],
        [f"FS.{STEM}.2.1", f"FS.{STEM}.2.2"],
        [f"GO.{STEM}.2"],
    )


def test_what_is_no_answer_is_left_out() -> None:
    assert group(["readme.txt", "FI.FLAD.104217.20251103.P0001.R.1.1", f"GO.{STEM}", f"FS.{STEM}", ""]) == []


def test_the_oldest_comes_first() -> None:
    listing = [
        "FO.NOTI.999999.20251104.00001.R",
        "FO.ACRF.999999.20251104.00001.R",
        "FO.NOTI.999999.20251103.00009.R",
    ]
    assert [str(triple.answers[0]) for triple in group(listing)] == [listing[2], listing[1], listing[0]]


PIECES = st.builds(
    "{}.{}.999999.20251103.0000{}.R{}".format,
    st.sampled_from(["FO", "CO", "FS", "GO", "FI", "TD"]),
    st.sampled_from(["ACRF", "NOTI"]),
    st.integers(1, 3),
    st.sampled_from(["", ".1", ".1.1", ".2.1", ".2.2"]),
)


@given(st.sets(PIECES | st.text(max_size=12), max_size=25))
def test_every_answer_is_in_exactly_one_group_and_nothing_is_invented(listing: set[str]) -> None:
    triples = group(sorted(listing))
    answers = [str(answer) for triple in triples for answer in triple.answers]
    assert sorted(answers) == sorted(name for name in listing if name.startswith(("FO.", "CO.")) and name[4:])
    for triple in triples:
        for found in (*triple.answers, *triple.signatures.values(), *triple.go):
            assert str(found) in listing
            assert found.stem == triple.answers[0].stem
