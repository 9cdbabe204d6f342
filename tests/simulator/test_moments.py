"""The Belgian calendar of the receiving side."""

from datetime import UTC, datetime

from simulator.moments import BRUSSELS, form_stamp, now, today


def test_the_day_begins_in_belgium() -> None:
    assert form_stamp(datetime(2025, 6, 30, 22, 15, 7, 8999, tzinfo=UTC)) == ("2025-07-01", "00:15:07.008")
    assert form_stamp(datetime(2025, 12, 31, 22, 59, 59, 999999, tzinfo=UTC)) == (
        "2025-12-31",
        "23:59:59.999",
    )


def test_today_is_the_belgian_day() -> None:
    before = now().astimezone(BRUSSELS).date()
    assert before <= today() <= now().astimezone(BRUSSELS).date()
    assert now().tzinfo is UTC
