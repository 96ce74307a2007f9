"""Photographs as telephones and scanners make them, and what pretends to be one."""

import io
import random
import struct
import zlib
from functools import lru_cache

from PIL import Image

PLACE = b"N28 44 32 E118 37 26"
"""Where it was taken, as it would stand in the file."""


@lru_cache(maxsize=32)
def photograph(
    width: int = 2400,
    height: int = 1600,
    kind: str = "JPEG",
    *,
    mode: str = "RGB",
    turned: bool = False,
    telling: bool = False,
    quality: int = 90,
) -> bytes:
    """Return a picture with something to see: red above, blue below, noise over it.

    `turned` is how a telephone held upright writes it; `telling` adds where it was
    taken, a comment, and the like.
    """
    noise = random.Random(1).randbytes((width // 20) * (height // 20) * 3)
    picture = Image.frombytes("RGB", (width // 20, height // 20), noise)
    picture = picture.resize((width, height))
    half = Image.new("RGB", (width, height), (230, 20, 20))
    half.paste((20, 20, 230), (0, height // 2, width, height))
    picture = Image.blend(picture, half, 0.8).convert(mode)
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6
    if telling:
        exif[0x010F] = "Telephone"
        exif.get_ifd(0x8825)[0x001D] = PLACE.decode()
    more: dict[str, object] = {"exif": exif} if turned or telling else {}
    if telling and kind == "JPEG":
        more["comment"] = PLACE
    out = io.BytesIO()
    picture.save(out, kind, quality=quality, **more)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """Return a picture, read to its end."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def png(width: int, height: int, rows: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """Return a PNG that says to be so large, with these packed rows in it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + name
        + data
        + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
