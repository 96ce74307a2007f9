"""Reports as a person asks for them: on the command line and on the screen."""

import csv
import io
import json
from pathlib import Path
from threading import Event

import openpyxl
import pytest

from node import casework, drafting
from node.lifecycle import Step
from node.statistics import Report
from node.wiring import Node
from tests.node.nodes import BIRTH_ANSWERS
from tests.tui.desks import BIRTH, Desks, note, read_out, screen_text, submit
from tests.tui.shell import Shell
from tui import labels, report_words
from tui.app import LianbanApp
from tui.screens.report import Asked, ReportPage
from tui.text import cells


class SlowReport(ReportPage):
    """Counts when it may; `counted` says by what."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.may_count = Event()
        self.counted: list[str] = []

    def read(self, node: Node, asked: Asked) -> Report:
        self.counted.append(asked[0])
        assert self.may_count.wait(timeout=30)
        return super().read(node, asked)


def busy(desks: Desks) -> str:
    """Take in three cases, of which one is decided the same day and one withdrawn."""
    operator = desks.village.operator
    desks.village.operator = '=HYPERLINK("x")'
    draft = drafting.begin_draft(desks.village, BIRTH, BIRTH_ANSWERS)
    born = drafting.submit_draft(desks.village, draft, {"trips": "1"})
    submit(desks.village, "王芳")
    lost = submit(desks.village, "张伟")
    casework.take_step(desks.village, lost.id, Step.WITHDRAW, note="不办了")
    desks.village.operator = operator
    desks.up()
    casework.take_step(desks.town, born.id, Step.ACCEPT)
    casework.take_step(desks.town, born.id, Step.GRANT)
    desks.up()
    return born.row.number


def test_the_same_cut_gives_the_same_figures_at_every_tier(
    desks: Desks, lianban: Shell
) -> None:
    busy(desks)
    asked = ("report", "cases", "--by", "agent", "--place", "耀里村", "--json")

    told = [
        json.loads(lianban(node, *asked).out)
        for node in (desks.village, desks.town, desks.district)
    ]

    assert told[0] == told[1] == told[2]
    total = told[0]["total"]
    assert (total["received"], total["same_day"], total["decided"]) == (3, 1, 1)
    assert (total["withdrawn"], total["points"], total["trips"]) == (1, 1, 1)


def test_another_step_makes_another_sync_point(desks: Desks, lianban: Shell) -> None:
    busy(desks)
    asked = ("report", "cases", "--place", "耀里村", "--json")
    submit(desks.village, "李秀英")

    here, above = (
        json.loads(lianban(node, *asked).out) for node in (desks.village, desks.town)
    )

    assert here["sync_point"] != above["sync_point"]


def test_the_cases_behind_a_figure_are_listed(desks: Desks, lianban: Shell) -> None:
    number = busy(desks)

    listed = lianban(desks.district, "report", "cases", "--list", "same_day")
    of_item = lianban(
        desks.district, "report", "cases", "--list", "received", "--of", "332023002000"
    )

    assert listed.out.split() == of_item.out.split() == [number]
    assert "当日办结：1 件" in listed.err


def test_no_cell_of_an_export_is_a_formula_and_the_export_is_written_down(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    busy(desks)
    month = desks.town.today().isoformat()[:7]
    where = ("--csv", str(tmp_path / "a.csv"), "--xlsx", str(tmp_path / "a.xlsx"))

    said = lianban(desks.town, "report", "agents", "--month", month, *where)
    audited = lianban(desks.town, "audit", "list").out

    assert said.code == 0 and said.err.count("已写好") == 2
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert table[1][0].startswith("'=HYPERLINK")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert sheet["A2"].data_type == "s" and sheet["A2"].value.startswith("=HYPERLINK")
    assert sheet["C2"].value == 3
    assert audited.count("导出报表") == 2


@pytest.mark.parametrize("begin", ["=", "＝", " +", "－", "@"])
def test_what_an_operator_is_called_spoils_no_export(
    desks: Desks, lianban: Shell, tmp_path: Path, begin: str
) -> None:
    desks.village.operator = begin + "1\x01\x1b[31m\n王\u202e\uffff"
    submit(desks.village, "王芳")
    desks.up()
    where = ("--csv", str(tmp_path / "a.csv"), "--xlsx", str(tmp_path / "a.xlsx"))

    said = lianban(desks.town, "report", "cases", "--by", "agent", *where)

    assert said.code == 0
    text = (tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    table = list(csv.reader(io.StringIO(text)))
    assert table[1][0].startswith("'" + begin)
    assert table[1][0].replace("␊", "").isprintable()
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert sheet["A2"].data_type == "s" and sheet["A2"].value == table[1][0][1:]


def test_the_last_month_that_a_calendar_has_can_be_asked_for(
    desks: Desks, lianban: Shell
) -> None:
    busy(desks)

    said = lianban(desks.town, "report", "agents", "--month", "9999-12", "--json")

    assert said.code == 0 and json.loads(said.out)["to"] == "9999-12-31"


def test_an_unknown_place_and_a_month_that_is_none_are_told(
    desks: Desks, lianban: Shell
) -> None:
    nowhere = lianban(desks.town, "report", "cases", "--place", "桃花源")
    no_month = lianban(desks.town, "report", "agents", "--month", "2026-13")

    assert nowhere.code == 1 and "没有叫“桃花源”的地方" in nowhere.err
    assert no_month.code == 2 and "2026-11" in no_month.err


def test_a_group_is_told_by_what_is_not_nothing_and_by_every_share_of_something() -> (
    None
):
    counts = dict.fromkeys(report_words.COUNTS, 0)

    said = report_words.figures(counts | {"decided": 3, "overdue": 2})

    assert said[0] == "收件 0"
    assert "办结 3" in said and "超期 2" in said
    assert "当日办结率 0 %（0/3）" in said
    assert not any(one.startswith(("撤回", "平均评价")) for one in said)


@pytest.mark.anyio
async def test_the_screen_counts_by_what_is_chosen_and_saves(
    desks: Desks, tmp_path: Path
) -> None:
    busy(desks)
    app = LianbanApp(desks.town)

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        await read_out(pilot)
        by_item = screen_text(app)
        await pilot.press("left", "left")
        await read_out(pilot)
        by_agent = screen_text(app)
        await pilot.press("minus")
        await read_out(pilot)
        earlier = screen_text(app)
        await pilot.press("plus")
        await read_out(pilot)
        await pilot.press("c")
        await pilot.pause()
        await pilot.press("ctrl+u", *str(tmp_path), "enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        saved = screen_text(app)

    assert "生育登记" in by_item and "当日办结率 100 %（1/1）" in by_agent
    assert "=HYPERLINK" in by_agent and "合计" in by_agent
    assert "—（0/0）" not in by_agent
    assert "这个月没有收件" in earlier
    assert "✓ 已存到" in saved
    assert list(tmp_path.glob("统计-收件人-*.csv"))
    assert max(map(cells, by_item.splitlines())) <= 80


@pytest.mark.anyio
async def test_the_screen_says_that_it_counts_and_never_shows_what_was_not_asked(
    desks: Desks,
) -> None:
    busy(desks)
    app, page = LianbanApp(desks.town), SlowReport(desks.town)

    async with app.run_test(size=(80, 24)) as pilot:
        await app.push_screen(page)
        await pilot.pause()
        counting = screen_text(app)
        await pilot.press("c", "right", "right", "right")
        await pilot.pause()
        saving = note(app)
        page.may_count.set()
        await read_out(pilot)
        counted = screen_text(app)

    assert "正在统计…" in counting and "生育登记" not in counting
    assert "还在统计，数出来以后再存" in saving
    assert "[4收件点]" in counted and "耀里村" in counted and "生育登记" not in counted
    # One thread at a time; what was asked in between was never counted.
    assert page.counted == ["item", "village"]


@pytest.mark.anyio
async def test_behind_a_figure_on_the_screen_stand_its_cases(desks: Desks) -> None:
    number = busy(desks)
    app = LianbanApp(desks.town)

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t")
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        asked = screen_text(app)
        await pilot.press(*"当日办结", "enter")
        await pilot.pause()
        listed = screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        opened = screen_text(app)
        await pilot.press("escape", "escape")
        await pilot.pause()
        back = screen_text(app)

    assert "看哪个数字背后的件" in asked and "100 %（1/1）" in asked
    assert "撤回" not in asked  # of this item nothing was withdrawn
    assert labels.short_number(number) in listed and "共 1 件" in listed
    assert "王小丫" not in listed
    assert "王小丫" in opened
    assert "当日办结率" in back
