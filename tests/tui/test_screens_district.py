import pytest

from node import casework
from node.cases import open_case
from node.lifecycle import State, Step
from tests.node.forge import copy_of, put_entry
from tests.tui.desks import (
    Desks,
    act,
    forwarded,
    note,
    press,
    read_out,
    screen_text,
    submit,
    type_text,
)
from tui.app import LianbanApp

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


def state(desks: Desks, case: str) -> State:
    return open_case(desks.district, case).story.state


async def test_a_grant_is_signed_after_a_question(desks: Desks) -> None:
    first, second = (one.id for one in forwarded(desks, "王芳", "张伟"))
    app = LianbanApp(desks.district)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        before = screen_text(app)
        await press(pilot, "g", "escape")
        assert state(desks, first) is State.FORWARDED
        await act(pilot, "g", "enter")
        text = screen_text(app)

    assert "江山市 · 审批台" in before
    assert "[1待决 2]" in before
    assert "民政局" in before
    assert "✓ 已准予：王芳的老年人优待证办理" in text
    assert "[1待决 1]" in text
    assert state(desks, first) is State.GRANTED
    assert state(desks, second) is State.FORWARDED


async def test_a_refusal_wants_a_reason_and_is_no_slip(desks: Desks) -> None:
    case = forwarded(desks, "王芳")[0].id
    app = LianbanApp(desks.district)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "x")
        await type_text(pilot, "未满60周岁")
        await press(pilot, "enter")
        question = screen_text(app)
        await pilot.press("enter")  # who hits Enter twice must not sign anything
        await pilot.pause()
        assert state(desks, case) is State.FORWARDED
        await press(pilot, "x")
        await type_text(pilot, "未满60周岁")
        await act(pilot, "enter", "y")

    assert "理由：未满60周岁" in question.replace("\n", "")
    happened = open_case(desks.district, case).story.happened[-1].event
    assert (happened.step, happened.note) == (Step.REFUSE, "未满60周岁")


async def test_the_queue_can_be_narrowed_to_one_item(desks: Desks) -> None:
    forwarded(desks, "王芳")
    app = LianbanApp(desks.district)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "i")
        await type_text(pilot, "lnr")
        await act(pilot, "enter")
        found = screen_text(app)
        await press(pilot, "i")
        await type_text(pilot, "zdsh")
        await act(pilot, "enter")
        nothing = screen_text(app)

    assert "王芳" in found
    assert "只看老年人优待证办理" in found
    assert "最低生活保障审核确认：这里没有办件" in nothing


async def test_the_monitor_shows_every_neighbour_and_what_is_owed(
    desks: Desks,
) -> None:
    case = forwarded(desks, "王芳")[0].id
    casework.take_step(desks.district, case, Step.GRANT)
    app = LianbanApp(desks.district)

    async with app.run_test(size=SIZE) as pilot:
        await act(pilot, "s")
        text = screen_text(app)
        await press(pilot, "right")
        aside = screen_text(app)

    assert "江山市 · 同步情况" in text
    assert "贺村镇" in text
    assert "耀里村" in text
    assert "1件1条" in text
    assert "来过" in text
    assert "经别的站点转" in text
    assert "没有搁置的" in aside


async def test_the_monitor_names_what_is_set_aside(desks: Desks) -> None:
    case = forwarded(desks, "王芳")[0].id
    document = bytes.fromhex(case)
    entry = desks.district.store.journal.entries_of(document)[-1]
    with desks.district.store.transaction():
        desks.district.store.documents.put_quarantine(
            [(entry.row, "right", "town may not grant")]
        )
    app = LianbanApp(desks.district)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("s")
        await app.workers.wait_for_complete()
        await press(pilot, "2")
        text = screen_text(app)

    assert "! 搁置 1" in text.splitlines()[0]
    assert "该站点无权办这一步" in text
    assert "贺村镇" in text
    assert "town" not in text


async def test_the_monitor_lists_what_was_not_taken_and_what_to_do(
    desks: Desks,
) -> None:
    town, detail = desks.town.id, f"vector of {desks.town.id.hex()}: bad signature"
    for cause, said in (("vector", detail), ("bundle", "<script> 11010519491231002X")):
        desks.district.store.refusals.put(desks.district.now_ms(), town, cause, said)
    app = LianbanApp(desks.district)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("s")
        await read_out(pilot)
        await press(pilot, "4", "down")
        text = screen_text(app)

    assert "[4拒收 2]" in text
    assert "贺村镇的签收单" in text and "签名不符" in text
    assert "一处内容" in text and "不合规定" in text
    assert "贺村镇刚刚传来，没有存：不影响别的办件；请对方再同步一次" in text
    assert "11010519491231002X" not in text and "script" not in text


async def test_the_village_sees_how_its_line_is(desks: Desks) -> None:
    submit(desks.village)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await act(pilot, "s")
        await act(pilot, "f5")
        app.look()
        await app.workers.wait_for_complete()
        await pilot.pause()
        text = screen_text(app)
        told = note(app)

    assert "没有连上对方" in told
    assert "连不上" in text
    assert "1件1条" in text
    assert "上次成功" in text.splitlines()[2]
    assert "贺村镇：上级" in text


async def test_the_monitor_lists_what_waits_and_for_what(desks: Desks) -> None:
    case = submit(desks.village)
    copy = copy_of(desks.village, case.id)
    raw = copy.write(desks.village, "amend", {"remark": "新名册"})
    put_entry(desks.village, copy.id, raw, roster_version=99)
    desks.sync(desks.village)
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("s")
        await app.workers.wait_for_complete()
        await press(pilot, "3")
        text = screen_text(app)

    assert "3等候 1" in text
    assert "等名册第 99 版" in text
    assert "耀里村" in text
    assert case.row.number[12:18] in text
    assert "等了 不到1分钟" in text
