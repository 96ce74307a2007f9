"""Opening the database file, encrypted where the machine can. One door to SQLite.

WAL and `synchronous=FULL`: what a committed transaction holds is on disk before
anybody is told so. Several processes share one file; each write takes the lock at
its beginning (`BEGIN IMMEDIATE`).
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from node.errors import DiskFull, NodeError, NoEncryption, StoreBusy, StoreDamaged
from node.store.schema import migrations
from sync.errors import Malformed

BUSY_LIMIT_S = 15

sqlcipher: Any
try:
    from sqlcipher3 import dbapi2 as sqlcipher
except ImportError:  # no wheel for this machine: `init` wants --plain
    sqlcipher = None

# sqlcipher3 has error classes of its own, which are no sqlite3.Error.
ERRORS: tuple[type[Exception], ...] = (
    (sqlite3.Error, sqlcipher.Error) if sqlcipher else (sqlite3.Error,)
)


def can_encrypt() -> bool:
    """Say whether this machine has an encrypting SQLite."""
    return sqlcipher is not None


class Rows(list[Any]):
    """The rows of an answer, all of them read."""

    def fetchone(self) -> Any:
        """Return the first row, or None."""
        return self[0] if self else None


class Handle:
    """An open database whose errors are ours, whatever is asked of it."""

    def __init__(self, connection: Any) -> None:
        """Use an open connection of `sqlite3` or `sqlcipher3`, in autocommit mode."""
        self._connection = connection

    def execute(self, sql: str, values: Sequence[object] = ()) -> Rows:
        """Run one statement and return its rows."""
        with translated():
            return Rows(self._connection.execute(sql, values))

    def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement for each row of values."""
        with translated():
            self._connection.executemany(sql, rows)

    @property
    def is_open_for_writing(self) -> bool:
        """Say whether a transaction is going on."""
        return bool(self._connection.in_transaction)

    def close(self) -> None:
        """Close the file."""
        with translated():
            self._connection.close()


def connect(path: Path, key: bytes | None) -> Handle:
    """Return an open, migrated database.

    Args:
        path: the file; made if it is not there.
        key: 32 raw bytes, or None for a file in the clear.

    Raises:
        NoEncryption: a key is given and no encrypting SQLite is installed.
        StoreDamaged: the file is no database, or the key is not its key.
        StoreBusy, DiskFull: as the names say.
    """
    if key is not None and not can_encrypt():
        raise NoEncryption
    library = sqlcipher if key is not None else sqlite3
    with translated():
        connection = library.connect(
            str(path),
            timeout=BUSY_LIMIT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        if key is not None:
            # Whatever the library has to say comes as an exception, not on stderr.
            connection.execute("PRAGMA cipher_log_level = NONE")
            connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = FAST")
        connection.execute("PRAGMA foreign_keys = OFF")
        db = Database(connection)
        if migrations.pending(db):
            migrations.apply(db)
    return Handle(connection)


@contextmanager
def transaction(db: Handle) -> Iterator[None]:
    """Run a block in one write transaction, or join the one that is open."""
    if db.is_open_for_writing:
        yield
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        _roll_back(db)
        raise


@contextmanager
def translated() -> Iterator[None]:
    """Turn the library's errors into ours.

    A number beyond what a table holds cannot be our own: whoever sent it is at fault.
    """
    try:
        yield
    except OverflowError as error:
        raise Malformed("number", "it is larger than can be stored") from error
    except ERRORS as error:
        raise _ours(error) from error


def _roll_back(db: Handle) -> None:
    # An error may have ended the transaction already.
    if db.is_open_for_writing:
        db.execute("ROLLBACK")


def _ours(error: Exception) -> NodeError:
    text = str(error)
    if "locked" in text or "busy" in text:
        return StoreBusy("the store is held by another process; nothing was stored")
    if "full" in text or "disk I/O" in text or "unable to open" in text:
        return DiskFull(f"the disk does not take it ({text}); nothing was stored")
    return StoreDamaged(f"the database cannot be read: {text}")
