"""The stick, outward: `carry out` makes a pack for a neighbour.

The bundles are those of a line. A pack holds all that its recipient has not
acknowledged, so that any later stick fills what a lost one held.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace as with_fields

from node import attachments, packs, speaking, stick
from node.errors import NotAllowed
from node.files import alone
from node.stick import Written
from node.wiring import Node
from sync.bundle import LAST_OF_PACK, LAST_OF_VOLUME, Place
from sync.carry import Gap, volume_name
from sync.exchange import Outgoing, digest
from sync.framing import PREFIX_BYTES
from sync.identity import Certificate

VOLUME_BYTES = 1_900_000_000
"""Below the 2 GB that old programs can copy, and the 4 GB of FAT32."""
PART_BYTES = 256 * 1024
"""About how large a bundle on a stick is."""
LEAST_VOLUME_BYTES = 16_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: bytes of a stick that were read or written, and of how many.

    `of_bytes` is 0 where that is not known.
    """

    done_bytes: int
    of_bytes: int


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """A pack that lies on a stick.

    Attributes:
        peer: for whom.
        pack: its number.
        volumes: its files.
        entries: how many entries it brings that the peer has not acknowledged.
        cases: in how many cases.
        files: how many files it brings or completes.
        is_all: False where the stick was too small for all that is owed.
        replaced: older packs that were taken off the stick for it.
        lost: what the peer has said is lacking of our packs.
    """

    peer: Certificate
    pack: int
    volumes: tuple[Written, ...]
    entries: int
    cases: int
    files: int
    is_all: bool
    replaced: tuple[int, ...]
    lost: tuple[Gap, ...]

    @property
    def size_bytes(self) -> int:
        """What it takes on the stick."""
        return sum(one.size_bytes for one in self.volumes)


def carry_out(
    node: Node,
    folder: Path,
    peer: Certificate,
    *,
    volume_bytes: int = VOLUME_BYTES,
    on_progress: Callable[[Progress], None] | None = None,
) -> CarriedOut:
    """Write all that a peer has not acknowledged to a stick, as a new pack.

    Raises:
        NotAllowed: the peer has been revoked, or is this node itself.
        StickTrouble: it was not written, and why; volumes that were whole before stay.
    """
    with alone(node.home.carrying):
        return write_pack(node, folder, peer, volume_bytes, on_progress)


def write_pack(
    node: Node,
    folder: Path,
    peer: Certificate,
    volume_bytes: int,
    on_progress: Callable[[Progress], None] | None = None,
) -> CarriedOut:
    """Write a pack, for one who is `alone` already. Raises as `carry_out`."""
    if peer.node == node.id or node.roster.is_revoked(peer.node):
        raise NotAllowed("carry")
    stick.must_be_folder(folder)
    stick.drop_unfinished(folder, node.id, peer.node)
    older = stick.own_volumes(folder, node.id, peer.node)
    scopes = speaking.shared_scopes(node, peer)
    speaking.sign_vectors(node, scopes)
    entries, cases, _ = node.store.arrivals.owed_to(peer.node, scopes)
    files = sum(1 for _ in attachments.unacknowledged(node, peer))
    pack = packs.begin(node, peer, scopes, mark_of(node, peer))
    # What was told on a stick that is lost was not told: each pack tells it all.
    words = packs.all_words(node, peer.node, set(older.values()))
    speaker = speaking.Speaker(
        node,
        peer,
        told={},
        extras=words,
        pieces=attachments.owed(node, peer),
    )
    speaker.pace_bytes = min(PART_BYTES, volume_bytes // 8)
    written_bytes = 0

    def has_written(count: int) -> None:
        nonlocal written_bytes
        written_bytes += count
        if on_progress:
            on_progress(Progress(written_bytes, 0))

    def room() -> int:
        """Return what is free once that is gone of which this pack takes the place."""
        stick.drop(older)
        return stick.free_bytes(folder)

    run = _Run(speaker, pack, volume_bytes, stick.free_bytes(folder), room)
    volumes = stick.write_volumes(
        folder,
        lambda number: volume_name(node.id, peer.node, pack, number),
        run.bundles(),
        has_written,
    )
    size_bytes = sum(one.size_bytes for one in volumes)
    with node.store.transaction():
        node.store.packs.finish(
            peer.node, node.certificate.epoch, pack, len(volumes), size_bytes, entries
        )
    stick.drop(older)
    replaced = packs.take_back(node, peer.node, set(older.values()))
    return CarriedOut(
        peer,
        pack,
        tuple(volumes),
        entries,
        cases,
        files,
        run.is_all,
        replaced,
        packs.traffic(node, peer.node).lost,
    )


def mark_of(node: Node, peer: Certificate) -> bytes:
    """Return what stands for all that could be said to a peer now."""
    shared = speaking.shared_vectors(node, peer)
    return packs.mark(node, peer.node, digest({one.key: one.counter for one in shared}))


class _Run:
    """The bundles of a pack, each told apart by its place; see `sync.carry`.

    A bundle is held back until the next one is made: only then it is known whether it
    is the last of its volume.
    """

    def __init__(
        self,
        speaker: speaking.Speaker,
        pack: int,
        volume_bytes: int,
        free_bytes: int,
        room: Callable[[], int],
    ) -> None:
        self._speaker, self._pack = speaker, pack
        self._volume_bytes, self._free_bytes = volume_bytes, free_bytes
        self._room = room
        self.is_all = True

    def bundles(self) -> Iterator[tuple[int, bytes]]:
        """Yield (number of the volume, bundle)."""
        place = Place(self._pack, 1, 1)
        current = self._speaker.parcel()
        assert current is not None
        data = self._speaker.wrap(current, place)
        volume_used = used = 0
        while True:
            size_bytes = PREFIX_BYTES + len(data)
            following = None if current.is_last else self._speaker.parcel()
            if following is None:
                yield place.volume, self._last(current, place, LAST_OF_PACK)
                return
            onward = Place(self._pack, place.volume, place.part + 1)
            next_data = self._speaker.wrap(following, onward)
            next_bytes = PREFIX_BYTES + len(next_data)
            if used + size_bytes + next_bytes > self._free_bytes:
                self._free_bytes = used + self._room()
            if used + size_bytes + next_bytes > self._free_bytes:
                self.is_all = False
                yield place.volume, self._last(current, place, LAST_OF_PACK)
                return
            if volume_used + size_bytes + next_bytes > self._volume_bytes:
                yield place.volume, self._last(current, place, LAST_OF_VOLUME)
                volume_used = 0
                onward = Place(self._pack, place.volume + 1, 1)
                next_data = self._speaker.wrap(following, onward)
            else:
                yield place.volume, data
                volume_used += size_bytes
            used += size_bytes
            current, place, data = following, onward, next_data

    def _last(self, outgoing: Outgoing, place: Place, last: int) -> bytes:
        if last == LAST_OF_PACK and not self.is_all:
            parcel = with_fields(outgoing.parcel, more=True)
            outgoing = Outgoing(parcel, outgoing.told, outgoing.entries, False)
        return self._speaker.wrap(
            outgoing, Place(place.pack, place.volume, place.part, last)
        )
