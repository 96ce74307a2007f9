"""Values that are set when something happens: actions and preloads. Pure: no I/O."""

import uuid
from collections.abc import Callable, Mapping

from forms.filling.nodes import Node
from forms.filling.plan import Acting, Plan
from forms.filling.recalculate import SEVERAL, Recalculation
from forms.filling.values import calculated, written
from forms.filling.world import World
from forms.xpath import Value, to_string

FIRST_LOAD = "odk-instance-first-load"
LOAD = "odk-instance-load"
NEW_REPEAT = "odk-new-repeat"
CHANGED = "xforms-value-changed"

MAX_CHAIN = 20
"""How long a chain may be in which one action brings about the next."""

MAX_ACTIONS = 5_000
"""How many actions may follow from one change."""


class Actions:
    """Does the actions of one filling."""

    def __init__(
        self, plan: Plan, root: Node, world: World, recalculation: Recalculation
    ) -> None:
        self.plan, self.root, self.world = plan, root, world
        self.recalculation = recalculation
        self.properties: Mapping[str, str] = {}
        """What a form may ask of this node, for jr:preload="property"."""
        self._chain = 0
        self._done = 0

    def set_value(self, node: Node, kept: str) -> None:
        """Set an answer, work out what depends on it, and do what is to be done."""
        self._done = 0
        self._put(node, kept)
        self.settle()

    def settle(self) -> None:
        """Work the agenda off, with the actions that follow from it."""
        work = self.recalculation
        work.run()
        for _ in range(MAX_CHAIN):
            if not (work.was_created or work.was_calculated):
                break
            created, calculated_ = work.was_created[:], work.was_calculated[:]
            work.was_created.clear()
            work.was_calculated.clear()
            for node in created:
                self._created(node)
            for node in dict.fromkeys(calculated_):
                self._value_changed(node)
        work.was_created.clear()
        work.was_calculated.clear()

    def loaded(self, *, is_first: bool) -> None:
        """Bring all up to date, and do what is to be done at the beginning."""
        self._done = 0
        self.recalculation.run()
        # Only what a person does later is a change.
        self.recalculation.was_calculated.clear()
        for acting in self.plan.actions:
            events = acting.action.events
            if (is_first and FIRST_LOAD in events) or LOAD in events:
                self._set([n for n in self._all(acting) if n.is_relevant], acting)
        self.settle()

    def created(self, instance: Node) -> None:
        """Do what is to be done for a new instance of a repeat."""
        self._done = 0
        self.recalculation.was_created.append(instance)
        self.settle()

    def _created(self, instance: Node) -> None:
        if instance.root is not self.root:
            return
        self.preload(instance)
        self.recalculation.run()
        within = set(instance.place.below())
        for acting in self.plan.actions:
            if NEW_REPEAT in acting.action.events and acting.source in within:
                nodes = self._meant(instance, acting)
                self._set([node for node in nodes if node.is_relevant], acting)

    def preload(self, top: Node) -> None:
        """Give nodes what jr:preload asks for; an answer that is there stays."""
        for node in top.below():
            bind = node.place.bind
            preload = _PRELOADS.get(bind.preload)
            if preload is not None and not node.kept:
                value = preload(self.world, bind.preload_params, self.properties)
                node.kept = calculated(bind.type, value)
                self.recalculation.refresh(node)

    def finish(self) -> None:
        """Give the nodes what is to be noted at the end of filling in."""
        for node in self.root.below():
            bind = node.place.bind
            if bind.preload == "timestamp" and bind.preload_params == "end":
                now = self.world.setting.now.isoformat(timespec="milliseconds")
                self.set_value(node, calculated(bind.type, now))

    def tidy(self, node: Node) -> None:
        """Bring a given value into the form of its type; what is none is dropped."""
        if not node.place.is_leaf or not node.kept:
            return
        control = node.place.control
        kind = node.place.bind.type
        if control is not None and control.kind in SEVERAL:
            kind = control.kind
        try:
            node.kept = written(kind, node.kept)
        except ValueError:
            node.kept = ""

    def _value_changed(self, node: Node) -> None:
        if node.root is not self.root or self._chain >= MAX_CHAIN:
            return
        self._chain += 1
        for acting in self.plan.actions:
            if acting.source is node.place and CHANGED in acting.action.events:
                self._set(self._meant(node, acting), acting)
        self._chain -= 1

    def _meant(self, node: Node, acting: Acting) -> list[Node]:
        """Return the nodes that an action sets: those nearest to where it happened."""
        if acting.target is not None:
            found = self.world.value(acting.target, node)
            elements = set(found) if isinstance(found, list) else set()
            return [one for one in self._all(acting) if one.element in elements]
        nearest = (above.all_of(acting.place) for above in node.above())
        return next(filter(None, nearest), [])

    def _all(self, acting: Acting) -> list[Node]:
        return self.root.all_of(acting.place)

    def _set(self, nodes: list[Node], acting: Acting) -> None:
        for node in nodes:
            self._done += 1
            if self._done > MAX_ACTIONS:
                return
            if acting.expression is None:
                value: str | float | bool = acting.action.text
            else:
                found = self.world.value(acting.expression, node)
                value = "" if found is None else _plain(found)
            self._put(node, calculated(node.place.bind.type, value))

    def _put(self, node: Node, kept: str) -> None:
        before = node.seen
        node.kept = kept
        self.recalculation.refresh(node)
        self.recalculation.run()
        if node.seen != before:
            self._value_changed(node)


def _plain(value: Value) -> str | float | bool:
    return value if isinstance(value, str | float | bool) else to_string(value)


def _uid(world: World, _params: str, _properties: Mapping[str, str]) -> str:
    bits = world.setting.random.getrandbits(128)
    return f"uuid:{uuid.UUID(int=bits, version=4)}"


def _today(world: World, _params: str, _properties: Mapping[str, str]) -> str:
    return world.setting.now.date().isoformat()


def _started(world: World, params: str, _properties: Mapping[str, str]) -> str:
    if params != "start":
        return ""
    return world.setting.now.isoformat(timespec="milliseconds")


def _property(_world: World, params: str, properties: Mapping[str, str]) -> str:
    return properties.get(params, "")


_PRELOADS: dict[str, Callable[[World, str, Mapping[str, str]], str]] = {
    "uid": _uid,
    "date": _today,
    "timestamp": _started,
    "property": _property,
}
