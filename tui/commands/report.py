"""`lianban report`: statistics of cases, the monthly statement of agents, exports."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from forms.author import xlsx
from forms.errors import WorkbookRefused
from node import export, statistics
from node.statistics import Report
from node.store.ledger import COUNTS, GROUPS, Cut
from node.wiring import Node
from tui import report_words as words
from tui.commands.context import Context, json_option, line, show, tell

FILE = click.Path(path_type=Path, dir_okay=False)
DAY = click.DateTime(["%Y-%m-%d"])

place_option = click.option(
    "--place", default="", help="只统计在这里收的件：名称或代码。"
)
as_of_option = click.option(
    "--as-of", type=DAY, help="在办的件看到哪一天为止；不给时是今天。"
)
csv_option = click.option("--csv", "csv_path", type=FILE, help="另存为 CSV 文件。")
xlsx_option = click.option("--xlsx", "xlsx_path", type=FILE, help="另存为 Excel 文件。")


@click.group(
    "report", help="统计报表：件数、时限、跑动、积分；各级同一数据点数字相同。"
)
def report() -> None:
    """Group the reports."""


@report.command("cases", help="按事项、部门、镇街、收件点、收件人或月份统计办件。")
@click.option(
    "--by",
    "group",
    type=click.Choice(list(GROUPS)),
    default="item",
    show_default=True,
    help="按什么分组。",
)
@click.option("--from", "first", type=DAY, help="收件日从这一天起。")
@click.option("--to", "last", type=DAY, help="收件日到这一天止（含）。")
@place_option
@as_of_option
@click.option(
    "--list",
    "count",
    type=click.Choice(list(COUNTS)),
    help="不列表，只列出这个数字背后的办件编号。",
)
@click.option("--of", "key", default="", help="与 --list 同用：只要这一组（代码）。")
@csv_option
@xlsx_option
@json_option
@click.pass_obj
def count_cases(
    context: Context,
    group: str,
    first: date | None,
    last: date | None,
    place: str,
    as_of: date | None,
    count: str | None,
    key: str,
    csv_path: Path | None,
    xlsx_path: Path | None,
    as_json: bool,
) -> int:
    """Print, or save, the figures of cases."""
    with context.node() as node:
        cut = statistics.cut(node, _iso(first), _iso(last), place, _iso(as_of))
        if count:
            return _list(node, cut, count, group if key else "", key, as_json)
        return _give(node, group, cut, csv_path, xlsx_path, as_json)


@report.command("agents", help="本月代办：每人收了几件、得几分；村里和区里数字相同。")
@click.option("--month", required=True, help="月份，如 2026-11。")
@place_option
@as_of_option
@csv_option
@xlsx_option
@json_option
@click.pass_obj
def count_agents(
    context: Context,
    month: str,
    place: str,
    as_of: date | None,
    csv_path: Path | None,
    xlsx_path: Path | None,
    as_json: bool,
) -> int:
    """Print, or save, the monthly statement of who takes cases in."""
    try:
        date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise click.UsageError("--month 写成年-月，如 2026-11。") from error
    with context.node() as node:
        cut = statistics.month_cut(node, month, place, _iso(as_of))
        return _give(node, "agent", cut, csv_path, xlsx_path, as_json)


def _give(
    node: Node,
    group: str,
    cut: Cut,
    csv_path: Path | None,
    xlsx_path: Path | None,
    as_json: bool,
) -> int:
    found = statistics.report(node, group, cut)
    for path, is_book in ((csv_path, False), (xlsx_path, True)):
        if path is not None:
            try:
                save(node, found, path, is_book=is_book)
            except WorkbookRefused as refused:
                tell(f"没有写 {path.name}：{refused.problems[0].message}。")
                return 1
            tell(f"已写好 {path}")
    if as_json:
        show(_object(found))
    elif csv_path is None and xlsx_path is None:
        _print(found)
    return 0


def save(node: Node, found: Report, path: Path, *, is_book: bool) -> None:
    """Write a report to a file; that it left the home is written down first.

    Raises:
        WorkbookRefused: what writes .xlsx files is not installed.
        NotFound, DiskFull: the folder is not there, or does not take it.
        WriteForbidden: nothing can be written down now.
    """
    table = words.table(found)
    if is_book:
        data = xlsx.write({words.GROUPS[found.group]: table}, {})
    else:
        data = statistics.to_csv(table)
    statistics.note_export(node, found, node.operator)
    export.save_paper(path, data)


def _list(node: Node, cut: Cut, count: str, group: str, key: str, as_json: bool) -> int:
    behind = statistics.cases_of(node, cut, count, group, key)
    numbers = [number for _, number in behind]
    if as_json:
        show({"count": count, "group": group, "key": key, "cases": numbers})
        return 0
    for number in numbers:
        line(number)
    tell(f"{words.COUNTS[count]}：{len(numbers)} 件")
    return 0


def _print(found: Report) -> None:
    for row in (*found.rows, statistics.Row("", words.TOTAL, found.total)):
        line(row.name, *([row.key] if row.key not in ("", row.name) else []))
        line("  " + "  ".join(words.figures(row.counts)))
    for text in words.footer(found):
        tell(text)


def _object(found: Report) -> dict[str, Any]:
    return {
        "by": found.group,
        "from": found.cut.first,
        "to": found.cut.last,
        "place": found.cut.place_prefix.ljust(12, "0"),
        "as_of": found.cut.today,
        "sync_point": found.mark,
        "rows": [{"key": r.key, "name": r.name, **r.counts} for r in found.rows],
        "total": found.total,
    }


def _iso(day: date | None) -> str:
    return day.strftime("%Y-%m-%d") if day else ""
