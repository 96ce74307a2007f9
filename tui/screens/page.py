"""What all screens share: the bar of who and how things stand, a note, the keys."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from node.wiring import Node
from tui.messages import ERRORS
from tui.screens.wrap import wrap
from tui.text import harmless, plain
from tui.widgets.confirm import Ask, Confirm
from tui.widgets.keys import KeyBar
from tui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from tui.app import LianbanApp

Tone = Literal["", "quiet", "alert", "problem"]


class Page(Screen[None]):
    """A whole screen. What it does with the node, it does through one desk function.

    Whoever subclasses it says its `title_words`, its `body`, and what to read again
    when the data has changed.
    """

    DEFAULT_CSS = """
    Page {
        & > #note { height: auto; min-height: 1; max-height: 3; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = []
    HELP: ClassVar[str] = ""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node
        self.is_busy = False

    @property
    def lianban(self) -> LianbanApp:
        """The app, by its own type."""
        return cast("LianbanApp", self.app)

    @property
    def title_words(self) -> str:
        """What this screen is, behind the name of the place."""
        return ""

    @property
    def help_words(self) -> str:
        """What F1 says of this screen, before its keys."""
        return self.HELP

    @property
    def is_whole(self) -> bool:
        """Say whether its widgets are there: not while it is made, nor as it closes."""
        return bool(self.query("#status"))

    def body(self) -> Iterable[Widget]:
        """Make what stands between the bars."""
        return ()

    def compose(self) -> ComposeResult:
        """Put the body between the bars."""
        yield StatusBar(id="status")
        yield from self.body()
        yield Static(id="note")
        yield KeyBar()

    def on_mount(self) -> None:
        """Say who and where from the first frame on."""
        self.show_status()

    def on_screen_resume(self) -> None:
        """Catch up with what happened behind another screen."""
        self.show_status()
        self.data_changed()

    def show_status(self) -> None:
        """Say who, where, and how things stand; nothing is drawn if it is the same."""
        title = f"{self.node.certificate.name} · {self.title_words}"
        self.query_one("#status", StatusBar).show(title, self.lianban.status_parts())

    def data_changed(self) -> None:
        """Read again what is on show."""

    def leave_nothing_behind(self) -> None:
        """Put what is only on the screen on disk: the program is about to end."""

    def say(self, text: str, tone: Tone = "") -> None:
        """Show a line above the keys, until the next one."""
        note = self.line("note")
        note.set_classes(tone)
        note.update(self.folded(text))

    def folded(self, text: str, most: int | None = None) -> Text:
        """Return a text in lines as wide as this screen, `most` of them."""
        lines = wrap(text, max(20, self.size.width - 3))
        return Text("\n").join(plain(line) for line in lines[:most])

    def line(self, name: str) -> Static:
        """Return a line, or a few, of this screen, by its id."""
        return self.query_one(f"#{name}", Static)

    def action_leave(self) -> None:
        """Go back to the page below."""
        self.lianban.close_page("")

    def work(self, job: Coroutine[Any, Any, None]) -> None:
        """Do what needs answers from the user, one such thing at a time."""
        if self.is_busy:
            job.close()
            return
        self.is_busy = True
        self.run_worker(self._guarded(job), group="work")

    async def ask(
        self,
        question: str,
        *,
        value: str = "",
        placeholder: str = "",
        presets: Sequence[str] = (),
    ) -> str | None:
        """Ask for a line of text; None when the user went back."""
        return await self.app.push_screen_wait(
            Ask(harmless(question), value, placeholder=placeholder, presets=presets)
        )

    async def confirm(
        self, question: str, yes: str, *, is_dangerous: bool = False
    ) -> bool:
        """Ask for a yes."""
        return await self.app.push_screen_wait(
            Confirm(question, yes, "再看看", is_dangerous=is_dangerous)
        )

    async def _dispatch_message(self, message: Message) -> None:
        """Handle a message; what the node refuses is told in words, and we go on."""
        try:
            await super()._dispatch_message(message)
        except ERRORS as error:
            self.lianban.tell(error)

    async def _guarded(self, job: Coroutine[Any, Any, None]) -> None:
        try:
            await job
        except ERRORS as error:
            self.lianban.tell(error)
        finally:
            self.is_busy = False
