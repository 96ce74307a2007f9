"""Attachments at rest: sealed piece by piece, so that one can grow while it arrives.

    home/attachments/<digest>                  whole
    home/attachments/arriving/<digest>.<size>  on its way: its first pieces
    home/attachments/arriving/<random>.new     being taken in at this moment

A piece lies as nonce | sealed (link behind it | piece) | tag, bound to digest and
place. All but the last are equally long: the place of each follows from its number, a
file that was cut off anywhere holds a whole number of pieces and a tail that counts
for nothing, and the link of the piece that comes next stands in the last one. So the
file alone says how far it has come; no row has to agree with it.

What is written here is on disk when a function returns.
"""

import fcntl
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from node.errors import DiskFull, FileRefused, StoreDamaged
from node.files import alone, sync_folder
from node.vault import SEAL_BYTES, Keys
from sync.pieces import PIECE_BYTES, Piece, count_of, fits, length_of, links_of
from sync.seal import HASH_BYTES

STRIDE_BYTES = PIECE_BYTES + HASH_BYTES + SEAL_BYTES
"""From the beginning of one sealed piece to the next."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file that has been sealed and not been given its name yet.

    `handle` keeps a lock that ends with this process, however it ends: what bears no
    lock is rubbish.
    """

    digest: bytes
    size_bytes: int
    path: Path
    handle: int


@dataclass(slots=True)
class Appended:
    """What became of some pieces of one file.

    Attributes:
        taken: how many are here that were not before.
        ahead: how many could not be joined, since one before them is missing.
        wrong: one if a piece is not of that file; none after it was looked at.
        size_bytes: the size of the file if it is whole now, else 0.
    """

    taken: int = 0
    ahead: int = 0
    wrong: int = 0
    size_bytes: int = 0


