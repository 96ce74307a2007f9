"""`lianban case list` and `show`: a case as data, and as lines of Chinese."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import click

from forms import check
from forms.kinds import KINDS
from forms.package import Package
from node import audit, find, kept_answers, versions, viewing
from node import cases as node_cases
from node.lifecycle import State
from node.matters import MARK_CONFLICT
from node.places import place_names
from node.progress import Way
from node.status import Arrival
from node.store.cases import CaseRow, Filter, Light, Order
from node.wiring import Node
from tui import clock_words, fact_words, history_words, labels, record_words, times
from tui.commands import lapsing, renewing
from tui.commands.case_objects import (
    case_object,
    row_object,
    row_objects,
    source_of_draft,
)
from tui.commands.context import Context, json_option, line, show, tell
from tui.row_words import state_words


@click.command("list", help="列出办件和草稿。")
@click.option(
    "--state", "states", multiple=True, type=click.Choice([str(s) for s in State])
)
@click.option(
    "--find", "query", default="", help="姓名、拼音首字母、单号或证件后四位。"
)
@click.option(
    "--amber", "light", flag_value="amber", help="只列快到期的，先到期的在前。"
)
@click.option("--red", "light", flag_value="red", help="只列超期的，最早的在前。")
@click.option("--urgent", "is_urgent", is_flag=True, help="只列绿色通道的。")
@click.option("--visits", "is_visit", is_flag=True, help="只列要上门的，含草稿。")
@click.option("--lookups", "has_lookup", is_flag=True, help="只列有免提交待查的。")
@click.option(
    "--department", default="", metavar="部门", help="只列现在等这个部门办的。"
)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100000))
@json_option
@click.pass_obj
def list_cases(
    context: Context,
    states: tuple[str, ...],
    query: str,
    light: str | None,
    is_urgent: bool,
    is_visit: bool,
    has_lookup: bool,
    department: str,
    limit: int,
    as_json: bool,
) -> None:
    """List cases, the last changed first, or by due day; drafts before them."""
    with context.node() as node:
        today = node.today()
        wanted = Filter(
            states=states,
            match=find.match(query),
            order=Order.DUE if light else Order.CHANGED,
            oldest_first=light is not None,
            light=Light(light) if light else None,
            today=today.isoformat(),
            is_urgent=is_urgent,
            is_visit=is_visit,
            has_lookup=has_lookup,
            waits_for=department,
        )
        rows = _rows(node, wanted, limit)
        left = {
            row.document: clock_words.row_left(row, today, node.calendar)
            for row in rows
        }
        names = place_names(node)
        objects = row_objects(node, rows) if as_json else []
        stand = {row.document: state_words(node, row) for row in rows}
    if as_json:
        show({"cases": objects})
        return
    for row in rows:
        line(
            row.id[:12],
            row.number,
            row.applicant or "（未填姓名）",
            row.item_name,
            stand[row.document],
            " ".join(labels.marks(row)),
            left[row.document],
            "" if row.division == row.taken_in_at else labels.whose(names, row),
        )


@click.command("show", help="查看一件：字段、经过、到达情况。")
@click.argument("name")
@json_option
@click.pass_obj
def show_case(context: Context, name: str, as_json: bool) -> None:
    """Show one case, by id or number or how one of them begins or ends."""
    with context.node() as node:
        draft = node_cases.find_draft(node, name)
        told: dict[str, str] = {}
        days: list[tuple[str, ...]] = []
        if draft:
            row = node_cases.draft_row(node, draft)
            package = node.package(draft.package)
            renewal = versions.renewal(node, draft)
            shown = row_object(row, Arrival(None, None), None) | {
                "fields": draft.answers,
                "records": {"follows": draft.follows},
                "source": source_of_draft(node, draft),
                "renewal": renewing.renewal_object(renewal) if renewal else None,
            }
        else:
            found = node_cases.open_case(node, name)
            row, package, renewal = found.row, found.package, None
            shown = case_object(node, found)
            # As data it holds all answers in full, as words it masks id numbers.
            if as_json:
                viewing.seen(node, found, audit.VIEW_WHOLE)
            else:
                viewing.opened(node, found)
            known = node_cases.records_of(found)
            late = history_words.late_faults(found, known)
            scene = fact_words.scene_of(node, found)
            told = {
                one.id: "；".join(
                    (
                        *fact_words.told(scene, one.event),
                        *filter(None, [late.get(one.id)]),
                    )
                )
                for one in found.story.happened
            }
            days = [
                *(("部门", one) for one in record_words.branches(node, found, known)),
                *(("一件事", one) for one in record_words.members(found, known)),
                *lapsing.clock_rows(node, found),
            ]
        asides = [
            labels.aside(one, node.roster.latest(one.author))
            for one in node.store.documents.asides_of(row.document)
        ]
        kept = kept_answers.of(node, row.document)
        shown |= {"kept": renewing.kept_objects(kept)}
        now_ms, names = node.now_ms(), place_names(node)
    if as_json:
        show(shown)
        return
    _print_case(shown, package, now_ms, told)
    for cells in days:
        line(*cells)
    for words in asides:
        line("没有算数", words)
    renewing.print_kept(kept)
    line("办理地", labels.whose(names, row))
    if renewal:
        renewing.print_renewal(renewal, now_ms)
        tell(f"换用新表请运行 lianban case renew {row.id[:12]}；不换也能照旧提交。")


def _print_case(
    shown: dict[str, Any], package: Package | None, now_ms: int, told: Mapping[str, str]
) -> None:
    """Print what `case show --json` says, in lines of Chinese, as the screens do."""
    line(shown["number"], shown["item"], labels.word(labels.STATES, shown["state"]))
    line("办件号", shown["id"])
    arrived = [
        f"{labels.TIERS[tier]} "
        + (
            f"已到 {times.moment(_instant_ms(shown['arrived_at'][tier]), now_ms)}"
            if is_there
            else "未到"
        )
        for tier, is_there in shown["sync"].items()
        if is_there is not None
    ]
    if arrived:
        line("到达", *arrived)
    disputed = {
        matter["key"]: f"{labels.SETTLED_MARK} 两处填得不同，等核对：{_values(matter)}"
        for matter in shown.get("conflicts", [])
        if matter["kind"] == MARK_CONFLICT
    }
    answers = check.normalise(package, shown["fields"]) if package else {}
    _print_source(shown)
    for key in dict.fromkeys((*answers, *disputed)):
        field = package.question(key) if package else None
        if field and field.label == field.key and key not in disputed:
            continue  # what a form works out for itself and shows nobody
        value = answers.get(key, "")
        said = KINDS[field.kind].show(field, value) if field and value else value
        called = package.label(key) if package else key
        line("字段", called, said, disputed.get(key, ""))
    for file in shown.get("materials", []):
        way = Way(file["here"], file["percent"], *file["sync"].values())
        size = labels.size(file["size"])
        line(f"材料 {file['number']}", labels.way(way), file["name"], size)
    for event in shown.get("events", []):
        line(
            "经过",
            times.moment(_instant_ms(event["at"]), now_ms),
            labels.word(labels.STEPS, event["step"]),
            event["node_name"],
            event["by"],
            event["note"],
            event["batch"],
            told.get(event["id"], ""),
            _standing_words(event, shown),
        )
    for matter in shown.get("conflicts", []):
        who = labels.TIERS.get(shown["settler"], "上级")
        line("待核对", matter["label"], _values(matter), f"等{who}里核对")
    if shown["had_conflict"] and not shown["mark"]:
        line("曾有不同，已经核对")


def _print_source(shown: dict[str, Any]) -> None:
    """Print on whose result a case builds, and whether that case lies here."""
    number, source = shown["records"]["follows"], shown["source"]
    if not number:
        return
    here = (
        (source["item"], labels.word(labels.STATES, source["state"]))
        if source
        else ("不在本机，请核对申请人带来的结果",)
    )
    line("接着哪一件", number, *here)


def _values(matter: dict[str, Any]) -> str:
    """Return the values between which a person chooses: `甲地 / 乙地`."""
    return " / ".join(one["value"] for one in matter["choices"] if one["value"])


def _instant_ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp() * 1000)


def _standing_words(event: dict[str, Any], shown: dict[str, Any]) -> str:
    """Return whether a step counts; of a settlement, in favour of which step it was."""
    steps = {one["id"]: one["step"] for one in shown["events"]}
    if not event["stands"]:
        return "（没有生效）" if event["settled_by"] else "（能不能生效，等核对）"
    if event["upholds"] in steps:
        return f"以“{labels.word(labels.STEPS, steps[event['upholds']])}”为准"
    return ""


def _rows(node: Node, wanted: Filter, limit: int) -> list[CaseRow]:
    rows: list[CaseRow] = []
    is_narrowed = (
        wanted.match
        or wanted.light
        or wanted.is_urgent
        or wanted.has_lookup
        or wanted.waits_for
    )
    if not is_narrowed and (not wanted.states or State.DRAFT in wanted.states):
        drafts = [node_cases.draft_row(node, d) for d in node.store.drafts.all()]
        rows = [row for row in drafts if row.is_visit or not wanted.is_visit]
    rows += node.store.cases.page(wanted, None, max(limit - len(rows), 0))
    return rows[:limit]
