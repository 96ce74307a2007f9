import pytest

from node import casework, drafting
from node.lifecycle import State, Step
from tests.tui.desks import ITEM, Desks, act, press, screen_text, submit, type_text
from tui.app import LianbanApp
from tui.screens.desk import DeskPage

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


async def test_a_case_follows_what_arrives_while_it_is_open(desks: Desks) -> None:
    case = submit(desks.village)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        before = screen_text(app)
        desks.up()
        casework.take_step(desks.town, case.id, Step.RETURN, note="缺照片")
        desks.up()
        app.look()
        await pilot.pause()
        after = screen_text(app)

    assert "待受理   ✓本机  ▲未到镇  ▲未到区" in before
    assert "退回补正   ✓本机  ●已到镇" in after
    assert "E 补正" in after


async def test_the_cursor_stays_on_the_draft_that_was_filled_in(desks: Desks) -> None:
    for name in ("甲", "乙", "丙"):
        drafting.begin_draft(desks.village, ITEM, {"name": name})
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert isinstance(app.page, DeskPage)
        rows = app.page.rows
        await pilot.press("down", "down")
        last = rows.highlighted
        assert last is not None
        await press(pilot, "enter")
        await type_text(pilot, "新")
        await press(pilot, "escape")

        assert rows.highlighted is not None
        assert rows.highlighted.cells[1] == last.cells[1] + "新"


async def test_all_rows_are_selected_by_one_key(desks: Desks) -> None:
    for name in ("甲", "乙", "丙"):
        submit(desks.village, name)
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "*")
        assert "已选 3 件" in screen_text(app)
        await act(pilot, "a")

    counts = desks.town.store.cases.counts_by_state()
    assert counts == {State.ACCEPTED: 3}
