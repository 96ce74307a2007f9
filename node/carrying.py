"""The stick: `carry out` makes a pack for a neighbour, `carry in` takes what has come.

The bundles are those of a line. A pack holds all that its recipient has not
acknowledged, so that any later stick fills what a lost one held; the acknowledgement
comes home on the same stick, as the answer that `carry_in` writes. What lies on a stick
for others stays unopened.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace as with_fields

from node import attachments, hearing, packs, speaking, stick, waiting
from node.errors import NotAllowed, StickTrouble
from node.files import alone
from node.packs import Part
from node.stick import VolumeFile, Written
from node.wiring import Node
from sync import volume
from sync.bundle import LAST_OF_PACK, LAST_OF_VOLUME, Address, Place
from sync.carry import Gap, order_of, volume_name
from sync.errors import NotTrusted, PeerFault, TooNew
from sync.exchange import Outgoing, digest
from sync.framing import PREFIX_BYTES
from sync.identity import Certificate
from sync.volume import Found, Search

VOLUME_BYTES = 1_900_000_000
"""Below the 2 GB that old programs can copy, and the 4 GB of FAT32."""
PART_BYTES = 256 * 1024
"""About how large a bundle on a stick is."""
LEAST_VOLUME_BYTES = 16_000
NOTED_TOGETHER = 200
SHOWN_FILES = 100
SHOWN_OTHERS = 20
MOST_FORGED = 16
"""Bundles in one file that are not what they say; then the rest of it is left: whoever
writes in the name of others, each of them to be opened, has no end.
"""


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


@dataclass(frozen=True, slots=True)
class FromOne:
    """What came from one sender.

    Attributes:
        sender: who it is.
        packs: of which packs anything was taken in.
        bundles: how many bundles were taken in.
        entries: how many entries were new.
        files: how many files have become whole.
        refused: what was wrong with parts of them.
        missing: what is lacking of its packs.
        lost: what it says is lacking of ours.
        answer: the pack that was written for it now.
        is_answered: none was needed: it knows all, or an answer lies there already.
    """

    sender: Certificate
    packs: tuple[int, ...]
    bundles: int
    entries: int
    files: int
    refused: tuple[str, ...]
    missing: tuple[Gap, ...]
    lost: tuple[Gap, ...]
    answer: CarriedOut | None
    is_answered: bool


@dataclass(frozen=True, slots=True)
class ForOther:
    """What lies there for somebody else; it was not opened.

    `recipient` is empty for all whom we do not know, `sender` where there are several.
    """

    sender: bytes
    recipient: bytes
    files: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file: a word that `tui.labels` knows, and how often."""

    file: str
    why: str
    count: int


@dataclass(frozen=True, slots=True)
class CarriedIn:
    """What a stick brought.

    Attributes:
        senders: those of whom anything was taken in.
        for_others: what is for somebody else.
        own_files: what this node has put there itself.
        newer: senders of bundles that need a newer program, as these say.
        faults: what is wrong with files.
        waiting: bundles that wait for what is before them.
        others: files that are none of ours.
        passed: what was not looked at.
        trouble: why it ended early, or why no answer could be written.
    """

    senders: tuple[FromOne, ...] = ()
    for_others: tuple[ForOther, ...] = ()
    own_files: int = 0
    newer: tuple[bytes, ...] = ()
    faults: tuple[Fault, ...] = ()
    waiting: int = 0
    others: int = 0
    passed: int = 0
    trouble: StickTrouble | None = None


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
        return _carry_out(node, folder, peer, volume_bytes, on_progress)


def carry_in(
    node: Node,
    folder: Path,
    *,
    with_answers: bool = True,
    volume_bytes: int = VOLUME_BYTES,
    on_progress: Callable[[Progress], None] | None = None,
) -> CarriedIn:
    """Take in what lies on a stick for this node, and write the answers onto it.

    Raises:
        StickTrouble: the folder cannot be read at all.
    """
    with alone(node.home.carrying):
        shelf = stick.look(folder)
        taking = _Taking(node, folder, shelf.volumes, on_progress)
        taking.take_all()
        retried = waiting.retry(node)
        senders, trouble = [], taking.trouble
        for one in taking.heard.values():
            answer, is_answered = None, False
            peer = node.roster.latest(one.sender.node)
            if with_answers and trouble is None and peer is not None:
                try:
                    stick.must_still_be(folder, taking.stick_identity)
                    answer, is_answered = _answer(node, folder, peer, volume_bytes)
                except StickTrouble as error:
                    trouble = error
            senders.append(_from_one(node, one, answer, is_answered))
        return CarriedIn(
            senders=tuple(senders),
            for_others=tuple(
                ForOther(sender, recipient, len(files))
                for recipient, (sender, files) in list(taking.for_others.items())[
                    :SHOWN_OTHERS
                ]
            ),
            own_files=len(taking.own_files),
            newer=tuple(sorted(taking.newer)),
            faults=tuple(
                Fault(file, why, count)
                for (file, why), count in list(taking.faults.items())[:SHOWN_FILES]
            ),
            waiting=retried.left - retried.newer,
            others=shelf.others,
            passed=shelf.passed,
            trouble=trouble,
        )


