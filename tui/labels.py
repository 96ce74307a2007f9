"""The Chinese words of everything that is stored as an English one. Pure tables.

Screens and the command line both take their words from here, so that one thing has
one name. Whole sentences about errors stand in `tui.messages`.
"""

from collections.abc import Iterable, Mapping, Sequence

from forms.item import Tier
from forms.words import words_of
from node import audit
from node.desks import desk_name
from node.lifecycle import State, Step
from node.matters import MARK_CHANGED, MARK_CONFLICT, MARK_DISPUTED
from node.pauses import POLL_S
from node.progress import Progress, Way
from node.status import Above, Arrival
from node.store.cases import CaseRow
from node.store.documents import PendingRow, QuarantineRow
from sync.identity import Certificate, Roster
from sync.pieces import PIECE_BYTES
from tui import times

STATES: dict[str, str] = {
    State.DRAFT: "草稿",
    State.SUBMITTED: "待受理",
    State.REVIEWED: "预审",
    State.RETURNED: "退回补正",
    State.ACCEPTED: "已受理",
    State.DECLINED: "不予受理",
    State.FORWARDED: "已转区",
    State.GRANTED: "准予",
    State.REFUSED: "不予",
    State.DELIVERED: "已办结",
    State.WITHDRAWN: "已撤回",
    State.TERMINATED: "已终止",
    State.ARCHIVED: "已归档",
}
"""A delivered case is 已办结: 未送达 is kept for what has not travelled yet."""

STEPS: dict[str, str] = {
    Step.SUBMIT: "提交",
    Step.REVIEW: "预审",
    Step.RETURN: "退回补正",
    Step.ACCEPT: "受理",
    Step.DECLINE: "不予受理",
    Step.FORWARD: "转区",
    Step.GRANT: "准予",
    Step.REFUSE: "不予",
    Step.DELIVER: "送达申请人",
    Step.WITHDRAW: "撤回",
    Step.TERMINATE: "终止办理",
    Step.ARCHIVE: "归档",
    Step.AMEND: "修改",
    Step.CHECK: "核材料",
    Step.PAUSE: "特别程序开始",
    Step.RESUME: "特别程序结束",
    Step.EXTEND: "延长期限",
    Step.HURRY: "加急",
    Step.TRANSFER: "转办",
    Step.ADVISE: "部门意见",
    Step.VISIT: "安排联合勘验",
    Step.INSPECT: "勘验结果",
    Step.FEE: "收费",
    Step.PARCEL: "快递",
    Step.RATE: "评价",
    Step.EXPLAIN: "超期说明",
    Step.REDATE: "更正日期",
    Step.SETTLE: "核对",
}

MEANINGS: dict[Step, str] = {
    Step.SUBMIT: "改好后重新交上去",
    Step.REVIEW: "先看材料，还不受理，不计时",
    Step.RETURN: "一次告知全部要补的",
    Step.ACCEPT: "开始计算办理时限",
    Step.DECLINE: "不归这里办，或不该办",
    Step.FORWARD: "交区里审查决定",
    Step.GRANT: "签发准予决定",
    Step.REFUSE: "签发不予决定",
    Step.DELIVER: "结果已到申请人手里",
    Step.WITHDRAW: "申请人不办了",
    Step.TERMINATE: "办不下去，依法终止",
    Step.ARCHIVE: "办完，材料归档",
    Step.AMEND: "改表，或代录代收的件",
    Step.CHECK: "核原件、记材料去向",
    Step.PAUSE: "听证、勘验等，不计时",
    Step.RESUME: "接着计时",
    Step.EXTEND: "经批准延长一次",
    Step.HURRY: "绿色通道，排在最前",
    Step.TRANSFER: "改由别的部门办",
    Step.ADVISE: "联办中一个部门的意见",
    Step.VISIT: "几个部门一次去看",
    Step.INSPECT: "记一个部门的勘验结果",
    Step.FEE: "按收费依据收费",
    Step.PARCEL: "记快递，运单号可后补",
    Step.RATE: "记申请人的好差评",
    Step.EXPLAIN: "说明为什么超期",
    Step.REDATE: "电脑日期错了，更正",
    Step.SETTLE: "两处不同的定下来",
}
"""What each step does, in half a line."""

