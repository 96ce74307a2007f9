"""One exchange with a neighbour: speak, listen, absorb; and the answering side.

What a neighbour is owed follows from its last signed vectors, which are rows; an
exchange that is cut at any point costs time and nothing else.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from msgspec.structs import replace as with_fields

from node import attachments, clock_check, forks, packs, standing
from node.absorb import Received, absorb
from node.desks import desk_name, numbered_name
from node.errors import Ambiguous, NotFound
from node.store.journal import read_chunk
from node.wiring import Node
from sync import bundle
from sync.bundle import ON_A_LINE, Header, Place
from sync.errors import (
    NotForUs,
    NotTrusted,
    PeerFault,
    PeerRefused,
    PeerUnreachable,
    Revoked,
    SyncError,
    TooNew,
)
from sync.exchange import (
    LEAST_PACE_BYTES,
    MOST_PACE_BYTES,
    Extras,
    HeldVector,
    Outgoing,
    Parcel,
    Speech,
    VectorKey,
    decode_parcel,
    encode_parcel,
    pace_after,
    pace_after_cut,
)
from sync.identity import Certificate, holds, on_one_line
from sync.pieces import Piece, Want
from sync.stream import Chunk, StreamId
from sync.vector import Head, Span, Vector, owed, sign_vector

if TYPE_CHECKING:
    from sync.client import Client

MOST_ROUNDS = 100
"""Of one exchange; what is left then goes with the next."""
IDLE_ROUNDS = 2
"""After so many that have brought neither end anything, an exchange is over."""
MOST_TOLD = 100
"""Sentences about what was refused in one report."""
_DISTANCE_BYTES = 3
RUN_S = 15.0
"""After so long a run ends, so that what has arrived is acknowledged."""
MOST_REPLIES = 16
"""Bundles in one answer; more are told of."""
MOST_HEARD = 1000
"""Bundles of an answer that we listen to."""
PACE = "pace"
"""The extra by which a node that has met with cuts asks for smaller bundles."""
_PACE_SIZE = 4
TOO_NEW = "too-new"
"""As what a bundle of a newer format is refused: this node must be upgraded."""

Transport = Callable[[Iterator[bytes]], Iterator[bytes]]
"""Carries a run of bundles to the peer and brings its run back."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one `sync` did, over all its rounds."""

    peer: bytes
    requests: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    sent: int = 0
    received: int = 0
    pieces_out: int = 0
    pieces_in: int = 0
    refused: tuple[str, ...] = ()

    @property
    def did_anything(self) -> bool:
        """Whether anything but words about what is held went either way."""
        return bool(self.sent or self.received or self.pieces_out or self.pieces_in)


@dataclass(slots=True)
class Progress:
    """The most to which both ends of an exchange have come. What a peer says may go
    up and down for ever; this does not.
    """

    proven: int
    """The entries that the peer is known to have as we have them."""
    taken: int = 0
    """The entries and pieces that have come here."""
    counts: dict[bytes, int] = field(default_factory=dict)
    """The pieces that the peer says to have of each file that it asks for."""
    was_put_back: bool = False
    """The peer has once said to have less; that it may happen twice is no reason."""

    def has_grown(self, proven: int, taken: int, counts: Mapping[bytes, int]) -> bool:
        """Take in where both ends are; say whether that is further than before."""
        is_put_back = proven < self.proven and not self.was_put_back
        self.was_put_back |= is_put_back
        more = {d: n for d, n in counts.items() if n > self.counts.get(d, 0)}
        is_further = is_put_back or bool(
            proven > self.proven or taken > self.taken or more
        )
        self.proven = proven if is_put_back else max(proven, self.proven)
        self.taken = max(taken, self.taken)
        self.counts |= more
        return is_further


