"""One of a list, by number, arrows, or the first letters of its pinyin."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from node import find
from tui.text import plain
from tui.widgets.field_input import FieldInput
from tui.widgets.paged_list import Column, Key, PagedList, Row

NUMBERED = 9
NAME_OR_NUMBER = "按序号直接选定，或输入名称、拼音首字母"
BEFORE_CODE = "/"
"""Keeps the first digit of a code from choosing by number."""
NAME_OR_CODE = "输入名称、拼音首字母或区划代码"
NUMBER_AND_ENTER = "输入序号、名称或拼音首字母，回车选定"


@dataclass(frozen=True, slots=True)
class Look:
    """What F4 shows of the highlighted option, before anything is chosen."""

    words: str
    show: Callable[[str], None]
    """Takes the value of the option."""


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose: what it is called, what stands beside it, and by which
    other words it is found.
    """

    value: str
    label: str
    detail: str = ""
    words: tuple[str, ...] = ()


class Options:
    """The options as a `Source`, without those that do not fit what was typed."""

    def __init__(
        self, options: Sequence[Option], numbered: int = NUMBERED, query: str = ""
    ) -> None:
        wanted = query.strip().lower().removeprefix(BEFORE_CODE)
        self._numbered = numbered
        self.found = [one for one in options if _fits(one, wanted)]

    def page(self, after: Key | None, limit: int) -> Sequence[Row]:
        """Return the rows behind `after`."""
        start = 0 if after is None else int(after[0]) + 1
        return self._rows()[start : start + limit]

    def page_before(self, before: Key | None, limit: int) -> Sequence[Row]:
        """Return the rows before `before`."""
        end = len(self.found) if before is None else int(before[0])
        return self._rows()[max(0, end - limit) : end]

    def count(self) -> int:
        """Return how many fit."""
        return len(self.found)

    def _rows(self) -> list[Row]:
        return [
            Row(
                (place,),
                (
                    str(place + 1) if place < self._numbered else "",
                    option.label,
                    option.detail,
                ),
            )
            for place, option in enumerate(self.found)
        ]


