"""Documents and what was decided about their changes, in SQL. All derived."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from node.store.connection import Handle
from sync.canonical import Record, decode, encode
from sync.change import RAW_CHANGE, read_change
from sync.seal import sha256

_ID_START = re.compile("[0-9a-f]{8,32}")
MOST_ASIDE = 20
"""Of one document; more are no honest work, and counted in `status`."""
_GROUP = 500
_KIND_AT = 8
FEW_CHANGES = 16
"""A document of no more is kept as its changes, which lie in the entries: measured,
they load in less time than what the library saves of them, and cost no room.
"""


class JudgedChange(NamedTuple):
    """What is remembered of a change: `verdict` is taken, aside or waits."""

    document: bytes
    hash: bytes
    actor: bytes
    sequence: int
    last_op: int
    epoch: int
    entry: int
    verdict: str

    @property
    def is_taken(self) -> bool:
        """It is part of the document."""
        return self.verdict == "taken"


_COMPARED = {
    "entries": "id, verdict",
    "documents": "id, scope, birth, heads",
    "evidence": "entry, scope, node, epoch, first, last, hash, previous",
}
"""What of a table must come out the same when it is made again."""

JudgedChanges = dict[bytes, JudgedChange]
"""By hash."""


class Birth(Record, frozen=True):
    """What a document's first change has fixed for good.

    `containers` are the op counters of its maps, `package` the digest of the item and
    form that it was begun with, `number` what people call it by, `taken_in_at` the
    division of its author.
    """

    actor: bytes
    containers: tuple[tuple[str, int], ...]
    package: str
    number: str
    taken_in_at: str


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document. `snapshot` is what loads as it; `in_entries` says that this is no
    more than its changes, which need not be kept once more.
    """

    id: bytes
    scope: str
    birth: Birth
    heads: tuple[bytes, ...]
    snapshot: bytes
    in_entries: bool = False


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """An entry that is set aside, and why."""

    entry: int
    cause: str
    detail: str
    document: bytes
    author: bytes
    epoch: int
    sequence: int
    scope: str
    received_at_ms: int


@dataclass(frozen=True, slots=True)
class PendingRow:
    """An entry that cannot be judged yet. `waits_for` is change, package or roster;
    `name` the hash, the digest or the version of what is missing.
    """

    entry: int
    waits_for: str
    name: bytes
    document: bytes
    author: bytes
    sequence: int
    scope: str
    received_at_ms: int


def may_be_in_entries(before: DocumentRow | None, changes: int) -> bool:
    """Say whether a document of so many changes needs no snapshot; once it has one, it
    stays with that, for what a snapshot holds need not stay in the entries.
    """
    return changes <= FEW_CHANGES and (before is None or before.in_entries)


