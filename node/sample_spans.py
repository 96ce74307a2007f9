"""What the limits of a field allow, and what is usual of that. Pure: no I/O, no
clock.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from math import ceil, floor

from forms.field import Field
from forms.kinds import KINDS, MAX_AGE, MAX_FILES
from forms.package import Package
from node.sample_words import FUTURE, NUMBERS

_FIRST_DAY, _LAST_DAY = date(1850, 1, 1).toordinal(), date(2199, 12, 31).toordinal()
_BEYOND = 10**15
"""One more than the highest number that a field takes."""


@dataclass(frozen=True, slots=True)
class Span:
    """What the limits of a field allow, `low` to `high`, and what is usual of that.

    Numbers count units of their last place, days are ordinals.
    """

    low: int
    high: int
    first: int
    last: int
    places: int = 0

    def holds(self, number: int) -> bool:
        """Say whether the limits allow a number."""
        return self.low <= number <= self.high


def spans_of(package: Package, today: date) -> dict[str, Span]:
    """Return the span of each field that can be filled, by key."""
    spans = {}
    for field in package.questions:
        # A file that need not be is left out: nobody has the file of a made-up digest.
        is_left_out = field.kind == "file" and not field.required
        if is_left_out or field.kind == "computed" or not KINDS[field.kind].answers:
            continue
        span = SPANS.get(field.kind, _no_span)(field, today)
        if span.low <= span.high:
            spans[field.key] = span
        elif field.required:
            raise ValueError(f"no answer fits the limits of {field.key!r} on {today}")
    return spans


def _no_span(_field: Field, _today: date) -> Span:
    return Span(0, 0, 0, 0)


def _number_span(field: Field, today: date, least: int, most: int) -> Span:
    """Count with the fewest places of which a number is between the limits."""
    first, last = next(usual for word, *usual in NUMBERS if tells(word, field))
    for place in range(least, most + 1):
        unit = 10**place
        low, high = 1 - _BEYOND * unit, _BEYOND * unit - 1
        if field.minimum is not None:
            low = ceil(_limit(field, field.minimum, today) * unit)
        if field.maximum is not None:
            high = floor(_limit(field, field.maximum, today) * unit)
        if low <= high:
            break
    return fit(low, high, first * unit, last * unit, place)


def _amount_span(field: Field, _today: date) -> Span:
    first, last = next(usual for word, *usual in NUMBERS if tells(word, field))
    return Span(0, 10**9, first, last)


def _day_span(field: Field, today: date) -> Span:
    low, high, now = _FIRST_DAY, _LAST_DAY, today.toordinal()
    if field.minimum is not None:
        low = int(_limit(field, field.minimum, today))
    if field.maximum is not None:
        high = int(_limit(field, field.maximum, today))
    usual = (now, now + 365) if tells(FUTURE, field) else (now - 3650, now)
    return fit(low, high, *usual)


def _birth_span(field: Field, today: date) -> Span:
    low = born_by(today, int(field.maximum or MAX_AGE) + 1) + 1
    high = born_by(today, int(field.minimum or 0))
    return Span(low, high, low, high)


def _file_span(field: Field, _today: date) -> Span:
    low = max(1, int(field.minimum or 1))
    high = MAX_FILES if field.maximum is None else int(field.maximum)
    return fit(low, high, low, low + 1)


SPANS: dict[str, Callable[[Field, date], Span]] = {
    "integer": partial(_number_span, least=0, most=0),
    "decimal": partial(_number_span, least=2, most=6),
    "amount_yuan": _amount_span,
    "date": _day_span,
    "citizen_id": _birth_span,
    "file": _file_span,
}


def _limit(field: Field, limit: str, today: date) -> Decimal:
    scale = KINDS[field.kind].scale
    assert scale is not None
    return scale.limit(limit, today)


def fit(low: int, high: int, first: int, last: int, places: int = 0) -> Span:
    """Move what is usual, `first` to `last`, to where it is allowed."""
    width = last - first
    if last < low:
        first, last = low, low + width
    elif first > high:
        first, last = high - width, high
    return Span(low, high, max(low, first), min(high, last), places)


def born_by(today: date, age: int) -> int:
    """Return the last day of birth with which one is `age` on `today`, as ordinal."""
    year = today.year - age
    if year < 1:
        return 0
    try:
        return today.replace(year=year).toordinal()
    except ValueError:  # 29 February: born the day before, one is just old enough
        return date(year, 2, 28).toordinal()


def birthday(born: int, age: int) -> int:
    """Return the day on which one who is born on an ordinal becomes `age`."""
    day = date.fromordinal(born)
    try:
        return day.replace(year=day.year + age).toordinal()
    except ValueError:  # 29 February, in a common year
        return date(day.year + age, 3, 1).toordinal()


def tells(words: str, field: Field) -> bool:
    """Say whether key or label of a field tells of one of the words, a pattern."""
    return re.search(words, f"{field.key} {field.label}") is not None


def spell(units: int, places: int) -> str:
    """Return a number of units of the last place as an answer."""
    if not places:
        return str(units)
    whole, rest = divmod(abs(units), 10**places)
    return f"{'-' if units < 0 else ''}{whole}.{rest:0{places}}"


def spell_day(ordinal: int) -> str:
    """Return an ordinal as an answer."""
    return date.fromordinal(ordinal).isoformat()
