"""How it stands with every neighbour, and what is set aside 同步情况."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from node import status
from node.status import Neighbour, Trouble
from node.store.documents import QuarantineRow
from node.wiring import Node
from tui import labels, times
from tui.messages import ERRORS
from tui.screens.page import Page
from tui.screens.views import waiting
from tui.screens.wrap import wrap
from tui.text import harmless, plain
from tui.widgets.case_list import CaseList
from tui.widgets.paged_list import Column, Key, PagedList, Row
from tui.widgets.tab_line import Tab, TabLine

NODES, ASIDE = range(2)
SHOWN_ASIDE = 200

NODE_COLUMNS = (
    Column("站点", 14, is_flexible=True),
    Column("级", 2),
    Column("最近收到", 11),
    Column("上次试", 18, is_flexible=True),
    Column("欠对方", 10),
    Column("最久", 7),
    Column("缺", 6, "right"),
)
ASIDE_COLUMNS = (
    Column("收到", 11),
    Column("原因", 26, is_flexible=True),
    Column("办件", 20, is_flexible=True),
    Column("来自", 14, is_flexible=True),
)


@dataclass(frozen=True, slots=True)
class Picture:
    """What was read in one go, off the screen's thread."""

    neighbours: tuple[Neighbour, ...]
    trouble: Trouble
    aside: tuple[QuarantineRow, ...]
    numbers: dict[bytes, str]


class Fixed:
    """Rows that are at hand as a `Source`."""

    def __init__(self, rows: Sequence[Row]) -> None:
        """Keep them in this order."""
        self.rows = list(rows)

    def page(self, after: Key | None, limit: int) -> Sequence[Row]:
        """Return the rows behind `after`."""
        start = 0 if after is None else int(after[0]) + 1
        return self.rows[start : start + limit]

    def page_before(self, before: Key | None, limit: int) -> Sequence[Row]:
        """Return the rows before `before`."""
        end = len(self.rows) if before is None else int(before[0])
        return self.rows[max(0, end - limit) : end]

    def count(self) -> int:
        """Return how many there are."""
        return len(self.rows)


