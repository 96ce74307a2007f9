import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from tui.theme import STYLES, THEME, theme_name
from tui.widgets.field_input import FieldInput

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"TERM": "xterm-256color"}, "lianban"),
        ({"TERM": "linux"}, "ansi-dark"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "lianban"),
        ({"TERM": "xterm"}, "ansi-dark"),
        ({}, "lianban"),  # Windows sets neither
    ],
)
def test_a_poor_terminal_gets_its_own_colours(
    environment: dict[str, str], name: str
) -> None:
    assert theme_name(environment) == name


@pytest.mark.parametrize("name", ["lianban", "ansi-dark", "ansi-light"])
async def test_the_styles_load_under_every_theme(name: str) -> None:
    class Page(App[None]):
        CSS = STYLES

        def compose(self) -> ComposeResult:
            yield Static("离线", classes="offline")
            yield FieldInput("name", "张三", classes="wrong")

    app = Page()
    app.register_theme(THEME)
    app.theme = name
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()

        assert app.theme == name
