"""What a document says of a file that belongs to its case. Pure."""

import msgspec

RECORD_LIMIT = 1024
NAME_LIMIT = 120
DIGEST_DIGITS = 64


class Material(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A file, as the document holds it in JSON under the SHA-256 of its content."""

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
    is_sane = 0 <= found.size < 2**40 and len(found.name) <= NAME_LIMIT
    return found if is_sane else None
