"""`lianban case`: everything that the screens can do with cases, for scripts."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from forms import check
from forms.item import Item
from forms.kinds import KINDS
from forms.package import Package
from node import audit, casework, find, intake, kept_answers, tidy, versions, viewing
from node import cases as node_cases
from node import status as node_status
from node.cases import Case
from node.errors import AnswersWrong, NodeError
from node.facts import FACTS
from node.lifecycle import BEFORE, NEEDS_REASON, State, Step
from node.matters import MARK_CONFLICT
from node.progress import Progress, Way, progress, ways
from node.records import Records, records
from node.status import Arrival
from node.store.cases import CaseRow, Draft, Filter, Light, Order
from node.wiring import Node
from tui import clock_words, fact_words, history_words, labels, times
from tui.commands import lapsing, papers, renewing, settling
from tui.commands.context import (
    Context,
    json_option,
    line,
    show,
    tell,
    tell_wrong,
)
from tui.commands.fields import fields_option, read_fields
from tui.commands.history import case_history
from tui.commands.known import known_person, reuse_option, taken_over, tell_twins
from tui.commands.materials import material
from tui.commands.upkeep import iso
from tui.messages import sentence

attach_option = click.option(
    "--attach",
    multiple=True,
    metavar="[字段=]文件",
    help="附上材料文件，可以给多次。",
)
facts_option = click.option(
    "--fact",
    "facts",
    multiple=True,
    metavar="名=值",
    callback=lambda context, parameter, given: read_facts(given),
    help="这一步还要写明的，可以给多次，如 kind=survey；见 lianban case facts。",
)
reason_option = click.option("--reason", default="", help="理由或意见。")


@click.group(help="办件：新建、查看、每一步办理。")
def case() -> None:
    """Group the commands about cases."""


@case.command("new", help="新建一件并提交；--draft 只存草稿。")
@click.argument("item")
@click.option(
    "--for",
    "place",
    default="",
    metavar="地方",
    help="替别处收件（全市通办）：办理地的名称或 12 位区划代码；不给就是本地。",
)
@fields_option
@attach_option
@reuse_option
@facts_option
@click.option("--draft", "is_draft", is_flag=True, help="只存草稿，不提交。")
@json_option
@click.pass_obj
def new(
    context: Context,
    item: str,
    place: str,
    fields_file: Path | None,
    attach: tuple[str, ...],
    reuse: tuple[str, ...],
    facts: dict[str, str],
    is_draft: bool,
    as_json: bool,
) -> int:
    """Begin a case; what is wrong with it is told, and the draft is kept."""
    answers = read_fields(fields_file)
    with context.node() as node:
        package = node.package(casework.find_package(node, item).digest)
        assert package is not None
        answers = taken_over(node, package, answers, reuse)
        tell_twins(node, package, answers)
        files = _take_files_in(node, attach, answers, package.item)
        draft = casework.begin_draft(node, item, answers, place, files)
        if is_draft:
            return _say_draft(draft, as_json)
        try:
            made = casework.submit_draft(node, draft, facts)
        except AnswersWrong as wrong:
            tell_wrong(wrong)
            tell(f"已存为草稿 {draft.id}，改好后运行 lianban case submit。")
            return 1
        except NodeError as error:
            error.add_note(_still_a_draft(draft))
            raise
        _say_case(node, made, as_json)
    return 0


@case.command("list", help="列出办件和草稿。")
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
        names = _names(node)
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


@case.command("show", help="查看一件：字段、经过、到达情况。")
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
            shown = _row_object(row, Arrival(0, 0), None) | {
                "fields": draft.answers,
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
            late = history_words.late_faults(found, node_cases.records_of(found))
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
            days = lapsing.clock_rows(node, found)
        kept = kept_answers.of(node, row.document)
        shown |= {"kept": renewing.kept_objects(kept)}
        now_ms, names = node.now_ms(), _names(node)
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


@case.command("submit", help="提交草稿；或改好后重新提交、补充已提交的件。")
@click.argument("name")
@fields_option
@attach_option
@facts_option
@json_option
@click.pass_obj
def submit(
    context: Context,
    name: str,
    fields_file: Path | None,
    attach: tuple[str, ...],
    facts: dict[str, str],
    as_json: bool,
) -> None:
    """Submit a draft or a returned case; amend a case that waits."""
    answers = read_fields(fields_file)
    with context.node() as node:
        draft = node_cases.find_draft(node, name)
        package = node.package((draft or node_cases.find_row(node, name)).package)
        assert package is not None
        files = _take_files_in(node, attach, answers, package.item)
        if draft:
            if answers or files:
                answers = {**draft.answers, **answers}
                draft = casework.save_draft(node, draft, answers, files=files)
            try:
                made = casework.submit_draft(node, draft, facts)
            except AnswersWrong:
                raise
            except NodeError as error:
                error.add_note(_still_a_draft(draft))
                raise
            if versions.has_newer(node, made.row.item_code, draft.package):
                tell(f"是按旧表（第 {package.version} 版）提交的，照样办理。")
        else:
            row = node_cases.find_row(node, name)
            waits = row.state in BEFORE
            made = casework.take_step(
                node,
                row.id,
                Step.AMEND if waits else Step.SUBMIT,
                answers=answers,
                files=files,
                facts=facts,
            )
        _say_case(node, made, as_json)


@case.command("forward", help="把一件或多件一起转区，附签名的批次清单。")
@click.argument("names", nargs=-1, required=True)
@json_option
@click.pass_obj
def forward(context: Context, names: tuple[str, ...], as_json: bool) -> None:
    """Forward cases together: all of them or none."""
    with context.node() as node:
        batch, made = casework.forward_batch(node, names)
        if as_json:
            show(
                {
                    "batch": batch.number,
                    "count": batch.count,
                    "cases": [case_object(node, one) for one in made],
                }
            )
        else:
            line(batch.number, f"{batch.count} 件")
            _tell_open(made)


def _step_command(step: Step) -> click.Command:
    """Return the command for a step that takes cases, and perhaps a reason."""

    @click.argument("names", nargs=-1, required=True)
    @reason_option
    @facts_option
    @json_option
    @click.pass_obj
    def run(
        context: Context,
        names: tuple[str, ...],
        reason: str,
        facts: dict[str, str],
        as_json: bool,
    ) -> int:
        with context.node() as node:
            return _take_steps(
                node,
                names,
                lambda name: casework.take_step(
                    node, name, step, note=reason, facts=facts
                ),
                as_json,
            )

    return click.command(str(step), help=_step_help(step))(run)


def _step_help(step: Step) -> str:
    """Return what a step is, and what must be given with it."""
    words = labels.STEPS[step]
    needed = [f"--fact {one.key}=…" for one in FACTS[step] if one.is_needed]
    if step in NEEDS_REASON:
        needed.insert(0, "--reason")
    return f"{words}（要写 {' '.join(needed)}）。" if needed else f"{words}。"


for _step in Step:
    if _step not in (Step.SUBMIT, Step.FORWARD, Step.AMEND, Step.SETTLE):
        case.add_command(_step_command(_step))


@case.command("facts", help="每一步还能写明什么：名字，和能写的值。")
@json_option
def facts_of_steps(as_json: bool) -> None:
    """Print the table of what each step may say."""
    if as_json:
        show(
            {
                step: [{"key": o.key, "needed": o.is_needed} for o in known]
                for step, known in FACTS.items()
            }
        )
        return
    for step, known in FACTS.items():
        for one in known:
            needed = "必填" if one.is_needed else ""
            line(str(step), one.key, labels.word(labels.FACTS, one.key), needed)


def read_facts(given: Sequence[str]) -> dict[str, str]:
    """Return what was given as `名=值`.

    Raises:
        click.BadParameter: one has no name, or is given twice.
    """
    facts: dict[str, str] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals or not key or key in facts:
            raise click.BadParameter(f"{one[:40]}：要写成 名=值，一个名字只写一次")
        facts[key] = value
    return facts


case.add_command(settling.conflicts)
case.add_command(settling.settle_one)
case.add_command(renewing.renew)
case.add_command(lapsing.lapses)


case.add_command(material)
case.add_command(papers.paper)
case.add_command(papers.progress)
case.add_command(known_person)
case.add_command(case_history)


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


def _sign(node: Node, row: CaseRow) -> str:
    """Return what stands behind a state in a list."""
    if row.state == State.DRAFT:
        is_old = versions.has_newer(node, row.item_code, row.package)
        return labels.NEW_FORM_MARK if is_old else ""
    return labels.sign(row, is_ours=node_cases.may_settle(node, row))


def _values(matter: dict[str, Any]) -> str:
    """Return the values between which a person chooses: `甲地 / 乙地`."""
    return " / ".join(one["value"] for one in matter["choices"] if one["value"])


def _names(node: Node) -> dict[str, str]:
    return {one.division: one.name for one in node.roster.everyone()}


def _instant_ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp() * 1000)


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


def _rows(node: Node, wanted: Filter, limit: int) -> list[CaseRow]:
    rows: list[CaseRow] = []
    is_narrowed = wanted.match or wanted.light or wanted.is_urgent
    if not is_narrowed and (not wanted.states or State.DRAFT in wanted.states):
        rows = [node_cases.draft_row(node, d) for d in node.store.cases.drafts()]
    rows += node.store.cases.page(wanted, None, max(limit - len(rows), 0))
    return rows[:limit]


def _take_steps(
    node: Node, names: tuple[str, ...], take: Callable[[str], Case], as_json: bool
) -> int:
    """Take one step in each case; what fails harms none of the others."""
    done: list[Case] = []
    failures: list[NodeError] = []
    for name in names:
        try:
            done.append(take(name))
        except NodeError as error:
            failures.append(error)
            if len(names) > 1:
                tell(sentence(error))
    if failures and not done:
        raise failures[0]
    if as_json:
        objects = [case_object(node, one) for one in done]
        show(objects[0] if len(names) == 1 else {"cases": objects})
    else:
        for one in done:
            line(one.id, labels.STATES[one.story.state])
        _tell_open(done)
    return 3 if failures else 0


def _still_a_draft(draft: Draft) -> str:
    """Return what stands behind why it was not submitted."""
    return (
        f"填的内容没有丢，都在草稿 {draft.id} 里；"
        f"能提交以后运行 lianban case submit {draft.id[:12]}。"
    )


def _author_name(node: Node, author: str) -> str:
    """Return the place of a node, of whose id an event has the first digits."""
    known = [one for one in node.roster.everyone() if one.node.hex().startswith(author)]
    newest = max(known, key=lambda one: one.epoch, default=None)
    return labels.node_name(newest, bytes.fromhex(author))


def _tell_open(done: Sequence[Case]) -> None:
    """Say of which cases something is still open, and who settles it."""
    for one in done:
        if one.row.open_count:
            tell(
                f"注意：{one.row.number} 还有 {one.row.open_count} 处待核对，"
                f"{labels.settles_here(one.row.mark, one.row.settler, is_here=False)}"
                f"。详情见 lianban case conflicts {one.id[:12]}。"
            )


def _say_draft(draft: Draft, as_json: bool) -> int:
    if as_json:
        show({"id": draft.id, "number": draft.number, "state": "draft"})
    else:
        click.echo(draft.id)
    return 0


def _say_case(node: Node, made: Case, as_json: bool) -> None:
    if as_json:
        show(case_object(node, made))
    else:
        click.echo(made.id)


def _take_files_in(
    node: Node, attach: tuple[str, ...], answers: dict[str, str], item: Item
) -> list[str]:
    """Take files into the home, and name them in the field that is said; return their
    digests. Where one is refused, none stays.
    """
    digests: list[str] = []
    try:
        for text in attach:
            field, sign, name = text.partition("=")
            digest, _ = intake.take_in(node, Path(name if sign else text), item)
            digests.append(digest)
            if sign:
                answers[field] = " ".join(filter(None, (answers.get(field), digest)))
    except NodeError:
        tidy.drop_unnamed(node, digests)
        raise
    return digests
