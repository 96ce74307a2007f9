"""`status`, `verify`, `rebuild`: how a node is, and whether all is in order."""

import datetime as dt
from typing import Any

import click

from forms.item import Tier
from node import calendars, cases
from node import status as node_status
from node import upkeep as node_upkeep
from node.days import local
from node.desks import desk_name
from node.fork_report import ForkedNode, forked_nodes
from node.status import Neighbour
from node.store.documents import PendingRow, QuarantineRow
from node.wiring import Node
from tui import calendar_words, fork_words, labels, refusal_words, stick_words, times
from tui.commands.carry import traffic_object
from tui.commands.context import Context, json_option, line, show, tell

QUARANTINE_SHOWN = 50
PRINTED = 10


def iso(at_ms: int | None) -> str | None:
    """Return a time as ISO 8601 in UTC, or None for never."""
    if not at_ms:
        return None
    return local(at_ms).astimezone(dt.UTC).isoformat(timespec="seconds")


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


def status_object(node: Node) -> dict[str, Any]:
    """Return what `status --json` prints."""
    above = node_status.above(node)
    trouble = node_status.trouble(node)
    return {
        "node": node.id.hex(),
        "name": node.certificate.name,
        "tier": node.certificate.tier,
        "division": node.certificate.division,
        "epoch": node.certificate.epoch,
        "terminal": node.certificate.terminal,
        "encrypted": node.store.is_encrypted,
        "roster_version": node.roster.version,
        "cases": node.store.cases.counts_by_state(),
        "drafts": len(node.store.drafts.all()),
        "to_settle": cases.count_to_settle(node),
        "not_delivered": above.not_delivered if above else 0,
        "online": above.is_online if above else None,
        "since": iso(above.since_ms) if above else None,
        "calendar": _calendar(node),
        "neighbours": [_neighbour(one) for one in node_status.neighbours(node)],
        "waiting": trouble.waiting,
        "pending": [
            {
                "waits_for": row.waits_for,
                "name": row.name.decode("ascii", "replace")
                if row.waits_for in ("package", "roster")
                else row.name.hex(),
                **_entry(node, row),
            }
            for row in node.store.documents.all_pending(QUARANTINE_SHOWN)
        ],
        "quarantine": [
            {"cause": row.cause, "detail": row.detail, **_entry(node, row)}
            for row in node.store.documents.quarantine(QUARANTINE_SHOWN)
        ],
        "quarantined": trouble.set_aside,
        "forks": trouble.forks,
        "needs_upgrade": trouble.needs_upgrade,
        "clock_ahead_s": trouble.ahead_ms // 1000,
        "forked": [_forked(one) for one in forked_nodes(node)],
        "revoked": trouble.is_revoked,
        "may_write": not (trouble.is_stopped or trouble.is_revoked),
        "refusals": [
            {"at": iso(at_ms), "peer": peer.hex(), "cause": cause, "detail": detail}
            for at_ms, peer, cause, detail in node.store.refusals.newest(
                QUARANTINE_SHOWN
            )
        ],
        "digests": node_upkeep.scope_digests(node),
    }


def _calendar(node: Node) -> dict[str, Any]:
    reach = calendars.reach_of(node.calendar, node.today())
    return {
        "years": [table.year for table in node.calendar.tables],
        "provisional_from": reach.provisional_from.isoformat(),
        "missing_year": reach.missing_year or None,
    }


def _entry(node: Node, row: PendingRow | QuarantineRow) -> dict[str, Any]:
    """Return which entry it is that waits or is set aside."""
    case = node.store.cases.get(row.document)
    return {
        "case": row.document.hex(),
        "number": case.number if case else None,
        "author": row.author.hex(),
        "author_name": _author(node, row),
        "sequence": row.sequence,
        "at": iso(row.received_at_ms),
    }


def _author(node: Node, row: PendingRow | QuarantineRow) -> str:
    return labels.node_name(node.roster.latest(row.author), row.author)


def _forked(one: ForkedNode) -> dict[str, Any]:
    certificate = one.certificate
    return {
        "node": one.node.hex(),
        "name": certificate.name if certificate else None,
        "tier": certificate.tier if certificate else None,
        "division": certificate.division if certificate else None,
        "epoch": one.epoch,
        "epoch_now": certificate.epoch if certificate else None,
        "here": one.is_here,
        "healed": one.is_healed,
        "since": iso(one.since_ms),
        "parted": iso(one.parted_ms),
        "branches": [
            {
                "scope": side.scope,
                "entries": side.entries,
                "cases": side.cases,
                "first": iso(side.first_ms),
                "last": iso(side.last_ms),
            }
            for side in one.sides
        ],
    }


