r"""Regular expressions that cannot hang. Pure: no I/O, no clock.

Python's `re` goes back and tries again, so `(a+)+$` takes for ever on thirty letters,
and a running match cannot be stopped from inside the process. Here a pattern becomes
a small machine all of whose states are followed at once: the work is at most text
times states, and both have limits. The price is that back references (`\1`) and look
behind are refused; look ahead is worked out once for each place in the text.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from forms.xpath.pattern import (
    Ahead,
    Choice,
    Edge,
    One,
    Part,
    PatternRefused,
    Repeat,
    Row,
    Test,
    is_word,
    read_pattern,
)

__all__ = ["PatternRefused", "TextTooLong", "fits", "machine", "search"]

MAX_STATES = 5_000
MAX_TEXT = 10_000
MAX_STEPS = 2_000_000
"""States visited in one evaluation: about a second."""


class TextTooLong(ValueError):
    """The match would take too long; nothing is known about it."""


@dataclass(slots=True, eq=False)
class State:
    """Reads a character that fits `test`; without one, goes on if `holds` here."""

    test: Test | None = None
    holds: "Callable[[_Match, int], bool] | None" = None
    next: list["State"] = field(default_factory=list)


Machine = tuple[State, State]
"""The first and the last state."""


def fits(pattern: str, text: str) -> bool:
    """Tell whether some part of the text fits the pattern; raises as `search`."""
    return search(pattern, text, MAX_STEPS)[0]


def search(pattern: str, text: str, most_steps: int) -> tuple[bool, int]:
    """Return whether some part of the text fits, and how many steps that took.

    Raises:
        PatternRefused: the pattern is wrong, or of what we do not evaluate.
        TextTooLong: more than `MAX_TEXT` characters or `most_steps` steps.
    """
    if len(text) > MAX_TEXT:
        raise TextTooLong(f"文字太长，不能用正则表达式检查：最多 {MAX_TEXT} 个字符")
    match = _Match(text, most_steps)
    found = match.runs(machine(pattern), 0, anywhere=True)
    return found, match.steps


@lru_cache(maxsize=500)
def machine(pattern: str) -> Machine:
    """Return the machine of a pattern.

    Raises:
        PatternRefused: the pattern is wrong, or of what we do not evaluate.
    """
    return _Builder().build(read_pattern(pattern))


class _Match:
    """One text, with what was found out about its places."""

    def __init__(self, text: str, most_steps: int) -> None:
        self.text, self.most_steps = text, most_steps
        self.steps = 0
        self.ahead: dict[tuple[State, int], bool] = {}

    def runs(self, machine: Machine, start: int, anywhere: bool) -> bool:
        """Follow all states from `start`; true as soon as the last one is reached."""
        begin, end = machine
        here: list[State] = []
        seen: set[State] = set()
        for at in range(start, len(self.text) + 1):
            if anywhere or at == start:
                self._reach(begin, at, here, seen)
            if end in seen:
                return True
            if at == len(self.text) or not (here or anywhere):
                return False
            character, before = self.text[at], here
            here, seen = [], set()
            for state in before:
                if state.test is not None and state.test(character):
                    self._reach(state.next[0], at + 1, here, seen)
        return False

    def is_ahead(self, machine: Machine, at: int) -> bool:
        """Tell whether a machine fits from here on."""
        key = (machine[0], at)
        if key not in self.ahead:
            self.ahead[key] = self.runs(machine, at, anywhere=False)
        return self.ahead[key]

    def is_edge(self, kind: str, at: int) -> bool:
        """Tell whether this place is of the kind that `Edge` names."""
        if kind == "^":
            return at == 0
        if kind == "$":
            return at == len(self.text)
        before = at > 0 and is_word(self.text[at - 1])
        after = at < len(self.text) and is_word(self.text[at])
        return (before != after) == (kind == "b")

    def _reach(
        self, first: State, at: int, here: list[State], seen: set[State]
    ) -> None:
        """Add a state and all that follow it without reading a character."""
        waiting = [first]
        while waiting:
            state = waiting.pop()
            if state in seen:
                continue
            self.steps += 1
            if self.steps > self.most_steps:
                raise TextTooLong("用正则表达式检查这段文字要算太久")
            seen.add(state)
            if state.test is not None:
                here.append(state)
            elif state.holds is None or state.holds(self, at):
                waiting += state.next


class _Builder:
    """Makes machines of parts; counts the states."""

    def __init__(self) -> None:
        self.states = 0

    def build(self, part: Part) -> Machine:
        begin, end = self._state(), self._state()
        match part:
            case One(test):
                begin.test = test
                begin.next.append(end)
            case Edge(kind):
                begin.holds = lambda match, at: match.is_edge(kind, at)
                begin.next.append(end)
            case Ahead(inner, wanted):
                ahead = self.build(inner)
                begin.holds = lambda match, at: match.is_ahead(ahead, at) == wanted
                begin.next.append(end)
            case Row(parts):
                self._row(parts, begin).next.append(end)
            case Choice(parts):
                for inner in parts:
                    self._row((inner,), begin).next.append(end)
            case Repeat(inner, least, most):
                self._repeat(inner, least, most, begin, end)
        return begin, end

    def _row(self, parts: tuple[Part, ...], begin: State) -> State:
        for part in parts:
            first, last = self.build(part)
            begin.next.append(first)
            begin = last
        return begin

    def _repeat(
        self, part: Part, least: int, most: int | None, begin: State, end: State
    ) -> None:
        last = self._row((part,) * least, begin)
        if most is None:
            first, after = self.build(part)
            last.next += [first, end]
            after.next += [first, end]
            return
        for _ in range(most - least):
            last.next.append(end)
            last = self._row((part,), last)
        last.next.append(end)

    def _state(self) -> State:
        self.states += 1
        if self.states > MAX_STATES:
            raise PatternRefused("正则表达式太复杂，请减少重复次数")
        return State()
