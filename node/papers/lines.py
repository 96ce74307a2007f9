"""A Chinese text broken into lines of a width, in any unit. Pure: no I/O.

Between two ideographs a line may end. A number or a word in Latin letters stays in one
piece; no line begins with a closing mark or ends with an opening one 避头尾. What is
wider than a whole line is broken anywhere, so nothing ever runs over the edge.
"""

import unicodedata
from collections.abc import Callable

NEVER_FIRST = frozenset("，。；：、！？）》〉】〕」』”’…％%·,.;:!?)]}")
NEVER_LAST = frozenset("（《〈【〔「『“‘([{")

Measure = Callable[[str], float]
"""How wide a text is: cells on a terminal, ems on paper."""


def broken(text: str, width: float, measure: Measure) -> list[str]:
    """Return `text` in lines of `width` at most; an empty text is one empty line."""
    lines: list[str] = []
    line, used = "", 0.0
    for piece in _narrow(_pieces(text), width, measure):
        wide = measure(piece)
        if line and used + wide > width:
            lines.append(line.rstrip())
            line, used = "", 0.0
        if line or not piece.isspace():
            line, used = line + piece, used + wide
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _narrow(pieces: list[str], width: float, measure: Measure) -> list[str]:
    """Return the pieces, those wider than a line in single letters."""
    narrow: list[str] = []
    for piece in pieces:
        if measure(piece) <= width:
            narrow.append(piece)
        else:
            narrow += _letters(piece)
    return narrow


def _pieces(text: str) -> list[str]:
    """Return the text in what may stand alone on a line."""
    pieces: list[str] = []
    for char in text:
        last = pieces[-1][-1] if pieces else " "
        if not last.isspace() and (
            char in NEVER_FIRST
            or last in NEVER_LAST
            or (last.isascii() and char.isascii() and not char.isspace())
            or _is_combining(char)
        ):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _letters(piece: str) -> list[str]:
    """Return single letters, each with the marks that stand on it."""
    letters: list[str] = []
    for char in piece:
        if letters and _is_combining(char):
            letters[-1] += char
        else:
            letters.append(char)
    return letters


def _is_combining(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Me"}