def _neighbour(one: Neighbour) -> dict[str, Any]:
    return {
        "node": one.certificate.node.hex(),
        "name": one.certificate.name,
        "tier": one.certificate.tier,
        "division": one.certificate.division,
        "terminal": one.certificate.terminal,
        "epoch": one.certificate.epoch,
        "above": one.is_above,
        "revoked": one.is_revoked,
        "last_try": iso(one.peer.last_try_at_ms),
        "last_result": one.peer.last_result,
        "last_success": iso(one.last_success_ms),
        "last_seen": iso(one.last_heard_ms),
        "failures": one.peer.failures,
        "waiting_out": {
            "entries": one.owed_entries,
            "cases": one.owed_cases,
            "oldest": iso(one.oldest_ms),
            "files": one.owed_files,
        },
        "packs": traffic_object(one.packs),
        "waiting_in": {
            "entries": one.missing_here,
            "oldest": iso(one.missing_since_ms),
            "files": one.missing_files,
        },
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
        f"草稿 {len(node.store.drafts.all())}",
    )
    above = node_status.above(node)
    if above:
        line("未送达上级", f"{above.not_delivered} 件")
    trouble = node_status.trouble(node)
    if trouble.is_revoked:
        line(labels.REVOKED_HERE)
    if above and trouble.ahead_ms:
        line(labels.clock_off(trouble.ahead_ms, above.name))
    reach = calendars.reach_of(node.calendar, node.today())
    line("工作日历", calendar_words.horizon(reach))
    missing = calendar_words.missing(reach, is_district=node.tier is Tier.DISTRICT)
    if missing:
        line("", missing)
    for one in node_status.neighbours(node):
        if one.is_revoked:
            line(f"  {desk_name(one.certificate)}", "已停用")
            continue
        # Who has never been tried has no result either.
        tried = one.peer.last_try_at_ms
        result = labels.word(labels.RESULTS, one.peer.last_result or "")
        last_try = f"{_moment(node, tried)} {result}" if tried else "从未"
        line(
            ("↑ " if one.is_above else "  ") + desk_name(one.certificate),
            f"上次尝试 {last_try}",
            f"上次成功 {_moment(node, one.last_success_ms)}",
            f"最近听到 {_moment(node, one.last_heard_ms)}",
            f"待发 {one.owed_entries} 条/{one.owed_cases} 件"
            + _oldest(node, one.oldest_ms),
            f"待收 {one.missing_here} 条" + _oldest(node, one.missing_since_ms),
            *labels.files_owed(one.owed_files, one.missing_files),
            *filter(None, [labels.their_clock(one.ahead_ms)]),
        )
        for words in stick_words.traffic(one.packs) if one.packs else ():
            line("    U 盘", words)
    line(
        f"待核对 {cases.count_to_settle(node)}  "
        f"等候 {trouble.waiting}  搁置 {trouble.set_aside}  分叉 {trouble.forks}  "
        f"拒收 {trouble.refusals}"
    )
    for at_ms, _, _, detail in node.store.refusals.newest(PRINTED):
        words = refusal_words.refusal(detail, node.roster)
        line("拒收", _moment(node, at_ms), words)
    if trouble.refusals > PRINTED:
        line("", f"更早的 {trouble.refusals - PRINTED} 处见 lianban status --json")
    if trouble.needs_upgrade:
        line(labels.UPGRADE_HERE)
    for fork in forked_nodes(node):
        line(
            "分叉",
            fork_words.name(fork),
            f"发现于 {_moment(node, fork.since_ms)}",
            fork_words.sides(fork, node.now_ms()),
            fork_words.state(fork),
        )
        line("", fork_words.advice(fork))
    for waits in node.store.documents.all_pending(PRINTED):
        line("等候", labels.waits_for(waits), *_entry_words(node, waits))
    for aside in node.store.documents.quarantine(PRINTED):
        cause = labels.word(labels.CAUSES, aside.cause)
        line("搁置", cause, *_entry_words(node, aside))


def _entry_words(node: Node, row: PendingRow | QuarantineRow) -> tuple[str, ...]:
    case = node.store.cases.get(row.document)
    return (
        f"办件 {case.number if case else row.document.hex() or '—'}",
        f"{_author(node, row)} 的第 {row.sequence} 条",
        f"{_moment(node, row.received_at_ms)} 收到",
    )


def _oldest(node: Node, since_ms: int | None) -> str:
    if since_ms is None:
        return ""
    age = times.span(node.now_ms() - since_ms)
    return f"（最早 {_moment(node, since_ms)}，已 {age}）"


def _moment(node: Node, at_ms: int | None) -> str:
    return times.moment(at_ms, node.now_ms()) if at_ms else "从未"
