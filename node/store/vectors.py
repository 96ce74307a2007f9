"""Vectors in SQL: what each holder has signed to have, and how much of that is proven.

A vector counts for the streams that are here: of those it has a row each, `proven`;
what it says of others is looked at again when they come.
"""

from collections.abc import Iterator, Sequence

from node.store.connection import Handle
from node.store.journal import Journal
from sync.exchange import HeldVector, VectorKey
from sync.stream import StreamId
from sync.vector import Head, SignedVector, Vector


class Vectors:
    """The newest vector of each holder and scope, ours among them; and which of them
    a peer is believed to know.
    """

    def __init__(self, db: Handle, journal: Journal) -> None:
        """Use an open database and its streams."""
        self._db = db
        self._journal = journal

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

    def count_ahead(self, holder: bytes) -> int:
        """Return for how many scopes of which nothing is held a holder has signed."""
        row = self._db.execute(
            "SELECT count(*) FROM vectors v WHERE v.holder = ? AND NOT EXISTS "
            "(SELECT 1 FROM streams s WHERE s.scope = v.scope AND s.sequence > 0)",
            (holder,),
        ).fetchone()
        return int(row[0])

    def put(
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
        row = self._journal.stream_row(stream)
        for holder, head, received_at_ms in self._said_of(stream):
            if self._journal.hash_at(stream, head.sequence) == head.hash:
                self._put_head(holder, row, head, received_at_ms)

    def recall(self, stream: StreamId) -> None:
        """Look again at what was said of another's stream before it was here."""
        row = self._journal.stream_row(stream)
        for holder, head, received_at_ms in self._said_of(stream):
            if self._journal.hash_at(stream, head.sequence) in (None, head.hash):
                self._put_head(holder, row, head, received_at_ms)

    def proven(self, stream: StreamId, holder: bytes) -> int:
        """Return how much of a stream a holder is known to have as we have it."""
        row = self._db.execute(
            "SELECT sequence FROM vector_heads WHERE stream = ? AND holder = ?",
            (self._journal.find_row(stream), holder),
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

    def all(self) -> list[HeldVector]:
        """Return all vectors that are held, newest of each holder and scope."""
        return [
            HeldVector(holder, scope, counter, SignedVector(body, signature))
            for holder, scope, counter, body, signature in self._db.execute(
                "SELECT holder, scope, counter, body, signature FROM vectors"
            )
        ]

    def of(self, holder: bytes, scope: str) -> Vector | None:
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

    def claimed_sequence(self, stream: StreamId) -> int:
        """Return how far the author of a stream has ever signed to have it."""
        row = self._db.execute(
            "SELECT claimed FROM streams WHERE scope = ? AND node = ? AND epoch = ? "
            "AND branch = x''",
            (stream.scope, stream.node, stream.epoch),
        ).fetchone()
        return row[0] if row else 0

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
