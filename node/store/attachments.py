"""Attachments in SQL: what lies here, what cases name, who holds it, what is missing.

`attachments` is the truth of what lies whole in the home; it came from no entry. What
follows from entries: `materials` from changes, `holders` from those of kind `holding`,
and `missing`, with a row for each file of a case that is not here, or is here and has
not been said to be. So an exchange costs what is missing, not what is held.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from node.store.connection import Handle

_GROUP = 500

_IS_HERE = "EXISTS (SELECT 1 FROM attachments a WHERE a.digest = x.digest)"
_IS_NAMED_BY = (
    "EXISTS (SELECT 1 FROM materials o WHERE o.document = x.document "
    "AND o.digest = x.digest AND o.node = ?)"
)
_IS_SAID_BY = (
    "EXISTS (SELECT 1 FROM holders h JOIN documents d ON d.id = h.document "
    "AND d.scope = h.scope WHERE h.document = x.document AND h.digest = x.digest "
    "AND h.node = ?)"
)
_IS_HELD_BY = f"({_IS_NAMED_BY} OR {_IS_SAID_BY})"
"""Who has written a file into a case holds it, and so does who has said so."""

_URGENT_FIRST = "max(ifnull(c.is_urgent, 0)) DESC"
"""What is let through the green channel overtakes what waits on the line."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that lies whole in the home. It has a name where it was taken in here."""

    digest: bytes
    size_bytes: int
    name: str = ""
    kind: str = ""
    kept_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class MaterialRow:
    """A file as one author has written it into a case, by the entry that did so."""

    document: bytes
    digest: bytes
    size_bytes: int
    node: bytes
    entry: int


