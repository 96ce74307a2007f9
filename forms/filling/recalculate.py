"""Keeps values, relevance and choices of one filling up to date. Pure: no I/O.

Only what depends on a change is worked out anew, in the order of the ranks. So an
answer costs as much as what follows from it, however large the form is.
"""

import heapq
from collections.abc import Callable, Sequence
from math import isfinite, nan

from forms.filling.nodes import Node, insert, make, remove
from forms.filling.plan import Kind, Plan, Rule, Trigger
from forms.filling.structure import Place
from forms.filling.values import calculated
from forms.filling.world import World
from forms.xform.definition import Control, Element
from forms.xpath import to_number, to_string

MAX_INSTANCES = 500
"""Most instances of one repeat in one place."""

MAX_NODES = 50_000
"""Most nodes of one filling; beyond, no more instances are added."""

MAX_EVALUATIONS = 2 * MAX_INSTANCES
"""How often one rule may be worked out at one node after one change.

It may be as often as there are instances: each may depend on the one before.
"""

MAX_WORK = 100_000
"""How much may be worked out after one change; beyond, it is given up, and said."""

SEVERAL = ("select", "rank")
"""Questions whose answer is several values with spaces between."""


class Recalculation:
    """The agenda of one filling."""

    def __init__(self, plan: Plan, root: Node, world: World) -> None:
        self.plan, self.root, self.world = plan, root, world
        self.was_calculated: list[Node] = []
        """The nodes that got another value by a calculation, since last asked."""
        self.size = sum(1 for _ in root.below())
        """How many nodes the filling has."""
        self.was_created: list[Node] = []
        """The instances that a count has added, since last asked."""
        self._agenda: list[tuple[int, int, Rule, Node]] = []
        self._pending: set[tuple[Rule, Node]] = set()
        self._counts: dict[tuple[Rule, Node], None] = {}
        self._done: dict[tuple[Rule, Node], int] = {}
        self._number = 0

    def begin(self, node: Node, keep_random: bool = False) -> None:
        """Put all rules at and below a node on the agenda.

        With `keep_random`, what was drawn by chance before stays as it is.
        """
        for one in node.below():
            above = one.parent
            is_shown = above is None or above.is_relevant
            one.appear(one.is_relevant_here and is_shown)
            for rule in self.plan.rules.get(one.place, ()):
                drawn = rule.kind is Kind.CALCULATE and rule.expression.uses_random
                if rule.kind is Kind.COUNT or (keep_random and drawn and one.kept):
                    continue
                self._push(rule, one)
            self._constant_choices(one)
            self.refresh(one)
            self._begin_counts(one)

    def changed(self, node: Node) -> None:
        """Put on the agenda what depends on the value of a node."""
        for trigger in self.plan.by_value.get(node.place, ()):
            self._trigger(trigger, node)

    def series_changed(self, parent: Node, place: Place) -> None:
        """Put on the agenda what depends on which instances a repeat has."""
        for trigger in self.plan.by_series.get(place, ()):
            self._trigger(trigger, parent)

    def clock_moved(self) -> None:
        """Put on the agenda what reads the clock."""
        self._push_all(lambda rule: rule.expression.uses_time)

    def language_changed(self) -> None:
        """Put on the agenda what depends on the language on the screen."""
        self._push_all(lambda rule: rule.expression.uses_language)

    def run(self) -> None:
        """Work the agenda off."""
        self._done.clear()
        work = 0
        while self._agenda or self._counts:
            work += 1
            if work > MAX_WORK:
                self._give_up()
            elif self._agenda:
                _rank, _number, rule, node = heapq.heappop(self._agenda)
                self._pending.discard((rule, node))
                if node.root is self.root:
                    _WORK[rule.kind](self, rule, node)
            else:
                # Counts come last: they may depend on all the rest.
                (rule, parent), _ = self._counts.popitem()
                if parent.root is self.root:
                    self._count(rule, parent)

    def _give_up(self) -> None:
        self._agenda.clear()
        self._pending.clear()
        self._counts.clear()
        self.world.failures["", ""] = f"推算了 {MAX_WORK} 次还没有结果"

    def refresh(self, node: Node) -> None:
        """Let expressions see what relevance and choices make of an answer."""
        if not node.place.is_leaf:
            return
        seen = _among(node) if node.is_relevant else ""
        if seen != node.seen:
            node.show(seen)
            self.changed(node)

    def create(self, parent: Node, place: Place, source: Element | None) -> Node:
        """Add an instance of a repeat at its end."""
        node = make(place, source, parent)
        self.size += sum(1 for _ in node.below())
        insert(parent, node)
        self.begin(node)
        self.series_changed(parent, place)
        return node

    def drop(self, node: Node) -> None:
        """Take an instance of a repeat out."""
        parent = node.parent
        assert parent is not None
        remove(node)
        self.size -= sum(1 for _ in node.below())
        self.series_changed(parent, node.place)

    def _trigger(self, trigger: Trigger, node: Node) -> None:
        """Push a rule for all nodes that stand below the same base as this node."""
        base: Node | None = self.root
        if trigger.base is not None:
            # A base below this node: all of its nodes below this one are meant.
            base = node.up_to(trigger.base) or node
        if base is not None:
            for target in _targets(base, trigger.rule):
                self._push(trigger.rule, target)

    def _push_all(self, is_meant: Callable[[Rule], bool]) -> None:
        for rules in self.plan.rules.values():
            for rule in filter(is_meant, rules):
                for node in _targets(self.root, rule):
                    self._push(rule, node)

    def _push(self, rule: Rule, node: Node) -> None:
        done = self._done.get((rule, node), 0)
        if (rule, node) in self._pending or done >= MAX_EVALUATIONS:
            return
        self._done[rule, node] = done + 1
        if rule.kind is Kind.COUNT:
            self._counts[rule, node] = None
            return
        self._pending.add((rule, node))
        self._number += 1
        heapq.heappush(self._agenda, (rule.rank, self._number, rule, node))

    def _begin_counts(self, parent: Node) -> None:
        for place in parent.place.children.values():
            for rule in self.plan.rules.get(place, ()):
                if rule.kind is Kind.COUNT:
                    self._push(rule, parent)

    def _constant_choices(self, node: Node) -> None:
        control = node.place.control
        if control is None or node.place.is_attribute:
            return
        choosing = self.plan.choosing.get(node.place)
        if choosing is not None and choosing.is_constant:
            node.offered = self.world.offered(choosing, node)
        elif choosing is None and control.choices:
            node.offered = tuple(choice.value for choice in control.choices)

    def _relevant(self, rule: Rule, node: Node) -> None:
        is_relevant = self.world.truth(rule.expression, node) is not False
        if is_relevant != node.is_relevant_here:
            node.is_relevant_here = is_relevant
            self._inherit(node)

    def _inherit(self, node: Node) -> None:
        above = node.parent
        is_relevant = node.is_relevant_here and (above is None or above.is_relevant)
        if is_relevant == node.is_relevant:
            return
        node.appear(is_relevant)
        self.refresh(node)
        # Though the value be blank as before, functions of many nodes see a change.
        if node.place.is_leaf:
            self.changed(node)
        elif node.place.is_repeat and above is not None:
            self.series_changed(above, node.place)
        for attribute in node.attributes.values():
            self._inherit(attribute)
        for series in node.children.values():
            for child in series:
                self._inherit(child)

    def _calculate(self, rule: Rule, node: Node) -> None:
        value = self.world.value(rule.expression, node)
        if isinstance(value, list):
            value = to_string(value)
        kept = "" if value is None else calculated(node.place.bind.type, value)
        if kept != node.kept:
            node.kept = kept
            self.was_calculated.append(node)
            self.refresh(node)

    def _choices(self, rule: Rule, node: Node) -> None:
        choosing = self.plan.choosing[rule.place]
        offered = self.world.offered(choosing, node)
        if offered != node.offered:
            node.offered = offered
            self.refresh(node)

    def _count(self, rule: Rule, parent: Node) -> None:
        """Bring a repeat to the number of instances that its expression gives."""
        place = rule.place
        value = self.world.value_below(rule.expression, parent)
        number = to_number(value) if value is not None else nan
        wanted = int(max(0.0, min(number, MAX_INSTANCES))) if isfinite(number) else 0
        series = parent.children[place.tag]
        while len(series) > wanted:
            self.drop(series[-1])
        while len(series) < wanted and self.size < MAX_NODES:
            source = given(parent, place, len(series))
            self.was_created.append(self.create(parent, place, source))


