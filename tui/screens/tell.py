"""Something that must be read before going on: an error, or help."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.screens.wrap import wrap
from tui.text import plain
from tui.widgets.reading import Reading

TEXT_CELLS = 57
"""What the dialogue has for its text; two less than there are, for hanging points."""

_CSS = """
    align: center middle;

    & > Vertical {
        width: 66;
        max-width: 100%;
        height: auto;
        max-height: 100%;
        padding: 0 2;
        border: round $primary;
        background: $surface;
    }
    & .title { text-style: bold; margin: 0 0 1 0; }
    & .foot { color: $text-muted; margin: 1 0 0 0; }
    & Reading { height: auto; max-height: 17; }
"""


class Tell(ModalScreen[None]):
    """Shows a title and a text; any of the usual keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "知道了"),
        Binding("enter", "close", show=False),
        Binding("space", "close", show=False),
        Binding("f1", "close", show=False),
    ]
    DEFAULT_CSS = "Tell {" + _CSS + "}"

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading, self.text = title, text

    def compose(self) -> ComposeResult:
        """Put the text under its title."""
        with Vertical():
            yield Static(plain(self.heading), classes="title")
            with Reading():
                # Line by line: a line break is for `plain` a control character.
                for paragraph in self.text.split("\n"):
                    for line in wrap(paragraph, TEXT_CELLS):
                        yield Static(plain(line or " "))
            yield Static(plain("回车 知道了"), classes="foot")

    def on_mount(self) -> None:
        """Let the arrows scroll."""
        self.query_one(Reading).focus()

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
