"""One line of tabs: what a list or a case is looked at as, with counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.text import cells, harmless


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab; `count` None says nothing, and 0 is left out, as it asks nobody."""

    label: str
    count: int | None = None
    is_urgent: bool = False
    """Its cases wait for a person here: shown with ! while there are any."""


class TabLine(Widget):
    """Shows numbered tabs, the active one in brackets. The screen holds the keys."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tab-line--active",
        "tab-line--urgent",
        "tab-line--number",
    }
    DEFAULT_CSS = """
    TabLine {
        height: 1;
        background: $surface;
        color: $foreground;

        & > .tab-line--active { color: $accent; text-style: bold; }
        & > .tab-line--urgent { color: $text-warning; text-style: bold; }
        & > .tab-line--number { color: $text-muted; }
    }
    """

    @dataclass
    class Picked(Message):
        """The user has clicked the tab with this number, from 0."""

        index: int

    def __init__(self, tabs: Sequence[Tab], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tabs = tuple(tabs)
        self.active = 0

    def show(self, tabs: Sequence[Tab], active: int) -> None:
        """Show these tabs; nothing is drawn when all is as it was."""
        if (tuple(tabs), active) != (self.tabs, self.active):
            self.tabs, self.active = tuple(tabs), active
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the tabs, closer together where they would not fit."""
        width = self.size.width
        if y:
            return Strip.blank(width, self.rich_style)
        line: list[Segment] = []
        column = 0
        for index, start, text in self._places():
            line.append(Segment(" " * (start - column), self.rich_style))
            line.append(Segment(text, self._style(index)))
            column = start + cells(text)
        return Strip(line).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Pick the tab under the mouse."""
        event.stop()
        for index, start, text in self._places():
            if start <= event.x < start + cells(text):
                self.post_message(self.Picked(index))

    def _places(self) -> list[tuple[int, int, str]]:
        """Return (number, first cell, text) of each tab."""
        texts = [self._text(index) for index in range(len(self.tabs))]
        used = sum(cells(text) for text in texts) + 1
        gap = 2 if used + 2 * (len(texts) - 1) <= self.size.width else 1
        found, start = [], 1
        for index, text in enumerate(texts):
            found.append((index, start, text))
            start += cells(text) + gap
        return found

    def _text(self, index: int) -> str:
        tab = self.tabs[index]
        count = f" {tab.count}" if tab.count else ""
        sign = "!" if tab.is_urgent and tab.count else ""
        text = harmless(f"{index + 1}{tab.label}{count}{sign}")
        return f"[{text}]" if index == self.active else text

    def _style(self, index: int) -> Style:
        if index == self.active:
            return self.get_component_rich_style("tab-line--active")
        if self.tabs[index].is_urgent and self.tabs[index].count:
            return self.get_component_rich_style("tab-line--urgent")
        return self.rich_style
