"""Where year tables come from when nobody has written one: the package
`chinesecalendar`, and this is its one door.

It is imported when a district publishes, and by nobody else; it needs the extra
`author`. A year is only taken whole, so the package's own horizon never shows.
"""

from collections import defaultdict
from datetime import date
from importlib import metadata

from node.errors import CalendarSourceMissing
from node.workdays import NAME_LIMIT, Day, YearTable, is_weekend

PACKAGE = "chinesecalendar"

NAMES: dict[str, str] = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利纪念日",
}
"""What the package calls a holiday, and how people do."""


def known_tables(first_year: int) -> list[YearTable]:
    """Return the tables of all years that the package knows from `first_year` on.

    Raises:
        CalendarSourceMissing: the package is not installed.
    """
    try:
        from chinese_calendar import constants
    except ModuleNotFoundError as error:
        raise CalendarSourceMissing from error
    rest = _by_year(constants.holidays, of_weekend=False)
    work = _by_year(constants.workdays, of_weekend=True)
    source = f"{PACKAGE} {metadata.version(PACKAGE)}"
    return [
        YearTable(year, rest[year], work.get(year, ()), source)
        for year in sorted(rest)
        if year >= first_year
    ]


def _by_year(named: dict[date, str], *, of_weekend: bool) -> dict[int, tuple[Day, ...]]:
    """Return what differs from the weekday, by year and in order."""
    found: dict[int, list[Day]] = defaultdict(list)
    for on, name in sorted(named.items()):
        if is_weekend(on) == of_weekend:
            found[on.year].append(Day(on, NAMES.get(name, name[:NAME_LIMIT])))
    return {year: tuple(days) for year, days in found.items()}