TIERS = words_of(Tier)

DESKS: dict[str, str] = {
    Tier.VILLAGE: "工作台",
    Tier.TOWN: "收件箱",
    Tier.DISTRICT: "审批台",
}

MARKS: dict[str, str] = {
    MARK_CONFLICT: "两处填得不同",
    MARK_DISPUTED: "两步对不上",
    MARK_CHANGED: "受理后又改过",
}
"""What a person must settle in a case."""

PAPER_ONLY = "待代录"
"""In place of 待受理: its papers are here, its form is still to be entered."""

URGENT, VISIT, LOOKUP = "加急", "上门", "免提交待查"
"""What a case is marked with besides its state."""

OPEN_MARK, SETTLED_MARK = "!", "≠"
"""Behind a state: something is open; there once was a conflict, and it is settled."""

NEW_FORM_MARK = "新表"
"""Behind the state of a draft: its form has been published anew."""

REFUSALS: dict[str, str] = {
    "state": "按现在的状态不能这样办",
    "tier": "这一步不归本级办",
    "elsewhere": "这件是替别处代收的，这一步归办理地办",
    "reason": "没有写原因",
    "not-entered": "这是代收的件，表还没有代录；请先“修改”，照材料把表填好",
    "not-forwarded": "要先转到区里才能决定",
    "decided-here": "这个事项在镇里决定，不用转区",
    "facts": "要写明的内容不全，或写得不对",
    "branches-open": "还有部门没有给出意见，各部门都同意后才能办结",
    "branches-refuse": "有部门不同意，不能准予",
    "department": "这一项由别的部门办",
    "pause": "没有这样一个正在进行的特别程序",
    "extended": "已经延长过一次，不能再延长",
    "too-long": "延长的天数超过法律允许的（一般 10 个、联合办理 15 个工作日）",
    "rated": "申请人已经评价过了，一件只评一次",
    "no-rule": "这个事项没有收费依据，不能收费",
    "urgent": "这个事项的绿色通道由上级批准",
    "visit": "没有安排过这样一次勘验，或不含这个部门",
    "too-often": "这件里这一步做的次数多得不正常，请告诉区里",
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
    "calendar": "工作日历不能用",
    "batch": "批次清单读不了",
    "audit": "审计记录读不了",
    "holding": "材料的签收读不了",
    "branch": "别的站点两份数据的证据不成立",
    "settle": "核对的与当时的不符",
}
"""Why an entry is set aside 搁置."""

WAITS: dict[str, str] = {
    "change": "等同一件的前一步",
    "package": "等事项表单",
    "roster": "等名册",
}
"""What an entry that cannot be judged yet waits for."""

RESULTS: dict[str, str] = {
    "": "没有试过",
    "ok": "成功",
    "unreachable": "连不上",
    "refused": "对方拒绝",
    "not-trusted": "对方身份或数据不可信",
    "upgrade-here": "本机程序旧，请升级",
    "upgrade-there": "对方程序旧，要升级",
    "revoked-here": "本站点已被停用",
    "failed": "没有成功",
}
"""How a sync ended."""

REVOKED_HERE = (
    "本站点已被停用（原因、从什么时候起，由区里说明）。"
    "已存的都在，新办件不会再被收下；请联系区里。"
)
"""Said wherever a revoked node speaks with its people."""

UPGRADE_HERE = "有站点已在用更新的程序，它们传来的本机读不懂：请升级本机的程序"

