"""Which nodes have forked, as people are told it: who, since when, and both sides."""

from dataclasses import dataclass

from node.store.branches import Line, leaves, path_to
from node.wiring import Node
from sync.identity import Certificate
from sync.stream import StreamId


@dataclass(frozen=True, slots=True)
class Side:
    """One of the histories beyond a parting; times in milliseconds by its device."""

    scope: str
    entries: int
    cases: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class ForkedNode:
    """A node whose data were copied, and both copies wrote on in one epoch.

    Attributes:
        node: its id.
        certificate: its newest, if it is known.
        epoch: in which it has forked.
        since_ms: when that was first known here.
        parted_ms: when it wrote the first entry after the parting, by its device.
        sides: what has come of each side, by scope; none where only the proof is kept.
        is_healed: it has begun a newer epoch.
        is_here: it is this very node.
    """

    node: bytes
    certificate: Certificate | None
    epoch: int
    since_ms: int
    parted_ms: int | None
    sides: tuple[Side, ...]
    is_healed: bool
    is_here: bool


def forked_nodes(node: Node) -> list[ForkedNode]:
    """Return the nodes that are known to have forked, those in need of help first."""
    since: dict[tuple[bytes, int], int] = {}
    sides: dict[tuple[bytes, int], dict[StreamId, list[Side]]] = {}
    for one in node.store.branches.forks():
        key = (one.stream.node, one.stream.epoch)
        since.setdefault(key, one.found_at_ms)
        streams = sides.setdefault(key, {})
        if one.stream not in streams:
            streams[one.stream] = _sides(node, one.stream)
    found = []
    for (who, epoch), since_ms in since.items():
        every = [side for group in sides[who, epoch].values() for side in group]
        found.append(
            ForkedNode(
                node=who,
                certificate=_newest(node, who),
                epoch=epoch,
                since_ms=since_ms,
                parted_ms=min((side.first_ms for side in every), default=None),
                sides=tuple(every),
                is_healed=_is_healed(node, who, epoch),
                is_here=who == node.id,
            )
        )
    return sorted(found, key=lambda one: (one.is_healed, one.since_ms, one.node))


def unhealed(node: Node) -> set[bytes]:
    """Return the nodes that have forked and not begun anew."""
    return {
        one.stream.node
        for one in node.store.branches.forks()
        if not _is_healed(node, one.stream.node, one.stream.epoch)
    }


def _newest(node: Node, who: bytes) -> Certificate | None:
    """Return a node's newest certificate; our own is the one that we live by, though
    a copy of ours may have begun anew.
    """
    return node.certificate if who == node.id else node.roster.latest(who)


def _is_healed(node: Node, who: bytes, epoch: int) -> bool:
    newest = _newest(node, who)
    return newest is not None and newest.epoch > epoch


def _sides(node: Node, stream: StreamId) -> list[Side]:
    lines = node.store.branches.lines(stream)
    return [_side(node, stream, path_to(lines, leaf)[1:]) for leaf in leaves(lines)]


def _side(node: Node, stream: StreamId, path: list[Line]) -> Side:
    counts = [node.store.branches.counts(line) for line in path]
    documents = node.store.branches.documents_of([line.row for line in path])
    return Side(
        stream.scope,
        sum(one.entries for one in counts),
        len(documents),
        min(one.first_ms for one in counts),
        max(one.last_ms for one in counts),
    )
