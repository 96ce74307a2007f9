"""A person who has been here before, in the form: recognised, offered, taken over."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from forms.package import FORMAT, Package
from forms.xform import read_form
from node import audit, casework, drafting, upkeep
from node.cases import Case, open_case
from node.lifecycle import Step
from node.wiring import Node
from tests.forms.samples import ITEM as SAMPLE_ITEM
from tests.forms.xforms import bind, inputs, xform
from tests.node.nodes import tamper
from tests.node.papers import scan, taken_in
from tests.tui.desks import (
    ELDER,
    ITEM,
    Desks,
    note,
    press,
    screen_text,
    submit,
    type_text,
)
from tui.app import LianbanApp
from tui.screens.field_row import FieldRow, FileRow
from tui.screens.form import FormPage
from tui.screens.reuse import ReusePage

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


def accepted(desks: Desks, item: str = ITEM, **more: str) -> Case:
    """Return a case that the town has accepted, as the village knows it."""
    case = submit(desks.village, item=item, **more)
    desks.up()
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    desks.up()
    return open_case(desks.village, case.id)


async def open_form(pilot: Pilot[None], number: str = ELDER["citizen_id"]) -> FormPage:
    """Begin a case of the item that is used most, and type the id number."""
    await press(pilot, "n", "1")
    await pilot.press("tab")
    await type_text(pilot, number)
    await pilot.pause()
    page = pilot.app.screen
    assert isinstance(page, FormPage)
    return page


def row(page: FormPage, key: str) -> FieldRow:
    return next(one for one in page.query(FieldRow) if one.field.key == key)


def origin(page: FormPage, key: str) -> str:
    """Return what stands below an answer about where it comes from."""
    shown = row(page, key).query_one(".origin", Static)
    return str(shown.render()) if shown.display else ""


BY_ITSELF = {"ethnicity": "汉族", "matter": "first", "age": "76", "sex_by_id": "female"}
"""What the form gives, or works out of the id number."""


def looks(node: Node) -> int:
    return sum(one.act == audit.LOOK for one in node.store.registry.audits(100))


async def test_who_has_been_here_is_recognised_with_the_last_digit(
    desks: Desks,
) -> None:
    accepted(desks)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        page = await open_form(pilot, ELDER["citizen_id"][:17])
        before = screen_text(app)
        await type_text(pilot, "x")
        await pilot.pause()
        after = screen_text(app)
        await press(pilot, "backspace")
        again = screen_text(app)
        assert page.is_whole

    assert "办过" not in before and "F7" not in before
    assert "此人在本点办过 1 件，可取用 11 项资料（F7）" in after
    assert "F7 历史资料" in after
    assert ELDER["contact_name"] not in after  # nothing is shown before it is asked for
    assert "办过" not in again and "同事项" not in again
    assert looks(desks.village) == 0


async def test_chosen_values_are_taken_over_and_say_where_they_come_from(
    desks: Desks,
) -> None:
    case = accepted(desks)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        page = await open_form(pilot)
        await press(pilot, "f7")
        assert isinstance(app.screen, ReusePage)
        listed = screen_text(app)
        await pilot.press("enter")  # nothing is chosen yet
        await pilot.pause()
        reminded = screen_text(app)
        await press(pilot, "space", "down", "down", "space", "enter")
        values = page.answers
        marks = origin(page, "name"), origin(page, "phone"), origin(page, "sex")
        said = note(app)

    number = case.row.number
    assert "欧阳建国" in listed and "138 0013 8000" in listed
    assert f"单号 {number[12:18]}-{number[20:]}" in listed
    assert "还没有选" in reminded and "什么也没有取用" in reminded
    assert values == BY_ITSELF | {
        "name": "欧阳建国",
        "citizen_id": ELDER["citizen_id"],
        "phone": "13800138000",
    }
    assert "已取用 2 项" in said
    assert marks[0].startswith("取自 20") and marks[0].endswith(f"的 {ITEM}")
    assert marks[1] == marks[0] and marks[2] == ""
    assert looks(desks.village) == 1
    assert [one.answers for one in desks.village.store.drafts.all()] == [values]


async def test_a_mark_outlives_the_program_and_ends_with_an_edit(desks: Desks) -> None:
    accepted(desks)
    first = LianbanApp(desks.village)
    async with first.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        await press(pilot, "f7")
        await press(pilot, "a", "enter")

    second = LianbanApp(desks.village)
    async with second.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        page = second.screen
        assert isinstance(page, FormPage)
        kept = origin(page, "name")
        row(page, "name").focus_editor()
        await press(pilot, "backspace")
        edited = origin(page, "name")
        await pilot.press("f2")
        await press(pilot, "escape")

    third = LianbanApp(desks.village)
    async with third.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        page = third.screen
        assert isinstance(page, FormPage)
        gone, other = origin(page, "name"), origin(page, "phone")

    assert kept.startswith("取自 ")
    assert edited == "" and gone == ""
    assert other == kept


async def test_going_back_takes_nothing(desks: Desks) -> None:
    accepted(desks)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        page = await open_form(pilot)
        await press(pilot, "f7")
        await press(pilot, "a", "escape")
        answers = page.answers

    assert answers == BY_ITSELF | {"citizen_id": ELDER["citizen_id"]}


async def test_what_stands_in_the_form_is_shown_beside_and_replaced_when_chosen(
    desks: Desks,
) -> None:
    accepted(desks)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        page = await open_form(pilot)
        row(page, "name").focus_editor()
        await type_text(pilot, "欧阳建")
        await press(pilot, "f7")
        listed = screen_text(app)
        await press(pilot, "space", "enter")
        answers = page.answers

    assert "现在填的是 欧阳建，取用会换掉" in listed
    assert answers["name"] == "欧阳建国"


async def test_a_file_is_taken_over_as_the_same_file(
    desks: Desks, tmp_path: Path
) -> None:
    photo = taken_in(desks.village, scan(tmp_path, "照片.pdf"), ITEM)
    accepted(desks, photo=photo)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        page = await open_form(pilot)
        await press(pilot, "f7")
        listed = screen_text(app)
        await press(pilot, "a", "enter")
        digests = page.query_one(FileRow).digests

    assert "照片.pdf" in listed
    assert digests == [photo]


async def test_a_family_is_taken_over_as_a_whole(desks: Desks) -> None:
    body = (
        inputs("name", "citizen_id", "size")
        + '<group ref="/data/member"><label>家庭成员</label>'
        + '<repeat nodeset="/data/member" jr:count="/data/size">'
        + inputs("member/member_name", "member/member_id")
        + "</repeat></group>"
    )
    data = "<name/><citizen_id/><size/><member><member_name/><member_id/></member>"
    own = 'xmlns:lianban="urn:lianban:form" lianban:'
    model = (
        bind("size", type="int")
        + f'<bind nodeset="/data/name" {own}role="applicant_name"/>'
        + f'<bind nodeset="/data/citizen_id" {own}kind="citizen_id" '
        + 'lianban:role="applicant_id"/>'
        + f'<bind nodeset="/data/member/member_id" {own}kind="citizen_id"/>'
    )
    form = read_form(xform(data, model, body))
    package = Package(format=FORMAT, version="2026112109", item=SAMPLE_ITEM, form=form)
    upkeep.publish(desks.district, [package])
    desks.up()
    answers = {
        "name": "欧阳建国",
        "citizen_id": ELDER["citizen_id"],
        "size": "2",
        "member/001/member_name": "欧阳建国",
        "member/001/member_id": ELDER["citizen_id"],
        "member/002/member_name": "李四",
    }
    draft = drafting.begin_draft(desks.village, package.item.code, answers)
    case = drafting.submit_draft(desks.village, draft)
    desks.up()
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    desks.up()
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        page = await open_form(pilot)
        await press(pilot, "f7")
        await press(pilot, "down")
        listed = screen_text(app)
        await press(pilot, "a", "enter")
        await pilot.pause()
        filled = page.answers
        mark = origin(page, "member/002/member_name")

    assert "家庭成员：2 组：欧阳建国" in listed
    assert filled == answers
    assert mark.startswith("取自 ")


async def test_a_look_that_cannot_be_written_down_is_not_given(
    desks: Desks,
) -> None:
    accepted(desks)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await open_form(pilot)
        # As where an older state was put back: it has signed for more than it has.
        tamper(desks.village, "UPDATE streams SET claimed = 99999")
        await press(pilot, "f7")
        text = screen_text(app)

    assert "没有办成" in text
    assert ELDER["contact_name"] not in text
    assert looks(desks.village) == 0
