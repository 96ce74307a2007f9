"""`lianban case lapses`, and the days of cases for the other commands."""

from datetime import date
from typing import Any

import click

from node import cases, history, inquiry
from node.cases import Case
from node.clocks import RED, Clocks, as_of
from node.days import civil_day
from node.lapses import Lapse
from node.places import place_names
from node.reckoning import ANSWERS
from node.store.cases import CaseRow, Filter
from node.wiring import Node
from node.workdays import Due
from tui import clock_words, labels
from tui.commands.context import Context, json_option, line, show, tell

LISTED = 10_000


@click.command(
    "lapses",
    short_help="列出超期的件：哪一项、谁手里、晚了多少、有没有说明。",
    help="列出超期的件：哪一项时限、当时在谁手里、晚了多少、有没有说明。超期由各步的"
    "日期算出，删不掉；要说明原因，用 lianban case explain 件 --fact lapse=哪一项。",
)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, LISTED))
@json_option
@click.pass_obj
def lapses(context: Context, limit: int, as_json: bool) -> None:
    """List the limits that have passed, of the cases that changed last first."""
    found: list[dict[str, Any]] = []
    with context.node() as node:
        today, names = node.today(), place_names(node)
        wanted = Filter(has_lapsed=True, today=today.isoformat())
        total = node.store.cases.count(wanted)
        for row in node.store.cases.page(wanted, None, limit):
            for one in cases.lapses_of(node, cases.open_case(node, row.id), today):
                found.append(
                    {"id": row.id, "number": row.number, "item": row.item_name}
                    | lapse_object(node, row, one, today)
                )
                if not as_json:
                    short = labels.short_number(row.number)
                    known_on = inquiry.news_until(node, row, one)
                    words = clock_words.lapse_words(one, row, names, today, known_on)
                    line(short, row.item_name, *words)
    if as_json:
        show({"cases": total, "lapses": found})
    elif not found:
        tell("没有超期的件。")
    elif total > limit:
        tell(f"共 {total} 件有超期，只列了 {limit} 件；--limit 可以多列。")


def lapse_object(node: Node, row: CaseRow, one: Lapse, today: date) -> dict[str, Any]:
    """Return a lapse as `--json` prints it."""
    counted = node.calendar.workdays_between(one.due_on, one.ended_on or today)
    return {
        "key": one.key,
        "due_on": one.due_on.isoformat(),
        "ended_on": one.ended_on.isoformat() if one.ended_on else None,
        "late_workdays": max(1, counted.workdays),
        "tier": str(one.holder.tier),
        "division": clock_words.held_at(one.holder, row),
        "department": one.holder.department,
        "node": one.holder.author,
        "doubtful": one.is_doubtful,
        "answers": [
            {"event": o.id, "by": o.event.by, "note": o.event.note}
            for o in one.answered
        ],
    }


def clocks_object(node: Node, case: Case) -> dict[str, Any]:
    """Return the clocks and lapses of a case as `case show --json` prints them."""
    today = node.today()
    found = as_of(cases.clocks_of(node, case), today)
    return {
        "clocks": _clocks(found),
        "lapses": [
            lapse_object(node, case.row, one, today)
            for one in cases.lapses_of(node, case, today)
        ],
    }


def clock_rows(node: Node, case: Case) -> list[tuple[str, ...]]:
    """Return the clocks and lapses of a case as lines of cells."""
    today, names = node.today(), place_names(node)
    found = cases.clocks_of(node, case)
    lapsed = cases.lapses_of(node, case, today)
    heard = [inquiry.news_until(node, case.row, one) for one in lapsed]
    late = clock_words.heard_late(found, answer_heard_on(node, case), today)
    return [
        *(
            ("时限", one)
            for one in clock_words.clock_lines(found, today, node.calendar)
        ),
        *([("时限", late)] if late else []),
        *(
            ("超期", *clock_words.lapse_words(one, case.row, names, today, known_on))
            for one, known_on in zip(lapsed, heard, strict=True)
        ),
    ]


def answer_heard_on(node: Node, case: Case) -> date | None:
    """Return the day on which this node heard that the papers had been answered."""
    heard_ms = history.heard_ms(node, case)
    days = [
        civil_day(heard_ms[one.id])
        for one in case.story.happened
        if one.event.step in ANSWERS and not one.why_not and one.id in heard_ms
    ]
    return min(days, default=None)


def row_object(node: Node, row: CaseRow) -> dict[str, Any]:
    """Return the days of a row as `case list --json` prints them."""
    today = node.today()
    return {
        "received_on": row.received_on or None,
        "due_on": row.due_on or None,
        "warn_on": row.warn_on or None,
        "red_on": row.red_on or None,
        "light": cases.light_of(row, today),
        "days_left": (
            clock_words.row_workdays(row, today, node.calendar) if row.due_on else None
        ),
        "urgent": row.is_urgent,
        "lapsed": row.has_lapsed or cases.light_of(row, today) == RED,
    }


def _clocks(found: Clocks) -> dict[str, Any]:
    return {
        "received_on": _day(found.received_on),
        "told_by": _due(found.told_by),
        "answered_on": _day(found.answered_on),
        "accepted_on": _day(found.accepted_on),
        "deemed_accepted": found.is_deemed,
        "promise_due": _due(found.promise_due),
        "legal_due": _due(found.legal_due),
        "steps": [
            {
                "name": one.name,
                "tier": str(one.tier),
                "department": one.department,
                "due": _due(one.due),
                "done_on": _day(one.done_on),
                "measured": one.is_measured,
            }
            for one in found.step_dues
        ],
        "paused_since": _day(found.paused_since),
        "decided_on": _day(found.decided_on),
        "deliver_by": _due(found.deliver_by),
        "delivered_on": _day(found.delivered_on),
        "next": (
            {
                "kind": found.next_day.kind,
                "due": _due(found.next_day.due),
                "warn_on": _day(found.warn_on),
                "red_on": _day(found.red_on),
            }
            if found.next_day
            else None
        ),
        "late_returns": list(found.late_returns),
        "doubtful": list(found.doubtful),
    }


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None


def _due(due: Due | None) -> dict[str, Any] | None:
    if due is None:
        return None
    return {"on": due.on.isoformat(), "provisional": due.is_provisional}
