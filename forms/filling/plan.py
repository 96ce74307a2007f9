"""What has to be worked out in a form, from what, and in which order. Pure: no I/O.

Values, relevance and offered choices are kept up to date at each answer, so they have
a `Rule` with a rank. What only a screen or a check asks for (required, readonly,
constraint, texts) is evaluated when it is asked for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from lxml import etree

from forms.filling.structure import Place, Structure
from forms.filling.uses import Uses
from forms.xform.definition import Action, Definition, Output
from forms.xpath import Expression

Parts = tuple[str | Output, ...]
"""A text, in pieces."""


class Kind(IntEnum):
    """What a rule works out; of one rank, the lower kind goes first."""

    RELEVANT = 0
    CALCULATE = 1
    CHOICES = 2
    COUNT = 3


@dataclass(eq=False, slots=True)
class Rule:
    """One expression that is worked out anew when what it reads has changed."""

    kind: Kind
    place: Place
    expression: Expression
    uses: Uses
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Trigger:
    """A rule that reads a place; `base` as in `Use`."""

    rule: Rule
    base: Place | None


@dataclass(frozen=True, slots=True)
class Choosing:
    """Where the choices of a question come from."""

    nodes: Expression
    values: Expression
    """The values alone, all at once."""
    value: Expression
    label: Expression | None
    is_constant: bool
    """Nothing in the form changes it."""


@dataclass(frozen=True, slots=True)
class Acting:
    """An action with the place whose node it sets, and where it stands."""

    action: Action
    place: Place
    source: Place | None
    """The question or repeat in which it is written; None: the model."""
    target: Expression | None
    """What says which node is set; None: the nearest."""
    expression: Expression | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A form made ready to be filled in, any number of times. Never changed."""

    definition: Definition
    structure: Structure
    namespaces: Mapping[str, str]
    lists: Mapping[str, etree._Element]
    """The secondary instances, each as an <instance> element around its root."""
    expressions: Mapping[tuple[str, str], Expression]
    """By path and name: ("/data/age", "constraint")."""
    rules: Mapping[Place, tuple[Rule, ...]]
    by_value: Mapping[Place, tuple[Trigger, ...]]
    """The rules to work out anew when a node of this place has another value."""
    by_series: Mapping[Place, tuple[Trigger, ...]]
    """The same, when an instance of this repeat came or went."""
    choosing: Mapping[Place, Choosing]
    actions: tuple[Acting, ...]
    default_language: str
    texts: Mapping[str, Mapping[str, Mapping[str, Parts]]]
    """By language, id and form."""


Index = dict[Place, dict[Trigger, None]]
"""What to work out anew, by the place that changed."""


def triggers(rules: Iterable[Rule]) -> tuple[Index, Index]:
    """Return what to work out anew after a new value, and after a change of series."""
    by_value: Index = {}
    by_series: Index = {}
    for rule in rules:
        for use in rule.uses.of_form:
            trigger = Trigger(rule, use.base)
            if use.target.is_leaf:
                by_value.setdefault(use.target, {})[trigger] = None
            for place in use.target.above():
                if place.is_repeat and (place is use.target or place is not use.base):
                    by_series.setdefault(place, {})[trigger] = None
                if place is use.base:
                    break
    return by_value, by_series
