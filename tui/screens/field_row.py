"""One question of a form with its editor: typed, chosen, or answered by files."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from forms.field import Choice, Field
from forms.kinds import DEFAULT_TEXT
from node.material import Material
from tui import labels
from tui.screens.wrap import wrap
from tui.text import harmless, plain
from tui.widgets.choice_line import ChoiceLine, ChoicesLine, Option
from tui.widgets.field_input import FieldInput

# What an answer of a kind can be long, in cells; a text takes the rest of the line.
EDITOR_CELLS = {
    "citizen_id": 22,
    "phone": 22,
    "date": 22,
    "integer": 22,
    "decimal": 22,
    "amount_yuan": 22,
    "credit_code": 22,
    "division": 22,
    "time": 22,
    "moment": 22,
}
TYPED_LIMIT = 40
CHOOSERS = {
    "choice": ChoiceLine,
    "choices": ChoicesLine,
    "acknowledge": ChoiceLine,
}
"""Kinds that are answered by choosing."""
ACKNOWLEDGED = (Choice("OK", "看过了，知道了"),)

HINTS = {
    "choice": "按数字键选，也可以输入名称，←→ 换一项",
    "choices": "可选几项：按数字键选上，再按一次取消；退格全部取消",
    "acknowledge": "看过了按 1",
    "amount_yuan": "只填数字，单位是元",
    "time": "时:分，如 14:30",
    "moment": "年-月-日 时:分，如 2026-11-21 14:30",
    "point": "纬度 经度，如 28.97 118.87",
    "credit_code": "对着执照填 18 位",
    "division": "6、9 或 12 位区划代码",
    "date": "年-月-日，如 2026-11-21，也可以连写 20261121",
    "citizen_id": "全角数字和小写 x 会自动改正",
    "file": "输入路径按回车附上；空着按退格去掉一个",
}
"""What is worth knowing about a kind of field, beside the field's own hint."""


LABEL_LINES = 4
"""A label has no limit; all of it stands in the line of help below the form."""


class FieldRow(Vertical):
    """One question with its editor; below it, what is wrong or worth knowing."""

    DEFAULT_CSS = """
    FieldRow {
        height: auto;

        & > Horizontal { height: auto; }
        & .label { height: auto; text-align: right; color: $text-muted; }
        & .star { width: 3; height: 1; color: $text-warning; text-align: center; }
        & .aside { width: auto; height: 1; color: $text-muted; margin: 0 0 0 2; }
        & > .remark { height: auto; display: none; }
        & > .origin { height: auto; display: none; color: $text-accent; }
        & > .remark.problem { color: $text-error; }
        & > .remark.alert { color: $text-warning; text-style: none; }
        &.here .label { color: $foreground; text-style: bold; }
    }
    """

    def __init__(self, field: Field, value: str, label_cells: int) -> None:
        super().__init__()
        self.field = field
        self.label_cells = label_cells
        self.editor = self._make_editor(value)
        # Made here and not in `compose`: a row is judged before it stands there.
        self._aside = Static(classes="aside")
        self._origin = Static(classes="origin")
        self._origin.display = False
        self._remark = Static(classes="remark")

    @property
    def value(self) -> str:
        """The answer as it stands there."""
        return self.editor.value

    @property
    def is_wrong(self) -> bool:
        """Whether a problem is shown."""
        return self.editor.problem is not None

    @property
    def hint(self) -> str:
        """What helps to answer."""
        own = (self.field.hint, HINTS.get(self.field.kind, ""))
        return "；".join(part for part in own if part)

    def compose(self) -> ComposeResult:
        """Put label, star and editor in one line, the remark below."""
        label = Static(self._label_lines(), classes="label")
        label.styles.width = self.label_cells
        for below in (self._origin, self._remark):
            below.styles.margin = (0, 0, 0, self.label_cells + 3)
        with Horizontal():
            yield label
            yield Static(_star(self.field), classes="star")
            yield self.editor
            yield self._aside
        yield self._origin
        yield self._remark

    def turn_into(self, field: Field) -> None:
        """Ask the question as it is now: its words, its options, whether it must be
        answered.
        """
        if field == self.field:
            return
        self.field = field
        if isinstance(self.editor, ChoiceLine):
            self.editor.offer([Option(one.value, one.label) for one in field.choices])
        if self.is_mounted:
            self.query_one(".label", Static).update(self._label_lines())
            self.query_one(".star", Static).update(_star(field))

    def show(self, value: str) -> None:
        """Show a value that the program has set, as if it had always stood there."""
        if isinstance(self.editor, FieldInput):
            if value != self.editor.value:
                self.editor.fill(value)
        else:
            self.editor.choose(value)

    def set_problem(self, message: str | None) -> None:
        """Say below the editor what is wrong, or nothing."""
        self.editor.set_problem(message)
        self._say(f"✗ {message}" if message else "", "problem")

    def warn(self, message: str) -> None:
        """Say something that is worth knowing and hinders nothing."""
        self._say(f"! {message}" if message else "", "alert")

    def hold(self, why: str) -> None:
        """Keep the answer as it stands, and say why."""
        self.editor.disabled = True
        self.warn(why)

    def tell_aside(self, text: str) -> None:
        """Say something short to the right of the editor."""
        self._aside.update(plain(text))

    def tell_origin(self, text: str) -> None:
        """Say below the editor where its answer comes from, or nothing."""
        if not text and not self._origin.display:
            return  # as nearly always: a long form is not laid out anew for nothing
        self._origin.update(plain(text))
        self._origin.display = bool(text)

    def focus_editor(self) -> None:
        """Put the cursor into the editor, with the whole row in sight."""
        self.editor.focus()
        self.scroll_visible(animate=False)

    def on_descendant_focus(self) -> None:
        """Show where the user is, in more than the cursor."""
        self.add_class("here")

    def on_descendant_blur(self) -> None:
        """Stand back."""
        self.remove_class("here")

    def _label_lines(self) -> Text:
        """Return what is asked, in lines: half of it may ask for something else."""
        lines = wrap(self.field.label, self.label_cells)[:LABEL_LINES]
        return Text("\n").join(plain(line) for line in lines)

    def _say(self, text: str, tone: str) -> None:
        self._remark.set_classes(["remark", tone])
        self._remark.update(plain(text))
        self._remark.display = bool(text)

    def _make_editor(self, value: str) -> "FieldInput | ChoiceLine":
        field = self.field
        if field.kind in CHOOSERS:
            options = [Option(one.value, one.label) for one in field.choices]
            return CHOOSERS[field.kind](field.key, options, value)
        width = EDITOR_CELLS.get(field.kind)
        longest = TYPED_LIMIT if width else field.max_length or DEFAULT_TEXT
        editor = FieldInput(field.key, value, max_length=longest)
        editor.styles.width = width or "1fr"
        return editor


