"""Attachments in pieces: how a file is named, and which piece belongs to it. Pure.

A file is cut into pieces of `PIECE_BYTES`, only the last one shorter. They are linked
from the end to the beginning:

    link(i) = SHA-256("lianban/piece" 00, bytes from piece i to the end, piece i,
                      link(i+1))                 and nothing stands behind the last.

The link of the first piece names the file: it is its *digest*. So whoever knows
the digest and the size can check each piece by itself as it comes, in order, given the
link behind it, which travels with it; and nothing has to be remembered but the link
of the piece that comes next. A file whose pieces all fitted is the file that was
named: there is no second hash that could say something else.
"""

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

from sync.canonical import Record
from sync.seal import HASH_BYTES, sha256

PIECE_BYTES = 32 * 1024
FILE_LIMIT_BYTES = 20 * 1024 * 1024
MOST_PIECES = FILE_LIMIT_BYTES // PIECE_BYTES
WANTS_LIMIT, PIECES_LIMIT = 64, 256
"""In one parcel."""

_DOMAIN = b"lianban/piece\x00"
_Digest = Annotated[bytes, Meta(min_length=HASH_BYTES, max_length=HASH_BYTES)]


class Want(Record, frozen=True):
    """The speaker holds the first `count` pieces of a file and wants the next."""

    digest: _Digest
    count: Annotated[int, Meta(ge=0, le=MOST_PIECES)]


class Piece(Record, frozen=True):
    """One piece of a file; `following` is the link behind it, empty after the last."""

    digest: _Digest
    index: Annotated[int, Meta(ge=0, lt=MOST_PIECES)]
    following: Annotated[bytes, Meta(max_length=HASH_BYTES)]
    data: Annotated[bytes, Meta(min_length=1, max_length=PIECE_BYTES)]


def count_of(size_bytes: int) -> int:
    """Return into how many pieces a file of this size is cut."""
    return -(-size_bytes // PIECE_BYTES)


def length_of(size_bytes: int, index: int) -> int:
    """Return how long a piece of a file is."""
    return min(PIECE_BYTES, size_bytes - index * PIECE_BYTES)


def links_of(size_bytes: int, read: Callable[[int], bytes]) -> list[bytes]:
    """Return the links of all pieces; the first is the file's digest.

    `read` gives a piece by its index, and is asked from the last to the first.
    """
    links: list[bytes] = []
    following = b""
    for index in reversed(range(count_of(size_bytes))):
        following = _link(size_bytes, index, read(index), following)
        links.append(following)
    return links[::-1]


def fits(size_bytes: int, expected: bytes, piece: Piece) -> bool:
    """Say whether a piece is the one that `expected`, its link, stands for."""
    index = piece.index
    is_last = index == count_of(size_bytes) - 1
    return (
        index < count_of(size_bytes)
        and len(piece.data) == length_of(size_bytes, index)
        and len(piece.following) == (0 if is_last else HASH_BYTES)
        and _link(size_bytes, index, piece.data, piece.following) == expected
    )


def _link(size_bytes: int, index: int, data: bytes, following: bytes) -> bytes:
    rest = size_bytes - index * PIECE_BYTES
    return sha256(_DOMAIN, rest.to_bytes(8, "big"), data, following)
