"""A run of bundles: what travels in one request, and what a volume on a stick is. Pure.

Each bundle is preceded by its length in 4 bytes. A bundle is whole as soon as its last
byte is there, so whoever reads a run can take each one before the next has come.
"""

from collections.abc import Iterator

from sync.bundle import LEAST_BUNDLE_BYTES, MAX_BUNDLE_BYTES
from sync.errors import Malformed

PREFIX_BYTES = 4
BEGUN_BYTES = 1024
"""More than the longest header, so that it can be told from whom a bundle is."""


def framed(bundle: bytes) -> bytes:
    """Return a bundle as it stands in a run."""
    return len(bundle).to_bytes(PREFIX_BYTES, "big") + bundle


class Frames:
    """Takes the bytes of a run as they come, and gives the bundles that are whole."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes and yield the bundles that they complete.

        Raises:
            Malformed: a length that no bundle has; nothing after it can be read.
        """
        self._buffer += data
        while len(self._buffer) >= PREFIX_BYTES:
            length = int.from_bytes(self._buffer[:PREFIX_BYTES], "big")
            if not LEAST_BUNDLE_BYTES <= length <= MAX_BUNDLE_BYTES:
                raise Malformed("run of bundles", f"{length} bytes is no bundle")
            end = PREFIX_BYTES + length
            if len(self._buffer) < end:
                return
            bundle = bytes(self._buffer[PREFIX_BYTES:end])
            del self._buffer[:end]
            yield bundle

    @property
    def begun(self) -> bytes:
        """What is here of a bundle that is not whole yet, at most its first 1 KiB."""
        return bytes(self._buffer[PREFIX_BYTES : PREFIX_BYTES + BEGUN_BYTES])

    @property
    def held_bytes(self) -> int:
        """How many bytes are kept here; 0 where the run could end."""
        return len(self._buffer)
