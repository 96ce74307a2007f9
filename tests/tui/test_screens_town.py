import pytest

from node import casework, drafting
from node.cases import open_case
from node.lifecycle import State, Step
from tests.node.nodes import BIRTH_ANSWERS
from tests.tui.desks import (
    BIRTH,
    Desks,
    act,
    note,
    press,
    screen_text,
    submit,
    type_text,
)
from tui.app import LianbanApp
from tui.screens.case import CasePage
from tui.screens.correction import CorrectionPage
from tui.screens.desk import DeskPage

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


def state(desks: Desks, case: str) -> State:
    return open_case(desks.town, case).story.state


async def test_selected_cases_are_accepted_together(desks: Desks) -> None:
    ids = [submit(desks.village, name).id for name in ("王芳", "张伟", "李秀英")]
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "space", "down", "space")
        assert "已选 2 件" in screen_text(app)
        await act(pilot, "a")
        text = screen_text(app)

    assert "✓ 已受理：王芳、张伟" in text
    assert "1待受理 1" in text
    assert "3已受理 2" in text
    assert [state(desks, one) for one in ids] == [
        State.ACCEPTED,
        State.ACCEPTED,
        State.SUBMITTED,
    ]


async def test_one_case_that_cannot_go_holds_up_no_other(desks: Desks) -> None:
    ids = [submit(desks.village, name).id for name in ("王芳", "张伟", "李秀英")]
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "6", "space", "down", "space", "down", "space")
        # Another window of the same town is faster with one of them.
        other = desks.town.another_connection()
        casework.take_step(other, ids[1], Step.RETURN, note="缺照片")
        other.close()
        await act(pilot, "a")
        text = note(app)

    assert "✓ 已受理：" in text
    assert state(desks, ids[0]) is State.ACCEPTED
    assert state(desks, ids[1]) is State.RETURNED
    assert state(desks, ids[2]) is State.ACCEPTED


async def test_what_has_changed_is_selected_no_longer(desks: Desks) -> None:
    ids = [submit(desks.village, name).id for name in ("王芳", "张伟")]
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "*")
        casework.take_step(
            desks.village, ids[0], Step.AMEND, answers={"phone": "13511111111"}
        )
        desks.up()
        app.look()
        await pilot.pause()
        text = screen_text(app)
        await pilot.press("a")
        await app.workers.wait_for_complete()

    assert "已选 1 件" in text
    assert "选中的有 1 件刚有变动" in text
    assert state(desks, ids[0]) is State.SUBMITTED
    assert state(desks, ids[1]) is State.ACCEPTED


async def test_a_return_wants_a_reason(desks: Desks) -> None:
    case = submit(desks.village)
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "r")
        await press(pilot, "f3")
        assert "还没有选" in screen_text(app)
        await press(pilot, "end", "space")
        await press(pilot, "enter")
        assert "这里不能空着" in screen_text(app)
        await press(pilot, "escape")
        await press(pilot, "escape")
        assert state(desks, case.id) is State.SUBMITTED
        await press(pilot, "r")
        await press(pilot, "end", "space")
        await type_text(pilot, "户口簿照片看不清")
        await press(pilot, "enter")
        await press(pilot, "f3")
        await act(pilot, "y")
        text = screen_text(app)

    assert state(desks, case.id) is State.RETURNED
    assert "✓ 已退回：欧阳建国的老年人优待证办理" in text
    assert "都受理完了，没有等着的办件" in text


async def test_several_cases_are_not_returned_with_one_notice_for_all(
    desks: Desks,
) -> None:
    ids = [submit(desks.village, name).id for name in ("王芳", "张伟")]
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "space", "down", "space", "r")
        said = note(app)
        await press(pilot, "escape", "r")
        page = app.screen

    assert "退回补正要一件一件来：每件告知的是它自己要补的" in said
    assert "选中的 2 件没有改动" in said
    assert [state(desks, one) for one in ids] == [State.SUBMITTED] * 2
    assert isinstance(page, CorrectionPage)


async def test_accepted_cases_are_forwarded_as_a_batch(desks: Desks) -> None:
    ids = [submit(desks.village, name).id for name in ("王芳", "张伟")]
    desks.up()
    for one in ids:
        casework.take_step(desks.town, one, Step.ACCEPT)
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3", "space", "down", "space", "b")
        question = screen_text(app)
        await act(pilot, "y")
        text = screen_text(app)

    batch = desks.town.store.registry.batches(1)[0]
    assert "把 2 件打成一个批次转到江山市？" in question
    assert batch.count == 2
    assert f"✓ 已转区 2 件，批次号 {batch.number}" in text
    assert [state(desks, one) for one in ids] == [State.FORWARDED] * 2


async def test_what_waits_for_the_district_is_marked_until_acknowledged(
    desks: Desks,
) -> None:
    case = submit(desks.village)
    desks.up()
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3")
        before = screen_text(app)
        desks.sync(desks.town)
        app.look()
        await pilot.pause()
        after = screen_text(app)

    assert "已受理     ▲未送达" in before
    assert "▲未送达 1" in before.splitlines()[0]
    assert "已受理     ✓已到区" in after
    assert "▲" not in after


async def test_a_case_is_read_and_decided_in_its_own_screen(desks: Desks) -> None:
    case = submit(desks.village)
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        assert isinstance(app.screen, CasePage)
        text = screen_text(app)
        await press(pilot, "3")
        materials = screen_text(app)
        await act(pilot, "2", "a")
        story = screen_text(app)

    assert "欧阳建国  110105********002X  138 0013 8000   耀里村" in text
    assert "330881105201" in text
    assert "居民身份证" in materials
    assert "受理        贺村镇（镇） 周审核" in story
    assert "B 转区" in story
    assert state(desks, case.id) is State.ACCEPTED


async def test_the_list_can_be_narrowed_to_one_village(desks: Desks) -> None:
    submit(desks.village)
    desks.up()
    submit(desks.town, "镇里收的")
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "1待受理 2" in screen_text(app)
        await act(pilot, "v", "2")
        text = screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.page, DeskPage)
        everything = app.page.rows.position[1]

    assert "只看耀里村（Esc 看全部）" in text
    assert "1待受理 1" in text
    assert "镇里收的" not in text
    assert everything == 2


async def test_what_is_decided_at_the_town_is_granted_there(desks: Desks) -> None:
    draft = drafting.begin_draft(desks.town, BIRTH, BIRTH_ANSWERS)
    case = drafting.submit_draft(desks.town, draft)
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "3")
        keys = screen_text(app).splitlines()[-1]
        await press(pilot, "b")
        assert state(desks, case.id) is State.ACCEPTED
        await act(pilot, "g", "y")

    assert "G 准予" in keys
    assert "B 转区" not in keys
    assert state(desks, case.id) is State.GRANTED
