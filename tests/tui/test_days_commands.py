"""The days of cases on the command line: `case list`, `case show`, `case lapses`."""

import json
from pathlib import Path

import pytest

from node import casework
from node.lifecycle import Step
from tests.tui.desks import Desks, submit
from tests.tui.shell import Shell

DAY_MS = 24 * 3600 * 1000
SATURDAY_MS = 1_795_233_600_000  # 2026-11-21 12:00 in China


class Clock:
    """The device's clock, which a test sets on."""

    at_ms = SATURDAY_MS

    def __call__(self) -> int:
        self.at_ms += 1
        return self.at_ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("node.wiring.system_ms", made)
    return made


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, clock: Clock) -> Shell:
    return Shell(capsys, tmp_path)


def test_a_case_taken_in_on_a_saturday_says_from_which_day_it_counts(
    desks: Desks, run: Shell, clock: Clock
) -> None:
    run(desks.district, "calendar", "publish")
    desks.up()
    desks.village.now_ms = clock
    made = submit(desks.village)

    said = run(desks.village, "case", "show", made.id).out

    assert "收件 11-21（休息日，从 11-23 起算）" in said
    assert "应在 11-27 前受理或一次告知补正" in said
    assert "法定" not in said  # no limit of a decision runs yet


def test_a_promise_beyond_the_published_calendar_is_called_provisional(
    desks: Desks, run: Shell, clock: Clock
) -> None:
    run(desks.district, "calendar", "publish")
    desks.up()
    desks.village.now_ms = desks.town.now_ms = clock
    made = submit(desks.village)
    desks.sync(desks.village)
    casework.take_step(desks.town, made.id, Step.ACCEPT)

    said = run(desks.town, "case", "show", made.id).out
    shown = json.loads(run(desks.town, "case", "show", made.id, "--json").out)

    assert "承诺 2027-01-04（暂定）前办结，剩 30 个工作日" in said
    assert shown["clocks"]["accepted_on"] == "2026-11-21"
    assert shown["clocks"]["promise_due"] == {"on": "2027-01-04", "provisional": True}
    assert shown["lapses"] == []


def test_what_is_late_is_listed_and_can_be_answered_for_but_not_removed(
    desks: Desks, run: Shell, clock: Clock
) -> None:
    run(desks.district, "calendar", "publish")
    desks.up()
    desks.village.now_ms = desks.town.now_ms = clock
    made = submit(desks.village)
    desks.sync(desks.village)
    amber = json.loads(run(desks.town, "case", "list", "--amber", "--json").out)
    clock.at_ms += 9 * DAY_MS  # Monday, November 30th

    red = json.loads(run(desks.town, "case", "list", "--red", "--json").out)
    before = json.loads(run(desks.town, "case", "lapses", "--json").out)
    casework.take_step(
        desks.town,
        made.id,
        Step.EXPLAIN,
        note="停电三天",
        facts={"lapse": "accept"},
    )
    casework.take_step(desks.town, made.id, Step.ACCEPT)
    after = json.loads(run(desks.town, "case", "lapses", "--json").out)
    words = run(desks.town, "case", "lapses").out

    assert amber["cases"] == []
    assert [(one["light"], one["days_left"]) for one in red["cases"]] == [("red", -1)]
    (lapse,) = before["lapses"]
    assert (lapse["key"], lapse["due_on"], lapse["ended_on"]) == (
        "accept",
        "2026-11-27",
        None,
    )
    assert (lapse["tier"], lapse["late_workdays"]) == ("town", 1)
    (answered,) = after["lapses"]
    assert answered["ended_on"] == "2026-11-30"
    assert [one["note"] for one in answered["answers"]] == ["停电三天"]
    assert "收件答复" in words and "11-30 才办" in words and "停电三天" in words


def test_hurried_cases_are_listed_by_themselves(
    desks: Desks, run: Shell, clock: Clock
) -> None:
    desks.village.now_ms = desks.town.now_ms = clock
    submit(desks.village, "王芳")
    urgent = submit(desks.village, "张伟")
    desks.sync(desks.village)
    facts = {"approver": "王镇长"}
    casework.take_step(desks.town, urgent.id, Step.HURRY, note="临近", facts=facts)

    said = run(desks.town, "case", "list", "--urgent")

    assert "张伟" in said.out and "加急" in said.out and "王芳" not in said.out


def test_who_asks_before_acceptance_is_told_by_when_he_is_answered(
    desks: Desks, run: Shell, clock: Clock
) -> None:
    run(desks.district, "calendar", "publish")
    desks.up()
    desks.village.now_ms = clock
    made = submit(desks.village)

    said = run(desks.village, "case", "progress", made.row.number).out
    data = run(desks.village, "case", "progress", made.row.number, "--json").out
    clock.at_ms += 9 * DAY_MS  # Monday, November 30th
    later = run(desks.village, "case", "progress", made.row.number).out

    (found,) = json.loads(data)["cases"]
    assert (found["next"], found["next_on"]) == ("accept", "2026-11-27")
    assert "最迟 2026-11-27 答复：受理、不予受理，或一次告知要补的" in said
    assert "受理后 30 个工作日内办结" in said
    assert "待受理（过了五个工作日没有告知，视为已受理）" in later
    assert "最迟办结 2027-01-04（暂定）" in later


def test_who_asks_during_a_special_procedure_is_told_how_long_it_is_to_take(
    desks: Desks, run: Shell, clock: Clock
) -> None:
    desks.village.now_ms = desks.town.now_ms = clock
    made = submit(desks.village)
    desks.sync(desks.village)
    casework.take_step(desks.town, made.id, Step.ACCEPT)
    facts = {"kind": "appraisal", "days": "20"}
    casework.take_step(desks.town, made.id, Step.PAUSE, note="需鉴定", facts=facts)
    desks.sync(desks.village)

    said = run(desks.village, "case", "progress", made.row.number).out

    assert "正在鉴定，预计到 2026-12-11，不计时，结束后再算" in said


def test_a_case_of_an_impossible_time_is_shown_printed_and_verified_all_the_same(
    desks: Desks, run: Shell, clock: Clock
) -> None:
    right_ms, clock.at_ms = clock.at_ms, 2**52 - 100_000  # the year 144683
    desks.village.now_ms = desks.town.now_ms = clock
    made = submit(desks.village)
    clock.at_ms = right_ms
    desks.sync(desks.village)

    said = [
        run(desks.town, "case", *words)
        for words in (
            ("show", made.id),
            ("show", made.id, "--json"),
            ("list",),
            ("lapses",),
            ("paper", made.id),
            ("progress", made.row.number),
        )
    ]
    code = json.loads(run(desks.town, "case", "paper", made.id, "--json").out)["code"]
    verdict = run(desks.town, "receipt", "verify", code)

    assert [one.code for one in said] == [0] * len(said)
    assert "收件日期 2100-12-31 不可信" in said[0].out
    assert "2100-12-31" in said[4].out  # brought within bounds
    assert verdict.code == 0 and "✓ 核验通过" in verdict.out
