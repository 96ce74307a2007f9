"""Vectors: how far a node has each stream, durably. Pure.

A *signed* vector is the acknowledgement: what stands in it was committed to disk
by its holder before it was signed. One vector covers one scope, so that it can be
relayed to whoever shares that scope and shows nothing of any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from sync import seal
from sync.canonical import Record, decode, encode
from sync.errors import Malformed, NotTrusted
from sync.identity import NODE_ID_BYTES, is_scope
from sync.stream import MAX_SEQUENCE, StreamId

VECTOR_LIMIT_BYTES = 512 * 1024
MAX_HEADS = 4096
MAX_COUNTER = 2**53 - 1
MAX_COUNTER_TAKEN = 2**52
"""Of a vector that comes: its holder must be able to sign many more after it."""

_DOMAIN_VECTOR = b"vector"


class Head(Record, frozen=True, order=True):
    """The last entry held without a gap of one stream, and the chain hash there."""

    node: bytes
    epoch: int
    sequence: int
    hash: bytes


class Vector(Record, frozen=True):
    """What `holder` has of `scope`. `counter` only grows; heads are sorted."""

    holder: bytes
    epoch: int
    scope: str
    counter: int
    at_ms: int
    heads: Annotated[tuple[Head, ...], Meta(max_length=MAX_HEADS)]


class SignedVector(Record, frozen=True):
    """A vector as bytes, with its holder's signature over them."""

    body: bytes
    signature: bytes

    def read(self) -> Vector:
        """Return the vector; its signature is not looked at here.

        Raises:
            Malformed: not a vector, unsorted, or out of limits.
        """
        vector = decode(self.body, Vector, limit_bytes=VECTOR_LIMIT_BYTES)
        keys = [(head.node, head.epoch) for head in vector.heads]
        if (
            len(vector.heads) > MAX_HEADS
            or keys != sorted(set(keys))
            or len(vector.holder) != NODE_ID_BYTES
            or not is_scope(vector.scope)
            or not 1 <= vector.counter <= MAX_COUNTER
            or not 1 <= vector.epoch < 2**31
            or not 0 <= vector.at_ms < 2**52
            or any(
                len(h.node) != NODE_ID_BYTES
                or len(h.hash) != seal.HASH_BYTES
                or not 1 <= h.epoch < 2**31
                or not 1 <= h.sequence <= MAX_SEQUENCE
                for h in vector.heads
            )
        ):
            raise Malformed("vector", "its parts are out of limits")
        return vector


@dataclass(frozen=True, slots=True)
class Span:
    """The entries `first` to `last`, both included, of one stream."""

    stream: StreamId
    first: int
    last: int


def sign_vector(private: bytes, vector: Vector) -> SignedVector:
    """Return our acknowledgement of what we hold."""
    body = encode(vector)
    return SignedVector(body, seal.sign(private, _DOMAIN_VECTOR, body))


def check_vector(public: bytes, signed: SignedVector) -> None:
    """Check the holder's signature.

    Raises:
        NotTrusted: it was not made by the owner of `public`.
    """
    if not seal.is_signed(public, _DOMAIN_VECTOR, signed.body, signed.signature):
        raise NotTrusted("vector", "the holder's signature does not hold")


def owed(scope: str, mine: Iterable[Head], theirs: Vector | None) -> list[Span]:
    """Return what the peer lacks of `scope` and we hold, by stream."""
    heads = theirs.heads if theirs else ()
    has = {(head.node, head.epoch): head.sequence for head in heads}
    return [
        Span(
            StreamId(head.node, head.epoch, scope),
            has.get((head.node, head.epoch), 0) + 1,
            head.sequence,
        )
        for head in sorted(mine)
        if head.sequence > has.get((head.node, head.epoch), 0)
    ]