class Attachments:
    """Which files there are and where."""

    def __init__(self, db: Handle) -> None:
        """Use an open database."""
        self._db = db

    # -- what lies here -------------------------------------------------------------

    def put(self, kept: KeptFile) -> None:
        """Keep that a file lies here; the newest name that it was taken in by stays."""
        self._db.execute(
            "INSERT INTO attachments VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) "
            "DO UPDATE SET name = excluded.name, kind = excluded.kind, "
            "kept_at_ms = excluded.kept_at_ms WHERE excluded.name != ''",
            (kept.digest, kept.size_bytes, kept.name, kept.kind, kept.kept_at_ms),
        )

    def get(self, digest: bytes) -> KeptFile | None:
        """Return what is known of a file that lies here."""
        return self.many([digest]).get(digest)

    def many(self, digests: Sequence[bytes]) -> dict[bytes, KeptFile]:
        """Return those of some files that lie here, by digest."""
        return {
            row[0]: KeptFile(*row)
            for row in self._among(
                "SELECT digest, size_bytes, name, kind, kept_at_ms FROM attachments "
                "WHERE digest",
                digests,
            )
        }

    def all(self) -> Iterator[KeptFile]:
        """Yield all files that lie here."""
        last = b""
        while rows := self._db.execute(
            "SELECT digest, size_bytes, name, kind, kept_at_ms FROM attachments "
            "WHERE digest > ? ORDER BY digest LIMIT ?",
            (last, _GROUP),
        ):
            yield from (KeptFile(*row) for row in rows)
            last = rows[-1][0]

    def drop(self, digest: bytes) -> None:
        """Forget that a file lies here: cases that name it miss it now."""
        self._db.execute("DELETE FROM attachments WHERE digest = ?", (digest,))
        self._db.execute(
            "INSERT OR IGNORE INTO missing SELECT document, digest FROM materials "
            "WHERE digest = ?",
            (digest,),
        )

    def unnamed(self, before_ms: int) -> list[bytes]:
        """Return the files kept before a time that no case names."""
        return [
            row[0]
            for row in self._db.execute(
                "SELECT digest FROM attachments x WHERE kept_at_ms < ? AND NOT EXISTS "
                "(SELECT 1 FROM materials m WHERE m.digest = x.digest)",
                (before_ms,),
            )
        ]

    # -- what cases name --------------------------------------------------------------

    def put_materials(self, rows: Iterable[MaterialRow], me: bytes) -> None:
        """Keep which files changes have written into cases."""
        kept = list(rows)
        if not kept:
            return
        self._db.executemany(
            "INSERT INTO materials (document, digest, size_bytes, node, entry) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
            "SET entry = min(entry, excluded.entry)",
            [(r.document, r.digest, r.size_bytes, r.node, r.entry) for r in kept],
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO missing (document, digest) VALUES (?, ?)",
            [(row.document, row.digest) for row in kept],
        )
        self._db.executemany(
            "UPDATE holders SET is_ahead = 0 WHERE document = ? AND digest = ? "
            "AND is_ahead = 1",
            [(row.document, row.digest) for row in kept],
        )
        self.settle(me, {row.document for row in kept})

    def materials_of(self, documents: Sequence[bytes]) -> list[MaterialRow]:
        """Return the files of some cases, in the order in which they were named."""
        rows = self._among(
            "SELECT document, digest, size_bytes, node, entry FROM materials "
            "WHERE document",
            documents,
        )
        return sorted(
            (MaterialRow(*row) for row in rows), key=lambda row: (row.entry, row.digest)
        )

    def scopes_of(self, digests: Sequence[bytes]) -> set[tuple[bytes, str]]:
        """Return (digest, scope) for each scope in which a case names the file."""
        return set(
            self._among(
                "SELECT DISTINCT m.digest, d.scope FROM materials m "
                "JOIN documents d ON d.id = m.document WHERE m.digest",
                digests,
            )
        )

    def sizes(self, digests: Sequence[bytes]) -> dict[bytes, set[int]]:
        """Return for each of these files that a case names how long it is said to be.

        There is more than one size only where somebody has written a wrong one.
        """
        found: dict[bytes, set[int]] = {}
        for digest, size in self._among(
            "SELECT DISTINCT digest, size_bytes FROM materials WHERE digest", digests
        ):
            found.setdefault(digest, set()).add(size)
        return found

    # -- who holds them ---------------------------------------------------------------

    def put_holders(
        self, node: bytes, scope: str, pairs: Iterable[tuple[bytes, bytes]]
    ) -> None:
        """Keep that a node says in `scope` that it holds (document, digest) pairs.

        It counts for cases that live in that scope. They need not be known yet: the
        two come in different streams.
        """
        self._db.executemany(
            "INSERT OR IGNORE INTO holders (document, digest, node, scope, is_ahead) "
            "SELECT ?1, ?2, ?3, ?4, NOT EXISTS "
            "(SELECT 1 FROM materials WHERE document = ?1 AND digest = ?2)",
            [(document, digest, node, scope) for document, digest in pairs],
        )

    def count_ahead(self, node: bytes) -> int:
        """Return how many pairs a node says to hold that no case here names."""
        row = self._db.execute(
            "SELECT count(*) FROM holders WHERE node = ? AND is_ahead = 1", (node,)
        ).fetchone()
        return int(row[0])

    def held_by(
        self, node: bytes, documents: Sequence[bytes]
    ) -> set[tuple[bytes, bytes]]:
        """Return the (document, digest) pairs of some cases that a node holds."""
        found: set[tuple[bytes, bytes]] = set()
        for start in range(0, len(documents), _GROUP):
            group = documents[start : start + _GROUP]
            marks = ",".join("?" * len(group))
            found.update(
                self._db.execute(
                    "SELECT DISTINCT x.document, x.digest FROM materials x "
                    f"WHERE {_IS_HELD_BY} AND x.document IN ({marks})",
                    (node, node, *group),
                )
            )
        return found

    def held_among(self, node: bytes, digests: Sequence[bytes]) -> set[bytes]:
        """Return which of some files a node has said to hold, in any case."""
        found: set[bytes] = set()
        for start in range(0, len(digests), _GROUP):
            group = digests[start : start + _GROUP]
            marks = ",".join("?" * len(group))
            found.update(
                row[0]
                for row in self._db.execute(
                    "SELECT DISTINCT x.digest FROM materials x "
                    f"WHERE {_IS_HELD_BY} AND x.digest IN ({marks})",
                    (node, node, *group),
                )
            )
        return found

    def not_held_by(self, node: bytes) -> list[tuple[bytes, str]]:
        """Return (digest, scope) of the files that lie here and that a node has not
        said to hold, those of urgent cases first, then those of the oldest.
        """
        return [
            (row[0], row[1])
            for row in self._db.execute(
                "SELECT x.digest, s.scope, min(x.entry) FROM materials x "
                "JOIN documents s ON s.id = x.document "
                "LEFT JOIN cases c ON c.document = x.document "
                f"WHERE {_IS_HERE} AND NOT {_IS_HELD_BY} "
                f"GROUP BY x.digest, s.scope ORDER BY {_URGENT_FIRST}, 3",
                (node, node),
            )
        ]

    # -- what is missing --------------------------------------------------------------

    def settle(self, me: bytes, documents: Iterable[bytes]) -> None:
        """Let go of what some cases miss no more: it is here, and said to be."""
        self._db.executemany(
            f"DELETE FROM missing AS x WHERE {_IS_HERE} AND {_IS_HELD_BY} "
            "AND x.document = ?",
            [(me, me, document) for document in documents],
        )

    def unsaid(self, limit: int) -> list[tuple[str, bytes, bytes]]:
        """Return (scope, document, digest) of what is here, after all of a scope the
        next, and has not been settled.
        """
        return list(
            self._db.execute(
                "SELECT s.scope, x.document, x.digest FROM missing x "
                f"JOIN documents s ON s.id = x.document WHERE {_IS_HERE} "
                "ORDER BY s.scope, x.document, x.digest LIMIT ?",
                (limit,),
            )
        )

    def missing(self, digests: Sequence[bytes]) -> set[bytes]:
        """Return which of these files some case here misses."""
        here = set(self.many(digests))
        rows = self._among("SELECT DISTINCT digest FROM missing WHERE digest", digests)
        return {row[0] for row in rows} - here

    def all_missing(self) -> set[bytes]:
        """Return all files that some case here misses."""
        return {
            row[0]
            for row in self._db.execute(
                f"SELECT DISTINCT x.digest FROM missing x WHERE NOT {_IS_HERE}"
            )
        }

    def missing_held_by(self, node: bytes, limit: int) -> list[tuple[bytes, str]]:
        """Return (digest, scope) of what is missing here and held by a node, that of
        urgent cases first, then that of the oldest.
        """
        return [
            (row[0], row[1])
            for row in self._db.execute(
                "SELECT x.digest, s.scope, min(m.entry) FROM missing x "
                "JOIN documents s ON s.id = x.document "
                "JOIN materials m ON m.document = x.document AND m.digest = x.digest "
                "LEFT JOIN cases c ON c.document = x.document "
                f"WHERE NOT {_IS_HERE} AND {_IS_HELD_BY} "
                f"GROUP BY x.digest ORDER BY {_URGENT_FIRST}, 3 LIMIT ?",
                (node, node, limit),
            )
        ]

    def count_missing_held_by(self, node: bytes) -> int:
        """Return how many files are missing here and held by a node."""
        row = self._db.execute(
            "SELECT count(DISTINCT x.digest) FROM missing x "
            f"WHERE NOT {_IS_HERE} AND {_IS_HELD_BY}",
            (node, node),
        ).fetchone()
        return int(row[0])

    # -- what others have asked for ----------------------------------------------------

    def set_asked(self, peer: bytes, counts: Iterable[tuple[bytes, int]]) -> None:
        """Keep how far a neighbour says that its files have come, in pieces."""
        self._db.execute("DELETE FROM asked WHERE peer = ?", (peer,))
        self._db.executemany(
            "INSERT OR REPLACE INTO asked VALUES (?, ?, ?)",
            [(peer, digest, count) for digest, count in counts],
        )

    def asked(self, peer: bytes) -> dict[bytes, int]:
        """Return how far a neighbour's files had come when it last asked for them."""
        return dict(
            self._db.execute("SELECT digest, count FROM asked WHERE peer = ?", (peer,))
        )

    def count_asked(self, peer: bytes) -> int:
        """Return how many files a neighbour has asked for that it does not hold yet."""
        row = self._db.execute(
            "SELECT count(*) FROM asked q WHERE q.peer = ? AND EXISTS (SELECT 1 FROM "
            f"materials x WHERE x.digest = q.digest AND NOT {_IS_HELD_BY})",
            (peer, peer, peer),
        ).fetchone()
        return int(row[0])

    def _among(self, select: str, keys: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of `select ... IN keys`, asked for in groups."""
        for start in range(0, len(keys), _GROUP):
            group = keys[start : start + _GROUP]
            marks = ",".join("?" * len(group))
            yield from self._db.execute(f"{select} IN ({marks})", tuple(group))
