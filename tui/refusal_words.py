"""What was not taken of what a peer sent, in Chinese: what, whose, why, what now. Pure.

`sync` and `node` keep their own sentences for programmers; a person never sees one,
since it may hold anything, in any language. Whatever the tables do not know is said
in general words.
"""

import re
from dataclasses import dataclass

from sync.identity import Roster
from tui import labels

THINGS: dict[str, str] = {
    "vector": "签收单",
    "entries": "一段记录",
    "stream": "一段记录",
    "checkpoint": "一段记录",
    "chunk": "一段记录",
    "attachment": "一份材料",
    "branch": "两份数据的证据",
    "roster": "名册",
    "certificate": "证书",
    "bundle": "数据包",
}
"""The first word of a sentence of ours, and what it is called here."""

AGAIN = "不影响别的办件；请对方再同步一次"
ASK = "不影响别的办件；还有的话，请告诉区里"

WHYS: tuple[tuple[str, str, str], ...] = (
    (
        "acknowledges another history",
        "它签收的与本机的不是同一份历史，那边的数据可能被复制过或恢复过",
        "办件都在；请看“两份数据”，没有的话请告诉区里",
    ),
    (
        "two histories",
        "同一个站点写出了两份历史，它的数据可能被复制过",
        "请看“两份数据”怎么办",
    ),
    (
        "too many histories",
        "同一个站点写出的历史太多，不像是复制造成的",
        "请告诉区里",
    ),
    ("has been revoked", "那个站点已被停用", "不用管；要用请找区里"),
    ("newer format", "它的程序比本机新", "请升级本机的程序，升级后会再传一次"),
    ("is not enrolled", "名册里还没有它", "同步到新的名册后会再传一次"),
    ("issuer", "给它发证书的站点不对", ASK),
    ("does not share", "不归双方共管的地方", ASK),
    ("is not shared", "不归双方共管的地方", ASK),
    ("may not publish", "它无权发给全区", ASK),
    ("signature", "签名不符", AGAIN),
    ("our key", "用本机的密钥打不开", AGAIN),
    ("not what was named", "传来的内容与登记的不符", AGAIN),
    ("too large", "太大", ASK),
    ("cut off", "不完整", AGAIN),
    ("out of limits", "写得不合规定", ASK),
    ("encoding", "写得不合规定", ASK),
    ("cannot be decoded", "写得不合规定", ASK),
)
"""A part of a sentence of ours, why in Chinese, and what to do."""

_NODE = re.compile(r"\b[0-9a-f]{16}(?:[0-9a-f]{16})?\b")
_SCOPE = re.compile(r"\b[0-9]{12}(?:\+[0-9]{12})*\b")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not taken, why, and what to do now, each in words."""

    what: str
    why: str
    onward: str


def refusal(detail: str, roster: Roster) -> str:
    """Return `没有收下三江口村的签收单：签名不符。`, and what to do."""
    one = told(detail, roster)
    return f"没有收下{one.what}：{one.why}。{one.onward}。"


def told(detail: str, roster: Roster) -> Refusal:
    """Return what a sentence of ours says of something that was not taken."""
    thing = THINGS.get(detail.partition(" ")[0].rstrip(":"), "一处内容")
    why, onward = next(
        ((why, onward) for part, why, onward in WHYS if part in detail),
        ("不合规定", ASK),
    )
    what = f"{_whose(detail, roster)}{thing}{_where(detail, roster)}"
    return Refusal(what, why, onward)


def _whose(detail: str, roster: Roster) -> str:
    named = _NODE.search(detail)
    if named is None or detail.startswith("attachment"):
        return ""
    return f"{labels.author_name(roster, named[0])}的"


def _where(detail: str, roster: Roster) -> str:
    """Return which place's cases it is about, where that is said."""
    scope = _SCOPE.search(detail)
    if scope is None:
        return ""
    names = {one.division: one.name for one in roster.everyone()}
    places = "、".join(names.get(one, one) for one in scope[0].split("+"))
    return f"（关于{places}的办件）"
