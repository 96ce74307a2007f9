"""Forked streams as a node sees them, and tails as evidence shows them."""

from node.wiring import Node
from sync.fork import Tail, follow
from sync.stream import StreamId, unpack
from tests.node.forge import chunk_of


def stream_of(node: Node, epoch: int = 1, scope: str = "") -> StreamId:
    """Return the stream of a node in its own division, or in another scope."""
    return StreamId(node.id, epoch, scope or node.certificate.division)


def lines(node: Node, stream: StreamId) -> list[tuple[int, int]]:
    """Return (base, end) of the main line and of each branch."""
    return [(one.base, one.sequence) for one in node.store.branches.lines(stream)]


def tail_of(node: Node, stream: StreamId, first: int, last: int = 2**40) -> Tail:
    """Return entries of a stream as evidence would show them."""
    chunk = chunk_of(node, stream, first, last)
    previous = node.store.journal.hash_at(stream, first - 1)
    assert previous is not None
    return Tail(previous, chunk, follow(previous, chunk, unpack(chunk)))
