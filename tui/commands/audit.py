"""`audit`: what was written down to be answered for, here and below."""

from typing import Any

import click

from node import audit as acts
from node.desks import desks_of
from node.places import place_names
from node.store.registry import AuditRow
from node.wiring import Node
from tui import labels, times
from tui.commands.context import Context, json_option, line, show
from tui.commands.upkeep import iso

_NAMED_IN_NOTE = (acts.JOIN, acts.ENROL)
"""The note says which desk it was then; its node may have another number by now."""


@click.group("audit", help="审计记录：谁邀请、登记、停用、发布，谁要过不该看的。")
def audit() -> None:
    """Group the commands about audit records."""


@audit.command("list", help="列出审计记录，新到的在前；包括下级报上来的。")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10000))
@json_option
@click.pass_obj
def list_records(context: Context, limit: int, as_json: bool) -> None:
    """List what was written down."""
    with context.node() as node:
        rows = node.store.registry.audits(limit)
        if as_json:
            show({"records": [_object(node, row) for row in rows]})
            return
        for row in rows:
            line(*_words(node, row))


def _words(node: Node, row: AuditRow) -> tuple[str, ...]:
    """Return one record as cells: when, where, what, about what, whom, by whom."""
    places = place_names(node)
    subject = "+".join(places.get(part, part) for part in row.subject.split("+"))
    peer = "" if row.act in _NAMED_IN_NOTE else _peer(node, row)
    return (
        times.moment(row.at_ms, node.now_ms()),
        _name(node, row.node),
        labels.word(labels.ACTS, row.act),
        subject,
        "" if peer in (subject, row.note) else peer,
        "" if row.note == subject else row.note,
        row.by,
    )


def _object(node: Node, row: AuditRow) -> dict[str, Any]:
    return {
        "at": iso(row.at_ms),
        "node": row.node.hex(),
        "node_name": _name(node, row.node),
        "act": row.act,
        "subject": row.subject,
        "peer": row.peer.hex(),
        "note": row.note,
        "by": row.by,
    }


def _peer(node: Node, row: AuditRow) -> str:
    """Return whom it concerned: who is put out is so at all desks with its id."""
    if not row.peer:
        return ""
    if row.act == acts.REVOKE:
        names = labels.desk_names(desks_of(node.roster, row.peer))
        return names or _name(node, row.peer)
    return _name(node, row.peer)


def _name(node: Node, who: bytes) -> str:
    return labels.node_name(node.roster.latest(who), who)
