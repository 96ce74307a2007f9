"""The stick: what lies between us and each neighbour, out and in by one key U 盘."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar, TypeVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from node import carrying_in, carrying_out, status
from node.carrying_out import Progress
from node.files import path_of
from node.status import Neighbour
from node.stick import Mount, mounts
from node.wiring import Node
from tui import labels, stick_words, times
from tui.screens.choose import Choose, Option
from tui.screens.list_page import ReadingPage
from tui.screens.rows_at_hand import RowsAtHand
from tui.screens.tell import Tell
from tui.text import harmless, plain
from tui.widgets.case_list import CaseList
from tui.widgets.paged_list import Column, Row

T = TypeVar("T")

COLUMNS = (
    Column("站点", 14, is_flexible=True),
    Column("级", 2),
    Column("对方没签收", 12),
    Column("拷给它", 20, is_flexible=True),
    Column("它拷来", 16, is_flexible=True),
)
ANOTHER = "\0another"
"""The value of the option to type a path."""


class StickPage(ReadingPage[None, tuple[Neighbour, ...]]):
    """All neighbours to whom a stick can go, and what was on sticks so far."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "carry_in", "从U盘收"),
        Binding("o", "carry_out", "拷到U盘"),
        Binding("f", "choose", "选U盘"),
        Binding("escape", "leave", "返回"),
    ]
    DEFAULT_CSS = """
    StickPage {
        & > #folder {
            height: 1; padding: 0 1; background: $surface;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
        & > #detail { height: 3; }
    }
    """
    AUTO_FOCUS = "CaseList"
    HELP = (
        "没有网络时用 U 盘来往。O 把光标所在站点还没签收的都拷上去；送到以后，对方按 "
        "I 收下，回执和给你的也写回同一个 U 盘；带回来再按 I，就显示“已到”。"
        "U 盘丢了不要紧：再拷一次，缺的会补上。别人的数据包不会打开。"
    )

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.folder: Path | None = None
        self.neighbours: tuple[Neighbour, ...] = ()

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "U 盘"

    def body(self) -> Iterable[Widget]:
        """Put the stick above the neighbours."""
        yield Static(id="folder")
        yield CaseList(COLUMNS, RowsAtHand(()), empty="正在看各站点的情况…")
        yield Static(id="detail", classes="quiet")

    def on_mount(self) -> None:
        """Take the stick that is there, if there is just one."""
        super().on_mount()
        chosen = self.query_one(CaseList)
        chosen.can_choose = chosen.can_open = False
        found = [one for one in mounts() if one.is_writable]
        if len(found) == 1:
            self.folder = found[0].path
        self._show_folder()

    @property
    def asked(self) -> None:
        """There is one list."""

    def read(self, node: Node, asked: None) -> tuple[Neighbour, ...]:
        """Look at all neighbours: a district has many."""
        found = [one for one in status.neighbours(node) if not one.is_revoked]
        found.sort(key=lambda one: not one.is_above)
        return tuple(found)

    def take(self, found: tuple[Neighbour, ...]) -> None:
        """List them."""
        if found == self.neighbours:
            return
        self.neighbours = found
        self.listed.empty = "还没有别的站点。用 lianban invite 邀请"
        now_ms = self.node.now_ms()
        self.show_rows(
            [
                Row((place,), _cells(one, now_ms), "bold" if one.is_above else "")
                for place, one in enumerate(found)
            ]
        )

    def detail(self, row: Row | None) -> Text:
        """Return what was on sticks for the highlighted neighbour."""
        if row is None:
            return Text()
        one = self.neighbours[int(row.key[0])]
        said = stick_words.traffic(one.packs) if one.packs else []
        words = "；".join(said) or "还没有用 U 盘来往过"
        return self.folded(f"{harmless(one.certificate.name)}：{words}", 3)

    # -- keys -------------------------------------------------------------------

    def action_choose(self) -> None:
        """Choose the folder that is the stick."""
        self.work(self._choose_only())

    def action_carry_out(self) -> None:
        """Copy what the highlighted neighbour lacks."""
        self.work(self._carry_out())

    def action_carry_in(self) -> None:
        """Take what is for us, and write the answers."""
        self.work(self._carry_in())

    def action_leave(self) -> None:
        """Go back to the desk, but not while the stick is at work."""
        if self.is_busy:
            self.say("正在读写 U 盘，请等它做完")
        else:
            super().action_leave()

    async def _choose_only(self) -> None:
        await self._choose()

    async def _choose(self) -> bool:
        """Ask for the folder; say whether there is one now."""
        media = mounts()
        value: str | None = ANOTHER
        if media:
            options = [
                Option(str(number), one.path.name, _room_words(one))
                for number, one in enumerate(media)
            ]
            options.append(Option(ANOTHER, "别的文件夹…", "自己填路径"))
            value = await self.app.push_screen_wait(
                Choose("用哪个 U 盘？", options, columns=("名称", "还能写"))
            )
        if value == ANOTHER:
            typed = await self.ask(
                "U 盘是哪个文件夹？", placeholder="如 /media/usb，请填完整路径"
            )
            if typed and typed.strip():
                self.folder = path_of(typed.strip(), "folder")
        elif value is not None:
            self.folder = media[int(value)].path
        self._show_folder()
        return self.folder is not None

    async def _carry_out(self) -> None:
        row = self.query_one(CaseList).highlighted
        if row is None or not (self.folder or await self._choose()):
            return
        one, folder = self.neighbours[int(row.key[0])], self.folder
        assert folder is not None
        self.say(f"正在拷给{harmless(one.certificate.name)}…请不要拔出")
        made = await self._at_the_stick(
            lambda node: carrying_out.carry_out(
                node, folder, one.certificate, on_progress=self._tells("已写")
            )
        )
        said = stick_words.carried_out(made)
        self._show_result("拷好了", [*said, "拔出以前，请先在系统里弹出 U 盘。"])

    async def _carry_in(self) -> None:
        if not (self.folder or await self._choose()):
            return
        folder = self.folder
        assert folder is not None
        self.say("正在从 U 盘收…请不要拔出")
        before = status.above(self.node)
        came = await self._at_the_stick(
            lambda node: carrying_in.carry_in(
                node, folder, on_progress=self._tells("已读")
            )
        )
        title = "收好了" if came.senders else "没有收到"
        arrived = stick_words.arrived(
            self.node.certificate, before, status.above(self.node)
        )
        said = stick_words.carried_in(came, self.node.roster.latest, arrived)
        if self.lianban.trouble.is_revoked:
            said.append(labels.REVOKED_HERE)
        self._show_result(title, said)

    # -- private ----------------------------------------------------------------

    async def _at_the_stick(self, job: Callable[[Node], T]) -> T:
        """Do what reads or writes the stick in a thread, the screen stays alive."""

        def run() -> T:
            with closing(self.node.another_connection()) as node:
                return job(node)

        try:
            return await asyncio.to_thread(run)
        finally:
            self.say("")

    def _tells(self, word: str) -> Callable[[Progress], None]:
        """Return what shows how far it is, a few times a second."""
        shown_at_ms = 0

        def tell(progress: Progress) -> None:
            nonlocal shown_at_ms
            now_ms = self.node.now_ms()
            if abs(now_ms - shown_at_ms) < 200:
                return
            shown_at_ms = now_ms
            of = f" / {labels.size(progress.of_bytes)}" if progress.of_bytes else ""
            words = f"{word} {labels.size(progress.done_bytes)}{of}…请不要拔出"
            self.app.call_from_thread(self.say, words)

        return tell

    def _show_result(self, title: str, said: Sequence[str]) -> None:
        self.lianban.wrote()
        self.app.push_screen(Tell(title, "\n".join(said)))

    def _show_folder(self) -> None:
        words = (
            f"U 盘：{harmless(str(self.folder))}"
            if self.folder
            else "还没有选 U 盘：插好以后按 F 选"
        )
        self.line("folder").update(plain(words))


def _cells(one: Neighbour, now_ms: int) -> tuple[str, ...]:
    owed = f"{one.owed_cases}件{one.owed_entries}条" if one.owed_entries else "—"
    out = come = "—"
    if one.packs:
        last = one.packs.last_made
        if last:
            out = f"第{last.pack}包 {times.moment(last.made_at_ms, now_ms)}"
        if one.packs.highest:
            come = f"第{one.packs.highest}包"
        if lacking := sum(gap.is_open for gap in one.packs.missing):
            come += f" 缺{lacking}处"
    tier = labels.word(labels.TIERS, one.certificate.tier)
    return one.certificate.name, tier, owed, out, come


def _room_words(one: Mount) -> str:
    return labels.size(one.free_bytes) if one.is_writable else "只读"
