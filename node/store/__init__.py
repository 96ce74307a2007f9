"""The store of a node: one file, one interface, and all SQL behind it.

`Store` joins the parts: `journal`, `branches` and `history` (the truth), `vectors` and
`arrivals` (who has how much of it), `documents`, `cases`, `drafts`, `ledger`,
`attachments`, `registry`, `packs` and `refusals`. What must happen together happens
inside one `with store.transaction():`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import NodeError
from node.store.arrivals import Arrivals
from node.store.attachments import Attachments
from node.store.branches import Branches
from node.store.cases import Cases
from node.store.connection import Handle, can_encrypt, connect, transaction
from node.store.documents import Documents
from node.store.drafts import Drafts
from node.store.history import History
from node.store.journal import Journal
from node.store.ledger import Ledger
from node.store.packs import Packs
from node.store.refusals import Refusals
from node.store.registry import Registry
from node.store.schema import DERIVED
from node.store.vectors import Vectors

__all__ = ["DERIVED", "Store", "can_encrypt"]


class Store:
    """An open store. One connection; use it in one thread at a time."""

    def __init__(
        self,
        path: Path,
        key: bytes | None,
        connect: Callable[[Path, bytes | None], Handle] = connect,
    ) -> None:
        """Open the file at `path`, made if missing; `key` None means in the clear.

        `connect` is how that is done: a store may also lie in memory.

        Raises:
            StoreDamaged, StoreBusy, DiskFull, NoEncryption: see `node.errors`.
        """
        self._db = connect(path, key)
        self.is_encrypted = key is not None
        self.journal = Journal(self._db)
        self.branches = Branches(self._db, self.journal)
        self.vectors = Vectors(self._db, self.journal)
        self.arrivals = Arrivals(self._db)
        self.documents = Documents(self._db)
        self.cases = Cases(self._db)
        self.drafts = Drafts(self._db)
        self.history = History(self._db)
        self.ledger = Ledger(self._db)
        self.attachments = Attachments(self._db)
        self.registry = Registry(self._db)
        self.packs = Packs(self._db)
        self.refusals = Refusals(self._db)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all writes of the block, or none. The lock is taken at once."""
        with transaction(self._db):
            yield

    def data_version(self) -> int:
        """Return a number that changes when another connection has committed."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def check(self) -> list[str]:
        """Return what SQLite and SQLCipher find wrong with the file, in words."""
        faults: list[str] = []
        for pragma in ("integrity_check", "cipher_integrity_check"):
            try:
                rows = self._db.execute(f"PRAGMA {pragma}")
                faults += [str(row[0]) for row in rows if row[0] != "ok"]
            except NodeError as error:
                faults.append(str(error))
        return faults

    def close(self) -> None:
        """Close the file."""
        self._db.close()
