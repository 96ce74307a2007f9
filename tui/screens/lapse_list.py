"""The limits that have passed 超期: which, whose, how late, and what was said of it."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from node import cases, inquiry
from node.lapses import Lapse
from node.places import place_names
from node.store.cases import CaseRow, Filter
from node.wiring import Node
from tui import clock_words, labels
from tui.screens.case import CasePage
from tui.screens.list_page import ListPage
from tui.screens.rows_at_hand import RowsAtHand
from tui.widgets.case_list import CaseList
from tui.widgets.paged_list import Column, PagedList, Row

LISTED = 100
"""Cases whose lapses are shown: each is opened for it, two milliseconds each."""

COLUMNS = (
    Column("单号", 12),
    Column("事项", 14, is_flexible=True),
    Column("哪一项", 12, is_flexible=True),
    Column("当时在", 14, is_flexible=True),
    Column("应在", 6),
    Column("办了", 6),
    Column("说明", 4),
)


class LapsePage(ListPage):
    """What has passed, of the cases that changed last; Enter opens the case."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "返回"),
    ]
    AUTO_FOCUS = "CaseList"
    HELP = (
        "过了时限的事都在这里：哪一项时限、当时在谁手里、应在哪天前、哪天才办。"
        "超期由各步的日期算出，各站点都一样，删不掉；可以写明原因："
        "回车打开这一件，按 M，选“超期说明”。"
    )

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._found: list[tuple[CaseRow, Lapse]] = []
        self._names: dict[str, str] = {}

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "超期"

    def body(self) -> Iterable[Widget]:
        """Put the rest of the highlighted lapse below the list."""
        rows = CaseList(COLUMNS, RowsAtHand(()), empty="没有超期的，都在时限以内")
        rows.can_choose = False
        yield rows
        yield Static(id="detail", classes="quiet")

    def data_changed(self) -> None:
        """Read the lapses again; the highlight stays."""
        today = self.node.today()
        self._names = place_names(self.node)
        wanted = Filter(has_lapsed=True, today=today.isoformat())
        self._found = [
            (row, one)
            for row in self.node.store.cases.page(wanted, None, LISTED)
            for one in cases.lapses_of(
                self.node, cases.open_case(self.node, row.id), today
            )
        ]
        self.show_rows([self._row(n, *one) for n, one in enumerate(self._found)])

    def detail(self, row: Row | None) -> Text:
        """Return the rest of the highlighted lapse."""
        if row is None:
            return Text()
        case, one = self._found[int(row.key[0])]
        today = self.node.today()
        known_on = inquiry.news_until(self.node, case, one)
        words = clock_words.lapse_words(one, case, self._names, today, known_on)
        text = "   ".join((case.applicant or "（未填）", *words))
        return self.folded(text, 2)

    @on(PagedList.Opened)
    def opened(self, event: PagedList.Opened) -> None:
        """Open the case."""
        row, _ = self._found[int(event.key[0])]
        self.app.push_screen(CasePage(self.node, row.id))

    def _row(self, number: int, row: CaseRow, one: Lapse) -> Row:
        today = self.node.today()
        cells = (
            labels.short_number(row.number),
            row.item_name,
            clock_words.key_words(one.key),
            clock_words.holder_words(one.holder, row, self._names),
            clock_words.day(one.due_on, today),
            clock_words.day(one.ended_on, today) if one.ended_on else "没办",
            "有" if one.answered else "没有",
        )
        return Row((number,), cells, "" if one.ended_on else "red")
