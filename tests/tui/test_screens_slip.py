"""A number typed wrongly, by which the form counts its groups."""

from pathlib import Path

import pytest
from textual.widgets import Static

from forms.author.build import build
from node.wiring import Node
from tests.forms.author_files import markdown, row, written
from tests.tui.desks import note, press, screen_text
from tui.trial import TrialApp, TrialPage, package_of

pytest.importorskip("pyxform")
pytestmark = pytest.mark.anyio

HOUSEHOLD = [
    row("integer", "size", "人口", constraint=". <= 20"),
    row("begin_repeat", "member", "成员", repeat_count="${size}"),
    row("text", "called", "称呼", required="yes"),
    row("integer", "age", "年龄"),
    row("end_repeat", "", ""),
    row("text", "remark", "备注"),
]


async def test_a_slip_in_a_number_of_members_does_not_bring_up_hundreds_of_them(
    trial_node: Node, tmp_path: Path
) -> None:
    form = build(written(tmp_path, "a.md", markdown(HOUSEHOLD)))
    app = TrialApp(trial_node, package_of(form, "a"))

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        page = app.screen
        assert isinstance(page, TrialPage)
        await press(pilot, "4", "0", "3", "enter", "f3")
        with_slip = list(page.fields)
        said = str(page.query_one("#note", Static).render())
        await press(pilot, "end", "backspace", "backspace", "enter")
        put_right = list(page.fields)

    assert with_slip == ["size", "remark"]
    assert "有 1 处要改" in said
    assert "表单里没有的项" not in said
    assert len(put_right) == 2 + 4 * 2


async def test_of_a_long_list_of_members_only_those_stand_open_that_are_worked_on(
    trial_node: Node, tmp_path: Path
) -> None:
    form = build(written(tmp_path, "a.md", markdown(HOUSEHOLD)))
    app = TrialApp(trial_node, package_of(form, "a"))

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        page = app.screen
        assert isinstance(page, TrialPage)
        await press(pilot, "2", "0", "enter")
        closed = screen_text(app)
        fields = [list(page.fields)]
        for name in "甲乙丙丁":
            await press(pilot, name, "tab", "3", "tab")
            fields.append(list(page.fields))
        await press(pilot, "f3")
        said, first = note(app), app.focused
        await press(pilot, "f8")
        await press(pilot, "end", "enter")
        await press(pilot, "癸")
        reached = screen_text(app)
        answers = page.answers

    # The first is opened by Enter itself, each other by the Tab that leads to it.
    assert "成员 14  （按回车打开）" in closed and "必填还差 20 项" in closed
    assert fields[0] == ["size", "member/001/called", "member/001/age", "remark"]
    assert [key[7:10] for key in fields[4] if key.endswith("/age")] == [
        "003",
        "004",
        "005",
    ]
    assert "有 16 处要改" in said
    assert first is not None and first.id != "remark"
    assert "癸" in reached
    assert [v for k, v in answers.items() if k.endswith("called")] == list("甲乙丙丁癸")
    assert [v for k, v in answers.items() if k.endswith("age")] == list("3333")
