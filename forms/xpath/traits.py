"""What can be told of an expression without evaluating it. Pure: no I/O."""

from forms.xpath.tree import Call, Filter, Infix, Negation, Part, Path, Union


def calls(part: Part) -> set[str]:
    """Return the names of the functions that a part calls."""
    names = {part.name} if isinstance(part, Call) else set()
    for inner in _parts_of(part):
        names |= calls(inner)
    return names


def is_unseeded(part: Part) -> bool:
    """Tell whether a part shuffles by chance."""
    if isinstance(part, Call) and part.name == "randomize" and len(part.arguments) < 2:
        return True
    return any(is_unseeded(inner) for inner in _parts_of(part))


def _parts_of(part: Part) -> tuple[Part, ...]:
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
