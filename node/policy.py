"""Was this author allowed to write exactly this? Pure: no I/O, no clock.

A change is judged by what its author could know: the document at the change's own
dependencies, the roster version that its entry names, the package that the case was
begun with. Never by what has arrived here since; so honest work that was done offline
is never refused, and every node comes to the same verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from forms.item import Tier
from forms.kinds import KINDS
from forms.package import Package
from node.lifecycle import (
    CARRIES_FIELDS,
    EVENT_LIMIT_BYTES,
    NOTE_LIMIT,
    Event,
    State,
    decode_event,
    fold,
    frontier,
    next_state,
)
from node.material import decode_material
from node.rights import why_not
from sync.change import Change, Op, Scalar
from sync.document import actor_of, document_id
from sync.identity import Certificate, holds
from sync.stream import Entry, StreamId

SCHEMA = 1
CONTAINERS = ("fields", "events", "materials")
ROOT_KEYS = {"v", "item", "package", "number"}
VALUE_LIMIT = 16 * 1024
SEEN_LIMIT = 64
NAME_LIMIT = 60
BATCH_LIMIT = 40
TIME_LIMIT_MS = 2**52
AUTHOR_DIGITS = 16


class Fault(NamedTuple):
    """Why a change is set aside: a word for tables, and a detail for people."""

    cause: str
    detail: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A change, with everything that its verdict depends on.

    `containers` are the op counters of the maps in the document's first change, whose
    actor is `first_actor`; for a first change they are read from itself.
    """

    stream: StreamId
    entry: Entry
    author: Certificate
    change: Change
    past: "Past"
    first_actor: bytes
    containers: Mapping[str, int]
    package: Package


@dataclass(slots=True)
class Past:
    """What the author of a change knew of the events before it."""

    ids: set[str]
    state: State
    frontier: tuple[str, ...]
    clock: int

    @classmethod
    def of(cls, texts: Mapping[str, object]) -> "Past":
        """Return the past that a document's events make."""
        events = {key: e for key, text in texts.items() if (e := decode_event(text))}
        return cls(
            set(texts),
            fold(texts).state,
            frontier(events),
            max((event.clock for event in events.values()), default=0),
        )

    def advance(self, key: str, event: Event) -> None:
        """Lead the past on by the one event that follows all of it."""
        self.ids.add(key)
        self.state = next_state(self.state, event.step) or self.state
        self.frontier = (key,)
        self.clock = event.clock


def author_prefix(node: bytes) -> str:
    """Return how the ids of a node's events begin."""
    return node.hex()[:AUTHOR_DIGITS]


def judge_form(stream: StreamId, entry: Entry, change: Change) -> Fault | None:
    """Judge what needs no knowledge but the change itself."""
    if change.actor[: len(stream.node)] != stream.node or len(change.actor) != len(
        actor_of(stream.node, bytes(8))
    ):
        return Fault("author", "the change names another author than its stream")
    if not change.dependencies:
        return _judge_birth_form(stream, entry, change)
    if any(op.makes_map or op.container is None for op in change.ops):
        return Fault("shape", "a later change may not touch the root")
    return None


def containers_of(change: Change) -> dict[str, int]:
    """Return the op counters of the maps that a first change makes."""
    return {op.key: op.id[0] for op in change.ops if op.makes_map}


def root_of(change: Change) -> dict[str, Scalar]:
    """Return the root scalars that a first change puts."""
    return {
        op.key: op.value
        for op in change.ops
        if op.container is None and not op.makes_map
    }


def judge(claim: Claim) -> Fault | None:
    """Return why the change must be set aside, or None if it may be applied."""
    if not holds(claim.author, claim.stream.scope):
        return Fault("scope", "the author does not share this scope")
    names = {
        (counter, claim.first_actor): name for name, counter in claim.containers.items()
    }
    written: dict[str, list[Op]] = {name: [] for name in CONTAINERS}
    for op in claim.change.ops:
        if op.container is None:
            continue
        name = names.get(op.container)
        if name not in written:
            return Fault("shape", "it writes into something that is not there")
        written[name].append(op)
    if len(written["events"]) != 1:
        return Fault("shape", "a change tells of exactly one event")
    return _judge_event(claim, written) or _judge_answers(claim, written)


def _judge_birth_form(stream: StreamId, entry: Entry, change: Change) -> Fault | None:
    if entry.document != document_id(change.actor, stream.scope):
        return Fault("author", "the document's id is not of this author and scope")
    if change.sequence != 1 or change.start_op != 1:
        return Fault("shape", "a first change does not begin at one")
    maps = [op for op in change.ops if op.makes_map]
    if sorted(op.key for op in maps) != sorted(CONTAINERS):
        return Fault("shape", "a first change does not make the three maps")
    root = root_of(change)
    scalars = [op for op in change.ops if op.container is None and not op.makes_map]
    if set(root) != ROOT_KEYS or len(scalars) != len(ROOT_KEYS):
        return Fault("shape", "a first change has other root values")
    texts = [root[key] for key in ("item", "package", "number")]
    if root["v"] != SCHEMA or not all(
        isinstance(t, str) and len(t) < 80 for t in texts
    ):
        return Fault("shape", "a first change has wrong root values")
    if any(op.overwrites for op in change.ops):
        return Fault("shape", "a first change overwrites something")
    return None


def _judge_event(claim: Claim, written: Mapping[str, list[Op]]) -> Fault | None:
    op = written["events"][0]
    event = decode_event(op.value)
    if event is None:
        return Fault("event", "it cannot be read")
    prefix, _, millis = op.key.partition("-")
    if prefix != author_prefix(claim.stream.node) or millis != str(event.at):
        return Fault("event", "its id is not of this author and time")
    if op.key in claim.past.ids or op.overwrites:
        return Fault("event", "it is written over another")
    if tuple(sorted(event.seen)) != claim.past.frontier:
        return Fault("event", "it does not name what its author had seen")
    if event.clock != 1 + claim.past.clock:
        return Fault("event", "its clock does not follow")
    if (
        not 0 <= event.at < TIME_LIMIT_MS
        or len(event.seen) > SEEN_LIMIT
        or len(event.note) > NOTE_LIMIT
        or len(event.by) > NAME_LIMIT
        or len(event.batch) > BATCH_LIMIT
        or len(str(op.value)) > EVENT_LIMIT_BYTES
    ):
        return Fault("event", "a part of it is out of limits")
    return _judge_step(claim, event)


def _judge_step(claim: Claim, event: Event) -> Fault | None:
    state = claim.past.state
    tier = Tier(claim.author.tier)
    why = why_not(event.step, tier, claim.package.item, state, event.note)
    if why:
        return Fault(
            "right" if why == "tier" else "step",
            f"{tier} may not {event.step} a case that is {state}: {why}",
        )
    if not claim.change.dependencies and claim.stream.scope != claim.author.division:
        return Fault("scope", "a case begins in the scope of its author's division")
    return None


def _judge_answers(claim: Claim, written: Mapping[str, list[Op]]) -> Fault | None:
    """Fields and materials only with a step that carries them, and only known ones."""
    answers = written["fields"]
    event = decode_event(written["events"][0].value)
    assert event is not None
    if not (answers or written["materials"]):
        return None if not event.fields else Fault("shape", "fields are named only")
    if event.step not in CARRIES_FIELDS:
        return Fault("right", f"{event.step} writes no fields")
    known = {f.key for f in claim.package.fields if KINDS[f.kind].answers}
    for op in answers:
        if op.key not in known:
            return Fault("field", "a field that the form does not have")
        if not isinstance(op.value, str) or len(op.value) > VALUE_LIMIT:
            return Fault("field", "a value that is no text, or too long")
    # A first change writes all there is, so its event need not name it.
    written_keys = tuple(sorted({op.key for op in answers}))
    if event.fields != (written_keys if claim.change.dependencies else ()):
        return Fault("field", "the event does not name the fields it writes")
    for op in written["materials"]:
        if decode_material(op.key, op.value) is None:
            return Fault("field", "a material that cannot be read")
    return None
