"""Regular expressions of a form that are endless elsewhere. Pure: no I/O.

Our own engine follows all states at once and cannot hang. Other programs that fill in
the same form (ODK Collect, Enketo) go back and try again: there `^(a+)+$` takes for
ever. Such a pattern is always a slip, so its author is told before it is published.

Source: exponential degree of ambiguity (Weber and Seidl, 1991): a pattern goes back
without end if some state leads to itself by two ways with the same text.
"""

from collections import defaultdict
from collections.abc import Iterator

from forms.errors import DefinitionFault
from forms.filling.near import literals_of
from forms.xform import Definition
from forms.xpath import ExpressionRefused
from forms.xpath.regex import PatternRefused, State, machine

RULES = ("constraint", "relevant", "calculate", "required", "readonly")
MAX_STATES = 120
"""Beyond this a pattern is not looked at: pairs of states would be too many."""

_SAMPLES = "aZ5 _-.@,/中\n"
"""Characters that are tried besides those of the pattern itself."""

Ways = dict[State, int]
"""For each state that reads a character, how many ways lead there: 1, or 2 for more."""
Pair = tuple[State, State]


def faults_of(definition: Definition) -> Iterator[DefinitionFault]:
    """Find the patterns of a form that no program should be given."""
    for bind in definition.binds:
        for rule in RULES:
            text: str = getattr(bind, rule)
            for pattern in _patterns(text) if "regex" in text else ():
                if is_endless(pattern):
                    shown = f"正则表达式 {pattern[:80]} "
                    message = f"{shown}里重复套着重复，有的程序会算不完，请改写"
                    yield DefinitionFault(bind.ref, message, part=rule)


def is_endless(pattern: str) -> bool:
    """Tell whether going back and trying again could take for ever on some text."""
    try:
        first, _ = machine(pattern)
    except PatternRefused:
        return False  # said already, where it is compiled
    ways: dict[State, Ways] = {}
    waiting = list(_ways_from(first))
    while waiting:
        state = waiting.pop()
        if state not in ways:
            ways[state] = _ways_from(state.next[0])
            waiting += ways[state]
            if len(ways) > MAX_STATES:
                return False
    return _has_two_ways_home(ways, set(pattern + _SAMPLES))


def _patterns(text: str) -> list[str]:
    try:
        return literals_of(text, "regex", 1)
    except ExpressionRefused:
        return []  # said already, where it is compiled


def _ways_from(first: State) -> Ways:
    """Return the states that read the next character, without reading one."""
    found: Ways = {}
    times: dict[State, int] = defaultdict(int)
    waiting = [first]
    while waiting:
        state = waiting.pop()
        times[state] += 1
        if times[state] > 2:
            continue  # two ways are as bad as many
        if state.test is not None:
            found[state] = times[state]
        else:
            waiting += state.next
    return found


def _has_two_ways_home(ways: dict[State, Ways], characters: set[str]) -> bool:
    """Tell whether two different ways lead from a state to itself with one text."""
    reads = {
        state: frozenset(c for c in characters if state.test and state.test(c))
        for state in ways
    }
    graph: dict[Pair, set[Pair]] = {}
    waiting: list[Pair] = [(state, state) for state in ways]
    doubled: set[tuple[Pair, Pair]] = set()
    while waiting:
        pair = waiting.pop()
        if pair in graph:
            continue
        one, other = pair
        graph[pair] = set()
        if not reads[one] & reads[other]:
            continue
        for left, count in ways[one].items():
            for right in ways[other]:
                following = (left, right)
                graph[pair].add(following)
                if one is other and left is right and count > 1:
                    doubled.add((pair, following))
                waiting.append(following)
    home = _component_of(graph)
    if any(home[start] == home[end] for start, end in doubled):
        return True
    same = {home[pair] for pair in graph if pair[0] is pair[1]}
    return any(home[pair] in same for pair in graph if pair[0] is not pair[1])


def _component_of(graph: dict[Pair, set[Pair]]) -> dict[Pair, int]:
    """Return for each pair the number of the circle of pairs that it belongs to."""
    order: list[Pair] = []
    seen: set[Pair] = set()
    for start in graph:
        if start not in seen:
            order += _postorder(graph, start, seen)
    backwards: dict[Pair, set[Pair]] = {pair: set() for pair in graph}
    for pair, following in graph.items():
        for each in following:
            backwards[each].add(pair)
    component: dict[Pair, int] = {}
    seen = set()
    for number, start in enumerate(reversed(order)):
        if start not in seen:
            component |= dict.fromkeys(_postorder(backwards, start, seen), number)
    return component


def _postorder(
    graph: dict[Pair, set[Pair]], start: Pair, seen: set[Pair]
) -> list[Pair]:
    """Return what can be reached and was not seen, each after what follows it."""
    seen.add(start)
    order: list[Pair] = []
    path = [(start, iter(graph[start]))]
    while path:
        pair, following = path[-1]
        fresh = next((each for each in following if each not in seen), None)
        if fresh is None:
            order.append(pair)
            path.pop()
        else:
            seen.add(fresh)
            path.append((fresh, iter(graph[fresh])))
    return order
