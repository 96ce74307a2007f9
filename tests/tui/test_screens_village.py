from pathlib import Path
from typing import Any

import pytest
from textual.widget import Widget
from textual.widgets import Static

from forms import check
from node import cases, casework, drafting, in_force
from node.lifecycle import State, Step
from node.store.cases import Filter
from tests.node.photos import photograph
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
from tui.app import LianbanApp
from tui.screens.desk import DeskPage
from tui.screens.field_row import FieldRow, FileRow
from tui.screens.form import FormPage
from tui.screens.intake import IntakePage
from tui.screens.sources import CaseSource
from tui.screens.step_page import StepPage
from tui.widgets.field_input import FieldInput

pytestmark = pytest.mark.anyio

SIZE = (80, 24)
COMPUTED = ("age", "sex_by_id")


def shown(app: LianbanApp, selector: str) -> str:
    """Return the text of a `Static` of the present page."""
    assert app.page is not None
    return str(app.page.query_one(selector, Static).render())


def drafts(desks: Desks) -> list[dict[str, str]]:
    """What people wrote into their drafts, without what the form gives by itself."""
    village = desks.village
    package = village.package(in_force.find_package(village, ITEM).digest)
    assert package is not None
    given = check.begun(package, {}, village.today())
    return [
        {
            key: text
            for key, text in draft.answers.items()
            if text != given.get(key) and key not in COMPUTED
        }
        for draft in village.store.drafts.all()
    ]


async def test_an_empty_desk_says_how_to_begin(desks: Desks) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        text = screen_text(app)

    assert "耀里村 · 工作台" in text
    assert "李秀英" in text
    assert "在线 刚刚" in text
    assert "还没有办件。按 N 新建第一件，没有网也能办" in text
    assert "F10 退出" in text


async def test_a_whole_case_is_taken_in_by_keyboard(desks: Desks) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "n", "2")
        for text in ("欧阳建国", "１１０１０５１９４９１２３１００２x"):
            await type_text(pilot, text)
            await pilot.press("enter")
        await pilot.press("2", "enter", "tab")  # the form gives 汉族
        for text in ("13800138000", "330881105201", "耀里村 3 组", "耀里村 3 组"):
            await type_text(pilot, text)
            await pilot.press("tab")
        await pilot.press("7", "0", "tab")
        assert "必填还差 5 项" in shown(app, "#missing")
        await pilot.press("shift+tab", "2", "down", "down")  # and 首次办理
        for text in ("欧阳明", "13900139000"):
            await type_text(pilot, text)
            await pilot.press("down")
        await type_text(pilot, "子女")
        await pilot.press("down")
        await type_text(pilot, "本人")
        assert "必填都填了" in shown(app, "#missing")
        await press(pilot, "f3")
        assert isinstance(app.screen, IntakePage)
        await press(pilot, "f3")

        assert isinstance(app.screen, DeskPage)
        text = screen_text(app)
        assert "已提交：欧阳建国的老年人优待证办理" in note(app)
        assert "待受理     ▲未送达" in text
        assert "▲未送达 1" in text.splitlines()[0]

    rows = desks.village.store.cases.page(Filter(), None, 5)
    assert [row.applicant for row in rows] == ["欧阳建国"]
    assert drafts(desks) == []


async def test_a_draft_survives_the_death_of_the_program(desks: Desks) -> None:
    app = LianbanApp(desks.village)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "n", "2")
        await type_text(pilot, "买买提")
        await press(pilot, "tab")
        assert "已自动存草稿" in shown(app, "#saved")
        # The program is killed here: what is on disk is all there is.
        kept = drafts(desks)

    again = LianbanApp(desks.village)
    async with again.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        text = note(again)
        focused = again.focused

    assert kept == [{"name": "买买提"}]
    assert text.startswith("恢复到 ")
    assert text.endswith("，最后一项：姓名")
    assert isinstance(focused, FieldInput)
    assert focused.value == "买买提"


async def test_a_pause_in_typing_saves_too(desks: Desks) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "n", "2")
        await type_text(pilot, "王")
        page = app.screen
        assert isinstance(page, FormPage)
        before = drafts(desks)
        page._autosave()  # what the timer calls after a second

    assert before == []
    assert drafts(desks) == [{"name": "王"}]


@pytest.mark.parametrize("key", ["escape", "f10"])
async def test_leaving_loses_nothing(desks: Desks, key: str) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "n", "2")
        await type_text(pilot, "王芳")
        await press(pilot, key)

    assert drafts(desks) == [{"name": "王芳"}]


async def test_a_look_at_a_form_leaves_no_draft_behind(desks: Desks) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "n", "2")
        await press(pilot, "tab", "tab", "escape")

    assert drafts(desks) == []


