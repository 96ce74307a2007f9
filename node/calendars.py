"""The published working calendar: a signed table a year, from the district to all.

It travels as an entry of the `public` stream, in which only who may write the roster
may write; see `node.other_entries`. A year may be published again: the higher version
is in force, wherever it came first. How days are reckoned stands in `node.workdays`.
"""

from dataclasses import dataclass
from datetime import date

from node import audit, journal, row_again
from node.store.journal import StoredEntry
from node.store.registry import CalendarRow
from node.wiring import Node
from node.workdays import MAX_WORKDAYS, Calendar, PublishedTable, YearTable, fault_of
from sync.canonical import decode, encode
from sync.errors import Malformed
from sync.identity import PUBLIC
from sync.stream import KIND_CALENDAR

TABLE_LIMIT_BYTES = 16 * 1024
MAX_VERSION = 2**31
NOTICE_AFTER = (11, 15)
"""(month, day) after which next year's table is missed.

Source: the State Council's notices come out in the first half of November (2025-11-04
for 2026).
"""


def publish(node: Node, table: YearTable) -> tuple[int, bool]:
    """Publish a year's table; return (version in force, was it new?).

    Inside a transaction of whoever has seen that this node may, see `node.upkeep`.
    """
    held = {row.year: row for row in node.store.registry.current_calendars()}
    present = held.get(table.year)
    if present and table in node.calendar.tables:
        return present.version, False
    version = present.version + 1 if present else 1
    payload = encode(PublishedTable(version, table))
    row = journal.append(node, PUBLIC, KIND_CALENDAR, b"", payload, node.now_ms())
    stored = node.store.journal.entry(row)
    assert stored is not None
    before = node.calendar
    take(node, stored)
    tell_of_change(node, before)
    audit.record(
        node,
        audit.PUBLISH_CALENDAR,
        str(table.year),
        note=table.source,
        by=node.operator,
    )
    return version, True


def take(node: Node, stored: StoredEntry) -> None:
    """Keep a table that was published; also on `rebuild`.

    Raises:
        Malformed: it cannot be read, or no year has such days.
    """
    assert stored.entry.payload is not None
    published = decode(
        stored.entry.payload, PublishedTable, limit_bytes=TABLE_LIMIT_BYTES
    )
    fault = fault_of(published.table)
    if not 0 < published.version < MAX_VERSION:
        fault = "its version is out of limits"
    if fault:
        raise Malformed("calendar", fault)
    node.store.registry.put_calendar(
        CalendarRow(
            stored.row,
            published.table.year,
            published.version,
            stored.entry.written_at_ms,
            stored.entry.payload,
        )
    )


def tell_of_change(node: Node, before: Calendar) -> None:
    """Call `on_change` if another calendar is in force than before."""
    if node.calendar != before:
        on_change(node, before, node.calendar)


def on_change(node: Node, old: Calendar, new: Calendar) -> None:
    """Reckon again what leans on the calendar 时限重算.

    The rows of all cases that lean on a day that is now another are made again, and
    it is written down if any day in them has moved. Runs in the transaction in which
    a table was published or has come; never on `rebuild`, since a rebuild writes
    nothing down.
    """
    span = old.differs_within(new)
    if span is None:
        return
    first, last = (day.isoformat() for day in span)
    documents = node.store.cases.reckoned_within(first, last)
    moved = sum(row_again.make(node, one) for one in documents)
    if moved:
        audit.record(
            node,
            audit.RECKON_AGAIN,
            f"{first}/{last}",
            note=str(moved),
            by=node.operator,
        )


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the published calendar reaches, seen from `today`.

    Attributes:
        today: civil date in China.
        provisional_from: the first day from today on whose year has no table.
        missing_year: the first year whose table should be published by now, or 0.
    """

    today: date
    provisional_from: date
    missing_year: int


def reach_of(calendar: Calendar, today: date) -> Reach:
    """Return how far a calendar reaches."""
    return Reach(today, calendar.provisional_from(today), missing_year(calendar, today))


def items_beyond(node: Node, today: date) -> int:
    """Return how many present items, if accepted today, would be due on a day that is
    provisional. Reads all of them: a third of a second for a district's catalogue.
    """
    packages = (
        node.package(row.digest) for row in node.store.registry.current_packages()
    )
    promised = [p.item.promise_workdays for p in packages if p]
    return sum(
        node.calendar.add_workdays(today, workdays).is_provisional
        for workdays in promised
        if 0 < workdays <= MAX_WORKDAYS
    )


def missing_year(calendar: Calendar, today: date) -> int:
    """Return the first year whose table should be published by `today`, or 0."""
    if not calendar.knows(today.year):
        return today.year
    is_time = (today.month, today.day) > NOTICE_AFTER
    return today.year + 1 if is_time and not calendar.knows(today.year + 1) else 0
