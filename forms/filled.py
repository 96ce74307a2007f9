"""Answers and the form that they answer, together. Pure: no I/O, no clock.

Answers are stored flat, as key and text (see `forms.questions`); a `Filling` works
with positions and types. What was typed is kept as it was typed, also where it does
not fit: nobody's work is thrown away because of a rule.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from lxml import etree

from forms.errors import NoSuchNode
from forms.field import Choice, Field
from forms.filling import Filling, Validity
from forms.filling.nodes import Node, find
from forms.filling.structure import Place
from forms.kinds import KINDS
from forms.package import Package
from forms.questions import key_in, template_of
from forms.xform.definition import Repeat

Series = tuple[Place, tuple[str, ...]]
"""A repeat, and the numbers of the instances that it stands in."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one answer, in words for the person who fills the form."""

    key: str
    label: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a form as it is now.

    `kind` is "question", "group", "repeat" (one more may be added here) or "instance"
    (which may be taken out). `key` is of the question, the repeat or the instance, ""
    for a group. `is_open` says that a person may answer, add, or take out.
    """

    kind: str
    key: str
    depth: int
    label: str
    hint: str = ""
    field: Field | None = None
    value: str = ""
    choices: tuple[Choice, ...] = ()
    is_required: bool = False
    is_open: bool = True


class FilledForm:
    """A form with its answers."""

    def __init__(
        self,
        package: Package,
        answers: Mapping[str, str],
        now: datetime,
        *,
        is_new: bool = False,
        suffix: Callable[[], str] = lambda: "",
    ) -> None:
        """Open a form.

        Args:
            package: the item with its form.
            answers: by key; those that the form has no place for are in `strange`.
            now: aware, in the zone in which days begin.
            is_new: nothing was answered before: defaults are set.
            suffix: gives four random characters (a-z, 2-7) for each instance that a
                person adds, so that two who add one do not add the same.
        """
        self.package = package
        self._suffix = suffix
        self._numbers: dict[Series, list[str]] = {}
        self._texts: dict[str, tuple[str, str]] = {}
        known = package.places
        self.strange = {
            key: text for key, text in answers.items() if template_of(key) not in known
        }
        given = {k: t for k, t in answers.items() if k not in self.strange and t}
        if is_new and not given:
            self._filling = Filling(package.plan, now)
        else:
            self._number(given)
            data = etree.tostring(self._written(given), encoding="utf-8")
            self._filling = Filling.restore(package.plan, data, now)
            for key, text in given.items():
                node = self._node(key)
                if node is not None and not node.place.bind.calculate:
                    self._texts[key] = text, node.kept

    # -- answers

    @property
    def answers(self) -> dict[str, str]:
        """All that was answered or calculated, what is not asked now included."""
        return {key: text for key, _, text in self._answered()}

    @property
    def submitted(self) -> dict[str, str]:
        """What counts: the answers to what is asked now."""
        return {key: text for key, node, text in self._answered() if node.is_relevant}

    def value(self, key: str) -> str:
        """Return an answer; "" where there is none."""
        node = self._node(key)
        return self._text(key, node) if node is not None else ""

    def answer(self, key: str, text: str) -> None:
        """Set an answer; what does not fit is kept, and `problem` says so."""
        node = self._node(key)
        if node is None:
            return
        field = self.field(key)
        fits = not text or field is None or self._fault(field, text) is None
        self._filling.answer(node.path, text if fits else None)
        self._texts[key] = text, node.kept

    def field(self, key: str) -> Field | None:
        """Return the question that a key belongs to."""
        return self.package.question(key)

    # -- repeats

    def add(self, key: str) -> str:
        """Add an instance to a repeat; return the key of the instance.

        Raises:
            NoSuchNode: there is no such repeat, or it takes no more.
        """
        place, numbers = self._series(key)
        known = self._known(place, numbers)
        count = 1 + max((int(one.partition("-")[0]) for one in known), default=0)
        self._filling.create_repeat(self._ref(place, numbers, is_series=True))
        suffix = self._suffix()
        known.append(f"{count:03}-{suffix}" if suffix else f"{count:03}")
        return f"{key}/{known[-1]}"

    def remove(self, key: str) -> None:
        """Take an instance out, with all answers in it."""
        repeat, _, number = key.rpartition("/")
        place, numbers = self._series(repeat)
        self._filling.remove_repeat(self._ref(place, (*numbers, number)))
        self._numbers[place, numbers].remove(number)
        inside = (*numbers, number)
        for series in [s for s in self._numbers if s[1][: len(inside)] == inside]:
            if len(series[1]) >= len(inside):
                del self._numbers[series]
        for one in [one for one in self._texts if one.startswith(f"{key}/")]:
            del self._texts[one]

    # -- what is wrong

    def problem(self, key: str) -> str | None:
        """Return what is wrong with one answer as its field is left: a missing one
        is not, since people come back to it.
        """
        node, field = self._node(key), self.field(key)
        if node is None or field is None or not node.is_relevant:
            return None
        text = self._text(key, node)
        if not text:
            return None
        if fault := self._fault(field, text):
            return fault
        if self._filling.validity(node.path) is Validity.VIOLATED:
            return self._filling.message(node.path)
        return None

    def problems(self) -> Iterator[Problem]:
        """Yield all that is wrong, in the order of the form, then unknown keys."""
        for key, node in self._nodes():
            if not node.is_relevant or node.place.control is None:
                continue
            message = self.problem(key)
            text = self._text(key, node)
            if not text and self._filling.validity(node.path) is Validity.MISSING:
                message = self._missing(key, node)
            if message:
                label = self._label(key, node) + _group_of(node)
                yield Problem(key, label, message)
        for key in self.strange:
            yield Problem(key, key[:40], "表单里没有这一项，请去掉")

    def missing(self) -> list[tuple[str, str]]:
        """Return (key, label) of what must be answered and is not."""
        return [
            (key, self._label(key, node))
            for key, node in self._nodes()
            if node.place.control is not None
            and not self._text(key, node)
            and self._filling.validity(node.path) is Validity.MISSING
        ]

    # -- for a screen

    def lines(self) -> Iterator[Line]:
        """Yield what a screen shows now; where one more may be added, behind those
        that are there.
        """
        filling = self._filling
        ends: list[Line] = []
        for row in filling.rows():
            while ends and row.depth <= ends[-1].depth:
                yield ends.pop()
            if row.kind == "repeat":
                assert isinstance(row.part, Repeat)
                end = self._repeat_line(row.kind, row.ref, row.depth, row.part)
                if end.is_open:
                    ends.append(end)
            elif row.kind == "group":
                label = filling.label(row.ref) if row.ref else ""
                if label:
                    yield Line("group", "", row.depth, label)
            elif row.kind == "instance":
                assert isinstance(row.part, Repeat)
                yield self._repeat_line(row.kind, row.ref, row.depth, row.part)
            else:
                node = find(filling.root, row.ref)
                if node.place.is_leaf:
                    yield self._question(self._key(node), node, row.depth)
        yield from reversed(ends)

    def _repeat_line(self, kind: str, ref: str, depth: int, part: Repeat) -> Line:
        filling = self._filling
        is_open = not (part.count or part.is_fixed)
        above, _, name = ref.rpartition("/")
        if kind == "instance":
            node = find(filling.root, ref)
            label = f"{self._name_of(part, ref)} {node.position}"
            return Line(kind, self._key(node), depth, label, is_open=is_open)
        parent = find(filling.root, above)
        steps = [step for step in (self._key(parent), name) if step]
        return Line(
            kind, "/".join(steps), depth, self._name_of(part, above), is_open=is_open
        )

    def _name_of(self, part: Repeat, ref: str) -> str:
        return " ".join(self._filling.text(part.label, ref).split()) or "项"

    def _question(self, key: str, node: Node, depth: int) -> Line:
        filling, ref = self._filling, node.path
        field = self.field(key)
        assert field is not None
        has_choices = KINDS[field.kind].options[:1] == ("choices",)
        offered = filling.choices(ref) if has_choices else []
        return Line(
            "question",
            key,
            depth,
            self._label(key, node),
            filling.hint(ref),
            field,
            self._text(key, node),
            tuple(Choice(value, label or value) for value, label in offered),
            filling.is_required(ref),
            not (filling.is_readonly(ref) or node.place.bind.calculate),
        )

    # -- nodes and keys

    def _nodes(self) -> Iterator[tuple[str, Node]]:
        places = self.package.keys_by_place
        for node in self._filling.root.below():
            if node.place in places:
                yield self._key(node), node

    def _answered(self) -> Iterator[tuple[str, Node, str]]:
        for key, node in self._nodes():
            if text := self._text(key, node):
                yield key, node, text

    def _text(self, key: str, node: Node) -> str:
        """Return an answer as it was typed, unless the form has changed it since."""
        text, kept = self._texts.get(key, ("", ""))
        if text and kept == node.kept:
            return text
        # A form writes 0.0 where a person writes 0.
        is_number = node.place.bind.type == "decimal"
        return node.kept.removesuffix(".0") if is_number else node.kept

    def _label(self, key: str, node: Node) -> str:
        label = " ".join(self._filling.label(node.path).split())
        field = self.field(key)
        return label or (field.label if field else key)

    def _missing(self, key: str, node: Node) -> str:
        field = self.field(key)
        own = node.place.bind.required_message
        ask = KINDS[field.kind].ask if field and not own else ""
        return ask or self._filling.message(node.path)

    def _fault(self, field: Field, text: str) -> str | None:
        today = self._filling.now.date()
        return KINDS[field.kind].check(field, text, today)

    def _key(self, node: Node) -> str:
        """Return the key of an answer, of an instance, or of what is around it."""
        numbers = self._numbers_of(node)
        template = self.package.keys_by_place.get(node.place)
        if template:
            return key_in(node.place, template, numbers)
        names = [one.name for one in node.place.above() if one.is_repeat][::-1]
        return "/".join(chain.from_iterable(zip(names, numbers, strict=True)))

    def _numbers_of(self, node: Node) -> tuple[str, ...]:
        numbers: tuple[str, ...] = ()
        for one in reversed(list(node.above())):
            if one.place.is_repeat:
                known = self._known(one.place, numbers)
                while len(known) < one.position:
                    # Made by the form itself, the same for everybody.
                    known.append(f"{len(known) + 1:03}")
                numbers = (*numbers, known[one.position - 1])
        return numbers

    def _known(self, place: Place, numbers: tuple[str, ...]) -> list[str]:
        return self._numbers.setdefault((place, numbers), [])

    def _node(self, key: str) -> Node | None:
        place = self.package.places.get(template_of(key))
        if place is None:
            return None
        numbers = tuple(part for part in key.split("/") if part[:1].isdigit())
        try:
            return find(self._filling.root, self._ref(place, numbers))
        except (LookupError, ValueError, NoSuchNode):
            return None

    def _series(self, key: str) -> Series:
        numbers = tuple(part for part in key.split("/") if part[:1].isdigit())
        names = template_of(key)
        for place in self.package.plan.structure.places.values():
            if place.is_repeat:
                repeats = [one.name for one in place.above() if one.is_repeat]
                if "/".join(reversed(repeats)) == names:
                    return place, numbers
        raise LookupError(key)

    def _ref(
        self, place: Place, numbers: tuple[str, ...], *, is_series: bool = False
    ) -> str:
        """Return the way to a place within the instances of these numbers."""
        steps: list[str] = []
        seen: list[str] = []
        left = list(numbers)
        for one in reversed(list(place.above())):
            if one.is_repeat and not (is_series and one is place):
                known = self._known(one, tuple(seen))
                number = left.pop(0)
                steps.append(f"/{one.name}[{known.index(number) + 1}]")
                seen.append(number)
            else:
                steps.append(f"/{one.name}")
        return "".join(steps)

    # -- opening

    def _number(self, given: Mapping[str, str]) -> None:
        """Take note of all instances that answers name, in their order."""
        found: dict[Series, set[str]] = {}
        for key in given:
            place = self.package.places[template_of(key)]
            numbers = [part for part in key.split("/") if part[:1].isdigit()]
            repeats = [one for one in place.above() if one.is_repeat][::-1]
            for depth, (repeat, number) in enumerate(
                zip(repeats, numbers, strict=False)
            ):
                series = repeat, tuple(numbers[:depth])
                found.setdefault(series, set()).add(number)
        self._numbers = {series: sorted(numbers) for series, numbers in found.items()}

    def _written(self, given: Mapping[str, str]) -> etree._Element:
        """Return answers as the instance of the form."""
        root = self.package.plan.structure.root
        top = etree.Element(root.tag)
        self._write_below(root, top, (), given)
        return top

    def _write_below(
        self,
        place: Place,
        into: etree._Element,
        numbers: tuple[str, ...],
        given: Mapping[str, str],
    ) -> None:
        for below in place.children.values():
            inside: list[tuple[str, ...]] = [numbers]
            if below.is_repeat:
                known = self._numbers.get((below, numbers), [])
                inside = [(*numbers, number) for number in known]
            for each in inside:
                element = etree.SubElement(into, below.tag)
                if below.is_leaf:
                    template = self.package.keys_by_place.get(below)
                    if template:
                        element.text = _clean(given.get(key_in(below, template, each)))
                else:
                    self._write_below(below, element, each, given)


def _group_of(node: Node) -> str:
    """Return which of several this is, as `Package.label` says it; "" for one alone."""
    positions = [str(n.position) for n in node.above() if n.place.is_repeat]
    return f"（第 {'.'.join(reversed(positions))} 组）" if positions else ""


def _clean(text: str | None) -> str | None:
    """Return a text without what XML cannot hold."""
    if not text:
        return None
    return "".join(c for c in text if c in "\t\n\r" or c.isprintable()) or None
