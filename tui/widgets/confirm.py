"""Two small questions over a screen: yes or no, and one line of text."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.screens.wrap import wrap
from tui.text import plain
from tui.widgets.field_input import FieldInput

ANSWER_LIMIT = 200
QUESTION_CELLS = 54
"""What is left of 60 by the frame."""

DIALOGUE_CSS = """
    align: center middle;

    & > Vertical {
        width: 60;
        max-width: 100%;
        height: auto;
        max-height: 100%;
        padding: 0 2;
        border: round $primary;
        background: $surface;
    }
    & .question { margin: 0 0 1 0; }
    & Horizontal { height: 1; align-horizontal: center; }
"""


class Choice(Widget, can_focus=True):
    """One of the answers; the one with focus carries a pointer as well as a colour."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "选定"),
        Binding("space", "take", "选定", show=False),
    ]
    DEFAULT_CSS = """
    Choice { width: auto; height: 1; margin: 0 2; }
    Choice:focus { background: $primary; color: $text; text-style: bold; }
    """

    def __init__(self, label: str, answer: bool, key: str) -> None:
        super().__init__(id="yes" if answer else "no")
        self.label = f"{label}({key})"
        self.answer = answer

    def render(self) -> Text:
        """Draw the answer, and the pointer if Enter would give it."""
        # Not in on_focus and on_blur: `has_focus` is still the old one there.
        pointer = "> " if self.has_focus else "  "
        return plain(f"{pointer}{self.label}  ")

    def on_click(self) -> None:
        """Answer at once."""
        self.action_take()

    def action_take(self) -> None:
        """Give this answer."""
        self.screen.dismiss(self.answer)


class Confirm(ModalScreen[bool]):
    """Asks for a yes or a no; Esc is no, and so is Enter when it is dangerous."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "是"),
        Binding("n", "answer(False)", "否"),
        Binding("escape", "answer(False)", "返回"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]
    DEFAULT_CSS = "Confirm {" + DIALOGUE_CSS + "}"

    def __init__(
        self,
        question: str,
        yes: str = "是",
        no: str = "否",
        *,
        is_dangerous: bool = False,
    ) -> None:
        super().__init__()
        self.question = question
        self.yes, self.no = yes, no
        self.is_dangerous = is_dangerous

    def compose(self) -> ComposeResult:
        """Put the question above its two answers."""
        with Vertical():
            yield Static(_in_lines(self.question), classes="question")
            with Horizontal():
                yield Choice(self.yes, True, "Y")
                yield Choice(self.no, False, "N/Esc")

    def on_mount(self) -> None:
        """Stand on the answer that does no harm."""
        self.query_one("#no" if self.is_dangerous else "#yes").focus()

    def action_answer(self, answer: bool) -> None:
        """Close with `answer`."""
        self.dismiss(answer)


class Ask(ModalScreen[str | None]):
    """Asks for one line of text; None when the user went back.

    What is mostly answered can be offered as `presets`: their digits answer at once.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "返回"),
    ]
    DEFAULT_CSS = (
        "Ask {" + DIALOGUE_CSS + "& .problem { color: $text-error; height: 1; }\n"
        "& .keys { color: $text-muted; }\n"
        "& .presets { margin: 0 0 1 0; }"
        "}"
    )

    def __init__(
        self,
        question: str,
        value: str = "",
        *,
        placeholder: str = "",
        presets: Sequence[str] = (),
        is_required: bool = True,
        missing: str = "这里不能空着",
        max_length: int = ANSWER_LIMIT,
    ) -> None:
        super().__init__()
        self.question = question
        self.value = value
        self.placeholder = placeholder
        self.presets = tuple(presets)
        self.is_required = is_required
        self.missing = missing
        self.max_length = max_length

    def compose(self) -> ComposeResult:
        """Put the question above the line to fill."""
        with Vertical():
            yield Static(_in_lines(self.question), classes="question")
            if self.presets:
                lines = [
                    plain(f"{number} {preset}")
                    for number, preset in enumerate(self.presets, start=1)
                ]
                yield Static(Text("\n").join(lines), classes="presets")
            yield FieldInput(
                "answer",
                self.value,
                placeholder=self.placeholder,
                max_length=self.max_length,
            )
            yield Static(classes="problem")
            yield Static(plain("回车 确定   Esc 返回"), classes="keys")

    @on(Input.Submitted)
    def finish(self, event: Input.Submitted) -> None:
        """Close with the text, or say that it is missing."""
        event.stop()
        answer = event.value.strip()
        if answer or not self.is_required:
            self.dismiss(answer)
        else:
            self._complain(f"✗ {self.missing}")

    @on(FieldInput.Edited)
    def edited(self, event: FieldInput.Edited) -> None:
        """Take the complaint back as soon as something is typed; a preset's number
        in the empty line is the answer.
        """
        self._complain(None)
        numbers = [str(place) for place in range(1, len(self.presets) + 1)]
        if event.value.strip() in numbers:
            self.dismiss(self.presets[int(event.value) - 1])

    @on(FieldInput.Refused)
    def explain(self) -> None:
        """Say why nothing was taken."""
        self._complain(f"✗ 最多 {self.max_length} 个字，多出的没有放进去")

    @on(FieldInput.Spilled)
    def gather(self, event: FieldInput.Spilled) -> None:
        """Join the lines of a paste: this dialogue has one field only."""
        event.stop()
        field = self.query_one(FieldInput)
        rest = " ".join(cell for cell in event.rest if cell)
        field.replace(f" {rest}", field.cursor_position, field.cursor_position)

    def action_back(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    def _complain(self, message: str | None) -> None:
        self.query_one(FieldInput).set_problem(message)
        self.query_one(".problem", Static).update(plain(message or ""))


def _in_lines(question: str) -> Text:
    lines = wrap(question, QUESTION_CELLS)
    return Text("\n").join(plain(line) for line in lines)
