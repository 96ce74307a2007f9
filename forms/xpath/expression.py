"""Expressions, compiled once and evaluated often. Pure: no I/O, no clock.

An expression is checked and compiled by `compile_expression`. It may be evaluated by
several threads at once, and by a hook of a running evaluation.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

from lxml import etree

from forms.xpath import cost, traits
from forms.xpath.emit import OURS, Emitted, emit
from forms.xpath.errors import ExpressionFailed, ExpressionRefused, NoValue
from forms.xpath.function import Type, Use
from forms.xpath.functions import FUNCTIONS
from forms.xpath.functions_node import shuffle
from forms.xpath.parse import parse
from forms.xpath.references import Reference, references_of
from forms.xpath.running import is_of_tree, running
from forms.xpath.runtime import EXTENSIONS
from forms.xpath.seat import PLAIN, Seat, locate, seat_of
from forms.xpath.setting import Setting
from forms.xpath.tree import Call, Part
from forms.xpath.values import Node, Value, to_boolean, to_number, to_string

MAX_NODES = 100_000
"""Most nodes that an expression may give."""

NOWHERE = Setting()
_NO_NAMESPACES: Mapping[str, str] = MappingProxyType({})
_count_all = etree.XPath("count(//node())")


@dataclass(slots=True)
class _Program:
    """An expression compiled for one seat.

    lxml locks an XPath object while it runs, so one that runs is not in `idle`.
    """

    emitted: Emitted
    idle: list[etree.XPath] = field(default_factory=list)

    def compile(self) -> etree.XPath:
        namespaces = {prefix: uri for uri, prefix in self.emitted.uris.items()}
        functions = [EXTENSIONS[name] for name in self.emitted.functions]
        return etree.XPath(
            self.emitted.text,
            namespaces={"o": OURS, **namespaces},
            extensions=dict(functions),
        )


class Expression:
    """A compiled expression; see `compile_expression`.

    Attributes:
        text: as it was written.
    """

    def __init__(self, text: str, part: Part, namespaces: Mapping[str, str]) -> None:
        self.text = text
        self._part = part
        self._namespaces = namespaces
        self._power = cost.power(part)
        self._arguments: dict[int, Expression] = {}
        self._programs: dict[tuple[Seat, bool], _Program] = {}
        self._program(PLAIN)

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Every path that the expression uses, those in predicates included."""
        return references_of(self._part)

    @cached_property
    def calls(self) -> frozenset[str]:
        """The names of the functions that it calls."""
        return frozenset(call.name for call in traits.calls(self._part))

    @property
    def uses_time(self) -> bool:
        """Whether its value depends on the clock."""
        return self._uses(Use.TIME)

    @property
    def uses_random(self) -> bool:
        """Whether its value depends on chance."""
        return self._uses(Use.CHANCE) or traits.is_unseeded(self._part)

    @property
    def uses_language(self) -> bool:
        """Whether its value depends on the language on the screen."""
        return self._uses(Use.LANGUAGE) or any(
            name in self.calls for name in ("format-date", "format-date-time")
        )

    def evaluate(self, node: Node, setting: Setting = NOWHERE) -> Value:
        """Return the value at a node.

        Args:
            node: the context node; see `forms.xpath.values.Node`.
            setting: all that the expression may ask of the world.

        Raises:
            ExpressionFailed: it has no value here, or would take too long.
        """
        chosen = self._chosen(node, setting)
        if chosen is not self:
            return chosen.evaluate(node, setting)
        if self._called == "randomize":
            return self._shuffled(node, setting)
        owner, way = locate(node)
        seat = seat_of(setting, way)
        value = self._run(self._program(seat), owner, setting)
        if isinstance(value, list) and self._may_give_document:
            return self._with_document(value, owner, seat, setting)
        return value

    def evaluate_string(self, node: Node, setting: Setting = NOWHERE) -> str:
        """Return the value as a text; raises as `evaluate`."""
        return to_string(self.evaluate(node, setting))

    def evaluate_number(self, node: Node, setting: Setting = NOWHERE) -> float:
        """Return the value as a number, a date as its days; raises as `evaluate`."""
        return to_number(self.evaluate(node, setting), setting.zone)

    def evaluate_boolean(self, node: Node, setting: Setting = NOWHERE) -> bool:
        """Return the truth of the value; raises as `evaluate`."""
        chosen = self._chosen(node, setting)
        value = chosen.evaluate(node, setting)
        if chosen._type is Type.DATE:
            return not math.isnan(to_number(value, setting.zone))
        return to_boolean(value)

    def evaluate_nodes(self, node: Node, setting: Setting = NOWHERE) -> list[Node]:
        """Return the nodes.

        Raises:
            ExpressionFailed: as `evaluate`, and where the value is no node-set.
        """
        value = self.evaluate(node, setting)
        if not isinstance(value, list):
            raise ExpressionFailed(self.text, "结果应是路径所指的题目，却是一个值")
        return value

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @cached_property
    def _called(self) -> str:
        """The function that the whole expression is a call of; empty: it is none."""
        return self._part.name if isinstance(self._part, Call) else ""

    def _argument(self, number: int) -> "Expression":
        """Return an argument of that call, compiled when it is first wanted."""
        if number not in self._arguments:
            assert isinstance(self._part, Call)
            part = self._part.arguments[number]
            self._arguments[number] = Expression(self.text, part, self._namespaces)
        return self._arguments[number]

    def _chosen(self, node: Node, setting: Setting) -> "Expression":
        """Return the branch of an outermost `if`; the other is not worked out."""
        expression = self
        while expression._called == "if":
            condition = expression._argument(0)
            chosen = condition.evaluate_boolean(node, setting)
            expression = expression._argument(1 if chosen else 2)
        return expression

    def _shuffled(self, node: Node, setting: Setting) -> Value:
        """Return the nodes of an outermost `randomize` in their new order.

        libxml2 would put them in document order again.
        """
        assert isinstance(self._part, Call)
        nodes = self._argument(0).evaluate_nodes(node, setting)
        seeded = len(self._part.arguments) > 1
        seed = self._argument(1).evaluate(node, setting) if seeded else None
        return shuffle(setting, nodes, seed)

    def _uses(self, use: Use) -> bool:
        return any(
            name in FUNCTIONS and FUNCTIONS[name].uses is use for name in self.calls
        )

    @cached_property
    def _type(self) -> Type:
        return self._program(PLAIN).emitted.type

    @cached_property
    def _may_give_document(self) -> bool:
        """Whether a step may lead to the document, which lxml leaves out."""
        return traits.may_give_document(self._part)

    def _program(self, seat: Seat, about_document: bool = False) -> _Program:
        key = (seat, about_document)
        program = self._programs.get(key)
        if program is None:
            emitted = emit(self._part, self.text, self._namespaces, seat)
            if about_document:
                emitted.text = f"boolean(({emitted.text})[not(parent::node())])"
            program = _Program(emitted)
            try:
                program.idle.append(program.compile())
            except (etree.XPathError, ValueError) as error:
                reason = "有不能使用的字符或写法"
                raise ExpressionRefused(self.text, 0, reason) from error
            self._programs[key] = program
        return program

    def _run(self, program: _Program, owner: etree._Element, setting: Setting) -> Value:
        if self._power > 1:
            self._check_cost(owner)
        variables = self._variables(program.emitted, owner, setting)
        try:
            xpath = program.idle.pop()
        except IndexError:
            xpath = program.compile()
        try:
            with running(setting, owner):
                value: Value = xpath(owner, **variables)  # type: ignore[assignment]
        except NoValue as error:
            raise ExpressionFailed(self.text, str(error)) from error
        except (etree.XPathError, ValueError, RecursionError) as error:
            reason = "计算中出错，或结果含有不能使用的字符"
            raise ExpressionFailed(self.text, reason) from error
        finally:
            program.idle.append(xpath)
        if isinstance(value, list) and len(value) > MAX_NODES:
            raise ExpressionFailed(self.text, f"结果太多：最多 {MAX_NODES} 个")
        return value

    def _variables(
        self, emitted: Emitted, owner: etree._Element, setting: Setting
    ) -> dict[str, Any]:
        variables: dict[str, Any] = {}
        if emitted.needs_root:
            assert setting.root is not None
            variables["root"] = setting.root.getparent()
        if emitted.needs_current:
            variables["current"] = owner if setting.current is None else setting.current
        for name, variable in emitted.instances.items():
            if name not in setting.instances:
                reason = f"没有名为 {name[:40]!r} 的数据表（instance）"
                raise ExpressionFailed(self.text, reason)
            variables[variable] = setting.instances[name]
        for element in variables.values():
            assert is_of_tree(element, owner), "of another tree"
        return variables

    def _check_cost(self, owner: etree._Element) -> None:
        size: Any = _count_all(owner)
        if size ** min(self._power, 9) > cost.MAX_VISITS:
            reason = f"对 {size:.0f} 个节点要算太久，请去掉嵌套的查找"
            raise ExpressionFailed(self.text, reason)

    def _with_document(
        self, value: list[Node], owner: etree._Element, seat: Seat, setting: Setting
    ) -> Value:
        if not self._run(self._program(seat, True), owner, setting):
            return value
        return [owner.getroottree(), *value]


def compile_expression(
    text: str, namespaces: Mapping[str, str] = _NO_NAMESPACES
) -> Expression:
    """Return the expression that a text says; the same texts share one.

    Args:
        text: XPath 1.0 with the functions of OpenRosa.
        namespaces: prefix to URI; the prefix "" is for element names without one.

    Raises:
        ExpressionRefused: it breaks the grammar, calls what is unknown, or is too long.
    """
    return _compiled(text, tuple(sorted(namespaces.items())))


@lru_cache(maxsize=5_000)
def _compiled(text: str, namespaces: tuple[tuple[str, str], ...]) -> Expression:
    return Expression(text, parse(text), dict(namespaces))
