"""The four kinds of values and how one becomes another. Pure: no I/O, no clock.

As XPath 1.0 sections 3 and 4 say, and as OpenRosa adds: where a number is wanted, a
text that is a date counts as days since 1970-01-01 UTC, in the zone of the caller.
"""

import math
import re
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import TypeAlias

from lxml import etree

from forms.xpath.dates import days, read_moment

Node: TypeAlias = etree._Element | etree._ElementTree | str
"""An element, comment or instruction; the document; an attribute or a text.

Attributes and texts are the strings of lxml that know where they come from
(`getparent()`, `is_attribute`, `attrname`); a plain string is no node of a tree.
"""

Value: TypeAlias = bool | float | str | list[Node]
"""What an expression gives; nodes in document order, `randomize` excepted."""

SPACE = " \t\r\n"
NAN = math.nan

_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_string = etree.XPath("string()", smart_strings=False)


def to_string(value: Value) -> str:
    """Return the value as a text; of several nodes the first counts."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return text_of(value[0]) if value else ""
    return _written(float(value))


def to_number(value: Value, zone: tzinfo = UTC) -> float:
    """Return the value as a number; NaN if it is none.

    Args:
        value: a date or a date with time counts as days since 1970-01-01 UTC.
        zone: where a date without an offset begins.
    """
    if isinstance(value, list):
        value = text_of(value[0]) if value else ""
    if not isinstance(value, str):
        return float(value)
    text = value.strip(SPACE)
    if _NUMBER.fullmatch(text):
        return float(text)
    moment = read_moment(text, zone)
    return NAN if moment is None else days(moment)


def to_boolean(value: Value) -> bool:
    """Return false for an empty text, no node, zero and NaN; true for the rest."""
    if isinstance(value, float):
        return not (value == 0 or math.isnan(value))
    return bool(value)


def text_of(node: Node) -> str:
    """Return the string value of a node: all of the text in it."""
    if isinstance(node, str):
        return str(node)
    if isinstance(node, etree._Element) and len(node) == 0:
        return node.text or ""
    return str(_string(node))


def nodes_of(value: Value) -> list[Node]:
    """Return the nodes of a value; a value that is none stands for itself."""
    return value if isinstance(value, list) else [to_string(value)]


def _written(number: float) -> str:
    """Return the shortest digits that mean this very number, never an exponent."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == int(number):
        return str(int(number))
    digits = repr(number)
    return format(Decimal(digits), "f") if "e" in digits else digits
