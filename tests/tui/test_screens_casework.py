"""Casework at the keyboard: every step with what it says, asked from the table."""

import pytest
from msgspec import structs
from textual.pilot import Pilot

from forms.service import Member
from node import casework, drafting, in_force, upkeep
from node.cases import Case, open_case
from node.lifecycle import State, Step
from node.records import Records, records
from node.wiring import Node
from tests.node.nodes import BIRTH_ANSWERS
from tests.tui.desks import (
    BIRTH,
    ELDER,
    ITEM,
    Desks,
    dialogue,
    forwarded,
    note,
    press,
    screen_text,
    submit,
    type_text,
)
from tui.app import LianbanApp
from tui.screens.form import FormPage
from tui.screens.intake import IntakePage
from tui.screens.step_page import StepPage

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


def known(node: Node, case: Case) -> Records:
    found = open_case(node, case.id)
    return records(found.package.item, found.story)


async def test_the_menu_lists_every_step_and_asks_what_it_must_say(
    desks: Desks,
) -> None:
    (case,) = forwarded(desks, "欧阳建国")
    app = LianbanApp(desks.district)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "m")
        listed = screen_text(app)
        await type_text(pilot, "延长")
        await press(pilot, "enter")
        await pilot.pause()
        assert isinstance(app.screen, StepPage)
        await press(pilot, "f3")
        lacking = screen_text(app)
        await type_text(pilot, "11")
        await pilot.press("enter")
        await type_text(pilot, "林局长")
        await pilot.press("enter")
        await type_text(pilot, "要实地核查")
        await press(pilot, "f3")
        refused = "".join(screen_text(app).split())
        await press(pilot, "enter")
        await press(pilot, "shift+tab", "shift+tab", "backspace", "0", "f3")
        await press(pilot, "2")
        story = screen_text(app)

    assert "部门意见" not in listed
    assert "特别程序开始" in listed
    assert "听证、勘验等，不计时" in listed
    assert "有 3 处要改" in lacking
    assert "延长的天数超过法律允许的" in refused
    assert known(desks.district, case).extended_workdays == 10
    assert "时限延长了 10 个工作日" in story
    assert "批准人：林局长" in story
    assert "说明：要实地核查" in story


async def test_a_special_procedure_is_ended_without_typing_its_number(
    desks: Desks,
) -> None:
    (case,) = forwarded(desks, "欧阳建国")
    casework.take_step(
        desks.district, case.id, Step.PAUSE, note="要鉴定", facts={"kind": "appraisal"}
    )
    app = LianbanApp(desks.district)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "m")
        await type_text(pilot, "特别程序结束")
        await press(pilot, "enter")
        await pilot.pause()
        asked = screen_text(app)
        await press(pilot, "f3")
        said = note(app)
        await press(pilot, "2")
        story = screen_text(app)

    assert "鉴定" in asked
    assert "结束哪一个：鉴定" in story
    assert "✓ 特别程序结束：欧阳建国" in said
    (pause,) = known(desks.district, case).pauses
    assert pause.end is not None


async def test_all_faults_go_into_one_notice_and_a_new_one_later_is_marked(
    desks: Desks,
) -> None:
    case = submit(desks.village)
    desks.up()
    app = LianbanApp(desks.town)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "r")
        await press(pilot, "space")
        await press(pilot, "2")
        await press(pilot, "down", "space")
        await type_text(pilot, "号码抄错")
        await press(pilot, "enter")
        ticked = screen_text(app)
        await press(pilot, "f3")
        await pilot.press("y")
        await app.workers.wait_for_complete()
        await pilot.pause()
    assert "选了 2 处" in ticked
    told = known(desks.town, case).faults
    assert [(one.target, one.text) for one in told] == [
        ("name", "与证件不一致"),
        ("citizen_id", "号码抄错"),
    ]
    desks.up()

    app = LianbanApp(desks.village)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        listed = screen_text(app)
        await press(pilot, "enter")
        page = screen_text(app)
        await press(pilot, "e")
        before = screen_text(app)
        await pilot.press("end")
        await type_text(pilot, "了")
        await pilot.pause()
        after = screen_text(app)
        await press(pilot, "f3")
    assert "退回补正" in listed and "等刚刚" not in listed
    # The form asks for the names of others as well, and for their numbers.
    assert "□ 老人·姓名：与证件不一致" in page
    assert "□ 老人·姓名：与证件不一致" in before
    assert "✓ 老人·姓名：与证件不一致" in after
    assert "退回补正：要补正 2 处（" in before
    assert "□ 老人·身份证号：号码抄错" in after
    assert open_case(desks.village, case.id).story.state is State.SUBMITTED
    desks.up()

    app = LianbanApp(desks.town)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "r")
        await press(pilot, "end", "space")
        await type_text(pilot, "还缺照片")
        await press(pilot, "enter")
        await press(pilot, "f3")
        framed = [line.split("│") for line in screen_text(app).splitlines()]
        warning = "".join(parts[1].strip() for parts in framed if len(parts) == 3)
        await pilot.press("y")
        await app.workers.wait_for_complete()
        await pilot.pause()
        sent = "".join(screen_text(app).split())
    assert "会记为“非一次性告知”" in warning
    assert "新提的1处记为“非一次性告知”" in sent
    assert [one.is_late for one in known(desks.town, case).faults][-1]


