"""The answering side of an exchange: a neighbour's run of bundles, and our run back."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from node import attachments, hearing
from node.speaking import Speaker
from node.wiring import Node
from sync import bundle
from sync.errors import NotForUs, NotTrusted
from sync.exchange import MOST_PACE_BYTES, SILENCE, Outgoing
from sync.identity import Certificate
from sync.pieces import Want

MOST_REPLIES = 16
"""Bundles in one answer; more are told of."""


class Answering:
    """The answering side of one exchange; see `sync.server.Conversation`."""

    def __init__(self, node: Node) -> None:
        """Wait for the first bundle."""
        self._node = node
        self._peer: Certificate | None = None
        self._wants: tuple[Want, ...] = ()
        self._pace_bytes = MOST_PACE_BYTES
        self._bytes_in = 0
        self._knows = b""
        self._is_clock_off = False

    def admit(self, beginning: bytes) -> None:
        """Raise a PeerFault if a bundle that begins so is not for us, or not from
        a node that may speak.
        """
        header = bundle.read_header(beginning, is_whole=False)
        if header.recipient != self._node.id:
            raise NotForUs(header.recipient.hex())
        if hearing.may_speak(self._node, header.sender, header.sender_epoch) is None:
            raise NotTrusted("bundle", f"node {header.sender.hex()} is not enrolled")

    def take(self, data: bytes) -> None:
        """Take in one bundle. Raises as `hearing.take`; all must be of one sender."""
        taken = hearing.take(self._node, data)
        if self._peer is not None and self._peer.node != taken.sender.node:
            raise NotTrusted("bundle", "another sender than before in the same run")
        self._peer = taken.sender
        self._wants = taken.wants or self._wants
        self._pace_bytes = taken.pace_bytes
        self._bytes_in += len(data)
        self._knows = taken.knows
        self._is_clock_off |= taken.is_clock_off

    def reply(self) -> Iterator[bytes]:
        """Yield our answer, or `SILENCE` alone. That the peer knows it is noted when
        all has been sent.
        """
        node, peer = self._node, self._peer
        assert peer is not None
        speaker = Speaker(
            node, peer, pieces=attachments.pieces(node, peer, self._wants)
        )
        speaker.pace_bytes = self._pace_bytes
        if self._is_clock_off:
            speaker.tell_clock()
        bytes_out = 0
        for number in range(1, MOST_REPLIES + 1):
            outgoing = speaker.parcel(is_end=number == MOST_REPLIES)
            if outgoing is None:
                break
            is_silent = number == 1 and not speaker.has_news(outgoing, self._knows)
            data = SILENCE if is_silent else speaker.wrap(outgoing)
            bytes_out += len(data)
            if outgoing.is_last or number == MOST_REPLIES:
                self._note(peer, outgoing, bytes_out)
            yield data

    def _note(self, peer: Certificate, said: Outgoing, bytes_out: int) -> None:
        registry = self._node.store.registry
        with self._node.store.transaction():
            self._node.store.vectors.set_told(peer.node, said.told)
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
