"""What waits to be settled at this tier 待核对, the oldest first."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from node import cases
from node.progress import Progress
from node.status import Arrival
from node.store.cases import CaseRow
from tui import labels, matters
from tui.screens import views
from tui.screens.list_page import ListPage
from tui.screens.settle import SettlePage
from tui.screens.sources import CaseSource, case_id
from tui.widgets.case_list import CaseList
from tui.widgets.paged_list import Column, PagedList, Row

COLUMNS = (
    Column("单号", 12),
    Column("申请人", 10, is_flexible=True),
    Column("事项", 18, is_flexible=True),
    Column("待核对", 18, is_flexible=True),
    Column("状态", 8),
    Column("已等", 6, "right"),
)


class OpenSource(CaseSource):
    """The cases in which something is open for this tier."""

    def cells(
        self,
        row: CaseRow,
        _known: Arrival | None,
        _files: Progress | None,
        _names: dict[str, str],
    ) -> tuple[str, ...]:
        """Return a case as a line of this list."""
        count = f" {row.open_count}处" if row.open_count > 1 else ""
        return (
            labels.short_number(row.number),
            row.applicant or "（未填）",
            row.item_name,
            labels.word(labels.MARKS, row.mark) + count,
            labels.word(labels.STATES, row.state),
            views.waiting(row.changed_at_ms, self.node.now_ms()),
        )


class OpenListPage(ListPage):
    """The cases that wait; Enter begins with the highlighted one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "返回"),
    ]
    AUTO_FOCUS = "CaseList"
    HELP = (
        "这些办件有几处填得不同、几步对不上，或受理后又改过，等本级核对。"
        "等得最久的在最前面；按回车从光标所在的一件开始，一处处核对下去。"
    )

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "待核对"

    def body(self) -> Iterable[Widget]:
        """Put what is open in the highlighted case below the list."""
        source = OpenSource(
            self.node,
            cases.to_settle(self.node),
            has_cases=True,
            drafts=lambda: (),
            on_error=self.lianban.tell,
        )
        rows = CaseList(COLUMNS, source, empty="都核对完了，没有等着的")
        rows.can_choose = False
        yield rows
        yield Static(id="detail", classes="quiet")

    def data_changed(self) -> None:
        """Read the rows again."""
        self.listed.refresh_rows()
        self.show_detail()

    def detail(self, row: Row | None) -> Text:
        """Return what is open in the highlighted case."""
        if row is None:
            return Text()
        case = cases.open_case(self.node, case_id(row.key))
        return self.folded("；".join(matters.title(case, m) for m in case.matters), 2)

    @on(PagedList.Opened)
    def opened(self, event: PagedList.Opened) -> None:
        """Settle, from this case on."""
        self.app.push_screen(SettlePage(self.node, case_id(event.key)))
