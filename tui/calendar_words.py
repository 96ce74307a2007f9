"""The working calendar in Chinese: what is published, what is provisional. Pure."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from node.calendars import Reach
from node.workdays import Day, YearTable
from tui.text import harmless

WEEKDAYS = "一二三四五六日"
BASIS = "按周一至周五减固定假日推算"
"""How a year without a table is reckoned, see `node.workdays.FIXED_REST`."""


def year_line(table: YearTable) -> str:
    """Return how many days of a year are not as their weekday would have it."""
    return (
        f"周一至周五放假 {len(table.rest)} 天，"
        f"周末调休上班 {len(table.work)} 天，来源 {harmless(table.source)}"
    )


def by_holiday(days: Sequence[Day]) -> list[str]:
    """Return `春节 02-14 周六、02-28 周六` for the days of each holiday, in order."""
    return [
        f"{harmless(name) or '—'} " + "、".join(_day(day.on) for day in group)
        for name, group in groupby(days, key=lambda day: day.name)
    ]


def horizon(reach: Reach) -> str:
    """Return up to when the calendar is known."""
    if reach.provisional_from == reach.today:
        return f"今天所在的 {reach.today.year} 年没有公布；期限{BASIS}，暂定"
    last = reach.provisional_from.year - 1
    return f"公布到 {last} 年底；以后的期限{BASIS}，暂定"


def missing(reach: Reach, *, is_district: bool) -> str:
    """Return which year should be published by now, and who does it; empty if none."""
    if not reach.missing_year:
        return ""
    todo = (
        "请看国务院通知，运行 lianban calendar publish（有放假表的加 --file）"
        if is_district
        else "请区里发布；同步后本站点就有"
    )
    return f"{reach.missing_year} 年的工作日历还没有公布。{todo}。"


def beyond(items: int) -> str:
    """Return how many items lead beyond what is published; empty for none."""
    if not items:
        return ""
    return (
        f"今天受理，有 {items} 个事项的承诺期限已超出公布的日历：暂定，公布后会重算。"
    )


def _day(on: date) -> str:
    return f"{on:%m-%d} 周{WEEKDAYS[on.weekday()]}"