ACTS: dict[str, str] = {
    audit.SCOPE_REFUSED: "要了不该看的范围，已拒绝",
    audit.INVITE: "开邀请码",
    audit.JOIN: "发证书入网",
    audit.ENROL: "登记入名册",
    audit.PUBLISH: "发布事项",
    audit.PUBLISH_CALENDAR: "发布工作日历",
    audit.RECKON_AGAIN: "时限重算",
    audit.REVOKE: "停用站点",
    audit.EXPORT: "另存材料",
    audit.PAPER: "另存文书",
    audit.EXPORT_REPORT: "导出报表",
    audit.EXPORT_HISTORY: "导出办件经过",
    audit.LOOK: "查看历史资料",
    audit.VIEW: "打开办件，看到电话",
    audit.VIEW_WHOLE: "看到完整的证件号、电话",
}
"""What is written down to be answered for 审计."""

HERE, AT_TOWN, AT_DISTRICT = "▲未送达", "●已到镇", "✓已到区"
ONLINE_FOR_MS = int(2 * POLL_S * 1000)
"""An older success says nothing about the line as it is now: two polls are missing."""


def word(table: Mapping[str, str], key: str) -> str:
    """Return the Chinese word; what a later version may bring is `未知`."""
    return table.get(key, "未知")


def arrival(known: Arrival | None, files: Progress | None = None) -> str:
    """Return how far this node's work in a case has come; "" where it has none.

    Where its files have not come as far, how many of them have: `●材料2/3`.
    """
    if files and not files.is_all_here:
        return f"材料{files.here}/{files.total}"
    if known is None or (known.town_ms is None and known.district_ms is None):
        return ""
    for at_ms, word, count in (
        (known.district_ms, AT_DISTRICT, files.district if files else None),
        (known.town_ms, AT_TOWN, files.town if files else None),
    ):
        if at_ms:
            is_less = files and count is not None and count < files.total
            return f"{word[0]}材料{count}/{files.total}" if is_less and files else word
    return HERE


def files_here(files: Progress | None) -> str:
    """Return `2/3` while a file is on its way to here, then `3`; "" without any."""
    if files is None:
        return ""
    total = str(files.total)
    return total if files.is_all_here else f"{files.here}/{total}"


def files_moved(pieces_out: int, pieces_in: int) -> str:
    """Return `，材料发出 1.2 MB`, about; nothing where no file went either way."""
    said = f"，材料发出 {size(pieces_out * PIECE_BYTES)}" if pieces_out else ""
    if pieces_in:
        said += f"，材料收到 {size(pieces_in * PIECE_BYTES)}"
    return said


def files_owed(out: int, coming: int) -> list[str]:
    """Return what is owed in files, both ways; nothing where nothing is."""
    said = [f"对方还要 {out} 份材料"] if out else []
    return said + ([f"还有 {coming} 份材料没传到"] if coming else [])


def files_arrived(files: Progress) -> str:
    """Return `材料 2/3 已到`; where all are here, how far they have come up."""
    if not files.is_all_here:
        rest = files.total - files.here
        return f"材料 {files.here}/{files.total} 已到，{rest} 份在路上"
    for count, place in ((files.town, "镇"), (files.district, "区")):
        if count is not None and count < files.total:
            return f"材料 {count}/{files.total} 已到{place}"
    above = "区" if files.district is not None else "镇" if files.town else ""
    return f"材料 {files.total}/{files.total} 已到{above}"


def way(known: Way) -> str:
    """Return how far one file has come, in a few words."""
    if known.is_here and known.district:
        return AT_DISTRICT
    if known.is_here and known.town:
        return AT_TOWN
    if known.is_here and known.town is None:
        return "✓已在本机"
    if known.is_here and not known.percent:
        return HERE
    return f"▲在路上 {known.percent}%"


def waits_for(row: PendingRow) -> str:
    """Return what an entry waits for, and which of them."""
    what = word(WAITS, row.waits_for)
    if row.waits_for == "roster":
        return f"{what}第 {row.name.decode()} 版"
    name = row.name.decode() if row.waits_for == "package" else row.name.hex()
    return f"{what} {name[:8]}"


