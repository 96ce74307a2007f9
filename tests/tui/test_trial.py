"""A form tried out: the real screen, and nothing kept."""

from pathlib import Path

import pytest
from textual.widgets import Static

from forms.author.build import build
from node import enrol
from node.vault import Cost
from tests.forms.author_files import markdown, row, written
from tests.tui.desks import press
from tui.trial import NOTHING_IS_KEPT, TrialApp, TrialPage, package_of

pytest.importorskip("pyxform")
pytestmark = pytest.mark.anyio


async def test_a_form_is_filled_in_and_checked_and_nothing_is_kept(
    tmp_path: Path,
) -> None:
    survey = [row("text", "who", "姓名", required="yes"), row("integer", "age", "年龄")]
    form = build(written(tmp_path, "a.md", markdown(survey)))
    node = enrol.init_district(
        tmp_path / "node",
        division="330881000000",
        name="试填",
        operator="admin",
        password="x",
        cost=Cost(64, 1),
    )
    app = TrialApp(node, package_of(form, "a"))

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, TrialPage)
        await press(pilot, "f3")
        first = str(app.screen.query_one("#note", Static).render())
        await press(pilot, "a", "enter", "7", "f3")
        second = str(app.screen.query_one("#note", Static).render())
        saved = str(app.screen.query_one("#saved", Static).render())

    assert "有 1 处要改" in first
    assert "全部符合要求，会提交 2 项" in second
    assert saved == NOTHING_IS_KEPT
    node.close()
    node.sandbox.close()


async def test_whoever_types_on_fills_in_one_family_member_after_the_other(
    tmp_path: Path,
) -> None:
    survey = [
        row("text", "who", "姓名"),
        row("begin_repeat", "member", "成员"),
        row("text", "called", "称呼"),
        row("integer", "age", "年龄"),
        row("end_repeat", "", ""),
    ]
    form = build(written(tmp_path, "a.md", markdown(survey)))
    node = enrol.init_district(
        tmp_path / "node",
        division="330881000000",
        name="试填",
        operator="admin",
        password="x",
        cost=Cost(64, 1),
    )
    app = TrialApp(node, package_of(form, "a"))

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "a", "tab", "b", "tab", "7", "tab")
        told = str(app.screen.query_one("#hint", Static).render())
        await press(pilot, "enter")
        await pilot.press("c", "enter", "8")
        assert isinstance(app.screen, TrialPage)
        answers = app.screen.answers

    assert told == "成员：按回车加一组，按 Tab 不加了"
    assert [answers[key] for key in answers] == ["a", "b", "7", "c", "8"]
    assert [key.rpartition("/")[2] for key in answers] == [
        "who",
        *("called", "age") * 2,
    ]
    node.close()
    node.sandbox.close()
