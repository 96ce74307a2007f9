"""Screenshots that show Chinese as it stands on the screen. Pure: no I/O, no clock.

`App.export_screenshot` gives an SVG in which Chinese letters lie on top of each other,
since rich tells the browser the length of a text in letters, not in cells (rich 15.0).
It also names a font on a web host, which an offline page waits for in vain.
"""

import html
import re
from itertools import groupby

from rich.cells import cell_len

CELL_PX = 20 * 0.61
"""The width of a cell in rich's SVG: font size times the aspect ratio of its font."""

_TEXT = re.compile(
    r'<text (?P<before>[^>]*?)x="(?P<x>[^"]+)"(?P<between>[^>]*?) '
    r'textLength="[^"]+"(?P<after>[^>]*)>(?P<content>[^<]*)</text>'
)
_FONT_FACE = re.compile(r"\s*@font-face\s*\{[^}]*\}")


def repair_svg(svg: str) -> str:
    """Return a screenshot's SVG with every letter in its cells and no outside address.

    A text of mixed widths is split, since a browser spreads the room evenly over the
    letters: `F2 存草稿` would leave its columns. Repairing twice changes nothing more.
    """
    return _TEXT.sub(_spread, _FONT_FACE.sub("", svg))


def _spread(found: re.Match[str]) -> str:
    x = float(found["x"])
    parts: list[str] = []
    # The end of a line is a text of its own in rich's SVG; it shows nothing.
    for run in _runs(html.unescape(found["content"]).strip("\n")):
        width = CELL_PX * cell_len(run)
        content = html.escape(run).replace("\xa0", "&#160;")
        parts.append(
            f'<text {found["before"]}x="{x:g}"{found["between"]} '
            f'textLength="{width:g}"{found["after"]}>{content}</text>'
        )
        x += width
    return "".join(parts)


def _runs(text: str) -> list[str]:
    """Return `text` in stretches of equal cell width, marks with their letter."""
    widths: list[int] = []
    for char in text:
        width = cell_len(char)
        widths.append(width if width or not widths else widths[-1])
    return [
        "".join(char for char, _ in run)
        for _, run in groupby(zip(text, widths, strict=True), key=lambda pair: pair[1])
    ]
