"""One form that is being filled in. Pure: no I/O, no clock.

Now, the language and the seed of all chance are given by the caller. References are
paths with positions on repeats: "/data/house[2]/name".
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from forms.errors import DefinitionFault, FillingRefused, NoSuchNode
from forms.filling.actions import Actions
from forms.filling.archive import adopt, read_saved, serialise, submission
from forms.filling.checks import (
    Problem,
    Validity,
    holds,
    is_readonly,
    message,
    problems,
    validity,
)
from forms.filling.nodes import Node, find, make, repeat_at
from forms.filling.plan import Plan
from forms.filling.recalculate import (
    MAX_INSTANCES,
    MAX_NODES,
    SEVERAL,
    Recalculation,
)
from forms.filling.rows import Row, rows
from forms.filling.structure import Place
from forms.filling.values import ACKNOWLEDGED, written
from forms.filling.world import World
from forms.xform.definition import Element, Repeat, Text

NOTHING: Mapping[str, str] = {}


class Filling:
    """One form that is being filled in."""

    def __init__(
        self,
        plan: Plan,
        now: datetime,
        *,
        language: str = "",
        seed: str = "",
        properties: Mapping[str, str] = NOTHING,
    ) -> None:
        """Begin a new filling.

        Args:
            plan: the form.
            now: aware, in the zone in which days begin.
            language: one of `languages`; empty: the form's default.
            seed: makes all that is drawn by chance; the same seed, the same draw.
            properties: what a form may ask of this node (jr:preload="property").
        """
        self._open(plan, plan.definition.instance, now, language, seed)
        self._actions.properties = properties
        self._recalculation.begin(self._root)
        self._actions.preload(self._root)
        self._actions.loaded(is_first=True)

    @classmethod
    def restore(
        cls,
        plan: Plan,
        data: bytes,
        now: datetime,
        *,
        language: str = "",
        seed: str = "",
        properties: Mapping[str, str] = NOTHING,
    ) -> "Filling":
        """Return a filling as `serialise` (or `submission`) wrote it.

        Raises:
            FillingRefused: these bytes are no filling of this form.
        """
        saved = read_saved(plan.structure.root, data)
        self = cls.__new__(cls)
        self._open(plan, saved.instance, now, language, seed)
        self.dropped = saved.dropped
        self._actions.properties = properties
        adopt(self._root, plan.definition.instance)
        if self._recalculation.size > MAX_NODES:
            raise FillingRefused(f"超过 {MAX_NODES} 项")
        self._recalculation.begin(self._root, keep_random=True)
        self._actions.loaded(is_first=False)
        return self

    def _open(
        self, plan: Plan, source: Element, now: datetime, language: str, seed: str
    ) -> None:
        self.plan = plan
        self.dropped: list[tuple[str, str]] = []
        """Path and text of what was saved and has no place in this form."""
        self._root = make(plan.structure.root, source, None)
        self._world = World(plan, self._root, now, language, seed)
        self._recalculation = Recalculation(plan, self._root, self._world)
        self._actions = Actions(plan, self._root, self._world, self._recalculation)
        for node in self._root.below():
            self._actions.tidy(node)

    # Changes

    def answer(self, ref: str, value: str | float | bool | None) -> str:
        """Set an answer, and bring all that depends on it up to date.

        Args:
            ref: of a node that holds an answer.
            value: text as the type of the node is written (several choices with
                spaces between), a number, true or false; None clears it.

        Returns:
            "" or, where the value is none of this type or not offered, what is
            expected; the answer is then blank, for now.

        Raises:
            NoSuchNode: there is no such place, or none for an answer.
        """
        node = find(self._root, ref)
        if not node.place.is_leaf:
            raise NoSuchNode(ref, "这是一个分组，不能直接填写")
        control = node.place.control
        reason = ""
        kind = node.place.bind.type
        if control is not None and control.kind == "trigger":
            value = ACKNOWLEDGED if value in (True, "1", "true", ACKNOWLEDGED) else ""
            kind = "string"
        elif control is not None and control.kind in SEVERAL:
            kind = control.kind
        try:
            kept = written(kind, value)
        except ValueError as error:
            kept, reason = "", str(error)
        self._actions.set_value(node, kept)
        return reason or _not_offered(node)

    def clear(self, ref: str) -> None:
        """Clear an answer."""
        self.answer(ref, None)

    def create_repeat(self, ref: str) -> str:
        """Add an instance to a repeat, at its end, and return its reference.

        Raises:
            NoSuchNode: there is no such repeat, or it takes no more.
        """
        parent, place = repeat_at(self._root, self.plan.structure, ref)
        self._must_be_free(place, ref)
        if len(parent.children[place.tag]) >= MAX_INSTANCES:
            raise NoSuchNode(ref, f"最多 {MAX_INSTANCES} 组")
        if self._recalculation.size >= MAX_NODES:
            raise NoSuchNode(ref, "这张表单填写的内容已经太多")
        node = self._recalculation.create(parent, place, place.template)
        self._actions.created(node)
        return node.path

    def remove_repeat(self, ref: str) -> None:
        """Take an instance out of a repeat.

        Raises:
            NoSuchNode: there is no such instance.
        """
        node = find(self._root, ref)
        if not node.place.is_repeat:
            raise NoSuchNode(ref, "这不是重复组")
        self._must_be_free(node.place, ref)
        self._recalculation.drop(node)
        self._actions.settle()

    @property
    def root(self) -> Node:
        """The node of the whole instance; to read, never to write."""
        return self._root

    @property
    def now(self) -> datetime:
        """The time at which the form is filled in."""
        return self._world.setting.now

    def text(self, text: Text, ref: str) -> str:
        """Return a text of the form as it reads at this node."""
        return self._world.text(text, find(self._root, ref))

    def set_language(self, language: str) -> None:
        """Go on in another language, and work out anew what says texts."""
        self._world.change(language=language)
        self._recalculation.language_changed()
        self._actions.settle()

    def set_now(self, now: datetime) -> None:
        """Go on at another time, and work out anew what reads the clock."""
        self._world.change(now=now)
        self._recalculation.clock_moved()
        self._actions.settle()

    def finish(self) -> None:
        """Note the end of filling in, where the form asks for it."""
        self._actions.finish()

    def serialise(self) -> bytes:
        """Return all that was answered as XML, for `restore`."""
        return serialise(self._root)

    def submission(self) -> bytes:
        """Return what counts as XML: without what is not relevant."""
        return submission(self._root)

    # One node

    def value(self, ref: str) -> str:
        """Return an answer as expressions see it: blank where it is not relevant."""
        return find(self._root, ref).seen

    def is_relevant(self, ref: str) -> bool:
        """Tell whether this is asked at all, with all that stands above it."""
        return find(self._root, ref).is_relevant

    def is_required(self, ref: str) -> bool:
        """Tell whether an answer is needed."""
        return holds(self._world, find(self._root, ref), "required")

    def is_readonly(self, ref: str) -> bool:
        """Tell whether the user may not change this; inherited from above."""
        return is_readonly(self._world, find(self._root, ref))

    def validity(self, ref: str) -> Validity:
        """Return what a check says of one answer."""
        return validity(self._world, find(self._root, ref))

    def message(self, ref: str) -> str:
        """Return what is wrong with an answer, "" if nothing."""
        node = find(self._root, ref)
        return message(self._world, node, validity(self._world, node))

    def label(self, ref: str) -> str:
        """Return the label of a question, a group or a repeat, outputs filled in."""
        node = find(self._root, ref)
        return self._world.text(_label(node), node)

    def hint(self, ref: str, form: str = "") -> str:
        """Return the hint of a question; with "guidance", the longer one."""
        node = find(self._root, ref)
        control = node.place.control
        return self._world.text(control.hint, node, form) if control else ""

    def media(self, ref: str, form: str) -> str:
        """Return the address of a picture or the like beside a label ("image")."""
        node = find(self._root, ref)
        return self._world.text(_label(node), node, form)

    def choices(self, ref: str) -> list[tuple[str, str]]:
        """Return what may be answered now: (value, label), in the form's order."""
        return self._world.choices(find(self._root, ref))

    def selected_labels(self, ref: str) -> list[str]:
        """Return the labels of what is chosen, in the order of the answer."""
        node = find(self._root, ref)
        labels = dict(reversed(self._world.choices(node)))
        several = node.place.control and node.place.control.kind in SEVERAL
        chosen = node.seen.split() if several else [node.seen]
        return [labels[value] for value in chosen if value in labels]

    def count(self, ref: str) -> int:
        """Return how many instances a repeat has."""
        parent, place = repeat_at(self._root, self.plan.structure, ref)
        return len(parent.children[place.tag])

    # The whole form

    @property
    def warnings(self) -> tuple[DefinitionFault, ...]:
        """What of the form is left out."""
        return self.plan.structure.warnings

    @property
    def languages(self) -> list[str]:
        """The languages of the form, in its order."""
        return list(self.plan.texts)

    @property
    def failures(self) -> dict[tuple[str, str], str]:
        """What could not be worked out: by path and expression, the reason."""
        return dict(self._world.failures)

    def problems(self) -> Iterator[Problem]:
        """Return what is wrong, in document order."""
        return problems(self._world, self._root)

    def rows(self) -> Iterator[Row]:
        """Return what a screen shows now, in the order of the body."""
        body, structure = self.plan.definition.body, self.plan.structure
        return rows(body, structure, self._root, self._root, 0)

    def _must_be_free(self, place: Place, ref: str) -> None:
        part = place.group
        if isinstance(part, Repeat) and (part.count or part.is_fixed):
            raise NoSuchNode(ref, "这里有几组由表单决定，不能自己增减")


def _not_offered(node: Node) -> str:
    if node.offered is None or node.place.control is None:
        return ""
    several = node.place.control.kind in SEVERAL
    chosen = node.kept.split() if several else [node.kept]
    lacking = [value for value in chosen if value and value not in node.offered]
    return f"现在没有这个选项：{'、'.join(lacking)[:80]}" if lacking else ""


def _label(node: Node) -> Text:
    part = node.place.control or node.place.group
    return part.label if part else Text()
