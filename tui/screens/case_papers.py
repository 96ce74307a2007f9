"""The papers of a case 文书: receipt, notices, decision; read, and saved to print."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from node import receipts
from node.cases import Case
from node.papers.layout import A4
from node.papers.pdf import as_pdf
from node.wiring import Node
from tui.paper_text import as_text
from tui.paper_words import KINDS
from tui.screens.paper import PaperPage
from tui.widgets.reading import Reading
from tui.widgets.tab_line import Tab, TabLine


class CasePapersPage(PaperPage):
    """The papers that a case has by now, the one that is usually handed out first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "turn(1)", "换一种", key_display="←→"),
        Binding("left", "turn(-1)", show=False),
        *(
            Binding(str(number), f"view({number - 1})", show=False)
            for number in range(1, 7)
        ),
    ]
    DEFAULT_CSS = """
    CasePapersPage > TabLine { background: $panel; }
    """
    HELP = (
        "这件到现在可以打印的文书，没有网络也能打。←→ 换一种，↑↓ 翻看。"
        "P 存成 PDF，T 存成文本文件；存了要留记录。"
        "纸上的核验码，任何站点断网都能验。"
    )

    def __init__(self, node: Node, case: Case) -> None:
        self.case, self.kinds = case, receipts.kinds_of(case)
        self.made = receipts.paper_of(node, case, self.kinds[0])
        super().__init__(node, self.made.paper)

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "文书"

    @property
    def file_stem(self) -> str:
        """The title and the number: nobody is named in it."""
        return f"{self.paper.title} {self.made.number}"

    def body(self) -> Iterable[Widget]:
        """Put the kinds of papers over the text."""
        yield TabLine(self._tabs())
        yield from super().body()

    def action_turn(self, step: int) -> None:
        """Show the paper beside this one."""
        index = self.kinds.index(self.made.kind) + step
        self.action_view(index % len(self.kinds))

    def action_view(self, index: int) -> None:
        """Show another paper."""
        if index >= len(self.kinds):
            return
        self.made = receipts.paper_of(self.node, self.case, self.kinds[index])
        self.paper = self.made.paper
        self.query_one(TabLine).show(self._tabs(), index)
        self.query_one(Reading).scroll_home(animate=False)
        self.show_paper(self.size.width)

    @on(TabLine.Picked)
    def picked(self, event: TabLine.Picked) -> None:
        """Show the paper that was clicked."""
        self.action_view(event.index)

    async def write(self, path: Path, ending: str) -> tuple[str, ...]:
        """Write the paper; that it leaves the home is written down."""
        if ending != "pdf":
            text = as_text(self.paper).encode()
            receipts.save(self.node, self.made, path, text)
            return ()
        at = self.node.now()
        printed = await asyncio.to_thread(as_pdf, self.paper, A4, at)
        receipts.save(self.node, self.made, path, printed.data)
        return printed.missing

    def _tabs(self) -> tuple[Tab, ...]:
        return tuple(Tab(KINDS[kind]) for kind in self.kinds)
