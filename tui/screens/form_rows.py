"""The rows of a form: questions, what only is told, and repeats; how they scroll."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from msgspec import structs
from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from forms.field import Field
from forms.filled import Line
from forms.kinds import KINDS
from node.material import Material
from tui.screens.field_row import ACKNOWLEDGED, FieldRow, FileRow
from tui.text import fit, harmless, plain


class ToldRow(Static):
    """A line that is not answered: a remark, a group, what the form has calculated."""

    DEFAULT_CSS = """
    ToldRow { color: $text-muted; height: auto; padding: 0 1; }
    ToldRow.group { color: $text-primary; text-style: bold; }
    """

    def __init__(self, line: Line, label_cells: int) -> None:
        super().__init__(classes=line.kind)
        self._label_cells = label_cells
        self.tell(line)

    def tell(self, line: Line) -> None:
        """Say it as it is now."""
        field = line.field
        if field is None:
            text = f"{'  ' * line.depth}── {line.label}"
        elif not KINDS[field.kind].answers:
            text = f"※{line.label}" + (f"：{line.hint}" if line.hint else "")
        else:
            value = KINDS[field.kind].show(field, line.value) or "—"
            label = fit(harmless(line.label), self._label_cells, "right")
            text = f"{label}= {value}"
        self.update(plain(text))


class SeriesRow(Static, can_focus=True):
    """A line about a repeat: adds an instance, or heads one and takes it out."""

    DEFAULT_CSS = """
    SeriesRow {
        height: 1;
        padding: 0 1;
        color: $text-primary;
        &:focus { background: $panel; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space,plus", "add", show=False),
        Binding("delete", "take_out", show=False),
    ]

    @dataclass
    class Wanted(Message):
        """The user wants one more, or this one out."""

        key: str
        label: str
        is_more: bool

    @dataclass
    class Opened(Message):
        """The user wants to see the questions of this one."""

        key: str

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.is_closed = False
        """The questions of its group are not on the screen."""
        self.tell(line)

    def tell(self, line: Line) -> None:
        """Say it as it is now."""
        self.line = line
        self.can_focus = line.is_open or self.is_closed
        indent = "  " * line.depth
        keys = [] if not self.is_closed else ["按回车打开"]
        if line.is_open:
            keys.append("按 Delete 去掉" if self.is_head else "按回车加一组")
        more = f"  （{'，'.join(keys)}）" if keys else ""
        mark = "──" if line.kind == "instance" else "＋"
        self.update(plain(f"{indent}{mark} {line.label}{more}"))

    @property
    def is_head(self) -> bool:
        """Whether it heads a group that is there already."""
        return self.line.kind == "instance"

    @property
    def hint(self) -> str:
        """What the keys do here, where nothing can be typed."""
        label = self.line.label
        if self.is_closed:
            return f"{label}：按回车打开这一组来填"
        if self.is_head:
            return f"{label}：按 Tab 填这一组，按 Delete 去掉这一组"
        return f"{label}：按回车加一组，按 Tab 不加了"

    def action_add(self) -> None:
        """Ask for one more, where that is what the line is for."""
        if self.line.kind == "repeat":
            self.post_message(self.Wanted(self.line.key, self.line.label, True))
        elif self.is_closed:
            self.post_message(self.Opened(self.line.key))
        else:
            self.screen.focus_next()

    def action_take_out(self) -> None:
        """Ask to take this one out."""
        if self.is_head and self.line.is_open:
            self.post_message(self.Wanted(self.line.key, self.line.label, False))


FormRow = FieldRow | ToldRow | SeriesRow


class Rows(Vertical, can_focus=False, inherit_bindings=False):
    """The rows, scrolling. Up and down belong to the form, not to the scroll bar."""

    DEFAULT_CSS = """
    Rows {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        padding: 0 1 0 0;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "scroll_page(-1)", show=False),
        Binding("pagedown", "scroll_page(1)", show=False),
    ]

    def action_scroll_page(self, pages: int) -> None:
        """Show the next page of a long form, or the one before."""
        self.scroll_relative(y=pages * max(1, self.size.height - 2), animate=False)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll without moving, which would flicker."""
        event.stop()
        self.scroll_relative(y=3, animate=False)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll back."""
        event.stop()
        self.scroll_relative(y=-3, animate=False)


def row_for(
    line: Line, label_cells: int, material: Callable[[str], Material]
) -> FormRow:
    """Return the row of a line of a form."""
    if line.kind in ("repeat", "instance"):
        return SeriesRow(line)
    if line.field is None or not KINDS[line.field.kind].answers or not line.is_open:
        return ToldRow(line, label_cells)
    if line.field.kind == "file":
        return FileRow(asked(line), line.value, label_cells, material)
    return FieldRow(asked(line), line.value, label_cells)


def asked(line: Line) -> Field:
    """Return the question of a line as it is asked now."""
    assert line.field is not None
    choices = ACKNOWLEDGED if line.field.kind == "acknowledge" else line.choices
    return structs.replace(
        line.field,
        key=line.key,
        label=line.label,
        hint=line.hint,
        required=line.is_required,
        choices=choices,
    )
