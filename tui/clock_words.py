"""The days of a case in Chinese: what is due, what is left, what has passed. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date

from forms.item import Tier
from node.clocks import (
    ACCEPT,
    DELIVER,
    LEGAL,
    PROMISE,
    STEP,
    Clocks,
    as_of,
    is_odd_on,
    workdays_left,
)
from node.days import FIRST_DAY
from node.lapses import Holder, Lapse
from node.store.cases import CaseRow
from node.workdays import Calendar, Due
from sync.identity import own_prefix
from tui.text import harmless

KEYS = {
    ACCEPT: "收件答复",
    PROMISE: "承诺时限",
    LEGAL: "法定时限",
    DELIVER: "送达",
}
"""Which limit it is; a step of the item is called by its own name."""

CHECK_CLOCKS = "请核对各站点的时钟，由镇里或区里用“更正日期”改对"


def key_words(key: str) -> str:
    """Return what a limit is called."""
    if key.startswith(STEP):
        return f"环节“{harmless(key.removeprefix(STEP))}”"
    return KEYS.get(key, harmless(key))


def left(workdays: int) -> str:
    """Return `剩3天`, `今天到期` or `超1天`: working days."""
    if workdays == 0:
        return "今天到期"
    return f"剩{workdays}天" if workdays > 0 else f"超{-workdays}天"


def row_left(row: CaseRow, today: date, calendar: Calendar) -> str:
    """Return what is left for a case in a list; "" where no day is waited for."""
    if not row.due_on:
        return ""
    return left(row_workdays(row, today, calendar))


def row_workdays(row: CaseRow, today: date, calendar: Calendar) -> int:
    """Return how many working days are left; below 0: it is late by so many."""
    due_on = date.fromisoformat(row.due_on)
    count = calendar.workdays_between(today, due_on).workdays
    # A rest day behind the last day is late, too.
    return min(count, -1) if today > due_on else count


def clock_lines(found: Clocks, today: date, calendar: Calendar) -> Iterator[str]:
    """Say all clocks of a case, one sentence each."""
    its = as_of(found, today)
    if its.received_on:
        words = f"收件 {day(its.received_on, today)}"
        if its.first_workday and its.first_workday != its.received_on:
            words += f"（休息日，从 {day(its.first_workday, today)} 起算）"
        yield words
    if its.told_by and its.answered_on is None and not its.ended_on:
        yield f"应在 {_due(its.told_by, today)}前受理或一次告知补正"
    if its.is_deemed and its.accepted_on:
        yield f"过了五个工作日没有告知，视为 {day(its.accepted_on, today)} 受理"
    elif its.accepted_on:
        yield f"受理 {day(its.accepted_on, today)}"
    if its.limits:
        open_words = ""
        if not (its.decided_on or its.ended_on):
            days = calendar.workdays_between(today, its.limits.promise_due.on).workdays
            if today > its.limits.promise_due.on:
                days = min(days, -1)
            open_words = f"，{_workdays_words(days)}"
        yield f"承诺 {_due(its.limits.promise_due, today)}前办结{open_words}"
        yield f"法定 {_due(its.limits.legal_due, today)}前办结"
    if its.paused_since:
        yield f"时限从 {day(its.paused_since, today)} 起停算"
    if its.decided_on:
        yield f"决定 {day(its.decided_on, today)}"
    if its.deliver_by and its.delivered_on is None:
        yield f"应在 {_due(its.deliver_by, today)}前送达"
    if its.late_returns:
        yield "有补正告知晚于五个工作日，不停算时限"
    if its.received_on and is_odd_on(its, today):
        yield f"收件日期 {day(its.received_on, today)} 不可信：{CHECK_CLOCKS}"
    elif its.doubtful:
        yield f"有 {len(its.doubtful)} 步的日期可疑：{CHECK_CLOCKS}"
    remaining = workdays_left(its, today, calendar)
    if remaining is not None and its.next_day:
        yield f"最近的一天：{key_words(its.next_day.kind)}，{left(remaining)}"


def heard_late(found: Clocks, heard_on: date | None, today: date) -> str:
    """Return that an answer given in time was heard of only when this place had shown
    the case as accepted by law; "" where that was not so.
    """
    told_by, answered_on = found.told_by, found.answered_on
    if heard_on is None or told_by is None or answered_on is None:
        return ""
    if answered_on > told_by.on or heard_on <= told_by.on:
        return ""
    return (
        f"{day(answered_on, today)} 的答复 {day(heard_on, today)} 才传到这里；"
        "在那以前，这里显示的是视为受理和超期，现在以答复为准"
    )


def summary(found: Clocks, today: date, calendar: Calendar) -> str:
    """Return the one sentence about a case's days that matters now; "" for none."""
    its = as_of(found, today)
    doubt = "日期可疑，先核对时钟；" if is_odd_on(its, today) or its.doubtful else ""
    if its.next_day is None:
        paused = its.paused_since
        return f"{doubt}时限从 {day(paused, today)} 起停算" if paused else ""
    workdays = workdays_left(its, today, calendar)
    assert workdays is not None
    due, kind = its.next_day.due, key_words(its.next_day.kind)
    words = f"{doubt}{kind} {_due(due, today)}前，{_workdays_words(workdays)}"
    if its.next_day.kind != PROMISE and its.promise_due and not its.decided_on:
        words += f"；承诺 {_due(its.promise_due, today)}前办结"
    return words


def lapse_words(
    one: Lapse,
    row: CaseRow,
    names: Mapping[str, str],
    today: date,
    known_on: date | None = None,
) -> tuple[str, ...]:
    """Return a lapse as cells: which, due, whether it is done, who held it, answers.

    `names` are those of divisions. `known_on`: what has been done after that day has
    not been heard of here; the first of all days: nothing has.
    """
    ended = f"{day(one.ended_on, today)} 才办" if one.ended_on else "还没有办"
    if known_on is not None:
        until = f"的消息只到 {day(known_on, today)}"
        if known_on == FIRST_DAY:
            until = "还没有来过消息"
        ended = f"没有听到办了（那里{until}）"
    answers = "；".join(harmless(o.event.note) for o in one.answered)
    return (
        key_words(one.key),
        f"应在 {day(one.due_on, today)} 前",
        f"{ended}（日期可疑，先核对时钟）" if one.is_doubtful else ended,
        holder_words(one.holder, row, names),
        f"说明：{answers}" if answers else "没有说明",
    )


def holder_words(holder: Holder, row: CaseRow, names: Mapping[str, str]) -> str:
    """Return who held a case: the place, and the department at the district."""
    place = names.get(division := held_at(holder, row), division)
    return " ".join(filter(None, (place, harmless(holder.department))))


def held_at(holder: Holder, row: CaseRow) -> str:
    """Return the division of whoever held a case; an agent is where it came in."""
    place = row.taken_in_at if holder.tier is Tier.VILLAGE else row.division
    return own_prefix(holder.tier, place).ljust(len(place), "0")


def day(on: date, today: date) -> str:
    """Return `11-21`; with the year where it is another than today's."""
    return f"{on:%m-%d}" if on.year == today.year else on.isoformat()


def _due(due: Due, today: date) -> str:
    return day(due.on, today) + ("（暂定）" if due.is_provisional else " ")


def _workdays_words(workdays: int) -> str:
    if workdays == 0:
        return "今天是最后一天"
    if workdays > 0:
        return f"剩 {workdays} 个工作日"
    return f"已超 {-workdays} 个工作日"
