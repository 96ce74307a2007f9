"""One reading of a stick: each bundle that is for this node is taken in, in its order.

What lies on a stick for others stays unopened.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from node import hearing, packs, stick, waiting
from node.carrying_out import Progress
from node.errors import StickTrouble
from node.packs import Part
from node.stick import VolumeFile
from node.wiring import Node
from sync import volume
from sync.bundle import Address
from sync.carry import order_of
from sync.errors import NotTrusted, PeerFault, TooNew
from sync.identity import Certificate
from sync.volume import Found, Search

NOTED_TOGETHER = 200
MOST_REFUSED = 100
"""Sentences of one sender about parts that were refused."""
MOST_FORGED = 16
"""Bundles in one file that are not what they say; then the rest of it is left: whoever
writes in the name of others, each of them to be opened, has no end.
"""


@dataclass(slots=True)
class Heard:
    """What has been taken in of one sender so far."""

    sender: Certificate
    packs: set[int] = field(default_factory=set)
    bundles: int = 0
    entries: int = 0
    files: int = 0
    refused: list[str] = field(default_factory=list)


class StickReader:
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
        self.heard: dict[bytes, Heard] = {}
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
        heard = self.heard.setdefault(taken.sender.node, Heard(taken.sender))
        heard.packs.add(taken.header.pack)
        heard.bundles += 1
        heard.entries += taken.received.entries
        heard.files += taken.received.files
        room = MOST_REFUSED - len(heard.refused)
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


def _file_order(one: VolumeFile) -> tuple[bytes, int, int, int, int, str]:
    """Return what puts the volumes of a pack, and the packs of a sender, in order."""
    try:
        with stick.opened(one.path) as file:
            return (*order_of(volume.read_start(file)), str(one.path))
    except (OSError, PeerFault):
        return b"", 0, 0, 0, 0, str(one.path)
