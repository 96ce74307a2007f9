"""One encoding for everything that is hashed or signed. Pure.

MessagePack of typed `msgspec` structs, all `array_like`. A value has exactly one
encoding here: what decodes is encoded again and compared, so that two different
byte strings can never mean the same signed thing.
"""

from typing import TypeVar

import msgspec

from sync.errors import Malformed

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()


class Record(
    msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, gc=False
):
    """Base of all structs that travel or are signed."""


def encode(value: object) -> bytes:
    """Return the one encoding of `value`."""
    return _encoder.encode(value)


def decode(data: bytes, kind: type[T], *, limit_bytes: int) -> T:
    """Return the `kind` that `data` encodes.

    Raises:
        Malformed: too long, not of that type, or not the canonical encoding.
    """
    name = getattr(kind, "__name__", str(kind))
    if len(data) > limit_bytes:
        raise Malformed(name, f"{len(data)} bytes, at most {limit_bytes} are allowed")
    try:
        value = msgspec.msgpack.decode(data, type=kind)
        again = _encoder.encode(value)
    except (msgspec.MsgspecError, RecursionError, ValueError, OverflowError) as error:
        raise Malformed(name, "cannot be decoded") from error
    if again != data:
        raise Malformed(name, "is not in its canonical encoding")
    return value
