"""Text from data, made fit for a terminal. Pure: no I/O, no clock.

A name or a reason may come from a hostile node. What it must never do on a screen:
send an escape sequence, turn the direction of the line, hide letters, or be taken for
markup. `harmless` is the one function between such text and the screen; `typed` is its
twin on the way in, for what is typed or pasted.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

from rich.cells import cell_len
from rich.text import Text

Align = Literal["left", "right", "center"]

ELLIPSIS = "…"
COMBINING_IN_A_ROW = 4
"""Vietnamese, Tibetan and name variants (IVS) need three; a "Zalgo" pile wants more."""

MARKED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""What a terminal obeys, hides, or draws with a width that nobody knows."""

INVISIBLE_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters by category, yet nothing is seen: a name made of them looks empty."""

SPACED_CONTROLS = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029")
"""These part words; taken away without a space they would join 张三 and 李四."""

# Ideographs newer than Python's own tables (Unicode 15 and later) are category Cn.
# Rare names live there, so the two planes kept for ideographs count as letters.
_IDEOGRAPHIC_PLANES = range(0x20000, 0x3FFFE)

# Nearly every text of ours: ASCII, Chinese letters and punctuation, full-width forms.
_ORDINARY = re.compile(
    "[ -~\u3000-\u3029\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002a6df\uff01-\uff60]*"
)


def harmless(text: str, *, width: int | None = None) -> str:
    """Return `text` with everything that a terminal might obey made visible.

    ESC becomes ␛, other controls their pictures, and the rest its number: ⟦U+202E⟧.
    A combining mark with nothing to stand on gets ◌, so that it cannot climb onto the
    column before it; more than `COMBINING_IN_A_ROW` in a row are cut.

    Args:
        text: anything, lone surrogates too.
        width: cut to so many cells, with … as the last one; None leaves it whole.
    """
    if _ORDINARY.fullmatch(text):
        return text if width is None else _cut(text, width)
    if width is None:
        return "".join(_shown(text))
    # Stop at the edge: a text of a megabyte costs no more than one line of it.
    kept: list[str] = []
    used = 0
    for piece in _shown(text):
        kept.append(piece)
        used += cell_len(piece)
        if used > width:
            break
    return _cut("".join(kept), width)


def plain(text: str) -> Text:
    """Return `text` harmless and free of markup, for a widget that takes a renderable.

    A bare `str` given to a Textual widget is markup: "[bold]" would vanish from a name.
    """
    return Text(harmless(text))


def typed(text: str) -> str:
    """Return `text` as a one-line field keeps it: no control or hidden characters.

    Tabs and line breaks become a space. Letters of the private use area stay, since old
    registers write rare names with them.
    """
    if _ORDINARY.fullmatch(text):
        return text
    return "".join(
        " " if char in SPACED_CONTROLS else char
        for char in text
        if char in SPACED_CONTROLS
        or not _is_marked(char)
        or unicodedata.category(char) == "Co"
    )


def cells(text: str) -> int:
    """Return how many cells of a line `text` takes."""
    return cell_len(text)


def fit(text: str, width: int, align: Align = "left") -> str:
    """Return `text` in exactly `width` cells: padded with spaces, or cut with ….

    Args:
        text: already `harmless`; the width of control characters is anyone's guess.
        width: in cells; 0 or less gives "".
        align: where the text stands when there is room to spare.
    """
    text = _cut(text, width)
    room = max(0, width - cell_len(text))
    if align == "right":
        return " " * room + text
    if align == "center":
        return " " * (room // 2) + text + " " * (room - room // 2)
    return text + " " * room


def _shown(text: str) -> Iterator[str]:
    """Yield `text` in pieces: a letter, a combining mark, or a visible mark."""
    stacked = 0
    based = False
    for char in text:
        if _is_marked(char):
            stacked, based = 0, False
            yield _mark(char)
        elif _is_combining(char):
            stacked += 1
            if not based:
                based = True
                yield "◌" + char
            elif stacked <= COMBINING_IN_A_ROW:
                yield char
        else:
            stacked, based = 0, True
            yield char


def _is_marked(char: str) -> bool:
    if char in INVISIBLE_LETTERS:
        return True
    category = unicodedata.category(char)
    if category == "Cn" and ord(char) in _IDEOGRAPHIC_PLANES:
        return False
    return category in MARKED_CATEGORIES


def _is_combining(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Me"} or cell_len(char) == 0


def _mark(char: str) -> str:
    number = ord(char)
    if number < 0x20:
        return chr(0x2400 + number)
    if number == 0x7F:
        return "␡"
    return f"⟦U+{number:04X}⟧"


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    kept = ""
    used = cell_len(ELLIPSIS)
    for cluster in _clusters(text):
        used += cell_len(cluster)
        if used > width:
            break
        kept += cluster
    return kept + ELLIPSIS


def _clusters(text: str) -> Iterator[str]:
    """Yield each letter together with the combining marks that follow it."""
    cluster = ""
    for char in text:
        if cluster and not _is_combining(char):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster
