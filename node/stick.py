"""The files of a stick: found whatever lies beside them, written whole or not at all.

A stick is handed around: nothing on it is trusted, least of all a name. Files are told
by how they begin; links, pipes and devices are never opened, folders are entered to a
limit. What we write appears under its name only after it was read back and compared.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from node.errors import StickTrouble
from sync.carry import is_name_of
from sync.errors import PeerFault
from sync.framing import framed
from sync.volume import begins_as_volume, read_start

MOST_LOOKED_AT = 20_000
DEEPEST = 6
PART = ".part"
SPARE_BYTES = 4 * 1024 * 1024
"""Left free on a stick that is nearly full, or a quarter of what is free if that is
less: the answer comes home on it.
"""

_START_BYTES = 16
_BLOCK_BYTES = 1024 * 1024
_FLUSH_BYTES = 64 * 1024 * 1024

_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
_MOUNTED_UNDER = ("/media/", "/run/media/", "/mnt/")

_WHY = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EFBIG: "full",
    errno.EROFS: "read-only",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
    errno.EIO: "gone",
    errno.ENODEV: "gone",
    errno.ENXIO: "gone",
    errno.ESTALE: "gone",
    errno.ENOENT: "gone",
    errno.ENOTCONN: "gone",
}
"""What the system says of a stick, in words that `tui.fault_words` knows."""


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """A file that may hold bundles."""

    path: Path
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """What lies on a stick.

    Attributes:
        volumes: files that may hold bundles.
        others: how many files are something else; they are left alone.
        passed: how many things were not looked at: links, pipes, and what lies
            deeper or is more than we look through.
    """

    volumes: tuple[VolumeFile, ...]
    others: int
    passed: int


@dataclass(frozen=True, slots=True)
class Written:
    """A volume that lies on the stick, read back and compared."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Mount:
    """A removable medium that is mounted now."""

    path: Path
    free_bytes: int
    is_writable: bool


def mounts(table: Path = Path("/proc/self/mounts")) -> list[Mount]:
    """Return the removable media that are mounted, by path."""
    try:
        lines = table.read_bytes().splitlines()
    except OSError:
        return []
    found = {}
    for line in lines:
        # Blanks and the like stand there as octal numbers.
        place = _OCTAL.sub(lambda one: bytes([int(one[1], 8)]), line.split(b" ")[1])
        path = os.fsdecode(place)
        if path.startswith(_MOUNTED_UNDER):
            with suppress(OSError):
                room = os.statvfs(path)
                found[path] = Mount(
                    Path(path),
                    room.f_bavail * room.f_frsize,
                    not room.f_flag & os.ST_RDONLY,
                )
    return [found[path] for path in sorted(found)]


def look(folder: Path) -> Shelf:
    """Return what lies on a stick, folders in it included, nearest first.

    Raises:
        StickTrouble: there is no such folder, or it cannot be read.
    """
    must_be_folder(folder)
    volumes: list[VolumeFile] = []
    others = passed = looked_at = 0
    level, depth = [folder], 0
    while level:
        below: list[Path] = []
        for one in level:
            for entry in _entries(one, is_top=depth == 0):
                looked_at += 1
                if looked_at > MOST_LOOKED_AT:
                    return Shelf(tuple(volumes), others, passed + 1)
                if entry.is_dir(follow_symlinks=False):
                    below.append(Path(entry.path))
                elif not entry.is_file(follow_symlinks=False):
                    passed += 1
                elif found := _as_volume(Path(entry.path)):
                    volumes.append(found)
                else:
                    others += 1
        depth += 1
        if depth == DEEPEST:
            passed += len(below)
            break
        level = below
    return Shelf(tuple(volumes), others, passed)


