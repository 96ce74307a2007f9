"""The guide of an item 办事指南: to be read, and to be saved as text or PDF."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from forms.package import Package
from node import casework, export
from node.material import safe_name
from node.papers.guide import guide_paper
from node.papers.layout import A4
from node.papers.pdf import as_pdf
from node.wiring import Node
from tui.paper_text import Style, as_text, lines_of, missing_words
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


class GuidePage(Page):
    """How an item is done, by the version that is in force or that a case has."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "save('txt')", "存为文本"),
        Binding("p", "save('pdf')", "存为PDF"),
        Binding("escape,f4", "leave", "返回", key_display="Esc"),
    ]
    DEFAULT_CSS = """
    GuidePage > Reading { padding: 0 1; }
    """
    AUTO_FOCUS = "Reading"
    HELP = (
        "这是随事项发布的办事指南，没有网络也能看。↑↓ 翻看。"
        "P 存成 PDF，可以打印给群众；T 存成文本文件。"
    )

    def __init__(self, node: Node, package: Package) -> None:
        super().__init__(node)
        place, day = node.certificate.name, casework.today(node)
        self.paper = guide_paper(package, place, day)

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "办事指南"

    def body(self) -> Iterable[Widget]:
        """Make room for the text."""
        with Reading():
            yield Static(id="text")

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines for the width that there is now."""
        lines = lines_of(self.paper, max(20, event.size.width - EDGES_CELLS))
        texts = [Text(line.text, STYLES[line.style]) for line in lines]
        self.query_one("#text", Static).update(Text("\n").join(texts))

    def action_save(self, ending: str) -> None:
        """Save the guide to a file of the user's choice."""
        self.work(self._save(ending))

    def action_leave(self) -> None:
        """Go back to where the guide was asked for."""
        self.lianban.close_page("")

    async def _save(self, ending: str) -> None:
        name = safe_name(f"{self.paper.title}.{ending}", 1)
        typed = await self.ask(
            "办事指南存到哪里？写文件夹或文件名",
            value=str(Path.home() / name),
        )
        if typed is None:
            return
        path = export.place_in(typed, name)
        if path.exists() and not await self.confirm(
            f"{path} 已经有了，要换成新的吗？", "换成新的", is_dangerous=True
        ):
            return
        missing: tuple[str, ...] = ()
        if ending == "pdf":
            self.say("正在做 PDF…")
            at = casework.now(self.node)
            printed = await asyncio.to_thread(as_pdf, self.paper, A4, at)
            data, missing = printed.data, printed.missing
        else:
            data = as_text(self.paper).encode()
        export.save_paper(path, data)
        self.say(f"✓ 已存到 {path}{missing_words(missing)}")
