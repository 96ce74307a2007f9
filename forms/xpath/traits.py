"""What can be told of an expression without evaluating it. Pure: no I/O."""

from collections.abc import Iterator

from forms.xpath.tree import Call, Filter, Infix, Negation, Part, Path, Union


def calls(part: Part) -> Iterator[Call]:
    """Yield the calls within a part, the outer before the inner."""
    if isinstance(part, Call):
        yield part
    for inner in parts_of(part):
        yield from calls(inner)


def is_unseeded(part: Part) -> bool:
    """Tell whether a part shuffles by chance."""
    return any(
        call.name == "randomize" and len(call.arguments) < 2 for call in calls(part)
    )


def parts_of(part: Part) -> tuple[Part, ...]:
    """Return the parts of which a part is made, predicates included."""
    match part:
        case Call():
            return part.arguments
        case Infix(operands) | Union(operands):
            return operands
        case Negation(operand):
            return (operand,)
        case Filter(base, predicates):
            return (base, *predicates)
        case Path(_, base, steps):
            inner = tuple(p for step in steps for p in step.predicates)
            return inner if base is None else (base, *inner)
    return ()


_TO_DOCUMENT = frozenset(["parent", "ancestor", "ancestor-or-self", "self"])


def may_give_document(part: Part) -> bool:
    """Tell whether the document may be among the nodes that a part gives."""
    match part:
        case Path(absolute, base, steps):
            if not steps:
                return absolute or (base is not None and may_give_document(base))
            last = steps[-1]
            if last.test != "node()":
                return False
            return last.axis in _TO_DOCUMENT or last.axis == "descendant-or-self"
        case Union(operands):
            return any(may_give_document(operand) for operand in operands)
        case Filter(base):
            return may_give_document(base)
        case Call("current" | "if"):
            return True
    return False
