"""A forked node in words: which, since when, what each side has, what to do. Pure.

For `lianban status` and the screen of the neighbours alike.
"""

from collections.abc import Sequence

from node.fork_report import ForkedNode, Side
from tui import labels, times

SCOPES_SHOWN = 2
NAMES = "甲乙丙丁戊己庚辛壬癸"


def name(one: ForkedNode) -> str:
    """Return what the node is called."""
    return labels.node_name(one.certificate, one.node)


def state(one: ForkedNode) -> str:
    """Return in a few words whether it still needs anybody."""
    if one.is_healed and one.certificate:
        return f"已重新入网（第 {one.certificate.epoch} 期）"
    return "本站点已停写" if one.is_here else "要处理"


def sides(one: ForkedNode, now_ms: int) -> str:
    """Return what each side has written since they parted."""
    scopes = list(dict.fromkeys(side.scope for side in one.sides))
    if not scopes:
        return "只留了证据，没有留内容"
    texts = [
        _of_scope([side for side in one.sides if side.scope == scope], now_ms)
        for scope in scopes[:SCOPES_SHOWN]
    ]
    if len(scopes) > 1:
        texts = [f"{scope} {text}" for scope, text in zip(scopes, texts, strict=False)]
    more = f"；另有 {len(scopes) - len(texts)} 处" if len(scopes) > len(texts) else ""
    return "；".join(texts) + more


def advice(one: ForkedNode) -> str:
    """Return what has happened and what to do about it."""
    if one.is_healed:
        return "两份写过的都收下了，能照常办；已经重新入网，不用再管。"
    if one.is_here:
        return (
            "本站点的数据被复制过，两份都在写，所以先停写；查看和填草稿照常。"
            "请向上级要一个本站点的邀请码，运行 lianban rejoin 邀请码。"
        )
    return (
        "它的数据被复制过，两份都在写；写过的都收下了，能照常办。请打电话去问："
        "不用的那份不要再开；要用的，每份给一个邀请码，在那里运行 lianban rejoin。"
    )


def _of_scope(found: Sequence[Side], now_ms: int) -> str:
    return "，".join(
        f"{label}份 {side.entries}条{side.cases}件"
        f"（{times.moment(side.first_ms, now_ms)}起）"
        for label, side in zip(NAMES, found, strict=False)
    )
