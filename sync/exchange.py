"""What to say to a peer, decided from what is held and nothing else. Pure.

A parcel is the body of a bundle. One goes up, one comes back; or one lies on a stick.
No conversation is remembered but rows: the peer's last signed vectors, and which
vectors it has been told of. Any parcel may be lost, repeated or reordered: entries
are owed by the peer's own signed word, and vectors are told again when the peer's
digest shows that it does not know them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from msgspec import Meta

from sync.canonical import Record, decode, encode
from sync.identity import PUBLIC
from sync.seal import sha256
from sync.stream import Chunk
from sync.vector import Head, SignedVector, Span, Vector, owed

PARCEL_LIMIT_BYTES = 32 * 1024 * 1024
CHUNK_PAYLOAD_BYTES = 512 * 1024
CHUNK_ENTRIES = 512
PARCEL_PAYLOAD_BYTES = 4 * 1024 * 1024
ENTRY_OVERHEAD_BYTES = 64
MAX_VECTORS = 4096
MAX_CHUNKS = 4096
MAX_EXTRAS = 64

VectorKey = tuple[bytes, str]
"""(holder, scope)."""


class Parcel(Record, frozen=True):
    """What one node says to another.

    `knows` is the digest of all vectors that the sender holds and both share,
    those in this parcel included. `more` says that not all that is owed fitted in.
    `extras` are (name, bytes) for later additions; unknown names are passed over.
    """

    knows: bytes
    vectors: Annotated[tuple[SignedVector, ...], Meta(max_length=MAX_VECTORS)]
    chunks: Annotated[tuple[Chunk, ...], Meta(max_length=MAX_CHUNKS)]
    more: bool
    extras: Annotated[tuple[tuple[str, bytes], ...], Meta(max_length=MAX_EXTRAS)] = ()


@dataclass(frozen=True, slots=True)
class HeldVector:
    """A signed vector, and what it is about."""

    holder: bytes
    scope: str
    counter: int
    signed: SignedVector

    @property
    def key(self) -> VectorKey:
        """What this vector replaces or is replaced by."""
        return self.holder, self.scope


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A parcel, what the peer will have been told once it has it, and its size."""

    parcel: Parcel
    told: dict[VectorKey, int]
    entries: int


class Holdings(Protocol):
    """What `compose` must be able to look up; the store answers."""

    def heads(self, scope: str) -> Sequence[Head]:
        """How far each stream of `scope` is held here."""

    def vector_of(self, holder: bytes, scope: str) -> Vector | None:
        """The holder's newest vector that is known here."""

    def read_chunk(self, span: Span, max_entries: int, max_bytes: int) -> Chunk | None:
        """The beginning of `span`, cut where a checkpoint stands or can be made.

        None when no checkpoint in the span is held here.
        """


def compose(
    holdings: Holdings,
    peer: bytes,
    scopes: Iterable[str],
    shared: Sequence[HeldVector],
    told: Mapping[VectorKey, int],
    limit_bytes: int = PARCEL_PAYLOAD_BYTES,
) -> Outgoing:
    """Return what `peer` should hear now.

    Args:
        holdings: what is held here.
        peer: the node id of the recipient.
        scopes: the scopes that both share.
        shared: all vectors held here that concern both, our own among them.
        told: for each vector, the counter that the peer is believed to know.
        limit_bytes: about how much payload may go.
    """
    news = [v for v in shared if v.counter > told.get(v.key, 0)]
    fresh = news[:MAX_VECTORS]
    chunks: list[Chunk] = []
    left_bytes, more = limit_bytes, len(fresh) < len(news)
    for scope in sorted(scopes, key=lambda s: (s != PUBLIC, len(s), s)):
        spans = owed(scope, holdings.heads(scope), holdings.vector_of(peer, scope))
        for span in spans:
            first = span.first
            while first <= span.last:
                if left_bytes <= 0 or len(chunks) == MAX_CHUNKS:
                    more = True
                    break
                chunk = holdings.read_chunk(
                    Span(span.stream, first, span.last),
                    CHUNK_ENTRIES,
                    min(CHUNK_PAYLOAD_BYTES, left_bytes),
                )
                if chunk is None:
                    break
                size = sum(
                    len(payload or b"") + ENTRY_OVERHEAD_BYTES
                    for payload in chunk.payloads
                )
                if chunks and size > left_bytes:
                    # What is relayed cannot be cut anywhere.
                    left_bytes = 0
                    continue
                chunks.append(chunk)
                first = chunk.checkpoint.sequence + 1
                left_bytes -= size
    now_told = dict(told) | {v.key: v.counter for v in fresh}
    return Outgoing(
        Parcel(
            knows=digest({v.key: v.counter for v in shared}),
            vectors=tuple(v.signed for v in fresh),
            chunks=tuple(chunks),
            more=more,
        ),
        now_told,
        sum(len(chunk.kinds) for chunk in chunks),
    )


def told_after(
    told: Mapping[VectorKey, int],
    received: Mapping[VectorKey, int],
    knows: bytes,
) -> dict[VectorKey, int]:
    """Return what the peer knows, now that a parcel of it has come.

    Args:
        told: what it was believed to know before.
        received: the vectors that it has sent now.
        knows: its digest of what it holds.

    If the belief does not fit the digest, something was lost on the way: only what
    it has sent itself is certain, and everything else will be told again.
    """
    believed = dict(told)
    for key, counter in received.items():
        believed[key] = max(counter, believed.get(key, 0))
    return believed if digest(believed) == knows else dict(received)


def digest(counters: Mapping[VectorKey, int]) -> bytes:
    """Return one hash over which vectors are known."""
    rows = sorted((holder, scope, n) for (holder, scope), n in counters.items())
    return sha256(b"lianban/knows\x00", encode(rows))


def encode_parcel(parcel: Parcel) -> bytes:
    """Return the body of a bundle."""
    return encode(parcel)


def decode_parcel(body: bytes) -> Parcel:
    """Return the parcel in an opened bundle.

    Raises:
        Malformed: it is none, or not in its canonical encoding.
    """
    return decode(body, Parcel, limit_bytes=PARCEL_LIMIT_BYTES)
