"""Time as the receiving side sees it: a Belgian calendar over UTC instants."""

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def _belgian() -> tzinfo:
    try:
        return ZoneInfo("Europe/Brussels")
    except ZoneInfoNotFoundError:  # a machine without a time-zone database: UTC is at most two hours late
        return UTC


BRUSSELS = _belgian()


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The present day in Belgium."""
    return now().astimezone(BRUSSELS).date()


def form_stamp(moment: datetime) -> tuple[str, str]:
    """FormCreationDate (`YYYY-MM-DD`) and FormCreationHour (`HH:MM:SS.mmm`) of an answer."""
    local = moment.astimezone(BRUSSELS)
    return local.date().isoformat(), f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"
