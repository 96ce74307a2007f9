"""A table of days that an office writes: 日期, 休 or 班, 名称 in each line. Pure.

A CSV file as a spreadsheet saves it. Free Saturdays and Sundays may stand in it, as in
the notice of the State Council; they change nothing and are left out.
"""

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from node.errors import CalendarRefused, LineFault
from node.workdays import (
    FIRST_YEAR,
    LAST_YEAR,
    NAME_LIMIT,
    Day,
    YearTable,
    fixed_rest,
    is_weekend,
)

FILE_LIMIT_BYTES = 256 * 1024
MOST_LINES = 2000
REST, WORK = "休", "班"
HEADING = "日期"
FIXED_SINCE = 2025
"""From this year on the law names the days that `fixed_rest` gives."""

_DATE = re.compile(r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?")
_SHOWN = 20


def read_tables(data: bytes, source: str) -> list[YearTable]:
    """Return a table for each year that a file speaks of, by year.

    Args:
        data: the file; UTF-8, or GB 18030 as older spreadsheets write.
        source: for people, where the days come from.

    Raises:
        CalendarRefused: with all that is wrong, by line.
    """
    faults: list[LineFault] = []
    found: dict[date, tuple[str, str]] = {}
    for number, cells in _lines(data):
        fault, day = _read(cells)
        if not fault and day and day[0] in found:
            fault = "twice"
        if fault:
            faults.append(LineFault(number, fault, ",".join(cells)[:_SHOWN]))
        elif day:
            found[day[0]] = day[1], day[2]
    if not found and not faults:
        faults.append(LineFault(0, "empty"))
    if not faults:
        faults += _missing(found)
    if faults:
        raise CalendarRefused(faults)
    return _tables(found, source)


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line that says something, and its cells.

    Raises:
        CalendarRefused: it is no text, or too long.
    """
    text = _text(data)
    if text is None or "\0" in text:
        raise CalendarRefused([LineFault(0, "unreadable")])
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise CalendarRefused([LineFault(0, "too-many")])
    for number, line in enumerate(lines, start=1):
        # A line by itself: a quotation mark that is not closed harms one line only.
        try:
            row = next(csv.reader(io.StringIO(line)), [])
        except csv.Error:
            row = [line]
        cells = [unicodedata.normalize("NFKC", cell).strip() for cell in row]
        if any(cells) and not (number == 1 and cells[0] == HEADING):
            yield number, cells


def _text(data: bytes) -> str | None:
    if len(data) > FILE_LIMIT_BYTES:
        return None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _read(cells: list[str]) -> tuple[str, tuple[date, str, str] | None]:
    """Return (what is wrong, (day, kind, name)): the first is empty or the second."""
    while cells and not cells[-1]:
        cells = cells[:-1]
    if not 2 <= len(cells) <= 3:
        return "columns", None
    on = _date(cells[0])
    name = cells[2] if len(cells) == 3 else ""
    if on is None:
        return "date", None
    if cells[1] not in (REST, WORK):
        return "kind", None
    if len(name) > NAME_LIMIT or not name.isprintable():
        return "name", None
    if cells[1] == WORK and not is_weekend(on):
        return "working", None
    return "", (on, cells[1], name)


def _date(text: str) -> date | None:
    found = _DATE.fullmatch(text)
    if not found:
        return None
    year, month, day = map(int, found.groups())
    try:
        on = date(year, month, day)
    except ValueError:
        return None
    return on if FIRST_YEAR <= year <= LAST_YEAR else None


def _missing(found: dict[date, tuple[str, str]]) -> list[LineFault]:
    """Return which statutory days a file lacks: then it was cut off, or is of less
    than a year, and everything that it does not name would be worked.
    """
    years = {on.year for on in found}
    return [
        LineFault(0, "fixed", day.isoformat())
        for year in sorted(years)
        if year >= FIXED_SINCE
        for day in sorted(fixed_rest(year))
        if not is_weekend(day) and found.get(day, ("", ""))[0] != REST
    ]


def _tables(found: dict[date, tuple[str, str]], source: str) -> list[YearTable]:
    rest: dict[int, list[Day]] = defaultdict(list)
    work: dict[int, list[Day]] = defaultdict(list)
    for on, (kind, name) in sorted(found.items()):
        if kind == WORK:
            work[on.year].append(Day(on, name))
        elif not is_weekend(on):
            rest[on.year].append(Day(on, name))
    return [
        YearTable(year, tuple(rest[year]), tuple(work[year]), source)
        for year in sorted(rest.keys() | work.keys())
    ]