class Choose(ModalScreen[str | None]):
    """Gives the value of the chosen option, or None when the user went back.

    Digits choose one of the first `numbered` at once; letters and Chinese narrow the
    list, and so do digits behind a `/`. With none numbered all digits narrow it: what
    is listed has codes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "返回"),
        Binding("f4", "look", show=False),
        Binding("up", "move('move', -1)", show=False),
        Binding("down", "move('move', 1)", show=False),
        Binding("pageup", "move('page', -1)", show=False),
        Binding("pagedown", "move('page', 1)", show=False),
    ]
    DEFAULT_CSS = """
    Choose {
        align: center middle;

        & > Vertical {
            width: 70;
            max-width: 100%;
            height: 20;
            max-height: 100%;
            padding: 0 2;
            border: round $primary;
            background: $surface;
        }
        & .title { text-style: bold; }
        & .foot { color: $text-muted; }
        & PagedList > .paged-list--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: $block-cursor-text-style;
        }
    }
    """
    AUTO_FOCUS = "FieldInput"

    def __init__(
        self,
        question: str,
        options: Sequence[Option],
        *,
        columns: tuple[str, str] = ("名称", ""),
        detail_cells: int = 20,
        numbered: int = NUMBERED,
        empty: str = "没有可选的",
        look: Look | None = None,
    ) -> None:
        super().__init__()
        self.question = question
        self.options = tuple(options)
        self.columns = columns
        self.detail_cells = detail_cells
        self.numbered = numbered
        self.empty = empty
        self.look = look
        self._shown = Options(self.options, numbered)

    def compose(self) -> ComposeResult:
        """Put the field to narrow the list above it."""
        name, detail = self.columns
        with Vertical():
            yield Static(plain(self.question), classes="title")
            yield FieldInput("narrow", placeholder=self.how)
            yield PagedList(
                (
                    Column("", 2, "right"),
                    Column(name, 20, is_flexible=True),
                    Column(detail, self.detail_cells),
                ),
                self._shown,
                empty=self.empty,
            )
            look = f"   F4 {self.look.words}" if self.look else ""
            foot = f"回车 选定   ↑↓ 移动{look}   Esc 返回"
            yield Static(plain(foot), classes="foot")

    @property
    def how(self) -> str:
        """What can be typed."""
        if not self.numbered:
            return NAME_OR_CODE
        # Items alone have both: a guide to look at, and a code.
        return NAME_OR_NUMBER + (f"；{BEFORE_CODE} 后面写代码" if self.look else "")

    def on_mount(self) -> None:
        """Keep the focus in the field: arrows and Enter reach the list from there."""
        self.query_one(PagedList).can_focus = False

    @on(FieldInput.Edited)
    def narrow(self, event: FieldInput.Edited) -> None:
        """Show what fits; a number chooses."""
        event.stop()
        typed = event.value.strip()
        is_number = typed.isascii() and typed.isdecimal() and len(typed) < 5
        if is_number and self.by_number(int(typed) - 1):
            return
        self._shown = Options(self.options, self.numbered, event.value)
        self.query_one(PagedList).show_source(self._shown)

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Take the highlighted option."""
        event.stop()
        row = self.query_one(PagedList).highlighted
        if row is not None:
            self._take(int(row.key[0]))

    @on(PagedList.Opened)
    def opened(self, event: PagedList.Opened) -> None:
        """Take the option of a double click."""
        event.stop()
        self._take(int(event.key[0]))

    def by_number(self, place: int) -> bool:
        """Take one of the first that are numbered, at once; say whether there is one.

        One digit is all that can be typed, since the first already chooses.
        """
        return 0 <= place < min(self.numbered, NUMBERED) and self._take(place)

    def action_move(self, how: str, step: int) -> None:
        """Move the highlight while the focus stays in the field."""
        chosen = self.query_one(PagedList)
        (chosen.action_move if how == "move" else chosen.action_page)(step)

    def action_look(self) -> None:
        """Show more of the highlighted option; the list stays as it is behind it."""
        row = self.query_one(PagedList).highlighted
        if self.look is not None and row is not None:
            self.look.show(self._shown.found[int(row.key[0])].value)

    def action_back(self) -> None:
        """Close without a choice."""
        self.dismiss(None)

    def _take(self, place: int) -> bool:
        if place >= len(self._shown.found):
            return False
        self.dismiss(self._shown.found[place].value)
        return True


class ChooseAnswer(Choose):
    """The same within a form, where an answer is left with Enter.

    A number only goes to its option: who types it and then Enter, as everywhere in the
    form, would have left the next question too. It begins at the present answer, so
    that Enter alone changes nothing.
    """

    def __init__(
        self, question: str, options: Sequence[Option], present: str = ""
    ) -> None:
        super().__init__(question, options, numbered=len(options))
        self._present = present

    @property
    def how(self) -> str:
        """What can be typed."""
        return NUMBER_AND_ENTER

    def on_mount(self) -> None:
        """Begin at the present answer."""
        super().on_mount()
        values = [option.value for option in self.options]
        if self._present in values:
            self.by_number(values.index(self._present))

    def by_number(self, place: int) -> bool:
        """Go to an option; say whether there is one."""
        if not 0 <= place < len(self.options):
            return False
        self._shown = Options(self.options, self.numbered)
        rows = self.query_one(PagedList)
        rows.show_source(self._shown)
        rows.highlight((place,))
        return True


def _fits(option: Option, wanted: str) -> bool:
    if not wanted:
        return True
    named = (option.label, *option.words)
    if any(wanted in words.lower() for words in (*named, option.detail)):
        return True
    return wanted.isascii() and any(
        wanted in letters
        for words in (*named, option.detail)
        for letters in find.initials(words)
    )
