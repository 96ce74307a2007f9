"""Taking a file in: checked, made smaller if it is a picture, sealed, and kept.

Nothing of it lies in the clear at any moment, and what is refused leaves nothing.
"""

import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from forms.item import Item
from node import attachments, pictures
from node.errors import FileRefused, NotFound
from node.home import Home
from node.material import Material, tidy_name
from node.piece_files import PieceFiles, Sealed
from node.store.attachments import KeptFile
from node.vault import Keys
from node.wiring import Node

PICTURE_LIMIT_BYTES = 64 * 1024 * 1024
"""Of a picture before it is made smaller."""

_OPENING = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""A pipe without a writer must not keep us waiting."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that is sealed and waits for its name; see `prepare`."""

    sealed: Sealed
    material: Material


def take_in(node: Node, path: Path, item: Item) -> tuple[str, Material]:
    """Take a file into the home for a case of `item`; return its digest in hex and
    its record.

    Raises:
        FileRefused: too large, empty, no file, or a picture that cannot be read.
        NotFound: it cannot be read.
        DiskFull: the disk does not take it.
    """
    return keep(node, prepare(node.home, node.keys, path, item))


def prepare(home: Home, keys: Keys, path: Path, item: Item) -> Prepared:
    """Seal a file. Touches no store, so that a screen can let a thread do it; `keep`
    comes after, where the store may be used.

    Raises: as `take_in`.
    """
    files = PieceFiles(home.attachments, keys)
    try:
        # Without a buffer: the child that reads it too moves the place in the file.
        with os.fdopen(os.open(path, _OPENING), "rb", buffering=0) as source:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                raise FileRefused("no-file")
            return _prepare(files, source, path, item)
    except FileRefused as refused:
        refused.name = path.name
        raise
    except (OSError, ValueError) as error:  # a path with a zero byte is a ValueError
        raise NotFound("file", path.name) from error


def keep(node: Node, prepared: Prepared) -> tuple[str, Material]:
    """Give a prepared file its name and its row; it is on disk then."""
    sealed, material = prepared.sealed, prepared.material
    kept = KeptFile(
        sealed.digest, sealed.size_bytes, material.name, material.kind, node.now_ms()
    )
    files = attachments.files_of(node)
    with files.alone():
        files.name_new(sealed)
        attachments.keep_whole(node, kept)
    return sealed.digest.hex(), material


def record_of(node: Node, digest: str) -> Material | None:
    """Return the record for a file that lies here, None where there is none.

    A file that came from elsewhere has no name of its own here.
    """
    kept = node.store.attachments.get(bytes.fromhex(digest))
    if kept is None:
        return None
    return Material(kept.name or f"附件 {digest[:8]}", kept.size_bytes, kept.kind)


def _prepare(files: PieceFiles, source: BinaryIO, path: Path, item: Item) -> Prepared:
    name = tidy_name(path)
    size_bytes = os.fstat(source.fileno()).st_size
    kind = pictures.kind_of(source.read(pictures.HEAD_BYTES))
    if not size_bytes:
        raise FileRefused("empty")
    if kind not in pictures.PICTURES:
        if path.suffix.lower() in pictures.ENDINGS:
            raise FileRefused("no-picture")
        return _seal(files, source, size_bytes, Material(name, size_bytes, kind), item)
    if size_bytes > PICTURE_LIMIT_BYTES:
        raise FileRefused("too-large", PICTURE_LIMIT_BYTES)
    smaller = pictures.smaller(source, item.image_side_px)
    if smaller is None:
        return _seal(files, source, size_bytes, Material(name, size_bytes, kind), item)
    if path.suffix.lower() not in pictures.PICTURES[pictures.JPEG]:
        name = tidy_name(path.with_suffix(".jpg"))
    record = Material(name, len(smaller), pictures.JPEG)
    return _seal(files, io.BytesIO(smaller), len(smaller), record, item)


def _seal(
    files: PieceFiles,
    source: BinaryIO,
    size_bytes: int,
    material: Material,
    item: Item,
) -> Prepared:
    if size_bytes > item.file_limit_bytes:
        raise FileRefused("too-large", item.file_limit_bytes)
    return Prepared(files.seal_new(source, size_bytes), material)
