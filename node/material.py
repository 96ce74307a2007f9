"""What a document says of a file that belongs to its case 材料. Pure."""

import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import PurePath

import msgspec

from sync.change import Change
from sync.pieces import FILE_LIMIT_BYTES

RECORD_LIMIT = 1024
NAME_LIMIT = 120
KIND_LIMIT = 40
DIGEST_DIGITS = 64
CONTAINER = "materials"

SAFE_NAME_BYTES = 120
_UNSAFE = frozenset('/\\:*?"<>|')
_NUMBERED = {f"{name}{n}" for name in ("COM", "LPT") for n in "0123456789¹²³"}
_DEVICES = _NUMBERED | {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
"""What Windows takes for a device, whatever stands behind a dot."""


class Material(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A file, as the document holds it in JSON under its digest in hex.

    Attributes:
        name: what it was called where it was taken in; shown, and never a path.
        size: in bytes; it is bound by the digest, see `sync.pieces`.
        kind: its media type, "" where it is not known.
    """

    name: str
    size: int
    kind: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Material)


def encode_material(material: Material) -> str:
    """Return the text that the document holds."""
    return _encoder.encode(material).decode()


def decode_material(digest: str, text: object) -> Material | None:
    """Return the record in a text, or None if it is none of ours."""
    if (
        not isinstance(text, str)
        or len(text) > RECORD_LIMIT
        or len(digest) != DIGEST_DIGITS
        or not set(digest) <= set("0123456789abcdef")
    ):
        return None
    try:
        found = _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return None
    is_sane = (
        1 <= found.size <= FILE_LIMIT_BYTES
        and len(found.name) <= NAME_LIMIT
        and len(found.kind) <= KIND_LIMIT
    )
    return found if is_sane else None


def materials_in(
    change: Change, containers: Mapping[str, int], first_actor: bytes
) -> Iterator[tuple[bytes, Material]]:
    """Yield (digest, record) of each file that a change writes into its case.

    `containers` are the op counters of the maps that `first_actor` made at the birth
    of the document.
    """
    place = (containers.get(CONTAINER, 0), first_actor)
    for op in change.ops:
        if op.container == place and (found := decode_material(op.key, op.value)):
            yield bytes.fromhex(op.key), found


def tidy_name(path: PurePath) -> str:
    """Return what a file is called, as a record can hold it: text, and not too long.

    What is no text in the file's name is shown as such; the ending stays.
    """
    name = path.name.encode("utf-8", "replace").decode()
    if len(name) <= NAME_LIMIT:
        return name
    ending = path.suffix if len(path.suffix) <= 10 else ""
    return name[: NAME_LIMIT - len(ending)] + ending


def safe_name(name: str, number: int) -> str:
    """Return a name under which a file can be written on any disk, in any folder.

    A name comes from whoever wrote the case: `../../x`, `CON.txt`, three hundred bytes
    or a zero byte must not lead anywhere else. `number` names what has no name left.
    """
    own = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(map(_safe_character, unicodedata.normalize("NFC", own)))
    # A dot in front hides a file and a dash makes it an option; a dot at the end, or a
    # space, Windows drops.
    kept = kept.rstrip(". ").lstrip("-. ")
    stem, dot, ending = kept.rpartition(".")
    if not dot or len(ending.encode()) > 10:
        stem, dot, ending = kept, "", ""
    room = SAFE_NAME_BYTES - len((dot + ending).encode())
    stem = stem.encode()[:room].decode(errors="ignore").rstrip(". ")
    if not stem or set(stem) <= {"_", ".", " "}:
        stem = f"材料{number}"
    if kept.partition(".")[0].strip().upper() in _DEVICES:
        stem = f"_{stem}"
    return stem + dot + ending


def _safe_character(char: str) -> str:
    category = unicodedata.category(char)[0]
    if category == "Z":
        return " "
    return "_" if char in _UNSAFE or category == "C" else char