def must_be_folder(folder: Path) -> None:
    """Raise StickTrouble unless there is such a folder."""
    try:
        is_folder = folder.is_dir()
    except OSError:
        is_folder = False
    if not is_folder:
        raise StickTrouble("missing", str(folder))


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a plain file for reading; never a link, a pipe or a device.

    Raises:
        OSError: it cannot be opened so.
    """
    # A pipe put in its place meanwhile must not hold us.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "no plain file")
        yield file


def identity(folder: Path) -> tuple[int, int] | None:
    """Return what tells this folder from another of the same name; None if it is gone.

    Where a stick was mounted an empty folder stays behind when it is pulled out; what
    is written there would be on no stick.
    """
    try:
        found = folder.stat()
        with os.scandir(folder):
            return found.st_dev, found.st_ino
    except OSError:
        return None


def must_still_be(folder: Path, known: tuple[int, int] | None) -> None:
    """Raise StickTrouble unless the stick is there as it was."""
    if known is None or identity(folder) != known:
        raise StickTrouble("gone", str(folder))


def free_bytes(folder: Path) -> int:
    """Return how much may still be written, what is spared not counted.

    Raises:
        StickTrouble: the stick cannot be read.
    """
    try:
        room = os.statvfs(folder)
    except OSError as error:
        raise trouble(error, folder) from error
    free = room.f_bavail * room.f_frsize
    return free - min(SPARE_BYTES, free // 4)


def write_volumes(
    folder: Path,
    name_of: Callable[[int], str],
    bundles: Iterable[tuple[int, bytes]],
    on_bytes: Callable[[int], None],
) -> list[Written]:
    """Write bundles, given with the number of their volume, as files.

    Args:
        folder: where to.
        name_of: the name of a volume, by its number.
        bundles: in order.
        on_bytes: told how many more bytes were written.

    Raises:
        StickTrouble: the volumes before stand; of the one that was being written
            nothing is left.
    """
    done: list[Written] = []
    current: _Part | None = None
    number, known = 0, identity(folder)
    try:
        for volume, data in bundles:
            if volume != number:
                if current is not None:
                    done.append(current.finish())
                must_still_be(folder, known)
                current, number = _Part(folder, name_of(volume)), volume
            assert current is not None
            current.write(framed(data))
            on_bytes(len(data))
        if current is not None:
            done.append(current.finish())
        must_still_be(folder, known)
    except OSError as error:
        if current is not None:
            current.drop()
        raise trouble(error, folder) from error
    except BaseException:
        if current is not None:
            current.drop()
        raise
    return done


def own_volumes(folder: Path, sender: bytes, recipient: bytes) -> dict[Path, int]:
    """Return the volumes of ours for a recipient that lie in a folder, and of which
    pack each is. Both name and header must say so.
    """
    found = {}
    for entry in _entries(folder, is_top=True):
        if not is_name_of(entry.name, sender, recipient):
            continue
        with suppress(OSError, PeerFault), opened(Path(entry.path)) as file:
            address = read_start(file)
            if address.header and (sender, recipient) == (
                address.sender,
                address.recipient,
            ):
                found[Path(entry.path)] = address.header.pack
    return found


def size_of(paths: Iterable[Path]) -> int:
    """Return how much files take together; 0 where one is gone."""
    try:
        return sum(path.stat().st_size for path in paths)
    except OSError:
        return 0


def drop_unfinished(folder: Path, sender: bytes, recipient: bytes) -> None:
    """Remove what an earlier writing of ours has left when it was cut off."""
    for entry in _entries(folder, is_top=True):
        name = entry.name
        if name.endswith(PART) and is_name_of(name[: -len(PART)], sender, recipient):
            drop([Path(entry.path)])


def drop(paths: Iterable[Path]) -> None:
    """Remove files of ours; one that cannot be removed does no harm."""
    for path in paths:
        with suppress(OSError):
            path.unlink()


def trouble(error: OSError, folder: Path) -> StickTrouble:
    """Return what a person should be told of a stick."""
    return StickTrouble(_WHY.get(error.errno or 0, "other"), str(folder))


class _Part:
    """A volume that is being written, under a temporary name."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._path = folder / (name + PART)
        with suppress(FileNotFoundError):
            self._path.unlink()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._handle = os.open(self._path, flags, 0o644)
        self._digest = hashlib.sha256()
        self._size_bytes = self._flushed_bytes = 0

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._handle, left) :]
        self._digest.update(data)
        self._size_bytes += len(data)
        if self._size_bytes - self._flushed_bytes >= _FLUSH_BYTES:
            # A stick that is pulled out is noticed here, not gigabytes later.
            os.fdatasync(self._handle)
            self._flushed_bytes = self._size_bytes

    def finish(self) -> Written:
        """Flush, read it all again, compare, and only then give it its name."""
        os.fsync(self._handle)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._handle, 0, 0, os.POSIX_FADV_DONTNEED)
        again = hashlib.sha256()
        os.lseek(self._handle, 0, os.SEEK_SET)
        while block := os.read(self._handle, _BLOCK_BYTES):
            again.update(block)
        if again.digest() != self._digest.digest():
            raise StickTrouble("faulty", str(self._folder))
        os.close(self._handle)
        self._handle = -1
        self._path.replace(self._folder / self._name)
        _flush_folder(self._folder)
        return Written(self._name, self._size_bytes)

    def drop(self) -> None:
        """Leave nothing behind, as far as the stick allows it."""
        with suppress(OSError):
            if self._handle >= 0:
                os.close(self._handle)
        drop([self._path])


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        # Some file systems of sticks cannot flush a folder by itself.
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _entries(folder: Path, *, is_top: bool) -> list[os.DirEntry[str]]:
    """Return what lies in a folder; one that cannot be read counts as empty, but not
    the stick itself.
    """
    try:
        with os.scandir(folder) as found:
            return list(_first(found, MOST_LOOKED_AT + 1))
    except OSError as error:
        if is_top:
            raise trouble(error, folder) from error
        return []


def _first(
    entries: Iterable[os.DirEntry[str]], count: int
) -> Iterator[os.DirEntry[str]]:
    for _, entry in zip(range(count), entries, strict=False):
        yield entry


def _as_volume(path: Path) -> VolumeFile | None:
    """Return the file if it begins as a volume does, or is called one."""
    try:
        with opened(path) as file:
            is_volume = begins_as_volume(file.read(_START_BYTES))
            if is_volume or ".lbb" in path.name.lower():
                size_bytes = os.fstat(file.fileno()).st_size
                return VolumeFile(path, path.name, size_bytes)
    except OSError:
        pass
    return None
