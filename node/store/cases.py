"""Cases as lists show them, and their search index, in SQL.

Pages go by key, never by offset, so that a page costs the same in any store.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import count

from node.store.connection import Handle


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One line of a list.

    `division` is the place that the case is for, and `taken_in_at` where it was begun.
    `mark` is "" or the first of what a person must settle, `open_count` how much of
    it there is, `settler` the tier that may ("" where nothing is open).
    `had_conflict` stays for good.

    Civil days in China as YYYY-MM-DD, "" for none: `due_on` is the one that matters
    next, amber from `warn_on` on; `reckoned_to` the last that was reckoned by the
    calendar. `has_lapsed` says that something was done late; what is late now is
    known by `due_on`, so that no row grows stale over night. `is_paper_only`: its
    papers are here and its form is still to be entered 待代录. `is_visit`: somebody
    goes to the applicant 上门. `has_lookup`: a paper is still to be looked up 免提交.
    `waits_for`: the departments on whose desks it lies, see `node.awaiting`.
    """

    document: bytes
    number: str
    division: str
    taken_in_at: str
    package: str
    item_code: str
    item_name: str
    department: str
    decide: str
    applicant: str
    state: str
    mark: str
    settler: str
    open_count: int
    had_conflict: bool
    submitted_at_ms: int
    changed_at_ms: int
    received_on: str = ""
    due_on: str = ""
    warn_on: str = ""
    reckoned_to: str = ""
    is_urgent: bool = False
    has_lapsed: bool = False
    is_paper_only: bool = False
    is_visit: bool = False
    has_lookup: bool = False
    waits_for: tuple[str, ...] = ()
    row: int = 0

    @property
    def id(self) -> str:
        """The case's id as people and scripts write it."""
        return self.document.hex()

    @property
    def key(self) -> "PageKey":
        """The place in a list by the last change."""
        return self.key_in(Order.CHANGED)

    @property
    def queue_ms(self) -> int:
        """The place in a queue: what was let through first, then who waits longest."""
        return self.changed_at_ms - (URGENT_LEAD_MS if self.is_urgent else 0)

    @property
    def red_on(self) -> str:
        """The first day on which it is late."""
        if not self.due_on:
            return ""
        return (date.fromisoformat(self.due_on) + timedelta(days=1)).isoformat()

    def key_in(self, order: "Order") -> "PageKey":
        """The place in a list of some order."""
        match order:
            case Order.CHANGED:
                return self.changed_at_ms, self.row
            case Order.QUEUE:
                return self.queue_ms, self.row
            case Order.DUE:
                return self.due_on, self.row


URGENT_LEAD_MS = 2**52
"""More than any time: a change is never older, see `policy.TIME_LIMIT_MS`."""

PageKey = tuple[int | str, int]
"""(what the list is ordered by, row)."""


class Order(StrEnum):
    """By which column a list is ordered."""

    CHANGED = "changed_at_ms"
    QUEUE = "queue_ms"  # urgent cases first
    DUE = "due_on"  # only cases that have such a day


class Light(StrEnum):
    """How near the day is that matters next."""

    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cases a list shows. Empty means all. `match` is an FTS5 expression.

    `division_prefix` finds what is for a place or was taken in there, `for_prefix`
    only what is for it. `light` is that of the day `today`; `has_lapsed` finds what
    was done late, or is late by `today`. `waits_for` is a department.
    """

    states: tuple[str, ...] = ()
    division_prefix: str = ""
    for_prefix: str = ""
    decide: str = ""
    settler: str = ""
    match: str = ""
    oldest_first: bool = False
    order: Order = Order.CHANGED
    light: Light | None = None
    today: str = ""
    is_urgent: bool = False
    has_lapsed: bool = False
    is_visit: bool = False
    has_lookup: bool = False
    is_paper_only: bool = False
    waits_for: str = ""


_COLUMNS = (
    "document, number, division, taken_in_at, package, item_code, item_name, "
    "department, decide, applicant, state, mark, settler, open_count, had_conflict, "
    "submitted_at_ms, changed_at_ms, received_on, due_on, warn_on, reckoned_to, "
    "is_urgent, has_lapsed, is_paper_only, is_visit, has_lookup, waits_for, id"
)

_KEPT = _COLUMNS.removesuffix("id") + "queue_ms"
_PUT = (
    f"INSERT INTO cases (id, {_KEPT}) VALUES (?, {', '.join('?' * 28)}) "
    f"ON CONFLICT (document) DO UPDATE SET ({_KEPT}) = "
    f"({', '.join(f'excluded.{name}' for name in _KEPT.split(', '))})"
)
_GROUP = 500
_BETWEEN = "\n"
"""Before, between and after the departments in a column: no name holds one."""
_ALL: tuple[str, tuple[object, ...]] = ("1", ())
"""The condition of a list that shows all cases, and its values."""
_MANY_FOUND = 1000
"""Cases that a search may find before their rows are no longer gone to one by one.

