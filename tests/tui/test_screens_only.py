"""Lists that show only what is marked: home visits, lookups; and the list to go out."""

from pathlib import Path

import pytest
from textual.widgets import Input

from node import casework, drafting
from node.cases import open_case
from node.lifecycle import Step
from node.wiring import Node
from tests.node.nodes import ALLOWANCE, ALLOWANCE_ANSWERS
from tests.tui.desks import (
    ELDER,
    ITEM,
    Desks,
    act,
    note,
    press,
    screen_text,
    submit,
    type_text,
)
from tests.tui.test_commands import Shell
from tui.app import LianbanApp


@pytest.fixture
def lianban(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    return Shell(capsys, tmp_path)


def visited(node: Node, name: str) -> str:
    answers = {**ELDER, "name": name, "handling": "visit", "visit_address": "3 组 7 号"}
    return drafting.submit_draft(node, drafting.begin_draft(node, ITEM, answers)).id


@pytest.mark.anyio
async def test_l_lists_only_home_visits_and_j_gives_the_list_to_go_out_with(
    desks: Desks, tmp_path: Path
) -> None:
    visited(desks.village, "上门婆")
    submit(desks.village, "自己来")
    drafting.begin_draft(desks.village, ITEM, {"name": "草稿人", "handling": "self"})
    app = LianbanApp(desks.village)

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        everybody = screen_text(app)
        await press(pilot, "l")
        await type_text(pilot, "上门")
        await press(pilot, "enter")
        only = screen_text(app)
        await press(pilot, "j")
        paper = screen_text(app)
        await press(pilot, "t")
        asked = app.screen.query_one(Input)
        suggested, asked.value = asked.value, str(tmp_path)
        await act(pilot, "enter")
        saved = note(app)
        await press(pilot, "escape")
        await press(pilot, "escape")
        again = screen_text(app)

    for text in (everybody, again):
        assert "上门婆" in text and "自己来" in text and "草稿人" in text
    assert "上门婆" in only and "只看上门的" in only and "J 上门单" in only
    assert "自己来" not in only and "草稿人" not in only
    assert "3 组 7 号" in paper and ELDER["phone"] in paper
    assert "上门婆" not in suggested
    (file,) = tmp_path.glob("上门单*.txt")
    assert "上门婆" in file.read_text() and "已存到" in saved


@pytest.mark.anyio
async def test_a_lookup_shows_at_the_town_on_the_case_and_by_the_filter(
    desks: Desks,
) -> None:
    draft = drafting.begin_draft(desks.village, ITEM, {**ELDER, "name": "免交人"})
    case = drafting.submit_draft(desks.village, draft, {"material/id_card": "lookup"})
    submit(desks.village, "交了的")
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "l")
        await type_text(pilot, "免提交")
        await press(pilot, "enter")
        only = screen_text(app)
        await press(pilot, "enter")
        opened = screen_text(app)
        casework.take_step(
            desks.town, case.id, Step.CHECK, facts={"material/id_card": "looked_up"}
        )
        app.screen.data_changed()  # type: ignore[attr-defined]
        await pilot.pause()
        resolved = screen_text(app)

    assert "免交人" in only and "交了的" not in only
    assert "【免提交待查】" in opened
    assert "【免提交待查】" not in resolved


def test_commands_list_the_same(desks: Desks, lianban: Shell, tmp_path: Path) -> None:
    visited(desks.village, "上门婆")
    submit(desks.village, "自己来")

    listed = lianban(desks.village, "case", "list", "--visits")
    none = lianban(desks.village, "case", "list", "--lookups")
    printed = lianban(desks.village, "case", "visits")
    saved = lianban(desks.village, "case", "visits", "--pdf", str(tmp_path))

    assert "上门婆" in listed.out and "自己来" not in listed.out
    assert "上门" in listed.out and none.out == ""
    assert "3 组 7 号" in printed.out and "上门婆" in printed.out
    (file,) = tmp_path.glob("上门单*.pdf")
    assert str(file) in saved.err and saved.code == 0


@pytest.mark.anyio
async def test_what_was_not_found_stands_in_the_notice_and_the_village_sees_it(
    desks: Desks,
) -> None:
    draft = drafting.begin_draft(desks.village, ITEM, {**ELDER, "name": "免交人"})
    case = drafting.submit_draft(desks.village, draft, {"material/id_card": "lookup"})
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=(80, 30)) as pilot:
        await press(pilot, "enter")
        await press(pilot, "k")
        await press(pilot, "x")
        await act(pilot, "enter")
        custody = screen_text(app)
        await press(pilot, "escape")
        await act(pilot, "r")
        notice = screen_text(app)
        await press(pilot, "f3")
        await act(pilot, "y")
    desks.up()
    app = LianbanApp(desks.village)
    async with app.run_test(size=(80, 30)) as pilot:
        await press(pilot, "enter")
        told = screen_text(app)

    assert "证照没查到，请交原件  在贺村镇  贺村镇 周审核" in custody
    assert "选了 1 处" in notice and "证照没查到" in notice
    assert open_case(desks.village, case.id).story.state == "returned"
    assert "□ 居民身份证：证照没查到，请交原件" in told


@pytest.mark.anyio
async def test_a_paper_that_nothing_can_stand_for_is_not_spared(desks: Desks) -> None:
    draft = drafting.begin_draft(desks.village, ALLOWANCE, ALLOWANCE_ANSWERS)
    case = drafting.submit_draft(desks.village, draft)
    keys = [one.key for one in case.package.item.materials]
    app = LianbanApp(desks.village)

    async with app.run_test(size=(80, 30)) as pilot:
        await press(pilot, "enter")
        await press(pilot, "k")
        for _ in range(keys.index("authorisation")):
            await pilot.press("down")
        await press(pilot, "l")
        said = note(app)

    assert "没有写明它能免提交" in said
    assert not open_case(desks.village, case.id).row.has_lookup
