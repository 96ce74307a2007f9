"""`lianban case history`: what happened to a case, out into a file, and verified."""

from pathlib import Path
from typing import Any

import click

from node import cases, export, history, history_proof, viewing
from node.cases import Case
from node.history import Edit, Trace
from node.history_proof import Compared, Finding
from node.material import safe_name
from node.wiring import Node
from tui import history_words, labels, matters, times
from tui.commands.context import Context, json_option, line, show, tell
from tui.commands.upkeep import iso

HELP = """一件的全部经过：谁、哪个站点、什么时候、改了什么。

--export 把各站点签过名的原始记录存成一个文件，别的站点断网也能用 --verify 验。
文件里有申请人的资料，没有加密：只交给该看的人，用完删掉。
"""

COMPARED: dict[Compared, str] = {
    Compared.ABSENT: "本机没有这件：签名可信，以后有没有变化本机不知道。",
    Compared.SAME: "本机也有这件，与文件一样。",
    Compared.OLDER: "本机也有这件，比文件多 {fewer} 条：可能是导出以后办的，"
    "也可能当时还没有同步到导出的站点。",
    Compared.NEWER: "本机也有这件，比文件少 {more} 条：可能还没有同步到。",
    Compared.OTHER: "本机也有这件：文件里有 {more} 条本机没有，"
    "本机有 {fewer} 条文件里没有。",
}


@click.command("history", help=HELP)
@click.argument("name", metavar="[ID]", required=False)
@click.option(
    "--export",
    "target",
    type=click.Path(path_type=Path),
    help="存成文件：文件名，或放它的文件夹。",
)
@click.option(
    "--verify",
    "source",
    type=click.Path(path_type=Path),
    help="验一个导出的文件；不用写办件。",
)
@json_option
@click.pass_obj
def case_history(
    context: Context,
    name: str | None,
    target: Path | None,
    source: Path | None,
    as_json: bool,
) -> None:
    """List the history of a case, export it, or verify a file of one."""
    if (name is None) == (source is None) or (source and target):
        raise click.UsageError(
            "要么写一件的 ID（可加 --export），要么用 --verify 给一个文件。"
        )
    with context.node() as node:
        if source is not None:
            _say_finding(node, history_proof.read(node, source), as_json)
            return
        case = cases.open_case(node, str(name))
        if target is not None:
            _export(node, case, target, as_json)
            return
        # It tells telephone numbers, those that were there before as well.
        viewing.opened(node, case)
        if as_json:
            show(_history_object(node, case))
        else:
            _print(node, case)


def _export(node: Node, case: Case, target: Path, as_json: bool) -> None:
    called = safe_name(f"办件经过 {case.row.number}.jsonl", 1)
    path = export.place_in(str(target), called)
    count = history_proof.save(node, case, path)
    tell(
        f"已存到 {path}，{count} 条。里面有申请人的资料，没有加密："
        "只交给该看的人，用完删掉。这次导出已记入审计。"
    )
    if as_json:
        show({"file": str(path), "number": case.row.number, "entries": count})


def _print(node: Node, case: Case) -> None:
    now_ms = node.now_ms()
    late = history_words.late_faults(case, cases.records_of(case))
    traces = history.traces(node, case)
    for one in case.story.happened:
        event, trace = one.event, traces[one.id]
        cells = (
            times.moment(event.at, now_ms),
            labels.word(labels.STEPS, event.step),
            history_words.place(trace.author, one.author),
            event.by,
            history_words.receipt(trace.receipt, event.at, now_ms),
            event.note,
            "（没有生效）" if one.why_not else "",
        )
        line(*filter(None, cells))
        for said in (late.get(one.id, ""), *history_words.changes(case, trace)):
            if said:
                line("", said)


def _history_object(node: Node, case: Case) -> dict[str, Any]:
    traces = history.traces(node, case)
    return {
        "id": case.id,
        "number": case.row.number,
        "events": [
            {
                "id": one.id,
                "step": one.event.step,
                "at": iso(one.event.at),
                "by": one.event.by,
                "note": one.event.note,
                "stands": not one.why_not,
                **_trace_object(case, traces[one.id]),
            }
            for one in case.story.happened
        ],
    }


def _trace_object(case: Case, trace: Trace) -> dict[str, Any]:
    author, receipt = trace.author, trace.receipt
    return {
        "node": author.node.hex() if author else "",
        "node_name": author.name if author else "",
        "tier": author.tier if author else "",
        "received_at": iso(receipt.at_ms) if receipt else None,
        "received_by": receipt.by.name if receipt and receipt.by else "",
        "changes": [_edit_object(case, one) for one in trace.edits],
        "files": [history_words.file_name(case, one) for one in trace.files],
    }


def _edit_object(case: Case, one: Edit) -> dict[str, Any]:
    """Return a change with its values as a screen shows them: id numbers masked."""
    return {
        "key": one.key,
        "label": matters.field_label(case, one.key),
        "before": [matters.value_words(case, one.key, old) for old in one.before],
        "after": matters.value_words(case, one.key, one.after),
    }


def _say_finding(node: Node, found: Finding, as_json: bool) -> None:
    head, maker = found.verified.head, found.verified.maker
    if as_json:
        show(_finding_object(found))
        return
    now_ms = node.now_ms()
    made = times.moment(head.made_at_ms, now_ms)
    line(f"✓ 核验通过：单号 {head.number}")
    line(f"{history_words.place(maker, '')} {made} 导出，{head.changes} 条，签名都对。")
    for entry, event in found.events:
        step = labels.word(labels.STEPS, event.step) if event else "读不出来"
        line(
            times.moment(event.at, now_ms) if event else "",
            step,
            history_words.place(entry.author, ""),
            event.by if event else "",
            f"第 {entry.sequence} 条",
        )
    if head.aside:
        line(f"另有 {len(head.aside)} 条写给这件，导出的站点没有采用。")
    words = COMPARED[found.compared].format(more=found.more, fewer=found.fewer)
    click.echo(words)
    click.echo("验的是谁写的、有没有被改过；该不该这样办，以办理站点的记录为准。")


def _finding_object(found: Finding) -> dict[str, Any]:
    head, maker = found.verified.head, found.verified.maker
    return {
        "valid": True,
        "id": head.document.hex(),
        "number": head.number,
        "made_at": iso(head.made_at_ms),
        "made_by": {"node": maker.node.hex(), "name": maker.name, "tier": maker.tier},
        "aside": len(head.aside),
        "standing": str(found.compared),
        "more": found.more,
        "fewer": found.fewer,
        "entries": [
            {
                "node": entry.author.node.hex(),
                "epoch": entry.author.epoch,
                "name": entry.author.name,
                "tier": entry.author.tier,
                "sequence": entry.sequence,
                "change": entry.change.hash.hex(),
                "step": event.step if event else "",
                "at": iso(event.at) if event else None,
                "by": event.by if event else "",
            }
            for entry, event in found.events
        ],
    }
