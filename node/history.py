"""What each event of a case has changed, who says so, and when that came here 流转.

Read from the changes of which the case is made, by our own reader alone: the library
would have to load every state that the case was ever in. Nothing here decides
anything.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from node.cases import Case
from node.errors import StoreDamaged
from node.lifecycle import Event, decode_event
from node.material import CONTAINER as MATERIALS
from node.policy import containers_of
from node.store.history import Place
from node.wiring import Node
from sync.change import Change, OpId, read_change
from sync.errors import ChangeRefused
from sync.identity import Certificate

EVENTS, FIELDS = "events", "fields"

Containers = Mapping[str, OpId]
"""The ids of a document's maps, by name."""


@dataclass(frozen=True, slots=True)
class Edit:
    """An answer that was written: `before` are the values that stood there, none for a
    new one, several where two had been written past each other.
    """

    key: str
    before: tuple[str, ...]
    after: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """When an event came to another node than its author's: to this one, or, of our
    own events, to the first one that has acknowledged it. `by` is None for this node.
    """

    at_ms: int
    by: Certificate | None


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of an event besides what it says.

    Attributes:
        author: who has signed it, None where the roster does not know him.
        receipt: None while our own has reached nobody.
        is_first: the case began with it, so all its answers are new.
        edits: the answers that it changed, by key.
        files: digests of the files that came with it.
    """

    author: Certificate | None
    receipt: Receipt | None
    is_first: bool
    edits: tuple[Edit, ...]
    files: tuple[str, ...]


def traces(node: Node, case: Case) -> dict[str, Trace]:
    """Return what is known of each event of a case, by its id.

    Raises:
        StoreDamaged: a change that was taken up once cannot be read.
    """
    read = _read_all(node, case)
    found: dict[str, Trace] = {}
    its = containers(read[0][1])
    values = {op.id: str(op.value) for _, change in read for op in change.ops}
    for place, change in read:
        told = event_of(its, change)
        if told is not None:
            stream = place.stream
            found[told[0]] = Trace(
                author=node.roster.certificate(stream.node, stream.epoch),
                receipt=_receipt(node, place),
                is_first=not change.dependencies,
                edits=tuple(_edits(its, change, values)),
                files=tuple(
                    op.key for op in change.ops if op.container == its[MATERIALS]
                ),
            )
    return found


def heard_ms(node: Node, case: Case) -> dict[str, int]:
    """Return when this node has got each event of a case, by its own clock; of what
    cannot be read nothing.
    """
    heard: dict[str, int] = {}
    with suppress(StoreDamaged):
        read = _read_all(node, case)
        its = containers(read[0][1])
        for place, change in read:
            told = event_of(its, change)
            if told is not None:
                heard[told[0]] = place.received_at_ms
    return heard


def containers(first: Change) -> Containers:
    """Return the maps that the first change of a document makes."""
    made = {
        name: (number, first.actor) for name, number in containers_of(first).items()
    }
    return {name: made.get(name, (0, b"")) for name in (EVENTS, FIELDS, MATERIALS)}


def event_of(its: Containers, change: Change) -> tuple[str, Event] | None:
    """Return (id, event) of the event that a change tells of."""
    for op in change.ops:
        event = decode_event(op.value) if op.container == its[EVENTS] else None
        if event is not None:
            return op.key, event
    return None


def _read_all(node: Node, case: Case) -> list[tuple[Place, Change]]:
    """Return the changes of a case with their places, its beginning first.

    Raises:
        StoreDamaged: one cannot be read, or the first is no beginning.
    """
    places = node.store.history.places(case.row.document)
    read = [(place, _read(place)) for place in places]
    if not read or read[0][1].dependencies:
        raise StoreDamaged(f"case {case.id} has no beginning; run `lianban rebuild`")
    return read


def _read(place: Place) -> Change:
    try:
        return read_change(place.payload or b"")
    except ChangeRefused as error:
        raise StoreDamaged(f"entry {place.sequence} cannot be read") from error


def _edits(
    its: Containers, change: Change, values: Mapping[OpId, str]
) -> Sequence[Edit]:
    found = []
    for op in change.ops:
        if op.container == its[FIELDS]:
            before = dict.fromkeys(values.get(old, "") for old in op.overwrites)
            if tuple(before) != (str(op.value),):
                found.append(Edit(op.key, tuple(before), str(op.value)))
    return sorted(found, key=lambda one: one.key)


def _receipt(node: Node, place: Place) -> Receipt | None:
    if place.stream.node != node.id:
        return Receipt(place.received_at_ms, None)
    if place.is_branch:
        return None
    for at_ms, holder in node.store.history.arrivals(place.line, place.sequence):
        by = node.roster.latest(holder)
        if by is not None and holder != node.id:
            return Receipt(at_ms, by)
    return None
