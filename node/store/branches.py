"""What follows the parting of a forked stream, in SQL; and the evidence of it.

All that is known of a stream is a tree: the main line, and beyond its end the
branches, each up to where it parts again. A branch is named by the hash of its first
entry, and says on which hash it stands; so the same entries make the same rows,
whichever came first. Rows of entries keep their ids when they move to another line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from node.store.connection import Handle
from node.store.journal import Journal
from sync.stream import Checkpoint, StreamId

_GROUP = 500

NEW, WAITS, TAKEN, BAD = "new", "waits", "taken", "bad"
"""Evidence: to be looked at; proves nothing yet; part of the tree; its author has not
signed it, and it still counts as shown by its writer.
"""


@dataclass(slots=True)
class Line:
    """Neighbouring entries without a parting, those after `base` up to `sequence`.

    `tag` is empty for the main line, which stands on the hash before the first entry.
    """

    row: int
    tag: bytes
    base: int
    base_hash: bytes
    sequence: int
    hash: bytes


class EvidenceRow(NamedTuple):
    """Where an entry of kind `branch` says that entries of another stream are: those
    from `first`, behind the chain hash `previous`, to `last`, which has `hash`.
    """

    entry: int
    stream: StreamId
    first: int
    last: int
    hash: bytes
    state: str
    previous: bytes


class Shown(NamedTuple):
    """A piece of evidence of one writer: where it begins and ends, how long it is."""

    previous: bytes
    hash: bytes
    size_bytes: int


class ChainRow(NamedTuple):
    """An entry of a line; `carrier` is the row of evidence that holds it, or 0."""

    row: int
    sequence: int
    hash: bytes
    carrier: int


class LineCounts(NamedTuple):
    """How many entries stand on a line, and from when to when they were written."""

    entries: int
    first_ms: int
    last_ms: int


class ForkRow(NamedTuple):
    """A parting that was found: at which sequence, and when, in milliseconds."""

    stream: StreamId
    sequence: int
    found_at_ms: int


class Branches:
    """Lines of forked streams, and what is known about their partings."""

    def __init__(self, db: Handle, journal: Journal) -> None:
        """Use an open database."""
        self._db = db
        self._journal = journal

    # -- lines ------------------------------------------------------------------

    def is_forked(self, stream: StreamId) -> bool:
        """Say whether a stream has parted."""
        row = self._db.execute(
            "SELECT 1 FROM streams WHERE scope = ? AND node = ? AND epoch = ? "
            "AND branch != x'' LIMIT 1",
            (stream.scope, stream.node, stream.epoch),
        )
        return row.fetchone() is not None

    def lines(self, stream: StreamId) -> list[Line]:
        """Return the main line of a stream, then its branches, parents first; none
        for a stream without any row.
        """
        return [
            Line(*row)
            for row in self._db.execute(
                "SELECT id, branch, base, base_hash, sequence, hash FROM streams "
                "WHERE scope = ? AND node = ? AND epoch = ? "
                "ORDER BY branch != x'', base, branch",
                (stream.scope, stream.node, stream.epoch),
            )
        ]

    def path(self, stream: StreamId, tag: bytes) -> tuple[bytes, ...]:
        """Return the names of the branches that lead to one, that one last."""
        lines = self.lines(stream)
        wanted = next(line for line in lines if line.tag == tag)
        return tuple(line.tag for line in path_to(lines, wanted)[1:])

    def rows_to(self, stream: StreamId, tag: bytes) -> list[int]:
        """Return the rows of a line and of those on which it stands."""
        lines = self.lines(stream)
        wanted = next(line for line in lines if line.tag == tag)
        return [line.row for line in path_to(lines, wanted)]

    def forked_streams(self) -> list[StreamId]:
        """Return the streams that have parted, by scope, node and epoch."""
        return [
            StreamId(node, epoch, scope)
            for scope, node, epoch in self._db.execute(
                "SELECT DISTINCT scope, node, epoch FROM streams "
                "WHERE branch != x'' ORDER BY scope, node, epoch"
            )
        ]

    def hash_in(self, line: Line, sequence: int) -> bytes | None:
        """Return the chain hash at a sequence of a line, from its base on."""
        if sequence == line.base:
            return line.base_hash
        row = self._db.execute(
            "SELECT hash FROM entries WHERE stream = ? AND sequence = ?",
            (line.row, sequence),
        ).fetchone()
        return row[0] if row else None

    def row_with(
        self, rows: Sequence[int], sequence: int, chain_hash: bytes
    ) -> int | None:
        """Return on which of these lines an entry stands, if on any."""
        marks = ",".join("?" * len(rows))
        row = self._db.execute(
            f"SELECT stream FROM entries WHERE stream IN ({marks}) "
            "AND sequence = ? AND hash = ? LIMIT 1",
            (*rows, sequence, chain_hash),
        ).fetchone()
        return row[0] if row else None

    def split(self, stream: StreamId, line: Line, at: int) -> None:
        """Let a line end at `at`; what follows becomes a branch."""
        tag, base_hash = self.hash_in(line, at + 1), self.hash_in(line, at)
        assert tag is not None and base_hash is not None
        row = self.open_line(stream, tag, at, base_hash)
        for table in ("entries", "checkpoints"):
            self._db.execute(
                f"UPDATE {table} SET stream = ? WHERE stream = ? AND sequence > ?",
                (row, line.row, at),
            )
        self._db.execute(
            "UPDATE streams SET sequence = ?, hash = ? WHERE id = ?",
            (line.sequence, line.hash, row),
        )
        self._db.execute(
            "UPDATE streams SET sequence = ?, hash = ? WHERE id = ?",
            (at, base_hash, line.row),
        )

    def open_line(
        self, stream: StreamId, tag: bytes, base: int, base_hash: bytes
    ) -> int:
        """Begin a branch without entries yet; return its row."""
        row = self._db.execute(
            "INSERT INTO streams "
            "(scope, node, epoch, branch, base, base_hash, sequence, hash) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                *(stream.scope, stream.node, stream.epoch),
                *(tag, base, base_hash, base, base_hash),
            ),
        ).fetchone()
        return int(row[0])

    def checkpoints(self, line: Line) -> dict[int, Checkpoint]:
        """Return the signatures that are held on a line, by sequence."""
        return {
            row[0]: Checkpoint(*row)
            for row in self._db.execute(
                "SELECT c.sequence, e.hash, c.signature FROM checkpoints c "
                "JOIN entries e ON e.stream = c.stream AND e.sequence = c.sequence "
                "WHERE c.stream = ?",
                (line.row,),
            )
        }

    def entry_rows(self, line: Line, after: int) -> list[ChainRow]:
        """Return the entries of a line after a sequence, in order."""
        return [
            ChainRow(*row)
            for row in self._db.execute(
                "SELECT e.id, e.sequence, e.hash, coalesce(c.carrier, 0) "
                "FROM entries e LEFT JOIN carried c ON c.entry = e.id "
                "WHERE e.stream = ? AND e.sequence > ? ORDER BY e.sequence",
                (line.row, after),
            )
        ]

    def counts(self, line: Line) -> LineCounts:
        """Return how much stands on a line that is not empty, and since when."""
        row = self._db.execute(
            "SELECT count(*), min(written_at_ms), max(written_at_ms) "
            "FROM entries WHERE stream = ?",
            (line.row,),
        ).fetchone()
        return LineCounts(*row)

    def documents_of(self, rows: Sequence[int]) -> set[bytes]:
        """Return the documents that have entries on any of these lines."""
        marks = ",".join("?" * len(rows))
        return {
            row[0]
            for row in self._db.execute(
                "SELECT DISTINCT document FROM entries "
                f"WHERE stream IN ({marks}) AND document != x''",
                tuple(rows),
            )
        }

    def parted_documents(self, among: Sequence[bytes] | None = None) -> set[bytes]:
        """Return the documents that have entries on any branch; of those `among`."""
        rows = self._db.execute("SELECT 1 FROM streams WHERE branch != x'' LIMIT 1")
        if not rows:
            return set()
        query = (
            "SELECT DISTINCT e.document FROM entries e "
            "JOIN streams s ON s.id = e.stream "
            "WHERE s.branch != x'' AND e.document != x''"
        )
        if among is None:
            return {row[0] for row in self._db.execute(query)}
        found: set[bytes] = set()
        for start in range(0, len(among), _GROUP):
            group = among[start : start + _GROUP]
            marks = ",".join("?" * len(group))
            found.update(
                row[0]
                for row in self._db.execute(
                    f"{query} AND e.document IN ({marks})", group
                )
            )
        return found

    # -- evidence ---------------------------------------------------------------

    def put_evidence(self, row: EvidenceRow) -> None:
        """Keep what an entry shows of another stream."""
        self._db.execute(
            "INSERT OR REPLACE INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(row.entry, row.stream.scope, row.stream.node, row.stream.epoch),
                *(row.first, row.last, row.hash, row.state, row.previous),
            ),
        )

    def set_evidence(self, entry: int, state: str) -> None:
        """Say what has become of evidence."""
        self._db.execute(
            "UPDATE evidence SET state = ? WHERE entry = ?", (state, entry)
        )

    def look_again(self, stream: StreamId) -> None:
        """Say that what was no proof may be one now: more of the stream is here.

        Only of evidence whose beginning is known, and, where the stream has not
        parted, that says more than its main line.
        """
        here = (
            "EXISTS (SELECT 1 FROM streams s JOIN entries e ON e.stream = s.id "
            "WHERE s.scope = v.scope AND s.node = v.node AND s.epoch = v.epoch "
            "AND e.sequence = {} AND e.hash = {})"
        )
        is_open = "1" if self.is_forked(stream) else f"NOT {here}"
        self._db.execute(
            "UPDATE evidence AS v SET state = ? "
            "WHERE scope = ? AND node = ? AND epoch = ? AND state = ? "
            f"AND (first = 1 OR {here.format('v.first - 1', 'v.previous')}) "
            f"AND {is_open.format('v.last', 'v.hash')}",
            (NEW, stream.scope, stream.node, stream.epoch, WAITS),
        )

    def streams_to_look_at(self) -> list[StreamId]:
        """Return the streams of which there is evidence that nobody has looked at."""
        return [
            StreamId(node, epoch, scope)
            for scope, node, epoch in self._db.execute(
                "SELECT DISTINCT scope, node, epoch FROM evidence WHERE state = 'new'"
            )
        ]

    def evidence_of(self, stream: StreamId) -> list[EvidenceRow]:
        """Return all evidence about a stream, in the order in which it came here."""
        return [
            EvidenceRow(row[0], stream, *row[1:])
            for row in self._db.execute(
                "SELECT entry, first, last, hash, state, previous FROM evidence "
                "WHERE scope = ? AND node = ? AND epoch = ? ORDER BY entry",
                (stream.scope, stream.node, stream.epoch),
            )
        ]

    def shown(self, stream: StreamId, rows: Sequence[int], before: int) -> list[Shown]:
        """Return the evidence about a stream that stands on the lines that have these
        rows, before a sequence, in order.
        """
        marks = ",".join("?" * len(rows))
        return [
            Shown(*row)
            for row in self._db.execute(
                "SELECT v.previous, v.hash, length(e.payload) "
                "FROM evidence v JOIN entries e ON e.id = v.entry "
                "WHERE v.scope = ? AND v.node = ? AND v.epoch = ? "
                f"AND e.stream IN ({marks}) AND e.sequence < ? ORDER BY e.sequence",
                (stream.scope, stream.node, stream.epoch, *rows, before),
            )
        ]

    def set_carried(self, line: Line, first: int, last: int, carrier: int) -> None:
        """Keep that the entries of a line from `first` to `last` stand in evidence;
        of two that hold an entry the one that came first counts.
        """
        self._db.execute(
            "INSERT INTO carried (entry, carrier) SELECT id, ? FROM entries "
            "WHERE stream = ? AND sequence BETWEEN ? AND ? "
            "ON CONFLICT (entry) DO UPDATE "
            "SET carrier = min(carrier, excluded.carrier)",
            (carrier, line.row, first, last),
        )

    # -- what was found, and who has to be told -----------------------------------

    def put_fork(
        self,
        stream: StreamId,
        sequence: int,
        hashes: tuple[bytes, bytes],
        signature: bytes,
        found_at_ms: int,
    ) -> None:
        """Keep that an author has signed two hashes at a sequence."""
        self._db.execute(
            "INSERT OR IGNORE INTO forks VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(self._journal.stream_row(stream), sequence),
                *(*hashes, signature, found_at_ms),
            ),
        )

    def forks(self) -> list[ForkRow]:
        """Return all partings that were found, oldest first."""
        return [
            ForkRow(StreamId(node, epoch, scope), sequence, at_ms)
            for scope, node, epoch, sequence, at_ms in self._db.execute(
                "SELECT s.scope, s.node, s.epoch, f.sequence, f.found_at_ms "
                "FROM forks f JOIN streams s ON s.id = f.stream "
                "ORDER BY f.found_at_ms, s.scope, f.sequence"
            )
        ]

    def set_untold(self, stream: StreamId) -> None:
        """Say that evidence of this stream may still have to be written."""
        self._db.execute(
            "INSERT OR IGNORE INTO untold VALUES (?)",
            (self._journal.stream_row(stream),),
        )

    def set_told(self, stream: StreamId) -> None:
        """Say that all of this stream stands in evidence."""
        self._db.execute(
            "DELETE FROM untold WHERE stream = ?", (self._journal.stream_row(stream),)
        )

    def untold(self) -> list[StreamId]:
        """Return the streams of which evidence may still have to be written."""
        return [
            StreamId(node, epoch, scope)
            for scope, node, epoch in self._db.execute(
                "SELECT s.scope, s.node, s.epoch FROM untold u "
                "JOIN streams s ON s.id = u.stream ORDER BY u.stream"
            )
        ]


def path_to(lines: Iterable[Line], line: Line) -> list[Line]:
    """Return a line with those on which it stands, the main line first."""
    return path_by(ends(lines), line)


def ends(lines: Iterable[Line]) -> dict[bytes, Line]:
    """Return the lines by the hash at which each ends."""
    return {one.hash: one for one in lines}


def path_by(by_end: Mapping[bytes, Line], line: Line) -> list[Line]:
    """Return as `path_to`, for who asks for many paths of one tree."""
    path = [line]
    while path[-1].tag:
        path.append(by_end[path[-1].base_hash])
    return path[::-1]


def leaves(lines: Sequence[Line]) -> list[Line]:
    """Return the branches on which no other stands, in the order of the lines."""
    bases = {one.base_hash for one in lines if one.tag}
    return [one for one in lines if one.tag and one.hash not in bases]
