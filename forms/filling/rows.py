"""What a screen shows now, line by line. Pure: no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass

from forms.filling.nodes import Node
from forms.filling.structure import Structure
from forms.xform.definition import Control, Group, Part, Repeat


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a screen.

    `kind` is a key of `forms.xform.body.CONTROLS`, or "group", "repeat" (the series
    as a whole: here one more may be added) or "instance" (one of the series).
    """

    kind: str
    ref: str
    """With positions on repeats; empty for a group that is only a heading."""
    depth: int
    part: Part


def rows(
    parts: tuple[Part, ...], structure: Structure, root: Node, within: Node, depth: int
) -> Iterator[Row]:
    """Return what is relevant of some parts, in their order, seen from a node."""
    for part in parts:
        place = structure.places.get(part.ref)
        if isinstance(part, Repeat):
            yield from _series(part, structure, root, within, depth)
        elif isinstance(part, Group) and place is None:
            yield Row("group", "", depth, part)
            yield from rows(part.parts, structure, root, within, depth + 1)
        elif place is not None:
            for node in within.all_of(place) or root.all_of(place):
                if not node.is_relevant:
                    continue
                if isinstance(part, Control):
                    yield Row(part.kind, node.path, depth, part)
                else:
                    yield Row("group", node.path, depth, part)
                    yield from rows(part.parts, structure, root, node, depth + 1)


def _series(
    part: Repeat, structure: Structure, root: Node, within: Node, depth: int
) -> Iterator[Row]:
    place = structure.places[part.ref]
    assert place.parent is not None
    for parent in within.all_of(place.parent) or root.all_of(place.parent):
        if not parent.is_relevant:
            continue
        yield Row("repeat", f"{parent.path}/{place.name}", depth, part)
        for node in parent.children[place.tag]:
            if node.is_relevant:
                yield Row("instance", node.path, depth + 1, part)
                yield from rows(part.parts, structure, root, node, depth + 2)
