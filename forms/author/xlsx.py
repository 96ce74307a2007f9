"""Rows of an .xlsx file, read with limits and written as plain text cells.

The one door to openpyxl, which is imported late: only the district has it. What comes
in is hostile: before openpyxl sees anything, the members of the zip are counted and
weighed by their declared sizes, beyond which zipfile never reads, and a DOCTYPE
anywhere is refused, since expat would take its entities.
"""

import importlib.util
import io
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from forms.errors import AUTHOR_MISSING, WorkbookProblem, WorkbookRefused

MAX_BYTES = 4 * 1024 * 1024
MAX_MEMBERS = 100
MAX_UNPACKED_BYTES = 16 * 1024 * 1024
MAX_MEMBER_BYTES: Mapping[str, int] = {
    "xl/worksheets/": 8 * 1024 * 1024,
    "xl/sharedStrings.xml": 4 * 1024 * 1024,
}
MAX_OTHER_BYTES = 512 * 1024
"""Largest member of any other name: styles, themes, properties."""

MAX_TAGS: Mapping[str, int] = {
    "xl/worksheets/": 500_000,
    "xl/sharedStrings.xml": 400_000,
}
MAX_OTHER_TAGS = 20_000
"""Most tags of any other member: time and memory follow their number, not the bytes."""

MAX_SHEETS = 20
MAX_ROWS = 20_000
MAX_COLUMNS = 60
MAX_GAP = 100
"""After so many empty rows a sheet ends: some programs write thousands of them."""

# In all encodings that expat reads.
_FORBIDDEN = [
    mark.encode(encoding)
    for mark in ("<!DOCTYPE", "<!ENTITY")
    for encoding in ("utf-8", "utf-16-le", "utf-16-be")
]
# What zipfile raises for streams that are cut, encrypted or of an unknown method.
_DAMAGED = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError, OSError),
)

Value = str | int | float | bool | date


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell that Excel works out; `shown` is what it was when the file was saved."""

    shown: Value | None = None


Cell = Value | Formula
Row = tuple[int, Mapping[int, Cell]]
"""The number of a row, from 1, and its cells that are not empty, by column from 1."""


def read(
    data: bytes, names: Collection[str] = (), *, as_shown: bool = False
) -> dict[str, list[Row]]:
    """Return the rows of each sheet that are not empty.

    Args:
        data: the bytes of the file.
        names: the sheets that are wanted, in small letters, for the others are given
            without rows; empty, or where none of them is there: all.
        as_shown: take of each formula what it was when the file was saved.

    Raises:
        WorkbookRefused: no .xlsx file, or beyond a limit.
    """
    _weigh(data)
    _must_be_installed()
    import openpyxl  # late: 0.3 s, and only the district has it

    try:
        book = openpyxl.load_workbook(
            io.BytesIO(data), read_only=True, keep_links=False, data_only=as_shown
        )
    except Exception as error:
        raise _refused(
            f"读不出工作表（{type(error).__name__}），请另存为 .xlsx 再试"
        ) from error
    try:
        if len(book.sheetnames) > MAX_SHEETS:
            raise _refused(
                f"最多 {MAX_SHEETS} 张工作表，现在 {len(book.sheetnames)} 张"
            )
        titles = {sheet.title: sheet.title.strip().lower() for sheet in book.worksheets}
        wanted = set(names) & set(titles.values()) or set(titles.values())
        return {
            sheet.title: list(_rows(sheet)) if titles[sheet.title] in wanted else []
            for sheet in book.worksheets
        }
    finally:
        book.close()


def column_letter(column: int) -> str:
    """Return the name of a column, from 1: 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def write(
    sheets: Mapping[str, Sequence[Sequence[Value | None]]],
    choices: Mapping[str, Mapping[int, Sequence[str]]],
) -> bytes:
    """Return an .xlsx file.

    Args:
        sheets: rows of cells by sheet, the headings first; None is an empty cell.
        choices: for each sheet and column, from 1, the words that Excel offers.
    """
    _must_be_installed()
    import openpyxl
    from openpyxl.styles import Alignment, Font
    from openpyxl.worksheet.datavalidation import DataValidation

    book = openpyxl.Workbook()
    book.remove(book.active)
    top = Alignment(vertical="top", wrap_text=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "B2"
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row, start=1):
                if value is None:
                    continue
                cell = sheet.cell(number, column, value)
                cell.alignment = top
                if isinstance(value, str):
                    # Otherwise a text that begins with = would be a formula.
                    cell.data_type = "s"
                    cell.number_format = "@"
        for column in range(1, len(rows[0]) + 1 if rows else 1):
            sheet.cell(1, column).font = Font(bold=True)
            sheet.column_dimensions[column_letter(column)].width = 18
        for column, words in choices.get(name, {}).items():
            offer = DataValidation("list", formula1=f'"{",".join(words)}"')
            letter = column_letter(column)
            offer.add(f"{letter}2:{letter}{MAX_ROWS}")
            sheet.add_data_validation(offer)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _must_be_installed() -> None:
    if importlib.util.find_spec("openpyxl") is None:
        raise _refused(AUTHOR_MISSING)


