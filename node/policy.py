"""Was this author allowed to write exactly this? Pure: no I/O, no clock.

A change is judged by what its author could know: the document at the change's own
dependencies, the roster version that its entry names, the package that the case was
begun with. Never by what has arrived here since; so honest work that was done offline
is never refused, and every node comes to the same verdict.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from forms.item import Tier
from forms.package import Package
from node.lifecycle import (
    CARRIES_FIELDS,
    EVENT_LIMIT,
    NOTE_LIMIT,
    Event,
    State,
    Step,
    decode_event,
    frontier,
    next_state,
)
from node.material import decode_material
from node.records import Records, records
from node.rights import (
    LOOKS_BACK,
    looks_back,
    side_of,
    why_not,
    why_not_said,
    why_not_settle,
)
from node.story import Happened, Story, fold_events
from sync.actor import actor_of, document_id
from sync.change import Change, Op, OpId, Scalar
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

_CONTAINER = attrgetter("container")


class Fault(NamedTuple):
    """Why a change is set aside: a word for tables, and a detail for people."""

    cause: str
    detail: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A change, with everything that its verdict depends on.

    `containers` are the op counters of the maps in the document's first change, whose
    actor is `first_actor`; for a first change they are read from itself. `division` is
    the place that the case is for. `disputed`
    are the fields that had different living values in the author's own past, each
    with the writes of these.
    """

    stream: StreamId
    entry: Entry
    author: Certificate
    change: Change
    past: "Past"
    first_actor: bytes
    containers: Mapping[str, int]
    package: Package
    division: str
    disputed: "Disputed"


Disputed = Mapping[str, frozenset[OpId]]
"""For each field with different living values the writes of these."""


@dataclass(slots=True)
class Past:
    """What the author of a change knew of the events before it."""

    ids: set[str]
    events: dict[str, Event]
    state: State
    frontier: tuple[str, ...]
    clock: int
    sizes: dict[str, int]
    """Of the files that the case named, by digest."""

    @classmethod
    def of(cls, texts: Mapping[str, object], materials: Mapping[str, object]) -> "Past":
        """Return the past that a document's events and materials make."""
        if not texts:  # of a new case, as most are
            return cls(set(), {}, State.DRAFT, (), 0, {})
        events = {key: e for key, text in texts.items() if (e := decode_event(text))}
        return cls(
            set(texts),
            events,
            fold_events(events).state,
            frontier(events),
            max((event.clock for event in events.values()), default=0),
            {
                key: found.size
                for key, text in materials.items()
                if (found := decode_material(key, text))
            },
        )

    @property
    def story(self) -> Story:
        """The whole story, as the author knew it."""
        return fold_events(self.events)

    def noted(self, step: Step) -> Story:
        """Return what a step looks back at, see `LOOKS_BACK`.

        What is only written down stands in every case that was handed in, so nobody
        has to tell the story for it: of a long case that would be done for each step.
        """
        looked_at = LOOKS_BACK[step]
        if looked_at is None:
            return self.story
        happened = (
            Happened(key, event, self.state, "")
            for key, event in self.events.items()
            if event.step in looked_at
        )
        return Story(self.state, "", tuple(happened))

    def advance(self, key: str, event: Event) -> None:
        """Lead the past on by the one event that follows all of it."""
        self.ids.add(key)
        self.events[key] = event
        if event.upholds:
            self.state = self.story.state
        else:
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
    for container, ops in groupby(claim.change.ops, _CONTAINER):
        if container is None:
            continue
        name = names.get(container)
        if name not in written:
            return Fault("shape", "it writes into something that is not there")
        written[name] += ops
    if len(written["events"]) != 1:
        return Fault("shape", "a change tells of exactly one event")
    return _judge_event(claim, written) or _judge_answers(claim, written)


def _judge_birth_form(stream: StreamId, entry: Entry, change: Change) -> Fault | None:
    if entry.document != document_id(change.actor, stream.scope):
        return Fault("author", "the document's id is not of this author and scope")
    if change.sequence != 1 or change.start_op != 1:
        return Fault("shape", "a first change does not begin at one")
    maps = sorted(op.key for op in change.ops if op.makes_map)
    if maps != sorted(CONTAINERS):
        return Fault("shape", "a first change does not make the three maps")
    root = root_of(change)
    in_root = [op for op in change.ops if op.container is None]
    if root.keys() != ROOT_KEYS or len(in_root) != len(ROOT_KEYS) + len(maps):
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
        or len(str(op.value)) > EVENT_LIMIT
    ):
        return Fault("event", "a part of it is out of limits")
    return _judge_step(claim, event)


