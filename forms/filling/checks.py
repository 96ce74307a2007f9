"""What is wrong with the answers of a filling. Pure: no I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from forms.filling.nodes import Node
from forms.filling.world import World


class Validity(StrEnum):
    """What a check says of one answer."""

    OK = "OK"
    VIOLATED = "CONSTRAINT_VIOLATED"
    MISSING = "REQUIRED_BUT_EMPTY"


DEFAULT_MESSAGES = {
    Validity.OK: "",
    Validity.VIOLATED: "这里填的内容不符合要求，请核对",
    Validity.MISSING: "请填写这一项",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an answer; `ref` with positions."""

    ref: str
    validity: Validity
    message: str


def problems(world: World, root: Node) -> Iterator[Problem]:
    """Return what is wrong, in document order."""
    for node in root.below():
        found = validity(world, node)
        if found is not Validity.OK:
            yield Problem(node.path, found, message(world, node, found))


def validity(world: World, node: Node) -> Validity:
    """Check one answer; what is not asked, or not relevant, is never wrong."""
    if node.place.control is None or not node.is_relevant:
        return Validity.OK
    if not node.seen:
        return Validity.MISSING if holds(world, node, "required") else Validity.OK
    if node.place.bind.constraint:
        # What cannot be worked out is not taken for right.
        return Validity.OK if holds(world, node, "constraint") else Validity.VIOLATED
    return Validity.OK


def message(world: World, node: Node, found: Validity) -> str:
    """Return what to tell the user, in the form's words where it has some."""
    bind = node.place.bind
    texts = {
        Validity.VIOLATED: bind.constraint_message,
        Validity.MISSING: bind.required_message,
    }
    text = texts.get(found)
    said = world.text(text, node) if text else ""
    return said or DEFAULT_MESSAGES[found]


def is_readonly(world: World, node: Node) -> bool:
    """Tell whether the user may not change this; inherited from above."""
    return any(holds(world, one, "readonly") for one in node.above())


def holds(world: World, node: Node, name: str) -> bool:
    """Tell whether a condition of the form's is given, and true at a node."""
    expression = world.plan.expressions.get((node.place.path, name))
    return expression is not None and bool(world.truth(expression, node))