async def test_submitting_shows_all_faults_and_goes_to_the_first(
    desks: Desks,
) -> None:
    draft = drafting.begin_draft(desks.village, ITEM)
    answers = {**ELDER, "citizen_id": "110105194912310021", "phone": "138"}
    drafting.save_draft(desks.village, draft, answers)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "f3")
        text = screen_text(app)
        focused = app.focused

    assert "✗ 校验位不对：第 18 位应为 X" in text
    assert "✗ 手机号应为 11 位，现在 3 位" in text
    assert "还没提交：有 2 处要改" in text
    assert isinstance(focused, FieldInput)
    assert focused.key == "citizen_id"
    assert len(drafts(desks)) == 1


async def test_a_pasted_row_fills_the_fields_that_follow(desks: Desks) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "n", "2")
        field = app.focused
        assert isinstance(field, FieldInput)
        field._take("欧阳建国\t11010519491231002x\t女\t回族\t138 0013 8000\n")
        await pilot.pause()

    assert drafts(desks) == [
        {
            "name": "欧阳建国",
            "citizen_id": "11010519491231002X",
            "sex": "female",
            "ethnicity": "回族",
            "phone": "13800138000",
        }
    ]


async def test_a_second_application_of_the_same_person_is_pointed_out(
    desks: Desks,
) -> None:
    submit(desks.village)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("n", "1")  # what was used before stands first
        await pilot.pause()
        await pilot.press("tab")
        await type_text(pilot, ELDER["citizen_id"])  # and no further
        await pilot.pause()
        text = screen_text(app)

    assert "女，76 周岁" in text or "周岁" in text
    assert "! 此人另有一件同事项在办：单号 " in text
    assert "待受理，现在贺村镇" in "".join(text.split())


async def test_a_file_that_is_not_attached_is_listed_with_what_is_to_be_put_right(
    desks: Desks, tmp_path: Path
) -> None:
    answers = {key: text for key, text in ELDER.items() if key != "phone"}
    drafting.begin_draft(desks.village, ITEM, answers)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "f3")
        row = app.screen.query(FileRow).first()
        assert isinstance(row.editor, FieldInput)
        row.editor.value = str(tmp_path / "没有.jpg")
        await press(pilot, "f8")
        listed = screen_text(app)

    assert "还有 2 处要改" in listed
    assert "联系电话" in listed and "文件没有附上：改好路径按回车" in listed


async def test_a_file_is_attached_by_its_path(desks: Desks, tmp_path: Path) -> None:
    photo = tmp_path / "身份证.jpg"
    photo.write_bytes(photograph(2400, 1600, telling=True))
    (tmp_path / "假的.jpg").write_bytes(b"MZ")
    draft = drafting.begin_draft(desks.village, ITEM, ELDER)
    drafting.save_draft(desks.village, draft, draft.answers, "photo")
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        row = app.screen.query_one(FileRow)
        assert isinstance(row.editor, FieldInput)
        row.editor.value = str(tmp_path / "没有.jpg")
        await press(pilot, "enter")
        await app.workers.wait_for_complete()
        missing = screen_text(app)
        row.editor.value = "~nobody-here/身份证.jpg"
        await act(pilot, "enter")
        strange = screen_text(app)
        row.editor.value = str(tmp_path / "假的.jpg")
        await act(pilot, "enter")
        lying = screen_text(app)
        row.editor.value = f"'{photo}'"
        await act(pilot, "enter")
        attached = screen_text(app)
        await press(pilot, "f3")
        await press(pilot, "f3")

    assert "✗ 读不到文件" in missing
    assert "没有.jpg。没有附上" in "".join(missing.split())
    assert "身份证.jpg。没有附上" in "".join(strange.split())
    assert "没有附上假的.jpg：名字是照片，内容却不是。" in "".join(lying.split())
    assert "已附 1 身份证.jpg（" in attached
    assert "读不到" not in attached
    case = cases.open_case(desks.village, draft.id)
    (material,) = case.materials.values()
    assert material.name == "身份证.jpg"
    assert material.size < photo.stat().st_size


async def test_cases_are_found_by_initials_number_and_id_tail(desks: Desks) -> None:
    case = submit(desks.village)
    submit(desks.village, "单雄信", citizen_id="330881194503150016", sex="male")
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        for query in ("oyjg", "欧阳", "002x", case.row.number[-5:].lower()):
            await pilot.press("slash")
            await type_text(pilot, query)
            await pilot.pause()
            assert isinstance(app.page, DeskPage)
            found = app.page.rows
            assert found.position[1] == 1, query
            assert "欧阳建国" in screen_text(app)
            await press(pilot, "escape")
            assert found.position[1] == 2
        await press(pilot, "slash", "z", "z", "enter")

        assert "没有找到" in screen_text(app)


