from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer

from tests.tui.desks import press
from tui.text import cells
from tui.widgets.field_input import FieldInput
from tui.widgets.keys import KeyBar, key_name, lay_out
from tui.widgets.status_bar import Part, StatusBar

pytestmark = pytest.mark.anyio


class Keys(App[None]):
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "press('save')", "存草稿"),
        Binding("enter", "press('open')", "打开"),
        Binding("n", "press('new')", "新建"),
        Binding("slash", "press('find')", "查找"),
        Binding("f7", "press('hidden')", "藏着", show=False),
        Binding("f8", "press('english')", "palette"),
        Binding("f9,f6", "press('twice')", "两个键"),
        Binding("escape", "press('back')", "返回"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.pressed: list[str] = []

    def compose(self) -> ComposeResult:
        yield StatusBar("三江口村便民服务点", [Part("离线 2天", "quiet"), "待传 5"])
        yield FieldInput("name")
        yield KeyBar()

    def action_press(self, name: str) -> None:
        self.pressed.append(name)


async def test_the_keys_are_named_in_chinese_and_nothing_is_english() -> None:
    async with Keys().run_test(size=(80, 24)) as pilot:
        await pilot.pause()

        line = pilot.app.query_one(KeyBar).render_line(0).text
        assert line.rstrip() == (
            " F2 存草稿  回车 打开  N 新建  / 查找  F9 两个键  Esc 返回"
        )
        assert cells(line) == 80
        assert not pilot.app.query(Footer)


async def test_a_key_that_the_field_takes_is_not_shown() -> None:
    async with Keys().run_test(size=(80, 24)) as pilot:
        await press(pilot, "tab")

        line = pilot.app.query_one(KeyBar).render_line(0).text
        assert "新建" not in line
        assert "查找" not in line
        assert "存草稿" in line


async def test_a_click_on_a_key_presses_it() -> None:
    app = Keys()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        bar = app.query_one(KeyBar)
        for hint in bar.hints:
            await pilot.click(KeyBar, offset=(hint.start, 0))
            await pilot.click(KeyBar, offset=(hint.end, 0))  # the gap does nothing

        assert app.pressed == ["save", "open", "new", "find", "twice", "back"]


@pytest.mark.parametrize("width", [80, 50, 49, 45, 30, 12, 5])
async def test_the_last_keys_give_way_when_there_is_no_room(width: int) -> None:
    async with Keys().run_test(size=(width, 5)) as pilot:
        await pilot.pause()

        bar = pilot.app.query_one(KeyBar)
        line = bar.render_line(0).text
        assert cells(line) == width
        assert all(hint.end <= width for hint in bar.hints)
        assert ("…" in line) == (len(bar.hints) < 6)
        assert bar.hints == [] or bar.hints[0].label == "存草稿"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("enter", "回车"),
        ("space", "空格"),
        ("escape", "Esc"),
        ("f5", "F5"),
        ("f10", "F10"),
        ("slash", "/"),
        ("n", "N"),
        ("ctrl+p", "Ctrl-P"),
        ("shift+tab", "Shift-Tab"),
        ("pagedown", "PgDn"),
        ("left", "←"),
        ("left_square_bracket", "["),
    ],
)
def test_a_key_is_named_as_it_is_printed(key: str, name: str) -> None:
    assert key_name(key) == name


def test_ten_keys_of_a_full_screen_fit_eighty_cells() -> None:
    labels = ["新建", "打开", "查找", "同步", "U盘", "回执", "帮助", "命令", "退出"]
    keys = ["n", "enter", "slash", "f5", "f6", "p", "f1", "ctrl+p", "f10"]
    bindings = [
        Binding(key, "x", label) for key, label in zip(keys, labels, strict=True)
    ]

    hints = lay_out(bindings, 80)

    assert [hint.label for hint in hints] == labels
    assert hints[-1].end <= 80


@pytest.mark.parametrize(
    ("title", "parts", "line"),
    [
        ("工作台", ["离线 2天", "待传 5"], " 工作台                离线 2天  待传 5 "),
        (
            "三江口村便民服务点新建一次性申请",
            ["离线 2天"],
            " 三江口村便民服务点新建一次…   离线 2天 ",
        ),
        (
            "工作台",
            ["代办员 李秀英", "离线 2天3小时"],
            " 工作台                   代办员 李秀英 ",
        ),
        ("\x1b工作台", [], " ␛工作台" + " " * 32),
        ("[b]x", ["[/]"], " [b]x" + " " * 29 + "  [/] "),
    ],
)
async def test_the_status_bar_cuts_between_letters(
    title: str, parts: list[str], line: str
) -> None:
    async with Keys().run_test(size=(40, 5)) as pilot:
        bar = pilot.app.query_one(StatusBar)
        bar.show(title, parts)
        await pilot.pause()

        assert cells(bar.render_line(0).text) == 40
        assert bar.render_line(0).text == line


async def test_the_status_bar_shows_its_tones() -> None:
    async with Keys().run_test(size=(80, 5)) as pilot:
        await pilot.pause()

        segments = list(pilot.app.query_one(StatusBar).render_line(0))
        quiet = next(s for s in segments if "离线" in s.text)
        normal = next(s for s in segments if "待传" in s.text)
        assert quiet.style != normal.style


def test_help_and_leaving_are_never_cut_off() -> None:
    many = [Binding(letter, "x", "一个很长的说明") for letter in "abcdefgh"]
    ends = [Binding("f1", "help", "帮助"), Binding("f10", "leave", "退出")]

    hints = lay_out([*many, *ends], 60)

    assert [hint.name for hint in hints][-2:] == ["F1", "F10"]
    assert hints[0].name == "A"
    assert hints[-1].end + 2 <= 60
