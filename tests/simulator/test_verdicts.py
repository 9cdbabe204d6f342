"""Verdicts on forms: the registers, the accounts, modifications and cancellations."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.accounts import Accounts
from simulator.content import read_part
from simulator.moments import today
from simulator.registry import Registry, read_registry
from simulator.store import Store
from simulator.verdicts import Judge, Verdict
from tests.simulator import people

DAY = today()


class Court:
    """A judge with a fresh account book; tickets T1, T2..."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path / "state.sqlite3")
        self.content = people.world(senders=[{"number": people.SENDER}])
        self.number = 0

    def registry(self) -> Registry:
        return read_registry(self.content)

    def judge(self, form: str, *, environment: str = "R", sender: str = people.SENDER) -> Verdict:
        (read,), refusals = read_part(people.document(form), "FLAD", 500)
        assert refusals == []
        self.number += 1
        judge = Judge(self.registry(), Accounts(self.store, environment), sender, "FLAD", DAY)
        return judge.judge(read, f"T{self.number}")


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    court = Court(tmp_path)
    yield court
    court.store.close()


def said(verdict: Verdict) -> list[tuple[str, str, str, str]]:
    return [(one.code, one.kind, one.tag, one.value) for one in verdict.anomalies]


def test_a_training_of_a_known_worker_is_accepted(court: Court) -> None:
    verdict = court.judge(people.form())
    assert verdict.is_accepted
    assert verdict.anomalies == ()


def test_an_unknown_worker(court: Court) -> None:
    verdict = court.judge(people.form(INSS=people.NOBODY))
    assert not verdict.is_accepted
    assert said(verdict) == [("00024-179", "B", "INSS", people.NOBODY)]


def test_an_unknown_employer(court: Court) -> None:
    verdict = court.judge(people.form(CompanyID=people.UNKNOWN))
    assert said(verdict) == [("00014-017", "B", "CompanyID", people.UNKNOWN)]


def test_no_mandate(court: Court) -> None:
    court.content["employments"].append(
        {"employer": people.BAKERY, "niss": people.ANNA, "from": "2023-01-01", "to": None}
    )
    verdict = court.judge(people.form(CompanyID=people.BAKERY))
    assert said(verdict) == [("00011-155", "B", "CompanyID", people.BAKERY)]
    assert said(court.judge(people.form(), sender=people.OTHER))[0][0] == "00011-155"


def test_a_mandate_counts_on_the_day_of_sending(court: Court) -> None:
    mandate = court.content["mandates"][0]
    mandate["to"] = (DAY - dt.timedelta(days=1)).isoformat()
    assert said(court.judge(people.form()))[0][0] == "00011-155"
    mandate["to"] = DAY.isoformat()
    assert court.judge(people.form()).is_accepted


def test_dates_outside_the_employment(court: Court) -> None:
    over = people.form(INSS=people.BRAM, StartDate="2025-06-30", EndDate="2025-07-01")
    assert said(court.judge(over)) == [("99004-152", "B", "EndDate", "2025-07-01")]
    after = people.form(INSS=people.BRAM, StartDate="2025-07-01", EndDate="2025-07-02")
    assert [one[0] for one in said(court.judge(after))] == ["99003-152", "99004-152"]


def test_an_end_before_the_start(court: Court) -> None:
    assert said(court.judge(people.form(EndDate="2025-03-02"))) == [
        ("99004-003", "B", "EndDate", "2025-03-02")
    ]


def test_a_duplicate(court: Court) -> None:
    court.judge(people.form("OWN-1"))
    verdict = court.judge(people.form("OWN-2"))
    assert said(verdict) == [("99000-272", "B", "StartDate", "2025-03-03")]


def test_an_overlap(court: Court) -> None:
    court.judge(people.form())
    verdict = court.judge(people.form(Title="Other", StartDate="2025-03-04", EndDate="2025-03-05"))
    assert said(verdict) == [("99000-334", "B", "StartDate", "2025-03-04")]
    beside = people.form(Title="Other", StartDate="2025-03-05", EndDate="2025-03-06")
    assert court.judge(beside).is_accepted


def test_a_training_that_was_not_followed_occupies_no_day(court: Court) -> None:
    court.judge(people.form())
    assert court.judge(people.form(Title="Other", Status="NOT_FOLLOWED")).is_accepted
    assert court.judge(people.form(Title="Third", INSS=people.BRAM)).is_accepted


def test_refused_forms_leave_no_trace(court: Court) -> None:
    court.judge(people.form(), sender=people.OTHER)
    assert court.judge(people.form()).anomalies == ()