A row lies anywhere in the file, and is decrypted with its page. Where a search finds
more than these, an index in the list's own order soon meets enough of them.
"""


class Cases:
    """The read model of cases."""

    def __init__(self, db: Handle) -> None:
        """Use an open database."""
        self._db = db

    def put(self, rows: Iterable[tuple[CaseRow, tuple[str, str, str]]]) -> None:
        """Keep rows, each with its search terms (name, initials, numbers)."""
        kept = list(rows)
        ids = self._ids([row.document for row, _ in kept])
        known = self._terms(list(ids.values()))
        (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM cases").fetchone()
        fresh = count(last + 1)
        for row, _ in kept:
            if row.document not in ids:
                ids[row.document] = next(fresh)
        self._db.executemany(
            _PUT, [(ids[row.document], *_values(row)) for row, _ in kept]
        )
        # An index that is written again where nothing has changed grows and grows.
        self._db.executemany(
            "INSERT OR REPLACE INTO search (rowid, name, initials, numbers) "
            "VALUES (?, ?, ?, ?)",
            [
                (ids[row.document], *terms)
                for row, terms in kept
                if known.get(ids[row.document]) != terms
            ],
        )

    def get(self, document: bytes) -> CaseRow | None:
        """Return one row."""
        rows = self._read("document = ?", (document,), "", 1)
        return rows[0] if rows else None

    def find(self, name: str, limit: int = 3) -> list[CaseRow]:
        """Return the cases whose id or number begins or ends as `name` says."""
        text = name.strip().lower().replace("-", "")
        if not 0 < len(text) <= 64 or not text.isascii() or not text.isalnum():
            return []
        is_hex = len(text) <= 32 and all(c in "0123456789abcdef" for c in text)
        rows: list[CaseRow] = []
        if is_hex and len(text) >= 6:
            low = bytes.fromhex(text + "0" * (32 - len(text)))
            high = bytes.fromhex(text + "f" * (32 - len(text)))
            rows = self._read(
                "document BETWEEN ? AND ?", (low, high), "ORDER BY id", limit
            )
        if not rows and len(text) >= 4:
            rows = self._read(
                "number = ? OR number LIKE ?",
                (text.upper(), "%" + text.upper()),
                "ORDER BY id DESC",
                limit,
            )
        return rows

    def found_by(self, match: str, limit: int) -> list[CaseRow]:
        """Return up to `limit` of the cases that an FTS5 expression finds, those that
        came last first. Costs what it finds, whatever is held.
        """
        return self._read(
            "id IN (SELECT rowid FROM search WHERE search MATCH ? "
            "ORDER BY rowid DESC LIMIT ?)",
            (match, limit),
            # The plus keeps SQLite from walking through all cases in this order.
            "ORDER BY +id DESC",
            limit,
        )

    def has_number(self, number: str) -> bool:
        """Say whether a case bears a number."""
        row = self._db.execute("SELECT 1 FROM cases WHERE number = ?", (number,))
        return row.fetchone() is not None

    def page(self, wanted: Filter, after: PageKey | None, limit: int) -> list[CaseRow]:
        """Return up to `limit` rows that follow `after` in the list's order."""
        return self._page(wanted, after, limit, descending=not wanted.oldest_first)

    def page_before(self, wanted: Filter, before: PageKey, limit: int) -> list[CaseRow]:
        """Return up to `limit` rows that stand before `before`, in list order."""
        rows = self._page(wanted, before, limit, descending=wanted.oldest_first)
        return rows[::-1]

    def count(self, wanted: Filter) -> int:
        """Return how many rows the list has."""
        if wanted.match and _conditions(wanted) == _ALL:
            return self._found(wanted.match)
        where, values = self._where(wanted)
        row = self._db.execute(
            f"SELECT count(*) FROM cases WHERE {where}",
            values,
        ).fetchone()
        return int(row[0])

    def count_open(self, wanted: Filter) -> int:
        """Return how much is open, in all cases that fit."""
        where, values = self._where(wanted)
        row = self._db.execute(
            f"SELECT ifnull(sum(open_count), 0) FROM cases WHERE {where}", values
        ).fetchone()
        return int(row[0])

    def count_lights(self, today: str) -> tuple[int, int]:
        """Return how many cases are amber and how many are red on a day."""
        amber, red = self._db.execute(
            "SELECT ifnull(sum(due_on >= ?), 0), ifnull(sum(due_on < ?), 0) "
            "FROM cases WHERE due_on != '' AND warn_on <= ?",
            (today, today, today),
        ).fetchone()
        return int(amber), int(red)

    def reckoned_within(self, first: str, last: str) -> list[bytes]:
        """Return the cases for which a day from `first` to `last` was reckoned."""
        return [
            document
            for (document,) in self._db.execute(
                "SELECT document FROM cases "
                "WHERE reckoned_to >= ? AND received_on <= ? AND received_on != ''",
                (first, last),
            )
        ]

    def counts_by_state(self) -> dict[str, int]:
        """Return how many cases stand in each state."""
        return dict(
            self._db.execute("SELECT state, count(*) FROM cases GROUP BY state")
        )

    def counts_by_item(self, latest: int = 1000) -> dict[str, int]:
        """Return how many of the cases that changed last are of each item, by code."""
        return dict(
            self._db.execute(
                "SELECT item_code, count(*) FROM (SELECT item_code FROM cases "
                "ORDER BY changed_at_ms DESC, id DESC LIMIT ?) GROUP BY item_code",
                (latest,),
            )
        )

    def counts_elsewhere(self, for_prefix: str) -> dict[str, int]:
        """Return how many cases of each state are for a place outside of a prefix."""
        return dict(
            self._db.execute(
                # Said as the partial index says it, so that only joint cases are read.
                "SELECT state, count(*) FROM cases WHERE division != taken_in_at "
                "AND division NOT BETWEEN ? AND ? GROUP BY state",
                _span(for_prefix),
            )
        )

    def _page(
        self, wanted: Filter, from_key: PageKey | None, limit: int, *, descending: bool
    ) -> list[CaseRow]:
        where, values = self._where(wanted)
        if from_key is not None:
            where += f" AND ({wanted.order}, id) {'<' if descending else '>'} (?, ?)"
            values = (*values, *from_key)
        way = "DESC" if descending else "ASC"
        return self._read(
            where, values, f"ORDER BY {wanted.order} {way}, id {way}", limit
        )

    def _read(
        self, where: str, values: Sequence[object], order: str, limit: int
    ) -> list[CaseRow]:
        return [
            CaseRow(
                *(
                    *row[:14],
                    bool(row[14]),
                    *row[15:21],
                    *map(bool, row[21:26]),
                    tuple(row[26].split(_BETWEEN)[1:-1]),
                    row[27],
                )
            )
            for row in self._db.execute(
                f"SELECT {_COLUMNS} FROM cases WHERE {where} {order} LIMIT ?",
                (*values, limit),
            )
        ]

    def _where(self, wanted: Filter) -> tuple[str, tuple[object, ...]]:
        """Return the condition of a list, and its values."""
        where, values = _conditions(wanted)
        if not wanted.match:
            return where, values
        # To SQLite `+id` is not the row's own key: it walks along an index instead.
        is_many = self._found(wanted.match, _MANY_FOUND + 1) > _MANY_FOUND
        column = "+id" if is_many else "id"
        found_ids = "SELECT rowid FROM search WHERE search MATCH ?"
        return f"{where} AND {column} IN ({found_ids})", (*values, wanted.match)

    def _found(self, match: str, most: int = -1) -> int:
        """Return how many cases a search finds; it stops at `most`, if that is set."""
        row = self._db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH ? LIMIT ?)",
            (match, most),
        ).fetchone()
        return int(row[0])

    def _ids(self, documents: Sequence[bytes]) -> dict[bytes, int]:
        """Return the ids of the rows of `documents`."""
        found: dict[bytes, int] = {}
        for start in range(0, len(documents), _GROUP):
            group = documents[start : start + _GROUP]
            marks = ",".join("?" * len(group))
            found.update(
                self._db.execute(
                    f"SELECT document, id FROM cases WHERE document IN ({marks})", group
                )
            )
        return found

    def _terms(self, ids: Sequence[int]) -> dict[int, tuple[str, str, str]]:
        """Return the search terms of rows."""
        found: dict[int, tuple[str, str, str]] = {}
        for start in range(0, len(ids), _GROUP):
            group = ids[start : start + _GROUP]
            marks = ",".join("?" * len(group))
            for row, *terms in self._db.execute(
                "SELECT rowid, name, initials, numbers FROM search "
                f"WHERE rowid IN ({marks})",
                group,
            ):
                found[row] = (terms[0], terms[1], terms[2])
        return found


