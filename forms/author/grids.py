"""The files in which an XLSForm may come, read as rows of cells. Pure: no I/O.

All limits that can be checked before a library sees the bytes stand here and in
`forms.author.xlsx`; the time and the memory of the libraries are bounded by the child
process that all of this runs in (`forms.author.worker`).
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from forms.author import xlsx
from forms.author.sheets import NAMES
from forms.author.xlsx import Cell, Formula, Row
from forms.errors import FormFileRefused, FormProblem, WorkbookRefused

MAX_BYTES = 4 * 1024 * 1024
MAX_COLUMNS = 250
MAX_ROWS = 20_000
"""Of all sheets of a text together."""

_PIPE = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"[|\s:-]+")

Grids = dict[str, list[Row]]


def read(suffix: str, data: bytes) -> Grids:
    """Return the rows of each sheet; `suffix` is that of the file, as ".xlsx".

    Raises:
        FormFileRefused: no such file, or beyond a limit.
    """
    if len(data) > MAX_BYTES:
        raise _refused(f"文件有 {len(data)} 字节，最多 {MAX_BYTES} 字节")
    reader = READERS.get(suffix.lower())
    if reader is None:
        known = "、".join(READERS)
        raise _refused(
            f"不认识 {suffix[:20] or '没有后缀的文件'}，可以是 {known} 或 .xml"
        )
    return reader(data)


def _from_xlsx(data: bytes) -> Grids:
    try:
        grids = xlsx.read(data, NAMES)
        if not any(map(_has_formula, grids.values())):
            return grids
        shown = xlsx.read(data, NAMES, as_shown=True)
    except WorkbookRefused as refused:
        raise FormFileRefused(
            [FormProblem(p.sheet, p.row, p.column, p.message) for p in refused.problems]
        ) from refused
    return {title: _as_shown(rows, shown[title]) for title, rows in grids.items()}


def _has_formula(rows: list[Row]) -> bool:
    return any(isinstance(cell, Formula) for _, row in rows for cell in row.values())


def _as_shown(rows: list[Row], shown: list[Row]) -> list[Row]:
    """Return rows whose formulas know what they were when the file was saved."""
    values = dict(shown)

    def known(number: int, column: int, cell: Cell) -> Cell:
        value = values.get(number, {}).get(column)
        if not isinstance(cell, Formula) or isinstance(value, Formula):
            return cell
        return Formula(value)

    return [
        (number, {column: known(number, column, cell) for column, cell in row.items()})
        for number, row in rows
    ]


def _from_xls(data: bytes) -> Grids:
    import xlrd  # late: only the district has it

    try:
        book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO())
        return {sheet.name: list(_xls_rows(sheet)) for sheet in book.sheets()}
    except FormFileRefused:
        raise
    except Exception as error:  # of any kind, where the file is damaged
        reason = f"不是 .xls 文件，或已经损坏（{type(error).__name__}）"
        raise _refused(f"{reason}，请另存为 .xlsx 再试") from error


def _xls_rows(sheet: object) -> Iterable[Row]:
    import xlrd

    rows, columns = sheet.nrows, sheet.ncols  # type: ignore[attr-defined]
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        raise _refused(f"最多 {MAX_ROWS} 行、{MAX_COLUMNS} 列")
    for number in range(rows):
        cells: dict[int, Cell] = {}
        for column, cell in enumerate(sheet.row(number), start=1):  # type: ignore[attr-defined]
            value: Cell = cell.value
            if cell.ctype == xlrd.XL_CELL_BOOLEAN:
                value = bool(value)
            elif cell.ctype == xlrd.XL_CELL_DATE:
                value = _xls_date(float(cell.value), sheet.book.datemode)  # type: ignore[attr-defined]
            elif cell.ctype == xlrd.XL_CELL_ERROR:
                value = ""
            if value != "":
                cells[column] = value
        if cells:
            yield number + 1, cells


def _xls_date(value: float, mode: int) -> Cell:
    import xlrd

    try:
        year, month, day, *clock = xlrd.xldate_as_tuple(value, mode)
    except xlrd.XLDateError:
        return value  # a number that only looks like a day
    time = ":".join(f"{part:02}" for part in clock)
    if not year:
        return time
    at = "" if time == "00:00:00" else f"T{time}"
    return f"{year:04}-{month:02}-{day:02}{at}"


def _from_csv(data: bytes) -> Grids:
    """Read sheets one under the other: a name in the first column begins one."""
    rows = csv.reader(io.StringIO(_decoded(data), newline=""))
    try:
        return _in_sheets((row[0], row[1:]) for row in rows if row)
    except csv.Error as error:
        raise _refused(f"表格读不懂（{str(error)[:200]}）") from error


def _from_markdown(data: bytes) -> Grids:
    """Read tables: the first cell names the sheet where a new one begins."""
    tables = []
    for line in _decoded(data).splitlines():
        text = line.strip()
        if not text.startswith("|"):
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in _PIPE.split(text)[1:-1]]
        if cells and not (_RULE.fullmatch(text) and any(cells)):
            tables.append((cells[0], cells[1:]))
    return _in_sheets(tables)


def _in_sheets(rows: Iterable[tuple[str, list[str]]]) -> Grids:
    """Return rows by sheet, each with the number that it has in there."""
    grids: Grids = {}
    sheet: list[Row] = []
    number = 0
    for total, (first, texts) in enumerate(rows):
        if total == MAX_ROWS or len(texts) > MAX_COLUMNS:
            raise _refused(f"最多 {MAX_ROWS} 行、{MAX_COLUMNS} 列")
        if name := first.strip():
            sheet, number = grids.setdefault(name, []), 0
        cells: dict[int, Cell] = {
            column: text for column, text in enumerate(texts, start=1) if text.strip()
        }
        if not grids or (not cells and not number):
            continue
        number += 1
        if cells:
            sheet.append((number, cells))
    if not grids:
        raise _refused("里面没有工作表，第一列要写 survey，标题和问题写在它下面")
    return grids


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refused("文字编码读不懂，请另存为 UTF-8")


def _refused(message: str) -> FormFileRefused:
    return FormFileRefused([FormProblem("", 0, "", message)])


READERS: Mapping[str, Callable[[bytes], Grids]] = MappingProxyType(
    {
        ".xlsx": _from_xlsx,
        ".xlsm": _from_xlsx,
        ".xls": _from_xls,
        ".csv": _from_csv,
        ".md": _from_markdown,
    }
)
"""How a file is read, by its suffix."""
