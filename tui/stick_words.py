"""Packs, volumes and what is lacking of them, in Chinese words. Pure."""

from collections.abc import Callable, Iterable

from node.carrying_in import CarriedIn, Fault, FromOne
from node.carrying_out import CarriedOut
from node.packs import Traffic
from node.status import Above
from sync.carry import Gap
from sync.identity import Certificate
from tui import labels
from tui.messages import sentence
from tui.text import harmless

FAULTS: dict[str, str] = {
    "damaged": "有坏的地方，坏的没有收",
    "cut": "不完整，后面没有了",
    "not-trusted": "不可信，没有收",
    "unreadable": "读不出来",
}
"""What is wrong with a file on a stick."""

SHOWN_NAME_CELLS = 60
SHOWN_LINES = 20

NAME = Callable[[bytes], Certificate | None]
"""Looks a node up in the roster."""


def gap(one: Gap) -> str:
    """Return `缺 第 2 包；内容已由第 3 包补上`."""
    if not one.volume:
        what = f"缺 第 {_span(one.pack, one.last_pack)} 包"
    elif one.is_cut:
        what = f"第 {one.pack} 包第 {one.volume} 卷不完整"
    elif not one.last_volume:
        what = f"第 {one.pack} 包缺第 {one.volume} 卷和后面的卷"
    else:
        what = f"第 {one.pack} 包缺第 {_span(one.volume, one.last_volume)} 卷"
    if one.filled_by:
        return f"{what}；内容已由第 {one.filled_by} 包补上"
    return f"{what}；内容已经到了" if one.is_settled else f"{what}；还没补上"


def traffic(packs: Traffic) -> list[str]:
    """Return what is to be said of the packs between us and a peer."""
    said = []
    if packs.highest:
        said.append(f"来包到第 {packs.highest} 包")
    said += [gap(one) for one in packs.missing[:SHOWN_LINES]]
    if packs.made:
        numbers = "、".join(str(one.pack) for one in packs.made[-SHOWN_LINES:])
        said.append(f"拷给它的第 {numbers} 包还没签收")
    elif packs.last_made:
        said.append(f"拷给它的到第 {packs.last_made.pack} 包")
    said += [f"对方{gap(one)}" for one in packs.lost[:SHOWN_LINES]]
    return said


def carried_out(made: CarriedOut) -> list[str]:
    """Return what was written, and what else there is to know."""
    said = [
        f"已拷给{harmless(made.peer.name)}：第 {made.pack} 包，"
        f"{len(made.volumes)} 卷，{labels.size(made.size_bytes)}，{_brings(made)}。"
    ]
    if not made.is_all:
        said.append("U 盘放不下全部：其余的等对方签收后，再拷一次。")
    if made.replaced:
        said.append(f"U 盘上旧的第 {_listed(made.replaced)} 包由它代替，已经删掉。")
    said += [f"对方{gap(one)}。" for one in made.lost[:SHOWN_LINES]]
    return said


def arrived(mine: Certificate, before: Above | None, now: Above | None) -> str:
    """Return `2 件已到镇`, where acknowledgements have come home; ""."""
    if before is None or now is None or now.not_delivered >= before.not_delivered:
        return ""
    above = {"village": "镇", "town": "区"}.get(mine.tier, "上级")
    return f"{before.not_delivered - now.not_delivered} 件已到{above}"


def carried_in(came: CarriedIn, name: NAME, arrived: str = "") -> list[str]:
    """Return what a stick has brought, line by line; what was wrong comes last.

    `arrived` says what is known to have come to the node above by it.
    """
    said: list[str] = []
    for one in came.senders:
        said += _from_one(one)
    if arrived:
        said.append(f"带回了回执：{arrived}。")
    for other in came.for_others:
        whose = _place(name, other.sender) if other.sender else ""
        for_whom = _place(name, other.recipient) if other.recipient else "未登记站点"
        said.append(
            f"有{whose}给{for_whom}的 {other.files} 个文件，"
            "不是给本站点的，没有打开；请带给收件的站点。"
        )
    for sender in came.newer:
        whose = harmless(labels.node_name(name(sender), sender))
        said.append(
            f"{whose}的程序比本机新，有读不懂的数据包：没有打开，原样留着。"
            "请升级本机的程序，升级后会自动再试。"
        )
    if came.waiting:
        said.append(f"有 {came.waiting} 个数据包要等前面的，先留着，到齐了自动收。")
    said += [fault(one) for one in came.faults[:SHOWN_LINES]]
    if came.own_files:
        said.append(f"本站点自己拷出的 {came.own_files} 个文件还在上面。")
    if came.others or came.passed:
        said.append(_left_alone(came))
    if came.trouble:
        said.append(sentence(came.trouble))
    if not (came.senders or came.for_others or came.newer or came.faults):
        said.append("这里没有给本站点的数据包。没有改动；请核对是不是这个 U 盘。")
    return said


def fault(one: Fault) -> str:
    """Return what is wrong with a file."""
    times = f"（{one.count} 处）" if one.count > 1 else ""
    file = harmless(one.file, width=SHOWN_NAME_CELLS)
    return f"文件 {file}：{labels.word(FAULTS, one.why)}{times}。"


def _place(name: NAME, node: bytes) -> str:
    return harmless(labels.node_name(name(node), node))


def _brings(made: CarriedOut) -> str:
    """Return `带 3 件 12 条、2 份材料`."""
    parts = []
    if made.entries:
        parts.append(f"{made.cases} 件 {made.entries} 条")
    if made.files:
        parts.append(f"{made.files} 份材料")
    return f"带 {'、'.join(parts)}" if parts else "只有回执"


def _from_one(one: FromOne) -> list[str]:
    parts = [f"{one.entries} 条"] if one.entries else []
    if one.files:
        parts.append(f"{one.files} 份材料")
    brought = f"新收 {'、'.join(parts)}" if parts else "没有新的"
    said = [f"{harmless(one.sender.name)}：第 {_listed(one.packs)} 包，{brought}。"]
    said += [f"　{gap(each)}。" for each in one.missing[:SHOWN_LINES]]
    said += [f"　对方{gap(each)}。" for each in one.lost[:SHOWN_LINES]]
    if one.refused:
        said.append(f"　有 {len(one.refused)} 处没有收，原因见 lianban status。")
    if one.answer:
        said.append(
            f"　回执已写到 U 盘：第 {one.answer.pack} 包，{_brings(one.answer)}。"
        )
        if not one.answer.is_all:
            said.append("　U 盘放不下全部：其余的等对方签收后，再拷一次。")
    elif one.is_answered:
        said.append("　不用再写回执：该说的都已经在 U 盘上，或对方已经知道。")
    return said


def _left_alone(came: CarriedIn) -> str:
    parts = [f"别的文件 {came.others} 个"] if came.others else []
    if came.passed:
        parts.append(f"没有看的 {came.passed} 处（链接、管道、太深或太多）")
    return f"{'，'.join(parts)}：没有动。"


def _listed(numbers: Iterable[int]) -> str:
    """Return `1、3-5`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return "、".join(_span(first, last) for first, last in runs)


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