# -- out ------------------------------------------------------------------------


def _carry_out(
    node: Node,
    folder: Path,
    peer: Certificate,
    volume_bytes: int,
    on_progress: Callable[[Progress], None] | None,
) -> CarriedOut:
    if peer.node == node.id or node.roster.is_revoked(peer.node):
        raise NotAllowed("carry")
    stick.must_be_folder(folder)
    stick.drop_unfinished(folder, node.id, peer.node)
    older = stick.own_volumes(folder, node.id, peer.node)
    scopes = speaking.shared_scopes(node, peer)
    speaking.sign_vectors(node, scopes)
    entries, cases, _ = node.store.arrivals.owed_to(peer.node, scopes)
    files = sum(1 for _ in attachments.unacknowledged(node, peer))
    pack = packs.begin(node, peer, scopes, _mark(node, peer))
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


def _mark(node: Node, peer: Certificate) -> bytes:
    """Return what stands for all that could be said to a peer now."""
    shared = speaking.shared_vectors(node, peer)
    return packs.mark(node, peer.node, digest({one.key: one.counter for one in shared}))


# -- in -------------------------------------------------------------------------


@dataclass(slots=True)
class _Heard:
    """What has been taken in of one sender so far."""

    sender: Certificate
    packs: set[int] = field(default_factory=set)
    bundles: int = 0
    entries: int = 0
    files: int = 0
    refused: list[str] = field(default_factory=list)


