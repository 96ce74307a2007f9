"""How it stands with every neighbour, and what is set aside 同步情况."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from node.wiring import Node
from tui import labels
from tui.screens import monitor_rows
from tui.screens.list_page import TabbedPage
from tui.screens.monitor_rows import LISTINGS, SHOWN, Picture
from tui.screens.rows_at_hand import RowsAtHand
from tui.text import plain
from tui.widgets.case_list import CaseList
from tui.widgets.paged_list import Row
from tui.widgets.tab_line import Tab, TabLine


class MonitorPage(TabbedPage[None, Picture]):
    """All neighbours, always with last try, last success, and what is owed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "sync", "同步"),
        Binding("escape", "leave", "返回"),
    ]
    DEFAULT_CSS = """
    MonitorPage {
        & > #detail { height: 3; }
    }
    """
    HELP = (
        "每个站点一行。“欠对方”是对方还没签收的件数和条数，“最久”是其中最早一条"
        "等了多久；“缺”是对方有、本机还没收到的条数和时间。搁置的是有问题而没有"
        "采用的一步：它不影响别的办件，原样留着，程序升级后会再核对一次。"
        "等候的是缺了前一步、表单或名册的，缺的到了就自动采用。拒收的是对方传来、"
        "本机核对不过而没有存的，不影响已存的；按 4 逐条看原因和怎么办。"
        "有站点的数据被复制过、"
        "两份都在写时，多一页“两份数据”，写着是哪个站点、怎么办。"
    )

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.picture: Picture | None = None

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "同步情况"

    def body(self) -> Iterable[Widget]:
        """Put the totals below the list."""
        yield TabLine([Tab(one.label) for one in LISTINGS if one.empty])
        yield CaseList(LISTINGS[0].columns, RowsAtHand(()), empty="正在看各站点的情况…")
        yield Static(id="detail", classes="quiet")

    def on_mount(self) -> None:
        """Nothing is chosen here."""
        super().on_mount()
        chosen = self.query_one(CaseList)
        chosen.can_choose = chosen.can_open = False

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out what could do nothing."""
        return action != "sync" or bool(self.node.secrets.parent)

    @property
    def asked(self) -> None:
        """All lists are read at once."""

    def read(self, node: Node, asked: None) -> Picture:
        """Look at all neighbours: a district has many."""
        return monitor_rows.look(node)

    def take(self, found: Picture) -> None:
        """Show it, where it is another than before."""
        if found != self.picture:
            self.picture = found
            self.show_tab()

    def action_sync(self) -> None:
        """Exchange with the node above, now."""
        self.lianban.sync_now()

    def show_tab(self) -> None:
        """List what the active tab is about."""
        picture = self.picture
        if picture is None:
            return
        now_ms = self.node.now_ms()
        # What is only listed where it has happened stands at the end.
        shown = [one for one in LISTINGS if one.empty or one.rows(picture, now_ms)]
        self.active = min(self.active, len(shown) - 1)
        tabs = [Tab(one.label, one.count(picture), one.is_urgent) for one in shown]
        self.query_one(TabLine).show(tabs, self.active)
        listing = LISTINGS[self.active]
        self.listed.columns, self.listed.empty = listing.columns, listing.empty
        self.show_rows(listing.rows(picture, now_ms))

    def detail(self, row: Row | None) -> Text:
        """Return the rest of the highlighted row, and the totals of all lists."""
        picture = self.picture
        if picture is None:
            return Text()
        trouble = picture.trouble
        totals = (
            f"等候 {trouble.waiting}   搁置 {trouble.set_aside}   "
            f"历史分叉 {trouble.forks}   拒收 {trouble.refusals}"
        )
        listing = LISTINGS[self.active]
        if listing.count(picture) > SHOWN:
            totals += f"   （列出 {SHOWN} 处，全部见 lianban status --json）"
        if trouble.needs_upgrade:
            totals = f"! {labels.UPGRADE_HERE}"
        if self.lianban.above and trouble.ahead_ms:
            words = labels.clock_off(trouble.ahead_ms, self.lianban.above.name)
            totals = f"! {words}"
        text = ""
        if row is not None:
            text = listing.detail(picture, int(row.key[0]), self.node.now_ms())
        return Text("\n").join((self.folded(text, 2), plain(totals)))
