"""Reports on the screen 统计报表: figures by item, place, agent or month."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from forms.author import xlsx
from node import export, statistics
from node.statistics import MEASURES, Measure, Report
from node.wiring import Node
from tui import report_words as words
from tui.screens.choose import Choose, Option
from tui.screens.figure_list import Figure, FigurePage
from tui.screens.list_page import TabbedPage
from tui.screens.rows_at_hand import RowsAtHand
from tui.text import cells, fit, harmless
from tui.widgets.case_list import CaseList
from tui.widgets.paged_list import Column, PagedList, Row
from tui.widgets.tab_line import Tab, TabLine

DETAIL_LINES = 5
SHOWN = ("received", "accepted", "decided", "same_day", "on_time", "overdue", "points")
"""Measures that have a column; all stand below for the highlighted row."""

COUNTING = "正在统计…"
NOTHING = "还没有收件"
NOTHING_IN_MONTH = "这个月没有收件。按 - 看上月，M 看全部"

_COLUMNS = [one for key in SHOWN for one in MEASURES if one.count == key]


Asked = tuple[str, date | None]
"""By what is counted, and of which month, by its first day; None: all that is here."""


class ReportPage(TabbedPage[Asked, Report]):
    """One table: left and right choose by what is counted, + and - which month."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("minus", "month(-1)", "上月", key_display="-"),
        Binding("plus,equals_sign", "month(1)", "下月", key_display="+"),
        Binding("m", "all_months", "全部月份"),
        Binding("c", "save('csv')", "存CSV"),
        Binding("x", "save('xlsx')", "存Excel"),
        Binding("escape", "leave", "返回"),
    ]
    DEFAULT_CSS = """
    ReportPage {
        & > #detail { height: 6; }
    }
    """
    HELP = (
        "数字都从办件的每一步算出来，只数在本地和下级收的件，按收件日归月。"
        "数据点相同的两处，数字就相同。当日率、按时率只看已办结的；"
        "超期包括办结时已超的和在办已过承诺日的；积分在上级受理后才计，"
        "撤回、不予受理的不计。光标所在一行的全部数字在下面。"
        "按回车选一个数字，看它背后是哪些件。"
    )

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.month: date | None = node.today().replace(day=1)
        self.report: Report | None = None

    @property
    def title_words(self) -> str:
        """What this screen is, and of which month."""
        return f"统计报表 {self._month_words}"

    def body(self) -> Iterable[Widget]:
        """Put all figures of the highlighted row below the table."""
        yield TabLine([Tab(name) for name in words.GROUPS.values()])
        yield CaseList((), RowsAtHand(()), empty=COUNTING)
        yield Static(id="detail", classes="quiet")

    def on_mount(self) -> None:
        """Nothing is chosen here."""
        super().on_mount()
        rows = self.query_one(CaseList)
        rows.can_choose = False

    @property
    def asked(self) -> Asked:
        """What is counted."""
        return list(words.GROUPS)[self.active], self.month

    def read(self, node: Node, asked: Asked) -> Report:
        """Count: a second or two where there are 100,000 cases."""
        group, month = asked
        if month is None:
            return statistics.report(node, group, statistics.cut(node))
        cut = statistics.month_cut(node, month.isoformat()[:7])
        return statistics.report(node, group, cut)

    def take(self, found: Report) -> None:
        """Show the figures, where they are others than those on show."""
        if found == self.report:
            return
        self.report = found
        listed = self.listed
        head = Column(words.GROUPS[found.group], 18, is_flexible=True)
        listed.columns = (head, *(_column(one) for one in _COLUMNS))
        listed.empty = NOTHING_IN_MONTH if self.month else NOTHING
        counted = found.rows and (*found.rows, self._total(found))
        self.show_rows(
            [
                Row((place,), _cells(one), "" if one.key else "bold")
                for place, one in enumerate(counted)
            ]
        )

    def show_tab(self) -> None:
        """Count anew; what was counted for another question is shown no longer."""
        self.report = None
        tabs = self.query_one(TabLine)
        tabs.show(tabs.tabs, self.active)
        self.show_status()
        self.listed.empty = COUNTING
        self.show_rows(())
        self.data_changed()

    def detail(self, row: Row | None) -> Text:
        """Return all figures of the highlighted row, and of when they are."""
        found = self.report
        if found is None:
            return Text(COUNTING)
        lines = [""]
        if row is not None:
            one = (*found.rows, self._total(found))[int(row.key[0])]
            pieces = [f"{harmless(one.name)}：", *words.figures(one.counts)]
            lines = _in_lines(pieces, self.size.width - 3)
        seen = f"数据点 {found.mark}，看到 {found.cut.today} 为止"
        return Text("\n".join((*lines[:DETAIL_LINES], seen)))

    def action_month(self, step: int) -> None:
        """Show the month before or after."""
        month = self.month or self.node.today().replace(day=1)
        day = month + timedelta(31) if step > 0 else month - timedelta(1)
        self.month = day.replace(day=1)
        self.show_tab()

    def action_all_months(self) -> None:
        """Show all that is in the ledger."""
        self.month = None
        self.show_tab()

    def action_save(self, ending: str) -> None:
        """Ask where to, and write the table with all of its measures."""
        self.work(self._save(ending))

    @on(PagedList.Opened)
    def opened(self) -> None:
        """Ask for one of the row's figures, and list its cases."""
        self.work(self._open())

    @property
    def _month_words(self) -> str:
        return f"{self.month.year} 年 {self.month.month} 月" if self.month else "全部"

    def _total(self, found: Report) -> statistics.Row:
        return statistics.Row("", words.TOTAL, found.total)

    async def _open(self) -> None:
        found, at = self.report, self.listed.highlighted
        if found is None or at is None:
            return
        row = (*found.rows, self._total(found))[int(at.key[0])]
        says = words.said(row.counts)
        options = [
            Option(count, words.COUNTS[count], says[count])
            for count in words.LISTED
            if row.counts[count]
        ]
        chosen = await self.app.push_screen_wait(
            Choose(f"{row.name}：看哪个数字背后的件？", options, columns=("数字", "件"))
        )
        if chosen is not None:
            group = found.group if row.key else ""
            figure = Figure(found.cut, chosen, group, row.key, row.name, says[chosen])
            self.app.push_screen(FigurePage(self.node, figure))

    async def _save(self, ending: str) -> None:
        found = self.report
        if found is None:
            self.say("还在统计，数出来以后再存", "quiet")
            return
        month = self.month.isoformat()[:7] if self.month else "全部"
        name = f"统计-{words.GROUPS[found.group]}-{month}.{ending}"
        typed = await self.ask("存到哪里？（文件夹或文件名）", value=str(Path.home()))
        if not typed:
            return
        path = export.place_in(typed, name)
        table = words.table(found)
        if ending == "xlsx":
            data = xlsx.write({words.GROUPS[found.group]: table}, {})
        else:
            data = statistics.to_csv(table)
        statistics.note_export(self.node, found, self.node.operator)
        export.save_paper(path, data)
        self.say(f"✓ 已存到 {path}")


def _in_lines(pieces: Iterable[str], width: int) -> list[str]:
    """Return the pieces in lines of `width` cells; none is broken but one that is
    wider than a line.
    """
    lines = [""]
    for piece in pieces:
        joined = f"{lines[-1]}  {piece}".lstrip()
        if lines[-1] and cells(joined) > width:
            lines.append(piece)
        else:
            lines[-1] = joined
    return [fit(one, width).rstrip() for one in lines]


def _column(measure: Measure) -> Column:
    return Column(words.title(measure), 10 if measure.of else 6, "right")


def _cells(row: statistics.Row) -> tuple[str, ...]:
    return (row.name, *(words.figure(one, row.counts) for one in _COLUMNS))
