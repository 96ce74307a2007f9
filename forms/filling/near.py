"""Expressions rewritten where ODK reads them otherwise than XPath. Pure: no I/O.

XPath would let `/data/person/age` mean the age of all persons. Inside of the repeat
`/data/person`, ODK means the age of this person, wherever one value is wanted; where a
function takes many nodes (`sum`, `count`), it means them all. So the path is rewritten
to begin at the current node.

What is not relevant is blank where one value is wanted; where a function takes many
nodes, it is not among them: the sum of all incomes is a number, though one person has
none to be asked for. And `position()` of a bind is that of its node.

Source: ODK XForms specification, deviations from XForms 1.0: absolute references to
single nodes inside repeats; JavaRosa: nodes of a path that are not relevant.
"""

import re
from collections.abc import Iterator

from forms.filling.structure import Place, Structure
from forms.xform.steps import absolute
from forms.xpath.parse import parse
from forms.xpath.traits import calls, parts_of
from forms.xpath.tree import Call, Literal, Part, Path

# Functions that take many nodes, and with how many arguments at most; 0: always.
_MANY = {
    "count": 0,
    "sum": 0,
    "count-non-empty": 0,
    "indexed-repeat": 0,
    "randomize": 0,
    "position": 0,
    "join": 0,
    "min": 1,
    "max": 1,
    "concat": 1,
    "area": 1,
    "distance": 1,
}

_WITHOUT_HIDDEN = frozenset(
    ["count", "sum", "count-non-empty", "join", "min", "max", "area", "distance"]
)
"""Functions of many nodes that pass over those which are not relevant."""

HIDDEN = "_hidden"
"""The attribute that elements bear while they are not relevant."""

_CONCERNED = re.compile(rf"(?:{'|'.join(sorted(_WITHOUT_HIDDEN))}|position)\s*\(")

_STEPS = {"parent": "..", "self": "."}
"""Axes that are written without a name."""

_CHOICE_NAME = "jr:choice-name"


def as_odk_reads(text: str, place: Place, structure: Structure) -> str:
    """Return an expression that XPath reads as ODK reads this one at `place`.

    Raises:
        ExpressionRefused: it breaks the grammar.
    """
    around = [p for p in place.above() if p.is_repeat]
    if not around and not _CONCERNED.search(text):
        return text
    part = parse(text)
    edits = [*_nearer(text, part, place, structure), *_shorter(text, part)]
    edits += _placed(text, part)
    for begin, end, instead in sorted(edits, reverse=True):
        text = text[:begin] + instead + text[end:]
    return text


def choice_paths(text: str) -> list[str]:
    """Return the paths of questions that `jr:choice-name` is asked for by a literal."""
    return literals_of(text, _CHOICE_NAME, 1)


def literals_of(text: str, function: str, position: int) -> list[str]:
    """Return what is given to a function between quotes, as its argument from 0.

    Raises:
        ExpressionRefused: it breaks the grammar.
    """
    given = (
        call.arguments[position]
        for call in calls(parse(text))
        if call.name == function and len(call.arguments) > position
    )
    return [part.value for part in given if isinstance(part, Literal)]


def elsewhere(text: str, place: Place, structure: Structure) -> set[Place]:
    """Return the places that an expression reads in an instance chosen by position.

    The sum of the instance before and this one's amount is no circle, though it reads
    its own place: it reads it in another instance.
    """
    found = set()
    for path in _every_path(parse(text)):
        steps = [_STEPS.get(step.axis, step.test) for step in path.steps]
        chosen = any(_asks_position(p) for s in path.steps for p in s.predicates)
        if chosen and path.base is None:
            written = ("/" if path.absolute else "") + "/".join(steps)
            found.add(structure.places.get(absolute(written, place.path) or ""))
    return {place for place in found if place is not None}


def _asks_position(part: Part) -> bool:
    return any(call.name == "position" for call in calls(part))


def _every_path(part: Part) -> Iterator[Path]:
    if isinstance(part, Path):
        yield part
    for inner in parts_of(part):
        yield from _every_path(inner)


_Edit = tuple[int, int, str]
"""From where to where, and what stands there instead."""


def _nearer(
    text: str, part: Part, place: Place, structure: Structure
) -> Iterator[_Edit]:
    """Bring absolute paths near to a place."""
    around = [p for p in place.above() if p.is_repeat]
    for path in _paths(part, is_one=True) if around else ():
        near = _near(path, place, around, structure)
        last = path.steps[-1]
        end = last.position + len(last.test)
        if near and text[last.position : end] == last.test:
            yield text.rindex("/", 0, path.steps[0].position), end, near


def _shorter(text: str, part: Part) -> Iterator[_Edit]:
    """Leave out what is not relevant, where a function takes many nodes."""
    for call in calls(part):
        for path in call.arguments if call.name in _WITHOUT_HIDDEN else ():
            if not isinstance(path, Path) or not path.steps:
                continue
            last = path.steps[-1]
            end = last.position + len(last.test)
            of_list = isinstance(path.base, Call) and path.base.name == "instance"
            is_child = last.axis == "child" and text[last.position : end] == last.test
            if is_child and not of_list:
                end = _behind_predicates(text, end)
                yield end, end, f"[not(@{HIDDEN})]"


def _placed(text: str, part: Part) -> Iterator[_Edit]:
    """Let `position()` outside of predicates mean the node of the bind."""
    inside = [call for path in _every_path(part) for call in _in_predicates(path)]
    for call in calls(part):
        if call.name == "position" and not call.arguments and call not in inside:
            begin = text.index("(", call.position) + 1
            yield begin, begin, "."


def _in_predicates(path: Path) -> Iterator[Call]:
    for step in path.steps:
        for predicate in step.predicates:
            yield from calls(predicate)


def _behind_predicates(text: str, end: int) -> int:
    """Return where the predicates that begin at `end` are over."""
    depth, quote = 0, ""
    for place, character in enumerate(text[end:], start=end):
        if quote:
            quote = "" if character == quote else quote
        elif depth and character in "'\"":
            quote = character
        elif character == "[":
            depth += 1
        elif character == "]" and depth:
            depth -= 1
            end = place + 1
        elif not depth and not character.isspace():
            break
    return end


def _near(path: Path, place: Place, around: list[Place], structure: Structure) -> str:
    """Return the way from a place to a path in the same instance, "" if none."""
    written = "/" + "/".join(step.test for step in path.steps)
    target = structure.places.get(written)
    if target is None or not target.is_leaf:
        return ""
    shared = next((p for p in target.above() if p in around), None)
    if shared is None or shared is target:
        return ""
    between = [p for p in target.above() if p.path.startswith(shared.path + "/")]
    if any(p.is_repeat for p in between):
        return ""
    ups = sum(p is not shared for p in place.above() if p.path.startswith(shared.path))
    names = [p.name for p in reversed(between)]
    return "/".join(["current()", *[".."] * ups, *names])


def _paths(part: Part, *, is_one: bool) -> Iterator[Path]:
    """Return the plain absolute paths that stand where one value is wanted."""
    if isinstance(part, Path) and part.absolute and part.steps:
        steps = part.steps
        if is_one and all(s.axis == "child" and not s.predicates for s in steps):
            yield part
    many = isinstance(part, Call) and _takes_many(part)
    for inner in parts_of(part):
        yield from _paths(inner, is_one=not many)


def _takes_many(call: Call) -> bool:
    most = _MANY.get(call.name)
    return most is not None and (most == 0 or len(call.arguments) <= most)
