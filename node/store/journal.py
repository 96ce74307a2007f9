"""Streams, entries, checkpoints and vectors in SQL: the truth of a node."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from node.store.connection import Handle
from sync import seal
from sync import stream as streams
from sync.envelope import Parent, change_hash
from sync.exchange import HeldVector, VectorKey
from sync.stream import Checkpoint, Chunk, Entry, StreamId
from sync.vector import Head, SignedVector, Span, Vector

_GROUP = 500
REFUSALS_TOGETHER = 20
"""Of one parcel: one who sends nothing else must not push out what others did."""
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

    def stream_row(self, stream: StreamId) -> int:
        """Return the row of a stream, made if it is new."""
        row = self._find_row(stream)
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
        row = self._find_row(stream)
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
        row = self._find_row(stream)
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

    # -- vectors ------------------------------------------------------------

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

    def scopes(self, me: bytes = b"") -> list[str]:
        """Return the scopes of which anything is held, or for which `me` has signed.

        A node that was put back to before it had anything of a scope hears of it by
        its own vector, and must be able to say that it has nothing. What others have
        signed for is nothing to answer: they owe it, and say so by sending it.
        """
        return [
            row[0]
            for row in self._db.execute(
                "SELECT scope FROM streams WHERE sequence > 0 "
                "UNION SELECT scope FROM vectors WHERE holder = ?",
                (me,),
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

    def count_scopes_ahead(self, holder: bytes) -> int:
        """Return for how many scopes of which nothing is held a holder has signed."""
        row = self._db.execute(
            "SELECT count(*) FROM vectors v WHERE v.holder = ? AND NOT EXISTS "
            "(SELECT 1 FROM streams s WHERE s.scope = v.scope AND s.sequence > 0)",
            (holder,),
        ).fetchone()
        return int(row[0])

    def put_vector(
        self,
        vector: Vector,
        signed: SignedVector,
        received_at_ms: int,
        known: Sequence[Head],
        unproven: Sequence[StreamId] = (),
    ) -> None:
        """Keep a holder's newest vector in the place of its last.

        `known` are those of its heads whose authors are known here; only they are
        looked up later, once there is anything of the stream here: see `recall`.
        Where the holder has less than it had, it counts as less. Of `unproven`
        streams nobody can say yet whether what it has is what we have: what it was
        known to have before stays.
        """
        self._db.execute(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?, ?)",
            (
                vector.holder,
                vector.scope,
                vector.counter,
                signed.body,
                signed.signature,
                received_at_ms,
            ),
        )
        # Anybody may name any number of streams that are not here: they get no rows.
        row_of = {
            (node, epoch): row
            for node, epoch, row in self._db.execute(
                "SELECT node, epoch, id FROM streams WHERE scope = ? AND branch = x''",
                (vector.scope,),
            )
        }
        rows = {
            row_of[head.node, head.epoch]: head
            for head in known
            if (head.node, head.epoch) in row_of
        }
        unsure = [(stream.node, stream.epoch) for stream in unproven]
        kept = [*rows, *(row_of[one] for one in unsure if one in row_of)]
        for table in ("vector_heads", "arrivals"):
            self._db.execute(
                f"DELETE FROM {table} WHERE holder = ? AND stream IN "
                "(SELECT id FROM streams WHERE scope = ?) "
                f"AND stream NOT IN ({','.join('?' * len(kept))})",
                (vector.holder, vector.scope, *kept),
            )
        for row, head in rows.items():
            self._put_head(vector.holder, row, head, received_at_ms)

    def prove(self, stream: StreamId) -> None:
        """Look again at what others have said of a stream of ours that has grown."""
        row = self.stream_row(stream)
        for holder, head, received_at_ms in self._said_of(stream):
            if self.hash_at(stream, head.sequence) == head.hash:
                self._put_head(holder, row, head, received_at_ms)

    def recall(self, stream: StreamId) -> None:
        """Look again at what was said of another's stream before it was here."""
        row = self.stream_row(stream)
        for holder, head, received_at_ms in self._said_of(stream):
            if self.hash_at(stream, head.sequence) in (None, head.hash):
                self._put_head(holder, row, head, received_at_ms)

    def proven(self, stream: StreamId, holder: bytes) -> int:
        """Return how much of a stream a holder is known to have as we have it."""
        row = self._db.execute(
            "SELECT sequence FROM vector_heads WHERE stream = ? AND holder = ?",
            (self._find_row(stream), holder),
        ).fetchone()
        return row[0] if row else 0

    def count_proven(self, holder: bytes) -> int:
        """Return how many of the entries here a holder is known to have."""
        row = self._db.execute(
            "SELECT coalesce(sum(min(v.sequence, s.sequence)), 0) "
            "FROM vector_heads v JOIN streams s ON s.id = v.stream WHERE v.holder = ?",
            (holder,),
        ).fetchone()
        return int(row[0])

    def _said_of(self, stream: StreamId) -> Iterator[tuple[bytes, Head, int]]:
        """Yield (holder, head, time) of all vectors held that name a stream."""
        for holder, body, received_at_ms in self._db.execute(
            "SELECT holder, body, received_at_ms FROM vectors WHERE scope = ?",
            (stream.scope,),
        ):
            for head in SignedVector(body, b"").read().heads:
                if (head.node, head.epoch) == (stream.node, stream.epoch):
                    yield holder, head, received_at_ms

    def _put_head(
        self, holder: bytes, row: int, head: Head, received_at_ms: int
    ) -> None:
        """Keep that a holder has so much of the stream that has this row, and since
        when.
        """
        if head.node == holder:
            self._db.execute(
                "UPDATE streams SET claimed = max(claimed, ?) WHERE id = ?",
                (head.sequence, row),
            )
        self._db.execute(
            "INSERT OR REPLACE INTO vector_heads (stream, holder, sequence) "
            "VALUES (?, ?, ?)",
            (row, holder, head.sequence),
        )
        # Who had more than now has had this much for as long.
        since = self._db.execute(
            "SELECT min(at_ms) FROM arrivals "
            "WHERE stream = ? AND holder = ? AND sequence >= ?",
            (row, holder, head.sequence),
        ).fetchone()
        self._db.execute(
            "DELETE FROM arrivals WHERE stream = ? AND holder = ? AND sequence > ?",
            (row, holder, head.sequence),
        )
        # Of what is claimed beyond what is here, the first word and the last are kept:
        # nobody can say yet that it is true, and numbers do not end.
        self._db.execute(
            "DELETE FROM arrivals WHERE stream = ? AND holder = ? AND sequence < ? "
            "AND sequence > (SELECT min(a.sequence) FROM arrivals a JOIN streams s "
            " ON s.id = a.stream WHERE a.stream = ? AND a.holder = ? "
            " AND a.sequence > s.sequence)",
            (row, holder, head.sequence, row, holder),
        )
        self._db.execute(
            "INSERT OR IGNORE INTO arrivals VALUES (?, ?, ?, ?)",
            (row, holder, head.sequence, since[0] or received_at_ms),
        )

    def vectors(self) -> list[HeldVector]:
        """Return all vectors that are held, newest of each holder and scope."""
        return [
            HeldVector(holder, scope, counter, SignedVector(body, signature))
            for holder, scope, counter, body, signature in self._db.execute(
                "SELECT holder, scope, counter, body, signature FROM vectors"
            )
        ]

    def vector_of(self, holder: bytes, scope: str) -> Vector | None:
        """Return a holder's newest vector of `scope`."""
        row = self._db.execute(
            "SELECT body FROM vectors WHERE holder = ? AND scope = ?", (holder, scope)
        ).fetchone()
        return SignedVector(row[0], b"").read() if row else None

    def last_heard(self) -> dict[bytes, int]:
        """Return when the newest vector of each holder came here, in milliseconds."""
        return dict(
            self._db.execute(
                "SELECT holder, max(received_at_ms) FROM vectors GROUP BY holder"
            )
        )

    def told(self, peer: bytes) -> dict[VectorKey, int]:
        """Return which vectors the peer is believed to know."""
        return {
            (holder, scope): counter
            for holder, scope, counter in self._db.execute(
                "SELECT holder, scope, counter FROM told WHERE peer = ?", (peer,)
            )
        }

    def set_told(self, peer: bytes, told: dict[VectorKey, int]) -> None:
        """Replace what the peer is believed to know."""
        if told == self.told(peer):
            return
        self._db.execute("DELETE FROM told WHERE peer = ?", (peer,))
        self._db.executemany(
            "INSERT INTO told VALUES (?, ?, ?, ?)",
            [(peer, holder, scope, n) for (holder, scope), n in told.items()],
        )

    def claimed_sequence(self, stream: StreamId) -> int:
        """Return how far the author of a stream has ever signed to have it."""
        row = self._db.execute(
            "SELECT claimed FROM streams WHERE scope = ? AND node = ? AND epoch = ? "
            "AND branch = x''",
            (stream.scope, stream.node, stream.epoch),
        ).fetchone()
        return row[0] if row else 0

    # -- what has arrived where ----------------------------------------------

    def acknowledged(
        self, document: bytes, author: bytes, holders: Sequence[bytes]
    ) -> dict[bytes, int]:
        """Return when each of `holders` was first known here to have all entries of
        `author` for `document`, in milliseconds; 0 where there are entries that it
        has not acknowledged; empty where the author has none.
        """
        arrived: dict[bytes, int] = {}
        for stream, sequence in self._anchors(document, author):
            for holder in holders:
                row = self._db.execute(
                    "SELECT min(at_ms) FROM arrivals "
                    "WHERE stream = ? AND holder = ? AND sequence >= ?",
                    (stream, holder, sequence),
                ).fetchone()
                if row[0] is None or arrived.get(holder) == 0:
                    arrived[holder] = 0
                else:
                    arrived[holder] = max(row[0], arrived.get(holder, 0))
        return arrived

    def _anchors(
        self, document: bytes, author: bytes
    ) -> Iterator[tuple[int | None, int]]:
        """Yield (line, sequence) up to which a holder must have the main lines, so
        that it has all entries of `author` for `document`; (None, 0) for an entry
        that no main line carries.
        """
        for stream, is_branch, last in self._db.execute(
            "SELECT n.stream, s.branch != x'', max(n.sequence) FROM entries n "
            "JOIN streams s ON s.id = n.stream "
            "WHERE n.document = ? AND n.document != x'' AND s.node = ? "
            "GROUP BY n.stream",
            (document, author),
        ):
            if not is_branch:
                yield stream, last
                continue
            for (entry,) in self._db.execute(
                "SELECT id FROM entries WHERE document = ? AND stream = ?",
                (document, stream),
            ):
                yield self._carrier(entry)

    def _carrier(self, entry: int) -> tuple[int | None, int]:
        """Return where on a main line the evidence stands that holds an entry."""
        found: int | None = entry
        while found is not None:
            stream, sequence, is_branch, carrier = self._db.execute(
                "SELECT e.stream, e.sequence, s.branch != x'', c.carrier "
                "FROM entries e JOIN streams s ON s.id = e.stream "
                "LEFT JOIN carried c ON c.entry = e.id WHERE e.id = ?",
                (found,),
            ).fetchone()
            if not is_branch:
                return stream, sequence
            found = carrier
        return None, 0

    def owed_to(
        self, holder: bytes, scopes: Sequence[str]
    ) -> tuple[int, int, int | None]:
        """Return what `holder` has not acknowledged: (entries, documents, time of
        the oldest in milliseconds), over all streams of `scopes` that are not its own.
        """
        entries = 0
        documents: set[bytes] = set()
        oldest: int | None = None
        marks = ",".join("?" * len(scopes))
        streams_behind = self._db.execute(
            "SELECT s.id, coalesce(v.sequence, 0), s.sequence FROM streams s "
            "LEFT JOIN vector_heads v ON v.stream = s.id AND v.holder = ? "
            f"WHERE s.scope IN ({marks}) AND s.branch = x'' AND s.node != ? "
            "AND s.sequence > coalesce(v.sequence, 0)",
            (holder, *scopes, holder),
        )
        for stream, has, last in streams_behind:
            entries += last - has
            for document, received_at_ms in self._db.execute(
                "SELECT document, min(received_at_ms) FROM entries "
                "WHERE stream = ? AND sequence > ? AND sequence <= ? "
                "GROUP BY document",
                (stream, has, last),
            ):
                documents.add(document)
                oldest = min(filter(None, (oldest, received_at_ms)), default=None)
        return entries, len(documents - {b""}), oldest

    def documents_not_at(self, author: bytes, holder: bytes) -> int:
        """Return how many documents have entries of `author` that `holder` has not
        acknowledged.
        """
        documents: set[bytes] = set()
        for stream, has in self._db.execute(
            "SELECT s.id, coalesce(v.sequence, 0) FROM streams s "
            "LEFT JOIN vector_heads v ON v.stream = s.id AND v.holder = ? "
            "WHERE s.node = ? AND s.branch = x'' "
            "AND s.sequence > coalesce(v.sequence, 0)",
            (holder, author),
        ):
            documents.update(
                row[0]
                for row in self._db.execute(
                    "SELECT DISTINCT document FROM entries "
                    "WHERE stream = ? AND sequence > ? AND document != x''",
                    (stream, has),
                )
            )
        # What was written after a parting has arrived with the evidence of it.
        for entry, document in self._db.execute(
            "SELECT e.id, e.document FROM streams s JOIN entries e ON e.stream = s.id "
            "LEFT JOIN carried c ON c.entry = e.id "
            "LEFT JOIN entries k ON k.id = c.carrier "
            "LEFT JOIN vector_heads v ON v.stream = k.stream AND v.holder = ? "
            "WHERE s.node = ? AND s.branch != x'' AND e.document != x'' "
            "AND coalesce(v.sequence, 0) < coalesce(k.sequence, 1)",
            (holder, author),
        ):
            stream, sequence = self._carrier(entry)
            if document not in documents and not self._has(holder, stream, sequence):
                documents.add(document)
        return len(documents)

    def _has(self, holder: bytes, stream: int | None, sequence: int) -> bool:
        row = self._db.execute(
            "SELECT 1 FROM vector_heads "
            "WHERE stream = ? AND holder = ? AND sequence >= ?",
            (stream, holder, sequence),
        )
        return row.fetchone() is not None

    def owed_by(self, holder: bytes) -> tuple[int, int | None]:
        """Return how many entries `holder` says it has that we do not, and when it
        first said so of the oldest of them, in milliseconds.

        What follows a parting is no longer on the main line here, and will not be.
        """
        missing, since_ms = 0, None
        for count, heard_ms in self._db.execute(
            "SELECT v.sequence - s.sequence, "
            "(SELECT min(a.at_ms) FROM arrivals a WHERE a.stream = v.stream "
            " AND a.holder = v.holder AND a.sequence > s.sequence) "
            "FROM vector_heads v JOIN streams s ON s.id = v.stream "
            "WHERE v.holder = ? AND v.sequence > s.sequence AND NOT EXISTS "
            "(SELECT 1 FROM streams b WHERE b.scope = s.scope AND b.node = s.node "
            " AND b.epoch = s.epoch AND b.branch != x'')",
            (holder,),
        ):
            missing += count
            since_ms = min(filter(None, (since_ms, heard_ms)), default=None)
        return missing, since_ms

    # -- refusals ---------------------------------------------------

    def put_refusal(self, at_ms: int, peer: bytes, cause: str, detail: str) -> None:
        """Keep that something of a peer was not stored."""
        self.put_refusals(at_ms, peer, [(cause, detail)])

    def put_refusals(
        self, at_ms: int, peer: bytes, refused: Sequence[tuple[str, str]]
    ) -> None:
        """Keep (cause, detail) of what was not stored of a peer at one time. The last
        that is kept says how many more there were; the newest thousand stay.
        """
        kept = [(cause, detail[:300]) for cause, detail in refused[:REFUSALS_TOGETHER]]
        if not kept:
            return
        if more := len(refused) - len(kept):
            cause, detail = kept[-1]
            kept[-1] = cause, f"{detail} (and {more} more parts)"
        self._db.executemany(
            "INSERT INTO refusals (at_ms, peer, cause, detail) VALUES (?, ?, ?, ?)",
            [(at_ms, peer, *row) for row in kept],
        )
        self._db.execute(
            "DELETE FROM refusals WHERE id <= (SELECT max(id) FROM refusals) - 1000"
        )

    def count_refusals(self) -> int:
        """Return how many refusals are kept."""
        return int(self._db.execute("SELECT count(*) FROM refusals").fetchone()[0])

    def last_refusal_ms(self, cause: str) -> int | None:
        """Return when something was last refused for this cause."""
        row = self._db.execute(
            "SELECT at_ms FROM refusals WHERE cause = ? ORDER BY id DESC LIMIT 1",
            (cause,),
        ).fetchone()
        return row[0] if row else None

    def refusals(self, limit: int) -> list[tuple[int, bytes, str, str]]:
        """Return (time, peer, cause, detail), newest first."""
        return list(
            self._db.execute(
                "SELECT at_ms, peer, cause, detail FROM refusals "
                "ORDER BY id DESC LIMIT ?",
                (limit,),
            )
        )

    # -- private --------------------------------------------------------------

    def _find_row(self, stream: StreamId) -> int | None:
        row = self._db.execute(
            "SELECT id FROM streams "
            "WHERE scope = ? AND node = ? AND epoch = ? AND branch = x''",
            (stream.scope, stream.node, stream.epoch),
        ).fetchone()
        return int(row[0]) if row else None

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


