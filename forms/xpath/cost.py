"""How the work of an expression grows with the tree. Pure: no I/O.

A running libxml2 cannot be stopped, so what would run for ever is not begun: the power
that is worked out here, applied to the number of nodes, has to stay below a limit.
`//a` looks at all nodes once (1), a path like that inside a predicate of another one
once for each of them (2), and so on.
"""

from forms.xpath.tree import Call, Filter, Infix, Negation, Part, Path, Step, Union

MAX_VISITS = 1_000_000_000
"""Visits that one evaluation may come to in the worst case: some seconds."""

_DEEP = frozenset(["ancestor", "ancestor-or-self", "descendant", "descendant-or-self"])
_DOWN = frozenset(["attribute", "child", "self"])
# Measured: `//*/following::*` takes 3 s on 2000 nodes and 64 times that on 8000.
_WIDE = frozenset(["following", "following-sibling", "preceding", "preceding-sibling"])
_SLOW_CALLS = frozenset(["id", "position", "indexed-repeat"])


def power(part: Part) -> int:
    """Return the exponent: 0 and 1 need no guard."""
    match part:
        case Path():
            return _path_power(part)
        case Filter(base, predicates):
            return power(base) + _most(predicates)
        case Call(name, arguments):
            slow = 1 if name in _SLOW_CALLS and arguments else 0
            return max(slow, _most(arguments))
        case Infix(operands) | Union(operands):
            return _most(operands)
        case Negation(operand):
            return power(operand)
    return 0


def _path_power(path: Path) -> int:
    total = 0 if path.base is None else _base_power(path.base)
    # From a node down to its children, all of such steps together see the tree once.
    down = not path.absolute and all(step.axis in _DOWN for step in path.steps)
    inner = 0
    for place, step in enumerate(path.steps):
        inner = max(inner, _most(step.predicates))
        total = max(total, 1) if step.predicates and not down else total
        if step.axis in _DEEP:
            total += 1
        elif step.axis in _WIDE:
            total += 1 if _from_one(path, place) else 2
    return total + inner


def _base_power(base: Part) -> int:
    is_current = isinstance(base, Call) and base.name == "current"
    return 0 if is_current else max(1, power(base))


def _from_one(path: Path, place: int) -> bool:
    """Whether a step begins at one node: nothing before it but `.` and `..`."""
    before: tuple[Step, ...] = path.steps[:place]
    return path.base is None and all(s.axis in {"parent", "self"} for s in before)


def _most(parts: tuple[Part, ...]) -> int:
    return max((power(part) for part in parts), default=0)