def _weigh(data: bytes) -> None:
    """Refuse what would grow too large, before anything is unpacked for good."""
    if len(data) > MAX_BYTES:
        raise _refused(f"文件有 {len(data)} 字节，最多 {MAX_BYTES} 字节")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise _refused(
                    f"压缩包里有 {len(members)} 个文件，最多 {MAX_MEMBERS} 个"
                )
            total = sum(member.file_size for member in members)
            if total > MAX_UNPACKED_BYTES:
                raise _refused(_too_large("解压后", total, MAX_UNPACKED_BYTES))
            for member in members:
                most = _most(MAX_MEMBER_BYTES, member.filename, MAX_OTHER_BYTES)
                if member.file_size > most:
                    name = member.filename[:60]
                    raise _refused(_too_large(f"{name} ", member.file_size, most))
            for member in members:
                _look_into(archive, member)
    except _DAMAGED as error:
        raise _refused("不是 .xlsx 文件，或已经损坏；.xls 请先另存为 .xlsx") from error


def _look_into(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    content, name = archive.read(member), member.filename[:60]
    if any(mark in content for mark in _FORBIDDEN):
        raise _refused(f"{name} 里有不该有的内容（DOCTYPE），没有打开")
    most = _most(MAX_TAGS, member.filename, MAX_OTHER_TAGS)
    tags = content.count(b"<")
    if tags > most:
        raise _refused(f"{name} 里有 {tags} 个标记，最多 {most} 个，没有打开")


def _most(limits: Mapping[str, int], name: str, otherwise: int) -> int:
    """Return the limit of a member, by the start of its name."""
    found = (most for start, most in limits.items() if name.startswith(start))
    return next(found, otherwise)


def _rows(sheet: object) -> Iterator[Row]:
    """Give the rows of a sheet; one row and column more than allowed is a fault."""
    last = 0
    title = sheet.title  # type: ignore[attr-defined]
    rows = sheet.iter_rows(max_row=MAX_ROWS + 1, max_col=MAX_COLUMNS + 1)  # type: ignore[attr-defined]
    try:
        for number, row in enumerate(rows, start=1):
            cells = {
                column: _cell(cell)
                for column, cell in enumerate(row, start=1)
                if cell.value is not None and cell.value != ""
            }
            if not cells:
                if number - last > MAX_GAP:
                    return
                continue
            last = number
            if number > MAX_ROWS:
                raise _refused(f"最多 {MAX_ROWS} 行", title, number)
            if max(cells) > MAX_COLUMNS:
                raise _refused(f"最多 {MAX_COLUMNS} 列", title, number, MAX_COLUMNS + 1)
            yield number, cells
    except WorkbookRefused:
        raise
    except Exception as error:
        raise _refused(f"读不出这张表（{type(error).__name__}）", title) from error


def _cell(cell: object) -> Cell:
    value: object = cell.value  # type: ignore[attr-defined]
    if cell.data_type == "f":  # type: ignore[attr-defined]
        return Formula()
    if isinstance(value, datetime):
        # A day is kept by Excel as its midnight.
        return value.date() if value.time() == time.min else value.isoformat()
    if isinstance(value, str | int | float | date):
        return value
    return str(value)


def _too_large(what: str, size_bytes: int, most_bytes: int) -> str:
    size, most = size_bytes / 1_000_000, most_bytes / 1_000_000
    return f"{what}有 {size:.1f} MB，最多 {most:.1f} MB，没有打开"


def _refused(
    message: str, sheet: str = "", row: int = 0, column: int = 0
) -> WorkbookRefused:
    letter = column_letter(column)
    return WorkbookRefused([WorkbookProblem(sheet, row, letter, message)])
