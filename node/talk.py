"""One exchange with a neighbour, our side: speak, listen, absorb, until all is said.

An exchange that is cut at any point costs time and nothing else. The other side is in
`node.answering`.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from node import attachments, clock_check, hearing, standing
from node.absorb import absorb
from node.speaking import Speaker, lacking
from node.wiring import Node
from sync.errors import (
    NotTrusted,
    PeerFault,
    PeerRefused,
    PeerUnreachable,
    Revoked,
    SyncError,
    TooNew,
)
from sync.exchange import (
    SILENCE,
    Parcel,
    decode_parcel,
    nothing_new,
    pace_after,
    pace_after_cut,
)
from sync.identity import Certificate
from sync.pieces import Piece, Want

MOST_ROUNDS = 100
"""Of one exchange; what is left then goes with the next."""
IDLE_ROUNDS = 2
"""After so many that have brought neither end anything, an exchange is over."""
MOST_TOLD = 100
"""Sentences about what was refused in one report."""
RUN_S = 15.0
"""After so long a run ends, so that what has arrived is acknowledged."""
MOST_HEARD = 1000
"""Bundles of an answer that we listen to."""

Transport = Callable[[Iterator[bytes]], Iterator[bytes]]
"""Carries a run of bundles to the peer and brings its run back, or `SILENCE`."""


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
            # A second request is made only when the first was answered.
            error.was_heard = one.report.bytes_in > 0 or one.report.requests > 1
        _note_result(node, peer, one.report, _word(node, error), one.pace_bytes)
        if isinstance(error, TooNew):
            hearing.keep_refusal(node, peer.node, error)
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
        self._progress = Progress(node.store.vectors.count_proven(peer.node))
        self._lacks = lacking(node, peer)
        """What the peer lacked after the last round."""
        self._idle_rounds = 0

    def is_done_after_a_round(self) -> bool:
        """Say what we have to say, hear the answer; say whether that was all."""
        asked, self._wants = self._wants, ()
        speaker = Speaker(self._node, self._peer, pieces=self._given)
        speaker.set_pace(self.pace_bytes)
        if not self.report.requests:
            speaker.tell_clock()
        pieces_before = self.report.pieces_out
        lacked = self._lacks
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
            assert speaker.said is not None
            goes_on |= self._hear(data, speaker.said.parcel.knows)
        said = speaker.said
        if not is_answered or said is None:
            raise PeerUnreachable(self._peer.name, "the connection was cut")
        self._asks_first = False
        # Who asks for the same in spite of an answer will not get further by another.
        is_stuck = self._wants == asked and self.report.pieces_out > pieces_before
        goes_on |= self._can_give() and not is_stuck
        # A peer that was put back says in its answer that it has less than it had.
        # What it refuses it will refuse again.
        self._lacks = lacking(self._node, self._peer)
        goes_on |= self._lacks not in ([], lacked)
        self._idle_rounds = 0 if self._has_grown() else self._idle_rounds + 1
        if self._idle_rounds >= IDLE_ROUNDS:
            return True
        return not (goes_on or not said.is_last)

    def _has_grown(self) -> bool:
        return self._progress.has_grown(
            self._node.store.vectors.count_proven(self._peer.node),
            self.report.received + self.report.pieces_in,
            attachments.counts_asked(self._node, self._peer),
        )

    def _note_told(self, speaker: Speaker) -> None:
        """Keep what the peer has been told, before what it tells is added to it."""
        assert speaker.said is not None
        with self._node.store.transaction():
            self._node.store.vectors.set_told(self._peer.node, speaker.said.told)

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

    def _hear(self, data: bytes, knows: bytes) -> bool:
        """Take in a bundle of the answer to one who `knows` that; say whether it calls
        for another round.
        """
        parcel = nothing_new(knows) if data == SILENCE else self._opened(data)
        received = absorb(self._node, parcel, self._peer)
        if self.report.requests == 1:
            clock_check.hear_answer(self._node, self._peer, dict(parcel.extras))
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

    def _opened(self, data: bytes) -> Parcel:
        opened = hearing.open_bundle(self._node, data)
        if opened.sender.node != self._peer.node:
            raise NotTrusted("answer", "another node has answered")
        return decode_parcel(opened.body)


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
