"""What to say to a peer, decided from what is held and nothing else. Pure.

A parcel is the body of a bundle. A run of them goes up, a run comes back; or one lies
on a stick. No conversation is remembered but rows: the peer's last signed vectors, and
which vectors it has been told of. Any parcel may be lost, repeated or reordered:
entries are owed by the peer's own signed word, and vectors are told again when the
peer's digest shows that it does not know them.

A run is said without waiting for answers: each parcel goes on where the one before
ended, as if it had arrived. If it has not, the peer's next vector says so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Protocol

from msgspec import Meta, structs

from sync.canonical import Record, decode, encode
from sync.identity import PUBLIC
from sync.pieces import PIECES_LIMIT, WANTS_LIMIT, Piece, Want
from sync.seal import sha256
from sync.stream import Chunk
from sync.vector import Head, SignedVector, Span, Vector, owed

PARCEL_LIMIT_BYTES = 8 * 1024 * 1024
CHUNK_PAYLOAD_BYTES = 256 * 1024
CHUNK_ENTRIES = 512
ENTRY_OVERHEAD_BYTES = 64
MAX_VECTORS = 4096
MAX_CHUNKS = 4096
MAX_EXTRAS = 64
KNOWS_BYTES = 16
SILENCE = b""
"""In the place of an answer whose only parcel would be `nothing_new`."""

MOST_PACE_BYTES = 64 * 1024
"""Nobody waits between the bundles of a run: larger ones would save nothing, and a
cut would cost more.
"""
LEAST_PACE_BYTES = 32 * 1024
PACE_S = 2.0
"""How long a bundle should take on the line: what a cut may cost."""
SHRINKING = 4
"""How many times smaller entries are once they are packed; nothing depends on it but
the size of bundles.
"""

VectorKey = tuple[bytes, str]
"""(holder, scope)."""

Extras = tuple[tuple[str, bytes], ...]
"""(name, what is said under it) for later additions."""


class Parcel(Record, frozen=True):
    """What one node says to another.

    `knows` is the digest of all vectors that the sender holds and both share,
    those in this parcel included; empty where some of them are still to follow.
    `wants` are files of which it wants more, and `pieces` are of files that the
    recipient wants. `more` says that the run ends here and not all that is owed was
    in it.
    `extras` are (name, bytes) for later additions; unknown names are passed over.
    """

    knows: bytes
    vectors: Annotated[tuple[SignedVector, ...], Meta(max_length=MAX_VECTORS)]
    chunks: Annotated[tuple[Chunk, ...], Meta(max_length=MAX_CHUNKS)]
    wants: Annotated[tuple[Want, ...], Meta(max_length=WANTS_LIMIT)]
    pieces: Annotated[tuple[Piece, ...], Meta(max_length=PIECES_LIMIT)]
    more: bool
    extras: Annotated[Extras, Meta(max_length=MAX_EXTRAS)] = ()


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
    """A parcel, what the peer will have been told once it has it, and its size.

    `is_last` says that nothing more is owed after it.
    """

    parcel: Parcel
    told: dict[VectorKey, int]
    entries: int
    is_last: bool

    def with_chunks(self, chunks: Sequence[Chunk]) -> "Outgoing":
        """Return it with more chunks than are owed."""
        parcel = structs.replace(self.parcel, chunks=(*self.parcel.chunks, *chunks))
        entries = self.entries + sum(len(chunk.kinds) for chunk in chunks)
        return replace(self, parcel=parcel, entries=entries)


class Holdings(Protocol):
    """What a `Speech` must be able to look up; the store answers."""

    def heads(self, scope: str) -> Sequence[Head]:
        """How far each stream of `scope` is held here."""

    def vector_of(self, holder: bytes, scope: str) -> Vector | None:
        """The holder's newest vector that is known here."""

    def read_chunk(self, span: Span, max_entries: int, max_bytes: int) -> Chunk | None:
        """The beginning of `span`, cut where a checkpoint stands or can be made.

        None when no checkpoint in the span is held here.
        """


