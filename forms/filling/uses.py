"""On which places the value of an expression depends. Pure: no I/O."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from forms.filling.near import HIDDEN
from forms.filling.structure import Place, Structure, tag_of
from forms.xpath import Expression, Move, Origin, Reference

_Spot = tuple[Place | None, Place | None]
"""Where two ways part, and where one of them has come to; None: the document."""


_HERE = (Origin.CONTEXT, Origin.CURRENT)


@dataclass(frozen=True, slots=True)
class Use:
    """An expression at some node reads nodes of `target`.

    `base` is where the ways part: reader and read stand below one node of it.
    None: they have no more in common than the document.
    """

    base: Place | None
    target: Place
    is_sure: bool
    """False where it may lead to more than is meant, or to another instance."""


@dataclass(frozen=True, slots=True)
class Uses:
    """What an expression depends on."""

    of_form: tuple[Use, ...] = ()
    lost: tuple[str, ...] = ()
    """Paths that lead to no place of the form, as text."""
    lists: frozenset[str] = frozenset()
    """The secondary instances that are read, by id."""


def uses_of(
    expression: Expression,
    place: Place | None,
    structure: Structure,
    namespaces: Mapping[str, str],
    elsewhere: Set[Place] = frozenset(),
) -> Uses:
    """Return what an expression depends on when it stands at nodes of `place`.

    Of the places `elsewhere`, it reads a node in another instance than its own.
    """
    found: dict[Use, None] = {}
    lost, lists = [], set()
    own = structure.instance_id
    for reference in expression.references:
        if reference.origin is Origin.INSTANCE and reference.instance != own:
            if reference.instance is not None:
                lists.add(reference.instance)
            continue
        if reference.moves and reference.moves[-1].test == HIDDEN:
            continue
        start = place if reference.origin in _HERE else None
        spots = _follow((start, start), reference.moves, structure, namespaces)
        is_sure = reference.is_plain and all(m.test != "*" for m in reference.moves)
        ends = [(base, end) for base, end in spots if end is not None]
        for base, end in ends:
            is_other = end in elsewhere and not _in_one_instance(base, end)
            found[Use(base, end, is_sure and not is_other)] = None
        if not spots:
            lost.append(_text(reference))
    return Uses(tuple(found), tuple(lost), frozenset(lists))


def _in_one_instance(base: Place | None, end: Place) -> bool:
    """Tell whether the ways part only inside of the repeat in which one ends."""
    repeat = next((place for place in end.above() if place.is_repeat), None)
    return repeat is None or (base is not None and repeat in list(base.above()))


def _follow(
    start: _Spot,
    steps: Sequence[Move],
    structure: Structure,
    namespaces: Mapping[str, str],
) -> list[_Spot]:
    spots = [start]
    for step in steps:
        wanted = None
        if step.test not in ("*", "node()"):
            wanted = tag_of(step.test, namespaces)
        if step.test in ("text()", "comment()") or step.test.startswith("processing"):
            continue
        if step.axis == "child" and wanted is not None:
            spots = list(_named(spots, wanted, structure))
            continue
        reached = [spot for s in spots for spot in _one(s, step.axis, structure)]
        spots = list(
            dict.fromkeys(
                (base, end)
                for base, end in reached
                if wanted is None or (end is not None and end.tag == wanted)
            )
        )
    return spots


def _named(spots: list[_Spot], tag: str, structure: Structure) -> Iterator[_Spot]:
    """Return the children of one name: the usual step, without looking at others."""
    for base, end in spots:
        if end is None:
            child = structure.root if structure.root.tag == tag else None
        else:
            child = end.children.get(tag)
        if child is not None:
            yield base, child


def _one(spot: _Spot, axis: str, structure: Structure) -> Iterator[_Spot]:
    """Return where one step may lead, whatever its name."""
    base, end = spot
    match axis:
        case "self":
            yield spot
        case "child":
            yield from ((base, child) for child in _children(end, structure))
        case "attribute":
            borne = [] if end is None else list(end.attributes.values())
            yield from ((base, attribute) for attribute in borne)
        case "parent":
            if end is not None:
                yield (end.parent if end is base else base), end.parent
        case "descendant" | "descendant-or-self":
            below = [structure.root] if end is None else [end]
            found = [p for top in below for p in top.below() if not p.is_attribute]
            without_self = end is not None and axis == "descendant"
            yield from ((base, place) for place in found[int(without_self) :])
            if end is None and axis == "descendant-or-self":
                yield spot
        case "ancestor" | "ancestor-or-self":
            # Two ways that meet again above part above, too.
            above = list(end.above()) if end is not None else []
            for place in above[0 if axis == "ancestor-or-self" else 1 :]:
                yield (place if base in above else base), place
        case "following-sibling" | "preceding-sibling":
            if end is not None:
                shared = end.parent if end is base else base
                around = _children(end.parent, structure)
                yield from ((shared, sibling) for sibling in around)
        case _:
            every = structure.places.values()
            yield from ((None, place) for place in every if not place.is_attribute)


def _text(reference: Reference) -> str:
    """Return a path as an author would write it."""
    short = {("parent", "node()"): "..", ("self", "node()"): "."}
    steps = []
    for move in reference.moves:
        axis = {"child": "", "attribute": "@"}.get(move.axis, f"{move.axis}::")
        steps.append(short.get((move.axis, move.test), f"{axis}{move.test}"))
    starts = {Origin.ROOT: "/", Origin.CURRENT: "current()/"}
    return starts.get(reference.origin, "") + "/".join(steps)


def _children(place: Place | None, structure: Structure) -> list[Place]:
    return [structure.root] if place is None else list(place.children.values())