class Documents:
    """Snapshots, the index of changes, what waits, and what is set aside."""

    def __init__(self, db: Handle) -> None:
        """Use an open database."""
        self._db = db

    def get(self, document: bytes) -> DocumentRow | None:
        """Return a document by its id."""
        return self.many([document]).get(document)

    def many(self, documents: Sequence[bytes]) -> dict[bytes, DocumentRow]:
        """Return those of some documents that are held, by id."""
        rows = list(
            self._among(
                "SELECT id, scope, birth, heads, snapshot FROM documents WHERE id",
                documents,
            )
        )
        written = self._written([row[0] for row in rows if row[4] is None])
        return {
            row[0]: DocumentRow(
                row[0],
                row[1],
                decode(row[2], Birth, limit_bytes=65536),
                tuple(row[3][at : at + 32] for at in range(0, len(row[3]), 32)),
                written.get(row[0], b"") if row[4] is None else row[4],
                in_entries=row[4] is None,
            )
            for row in rows
        }

    def _written(self, documents: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return all changes that some documents are made of, parents first."""
        changes: dict[bytes, list[tuple[int, bytes]]] = {}
        for document, last_op, payload in self._among(
            "SELECT c.document, c.last_op, e.payload FROM changes c "
            "JOIN entries e ON e.id = c.entry "
            "WHERE c.verdict = 'taken' AND e.payload IS NOT NULL AND c.document",
            documents,
        ):
            # Whoever builds on a change counts its operations on from there.
            changes.setdefault(document, []).append((last_op, payload))
        return {
            document: b"".join(_raw(payload) for _, payload in sorted(found))
            for document, found in changes.items()
        }

    def heads(self, documents: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the concatenated heads of some documents, by id."""
        return dict(self._among("SELECT id, heads FROM documents WHERE id", documents))

    def put(self, rows: Iterable[DocumentRow]) -> None:
        """Keep documents in the place of what was there."""
        self._db.executemany(
            "INSERT INTO documents (id, scope, birth, heads, snapshot) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "heads = excluded.heads, snapshot = excluded.snapshot",
            [
                (
                    r.id,
                    r.scope,
                    encode(r.birth),
                    b"".join(r.heads),
                    None if r.in_entries else r.snapshot,
                )
                for r in rows
            ],
        )

    def heads_by_scope(self) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield (scope, id, concatenated heads) of all documents, by scope and id."""
        yield from self._db.execute(
            "SELECT scope, id, heads FROM documents ORDER BY scope, id"
        )

    def count(self) -> int:
        """Return how many documents are held."""
        return int(self._db.execute("SELECT count(*) FROM documents").fetchone()[0])

    # -- changes --------------------------------------------------------------

    def changes(self, document: bytes) -> "JudgedChanges":
        """Return all judged changes of a document."""
        return self.changes_of([document]).get(document, {})

    def changes_of(self, documents: Sequence[bytes]) -> dict[bytes, JudgedChanges]:
        """Return `changes` of some documents, by document."""
        found: dict[bytes, JudgedChanges] = {}
        for row in self._among(
            "SELECT document, hash, actor, sequence, last_op, epoch, entry, verdict "
            "FROM changes WHERE document",
            documents,
        ):
            one = JudgedChange._make(row)
            found.setdefault(one.document, {})[one.hash] = one
        return found

    def put_changes(self, changes: Iterable[JudgedChange]) -> None:
        """Keep changes whose verdict stands. Another one under the same number of its
        actor is a mistake of ours that must go no further: it fails.
        """
        self._db.executemany(
            "INSERT INTO changes "
            "(document, hash, actor, sequence, last_op, epoch, entry, verdict) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (document, actor, sequence) DO UPDATE SET "
            "hash = CASE WHEN hash = excluded.hash THEN hash END, "
            "entry = excluded.entry, verdict = excluded.verdict",
            list(changes),
        )

    # -- waiting --------------------------------------------------------------

    def put_pending(self, rows: Iterable[tuple[int, bytes, str, bytes]]) -> None:
        """Keep (entry row, document, what is waited for, its name) of each."""
        self._db.executemany(
            "INSERT OR REPLACE INTO pending (entry, document, waits_for, name) "
            "VALUES (?, ?, ?, ?)",
            list(rows),
        )

    def drop_pending(self, entries: Iterable[int]) -> None:
        """Forget that these entries wait."""
        self._db.executemany(
            "DELETE FROM pending WHERE entry = ?", [(entry,) for entry in entries]
        )

    def pending(self, documents: Sequence[bytes]) -> dict[bytes, list[int]]:
        """Return the rows of the entries of some documents that wait, by document."""
        found: dict[bytes, list[int]] = {}
        if not self._db.execute("SELECT 1 FROM pending LIMIT 1"):
            return found
        for entry, document in self._among(
            "SELECT entry, document FROM pending WHERE document", documents
        ):
            found.setdefault(document, []).append(entry)
        return {document: sorted(rows) for document, rows in found.items()}

    def all_pending(self, limit: int) -> list[PendingRow]:
        """Return what waits, the longest first."""
        return [
            PendingRow(*row)
            for row in self._db.execute(
                "SELECT p.entry, p.waits_for, p.name, p.document, s.node, e.sequence, "
                "s.scope, e.received_at_ms FROM pending p "
                "JOIN entries e ON e.id = p.entry JOIN streams s ON s.id = e.stream "
                "ORDER BY p.entry LIMIT ?",
                (limit,),
            )
        ]

    def waiting_like(self, name: str) -> PendingRow | None:
        """Return what waits first of a document whose id begins so, where there is no
        document of it yet; eight digits at least.
        """
        if not _ID_START.fullmatch(name):
            return None
        found = self._db.execute(
            "SELECT p.entry, p.waits_for, p.name, p.document, s.node, e.sequence, "
            "s.scope, e.received_at_ms FROM pending p "
            "JOIN entries e ON e.id = p.entry JOIN streams s ON s.id = e.stream "
            "WHERE lower(hex(p.document)) LIKE ? || '%' ORDER BY p.entry LIMIT 1",
            (name,),
        ).fetchone()
        return PendingRow(*found) if found else None

    def documents_to_settle(self, roster_version: int) -> list[bytes]:
        """Return the documents with an entry whose package or roster is here now."""
        return [
            row[0]
            for row in self._db.execute(
                "SELECT DISTINCT document FROM pending WHERE "
                "(waits_for = 'package' AND EXISTS (SELECT 1 FROM packages "
                " WHERE digest = CAST(pending.name AS TEXT))) OR "
                "(waits_for = 'roster' "
                " AND CAST(CAST(name AS TEXT) AS INTEGER) <= ?)",
                (roster_version,),
            )
        ]

    def forget(self, document: bytes) -> None:
        """Drop everything that was derived for a document: list row and ledger too."""
        for statement in (
            "DELETE FROM search WHERE rowid IN "
            "(SELECT id FROM cases WHERE document = ?)",
            "DELETE FROM cases WHERE document = ?",
            "DELETE FROM ledger WHERE document = ?",
            "DELETE FROM quarantine WHERE entry IN "
            "(SELECT id FROM entries WHERE document = ? AND kind = 'change')",
            "DELETE FROM pending WHERE document = ?",
            "DELETE FROM changes WHERE document = ?",
            "DELETE FROM materials WHERE document = ?",
            "UPDATE holders SET is_ahead = 1 WHERE document = ?",
            "DELETE FROM missing WHERE document = ?",
            "DELETE FROM documents WHERE id = ?",
        ):
            self._db.execute(statement, (document,))

    # -- set aside --------------------------------------------------------------

    def put_quarantine(self, rows: Iterable[tuple[int, str, str]]) -> None:
        """Keep (entry row, cause, detail) of each entry that is set aside."""
        self._db.executemany(
            "INSERT OR REPLACE INTO quarantine (entry, cause, detail) VALUES (?, ?, ?)",
            [(entry, cause, detail[:500]) for entry, cause, detail in rows],
        )

    def drop_quarantine(self, entries: Iterable[int]) -> None:
        """Forget that these entries are set aside: they are judged again."""
        self._db.executemany(
            "DELETE FROM quarantine WHERE entry = ?", [(entry,) for entry in entries]
        )

    def unsettled(self) -> list[bytes]:
        """Return the documents of which a change waits or is set aside."""
        return [
            row[0]
            for row in self._db.execute(
                "SELECT document FROM pending UNION "
                "SELECT e.document FROM quarantine q JOIN entries e ON e.id = q.entry "
                "WHERE e.kind = 'change' AND e.document != x'' ORDER BY 1"
            )
        ]

    def quarantine(self, limit: int) -> list[QuarantineRow]:
        """Return what is set aside, newest first."""
        return [
            QuarantineRow(*row)
            for row in self._db.execute(
                "SELECT q.entry, q.cause, q.detail, e.document, s.node, s.epoch, "
                "e.sequence, s.scope, e.received_at_ms FROM quarantine q "
                "JOIN entries e ON e.id = q.entry JOIN streams s ON s.id = e.stream "
                "ORDER BY q.entry DESC LIMIT ?",
                (limit,),
            )
        ]

    def asides_of(self, document: bytes) -> list[QuarantineRow]:
        """Return what is set aside of a document, in the order in which it came."""
        return [
            QuarantineRow(*row)
            for row in self._db.execute(
                "SELECT q.entry, q.cause, q.detail, e.document, s.node, s.epoch, "
                "e.sequence, s.scope, e.received_at_ms FROM entries e "
                "JOIN quarantine q ON q.entry = e.id "
                "JOIN streams s ON s.id = e.stream "
                "WHERE e.document = ? AND e.document != x'' ORDER BY q.entry LIMIT ?",
                (document, MOST_ASIDE),
            )
        ]

    def counts(self) -> tuple[int, int]:
        """Return how many entries (wait, are set aside)."""
        row = self._db.execute(
            "SELECT (SELECT count(*) FROM pending), (SELECT count(*) FROM quarantine)"
        ).fetchone()
        return row[0], row[1]

    def _among(
        self, select: str, documents: Sequence[bytes]
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of `select ... IN documents`, asked for in groups."""
        for start in range(0, len(documents), _GROUP):
            group = documents[start : start + _GROUP]
            marks = ",".join("?" * len(group))
            yield from self._db.execute(f"{select} IN ({marks})", tuple(group))

    def derived(self, table: str) -> dict[str, int]:
        """Return how often each row of a derived table occurs, by its hash; row
        numbers that another order would change are left out.
        """
        columns = _COMPARED.get(table, "*")
        rows = self._db.execute(f"SELECT {columns} FROM {table}")
        keep = slice(1, None) if table == "cases" else slice(None)
        found: dict[str, int] = {}
        for row in rows:
            key = sha256(repr(row[keep]).encode()).hex()
            found[key] = found.get(key, 0) + 1
        return found

    def clear_derived(self, tables: Sequence[str]) -> None:
        """Empty derived tables, and forget every verdict."""
        for table in tables:
            self._db.execute(f"DELETE FROM {table}")
        self._db.execute("UPDATE entries SET verdict = NULL")


def _raw(payload: bytes) -> bytes:
    """Return the change of an entry uncompressed."""
    is_raw = payload[_KIND_AT : _KIND_AT + 1] == RAW_CHANGE
    return payload if is_raw else read_change(payload).raw
