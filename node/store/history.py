"""Where the changes of a case stand in the streams, in SQL: read only."""

from collections.abc import Iterator
from typing import NamedTuple

from node.store.connection import Handle
from sync.seal import sha256
from sync.stream import Checkpoint, Entry, StreamId

_LINES_MAX = 64
"""Lines that are gone along until one is signed; a stream parts seldom."""


class Place(NamedTuple):
    """Where a change that was taken up stands: `line` is the row of its stream, or of
    a branch of it, `received_at_ms` when it came here.
    """

    change: bytes
    line: int
    is_branch: bool
    stream: StreamId
    sequence: int
    received_at_ms: int
    payload: bytes | None


class Link(NamedTuple):
    """An entry with its chain hash."""

    entry: Entry
    hash: bytes


class History:
    """What the streams say of one document."""

    def __init__(self, db: Handle) -> None:
        """Use an open database."""
        self._db = db

    def places(self, document: bytes) -> list[Place]:
        """Return where the changes of a document stand, parents first."""
        return [
            Place(
                change,
                line,
                bool(branch),
                StreamId(node, epoch, scope),
                sequence,
                received_at_ms,
                payload,
            )
            for (
                change,
                line,
                branch,
                node,
                epoch,
                scope,
                sequence,
                received_at_ms,
                payload,
            ) in self._db.execute(
                "SELECT c.hash, e.stream, s.branch, s.node, s.epoch, s.scope, "
                "e.sequence, e.received_at_ms, e.payload FROM changes c "
                "JOIN entries e ON e.id = c.entry JOIN streams s ON s.id = e.stream "
                "WHERE c.document = ? AND c.verdict = 'taken' "
                "ORDER BY c.last_op, c.hash",
                (document,),
            )
        ]

    def arrivals(self, line: int, sequence: int) -> list[tuple[int, bytes]]:
        """Return (time in milliseconds, holder) since when others are known here to
        have a line up to a sequence, the earliest first.
        """
        return sorted(
            (at_ms, holder)
            for holder, at_ms in self._db.execute(
                "SELECT holder, min(at_ms) FROM arrivals "
                "WHERE stream = ? AND sequence >= ? GROUP BY holder",
                (line, sequence),
            )
        )

    def hash_before(self, line: int, sequence: int) -> bytes:
        """Return the chain hash on which an entry of a line stands."""
        (found,) = self._db.execute(
            "SELECT coalesce((SELECT hash FROM entries WHERE stream = s.id "
            "AND sequence = ? - 1), s.base_hash) FROM streams s WHERE s.id = ?",
            (sequence, line),
        ).fetchone()
        return bytes(found)

    def signed_links(
        self, line: int, sequence: int
    ) -> tuple[list[Link], Checkpoint] | None:
        """Return the entries from `sequence` to the next one that its author has
        signed, with that signature; None where he has signed none.

        A line that ends before one, because the stream parts there, goes on in any of
        its branches: the signature covers what stands before it all the same.
        """
        links: list[Link] = []
        for _ in range(_LINES_MAX):
            checkpoint = self._checkpoint(line, sequence)
            last = checkpoint.sequence if checkpoint else None
            links += self.links(line, sequence, last)
            if checkpoint:
                return links, checkpoint
            if not links:
                return None
            following = self._db.execute(
                "SELECT b.id FROM streams b JOIN streams s ON s.id = ? "
                "WHERE b.scope = s.scope AND b.node = s.node AND b.epoch = s.epoch "
                "AND b.branch != x'' AND b.base_hash = ? ORDER BY b.branch LIMIT 1",
                (line, links[-1].hash),
            ).fetchone()
            if following is None:
                return None
            (line,) = following
            sequence = links[-1].entry.sequence + 1
        return None

    def links(self, line: int, first: int, last: int | None) -> Iterator[Link]:
        """Yield the entries of a line from `first` to `last`, or to its end."""
        for (
            sequence,
            kind,
            document,
            roster_version,
            written_at_ms,
            payload_hash,
            payload,
            chain_hash,
        ) in self._db.execute(
            "SELECT sequence, kind, document, roster_version, written_at_ms, "
            "payload_hash, payload, hash FROM entries "
            "WHERE stream = ? AND sequence BETWEEN ? AND ? ORDER BY sequence",
            (line, first, last if last is not None else 2**62),
        ):
            entry = Entry(
                sequence,
                kind,
                document,
                roster_version,
                written_at_ms,
                payload_hash or sha256(payload),
                payload,
            )
            yield Link(entry, chain_hash)

    def _checkpoint(self, line: int, sequence: int) -> Checkpoint | None:
        row = self._db.execute(
            "SELECT c.sequence, e.hash, c.signature FROM checkpoints c "
            "JOIN entries e ON e.stream = c.stream AND e.sequence = c.sequence "
            "WHERE c.stream = ? AND c.sequence >= ? ORDER BY c.sequence LIMIT 1",
            (line, sequence),
        ).fetchone()
        return Checkpoint(*row) if row else None
