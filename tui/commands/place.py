"""`init`, `invite`, `join`, `rejoin`, `node`, `serve`, `sync`, `demo`: the nodes."""

import signal
import sys
from typing import Any

import click

from node import clock_check, enrol, old_names, peers, roster, talk, waiting
from node import rejoin as node_rejoin
from node.desks import desks_of
from node.logs import log_to
from node.service import Background
from node.serving import Server
from node.wiring import Node
from sync.identity import Certificate, fingerprint_words
from tui import labels, refusal_words
from tui.commands import neighbours
from tui.commands.context import Context, confirm, json_option, line, show, tell
from tui.text import harmless

REFUSALS_SHOWN = 20
TIERS = click.Choice(["district", "town", "village"])


@click.command("init", help="建立区级节点，同时生成全区的根密钥。")
@click.option("--tier", type=click.Choice(["district"]), default="district")
@click.option("--division", required=True, help="12 位区划代码，如 330881000000。")
@click.option("--name", required=True, help="名称，如 江山市。")
@click.option(
    "--plain", is_flag=True, help="不加密数据库（仅在没有加密组件的机器上）。"
)
@click.pass_obj
def init(context: Context, tier: str, division: str, name: str, plain: bool) -> None:
    """Make a district."""
    assert tier == "district"
    node = enrol.init_district(
        context.path,
        division=division,
        name=name,
        operator=context.operator,
        password=context.password(is_new=True),
        is_plain=plain,
    )
    _introduce(node)


@click.command("invite", help="给一个镇或村节点开邀请码（一次有效，24 小时）。")
@click.option("--tier", type=TIERS, required=True)
@click.option("--division", required=True, help="12 位区划代码。")
@click.option("--department", default="", help="部门（区级部门节点用）。")
@click.option("--name", required=True, help="名称，如 三江口村。")
@click.option(
    "--address",
    help="新节点到哪里找本节点（主机:端口）；不给时用 serve 最近一次的地址。",
)
@json_option
@click.pass_obj
def invite(
    context: Context,
    tier: str,
    division: str,
    department: str,
    name: str,
    address: str | None,
    as_json: bool,
) -> None:
    """Print an enrolment code."""
    with context.node() as node:
        known = node.store.registry.setting(enrol.ADDRESS_SETTING)
        if not address and not known:
            raise click.UsageError(
                "还不知道本节点的地址：请先运行 serve，或用 --address 主机:端口。"
            )
        code = enrol.invite(
            node,
            tier=tier,
            division=division,
            department=department,
            name=name,
            address=address or (known or b"").decode(),
        )
    if as_json:
        show({"code": code})
    else:
        click.echo(code)
        tell("把这一行交给对方，在那台机器上运行 lianban join。24 小时内一次有效。")


@click.command("join", help="用邀请码加入：生成本节点的密钥，取得证书。")
@click.argument("code")
@click.option(
    "--plain", is_flag=True, help="不加密数据库（仅在没有加密组件的机器上）。"
)
@click.pass_obj
def join(context: Context, code: str, plain: bool) -> None:
    """Make the node that a code invites."""
    node = enrol.join(
        context.path,
        code,
        operator=context.operator,
        password=context.password(is_new=True),
        is_plain=plain,
    )
    _introduce(node)


@click.command(
    "rejoin",
    help="数据被复制过、或从备份恢复后写不了时：用上级给的新邀请码重新入网，"
    "密钥和数据都不变。区级站点不用邀请码。",
)
@click.argument("code", default="")
@json_option
@click.pass_obj
def rejoin(context: Context, code: str, as_json: bool) -> None:
    """Begin the next epoch of this node."""
    with context.node() as node:
        is_root = bool(node.secrets.root_key)
        before = [draft.document for draft in node.store.drafts.all()]
        if bool(code) == is_root:
            raise click.UsageError(
                "区级站点不用邀请码：lianban rejoin。"
                if is_root
                else "请向上级要一个本站点的邀请码：lianban rejoin 邀请码。"
            )
        mine = (
            node_rejoin.rejoin_district(node)
            if is_root
            else node_rejoin.rejoin(node, code)
        )
        renamed = [one for one in old_names.old_names(node) if one.was in before]
    if as_json:
        show(
            {
                "node": mine.node.hex(),
                "epoch": mine.epoch,
                "terminal": mine.terminal,
                "drafts": [
                    {"was": one.was.hex(), "now": one.now.hex(), "number": one.number}
                    for one in renamed
                ],
            }
        )
        return
    tell(
        f"{mine.name} 已重新入网（第 {mine.epoch} 期），可以照常办理了。"
        f"以后的办件编号用 {mine.terminal:02d} 号终端，不会与另一份重号。"
    )
    if renamed:
        tell("草稿都在，编号换成了新的，用原来的编号也找得到：")
        for one in renamed:
            tell(
                f"  {one.was.hex()[:12]}（{one.was_number}） → "
                f"{one.now.hex()[:12]}（{one.number}）"
            )
    tell("两份都要继续用的，另一份也要各用一个邀请码 rejoin；不用的请不要再打开。")
    if not is_root:
        tell("接着运行 lianban sync，把还没上报的送上去。")


