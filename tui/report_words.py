"""Reports in words: what each figure is called, and a report as a table. Pure."""

from collections.abc import Sequence

from node.statistics import MEASURES, Measure, Report, Row, value
from tui.text import harmless

GROUPS: dict[str, str] = {
    "item": "事项",
    "department": "部门",
    "town": "镇街",
    "village": "收件点",
    "agent": "收件人",
    "month": "月份",
}
"""By what cases are grouped, see `node.store.ledger.GROUPS`."""

COUNTS: dict[str, str] = {
    "received": "收件",
    "accepted": "受理",
    "decided": "办结",
    "granted": "准予",
    "refused": "不予",
    "declined": "不予受理",
    "withdrawn": "撤回",
    "terminated": "终止",
    "delivered": "送达",
    "same_day": "当日办结",
    "on_time": "按时办结",
    "overdue": "超期",
    "urgent": "加急",
    "legal_workdays": "法定工作日",
    "promise_workdays": "承诺工作日",
    "trips_known": "记有跑动的",
    "trips_promised": "承诺跑动",
    "trips": "实际跑动",
    "zero_site": "勘查带回",
    "zero_post": "预审快递",
    "zero_both": "双向快递",
    "points": "积分",
    "rated": "评价",
    "rating": "评价分",
}
"""What each count is called, see `node.store.ledger.COUNTS`."""

_RATIOS: dict[str, str] = {
    "same_day": "当日办结率",
    "on_time": "按时率",
    "promise_workdays": "承诺/法定",
    "trips_promised": "件均承诺跑动",
    "trips": "件均实际跑动",
    "zero_site": "零跑动·勘查带回",
    "zero_post": "零跑动·预审快递",
    "zero_both": "零跑动·双向快递",
    "rating": "平均评价",
}
LISTED = (
    *("received", "accepted", "decided", "granted", "refused", "declined"),
    *("withdrawn", "terminated", "delivered", "same_day", "on_time", "overdue"),
    *("urgent", "trips_known", "zero_site", "zero_post", "zero_both", "rated"),
)
"""Counts of which each case adds 1 or nothing: behind them stand cases."""

_PERCENT = frozenset(
    {
        "same_day",
        "on_time",
        "promise_workdays",
        "zero_site",
        "zero_post",
        "zero_both",
    }
)
TOTAL = "合计"
NONE = "—"

Cell = str | int | float


def title(measure: Measure) -> str:
    """Return what a measure is called."""
    return _RATIOS[measure.count] if measure.of else COUNTS[measure.count]


def figure(measure: Measure, counts: dict[str, int]) -> str:
    """Return a figure as people read it: `12`, `75 %`, `1.25`; `—` for none."""
    found = value(measure, counts)
    if found is None:
        return NONE
    if not measure.of:
        return str(found)
    return f"{100 * found:.0f} %" if measure.count in _PERCENT else f"{found:.2f}"


def said(counts: dict[str, int]) -> dict[str, str]:
    """Return what each count of `LISTED` comes to: `3`, or `75 %（3/4）` for what has
    a share.
    """
    shares = {one.count: one for one in MEASURES if one.of}
    return {
        count: fraction(shares[count], counts)
        if count in shares
        else str(counts[count])
        for count in LISTED
    }


def fraction(measure: Measure, counts: dict[str, int]) -> str:
    """Return a share with what it is made of: `75 %（3/4）`."""
    if not measure.of:
        return figure(measure, counts)
    parts = f"（{counts[measure.count]}/{counts[measure.of]}）"
    return figure(measure, counts) + parts


def figures(counts: dict[str, int]) -> list[str]:
    """Return what there is to say of a group: how many came in, what else is not 0,
    and every share that is a share of something, 0 % too.
    """
    return [
        f"{title(one)} {fraction(one, counts)}"
        for one in MEASURES
        if one.count == "received" or counts[one.of or one.count]
    ]


def table(report: Report) -> list[list[Cell]]:
    """Return a report for a spreadsheet: headings, a row a group, the total, and what
    exactly was counted. A share stands beside the two counts that it is made of.
    """
    head: list[Cell] = [GROUPS[report.group], "代码"]
    for one in MEASURES:
        head.append(COUNTS[one.count])
        if one.of:
            head += [f"{title(one)}的分母：{COUNTS[one.of]}", title(one)]
    rows = [head]
    for row in (*report.rows, Row("", TOTAL, report.total)):
        # Some name an operator or a department in the words of another node: a control
        # character among them, and no workbook could be written.
        cells: list[Cell] = [harmless(row.name), harmless(row.key)]
        for one in MEASURES:
            cells.append(row.counts[one.count])
            if one.of:
                share = value(one, row.counts)
                cells.append(row.counts[one.of])
                cells.append("" if share is None else round(share, 4))
        rows.append(cells)
    rows.append([])
    rows += [[words] for words in footer(report)]
    return rows


def footer(report: Report) -> Sequence[str]:
    """Return what was counted, and up to where, in lines."""
    cut = report.cut
    return (
        f"收件日 {period(cut.first, cut.last)}，看到 {cut.today} 为止",
        f"收件地 {cut.place_prefix.ljust(12, '0')}",
        f"数据点 {report.mark}（两处数据点相同，数字就应相同）",
    )


def period(first: str, last: str) -> str:
    """Return a span of days."""
    if not first and not last:
        return "不限"
    return f"{first or '最早'} 至 {last or '今天'}"
