"""What a peer should hear: the vectors that concern both, and the entries it lacks.

What a neighbour is owed follows from its last signed vectors, which are rows; so what
is said here may be lost at any point, and is said again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace as with_fields

from node import attachments, clock_check, forks, packs
from node.store.journal import Journal
from node.wiring import Node
from sync import bundle
from sync import stream as streams
from sync.bundle import ON_A_LINE, Place
from sync.exchange import (
    LEAST_PACE_BYTES,
    MOST_PACE_BYTES,
    Extras,
    HeldVector,
    Outgoing,
    Parcel,
    Speech,
    VectorKey,
    encode_parcel,
    nothing_new,
)
from sync.identity import Certificate, holds, on_one_line
from sync.pieces import Piece
from sync.stream import Checkpoint, Chunk, StreamId
from sync.vector import Head, Span, Vector, owed, sign_vector

_DISTANCE_BYTES = 3
PACE = "pace"
"""The extra by which a node that has met with cuts asks for smaller bundles."""
_PACE_SIZE = 4


class Speaker:
    """What a peer should hear now, as bundles that are made while they are sent."""

    def __init__(
        self,
        node: Node,
        peer: Certificate,
        told: Mapping[VectorKey, int] | None = None,
        extras: Extras | None = None,
        pieces: Iterable[Piece] = (),
    ) -> None:
        """Acknowledge what is on disk, and begin.

        Args:
            node: this node.
            peer: whom to speak to.
            told: which vectors it is believed to know, if not those told over a line.
            extras: what each parcel says besides, if not what is news for a line.
            pieces: of files, to go behind all entries.
        """
        node.renew()
        self._node, self._peer = node, peer
        wants = attachments.wants(node, peer)
        scopes = shared_scopes(node, peer)
        sign_vectors(node, scopes)
        self._speech = Speech(
            Holdings(node),
            peer.node,
            scopes,
            shared_vectors(node, peer),
            node.store.vectors.told(peer.node) if told is None else told,
            wants,
            pieces,
        )
        if extras is None:
            extras = packs.news(node, peer.node)
        self._extras = extras
        self._offers = forks.offers(node, scopes)
        self.pace_bytes = node.store.registry.peer(peer.node).pace_bytes
        self.said: Outgoing | None = None
        """The last parcel that was made."""

    def set_pace(self, pace_bytes: int) -> None:
        """Make bundles of about this size, and ask for no larger ones."""
        self.pace_bytes = pace_bytes
        if pace_bytes < MOST_PACE_BYTES:
            self._extras = (*self._extras, (PACE, pace_bytes.to_bytes(_PACE_SIZE)))

    def tell_clock(self) -> None:
        """Say what our clock shows."""
        self._extras = (*self._extras, clock_check.word(self._node))

    def parcel(
        self, *, with_chunks: bool = True, is_end: bool = False
    ) -> Outgoing | None:
        """Return the next parcel, or None when all has been said."""
        made = self._speech.parcel(
            self.pace_bytes, with_chunks=with_chunks, is_end=is_end
        )
        if made is not None and with_chunks and self._offers:
            made, self._offers = made.with_chunks(self._offers), []
        self.said = made or self.said
        return made

    def wrap(self, outgoing: Outgoing, place: Place = ON_A_LINE) -> bytes:
        """Return a parcel as a bundle that only the peer can open."""
        return bundle.wrap(
            encode_parcel(self._whole(outgoing)),
            sender=self._node.certificate,
            sign_key=self._node.secrets.sign_key,
            recipient=self._peer,
            roster_version=self._node.roster.version,
            place=place,
        )

    def has_news(self, outgoing: Outgoing, knows: bytes) -> bool:
        """Say whether a parcel has any for a peer who has said last what it `knows`."""
        return not knows or self._whole(outgoing) != nothing_new(knows)

    def _whole(self, outgoing: Outgoing) -> Parcel:
        return with_fields(outgoing.parcel, extras=self._extras)


def shared_scopes(node: Node, peer: Certificate) -> list[str]:
    """Return the scopes of which we have anything and that the peer shares."""
    return [
        scope
        for scope in node.store.vectors.scopes(node.id)
        if holds(node.certificate, scope) and holds(peer, scope)
    ]


def shared_vectors(node: Node, peer: Certificate) -> list[HeldVector]:
    """Return the vectors that concern both: in a shared scope, by one of us, or by a
    node that stands on one line with each of us.
    """
    roster = node.roster
    found = []
    for vector in node.store.vectors.all():
        if not (holds(node.certificate, vector.scope) and holds(peer, vector.scope)):
            continue
        holder = roster.latest(vector.holder)
        if vector.holder in (node.id, peer.node) or (
            holder is not None
            and on_one_line(holder, peer)
            and on_one_line(holder, node.certificate)
        ):
            found.append(vector)
    return found


def sign_vectors(node: Node, scopes: list[str]) -> None:
    """Acknowledge what is on disk: a new signed vector where our old one is behind."""
    vectors = node.store.vectors
    with node.store.transaction():
        for scope in scopes:
            heads = tuple(node.store.journal.heads(scope))
            known = vectors.of(node.id, scope)
            if known is not None and known.heads == heads:
                continue
            vector = Vector(
                holder=node.id,
                epoch=node.certificate.epoch,
                scope=scope,
                counter=_next_counter(node, known),
                at_ms=node.now_ms(),
                heads=heads,
            )
            signed = sign_vector(node.secrets.sign_key, vector)
            vectors.put(vector, signed, vector.at_ms, heads)


def lacking(node: Node, peer: Certificate) -> list[Span]:
    """Return what the peer lacks, by its own word."""
    holdings = Holdings(node)
    return [
        span
        for scope in shared_scopes(node, peer)
        for span in owed(
            scope, holdings.heads(scope), holdings.vector_of(peer.node, scope)
        )
    ]


def pace_asked(parcel: Parcel) -> int:
    """Return how large bundles for the sender of a parcel may be."""
    word = dict(parcel.extras).get(PACE, b"")
    asked = int.from_bytes(word) if len(word) == _PACE_SIZE else MOST_PACE_BYTES
    return max(LEAST_PACE_BYTES, min(asked, MOST_PACE_BYTES))


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a speech looks up, answered by the store."""

    node: Node

    def heads(self, scope: str) -> list[Head]:
        """Return how far each stream of a scope is held here."""
        return self.node.store.journal.heads(scope)

    def vector_of(self, holder: bytes, scope: str) -> Vector | None:
        """Return it as far as it is proven. Who says to have more of our own streams
        than we have may have it from a copy of us, and then lacks what is ours.
        """
        vectors = self.node.store.vectors
        vector = vectors.of(holder, scope)
        if vector is None:
            return None
        heads = tuple(
            head
            if head.node != self.node.id
            else with_fields(
                head,
                sequence=vectors.proven(StreamId(head.node, head.epoch, scope), holder),
            )
            for head in vector.heads
        )
        return with_fields(vector, heads=heads)

    def read_chunk(self, span: Span, max_entries: int, max_bytes: int) -> Chunk | None:
        """Return the beginning of a span, signed; None where no part can be."""
        return _read_chunk(
            self.node.store.journal,
            span,
            max_entries,
            max_bytes,
            self.node.secrets.sign_key,
            self.node.id,
        )


