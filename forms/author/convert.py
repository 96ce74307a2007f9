"""The sheets of an XLSForm made into an XForm by pyxform. Pure: no I/O.

The one door to pyxform, which is imported late: only the district has it. It stops at
its first fault, so what it names is mended and it is asked again, until it names
nothing more: the author sees all faults at once, and nothing is published.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from forms.author.converter_words import Mend, Said, explain
from forms.author.sheets import SETTINGS, SURVEY, Book, Sheet, plain
from forms.errors import FormProblem

OWN_PREFIX = "lianban:"
OWN_NAMESPACE = 'lianban="urn:lianban:form"'
"""How columns of ours are declared in the settings."""

MAX_ROUNDS = 15
"""How many faults of pyxform are looked for; each costs a conversion."""


@dataclass(slots=True)
class Converted:
    """What became of the sheets; `xform` is empty where nothing did."""

    xform: str = ""
    problems: list[FormProblem] = field(default_factory=list)
    """Where there are any, the XForm is only good to look for more."""


def convert(book: Book, fallback_name: str) -> Converted:
    """Return the XForm of a form; `fallback_name` is its id where it says none.

    What was mended to look for more stays mended in `book`.
    """
    logging.getLogger("pyxform").setLevel(logging.ERROR)
    from pyxform.errors import PyXFormError  # late: 0.4 s, and only the district has it
    from pyxform.xls2xform import convert as pyxform_convert

    _declare_own(book)
    made = Converted()
    for _ in range(MAX_ROUNDS):
        try:
            result = pyxform_convert(_as_dict(book, fallback_name))
        except PyXFormError as error:
            found = explain(str(error.args[0] if error.args else error))
            if not _take(found, book, made.problems):
                break
        except RecursionError:
            made.problems.append(FormProblem(SURVEY, 0, "", "分组套得太深，请减少分组"))
            break
        except Exception as error:  # noqa: BLE001 - mistakes of its own, whatever they are
            message = f"换算程序出错了（{type(error).__name__}），请把文件交给技术人员"
            made.problems.append(FormProblem("", 0, "", message))
            break
        else:
            made.xform = result.xform
            break
    return made


def _declare_own(book: Book) -> None:
    """Say what `lianban:` means in the headings, where the author has not."""
    if not any(OWN_PREFIX in heading for heading in book.survey.headings):
        return
    settings = book.sheets.setdefault(SETTINGS, Sheet(SETTINGS))
    if not settings.rows:
        settings.rows.append({})
    first = settings.rows[0]
    said = settings.text(first, "namespaces")
    if OWN_PREFIX.rstrip(":") not in said:
        heading = settings.heading("namespaces") or "namespaces"
        first[heading] = f"{said} {OWN_NAMESPACE}".strip()


def _as_dict(book: Book, fallback_name: str) -> dict[str, Any]:
    """Return the sheets as pyxform takes them; it changes what it is given."""
    given: dict[str, Any] = {"sheet_names": list(book.names)}
    given["fallback_form_name"] = fallback_name
    for name, sheet in book.sheets.items():
        given[name] = [dict(row) for row in sheet.rows]
        headings = dict.fromkeys(sheet.headings)
        added = {heading: None for row in sheet.rows for heading in row}
        given[f"{name}_header"] = [headings | added]
    return given


def _take(
    found: Iterable[Said],
    book: Book,
    problems: list[FormProblem],
) -> bool:
    """Note faults, mend them, and say whether it makes sense to go on."""
    goes_on = True
    for said in found:
        sheet = book.sheets.get(said.sheet)
        index = said.row - 2 if said.row >= 2 else _row_of(sheet, said)
        heading = sheet.heading(plain(said.column)) if sheet else ""
        line = index + sheet.first_row if sheet and index is not None else 0
        if said.row == 1 and sheet:
            line = sheet.first_row - 1
        column = heading or said.column
        problem = FormProblem(said.sheet, line, column, said.message)
        if problem in problems:
            return False
        problems.append(problem)
        rows = sheet.rows if sheet else []
        is_there = index is not None and 0 <= index < len(rows)
        goes_on = goes_on and is_there and _mend(said.mend, rows, index or 0, column)
    return goes_on


def _row_of(sheet: Sheet | None, said: Said) -> int | None:
    """Return the row that a fault means which tells only what stands there."""
    if sheet is None or said.row or not said.value:
        return None
    column = "type" if plain(said.column) == "type" else "name"
    rows = enumerate(sheet.rows)
    return next((at for at, row in rows if sheet.text(row, column) == said.value), None)


def _mend(mend: Mend, rows: list[dict[str, str]], index: int, column: str) -> bool:
    """Change a row so that pyxform finds the next fault; say whether it could be."""
    meant, row = plain(column), rows[index]
    cells = [heading for heading in row if plain(heading) == meant]
    match mend:
        case Mend.CLEAR:
            for heading in cells:
                del row[heading]
            return bool(cells)
        case Mend.FILL:
            filler = "''" if meant == "calculation" else f"unnamed_{index}"
            row[cells[0] if cells else column] = filler
        case Mend.TEXT:
            kinds = [heading for heading in row if plain(heading) == "type"]
            row[kinds[0] if kinds else "type"] = "text"
        case _:
            return False
    return True
