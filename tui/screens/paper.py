"""A paper on the screen: to be read, and to be saved as text or PDF."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from node import export
from node.material import safe_name
from node.papers.paper import Paper
from node.wiring import Node
from tui.paper_text import Style, lines_of, missing_words
from tui.screens.page import Page
from tui.widgets.reading import Reading

STYLES: dict[Style, str] = {
    "text": "",
    "title": "bold",
    "heading": "bold",
    "code": "black on white",
}
"""How lines of a paper look; a code is read only as dark on light."""

EDGES_CELLS = 3
"""What the scroll bar and the padding take of a line."""


class PaperPage(Page):
    """One paper. Whoever subclasses it says which, and how it is written to a file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "save('txt')", "存为文本"),
        Binding("p", "save('pdf')", "存为PDF"),
        Binding("escape,f4", "leave", "返回", key_display="Esc"),
    ]
    DEFAULT_CSS = """
    PaperPage > Reading { padding: 0 1; }
    """
    AUTO_FOCUS = "Reading"

    def __init__(self, node: Node, paper: Paper) -> None:
        super().__init__(node)
        self.paper = paper

    @property
    def file_stem(self) -> str:
        """What its file is called, without the ending."""
        return self.paper.title

    async def write(self, path: Path, ending: str) -> tuple[str, ...]:
        """Write the paper; return the letters that the font of a PDF lacks."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        """Make room for the text."""
        with Reading():
            yield Static(id="text")

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines for the width that there is now."""
        self.show_paper(event.size.width)

    def show_paper(self, width: int) -> None:
        """Show the paper in lines for a screen of `width` cells."""
        lines = lines_of(self.paper, max(20, width - EDGES_CELLS))
        texts = [Text(line.text, STYLES[line.style]) for line in lines]
        self.query_one("#text", Static).update(Text("\n").join(texts))

    def action_save(self, ending: str) -> None:
        """Save the paper to a file of the user's choice."""
        self.work(self._save(ending))

    async def _save(self, ending: str) -> None:
        name = safe_name(f"{self.file_stem}.{ending}", 1)
        typed = await self.ask(
            f"{self.title_words}存到哪里？写文件夹或文件名",
            value=str(Path.home() / name),
        )
        if typed is None:
            return
        path = export.place_in(typed, name)
        if path.exists() and not await self.confirm(
            f"{path} 已经有了，要换成新的吗？", "换成新的", is_dangerous=True
        ):
            return
        if ending == "pdf":
            self.say("正在做 PDF…")
        missing = await self.write(path, ending)
        self.say(f"✓ 已存到 {path}{missing_words(missing)}")
