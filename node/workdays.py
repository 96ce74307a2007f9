"""Working days by published year tables. Pure: no I/O, no clock.

Once a year the State Council says which days of Monday to Friday are free and which
Saturdays and Sundays are worked (调休). A year without such a table is reckoned as
Monday to Friday less the statutory days that do not move with the moon; what leans on
such a year is 暂定, provisional, and changes when the table comes.

Days are civil dates in China; no time zone and no locale plays a part.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta
from itertools import pairwise

from sync.canonical import Record

FIXED_REST: tuple[tuple[int, int], ...] = (
    (1, 1),  # 元旦
    (5, 1),  # 劳动节
    (5, 2),
    (10, 1),  # 国庆节
    (10, 2),
    (10, 3),
)
"""(month, day) of the statutory days that are the same each year.

Source: 全国年节及纪念日放假办法 of 2024. Those after the moon, and what is moved around
each, are only known from the year's notice.
"""

SATURDAY = 5
FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Of which a table can be published; of any other it would be a slip."""
NAME_LIMIT, SOURCE_LIMIT = 20, 60
MOST_REST, MOST_WORK = 60, 30
"""Days of one table. The years 2004 to 2026 have 23 and 12 at most."""
MAX_WORKDAYS = 5000
"""The longest limit that is reckoned, about twenty years."""


class Day(Record, frozen=True):
    """One day that is not as its weekday would have it, and the holiday behind it."""

    on: date
    name: str


class YearTable(Record, frozen=True):
    """What was published for one year.

    `rest` are the free days of Monday to Friday, `work` the Saturdays and Sundays that
    are worked, both in order; `source` says for people where they come from.
    """

    year: int
    rest: tuple[Day, ...]
    work: tuple[Day, ...]
    source: str


class PublishedTable(Record, frozen=True):
    """A year's table as it travels. Of one year the highest `version`, 1 or more, is
    in force.
    """

    version: int
    table: YearTable


@dataclass(frozen=True, slots=True)
class Due:
    """A day that was reckoned; provisional 暂定 if a year on the way has no table."""

    on: date
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class Count:
    """A number of working days, negative backwards; provisional as in `Due`."""

    workdays: int
    is_provisional: bool


