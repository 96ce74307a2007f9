"""What can be seen in the sheets themselves, before they are converted. Pure: no I/O.

These are the faults that authors make most, so all of them are found at once and with
their cells: fields that do not exist, groups that do not close or are too deep.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from forms.author.sheets import (
    CHOICES,
    FOR_PEOPLE,
    NAMES,
    SETTINGS,
    SURVEY,
    Book,
    Sheet,
    plain,
)
from forms.errors import FormProblem

MAX_NESTING = 30
NOT_TAKEN = {"include": "include 要另一个文件，请把那里的问题抄到这张表里"}
"""Types of rows that pyxform knows and we do not, and what to do instead."""

FORMER = "lianban:was"
"""The column in which an author says what a question was called before."""

_REFERENCE = re.compile(r"\$\{\s*(?:last-saved#)?([^{}\s]*)\s*\}")
_BEGIN = re.compile(r"begin[_ ](group|repeat|loop)\b")
_END = re.compile(r"end[_ ](group|repeat|loop)\b")
# What may stand in a cell that must not be empty.
_WITHOUT = {"calculation": "''", "type": "text", "name": "unnamed"}
_SELECT = re.compile(
    r"(?:select[_ ](?:one|multiple)|rank)\s+(?:from\s+)?(\S+)", re.IGNORECASE
)
_NEAR = 0.7
"""How alike a name must be to be offered instead."""


@dataclass(frozen=True, slots=True)
class _Open:
    kind: str
    row: int


def faults_of(book: Book) -> list[FormProblem]:
    """Return what is wrong in single cells, in the order of the sheets."""
    return [
        *_kinds(book.survey),
        *_lists(book),
        *_references(book),
        *_former_names(book.survey),
    ]


def shape_faults_of(book: Book) -> list[FormProblem]:
    """Return what leaves no form to look for more faults in."""
    return [*_sheets(book), *_nesting(book.survey)]


def take_out(book: Book) -> None:
    """Take out what is wrong, as far as it is known here, to look for more faults."""
    for row in book.survey.rows:
        if _word(book.survey, row) in NOT_TAKEN:
            row.clear()
        if _lost_list(book, row):
            row[book.survey.heading("type")] = "text"
    known = names_of(book.survey)
    for sheet in book.sheets.values():
        for row in sheet.rows:
            for heading in [h for h, text in row.items() if set(_named(text)) - known]:
                column = plain(heading)
                if column in FOR_PEOPLE:
                    row[heading] = _REFERENCE.sub("…", row[heading])
                elif column in _WITHOUT:
                    row[heading] = _WITHOUT[column]
                else:
                    del row[heading]


def names_of(survey: Sheet) -> set[str]:
    """Return the names of all questions, groups and repeats."""
    return {survey.text(row, "name") for row in survey.rows} - {""}


def _sheets(book: Book) -> Iterator[FormProblem]:
    if SURVEY in book.sheets:
        return
    near = difflib.get_close_matches(SURVEY, [n.lower() for n in book.names], n=1)
    hint = f"，是不是把 {near[0]} 写错了？" if near else ""
    if not near and book.names:
        there = "、".join(name[:20] for name in book.names[:5])
        hint = f"，问题要写在名为 survey 的工作表里；现有：{there}"
    yield FormProblem("", 0, "", f"没有 survey 表{hint}")


def _nesting(survey: Sheet) -> Iterator[FormProblem]:
    heading = survey.heading("type")
    opened: list[_Open] = []
    for row, cells in enumerate(survey.rows, start=survey.first_row):
        kind = survey.text(cells, "type").lower()
        if begin := _BEGIN.match(kind):
            opened.append(_Open(begin[1], row))
            if len(opened) == MAX_NESTING + 1:
                message = f"分组套了 {MAX_NESTING} 层以上，请减少分组"
                yield FormProblem(SURVEY, row, heading, message)
        elif end := _END.match(kind):
            if not opened or opened[-1].kind != end[1]:
                message = _unmatched(end[1], opened)
                yield FormProblem(SURVEY, row, heading, message)
                return
            opened.pop()
    for one in reversed(opened[-1:]):
        message = f"begin_{one.kind} 后面没有对应的 end_{one.kind}"
        yield FormProblem(SURVEY, one.row, heading, message)


def _unmatched(kind: str, opened: list[_Open]) -> str:
    if not opened:
        return f"end_{kind} 前面没有对应的 begin_{kind}"
    last = opened[-1]
    return (
        f"这里应是 end_{last.kind}，因为第 {last.row} 行的 begin_{last.kind} 还没有结束"
    )


def _kinds(survey: Sheet) -> Iterator[FormProblem]:
    heading = survey.heading("type")
    for row, cells in enumerate(survey.rows, start=survey.first_row):
        if (word := _word(survey, cells)) in NOT_TAKEN:
            yield FormProblem(SURVEY, row, heading, NOT_TAKEN[word])


def _lists(book: Book) -> Iterator[FormProblem]:
    heading = book.survey.heading("type")
    for row, cells in enumerate(book.survey.rows, start=book.survey.first_row):
        if lost := _lost_list(book, cells):
            there = "没有 choices 表，也就" if CHOICES not in book.sheets else ""
            message = f"{there}没有叫 {lost[:60]} 的选项列表（choices 表的 list_name）"
            yield FormProblem(SURVEY, row, heading, message)


def _lost_list(book: Book, row: dict[str, str]) -> str:
    """Return the list of choices that a question names and that is not there."""
    found = _SELECT.match(book.survey.text(row, "type"))
    choices = book.sheets.get(CHOICES, Sheet(CHOICES))
    if not found or "." in found[1] or "$" in found[1]:
        return ""  # from a file, from another question, or no choice at all
    known = {choices.text(each, "list_name") for each in choices.rows}
    return "" if found[1] in known else found[1]


def _word(survey: Sheet, row: dict[str, str]) -> str:
    return survey.text(row, "type").lower().partition(" ")[0]


def _references(book: Book) -> Iterator[FormProblem]:
    known = names_of(book.survey)
    for name in NAMES:
        sheet = book.sheets.get(name)
        if sheet is None or name == SETTINGS:
            continue
        for row, cells in enumerate(sheet.rows, start=sheet.first_row):
            for heading, text in cells.items():
                for lost in dict.fromkeys(_named(text)):
                    if lost not in known:
                        message = _lost(lost, known)
                        yield FormProblem(name, row, heading, message)


def _former_names(survey: Sheet) -> Iterator[FormProblem]:
    """Yield what is said twice of former names: answers could follow one way only."""
    known, taken = names_of(survey), dict[str, str]()
    heading = survey.heading(FORMER)
    for row, cells in enumerate(survey.rows, start=survey.first_row):
        name = survey.text(cells, "name")
        for was in dict.fromkeys(survey.text(cells, FORMER).split()):
            if was in known:
                message = f"字段 {was[:60]} 还在表里，不能说 {name} 是由它改名的"
                yield FormProblem(SURVEY, row, heading, message)
            elif taken.setdefault(was, name) != name:
                message = f"{taken[was]} 已经写了由 {was[:60]} 改名，只能写一处"
                yield FormProblem(SURVEY, row, heading, message)


def _named(text: str) -> list[str]:
    return _REFERENCE.findall(text) if "${" in text else []


def _lost(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name[:60], sorted(known), n=1, cutoff=_NEAR)
    hint = f"，是不是 {near[0]}？" if near else ""
    return f"没有叫 {name[:60] or '（空）'} 的字段{hint}"
