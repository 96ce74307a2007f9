"""`lianban calendar`: the published working calendar."""

from pathlib import Path
from typing import Any

import click

from forms.item import Tier
from node import calendar_file, calendar_source, calendars
from node import upkeep as node_upkeep
from node.errors import CalendarRefused, LineFault, NoCalendarYear
from node.store.registry import CalendarRow
from node.wiring import Node
from node.workdays import SOURCE_LIMIT, Day, YearTable
from tui import calendar_words, times
from tui.commands.context import Context, json_option, line, show, tell
from tui.commands.upkeep import iso

year_option = click.option(
    "--year", type=click.IntRange(2000, 2100), help="只要这一年。"
)


@click.group(help="工作日历：发布法定放假和调休，查看公布到哪一天。")
def calendar() -> None:
    """Group the commands about the working calendar."""


@calendar.command(
    "publish",
    short_help="把放假和调休签名发布给全区（只有区里能发布）。",
    help="把放假和调休签名发布给全区（只有区里能发布）。不带选项时发布节假日数据里"
    "去年以来、还没有发布的各年；带 --year 或 --file 时，已发布的那一年也会换成新的。",
)
@year_option
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path),
    help="放假表（CSV）：每行 日期,休或班,名称。",
)
@click.option("--source", default="区里录入", show_default=True, help="放假表的出处。")
@json_option
@click.pass_obj
def publish(
    context: Context, year: int | None, path: Path | None, source: str, as_json: bool
) -> int:
    """Publish years, or none if something is wrong with one of them."""
    if not 0 < len(source) <= SOURCE_LIMIT or not source.isprintable():
        raise click.UsageError(f"--source 要有 1 到 {SOURCE_LIMIT} 个字。")
    with context.node() as node:
        node_upkeep.must_publish(node)
        this_year = node.today().year
        if path is not None:
            tables = calendar_file.read_tables(_read(path), source)
        else:
            tables = calendar_source.known_tables(year or this_year - 1)
        tables = [table for table in tables if year in (None, table.year)]
        if not tables:
            raise NoCalendarYear(year or this_year)
        # What an office has corrected by hand is not undone by the way.
        held = node.calendar
        is_asked_for = year is not None or path is not None
        news = [t for t in tables if is_asked_for or not held.knows(t.year)]
        done = node_upkeep.publish_calendar(node, news)
        told = [*done, *_left(node, tables, {year for year, _, _ in done})]
    if as_json:
        show(
            {
                "published": [
                    {"year": year, "version": version, "new": is_new}
                    for year, version, is_new in sorted(told)
                ]
            }
        )
    else:
        for published, version, is_new in sorted(told):
            words = "已发布" if is_new else "早已发布，没有改动"
            line(f"{published} 年", f"第 {version} 版", words)
    return 0


@calendar.command("show", help="查看公布了哪些年、何时公布、从哪天起是暂定的。")
@year_option
@json_option
@click.pass_obj
def show_calendar(context: Context, year: int | None, as_json: bool) -> None:
    """Show what is in force."""
    with context.node() as node:
        rows = [
            (row, table)
            for row, table in _in_force(node)
            if year is None or table.year == year
        ]
        today = node.today()
        reach = calendars.reach_of(node.calendar, today)
        items = calendars.items_beyond(node, today)
        if as_json:
            show(
                {
                    "years": [_object(row, table) for row, table in rows],
                    "provisional_from": reach.provisional_from.isoformat(),
                    "missing_year": reach.missing_year or None,
                    "items_beyond": items,
                }
            )
            return
        for row, table in rows:
            at = times.moment(row.published_at_ms, node.now_ms())
            line(f"{table.year} 年", f"第 {row.version} 版", f"{at} 发布")
            line("", calendar_words.year_line(table))
            if year is not None:
                _print_days("休", table.rest)
            _print_days("班", table.work)
        if year is not None and not rows:
            line(f"{year} 年没有公布；这一年的期限{calendar_words.BASIS}，暂定")
        line("工作日历", calendar_words.horizon(reach))
        is_district = node.tier is Tier.DISTRICT
        for words in (
            calendar_words.beyond(items),
            calendar_words.missing(reach, is_district=is_district),
        ):
            if words:
                tell(words)


def _read(path: Path) -> bytes:
    """Return a file's bytes, one more than are taken at most.

    Raises:
        CalendarRefused: there is none, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(calendar_file.FILE_LIMIT_BYTES + 1)
    except OSError as error:
        raise CalendarRefused([LineFault(0, "missing", path.name)]) from error


def _in_force(node: Node) -> list[tuple[CalendarRow, YearTable]]:
    rows = node.store.registry.current_calendars()
    return list(zip(rows, node.calendar.tables, strict=True))


def _left(
    node: Node, tables: list[YearTable], done: set[int]
) -> list[tuple[int, int, bool]]:
    """Return (year, version, False) of the years that were published before."""
    asked = {table.year for table in tables} - done
    return [(r.year, r.version, False) for r, t in _in_force(node) if t.year in asked]


def _object(row: CalendarRow, table: YearTable) -> dict[str, Any]:
    return {
        "year": table.year,
        "version": row.version,
        "published": iso(row.published_at_ms),
        "source": table.source,
        "rest": [_day(day) for day in table.rest],
        "work": [_day(day) for day in table.work],
    }


def _day(day: Day) -> dict[str, str]:
    return {"on": day.on.isoformat(), "name": day.name}


def _print_days(kind: str, days: tuple[Day, ...]) -> None:
    for words in calendar_words.by_holiday(days):
        line("", kind, words)
