from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sync.canonical import decode, encode
from sync.errors import Malformed
from sync.pieces import (
    FILE_LIMIT_BYTES,
    MOST_PIECES,
    PIECE_BYTES,
    Piece,
    Want,
    count_of,
    fits,
    length_of,
    links_of,
)

EDGES = [1, 31, 32, 33, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1]
EDGES += [PIECE_BYTES + 32, 2 * PIECE_BYTES, 3 * PIECE_BYTES + 7]


@dataclass(frozen=True)
class File:
    """A file as its owner cuts it."""

    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    @property
    def links(self) -> list[bytes]:
        return links_of(self.size, self.cut)

    def cut(self, index: int) -> bytes:
        return self.content[index * PIECE_BYTES : (index + 1) * PIECE_BYTES]

    def pieces(self) -> Iterator[Piece]:
        links = [*self.links, b""]
        for index in range(count_of(self.size)):
            yield Piece(links[0], index, links[index + 1], self.cut(index))


def file_of(size: int, seed: bytes = b"x") -> File:
    return File(((seed + bytes(range(251))) * (size // 252 + 1))[:size])


sizes = st.sampled_from(EDGES) | st.integers(1, 3 * PIECE_BYTES)


@given(sizes, st.binary(min_size=1, max_size=8))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_whoever_knows_only_the_digest_can_check_each_piece_as_it_comes(
    size: int, seed: bytes
) -> None:
    file = file_of(size, seed)
    expected, taken = file.links[0], b""

    for piece in file.pieces():
        assert fits(file.size, expected, piece)
        expected, taken = piece.following, taken + piece.data

    assert taken == file.content and expected == b""


@st.composite
def forgeries(draw: st.DrawFn) -> tuple[File, int, Piece]:
    """Draw a file, a place in it, and a piece that does not belong there."""
    file = file_of(draw(sizes))
    pieces = list(file.pieces())
    index = draw(st.integers(0, len(pieces) - 1))
    true = pieces[index]
    at = draw(st.integers(0, len(true.data) - 1))
    flipped = bytearray(true.data)
    flipped[at] ^= draw(st.integers(1, 255))
    wrong = [
        replace(true, data=bytes(flipped)),
        replace(true, data=true.data[:-1]),
        replace(true, data=true.data + b"\x00"),
        replace(true, following=bytes(32)),
        replace(true, index=true.index + 1),
        # What stands behind the piece, moved across the border.
        replace(true, data=true.data[:-32], following=true.data[-32:]),
        replace(true, data=true.data + true.following, following=b""),
        *(replace(other, index=index) for other in pieces if other.data != true.data),
        *(other for other in pieces if other is not true),
    ]
    if true.following:
        wrong.append(replace(true, following=b""))
    return file, index, draw(st.sampled_from([p for p in wrong if p != true]))


@given(forgeries())
@settings(deadline=None, derandomize=True, max_examples=300)
def test_no_other_piece_fits_in_its_place(forged: tuple[File, int, Piece]) -> None:
    file, index, piece = forged

    assert not fits(file.size, file.links[index], piece)


@given(sizes, sizes)
@example(PIECE_BYTES, PIECE_BYTES + 1)
@settings(deadline=None, derandomize=True, max_examples=100)
def test_the_digest_says_how_long_the_file_is(size: int, claimed: int) -> None:
    file = file_of(size)
    first = next(file.pieces())

    assert fits(claimed, file.links[0], first) is (claimed == size)


def test_a_file_that_goes_on_as_a_link_would_is_another_file() -> None:
    longer = file_of(2 * PIECE_BYTES)
    first, second = longer.pieces()
    # The bytes of the first piece and its link, taken as a shorter file.
    shorter = File(first.data[: PIECE_BYTES - 32] + first.following)

    assert shorter.links[0] != longer.links[0]
    assert not fits(shorter.size, longer.links[0], first)
    assert second.following == b""


@pytest.mark.parametrize("size", [*EDGES, FILE_LIMIT_BYTES])
def test_the_pieces_of_a_file_are_as_long_as_it_is(size: int) -> None:
    lengths = [length_of(size, index) for index in range(count_of(size))]

    assert sum(lengths) == size
    assert all(length == PIECE_BYTES for length in lengths[:-1])
    assert 1 <= lengths[-1] <= PIECE_BYTES
    assert len(lengths) <= MOST_PIECES


def test_wants_and_pieces_travel_unchanged() -> None:
    want = Want(b"d" * 32, 7)
    for piece in file_of(PIECE_BYTES + 5).pieces():
        assert decode(encode(piece), Piece, limit_bytes=40_000) == piece

    assert decode(encode(want), Want, limit_bytes=100) == want


@pytest.mark.parametrize(
    "value",
    [
        (b"d" * 31, 0, b"", b"x"),
        (b"d" * 32, -1, b"", b"x"),
        (b"d" * 32, MOST_PIECES, b"", b"x"),
        (b"d" * 32, 2**40, b"", b"x"),
        (b"d" * 32, 0, b"x" * 33, b"x"),
        (b"d" * 32, 0, b"", b""),
        (b"d" * 32, 0, b"", bytes(PIECE_BYTES + 1)),
        (b"d" * 32, 0, b""),
    ],
)
def test_a_piece_out_of_its_limits_cannot_be_read(value: tuple[object, ...]) -> None:
    with pytest.raises(Malformed):
        decode(encode(value), Piece, limit_bytes=2**20)


@pytest.mark.parametrize(
    "value", [(b"d" * 33, 0), (b"d" * 32, -1), (b"d" * 32, MOST_PIECES + 1)]
)
def test_a_want_out_of_its_limits_cannot_be_read(value: tuple[object, ...]) -> None:
    with pytest.raises(Malformed):
        decode(encode(value), Want, limit_bytes=2**20)
