"""One form that is being filled in. Pure: no I/O, no clock.

Now, the language and the seed of all chance are given by the caller. References are
paths with positions on repeats: "/data/house[2]/name".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from forms.errors import NoSuchNode
from forms.filling.actions import Actions
from forms.filling.archive import adopt, read_saved, serialise, submission
from forms.filling.nodes import Node, find, make, repeat_at
from forms.filling.plan import Plan
from forms.filling.recalculate import MAX_INSTANCES, SEVERAL, Recalculation
from forms.filling.values import ACKNOWLEDGED, written
from forms.filling.world import World
from forms.xform.definition import Control, Element, Group, Part, Repeat, Text

NOTHING: Mapping[str, str] = {}


class Validity(StrEnum):
    """What a check says of one answer."""

    OK = "OK"
    VIOLATED = "CONSTRAINT_VIOLATED"
    MISSING = "REQUIRED_BUT_EMPTY"


DEFAULT_MESSAGES = {
    Validity.OK: "",
    Validity.VIOLATED: "这里填的内容不符合要求，请核对",
    Validity.MISSING: "请填写这一项",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an answer; `ref` with positions."""

    ref: str
    validity: Validity
    message: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a screen.

    `kind` is a key of `forms.xform.body.CONTROLS`, or "group", "repeat" (the series
    as a whole: here one more may be added) or "instance" (one of the series).
    """

    kind: str
    ref: str
    depth: int
    part: Part


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
        self._actions.preload(properties)
        self._recalculation.begin(self._root)
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
    ) -> "Filling":
        """Return a filling as `serialise` (or `submission`) wrote it.

        Raises:
            FillingRefused: these bytes are no filling of this form.
        """
        saved = read_saved(plan.structure.root, data)
        self = cls.__new__(cls)
        self._open(plan, saved.instance, now, language, seed)
        self.dropped = saved.dropped
        adopt(self._root, plan.definition.instance)
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
            "" or, where the value is none of this type, what is expected; the answer
            is then blank.

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
        return reason

    def clear(self, ref: str) -> None:
        """Clear an answer."""
        self.answer(ref, None)

    def create_repeat(self, ref: str) -> str:
        """Add an instance to a repeat, at its end, and return its reference.

        Raises:
            NoSuchNode: there is no such repeat, or it takes no more.
        """
        parent, place = repeat_at(self._root, self.plan.structure, ref)
        if len(parent.children[place.tag]) >= MAX_INSTANCES:
            raise NoSuchNode(ref, f"最多 {MAX_INSTANCES} 组")
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
        self._recalculation.drop(node)
        self._actions.settle()

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
        return self._holds(find(self._root, ref), "required", otherwise=False)

    def is_readonly(self, ref: str) -> bool:
        """Tell whether the user may not change this; inherited from above."""
        above = find(self._root, ref).above()
        return any(self._holds(node, "readonly", otherwise=False) for node in above)

    def validity(self, ref: str) -> Validity:
        """Return what a check says of one answer."""
        return self._validity(find(self._root, ref))

    def message(self, ref: str) -> str:
        """Return what is wrong with an answer, "" if nothing."""
        node = find(self._root, ref)
        return self._message(node, self._validity(node))

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
    def languages(self) -> list[str]:
        """The languages of the form, in its order."""
        return list(self.plan.texts)

    @property
    def failures(self) -> dict[tuple[str, str], str]:
        """What could not be worked out: by path and expression, the reason."""
        return dict(self._world.failures)

    def problems(self) -> Iterator[Problem]:
        """Return what is wrong, in document order."""
        for node in self._root.below():
            validity = self._validity(node)
            if validity is not Validity.OK:
                yield Problem(node.path, validity, self._message(node, validity))

    def rows(self) -> Iterator[Row]:
        """Return what a screen shows now, in the order of the body."""
        yield from self._rows(self.plan.definition.body, self._root, 0)

    def _rows(self, parts: tuple[Part, ...], within: Node, depth: int) -> Iterator[Row]:
        for part in parts:
            place = self.plan.structure.places.get(part.ref)
            if isinstance(part, Repeat) and place is not None:
                yield from self._repeat_rows(part, within, depth)
            elif isinstance(part, Group) and (place is None or not part.ref):
                yield Row("group", "", depth, part)
                yield from self._rows(part.parts, within, depth + 1)
            elif place is not None:
                nodes = within.all_of(place) or self._root.all_of(place)
                for node in (n for n in nodes if n.is_relevant):
                    if isinstance(part, Control):
                        yield Row(part.kind, node.path, depth, part)
                    else:
                        yield Row("group", node.path, depth, part)
                        yield from self._rows(part.parts, node, depth + 1)

    def _repeat_rows(self, part: Repeat, within: Node, depth: int) -> Iterator[Row]:
        place = self.plan.structure.places[part.ref]
        assert place.parent is not None
        for parent in within.all_of(place.parent) or self._root.all_of(place.parent):
            if not parent.is_relevant:
                continue
            yield Row("repeat", f"{parent.path}/{place.name}", depth, part)
            for node in parent.children[place.tag]:
                if node.is_relevant:
                    yield Row("instance", node.path, depth + 1, part)
                    yield from self._rows(part.parts, node, depth + 2)

    def _holds(self, node: Node, name: str, *, otherwise: bool) -> bool:
        expression = self.plan.expressions.get((node.place.path, name))
        if expression is None:
            return otherwise
        truth = self._world.truth(expression, node)
        return otherwise if truth is None else truth

    def _validity(self, node: Node) -> Validity:
        """Check one answer; what is not asked, or not relevant, is never wrong."""
        if node.place.control is None or not node.is_relevant:
            return Validity.OK
        if not node.seen:
            missing = self._holds(node, "required", otherwise=False)
            return Validity.MISSING if missing else Validity.OK
        if node.place.bind.constraint:
            # What cannot be worked out is not taken for right.
            expression = self.plan.expressions[node.place.path, "constraint"]
            if not self._world.truth(expression, node):
                return Validity.VIOLATED
        return Validity.OK

    def _message(self, node: Node, validity: Validity) -> str:
        bind = node.place.bind
        texts = {
            Validity.VIOLATED: bind.constraint_message,
            Validity.MISSING: bind.required_message,
        }
        text = texts.get(validity)
        said = self._world.text(text, node) if text else ""
        return said or DEFAULT_MESSAGES[validity]


def _label(node: Node) -> Text:
    part = node.place.control or node.place.group
    return part.label if part else Text()
