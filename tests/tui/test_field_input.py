import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Offset
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.desks import press
from tui.text import plain
from tui.widgets.confirm import Ask
from tui.widgets.field_input import PASTE_LIMIT, FieldInput

pytestmark = pytest.mark.anyio


class Form(App[None]):
    AUTO_FOCUS = "FieldInput"
    CSS = "FieldInput { margin-left: 14; width: 20; } Static { height: 2; }"

    def __init__(self, *values: str) -> None:
        super().__init__()
        self.values = values
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(plain("姓名"))
            for number, value in enumerate(self.values):
                yield FieldInput(f"field{number}", value, max_length=40)

    def on_field_input_edited(self, message: FieldInput.Edited) -> None:
        self.heard.append(message)

    def on_field_input_left(self, message: FieldInput.Left) -> None:
        self.heard.append(message)

    def on_field_input_spilled(self, message: FieldInput.Spilled) -> None:
        self.heard.append(message)

    def on_field_input_refused(self, message: FieldInput.Refused) -> None:
        self.heard.append(message)

    def field(self, number: int = 0) -> FieldInput:
        return list(self.query(FieldInput))[number]


async def paste(pilot: Pilot[None], text: str) -> None:
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()


async def test_the_cursor_stands_at_the_caret_on_first_focus() -> None:
    async with Form("", "").run_test(size=(80, 24)) as pilot:
        await pilot.pause()

        assert pilot.app.cursor_position == Offset(14, 2)


@pytest.mark.parametrize(
    ("keys", "column"),
    [
        ([], 14 + 8),  # at the end: right behind 国, not one further
        (["home"], 14),
        (["home", "right"], 14 + 2),
        (["end", "a"], 14 + 9),
        (["end", "张", "三"], 14 + 12),
        (["backspace"], 14 + 6),
        (["𠮷"], 14 + 10),
    ],
)
async def test_the_cursor_follows_the_caret_through_chinese_text(
    keys: list[str], column: int
) -> None:
    async with Form("欧阳建国").run_test(size=(80, 24)) as pilot:
        await press(pilot, *keys)

        assert pilot.app.cursor_position == Offset(column, 2)


async def test_the_cursor_stays_inside_a_field_that_overflows() -> None:
    async with Form("").run_test(size=(80, 24)) as pilot:
        await press(pilot, *"长" * 15)

        assert pilot.app.cursor_position == Offset(14 + 19, 2)

        await press(pilot, "home")

        assert pilot.app.cursor_position == Offset(14, 2)


async def test_the_cursor_moves_along_when_the_field_is_moved() -> None:
    async with Form("张三", *[""] * 30).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        pilot.app.query_one(Static).styles.height = 5
        await pilot.pause()

        assert pilot.app.cursor_position == Offset(14 + 4, 5)

        pilot.app.query_one(VerticalScroll).scroll_to(y=3, animate=False)
        await pilot.pause()

        assert pilot.app.cursor_position == Offset(14 + 4, 2)

        await pilot.resize_terminal(30, 10)
        await pilot.pause()

        assert pilot.app.cursor_position.x == 14 + 4


async def test_filling_another_field_leaves_the_cursor_alone() -> None:
    app = Form("张三", "")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.field(1).fill("李四")
        await pilot.pause()

        assert app.cursor_position == Offset(14 + 4, 2)
        assert app.field(1).value == "李四"


async def test_the_cursor_comes_back_when_a_dialogue_closes() -> None:
    app = Form("张三")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.push_screen(Ask("退回的原因？"))
        await pilot.pause()
        inside = app.cursor_position
        await press(pilot, "escape")

        assert inside != Offset(14 + 4, 2)
        assert app.cursor_position == Offset(14 + 4, 2)


async def test_the_caret_does_not_blink() -> None:
    app = Form("")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()

        assert app.field().cursor_blink is False


async def test_opening_a_form_reports_no_edit() -> None:
    app = Form("张三", "")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.field(1).fill("李四")
        await pilot.pause()

        assert app.heard == []


async def test_each_change_and_the_leaving_are_reported() -> None:
    app = Form("", "")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "张", "三", "tab", "tab")

        assert app.heard == [
            FieldInput.Edited("field0", "张"),
            FieldInput.Edited("field0", "张三"),
            FieldInput.Left("field0", "张三", changed=True),
            FieldInput.Left("field1", "", changed=False),
        ]


async def test_a_field_left_twice_is_changed_once() -> None:
    app = Form("", "")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "张", "tab", "shift+tab", "tab")

        left = [
            message for message in app.heard if isinstance(message, FieldInput.Left)
        ]
        assert [message.changed for message in left] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "first", "rest"),
    [
        ("张三", "张三", None),
        ("张三\r\n", "张三", None),  # what a spreadsheet puts behind one cell
        ("张三\t李四\n王五", "张三", ("李四", "王五")),
        ("张三\t\t王五\r\n", "张三", ("", "王五")),  # each cell meets its field
        ("\t李四", "", ("李四",)),
        ("张\u200b三\u202e\x1b\t李\u2066四", "张三", ("李四",)),
        ("", "", None),
        ("\n\n", "", None),
    ],
)
async def test_a_pasted_row_is_shared_out_and_not_lost(
    text: str, first: str, rest: tuple[str, ...] | None
) -> None:
    app = Form("")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await paste(pilot, text)

        spilled = [
            message for message in app.heard if isinstance(message, FieldInput.Spilled)
        ]
        assert app.field().value == first
        assert spilled == ([FieldInput.Spilled("field0", rest)] if rest else [])


@pytest.mark.parametrize(
    "text", ["长" * 41, "长" * 41 + "\t李四", "x" * (PASTE_LIMIT + 1)]
)
async def test_a_paste_that_is_too_long_is_refused_whole(text: str) -> None:
    app = Form("张三")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await paste(pilot, text)

        assert app.field().value == "张三"
        assert app.heard == [FieldInput.Refused("field0")]


@pytest.mark.parametrize(
    ("character", "value"),
    [
        ("\u202e", ""),
        ("\u200b", ""),
        ("\u3000", "\u3000"),  # the full-width space of an input method
        ("\U00031350", "\U00031350"),  # an ideograph newer than Python's tables
        ("欧阳", "欧阳"),  # some input methods send words at once
    ],
)
async def test_typed_characters_are_taken_unless_hidden(
    character: str, value: str
) -> None:
    app = Form("")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.post_message(events.Key("ime", character))
        await pilot.pause()

        assert app.field().value == value


async def test_a_value_set_by_the_program_is_cleaned_too() -> None:
    app = Form("张\x1b三\n李\u202e四")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()

        assert app.field().value == "张三 李四"


async def test_a_problem_is_a_class_and_a_text() -> None:
    app = Form("")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        field = app.field()
        field.set_problem("校验位不对 [b]")

        assert field.has_class("wrong")
        assert field.problem == "校验位不对 [b]"

        field.set_problem(None)

        assert not field.has_class("wrong")
        assert field.problem is None
