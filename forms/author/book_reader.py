"""Items read from a workbook, with all faults by sheet, row and column.

Pure: no I/O; takes the bytes of the file. A row becomes the same tables as a TOML
file, and `forms.catalog.reader` judges both.
"""

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forms.author import xlsx
from forms.author.cells import Unfit, text_of, value_of
from forms.author.columns import FILE, HEAD_KEYS, ITEMS, NOTES, SHEETS, Sheet, headings
from forms.author.named import Named
from forms.author.xlsx import Cell, Formula, Row
from forms.catalog.lines import Where
from forms.catalog.reader import read_tables
from forms.errors import Fault, WorkbookProblem, WorkbookRefused
from forms.text import unwanted

NAME = re.compile(r"[\w-]{1,60}")
MAX_REMARK = 4_000


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the values of one row of a sheet stand."""

    sheet: Sheet
    row: int
    columns: Mapping[str, int]
    """Column number by heading."""


def read_book(data: bytes) -> list[Named]:
    """Return the items of a workbook, in the order of their rows.

    Raises:
        WorkbookRefused: no workbook, beyond a limit, or anything is wrong with any
            item; all of it is listed, by sheet, row and column.
    """
    reader = _Reader(xlsx.read(data))
    items = reader.items()
    if reader.problems:
        raise WorkbookRefused(reader.problems)
    return items


class _Reader:
    """Makes tables of rows, and collects what is wrong on the way."""

    def __init__(self, sheets: Mapping[str, Sequence[Row]]) -> None:
        self.problems: list[WorkbookProblem] = []
        self._sheets = sheets
        self._tables: dict[str, dict[str, Any]] = {}
        self._places: dict[str, dict[Where, _Place]] = {}
        self._unfit: set[tuple[str, Where]] = set()

    def items(self) -> list[Named]:
        names = [sheet.name for sheet in SHEETS]
        for name in self._sheets:
            if name not in (NOTES, *names):
                near = difflib.get_close_matches(name[:60], names, n=1, cutoff=0.5)
                hint = f"，是不是 {near[0]}？" if near else "，请删掉或改名"
                self._add(name, 0, "", f"没有这张工作表{hint}")
        for sheet in SHEETS:
            self._sheet(sheet, self._sheets.get(sheet.name, ()))
        named = [self._item(name, table) for name, table in self._tables.items()]
        items = [item for item in named if item is not None]
        self._repeated_codes(items)
        if not named and not self.problems:
            self._add(ITEMS.name, 0, "", "没有事项，请从第 2 行填起")
        return items

    def _item(self, name: str, table: dict[str, Any]) -> Named | None:
        remark = table.pop("remark", None) or ""
        entry, faults = read_tables(table)
        places = self._places[name]
        if len(remark) > MAX_REMARK or any(map(unwanted, remark.split("\n"))):
            message = f"最多 {MAX_REMARK} 个字，不能有看不见的字符"
            faults.append(Fault(("remark",), message))
        for fault in faults:
            where: Where = fault.where
            if (name, where) in self._unfit:
                continue  # said already, in the words of the sheet
            if (*where, 0) in places:  # of all rows together: say it at the first
                where = (*where, 0)
            while where and where not in places:
                where = where[:-1]
            place = places.get(where, places[("item",)])
            rest = fault.where[len(where) :]
            heading, letter = _heading(place, rest, fault.where)
            message = f"{heading}：{fault.message}" if heading else fault.message
            self._add(place.sheet.name, place.row, letter, message)
        return Named(name, entry, remark) if entry else None

    def _sheet(self, sheet: Sheet, rows: Sequence[Row]) -> None:
        if not rows:
            if sheet is ITEMS:
                self._add(sheet.name, 0, "", f"缺少“{sheet.name}”这张工作表")
            return
        columns = self._columns(sheet, rows[0])
        if columns is None:
            return
        for number, cells in rows[1:]:
            self._row(sheet, _Place(sheet, number, columns), cells)

    def _columns(self, sheet: Sheet, head: Row) -> dict[str, int] | None:
        """Return the column of each heading, or None if rows cannot be read."""
        number, cells = head
        known = headings(sheet)
        columns: dict[str, int] = {}
        for column, cell in cells.items():
            heading = str(cell).strip() if not isinstance(cell, Formula) else "公式"
            if heading not in known:
                near = difflib.get_close_matches(heading[:60], known, n=1)
                hint = f"，是不是 {near[0]}？" if near else "，见“说明”表"
                self._add(sheet.name, number, column, f"没有这一列{hint}")
            elif heading in columns:
                self._add(sheet.name, number, column, "这一列写了两次")
            else:
                columns[heading] = column
        missing = [h for h in (FILE, sheet.parent) if h and h not in columns]
        for heading in missing:
            self._add(sheet.name, number, "", f"缺少“{heading}”一列")
        return None if missing else columns

    def _row(self, sheet: Sheet, place: _Place, cells: Mapping[int, Cell]) -> None:
        name = text_of(cells.get(place.columns[FILE]))
        if sheet is ITEMS:
            self._begin(name, place)
        if name not in self._tables:
            if sheet is not ITEMS:
                message = f"“{ITEMS.name}”表里没有这个文件名，请照那张表填"
                self._add(sheet.name, place.row, place.columns[FILE], message)
            return
        table = self._tables[name]
        at, row = self._spot(sheet, place, table, cells, name)
        if row is None:
            return
        self._places[name][at] = place
        for column in sheet.columns:
            cell = cells.get(place.columns.get(column.heading, 0))
            if cell is None or (isinstance(cell, str) and not cell):
                continue
            head = sheet is ITEMS and column.path[0] in HEAD_KEYS
            where = column.path if head else (*at, *column.path)
            target = table if head else row
            for step in column.path[:-1]:
                target = target.setdefault(step, {})
            try:
                target[column.path[-1]] = value_of(column, cell)
            except Unfit as error:
                target[column.path[-1]] = None
                self._unfit.add((name, where))
                number = place.columns[column.heading]
                message = f"{column.heading}：{error}"
                self._add(sheet.name, place.row, number, message)

    def _begin(self, name: str, place: _Place) -> None:
        message = ""
        if not NAME.fullmatch(name):
            message = "只用文字、数字、下划线和短横，不写后缀，最多 60 个字"
        elif name in self._tables:
            message = f"与前面的一行重复：{name}"
        if message:
            column = place.columns[FILE]
            self._add(place.sheet.name, place.row, column, f"{FILE}：{message}")
            return
        self._tables[name] = {}
        self._places[name] = {(): place}

    def _spot(
        self,
        sheet: Sheet,
        place: _Place,
        table: dict[str, Any],
        cells: Mapping[int, Cell],
        name: str,
    ) -> tuple[Where, dict[str, Any] | None]:
        """Return where in the tables of its item a row goes, and its own table."""
        row: dict[str, Any] = {}
        if sheet is ITEMS:
            if "item" in table:
                return (), None
            table["item"] = row
            return ("item",), row
        if not sheet.parent:
            listed = table.setdefault(sheet.section, [])
            listed.append(row)
            return (sheet.section, len(listed) - 1), row
        section, list_name = sheet.within
        key = text_of(cells.get(place.columns[sheet.parent]))
        for position, part in enumerate(table.get(section, [])):
            if part.get("key") == key:
                listed = part.setdefault(list_name, [])
                listed.append(row)
                return (section, position, list_name, len(listed) - 1), row
        column = place.columns[sheet.parent]
        message = f"{sheet.parent}：{name} 没有这一个，请照那张表填"
        self._add(sheet.name, place.row, column, message)
        return (), None

    def _repeated_codes(self, items: Sequence[Named]) -> None:
        counts = Counter(item.entry.item.code for item in items)
        for item in items:
            if counts[item.entry.item.code] > 1:
                place = self._places[item.name][("item",)]
                heading, letter = _heading(place, ("code",), ("item", "code"))
                message = f"{heading}：有几个事项用了同一个代码"
                self._add(ITEMS.name, place.row, letter, message)

    def _add(self, sheet: str, row: int, column: int | str, message: str) -> None:
        letter = xlsx.column_letter(column) if isinstance(column, int) else column
        self.problems.append(WorkbookProblem(sheet[:40], row, letter, message))


def _heading(place: _Place, rest: Where, where: Where) -> tuple[str, str]:
    """Return heading and letter of the column that a fault is about, if one is."""
    for column in place.sheet.columns:
        path: Where = column.path
        if path in (rest[: len(path)], where[: len(path)]):
            number = place.columns.get(column.heading)
            letter = xlsx.column_letter(number) if number else ""
            return column.heading, letter
    return "", ""
