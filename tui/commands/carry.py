"""`carry out`, `carry in`: the stick."""

import re
import sys
from pathlib import Path
from typing import Any

import click

from node import carrying_in, carrying_out, peers, standing, status
from node.carrying_in import CarriedIn
from node.carrying_out import CarriedOut, Progress
from node.packs import Traffic
from sync.carry import Gap
from tui import labels, stick_words
from tui.commands.context import Context, json_option, line, show, tell

OK, FAILED, PARTLY, REFUSED = 0, 1, 3, 5

UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3}
_SIZE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?\s*([KMG]?)B?", re.IGNORECASE)


def _size(_context: click.Context, _option: click.Parameter, value: str) -> int:
    """Return a number of bytes as people write it: 1900000000, 700M, 1.9G."""
    found = _SIZE.fullmatch(value.strip())
    if not found:
        raise click.UsageError("--volume-size 写得不对：如 700M、1.9G。")
    unit = UNITS[found[3].upper()]
    size_bytes = int(found[1]) * unit
    size_bytes += int((found[2] or "0").ljust(3, "0")) * unit // 1000
    if size_bytes < carrying_out.LEAST_VOLUME_BYTES:
        raise click.UsageError("--volume-size 太小了：至少 16K。")
    return size_bytes


@click.group("carry", help="用 U 盘与别的站点来往：没有网络也能办。")
def carry() -> None:
    """Group the commands of the stick."""


@carry.command("out", help="把对方还没签收的都拷到 DIR（U 盘上的文件夹）。")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--to", "peer", required=True, help="对方的名称、区划代码或节点号。")
@click.option(
    "--volume-size",
    metavar="SIZE",
    callback=_size,
    default="1.9G",
    show_default=True,
    help="每个文件最大多少，如 700M；最小 16K。",
)
@json_option
@click.pass_obj
def out(
    context: Context, folder: Path, peer: str, volume_size: int, as_json: bool
) -> int:
    """Write a pack for a neighbour."""
    with context.node() as node:
        made = carrying_out.carry_out(
            node,
            folder,
            peers.find_neighbour(node, peer),
            volume_bytes=volume_size,
            on_progress=None if as_json else _progress("已写"),
        )
    if as_json:
        show(_out_object(made))
    else:
        _clear()
        for one in made.volumes:
            line(str(folder / one.name), labels.size(one.size_bytes))
        for words in stick_words.carried_out(made):
            tell(words)
        tell("拔出以前，请先在系统里弹出 U 盘。")
    return OK if made.is_all else PARTLY


@carry.command("in", help="收下 DIR（U 盘上的文件夹）里给本站点的，并把回执写上去。")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--no-answer", is_flag=True, help="只收，不往 U 盘上写回执。")
@json_option
@click.pass_obj
def in_(context: Context, folder: Path, no_answer: bool, as_json: bool) -> int:
    """Take in what a stick has brought."""
    with context.node() as node:
        before = status.above(node)
        came = carrying_in.carry_in(
            node,
            folder,
            with_answers=not no_answer,
            on_progress=None if as_json else _progress("已读"),
        )
        arrived = stick_words.arrived(node.certificate, before, status.above(node))
        roster = node.roster
        is_put_out = standing.is_revoked_here(node)
    if as_json:
        show(_in_object(came, roster.latest))
    else:
        _clear()
        for words in stick_words.carried_in(came, roster.latest, arrived):
            tell(words)
        if is_put_out:
            tell(labels.REVOKED_HERE)
    return verdict(came)


def verdict(came: CarriedIn) -> int:
    """Return what `carry in` exits with.

    What lies there for others is no fault, unless there is nothing else.
    """
    is_odd = bool(came.faults or came.newer or came.waiting or came.trouble)
    if not came.senders:
        if came.faults or came.newer or came.for_others:
            return REFUSED
        return FAILED
    is_odd |= any(
        one.refused or any(gap.is_open for gap in one.missing) for one in came.senders
    )
    is_odd |= any(one.answer and not one.answer.is_all for one in came.senders)
    return PARTLY if is_odd else OK


def traffic_object(packs: Traffic | None) -> dict[str, Any] | None:
    """Return what `status --json` says of the packs between us and a neighbour."""
    if packs is None:
        return None
    return {
        "in": {
            "highest": packs.highest,
            "missing": [_gap_object(one) for one in packs.missing],
        },
        "out": {
            "last": packs.last_made.pack if packs.last_made else 0,
            "not_acknowledged": [one.pack for one in packs.made],
            "lost": [_gap_object(one) for one in packs.lost],
        },
    }


def _progress(word: str) -> Any:
    """Return what shows at a terminal how far it is; None where there is none."""
    if not sys.stderr.isatty():
        return None

    def tell_progress(progress: Progress) -> None:
        of = f" / {labels.size(progress.of_bytes)}" if progress.of_bytes else ""
        done = labels.size(progress.done_bytes)
        click.echo(f"\r{word} {done}{of}\033[K", nl=False, err=True)

    return tell_progress


def _clear() -> None:
    """Take away how far it was, before the result is said."""
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)


def _out_object(made: CarriedOut) -> dict[str, Any]:
    return {
        "peer": made.peer.node.hex(),
        "name": made.peer.name,
        "pack": made.pack,
        "volumes": [
            {"name": one.name, "bytes": one.size_bytes} for one in made.volumes
        ],
        "entries": made.entries,
        "cases": made.cases,
        "files": made.files,
        "all": made.is_all,
        "replaced": list(made.replaced),
        "lost": [_gap_object(one) for one in made.lost],
    }


def _in_object(came: CarriedIn, name: stick_words.NAME) -> dict[str, Any]:
    return {
        "senders": [
            {
                "node": one.sender.node.hex(),
                "name": one.sender.name,
                "packs": list(one.packs),
                "bundles": one.bundles,
                "entries": one.entries,
                "files": one.files,
                "refused": list(one.refused),
                "missing": [_gap_object(gap) for gap in one.missing],
                "lost": [_gap_object(gap) for gap in one.lost],
                "answer": _out_object(one.answer) if one.answer else None,
                "answered": one.is_answered or one.answer is not None,
            }
            for one in came.senders
        ],
        "for_others": [
            {
                "sender": other.sender.hex(),
                "recipient": other.recipient.hex(),
                "recipient_name": _name(name, other.recipient),
                "files": other.files,
            }
            for other in came.for_others
        ],
        "own_files": came.own_files,
        "newer": [sender.hex() for sender in came.newer],
        "faults": [
            {"file": one.file, "why": one.why, "count": one.count}
            for one in came.faults
        ],
        "waiting": came.waiting,
        "other_files": came.others,
        "passed": came.passed,
        "trouble": came.trouble.why if came.trouble else None,
    }


def _name(name: stick_words.NAME, node: bytes) -> str | None:
    known = name(node)
    return known.name if known else None


def _gap_object(gap: Gap) -> dict[str, Any]:
    return {
        "pack": gap.pack,
        "last_pack": gap.last_pack,
        "volume": gap.volume or None,
        "last_volume": gap.last_volume or None,
        "cut": gap.is_cut,
        "filled_by": gap.filled_by or None,
        "open": gap.is_open,
    }