async def test_a_returned_case_is_put_right_and_sent_again(desks: Desks) -> None:
    case = submit(desks.village)
    desks.up()
    casework.take_step(desks.town, case.id, Step.RETURN, note="住址写到门牌")
    desks.up()
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        text = screen_text(app)
        assert "4退回补正 1!" in text
        assert "! 欧阳建国 退回补正：住址写到门牌（贺村镇 周审核" in text
        await press(pilot, "e")
        app.screen.query_one("#notice")
        row = _row(app, "home_address")
        row.focus_editor()
        await pilot.pause()
        await type_text(pilot, "8号")
        await press(pilot, "escape", "e")
        assert "最后一项：现住址" in note(app)
        assert _row(app, "home_address").value.endswith("12 号8号")
        await press(pilot, "f3")
        text = screen_text(app)

    assert "待受理     ▲未送达" in text
    again = cases.open_case(desks.village, case.id)
    assert again.story.state is State.SUBMITTED
    assert again.story.happened[-1].event.fields == ("home_address",)


async def test_delivery_is_shown_by_acknowledgement_only(desks: Desks) -> None:
    submit(desks.village)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        before = screen_text(app)
        desks.sync(desks.village)
        app.look()
        await pilot.pause()
        at_town = screen_text(app)
        desks.up()
        app.look()
        await pilot.pause()
        at_district = screen_text(app)

    assert "▲未送达" in before
    assert "●已到镇" in at_town
    assert "▲" not in at_town.splitlines()[0]
    assert "✓已到区" in at_district


async def test_offline_is_said_calmly_and_nothing_is_lost(desks: Desks) -> None:
    submit(desks.village)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await act(pilot, "f5")
        text = screen_text(app)

    assert "没有连上对方：对方没有开机，或没有启动服务" in text
    assert "刚离线  ▲未送达 1" in text.splitlines()[0]


async def test_nothing_is_drawn_while_nothing_changes(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(desks.village)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        drawn: list[Widget] = []
        refresh = Widget.refresh

        def noted(widget: Widget, *args: Any, **options: Any) -> Widget:
            drawn.append(widget)
            return refresh(widget, *args, **options)

        monkeypatch.setattr(Widget, "refresh", noted)
        app.look()
        app.look()
        quiet = list(drawn)
        desks.sync(desks.village)
        app.look()

        assert quiet == []
        assert drawn != []


async def test_a_draft_is_thrown_away_by_a_person_only(desks: Desks) -> None:
    drafting.begin_draft(desks.village, ITEM, {"name": "王芳"})
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("delete", "enter")  # Enter is the answer that does no harm
        await pilot.pause()
        assert len(drafts(desks)) == 1
        await press(pilot, "delete", "y")

        assert drafts(desks) == []
        assert "已删掉草稿：王芳" in note(app)


async def test_a_granted_case_is_delivered(desks: Desks) -> None:
    case = submit(desks.village)
    desks.up()
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    casework.forward_batch(desks.town, [case.id])
    desks.up()
    casework.take_step(desks.district, case.id, Step.GRANT)
    desks.up()
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "6", "d")
        assert isinstance(app.screen, StepPage)
        await press(pilot, "f3")
        await press(pilot, "7", "enter")
        text = screen_text(app)
        await press(pilot, "2")
        story = screen_text(app)

    assert "已办结（准予）" in text
    assert "110105********002X" in text
    assert "送达申请人  耀里村（村） 李秀英" in story
    assert "准予        江山市（区） 林决定" in story


def _row(app: LianbanApp, key: str) -> FieldRow:
    return next(row for row in app.screen.query(FieldRow) if row.field.key == key)


def test_the_lists_read_by_key_in_both_directions(desks: Desks) -> None:
    for name in "甲乙丙丁戊":
        submit(desks.village, name)
    drafting.begin_draft(desks.village, ITEM, {"name": "草稿"})
    source = CaseSource(
        desks.village,
        Filter(),
        has_cases=True,
        drafts=desks.village.store.drafts.all,
        on_error=lambda error: None,
    )

    every = list(source.page(None, 100))

    assert every[0].cells[1] == "草稿"
    assert source.count() == len(every) == 6
    for place, row in enumerate(every):
        assert list(source.page(row.key, 100)) == every[place + 1 :]
        assert list(source.page_before(row.key, 100)) == every[:place]
        assert list(source.page_before(row.key, 2)) == every[max(0, place - 2) : place]
    assert list(source.page_before(None, 4)) == every[2:]