def given(parent: Node, place: Place, number: int) -> Element | None:
    """Return what an instance is made from, when `number` others stand before it.

    The form may bring instances of its own; the others follow the template.
    """
    children = parent.source.children if parent.source else ()
    own = [c for c in children if c.name == place.name and not c.is_template]
    return own[number] if number < len(own) else place.template


def _targets(base: Node, rule: Rule) -> Sequence[Node]:
    """Return the nodes below a base at which a rule is worked out."""
    if rule.kind is not Kind.COUNT:
        return base.all_of(rule.place)
    above = rule.place.parent
    return base.all_of(above) if above is not None else []


def _among(node: Node) -> str:
    """Return of an answer what is offered now; the rest comes back with its choice."""
    control = node.place.control
    if node.offered is None or not node.kept or control is None:
        return node.kept
    return _view(control, node.kept, node.offered)


def _view(control: Control, kept: str, offered: Sequence[str]) -> str:
    if control.kind not in SEVERAL:
        return kept if kept in offered else ""
    chosen = kept.split()
    if control.kind == "rank":
        # An order is of all that is offered: what came new goes to the end.
        new = [value for value in offered if value not in chosen]
        return " ".join([v for v in chosen if v in offered] + new)
    return " ".join(value for value in offered if value in chosen)


_WORK: dict[Kind, Callable[[Recalculation, Rule, Node], None]] = {
    Kind.RELEVANT: Recalculation._relevant,
    Kind.CALCULATE: Recalculation._calculate,
    Kind.CHOICES: Recalculation._choices,
}
