"""The child process in which a photograph meets Pillow: the door to that library.

Run as `python -I -m node.picture_worker LONGEST_SIDE` with the file as stdin. It
answers on stdout: `UNCHANGED` alone, `SMALLER` and a JPEG, or nothing with the exit
code of a refusal. Its memory and CPU are limited: whatever a file that somebody
brought on a stick does to a decoder, it does to this process. It knows no keys and no
store.
"""

import io
import os
import resource
import sys
from typing import BinaryIO

from PIL import Image, ImageOps

from node.pictures import (
    DAMAGED,
    PIXELS_LIMIT,
    SMALLER,
    TOO_MANY_PIXELS,
    UNCHANGED,
)

MEMORY_LIMIT_BYTES = 1024 * 1024 * 1024
CPU_LIMIT_S = 20
QUALITY = 82
SPARED_PART, SPARED_BYTES = 0.25, 16 * 1024
"""Saving less than either is not worth a second loss of quality."""

_FORMATS = ("JPEG", "PNG", "WEBP")
_PLAIN_SEGMENTS = {"APP0", "APP14"}  # how the pixels are to be read, and no more
_TELLING = {"exif", "xmp", "XML:com.adobe.xmp", "comment", "photoshop", "icc_profile"}
_PNG_PLAIN = {"dpi", "gamma", "srgb", "transparency", "aspect", "interlace"}
_PNG_PLAIN |= {"chromaticity"}


class TooManyPixels(Exception):
    """The picture says that it is larger than anybody photographs."""


def shrink(file: BinaryIO, longest_side: int) -> bytes | None:
    """Return a JPEG of a picture, or None if it is well as it is.

    A JPEG is made where the picture is larger than `longest_side`, much heavier than
    it need be, or tells more than its pixels do: where and when it was taken, with
    what, and a small copy of what was cut away. It is turned as it shall be seen, and
    never enlarged.

    Raises:
        TooManyPixels: before anything is decoded.
        Exception: of any kind, where the file is no whole picture.
    """
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    with Image.open(file, formats=_FORMATS) as opened:
        width, height = opened.size
        if width * height > PIXELS_LIMIT:
            raise TooManyPixels
        is_small = max(width, height) <= longest_side
        # Of a JPEG that is much larger only so much is decoded as is needed.
        opened.thumbnail(
            (longest_side, longest_side), Image.Resampling.LANCZOS, reducing_gap=3.0
        )
        opened.load()
        is_plain = is_small and _is_plain(opened)
        smaller = _encode(ImageOps.exif_transpose(opened))
    spared_bytes = size_bytes - len(smaller)
    is_light = spared_bytes < max(SPARED_BYTES, SPARED_PART * size_bytes)
    return None if is_plain and is_light else smaller


def _is_plain(picture: Image.Image) -> bool:
    """Say whether a picture tells nothing but its pixels."""
    if getattr(picture, "n_frames", 1) > 1 or _TELLING & set(picture.info):
        return False
    if picture.format == "PNG":
        # A text may stand under any word.
        return set(picture.info) <= _PNG_PLAIN
    segments = {name for name, _ in getattr(picture, "applist", ())}
    return segments <= _PLAIN_SEGMENTS


def _encode(picture: Image.Image) -> bytes:
    if picture.has_transparency_data:
        over = picture.convert("RGBA")
        picture = Image.new("RGB", picture.size, "white")
        picture.paste(over, mask=over)
    elif picture.mode not in ("L", "RGB"):
        picture = picture.convert("RGB")
    picture.info = {}  # a comment would be written again
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def main() -> int:
    """Answer for the picture on stdin."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Image.MAX_IMAGE_PIXELS = None  # our own limit stands before any decoding
    try:
        smaller = shrink(sys.stdin.buffer, int(sys.argv[1]))
    except TooManyPixels:
        return TOO_MANY_PIXELS
    except Exception:  # noqa: BLE001 - decoders of broken files raise what they like
        return DAMAGED
    sys.stdout.buffer.write(UNCHANGED if smaller is None else SMALLER + smaller)
    return 0


if __name__ == "__main__":
    sys.exit(main())