@dataclass(frozen=True, slots=True)
class _Holdings:
    """What a speech looks up, answered by the store."""

    node: Node

    def heads(self, scope: str) -> list[Head]:
        return self.node.store.journal.heads(scope)

    def vector_of(self, holder: bytes, scope: str) -> Vector | None:
        """Return it as far as it is proven. Who says to have more of our own streams
        than we have may have it from a copy of us, and then lacks what is ours.
        """
        journal = self.node.store.journal
        vector = journal.vector_of(holder, scope)
        if vector is None:
            return None
        heads = tuple(
            head
            if head.node != self.node.id
            else with_fields(
                head,
                sequence=journal.proven(StreamId(head.node, head.epoch, scope), holder),
            )
            for head in vector.heads
        )
        return with_fields(vector, heads=heads)

    def read_chunk(self, span: Span, max_entries: int, max_bytes: int) -> Chunk | None:
        return read_chunk(
            self.node.store.journal,
            span,
            max_entries,
            max_bytes,
            self.node.secrets.sign_key,
            self.node.id,
        )


def shared_scopes(node: Node, peer: Certificate) -> list[str]:
    """Return the scopes of which we have anything and that the peer shares."""
    return [
        scope
        for scope in node.store.journal.scopes(node.id)
        if holds(node.certificate, scope) and holds(peer, scope)
    ]


def sign_vectors(node: Node, scopes: list[str]) -> None:
    """Acknowledge what is on disk: a new signed vector where our old one is behind."""
    journal = node.store.journal
    with node.store.transaction():
        for scope in scopes:
            heads = tuple(journal.heads(scope))
            known = journal.vector_of(node.id, scope)
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
            journal.put_vector(vector, signed, vector.at_ms, heads)


def _next_counter(node: Node, known: Vector | None) -> int:
    """Return a counter above that of our last vector, by a random distance.

    A node that was put back to an older state counts from there again. With steps of
    one it would sign, with a number that its neighbours know already, that it has
    less; and they would never look.
    """
    distance = 1 + int.from_bytes(node.random(_DISTANCE_BYTES))
    return distance + (known.counter if known else 0)


def shared_vectors(node: Node, peer: Certificate) -> list[HeldVector]:
    """Return the vectors that concern both: in a shared scope, by one of us, or by a
    node that stands on one line with each of us.
    """
    roster = node.roster
    found = []
    for vector in node.store.journal.vectors():
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
            _Holdings(node),
            peer.node,
            scopes,
            shared_vectors(node, peer),
            node.store.journal.told(peer.node) if told is None else told,
            wants,
            pieces,
        )
        if extras is None:
            extras = (*packs.news(node, peer.node), clock_check.word(node))
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
            encode_parcel(with_fields(outgoing.parcel, extras=self._extras)),
            sender=self._node.certificate,
            sign_key=self._node.secrets.sign_key,
            recipient=self._peer,
            roster_version=self._node.roster.version,
            place=place,
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """A bundle that was opened, and what became of what was in it."""

    sender: Certificate
    header: Header
    received: Received
    wants: tuple[Want, ...]
    more: bool
    pace_bytes: int
    """How large bundles for the sender may be."""


def open_bundle(node: Node, data: bytes) -> bundle.Opened:
    """Open a bundle that came from somewhere. Raises as `bundle.unwrap`."""
    return bundle.unwrap(
        data,
        me=node.id,
        seal_key=node.secrets.seal_key,
        find=lambda who, epoch: _standing(node, who, epoch),
    )


def take(node: Node, data: bytes) -> Taken:
    """Open a bundle and take in what is in it.

    Raises:
        PeerFault: nothing was stored, and why.
    """
    try:
        opened = open_bundle(node, data)
        parcel = decode_parcel(opened.body)
    except PeerFault as fault:
        _note_refusal(node, data, fault)
        raise
    received = absorb(node, parcel, opened.sender)
    clock_check.hear(node, opened.sender, dict(parcel.extras))
    return Taken(
        opened.sender,
        opened.header,
        received,
        parcel.wants,
        parcel.more,
        _pace_asked(parcel),
    )


def _pace_asked(parcel: Parcel) -> int:
    word = dict(parcel.extras).get(PACE, b"")
    asked = int.from_bytes(word) if len(word) == _PACE_SIZE else MOST_PACE_BYTES
    return max(LEAST_PACE_BYTES, min(asked, MOST_PACE_BYTES))


