"""An XLSForm as sheets: headings and rows of text. Pure: no I/O.

Whatever the file was (.xlsx, .xls, .csv, Markdown), a row keeps the number that it has
in its sheet, so that a fault can say where it stands.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from forms.author.xlsx import Cell, Formula, Row
from forms.errors import FormFileRefused, FormProblem

SURVEY, CHOICES, SETTINGS = "survey", "choices", "settings"
NAMES = (SURVEY, CHOICES, SETTINGS, "external_choices", "entities", "osm")
"""The sheets that have a meaning; whatever else a workbook holds is not looked at."""

MOST_ROWS = {SURVEY: 2_000, CHOICES: 10_000, "external_choices": 10_000}
MOST_OTHER_ROWS = 1_000
MAX_CELL = 32_767
"""Characters of a cell, as many as Excel takes."""

FOR_PEOPLE = {"label", "hint", "guidance_hint", "constraint_message"}
FOR_PEOPLE |= {"required_message"}
"""Columns that people read: what stands there must not change with a cell elsewhere."""

_FORMULA = "这里是 Excel 公式，请换成文字（复制后选“粘贴为数值”）"

_SPELLINGS = {
    "relevance": "relevant",
    "calculate": "calculation",
    "read_only": "readonly",
    "count": "repeat_count",
    "jr:count": "repeat_count",
    "constraining_message": "constraint_message",
    "jr:constraintmsg": "constraint_message",
    "jr:requiredmsg": "required_message",
    "requiredmsg": "required_message",
    "caption": "label",
    "command": "type",
    "tag": "name",
    "value": "name",
    "list name": "list_name",
}
_INNER = {"bind", "control", "instance"}
"""What may stand before `::` and says nothing of its own."""

_SPACES = re.compile(r"\s+")


@dataclass(slots=True)
class Sheet:
    """A sheet: `rows[0]` stands on line `first_row` and is empty where that line is."""

    name: str
    headings: tuple[str, ...] = ()
    rows: list[dict[str, str]] = field(default_factory=list)
    first_row: int = 2

    def heading(self, column: str) -> str:
        """Return the heading of a column as the author wrote it, "" if there is none.

        `column` is what `plain` makes of a heading; of several (a language each), the
        first is meant.
        """
        return next((h for h in self.headings if plain(h) == column), "")

    def cells(self, row: Mapping[str, str], column: str) -> list[tuple[str, str]]:
        """Return (heading, text) of the cells of a row, in all languages."""
        return [(h, text) for h, text in row.items() if plain(h) == column]

    def text(self, row: Mapping[str, str], column: str) -> str:
        """Return the text of a column in a row, the first of all languages."""
        return next((text for _, text in self.cells(row, column)), "")


@dataclass(slots=True)
class Book:
    """The sheets of a form by name, and the names of all that the file holds."""

    sheets: dict[str, Sheet]
    names: list[str]

    @property
    def survey(self) -> Sheet:
        """The sheet of the questions."""
        return self.sheets.get(SURVEY, Sheet(SURVEY))


def plain(heading: str) -> str:
    """Return the column that a heading means, its language and spelling left out.

    "Constraint Message::中文(zh)" is constraint_message, "bind::relevant" is relevant.
    """
    parts = [part.strip().lower() for part in heading.split("::")]
    first = _SPACES.sub("_", parts[1] if parts[0] in _INNER and parts[1:] else parts[0])
    return _SPELLINGS.get(first, first)


def book_of(grids: Mapping[str, Iterable[Row]], problems: list[FormProblem]) -> Book:
    """Return the sheets of a file, and add what is wrong with their cells.

    Raises:
        FormFileRefused: a sheet has more rows than a form may have.
    """
    sheets = {}
    for title, rows in grids.items():
        name = title.strip().lower()
        if len(grids) == 1 and name not in NAMES:
            name = SURVEY  # a file of one sheet needs no name
        if name in NAMES and name not in sheets:
            sheets[name] = _sheet(name, list(rows), problems)
    return Book(sheets, list(grids))


def _sheet(name: str, rows: list[Row], problems: list[FormProblem]) -> Sheet:
    if not rows:
        return Sheet(name)
    top, head = rows[0]
    headings = _headings(name, top, head, problems)
    sheet = Sheet(name, tuple(headings.values()), [], top + 1)
    most = MOST_ROWS.get(name, MOST_OTHER_ROWS)
    for number, cells in rows[1:]:
        if number - top > most:
            message = f"最多 {most} 行，请分成几张表单，或把选项放到外部列表（CSV）"
            problems.append(FormProblem(name, number, "", message))
            raise FormFileRefused(problems)
        row = {}
        for column, cell in cells.items():
            if column not in headings:
                continue
            heading = headings[column]
            text, fault = _text(cell, for_people=plain(heading) in FOR_PEOPLE)
            if fault:
                problems.append(FormProblem(name, number, heading, fault))
                text = text or "…"  # so that nobody says that nothing stands there
            if text:
                row[heading] = text
        sheet.rows += [{} for _ in range(number - sheet.first_row - len(sheet.rows))]
        sheet.rows.append(row)
    return sheet


def _headings(
    name: str, top: int, head: Mapping[int, Cell], problems: list[FormProblem]
) -> dict[int, str]:
    """Return the headings by column."""
    headings: dict[int, str] = {}
    for column, cell in head.items():
        text, fault = _text(cell)
        heading = _SPACES.sub(" ", text)
        if not fault and heading in headings.values():
            fault = "这一列写了两次，请删掉或合并一列"
        if fault:
            problems.append(FormProblem(name, top, heading, fault))
        elif heading:
            headings[column] = heading
    return headings


def _text(cell: Cell, *, for_people: bool = False) -> tuple[str, str]:
    """Return the text of a cell, and what is wrong with it, if anything is."""
    match cell:
        case Formula() if for_people or cell.shown is None:
            return "", _FORMULA
        case Formula():
            assert cell.shown is not None
            return _text(cell.shown)
        case bool():
            return ("TRUE" if cell else "FALSE"), ""
        case float() if cell.is_integer():
            return str(int(cell)), ""
        case date():
            return cell.isoformat(), ""
    if for_people and str(cell).startswith("="):
        return "", _FORMULA
    # Excel's own way to keep a space from breaking a line.
    text = str(cell).replace("\u00a0", " ").strip()
    if len(text) > MAX_CELL:
        return "", f"有 {len(text)} 个字，最多 {MAX_CELL} 个"
    wrong = next((c for c in text if c != "\n" and c < " " and c not in "\t\r"), "")
    if wrong:
        return "", f"有看不见的控制字符（U+{ord(wrong):04X}），请重新输入这一格"
    return text, ""
