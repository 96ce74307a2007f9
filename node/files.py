"""Files of a home: written whole or not at all, readable by their owner only."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import DiskFull, NotFound

SHOWN_PATH = 40


def path_of(typed: str, what: str) -> Path:
    """Return the path that a person means, with `~` as his own folder.

    Raises:
        NotFound: of `what`, "file" or "folder": nothing can be called that.
    """
    try:
        path = Path(typed).expanduser()
        if b"\0" in os.fsencode(path):
            raise ValueError("no path holds a zero byte")
        return path
    except (RuntimeError, ValueError) as error:  # the home of somebody unknown
        raise NotFound(what, typed[:SHOWN_PATH]) from error


def write_durably(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a power cut leaves the old or the new file.

    Raises:
        DiskFull: the disk does not take it; the old file stands.
    """
    part = path.with_name(path.name + ".part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DiskFull(f"{path.name} could not be written: {error.strerror}") from error


def sync_folder(path: Path) -> None:
    """Put on disk which files a folder holds."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let only one process at a time into the block, by a lock beside `path`."""
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
