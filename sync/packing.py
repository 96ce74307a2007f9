"""A body made small for its way, and large again with a hard stop. Pure.

A small body says mostly what every body says; it is compressed upon a dictionary that
all nodes have. Dictionaries are numbered and never change: `bench/dictionary.py` made
them. They are data of this package and are read once.
"""

from functools import lru_cache
from pathlib import Path

import zstandard

from sync.errors import Malformed

LEVEL = 9
NO_DICTIONARY, NEWEST_DICTIONARY = 0, 1
DICTIONARIES = Path(__file__).parent / "dictionary"
SMALL_BYTES = 256 * 1024
"""Measured with the first: one new case takes half of the bytes, ten take 0.62, 64 KiB
0.91, 256 KiB 0.98; ten hundreds of KiB take more with it than without.
"""

_MAX_WINDOW_BYTES = 8 * 1024 * 1024
_STEP_BYTES = 256 * 1024


def dictionary_for(size_bytes: int) -> int:
    """Return the number of the dictionary upon which a body of a size is packed."""
    return NEWEST_DICTIONARY if size_bytes <= SMALL_BYTES else NO_DICTIONARY


def pack(body: bytes, dictionary: int) -> bytes:
    """Return one zstd frame of `body`. It names neither size nor dictionary."""
    return zstandard.ZstdCompressor(
        level=LEVEL,
        dict_data=_dictionary(dictionary),
        write_content_size=False,
        write_dict_id=False,
    ).compress(body)


def inflate(packed: bytes, expected_bytes: int, dictionary: int) -> bytes:
    """Return the body, never making more than `expected_bytes` of it.

    zstd's own limit is not used: it does not hold where the frame states a size.

    Raises:
        Malformed: no frame, or not of that length.
    """
    parts: list[bytes] = []
    total = 0
    try:
        reader = zstandard.ZstdDecompressor(
            dict_data=_dictionary(dictionary), max_window_size=_MAX_WINDOW_BYTES
        ).stream_reader(packed, read_across_frames=False)
        while total <= expected_bytes:
            part = reader.read(min(_STEP_BYTES, expected_bytes - total + 1))
            if not part:
                break
            parts.append(part)
            total += len(part)
    except (zstandard.ZstdError, MemoryError) as error:
        raise Malformed("bundle body", "cannot be decompressed") from error
    if total != expected_bytes:
        raise Malformed("bundle body", "is not as long as the header says")
    return b"".join(parts)


@lru_cache(maxsize=NEWEST_DICTIONARY + 1)
def _dictionary(number: int) -> zstandard.ZstdCompressionDict | None:
    if number == NO_DICTIONARY:
        return None
    data = (DICTIONARIES / f"{number}.zdict").read_bytes()
    dictionary = zstandard.ZstdCompressionDict(data)
    dictionary.precompute_compress(level=LEVEL)
    return dictionary