class FileInput(FieldInput):
    """The path of a file to attach; a backspace in an empty one takes the last out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace", "take_back", show=False),
    ]

    class TakenBack(Message):
        """The user wants to take the last attached file out."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def action_take_back(self) -> None:
        """Take a letter out, or the last file where there is none."""
        if self.value:
            self.action_delete_left()
        else:
            self.post_message(self.TakenBack(self.key))


class FileRow(FieldRow):
    """A question that is answered by files: their names stand below the path."""

    DEFAULT_CSS = """
    FileRow > .files { height: auto; color: $foreground; }
    """

    def __init__(
        self,
        field: Field,
        value: str,
        label_cells: int,
        material: Callable[[str], Material],
    ) -> None:
        super().__init__(field, "", label_cells)
        self.digests = value.split()
        self._material = material

    @property
    def value(self) -> str:
        """The digests of the attached files."""
        return " ".join(self.digests)

    @property
    def path(self) -> str:
        """What is typed, without the quotes and the scheme that copying brings."""
        return self.editor.value.strip().strip("'\"").removeprefix("file://")

    def compose(self) -> ComposeResult:
        """Add the list of files."""
        yield from super().compose()
        files = Static(classes="files")
        files.styles.margin = (0, 0, 0, self.label_cells + 3)
        yield files

    def on_mount(self) -> None:
        """Name what is attached."""
        self.show_files()

    def show(self, value: str) -> None:
        """Attach these files, and empty the path."""
        self.digests = value.split()
        if isinstance(self.editor, FieldInput):
            self.editor.fill("")
        self.show_files()

    def show_files(self) -> None:
        """Say which files are attached."""
        words = []
        for number, digest in enumerate(self.digests, start=1):
            known = self._material(digest)
            size = f"（{labels.size(known.size)}）" if known.size else ""
            words.append(f"{number} {harmless(known.name)}{size}")
        text = "已附 " + "  ".join(words) if words else ""
        files = self.query_one(".files", Static)
        files.update(plain(text))
        files.display = bool(text)

    def _make_editor(self, value: str) -> FieldInput | ChoiceLine:
        editor = FileInput(
            self.field.key, value, placeholder="文件路径，如 /media/u/身份证.jpg"
        )
        editor.styles.width = "1fr"
        return editor


def _star(field: Field) -> str:
    return "*" if field.required else " "