@click.group("node", help="名册：谁在本系统里。")
def node_group() -> None:
    """Group the commands about nodes."""


@node_group.command("list", help="列出名册里的节点。")
@json_option
@click.pass_obj
def node_list(context: Context, as_json: bool) -> None:
    """List all nodes that are known here."""
    with context.node() as node:
        known = node.roster
    rows = [_certificate(known.is_revoked(c.node), c) for c in known.everyone()]
    if as_json:
        show({"version": known.version, "nodes": rows})
        return
    for row in rows:
        line(
            row["division"],
            labels.TIERS[row["tier"]],
            row["name"],
            f"{row['terminal']}号机",
            row["node"],
            "已停用" if row["revoked"] else "",
        )


@node_group.command("show", help="查看一个节点的证书和指纹。")
@click.argument("name")
@json_option
@click.pass_obj
def node_show(context: Context, name: str, as_json: bool) -> None:
    """Show one node by id, division or name."""
    with context.node() as node:
        certificate = peers.find_neighbour(node, name)
        row = _certificate(node.roster.is_revoked(certificate.node), certificate)
    if as_json:
        show(row)
        return
    line(row["name"], labels.TIERS[row["tier"]], row["division"])
    line("指纹", fingerprint_words(certificate.node))
    line("TLS", certificate.tls_fingerprint.hex())


@node_group.command("revoke", help="停用一个站点：它以后写的都不算数（只有区里能办）。")
@click.argument("name")
@click.option("--reason", required=True, help="为什么停用，记入审计。")
@click.option("--yes", is_flag=True, help="不再询问。")
@click.pass_obj
def node_revoke(context: Context, name: str, reason: str, yes: bool) -> int:
    """Let nothing count that a node writes from now on."""
    with context.node() as node:
        who = peers.find_neighbour(node, name)
        desks = desks_of(node.roster, who.node)
        called = f"{labels.desk_names(desks)}（{who.division}，{who.node.hex()[:16]}）"
        if len(desks) > 1:
            called += "。这些机器出自同一份数据，是同一个站点号，只能一起停用"
        if not (yes or confirm(f"停用{harmless(called)}。停用后不能撤回，确定停用吗")):
            tell("没有停用，什么也没有改动。")
            return 130
        roster.revoke(node, who, reason)
    tell(f"已停用{called}。区里已经收到的都留着；各站点同步后就不再收它的。")
    if len(desks) > 1:
        tell("其中还要用的，由区里给它一个新邀请码，在那里运行 lianban rejoin。")
    return 0


@click.command("serve", help="只运行同步服务（不开界面）：接受下级，定时与上级同步。")
@click.option(
    "--listen",
    default="127.0.0.1:8443",
    show_default=True,
    help="监听的主机:端口；端口 0 表示任选。",
)
@click.option("--address", help="告诉下级的地址，不同于监听地址时用。")
@click.option("--no-sync", is_flag=True, help="只接受，不主动同步。")
@json_option
@click.pass_obj
def serve(
    context: Context, listen: str, address: str | None, no_sync: bool, as_json: bool
) -> None:
    """Serve until a signal comes."""
    host, port = _host_and_port(listen)
    with context.node() as node, node.home.sole_server() as is_ours:
        if not is_ours:
            raise click.UsageError("本目录的节点已经有一个服务在运行。")
        log_to(node.home.log)
        # uvicorn raises the signal again when it has ended; the rest must go on.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        server = Server(node, host, port)
        reachable = address or server.address
        with node.store.transaction():
            node.store.registry.set_setting(enrol.ADDRESS_SETTING, reachable.encode())
        background = Background(node)
        if not no_sync:
            background.start()
        if as_json:
            show({"listening": server.address, "node": node.id.hex()})
        else:
            name = node.certificate.name
            tell(f"{name} 正在 {server.address} 提供同步服务，Ctrl-C 结束。")
        sys.stdout.flush()
        try:
            server.run()
        finally:
            background.stop()