class Speech:
    """A run of parcels for one peer, made one after the other as they are sent."""

    def __init__(
        self,
        holdings: Holdings,
        peer: bytes,
        scopes: Iterable[str],
        shared: Sequence[HeldVector],
        told: Mapping[VectorKey, int],
        wants: Sequence[Want] = (),
        pieces: Iterable[Piece] = (),
    ) -> None:
        """Begin to speak.

        Args:
            holdings: what is held here.
            peer: the node id of the recipient.
            scopes: the scopes that both share.
            shared: all vectors held here that concern both, our own among them.
            told: for each vector, the counter that the peer is believed to know.
            wants: what to ask for; it goes with the first parcel.
            pieces: what the peer has asked for; they go behind all entries.
        """
        self._wants = tuple(wants)
        self._pieces = iter(pieces)
        self._piece = next(self._pieces, None)
        self._holdings = holdings
        self._news = [v for v in shared if v.counter > told.get(v.key, 0)]
        self._told = dict(told)
        self._knows = digest({v.key: v.counter for v in shared})
        self._spans = self._all_spans(peer, scopes)
        self._span = next(self._spans, None)
        self._is_first = True

    def parcel(
        self, limit_bytes: int, *, with_chunks: bool = True, is_end: bool = False
    ) -> Outgoing | None:
        """Return the next parcel, or None when all has been said.

        The first one always is one: it tells at least what is known here.

        Args:
            limit_bytes: about how large its bundle shall be.
            with_chunks: whether entries and pieces go with it.
            is_end: whether it ends the run, whatever is left.
        """
        if not (self._is_first or self._news or self._span or self._piece):
            return None
        self._is_first = False
        left_bytes = limit_bytes
        vectors: list[SignedVector] = []
        while self._news and len(vectors) < MAX_VECTORS and left_bytes > 0:
            vector = self._news.pop(0)
            vectors.append(vector.signed)
            self._told[vector.key] = vector.counter
            left_bytes -= len(vector.signed.body)
        chunks = list(self._chunks(left_bytes)) if with_chunks else []
        left_bytes -= sum(map(_size_of, chunks)) // SHRINKING
        may_have_pieces = with_chunks and not (self._news or self._span)
        pieces = tuple(self._pieces_of(left_bytes)) if may_have_pieces else ()
        wants, self._wants = self._wants, ()
        is_last = not (self._news or self._span or self._piece)
        return Outgoing(
            Parcel(
                # Only who has heard all vectors can compare.
                knows=b"" if self._news else self._knows,
                vectors=tuple(vectors),
                chunks=tuple(chunks),
                wants=wants,
                pieces=pieces,
                more=is_end and not is_last,
            ),
            dict(self._told),
            sum(len(chunk.kinds) for chunk in chunks),
            is_last,
        )

    def _chunks(self, left_bytes: int) -> Iterator[Chunk]:
        """Yield chunks of about so many bytes once they are packed; at least one."""
        left_bytes = max(left_bytes, 1) * SHRINKING
        count = 0
        while self._span and left_bytes > 0 and count < MAX_CHUNKS:
            chunk = self._holdings.read_chunk(
                self._span, CHUNK_ENTRIES, min(CHUNK_PAYLOAD_BYTES, left_bytes)
            )
            if chunk is None:
                self._span = next(self._spans, None)
                continue
            yield chunk
            count += 1
            left_bytes -= _size_of(chunk)
            following = chunk.checkpoint.sequence + 1
            if following <= self._span.last:
                self._span = Span(self._span.stream, following, self._span.last)
            else:
                self._span = next(self._spans, None)

    def _pieces_of(self, left_bytes: int) -> Iterator[Piece]:
        """Yield pieces of about so many bytes. One may be larger than what is left:
        else a line for which that is too much would never get any.
        """
        count = 0
        while self._piece and left_bytes > 0 and count < PIECES_LIMIT:
            yield self._piece
            count += 1
            left_bytes -= len(self._piece.data)
            self._piece = next(self._pieces, None)

    def _all_spans(self, peer: bytes, scopes: Iterable[str]) -> Iterator[Span]:
        for scope in sorted(scopes, key=lambda s: (s != PUBLIC, len(s), s)):
            yield from owed(
                scope,
                self._holdings.heads(scope),
                self._holdings.vector_of(peer, scope),
            )


def _size_of(chunk: Chunk) -> int:
    """Return about how much a chunk holds before it is packed."""
    return sum(len(payload or b"") + ENTRY_OVERHEAD_BYTES for payload in chunk.payloads)


def pace_after(pace_bytes: int, sent_bytes: int, took_s: float) -> int:
    """Return how large bundles should be, after a run that has arrived.

    Args:
        pace_bytes: how large they were.
        sent_bytes: what was sent; little says nothing about a line.
        took_s: until the answer began, in seconds.
    """
    if sent_bytes < MOST_PACE_BYTES:
        return pace_bytes
    wanted = int(sent_bytes / max(took_s, 0.001) * PACE_S)
    return max(LEAST_PACE_BYTES, min(wanted, MOST_PACE_BYTES))


def pace_after_cut(pace_bytes: int) -> int:
    """Return how large bundles should be, after a run that was cut."""
    return max(LEAST_PACE_BYTES, pace_bytes // 2)


def told_after(
    told: Mapping[VectorKey, int],
    received: Mapping[VectorKey, int],
    knows: bytes,
) -> dict[VectorKey, int]:
    """Return what the peer knows, now that a parcel of it has come.

    Args:
        told: what it was believed to know before.
        received: the vectors that it has sent now.
        knows: its digest of what it holds; empty where more is to follow.

    If the belief does not fit the digest, something was lost on the way: only what
    it has sent itself is certain, and everything else will be told again.
    """
    believed = dict(told)
    for key, counter in received.items():
        believed[key] = max(counter, believed.get(key, 0))
    is_known = not knows or digest(believed) == knows
    return believed if is_known else dict(received)


def digest(counters: Mapping[VectorKey, int]) -> bytes:
    """Return one hash over which vectors are known, `KNOWS_BYTES` of it: only the two
    who speak compare it, and whom it deceives is told too little or too much.
    """
    rows = sorted((holder, scope, n) for (holder, scope), n in counters.items())
    return sha256(b"lianban/knows\x00", encode(rows))[:KNOWS_BYTES]


def nothing_new(knows: bytes) -> Parcel:
    """Return what has no news for one who has said last that he `knows` this."""
    return Parcel(knows, (), (), (), (), more=False)


def encode_parcel(parcel: Parcel) -> bytes:
    """Return the body of a bundle."""
    return encode(parcel)


def decode_parcel(body: bytes) -> Parcel:
    """Return the parcel in an opened bundle.

    Raises:
        Malformed: it is none, or not in its canonical encoding.
    """
    return decode(body, Parcel, limit_bytes=PARCEL_LIMIT_BYTES)
