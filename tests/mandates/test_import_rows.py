"""What a row means, and what is wrong with it: by itself, beside the others, and in this house."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from django.utils import translation

from mandates.importing import columns, keeping
from mandates.importing.columns import COLUMNS, Read, told
from mandates.models import Employer, Mandate, MandateImport, MandateImportRow
from mandates.numbers import format_enterprise_number
from portal.models import Event
from portal.spreadsheets.reading import Unreadable
from tests import factories
from tests.mandates import scenes
from tests.people import Person

TODAY = date(2026, 11, 20)
NUMBER = "0897.223.670"


def understood(**cells: str) -> Read:
    """A row of good cells but for those given, as it is understood."""
    row = {"number": NUMBER, "name": "Delvaux", "service": "FLA", "starts": "2026Q1"} | cells
    headings = [COLUMNS[name].headings["en"] for name in row]
    return columns.understand(2, list(row.values()), columns.terms(headings, TODAY))


def faults(row: Read) -> dict[str, str]:
    return {name: told(name, sentence, values) for name, sentence, values in row.faults}


# --- headings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "fr", "nl", "de"])
def test_headings_are_known_in_four_languages(language: str) -> None:
    headings = [column.headings[language] for column in COLUMNS.values()]
    assert columns.places(headings) == {name: place for place, name in enumerate(COLUMNS)}
    assert columns.places([f"  {heading.upper()} : " for heading in headings]) == columns.places(headings)


def test_other_columns_are_left_aside_and_any_order_will_do() -> None:
    found = columns.places(["Remarque", "Dienst", "N° d’entreprise", "", "Vanaf"])
    assert found == {"service": 1, "number": 2, "starts": 4}


@pytest.mark.parametrize(
    ("headings", "told"),
    [
        (["Name", "Service"], "missing: Enterprise number, First quarter"),
        (["Nom", "Service", "BCE", "KBO", "Du trimestre"], "“Enterprise number” is there twice"),
        (["0897223670", "FLA"], "missing"),
    ],
)
def test_headings_that_do_not_do_get_a_sentence(headings: list[str], told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        columns.places(headings)


# --- cells ----------------------------------------------------------------------------------------


def test_a_good_row_is_understood() -> None:
    row = understood(onss_number="1303875-93", language="nl", ends="2026Q4")
    assert (row.number, row.onss_number, row.language, row.service) == (
        "0897223670",
        "130387593",
        "nl",
        "FLA",
    )
    assert row.period
    assert (row.period.starts_on, row.period.ends_on) == (date(2026, 1, 1), date(2026, 12, 31))
    assert row.faults == []


@pytest.mark.parametrize("typed", ["897223670", "BE 0897.223.670", "897223670.0", "0897 223 670"])
def test_what_a_spreadsheet_did_to_a_number_is_undone_where_nothing_is_lost(typed: str) -> None:
    assert understood(number=typed).number == "0897223670"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("8.97E+08", "rounded"),
        ("8,97E+08", "rounded"),
        ("0897223671", "check digits"),
        ("0897.22", "10 digits, this one 6"),
        ("2143678935", "establishment unit"),
        ("", "missing"),
        ("O897223670", "letter typed as a digit"),
    ],
)
def test_what_is_lost_is_told(typed: str, said: str) -> None:
    assert said in faults(understood(number=typed))["number"]


@pytest.mark.parametrize(
    "typed",
    ["2026Q2", "2026/2", "2/2026", "20262", "2026-2", "T2 2026", "2026 T2", "K2/2026", "2e trimestre 2026",
     "2026-04-01", "01/04/2026", "1.4.2026", "2026-04-01 00:00:00"],
)  # fmt: skip
def test_a_quarter_is_read_as_people_write_it(typed: str) -> None:
    row = understood(starts=typed)
    assert row.period, row.faults
    assert row.period.starts_on == date(2026, 4, 1)


@pytest.mark.parametrize(
    ("cells", "field", "said"),
    [
        ({"starts": ""}, "starts", "not a quarter"),
        ({"starts": "2026Q5"}, "starts", "not a quarter"),
        ({"starts": "31/02/2026"}, "starts", "not a quarter"),
        ({"starts": "2026-02-01"}, "starts", "not the first one of a quarter"),
        ({"starts": "2024Q1"}, "starts", "opened on 01/04/2024"),
        ({"starts": "2062Q1"}, "starts", "at the latest 2027Q4"),
        ({"ends": "2026-10-01"}, "ends", "not the last one"),
        ({"ends": "2099Q4"}, "ends", "too far ahead"),
        ({"starts": "2026Q3", "ends": "2026Q2"}, "ends", "comes before"),
        ({"service": "CAREER"}, "service", "Write one of: DIMONA, DMFA, "),
        ({"service": ""}, "service", "Write one of: DIMONA, DMFA, "),
        ({"language": "klingon"}, "language", "Write one of:"),
        ({"onss_number": "123"}, "onss_number", "9 digits"),
        ({"name": "x" * 201}, "name", "at most 200"),
    ],
)
def test_a_fault_names_its_field_and_what_to_do(cells: dict[str, str], field: str, said: str) -> None:
    found = faults(understood(**cells))
    assert list(found) == [field]
    assert said in found[field]


def test_an_end_may_be_the_last_day_and_every_fault_is_told_at_once() -> None:
    row = understood(ends="31/12/2026")
    assert row.period
    assert row.period.ends_on == date(2026, 12, 31)
    assert set(faults(understood(number="1", service="?", starts="?"))) == {"number", "service", "starts"}


def test_words_are_known_by_their_names() -> None:
    with translation.override("en"):
        assert understood(service="federal learning account", language="FR").service == "FLA"


# --- in this house --------------------------------------------------------------------------------


@pytest.fixture
def _in_scope(operator: Person) -> Iterator[None]:
    with operator.scope():
        yield


def kept(*rows: str) -> tuple[MandateImport, list[tuple[int, str, list[str]]]]:
    """A file of these rows as a preview: line, state and what is wrong, row by row."""
    made = scenes.imported(scenes.rows_of(*rows))
    return made, [
        (row.line, row.state, [told(*fault) for fault in row.faults]) for row in made.rows.order_by("line")
    ]


def new() -> str:
    return factories.new_enterprise_number()


@pytest.mark.usefixtures("_in_scope")
def test_a_preview_makes_nothing_and_keeps_the_file_sealed() -> None:
    made, rows = kept(f"{new()};Nouveau;;;FLA;2026Q1;")
    assert [state for _line, state, _faults in rows] == ["good"]
    assert not Employer.objects.exists()
    assert not Mandate.objects.exists()
    assert b"Nouveau" not in bytes(made.content_sealed)
    assert b"Nouveau" in made.content
    event = Event.objects.get(verb="import.uploaded")
    assert event.data == {"name": "mandats.csv", "rows": 1, "bad": 0, "sha256": made.sha256}


@pytest.mark.usefixtures("_in_scope")
def test_a_client_needs_no_name_and_somebody_new_does() -> None:
    client = factories.employer(name="Boulangerie Delvaux")
    made, rows = kept(
        f"{client.number};;;;FLA;2026Q1;", f"{new()};;;;FLA;2026Q1;", f"{new()};Neuf;;;FLA;2026Q1;"
    )
    assert [(state, said) for _line, state, said in rows] == [
        ("good", []),
        ("bad", ["This enterprise is not a client yet: give its name, and it is added."]),
        ("good", []),
    ]
    assert (made.total, made.bad) == (3, 1)
    names = made.rows.order_by("line").values_list("name", "is_new")
    assert list(names) == [("Boulangerie Delvaux", False), ("", True), ("Neuf", True)]


@pytest.mark.usefixtures("_in_scope")
def test_rows_that_repeat_or_overlap_each_other_name_the_earlier_row() -> None:
    one, other = new(), new()
    _made, rows = kept(
        f"{one};A;;;FLA;2025Q1;2025Q4",
        f"{one};A;;;FLA;2025Q1;2025Q4",
        f"{format_enterprise_number(one)};A;;;FLA;2025Q4;",
        f"{one};A;;;FLA;2024Q2;2024Q4",
        f"{other};B;;;FLA;2025Q1;",
    )
    assert [(line, said) for line, _state, said in rows if said] == [
        (3, ["This is row 2 once more: remove one of them."]),
        (4, ["The period overlaps that of row 2 for the same enterprise."]),
    ]


@pytest.mark.usefixtures("_in_scope")
def test_what_we_hold_or_asked_for_is_in_the_way() -> None:
    active, waiting, ended = (factories.employer() for _ in range(3))
    factories.active_mandate(active)
    scenes.proposed(waiting)
    scenes.granted(ended, ends_on=date(2025, 12, 31))
    _made, rows = kept(*(f"{client.number};;;;FLA;2026Q1;" for client in (active, waiting, ended)))
    assert [said for _line, _state, said in rows] == [
        ["You hold the mandate Federal Learning Account of this employer since 01/04/2024, without an end."],
        [
            "A mandate Federal Learning Account from 01/04/2024 waits already: "
            "have it validated, or take it back."
        ],
        [],
    ]


def test_of_another_mandataire_the_period_is_told_and_never_the_name(
    operator: Person, stranger: Person
) -> None:
    with stranger.scope():
        theirs = [scenes.granted(), scenes.granted(ends_on=date(2026, 3, 31)), scenes.proposed()]
    with operator.scope():
        made, rows = kept(*(f"{one.employer_number};Nouveau;;;FLA;2026Q1;" for one in theirs))
        assert [state for _line, state, _said in rows] == ["bad", "bad", "good"]
        assert "since 01/04/2024, without an end" in rows[0][2][0]
        assert "from 01/04/2024 to 31/03/2026" in rows[1][2][0]
        everything = str([(row.cells, row.faults, row.name) for row in made.rows.all()])
        assert stranger.mandataire.name not in everything
        assert theirs[0].employer.name not in everything


@pytest.mark.usefixtures("_in_scope")
def test_a_fault_is_told_in_the_language_of_whoever_looks() -> None:
    with translation.override("fr"):
        made, _rows = kept("8.97E+08;;;;FLA;2026Q1;")
    (fault,) = MandateImportRow.objects.get(of=made).faults
    with translation.override("en"):
        assert told(*fault).startswith("A spreadsheet has rounded this number")


@pytest.mark.usefixtures("_in_scope")
def test_a_personal_number_put_here_by_mistake_stays_nowhere_in_clear() -> None:
    niss = factories.new_niss()
    made = scenes.imported(scenes.rows_of(f"{niss};Zoé {niss};;;FLA;2026Q1;"), f"mandats {niss}.csv")
    row = made.rows.get()
    assert (row.state, "10 digits, this one 11" in told(*row.faults[0])) == ("bad", True)
    event = Event.objects.get(verb="import.uploaded")
    assert niss not in str((made.name, row.cells, row.name, row.faults, event.data))
    assert niss.encode() in made.content


@pytest.mark.usefixtures("_in_scope")
def test_the_same_bytes_are_recognised_and_others_are_not() -> None:
    text = scenes.rows_of(f"{new()};A;;;FLA;2026Q1;")
    first, second = scenes.imported(text), scenes.imported(text, "autre nom.csv")
    assert keeping.earlier(first) is None
    assert keeping.earlier(second) == first
    assert keeping.earlier(scenes.imported(text + "\n")) is None


@pytest.mark.usefixtures("_in_scope")
def test_the_questions_asked_do_not_grow_with_the_rows(django_assert_max_num_queries: object) -> None:
    few = scenes.rows_of(*(f"{new()};A;;;FLA;2026Q1;" for _ in range(2)))
    many = scenes.rows_of(*(f"{new()};A;;;FLA;2026Q1;" for _ in range(300)))
    for text in (few, many):
        with django_assert_max_num_queries(12):  # type: ignore[operator]
            scenes.imported(text)
