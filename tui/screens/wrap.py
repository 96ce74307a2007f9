"""Lines of Chinese text for a given width of a terminal. Pure.

Textual breaks lines at spaces: a Chinese sentence would move down as one word, and
leave half a line empty where a Latin letter stands in it.
"""

from node.papers.lines import broken
from tui.text import cells


def wrap(text: str, width: int) -> list[str]:
    """Return `text` in lines of `width` cells at most; a number stays in one piece."""
    return broken(text, width, cells)