class Answering:
    """The answering side of one exchange; see `sync.server.Conversation`."""

    def __init__(self, node: Node) -> None:
        """Wait for the first bundle."""
        self._node = node
        self._peer: Certificate | None = None
        self._wants: tuple[Want, ...] = ()
        self._pace_bytes = MOST_PACE_BYTES
        self._bytes_in = 0

    def admit(self, beginning: bytes) -> None:
        """Raise a PeerFault if a bundle that begins so is not for us, or not from
        a node that may speak.
        """
        header = bundle.read_header(beginning, is_whole=False)
        if header.recipient != self._node.id:
            raise NotForUs(header.recipient.hex())
        if _standing(self._node, header.sender, header.sender_epoch) is None:
            raise NotTrusted("bundle", f"node {header.sender.hex()} is not enrolled")

    def take(self, data: bytes) -> None:
        """Take in one bundle. Raises as `take`; all must be of one sender."""
        taken = take(self._node, data)
        if self._peer is not None and self._peer.node != taken.sender.node:
            raise NotTrusted("bundle", "another sender than before in the same run")
        self._peer = taken.sender
        self._wants = taken.wants or self._wants
        self._pace_bytes = taken.pace_bytes
        self._bytes_in += len(data)

    def reply(self) -> Iterator[bytes]:
        """Yield our answer. That the peer knows it is noted when all has been sent."""
        node, peer = self._node, self._peer
        assert peer is not None
        speaker = Speaker(
            node, peer, pieces=attachments.pieces(node, peer, self._wants)
        )
        speaker.pace_bytes = self._pace_bytes
        bytes_out = 0
        for number in range(1, MOST_REPLIES + 1):
            outgoing = speaker.parcel(is_end=number == MOST_REPLIES)
            if outgoing is None:
                break
            data = speaker.wrap(outgoing)
            bytes_out += len(data)
            if outgoing.is_last or number == MOST_REPLIES:
                self._note(peer, outgoing, bytes_out)
            yield data

    def _note(self, peer: Certificate, said: Outgoing, bytes_out: int) -> None:
        registry = self._node.store.registry
        with self._node.store.transaction():
            self._node.store.journal.set_told(peer.node, said.told)
            known = registry.peer(peer.node)
            registry.set_peer(
                replace(
                    known,
                    last_seen_at_ms=self._node.now_ms(),
                    bytes_in=known.bytes_in + self._bytes_in,
                    bytes_out=known.bytes_out + bytes_out,
                )
            )


def answer(node: Node, run: Iterable[bytes]) -> Iterator[bytes]:
    """Take in a neighbour's run of bundles and yield ours: the server's side.

    Raises:
        PeerFault: of the first bundle that was refused; those before it stand.
    """
    conversation = Answering(node)
    for data in run:
        conversation.take(data)
    return conversation.reply()


def find_neighbour(node: Node, name: str = "") -> Certificate:
    """Return a neighbour by id, division, name of its place, or name of its desk; the
    node above if none is named.

    Raises:
        NotFound: nobody is called so, or there is no node above.
        Ambiguous: more than one is; say its id.
    """
    if not name:
        above = node.roster.latest(node.secrets.parent)
        if above is None:
            raise NotFound("node above", "")
        return above
    fitting = {
        one.node
        for one in node.roster.everyone()
        if name in (one.division, one.name, desk_name(one), numbered_name(one))
        or one.node.hex().startswith(name.lower())
    }
    if not fitting:
        raise NotFound("node", name[:40])
    if len(fitting) > 1:
        raise Ambiguous("node", name[:40], len(fitting))
    found = node.roster.latest(fitting.pop())
    assert found is not None
    return found


def client_for(node: Node, peer: Certificate) -> "Client":
    """Return a connection to a neighbour, pinned to its certificate.

    Raises:
        PeerUnreachable: no address of it is known here.
    """
    known = node.store.registry.peer(peer.node)
    if not known.url:
        raise PeerUnreachable(peer.name, "no address of it is known")
    # Imported late: it takes 50 ms that a list of cases does not need.
    from sync.client import Client

    return Client(known.url, peer.tls_fingerprint)