class _Taking:
    """One reading of a stick."""

    def __init__(
        self,
        node: Node,
        folder: Path,
        files: tuple[VolumeFile, ...],
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._node, self._folder, self._files = node, folder, files
        self.stick_identity = stick.identity(folder)
        self._on_progress = on_progress or (lambda _: None)
        self._room = waiting.Room(node)
        self._done_bytes = 0
        self._of_bytes = sum(one.size_bytes for one in files)
        self._strangers: dict[Path, VolumeFile] = {}
        self.heard: dict[bytes, _Heard] = {}
        self._search = Search()
        self._forgers: set[bytes] = set()
        self.for_others: dict[bytes, tuple[bytes, set[Path]]] = {}
        self.own_files: set[Path] = set()
        self.newer: set[bytes] = set()
        self.faults: dict[tuple[str, str], int] = {}
        self.trouble: StickTrouble | None = None

    def take_all(self) -> None:
        """Read all files, each pack in its order; end calmly if the stick is gone."""
        roster_mark = self._node.store.registry.roster_mark()
        self._read_all(sorted(self._files, key=_file_order))
        # A node may have been enrolled by what another has brought just now.
        if self._node.store.registry.roster_mark() != roster_mark:
            again, self._strangers = list(self._strangers.values()), {}
            for one in again:
                self.faults.pop((one.name, "not-trusted"), None)
            self._read_all(again)

    def _read_all(self, files: list[VolumeFile]) -> None:
        for one in files:
            try:
                with stick.opened(one.path) as file:
                    self._read(one, file)
            except OSError:
                if stick.identity(self._folder) != self.stick_identity:
                    self.trouble = StickTrouble("gone", str(self._folder))
                    return
                self._fault(one, "unreadable")
            except PeerFault:
                # Whatever one sender has written, those behind it are read too.
                self._fault(one, "damaged")

    def _read(self, one: VolumeFile, file: BinaryIO) -> None:
        noting = _Noting(self._node)
        begun_bytes = self._done_bytes
        try:
            forged = 0
            for found in volume.look_through(file, one.size_bytes, self._search):
                if not isinstance(found, Found):
                    self._fault(one, "cut" if found.is_end else "damaged")
                    continue
                forged += not self._take(one, file, found, noting)
                if forged == MOST_FORGED:
                    return
                self._done_bytes = begun_bytes + found.offset + found.size_bytes
                self._on_progress(Progress(self._done_bytes, self._of_bytes))
        finally:
            noting.flush()
            self._done_bytes = begun_bytes + one.size_bytes

    def _take(
        self, one: VolumeFile, file: BinaryIO, found: Found, noting: "_Noting"
    ) -> bool:
        """Take in one bundle; False if it is not what it says to be."""
        address = found.address
        if address.sender == self._node.id:
            self.own_files.add(one.path)
            return True
        if address.recipient != self._node.id:
            is_known = self._node.roster.latest(address.recipient) is not None
            key = address.recipient if is_known else b""
            sender, files = self.for_others.get(key, (address.sender, set()))
            files.add(one.path)
            only = sender if sender == address.sender else b""
            self.for_others[key] = only, files
            return True
        if not self._may_be_heard(address):
            self._strangers[one.path] = one
            self._fault(one, "not-trusted")
            return False
        data = volume.read_bundle(file, found)
        if address.header is None and address.sender in self.newer:
            # That it is too new is written down once, not for each bundle.
            self._room.keep(data, address)
            return True
        try:
            if address.sender in self._forgers:
                # So a refusal is written once for each sender, not for each bundle.
                hearing.open_bundle(self._node, data)
            taken = hearing.take(self._node, data)
        except TooNew:
            self.newer.add(address.sender)
            self._room.keep(data, address)
            return True
        except PeerFault as fault:
            self._forgers.add(address.sender)
            is_trust = isinstance(fault, NotTrusted)
            self._fault(one, "not-trusted" if is_trust else "damaged")
            return False
        heard = self.heard.setdefault(taken.sender.node, _Heard(taken.sender))
        heard.packs.add(taken.header.pack)
        heard.bundles += 1
        heard.entries += taken.received.entries
        heard.files += taken.received.files
        room = SHOWN_FILES - len(heard.refused)
        heard.refused += taken.received.refused[:room]
        if not taken.received.gaps:
            noting.add(taken, is_taken=True)
        elif not packs.is_repeated(self._node, address) and self._room.keep(
            data, address
        ):
            noting.add(taken, is_taken=False)
        return True

    def _may_be_heard(self, address: Address) -> bool:
        """Say whether a bundle names somebody whom we know; of a newer format, whose
        signature cannot be read, somebody whom we would hear.
        """
        roster, sender = self._node.roster, address.sender
        if address.header is None and roster.is_revoked(sender):
            return False
        return roster.latest(sender) is not None

    def _fault(self, one: VolumeFile, why: str) -> None:
        key = (one.name, why)
        self.faults[key] = self.faults.get(key, 0) + 1


class _Noting:
    """Keeps which parts have come, many together; all of them lie on disk before."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._whose: tuple[Certificate, int] | None = None
        self._parts: list[Part] = []

    def add(self, taken: hearing.Taken, *, is_taken: bool) -> None:
        whose = taken.sender, taken.header.sender_epoch
        if whose != self._whose or len(self._parts) == NOTED_TOGETHER:
            self.flush()
        self._whose = whose
        self._parts.append(waiting.part_of(taken, is_taken=is_taken))

    def flush(self) -> None:
        if self._whose is not None and self._parts:
            packs.note(self._node, *self._whose, self._parts)
        self._parts = []


def _answer(
    node: Node, folder: Path, peer: Certificate, volume_bytes: int
) -> tuple[CarriedOut | None, bool]:
    """Write what a sender should hear now; nothing if it knows, or if it lies there."""
    scopes = speaking.shared_scopes(node, peer)
    speaking.sign_vectors(node, scopes)
    traffic = packs.traffic(node, peer.node)
    if not (
        node.store.arrivals.owed_to(peer.node, scopes)[0]
        or any(True for _ in attachments.unacknowledged(node, peer))
        or _news(node, peer)
        or traffic.missing
        or traffic.lost
    ):
        return None, True
    last = traffic.last_made
    if last is not None and last.volumes and last.mark == _mark(node, peer):
        older = stick.own_volumes(folder, node.id, peer.node)
        here = [path for path, pack in older.items() if pack == last.pack]
        if stick.size_of(here) == last.size_bytes:
            return None, True
    return _carry_out(node, folder, peer, volume_bytes, None), False


def _news(node: Node, peer: Certificate) -> bool:
    """Say whether we hold an acknowledgement that a peer has not shown to know."""
    told = node.store.vectors.told(peer.node)
    return any(
        one.counter > told.get(one.key, 0)
        for one in speaking.shared_vectors(node, peer)
    )


def _from_one(
    node: Node, one: _Heard, answer: CarriedOut | None, is_answered: bool
) -> FromOne:
    traffic = packs.traffic(node, one.sender.node)
    return FromOne(
        one.sender,
        tuple(sorted(one.packs)),
        one.bundles,
        one.entries,
        one.files,
        tuple(one.refused),
        traffic.missing,
        traffic.lost,
        answer,
        is_answered,
    )


def _file_order(one: VolumeFile) -> tuple[bytes, int, int, int, int, str]:
    """Return what puts the volumes of a pack, and the packs of a sender, in order."""
    try:
        with stick.opened(one.path) as file:
            return (*order_of(volume.read_start(file)), str(one.path))
    except (OSError, PeerFault):
        return b"", 0, 0, 0, 0, str(one.path)