def _values(row: CaseRow) -> tuple[object, ...]:
    """Return what `_PUT` asks for."""
    return (
        row.document,
        row.number,
        row.division,
        row.taken_in_at,
        row.package,
        row.item_code,
        row.item_name,
        row.department,
        row.decide,
        row.applicant,
        row.state,
        row.mark,
        row.settler,
        row.open_count,
        row.had_conflict,
        row.submitted_at_ms,
        row.changed_at_ms,
        row.received_on,
        row.due_on,
        row.warn_on,
        row.reckoned_to,
        row.is_urgent,
        row.has_lapsed,
        row.is_paper_only,
        row.is_visit,
        row.has_lookup,
        _BETWEEN.join(("", *row.waits_for, "")) if row.waits_for else "",
        row.queue_ms,
    )


def _conditions(wanted: Filter) -> tuple[str, tuple[object, ...]]:
    """Return the condition of a list but for what was looked for, and its values."""
    parts, values = list[str](), list[object]()
    if wanted.states:
        parts.append(f"state IN ({','.join('?' * len(wanted.states))})")
        values += wanted.states
    if wanted.division_prefix:
        parts.append("(division BETWEEN ? AND ? OR taken_in_at BETWEEN ? AND ?)")
        values += _span(wanted.division_prefix) * 2
    if wanted.for_prefix:
        parts.append("division BETWEEN ? AND ?")
        values += _span(wanted.for_prefix)
    if wanted.decide:
        parts.append("decide = ?")
        values.append(wanted.decide)
    if wanted.settler:
        parts.append("settler = ? AND settler != ''")
        values.append(wanted.settler)
    if wanted.order is Order.DUE or wanted.light:
        parts.append("due_on != ''")
    if wanted.light is Light.RED:
        parts.append("due_on < ?")
        values.append(wanted.today)
    elif wanted.light is Light.AMBER:
        parts.append("due_on >= ? AND warn_on <= ?")
        values += [wanted.today] * 2
    if wanted.is_urgent:
        parts.append("is_urgent = 1")
    if wanted.is_visit:
        parts.append("is_visit = 1")
    if wanted.has_lookup:
        parts.append("has_lookup = 1")
    if wanted.is_paper_only:
        parts.append("is_paper_only = 1")
    if wanted.waits_for:
        parts.append("waits_for != '' AND instr(waits_for, ?)")
        values.append(f"{_BETWEEN}{wanted.waits_for}{_BETWEEN}")
    if wanted.has_lapsed:
        parts.append("(has_lapsed = 1 OR (due_on != '' AND due_on < ?))")
        values.append(wanted.today)
    return (" AND ".join(parts), tuple(values)) if parts else _ALL


def _span(prefix: str) -> tuple[str, str]:
    """Return the lowest and the highest division that begin with `prefix`."""
    return prefix.ljust(12, "0"), prefix.ljust(12, "9")
