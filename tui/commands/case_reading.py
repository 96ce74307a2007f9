"""`lianban case list` and `show`: a case as data, and as lines of Chinese."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import click

from forms import check
from forms.kinds import KINDS
from forms.package import Package
from node import cases as node_cases
from node import casework, find, kept_answers, versions
from node import status as node_status
from node.cases import Case
from node.lifecycle import State
from node.matters import MARK_CONFLICT
from node.places import place_names
from node.progress import Progress, Way, progress, ways
from node.records import Records, records
from node.status import Arrival
from node.store.cases import CaseRow, Filter, Light, Order
from node.wiring import Node
from tui import clock_words, fact_words, labels, times
from tui.commands import lapsing, renewing, settling
from tui.commands.context import Context, json_option, line, show, tell
from tui.commands.upkeep import iso


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
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100000))
@json_option
@click.pass_obj
def list_cases(
    context: Context,
    states: tuple[str, ...],
    query: str,
    light: str | None,
    is_urgent: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List cases, the last changed first, or by due day; drafts before them."""
    with context.node() as node:
        today = casework.today(node)
        wanted = Filter(
            states=states,
            match=find.match(query),
            order=Order.DUE if light else Order.CHANGED,
            oldest_first=light is not None,
            light=Light(light) if light else None,
            today=today.isoformat(),
            is_urgent=is_urgent,
        )
        rows = _rows(node, wanted, limit)
        left = {
            row.document: clock_words.row_left(row, today, node.calendar)
            for row in rows
        }
        names = place_names(node)
        objects = _row_objects(node, rows) if as_json else []
        signs = {row.document: _sign(node, row) for row in rows}
    if as_json:
        show({"cases": objects})
        return
    for row in rows:
        line(
            row.id[:12],
            row.number,
            row.applicant or "（未填姓名）",
            row.item_name,
            f"{labels.STATES[row.state]} {signs[row.document]}".strip(),
            "加急" if row.is_urgent else "",
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
            shown = _row_object(row, Arrival(None, None), None) | {
                "fields": draft.answers,
                "renewal": renewing.renewal_object(renewal) if renewal else None,
            }
        else:
            found = node_cases.open_case(node, name)
            row, package, renewal = found.row, found.package, None
            shown = case_object(node, found)
            scene = fact_words.scene_of(node, found)
            told = {
                one.id: "；".join(fact_words.told(scene, one.event))
                for one in found.story.happened
            }
            days = lapsing.clock_rows(node, found)
        kept = kept_answers.of(node, row.document)
        shown |= {"kept": renewing.kept_objects(kept)}
        now_ms, names = node.now_ms(), place_names(node)
    if as_json:
        show(shown)
        return
    _print_case(shown, package, now_ms, told)
    for cells in days:
        line(*cells)
    renewing.print_kept(kept)
    line("办理地", labels.whose(names, row))
    if renewal:
        renewing.print_renewal(renewal, now_ms)
        tell(f"换用新表请运行 lianban case renew {row.id[:12]}；不换也能照旧提交。")


def case_object(node: Node, one: Case) -> dict[str, Any]:
    """Return what `case show --json` prints."""
    (found,) = _row_objects(node, [one.row])
    return found | {
        "state": str(one.story.state),
        "outcome": one.story.outcome,
        "scope": one.scope,
        "fields": one.fields,
        "materials": [
            {
                "number": number,
                "digest": digest,
                "name": one.materials[digest].name,
                "size": one.materials[digest].size,
                "kind": one.materials[digest].kind,
                "here": way.is_here,
                "percent": way.percent,
                "sync": {"town": way.town, "district": way.district},
            }
            for number, (digest, way) in enumerate(
                ways(node, one.row.document).items(), start=1
            )
        ],
        "events": [
            {
                "id": happened.id,
                "step": happened.event.step,
                "at": iso(happened.event.at),
                "node": happened.author,
                "node_name": _author_name(node, happened.author),
                "by": happened.event.by,
                "note": happened.event.note,
                "fields": list(happened.event.fields),
                "batch": happened.event.batch,
                "facts": dict(happened.event.facts),
                "settles": list(happened.event.settles),
                "upholds": happened.event.upholds,
                "stands": not happened.why_not,
                "settled_by": happened.settled_by,
            }
            for happened in one.story.happened
        ],
        "records": record_objects(records(one.package.item, one.story)),
        **lapsing.clocks_object(node, one),
        "conflicts": settling.matter_objects(one),
        "possible": [str(step) for step in casework.possible_steps(node, one)],
    }


def record_objects(known: Records) -> dict[str, Any]:
    """Return what is written down in a case, for scripts."""
    return {
        "papers": {key: paper.state for key, paper in known.papers.items()},
        "paused": known.is_paused,
        "branches": [
            {
                "key": one.branch.key,
                "name": one.branch.name,
                "department": one.branch.department,
                "result": one.result,
                "disputed": len(one.results) > 1,
                "inspected": one.inspected,
            }
            for one in known.branches
        ],
        "faults": [
            {
                "target": one.target,
                "text": one.text,
                "notice": one.notice,
                "late": one.is_late,
            }
            for one in known.faults
        ],
        "handling": known.handling,
        "authorised": known.authorised,
        "delivery": known.delivery,
        "follows": known.follows,
        "paper_only": known.is_paper_only,
        "trips": known.trips,
        "urgent": known.hurry is not None,
        "extended_workdays": known.extended_workdays,
        "department": known.department,
        "fees": [dict(one.event.facts) for one in known.fees],
        "parcels": [dict(one.event.facts) for one in known.parcels],
        "rating": known.rating.event.facts["grade"] if known.rating else "",
    }


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
            "" if event["stands"] else "（没有生效）",
        )
    for matter in shown.get("conflicts", []):
        line("待核对", matter["label"], _values(matter))
    if shown["had_conflict"] and not shown["mark"]:
        line("曾有不同，已经核对")


