"""`status`, `verify`, `rebuild`: how a node is, and whether all is in order."""

import datetime as dt
from typing import Any

import click

from node import status as node_status
from node import upkeep as node_upkeep
from node.status import Neighbour
from node.wiring import Node
from tui import labels, times
from tui.commands.context import Context, json_option, line, show, tell

QUARANTINE_SHOWN = 50


def iso(at_ms: int | None) -> str | None:
    """Return a time as ISO 8601 in UTC, or None for never."""
    if not at_ms:
        return None
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).isoformat(timespec="seconds")


@click.command(
    "status", help="本节点、每个邻居：上次尝试、上次成功、双方还欠多少、最久的有多久。"
)
@json_option
@click.pass_obj
def status(context: Context, as_json: bool) -> None:
    """Show what is known here, without asking anybody."""
    with context.node() as node:
        if as_json:
            show(status_object(node))
        else:
            _print_status(node)


@click.command("verify", help="检查文件、哈希链、签名和每个办件；不改动任何东西。")
@json_option
@click.pass_obj
def verify(context: Context, as_json: bool) -> int:
    """Check everything; exit 6 when something is damaged."""
    with context.node() as node:
        found = node_upkeep.verify(node)
    if as_json:
        show(
            {
                "clean": not found.faults,
                "entries": found.entries,
                "cases": found.documents,
                "faults": list(found.faults),
                "digests": found.digests,
            }
        )
    else:
        for fault in found.faults:
            line(fault)
        line(f"记录 {found.entries} 条，办件 {found.documents} 件")
        for scope, digest in found.digests.items():
            line(scope, digest)
        tell(
            "没有发现问题。" if not found.faults else "有损坏，见上；没有改动任何东西。"
        )
    return 6 if found.faults else 0


@click.command("rebuild", help="由原始记录重做所有派生数据。")
@json_option
@click.pass_obj
def rebuild(context: Context, as_json: bool) -> None:
    """Make the derived tables again, in one transaction."""
    with context.node() as node:
        before = node_upkeep.scope_digests(node)
        count = node_upkeep.rebuild(node)
        is_same = before == node_upkeep.scope_digests(node)
    if as_json:
        show({"cases": count, "same": is_same})
    else:
        tell(f"已重做 {count} 件。" + ("与之前一致。" if is_same else "与之前不同。"))


COMMANDS = (status, verify, rebuild)


def status_object(node: Node) -> dict[str, Any]:
    """Return what `status --json` prints."""
    above = node_status.above(node)
    trouble = node_status.trouble(node)
    return {
        "node": node.id.hex(),
        "name": node.certificate.name,
        "tier": node.certificate.tier,
        "division": node.certificate.division,
        "encrypted": node.store.is_encrypted,
        "roster_version": node.roster.version,
        "cases": node.store.cases.counts_by_state(),
        "drafts": len(node.store.cases.drafts()),
        "not_delivered": above.not_delivered if above else 0,
        "online": above.is_online if above else None,
        "since": iso(above.since_ms) if above else None,
        "neighbours": [_neighbour(one) for one in node_status.neighbours(node)],
        "waiting": trouble.waiting,
        "quarantine": [
            {
                "cause": row.cause,
                "detail": row.detail,
                "case": row.document.hex(),
                "author": row.author.hex(),
                "sequence": row.sequence,
                "at": iso(row.received_at_ms),
            }
            for row in node.store.documents.quarantine(QUARANTINE_SHOWN)
        ],
        "quarantined": trouble.set_aside,
        "forks": trouble.forks,
        "refusals": [
            {"at": iso(at_ms), "peer": peer.hex(), "cause": cause, "detail": detail}
            for at_ms, peer, cause, detail in node.store.journal.refusals(
                QUARANTINE_SHOWN
            )
        ],
        "digests": node_upkeep.scope_digests(node),
    }


def _neighbour(one: Neighbour) -> dict[str, Any]:
    return {
        "node": one.certificate.node.hex(),
        "name": one.certificate.name,
        "tier": one.certificate.tier,
        "division": one.certificate.division,
        "above": one.is_above,
        "revoked": one.is_revoked,
        "last_try": iso(one.peer.last_try_at_ms),
        "last_result": one.peer.last_result,
        "last_success": iso(one.peer.last_success_at_ms),
        "last_seen": iso(one.last_heard_ms),
        "failures": one.peer.failures,
        "waiting_out": {
            "entries": one.owed_entries,
            "cases": one.owed_cases,
            "oldest": iso(one.oldest_ms),
        },
        "waiting_in": one.missing_here,
    }


def _print_status(node: Node) -> None:
    line(
        node.certificate.name,
        labels.TIERS[node.certificate.tier],
        node.certificate.division,
        "已加密" if node.store.is_encrypted else "未加密！",
    )
    counts = node.store.cases.counts_by_state()
    line(
        "办件",
        *(f"{labels.STATES[state]} {count}" for state, count in counts.items()),
        f"草稿 {len(node.store.cases.drafts())}",
    )
    above = node_status.above(node)
    if above:
        line("未送达上级", f"{above.not_delivered} 件")
    for one in node_status.neighbours(node):
        result = labels.word(labels.RESULTS, one.peer.last_result or "")
        line(
            ("↑ " if one.is_above else "  ") + one.certificate.name,
            f"上次尝试 {_moment(node, one.peer.last_try_at_ms)} {result}",
            f"上次成功 {_moment(node, one.peer.last_success_at_ms)}",
            f"最近听到 {_moment(node, one.last_heard_ms)}",
            f"待发 {one.owed_entries} 条/{one.owed_cases} 件"
            + (f"（最早 {_moment(node, one.oldest_ms)}）" if one.oldest_ms else ""),
            f"待收 {one.missing_here} 条",
        )
    trouble = node_status.trouble(node)
    line(
        f"等候 {trouble.waiting}  隔离 {trouble.set_aside}  分叉 {trouble.forks}  "
        f"拒收 {trouble.refusals}"
    )
    for row in node.store.documents.quarantine(10):
        line(
            "隔离",
            labels.word(labels.CAUSES, row.cause),
            f"办件 {row.document.hex()}",
            f"作者 {row.author.hex()[:16]} 第 {row.sequence} 条",
        )


def _moment(node: Node, at_ms: int | None) -> str:
    return times.moment(at_ms, node.now_ms()) if at_ms else "从未"
