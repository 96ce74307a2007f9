"""Bundles that came on a stick before they could be taken in, in the home's `waiting`.

Some stand behind a gap: a volume before them is on another stick. Some are of a newer
format than this program knows. They are kept as they came, sealed, by the hash of
their bytes, and tried again when more has come; what a later whole pack has repeated
is dropped. Being dropped loses nothing: their sender still owes what is in them.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from node import packs, talk
from node.errors import DiskFull
from node.files import write_durably
from node.packs import Part
from node.wiring import Node
from sync.bundle import FORMAT, MAX_BUNDLE_BYTES, Address, read_address
from sync.carry import order_of
from sync.errors import PeerFault, TooNew
from sync.seal import sha256

MOST_BYTES = 512 * 1024 * 1024
MOST_BYTES_OF_ONE = 128 * 1024 * 1024
MOST_ROUNDS = 8
TRIED_SETTING = "waiting-tried"


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of what waits.

    Attributes:
        entries: how many entries were taken in now.
        left: how many bundles wait on.
        newer: how many of them are of a newer format.
    """

    entries: int = 0
    left: int = 0
    newer: int = 0


class Room:
    """How much may still be kept, counted once and then by what is added."""

    def __init__(self, node: Node) -> None:
        """Look at what waits already."""
        self._node = node
        self._held: Counter[bytes] = Counter()
        for one in _bundles(node):
            self._held[one.address.sender] += one.size_bytes

    def keep(self, data: bytes, address: Address) -> bool:
        """Keep a bundle for later; False where there is no more room for it."""
        folder = self._node.home.waiting
        path = folder / sha256(data).hex()
        if path.exists():
            return True
        if (
            self._held.total() + len(data) > MOST_BYTES
            or self._held[address.sender] + len(data) > MOST_BYTES_OF_ONE
        ):
            return False
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            write_durably(path, data)
        except (OSError, DiskFull):
            return False
        self._held[address.sender] += len(data)
        return True


def retry(node: Node) -> Retried:
    """Try again what waits, until nothing more can be taken in."""
    entries = 0
    for _ in range(MOST_ROUNDS):
        gained, has_moved = _round(node)
        entries += gained
        if not has_moved:
            break
    waiting = list(_bundles(node))
    if waiting:
        with node.store.transaction():
            node.store.registry.set_setting(TRIED_SETTING, _mark(node))
    newer = sum(1 for one in waiting if one.address.header is None)
    return Retried(entries, len(waiting), newer)


def retry_if_news(node: Node) -> Retried:
    """Try again what waits, if anything has come since the last time, or if this
    program is another by now.
    """
    if next(_bundles(node), None) is None:
        return Retried()
    if node.store.registry.setting(TRIED_SETTING) == _mark(node):
        return Retried()
    return retry(node)


def part_of(taken: talk.Taken, *, is_taken: bool = True) -> Part:
    """Return what is noted of a bundle that has come."""
    return Part(taken.header.place, is_taken, is_all=not taken.more)


def count(node: Node) -> int:
    """Return how many bundles wait."""
    return sum(1 for _ in _bundles(node))


@dataclass(frozen=True, slots=True)
class _Bundle:
    path: Path
    size_bytes: int
    address: Address


def _round(node: Node) -> tuple[int, bool]:
    """Try each bundle once; return how many entries came, and whether any is gone."""
    entries, has_moved = 0, False
    for one in sorted(_bundles(node), key=lambda each: order_of(each.address)):
        if packs.is_repeated(node, one.address):
            one.path.unlink(missing_ok=True)
            continue
        try:
            data = one.path.read_bytes()
            taken = talk.take(node, data)
        except (TooNew, OSError):
            continue
        except PeerFault:
            one.path.unlink(missing_ok=True)
            continue
        entries += taken.received.entries
        if not taken.received.gaps:
            packs.note(node, taken.sender, taken.header.sender_epoch, [part_of(taken)])
            one.path.unlink(missing_ok=True)
            has_moved = True
    return entries, has_moved or entries > 0


def _bundles(node: Node) -> Iterator[_Bundle]:
    """Yield what lies in the folder and is a bundle."""
    with suppress(OSError):
        for path in node.home.waiting.iterdir():
            with suppress(OSError, PeerFault):
                with path.open("rb") as file:
                    address = read_address(file.read(1024))
                size_bytes = path.stat().st_size
                if size_bytes <= MAX_BUNDLE_BYTES:
                    yield _Bundle(path, size_bytes, address)


def _mark(node: Node) -> bytes:
    """Return what is another as soon as a new try may go better."""
    return f"{FORMAT} {node.store.journal.last_row()}".encode()