def settles_here(mark: str, settler: str, is_here: bool) -> str:
    """Return what is open in a case and who settles it."""
    meaning = word(MARKS, mark)
    if is_here:
        return f"{meaning}，等本级核对"
    return f"{meaning}，等{TIERS.get(settler, '上级')}里核对"


def open_words(rows: Sequence[CaseRow]) -> str:
    """Return `这件还有 2 处待核对。`; of several how many have anything open; ""."""
    found = [row for row in rows if row.open_count]
    if not found:
        return ""
    if len(rows) == 1:
        return f"这件还有 {found[0].open_count} 处待核对。"
    return f"其中 {len(found)} 件还有待核对的。"


def marks(row: CaseRow) -> list[str]:
    """Return what is special about a case: 加急, 上门, 免提交待查."""
    found = {URGENT: row.is_urgent, VISIT: row.is_visit, LOOKUP: row.has_lookup}
    return [word for word, is_so in found.items() if is_so]


def sign(row: CaseRow, *, is_ours: bool) -> str:
    """Return what stands behind a state: something is open, or once was; ""."""
    if row.open_count and is_ours:
        return OPEN_MARK
    return SETTLED_MARK if row.had_conflict or row.open_count else ""


def clock_off(ahead_ms: int, name: str) -> str:
    """Return that this node's clock is not that of another place; "" where it is."""
    if not ahead_ms:
        return ""
    way = "快" if ahead_ms > 0 else "慢"
    return (
        f"本机的时钟比{name}{way} {_about(ahead_ms)}："
        "请先核对本机的日期和时间，再往下办；记错的日期，由镇里或区里用“更正日期”改对"
    )


def aside(row: QuarantineRow, author: Certificate | None) -> str:
    """Return what of a case does not count, whose it was, and why."""
    return (
        f"{node_name(author, row.author)}的一步没有算数："
        f"{word(CAUSES, row.cause)}。原样留着，这件按没有这一步算"
    )


def their_clock(ahead_ms: int) -> str:
    """Return by how much a neighbour's clock is not ours; "" where it is."""
    if not ahead_ms:
        return ""
    way = "快" if ahead_ms > 0 else "慢"
    return f"时钟比本机{way} {_about(ahead_ms)}"


def _about(length_ms: int) -> str:
    """Return a difference between clocks in full hours: a line takes its time, too."""
    hours = round(abs(length_ms) / times.HOUR_MS)
    return times.span(max(1, hours) * times.HOUR_MS)


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


def whose(names: Mapping[str, str], row: CaseRow) -> str:
    """Return for which place a case is, and where it was taken in if elsewhere."""
    name = names.get(row.division, row.division)
    if row.taken_in_at == row.division:
        return name
    return f"{name}（收件 {names.get(row.taken_in_at, row.taken_in_at)}）"


def node_name(certificate: Certificate | None, node: bytes) -> str:
    """Return the name of a place; a node that is not in the roster by its number."""
    return desk_name(certificate) if certificate else f"未登记站点 {node.hex()[:8]}"


def author_name(roster: Roster, digits: str) -> str:
    """Return the place of a node by the first digits of its id, as events name it."""
    known = [one for one in roster.everyone() if one.node.hex().startswith(digits)]
    newest = max(known, key=lambda one: one.epoch, default=None)
    return node_name(newest, bytes.fromhex(digits))


def desk_names(desks: Iterable[Certificate]) -> str:
    """Return `三江口村、三江口村3号机`."""
    return "、".join(dict.fromkeys(map(desk_name, desks)))


def size(size_bytes: int) -> str:
    """Return `382 KB`, `1.2 MB`, `3.7 GB`."""
    if size_bytes < 1024:
        return f"{size_bytes} 字节"
    if size_bytes < 1024 * 1024:
        return f"{size_bytes / 1024:.0f} KB"
    if size_bytes < 1024**3:
        return f"{size_bytes / 1024 / 1024:.1f} MB"
    return f"{size_bytes / 1024**3:.1f} GB"
