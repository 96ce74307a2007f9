"""How it stands with every neighbour, and what is set aside 同步情况."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from node.wiring import Node
from tui import fork_words, labels
from tui.messages import ERRORS
from tui.screens import monitor_rows
from tui.screens.monitor_rows import Fixed, Picture
from tui.screens.page import Page
from tui.screens.wrap import wrap
from tui.text import plain
from tui.widgets.case_list import CaseList
from tui.widgets.paged_list import Column, PagedList, Row
from tui.widgets.tab_line import Tab, TabLine

NODES, ASIDE, WAITING, FORKED = range(4)


class MonitorPage(Page):
    """All neighbours, always with last try, last success, and what is owed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "turn(1)", "下一页", key_display="←→"),
        Binding("left", "turn(-1)", show=False),
        Binding("1", "view(0)", show=False),
        Binding("2", "view(1)", show=False),
        Binding("3", "view(2)", show=False),
        Binding("4", "view(3)", show=False),
        Binding("f5", "sync", "同步"),
        Binding("escape", "leave", "返回"),
    ]
    DEFAULT_CSS = """
    MonitorPage {
        & > #detail { height: 3; padding: 0 1; background: $surface; }
    }
    """
    AUTO_FOCUS = "CaseList"
    HELP = (
        "每个站点一行。“欠对方”是对方还没签收的件数和条数，“最久”是其中最早一条"
        "等了多久；“缺”是对方有、本机还没收到的条数和时间。搁置的是有问题而没有"
        "采用的一步：它不影响别的办件，原样留着，程序升级后会再核对一次。"
        "等候的是缺了前一步、表单或名册的，缺的到了就自动采用。拒收的是对方传来、"
        "本机核对不过而没有存的，不影响已存的；逐条的原因见 lianban status。"
        "有站点的数据被复制过、"
        "两份都在写时，多一页“两份数据”，写着是哪个站点、怎么办。"
    )

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.active = NODES
        self.picture: Picture | None = None

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "同步情况"

    def body(self) -> Iterable[Widget]:
        """Put the totals below the list."""
        yield TabLine((Tab("各站点"), Tab("搁置"), Tab("等候")))
        yield CaseList(
            monitor_rows.NODE_COLUMNS, Fixed(()), empty="正在看各站点的情况…"
        )
        yield Static(id="detail", classes="quiet")

    def on_mount(self) -> None:
        """Nothing is chosen here."""
        super().on_mount()
        chosen = self.query_one(CaseList)
        chosen.can_choose = chosen.can_open = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what could do nothing."""
        return action != "sync" or bool(self.node.secrets.parent)

    def data_changed(self) -> None:
        """Look again, in a thread: a district has many neighbours."""
        self.run_worker(
            self._read, thread=True, group="read", exclusive=True, exit_on_error=False
        )

    def action_view(self, index: int) -> None:
        """Show neighbours, what is set aside, what waits, or who has forked."""
        if index < len(self.query_one(TabLine).tabs):
            self.active = index
            self._show()

    def action_turn(self, step: int) -> None:
        """Show the list beside this one."""
        self.action_view((self.active + step) % len(self.query_one(TabLine).tabs))

    @on(TabLine.Picked)
    def picked(self, event: TabLine.Picked) -> None:
        """Show the list that was clicked."""
        self.action_view(event.index)

    @on(PagedList.Highlighted)
    def look_closer(self) -> None:
        """Say the rest of the highlighted row."""
        self._show_detail()

    def action_sync(self) -> None:
        """Exchange with the node above, now."""
        self.lianban.sync_now()

    def action_leave(self) -> None:
        """Go back to the desk."""
        self.lianban.close_page("")

    def _read(self) -> None:
        try:
            node = self.node.another_connection()
            try:
                picture = monitor_rows.look(node)
            finally:
                node.close()
        except ERRORS as error:
            self.app.call_from_thread(self.lianban.tell, error)
            return
        self.app.call_from_thread(self._take, picture)

    def _take(self, picture: Picture) -> None:
        if self.is_mounted and picture != self.picture:
            self.picture = picture
            self._show()

    def _show(self) -> None:
        picture = self.picture
        if picture is None:
            return
        chosen = self.query_one(CaseList)
        columns, empty, rows = self._listed(picture)
        chosen.columns, chosen.empty = columns, empty
        kept = chosen.highlighted
        chosen.show_source(Fixed(rows))
        if kept is not None:
            chosen.highlight(kept.key)
        trouble = picture.trouble
        tabs = [
            Tab("各站点", len(picture.neighbours)),
            Tab("搁置", trouble.set_aside, is_urgent=True),
            Tab("等候", trouble.waiting),
        ]
        if picture.forked:
            tabs.append(Tab("两份数据", trouble.forks, is_urgent=True))
        self.query_one(TabLine).show(tabs, self.active)
        self._show_detail()

    def _listed(self, picture: Picture) -> tuple[tuple[Column, ...], str, list[Row]]:
        """Return the columns, the words for nothing, and the rows of a tab."""
        now_ms = self.node.now_ms()
        if self.active == NODES:
            return (
                monitor_rows.NODE_COLUMNS,
                "还没有别的站点。用 lianban invite 邀请",
                monitor_rows.node_rows(picture.neighbours, now_ms),
            )
        if self.active == ASIDE:
            return (
                monitor_rows.ENTRY_COLUMNS,
                "没有搁置的，收到的每一步都采用了",
                monitor_rows.aside_rows(picture, now_ms),
            )
        if self.active == FORKED:
            return (
                monitor_rows.FORKED_COLUMNS,
                "",
                monitor_rows.forked_rows(picture.forked, now_ms),
            )
        return (
            monitor_rows.ENTRY_COLUMNS,
            "没有等候的，该到的都到了",
            monitor_rows.waiting_rows(picture, now_ms),
        )

    def _show_detail(self) -> None:
        picture = self.picture
        row = self.query_one(CaseList).highlighted
        if picture is None:
            return
        trouble = picture.trouble
        totals = (
            f"等候 {trouble.waiting}   搁置 {trouble.set_aside}   "
            f"历史分叉 {trouble.forks}   拒收 {trouble.refusals}"
        )
        if trouble.refusals:
            totals += "（没收下的，原因见 lianban status）"
        if trouble.needs_upgrade:
            totals = f"! {labels.UPGRADE_HERE}"
        if self.lianban.above and trouble.ahead_ms:
            words = labels.clock_off(trouble.ahead_ms, self.lianban.above.name)
            totals = f"! {words}"
        text = ""
        if row is not None:
            place, now_ms = int(row.key[0]), self.node.now_ms()
            if self.active == NODES:
                text = monitor_rows.node_detail(picture.neighbours[place], now_ms)
            elif self.active == ASIDE:
                text = monitor_rows.aside_detail(picture.aside[place])
            elif self.active == FORKED:
                text = fork_words.advice(picture.forked[place])
            else:
                text = monitor_rows.waiting_detail(picture.pending[place], now_ms)
        detail = self.query_one("#detail", Static)
        lines = [plain(one) for one in wrap(text, max(20, self.size.width - 3))[:2]]
        detail.update(Text("\n").join([*lines, plain(totals)]))
