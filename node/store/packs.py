"""What lay on sticks, both ways, in SQL: packs that we made, packs that came."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from node.store.connection import Handle
from sync.canonical import decode, encode
from sync.carry import CameWord, MadeWord, PackParts
from sync.errors import Malformed
from sync.vector import Head

KEPT_MADE = 200
_LIMIT = 256 * 1024

T = TypeVar("T")

_IS_BEHIND = (
    "sequence > coalesce((SELECT v.sequence FROM vector_heads v "
    "WHERE v.stream = pack_heads.stream AND v.holder = pack_heads.peer), 0)"
)
"""The peer has not acknowledged what a row of `pack_heads` says."""

MAKING, MADE, GONE = "making", "made", "gone"
"""States of a pack of ours: begun, on its way, taken back before it could go."""


@dataclass(frozen=True, slots=True)
class MadePack:
    """A pack that was made here. Times in milliseconds.

    Attributes:
        mark: stands for all that could be said to the peer when it was made.
        is_settled: the peer has acknowledged all that it was to bring.
    """

    epoch: int
    pack: int
    made_at_ms: int
    state: str
    volumes: int
    size_bytes: int
    entries: int
    mark: bytes
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a peer's packs, and what it knows of ours.

    Attributes:
        epoch: the peer's, in which the packs are numbered that came.
        floor: up to here nothing is asked any more.
        count: grows with each part that comes.
        made: what the peer has last said of its packs.
        came: what the peer has last said of ours.
        said: what it was last told of ours over a line; empty: tell it again.
    """

    epoch: int = 0
    floor: int = 0
    count: int = 0
    made: MadeWord | None = None
    came: CameWord | None = None
    said: bytes = b""


