"""Working days: what was published, what nobody has published yet, and any date."""

import locale
import time
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.calendar_source import known_tables
from node.workdays import MAX_WORKDAYS, Calendar, Count, Day, Due, YearTable

KNOWN = Calendar(known_tables(2004))
YEARS = range(2004, 2027)
MADE_UP_2026 = ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]

days = st.dates(date(2003, 1, 1), date(2029, 12, 31))
limits = st.integers(0, 300)


@pytest.mark.parametrize(
    ("accepted", "workdays", "due"),
    [
        ("2026-02-10", 5, "2026-02-24"),  # Monday to Friday would fall in the holiday
        ("2026-09-18", 7, "2026-09-29"),  # a Sunday that is worked, then Mid-autumn
        ("2026-09-28", 20, "2026-10-30"),  # National Day; naive would be 10-26
        ("2026-11-21", 20, "2026-12-18"),  # taken in on a Saturday
        ("2026-02-13", 1, "2026-02-14"),  # a made-up Saturday counts
        ("2026-12-30", 1, "2026-12-31"),
    ],
)
def test_limits_are_counted_by_the_published_calendar(
    accepted: str, workdays: int, due: str
) -> None:
    found = KNOWN.add_workdays(date.fromisoformat(accepted), workdays)

    assert found == Due(date.fromisoformat(due), is_provisional=False)


def test_all_made_up_days_of_2026_are_worked_and_no_other_weekend() -> None:
    worked = [
        f"{day:%m-%d}"
        for day in (date(2026, 1, 1) + timedelta(n) for n in range(365))
        if day.weekday() >= 5 and KNOWN.is_workday(day)
    ]

    assert worked == MADE_UP_2026


def test_every_known_year_has_as_many_working_days_as_a_year_can_have() -> None:
    for year in YEARS:
        count = KNOWN.workdays_between(date(year - 1, 12, 31), date(year, 12, 31))
        assert 240 <= count.workdays <= 256 and not count.is_provisional, year


# -- a year that nobody has published ------------------------------------------------


def test_what_leans_on_a_year_without_a_table_is_provisional() -> None:
    """The 30th working day after 2026-11-21 lies in 2027; the package just fails."""
    found = KNOWN.add_workdays(date(2026, 11, 21), 30)

    assert found == Due(date(2027, 1, 4), is_provisional=True)
    assert KNOWN.workdays_between(date(2026, 11, 21), found.on) == Count(30, True)


def test_an_unknown_year_is_monday_to_friday_less_the_days_that_never_move() -> None:
    free = [
        day
        for day in (date(2027, 1, 1) + timedelta(n) for n in range(365))
        if day.weekday() < 5 and not KNOWN.is_workday(day)
    ]

    # 2027-05-01, 05-02, 10-02 and 10-03 are weekends.
    assert free == [date(2027, 1, 1), date(2027, 10, 1)]


@pytest.mark.parametrize(
    ("start", "end", "is_provisional"),
    [
        ("2026-12-31", "2026-12-31", False),  # nothing is counted
        ("2003-12-31", "2004-01-02", False),  # day zero is not counted
        ("2003-12-30", "2004-01-02", True),
        ("2026-12-31", "2027-01-01", True),
        ("2026-01-01", "2026-12-31", False),
        ("2003-01-01", "2030-01-01", True),
    ],
)
def test_a_count_is_provisional_by_the_days_it_counts(
    start: str, end: str, is_provisional: bool
) -> None:
    a, b = date.fromisoformat(start), date.fromisoformat(end)

    assert KNOWN.workdays_between(a, b).is_provisional is is_provisional
    assert KNOWN.workdays_between(b, a).is_provisional is is_provisional


def test_a_gap_between_known_years_is_seen() -> None:
    tables = [table for table in KNOWN.tables if table.year != 2025]
    gapped = Calendar(tables)

    assert gapped.provisional_from(date(2024, 5, 6)) == date(2025, 1, 1)
    assert gapped.provisional_from(date(2025, 5, 6)) == date(2025, 5, 6)
    assert gapped.provisional_from(date(2026, 5, 6)) == date(2027, 1, 1)
    assert gapped.workdays_between(date(2024, 12, 1), date(2026, 2, 1)).is_provisional


def test_a_calendar_of_nothing_reckons_and_says_that_it_does_not_know() -> None:
    assert Calendar().add_workdays(date(2026, 2, 10), 5) == Due(date(2026, 2, 17), True)
    assert Calendar().next_workday(date(2026, 5, 1)) == Due(date(2026, 5, 4), True)


