"""Reading a volume: the bundles in a file, whatever else lies in it.

A volume is a run of bundles (`sync.framing`). A stick gives back what it likes, so each
bundle is looked for by itself: behind a damaged place reading goes on where the next
bundle begins. What is found is only plausible; its signature decides. A bundle that is
for somebody else is stepped over by its length.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sync.bundle import (
    MAGIC,
    MAX_BUNDLE_BYTES,
    MAX_START_BYTES,
    Address,
    read_address,
)
from sync.errors import Malformed
from sync.framing import PREFIX_BYTES

MOST_FAULTS = 64
"""Damaged places in one file; after them it is not read any further."""
MOST_BUNDLES = 200_000
_STEP_BYTES = 1024 * 1024
_SEARCHED_BYTES = 4 * MAX_BUNDLE_BYTES
"""No bundle is so long that the next one could begin farther away."""
MOST_SEARCHED_BYTES = 64 * 1024 * 1024
"""Of a stick, for bundles behind damaged places: a file may say to be as large as it
likes, and take up no room.
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A bundle at `offset`, and from whom and for whom it says to be."""

    offset: int
    size_bytes: int
    address: Address


@dataclass(frozen=True, slots=True)
class Damaged:
    """Not all from `offset` on is a bundle; `is_end`: no other was found behind it."""

    offset: int
    is_end: bool


@dataclass(slots=True)
class Search:
    """How much may still be searched of a stick."""

    left_bytes: int = MOST_SEARCHED_BYTES


def begins_as_volume(start: bytes) -> bool:
    """Say whether a file that begins so may be a volume."""
    return start[PREFIX_BYTES : PREFIX_BYTES + len(MAGIC)] == MAGIC


def look_through(
    file: BinaryIO, size_bytes: int, search: Search | None = None
) -> Iterator[Found | Damaged]:
    """Yield what a volume of `size_bytes` holds, from its beginning to its end.

    The file may be read elsewhere between two steps. Volumes of one stick share a
    `search`.
    """
    search = search or Search()
    at = faults = count = 0
    while at < size_bytes:
        found = _bundle_at(file, at, size_bytes)
        if found is not None and count < MOST_BUNDLES:
            yield found
            count += 1
            following = found.offset + found.size_bytes
            if following == size_bytes or _is_begun_at(file, following):
                at = following
                continue
        # Its length may be what is damaged, so the search begins within it.
        faults += 1
        is_too_much = faults == MOST_FAULTS or count == MOST_BUNDLES
        onward = None if is_too_much else _search(file, at, size_bytes, search)
        yield Damaged(at, onward is None)
        if onward is None:
            return
        at = onward


def read_start(file: BinaryIO) -> Address:
    """Return the address of the bundle with which a volume begins.

    Raises:
        Malformed: it does not begin with one.
    """
    start = file.read(PREFIX_BYTES + MAX_START_BYTES)
    return read_address(start[PREFIX_BYTES:])


def read_bundle(file: BinaryIO, found: Found) -> bytes:
    """Return the bytes of a bundle that was found."""
    file.seek(found.offset)
    return file.read(found.size_bytes)


def _bundle_at(file: BinaryIO, at: int, size_bytes: int) -> Found | None:
    """Return the bundle whose frame begins at `at`, if one can."""
    file.seek(at)
    start = file.read(PREFIX_BYTES + MAX_START_BYTES)
    length = int.from_bytes(start[:PREFIX_BYTES], "big")
    if not 0 < length <= min(MAX_BUNDLE_BYTES, size_bytes - at - PREFIX_BYTES):
        return None
    try:
        address = read_address(start[PREFIX_BYTES : PREFIX_BYTES + length])
    except Malformed:
        return None
    return Found(at + PREFIX_BYTES, length, address)


def _is_begun_at(file: BinaryIO, at: int) -> bool:
    file.seek(at)
    return begins_as_volume(file.read(PREFIX_BYTES + len(MAGIC)))


def _search(file: BinaryIO, behind: int, size_bytes: int, search: Search) -> int | None:
    """Return where the next frame begins behind `behind`."""
    at = behind + PREFIX_BYTES + 1
    while at < min(size_bytes, behind + _SEARCHED_BYTES) and search.left_bytes > 0:
        file.seek(at)
        place = file.read(_STEP_BYTES + len(MAGIC) - 1).find(MAGIC)
        search.left_bytes -= place if place >= 0 else _STEP_BYTES
        if place >= 0:
            return at + place - PREFIX_BYTES
        at += _STEP_BYTES
    return None
