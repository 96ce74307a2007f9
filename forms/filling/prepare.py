"""A definition made into a `Plan`, or refused with all its faults. Pure: no I/O."""

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from forms.errors import DefinitionFault, DefinitionRefused
from forms.filling.near import as_odk_reads, choice_paths, elsewhere
from forms.filling.order import circle, rank
from forms.filling.plan import Acting, Choosing, Kind, Plan, Rule, triggers
from forms.filling.structure import Place, Structure, build, tag_of
from forms.filling.uses import Uses, uses_of
from forms.xform.definition import (
    Action,
    Control,
    Definition,
    Element,
    Group,
    Output,
    Part,
    Repeat,
    Text,
    Translation,
)
from forms.xform.steps import absolute
from forms.xpath import Expression, ExpressionRefused, compile_expression

MAX_USES = 200_000
"""How many places all expressions together may read, each counted anew."""

ITEXT_ID = re.compile(r"""\s*jr:itext\(\s*(?:'([^']*)'|"([^"]*)")\s*\)\s*""")
"""A text by its id, as pyxform writes it; any other reference is evaluated."""

_ASIDES = ("required", "readonly", "constraint")
_RULES = {"relevant": Kind.RELEVANT, "calculate": Kind.CALCULATE}
_LAST_SAVED = "jr://instance/last-saved"
"""The answers of the filling before this one; where there is none, nothing."""

_NO_ROOT = Element("root")

_LABEL, _SET = "label", "default"
"""Parts of a node besides those of its bind, as a fault names them."""


def prepare(definition: Definition, lists: Mapping[str, Element] | None = None) -> Plan:
    """Return a form made ready to be filled in.

    `lists` are by id those that stand outside of the form; see `forms.xform.lists`.

    Raises:
        DefinitionRefused: the form cannot work; all its faults are named.
    """
    preparer = _Preparer(definition, lists or {})
    plan = preparer.plan()
    if preparer.faults:
        raise DefinitionRefused("", "", preparer.faults)
    return plan


