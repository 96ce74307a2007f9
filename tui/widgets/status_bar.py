"""One line that says where the user is, and on the right how things stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui.text import cells, fit, harmless

Tone = Literal["", "quiet", "alert"]

TITLE_CELLS_MIN = 16
"""Under this width the right side gives way: a bar without a title says nothing."""

GAP = "  "


@dataclass(frozen=True, slots=True)
class Part:
    """One statement on the right; `quiet` for the normal, `alert` asks for a person.

    The tone is a colour only, so the words of `text` must say the same.
    """

    text: str
    tone: Tone = ""


class StatusBar(Widget):
    """Shows a title on the left, and the parts on the right in order of importance."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "status-bar--quiet",
        "status-bar--alert",
    }
    DEFAULT_CSS = """
    StatusBar {
        height: 1;
        background: $panel;
        color: $foreground;
        text-style: bold;

        & > .status-bar--quiet { color: $text-muted; text-style: none; }
        & > .status-bar--alert { color: $text-warning; text-style: bold; }
    }
    """

    title: reactive[str] = reactive("")
    parts: reactive[tuple[Part, ...]] = reactive(())

    def __init__(
        self,
        title: str = "",
        parts: Sequence[Part | str] = (),
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.show(title, parts)

    def show(self, title: str, parts: Sequence[Part | str] = ()) -> None:
        """Show `title`, cut when there is no room, and as many `parts` as fit."""
        self.title = title
        self.parts = tuple(
            Part(part) if isinstance(part, str) else part for part in parts
        )

    def render_line(self, y: int) -> Strip:
        """Draw the bar."""
        width = self.size.width
        if y != 0 or width == 0:
            return Strip.blank(width, self.rich_style)
        right: list[Segment] = []
        room = width - TITLE_CELLS_MIN
        for part in self.parts:
            text = GAP + harmless(part.text)
            if cells(text) > room:
                break
            style = (
                self.get_component_rich_style(f"status-bar--{part.tone}")
                if part.tone
                else self.rich_style
            )
            right.append(Segment(text, style))
            room -= cells(text)
        left = fit(" " + harmless(self.title), room + TITLE_CELLS_MIN - 1)
        line = [Segment(left, self.rich_style), *right, Segment(" ", self.rich_style)]
        return Strip(line).adjust_cell_length(width, self.rich_style)
