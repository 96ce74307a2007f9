"""Files of a home: written whole or not at all, readable by their owner only."""

import os
from pathlib import Path

from node.errors import DiskFull


def write_durably(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a power cut leaves the old or the new file.

    Raises:
        DiskFull: the disk does not take it; the old file stands.
    """
    part = path.with_name(path.name + ".part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DiskFull(f"{path.name} could not be written: {error.strerror}") from error
