"""Photographs made smaller as they are taken in, by a child process.

What happens to them there, and why, stands in `node.picture_worker`. Whatever is no
picture stays as it is.
"""

import subprocess
import sys
from typing import BinaryIO

from node.errors import FileRefused

PIXELS_LIMIT = 100_000_000
"""More than any telephone or scanner of an office makes."""
TIME_LIMIT_S = 30.0
HEAD_BYTES = 12

UNCHANGED, SMALLER = b"=", b"J"
TOO_MANY_PIXELS, DAMAGED = 3, 4
"""How the child answers: the first byte, or the exit code."""

JPEG = "image/jpeg"
PICTURES = {JPEG: (".jpg", ".jpeg"), "image/png": (".png",), "image/webp": (".webp",)}
"""The media types that are made smaller, and how such files are called."""
ENDINGS = frozenset(ending for endings in PICTURES.values() for ending in endings)

_KINDS = (
    (b"\xff\xd8\xff", 0, JPEG),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"WEBP", 8, "image/webp"),
    (b"%PDF-", 0, "application/pdf"),
)


def kind_of(head: bytes) -> str:
    """Return the media type that the first bytes of a file tell, "" if none does.

    What a file is called counts for nothing: names are wrong too often.
    """
    for mark, at, kind in _KINDS:
        if head[at : at + len(mark)] == mark:
            return kind
    return ""


def smaller(picture: BinaryIO, longest_side: int) -> bytes | None:
    """Return a picture as a JPEG that is fit to travel; None if it is so already.

    `picture` is a file of the system, read from its beginning.

    Raises:
        FileRefused: cut off, no picture after all, or of too many pixels.
    """
    picture.seek(0)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "node.picture_worker", str(longest_side)],
            stdin=picture,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FileRefused("picture-damaged") from error
    if done.returncode == TOO_MANY_PIXELS:
        raise FileRefused("picture-too-large", PIXELS_LIMIT)
    answer = done.stdout[:1]
    if done.returncode or answer not in (UNCHANGED, SMALLER):
        raise FileRefused("picture-damaged")
    return None if answer == UNCHANGED else done.stdout[1:]
