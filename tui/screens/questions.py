"""A few questions before something is done: what a step says, how a case came in.

They are asked in the rows of a form. Nothing of it is kept until it is done: it is
a minute's work, and a step that is half said has not happened.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from forms import check
from forms.field import Field
from node.wiring import Node
from tui.screens.choose import ChooseAnswer, Option
from tui.screens.field_row import FieldRow
from tui.screens.form_rows import Rows
from tui.screens.page import Page
from tui.text import cells, plain
from tui.widgets.choice_line import ChoiceLine
from tui.widgets.field_input import FieldInput

MISSING = "请填写这一项"


class QuestionsPage(Page):
    """Whoever subclasses it says its `head`, and what `finish` does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "下一项"),
        Binding("f3", "finish", "办理"),
        Binding("escape", "leave", "返回"),
        Binding("enter", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]
    DEFAULT_CSS = """
    QuestionsPage {
        & > #head { height: auto; padding: 0 1; background: $surface; }
        & > #hint { height: 1; padding: 0 1; background: $surface; }
        & > Rows { padding: 1 1 0 0; }
    }
    """
    AUTO_FOCUS = None
    HELP = (
        "按 Tab 或回车到下一项，↑↓ 也可以换项；选项按数字键。"
        "带 * 的必填。F3 办理；Esc 返回，什么也不改。"
    )

    def __init__(self, node: Node, asked: Sequence[tuple[Field, str]]) -> None:
        """Ask these questions, each with the answer that stands there at first."""
        super().__init__(node)
        width = max((cells(field.label) for field, _ in asked), default=0) + 1
        self._rows = {
            field.key: FieldRow(field, value, width) for field, value in asked
        }

    @property
    def head(self) -> Text:
        """What is done, and in which case."""
        raise NotImplementedError

    def finish(self, values: dict[str, str]) -> None:
        """Do it with the answers, without the empty ones."""
        raise NotImplementedError

    def faults(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return what is wrong with the answers together, by key."""
        return {}

    def body(self) -> Iterable[Widget]:
        """Put the questions below what they are about."""
        yield Static(self.head, id="head")
        yield Rows(*self._rows.values())
        yield Static(id="hint", classes="quiet")

    def on_mount(self) -> None:
        """Go to the first question that has no answer yet."""
        super().on_mount()
        rows = list(self._rows.values())
        first = next(
            (row for row in rows if row.field.required and not row.value), None
        )
        target = first or next(iter(rows), None)
        if target is not None:
            self.call_after_refresh(target.focus_editor)

    @on(FieldInput.Edited)
    def edited(self, event: FieldInput.Edited) -> None:
        """Take a complaint back as soon as something else stands there."""
        row = self._rows.get(event.key)
        if row is not None and row.is_wrong:
            row.set_problem(None)
            if not any(one.is_wrong for one in self._rows.values()):
                self.say("")

    @on(FieldInput.Left)
    def left(self, event: FieldInput.Left) -> None:
        """Put the answer in its usual form."""
        row = self._rows.get(event.key)
        if row is not None:
            self._tidy(row)

    @on(FieldInput.Refused)
    def refused(self, event: FieldInput.Refused) -> None:
        """Say why nothing was taken."""
        row = self._rows.get(event.key)
        if row is not None and isinstance(row.editor, FieldInput):
            row.set_problem(f"最多 {row.editor.max_length} 个字，多出的没有放进去")

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Go to the next question."""
        event.stop()
        self.focus_next()

    @on(ChoiceLine.ListWanted)
    def list_wanted(self, event: ChoiceLine.ListWanted) -> None:
        """Show all options of a long list."""
        self.work(self._choose(self._rows[event.key]))

    async def _choose(self, row: FieldRow) -> None:
        options = [Option(one.value, one.label) for one in row.field.choices]
        value = await self.app.push_screen_wait(
            ChooseAnswer(row.field.label, options, row.value)
        )
        if value is not None and isinstance(row.editor, ChoiceLine):
            row.editor.pick(value)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show what helps to answer."""
        above = event.widget.ancestors_with_self
        row = next((one for one in above if isinstance(one, FieldRow)), None)
        if row is not None:
            needed = "必填" if row.field.required else "可不填"
            # What another answer asks for is not left out, whatever the field says.
            needed = "要改" if row.is_wrong else needed
            text = f"{row.field.label}（{needed}）  {row.hint}"
            self.query_one("#hint", Static).update(plain(text))

    def action_finish(self) -> None:
        """Do it, or show all that is wrong and go to the first."""
        for row in self._rows.values():
            self._tidy(row)
        values = {key: row.value for key, row in self._rows.items() if row.value}
        faults = {**self._own_faults(values), **self.faults(values)}
        for key, row in self._rows.items():
            row.set_problem(faults.get(key))
        if faults:
            self.say(f"✗ 还没办：有 {len(faults)} 处要改，都标出来了", "problem")
            self._rows[next(key for key in self._rows if key in faults)].focus_editor()
            return
        self.finish(values)

    def _tidy(self, row: FieldRow) -> None:
        row.show(check.normalise_field(row.field, row.value))

    def _own_faults(self, values: Mapping[str, str]) -> dict[str, str]:
        today = self.node.today()
        found = {}
        for key, row in self._rows.items():
            if key in values:
                fault = check.check_field(row.field, values[key], today)
            else:
                fault = MISSING if row.field.required else None
            if fault:
                found[key] = fault
        return found
