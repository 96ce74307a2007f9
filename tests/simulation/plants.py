"""Faults put into the program on purpose, to see that the simulator finds them.

Each takes one check out, or does one thing in the wrong order. They are for a process
of their own: nothing puts the program right again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import node.store
from node import absorb, judge, story
from node.document_plan import DocumentPlan
from node.lifecycle import Event
from node.store.arrivals import Arrivals
from node.store.connection import Handle
from node.store.journal import Journal
from node.store.vectors import Vectors
from node.wiring import Node
from sync import exchange
from sync.identity import Certificate
from sync.stream import Chunk
from sync.vector import Head, Span, Vector, sign_vector


@dataclass(frozen=True, slots=True)
class Plant:
    """What is broken, in words, and how it is put in."""

    says: str
    put_in: Callable[[], None]


def _said_before_it_is_kept() -> None:
    honest = absorb.take_chunk

    def take_chunk(node: Node, chunk: Chunk, sender: Certificate) -> int:
        stream, last = chunk.stream, chunk.checkpoint
        heads = {(h.node, h.epoch): h for h in node.store.journal.heads(stream.scope)}
        held = heads.get((stream.node, stream.epoch))
        if held is None or held.sequence < last.sequence:
            head = Head(stream.node, stream.epoch, last.sequence, last.hash)
            heads[stream.node, stream.epoch] = head
            _sign(node, stream.scope, tuple(sorted(heads.values())))
        return honest(node, chunk, sender)

    absorb.take_chunk = take_chunk


def _sign(node: Node, scope: str, heads: tuple[Head, ...]) -> None:
    known = node.store.vectors.of(node.id, scope)
    counter = known.counter + 1 if known else 1
    vector = Vector(node.id, 1, scope, counter, node.now_ms(), heads)
    signed = sign_vector(node.secrets.sign_key, vector)
    with node.store.transaction():
        node.store.vectors.put(vector, signed, vector.at_ms, heads)


def _arrived_when_sent() -> None:
    honest = Arrivals.acknowledged

    def acknowledged(
        self: Arrivals, document: bytes, author: bytes, holders: Sequence[bytes]
    ) -> dict[bytes, int]:
        return {
            holder: 1 if at_ms == 0 and _told(self, holder) else at_ms
            for holder, at_ms in honest(self, document, author, holders).items()
        }

    Arrivals.acknowledged = acknowledged  # type: ignore[method-assign]


def _told(arrivals: Arrivals, holder: bytes) -> bool:
    db = arrivals._db
    return bool(Vectors(db, Journal(db)).told(holder))


def _tail_skipped() -> None:
    honest = exchange.owed

    def owed(scope: str, mine: Iterable[Head], theirs: Vector | None) -> list[Span]:
        return [
            Span(span.stream, span.first, span.last - 1)
            for span in honest(scope, mine, theirs)
            if span.first < span.last
        ]

    exchange.owed = owed


def _conflicts_overlooked() -> None:
    DocumentPlan._may_conflict = lambda _self: False  # type: ignore[method-assign]


def _ordered_by_clocks() -> None:
    def by_clock(events: Mapping[str, Event]) -> list[str]:
        return sorted(events, key=lambda key: (events[key].at, key))

    story._causal_order = by_clock


def _written_piece_by_piece() -> None:
    @contextmanager
    def transaction(_db: Handle) -> Iterator[None]:
        yield

    node.store.transaction = transaction


def _other_processes_overlooked() -> None:
    judge.Plan.is_current = lambda _self: True  # type: ignore[method-assign]


def _loss_overlooked() -> None:
    honest = absorb.told_after

    def told_after(
        told: Mapping[exchange.VectorKey, int],
        received: Mapping[exchange.VectorKey, int],
        _knows: bytes,
    ) -> dict[exchange.VectorKey, int]:
        return honest(told, received, b"")

    absorb.told_after = told_after


PLANTS: dict[str, Plant] = {
    "said-before-it-is-kept": Plant(
        "a vector is signed before its entries are committed",
        _said_before_it_is_kept,
    ),
    "arrived-when-sent": Plant(
        "a case has arrived as soon as anything was sent there", _arrived_when_sent
    ),
    "tail-skipped": Plant(
        "the last entry of a stream stays until another follows", _tail_skipped
    ),
    "conflicts-overlooked": Plant(
        "nobody looks for two living values when work meets", _conflicts_overlooked
    ),
    "ordered-by-clocks": Plant(
        "events are told in the order of the devices' clocks", _ordered_by_clocks
    ),
    "written-piece-by-piece": Plant(
        "each statement is committed by itself", _written_piece_by_piece
    ),
    "other-processes-overlooked": Plant(
        "what another process wrote meanwhile is overwritten",
        _other_processes_overlooked,
    ),
    "loss-overlooked": Plant(
        "what was sent is believed to be known, whatever the peer says",
        _loss_overlooked,
    ),
}