class Calendar:
    """All published years. Never changed; the days of a year are listed once."""

    def __init__(self, tables: Iterable[YearTable] = ()) -> None:
        """Use tables; of two for one year the later in order."""
        self._tables = {table.year: table for table in tables}
        self._listed: dict[int, list[int]] = {}

    def __eq__(self, other: object) -> bool:
        """Say whether the same was published."""
        return isinstance(other, Calendar) and self._tables == other._tables

    __hash__ = None  # type: ignore[assignment]  # compared, never a key

    @property
    def tables(self) -> tuple[YearTable, ...]:
        """The tables, by year."""
        return tuple(table for _, table in sorted(self._tables.items()))

    def knows(self, year: int) -> bool:
        """Say whether a year's table is published; all else of it is provisional."""
        return year in self._tables

    def provisional_from(self, day: date) -> date:
        """Return the first day from `day` on whose year has no table."""
        year = day.year
        while year < MAXYEAR and self.knows(year):
            year += 1
        return max(day, date(year, 1, 1))

    def is_workday(self, day: date) -> bool:
        """Say whether a day is worked; provisional unless `knows(day.year)`."""
        days = self._days(day.year)
        at = bisect_left(days, day.toordinal())
        return at < len(days) and days[at] == day.toordinal()

    def add_workdays(self, day: date, workdays: int) -> Due:
        """Return the `workdays`-th working day after `day`, which is never counted.

        0 gives the day itself. Who counts beyond the year 9999 is given its last day:
        a wrong clock must not stop anybody.

        Raises:
            ValueError: `workdays` is not within 0 to `MAX_WORKDAYS`.
        """
        if not 0 <= workdays <= MAX_WORKDAYS:
            raise ValueError(f"{workdays} working days cannot be reckoned")
        if workdays == 0:
            return Due(day, is_provisional=False)
        year, days = day.year, self._days(day.year)
        at = bisect_right(days, day.toordinal()) + workdays - 1
        # The day itself is not counted: on New Year's Eve nothing leans on its year.
        is_provisional = year not in self._tables and (day.month, day.day) != (12, 31)
        while at >= len(days):
            if year == MAXYEAR:
                return Due(date.max, is_provisional=True)
            at -= len(days)
            year += 1
            days = self._days(year)
            is_provisional |= year not in self._tables
        return Due(date.fromordinal(days[at]), is_provisional)

    def workday_before(self, day: date, workdays: int) -> date:
        """Return the `workdays`-th working day before `day`, which is never counted.

        Raises:
            ValueError: `workdays` is not within 1 to `MAX_WORKDAYS`.
        """
        if not 1 <= workdays <= MAX_WORKDAYS:
            raise ValueError(f"{workdays} working days cannot be reckoned")
        year = day.year
        at = bisect_left(self._days(year), day.toordinal()) - workdays
        while at < 0:
            year -= 1
            at += len(self._days(year))
        return date.fromordinal(self._days(year)[at])

    def differs_within(self, other: "Calendar") -> tuple[date, date] | None:
        """Return the first and the last day that one works and the other does not."""
        years = self._tables.keys() | other._tables.keys()
        days = [
            day
            for year in years
            if self._tables.get(year) != other._tables.get(year)
            for day in set(self._days(year)) ^ set(other._days(year))
        ]
        if not days:
            return None
        return date.fromordinal(min(days)), date.fromordinal(max(days))

    def next_workday(self, day: date) -> Due:
        """Return `day` where it is worked, or the first day after it that is."""
        if self.is_workday(day):
            return Due(day, is_provisional=not self.knows(day.year))
        found = self.add_workdays(day, 1)
        return Due(found.on, found.is_provisional or not self.knows(day.year))

    def workdays_between(self, start: date, end: date) -> Count:
        """Return how many working days follow `start`, up to and with `end`.

        Days that are left when `start` is today and `end` the due date; below 0, days
        that it is late. So `add_workdays(a, n).on == b` gives n again.
        """
        if end < start:
            back = self.workdays_between(end, start)
            return Count(-back.workdays, back.is_provisional)
        if start == end:
            return Count(0, is_provisional=False)
        first = start + timedelta(days=1)
        return Count(
            sum(len(self._days(year)) for year in range(start.year, end.year))
            + bisect_right(self._days(end.year), end.toordinal())
            - bisect_right(self._days(start.year), start.toordinal()),
            not all(self.knows(year) for year in range(first.year, end.year + 1)),
        )

    def _days(self, year: int) -> list[int]:
        """Return the ordinals of a year's working days."""
        found = self._listed.get(year)
        if found is None:
            found = self._listed[year] = _listed(year, self._tables.get(year))
        return found


def fault_of(table: YearTable) -> str:
    """Return why a table cannot be one, in English for lists; empty if it can.

    What another node has published is judged by this, so it depends on nothing else.
    """
    if not FIRST_YEAR <= table.year <= LAST_YEAR:
        return "a year that no table can be of"
    if len(table.rest) > MOST_REST or len(table.work) > MOST_WORK:
        return "more days than a year can have"
    if not 0 < len(table.source) <= SOURCE_LIMIT or not table.source.isprintable():
        return "its source is out of limits"
    for days, of_weekend in ((table.rest, False), (table.work, True)):
        dates = [day.on for day in days]
        if any(on.year != table.year or is_weekend(on) != of_weekend for on in dates):
            return "a day that is of another year, or of another weekday"
        if any(one >= other for one, other in pairwise(dates)):
            return "days that are not in order, or stand there twice"
        if any(len(d.name) > NAME_LIMIT or not d.name.isprintable() for d in days):
            return "the name of a day is out of limits"
    return ""


def is_weekend(day: date) -> bool:
    """Say whether a day is a Saturday or a Sunday."""
    return day.weekday() >= SATURDAY


def fixed_rest(year: int) -> set[date]:
    """Return the statutory days of a year that do not move with the moon."""
    return {date(year, month, day) for month, day in FIXED_REST}


def _listed(year: int, table: YearTable | None) -> list[int]:
    rest = {day.on for day in table.rest} if table else fixed_rest(year)
    work = {day.on for day in table.work} if table else set()
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    days = map(date.fromordinal, range(first, last + 1))
    return [
        day.toordinal()
        for day in days
        if day in work or not (is_weekend(day) or day in rest)
    ]