def _next_counter(node: Node, known: Vector | None) -> int:
    """Return a counter above that of our last vector, by a random distance.

    A node that was put back to an older state counts from there again. With steps of
    one it would sign, with a number that its neighbours know already, that it has
    less; and they would never look.
    """
    distance = 1 + int.from_bytes(node.random(_DISTANCE_BYTES))
    return distance + (known.counter if known else 0)


def _read_chunk(
    journal: Journal,
    span: Span,
    max_entries: int,
    max_bytes: int,
    private: bytes,
    me: bytes,
) -> Chunk | None:
    """Return the beginning of `span` with a checkpoint over it.

    Our own streams are signed where we cut them; what we relay is cut at the
    checkpoints of its author.
    """
    stream = span.stream
    rows = [
        stored.entry
        for stored in journal.entries(
            stream, span.first, min(span.last, span.first + max_entries - 1)
        )
    ]
    size = 0
    for fitting, entry in enumerate(rows):
        size += len(entry.payload or b"")
        if size > max_bytes and fitting:
            rows = rows[:fitting]
            break
    if not rows:
        return None
    if stream.node == me:
        chain_hash = journal.hash_at(stream, rows[-1].sequence)
        assert chain_hash is not None
        checkpoint: Checkpoint | None = streams.sign_checkpoint(
            private, stream, rows[-1].sequence, chain_hash
        )
    else:
        checkpoint = journal.checkpoint_between(stream, span.first, rows[-1].sequence)
        if checkpoint is None:
            following = journal.next_checkpoint(stream, span.first)
            if following is None or following - span.first >= streams.MAX_CHUNK_ENTRIES:
                return None
            rows = [s.entry for s in journal.entries(stream, span.first, following)]
            checkpoint = journal.checkpoint_between(stream, following, following)
    assert checkpoint is not None
    return streams.pack(
        stream,
        [row for row in rows if row.sequence <= checkpoint.sequence],
        checkpoint,
        lambda documents: journal.last_changes(stream, documents, span.first),
    )
