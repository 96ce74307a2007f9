"""The screens of a node: who sits where, what is polled, and how it ends.

The app holds the keys that work everywhere and the stack of screens. It asks the store
once a second whether anything has changed, and draws only what is another than before.
"""

import json
import os
import time
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.theme import BUILTIN_THEMES
from textual.widgets import Input
from textual.worker import WorkerFailed

from node import cases, clock_check, peers, status, talk, waiting
from node.service import Background
from node.status import Above, Trouble
from node.store.cases import Filter
from node.wiring import Node
from sync.errors import SyncError
from tui import labels
from tui.messages import ERRORS, sentence
from tui.screens.choose import Choose, Option
from tui.screens.desk import DeskPage
from tui.screens.page import Page, Tone
from tui.screens.tell import Tell
from tui.text import fit
from tui.theme import STYLES, THEME, theme_name
from tui.widgets.confirm import Confirm
from tui.widgets.keys import key_name
from tui.widgets.status_bar import Part

POLL_S = 1.0
REREAD_MS = 60_000
"""After so long the status is read again even if nobody has written: ages grow."""

CRASHED = (
    "程序出了没有料到的错，先停下了。已经保存的内容都在，"
    "重新打开就能接着办；再有请把 {log} 交给管理员。"
)


class LianbanApp(App[None]):
    """The screens over an open node.

    `take_over` is asked again and again for what does the syncing; None while another
    process does it.
    """

    TITLE = "联办"
    CSS = STYLES
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "帮助"),
        Binding("ctrl+p", "commands", "命令", show=False),
        Binding("f10", "leave", "退出", priority=True),
    ]

    def __init__(
        self, node: Node, take_over: Callable[[], Background | None] | None = None
    ) -> None:
        super().__init__()
        self.node = node
        self._take_over = take_over or (lambda: None)
        self.background = self._take_over()
        self.above: Above | None = None
        self.trouble = Trouble(0, 0, 0, 0)
        self.to_settle = 0
        self.lights = (0, 0)
        """How many cases are amber, and how many red."""
        self.has_lapsed = False
        self._version = -1
        self._read_at_ms = 0
        self._waits_for_sync: int | None = None
        self._is_syncing = False

    # -- what is polled -------------------------------------------------------

    def on_mount(self) -> None:
        """Show the desk of this tier."""
        self.register_theme(THEME)
        name = theme_name(os.environ)
        self.theme = name if name in BUILTIN_THEMES else THEME.name
        self._version = self.node.store.data_version()
        self._read_status()
        self.push_screen(self.first_page())
        self.set_interval(POLL_S, self._poll)

    def first_page(self) -> Page:
        """Return the screen that all others lie over."""
        return DeskPage(self.node)

    def _poll(self) -> None:
        """Look; a store that is busy for once is said calmly, and asked again."""
        try:
            self.look()
        except ERRORS as error:
            self._say(f"! {sentence(error)}")

    def look(self) -> None:
        """See if another process or thread has written; show it if so."""
        if self.background is None:
            # The service that did it may have ended: its lock is free then.
            self.background = self._take_over()
        version = self.node.store.data_version()
        if version != self._version:
            self._version = version
            self.wrote()
        elif self.node.now_ms() - self._read_at_ms > REREAD_MS:
            self._read_status()
        self._tell_sync_result()
        if self.page is not None:
            self.page.show_status()

    def wrote(self) -> None:
        """Show anew what may have changed by what was just written."""
        self._read_status()
        if self.page is not None:
            self.page.show_status()
            self.page.data_changed()

    @property
    def page(self) -> Page | None:
        """The uppermost whole screen; a dialogue may lie over it."""
        for screen in reversed(self.screen_stack):
            # One that is only being made shows all of this itself when it is.
            if isinstance(screen, Page) and screen.is_whole:
                return screen
        return None

    def status_parts(self) -> tuple[Part, ...]:
        """Return who works here, how the line is, and what waits."""
        parts = [Part(self.node.operator)]
        if self.to_settle:
            parts.append(Part(f"{labels.OPEN_MARK} 待核对 {self.to_settle}", "alert"))
        amber, red = self.lights
        if red:
            parts.append(Part(f"! 超期 {red}", "alert"))
        if amber:
            parts.append(Part(f"快到期 {amber}"))
        line = labels.line_up(self.above, self.node.now_ms())
        if line:
            parts.append(Part(line, "quiet"))
        if self.above and self.above.not_delivered:
            parts.append(Part(f"▲未送达 {self.above.not_delivered}"))
        if self.trouble.is_revoked:
            parts.insert(1, Part("! 本站点已停用，请联系区里", "alert"))
        if self.trouble.ahead_ms:
            parts.insert(1, Part("! 时钟不准", "alert"))
        if self.trouble.is_stopped:
            parts.append(Part("! 已停写，看同步情况", "alert"))
        odd = self.trouble.set_aside + self.trouble.forks
        if odd:
            parts.append(Part(f"! 搁置 {odd}", "alert"))
        return tuple(parts)

    # -- what screens ask for -------------------------------------------------

    def tell(self, error: Exception) -> None:
        """Say an error in words, over whatever is on the screen."""
        if not isinstance(self.screen, Tell):
            self.push_screen(Tell("没有办成", sentence(error)))

    def close_page(self, words: str) -> None:
        """Go back to the screen below and say `words` there."""
        self.pop_screen()
        self._read_status()
        if self.page is not None:
            self.page.say(words)

    def sync_now(self) -> None:
        """Exchange with the node above, by the background or by ourselves."""
        if self.above is None or self._is_syncing:
            return
        self._say(f"正在与{self.above.name}同步…可以接着办")
        if self.background is not None:
            self._waits_for_sync = self.above.last_try_ms or 0
            self.background.wake()
        else:
            self._is_syncing = True
            self.run_worker(self._sync, thread=True, group="sync", exit_on_error=False)

    # -- keys -----------------------------------------------------------------

    def action_help(self) -> None:
        """Say what this screen is for, and all of its keys."""
        page = self.page
        if page is None or self.screen is not page:
            return
        lines = [page.help_words, ""]
        for key, label in self._keys():
            lines.append(f"  {fit(key, 8)} {label}")
        self.push_screen(Tell(f"帮助：{page.title_words}", "\n".join(lines)))

    def action_commands(self) -> None:
        """Offer what can be done now, to be found by its pinyin initials."""
        if self.page is not None and self.screen is self.page:
            self.page.work(self._choose_command(self.page))

    async def _choose_command(self, page: Page) -> None:
        options = [
            Option(binding.key, binding.description, key_name(binding.key))
            for binding in self._bindings_now()
            if binding.action != "commands"
        ]
        key = await self.push_screen_wait(
            Choose("做什么？", options, columns=("命令", "按键"))
        )
        if key is not None:
            page.call_after_refresh(self.simulate_key, key)

    def action_leave(self) -> None:
        """End the program; what stands on the screens is saved first."""
        try:
            for screen in self.screen_stack:
                if isinstance(screen, Page):
                    screen.leave_nothing_behind()
        except ERRORS as error:
            # A full disk must not hold anybody here, nor lose a text unasked.
            self.push_screen(
                Confirm(
                    f"{sentence(error)}仍然退出，就丢掉最后填的。",
                    "退出",
                    "留下",
                    is_dangerous=True,
                ),
                self._leave_anyway,
            )
            return
        self.exit()

    def _leave_anyway(self, is_sure: bool | None) -> None:
        if is_sure:
            self.exit()

    async def action_quit(self) -> None:
        """End as F10 does, for those who press Ctrl-Q."""
        self.action_leave()

    def action_help_quit(self) -> None:
        """Say how to leave: Ctrl-C does not, since it copies."""
        self._say("要退出请按 F10，内容都会存好")

    async def on_event(self, event: events.Event) -> None:
        """Take a capital letter as a small one, except where text is typed: with Caps
        Lock on no key of ours would do anything.
        """
        if isinstance(event, events.Key) and not isinstance(self.focused, Input):
            small = event.key.removeprefix("upper_").lower()
            if len(small) == 1 and small.isalpha() and small != event.key:
                event = events.Key(small, small)
        await super().on_event(event)

    # -- errors ---------------------------------------------------------------

    async def run_action(self, *args, **options):  # type: ignore[no-untyped-def]
        """Run an action; what it raises on purpose is told in words."""
        try:
            return await super().run_action(*args, **options)
        except ERRORS as error:
            self.tell(error)
            return True

    async def _dispatch_message(self, message: Message) -> None:
        """Handle a message; the polling, too, may meet a busy store."""
        try:
            await super()._dispatch_message(message)
        except ERRORS as error:
            self.tell(error)

    def _fatal_error(self) -> None:
        """End after a mistake of ours: in words, with the place in the log.

        Textual would print the local variables of every frame: citizens' data.
        """
        behind = _behind(self._exception)
        line = {
            "timestamp": time.time(),
            "level": "critical",
            "event": "crashed",
            "cause": type(behind[-1]).__name__ if behind else "",
            "places": [place for error in behind for place in _places(error)],
        }
        log = self.node.home.log
        try:
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError:
            pass
        self.panic(CRASHED.format(log=log))

    # -- private --------------------------------------------------------------

    def _read_status(self) -> None:
        self._read_at_ms = self.node.now_ms()
        self.above = status.above(self.node)
        self.trouble = status.trouble(self.node)
        self.to_settle = cases.count_to_settle(self.node)
        today = self.node.today().isoformat()
        store = self.node.store.cases
        self.lights = store.count_lights(today)
        late = Filter(has_lapsed=True, today=today)
        self.has_lapsed = store.count(late) > 0

    def _say(self, words: str, tone: Tone = "") -> None:
        if self.page is not None:
            self.page.say(words, tone)

    def _sync(self) -> None:
        """Exchange once, in a thread, over a connection of its own."""
        try:
            node = self.node.another_connection()
            try:
                peer = peers.find_neighbour(node)
                client = peers.client_for(node, peer)
                try:
                    report = talk.sync_over(node, peer, client.exchange)
                    waiting.retry_if_news(node)
                finally:
                    client.close()
                ahead_ms = -clock_check.ahead_ms(node, peer.node)
            finally:
                node.close()
        except ERRORS as error:
            words = sentence(error)
            is_calm = isinstance(error, SyncError)
            self.call_from_thread(self._synced, words if is_calm else f"! {words}")
            return
        words = f"✓ 同步好了：发出 {report.sent} 条，收到 {report.received} 条"
        words += labels.files_moved(report.pieces_out, report.pieces_in)
        if ahead_ms:
            words = f"! {labels.clock_off(ahead_ms, peer.name)}"
        self.call_from_thread(self._synced, words)

    def _synced(self, words: str) -> None:
        self._is_syncing = False
        self._say(words)
        self.look()

    def _tell_sync_result(self) -> None:
        """Say how the try ended that the background was woken for."""
        if self._waits_for_sync is None or self.above is None:
            return
        if (self.above.last_try_ms or 0) == self._waits_for_sync:
            return
        self._waits_for_sync = None
        if self.trouble.is_revoked:
            self._say(labels.REVOKED_HERE, "alert")
        elif self.above.is_online and self.trouble.ahead_ms:
            words = labels.clock_off(self.trouble.ahead_ms, self.above.name)
            self._say(f"! {words}", "alert")
        elif self.above.is_online:
            self._say(f"✓ 与{self.above.name}同步好了")
        else:
            result = labels.word(labels.RESULTS, self.above.last_result)
            self._say(
                f"没同步成：{result}（{self.above.name}）。数据都在本机，后台会自动再试"
            )

    def _bindings_now(self) -> list[Binding]:
        chosen: dict[tuple[int, str], Binding] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            is_ours = binding.description and not binding.description.isascii()
            if is_ours and active.enabled:
                chosen.setdefault((id(active.node), binding.action), binding)
        return list(chosen.values())

    def _keys(self) -> list[tuple[str, str]]:
        return [
            (binding.key_display or key_name(binding.key), binding.description)
            for binding in self._bindings_now()
        ]


def _behind(error: BaseException | None) -> list[BaseException]:
    """Return an error and what has led to it, the first cause last."""
    found: list[BaseException] = []
    while error is not None:
        found.append(error)
        # A worker hands on what its job raised without ever raising it itself.
        error = error.error if isinstance(error, WorkerFailed) else error.__context__
    return found


def _places(error: BaseException) -> list[str]:
    """Return where an error has passed, outermost first: no values, and no folder
    beyond the module's own, for that may be named after a person.
    """
    return [
        f"{'/'.join(PurePath(one.filename).parts[-2:])}:{one.lineno} {one.name}"
        for one in traceback.extract_tb(error.__traceback__)
    ]
