"""Where everything stands on the pages of a paper. Pure: no I/O, no clock.

Takes a paper and how wide its letters are; gives marks with places in millimetres from
the upper left corner. Nothing stands outside the margins, and nothing is left out: what
does not fit goes onto the next page, a table row that is higher than a page in parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from node.papers import qr
from node.papers.lines import Measure, broken
from node.papers.paper import (
    Block,
    Heading,
    Listing,
    Pairs,
    Paper,
    Paragraph,
    QrCode,
    Signatures,
    Table,
    hanging,
)

PT_MM = 25.4 / 72
TITLE, HEADING, SMALL = 1.7, 1.2, 0.85
"""Sizes of letters, relative to those of the text."""

LEADING = 1.45
"""Height of a line, relative to its letters."""

BASELINE = (LEADING - 1) / 2 + 0.88
"""Where in its line a letter stands: 0.88 of it are above, 0.12 below the baseline."""

FOOT_SHARE = 0.6
"""The foot stands in the margin, as far as every printer reaches."""

RULE_MM = 0.2
PADDING_MM = 1.2
NAMES_SHARE = 0.35
"""How much of the width the names of pairs may take."""

PAGE_WORDS = "第 {} 页，共 {} 页"

QR_MODULE_MM = 0.8
"""A telephone reads half of it from a good print; this one from a poor one too."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A size of paper, its margin on all sides, and the letters that suit it."""

    width_mm: float
    height_mm: float
    margin_mm: float
    size_pt: float


A4 = Sheet(210, 297, 17, 10.5)
A5 = Sheet(148, 210, 13, 9.5)


@dataclass(frozen=True, slots=True)
class Words:
    """A text on one line; `y_mm` is its baseline."""

    x_mm: float
    y_mm: float
    size_pt: float
    text: str


