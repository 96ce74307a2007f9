"""What is open in a case: what a person must settle, with all sides of it.

Three kinds. A field with different living values; events that cannot both stand; an
amendment that came too late for the acceptance. Who may settle says `node.rights`,
what a settlement may write `node.policy`. Here it is only put together for people.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.errors import StoreDamaged
from node.lifecycle import Event, decode_event
from node.store.documents import Birth
from node.story import Story
from node.wiring import Node
from sync.change import Change, OpId, read_change
from sync.conflict import Conflict, standing
from sync.errors import ChangeRefused

MARK_CONFLICT = "conflict"  # a field has two living values
MARK_DISPUTED = "disputed"  # an event could not stand beside another
MARK_CHANGED = "changed"  # amended by somebody who did not know of the acceptance


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote something, where and when.

    `node` are the first 16 hex digits of its id, `at_ms` is the device's time; `name`
    and `tier` are empty where the roster does not know the node.
    """

    node: str
    name: str
    tier: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Side:
    """One of the things between which a person chooses.

    Of a field it is a `value`, of events an `event` with its `step` and `note`, and
    the `state` in which the case then stands.
    """

    authors: tuple[Author, ...]
    value: str = ""
    event: str = ""
    step: str = ""
    state: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """One field that an amendment has changed."""

    author: Author
    key: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to settle. `key` names it for people and scripts, as any of `names`
    does; late amendments have no sides but `edits`.
    """

    mark: str
    key: str
    names: tuple[str, ...]
    sides: tuple[Side, ...] = ()
    edits: tuple[Edit, ...] = ()


def matters_of(
    node: Node, document: bytes, birth: Birth, story: Story
) -> tuple[Matter, ...]:
    """Return what is open in a case, in an order that is the same on every node."""
    changes = taken_changes(node, document)
    told = {change.hash: _event_of(birth, change) for change in changes}
    found = [
        _of_field(node, conflict, told) for conflict in field_conflicts(birth, changes)
    ]
    if story.choices:
        found.append(_of_events(node, story))
    if story.late:
        found.append(_of_amendments(node, birth, story, changes, told))
    return tuple(found)


def field_conflicts(birth: Birth, changes: Sequence[Change]) -> list[Conflict]:
    """Return the fields with different living values, by key.

    Two names of one attached file are no conflict: its content is the same.
    """
    container = container_of(birth, "fields")
    return [one for one in standing(changes) if one.container == container]


def container_of(birth: Birth, name: str) -> OpId:
    """Return the id of one of a document's maps."""
    return dict(birth.containers)[name], birth.actor


def taken_changes(node: Node, document: bytes) -> list[Change]:
    """Return the changes of which a document is made, in no order.

    Raises:
        StoreDamaged: one that was taken up once cannot be read.
    """
    changes = []
    for one in node.store.documents.changes(document).values():
        stored = node.store.journal.entry(one.entry) if one.is_taken else None
        if stored is not None and stored.entry.payload is not None:
            try:
                changes.append(read_change(stored.entry.payload))
            except ChangeRefused as error:
                raise StoreDamaged(f"entry {one.entry} cannot be read") from error
    return changes


def author_of(node: Node, event_id: str, event: Event) -> Author:
    """Return who wrote an event."""
    digits = event_id.partition("-")[0]
    for one in node.roster.everyone():
        if one.node.hex().startswith(digits):
            return Author(digits, one.name, one.tier, event.by, event.at)
    return Author(digits, "", "", event.by, event.at)


_Told = dict[bytes, tuple[str, Event]]
"""By a change's hash the event that it tells of."""


def _of_field(node: Node, conflict: Conflict, told: _Told) -> Matter:
    authors: dict[str, list[Author]] = {}
    for living in conflict.values:
        author = author_of(node, *told[living.change])
        authors.setdefault(str(living.value), []).append(author)
    return Matter(
        MARK_CONFLICT,
        conflict.key,
        (conflict.key,),
        tuple(Side(tuple(wrote), value) for value, wrote in authors.items()),
    )


def _of_events(node: Node, story: Story) -> Matter:
    happened = {one.id: one for one in story.happened}
    names = tuple(choice.id for choice in story.choices)
    return Matter(
        MARK_DISPUTED,
        names[-1],
        names,
        tuple(
            Side(
                (author_of(node, choice.id, happened[choice.id].event),),
                event=choice.id,
                step=happened[choice.id].event.step,
                state=choice.state,
                note=happened[choice.id].event.note,
            )
            for choice in story.choices
        ),
    )


def _of_amendments(
    node: Node, birth: Birth, story: Story, changes: Sequence[Change], told: _Told
) -> Matter:
    container = container_of(birth, "fields")
    values = {op.id: str(op.value) for change in changes for op in change.ops}
    wrote = {told[change.hash][0]: change for change in changes}
    edits = []
    for key in story.late:
        change = wrote[key]
        author = author_of(node, *told[change.hash])
        for op in change.ops:
            if op.container == container:
                before = values[max(op.overwrites)] if op.overwrites else ""
                edits.append(Edit(author, op.key, before, str(op.value)))
    return Matter(MARK_CHANGED, story.late[-1], story.late, edits=tuple(edits))


def _event_of(birth: Birth, change: Change) -> tuple[str, Event]:
    container = container_of(birth, "events")
    for op in change.ops:
        event = decode_event(op.value) if op.container == container else None
        if event is not None:
            return op.key, event
    raise AssertionError("a change that was taken up tells of one event")
