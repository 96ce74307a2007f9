"""The disk of a simulated node: SQLite in memory, which can stop after any write.

What was committed is there afterwards, what was not is gone: that much is believed of
SQLite. A copy of the whole disk is a backup.
"""

import sqlite3
from collections.abc import Callable, Sequence

from sqlite_utils import Database

from node.store.connection import Handle, Rows
from node.store.schema import migrations

_READS = ("SELECT", "PRAGMA")


class Crash(BaseException):
    """The machine has stopped. Nothing but the simulator may catch it."""


class Disk(Handle):
    """A database in memory, and what shall happen to it.

    Attributes:
        raw: the library's connection, for whoever looks on from outside.
        writes_left: after so many more writes the machine stops; None for never.
        pauses_left: before so many more statements outside a transaction another
            process of the same machine has its turn; None for never.
        in_between: that turn.
    """

    def __init__(self, raw: sqlite3.Connection) -> None:
        super().__init__(raw)
        self.raw = raw
        self.writes_left: int | None = None
        self.pauses_left: int | None = None
        self.in_between: Callable[[], None] = lambda: None
        self._is_dead = False

    def execute(self, sql: str, values: Sequence[object] = ()) -> Rows:
        self._begin()
        rows = super().execute(sql, values)
        if not sql.startswith(_READS):
            self._end()
        return rows

    def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        self._begin()
        super().executemany(sql, rows)
        self._end()

    def revived(self) -> "Disk":
        """Return the disk as the next process finds it after a crash."""
        self._is_dead = True
        self.raw.rollback()
        return Disk(self.raw)

    def image(self) -> bytes:
        """Return a copy of all that is committed."""
        assert not self.raw.in_transaction
        return self.raw.serialize()

    def _begin(self) -> None:
        if self._is_dead:
            raise Crash
        if self.pauses_left is None or self.raw.in_transaction:
            return
        self.pauses_left -= 1
        if self.pauses_left <= 0:
            self.pauses_left = None
            self.in_between()

    def _end(self) -> None:
        if self.writes_left is None:
            return
        self.writes_left -= 1
        if self.writes_left <= 0:
            self._is_dead = True
            raise Crash


def empty_disk() -> Disk:
    """Return a disk with nothing but the tables."""
    raw = _connect()
    migrations.apply(Database(raw))
    return Disk(raw)


def disk_of(image: bytes) -> Disk:
    """Return a disk with what was on another."""
    raw = _connect()
    raw.deserialize(image)
    return Disk(raw)


def _connect() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)
