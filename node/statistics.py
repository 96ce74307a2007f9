"""What is counted of cases: measures, and by what they are grouped.

All figures come from the ledger, so that they follow from entries and the calendar, and
two nodes that hold the same give the same. Which cases are seen is a `Cut`; its mark
names what exactly was counted, so that two reports can be compared before their figures
are.
"""

import csv
import io
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from node import audit
from node.errors import Ambiguous, NotFound
from node.places import place_names
from node.store.ledger import COUNTS, Counted, Cut
from node.wiring import Node
from sync import seal
from sync.canonical import encode
from sync.identity import own_prefix

FORMULA_BEGINS = tuple("=+-@＝＋－＠")
"""What a spreadsheet takes for a formula, at the start of a cell; in Chinese or
Japanese it takes the full-width letters too.
"""
MARK_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: a count, or a share of one count in another.

    `of` is the key of the denominator, "" for a mere count. Both stand in
    `node.store.ledger.COUNTS`.
    """

    count: str
    of: str = ""


MEASURES: tuple[Measure, ...] = (
    Measure("received"),
    Measure("accepted"),
    Measure("decided"),
    Measure("granted"),
    Measure("refused"),
    Measure("declined"),
    Measure("withdrawn"),
    Measure("terminated"),
    Measure("delivered"),
    Measure("same_day", "decided"),
    Measure("on_time", "decided"),
    Measure("overdue"),
    Measure("promise_workdays", "legal_workdays"),
    Measure("urgent"),
    Measure("trips_promised", "trips_known"),
    Measure("trips", "trips_known"),
    Measure("zero_site", "decided"),
    Measure("zero_post", "decided"),
    Measure("zero_both", "decided"),
    Measure("points"),
    Measure("rating", "rated"),
)
"""All that a report says, in its order."""


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of a group: its key, what names it, and the counts."""

    key: str
    name: str
    counts: Counted


@dataclass(frozen=True, slots=True)
class Report:
    """What was counted.

    `total` are the counts of all rows together; `mark` is the same on two nodes if they
    have counted the same: the entries of these cases, the calendar, the day.
    """

    group: str
    cut: Cut
    rows: tuple[Row, ...]
    total: Counted
    mark: str


def cut(
    node: Node, first: str = "", last: str = "", place: str = "", as_of: str = ""
) -> Cut:
    """Return what is to be counted.

    Args:
        node: where it is counted.
        first: ISO date of the first day of receipt; "" for all.
        last: ISO date of the last, included; "" for all.
        place: division or name of where cases were taken in; "" for this node's own
            and all below it.
        as_of: ISO date from which open cases are looked at; "" for today.

    Raises:
        NotFound: no place is called so here.
        Ambiguous: more than one place is called so.
    """
    today = as_of or node.today().isoformat()
    return Cut(today, first, last, place_prefix(node, place))


def month_cut(node: Node, month: str, place: str = "", as_of: str = "") -> Cut:
    """Return the cut of what was received in a month, written 2026-11.

    Raises:
        ValueError: it is no month.
    """
    first = date.fromisoformat(f"{month}-01")
    last = first.replace(day=monthrange(first.year, first.month)[1])
    return cut(node, first.isoformat(), last.isoformat(), place, as_of)


def place_prefix(node: Node, place: str) -> str:
    """Return the leading digits of a place's own and all divisions below it.

    Raises:
        NotFound, Ambiguous: see `cut`.
    """
    me = node.certificate
    if not place:
        return own_prefix(me.tier, me.division)
    found = {
        (one.tier, one.division)
        for one in node.roster.everyone()
        if place in (one.division, one.name)
    }
    if not found:
        raise NotFound("place known here", place[:40])
    if len(found) > 1:
        raise Ambiguous("place", place[:40], len(found))
    return own_prefix(*found.pop())


def report(node: Node, group: str, of: Cut) -> Report:
    """Return the figures of each group of cases, by its key."""
    names = place_names(node) if group in ("town", "village", "agent") else {}
    rows = tuple(
        Row(key, _name(group, key, name, names), counts)
        for key, name, counts in node.store.ledger.counted(of, group)
    )
    total = {key: sum(row.counts[key] for row in rows) for key in COUNTS}
    return Report(group, of, rows, total, mark(node, of))


def mark(node: Node, of: Cut) -> str:
    """Return what names the sync point of a cut, see `Report`."""
    calendars = [
        (row.year, row.version, seal.sha256(row.body))
        for row in node.store.registry.current_calendars()
    ]
    asked = encode((of.today, of.first, of.last, of.place_prefix, calendars))
    return seal.sha256(asked, *node.store.ledger.made_of(of)).hex()[:MARK_DIGITS]


def cases_of(
    node: Node, of: Cut, count: str, group: str = "", key: str = ""
) -> list[tuple[bytes, str]]:
    """Return (document, number) of the cases behind a figure, by number.

    `count` is a key of `COUNTS`, `group` one of `GROUPS`, "" for all.
    """
    return node.store.ledger.behind(of, count, group, key)


def to_csv(table: Sequence[Sequence[str | int | float]]) -> bytes:
    """Return rows as CSV that Excel opens: UTF-8 with its mark, no cell a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([_safe(cell) for cell in row] for row in table)
    return text.getvalue().encode("utf-8-sig", "replace")


def note_export(node: Node, of: Report, by: str) -> None:
    """Write down that figures leave the home, before they do.

    Raises:
        WriteForbidden: nothing can be written down now.
    """
    with node.store.transaction():
        period = f"{of.cut.first or '…'}/{of.cut.last or '…'}"
        note = f"{of.group} {period} {of.mark}"
        audit.record(node, audit.EXPORT_REPORT, of.group, note=note, by=by)


def value(measure: Measure, counts: Mapping[str, int]) -> int | float | None:
    """Return a figure: a count, or the share; None where there is nothing of it."""
    if not measure.of:
        return counts[measure.count]
    of = counts[measure.of]
    return counts[measure.count] / of if of else None


def _safe(cell: str | int | float) -> str | int | float:
    if isinstance(cell, str) and cell.lstrip().startswith(FORMULA_BEGINS):
        return "'" + cell
    return cell


def _name(group: str, key: str, name: str, names: Mapping[str, str]) -> str:
    if group == "agent":
        place = key.partition(" ")[0]
        return f"{name}（{names.get(place, place)}）"
    return names.get(name, name) if group in ("town", "village") else name
