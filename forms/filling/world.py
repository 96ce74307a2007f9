"""What expressions of one filling see and ask: its tree, lists, texts. Pure: no I/O.

libxml2 follows nodes of one document only, so the instance and copies of all lists
hang in one tree.
"""

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from lxml import etree

from forms.filling.near import as_odk_reads
from forms.filling.nodes import Node
from forms.filling.plan import Choosing, Parts, Plan
from forms.filling.prepare import ITEXT_ID
from forms.filling.structure import Place
from forms.filling.values import number_text
from forms.xform.definition import Output, Text
from forms.xform.steps import absolute
from forms.xpath import (
    Expression,
    ExpressionFailed,
    Setting,
    Value,
    compile_expression,
    to_boolean,
    to_string,
)

MAX_FAILURES = 100

PLAIN_FORMS = ("", "long", "short")
"""The forms of a text that may stand as a label, the best first."""

_STAND_IN = "_"

_NOT_TRANSLATED = "-"
"""What pyxform writes where a translation is missing."""


class World:
    """Evaluates expressions at nodes of one filling."""

    def __init__(
        self, plan: Plan, root: Node, now: datetime, language: str, seed: str
    ) -> None:
        self.plan = plan
        self.root = root
        self.seed = seed
        self.failures: dict[tuple[str, str], str] = {}
        """By path and expression, what went wrong; the newest come last."""
        self._asking = root
        self._rows: dict[tuple[str, str], dict[str, etree._Element]] = {}
        self._expressions: dict[tuple[str, Place], Expression] = {}
        self._constant: dict[Expression, tuple[str, ...]] = {}
        top = etree.Element("filling")
        around = etree.SubElement(top, "instance")
        around.append(root.element)
        self.lists = {key: copy.deepcopy(one) for key, one in plan.lists.items()}
        top.extend(self.lists.values())
        own = {plan.definition.instance_id: around}
        self.setting = Setting(
            now=now,
            root=root.element,
            instances=own | self.lists,
            language=language or plan.default_language,
            itext=self._itext,
            pull=self._pull,
            choice_name=self._choice_name,
            random=random.Random(seed),
        )

    def change(self, *, now: datetime | None = None, language: str = "") -> None:
        """Go on at another time, or in another language."""
        setting = self.setting
        now, language = now or setting.now, language or setting.language
        self.setting = replace(setting, now=now, language=language)

    def value(self, expression: Expression, node: Node) -> Value | None:
        """Return the value of an expression at a node; None: it has none."""
        with self._at(node):
            if node.place.is_attribute:
                # As at a child: its parent, too, is the element with the attribute.
                return self._at_stand_in(expression, node, node.seen)
            return self._evaluate(expression, node.element)

    def truth(self, expression: Expression, node: Node) -> bool | None:
        """Return whether an expression holds at a node; None: nobody can tell."""
        if node.place.is_attribute:
            value = self.value(expression, node)
            return None if value is None else to_boolean(value)
        with self._at(node):
            try:
                return expression.evaluate_boolean(node.element, self.setting)
            except ExpressionFailed as error:
                self._failed(expression, error)
                return None

    def value_below(self, expression: Expression, node: Node) -> Value | None:
        """Return the value as seen from a child of a node that is not there."""
        with self._at(node):
            return self._at_stand_in(expression, node, "")

    def string(self, expression: Expression, node: Node) -> str:
        """Return the value as text; where there is none, nothing."""
        value = self.value(expression, node)
        return "" if value is None else to_string(value)

    def offered(self, choosing: Choosing, node: Node) -> tuple[str, ...]:
        """Return the values that are offered, in the order of the list."""
        if choosing.is_constant and choosing.values in self._constant:
            return self._constant[choosing.values]
        found = self.value(choosing.values, node)
        nodes = found if isinstance(found, list) else []
        values = tuple(text for text in map(_text_of, nodes) if text)
        if choosing.is_constant:
            # Expressions of one text are one object: so are the choices of many.
            self._constant[choosing.values] = values
        return values

    def choices(self, node: Node) -> list[tuple[str, str]]:
        """Return what is offered at a question: value and label, in their order."""
        control = node.place.control
        if control is None:
            return []
        found = [
            (c.value, self.text(c.label, node) or c.value) for c in control.choices
        ]
        if choosing := self.plan.choosing.get(node.place):
            # The same order each time the screen asks, though it be a random one.
            seeded = random.Random(f"{self.seed} {node.path}")
            kept, self.setting = self.setting, replace(self.setting, random=seeded)
            try:
                items = self.value(choosing.nodes, node)
            finally:
                self.setting = kept
            with self._at(node):
                for item in items if isinstance(items, list) else []:
                    if isinstance(item, etree._Element):
                        found += self._choice(choosing, item)
        return found

    def text(self, text: Text, node: Node, form: str = "") -> str:
        """Return a text in the language on the screen, outputs filled in.

        The form "" is the plain one; "guidance", "image" ... give "" if there is none.
        """
        if not text.ref:
            return "" if form else self._parts(text.parts, node)
        if known := ITEXT_ID.fullmatch(text.ref):
            return self.translated(known[1] or known[2] or "", node, form)
        if form:
            return ""
        return self.string(self._expression(text.ref, node.place), node)

    def translated(self, key: str, node: Node, form: str = "") -> str:
        """Return the text of an id; what is not translated is in the default one."""
        languages = [self.setting.language, self.plan.default_language]
        wanted = (form,) if form else PLAIN_FORMS
        for language in dict.fromkeys([*languages, *self.plan.texts]):
            forms = self.plan.texts.get(language, {}).get(key, {})
            for name in wanted:
                if name in forms and forms[name] != (_NOT_TRANSLATED,):
                    return self._parts(forms[name], node)
        return ""

    def _parts(self, parts: Parts, node: Node) -> str:
        return "".join(
            self._output(part, node) if isinstance(part, Output) else part
            for part in parts
        )

    def _output(self, output: Output, node: Node) -> str:
        """Return the value of an output; of a chosen value, the value itself."""
        value = self.value(self._expression(output.value, node.place), node)
        if isinstance(value, float):
            return number_text(value)
        return "" if value is None else to_string(value)

    def _expression(self, text: str, place: Place) -> Expression:
        """Return what a text of the form says, seen from a place."""
        known = self._expressions.get((text, place))
        if known is None:
            near = as_odk_reads(text, place, self.plan.structure)
            known = compile_expression(near, self.plan.namespaces)
            self._expressions[text, place] = known
        return known

    def _choice(
        self, choosing: Choosing, item: etree._Element
    ) -> Iterator[tuple[str, str]]:
        value = self._evaluate(choosing.value, item)
        text = "" if value is None else to_string(value)
        if not text:
            return
        label = self._evaluate(choosing.label, item) if choosing.label else None
        yield text, (to_string(label) if label is not None else "") or text

    def _evaluate(self, expression: Expression, at: etree._Element) -> Value | None:
        try:
            return expression.evaluate(at, self.setting)
        except ExpressionFailed as error:
            self._failed(expression, error)
            return None

    def _failed(self, expression: Expression, error: ExpressionFailed) -> None:
        if len(self.failures) < MAX_FAILURES:
            self.failures[self._asking.path, expression.text] = error.reason

    def _at_stand_in(
        self, expression: Expression, node: Node, text: str
    ) -> Value | None:
        stand_in = etree.SubElement(node.element, _STAND_IN)
        stand_in.text = text
        try:
            return self._evaluate(expression, stand_in)
        finally:
            node.element.remove(stand_in)

    @contextmanager
    def _at(self, node: Node) -> Iterator[None]:
        before, self._asking = self._asking, node
        try:
            yield
        finally:
            self._asking = before

    def _itext(self, key: str, _language: str) -> str:
        return self.translated(key, self._asking)

    def _choice_name(self, value: str, path: str) -> str:
        """Return the label of a choice of the question at a path, seen from here."""
        node = self._question(path)
        choices = self.choices(node) if node is not None else []
        return next((label for offered, label in choices if offered == value), "")

    def _question(self, path: str) -> Node | None:
        meant = absolute(path, self._asking.place.path) or ""
        place = self.plan.structure.places.get(meant)
        if place is None:
            return None
        found = (node.all_of(place) for node in self._asking.above())
        return next((nodes[0] for nodes in found if nodes), None)

    def _pull(self, table: str, column: str, key_column: str, key: str) -> str:
        """Return a cell of the first row with this key, "" where there is none."""
        rows = self._rows.get((table, key_column))
        if rows is None:
            rows = self._rows[table, key_column] = {}
            around = self.lists.get(table)
            for row in around[0] if around is not None and len(around) else ():
                rows.setdefault(_cell(row, key_column), row)
        found = rows.get(key)
        return "" if found is None else _cell(found, column)


def _cell(row: etree._Element, column: str) -> str:
    if column.startswith("@"):
        return row.get(column[1:]) or ""
    return next((_text_of(cell) for cell in row if cell.tag == column), "")


def _text_of(node: object) -> str:
    if isinstance(node, etree._Element):
        return "".join(str(part) for part in node.itertext())
    return str(node)
