"""A paper as PDF, with its font inside. The one door to fpdf2.

fpdf2 draws; where things stand says `node.papers.layout`. It is loaded with the first
paper: 0.3 s and 40 MB that a screen without papers does not pay.
"""

import datetime as dt
import gc
from collections.abc import Container
from dataclasses import dataclass, replace
from pathlib import Path

from node.papers.layout import PAGE_WORDS, Ink, Sheet, Words, lay_out
from node.papers.paper import Paper, Paragraph, respelt

FONT = Path(__file__).parent / "font" / "NotoSansCJKsc-Papers.otf"
"""Made by `bench/font.py`; its licence lies beside it."""

MISSING = "□"
NOTE = "文中的 □ 是字库里没有的字，按出现的先后是："
MISSING_SHOWN = 40

_ALWAYS = PAGE_WORDS + "0123456789" + MISSING + NOTE + "U+ABCDEF、…"
"""What may have to be drawn whatever a paper says."""

_FAMILY = "papers"
_UNITS_PER_EM = 1000


@dataclass(frozen=True, slots=True)
class Printed:
    """A PDF, and what the font has no shape for."""

    data: bytes
    missing: tuple[str, ...]
    """Code points in the order in which they stand on the paper: "U+2A6D7"."""


def as_pdf(paper: Paper, sheet: Sheet, made_at: dt.datetime) -> Printed:
    """Return a paper as PDF; the same paper, sheet and time give the same bytes.

    A letter that the font lacks becomes a box, and a note below says which it is: a
    name is never shortened without anybody noticing. That holds for control and
    hidden characters too.
    """
    printed = _drawn(paper, sheet, made_at)
    # A font in use is a ring of 7 MB that refers to itself. Screens that print one
    # receipt after the other would hold a dozen before Python looks for such.
    gc.collect()
    return printed


def _drawn(paper: Paper, sheet: Sheet, made_at: dt.datetime) -> Printed:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

    pdf = FPDF(unit="mm", format=(sheet.width_mm, sheet.height_mm))
    pdf.set_auto_page_break(False)
    pdf.set_creation_date(made_at)
    pdf.set_lang("zh-CN")
    # The letters in use only: to prepare all 31,000 would take 0.1 s.
    pdf.add_font(_FAMILY, fname=FONT, unicode_range=_code_points(paper))
    pdf.set_font(_FAMILY, size=sheet.size_pt)
    font = pdf.fonts[_FAMILY]
    assert isinstance(font, TTFFont)
    # What the boxes of the source say holds for each part of it; to find smaller ones,
    # each outline would be drawn twice, which takes another 0.1 s.
    font.ttfont.recalcBBoxes = False
    paper, missing = _spelt(paper, font.cmap)
    pdf.set_title(paper.title)

    def measure(text: str) -> float:
        return sum(font.cw[ord(char)] for char in text) / _UNITS_PER_EM

    for marks in lay_out(paper, sheet, measure):
        pdf.add_page()
        for mark in marks:
            match mark:
                case Words():
                    pdf.set_font(size=mark.size_pt)
                    pdf.text(mark.x_mm, mark.y_mm, mark.text)
                case Ink():
                    pdf.rect(
                        mark.x_mm, mark.y_mm, mark.width_mm, mark.height_mm, style="F"
                    )
    return Printed(bytes(pdf.output()), missing)


def _code_points(paper: Paper) -> list[int]:
    """Return all that may have to be drawn."""
    found = set(_ALWAYS)

    def collect(text: str) -> str:
        found.update(text)
        return text

    respelt(paper, collect)
    return sorted(map(ord, found))


def _spelt(paper: Paper, known: Container[int]) -> tuple[Paper, tuple[str, ...]]:
    """Return a paper of known letters only, and which others there were."""
    missing: list[str] = []

    def spell(text: str) -> str:
        letters = []
        for char in " ".join(text.splitlines()):
            if ord(char) not in known:
                missing.append(f"U+{ord(char):04X}")
            letters.append(char if ord(char) in known else MISSING)
        return "".join(letters)

    paper = respelt(paper, spell)
    if missing:
        more = "……" if len(missing) > MISSING_SHOWN else ""
        note = Paragraph(NOTE + "、".join(missing[:MISSING_SHOWN]) + more)
        paper = replace(paper, blocks=(*paper.blocks, note))
    return paper, tuple(missing)
