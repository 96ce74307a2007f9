"""Dates and times as texts, moments and days. Pure: no I/O, no clock.

A date without an offset begins at midnight of the given zone, so its number of days
since 1970-01-01 UTC has a fraction everywhere but in UTC. Two dates of one zone are
whole days apart, which is what forms count.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

INVALID = "Invalid Date"
"""The text of a date that is none, as other OpenRosa programs write it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400
# Days are multiples of 2 ** -37 (0.6 microseconds), which a double holds exactly from
# 1790 to 2149. Else two midnights in China are 7510.000000000002 days apart.
_QUANTA = 2**37

_TIME = (
    r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,9}))?)?"
    r"(Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?"
)
_MOMENT = re.compile(rf"([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})(?:T{_TIME})?")
_TIME_ONLY = re.compile(_TIME)

# Not by strftime: its names follow the locale of the process.
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"]
_MONTHS += ["Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
# Chinese forms show Chinese names; all other languages the English ones.
_CHINESE_MONTHS = [f"{month}月" for month in range(1, 13)]
_CHINESE_WEEKDAYS = [f"周{day}" for day in "一二三四五六日"]
_CHINESE = re.compile(r"zh\b|chinese|中文|汉语", re.IGNORECASE)

_PART = re.compile(r"%(.)", re.DOTALL)


def read_moment(text: str, zone: tzinfo) -> datetime | None:
    """Return the moment of a date, or of a date with time; None if it is neither."""
    found = _MOMENT.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        return datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            _microseconds(fraction),
            tzinfo=_zone(offset, zone),
        )
    except ValueError:
        return None


def days(moment: datetime) -> float:
    """Return the days since 1970-01-01 UTC, with their fraction.

    Two midnights of one zone are a whole number of days apart, exactly.
    """
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    return (microseconds * _QUANTA // (_DAY_S * 1_000_000)) / _QUANTA


def moment_of(number: float, zone: tzinfo) -> datetime | None:
    """Return the moment so many days after 1970-01-01 UTC, to the millisecond."""
    try:
        milliseconds = round(number * _DAY_S * 1000)
        return (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(zone)
    except (OverflowError, ValueError):  # NaN, infinite, before 1 or after 9999
        return None


def write_moment(moment: datetime | None, zone: tzinfo) -> str:
    """Return a date if it is midnight in the zone, else date, time and offset."""
    if moment is None:
        return INVALID
    try:
        local = moment.astimezone(zone)
    except (OverflowError, ValueError):
        return INVALID
    if (local.hour, local.minute, local.second, local.microsecond // 1000) == (0,) * 4:
        return f"{local.year:04}-{local.month:02}-{local.day:02}"
    return local.isoformat(timespec="milliseconds")


def day_fraction(text: str, now: datetime) -> float | None:
    """Return a time of day as a part of the day in the zone of `now`, 0.5 at noon.

    A time with an offset is moved to that zone, with the offset that holds now.
    """
    found = _TIME_ONLY.fullmatch(text)
    if not found:
        return None
    hour, minute, second, fraction, offset = found.groups()
    seconds: float = int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    seconds += _microseconds(fraction) / 1e6
    here = now.utcoffset()
    there = _zone(offset, None)
    if there is not None and here is not None:
        shift = here - there.utcoffset(now)  # type: ignore[operator]
        seconds = (seconds + shift.total_seconds()) % _DAY_S
    return seconds / _DAY_S


def format_moment(moment: datetime | None, pattern: str, language: str) -> str:
    """Return the moment with each `%x` of the pattern filled in; empty if None."""
    if moment is None:
        return ""
    chinese = _CHINESE.search(language) is not None
    months = _CHINESE_MONTHS if chinese else _MONTHS
    weekdays = _CHINESE_WEEKDAYS if chinese else _WEEKDAYS
    parts = {
        "Y": f"{moment.year:04}",
        "y": f"{moment.year % 100:02}",
        "m": f"{moment.month:02}",
        "n": f"{moment.month}",
        "b": months[moment.month - 1],
        "d": f"{moment.day:02}",
        "e": f"{moment.day}",
        "a": weekdays[moment.weekday()],
        "W": f"{moment.isocalendar().week:02}",
        "H": f"{moment.hour:02}",
        "h": f"{moment.hour}",
        "M": f"{moment.minute:02}",
        "S": f"{moment.second:02}",
        "3": f"{moment.microsecond // 1000:03}",
        "%": "%",
    }
    return _PART.sub(lambda found: parts.get(found[1], found[0]), pattern)


def _microseconds(fraction: str | None) -> int:
    return int((fraction or "0").ljust(6, "0")[:6])


def _zone(offset: str | None, otherwise: tzinfo | None) -> tzinfo | None:
    if offset is None:
        return otherwise
    if offset == "Z":
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[-2:] if len(offset) > 3 else 0)
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