def _judge_step(claim: Claim, event: Event) -> Fault | None:
    state, item = claim.past.state, claim.package.item
    tier = Tier(claim.author.tier)
    side = side_of(claim.author, claim.division)
    if event.step == Step.SETTLE:
        why = why_not_settle(tier, item, claim.past.story, event.note, side)
        if event.facts:
            return Fault("shape", "to settle says nothing else")
    elif event.settles or event.upholds:
        return Fault("shape", f"{event.step} settles nothing")
    else:
        why = why_not(event.step, tier, item, state, event.note, side)
        if not why:
            step, department = Step(event.step), claim.author.department
            is_told = looks_back(step, item)
            known = records(item, claim.past.noted(step)) if is_told else Records()
            why = why_not_said(step, event.facts, item, department, known)
    if why:
        return Fault(
            "right" if why in ("tier", "elsewhere") else "step",
            f"{tier} may not {event.step} a case that is {state}: {why}",
        )
    parts = claim.stream.scope.split("+")
    if not claim.change.dependencies and claim.author.division not in parts:
        return Fault("scope", "a case begins in a scope of its author's division")
    return None


def _judge_answers(claim: Claim, written: Mapping[str, list[Op]]) -> Fault | None:
    """Fields and materials only with a step that carries them, and only known ones."""
    answers, materials = written["fields"], written["materials"]
    event = decode_event(written["events"][0].value)
    assert event is not None
    if not (answers or materials) and event.fields:
        return Fault("shape", "fields are named only")
    if event.step == Step.SETTLE:
        if materials:
            return Fault("right", "settle writes no materials")
        if not _settles_what_is_open(claim, event, answers):
            return Fault("settle", "it settles what was not open, or not all of it")
    elif (answers or materials) and event.step not in CARRIES_FIELDS:
        return Fault("right", f"{event.step} writes no fields")
    elif any(op.key in claim.disputed for op in answers):
        return Fault("settle", f"{event.step} writes a field that was in dispute")
    for op in answers:
        if not claim.package.takes(op.key):
            return Fault("field", "a field that the form does not have")
        if not isinstance(op.value, str) or len(op.value) > VALUE_LIMIT:
            return Fault("field", "a value that is no text, or too long")
    # A first change writes all there is, so its event need not name it.
    named = claim.change.dependencies and sorted({op.key for op in answers})
    if event.fields != tuple(named):
        return Fault("field", "the event does not name the fields it writes")
    return _judge_materials(claim, written["materials"])


def _judge_materials(claim: Claim, writes: list[Op]) -> Fault | None:
    """Files no larger than the item allows, each written once."""
    item, sizes = claim.package.item, dict(claim.past.sizes)
    for op in writes:
        material = decode_material(op.key, op.value)
        if material is None:
            return Fault("field", "a material that cannot be read")
        if op.overwrites:
            return Fault("field", "a material is written over another")
        if material.size > item.file_limit_bytes:
            return Fault("field", "a file is larger than the item allows")
        sizes[op.key] = material.size
    if writes and sum(sizes.values()) > item.case_limit_bytes:
        return Fault("field", "the files of a case are larger than the item allows")
    return None


def _settles_what_is_open(claim: Claim, event: Event, answers: list[Op]) -> bool:
    """Say whether a settlement names exactly what was open to its author."""
    if answers:
        # It takes the place of all living values, or the dispute would go on unseen.
        return (
            not event.upholds
            and event.settles == event.fields
            and len(answers) == len(event.fields)
            and all(
                claim.disputed.get(op.key) == frozenset(op.overwrites) for op in answers
            )
        )
    story = claim.past.story
    if event.upholds:
        chosen_from = {choice.id for choice in story.choices}
        return event.upholds in chosen_from and event.settles == tuple(
            sorted(chosen_from)
        )
    return bool(event.settles) and event.settles == story.late_ends