async def test_papers_are_checked_with_one_key_and_the_log_says_who_and_where(
    desks: Desks,
) -> None:
    case = submit(desks.village)
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "k")
        await press(pilot, "enter")
        points = screen_text(app)
        await pilot.press("escape")
        await press(pilot, "b")
        await press(pilot, "enter")
        await press(pilot, "l")
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        text = screen_text(app)

    assert "审核要点：" in points
    assert "· " in points
    assert "免提交，待查" in text
    assert "勘查带回  在贺村镇  贺村镇 周审核" in text
    assert [one.state for one in known(desks.town, case).custody] == [
        "brought",
        "lookup",
    ]


async def test_an_agent_must_show_his_authorisation(desks: Desks) -> None:
    draft = drafting.begin_draft(desks.village, ITEM, ELDER)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "f3")
        assert isinstance(app.screen, IntakePage)
        await press(pilot, "2", "f3")
        lacking = screen_text(app)
        await type_text(pilot, "儿子持委托书")
        mended = screen_text(app)
        await press(pilot, "enter", "1", "2", "f3")
        await press(pilot, "enter")
        text = screen_text(app)

    assert "代办的要写明委托凭据" in lacking
    assert "委托凭据（要改）" in lacking and "还没办" in lacking
    assert "还没办" not in mended
    said = known(desks.village, open_case(desks.village, draft.id))
    assert (said.handling, said.authorised) == ("agent", "儿子持委托书")
    assert {one.state for one in said.custody} == {"collected"}
    assert len(said.custody) == 2
    assert "首问责任人 耀里村 李秀英   代办（儿子持委托书），申请人 欧阳建国" in text


async def test_papers_come_first_and_the_town_enters_the_form(desks: Desks) -> None:
    draft = drafting.begin_draft(
        desks.village,
        ITEM,
        {"name": "欧阳建国", "citizen_id": "11010519491231002X"},
    )
    app = LianbanApp(desks.village)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "f6")
        await press(pilot, "f3")
        assert "请勾上收到的材料" in screen_text(app)
        await press(pilot, "1", "f3")
    case = open_case(desks.village, draft.id)
    assert known(desks.village, case).is_paper_only
    desks.up()

    app = LianbanApp(desks.town)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        listed = screen_text(app)
        await press(pilot, "e")
        assert isinstance(app.screen, FormPage)
        await press(pilot, "escape")
        await press(pilot, "enter")
        head = screen_text(app)
        await press(pilot, "e")
        form = screen_text(app)
        page = app.screen
        assert isinstance(page, FormPage)
        for key, value in ELDER.items():
            page.fields[key].show(value)  # typed out elsewhere, field by field
            page.lines.answer(page.fields[key])
        await press(pilot, "f3")
    assert "待代录" in listed and "E 代录" in listed and "A 受理" not in listed
    assert "代收，表待录" in head
    assert "照材料代录" in form
    entered = open_case(desks.town, case.id)
    assert entered.fields["phone"] == ELDER["phone"]
    assert not known(desks.town, case).is_paper_only
    assert not entered.row.is_paper_only


async def test_what_is_decided_on_the_spot_is_accepted_and_granted_at_once(
    desks: Desks,
) -> None:
    draft = drafting.begin_draft(desks.town, BIRTH, BIRTH_ANSWERS)
    case = drafting.submit_draft(desks.town, draft)
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        assert "I 当场办结" in screen_text(app)
        await press(pilot, "i")
        await press(pilot, "f3")
        said = note(app)

    assert "✓ 当场办结：" in said
    decided = open_case(desks.town, case.id)
    assert decided.story.state is State.GRANTED
    assert [one.event.step for one in decided.story.happened][-2:] == [
        Step.ACCEPT,
        Step.GRANT,
    ]


async def test_the_departments_of_a_joint_case_decide_side_by_side(
    desks: Desks,
) -> None:
    case = joint(desks)
    app = LianbanApp(desks.district)

    async with app.run_test(size=(80, 40)) as pilot:
        await press(pilot, "enter")
        waiting = screen_text(app)
        await step(pilot, "部门意见")
        await press(pilot, "1", "tab", "1", "f3")
        one = screen_text(app)
        await press(pilot, "g")
        await pilot.press("y")
        await app.workers.wait_for_complete()
        await pilot.pause()
        refused = dialogue(app)
        await press(pilot, "enter")
        await step(pilot, "安排联合勘验")
        await press(pilot, "1", "2", "f3")
        await step(pilot, "勘验结果")
        await press(pilot, "2", "tab", "2", "f3")
        inspected = screen_text(app)
        await press(pilot, "2")
        story = screen_text(app)

    states = known(desks.district, case).branches
    assert waiting.count("待审") == len(states) >= 3
    assert one.count("待审") == len(states) - 1
    assert "还有部门没有给出意见" in refused
    assert "勘验限期整改" in inspected
    assert [one.inspected for one in states].count("mend") == 1
    assert "安排联合勘验：哪一天去：" in story


def joint(desks: Desks) -> Case:
    """Return a case of an item for which three departments decide, at the district."""
    package = desks.district.package(in_force.find_package(desks.village, ITEM).digest)
    assert package is not None
    members = tuple(Member(c, f"事{c}", f"局{c}") for c in ("1", "2", "3"))
    changed = structs.replace(
        package, version="9", item=structs.replace(package.item, members=members)
    )
    upkeep.publish(desks.district, [changed])
    desks.up()
    return forwarded(desks, "欧阳建国")[0]


async def step(pilot: Pilot[None], name: str) -> None:
    """Choose a step from the list of all that are possible."""
    await press(pilot, "m")
    await type_text(pilot, name)
    await press(pilot, "enter")
    await pilot.pause()
