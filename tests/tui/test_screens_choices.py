"""Questions with choices in a real form: long lists, and those of which several fit."""

from pathlib import Path

import pytest

from forms.author.build import build
from node.wiring import Node
from tests.forms.author_files import Row, markdown, row, written
from tests.tui.desks import press, screen_text, type_text
from tui.screens.choose import ChooseAnswer
from tui.screens.field_row import FieldRow
from tui.trial import TrialApp, TrialPage, package_of

pytest.importorskip("pyxform")
pytestmark = pytest.mark.anyio

TRADES: list[Row] = [
    {"list_name": "trade", "name": f"t{number}", "label": f"{name}店"}
    for number, name in enumerate("粮油肉菜果茶酒烟药书花布鞋帽伞", start=1)
]
HELP: list[Row] = [
    {"list_name": "help", "name": name, "label": label}
    for name, label in (("meal", "助餐"), ("bath", "助浴"), ("visit", "探访"))
]


def trial(node: Node, folder: Path, *survey: Row) -> TrialApp:
    form = build(written(folder, "a.md", markdown(survey, [*TRADES, *HELP])))
    return TrialApp(node, package_of(form, "a"))


def page(app: TrialApp) -> TrialPage:
    assert isinstance(app.screen, TrialPage)
    return app.screen


def focused_key(app: TrialApp) -> str:
    widget = app.focused
    assert widget is not None
    return next(
        one.field.key for one in widget.ancestors_with_self if isinstance(one, FieldRow)
    )


async def test_a_number_and_enter_answer_one_question_of_a_long_list(
    trial_node: Node, tmp_path: Path
) -> None:
    ask = [row("select_one trade", "trade", "行业"), row("text", "who", "姓名")]
    app = trial(trial_node, tmp_path, *ask, row("text", "why", "理由"))

    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        assert isinstance(app.screen, ChooseAnswer)
        await press(pilot, "1", "2")
        assert isinstance(app.screen, ChooseAnswer), "a digit does not choose yet"
        await press(pilot, "enter")

        assert page(app).answers == {"trade": "t12"}
        assert focused_key(app) == "who"


async def test_enter_in_a_long_list_leaves_the_answer_as_it_is(
    trial_node: Node, tmp_path: Path
) -> None:
    ask = [row("select_one trade", "trade", "行业"), row("text", "who", "姓名")]
    app = trial(trial_node, tmp_path, *ask)

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3", "enter")  # a number in the form, then the list
        await pilot.pause()
        assert isinstance(app.screen, ChooseAnswer)
        await press(pilot, "enter")

        assert page(app).answers == {"trade": "t3"}
        assert focused_key(app) == "who"


async def test_a_long_list_is_narrowed_by_what_things_are_called(
    trial_node: Node, tmp_path: Path
) -> None:
    app = trial(trial_node, tmp_path, row("select_one trade", "trade", "行业"))

    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        await type_text(pilot, "茶")
        await press(pilot, "enter")

        assert page(app).answers == {"trade": "t6"}


async def test_of_several_choices_each_digit_puts_one_in_or_takes_it_out(
    trial_node: Node, tmp_path: Path
) -> None:
    ask = [row("select_multiple help", "help", "服务"), row("text", "who", "姓名")]
    app = trial(trial_node, tmp_path, *ask)

    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "3", "1")
        both, shown = dict(page(app).answers), screen_text(app)
        await press(pilot, "3")
        one = dict(page(app).answers)
        await press(pilot, "2", "backspace")
        none = dict(page(app).answers)
        await press(pilot, "2", "enter")
        last, where = dict(page(app).answers), focused_key(app)

    assert both == {"help": "meal visit"}
    assert "●1 助餐" in shown and "●3 探访" in shown and "●2" not in shown
    assert one == {"help": "meal"}
    assert none == {}
    assert (last, where) == ({"help": "bath"}, "who")


async def test_several_of_a_long_list_are_picked_one_after_the_other(
    trial_node: Node, tmp_path: Path
) -> None:
    ask = [row("select_multiple trade", "trade", "行业"), row("text", "who", "姓名")]
    app = trial(trial_node, tmp_path, *ask)

    async with app.run_test(size=(80, 24)) as pilot:
        for number in ("2", "15"):
            await press(pilot, "enter")
            await press(pilot, *number, "enter")
            await press(pilot, "shift+tab")

        assert page(app).answers == {"trade": "t2 t15"}
