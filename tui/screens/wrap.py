"""Lines of Chinese text for a given width. Pure.

Textual breaks lines at spaces: a Chinese sentence would move down as one word, and
leave half a line empty where a Latin letter stands in it.
"""

from tui.text import cells

NEVER_FIRST = frozenset("，。；：、！？）》”’…％%")
"""Punctuation that closes what stands before it; it hangs on, at the price of a cell
or two on the line above.
"""


def wrap(text: str, width: int) -> list[str]:
    """Return `text` in lines of `width` cells at most; a number stays in one piece."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and cells(line) + cells(piece) > width and piece not in NEVER_FIRST:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line] if line or not lines else lines


def _pieces(text: str) -> list[str]:
    """Return the text in what may stand alone on a line."""
    pieces: list[str] = []
    for char in text:
        joins = char.isascii() and not char.isspace()
        if pieces and joins and pieces[-1][-1].isascii() and pieces[-1] != " ":
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces
