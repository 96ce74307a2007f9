import pytest

from node import casework
from node.cases import open_case
from node.lifecycle import State, Step
from tests.tui.desks import ITEM, Desks, screen_text, submit, type_text
from tui.app import LianbanApp
from tui.screens.case import CasePage
from tui.screens.desk import DeskPage
from tui.screens.form_rows import FieldRow

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


async def test_two_values_of_a_field_are_shown_until_a_person_settles_them(
    desks: Desks,
) -> None:
    case = submit(desks.village)
    desks.up()
    casework.take_step(
        desks.village, case.id, Step.AMEND, answers={"phone": "13511111111"}
    )
    casework.take_step(
        desks.town, case.id, Step.AMEND, answers={"phone": "13622222222"}
    )
    desks.up()
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        desk = screen_text(app)
        await pilot.press("enter", "4")
        await pilot.pause()
        both = screen_text(app)
        await pilot.press("e")
        await pilot.pause()
        row = next(r for r in app.screen.query(FieldRow) if r.field.key == "phone")
        row.focus_editor()
        row.show("")
        await pilot.pause()
        await type_text(pilot, "13733333333")
        await pilot.press("f3")
        await pilot.pause()
        assert isinstance(app.screen, CasePage)
        settled = screen_text(app)

    assert "待受理 !" in desk
    assert "! 欧阳建国：两处填得不同，按回车打开核对" in desk
    assert "! 联系电话：两处填得不同" in both
    assert "耀里村 填的：135 1111 1111" in both
    assert "贺村镇 填的：136 2222 2222" in both
    assert "[4核对]" in settled
    assert "没有要核对的" in settled
    assert open_case(desks.village, case.id).fields["phone"] == "13733333333"


async def test_a_step_that_could_not_stand_is_shown_with_its_reason(
    desks: Desks,
) -> None:
    case = submit(desks.village)
    desks.up()
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    casework.take_step(desks.town, case.id, Step.WITHDRAW, note="镇里撤回")
    casework.take_step(desks.village, case.id, Step.WITHDRAW, note="申请人不办了")
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("6", "enter", "4")
        await pilot.pause()
        text = screen_text(app)
        await pilot.press("2")
        await pilot.pause()
        story = screen_text(app)

    assert "没有生效" in text
    assert "请同对方核对" in text.replace("\n ", "").replace("             ", "")
    assert "✗没有生效：当时已是“" in story
    assert "申请人不办了" in story


async def test_a_case_follows_what_arrives_while_it_is_open(desks: Desks) -> None:
    case = submit(desks.village)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter")
        await pilot.pause()
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
        casework.begin_draft(desks.village, ITEM, {"name": name})
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert isinstance(app.page, DeskPage)
        rows = app.page.rows
        await pilot.press("down", "down")
        last = rows.highlighted
        assert last is not None
        await pilot.press("enter")
        await pilot.pause()
        await type_text(pilot, "新")
        await pilot.press("escape")
        await pilot.pause()

        assert rows.highlighted is not None
        assert rows.highlighted.cells[1] == last.cells[1] + "新"


async def test_all_rows_are_selected_by_one_key(desks: Desks) -> None:
    for name in ("甲", "乙", "丙"):
        submit(desks.village, name)
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("*")
        await pilot.pause()
        assert "已选 3 件" in screen_text(app)
        await pilot.press("a")
        await app.workers.wait_for_complete()
        await pilot.pause()

    counts = desks.town.store.cases.counts_by_state()
    assert counts == {State.ACCEPTED: 3}
