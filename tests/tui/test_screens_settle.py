"""Settling on the screen: both sides, one key, a reason; calm where others settle."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from forms.catalog import read_entries, shipped
from forms.package import Package
from node import casework, drafting, intake, upkeep
from node.cases import Case, open_case
from node.lifecycle import State, Step
from node.matters import MARK_CONFLICT, Author, Matter, Side
from node.settling import settle
from tests.forms.samples import ANSWERS, PACKAGE
from tests.node.nodes import BIRTH_ANSWERS
from tests.tui.desks import (
    BIRTH,
    Desks,
    act,
    dialogue,
    note,
    press,
    screen_text,
    submit,
    type_text,
)
from tui.app import LianbanApp
from tui.screens.case import CasePage
from tui.screens.desk import DeskPage
from tui.screens.field_row import FieldRow
from tui.screens.form import FormPage
from tui.screens.open_list import OpenListPage
from tui.screens.settle import SettlePage
from tui.screens.sides import sheet

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


def conflicting(desks: Desks, name: str = "欧阳建国", **more: str) -> Case:
    """Return a case whose phone number two clerks have changed offline."""
    case = submit(desks.village, name)
    desks.up()
    mine = {"phone": "13511111111"} | more
    theirs = {"phone": "13622222222"} | {key: f"镇{more[key]}" for key in more}
    casework.take_step(desks.village, case.id, Step.AMEND, answers=mine)
    casework.take_step(desks.town, case.id, Step.AMEND, answers=theirs)
    desks.up()
    return case


def withdrawn_and_granted(desks: Desks) -> Case:
    case = submit(desks.village)
    desks.up()
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    casework.forward_batch(desks.town, [case.id])
    desks.up()
    casework.take_step(
        desks.village, case.id, Step.WITHDRAW, note="申请人搬到女儿家去了"
    )
    casework.take_step(desks.district, case.id, Step.GRANT)
    desks.up()
    return case


async def test_the_home_screen_counts_what_this_tier_may_settle(desks: Desks) -> None:
    conflicting(desks, "王芳")
    conflicting(desks, "张伟", home_address="村东头")
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        desk = screen_text(app)
        await press(pilot, "h")
        assert isinstance(app.screen, OpenListPage)
        listed = screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, DeskPage)

    assert "! 待核对 3" in desk.splitlines()[0]
    assert "待受理 !" in desk
    assert "王芳：两处填得不同，等本级核对，按 H 核对" in desk
    assert "H 核对" in desk.splitlines()[-1]
    assert "王芳" in listed
    assert "两处填得不同 2处" in listed
    assert "联系电话：两处填得不同" in listed


async def test_a_desk_with_nothing_to_settle_does_not_speak_of_it(
    desks: Desks,
) -> None:
    submit(desks.village)
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h")
        assert isinstance(app.screen, DeskPage)
        text = screen_text(app)

    assert "核对" not in text


async def test_one_key_and_a_reason_settle_a_phone_number(desks: Desks) -> None:
    case = conflicting(desks)
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h", "enter")
        assert isinstance(app.screen, SettlePage)
        both = screen_text(app)
        found = open_case(desks.town, case.id).matters[0]
        place = [side.value for side in found.sides].index("13511111111") + 1
        await press(pilot, str(place))
        question = dialogue(app)
        await act(pilot, "1")
        assert isinstance(app.screen, OpenListPage)
        after = screen_text(app)
        await press(pilot, "escape")
        desk = screen_text(app)

    assert "! 联系电话：两处填得不同" in both
    assert "135 1111 1111" in both
    assert "136 2222 2222" in both
    assert "耀里村（村） 李秀英" in both
    assert "贺村镇（镇） 周审核" in both
    assert "E 另写" in both.splitlines()[-1]
    assert "联系电话定为“135 1111 1111”。理由是什么？" in question
    assert "1 电话向申请人核实" in question
    assert "都核对完了" in after
    assert "待核对" not in desk
    assert "待受理 ≠" in desk
    settled = open_case(desks.town, case.id)
    assert settled.fields["phone"] == "13511111111"
    assert settled.story.happened[-1].event.note == "电话向申请人核实"


async def test_both_sides_stand_side_by_side_and_in_line(desks: Desks) -> None:
    conflicting(desks)
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h", "enter")
        lines = screen_text(app).splitlines()

    places = [line for line in lines if "│" in line]
    columns = {cell_len(line.partition("│")[0]) for line in places}
    assert len(places) >= 4
    assert len(columns) == 1
    numbers = next(line for line in places if "【1】" in line)
    assert "【2】" in numbers.partition("│")[2]


async def test_another_value_is_typed_and_checked(desks: Desks) -> None:
    case = conflicting(desks)
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h", "enter", "e")
        await type_text(pilot, "12")
        await press(pilot, "enter")
        complaint = dialogue(app)
        await pilot.press("backspace", "backspace")
        await type_text(pilot, "13733333333")
        await press(pilot, "enter")
        await type_text(pilot, "申请人换了号")
        await act(pilot, "enter")

    assert "✗" in complaint
    settled = open_case(desks.town, case.id)
    assert settled.fields["phone"] == "13733333333"
    assert settled.story.happened[-1].event.note == "申请人换了号"


async def test_of_two_photographs_both_may_be_kept(
    desks: Desks, tmp_path: Path
) -> None:
    draft = drafting.begin_draft(desks.village, BIRTH, BIRTH_ANSWERS)
    case = drafting.submit_draft(desks.village, draft)
    desks.up()
    field = next(f for f in case.package.questions if f.kind == "file")
    digests = []
    for node, name in ((desks.village, "正面.pdf"), (desks.town, "背面.pdf")):
        (tmp_path / name).write_bytes(name.encode())
        digest, _ = intake.take_in(node, tmp_path / name, case.package.item)
        digests.append(digest)
        casework.take_step(
            node,
            case.id,
            Step.AMEND,
            answers={field.key: digest},
        )
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h", "enter")
        text = screen_text(app)
        await act(pilot, "e", "1")

    assert "正面.pdf" in text
    assert "背面.pdf" in text
    assert "E 都要" in text.splitlines()[-1]
    settled = open_case(desks.town, case.id)
    assert set(settled.fields[field.key].split()) == set(digests)
    assert settled.matters == ()


async def test_of_a_field_for_one_file_one_is_chosen(
    desks: Desks, tmp_path: Path
) -> None:
    # Only a plain list of fields says how many files a question takes.
    upkeep.publish(desks.district, [replace(PACKAGE, version="2026112102")])
    desks.sync(desks.town)
    desks.sync(desks.village)
    answers = {key: text for key, text in ANSWERS.items() if key != "photo"}
    draft = drafting.begin_draft(desks.village, PACKAGE.item.code, answers)
    case = drafting.submit_draft(desks.village, draft)
    desks.up()
    for node, name in ((desks.village, "正面.pdf"), (desks.town, "背面.pdf")):
        (tmp_path / name).write_bytes(name.encode())
        digest, _ = intake.take_in(node, tmp_path / name, case.package.item)
        casework.take_step(
            node,
            case.id,
            Step.AMEND,
            answers={"photo": digest},
        )
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h", "enter", "e")
        assert isinstance(app.screen, SettlePage)
        keys = screen_text(app).splitlines()[-1]

    assert "1 选【1】  2 选【2】  N 先跳过" in keys


async def test_to_go_back_settles_nothing(desks: Desks) -> None:
    case = conflicting(desks)
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h", "enter", "1")
        await press(pilot, "escape")
        assert isinstance(app.screen, SettlePage)
        await press(pilot, "9", "escape")
        assert isinstance(app.screen, OpenListPage)

    assert open_case(desks.town, case.id).row.open_count == 1


async def test_one_thing_follows_another_and_what_is_skipped_waits(
    desks: Desks,
) -> None:
    first = conflicting(desks, "王芳", home_address="村东头")
    second = conflicting(desks, "张伟")
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h", "enter")
        one = screen_text(app)
        await press(pilot, "n")
        two = screen_text(app)
        await act(pilot, "2", "1")
        three = screen_text(app)
        await act(pilot, "1", "1")
        text = screen_text(app)

    assert "! 现住址：两处填得不同（1/2）" in one
    assert "! 联系电话：两处填得不同（2/2）" in two
    assert "王芳" in two
    assert "张伟" in three
    assert "✓ 张伟：联系电话定为" in text
    assert "王芳" in text
    assert [one.key for one in open_case(desks.town, first.id).matters] == [
        "home_address"
    ]
    assert open_case(desks.town, second.id).matters == ()


async def test_what_changed_under_the_hands_is_shown_anew(desks: Desks) -> None:
    case = conflicting(desks)
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h", "enter", "1")
        # The other window of this town is faster.
        other = desks.town.another_connection()
        found = open_case(other, case.id)
        settle(other, case.id, found.matters[0], choose=2, note="另一窗口核对的")
        other.close()
        await act(pilot, "1")
        text = screen_text(app)

    assert "没有在等核对，或刚刚又有变动" in text.replace("\n", "").replace(" ", "")
    assert open_case(desks.town, case.id).story.happened[-1].event.note == (
        "另一窗口核对的"
    )


async def test_the_district_chooses_which_of_two_steps_stands(desks: Desks) -> None:
    case = withdrawn_and_granted(desks)
    app = LianbanApp(desks.district)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h", "enter")
        both = screen_text(app)
        found = open_case(desks.district, case.id).matters[0]
        place = [side.step for side in found.sides].index("grant") + 1
        await act(pilot, str(place), "2")

    assert "两步对不上" in both
    assert "理由：申请人搬到女儿家去了" in both
    assert "不变" in both
    assert "办件改为" in both
    assert "E 另写" not in both
    settled = open_case(desks.district, case.id)
    assert (settled.story.state, settled.matters) == (State.GRANTED, ())
    assert settled.story.happened[-1].event.note == "与对方站点核实"


async def test_a_late_amendment_is_seen_and_noted(desks: Desks) -> None:
    case = submit(desks.village)
    desks.up()
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    casework.take_step(
        desks.village, case.id, Step.AMEND, answers={"home_address": "村西头"}
    )
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "h", "enter")
        text = screen_text(app)
        await act(pilot, "1", "1")

    assert "现住址：耀里村 3 组 12 号 → 村西头" in text
    assert "耀里村（村） 李秀英" in text
    settled = open_case(desks.town, case.id)
    assert (settled.matters, settled.row.mark) == ((), "")


async def test_the_village_sees_it_calmly_and_leaves_it_to_the_town(
    desks: Desks,
) -> None:
    conflicting(desks)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        desk = screen_text(app)
        await press(pilot, "h", "enter", "4")
        assert isinstance(app.screen, CasePage)
        tab = screen_text(app)
        await press(pilot, "h")
        assert isinstance(app.screen, CasePage)

    assert "! 待核对" not in desk
    assert "待受理 ≠" in desk
    assert "欧阳建国：两处填得不同，等镇里核对。两边都留着" in desk
    assert "H 核对" not in desk
    assert "1 135 1111 1111" in tab or "2 135 1111 1111" in tab
    assert "两边都留着，等镇里核对，不用再做什么" in tab


async def test_a_disputed_field_is_held_in_the_form(desks: Desks) -> None:
    case = conflicting(desks)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "e")
        assert isinstance(app.screen, FormPage)
        rows = {row.field.key: row for row in app.screen.query(FieldRow)}
        assert rows["phone"].editor.disabled
        assert not rows["home_address"].editor.disabled
        rows["phone"].scroll_visible(animate=False)
        await pilot.pause()
        text = screen_text(app)
        rows["home_address"].focus_editor()
        rows["home_address"].show("村西头")
        await press(pilot, "f3")
        said = note(app)

    assert "两处填得不同，核对后才能改" in text
    assert "✓ 已修改" in said
    amended = open_case(desks.village, case.id)
    assert amended.fields["home_address"] == "村西头"
    assert [one.key for one in amended.matters] == ["phone"]


async def test_a_settled_case_says_that_it_once_had_a_conflict(desks: Desks) -> None:
    case = withdrawn_and_granted(desks)
    found = open_case(desks.district, case.id).matters[0]
    place = [side.step for side in found.sides].index("grant") + 1
    settle(desks.district, case.id, found, choose=place, note="电话问过本人")
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "6", "enter", "2")
        story = screen_text(app)
        await press(pilot, "4")
        tab = screen_text(app)

    assert "≠ 曾有不同，已核对" in story
    assert "核对        江山市（区） 林决定" in story
    assert "以“准予”为准" in story
    assert "说明：电话问过本人" in story
    assert "✗没有生效：核对后定为“准予”" in story
    assert "曾有不同，已经核对" in tab


# -- the text of both sides ----------------------------------------------------------

NO_FORM: Any = SimpleNamespace(
    package=Package(version="1", item=read_entries(shipped())[0].item), materials={}
)
WHO = Author("0" * 16, "耀里村", "village", "李秀英", 1_795_233_600_000)


def matter(*values: str) -> Matter:
    sides = tuple(Side((WHO,), value) for value in values)
    return Matter(MARK_CONFLICT, "remark", ("remark",), sides)


@pytest.mark.parametrize("width", [20, 40, 59, 60, 77, 120])
@pytest.mark.parametrize(
    "values",
    [
        ("a", "b"),
        ("长" * 300, "b" * 500),  # wide without a break, narrow without a space
        ("", " "),
        ("一 two 三", "\u202e\x1b[31m坏", "丙"),
        ("㐀𠮷䶮" * 40, "e\u0301" * 90),
    ],
)
async def test_no_line_of_the_sides_is_wider_than_the_screen(
    width: int, values: tuple[str, ...]
) -> None:
    lines = sheet(NO_FORM, matter(*values), width, WHO.at_ms)

    assert max(cell_len(line.plain) for line in lines) <= width
    text = "".join(line.plain for line in lines)
    assert "\x1b" not in text
    assert "\u202e" not in text
    for number in range(1, len(values) + 1):
        assert f"【{number}】" in text
    if len(values) == 2 and width >= 60:
        bars = {cell_len(line.plain.partition("│")[0]) for line in lines}
        assert len(bars) == 1