@click.command("sync", help="现在与上级（或 --peer）同步一次。")
@click.option(
    "--peer", default="", help="对方的名称、区划代码或节点号（见 node list）。"
)
@json_option
@click.pass_obj
def sync(context: Context, peer: str, as_json: bool) -> int:
    """Exchange until neither side owes anything."""
    with context.node() as node:
        neighbour = peers.find_neighbour(node, peer)
        client = peers.client_for(node, neighbour)
        is_terminal = sys.stderr.isatty() and not as_json

        def progress(report: talk.Report) -> None:
            if is_terminal:
                files = labels.files_moved(report.pieces_out, report.pieces_in)
                words = f"\r发 {report.sent} 收 {report.received}{files}"
                click.echo(words, nl=False, err=True)

        try:
            report = talk.sync_over(node, neighbour, client.exchange, progress)
            waiting.retry_if_news(node)
        finally:
            client.close()
            if is_terminal:
                click.echo("\r\033[K", nl=False, err=True)
        known = node.roster
        ahead_ms = -clock_check.ahead_ms(node, neighbour.node)
    if as_json:
        show(
            {
                "peer": report.peer.hex(),
                "requests": report.requests,
                "bytes_out": report.bytes_out,
                "bytes_in": report.bytes_in,
                "sent": report.sent,
                "received": report.received,
                "pieces_out": report.pieces_out,
                "pieces_in": report.pieces_in,
                "refused": list(report.refused),
                "clock_ahead_s": ahead_ms // 1000,
            }
        )
    else:
        tell(
            f"与{neighbour.name}同步完成："
            f"发 {report.sent} 条，收 {report.received} 条"
            f"{labels.files_moved(report.pieces_out, report.pieces_in)}，"
            f"{report.requests} 次请求，{report.bytes_out + report.bytes_in} 字节。"
        )
        if ahead_ms:
            tell(f"注意：{labels.clock_off(ahead_ms, neighbour.name)}。")
        said = dict.fromkeys(
            refusal_words.refusal(one, known) for one in report.refused
        )
        for words in list(said)[:REFUSALS_SHOWN]:
            tell(words)
        if report.refused:
            tell("每一处都记在 lianban status 里。")
    return 3 if report.refused else 0


@click.command("demo", help="在本机上搭起村、镇、区三个节点和样例数据，走一遍全程。")
@click.option("--walk", is_flag=True, help="只走一遍，不开界面。")
@click.option("--cases", default=200, show_default=True, help="样例办件数。")
@json_option
def demo(walk: bool, cases: int, as_json: bool) -> int:
    """Show a case going up three tiers and its answer coming home."""
    from tui.demo import run_demo

    return run_demo(count=cases, only_walk=walk, as_json=as_json)


node_group.add_command(neighbours.peer)


def _introduce(node: Node) -> None:
    certificate = node.certificate
    node.close()
    tell(
        f"已建立{labels.TIERS[certificate.tier]}级节点 {certificate.name}"
        f"（{certificate.division}）。"
    )
    tell(f"节点指纹：{fingerprint_words(certificate.node)}")
    if node.keys.is_plain:
        tell("注意：本节点的数据库没有加密。")
    if not node.secrets.root_key:
        tell("接着运行 lianban sync，取得名册和事项目录。")


def _certificate(is_revoked: bool, certificate: Certificate) -> dict[str, Any]:
    return {
        "node": certificate.node.hex(),
        "name": certificate.name,
        "tier": certificate.tier,
        "division": certificate.division,
        "department": certificate.department,
        "epoch": certificate.epoch,
        "terminal": certificate.terminal,
        "rights": list(certificate.rights),
        "revoked": is_revoked,
    }


def _host_and_port(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise click.UsageError(f"--listen 要写成 主机:端口，而不是 {listen}")
    return host.strip("[]"), int(port)