def read_chunk(
    journal: Journal,
    span: Span,
    max_entries: int,
    max_bytes: int,
    private: bytes,
    me: bytes,
) -> Chunk | None:
    """Return the beginning of `span` with a checkpoint over it.

    Our own streams are signed where we cut them; what we relay is cut at the
    checkpoints of its author.
    """
    stream = span.stream
    rows = [
        stored.entry
        for stored in journal.entries(
            stream, span.first, min(span.last, span.first + max_entries - 1)
        )
    ]
    size = 0
    for fitting, entry in enumerate(rows):
        size += len(entry.payload or b"")
        if size > max_bytes and fitting:
            rows = rows[:fitting]
            break
    if not rows:
        return None
    if stream.node == me:
        chain_hash = journal.hash_at(stream, rows[-1].sequence)
        assert chain_hash is not None
        checkpoint: Checkpoint | None = streams.sign_checkpoint(
            private, stream, rows[-1].sequence, chain_hash
        )
    else:
        checkpoint = journal.checkpoint_between(stream, span.first, rows[-1].sequence)
        if checkpoint is None:
            following = journal.next_checkpoint(stream, span.first)
            if following is None or following - span.first >= streams.MAX_CHUNK_ENTRIES:
                return None
            rows = [s.entry for s in journal.entries(stream, span.first, following)]
            checkpoint = journal.checkpoint_between(stream, following, following)
    assert checkpoint is not None
    return streams.pack(
        stream,
        [row for row in rows if row.sequence <= checkpoint.sequence],
        checkpoint,
        lambda documents: journal.last_changes(stream, documents, span.first),
    )


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
