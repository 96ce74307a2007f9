"""The order in which rules are worked out, and the circles that forbid one. Pure."""

from collections.abc import Hashable, Iterable, Sequence
from graphlib import CycleError, TopologicalSorter

from forms.errors import DefinitionFault
from forms.filling.plan import Kind, Rule
from forms.filling.structure import Place
from forms.filling.uses import Uses

Graph = dict[Hashable, set[Hashable]]
"""For each thing, what has to be known before it."""

_ALL_BELOW = "all below"

SHOWN = 12
"""How many places of a circle are named."""

MAX_LOOSENED = 50
"""How many circles through choices are looked for one by one."""


def circle(
    places: Iterable[Place],
    rules: Iterable[Rule],
    asides: Iterable[tuple[Place, bool, Uses]],
) -> DefinitionFault | None:
    """Return a circle of expressions, if there is one.

    Args:
        places: all of the form.
        rules: the rules that work out values and relevance.
        asides: conditions that are not worked out ahead (required, readonly) but may
            not run in a circle either: place, whether all below it inherits, uses.
    """
    graph = _inheritance(places)
    for rule in rules:
        if rule.kind in (Kind.RELEVANT, Kind.CALCULATE):
            inherits = rule.kind is Kind.RELEVANT
            _connect(graph, rule, rule.place, inherits, rule.uses)
    for place, inherits, uses in asides:
        _connect(graph, (place, inherits, uses), place, inherits, uses)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        names = [p.path for p in error.args[1] if isinstance(p, Place)]
        shown = " → ".join(reversed(names[-SHOWN:]))
        message = f"互相依赖，绕成了圈：{shown}"
        first = next((r for r in error.args[1] if isinstance(r, Rule)), None)
        if first is None:
            return DefinitionFault(names[0] if names else "", message)
        return DefinitionFault(first.place.path, message, part=first.kind.name.lower())
    return None


def rank(places: Sequence[Place], rules: Sequence[Rule]) -> list[Rule]:
    """Give each rule its rank and return those that can be kept up to date.

    Choices that depend on what is chosen from them (two questions that exclude each
    other's answer) are no fault; they are left out, and only looked up when asked for.
    """
    kept = [rule for rule in rules if rule.kind is not Kind.COUNT]
    counts = [rule for rule in rules if rule.kind is Kind.COUNT]
    for _ in range(MAX_LOOSENED):
        loose = _sort(places, kept)
        if loose is None:
            break
        kept = [rule for rule in kept if rule not in loose]
    else:
        kept = [rule for rule in kept if rule.kind is not Kind.CHOICES]
        _sort(places, kept)
    # How many instances there are may depend on what stands in them ("one more?"):
    # counts come last, and what follows from them is worked out after.
    for rule in counts:
        rule.rank = len(kept)
    return kept + counts


def _sort(places: Iterable[Place], rules: Sequence[Rule]) -> set[Rule] | None:
    """Set the ranks, or return the choices that stand in the way."""
    graph = _inheritance(places)
    for rule in rules:
        _connect(graph, rule, rule.place, rule.kind is Kind.RELEVANT, rule.uses)
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        found = {r for r in error.args[1] if isinstance(r, Rule)}
        return {rule for rule in found if rule.kind is Kind.CHOICES} or found
    for position, rule in enumerate(r for r in order if isinstance(r, Rule)):
        rule.rank = position
    return None


def _inheritance(places: Iterable[Place]) -> Graph:
    """Return a graph in which what holds for a group comes before all below it."""
    graph: Graph = {}
    for place in places:
        graph[place] = {(_ALL_BELOW, place)}
        graph[_ALL_BELOW, place] = {(_ALL_BELOW, place.parent)}
    return graph


def _connect(
    graph: Graph,
    rule: Hashable,
    place: Place,
    inherits: bool,
    uses: Uses,
) -> None:
    """Add: the rule after all that it reads, all that it decides after the rule."""
    before = graph.setdefault(rule, set())
    before.update(u.target for u in uses.of_form if u.is_sure and u.target.is_leaf)
    decided = (_ALL_BELOW, place) if inherits else place
    graph.setdefault(decided, set()).add(rule)
