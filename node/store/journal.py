"""Streams, entries and checkpoints in SQL: the truth of a node."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from node.store.connection import Handle
from sync import seal
from sync import stream as streams
from sync.envelope import Parent, change_hash
from sync.stream import Checkpoint, Entry, StreamId
from sync.vector import Head

_GROUP = 500
_ENTRY_COLUMNS = (
    "sequence, kind, document, roster_version, written_at_ms, payload_hash, payload"
)


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry with its place in the store; `branch` is empty on the main line."""

    row: int
    stream: StreamId
    received_at_ms: int
    verdict: str | None
    entry: Entry
    branch: bytes = b""


class Journal:
    """The append-only part of the store. Where nothing else is said, a stream is its
    main line; what follows a parting is in `node.store.branches`.
    """

    def __init__(self, db: Handle) -> None:
        """Use an open database."""
        self._db = db

    # -- streams and entries ------------------------------------------------

    def head(self, stream: StreamId) -> tuple[int, bytes]:
        """Return (sequence, chain hash) of the last entry; 0 and the genesis hash
        for a stream without any.
        """
        row = self._db.execute(
            "SELECT sequence, hash FROM streams "
            "WHERE scope = ? AND node = ? AND epoch = ? AND branch = x''",
            (stream.scope, stream.node, stream.epoch),
        ).fetchone()
        return (row[0], row[1]) if row else (0, streams.genesis(stream))

    def append(
        self,
        stream: StreamId,
        links: Sequence[tuple[Entry, bytes]],
        received_at_ms: int,
    ) -> list[int]:
        """Add entries with their chain hashes at the end; return their rows."""
        return self.append_to(self.stream_row(stream), links, received_at_ms)

    def append_to(
        self, row: int, links: Sequence[tuple[Entry, bytes]], received_at_ms: int
    ) -> list[int]:
        """Add entries at the end of the line that has this row."""
        first = self._next_row()
        self._db.executemany(
            "INSERT INTO entries (id, stream, sequence, kind, document, "
            "roster_version, written_at_ms, received_at_ms, hash, payload_hash, "
            "payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    first + offset,
                    row,
                    entry.sequence,
                    entry.kind,
                    entry.document,
                    entry.roster_version,
                    entry.written_at_ms,
                    received_at_ms,
                    chain_hash,
                    entry.payload_hash if entry.payload is None else None,
                    entry.payload,
                )
                for offset, (entry, chain_hash) in enumerate(links)
            ],
        )
        last, last_hash = links[-1]
        self._db.execute(
            "UPDATE streams SET sequence = ?, hash = ? WHERE id = ?",
            (last.sequence, last_hash, row),
        )
        return list(range(first, first + len(links)))

    def find_row(self, stream: StreamId) -> int | None:
        """Return the row of the main line of a stream, if there is one."""
        row = self._db.execute(
            "SELECT id FROM streams "
            "WHERE scope = ? AND node = ? AND epoch = ? AND branch = x''",
            (stream.scope, stream.node, stream.epoch),
        ).fetchone()
        return int(row[0]) if row else None

    def stream_row(self, stream: StreamId) -> int:
        """Return the row of a stream, made if it is new."""
        row = self.find_row(stream)
        if row is None:
            beginning = streams.genesis(stream)
            (row,) = self._db.execute(
                "INSERT INTO streams (scope, node, epoch, base_hash, sequence, hash) "
                "VALUES (?, ?, ?, ?, 0, ?) RETURNING id",
                (stream.scope, stream.node, stream.epoch, beginning, beginning),
            ).fetchone()
        return int(row)

    def hash_at(self, stream: StreamId, sequence: int) -> bytes | None:
        """Return the chain hash at `sequence`; the genesis hash at 0."""
        if sequence == 0:
            return streams.genesis(stream)
        row = self._db.execute(
            "SELECT e.hash FROM entries e JOIN streams s ON s.id = e.stream "
            "WHERE s.scope = ? AND s.node = ? AND s.epoch = ? AND s.branch = x'' "
            "AND e.sequence = ?",
            (stream.scope, stream.node, stream.epoch, sequence),
        ).fetchone()
        return row[0] if row else None

    def all_streams(self) -> list[tuple[int, StreamId, int, bytes]]:
        """Return (row, stream, sequence, hash), public first, then by scope."""
        return [
            (row, StreamId(node, epoch, scope), sequence, chain_hash)
            for row, scope, node, epoch, sequence, chain_hash in self._db.execute(
                "SELECT id, scope, node, epoch, sequence, hash FROM streams "
                "WHERE branch = x'' ORDER BY scope != 'public', scope, node, epoch"
            )
        ]

    def heads(self, scope: str) -> list[Head]:
        """Return how far each stream of `scope` is held here, sorted."""
        return [
            Head(*row)
            for row in self._db.execute(
                "SELECT node, epoch, sequence, hash FROM streams "
                "WHERE scope = ? AND branch = x'' AND sequence > 0 "
                "ORDER BY node, epoch",
                (scope,),
            )
        ]

    def has_entries(self, scope: str) -> bool:
        """Say whether anything of a scope is held."""
        return bool(
            self._db.execute(
                "SELECT 1 FROM streams WHERE scope = ? AND sequence > 0 LIMIT 1",
                (scope,),
            )
        )

    def entries(self, stream: StreamId, first: int, last: int) -> list[StoredEntry]:
        """Return the entries from `first` to `last` that are held."""
        return self._read(
            "s.scope = ? AND s.node = ? AND s.epoch = ? AND s.branch = x'' "
            "AND e.sequence BETWEEN ? AND ? ORDER BY e.sequence",
            (stream.scope, stream.node, stream.epoch, first, last),
        )

    def entries_on(self, row: int, first: int, last: int) -> list[StoredEntry]:
        """Return the entries from `first` to `last` of the line that has this row."""
        return self._read(
            "e.stream = ? AND e.sequence BETWEEN ? AND ? ORDER BY e.sequence",
            (row, first, last),
        )

    def entries_of(self, document: bytes) -> list[StoredEntry]:
        """Return all entries of a document, in the order they came here."""
        return self._read(
            "e.document = ? AND e.document != x'' ORDER BY e.id", (document,)
        )

    def last_changes(
        self, stream: StreamId, documents: Sequence[bytes], before: int
    ) -> Iterator[Parent]:
        """Yield the last change of each document that stands in a stream `before` a
        sequence, if its payload is here.
        """
        row = self.find_row(stream)
        for start in range(0, len(documents), _GROUP):
            group = documents[start : start + _GROUP]
            for sequence, document, payload in self._db.execute(
                "SELECT sequence, document, payload FROM entries WHERE stream = ? "
                "AND sequence IN (SELECT max(sequence) FROM entries "
                f"WHERE document IN ({','.join('?' * len(group))}) "
                "AND document != x'' AND stream = ? AND sequence < ? "
                "AND kind = 'change' GROUP BY document)",
                (row, *group, row, before),
            ):
                change = change_hash(payload) if payload else None
                if change:
                    yield Parent(sequence, document, change)

    def changes_at(
        self, stream: StreamId, sequences: Sequence[int]
    ) -> Iterator[Parent]:
        """Yield the changes at some places of a stream. The hash of one whose payload
        was dropped here is known if it was judged before.
        """
        row = self.find_row(stream)
        for start in range(0, len(sequences), _GROUP):
            group = sequences[start : start + _GROUP]
            for sequence, document, payload, judged in self._db.execute(
                "SELECT sequence, document, payload, CASE WHEN payload IS NULL THEN "
                "(SELECT c.hash FROM changes c WHERE c.document = e.document "
                "AND c.entry = e.id) END FROM entries e WHERE stream = ? "
                f"AND sequence IN ({','.join('?' * len(group))}) AND kind = 'change'",
                (row, *group),
            ):
                change = change_hash(payload) if payload else judged
                if change:
                    yield Parent(sequence, document, change)

    def entry(self, row: int) -> StoredEntry | None:
        """Return one entry by its row."""
        found = self._read("e.id = ?", (row,))
        return found[0] if found else None

    def documents_after(self, stream: StreamId, sequence: int) -> list[bytes]:
        """Return the documents with entries of a stream from `sequence` on."""
        return [
            row[0]
            for row in self._db.execute(
                "SELECT DISTINCT e.document FROM entries e "
                "JOIN streams s ON s.id = e.stream WHERE s.scope = ? AND s.node = ? "
                "AND s.epoch = ? AND e.sequence >= ? AND e.document != x''",
                (stream.scope, stream.node, stream.epoch, sequence),
            )
        ]

    def in_order_of_arrival(self, page: int = 500) -> Iterator[list[StoredEntry]]:
        """Yield all entries, in pages."""
        last = 0
        while rows := self._read("e.id > ? ORDER BY e.id LIMIT ?", (last, page)):
            yield rows
            last = rows[-1].row

    def unused_others(self) -> list[int]:
        """Return the rows of the entries that are no changes and that were set aside
        or only kept, in the order they came here.
        """
        return [
            row[0]
            for row in self._db.execute(
                "SELECT id FROM entries WHERE kind != 'change' "
                "AND verdict IN ('aside', 'kept') ORDER BY id"
            )
        ]

    def set_verdicts(self, verdicts: Iterable[tuple[int, str]]) -> None:
        """Keep for each (row, verdict) what became of the entry."""
        self._db.executemany(
            "UPDATE entries SET verdict = ? WHERE id = ?",
            [(verdict, row) for row, verdict in verdicts],
        )

    def count_entries(self) -> int:
        """Return how many entries are held."""
        return int(self._db.execute("SELECT count(*) FROM entries").fetchone()[0])

    def last_row(self) -> int:
        """Return a number that grows with every entry that comes."""
        return self._next_row() - 1

    # -- checkpoints --------------------------------------------------------

    def put_checkpoint(self, stream: StreamId, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint."""
        self.put_checkpoint_at(self.stream_row(stream), checkpoint)

    def put_checkpoint_at(self, row: int, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint of the line that has this row."""
        self._db.execute(
            "INSERT OR REPLACE INTO checkpoints (stream, sequence, signature) "
            "VALUES (?, ?, ?)",
            (row, checkpoint.sequence, checkpoint.signature),
        )

    def drop_checkpoints_before(self, stream: StreamId, sequence: int) -> None:
        """Forget the checkpoints of a stream that stand before `sequence`."""
        self._db.execute(
            "DELETE FROM checkpoints WHERE stream = ? AND sequence < ?",
            (self.stream_row(stream), sequence),
        )

    def checkpoint_between(
        self, stream: StreamId, first: int, last: int
    ) -> Checkpoint | None:
        """Return the newest checkpoint in a span, if one is held."""
        row = self._db.execute(
            "SELECT c.sequence, e.hash, c.signature FROM checkpoints c "
            "JOIN streams s ON s.id = c.stream "
            "JOIN entries e ON e.stream = c.stream AND e.sequence = c.sequence "
            "WHERE s.scope = ? AND s.node = ? AND s.epoch = ? AND s.branch = x'' "
            "AND c.sequence BETWEEN ? AND ? ORDER BY c.sequence DESC LIMIT 1",
            (stream.scope, stream.node, stream.epoch, first, last),
        ).fetchone()
        return Checkpoint(*row) if row else None

    def next_checkpoint(self, stream: StreamId, first: int) -> int | None:
        """Return the sequence of the first checkpoint from `first` on."""
        row = self._db.execute(
            "SELECT min(c.sequence) FROM checkpoints c "
            "JOIN streams s ON s.id = c.stream "
            "WHERE s.scope = ? AND s.node = ? AND s.epoch = ? AND s.branch = x'' "
            "AND c.sequence >= ?",
            (stream.scope, stream.node, stream.epoch, first),
        ).fetchone()
        return row[0] if row else None

    # -- private --------------------------------------------------------------

    def _next_row(self) -> int:
        row = self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM entries")
        return int(row.fetchone()[0])

    def _read(self, where: str, values: Sequence[object]) -> list[StoredEntry]:
        return [
            StoredEntry(
                row=row[0],
                stream=StreamId(row[1], row[2], row[3]),
                branch=row[4],
                received_at_ms=row[5],
                verdict=row[6],
                entry=_entry(row[7:]),
            )
            for row in self._db.execute(
                "SELECT e.id, s.node, s.epoch, s.scope, s.branch, e.received_at_ms, "
                "e.verdict, "
                f"{_ENTRY_COLUMNS.replace('sequence', 'e.sequence', 1)} "
                f"FROM entries e JOIN streams s ON s.id = e.stream WHERE {where}",
                values,
            )
        ]


def _entry(row: Sequence[object]) -> Entry:
    sequence, kind, document, roster_version, written_at_ms, payload_hash, payload = row
    assert isinstance(payload, bytes | None) and isinstance(document, bytes)
    if payload is not None:
        payload_hash = seal.sha256(payload)
    return Entry(
        sequence,  # type: ignore[arg-type]
        str(kind),
        document,
        roster_version,  # type: ignore[arg-type]
        written_at_ms,  # type: ignore[arg-type]
        payload_hash,  # type: ignore[arg-type]
        payload,
    )
