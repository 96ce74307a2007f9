"""The parts of a parsed expression. Pure: no I/O.

Chains of one operator are one flat part (`1 + 2 - 3` is an `Infix` of three operands),
so a long sum is not a deep tree.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A text between quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function; `position` is where its name stands."""

    name: str
    arguments: tuple["Part", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Infix:
    """Operands joined from the left by operators of one rank."""

    operands: tuple["Part", ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """A minus sign before an operand."""

    operand: "Part"


@dataclass(frozen=True, slots=True)
class Union:
    """Node-sets joined by `|`."""

    operands: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path; `test` as written (`name`, `*`, `p:name`, `text()`)."""

    axis: str
    test: str
    predicates: tuple["Part", ...]
    position: int


@dataclass(frozen=True, slots=True)
class Path:
    """Steps from the root, from the context node, or from what `base` gives."""

    absolute: bool
    base: "Part | None"
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """A part of which only some nodes are taken."""

    base: "Part"
    predicates: tuple["Part", ...]


Part = Number | Literal | Call | Infix | Negation | Union | Path | Filter
