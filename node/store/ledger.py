"""The ledger and what is counted in it, in SQL.

What each figure counts is said once, in `COUNTS`; by what cases are put together, in
`GROUPS`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from operator import attrgetter

from node.ledger import Line
from node.store.connection import Handle

_NAMES = [one.name for one in fields(Line)]
_COLUMNS = ", ".join(_NAMES)
_PUT = (
    f"INSERT OR REPLACE INTO ledger ({_COLUMNS}) "
    f"VALUES ({', '.join('?' * len(_NAMES))})"
)
_values = attrgetter(*_NAMES)  # `astuple` would copy each value: a tenth of a receipt

_LATE = "due_on != '' AND closed_on > due_on"
_UNTOLD = "due_from != '' AND due_from < ?1"
"""Accepted by law: nobody has said a word in five working days."""
_PENDING = (
    "closed_on = '' AND due_on != '' AND due_on < ?1 AND due_from < ?1 "
    "AND (paused_on = '' OR paused_on > due_on)"
)
"""Open beyond its day. A limit that stands still does not pass, see `clocks`."""

COUNTS = {
    "received": "1",
    "accepted": f"accepted_on != '' OR ({_UNTOLD})",
    "decided": "decided_on != ''",
    "granted": "outcome = 'granted'",
    "refused": "outcome = 'refused'",
    "declined": "outcome = 'declined'",
    "withdrawn": "outcome = 'withdrawn'",
    "terminated": "outcome = 'terminated'",
    "delivered": "delivered_on != ''",
    "same_day": "decided_on != '' AND decided_on = accepted_on",
    "on_time": "decided_on != '' AND decided_on <= due_on",
    "overdue": f"({_LATE}) OR ({_PENDING})",
    "urgent": "is_urgent",
    "legal_workdays": "legal_workdays",
    "promise_workdays": "promise_workdays",
    "trips_known": "trips IS NOT NULL AND trips_promised IS NOT NULL",
    "trips_promised": "iif(trips IS NULL, 0, ifnull(trips_promised, 0))",
    "trips": "iif(trips_promised IS NULL, 0, ifnull(trips, 0))",
    "zero_site": "decided_on != '' AND zero_trip = 'site'",
    "zero_post": "decided_on != '' AND zero_trip = 'post'",
    "zero_both": "decided_on != '' AND zero_trip = 'both'",
    "points": "points",
    "rated": "rating != 0",
    "rating": "rating",
}
"""What a case adds to each figure; what is true adds 1. `?1` is today.

Trips are compared where both are known: what was promised, and how often he came. The
ways in which none was needed are shares of what was decided, so their sum is too.
"""

GROUPS = {
    "item": ("item_code", "max(item_name)"),
    "department": ("department", "department"),
    "town": ("town", "town"),
    "village": ("place", "place"),
    "agent": ("place || ' ' || desk || ' ' || agent", "agent"),
    "month": ("substr(received_on, 1, 7)", "substr(received_on, 1, 7)"),
}
"""By what cases are put together: a key that sorts, and what names it."""


_WITHIN = "received_on BETWEEN ?2 AND ?3 AND place BETWEEN ?4 AND ?5"
_ALWAYS = f"+{_WITHIN}"
"""For all days: the + keeps SQLite from going by the index of days, which would read
each page of an encrypted store many times over.
"""


@dataclass(frozen=True, slots=True)
class Cut:
    """Which cases are counted, and seen from which day. Days are ISO dates.

    `first` and `last` are days of receipt, both included, "" for no limit;
    `place_prefix` are the leading digits of where a case was taken in.
    """

    today: str
    first: str = ""
    last: str = ""
    place_prefix: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """The values of `?1` to `?5`."""
        low, high = self.place_prefix.ljust(12, "0"), self.place_prefix.ljust(12, "9")
        return self.today, self.first, self.last or "9999", low, high

    @property
    def where(self) -> str:
        """The condition, in SQL."""
        return _WITHIN if self.first or self.last else _ALWAYS


Counted = dict[str, int]
"""A figure for each key of `COUNTS`."""


class Ledger:
    """The lines of the ledger."""

    def __init__(self, db: Handle) -> None:
        """Use an open database."""
        self._db = db

    def put(self, lines: Iterable[Line]) -> None:
        """Keep lines, in the place of what was there of their cases."""
        self._db.executemany(_PUT, list(map(_values, lines)))

    def get(self, document: bytes) -> Line | None:
        """Return the line of a case."""
        query = f"SELECT {_COLUMNS} FROM ledger WHERE document = ?"
        row = self._db.execute(query, (document,)).fetchone()
        return Line(*row) if row else None

    def lacking(self) -> list[bytes]:
        """Return the cases that have no line."""
        query = "SELECT document FROM cases WHERE document NOT IN (SELECT document "
        return [row[0] for row in self._db.execute(query + "FROM ledger)")]

    def counted(self, cut: Cut, group: str) -> list[tuple[str, str, Counted]]:
        """Return (key, name, figures) of each group of cases, by key."""
        sums = ", ".join(f"sum({what})" for what in COUNTS.values())
        rows = self._db.execute(
            f"SELECT {', '.join(GROUPS[group])}, {sums} FROM ledger WHERE {cut.where} "
            "GROUP BY 1 ORDER BY 1",
            cut.values,
        )
        return [
            (row[0], row[1], dict(zip(COUNTS, row[2:], strict=True))) for row in rows
        ]

    def behind(
        self, cut: Cut, count: str, group: str = "", key: str = ""
    ) -> list[tuple[bytes, str]]:
        """Return (document, number) of the cases behind a figure, by number, of one
        group or of all.
        """
        where = f"{cut.where} AND ({COUNTS[count]})"
        values = cut.values
        if group:
            where += f" AND {GROUPS[group][0]} = ?6"
            values += (key,)
        rows = self._db.execute(
            f"SELECT document, number FROM ledger WHERE {where} ORDER BY number", values
        )
        return [(row[0], row[1]) for row in rows]

    def made_of(self, cut: Cut) -> Iterator[bytes]:
        """Yield for each counted case which entries its line was made of, in order."""
        # Sorted after it was read (+), not read in that order: see `_ALWAYS`.
        for row in self._db.execute(
            f"SELECT document, heads FROM ledger WHERE {cut.where} ORDER BY +document",
            cut.values,
        ):
            yield row[0] + row[1]
