"""A villager asks 查进度: how far his case is; and whether a paper is genuine."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from node import inquiry
from node.proof import MARK
from node.verifying import verify
from tui.messages import ERRORS, sentence
from tui.paper_words import answer_lines, verdict_lines
from tui.screens.page import Page
from tui.screens.wrap import wrap
from tui.widgets.field_input import FieldInput
from tui.widgets.reading import Reading

EDGES_CELLS = 3
HINT = "查询码、单号、姓名或首字母、证件后四位，按回车查；也可扫纸上的核验码"


class InquiryPage(Page):
    """One line to type or scan into, and what is known below it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "返回"),
    ]
    DEFAULT_CSS = """
    InquiryPage {
        & > #asked { margin: 0 1; }
        & > Reading { padding: 0 1; }
    }
    """
    AUTO_FOCUS = "#asked"
    HELP = (
        "群众来问办得怎样：输入他回执上的查询码，或姓名首字母、证件后四位，按回车。"
        "“消息”一行说的是本机知道到什么时候为止，以后的变化还没传到。"
        "扫（或照抄）纸上 LB1 开头的核验码，就先验真假；断网也能验。"
    )

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "查进度、验回执"

    def body(self) -> Iterable[Widget]:
        """Put the line to type in over what is known."""
        yield FieldInput("asked", placeholder=HINT, id="asked")
        with Reading():
            yield Static(id="text")

    @on(Input.Submitted)
    def asked(self, event: Input.Submitted) -> None:
        """Say what is known of what was typed."""
        event.stop()
        if event.value.strip():
            self._show(self._lines(event.value))
            event.input.action_select_all()

    def _lines(self, text: str) -> Iterator[str]:
        if MARK in text.upper():
            try:
                yield from verdict_lines(verify(self.node, text))
            except ERRORS as error:
                yield f"✗ {sentence(error)}"
                return
            yield ""
        try:
            rows = inquiry.rows_for(self.node, text)
        except ERRORS as error:
            yield sentence(error)
            return
        for row in rows:
            answer = inquiry.answer(self.node, row)
            yield from answer_lines(answer, self.node.now_ms())
            yield ""

    def _show(self, lines: Iterable[str]) -> None:
        width = max(20, self.size.width - EDGES_CELLS)
        texts = [Text(part) for line in lines for part in (wrap(line, width) or [""])]
        self.query_one("#text", Static).update(Text("\n").join(texts))
