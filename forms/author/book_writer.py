"""Items written as a workbook: one row an item, further sheets for its parts.

Pure: no I/O; gives the bytes of the file. Nothing is lost on the way there and back
but comments that stand inside a TOML file: those at its top are the column 备注.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from forms.author import xlsx
from forms.author.cells import NO, YES, as_cell
from forms.author.columns import FILE, ITEMS, NOTES, SHEETS, Sheet, headings
from forms.author.named import Named
from forms.author.xlsx import Value
from forms.catalog.reader import PARTS, Entry
from forms.catalog.text import said
from forms.words import WORDS


def write_book(items: Iterable[Named]) -> bytes:
    """Return the workbook of some items."""
    rows: dict[str, list[list[Value | None]]] = {
        sheet.name: [[*headings(sheet)]] for sheet in SHEETS
    }
    for item in items:
        for sheet in SHEETS:
            rows[sheet.name] += _rows_of(item, sheet)
    return xlsx.write({NOTES: _notes(), **rows}, _offers())


def _rows_of(item: Named, sheet: Sheet) -> Iterator[list[Value | None]]:
    entry = item.entry
    if sheet is ITEMS:
        head = {"version": entry.version, "form": entry.form, "remark": item.remark}
        keys: dict[str, object] = head | said(entry.item)
        if entry.item.urgent is not None:
            keys["urgent"] = said(entry.item.urgent)
        yield [item.name, *_cells(sheet, keys)]
        return
    section, listed = sheet.within if sheet.parent else (sheet.section, "")
    parts = entry.fields if section == "field" else _parts(entry, section)
    for part in parts:
        if not sheet.parent:
            yield [item.name, *_cells(sheet, said(part))]
            continue
        for row in getattr(part, listed):
            yield [item.name, part.key, *_cells(sheet, said(row))]


def _parts(entry: Entry, section: str) -> tuple[Any, ...]:
    parts: tuple[Any, ...] = getattr(entry.item, PARTS[section][0])
    return parts


def _cells(sheet: Sheet, keys: Mapping[str, Any]) -> Iterator[Value | None]:
    for column in sheet.columns:
        value: Any = keys
        for step in column.path:
            value = value.get(step) if value is not None else None
        yield None if value is None else as_cell(value)


def _offers() -> dict[str, dict[int, list[str]]]:
    """Return the words that Excel offers, by sheet and column."""
    offers: dict[str, dict[int, list[str]]] = {}
    for sheet in SHEETS:
        first = 3 if sheet.parent else 2
        for number, column in enumerate(sheet.columns, start=first):
            if column.type is bool:
                offers.setdefault(sheet.name, {})[number] = [YES, NO]
            elif column.type in WORDS:
                words = [word for word in WORDS[column.type].values() if word]
                offers.setdefault(sheet.name, {})[number] = words
    return offers


def _notes() -> list[list[Value | None]]:
    lines: list[list[Value | None]] = [["工作表", "列", "怎样填"]]
    for sheet in SHEETS:
        lines.append(
            [sheet.name, FILE, "不带后缀，如 elder_card；同一事项在各表里写得一样"]
        )
        if sheet.parent:
            lines.append([sheet.name, sheet.parent, "这一行属于哪一个，照那张表填"])
        for column in sheet.columns:
            lines.append([sheet.name, column.heading, _hint(column.type)])
    return lines


def _hint(type_: Any) -> str:
    inner = get_args(type_)[0] if get_args(type_) else type_
    if inner in WORDS:
        words = "、".join(word for word in WORDS[inner].values() if word)
        several = "可以几个，用顿号隔开：" if inner is not type_ else "其中之一："
        return several + words
    if type_ is bool:
        return f"{YES} 或 {NO}"
    if inner is int:
        return "整数"
    if type_ == tuple[str, ...]:
        return "几条文字，一条一行（单元格里按 Alt+Enter 换行）"
    return "文字"
