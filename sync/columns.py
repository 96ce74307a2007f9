"""The columns of an Automerge change: runs of numbers, of keys, of steps. Pure.

Each column must be told as short as it can be: whatever else the library would take,
it would save otherwise, and could not load again. What the columns mean
is in `sync.change`.

Source: the Automerge binary document format, run-length and delta columns.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import eq
from typing import TypeVar

from sync.errors import ChangeRefused

MAX_OPS = 2000
MAX_KEY_BYTES = 127
MAX_COUNTER = 2**40

T = TypeVar("T")


@lru_cache(maxsize=256)
def structure(data: bytes, limit: int) -> tuple[int | None, ...]:
    """Decode a column that says how a change is built: most are built alike, and what
    the same bytes come to is looked up.
    """
    return tuple(numbers(data, limit))


def numbers(data: bytes, limit: int = MAX_OPS) -> list[int | None]:
    """Decode runs of unsigned numbers."""
    return _runs(data, "operations", limit, Reader.leb, Reader.lebs)


def texts(data: bytes) -> list[str | None]:
    """Decode runs of keys."""
    return _runs(data, "keys", MAX_OPS, Reader.text, Reader.texts)


def deltas(data: bytes, limit: int) -> list[int | None]:
    """Decode runs of steps from one counter to the next."""
    steps = _runs(data, "counters", limit, Reader.signed_leb, Reader.signed_lebs)
    found: list[int | None] = []
    value = 0
    for step in steps:
        if step is None:
            raise ChangeRefused("not-allowed", "a gap in a counter column")
        value += step
        if not 0 < value <= MAX_COUNTER:
            raise ChangeRefused("damaged", "a counter out of range")
        found.append(value)
    return found


def padded(found: Sequence[T | None], count: int) -> Sequence[T | None]:
    """Return `count` values; an empty column stands for nothing everywhere."""
    if not found:
        return [None] * count
    if len(found) != count:
        raise ChangeRefused("damaged", "columns of unequal length")
    return found


def _runs(
    data: bytes,
    what: str,
    limit: int,
    read_one: Callable[["Reader"], T],
    read_many: Callable[["Reader", int], Sequence[T]],
) -> list[T | None]:
    """Decode a run-length column: runs of equal values, of single ones, of nothing.

    Most of the time goes here. Each column must be as short as it can be told.
    """
    reader = Reader(data, 0)
    found: list[T | None] = []
    end, before = len(data), None
    while reader.at < end:
        start = len(found)
        run = reader.run(what, limit - start)
        if run > 0:
            if run == 1:
                raise ChangeRefused("not-allowed", f"a run of one ({what})")
            found += [read_one(reader)] * run
        elif run < 0:
            part = read_many(reader, -run)
            if any(map(eq, part, part[1:])):
                raise ChangeRefused("not-allowed", f"equal {what} told singly")
            found += part
        else:
            found += [None] * reader.nothing(what, limit - start)
        if before is not None and (
            (before < 0 and run < 0) or found[start - 1] == found[start]
        ):
            raise ChangeRefused("not-allowed", f"two runs that are one ({what})")
        before = run
    if found and found.count(None) == len(found):
        raise ChangeRefused("not-allowed", f"a column of nothing ({what})")
    return found


def leb_bytes(number: int) -> bytes:
    """Return the shortest unsigned LEB128 of a number."""
    out = bytearray()
    while True:
        low, number = number & 0x7F, number >> 7
        out.append(low | 0x80 if number else low)
        if not number:
            return bytes(out)


class Reader:
    """A cursor over bytes; whatever is missing is a refusal, never an IndexError."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes."""
        end = self.at + length
        if end > len(self.data):
            raise ChangeRefused("damaged", "cut off")
        part = self.data[self.at : end]
        self.at = end
        return part

    def skip_to(self, at: int) -> None:
        """Go on at a place further on."""
        if at > len(self.data):
            raise ChangeRefused("damaged", "cut off")
        self.at = at

    def leb(self) -> int:
        """Unsigned LEB128, at most 64 bits."""
        data, at = self.data, self.at
        if at < len(data) and data[at] < 0x80:
            self.at = at + 1
            return data[at]
        result = shift = 0
        while at < len(data) and shift < 70:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                if not byte:
                    raise ChangeRefused("not-allowed", "a number told too long")
                self.at = at
                return result
            shift += 7
        raise ChangeRefused("damaged", "a number that does not end")

    def signed_leb(self) -> int:
        """Signed LEB128, at most 64 bits."""
        data, at = self.data, self.at
        if at < len(data) and data[at] < 0x80:
            self.at = at + 1
            return data[at] - 0x80 if data[at] & 0x40 else data[at]
        result = shift = 0
        while at < len(data) and shift < 70:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if byte == (0x7F if data[at - 2] & 0x40 else 0):
                    raise ChangeRefused("not-allowed", "a number told too long")
                self.at = at
                return result - (1 << shift) if byte & 0x40 else result
        raise ChangeRefused("damaged", "a number that does not end")

    def lebs(self, count: int) -> Sequence[int]:
        """Return `count` unsigned numbers."""
        data, at = self.data, self.at
        part = data[at : at + count]
        if len(part) == count and max(part, default=0) < 0x80:
            # All of them fit into a byte each, as nearly always.
            self.at += count
            return part
        found = []
        end = len(data) - 1
        for _ in range(count):
            low = data[at] if at < end else 0xFF
            if low < 0x80:
                found.append(low)
                at += 1
            elif at < end and 0 < data[at + 1] < 0x80:
                found.append(low & 0x7F | data[at + 1] << 7)
                at += 2
            else:
                # Longer ones, the very last, and whatever is wrong.
                self.at = at
                found.append(self.leb())
                at = self.at
        self.at = at
        return found

    def signed_lebs(self, count: int) -> list[int]:
        """Return `count` signed numbers."""
        return [self.signed_leb() for _ in range(count)]

    def run(self, what: str, left: int) -> int:
        """Return the head of a run: so many equal values, or minus so many single
        ones, or 0 for a run of nothing.
        """
        run = self.signed_leb()
        if abs(run) > left:
            raise ChangeRefused("too-large", f"more {what} than allowed")
        return run

    def nothing(self, what: str, left: int) -> int:
        """Return the length of a run of nothing."""
        run = self.leb()
        if not run:
            raise ChangeRefused("damaged", f"an empty run of {what}")
        if run > left:
            raise ChangeRefused("too-large", f"more {what} than allowed")
        return run

    def text(self) -> str:
        """Return a key."""
        return self.take(self.count(MAX_KEY_BYTES, "key bytes")).decode()

    def texts(self, count: int) -> list[str]:
        """Return `count` keys."""
        found = []
        data, at, end = self.data, self.at, len(self.data)
        for _ in range(count):
            # A key is shorter than 128 bytes, so its length is one byte.
            length = data[at] if at < end else 0
            if length > MAX_KEY_BYTES:
                raise ChangeRefused("too-large", "a key longer than allowed")
            after = at + 1 + length
            if after > end:
                raise ChangeRefused("damaged", "a key that is cut off")
            found.append(data[at + 1 : after].decode())
            at = after
        self.at = at
        return found

    def count(self, limit: int, what: str) -> int:
        """Return a number that says how many of something follow."""
        number = self.leb()
        if number > limit:
            raise ChangeRefused("too-large", f"{number} {what}, at most {limit}")
        return number