@dataclass(frozen=True, slots=True)
class Ink:
    """A black rectangle: a module of a code, or, thin, a line."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float


Mark = Words | Ink


def lay_out(paper: Paper, sheet: Sheet, measure: Measure) -> list[list[Mark]]:
    """Return the marks of each page.

    Args:
        paper: every letter of it is in the font.
        sheet: what it is printed on.
        measure: width of a text in ems, the height of its letters being one.
    """
    setter = _Setter(sheet, measure, paper.foot)
    setter.title(paper.title)
    for block in paper.blocks:
        setter.put(block)
    return setter.finish()


class _Setter:
    """Sets blocks one below the other, and begins a page where one is full."""

    def __init__(self, sheet: Sheet, measure: Measure, foot: str) -> None:
        self._sheet, self._measure = sheet, measure
        self._left = sheet.margin_mm
        self._width = sheet.width_mm - 2 * sheet.margin_mm
        self._small_pt = sheet.size_pt * SMALL
        pages = measure(PAGE_WORDS.format(999, 999)) * self._small_pt * PT_MM
        room = self._width - pages - PADDING_MM
        self._foot = self._broken(foot, room, self._small_pt) if foot else []
        foot_lines = max(1, len(self._foot))
        self._bottom = (
            sheet.height_mm
            - sheet.margin_mm * FOOT_SHARE
            - foot_lines * _height(self._small_pt)
            - PADDING_MM
        )
        self._pages: list[list[Mark]] = [[]]
        self._y = sheet.margin_mm

    # -- what a paper has -----------------------------------------------------

    def title(self, text: str) -> None:
        size = self._sheet.size_pt * TITLE
        for line in self._broken(text, self._width, size):
            self._need(_height(size))
            wide = self._wide(line, size)
            self._write(line, self._left + (self._width - wide) / 2, size)
            self._y += _height(size)
        self._y += PADDING_MM * 2

    def put(self, block: Block) -> None:
        match block:
            case Heading():
                self._heading(block)
            case Paragraph():
                self._paragraph(block)
            case Listing():
                self._listing(block)
            case Pairs():
                self._pairs(block)
            case Table():
                self._table(block)
            case Signatures():
                self._signatures(block)
            case QrCode():
                self._qr_code(block)

    def finish(self) -> list[list[Mark]]:
        """Put the foot under each page, now that it is known how many there are."""
        small, count = self._small_pt, len(self._pages)
        for number, page in enumerate(self._pages, start=1):
            y = self._bottom + PADDING_MM
            page.append(Ink(self._left, y, self._width, RULE_MM))
            said = PAGE_WORDS.format(number, count)
            right = self._left + self._width - self._wide(said, small)
            page.append(Words(right, y + small * PT_MM * BASELINE, small, said))
            for line in self._foot:
                baseline = y + small * PT_MM * BASELINE
                page.append(Words(self._left, baseline, small, line))
                y += _height(small)
        return self._pages

    # -- blocks ---------------------------------------------------------------

    def _heading(self, block: Heading) -> None:
        size = self._sheet.size_pt * HEADING
        lines = self._broken(block.text, self._width, size)
        below = 2 * _height(self._sheet.size_pt)
        self._y += PADDING_MM
        self._need(len(lines) * _height(size) + below)
        self._lines(lines, self._left, size)
        self._ink(self._left, self._y, self._width, RULE_MM)
        self._y += PADDING_MM * 0.75

    def _paragraph(self, block: Paragraph) -> None:
        self._lines(self._text(block.text, self._width), self._left)
        self._y += PADDING_MM / 2

    def _listing(self, block: Listing) -> None:
        for entry in block.entries:
            number, rest = hanging(entry)
            indent = self._wide(number, self._sheet.size_pt)
            lines = self._text(rest, self._width - indent)
            if number:
                self._need(_height(self._sheet.size_pt))
                self._write(number, self._left, self._sheet.size_pt)
            self._lines(lines, self._left + indent)
        self._y += PADDING_MM / 2

    def _pairs(self, block: Pairs) -> None:
        size = self._sheet.size_pt
        widest = max((self._wide(name, size) for name, _ in block.rows), default=0)
        names = min(widest, self._width * NAMES_SHARE) + size * PT_MM
        for name, value in block.rows:
            columns = [
                (self._left, self._text(name, names - size * PT_MM)),
                (self._left + names, self._text(value, self._width - names)),
            ]
            self._side_by_side(columns)
        self._y += PADDING_MM / 2

    def _table(self, block: Table) -> None:
        unit = self._width / sum(block.shares)
        edges = [
            self._left + share * unit for share in accumulate(block.shares, initial=0)
        ]
        # The head does not stay alone below: what begins here has room for a row.
        self._need(5 * _height(self._sheet.size_pt))
        self._edge(edges)
        self._row(block.head, edges, ())
        for row in block.rows:
            self._row(row, edges, block.head)
        self._y += PADDING_MM * 2

    def _row(
        self, cells: Sequence[str], edges: Sequence[float], head: Sequence[str]
    ) -> None:
        """Set a row; on a new page below `head`, if there is one."""
        line = _height(self._sheet.size_pt)
        columns = [
            self._text(cell, right - left - 2 * PADDING_MM)
            for cell, (left, right) in zip(cells, pairwise(edges), strict=False)
        ]
        count = max((len(one) for one in columns), default=1)
        done = 0
        while done < count:
            free = int((self._bottom - self._y - 2 * PADDING_MM) / line)
            if free < min(count - done, self._most_lines) and self._is_low:
                self._new_page()
                self._edge(edges)
                if head:
                    self._row(head, edges, ())
                continue
            take = max(1, min(count - done, free))
            top = self._y
            for x, column in zip(edges, columns, strict=False):
                self._y = top + PADDING_MM / 2
                for text in column[done : done + take]:
                    self._write(text, x + PADDING_MM, self._sheet.size_pt)
                    self._y += line
            self._y = top + take * line + PADDING_MM
            for x in edges:
                self._ink(x, top, RULE_MM, self._y - top)
            self._edge(edges)
            done += take

    def _signatures(self, block: Signatures) -> None:
        size = self._sheet.size_pt
        each = self._width / max(1, len(block.labels))
        self._y += _height(size)
        labels = [self._text(label, each * 0.6) for label in block.labels]
        high = max((len(one) for one in labels), default=1) * _height(size)
        self._need(high)
        top = self._y
        for place, lines in enumerate(labels):
            self._y = top
            x = self._left + place * each
            for text in lines:
                self._write(text, x, size)
                self._y += _height(size)
            behind = x + max(self._wide(text, size) for text in lines) + PADDING_MM
            line = self._y - _height(size) * 0.15
            self._ink(behind, line, x + each - PADDING_MM * 2 - behind, RULE_MM)
        self._y = top + high + PADDING_MM

    def _qr_code(self, block: QrCode) -> None:
        rows = qr.modules(block.content)
        quiet = qr.QUIET * QR_MODULE_MM
        side = len(rows) * QR_MODULE_MM
        room = self._width - side - 2 * quiet
        lines = self._text(block.caption, room) if block.caption else []
        words = len(lines) * _height(self._sheet.size_pt)
        high = max(side, words) + 2 * quiet
        self._need(high)
        top = self._y
        for number, row in enumerate(rows):
            for start, length in _runs(row):
                self._ink(
                    self._left + quiet + start * QR_MODULE_MM,
                    top + quiet + number * QR_MODULE_MM,
                    length * QR_MODULE_MM,
                    QR_MODULE_MM,
                )
        self._y = top + (high - words) / 2
        self._lines(lines, self._left + side + 2 * quiet)
        self._y = top + high

    # -- parts ----------------------------------------------------------------

    def _side_by_side(self, columns: Sequence[tuple[float, Sequence[str]]]) -> None:
        """Set columns of lines beside each other, breaking the page between lines."""
        size = self._sheet.size_pt
        for number in range(max(len(lines) for _, lines in columns)):
            self._need(_height(size))
            for x, lines in columns:
                if number < len(lines):
                    self._write(lines[number], x, size)
            self._y += _height(size)

    def _lines(self, lines: Sequence[str], x: float, size: float = 0) -> None:
        size = size or self._sheet.size_pt
        for line in lines:
            self._need(_height(size))
            self._write(line, x, size)
            self._y += _height(size)

    def _edge(self, edges: Sequence[float]) -> None:
        self._ink(edges[0], self._y, edges[-1] - edges[0] + RULE_MM, RULE_MM)

    def _need(self, height: float) -> None:
        """Begin a page if there is not so much room left, unless this one is fresh."""
        if self._y + height > self._bottom and self._is_low:
            self._new_page()

    @property
    def _most_lines(self) -> int:
        """Lines of a row that a fresh page surely holds below the head of a table."""
        body = self._bottom - self._sheet.margin_mm
        return int(body / _height(self._sheet.size_pt) / 2)

    @property
    def _is_low(self) -> bool:
        """Say whether anything stands on this page already."""
        return self._y > self._sheet.margin_mm

    def _new_page(self) -> None:
        self._pages.append([])
        self._y = self._sheet.margin_mm

    def _write(self, text: str, x: float, size: float) -> None:
        if text:
            mark = Words(x, self._y + size * PT_MM * BASELINE, size, text)
            self._pages[-1].append(mark)

    def _ink(self, x: float, y: float, width: float, height: float) -> None:
        self._pages[-1].append(Ink(x, y, width, height))

    def _text(self, text: str, width: float) -> list[str]:
        return self._broken(text, width, self._sheet.size_pt)

    def _broken(self, text: str, width: float, size: float) -> list[str]:
        return broken(text, width / (size * PT_MM), self._measure)

    def _wide(self, text: str, size: float) -> float:
        return self._measure(text) * size * PT_MM


def _height(size_pt: float) -> float:
    """Return the height of a line, in millimetres."""
    return size_pt * PT_MM * LEADING


def _runs(row: Sequence[bool]) -> list[tuple[int, int]]:
    """Return where dark modules begin, and how many stand side by side."""
    runs: list[tuple[int, int]] = []
    for place, is_dark in enumerate(row):
        if not is_dark:
            continue
        if runs and sum(runs[-1]) == place:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((place, 1))
    return runs
