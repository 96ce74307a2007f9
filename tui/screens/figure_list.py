"""The cases behind a figure of a report, with the days by which they were counted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from node import statistics
from node.ledger import Line
from node.store.cases import CaseRow
from node.store.ledger import Cut
from node.wiring import Node
from tui import clock_words, labels
from tui import report_words as words
from tui.screens.case import CasePage
from tui.screens.list_page import ListPage
from tui.screens.rows_at_hand import RowsAtHand
from tui.widgets.case_list import CaseList
from tui.widgets.paged_list import Column, PagedList, Row

LISTED = 500
"""Cases that are shown; scripts get all of them."""

COLUMNS = (
    Column("单号", 12),
    Column("事项", 10, is_flexible=True),
    Column("收件", 10),
    Column("受理", 10),
    Column("办结", 10),
    Column("应在", 10),
    Column("状态", 6),
)
"""No applicant: who reads figures need not read names."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a report: which, of which group, and what it says.

    `group` is "" for all that is counted, `of` what the group is called.
    """

    cut: Cut
    count: str
    group: str
    key: str
    of: str
    says: str


class FigurePage(ListPage):
    """The cases of a figure by number; Enter opens one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "返回"),
    ]
    AUTO_FOCUS = "CaseList"
    HELP = (
        "这些办件就是报表里这个数字：一件一行，写着按哪一天收件、受理、办结算的。"
        "当日办结的，受理和办结是同一天。按回车打开办件，看它的每一步。"
        f"这里最多列 {LISTED} 件；全部单号：lianban report cases --list。"
    )

    def __init__(self, node: Node, figure: Figure) -> None:
        super().__init__(node)
        self.figure = figure
        self._found: list[tuple[CaseRow, Line]] = []
        self._count = 0

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return f"统计报表：{words.COUNTS[self.figure.count]}"

    def body(self) -> Iterable[Widget]:
        """Put what the figure says below its cases."""
        rows = CaseList(COLUMNS, RowsAtHand(()), empty="这个数字背后没有办件")
        rows.can_choose = False
        yield rows
        yield Static(id="detail", classes="quiet")

    def data_changed(self) -> None:
        """Read the cases again; the highlight stays."""
        one, store = self.figure, self.node.store
        behind = statistics.cases_of(self.node, one.cut, one.count, one.group, one.key)
        read = (
            (store.cases.get(document), store.ledger.get(document))
            for document, _ in behind[:LISTED]
        )
        self._found = [(row, line) for row, line in read if row and line]
        self._count = len(behind)
        self.show_rows([self._row(n, *found) for n, found in enumerate(self._found)])

    def detail(self, row: Row | None) -> Text:
        """Return what the figure says, and of how many cases."""
        one, listed = self.figure, len(self._found)
        more = f"，只列了 {listed} 件" if listed < self._count else ""
        return self.folded(f"{one.of}：{one.says}   共 {self._count} 件{more}", 2)

    @on(PagedList.Opened)
    def opened(self, event: PagedList.Opened) -> None:
        """Open the case."""
        row, _ = self._found[int(event.key[0])]
        self.app.push_screen(CasePage(self.node, row.id))

    def _row(self, place: int, row: CaseRow, line: Line) -> Row:
        today = self.node.today()
        days = (line.received_on, line.accepted_on, line.decided_on, line.due_on)
        cells = (
            labels.short_number(row.number),
            row.item_name,
            *(clock_words.day(date.fromisoformat(d), today) if d else "" for d in days),
            labels.word(labels.STATES, row.state),
        )
        return Row((place,), cells)