class Packs:
    """What was carried out and in."""

    def __init__(self, db: Handle) -> None:
        """Use an open database."""
        self._db = db

    # -- ours -----------------------------------------------------------------

    def begin(
        self,
        peer: bytes,
        epoch: int,
        pack: int,
        made_at_ms: int,
        mark: bytes,
        heads: Sequence[tuple[str, Head]],
        files: Iterable[bytes],
    ) -> None:
        """Keep that a pack is being made: how far it is to bring each (scope, head),
        and which files.
        """
        self._db.execute(
            "INSERT INTO packs_made VALUES (?, ?, ?, ?, ?, 0, 0, 0, ?)",
            (peer, epoch, pack, made_at_ms, MAKING, mark),
        )
        self._db.executemany(
            "INSERT INTO pack_heads SELECT ?, ?, ?, id, ? FROM streams "
            "WHERE scope = ? AND node = ? AND epoch = ?",
            [
                (peer, epoch, pack, head.sequence, scope, head.node, head.epoch)
                for scope, head in heads
            ],
        )
        self._db.executemany(
            "INSERT INTO pack_files VALUES (?, ?, ?, ?)",
            [(peer, epoch, pack, digest) for digest in files],
        )
        for table in ("packs_made", "pack_heads", "pack_files"):
            self._db.execute(
                f"DELETE FROM {table} WHERE peer = ? AND epoch = ? AND pack <= ?",
                (peer, epoch, pack - KEPT_MADE),
            )

    def finish(
        self,
        peer: bytes,
        epoch: int,
        pack: int,
        volumes: int,
        size_bytes: int,
        entries: int,
    ) -> None:
        """Keep that a pack lies whole on its stick."""
        self._db.execute(
            "UPDATE packs_made SET state = ?, volumes = ?, size_bytes = ?, entries = ? "
            "WHERE peer = ? AND epoch = ? AND pack = ?",
            (MADE, volumes, size_bytes, entries, peer, epoch, pack),
        )

    def take_back(self, peer: bytes, epoch: int, packs: Sequence[int]) -> None:
        """Keep that packs will never arrive: they were taken off their stick."""
        self._db.executemany(
            "UPDATE packs_made SET state = ? WHERE peer = ? AND epoch = ? AND pack = ?",
            [(GONE, peer, epoch, pack) for pack in packs],
        )

    def forget_settled(self, peer: bytes, packs: Iterable[MadePack]) -> None:
        """Forget what packs were to bring that have been settled."""
        for table in ("pack_heads", "pack_files"):
            self._db.executemany(
                f"DELETE FROM {table} WHERE peer = ? AND epoch = ? AND pack = ?",
                [(peer, one.epoch, one.pack) for one in packs if one.is_settled],
            )

    def files(self, peer: bytes, epoch: int) -> dict[int, set[bytes]]:
        """Return which files the packs for a peer were to bring, by their number."""
        found: dict[int, set[bytes]] = {}
        for pack, digest in self._db.execute(
            "SELECT pack, digest FROM pack_files WHERE peer = ? AND epoch = ?",
            (peer, epoch),
        ):
            found.setdefault(pack, set()).add(digest)
        return found

    def made(self, peer: bytes, epoch: int) -> list[MadePack]:
        """Return the packs that were made for a peer, by number; settled are those of
        which all entries have been acknowledged.
        """
        return [
            MadePack(epoch, *row)
            for row in self._db.execute(
                "SELECT pack, made_at_ms, state, volumes, size_bytes, entries, "
                f"mark, NOT EXISTS (SELECT 1 FROM pack_heads WHERE peer = m.peer "
                f"AND epoch = m.epoch AND pack = m.pack AND {_IS_BEHIND}) "
                "FROM packs_made m WHERE peer = ? AND epoch = ? ORDER BY pack",
                (peer, epoch),
            )
        ]

    # -- theirs ---------------------------------------------------------------

    def come(self, sender: bytes) -> dict[int, PackParts]:
        """Return what has come of a sender's packs, by number."""
        return {
            pack: _read(body, PackParts) or PackParts()
            for pack, body in self._db.execute(
                "SELECT pack, body FROM packs_come WHERE sender = ? ORDER BY pack",
                (sender,),
            )
        }

    def put_come(self, sender: bytes, pack: int, parts: PackParts) -> None:
        """Keep what has come of a pack; what could not be read again is not kept."""
        body = encode(parts)
        if len(body) <= _LIMIT:
            self._db.execute(
                "INSERT OR REPLACE INTO packs_come VALUES (?, ?, ?)",
                (sender, pack, body),
            )

    def drop_come(self, sender: bytes, up_to: int) -> None:
        """Forget the packs of a sender up to a number."""
        self._db.execute(
            "DELETE FROM packs_come WHERE sender = ? AND pack <= ?", (sender, up_to)
        )

    # -- words ----------------------------------------------------------------

    def heard(self, peer: bytes) -> Heard:
        """Return what a peer has said of packs; an empty record if nothing."""
        row = self._db.execute(
            "SELECT epoch, floor, count, made, came, said FROM pack_words "
            "WHERE peer = ?",
            (peer,),
        ).fetchone()
        if row is None:
            return Heard()
        epoch, floor, count, made, came, said = row
        return Heard(
            epoch,
            floor,
            count,
            _read(made, MadeWord),
            _read(came, CameWord),
            said,
        )

    def put_heard(self, peer: bytes, heard: Heard) -> None:
        """Keep what a peer has said of packs."""
        self._db.execute(
            "INSERT OR REPLACE INTO pack_words VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                peer,
                heard.epoch,
                heard.floor,
                heard.count,
                encode(heard.made) if heard.made else b"",
                encode(heard.came) if heard.came else b"",
                heard.said,
            ),
        )

    def peers(self) -> list[bytes]:
        """Return the nodes with which packs were ever exchanged."""
        return [
            row[0]
            for row in self._db.execute(
                "SELECT peer FROM packs_made UNION SELECT peer FROM pack_words"
            )
        ]


def _read(body: bytes, kind: type[T]) -> T | None:
    """Return what a row holds; None where it is empty, or was written by other rules:
    one bad row must not hide all neighbours, and nothing but words follows from it.
    """
    try:
        return decode(body, kind, limit_bytes=_LIMIT) if body else None
    except Malformed:
        return None
