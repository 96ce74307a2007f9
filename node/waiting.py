"""Bundles that came on a stick before they could be taken in, in the home's `waiting`.

Some stand behind a gap: a volume before them is on another stick. They are kept as they
came, sealed, by the hash of their bytes, and tried again when more has come; what a
later whole pack has repeated is dropped. Some are of a newer format than this program
knows: nobody has checked whose they are, so they are few, and bear in their names what
program could not read them; only another one tries them. Being dropped loses nothing:
their sender still owes what is in them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from node import hearing, packs
from node.errors import DiskFull
from node.files import write_durably
from node.packs import Part
from node.wiring import Node
from sync.bundle import FORMAT, MAX_BUNDLE_BYTES, Address, read_address
from sync.carry import order_of
from sync.errors import PeerFault
from sync.packing import NEWEST_DICTIONARY
from sync.seal import sha256

MOST_BYTES = 512 * 1024 * 1024
MOST_BYTES_OF_ONE = 128 * 1024 * 1024
MOST_OF_ONE = 1024
"""Bundles behind gaps, of one sender: each of them is opened at every try."""
MOST_NEWER = 1024
MOST_NEWER_OF_ONE = 256
MOST_NEWER_BYTES = 128 * 1024 * 1024
"""Of a newer format, together: whoever knows the id of a node can write them in its
name, so the oldest go, and never what has been signed. One reading of a stick brings no
more than these numbers either.
"""
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
        self._count: Counter[bytes] = Counter()
        self._held: Counter[bytes] = Counter()
        for one in _bundles(node):
            self._count[one.address.sender] += 1
            self._held[one.address.sender] += one.size_bytes
        self._newer = _Newer(list(_bundles(node, _newer(node))))

    def keep(self, data: bytes, address: Address) -> bool:
        """Keep a bundle for later; False where there is no more room for it."""
        is_newer = address.header is None
        name = f"{_newer_prefix() if is_newer else ''}{sha256(data).hex()}"
        path = self._node.home.waiting / name
        if path.exists():
            return True
        if is_newer and not self._newer.has_room_for(address.sender):
            return False
        if not is_newer and (
            self._count[address.sender] >= MOST_OF_ONE
            or self._held.total() + len(data) > MOST_BYTES
            or self._held[address.sender] + len(data) > MOST_BYTES_OF_ONE
        ):
            return False
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_durably(path, data)
        except (OSError, DiskFull):
            return False
        if is_newer:
            self._newer.add(_Bundle(path, len(data), address))
        else:
            self._count[address.sender] += 1
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
    newer = len(_newer(node))
    return Retried(entries, len(waiting) + newer, newer)


def retry_if_news(node: Node) -> Retried:
    """Try again what waits, if anything has come since the last time, or if this
    program is another by now.
    """
    if next(_bundles(node), None) is None:
        return Retried()
    if node.store.registry.setting(TRIED_SETTING) == _mark(node):
        return Retried()
    return retry(node)


def part_of(taken: hearing.Taken, *, is_taken: bool = True) -> Part:
    """Return what is noted of a bundle that has come."""
    return Part(taken.header.place, is_taken, is_all=not taken.more)


def count(node: Node) -> int:
    """Return how many bundles wait."""
    return sum(1 for _ in _bundles(node)) + len(_newer(node))


@dataclass(frozen=True, slots=True)
class _Bundle:
    path: Path
    size_bytes: int
    address: Address


@dataclass(slots=True)
class _Newer:
    """What waits for a newer program, oldest first; the oldest make room."""

    held: list[_Bundle]
    added: Counter[bytes] = field(default_factory=Counter)

    def has_room_for(self, sender: bytes) -> bool:
        return (
            self.added[sender] < MOST_NEWER_OF_ONE and self.added.total() < MOST_NEWER
        )

    def add(self, one: _Bundle) -> None:
        self.added[_whose(one)] += 1
        self.held.append(one)
        of_one = [each for each in self.held if _whose(each) == _whose(one)]
        if len(of_one) > MOST_NEWER_OF_ONE:
            self._drop(of_one[0])
        while (
            len(self.held) > MOST_NEWER
            or sum(each.size_bytes for each in self.held) > MOST_NEWER_BYTES
        ):
            self._drop(self.held[0])

    def _drop(self, one: _Bundle) -> None:
        one.path.unlink(missing_ok=True)
        self.held.remove(one)


def _round(node: Node) -> tuple[int, bool]:
    """Try each bundle once; return how many entries came, and whether any is gone."""
    entries, has_moved = 0, False
    for one in sorted(_bundles(node), key=lambda each: order_of(each.address)):
        if packs.is_repeated(node, one.address):
            one.path.unlink(missing_ok=True)
            continue
        if one.address.header is None:
            # Kept by an older program than this one, and still too new.
            digest = one.path.name.rpartition("-")[2]
            one.path.replace(one.path.with_name(_newer_prefix() + digest))
            continue
        try:
            data = one.path.read_bytes()
            taken = hearing.take(node, data)
        except OSError:
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


def _bundles(node: Node, among: Iterable[Path] | None = None) -> Iterator[_Bundle]:
    """Yield what lies in the folder, is a bundle, and may be read by this program; or
    the bundles that are `among` these files.
    """
    for path in _others(node) if among is None else among:
        with suppress(OSError, PeerFault):
            with path.open("rb") as file:
                address = read_address(file.read(1024))
            size_bytes = path.stat().st_size
            if size_bytes <= MAX_BUNDLE_BYTES:
                yield _Bundle(path, size_bytes, address)


def _others(node: Node) -> Iterator[Path]:
    with suppress(OSError):
        for path in node.home.waiting.iterdir():
            if not path.name.startswith(_newer_prefix()):
                yield path


def _newer(node: Node) -> list[Path]:
    """Return what this program could not read, oldest first."""
    return sorted(
        node.home.waiting.glob(f"{_newer_prefix()}*"),
        key=lambda path: (path.lstat().st_mtime_ns, path.name),
    )


def _newer_prefix() -> str:
    """Return how the name of a bundle begins that is too new for this program."""
    return f"newer-{FORMAT}.{NEWEST_DICTIONARY}-"


def _whose(one: _Bundle) -> bytes:
    return one.address.sender


def _mark(node: Node) -> bytes:
    """Return what is another as soon as a new try may go better."""
    return f"{_newer_prefix()}{node.store.journal.last_row()}".encode()
