"""The Chinese words of everything that is stored as an English one. Pure tables.

Screens and the command line both take their words from here, so that one thing has
one name. Whole sentences about errors stand in `tui.messages`.
"""

from collections.abc import Mapping

from forms.item import Tier
from node.cases import MARK_CHANGED, MARK_CONFLICT, MARK_DISPUTED
from node.lifecycle import State, Step
from node.status import Above, Arrival
from sync.identity import Certificate
from tui import times

STATES: dict[str, str] = {
    State.DRAFT: "草稿",
    State.SUBMITTED: "待受理",
    State.RETURNED: "退回补正",
    State.ACCEPTED: "已受理",
    State.FORWARDED: "已转区",
    State.GRANTED: "准予",
    State.REFUSED: "不予",
    State.DELIVERED: "已办结",
    State.WITHDRAWN: "已撤回",
}
"""A delivered case is 已办结: 未送达 is kept for what has not travelled yet."""

STEPS: dict[str, str] = {
    Step.SUBMIT: "提交",
    Step.AMEND: "修改",
    Step.RETURN: "退回补正",
    Step.ACCEPT: "受理",
    Step.FORWARD: "转区",
    Step.GRANT: "准予",
    Step.REFUSE: "不予",
    Step.DELIVER: "送达申请人",
    Step.WITHDRAW: "撤回",
}

TIERS: dict[str, str] = {Tier.VILLAGE: "村", Tier.TOWN: "镇", Tier.DISTRICT: "区"}

DESKS: dict[str, str] = {
    Tier.VILLAGE: "工作台",
    Tier.TOWN: "收件箱",
    Tier.DISTRICT: "审批台",
}

MARKS: dict[str, str] = {
    MARK_CONFLICT: "两处填得不同",
    MARK_DISPUTED: "有一步没生效",
    MARK_CHANGED: "受理后又改过",
}
"""What a person must look at in a case."""

REFUSALS: dict[str, str] = {
    "state": "按现在的状态不能这样办",
    "tier": "这一步不归本级办",
    "reason": "没有写原因",
    "not-forwarded": "要先转到区里才能决定",
    "decided-here": "这个事项在镇里决定，不用转区",
}
"""Keys of `node.rights.REFUSALS`."""

CAUSES: dict[str, str] = {
    "author": "署名与签发的站点不符",
    "shape": "内容的结构不对",
    "scope": "不属于该站点的范围",
    "event": "办理步骤写得不对",
    "right": "该站点无权办这一步",
    "step": "当时的状态不能办这一步",
    "field": "填写的内容与表单不符",
    "depends": "前面有一步被搁置",
    "dropped": "内容没有一起传来",
    "kind": "种类不对",
    "revoked": "该站点当时已被停用",
    "duplicate": "同一序号写了两次",
    "sequence": "中间缺少一步",
    "damaged": "数据损坏",
    "too-large": "超过大小限制",
    "not-allowed": "含有不允许的内容",
    "library": "文档库读不了",
    "schema": "数据的类型不对",
    "backstop": "检查用时或内存过大，请报区里",
    "roster": "名册的一步不成立",
    "certificate": "证书不成立",
    "publication": "事项表单不能用",
    "batch": "批次清单读不了",
}
"""Why an entry is set aside 搁置."""

RESULTS: dict[str, str] = {
    "": "没有试过",
    "ok": "成功",
    "unreachable": "连不上",
    "refused": "对方拒绝",
    "not-trusted": "对方身份或数据不可信",
    "failed": "没有成功",
}
"""How a sync ended."""

HERE, AT_TOWN, AT_DISTRICT = "▲未送达", "●已到镇", "✓已到区"
ONLINE_FOR_MS = 10 * times.MINUTE_MS
"""An older success says nothing about the line as it is now."""


def word(table: Mapping[str, str], key: str) -> str:
    """Return the Chinese word; what a later version may bring is `未知`."""
    return table.get(key, "未知")


def arrival(known: Arrival | None) -> str:
    """Return how far this node's work in a case has come; "" where it has none."""
    if known is None or (known.town_ms is None and known.district_ms is None):
        return ""
    if known.district_ms:
        return AT_DISTRICT
    return AT_TOWN if known.town_ms else HERE


def line_up(above: Above | None, now_ms: int) -> str:
    """Return the state of the line upward in two words; "" at the district."""
    if above is None:
        return ""
    if above.is_online is None:
        return "还没同步过"
    if not above.is_online:
        since_ms = above.since_ms
        if not since_ms or now_ms - since_ms < times.MINUTE_MS:
            return "刚离线"
        return f"离线 {times.span(now_ms - since_ms)}"
    at_ms = above.last_success_ms or 0
    if now_ms - at_ms > ONLINE_FOR_MS:
        return f"上次同步 {times.ago(at_ms, now_ms)}"
    return f"在线 {times.ago(at_ms, now_ms)}"


def short_number(number: str) -> str:
    """Return the part of a case number 办件编号 by which a list tells cases apart.

    `261121-00037`: the day, then count and check character, by which it is found; a
    second terminal at the same place is named between them.
    """
    if len(number) != 25:
        return number
    terminal = "" if number[18:20] == "01" else f"{number[18:20]}-"
    return f"{number[12:18]}-{terminal}{number[20:]}"


def node_name(certificate: Certificate | None, node: bytes) -> str:
    """Return the name of a place; a node that is not in the roster by its number."""
    return certificate.name if certificate else f"未登记站点 {node.hex()[:8]}"


def size(size_bytes: int) -> str:
    """Return `382 KB`, `1.2 MB`."""
    if size_bytes < 1024:
        return f"{size_bytes} 字节"
    if size_bytes < 1024 * 1024:
        return f"{size_bytes / 1024:.0f} KB"
    return f"{size_bytes / 1024 / 1024:.1f} MB"
