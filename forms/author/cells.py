"""What stands in a cell for a value of an item, and back. Pure: no I/O.

Clerks read and write Chinese words; a text comes back exactly as it was written.
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import get_args

from forms.author.columns import Column
from forms.author.xlsx import Cell, Formula, Value
from forms.words import WORDS

YES, NO = "是", "否"
_SEPARATORS = re.compile(r"[、，,;；\s]+")
_EXACT = 10**15
"""Excel keeps 15 digits of a number and makes zeros of the others."""


class Unfit(Exception):
    """A cell does not hold what its column wants; the sentence says what would."""


def as_cell(value: object) -> Value | None:
    """Return a value of an item as the clerk sees it; None leaves the cell empty."""
    match value:
        case bool():
            return YES if value else NO
        case StrEnum():
            return WORDS[type(value)][value]
        case tuple():
            glue = "、" if value and isinstance(value[0], StrEnum) else "\n"
            return glue.join(str(as_cell(entry)) for entry in value) or None
        case str():
            return value or None
        case int():
            return value
    raise AssertionError(f"no such value in an item: {type(value)}")


def value_of(column: Column, cell: Cell) -> object:
    """Return a cell as the value that a TOML file would have.

    Raises:
        Unfit: the column wants something else.
    """
    if isinstance(cell, Formula):
        raise Unfit("这里是公式，请复制后用“粘贴为值”换成文字或数字")
    inner = get_args(column.type)[0] if get_args(column.type) else column.type
    if inner in WORDS:
        several = column.type != inner
        typed = _SEPARATORS.split(text_of(cell)) if several else [text_of(cell)]
        values = [_member(WORDS[inner], word) for word in typed if word]
        return values if several else values[0]
    if column.type is bool:
        return _truth(cell)
    if inner is int:
        return _integer(cell)
    if column.type == tuple[str, ...]:
        return _exact_text(cell).split("\n")
    return _exact_text(cell)


def _member(words: Mapping[str, str], typed: str) -> str:
    for value, word in words.items():
        if typed in (word, str(value)):
            return str(value)
    raise Unfit(f"应是 {'、'.join(word for word in words.values() if word)} 之一")


def _truth(cell: Cell) -> bool:
    if isinstance(cell, bool):
        return cell
    if text_of(cell) not in (YES, NO):
        raise Unfit(f"应是 {YES} 或 {NO}")
    return text_of(cell) == YES


def _integer(cell: Cell) -> int:
    if isinstance(cell, str) and re.fullmatch(r"-?[0-9]{1,15}", cell.strip()):
        return int(cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    raise Unfit("应是整数")


def _exact_text(cell: Cell) -> str:
    """Return a cell as text, exactly as it was typed."""
    if isinstance(cell, int | float) and abs(cell) >= _EXACT:
        raise Unfit("数字太长，Excel 会改掉末几位，请把单元格设为“文本”再填一次")
    return cell.replace("\r\n", "\n") if isinstance(cell, str) else text_of(cell)


def text_of(cell: Cell | None) -> str:
    """Return a cell as a word, without blanks at its ends."""
    match cell:
        case None | Formula():
            return ""
        case date():
            return cell.isoformat()
        case float() if cell.is_integer():
            return str(int(cell))
    return str(cell).strip()
