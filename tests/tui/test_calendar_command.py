"""`lianban calendar` as a person runs it, and what `status` says of the calendar."""

import json
import sys
from pathlib import Path

import pytest

from node.wiring import Node
from node.workdays import Calendar
from tests.node.test_calendar_file import NOTICE_2026
from tests.tui.desks import Desks
from tests.tui.shell import Said, Shell
from tui.text import cells

NOVEMBER_MS = 1_795_233_600_000  # 2026-11-21 12:00 in China


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Shell:
    monkeypatch.setattr("node.wiring.system_ms", lambda: NOVEMBER_MS)
    return Shell(capsys, tmp_path)


def notice(path: Path, text: str) -> str:
    file = path / "2026.csv"
    file.write_text(text, encoding="gb18030")
    return str(file)


def all_of(desks: Desks) -> tuple[Node, Node, Node]:
    for node in (desks.town, desks.village):
        desks.sync(node)
    return desks.district, desks.town, desks.village


def test_the_district_publishes_and_everybody_can_look_it_up(
    desks: Desks, run: Shell
) -> None:
    said = run(desks.district, "calendar", "publish")

    assert said.out.splitlines() == [
        "2025 年  第 1 版  已发布",
        "2026 年  第 1 版  已发布",
    ]
    for node in all_of(desks):
        shown = run(node, "calendar", "show").out
        assert "春节 02-14 周六、02-28 周六" in shown
        assert "公布到 2026 年底" in shown
        assert max(map(cells, shown.splitlines())) <= 80


def test_show_gives_scripts_one_object(desks: Desks, run: Shell) -> None:
    run(desks.district, "calendar", "publish")

    said = json.loads(run(desks.district, "calendar", "show", "--json").out)
    none = json.loads(run(desks.town, "calendar", "show", "--json").out)

    years = {one["year"]: one for one in said["years"]}
    assert list(years) == [2025, 2026]
    assert {"on": "2026-02-14", "name": "春节"} in years[2026]["work"]
    assert (len(years[2026]["rest"]), len(years[2026]["work"])) == (19, 6)
    assert said["provisional_from"] == "2027-01-01"
    items = len(desks.town.store.registry.current_packages())
    assert 0 < said["items_beyond"] < none["items_beyond"] == items
    assert (none["years"], none["provisional_from"]) == ([], "2026-11-21")


def test_publishing_again_says_that_nothing_was_changed(
    desks: Desks, run: Shell
) -> None:
    run(desks.district, "calendar", "publish")

    again = run(desks.district, "calendar", "publish")
    same = run(desks.district, "calendar", "publish", "--year", "2026", "--json")

    assert again.out.count("早已发布，没有改动") == 2
    assert json.loads(same.out) == {
        "published": [{"year": 2026, "version": 1, "new": False}]
    }


def test_a_year_that_was_written_by_hand_is_replaced_only_when_asked_for(
    desks: Desks, run: Shell, tmp_path: Path
) -> None:
    file = notice(tmp_path, NOTICE_2026 + "2026-12-31,休,本区纪念日\n")
    from_file = ("calendar", "publish", "--file", file, "--source", "区办通知")
    first = run(desks.district, *from_file)

    later = run(desks.district, "calendar", "publish")
    by_hand = run(desks.district, "calendar", "show", "--year", "2026").out
    asked = run(desks.district, "calendar", "publish", "--year", "2026")

    assert first.out == "2026 年  第 1 版  已发布\n"
    assert "2026 年  第 1 版  早已发布，没有改动" in later.out
    assert "本区纪念日 12-31 周四" in by_hand and "来源 区办通知" in by_hand
    assert asked.out == "2026 年  第 2 版  已发布\n"


def test_a_wrong_file_is_refused_line_by_line_and_changes_nothing(
    desks: Desks, run: Shell, tmp_path: Path
) -> None:
    wrong = NOTICE_2026 + "2026-02-30,休,春节\n2026-04-07,\x1b[2J假,x\n"

    said = run(desks.district, "calendar", "publish", "--file", notice(tmp_path, wrong))

    assert said.code == 1
    assert "没有发布：放假表有 2 处要改" in said.err
    assert "第 28 行（2026-02-30,休,春节）日期写得不对" in said.err
    assert "第 29 行" in said.err and "\x1b" not in said.err
    assert "已发布的照旧" in said.err
    assert desks.district.calendar == Calendar()


WRONG = {
    "no such file": (("--file", "nowhere.csv"), 1, "nowhere.csv 读不到"),
    "a folder": (("--file", "."), 1, "读不到"),
    "a year that is not known": (("--year", "2031"), 1, "没有 2031 年的放假安排"),
    "no year": (("--year", "26"), 2, "--year 的值不对"),
    "no source": (("--source", ""), 2, "--source 要有 1 到 60 个字"),
}


@pytest.mark.parametrize(("options", "code", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_published_is_said(
    desks: Desks, run: Shell, options: tuple[str, ...], code: int, words: str
) -> None:
    said = run(desks.district, "calendar", "publish", *options)

    assert said.code == code
    assert words in said.err and "没有" in said.err
    assert desks.district.calendar == Calendar()


def test_a_town_is_told_who_publishes(desks: Desks, run: Shell) -> None:
    said = run(desks.town, "calendar", "publish")

    assert said.code == 5
    assert "本站点无权向全区发布。没有改动" in said.err


def test_without_the_package_a_person_is_told_what_to_do(
    desks: Desks, run: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "chinese_calendar", None)

    said = run(desks.district, "calendar", "publish")

    assert said.code == 1
    assert "没有装节假日数据。没有发布" in said.err


def status(run: Shell, node: Node) -> tuple[Said, dict[str, object]]:
    said = run(node, "status")
    found: dict[str, object] = json.loads(run(node, "status", "--json").out)["calendar"]
    return said, found


def test_status_says_how_far_the_calendar_reaches_and_who_does_something(
    desks: Desks, run: Shell
) -> None:
    bare, nothing = status(run, desks.village)
    run(desks.district, "calendar", "publish")
    above, _ = status(run, desks.district)
    all_of(desks)
    below, known = status(run, desks.village)

    assert nothing["years"] == [] and nothing["missing_year"] == 2026
    assert "2026 年的工作日历还没有公布。请区里发布" in bare.out
    assert known["years"] == [2025, 2026] and known["missing_year"] == 2027
    assert known["provisional_from"] == "2027-01-01"
    assert "2027 年的工作日历还没有公布。请区里发布" in below.out
    assert "运行 lianban calendar publish" in above.out
    assert all(
        cells(line) <= 80 for line in below.out.splitlines() if "日历" in line
    ), below.out
