"""Sealed files that grow while they arrive, whatever happens between two pieces."""

import io
import multiprocessing
import os
import random
import tempfile
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from node.errors import FileRefused, StoreDamaged
from node.piece_files import STRIDE_BYTES, PieceFiles
from node.vault import Keys
from sync.pieces import FILE_LIMIT_BYTES, PIECE_BYTES, Piece, count_of, links_of

KEYS = Keys(bytes(range(32)), is_plain=False)
CONTENT = random.Random(7).randbytes(3 * PIECE_BYTES + 4321)
SIZE = len(CONTENT)
COUNT = count_of(SIZE)


def cut(content: bytes) -> list[Piece]:
    """Return the pieces of a file as they travel."""

    def read(index: int) -> bytes:
        return content[index * PIECE_BYTES : (index + 1) * PIECE_BYTES]

    links = [*links_of(len(content), read), b""]
    return [
        Piece(links[0], index, links[index + 1], read(index))
        for index in range(count_of(len(content)))
    ]


PIECES = cut(CONTENT)
DIGEST = PIECES[0].digest


@pytest.fixture
def files(tmp_path: Path) -> PieceFiles:
    return PieceFiles(tmp_path / "attachments", KEYS)


@contextmanager
def passing() -> Iterator[tuple[PieceFiles, Path]]:
    """Give files that are gone afterwards, for one example of many."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "attachments"
        yield PieceFiles(path, KEYS), path


def join(files: PieceFiles, pieces: Sequence[Piece], *sizes: int) -> list[int]:
    """Append pieces; return how many were taken, ahead and wrong."""
    with files.alone():
        done = files.append(DIGEST, sizes or (SIZE,), pieces)
    return [done.taken, done.ahead, done.wrong]


def content_of(files: PieceFiles) -> bytes:
    return b"".join(piece.data for piece in files.read(DIGEST, SIZE))


def keep(files: PieceFiles, content: bytes) -> bytes:
    sealed = files.seal_new(io.BytesIO(content), len(content))
    with files.alone():
        files.name_new(sealed)
    return sealed.digest


def part_of(path: Path) -> Path:
    return path / "arriving" / f"{DIGEST.hex()}.{SIZE}"


# -- taking in ---------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, PIECE_BYTES, PIECE_BYTES + 1, SIZE])
def test_what_is_taken_in_is_read_back_and_named_by_its_pieces(
    files: PieceFiles, size: int
) -> None:
    digest = keep(files, CONTENT[:size])

    assert list(files.read(digest, size)) == cut(CONTENT[:size])
    assert files.is_whole(digest, size) and files.is_sound(digest, size)


def test_reading_can_begin_at_any_piece(files: PieceFiles) -> None:
    keep(files, CONTENT)

    for first in range(COUNT + 1):
        assert list(files.read(DIGEST, SIZE, first)) == PIECES[first:]


def test_nothing_of_a_file_lies_in_the_clear(files: PieceFiles, tmp_path: Path) -> None:
    keep(files, CONTENT)
    join(files, PIECES[:2])

    for path in tmp_path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(CONTENT[at : at + 16] in data for at in range(0, SIZE, 997))
            assert path.stat().st_mode & 0o077 == 0


class Restless(io.BytesIO):
    """A file that somebody else writes to after it was read once."""

    def __init__(self, before: bytes, after: bytes) -> None:
        super().__init__(before)
        self._after, self._reads = after, 0

    def read(self, size: int | None = -1) -> bytes:
        self._reads += 1
        if self._reads == COUNT + 1:
            at = self.tell()
            super().__init__(self._after)
            self.seek(at)
        return super().read(size)


@pytest.mark.parametrize("after", [CONTENT[::-1], CONTENT[:-1]])
def test_a_file_that_changes_while_it_is_read_leaves_nothing(
    files: PieceFiles, tmp_path: Path, after: bytes
) -> None:
    with pytest.raises(FileRefused) as refused:
        files.seal_new(Restless(CONTENT, after), SIZE)

    assert refused.value.why == "changed"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_large_file_is_taken_in_and_read_with_a_few_pieces_in_memory(
    files: PieceFiles, tmp_path: Path
) -> None:
    source = tmp_path / "large"
    with source.open("wb") as made:
        made.truncate(FILE_LIMIT_BYTES)

    tracemalloc.start()
    with source.open("rb", buffering=0) as file:
        sealed = files.seal_new(file, FILE_LIMIT_BYTES)  # type: ignore[arg-type]
    with files.alone():
        files.name_new(sealed)
    assert files.is_sound(sealed.digest, FILE_LIMIT_BYTES)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 10 * PIECE_BYTES


# -- arriving ----------------------------------------------------------------------


def test_pieces_make_the_file_again(files: PieceFiles, tmp_path: Path) -> None:
    for number, piece in enumerate(PIECES):
        assert files.held(DIGEST, (SIZE,)) == number
        assert not files.is_whole(DIGEST, SIZE)
        assert join(files, [piece]) == [1, 0, 0]

    assert content_of(files) == CONTENT
    assert not part_of(tmp_path / "attachments").exists()


@given(st.lists(st.integers(0, COUNT - 1), max_size=12), st.data())
@settings(deadline=None, derandomize=True, max_examples=30)
def test_any_order_any_repetition_and_any_cut_only_cost_time(
    order: list[int], data: st.DataObject
) -> None:
    with passing() as (files, path):
        for index in order:
            held = files.held(DIGEST, (SIZE,))
            is_next = index == held and not files.is_whole(DIGEST, SIZE)
            assert join(files, [PIECES[index]])[:2] == [
                int(is_next),
                int(index > held),
            ] or files.is_whole(DIGEST, SIZE)
            if files.is_whole(DIGEST, SIZE):
                break
            if part_of(path).exists() and data.draw(st.booleans()):
                length = part_of(path).stat().st_size
                at = data.draw(st.integers(0, length))
                os.truncate(part_of(path), at)
                assert files.held(DIGEST, (SIZE,)) == at // STRIDE_BYTES
        if not files.is_whole(DIGEST, SIZE):
            join(files, PIECES[files.held(DIGEST, (SIZE,)) :])

        assert content_of(files) == CONTENT


def test_a_cut_at_any_byte_keeps_the_pieces_before_it(tmp_path: Path) -> None:
    path = tmp_path / "attachments"
    files = PieceFiles(path, KEYS)
    join(files, PIECES[:-1])
    whole = part_of(path).read_bytes()
    edges = [n * STRIDE_BYTES + d for n in range(COUNT) for d in (-1, 0, 1, 12, 44)]
    places = [*edges, *random.Random(3).sample(range(len(whole)), 30)]

    for at in sorted(place for place in places if 0 <= place <= len(whole)):
        part_of(path).write_bytes(whole[:at])
        held = at // STRIDE_BYTES
        assert files.held(DIGEST, (SIZE,)) == held
        # Nothing new: only what was torn is cut away.
        assert join(files, PIECES[:held]) == [0, 0, 0]
        assert part_of(path).read_bytes() == whole[: held * STRIDE_BYTES]

    assert join(files, PIECES[files.held(DIGEST, (SIZE,)) :])[1:] == [0, 0]
    assert content_of(files) == CONTENT


def test_a_file_that_was_whole_but_not_named_yet_is_named_by_the_next_piece(
    files: PieceFiles, tmp_path: Path
) -> None:
    keep(files, CONTENT)
    path = tmp_path / "attachments"
    (path / DIGEST.hex()).rename(part_of(path))

    assert files.held(DIGEST, (SIZE,)) == COUNT - 1
    assert join(files, PIECES[-1:]) == [0, 0, 0]
    assert content_of(files) == CONTENT


@pytest.mark.parametrize("at", range(0, 3 * STRIDE_BYTES, 4999))
def test_a_piece_that_the_disk_has_lost_is_asked_for_again(
    files: PieceFiles, tmp_path: Path, at: int
) -> None:
    path = tmp_path / "attachments"
    join(files, PIECES[:-1])
    damaged = bytearray(part_of(path).read_bytes())
    damaged[at] ^= 1
    part_of(path).write_bytes(damaged)

    for _ in range(3):
        join(files, PIECES[files.held(DIGEST, (SIZE,)) :])
        if files.is_whole(DIGEST, SIZE):
            break

    assert content_of(files) == CONTENT


def test_wrong_pieces_are_counted_and_leave_no_trace(
    files: PieceFiles, tmp_path: Path
) -> None:
    first, second = PIECES[:2]
    for wrong in (
        replace(first, data=bytes(PIECE_BYTES)),
        replace(first, following=bytes(32)),
        replace(first, data=b"x"),
    ):
        assert join(files, [wrong, first]) == [0, 0, 1]
        assert not any((tmp_path / "attachments" / "arriving").iterdir())

    assert join(files, [first, replace(second, following=b""), second]) == [1, 0, 1]
    assert join(files, [second]) == [1, 0, 0]
    assert join(files, PIECES) == [2, 0, 0]
    assert content_of(files) == CONTENT


def test_of_several_sizes_that_are_claimed_the_first_piece_finds_the_true_one(
    files: PieceFiles,
) -> None:
    claimed = (SIZE - 1, 7, SIZE, FILE_LIMIT_BYTES)

    assert join(files, PIECES[:2], *claimed) == [2, 0, 0]
    assert files.held(DIGEST, claimed) == 2
    assert join(files, PIECES[2:], *claimed) == [2, 0, 0]
    assert content_of(files) == CONTENT
    assert not files.is_whole(DIGEST, SIZE - 1)


def test_no_piece_fits_where_only_wrong_sizes_are_claimed(files: PieceFiles) -> None:
    assert join(files, PIECES, SIZE - 1, SIZE + 1) == [0, 0, 1]
    assert files.held(DIGEST, (SIZE - 1, SIZE + 1)) == 0


def _join_all(path: Path, seed: int) -> None:
    files = PieceFiles(path, KEYS)
    chance = random.Random(seed)
    while not files.is_whole(DIGEST, SIZE):
        first = chance.randrange(COUNT)
        with files.alone():
            if not files.is_whole(DIGEST, SIZE):
                files.append(DIGEST, (SIZE,), PIECES[first : first + 2])


def test_processes_that_receive_at_once_spoil_nothing(tmp_path: Path) -> None:
    path = tmp_path / "attachments"
    processes = multiprocessing.get_context("spawn")
    workers = [
        processes.Process(target=_join_all, args=(path, seed)) for seed in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)

    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert content_of(PieceFiles(path, KEYS)) == CONTENT
    assert {one.name for one in path.iterdir()} == {"arriving", DIGEST.hex()}
    assert not any((path / "arriving").iterdir())


# -- damage and rubbish -----------------------------------------------------------


def test_a_flipped_byte_of_a_whole_file_is_found(
    files: PieceFiles, tmp_path: Path
) -> None:
    keep(files, CONTENT)
    path = tmp_path / "attachments" / DIGEST.hex()
    good = path.read_bytes()

    for at in range(0, len(good), 1777):
        broken = bytearray(good)
        broken[at] ^= 0x10
        path.write_bytes(broken)
        assert not files.is_sound(DIGEST, SIZE)

    path.write_bytes(good[:-1])
    assert not files.is_whole(DIGEST, SIZE) and not files.is_sound(DIGEST, SIZE)
    path.unlink()
    assert not files.is_whole(DIGEST, SIZE)
    with pytest.raises(StoreDamaged):
        next(files.read(DIGEST, SIZE))


def test_a_piece_does_not_open_in_another_place_or_file(
    files: PieceFiles, tmp_path: Path
) -> None:
    twice = CONTENT[:PIECE_BYTES] * 3
    digest = keep(files, twice)
    path = tmp_path / "attachments" / digest.hex()
    data = path.read_bytes()

    path.write_bytes(data[STRIDE_BYTES : 2 * STRIDE_BYTES] + data[STRIDE_BYTES:])

    assert not files.is_sound(digest, len(twice))
    other = keep(files, CONTENT)
    path.write_bytes((path.parent / other.hex()).read_bytes()[: len(data)])
    assert not files.is_sound(digest, len(twice))


def test_sweeping_takes_what_is_left_over_and_nothing_that_is_worked_on(
    files: PieceFiles, tmp_path: Path
) -> None:
    arriving = tmp_path / "attachments" / "arriving"
    join(files, PIECES[:1])
    unwanted = arriving / f"{'ab' * 32}.99"
    unwanted.write_bytes(b"x")
    working = files.seal_new(io.BytesIO(CONTENT), SIZE)
    left = files.seal_new(io.BytesIO(CONTENT), SIZE)
    os.close(left.handle)  # as if its process had been killed

    with files.alone():
        count = files.sweep({DIGEST})

    assert count == 2
    assert sorted(p.name for p in arriving.iterdir()) == sorted(
        [f"{DIGEST.hex()}.{SIZE}", working.path.name]
    )
    with files.alone():
        files.name_new(working)
    assert content_of(files) == CONTENT
    assert list(files.whole()) == [DIGEST]