def _row_objects(node: Node, rows: Sequence[CaseRow]) -> list[dict[str, Any]]:
    documents = [row.document for row in rows]
    arrived = node_status.arrivals(node, documents)
    files = progress(node, documents)
    return [
        _row_object(row, arrived[row.document], files.get(row.document))
        | lapsing.row_object(node, row)
        for row in rows
    ]


def _row_object(
    row: CaseRow, arrived: Arrival, files: Progress | None
) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "item": row.item_name,
        "item_code": row.item_code,
        "applicant": row.applicant,
        "division": row.division,
        "taken_in_at": row.taken_in_at,
        "state": row.state,
        "mark": row.mark,
        "settler": row.settler,
        "had_conflict": row.had_conflict,
        "submitted_at": iso(row.submitted_at_ms),
        "changed_at": iso(row.changed_at_ms),
        "sync": {
            "town": _arrived(arrived.town_ms),
            "district": _arrived(arrived.district_ms),
        },
        "arrived_at": {
            "town": iso(arrived.town_ms),
            "district": iso(arrived.district_ms),
        },
        "materials_arrived": {
            "total": files.total if files else 0,
            "here": files.here if files else 0,
            "town": files.town if files else None,
            "district": files.district if files else None,
        },
    }


def _arrived(at_ms: int | None) -> bool | None:
    return None if at_ms is None else at_ms > 0


def _values(matter: dict[str, Any]) -> str:
    """Return the values between which a person chooses: `甲地 / 乙地`."""
    return " / ".join(one["value"] for one in matter["choices"] if one["value"])


def _instant_ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp() * 1000)


def _author_name(node: Node, author: str) -> str:
    """Return the place of a node, of whose id an event has the first digits."""
    known = [one for one in node.roster.everyone() if one.node.hex().startswith(author)]
    newest = max(known, key=lambda one: one.epoch, default=None)
    return labels.node_name(newest, bytes.fromhex(author))


def _sign(node: Node, row: CaseRow) -> str:
    """Return what stands behind a state in a list."""
    if row.state == State.DRAFT:
        is_old = versions.has_newer(node, row.item_code, row.package)
        return labels.NEW_FORM_MARK if is_old else ""
    return labels.sign(row, is_ours=node_cases.may_settle(node, row))


def _rows(node: Node, wanted: Filter, limit: int) -> list[CaseRow]:
    rows: list[CaseRow] = []
    is_narrowed = wanted.match or wanted.light or wanted.is_urgent
    if not is_narrowed and (not wanted.states or State.DRAFT in wanted.states):
        rows = [node_cases.draft_row(node, d) for d in node.store.cases.drafts()]
    rows += node.store.cases.page(wanted, None, max(limit - len(rows), 0))
    return rows[:limit]
