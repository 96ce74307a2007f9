import json

import pytest

from forms import moving
from forms.form_diff import What
from forms.moving import Why
from forms.package import digest, encode
from node import cases, casework, drafting, kept_answers, upkeep, versions
from node.lifecycle import Step
from node.store.drafts import Draft
from tests.forms.versions import ANSWERS, NEW, OLD, PUT_RIGHT
from tests.node.nodes import tamper
from tests.tui.desks import Desks, note, press, screen_text
from tests.tui.shell import Shell
from tui import version_words
from tui.app import LianbanApp
from tui.screens.desk import DeskPage
from tui.screens.form import FormPage
from tui.screens.renewal import RenewalPage
from tui.screens.sheet import DraftSheet
from tui.screens.tell import Tell

pytestmark = pytest.mark.anyio

SIZE = (80, 24)
CODE = OLD.item.code


@pytest.fixture
def draft(desks: Desks) -> Draft:
    """A draft of the first version; the second has come to the village since."""
    upkeep.publish(desks.district, [OLD])
    desks.up()
    begun = drafting.begin_draft(desks.village, CODE, ANSWERS)
    upkeep.publish(desks.district, [NEW])
    desks.up()
    return begun


def stored(desks: Desks, draft: Draft) -> Draft:
    found = desks.village.store.drafts.get(draft.document)
    assert found is not None
    return found


def test_every_change_and_every_reason_has_its_word() -> None:
    assert set(version_words.CHANGES) == {What.NEW, What.GONE, What.RULE, *moving.SEEN}
    assert set(version_words.WHYS) == set(Why)


async def test_a_draft_of_an_older_form_is_marked_and_opens_as_a_choice(
    desks: Desks, draft: Draft
) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        listed = screen_text(app)
        await press(pilot, "enter")
        assert isinstance(app.page, RenewalPage)
        text = screen_text(app)
        await press(pilot, "escape")
        assert isinstance(app.page, DeskPage)

    assert "草稿 新表" in listed
    assert "表有新版，按回车看改了什么" in listed
    assert "第 2026112101 版" in text
    assert "第 2026120101 版" in text
    for line in (
        "改名      电话 → 手机号码：138 5701 2345 → 照旧带过去",
        "换了代码  住址：上塘村 3 号 → 照旧带过去",
        "选项变了  采伐原因：其他 → 新表没有这个选项，留着备查，请重新填",
        "要求变了  株数：40 → 带过去，要改：不能大于 30",
        "新增      林权证号：要填",
        "取消      传真：0570-4012345 → 新表不再问，留着备查",
        "取消      现场照片：原来没填",
        "1 换新表",
        "2 先用旧表",
    ):
        assert line in text
    assert stored(desks, draft) == draft


async def test_the_new_form_opens_with_all_answers_and_the_rest_on_a_key(
    desks: Desks, draft: Draft
) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "1")
        await pilot.pause()
        assert isinstance(app.page, FormPage)
        said, text = note(app), screen_text(app)
        await press(pilot, "f9")
        assert isinstance(app.screen, Tell)
        kept = screen_text(app)
        await press(pilot, "enter", "f2", "escape")
        desk = screen_text(app)

    assert said == "✓ 已换成现行的表，2 项旧答案留在本机，按 F9 看"
    assert "耀里村" in text.splitlines()[0]
    assert "手机号码" in text
    assert "必填还差 2 项：采伐原因、林权证号" in text
    assert "✗ 不能大于 30" in text
    assert "传真：0570-4012345（第 2026112101 版，新表不再问）" in "".join(
        kept.replace("│", "").split("\n")
    ).replace("  ", "")
    assert "草稿 新表" not in desk
    renewed = stored(desks, draft)
    assert renewed.package == digest(encode(NEW))
    assert renewed.answers["address"] == ANSWERS["home"]
    assert [one.key for one in kept_answers.of(desks.village, draft.document)] == [
        "reason",
        "fax",
    ]


async def test_the_old_form_may_be_filled_in_and_submitted(
    desks: Desks, draft: Draft
) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "2")
        assert isinstance(app.page, FormPage)
        text = screen_text(app)
        await press(pilot, "f3")
        await press(pilot, "f3")
        said = note(app)

    assert "用的是旧表（第 2026112101 版），照样能提交" in text
    assert "传真" in text
    assert "已提交" in said
    case = cases.open_case(desks.village, draft.id)
    assert case.package == OLD


