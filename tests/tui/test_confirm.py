import pytest
from textual import events
from textual.app import App
from textual.widgets import Static

from tests.tui.desks import press
from tui.text import cells
from tui.widgets.confirm import Ask, Confirm
from tui.widgets.field_input import FieldInput

pytestmark = pytest.mark.anyio


class Empty(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.answers: list[object] = []


@pytest.mark.parametrize(
    ("keys", "is_dangerous", "answer"),
    [
        (["y"], False, True),
        (["n"], False, False),
        (["escape"], False, False),
        (["enter"], False, True),
        (["enter"], True, False),  # who hits Enter twice must not destroy anything
        (["y"], True, True),
        (["left", "enter"], True, True),
        (["right", "enter"], False, False),
        (["tab", "space"], False, False),
    ],
)
async def test_a_question_is_answered_by_one_key(
    keys: list[str], is_dangerous: bool, answer: bool
) -> None:
    app = Empty()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(
            Confirm("撤回 [b]王芳[/] 的办件？", is_dangerous=is_dangerous),
            app.answers.append,
        )
        await pilot.pause()
        await press(pilot, *keys)

        assert app.answers == [answer]


@pytest.mark.parametrize(("choice", "answer"), [("#yes", True), ("#no", False)])
async def test_a_question_is_answered_by_a_click(choice: str, answer: bool) -> None:
    app = Empty()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Confirm("签发？", "签发", "再看看"), app.answers.append)
        await pilot.pause()
        await pilot.click(choice)
        await pilot.pause()

        assert app.answers == [answer]


async def test_a_question_shows_markup_as_text_and_where_enter_leads() -> None:
    app = Empty()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Confirm("[b]王芳[/]\x1b", is_dangerous=True))
        await pilot.pause()

        question = app.screen.query_one(".question", Static)
        assert question.render_line(0).text.strip() == "[b]王芳[/]␛"
        assert "> 否" in app.screen.query_one("#no").render_line(0).text
        assert ">" not in app.screen.query_one("#yes").render_line(0).text


async def test_a_long_question_breaks_anywhere_but_before_a_full_stop() -> None:
    app = Empty()
    question = (
        "退回补正：欧阳建国的老年人优待证办理，共 12 处：" + "电话、" * 9 + "姓名。"
    )
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Confirm(question))
        await pilot.pause()

        shown = app.screen.query_one(".question", Static)
        lines = [shown.render_line(at).text for at in range(2)]
        assert cells(lines[0].rstrip()) > 50
        assert "".join(line.rstrip() for line in lines).endswith("姓名。")


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["材", "料", "enter"], "材料"),
        (["escape"], None),
        (["材", "escape"], None),
        (["enter", "space", "enter", "材", "enter"], "材"),  # blank is no reason
    ],
)
async def test_a_line_is_asked_for(keys: list[str], answer: str | None) -> None:
    app = Empty()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Ask("退回的原因？"), app.answers.append)
        await pilot.pause()
        await press(pilot, *keys)

        assert app.answers == [answer]


async def test_an_empty_line_may_do() -> None:
    app = Empty()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Ask("备注？", is_required=False), app.answers.append)
        await pilot.pause()
        await press(pilot, "enter")

        assert app.answers == [""]


async def test_a_missing_line_is_asked_for_in_words() -> None:
    app = Empty()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Ask("退回的原因？"), app.answers.append)
        await pilot.pause()
        await press(pilot, "enter")
        problem = app.screen.query_one(".problem", Static)

        assert problem.render_line(0).text.strip() == "✗ 这里不能空着"
        assert app.answers == []

        await press(pilot, "材")

        assert problem.render_line(0).text.strip() == ""


async def test_pasted_lines_become_one() -> None:
    app = Empty()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Ask("退回的原因？"))
        await pilot.pause()
        app.post_message(events.Paste("材料不全\n请补拍\n"))
        await pilot.pause()

        assert app.screen.query_one(FieldInput).value == "材料不全 请补拍"