def test_the_table_of_next_year_moves_what_was_provisional() -> None:
    new_year = YearTable(
        2027, tuple(Day(date(2027, 1, d), "元旦") for d in (1, 4)), (), "通知"
    )
    whole = Calendar([*KNOWN.tables, new_year])

    assert whole.add_workdays(date(2026, 11, 21), 30) == Due(date(2027, 1, 5), False)
    assert whole != KNOWN


# -- rest days, dates at the edge ------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "onward"),
    [
        ("2026-02-17", "2026-02-24"),  # Spring Festival
        ("2026-02-28", "2026-02-28"),  # a made-up Saturday is a working day
        ("2026-03-01", "2026-03-02"),
        ("2026-03-02", "2026-03-02"),
    ],
)
def test_what_comes_on_a_rest_day_counts_from_the_next_working_day(
    day: str, onward: str
) -> None:
    found = KNOWN.next_workday(date.fromisoformat(day))

    assert found == Due(date.fromisoformat(onward), is_provisional=False)


@pytest.mark.parametrize("day", [date.min, date.max, date(9999, 12, 1)])
def test_a_clock_that_is_wrong_by_thousands_of_years_stops_nobody(day: date) -> None:
    assert KNOWN.add_workdays(day, MAX_WORKDAYS).is_provisional
    assert KNOWN.next_workday(day).on >= day
    assert KNOWN.workdays_between(day, day) == Count(0, False)
    assert KNOWN.provisional_from(day) == day


@pytest.mark.parametrize("workdays", [-1, MAX_WORKDAYS + 1])
def test_a_limit_that_cannot_be_is_refused(workdays: int) -> None:
    with pytest.raises(ValueError):
        KNOWN.add_workdays(date(2026, 1, 1), workdays)


# -- any date -----------------------------------------------------------------------


@given(days, limits)
def test_counting_back_gives_the_limit_again(day: date, workdays: int) -> None:
    due = KNOWN.add_workdays(day, workdays)
    left = KNOWN.workdays_between(day, due.on)

    assert left.workdays == workdays
    assert left.is_provisional is due.is_provisional
    assert KNOWN.workdays_between(due.on, day).workdays == -workdays


@given(days, st.integers(1, 60))
def test_counting_back_from_a_day_is_what_one_finds_day_by_day(
    day: date, workdays: int
) -> None:
    before = (day - timedelta(days=n) for n in range(1, 400))
    worked = [one for one in before if KNOWN.is_workday(one)]

    assert KNOWN.workday_before(day, workdays) == worked[workdays - 1]


@given(days, limits)
def test_a_due_date_is_a_working_day_and_one_more_is_later(
    day: date, workdays: int
) -> None:
    due = KNOWN.add_workdays(day, workdays)
    one_more = KNOWN.add_workdays(day, workdays + 1)

    assert workdays == 0 or KNOWN.is_workday(due.on)
    assert one_more.on > due.on >= day
    assert one_more.is_provisional >= due.is_provisional


@given(days, days, limits)
def test_who_is_accepted_earlier_is_never_due_later(
    a: date, b: date, workdays: int
) -> None:
    first, second = sorted([a, b])

    assert (
        KNOWN.add_workdays(first, workdays).on
        <= KNOWN.add_workdays(second, workdays).on
    )


@given(days, days)
def test_a_count_is_what_one_finds_day_by_day(a: date, b: date) -> None:
    first, last = sorted([a, b])
    walked = sum(
        KNOWN.is_workday(first + timedelta(n))
        for n in range(1, (last - first).days + 1)
    )

    assert KNOWN.workdays_between(first, last).workdays == walked


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Anchorage", "UTC"])
@pytest.mark.parametrize("words", ["C", "C.UTF-8"])
def test_neither_time_zone_nor_locale_moves_a_day(
    monkeypatch: pytest.MonkeyPatch, zone: str, words: str
) -> None:
    before = locale.setlocale(locale.LC_ALL)
    monkeypatch.setenv("TZ", zone)
    try:
        time.tzset()
        locale.setlocale(locale.LC_ALL, words)

        due = Calendar(known_tables(2025)).add_workdays(date(2026, 9, 28), 20)
    finally:
        locale.setlocale(locale.LC_ALL, before)
        monkeypatch.undo()
        time.tzset()

    assert due == Due(date(2026, 10, 30), is_provisional=False)