def sync_over(
    node: Node,
    peer: Certificate,
    transport: Transport,
    on_step: Callable[[Report], None] | None = None,
) -> Report:
    """Exchange with a neighbour until neither owes the other anything.

    Args:
        node: this node.
        peer: the neighbour.
        transport: the line.
        on_step: told how far it is, after each bundle.

    Raises:
        PeerUnreachable, PeerRefused, PeerFault: what was exchanged before stands.
    """
    one = _Exchange(node, peer, transport, on_step or (lambda _: None))
    try:
        for _ in range(MOST_ROUNDS):
            if one.is_done_after_a_round():
                break
    except SyncError as error:
        if isinstance(error, PeerUnreachable):
            error.was_heard = one.report.bytes_in > 0
        _note_result(node, peer, one.report, _word(node, error), one.pace_bytes)
        if isinstance(error, TooNew):
            _keep_refusal(node, peer.node, error)
        raise
    _note_result(node, peer, one.report, "", one.pace_bytes)
    return one.report


class _Exchange:
    """An exchange of ours that is going on: runs up, runs down."""

    def __init__(
        self,
        node: Node,
        peer: Certificate,
        transport: Transport,
        on_step: Callable[[Report], None],
    ) -> None:
        self._node, self._peer = node, peer
        self._transport, self._on_step = transport, on_step
        known = node.store.registry.peer(peer.node)
        self.pace_bytes = known.pace_bytes
        self.report = Report(peer.node)
        # After a cut nobody knows what has arrived: hear the other's vectors first.
        self._asks_first = known.failures > 0
        self._was_told_again = False
        self._wants: tuple[Want, ...] = ()
        """What the peer has asked for in its last answer."""
        self._given: Iterator[Piece] = iter(())
        """What it gets for that, in the next run."""
        self._progress = Progress(node.store.journal.count_proven(peer.node))
        self._idle_rounds = 0

    def is_done_after_a_round(self) -> bool:
        """Say what we have to say, hear the answer; say whether that was all."""
        asked, self._wants = self._wants, ()
        speaker = Speaker(self._node, self._peer, pieces=self._given)
        speaker.set_pace(self.pace_bytes)
        pieces_before = self.report.pieces_out
        owed_before = _owed(self._node, self._peer)
        sent_before, began_s = self.report.bytes_out, time.monotonic()
        goes_on = self._asks_first
        is_answered = False
        replies = self._transport(self._say(speaker))
        for data in islice(replies, MOST_HEARD):
            if not is_answered:
                is_answered = True
                took_s = time.monotonic() - began_s
                sent = self.report.bytes_out - sent_before
                self.pace_bytes = pace_after(self.pace_bytes, sent, took_s)
                self._note_told(speaker)
            goes_on |= self._hear(data)
        said = speaker.said
        if not is_answered or said is None:
            raise PeerUnreachable(self._peer.name, "the connection was cut")
        self._asks_first = False
        # Who asks for the same in spite of an answer will not get further by another.
        is_stuck = self._wants == asked and self.report.pieces_out > pieces_before
        goes_on |= self._can_give() and not is_stuck
        # A peer that was put back says in its answer that it has less than it had.
        # What it refuses it will refuse again.
        goes_on |= _owed(self._node, self._peer) not in ([], owed_before)
        self._idle_rounds = 0 if self._has_grown() else self._idle_rounds + 1
        if self._idle_rounds >= IDLE_ROUNDS:
            return True
        return not (goes_on or not said.is_last)

    def _has_grown(self) -> bool:
        return self._progress.has_grown(
            self._node.store.journal.count_proven(self._peer.node),
            self.report.received + self.report.pieces_in,
            attachments.counts_asked(self._node, self._peer),
        )

    def _note_told(self, speaker: Speaker) -> None:
        """Keep what the peer has been told, before what it tells is added to it."""
        assert speaker.said is not None
        with self._node.store.transaction():
            self._node.store.journal.set_told(self._peer.node, speaker.said.told)

    def _can_give(self) -> bool:
        """Prepare what the peer wants; say whether there is anything."""
        given = attachments.pieces(self._node, self._peer, self._wants)
        first = next(given, None)
        self._given = chain([first] if first else [], given)
        return first is not None

    def _say(self, speaker: Speaker) -> Iterator[bytes]:
        until_s = time.monotonic() + RUN_S
        self.report = replace(self.report, requests=self.report.requests + 1)
        while outgoing := speaker.parcel(with_chunks=not self._asks_first):
            data = speaker.wrap(outgoing)
            self.report = replace(
                self.report,
                bytes_out=self.report.bytes_out + len(data),
                sent=self.report.sent + outgoing.entries,
                pieces_out=self.report.pieces_out + len(outgoing.parcel.pieces),
            )
            self._on_step(self.report)
            yield data
            if self._asks_first or time.monotonic() > until_s:
                return

    def _hear(self, data: bytes) -> bool:
        """Take in a bundle of the answer; say whether it calls for another round."""
        opened = open_bundle(self._node, data)
        if opened.sender.node != self._peer.node:
            raise NotTrusted("answer", "another node has answered")
        parcel = decode_parcel(opened.body)
        received = absorb(self._node, parcel, self._peer)
        clock_check.hear(self._node, self._peer, dict(parcel.extras))
        self.report = replace(
            self.report,
            bytes_in=self.report.bytes_in + len(data),
            received=self.report.received + received.entries,
            pieces_in=self.report.pieces_in + received.pieces,
            refused=(*self.report.refused, *received.refused)[:MOST_TOLD],
        )
        self._wants = parcel.wants or self._wants
        self._on_step(self.report)
        is_to_be_told = received.knows_less and not self._was_told_again
        self._was_told_again |= received.knows_less
        # What is whole now has been said in an entry, which is owed.
        news = received.entries or received.files or received.was_reminded
        return bool(news or parcel.more or is_to_be_told)


