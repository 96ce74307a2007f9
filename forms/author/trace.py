"""Where in the sheets that stands which the engine finds wrong in the form. Pure.

The engine speaks of paths of the XForm and of parts of a question; the author of names
and columns.
"""

import re
from collections.abc import Iterator

from forms.author.outside import INSTANCE
from forms.author.sheets import CHOICES, SETTINGS, SURVEY, Book, Sheet
from forms.errors import DefinitionFault, FormProblem

COLUMNS = {
    "relevant": ("relevant",),
    "calculate": ("calculation", "default"),
    "constraint": ("constraint",),
    "required": ("required",),
    "readonly": ("readonly",),
    "count": ("repeat_count",),
    "itemset": ("choice_filter", "type"),
    "values": ("choice_filter", "type"),
    "default": ("default", "calculation"),
    "label": ("label", "hint", "constraint_message", "required_message"),
    "lianban:kind": ("lianban:kind", "appearance"),
    "lianban:role": ("lianban:role",),
    "name": ("name",),
    "type": ("type",),
    "appearance": ("appearance",),
}
"""For each part of a question, the columns in which it may have been written."""

META = {
    "/meta/instanceName": (SETTINGS, "instance_name"),
    "/meta/entity": ("entities", ""),
}
"""Where that stands which the form says of a whole filling: sheet and column."""

_BEGIN = re.compile(r"begin[_ ](group|repeat|loop)\b", re.IGNORECASE)
_END = re.compile(r"end[_ ](group|repeat|loop)\b", re.IGNORECASE)
_PATH = re.compile(r"(?:/[^\W\d][\w.\-]*(?::[\w.\-]+)?)+")
_AT = re.compile(r"第 \d+ 个字符起，")
_MADE = {"": "", "_count": "count", "_other": ""}
"""What pyxform puts behind a name for the questions that it makes itself, and from
which part it makes them.
"""
_CHOICE = re.compile(r"(.+)-(\d+)")


class Tracer:
    """Knows on which row each path of the form was written."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._rows: dict[str, int] = {}
        above: list[str] = []
        for index, row in enumerate(book.survey.rows):
            kind, name = (book.survey.text(row, c) for c in ("type", "name"))
            if _END.match(kind):
                del above[-1:]
                continue
            if name:
                self._rows.setdefault("/".join([*above, name]), index)
            if _BEGIN.match(kind):
                above.append(name)

    def problem(self, fault: DefinitionFault) -> FormProblem:
        """Return a fault of the engine as one of the sheets."""
        message = self._named(fault.message)
        if fault.place.startswith(INSTANCE):
            return self._of_list(fault.place.removeprefix(INSTANCE), message)
        place = fault.place.rpartition(" ")[2]
        path, _, said = place.partition(":")
        if chosen := self._choice(place):
            return FormProblem(CHOICES, chosen, "label", message)
        for start, (sheet, column) in META.items():
            if start in path:
                return FormProblem(sheet, self._first(sheet), column, message)
        index, end = self._row(path)
        survey = self._book.survey
        if index is None:
            where = f"{self._named(fault.place)}：" if fault.place else ""
            return FormProblem("", 0, "", f"{where}{message}")
        row = survey.rows[index]
        part = _MADE[end] or fault.part or (said if said in COLUMNS else "")
        return FormProblem(
            SURVEY, index + survey.first_row, _column(survey, row, part), message
        )

    def _first(self, sheet: str) -> int:
        return self._book.sheets[sheet].first_row if sheet in self._book.sheets else 0

    def _row(self, path: str) -> tuple[int | None, str]:
        """Return the row of a path, or of what it was made from, and its ending."""
        steps = path.split("/")[2:]
        while steps:
            name = steps[-1]
            for end in _MADE:
                own = name.removesuffix(end) if end else name
                found = self._rows.get("/".join([*steps[:-1], own]))
                if found is not None:
                    return found, end
            steps.pop()
        return None, ""

    def _of_list(self, key: str, message: str) -> FormProblem:
        """Return a fault of a list, where the list is first spoken of."""
        survey = self._book.survey
        spoken = re.compile(
            rf"""['"]{re.escape(key)}(\.csv)?['"]|\b{re.escape(key)}\."""
        )
        for number, row in enumerate(survey.rows, start=survey.first_row):
            for heading, text in row.items():
                if spoken.search(text):
                    return FormProblem(SURVEY, number, heading, message)
        return FormProblem("", 0, "", f"{key}：{message}")

    def _choice(self, place: str) -> int:
        """Return the row of a choice, by the id that pyxform gave its text; 0: none."""
        found, sheet = _CHOICE.fullmatch(place), self._book.sheets.get(CHOICES)
        if not found or sheet is None:
            return 0
        rows = [
            number
            for number, row in enumerate(sheet.rows, start=sheet.first_row)
            if sheet.text(row, "list_name") == found[1]
        ]
        return rows[int(found[2])] if int(found[2]) < len(rows) else 0

    def _named(self, text: str) -> str:
        """Return a text with the names of questions in place of their paths."""
        return _PATH.sub(self._as_name, _AT.sub("", text))

    def _as_name(self, found: re.Match[str]) -> str:
        steps = found[0].split("/")[2:]
        known = "/".join(steps) in self._rows
        return f"${{{steps[-1]}}}" if known else found[0]


def _column(sheet: Sheet, row: dict[str, str], part: str) -> str:
    """Return the heading of the first cell in which a part may have been written."""
    filled = (
        h for column in COLUMNS.get(part, ()) for h, _ in sheet.cells(row, column)
    )
    return next(filled, "") or next(_headings(sheet, part), "")


def _headings(sheet: Sheet, part: str) -> Iterator[str]:
    return (h for column in COLUMNS.get(part, ()) if (h := sheet.heading(column)))
