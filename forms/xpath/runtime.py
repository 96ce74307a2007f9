"""Our functions as libxml2 calls them. Pure: no I/O, no clock.

libxml2 passes no data of ours to a function: what it needs lies in `RUNNING`.
"""

import operator
from collections.abc import Callable
from math import isnan
from typing import Any

from lxml import etree

from forms.xpath.emit import COMPARISONS, OURS
from forms.xpath.errors import NoValue
from forms.xpath.function import Function, Type
from forms.xpath.functions import FUNCTIONS
from forms.xpath.running import RUNNING, is_of_tree
from forms.xpath.setting import Setting
from forms.xpath.values import Value, text_of, to_boolean, to_number, to_string

Extension = Callable[..., Value]


def _nodes(value: Value, _setting: Setting) -> Value:
    if not isinstance(value, list):
        raise NoValue("这里应是路径，不能是文字、数字或真假")
    return value


_CONVERT: dict[Type, Callable[[Value, Setting], Value]] = {
    Type.BOOLEAN: lambda value, _setting: to_boolean(value),
    Type.NUMBER: lambda value, setting: to_number(value, setting.zone),
    Type.STRING: lambda value, _setting: to_string(value),
    Type.NODES: _nodes,
    Type.ANY: lambda value, _setting: value,
}


_FROM_CALLER = frozenset(["instance", "jr:itext"])
"""Functions whose nodes are the caller's."""


def _extension(function: Function) -> Extension:
    """Return a function that libxml2 can call."""
    work = function.work
    assert work is not None
    converters = [_CONVERT[kind] for kind in function.takes]
    if function.after_current:
        converters.insert(0, _CONVERT[Type.ANY])
    last = converters[-1] if converters else _CONVERT[Type.ANY]

    def call(_context: Any, *arguments: Value) -> Value:
        setting = RUNNING.setting
        known = len(converters)
        value = work(
            setting,
            *(
                (converters[number] if number < known else last)(argument, setting)
                for number, argument in enumerate(arguments)
            ),
        )
        if function.name in _FROM_CALLER and isinstance(value, list):
            for node in value:
                assert isinstance(node, etree._Element)
                assert is_of_tree(node, RUNNING.owner), "of another tree"
        return value

    return call


_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _equality(equal: bool) -> Extension:
    """Return a comparison by `=` or `!=`, as XPath 1.0 section 3.4 says."""

    def call(_context: Any, left: Value, right: Value) -> bool:
        if isinstance(left, bool) or isinstance(right, bool):
            return (to_boolean(left) == to_boolean(right)) == equal
        lefts: set[float] | set[str] = _texts(left)
        rights: set[float] | set[str] = _texts(right)
        if isinstance(left, float) or isinstance(right, float):
            lefts, rights = _numbers(left), _numbers(right)
        if equal:
            return not lefts.isdisjoint(rights)
        # Two different values on either side, or NaN, which differs from itself.
        return bool(lefts and rights) and (
            len(lefts) > 1 or len(rights) > 1 or lefts != rights
        )

    return call


def _ordering(compare: Callable[[float, float], bool]) -> Extension:
    """Return a comparison by order: some node of one side with some of the other."""

    def call(_context: Any, left: Value, right: Value) -> bool:
        # As section 3.4 says, against truth a node-set counts as one truth.
        if isinstance(left, bool) and isinstance(right, list):
            right = to_boolean(right)
        if isinstance(right, bool) and isinstance(left, list):
            left = to_boolean(left)
        lefts = [number for number in _numbers(left) if not isnan(number)]
        rights = [number for number in _numbers(right) if not isnan(number)]
        if not lefts or not rights:
            return False
        if compare(0, 1):
            return compare(min(lefts), max(rights))
        return compare(max(lefts), min(rights))

    return call


def _texts(value: Value) -> set[str]:
    if isinstance(value, list):
        return {text_of(node) for node in value}
    return {to_string(value)}


def _numbers(value: Value) -> set[float]:
    zone = RUNNING.setting.zone
    if isinstance(value, list):
        return {to_number(text_of(node), zone) for node in value}
    return {to_number(value, zone)}


_WORKS: dict[str, Extension] = {
    **{
        name: _extension(function)
        for name, function in FUNCTIONS.items()
        if function.work is not None
    },
    COMPARISONS["="]: _equality(True),
    COMPARISONS["!="]: _equality(False),
    **{COMPARISONS[sign]: _ordering(compare) for sign, compare in _ORDER.items()},
}

EXTENSIONS: dict[str, tuple[tuple[str, str], Extension]] = {
    name: ((OURS, name.replace(":", "-")), work) for name, work in _WORKS.items()
}
"""For each function of ours: the name under which libxml2 knows it, and its work."""
