"""What of other nodes was not stored, and why, in SQL."""

from collections.abc import Sequence

from node.store.connection import Handle

MOST_TOGETHER = 20
"""Of one parcel: one who sends nothing else must not push out what others did."""


class Refusals:
    """The newest thousand refusals, for people to look at."""

    def __init__(self, db: Handle) -> None:
        """Use an open database."""
        self._db = db

    def put(self, at_ms: int, peer: bytes, cause: str, detail: str) -> None:
        """Keep that something of a peer was not stored."""
        self.put_together(at_ms, peer, [(cause, detail)])

    def put_together(
        self, at_ms: int, peer: bytes, refused: Sequence[tuple[str, str]]
    ) -> None:
        """Keep (cause, detail) of what was not stored of a peer at one time. The last
        that is kept says how many more there were; the newest thousand stay.
        """
        kept = [(cause, detail[:300]) for cause, detail in refused[:MOST_TOGETHER]]
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

    def count(self) -> int:
        """Return how many refusals are kept."""
        return int(self._db.execute("SELECT count(*) FROM refusals").fetchone()[0])

    def last_ms(self, cause: str) -> int | None:
        """Return when something was last refused for this cause."""
        row = self._db.execute(
            "SELECT at_ms FROM refusals WHERE cause = ? ORDER BY id DESC LIMIT 1",
            (cause,),
        ).fetchone()
        return row[0] if row else None

    def newest(self, limit: int) -> list[tuple[int, bytes, str, str]]:
        """Return (time, peer, cause, detail), newest first."""
        return list(
            self._db.execute(
                "SELECT at_ms, peer, cause, detail FROM refusals "
                "ORDER BY id DESC LIMIT ?",
                (limit,),
            )
        )
