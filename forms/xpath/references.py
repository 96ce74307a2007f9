"""Which nodes an expression looks at, and how much work it may be. Pure: no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from forms.xpath.tree import (
    Call,
    Filter,
    Infix,
    Literal,
    Negation,
    Number,
    Part,
    Path,
    Step,
    Union,
)


class Origin(StrEnum):
    """Where a path begins."""

    ROOT = "root"
    CONTEXT = "context"
    CURRENT = "current"
    INSTANCE = "instance"


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a reference: an axis of XPath, and the node test as written."""

    axis: str
    test: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A path that an expression uses, without its predicates.

    A path inside a predicate is joined to the path before it: in
    `instance('cun')/root/item[zhen = /data/zhen]` stand the references
    `instance('cun')/root/item`, `instance('cun')/root/item/zhen` and `/data/zhen`.
    No moves from the context is `.`; `//a` begins with descendant-or-self `node()`.

    Attributes:
        instance: the id, if the origin is an instance; None: it is worked out.
    """

    origin: Origin
    moves: tuple[Move, ...] = ()
    instance: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it goes by child, attribute, parent and self steps only."""
        return all(move.axis in _NEAR for move in self.moves)


_NEAR = frozenset(["child", "attribute", "parent", "self"])
_HERE = Reference(Origin.CONTEXT)
_SELF = Move("self", "node()")


def references_of(part: Part) -> tuple[Reference, ...]:
    """Return all paths that a part uses, each once, in the order of reading."""
    found: dict[Reference, None] = {}
    _walk(part, (_HERE,), found)
    return tuple(found)


def _walk(
    part: Part, here: tuple[Reference, ...], found: dict[Reference, None]
) -> tuple[Reference, ...]:
    """Note the paths of a part and return those that its value may come from.

    `here` is where the context node may be.
    """
    match part:
        case Number() | Literal():
            return ()
        case Negation(operand):
            _walk(operand, here, found)
            return ()
        case Infix(operands):
            for operand in operands:
                _walk(operand, here, found)
            return ()
        case Union(operands):
            return _all(operands, here, found)
        case Filter(base, predicates):
            places = _walk(base, here, found)
            for predicate in predicates:
                _walk(predicate, places, found)
            return places
        case Call():
            return _call(part, here, found)
        case Path():
            return _path(part, here, found)


def _call(
    call: Call, here: tuple[Reference, ...], found: dict[Reference, None]
) -> tuple[Reference, ...]:
    places = _all(call.arguments, here, found)
    if call.name == "current":
        return _noted((Reference(Origin.CURRENT),), found)
    if call.name == "instance":
        name = call.arguments[0] if call.arguments else None
        known = name.value if isinstance(name, Literal) else None
        return _noted((Reference(Origin.INSTANCE, (), known),), found)
    if call.name == "once":
        _noted((Reference(Origin.CURRENT),), found)
    elif not call.arguments and call.name in IMPLICIT:
        _noted(here, found)
    return places


IMPLICIT = frozenset(
    [
        "string",
        "number",
        "string-length",
        "normalize-space",
        "local-name",
        "name",
        "namespace-uri",
    ]
)
"""Functions that take the context node where no argument is given."""


def _path(
    path: Path, here: tuple[Reference, ...], found: dict[Reference, None]
) -> tuple[Reference, ...]:
    if path.absolute:
        places: tuple[Reference, ...] = (Reference(Origin.ROOT),)
    elif path.base is not None:
        # Noted only as far as it goes on: the base alone is not what is looked at.
        places = _walk(path.base, here, {}) if _is_origin(path.base) else ()
        places = places or _walk(path.base, here, found)
    else:
        places = here
    for step in path.steps:
        places = tuple(_moved(place, step) for place in places)
        for predicate in step.predicates:
            _noted(places, found)
            _walk(predicate, places, found)
    return _noted(places, found)


def _is_origin(part: Part) -> bool:
    return (
        isinstance(part, Call)
        and part.name in {"current", "instance"}
        and all(isinstance(argument, Literal) for argument in part.arguments)
    )


def _moved(place: Reference, step: Step) -> Reference:
    move = Move(step.axis, step.test)
    moves = place.moves if move == _SELF else (*place.moves, move)
    return Reference(place.origin, moves, place.instance)


def _all(
    parts: Iterable[Part], here: tuple[Reference, ...], found: dict[Reference, None]
) -> tuple[Reference, ...]:
    return tuple(
        dict.fromkeys(place for part in parts for place in _walk(part, here, found))
    )


def _noted(
    places: tuple[Reference, ...], found: dict[Reference, None]
) -> tuple[Reference, ...]:
    found.update(dict.fromkeys(places))
    return places
