"""`node peer`: with whom this node syncs directly, beside the node above."""

from typing import Any

import click

from node import peers
from node.desks import desk_name
from sync.identity import Certificate
from tui.commands.context import Context, json_option, line, show, tell


@click.group("peer", help="直接同步的邻居：同一处的另一台机器，或搬了地址的上级。")
def peer() -> None:
    """Group the commands about neighbours."""


@peer.command("add", help="从现在起也直接与它同步；它要在那个地址运行 serve。")
@click.argument("name")
@click.argument("address", metavar="主机:端口")
@click.pass_obj
def add(context: Context, name: str, address: str) -> None:
    """Visit a node of the roster at an address."""
    with context.node() as node:
        added = peers.add(node, name, address)
        called = desk_name(added)
    tell(f"已记下：与{called}在 {address} 直接同步。")


@peer.command("list", help="列出直接同步的邻居。")
@json_option
@click.pass_obj
def list_peers(context: Context, as_json: bool) -> None:
    """List whom this node visits by itself."""
    with context.node() as node:
        found = peers.visited(node)
        above = node.secrets.parent
    if as_json:
        show({"peers": [_peer(one, address, above) for one, address in found]})
        return
    for one, address in found:
        is_above = "上级" if one.node == above else ""
        line(desk_name(one), one.division, one.node.hex(), address, is_above)


@peer.command("remove", help="不再直接与它同步；已经收到的都留着。")
@click.argument("name")
@click.pass_obj
def remove(context: Context, name: str) -> None:
    """Visit a node no more."""
    with context.node() as node:
        removed = peers.remove(node, name)
        called = desk_name(removed)
    tell(f"不再与{called}直接同步。")


def _peer(one: Certificate, address: str, above: bytes) -> dict[str, Any]:
    return {
        "node": one.node.hex(),
        "name": one.name,
        "division": one.division,
        "terminal": one.terminal,
        "address": address,
        "above": one.node == above,
    }
