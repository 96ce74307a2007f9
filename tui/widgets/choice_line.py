"""A question with numbered answers: a digit, the arrows or the word itself chooses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Size
from textual.message import Message
from textual.widget import Widget

from tui.text import cells, harmless
from tui.widgets.field_input import FieldInput

GAP_CELLS = 3
LISTED = 12
"""A longer list is not laid out in the form: Enter opens it."""


@dataclass(frozen=True, slots=True)
class Option:
    """One answer: the value is kept, the label is shown and may be typed."""

    value: str
    label: str


class ChoiceLine(Widget, can_focus=True):
    """Shows options in as many lines as they need; the chosen one carries a dot.

    It tells of its value with the messages of `FieldInput`, as any field of a form.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", show=False),
        Binding("right", "step(1)", show=False),
        Binding("backspace,delete", "clear", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "choice-line--chosen",
        "choice-line--number",
    }
    DEFAULT_CSS = """
    ChoiceLine {
        height: auto;
        width: 1fr;

        & > .choice-line--chosen { color: $accent; text-style: bold; }
        & > .choice-line--number { color: $text-muted; }
        &:focus {
            background: $panel;
            & > .choice-line--chosen {
                color: $block-cursor-foreground;
                background: $block-cursor-background;
                text-style: bold;
            }
        }
        &.wrong { color: $text-error; text-style: underline; }
        &:focus:ansi { text-style: underline; }
    }
    """

    @dataclass
    class ListWanted(Message):
        """There are too many options to show: the user wants to see them."""

        key: str

    def __init__(self, key: str, options: Sequence[Option], value: str = "") -> None:
        super().__init__()
        self.key = key
        self.options = tuple(options)
        self.value = value
        self.problem: str | None = None
        self._typed = ""
        self._settled_value = value

    @property
    def is_listed(self) -> bool:
        """Whether all options stand in the form."""
        return len(self.options) <= LISTED

    def offer(self, options: Sequence[Option]) -> None:
        """Offer other options from now on."""
        if self.options != tuple(options):
            self.options = tuple(options)
            self.refresh(layout=True)

    def has(self, value: str) -> bool:
        """Say whether an option is chosen."""
        return value == self.value

    def pick(self, value: str) -> None:
        """Take an option that the user has pointed at."""
        self.choose(value)

    def choose(self, value: str) -> None:
        """Take a value as the user's."""
        if value != self.value:
            self.value = value
            self.refresh(layout=not self.is_listed)
            self.post_message(FieldInput.Edited(self.key, value))

    def set_problem(self, message: str | None) -> None:
        """Look wrong, or right again for None; the form shows `message` beside it."""
        self.problem = message
        self.set_class(message is not None, "wrong")

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Say that what is typed is taken here, so that no letter leaves the form."""
        return character is not None and character.isprintable() and character != " "

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return all the room there is."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines the options need."""
        return 1 + max((line for line, _, _ in self._places(width)), default=0)

    def render(self) -> Text:
        """Draw the options."""
        number = self.get_component_rich_style("choice-line--number", partial=True)
        chosen = self.get_component_rich_style("choice-line--chosen", partial=True)
        text = Text(no_wrap=True, overflow="crop")
        if not self.is_listed:
            self._render_one(text, number, chosen)
            return text
        line = column = 0
        for position, (row, start, label) in enumerate(self._places(self.size.width)):
            if row > line:
                text.append("\n")
                line, column = row, 0
            text.append(" " * (start - column))
            if self.has(self.options[position].value):
                text.append(f"●{label}", chosen)
            else:
                digits, _, rest = label.partition(" ")
                text.append(f" {digits}", number)
                text.append(f" {rest}")
            column = start + 1 + cells(label)
        return text

    def on_focus(self) -> None:
        """Put the terminal's cursor here, where an input method opens its list."""
        self._typed = ""
        self.call_after_refresh(self._park)

    def on_blur(self) -> None:
        """Report the value, and whether it is a new one."""
        changed = self.value != self._settled_value
        self._settled_value = self.value
        self.post_message(FieldInput.Left(self.key, self.value, changed))

    def on_key(self, event: events.Key) -> None:
        """Choose by number, or by the beginning of a label."""
        character = event.character
        if event.key == "space" and self.is_listed:
            event.stop()
            self.action_step(1)
        elif event.key in ("enter", "space") and not self.is_listed:
            event.stop()
            self.post_message(self.ListWanted(self.key))
        elif character and character.isprintable() and character != " ":
            event.stop()
            self._take(character)

    def on_paste(self, event: events.Paste) -> None:
        """Choose what is pasted, if it is an option."""
        event.stop()
        self._typed = ""
        self._take(event.text.strip())

    def on_click(self, event: events.Click) -> None:
        """Choose the option under the mouse."""
        if not self.is_listed:
            self.post_message(self.ListWanted(self.key))
            return
        for position, (row, start, label) in enumerate(self._places(self.size.width)):
            if event.y == row and start <= event.x <= start + 1 + cells(label):
                self.pick(self.options[position].value)

    def action_step(self, step: int) -> None:
        """Choose the next option, or the one before."""
        values = [option.value for option in self.options]
        if not values:
            return
        at = values.index(self.value) + step if self.value in values else min(step, 0)
        self.choose(values[at % len(values)])

    def action_clear(self) -> None:
        """Choose nothing."""
        self._typed = ""
        self.choose("")

    def _take(self, text: str) -> None:
        """Add to what was typed; begin anew where that leads nowhere."""
        for typed in (self._typed + text, text):
            found = self._find(typed)
            if found is not None:
                self._typed = typed
                self.pick(found)
                return
        self._typed = ""

    def _find(self, typed: str) -> str | None:
        narrow = typed.translate(
            {wide: wide - 0xFEE0 for wide in range(0xFF10, 0xFF1A)}
        )
        if narrow.isdecimal() and narrow.isascii():
            place = int(narrow) - 1
            return self.options[place].value if 0 <= place < len(self.options) else None
        begins = [one for one in self.options if one.label.startswith(typed)]
        inside = [one for one in self.options if typed in one.label]
        return next((one.value for one in begins or inside), None)

    def _places(self, width: int) -> list[tuple[int, int, str]]:
        """Return (line, first cell, text) of each option."""
        if not self.is_listed:
            return []
        found = []
        line = column = 0
        for position, option in enumerate(self.options, start=1):
            label = harmless(f"{position} {option.label}", width=max(4, width - 2))
            needed = 1 + cells(label)
            if column and column + needed > width:
                line, column = line + 1, 0
            found.append((line, column, label))
            column += needed + GAP_CELLS - 1
        return found

    def _render_one(self, text: Text, number: Style, chosen: Style) -> None:
        for option in self.options:
            if self.has(option.value):
                text.append(f"●{harmless(option.label)}", chosen)
                text.append("  ")
        text.append(f" 输入序号或名称，回车看全部 {len(self.options)} 项", number)

    def _park(self) -> None:
        if self.has_focus and self.screen is self.app.screen:
            region = self.content_region
            self.app.cursor_position = Offset(region.x, region.y)
            self.refresh()


class ChoicesLine(ChoiceLine):
    """A question with any number of answers: a digit puts one in or takes it out."""

    def has(self, value: str) -> bool:
        """Say whether an option is among the chosen ones."""
        return value in self.value.split()

    def pick(self, value: str) -> None:
        """Put an option in, or take it out."""
        chosen = set(self.value.split()) ^ {value}
        self.choose(" ".join(o.value for o in self.options if o.value in chosen))

    def action_step(self, step: int) -> None:
        """Do nothing: there is no next one where several are chosen."""

    def _take(self, text: str) -> None:
        # Each digit is an answer of its own, or what it put in it would take out.
        self._typed = "" if text.isdecimal() and len(self.options) < 10 else self._typed
        super()._take(text)
