"""`lianban case conflicts` and `case settle`: what is open, and what a person says."""

from collections.abc import Sequence
from typing import Any

import click

from node import cases as node_cases
from node import viewing
from node.cases import Case
from node.matters import MARK_CHANGED, Author, Matter
from node.settling import find_matter, settle
from node.wiring import Node
from tui import labels, matters
from tui.commands.context import Context, json_option, line, show
from tui.commands.upkeep import iso

LISTED = 1000


@click.command("conflicts", help="列出等本级核对的；给出办件时，列出它的。")
@click.argument("name", required=False)
@json_option
@click.pass_obj
def conflicts(context: Context, name: str | None, as_json: bool) -> None:
    """List what this tier may settle, the oldest first; or what is open in a case."""
    with context.node() as node:
        if name:
            found = [node_cases.open_case(node, name)]
        else:
            wanted = node_cases.to_settle(node)
            rows = node.store.cases.page(wanted, None, LISTED)
            found = [node_cases.open_case(node, row.id) for row in rows]
        for case in found:
            viewing.opened(node, case)
        now_ms = node.now_ms()
        if as_json:
            show(_listing(node, found))
            return
        for case in found:
            _print_case(case, now_ms)


@click.command("settle", help="核对一处：选一个或另写一个，写明理由。")
@click.argument("name")
@click.argument("key")
@click.option(
    "--choose", type=click.IntRange(1), help="选第几个（见 case conflicts）。"
)
@click.option("--value", help="都不对时，另写一个值。")
@click.option("--reason", default="", help="理由，如“电话向申请人核实”。")
@json_option
@click.pass_obj
def settle_one(
    context: Context,
    name: str,
    key: str,
    choose: int | None,
    value: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Settle one thing: a field by its key, events by an id, either by its number."""
    if choose is not None and value is not None:
        raise click.UsageError("--choose 和 --value 只能给一个。")
    with context.node() as node:
        case = node_cases.open_case(node, name)
        matter = find_matter(case, key)
        if choose is None and value is None and matter.mark != MARK_CHANGED:
            raise click.UsageError("请用 --choose 选一个，或用 --value 另写一个。")
        done = settle(
            node, case.id, matter, choose=choose or 0, value=value, note=reason
        )
        if as_json:
            show(_listing(node, [done]))
        else:
            line(done.id, labels.STATES[done.story.state])


def matter_object(case: Case, number: int, matter: Matter) -> dict[str, Any]:
    """Return one open matter as JSON has it."""
    return {
        "number": number,
        "kind": matter.mark,
        "key": matter.key,
        "label": matters.title(case, matter),
        "choices": [
            {
                "choose": place,
                "value": side.value,
                "event": side.event,
                "step": side.step,
                "state": side.state,
                "note": side.note,
                "authors": [_author_object(one) for one in side.authors],
            }
            for place, side in enumerate(matter.sides, start=1)
        ],
        "edits": [
            {
                "field": edit.key,
                "before": edit.before,
                "after": edit.after,
                "author": _author_object(edit.author),
            }
            for edit in matter.edits
        ],
    }


def matter_objects(case: Case) -> list[dict[str, Any]]:
    """Return all that is open in a case."""
    return [matter_object(case, n, one) for n, one in enumerate(case.matters, 1)]


def _listing(node: Node, found: Sequence[Case]) -> dict[str, Any]:
    return {
        "tier": str(node.tier),
        "count": sum(len(case.matters) for case in found),
        "cases": [
            {
                "id": case.id,
                "number": case.row.number,
                "item": case.row.item_name,
                "applicant": case.row.applicant,
                "state": str(case.story.state),
                "mark": case.row.mark,
                "settler": case.row.settler,
                "had_conflict": case.row.had_conflict,
                "matters": matter_objects(case),
            }
            for case in found
        ],
    }


def _author_object(author: Author) -> dict[str, Any]:
    return {
        "node": author.node,
        "name": author.name,
        "tier": author.tier,
        "by": author.by,
        "at": iso(author.at_ms),
    }


def _print_case(case: Case, now_ms: int) -> None:
    row = case.row
    line(row.id[:12], row.number, row.applicant or "（未填姓名）", row.item_name)
    for number, matter in enumerate(case.matters, start=1):
        line(f"  {number}", matters.title(case, matter), f"（{matter.key}）")
        for place, side in enumerate(matter.sides, start=1):
            line(
                f"     --choose {place}",
                matters.side_words(case, matter, side),
                matters.outcome_words(matter, place),
                side.note,
            )
            for author in side.authors:
                line("       ", matters.author_words(author, now_ms))
        for edit in matter.edits:
            line("     ", matters.edit_words(case, edit))
            line("       ", matters.author_words(edit.author, now_ms))
    if case.matters:
        line("  ", labels.settles_here(row.mark, row.settler, is_here=False))
    else:
        line("  ", "没有要核对的")