class PieceFiles:
    """The sealed files of one home."""

    def __init__(self, folder: Path, keys: Keys) -> None:
        """Use `home.attachments`; it is made when there is something to keep."""
        self._folder, self._keys = folder, keys

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from changing the files. Never begun inside a
        transaction: whoever is inside may wait for the store.
        """
        self._make()
        with alone(self._folder):
            yield

    # -- taking in ----------------------------------------------------------------

    def seal_new(self, source: BinaryIO, size_bytes: int) -> Sealed:
        """Seal a file under a passing name, reading it twice, piece by piece.

        Raises:
            FileRefused: it was written to meanwhile.
            DiskFull: the disk does not take it.
        """

        def read(index: int) -> bytes:
            source.seek(index * PIECE_BYTES)
            data = source.read(PIECE_BYTES)
            if len(data) != length_of(size_bytes, index):
                raise FileRefused("changed")
            return data

        links = [*links_of(size_bytes, read), b""]
        digest = links[0]
        self._make()
        path = self._arriving / f"{secrets.token_hex(16)}.new"
        with _disk_errors():
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            for index, expected in enumerate(links[:-1]):
                piece = Piece(digest, index, links[index + 1], read(index))
                if not fits(size_bytes, expected, piece):
                    raise FileRefused("changed")
                self._write(handle, piece)
            with _disk_errors():
                os.fsync(handle)
        except BaseException:
            path.unlink(missing_ok=True)
            os.close(handle)
            raise
        return Sealed(digest, size_bytes, path, handle)

    def name_new(self, sealed: Sealed) -> None:
        """Give a sealed file its name. Inside `alone`."""
        try:
            with _disk_errors():
                sealed.path.replace(self._whole(sealed.digest))
                sync_folder(self._folder)
        finally:
            os.close(sealed.handle)

    # -- arriving -----------------------------------------------------------------

    def held(self, digest: bytes, sizes: Collection[int]) -> int:
        """Return how many pieces of an arriving file are here.

        `sizes` are those that anybody has claimed; only the true one has a file.
        """
        found = (self._length(self._part(digest, size)) for size in sizes)
        return max((_pieces_in(length) for length in found), default=0)

    def append(
        self, digest: bytes, sizes: Collection[int], pieces: Iterable[Piece]
    ) -> Appended:
        """Join pieces to an arriving file, each after it was checked. Inside `alone`.

        Raises:
            DiskFull: the disk does not take it; what was joined before stays.
        """
        done = Appended()
        size = next((s for s in sizes if self._part(digest, s).exists()), 0)
        handle, held, expected = -1, 0, digest
        try:
            if size:
                handle, held, expected = self._resume(digest, size)
            for piece in pieces:
                if piece.index < held:
                    continue
                if piece.index > held:
                    done.ahead += 1
                    continue
                # The first piece proves which of the sizes that were claimed is true.
                possible = sizes if handle < 0 else (size,)
                fitting = next((s for s in possible if fits(s, expected, piece)), 0)
                if not fitting:
                    # Nothing that follows a wrong piece can be joined either.
                    done.wrong += 1
                    break
                if handle < 0:
                    size = fitting
                    handle = self._open_part(digest, size)
                self._write(handle, piece)
                held, expected = held + 1, piece.following
                done.taken += 1
            if handle >= 0 and done.taken:
                with _disk_errors():
                    os.fsync(handle)
            if handle >= 0 and held == count_of(size):
                done.size_bytes = size if self._prove(handle, digest, size) else 0
        finally:
            if handle >= 0:
                os.close(handle)
        if done.size_bytes:
            with _disk_errors():
                self._part(digest, size).replace(self._whole(digest))
                sync_folder(self._folder)
        return done

    # -- reading ------------------------------------------------------------------

    def is_whole(self, digest: bytes, size_bytes: int) -> bool:
        """Say whether a file of this name and length lies here; nothing is read."""
        return self._length(self._whole(digest)) == _sealed_bytes(size_bytes)

    def is_sound(self, digest: bytes, size_bytes: int) -> bool:
        """Read a whole file and say whether it is what its name says."""
        expected = digest
        try:
            for piece in self.read(digest, size_bytes):
                if not fits(size_bytes, expected, piece):
                    return False
                expected = piece.following
        except StoreDamaged:
            return False
        return True

    def read(self, digest: bytes, size_bytes: int, first: int = 0) -> Iterator[Piece]:
        """Yield the pieces of a whole file from `first` on.

        Raises:
            StoreDamaged: it is not here, or not what was stored.
        """
        try:
            handle = os.open(self._whole(digest), os.O_RDONLY)
        except OSError as error:
            raise StoreDamaged(f"attachment {digest.hex()} is gone") from error
        try:
            for index in range(first, count_of(size_bytes)):
                yield self._read(handle, digest, size_bytes, index)
        finally:
            os.close(handle)

    # -- away with it ---------------------------------------------------------------

    def drop(self, digest: bytes) -> None:
        """Remove a whole file. Inside `alone`."""
        self._whole(digest).unlink(missing_ok=True)

    def whole(self) -> Iterator[bytes]:
        """Yield the digests of all whole files that lie here."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if digest := _digest_in(path.name):
                    yield digest

    def sweep(self, wanted: Collection[bytes]) -> int:
        """Remove what nobody works on, and arriving files that are not `wanted`;
        return how many. Inside `alone`.
        """
        count = 0
        for path in self._arriving.iterdir() if self._arriving.is_dir() else ():
            if path.suffix == ".new":
                is_rubbish = _is_left(path)
            else:
                is_rubbish = _digest_in(path.stem) not in wanted
            if is_rubbish:
                path.unlink(missing_ok=True)
                count += 1
        return count

    # -- private --------------------------------------------------------------------

    @property
    def _arriving(self) -> Path:
        return self._folder / "arriving"

    def _make(self) -> None:
        with _disk_errors():
            self._arriving.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _whole(self, digest: bytes) -> Path:
        return self._folder / digest.hex()

    def _part(self, digest: bytes, size_bytes: int) -> Path:
        return self._arriving / f"{digest.hex()}.{size_bytes}"

    def _open_part(self, digest: bytes, size_bytes: int) -> int:
        with _disk_errors():
            return os.open(
                self._part(digest, size_bytes), os.O_RDWR | os.O_CREAT, 0o600
            )

    def _resume(self, digest: bytes, size_bytes: int) -> tuple[int, int, bytes]:
        """Return (handle, pieces held, link of the next), without a torn tail."""
        handle = self._open_part(digest, size_bytes)
        try:
            length = os.fstat(handle).st_size
            is_all = length == _sealed_bytes(size_bytes)
            held = count_of(size_bytes) if is_all else _pieces_in(length)
            held, expected = min(held, count_of(size_bytes)), digest
            while held:
                try:
                    piece = self._read(handle, digest, size_bytes, held - 1)
                except StoreDamaged:
                    # The power went before all of it was on disk.
                    held -= 1
                    continue
                expected = piece.following
                break
            if held < count_of(size_bytes):
                os.ftruncate(handle, held * STRIDE_BYTES)
        except BaseException:
            os.close(handle)
            raise
        return handle, held, expected

    def _prove(self, handle: int, digest: bytes, size_bytes: int) -> bool:
        """Read all of an arriving file again; cut it off at what does not hold."""
        expected = digest
        for index in range(count_of(size_bytes)):
            try:
                piece = self._read(handle, digest, size_bytes, index)
                is_good = fits(size_bytes, expected, piece)
            except StoreDamaged:
                is_good = False
            if not is_good:
                os.ftruncate(handle, index * STRIDE_BYTES)
                return False
            expected = piece.following
        return True

    def _read(self, handle: int, digest: bytes, size_bytes: int, index: int) -> Piece:
        is_last = index == count_of(size_bytes) - 1
        head_bytes = 0 if is_last else HASH_BYTES
        length = length_of(size_bytes, index) + head_bytes + SEAL_BYTES
        sealed = os.pread(handle, length, index * STRIDE_BYTES)
        plain = self._keys.unseal_file(_name_of(digest, index), sealed)
        return Piece(digest, index, plain[:head_bytes], plain[head_bytes:])

    def _write(self, handle: int, piece: Piece) -> None:
        name = _name_of(piece.digest, piece.index)
        sealed = self._keys.seal_file(name, piece.following + piece.data)
        left = memoryview(sealed)
        at = piece.index * STRIDE_BYTES
        with _disk_errors():
            while left:
                written = os.pwrite(handle, left, at)
                left, at = left[written:], at + written

    def _length(self, path: Path) -> int:
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return 0


def _name_of(digest: bytes, index: int) -> str:
    """Return the name to which a piece is sealed."""
    return f"{digest.hex()}/{index}"


def _pieces_in(length_bytes: int) -> int:
    """Return how many whole pieces there are in an arriving file of this length."""
    return length_bytes // STRIDE_BYTES


def _sealed_bytes(size_bytes: int) -> int:
    """Return how long a whole file is when it is sealed."""
    count = count_of(size_bytes)
    return size_bytes + count * SEAL_BYTES + (count - 1) * HASH_BYTES


def _digest_in(name: str) -> bytes | None:
    try:
        found = bytes.fromhex(name)
    except ValueError:
        return None
    return found if len(found) == HASH_BYTES else None


def _is_left(path: Path) -> bool:
    """Say whether nobody holds the lock of a file any more."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskFull(f"an attachment was not written: {error.strerror}") from error
