"""What has arrived where, and what is still on its way, asked of the proven vectors.

Only reads: the rows are written by `node.store.vectors`, as vectors come.
"""

from collections.abc import Iterator, Sequence

from node.store.connection import Handle


class Arrivals:
    """Who has acknowledged which entries, and who lacks which."""

    def __init__(self, db: Handle) -> None:
        """Use an open database."""
        self._db = db

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

    def _has(self, holder: bytes, stream: int | None, sequence: int) -> bool:
        row = self._db.execute(
            "SELECT 1 FROM vector_heads "
            "WHERE stream = ? AND holder = ? AND sequence >= ?",
            (stream, holder, sequence),
        )
        return row.fetchone() is not None
