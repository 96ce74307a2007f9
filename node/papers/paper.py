"""What stands on a paper, as data. Pure: no I/O, no clock.

A paper is made from facts once; `tui.paper_text` shows it on a terminal and as plain
text, `node.papers.pdf` as PDF. All of its texts may come from data: each rendering
makes them harmless in its own way.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

_NUMBER = re.compile(r"\d{1,3}[.、] ?")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; it stays with what follows it."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text without lines of its own."""

    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Entries one below the other; one that begins with a number hangs behind it."""

    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names and values in two columns."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with borders; the head is said again on each page.

    `shares` says how wide the columns are, relative to each other.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Signatures:
    """Places to sign, side by side, each behind its label."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QrCode:
    """A code for machines, with words for people beside it."""

    content: str
    """Kept to ASCII: not every reader takes other letters for UTF-8."""
    caption: str = ""


Block = Heading | Paragraph | Listing | Pairs | Table | Signatures | QrCode


@dataclass(frozen=True, slots=True)
class Paper:
    """A title, blocks, and what stands at the foot of each page."""

    title: str
    blocks: tuple[Block, ...]
    foot: str = ""


def hanging(entry: str) -> tuple[str, str]:
    """Return the number with which an entry begins, or "", and the rest of it."""
    found = _NUMBER.match(entry)
    number = found[0] if found else ""
    return number, entry[len(number) :]


def respelt(paper: Paper, spell: Callable[[str], str]) -> Paper:
    """Return a paper with each text that people read as `spell` gives it."""
    blocks = tuple(_respelt(block, spell) for block in paper.blocks)
    return Paper(spell(paper.title), blocks, spell(paper.foot))


def _respelt(block: Block, spell: Callable[[str], str]) -> Block:
    def each(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(spell(text) for text in texts)

    match block:
        case Heading() | Paragraph():
            return replace(block, text=spell(block.text))
        case Listing():
            return Listing(each(block.entries))
        case Pairs():
            return Pairs(tuple((spell(name), spell(v)) for name, v in block.rows))
        case Table():
            rows = tuple(each(row) for row in block.rows)
            return Table(each(block.head), rows, block.shares)
        case Signatures():
            return Signatures(each(block.labels))
        case QrCode():
            return replace(block, caption=spell(block.caption))