def test_longer_than_its_period_is_accepted_with_a_remark(court: Court) -> None:
    verdict = court.judge(people.form(DurationMinutes="913"))
    assert verdict.is_accepted
    assert said(verdict) == [("99005-420", "W", "DurationMinutes", "913")]


def test_charging_more_than_the_right_is_accepted_with_a_remark(court: Court) -> None:
    assert court.judge(people.form(ChargedMinutes="1500")).anomalies == ()
    verdict = court.judge(
        people.form(Title="B", StartDate="2025-04-01", EndDate="2025-04-02", ChargedMinutes="781")
    )
    assert verdict.is_accepted
    assert said(verdict) == [("99008-326", "W", "ChargedMinutes", "781")]
    other_year = people.form(Title="C", StartDate="2024-04-01", EndDate="2024-04-02", ChargedMinutes="9999")
    assert court.judge(other_year).anomalies == ()


def test_a_modification_replaces(court: Court) -> None:
    court.judge(people.form())
    moved = court.judge(people.form(status="1", earlier="T1", StartDate="2025-05-05", EndDate="2025-05-06"))
    assert moved.anomalies == ()
    assert court.judge(people.form("OWN-3")).is_accepted, "the old days are free again"


def test_a_modification_does_not_trip_over_itself(court: Court) -> None:
    court.judge(people.form(ChargedMinutes="2000"))
    verdict = court.judge(people.form(status="1", earlier="T1", ChargedMinutes="2280", Nature="Other"))
    assert verdict.anomalies == ()


def test_a_chain_of_modifications_may_quote_the_first_ticket(court: Court) -> None:
    court.judge(people.form())
    court.judge(people.form(status="1", earlier="T1", Nature="Second"))
    assert court.judge(people.form(status="1", earlier="T1", Nature="Third")).is_accepted
    assert court.judge(people.form(status="1", earlier="T3", Nature="Fourth")).is_accepted


def test_an_unknown_earlier_ticket(court: Court) -> None:
    verdict = court.judge(people.form(status="1", earlier="2532600000042"))
    assert said(verdict) == [("00022-003", "B", "ReferenceNbr", "2532600000042")]
    assert said(court.judge(people.form(status="3"))) == [("00022-003", "B", "ReferenceNbr", "")]


def test_a_cancellation_removes(court: Court) -> None:
    court.judge(people.form())
    assert court.judge(people.form(status="3", earlier="T1")).anomalies == ()
    assert said(court.judge(people.form(status="3", earlier="T1")))[0][0] == "00022-003"
    assert court.judge(people.form()).is_accepted


def test_a_ticket_of_another_employer_is_unknown(court: Court) -> None:
    court.content["mandates"].append(
        {"sender": people.SENDER, "employer": people.BAKERY, "application": "FLAD", "from": "2024-04-01"}
    )
    court.judge(people.form())
    verdict = court.judge(people.form(status="3", earlier="T1", CompanyID=people.BAKERY))
    assert said(verdict)[0][0] == "00022-003"


def test_environments_never_meet(court: Court) -> None:
    assert court.judge(people.form(), environment="T").is_accepted
    assert court.judge(people.form(), environment="S").is_accepted
    assert court.judge(people.form(), environment="R").is_accepted
    assert said(court.judge(people.form(status="3", earlier="T9"), environment="R"))[0][0] == "00022-003"
    assert said(court.judge(people.form(), environment="T"))[0][0] == "99000-272"


def test_the_date_of_the_form_is_this_year_or_last(court: Court) -> None:
    tomorrow = (DAY + dt.timedelta(days=1)).isoformat()
    assert said(court.judge(people.form(created_on=tomorrow)))[0][:3] == (
        "00218-003",
        "B",
        "FormCreationDate",
    )
    long_ago = f"{DAY.year - 2}-12-31"
    assert said(court.judge(people.form(created_on=long_ago)))[0][0] == "00218-003"


def test_the_location_points_at_the_element(court: Court) -> None:
    content = people.document(people.form("OWN-1"), people.form("OWN-2", INSS=people.NOBODY))
    forms, _ = read_part(content, "FLAD", 500)
    judge = Judge(court.registry(), Accounts(court.store, "R"), people.SENDER, "FLAD", DAY)
    assert judge.judge(forms[0], "A").is_accepted
    (anomaly,) = judge.judge(forms[1], "B").anomalies
    place = forms[1].element.getroottree().getroot()
    for rank in anomaly.location.split(",")[1:]:
        place = place[int(rank) - 1]
    assert place.text == people.NOBODY
    assert anomaly.location.startswith("1,2,")
