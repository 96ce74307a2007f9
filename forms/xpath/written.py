"""Parts of an expression as they are written for libxml2. Pure: no I/O."""

from dataclasses import dataclass

from forms.xpath.function import Type


@dataclass(frozen=True, slots=True)
class Written:
    """XPath text that may stand anywhere, its type, and the literal it is, if one."""

    text: str
    type: Type
    literal: str | None = None
    is_number: bool = False  # a number as it was written
    is_plain: bool = False  # a path without predicates: cheap to write twice


def needs_dates(left: Written, operator: str, right: Written) -> bool:
    """Whether nodes are compared by what may be their days."""
    types = {left.type, right.type}
    if Type.NODES not in types or Type.BOOLEAN in types:
        return False
    if operator in {"=", "!="}:
        # No stored date is a number that somebody would write down.
        return Type.NUMBER in types and not (left.is_number or right.is_number)
    return True


def guarded(ours: str, left: Written, operator: str, right: Written) -> str:
    """Call ours only if there is a dash, as in dates: ten times as fast on tables."""
    nodes, number = (left, right) if left.is_plain else (right, left)
    if not (nodes.is_plain and number.is_number):
        return ours
    native = f"{left.text} {operator} {right.text}"
    return f"({native} or (({nodes.text})[contains(., '-')] and {ours}))"


def joined(choices: list[Written]) -> Type:
    """Return the type of one of these, whichever; an empty text fits to dates."""
    types = {choice.type for choice in choices if choice.literal != ""}
    if not types:
        return Type.STRING
    if len(types) > 1:
        return Type.ANY
    (only,) = types
    empty = any(choice.literal == "" for choice in choices)
    return Type.ANY if empty and only not in {Type.DATE, Type.STRING} else only


def may_be_date(text: str) -> bool:
    """Tell whether a text has the looks of a date."""
    return text.strip()[:4].isdecimal() and "-" in text