class _Preparer:
    """Compiles what a form says and collects what is wrong on the way."""

    def __init__(self, definition: Definition, lists: Mapping[str, Element]) -> None:
        self.definition = definition
        self.faults: list[DefinitionFault] = []
        self.namespaces = dict(definition.namespaces)
        self.lists = self._lists(lists)
        self.structure: Structure = build(definition, self.faults)
        self.expressions: dict[tuple[str, str], Expression] = {}
        self.choosing: dict[Place, Choosing] = {}
        self.rules: list[Rule] = []
        self.used = 0
        self.asides: list[tuple[Place, bool, Uses]] = []
        self.texts = {
            translation.language: {
                entry.id: {form.name: form.parts for form in entry.forms}
                for entry in translation.texts
            }
            for translation in definition.translations
        }
        self.default_language = _default(definition.translations)

    def plan(self) -> Plan:
        """Return the plan, which is whole only if there are no faults."""
        for place in self.structure.places.values():
            self._bind(place)
        for part in _parts(self.definition.body):
            if isinstance(part, Repeat):
                self._count(part)
            elif isinstance(part, Control):
                self._choices(part)
        self._texts()
        actions = tuple(self._actions())
        self._outputs_of_translations()
        places = list(self.structure.places.values())
        if fault := circle(places, self.rules, self.asides):
            self.faults.append(fault)
            rules: list[Rule] = []
        else:
            rules = rank(places, self.rules)
        by_value, by_series = triggers(rules)
        by_place: dict[Place, list[Rule]] = {}
        for rule in rules:
            by_place.setdefault(rule.place, []).append(rule)
        return Plan(
            definition=self.definition,
            structure=self.structure,
            namespaces=self.namespaces,
            lists=self.lists,
            expressions=self.expressions,
            rules={place: tuple(found) for place, found in by_place.items()},
            by_value={place: tuple(found) for place, found in by_value.items()},
            by_series={place: tuple(found) for place, found in by_series.items()},
            choosing=self.choosing,
            actions=actions,
            default_language=self.default_language,
            texts=self.texts,
        )

    def _lists(self, given: Mapping[str, Element]) -> dict[str, etree._Element]:
        found = {}
        for secondary in self.definition.secondary:
            root = given.get(secondary.id, secondary.root)
            if root is None and secondary.source == _LAST_SAVED:
                root = Element(self.definition.instance.name)
            if root is None:
                reason = f"没有带上这份列表（{secondary.source or '没有写来源'}）"
                self._fault(f"instance {secondary.id}", reason)
            wrapper = etree.Element("instance", {"id": secondary.id})
            wrapper.append(_xml(root or _NO_ROOT, self.namespaces))
            found[secondary.id] = wrapper
        return found

    def _bind(self, place: Place) -> None:
        bind = place.bind
        for name, kind in _RULES.items():
            text = getattr(bind, name)
            compiled = self._compile(place, name, text)
            if compiled is None:
                continue
            expression, uses = compiled
            if kind is Kind.CALCULATE and not place.is_leaf:
                self._fault(place.path, "这是一个分组，不能计算它的值", name)
            self.rules.append(Rule(kind, place, expression, uses))
        for name in _ASIDES:
            compiled = self._compile(place, name, getattr(bind, name))
            if compiled is not None and name != "constraint":
                self.asides.append((place, name == "readonly", compiled[1]))
        for message in (bind.required_message, bind.constraint_message):
            self._text(message, place)

    def _count(self, repeat: Repeat) -> None:
        place = self.structure.places.get(repeat.ref)
        if place is None or not repeat.count:
            return
        # The count belongs to the whole series: it is seen from where that stands.
        compiled = self._compile(place, "count", repeat.count)
        if compiled is not None:
            self.rules.append(Rule(Kind.COUNT, place, *compiled))

    def _choices(self, control: Control) -> None:
        place = self.structure.places.get(control.ref)
        itemset = control.itemset
        if place is None or itemset is None:
            return
        nodes = self._compile(place, "itemset", itemset.nodeset)
        if nodes is None:
            return
        every = f"({itemset.nodeset})" if "|" in itemset.nodeset else itemset.nodeset
        values = self._compile(place, "values", f"{every}/{itemset.value}")
        value = self._alone(place, itemset.value, "itemset")
        label = self._alone(place, itemset.label, "itemset") if itemset.label else None
        if values is None or value is None:
            return
        is_constant = not values[1].of_form and not values[0].uses_time
        choosing = Choosing(nodes[0], values[0], value, label, is_constant)
        self.choosing[place] = choosing
        if not is_constant:
            self.rules.append(Rule(Kind.CHOICES, place, values[0], values[1]))

    def _actions(self) -> Iterator[Acting]:
        written: list[tuple[Action, str]] = []
        written += [(action, "") for action in self.definition.actions]
        for part in _parts(self.definition.body):
            written += [(action, part.ref) for action in part.actions]
        for action, source in written:
            place = self.structure.places.get(action.ref)
            if place is None or not place.is_leaf:
                self._fault(f"setvalue {action.ref}", "要设值的数据不存在")
                continue
            origin = self.structure.places.get(source)
            target = self._compile(origin or self.structure.root, "", action.target)
            value = self._compile(place, _SET, action.value)
            if bool(action.value) is bool(value):
                yield Acting(
                    action,
                    place,
                    origin,
                    target[0] if target else None,
                    value[0] if value else None,
                )

    def _texts(self) -> None:
        for part in _parts(self.definition.body):
            place = self.structure.places.get(part.ref, self.structure.root)
            texts = [part.label]
            if isinstance(part, Control):
                texts += [part.hint, *(choice.label for choice in part.choices)]
            for text in texts:
                self._text(text, place)

    def _text(self, text: Text, place: Place) -> None:
        if known := ITEXT_ID.fullmatch(text.ref):
            key = known[1] or known[2] or ""
            if key not in self.texts.get(self.default_language, {}):
                self._fault(place.path, f"没有编号为 {key[:80]!r} 的文字")
        elif text.ref:
            self._compile(place, _LABEL, text.ref)
        for part in text.parts:
            if isinstance(part, Output):
                self._compile(place, _LABEL, part.value)

    def _outputs_of_translations(self) -> None:
        for translation in self.definition.translations:
            for entry in translation.texts:
                for form in entry.forms:
                    for part in form.parts:
                        if isinstance(part, Output):
                            self._alone(entry.id, part.value, _LABEL)

    def _compile(
        self, place: Place, name: str, text: str
    ) -> tuple[Expression, Uses] | None:
        """Compile what stands at a place, and see that all that it reads is there."""
        if not text:
            return None
        expression = self._alone(place, text, name)
        if expression is None:
            return None
        other = elsewhere(text, place, self.structure) if "position" in text else set()
        uses = uses_of(expression, place, self.structure, self.namespaces, other)
        self.used += len(uses.of_form)
        if self.used > MAX_USES:
            raise DefinitionRefused(place.path, f"表达式引用的数据超过 {MAX_USES} 处")
        for path in uses.lost:
            self._fault(place.path, f"表达式里的 {path[:120]} 在表单里找不到", name)
        for key in sorted(uses.lists - set(self.lists)):
            self._fault(place.path, f"没有名为 {key[:60]!r} 的列表", name)
        if name and name not in (_LABEL, _SET):
            self.expressions[place.path, name] = expression
        return expression, uses

    def _alone(
        self, place: Place | str, text: str, name: str = ""
    ) -> Expression | None:
        try:
            # First as it was written: a refusal shows the author's own words.
            expression = compile_expression(text, self.namespaces)
            if isinstance(place, Place):
                self._choice_names(place, text, name)
                rewritten = as_odk_reads(text, place, self.structure)
                expression = compile_expression(rewritten, self.namespaces)
            return expression
        except ExpressionRefused as error:
            path = place if isinstance(place, str) else place.path
            self._fault(path, str(error), name)
            return None

    def _choice_names(self, place: Place, text: str, name: str) -> None:
        """See that where the name of a choice is asked for, there are choices."""
        for path in choice_paths(text) if "choice-name" in text else ():
            asked = self.structure.places.get(absolute(path, place.path) or "")
            control = asked.control if asked else None
            if control is None or not (control.choices or control.itemset):
                self._fault(place.path, f"{path.strip()[:80]} 不是可选的问题", name)

    def _fault(self, place: str, message: str, part: str = "") -> None:
        fault = DefinitionFault(place, message, part=part)
        if fault not in self.faults:
            self.faults.append(fault)


def _default(translations: tuple[Translation, ...]) -> str:
    chosen = [t.language for t in translations if t.is_default]
    return (chosen or [t.language for t in translations] or [""])[0]


def _parts(body: tuple[Part, ...]) -> Iterator[Part]:
    for part in body:
        yield part
        if isinstance(part, Group | Repeat):
            yield from _parts(part.parts)


def _xml(source: Element, namespaces: Mapping[str, str]) -> etree._Element:
    """Return a list as expressions read it."""
    element = etree.Element(tag_of(source.name, namespaces))
    for name, value in source.attributes:
        if name != "xmlns":
            element.set(tag_of(name, namespaces), value)
    element.text = source.text or None
    element.extend(_xml(child, namespaces) for child in source.children)
    return element
