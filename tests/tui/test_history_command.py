"""`lianban case history`, and the story of a case on its screen."""

import json
from pathlib import Path

import pytest

from forms.citizen_id import expected_check_character
from node import casework, intake
from node.history import Edit, Trace
from node.lifecycle import Step
from node.wiring import Node
from tests.tui.desks import ELDER, Desks, press, screen_text, submit
from tests.tui.test_commands import Shell
from tui.app import LianbanApp
from tui.history_words import EDITS_SHOWN, changes, edit
from tui.text import cells, harmless

Printed = pytest.CaptureFixture[str]
SIZE = (80, 24)
MINUTE_MS = 60_000
OTHER_ID = "11010519491231004" + expected_check_character("11010519491231004")


@pytest.fixture
def lianban(capsys: Printed, tmp_path: Path) -> Shell:
    return Shell(capsys, tmp_path)


def returned(node: Node, case: str, **faults: str) -> None:
    facts = {f"fault/{key}": text for key, text in faults.items()}
    casework.take_step(node, case, Step.RETURN, note="请补正", facts=facts)


def mended(desks: Desks) -> str:
    """Return a case that was sent back twice, the second time with a new fault."""
    case = submit(desks.village)
    desks.up()
    returned(desks.town, case.id, phone="空号")
    desks.up()
    answers = {"phone": "13700137000", "citizen_id": OTHER_ID}
    casework.take_step(desks.village, case.id, Step.SUBMIT, answers=answers)
    desks.up()
    returned(desks.town, case.id, contact_name="没有填全名")
    desks.up()
    return case.id


def test_a_history_says_who_where_and_what_was_before_and_after(
    desks: Desks, lianban: Shell
) -> None:
    case = mended(desks)

    said = lianban(desks.village, "case", "history", case)
    data = json.loads(lianban(desks.town, "case", "history", case, "--json").out)

    assert "提交  耀里村（村）  李秀英" in said.out
    assert "退回补正  贺村镇（镇）  周审核" in said.out
    assert "138 0013 8000 → 137 0013 7000" in said.out
    assert f"110105********002X → 110105********{OTHER_ID[-4:]}" in said.out
    assert ELDER["citizen_id"] not in said.out and OTHER_ID not in said.out
    assert "非一次性告知：没有填全名" in said.out
    assert said.out.count("非一次性告知") == 1
    again = data["events"][2]
    assert (again["step"], again["node_name"]) == ("submit", "耀里村")
    assert {one["key"] for one in again["changes"]} >= {"phone", "citizen_id"}
    assert again["received_at"] and again["received_by"] == ""


def test_an_exported_history_is_verified_elsewhere_and_a_changed_one_refused(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    case = mended(desks)
    out = tmp_path / "out"
    out.mkdir()

    saved = lianban(desks.village, "case", "history", case, "--export", str(out))
    (file,) = out.iterdir()
    good = lianban(desks.district, "case", "history", "--verify", str(file))
    data = json.loads(
        lianban(desks.town, "case", "history", "--verify", str(file), "--json").out
    )
    file.write_bytes(file.read_bytes().replace(b'"change"', b'"chance"', 1))
    bad = lianban(desks.town, "case", "history", "--verify", str(file))
    audited = lianban(desks.village, "audit", "list")

    assert saved.code == 0 and "有申请人的资料，没有加密" in saved.err
    assert "欧阳" not in file.name and file.stat().st_mode & 0o777 == 0o600
    assert good.code == 0
    assert "核验通过" in good.out and "本机也有这件，与文件一样" in good.out
    assert data["valid"] and data["standing"] == "same"
    assert [one["step"] for one in data["entries"]] == ["submit", "return"] * 2
    assert bad.code == 5 and bad.out == ""
    assert "没有核验通过" in bad.err and "的第 " in bad.err
    assert "导出办件经过" in audited.out


def test_what_is_asked_for_must_be_one_thing(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    case = submit(desks.village)

    none = lianban(desks.village, "case", "history")
    both = lianban(desks.village, "case", "history", case.id, "--verify", "x")
    missing = lianban(desks.village, "case", "history", "--verify", "没有.jsonl")
    nowhere = lianban(
        desks.village, "case", "history", case.id, "--export", str(tmp_path / "a" / "b")
    )

    assert (none.code, both.code) == (2, 2)
    assert missing.code == 1 and "没有.jsonl" in missing.err
    assert nowhere.code == 1 and "文件夹" in nowhere.err


def test_showing_a_case_is_written_down_once_a_day_by_what_was_seen(
    desks: Desks, lianban: Shell
) -> None:
    case = submit(desks.village)

    for _ in range(2):
        lianban(desks.village, "case", "show", case.id)
        lianban(desks.village, "case", "show", case.id, "--json")
    listed = lianban(desks.village, "audit", "list")

    assert listed.out.count("打开办件，看到电话") == 1
    assert listed.out.count("看到完整的证件号、电话") == 1
    assert case.row.number in listed.out and "李秀英" in listed.out


def test_case_show_marks_a_fault_that_came_late(desks: Desks, lianban: Shell) -> None:
    case = mended(desks)

    said = lianban(desks.village, "case", "show", case)

    assert said.out.count("非一次性告知") == 1


@pytest.mark.anyio
async def test_the_story_of_a_case_shows_changes_late_faults_and_arrival(
    desks: Desks,
) -> None:
    case = submit(desks.village)
    now_ms = desks.town.now_ms
    desks.town.now_ms = lambda: now_ms() + 90 * MINUTE_MS
    desks.up()
    returned(desks.town, case.id, phone="空号")
    casework.take_step(
        desks.town, case.id, Step.SUBMIT, answers={"phone": "13700137000"}
    )
    returned(desks.town, case.id, contact_name="没有填全名")
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "6", "enter")
        head = screen_text(app)
        await press(pilot, "2")
        story = screen_text(app)

    assert "非一次性告知" in head
    assert "提交        耀里村（村） 李秀英" in story
    assert "138 0013 8000 → 137 0013 7000" in story
    assert "填了 " in story and " 收到" in story
    assert "非一次性告知：没有填全名" in story


def test_a_step_that_changed_very_much_tells_how_much_more(desks: Desks) -> None:
    case = submit(desks.village)
    edits = tuple(Edit("phone", ("1",), str(n)) for n in range(EDITS_SHOWN + 5))

    told = list(changes(case, Trace(None, None, False, edits, ())))

    assert len(told) == EDITS_SHOWN + 1 and told[-1] == "还改了 5 项"


def test_a_value_that_is_long_or_hostile_stays_in_its_place(desks: Desks) -> None:
    case = submit(desks.village)
    one = Edit("home_address", ("长" * 999,), "\x1b[2J\u202e甲")

    told = edit(case, one)

    assert cells(harmless(told)) < 80
    assert "\x1b" not in harmless(told) and "…" in told


def test_a_file_that_takes_the_place_of_another_is_told_by_both_names(
    desks: Desks, tmp_path: Path
) -> None:
    case = submit(desks.village)
    digests = []
    for name in ("旧.txt", "新.txt"):
        (tmp_path / name).write_bytes(name.encode())
        digest, _ = intake.take_in(desks.village, tmp_path / name, case.package.item)
        digests.append(digest)
    case = casework.take_step(desks.village, case.id, Step.AMEND, files=digests)
    key = next(o.key for o in case.package.questions if o.kind == "file")

    told = list(
        changes(
            case,
            Trace(
                None,
                None,
                False,
                (Edit(key, (digests[0],), digests[1]),),
                (digests[1],),
            ),
        )
    )

    assert told == [f"{case.package.label(key)}：旧.txt → 新.txt"]