def _owed(node: Node, peer: Certificate) -> list[Span]:
    """Return what the peer lacks, by its own word."""
    holdings = _Holdings(node)
    return [
        span
        for scope in shared_scopes(node, peer)
        for span in owed(
            scope, holdings.heads(scope), holdings.vector_of(peer.node, scope)
        )
    ]


def _standing(node: Node, who: bytes, epoch: int) -> Certificate | None:
    """Return the certificate of a node that may still speak to us.

    Its id is of its key: one that has begun a newer epoch than we have heard of still
    speaks for itself.

    Raises:
        Revoked: it has been put out, and is told so.
    """
    if node.roster.is_revoked(who):
        raise Revoked(who)
    return node.roster.certificate(who, epoch) or node.roster.latest(who)


def _note_result(
    node: Node, peer: Certificate, report: Report, failure: str, pace_bytes: int
) -> None:
    now_ms = node.now_ms()
    with node.store.transaction():
        known = node.store.registry.peer(peer.node)
        known = replace(
            known,
            last_try_at_ms=now_ms,
            last_result=failure or "ok",
            bytes_out=known.bytes_out + report.bytes_out,
            bytes_in=known.bytes_in + report.bytes_in,
        )
        if failure:
            known = replace(
                known,
                failures=known.failures + 1,
                pace_bytes=pace_after_cut(pace_bytes),
                offline_since_ms=known.offline_since_ms or now_ms,
            )
        else:
            known = replace(
                known,
                failures=0,
                offline_since_ms=None,
                last_success_at_ms=now_ms,
                pace_bytes=pace_bytes,
            )
        node.store.registry.set_peer(known)
        standing.hear(node, peer, failure)


def _note_refusal(node: Node, data: bytes, fault: PeerFault) -> None:
    """Keep that a bundle was refused, if it came from anybody that we know.

    A stranger must not be able to fill our disk with refusals.
    """
    try:
        sender = bundle.read_address(data).sender
    except PeerFault:
        return
    if node.roster.latest(sender) is None:
        return
    _keep_refusal(node, sender, fault)


def _keep_refusal(node: Node, sender: bytes, fault: PeerFault) -> None:
    cause = TOO_NEW if isinstance(fault, TooNew) else "bundle"
    with node.store.transaction():
        node.store.journal.put_refusal(node.now_ms(), sender, cause, str(fault))


def _word(node: Node, error: SyncError) -> str:
    """Return how a failed try is kept: a word that `tui.labels` knows."""
    match error:
        case PeerUnreachable():
            return "unreachable"
        case PeerRefused(status=403):
            return standing.REVOKED_WORD
        case Revoked() if error.node == node.id:
            return standing.REVOKED_WORD
        case PeerRefused(status=426):
            return "upgrade-there"
        case TooNew():
            return "upgrade-here"
        case PeerRefused():
            return "refused"
        case PeerFault():
            return "not-trusted"
        case _:
            return "failed"
