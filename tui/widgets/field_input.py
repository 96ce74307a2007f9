"""A one-line field for people who type Chinese.

Three things differ from Textual's `Input`. The real cursor of the terminal always
stands at the caret, since input methods open their list of words there. A pasted row
of a spreadsheet is shared out, not cut off. And hidden characters never get in.
It does not judge what is written: the form does, and tells it by `set_problem`.
"""

from dataclasses import dataclass

from textual import events
from textual.geometry import Offset, clamp
from textual.keys import REPLACED_KEYS
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input
from textual.widgets.input import Selection

from tui.text import cells, plain, typed

LENGTH_LIMIT = 1_000
PASTE_LIMIT = 100_000
"""Characters of one paste. A longer one is refused whole, not cut."""


class FieldInput(Input):
    """A text input that knows which field it fills."""

    DEFAULT_CSS = """
    FieldInput {
        background: $panel;

        &.wrong { text-style: underline; color: $text-error; }
        /* Without colours of our own, a line shows where the field is. */
        &:ansi { text-style: underline; }
        &.wrong:ansi { text-style: underline bold; }
    }
    """

    @dataclass
    class Edited(Message):
        """The text of the field has changed, by the user or by `value = ...`."""

        key: str
        value: str

    @dataclass
    class Left(Message):
        """The user has left the field.

        `changed` is False when the text is what it was when last filled or left: then
        there is nothing to save, and saving would be a write that nobody made.
        """

        key: str
        value: str
        changed: bool

    @dataclass
    class Spilled(Message):
        """A paste held more than one cell: the first stands here, `rest` goes on.

        `rest`: the cells for the fields that follow, row by row; empty ones are kept,
        so that each cell meets its field.
        """

        key: str
        rest: tuple[str, ...]

    @dataclass
    class Refused(Message):
        """Typed or pasted text was not taken, as it is too long or not allowed here."""

        key: str

    def __init__(
        self,
        key: str,
        value: str = "",
        *,
        placeholder: str = "",
        password: bool = False,
        restrict: str | None = None,
        max_length: int = LENGTH_LIMIT,
        compact: bool = True,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(
            value,
            placeholder,
            password=password,
            restrict=restrict,
            max_length=max_length,
            # Selecting all on focus would let the first key wipe what stood there.
            select_on_focus=False,
            compact=compact,
            id=id,
            classes=classes,
            disabled=disabled,
        )
        self.key = key
        self.problem: str | None = None
        self._settled_value = self.value
        # Each blink is a frame, and each frame moves the candidate box of the IME.
        self.cursor_blink = False

    @property
    def cursor_screen_offset(self) -> Offset:
        """Where the caret stands on the screen; `Input` is one cell off at the end."""
        region = self.content_region
        before = self.value[: self.cursor_position]
        caret = len(before) if self.password else cells(before)
        column = clamp(caret - self.scroll_offset.x, 0, max(0, region.width - 1))
        return Offset(region.x + column, region.y)

    def fill(self, value: str) -> None:
        """Show `value` as what the case holds: no `Edited`, caret at the end."""
        with self.prevent(Input.Changed, self.Edited):
            self.value = value
        self.cursor_position = len(self.value)
        self._settled_value = self.value

    def set_problem(self, message: str | None) -> None:
        """Look wrong, or right again for None; the form shows `message` beside it."""
        self.problem = message
        self.tooltip = None if message is None else plain(message)
        self.set_class(message is not None, "wrong")

    def replace(self, text: str, start: int, end: int) -> None:
        """Replace a part of the value, leaving out what must not get in."""
        super().replace(typed(text), start, end)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Return whether `key` is typed here, so that no bar of keys promises it.

        Textual knows no character for the keys that it renames (slash, minus, at).
        """
        return key in REPLACED_KEYS or super().check_consume_key(key, character)

    def restricted(self) -> None:
        """Say so, instead of ringing a bell in an office."""
        self.post_message(self.Refused(self.key))

    def action_paste(self) -> None:
        """Paste what was copied inside this program."""
        self._take(self.app.clipboard)

    def validate_value(self, value: str) -> str:
        """Keep hidden characters out of a value set by the program, too."""
        return typed(value)

    def watch_value(self, value: str) -> None:
        """Report the change; the value that the field is made with is none."""
        if self.is_mounted:
            self.post_message(self.Edited(self.key, value))

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Keep the cursor at the caret of a text that is longer than the field."""
        super().watch_scroll_x(old_value, new_value)
        self._park()

    def on_mount(self) -> None:
        """Follow what moves the field: layout, scrolling, a dialogue that closes."""

        def moved(_: Screen[object]) -> None:
            self._park()

        def uncovered(_: Screen[object]) -> None:
            self.call_after_refresh(self._park)

        self.screen.screen_layout_refresh_signal.subscribe(self, moved, immediate=True)
        self.app.screen_change_signal.subscribe(self, uncovered)

    def on_focus(self) -> None:
        """Park once the place of the field is known: on first focus it is not yet."""
        self.call_after_refresh(self._park)

    def on_resize(self) -> None:
        """Park again; the very first layout of an app sends no other word."""
        self._park()

    def on_blur(self) -> None:
        """Report the value, and whether it is a new one."""
        changed = self.value != self._settled_value
        self._settled_value = self.value
        self.post_message(self.Left(self.key, self.value, changed))

    def _watch_selection(self, selection: Selection) -> None:
        parked = self.app.cursor_position
        super()._watch_selection(selection)
        if self.has_focus:
            self._park()
        else:
            # `Input` would call the cursor to any field that the program fills.
            self.app.cursor_position = parked

    async def _on_key(self, event: events.Key) -> None:
        # Python's tables call the full-width space and the newest ideographs not
        # printable, and `Input` would lose them without a word.
        character = event.character
        if character and not event.is_printable and typed(character).strip(" "):
            event.stop()
            event.prevent_default()
            self.replace(character, *self.selection)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._take(event.text)

    def _take(self, text: str) -> None:
        """Put the first cell of `text` in this field and hand the others on."""
        if len(text) > PASTE_LIMIT:
            self.restricted()
            return
        rows = text.splitlines()
        while rows and not rows[-1].strip("\t"):  # a copied row ends with a line break
            rows.pop()
        first, *rest = [cell for row in rows for cell in row.split("\t")] or [""]
        before = self.value
        self.replace(first, *self.selection)
        was_refused = bool(typed(first)) and self.value == before
        if rest and not was_refused:
            self.post_message(
                self.Spilled(self.key, tuple(typed(cell) for cell in rest))
            )

    def _park(self) -> None:
        """Put the terminal's cursor at the caret, where an input method looks."""
        if not self.has_focus or self.screen is not self.app.screen:
            return
        wanted = self.cursor_screen_offset
        if wanted != self.app.cursor_position:
            self.app.cursor_position = wanted
            self.refresh()  # the terminal learns of it with the next frame only