class MonitorPage(Page):
    """All neighbours, always with last try, last success, and what is owed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "turn(1)", "下一页", key_display="←→"),
        Binding("left", "turn(1)", show=False),
        Binding("1", "view(0)", show=False),
        Binding("2", "view(1)", show=False),
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
        "等了多久；“缺”是对方有、本机还没收到的条数。搁置的是有问题而没有采用的"
        "一步：它不影响别的办件，原样留着，可以告诉区里处理。"
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
        yield TabLine((Tab("各站点"), Tab("搁置")))
        yield CaseList(NODE_COLUMNS, Fixed(()), empty="正在看各站点的情况…")
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
        """Show neighbours or what is set aside."""
        self.active = index
        self._show()

    def action_turn(self, step: int) -> None:
        """Show the other list."""
        self.action_view((self.active + step) % 2)

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
                picture = _look(node)
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
        if self.active == NODES:
            chosen.columns = NODE_COLUMNS
            chosen.empty = "还没有别的站点。用 lianban invite 邀请"
            rows = _node_rows(picture.neighbours, self.node.now_ms())
        else:
            chosen.columns = ASIDE_COLUMNS
            chosen.empty = "没有搁置的，收到的每一步都采用了"
            rows = _aside_rows(self.node, picture)
        kept = chosen.highlighted
        chosen.show_source(Fixed(rows))
        if kept is not None:
            chosen.highlight(kept.key)
        trouble = picture.trouble
        self.query_one(TabLine).show(
            (
                Tab("各站点", len(picture.neighbours)),
                Tab("搁置", trouble.set_aside, is_urgent=True),
            ),
            self.active,
        )
        self._show_detail()

    def _show_detail(self) -> None:
        picture = self.picture
        row = self.query_one(CaseList).highlighted
        if picture is None:
            return
        trouble = picture.trouble
        totals = (
            f"等前一步 {trouble.waiting}   搁置 {trouble.set_aside}   "
            f"历史分叉 {trouble.forks}   拒收 {trouble.refusals}"
        )
        text = ""
        if row is not None and self.active == NODES:
            text = _node_detail(picture.neighbours[int(row.key[0])], self.node.now_ms())
        elif row is not None:
            text = _aside_detail(picture.aside[int(row.key[0])])
        detail = self.query_one("#detail", Static)
        lines = [plain(one) for one in wrap(text, max(20, self.size.width - 3))[:2]]
        detail.update(Text("\n").join([*lines, plain(totals)]))


def _look(node: Node) -> Picture:
    aside = tuple(node.store.documents.quarantine(SHOWN_ASIDE))
    numbers = {}
    for one in aside:
        row = node.store.cases.get(one.document)
        if row is not None:
            numbers[one.document] = row.number
    neighbours = sorted(status.neighbours(node), key=lambda one: not one.is_above)
    return Picture(tuple(neighbours), status.trouble(node), aside, numbers)


def _node_rows(neighbours: Sequence[Neighbour], now_ms: int) -> list[Row]:
    return [
        Row((place,), _node_cells(one, now_ms), _style(one))
        for place, one in enumerate(neighbours)
    ]


def _node_cells(one: Neighbour, now_ms: int) -> tuple[str, ...]:
    tried = labels.word(labels.RESULTS, one.peer.last_result or "")
    if one.peer.last_try_at_ms:
        tried = f"{times.clock(one.peer.last_try_at_ms, now_ms)} {tried}"
    elif one.peer.last_seen_at_ms:
        tried = f"{times.clock(one.peer.last_seen_at_ms, now_ms)} 来过"
    elif not one.is_above:
        tried = "经别的站点转"
    owed = f"{one.owed_cases}件{one.owed_entries}条" if one.owed_entries else "—"
    oldest = waiting(one.oldest_ms, now_ms) if one.oldest_ms else "—"
    name = f"{one.certificate.name}{'（已停用）' if one.is_revoked else ''}"
    heard = times.moment(one.last_heard_ms, now_ms) if one.last_heard_ms else "从未"
    missing = f"{one.missing_here}条" if one.missing_here else "—"
    tier = labels.word(labels.TIERS, one.certificate.tier)
    return name, tier, heard, tried, owed, oldest, missing


def _style(one: Neighbour) -> str:
    if one.is_revoked:
        return "dim"
    return "bold" if one.is_above else ""


def _node_detail(one: Neighbour, now_ms: int) -> str:
    parts = ["上级"] if one.is_above else []
    if one.peer.last_try_at_ms:
        success_ms = one.peer.last_success_at_ms
        good = times.moment(success_ms, now_ms) if success_ms else "从未"
        parts.append(f"上次成功 {good}")
    if one.peer.failures:
        parts.append(f"连续 {one.peer.failures} 次没成功")
    if one.oldest_ms:
        age = times.span(now_ms - one.oldest_ms)
        parts.append(f"对方没签收的 {one.owed_cases} 件里，最早的等了 {age}")
    elif not one.owed_entries:
        parts.append("本机有的，对方都签收了")
    if one.missing_here:
        parts.append(f"还有 {one.missing_here} 条没收到")
    if one.peer.url:
        parts.append(f"地址 {harmless(one.peer.url)}")
    return f"{harmless(one.certificate.name)}：{'，'.join(parts)}"


def _aside_rows(node: Node, picture: Picture) -> list[Row]:
    rows = []
    now_ms = node.now_ms()
    for place, one in enumerate(picture.aside):
        name = labels.node_name(node.roster.latest(one.author), one.author)
        number = picture.numbers.get(one.document)
        case = labels.short_number(number) if number else one.document.hex()[:12]
        cause = labels.word(labels.CAUSES, one.cause)
        at = times.moment(one.received_at_ms, now_ms)
        rows.append(Row((place,), (at, cause, case or "—", name)))
    return rows


def _aside_detail(one: QuarantineRow) -> str:
    return (
        f"编号 {one.document.hex() or '—'}，对方的第 {one.sequence} 条。"
        "原样留着，不影响别的办件。"
    )
