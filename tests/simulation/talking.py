"""How simulated nodes talk: the only place that knows the calls of `node.talk`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

from node import carrying_in, carrying_out, enrol, peers, talk, waiting
from node.answering import Answering
from node.talk import Report
from node.wiring import Node
from sync import exchange as exchanges
from sync.identity import Certificate

__all__ = ["PACE_BYTES", "Answering", "Report", "carry_in", "carry_out", "exchange"]
__all__ += ["is_quiet", "line_to", "peer_of", "retry", "small_bundles"]

PACE_BYTES = 400
"""How large bundles are here: a run of some cases shall be several of them."""

VOLUME_BYTES = 3000

Line = Callable[[Iterator[bytes]], Iterator[bytes]]
"""Carries a run of bundles to the peer and brings its run back."""


def small_bundles() -> AbstractContextManager[object]:
    """Let bundles stay small also after a cut."""
    return mock.patch.object(exchanges, "LEAST_PACE_BYTES", PACE_BYTES)


def line_to(door: object) -> AbstractContextManager[object]:
    """Let whoever asks to be let in come to this door."""
    return mock.patch.object(enrol, "Client", door)


def peer_of(node: Node, wanted: bytes) -> Certificate:
    """Return what a node knows of another."""
    return peers.find_neighbour(node, wanted.hex())


def exchange(node: Node, peer: Certificate, line: Line) -> Report:
    """Exchange with a peer over a line until neither owes the other anything."""
    report = talk.sync_over(node, peer, line)
    retry(node)
    return report


def retry(node: Node) -> None:
    """Try again what came on a stick before its time, as a node does of itself."""
    waiting.retry_if_news(node)


def is_quiet(report: Report) -> bool:
    """Say whether an exchange has found nothing to say."""
    moved = report.sent + report.received + report.pieces_out + report.pieces_in
    return report.requests == 1 and moved == 0


def carry_out(node: Node, stick: Path, peer: Certificate) -> None:
    """Write what a peer should hear to a stick."""
    carrying_out.carry_out(node, stick, peer, volume_bytes=VOLUME_BYTES)


def carry_in(node: Node, stick: Path, *, with_answers: bool) -> list[str]:
    """Take in what lies on a stick; return what was wrong with it."""
    came = carrying_in.carry_in(
        node, stick, with_answers=with_answers, volume_bytes=VOLUME_BYTES
    )
    wrong = [one.why for one in came.faults]
    wrong += [why for sender in came.senders for why in sender.refused]
    return [*wrong, *([str(came.trouble)] if came.trouble else [])]