async def test_a_version_that_comes_while_a_form_is_open_mixes_nothing_up(
    desks: Desks,
) -> None:
    upkeep.publish(desks.district, [OLD])
    desks.up()
    package = desks.village.package(digest(encode(OLD)))
    assert package is not None
    sheet = DraftSheet(desks.village, package)

    upkeep.publish(desks.district, [NEW])
    desks.up()
    sheet.save(ANSWERS, "fax")

    assert sheet.draft is not None
    assert stored(desks, sheet.draft).package == digest(encode(OLD))
    assert sheet.submit(ANSWERS, {}).fields["fax"] == ANSWERS["fax"]


async def test_a_returned_case_is_put_right_in_its_own_version(desks: Desks) -> None:
    upkeep.publish(desks.district, [OLD])
    desks.up()
    draft = drafting.begin_draft(desks.village, CODE, ANSWERS)
    case = drafting.submit_draft(desks.village, draft)
    desks.up()
    casework.take_step(desks.town, case.id, Step.RETURN, note="传真少一位")
    upkeep.publish(desks.district, [NEW])
    desks.up()
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await press(pilot, "e")
        assert isinstance(app.page, FormPage)
        text = screen_text(app)

    assert "传真" in text
    assert "电话" in text
    assert "手机号码" not in text
    assert "林权证号" not in text


async def test_a_case_shows_what_was_kept_here(desks: Desks, draft: Draft) -> None:
    renewed = versions.renew(desks.village, draft)
    answers = {**renewed.answers, **PUT_RIGHT}
    renewed = drafting.save_draft(desks.village, renewed, answers)
    drafting.submit_draft(desks.village, renewed)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        text = screen_text(app)

    assert "旧表里填过、新表没有的，只留在本机，不上报" in text
    assert "传真：0570-4012345" in text


async def test_an_altered_package_is_named_on_the_screen(
    desks: Desks, draft: Draft
) -> None:
    tamper(
        desks.village, "UPDATE packages SET body = x'00' WHERE version = '2026120101'"
    )
    desks.village.forget()
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        text = "".join(screen_text(app).replace("│", "").split())

    assert "“林木采伐申请”（331164999000，第2026120101版）的事项表单在本机" in text
    assert "没有改动任何办件" in text


def test_the_command_line_tells_the_change_and_takes_it_up(
    desks: Desks, draft: Draft, lianban: Shell
) -> None:
    shown = lianban(desks.village, "case", "show", draft.id)
    as_json = json.loads(lianban(desks.village, "case", "show", draft.id, "--json").out)
    renewed = lianban(desks.village, "case", "renew", draft.id[:12], "--json")
    again = lianban(desks.village, "case", "renew", draft.id)
    after = json.loads(lianban(desks.village, "case", "show", draft.id, "--json").out)

    assert "传真：0570-4012345 → 新表不再问，留着备查" in shown.out
    assert f"lianban case renew {draft.id[:12]}" in shown.err
    assert as_json["renewal"]["version"] == NEW.version
    assert as_json["kept"] == []
    fates = {one["label"]: one["fate"] for one in as_json["renewal"]["changes"]}
    assert fates["住址"] == "carried"
    assert renewed.code == 0
    assert [one["key"] for one in json.loads(renewed.out)["kept"]] == ["reason", "fax"]
    assert again.code == 1
    assert "用的就是现行的表，不用换" in again.err
    assert after["renewal"] is None
    assert after["kept"][1]["value"] == ANSWERS["fax"]


def test_a_submission_by_the_old_form_says_so(
    desks: Desks, draft: Draft, lianban: Shell
) -> None:
    said = lianban(desks.village, "case", "submit", draft.id)

    assert said.code == 0
    assert "是按旧表（第 2026112101 版）提交的" in said.err


def test_an_altered_package_is_named_by_commands(
    desks: Desks, draft: Draft, lianban: Shell
) -> None:
    tamper(
        desks.village, "UPDATE packages SET body = x'00' WHERE version = '2026120101'"
    )
    desks.village.forget()

    shown = lianban(desks.village, "catalog", "show", CODE)
    verified = lianban(desks.village, "verify")

    assert shown.code == 6
    assert "“林木采伐申请”（331164999000，第 2026120101 版）" in shown.err
    assert verified.code == 6
    assert "林木采伐申请 (331164999000, version 2026120101)" in verified.out
