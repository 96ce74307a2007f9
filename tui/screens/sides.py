"""What is open in a case as a person sees it: both sides, side by side. Pure."""

from itertools import zip_longest

from rich.text import Text

from node.cases import Case
from node.matters import MARK_CHANGED, Matter, Side
from tui import matters
from tui.screens.wrap import wrap
from tui.text import cells, harmless

BESIDE_FROM = 60
"""Under so many cells two columns of Chinese are harder to read than two blocks."""
BETWEEN = " │ "
MUTED, LOUD = "dim", "bold"


def sheet(case: Case, matter: Matter, width: int, now_ms: int) -> list[Text]:
    """Return the lines in which all sides of a matter stand, `width` cells wide."""
    if matter.mark == MARK_CHANGED:
        return _edits(case, matter, width, now_ms)
    beside = len(matter.sides) == 2 and width >= BESIDE_FROM
    room = (width - cells(BETWEEN)) // 2 if beside else width
    blocks = [
        (_said(case, matter, number, room), _authors(side, room, now_ms))
        for number, side in enumerate(matter.sides, start=1)
    ]
    if beside:
        # Part by part, so that who and when stand in one line, too.
        (said, authors), (other_said, other_authors) = blocks
        return [
            *_side_by_side(said, other_said, room),
            *_side_by_side([Text("")], [Text("")], room),
            *_side_by_side(authors, other_authors, room),
        ]
    lines = [[*said, *authors, Text("")] for said, authors in blocks]
    return [line for block in lines for line in block][:-1]


def _said(case: Case, matter: Matter, number: int, width: int) -> list[Text]:
    side = matter.sides[number - 1]
    lines = [Text(f"【{number}】", LOUD)]
    lines += _wrapped(matters.side_words(case, matter, side), width, LOUD)
    if side.note:
        lines += _wrapped(f"理由：{side.note}", width, "")
    if outcome := matters.outcome_words(matter, number):
        lines += _wrapped(f"选它：{outcome}", width, "")
    return lines


def _authors(side: Side, width: int, now_ms: int) -> list[Text]:
    return [
        line
        for author in side.authors
        for line in _wrapped(matters.author_words(author, now_ms), width, MUTED)
    ]


def _edits(case: Case, matter: Matter, width: int, now_ms: int) -> list[Text]:
    lines = _wrapped("受理的人没有看到这次修改：", width, "")
    for edit in matter.edits:
        lines += _wrapped(matters.edit_words(case, edit), width, LOUD)
        lines += _wrapped(matters.author_words(edit.author, now_ms), width, MUTED)
    return lines


def _side_by_side(left: list[Text], right: list[Text], width: int) -> list[Text]:
    lines = []
    for one, other in zip_longest(left, right, fillvalue=Text("")):
        line = one.copy()
        line.append(" " * (width - cells(one.plain)))
        line.append(BETWEEN, MUTED)
        lines.append(line.append_text(other))
    return lines


def _wrapped(text: str, width: int, style: str) -> list[Text]:
    """Return harmless text in lines of at most `width` cells, also without a break."""
    return [
        Text(part, style)
        # Punctuation hangs on at the end of a line, two cells at most.
        for line in wrap(harmless(text), width - 2)
        for part in _cut(line, width)
    ]


def _cut(line: str, width: int) -> list[str]:
    parts = [""]
    for char in line:
        if cells(parts[-1]) + cells(char) > width:
            parts.append("")
        parts[-1] += char
    return parts
