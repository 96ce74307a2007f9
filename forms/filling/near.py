"""Absolute paths inside a repeat, read as ODK reads them. Pure: no I/O.

XPath would let `/data/person/age` mean the age of all persons. Inside of the repeat
`/data/person`, ODK means the age of this person, wherever one value is wanted; where a
function takes many nodes (`sum`, `count`), it means them all. So the path is rewritten
to begin at the current node.

Source: ODK XForms specification, deviations from XForms 1.0: absolute references to
single nodes inside repeats.
"""

from collections.abc import Iterator

from forms.filling.structure import Place, Structure
from forms.xpath.parse import parse
from forms.xpath.tree import Call, Filter, Infix, Literal, Negation, Part, Path, Union

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

_CHOICE_NAME = "jr:choice-name"


def brought_near(text: str, place: Place, structure: Structure) -> str:
    """Return an expression with its absolute paths brought near to `place`.

    Raises:
        ExpressionRefused: it breaks the grammar.
    """
    around = [p for p in place.above() if p.is_repeat]
    if not around:
        return text
    found = sorted(_paths(parse(text), is_one=True), key=_start, reverse=True)
    for path in found:
        near = _near(path, place, around, structure)
        last = path.steps[-1]
        begin = text.rindex("/", 0, _start(path))
        end = last.position + len(last.test)
        if near and text[last.position : end] == last.test:
            text = text[:begin] + near + text[end:]
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
        for call in _calls(parse(text))
        if call.name == function and len(call.arguments) > position
    )
    return [part.value for part in given if isinstance(part, Literal)]


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
    for inner in _parts_of(part):
        yield from _paths(inner, is_one=not many)


def _takes_many(call: Call) -> bool:
    most = _MANY.get(call.name)
    return most is not None and (most == 0 or len(call.arguments) <= most)


def _calls(part: Part) -> Iterator[Call]:
    if isinstance(part, Call):
        yield part
    for inner in _parts_of(part):
        yield from _calls(inner)


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


def _start(path: Path) -> int:
    return path.steps[0].position
