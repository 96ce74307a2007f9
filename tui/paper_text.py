"""A paper as lines of text, for a terminal and for a text file. Pure: no I/O.

The same lines serve both, so that what is saved is what was seen. Texts from data are
made harmless here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, zip_longest
from typing import Literal

from node.papers import qr
from node.papers.layout import NAMES_SHARE
from node.papers.lines import broken
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
    respelt,
)
from tui.text import cells, fit, harmless

WIDTH = 80
"""Cells of a line: a terminal that all offices have, and a page in small letters."""

GAP = 2
SIGNING_CELLS = 12

Style = Literal["text", "title", "heading", "code"]

HALVES = {
    (False, False): " ",
    (True, False): "▀",
    (False, True): "▄",
    (True, True): "█",
}
"""Two modules of a QR code, one above the other, in one cell; dark is ink."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. A `code` is read by machines only as dark on light."""

    text: str
    style: Style = "text"


def lines_of(paper: Paper, width: int = WIDTH) -> list[Line]:
    """Return a paper in lines of `width` cells at most."""
    paper = respelt(paper, lambda text: harmless(" ".join(text.splitlines())))
    made = [
        Line(" " * ((width - cells(text)) // 2) + text, "title")
        for text in broken(paper.title, width, cells)
    ]
    made.append(Line(""))
    for block in paper.blocks:
        made += _lines(block, width)
    if paper.foot:
        made += [Line(""), Line("-" * width)]
        made += _plain(broken(paper.foot, width, cells))
    return made


def as_text(paper: Paper, width: int = WIDTH) -> str:
    """Return a paper as the content of a text file."""
    return "".join(f"{line.text.rstrip()}\n" for line in lines_of(paper, width))


def missing_words(missing: tuple[str, ...]) -> str:
    """Return what to say of letters that the font of a PDF does not have."""
    if not missing:
        return ""
    return f"。有 {len(missing)} 个字字库里没有，印成 □，在末尾列出了编码"


def _lines(block: Block, width: int) -> Iterator[Line]:
    match block:
        case Heading():
            yield Line("")
            for text in broken(f"【{block.text}】", width, cells):
                yield Line(text, "heading")
        case Paragraph():
            yield from _plain(broken(block.text, width, cells))
        case Listing():
            for entry in block.entries:
                yield from _plain(_entry(entry, width))
        case Pairs():
            yield from _plain(_pairs(block, width))
        case Table():
            yield from _plain(_table(block, width))
        case Signatures():
            yield Line("")
            yield from _plain(_signatures(block, width))
        case QrCode():
            yield from _qr_code(block, width)


def _plain(texts: Sequence[str] | Iterator[str]) -> Iterator[Line]:
    for text in texts:
        yield Line(text)


def _entry(entry: str, width: int) -> Iterator[str]:
    number, rest = hanging(entry)
    indent = cells(number)
    for place, text in enumerate(broken(rest, width - indent, cells)):
        yield (" " * indent if place else number) + text


def _pairs(block: Pairs, width: int) -> Iterator[str]:
    widest = max((cells(name) for name, _ in block.rows), default=0)
    names = min(widest, int(width * NAMES_SHARE))
    for row in block.rows:
        yield from _beside(row, (names, width - names - GAP))


def _table(block: Table, width: int) -> Iterator[str]:
    room = width - GAP * (len(block.shares) - 1)
    ends = [
        round(room * share / sum(block.shares))
        for share in accumulate(block.shares, initial=0)
    ]
    widths = [right - left for left, right in pairwise(ends)]
    yield from _beside(block.head, widths)
    yield "-" * width
    for row in block.rows:
        yield from _beside(row, widths)
    yield "-" * width


def _beside(texts: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Yield the lines of columns that stand side by side."""
    columns = [
        broken(text, width, cells) for text, width in zip(texts, widths, strict=False)
    ]
    for parts in zip_longest(*columns, fillvalue=""):
        fitted = (fit(one, width) for one, width in zip(parts, widths, strict=False))
        yield (" " * GAP).join(fitted).rstrip()


def _signatures(block: Signatures, width: int) -> list[str]:
    places = [f"{label}：{'_' * SIGNING_CELLS}" for label in block.labels]
    beside = (" " * GAP).join(places)
    return [beside] if cells(beside) <= width else places


def _qr_code(block: QrCode, width: int) -> Iterator[Line]:
    rows = qr.modules(block.content)
    side = len(rows) + 2 * qr.QUIET
    if side <= width:
        margin = (False,) * qr.QUIET
        blank = (False,) * side
        padded = [
            *(blank,) * qr.QUIET,
            *((*margin, *row, *margin) for row in rows),
            *(blank,) * qr.QUIET,
        ]
        for upper, lower in zip_longest(padded[::2], padded[1::2], fillvalue=blank):
            pairs = zip(upper, lower, strict=True)
            yield Line("".join(HALVES[pair] for pair in pairs), "code")
    yield from _plain(broken(block.caption, width, cells))
