"""Errors as Chinese sentences: what happened, what was not changed, what to do. Pure.

Both the screens and the command line say errors through `sentence`, and never show
what a library or a peer has worded: it may hold anything, in any language.
"""

from collections.abc import Callable, Iterable
from typing import Any

from forms import errors as forms_errors
from node import absorb
from node import errors as node_errors
from node.facts import FACTS_LIMIT, TOO_LONG, TOO_MANY, TOTAL_LIMIT
from node.lifecycle import State
from sync import errors as sync_errors
from tui.fact_words import asked_as, written
from tui.fault_words import (
    CALENDAR_FAULTS,
    DIVISIONS,
    FILES,
    HISTORIES,
    INVITES,
    NEIGHBOURS,
    PEER_WORDS,
    RECEIPTS,
    STICK_TROUBLES,
    THINGS,
)
from tui.labels import (
    CAUSES,
    REFUSALS,
    REVOKED_HERE,
    STATES,
    STEPS,
    TIERS,
    WAITS,
    size,
    word,
)
from tui.text import harmless
from tui.times import span

ERRORS = (node_errors.NodeError, sync_errors.SyncError, forms_errors.FormError)
"""What a person is told in a sentence. Anything else is a mistake of ours."""

SHOWN_PROBLEMS = 5


def sentence(error: Exception) -> str:
    """Return what to tell a person: what happened, what stands, what to do next.

    Args:
        error: of `ERRORS`; for anything else the sentence is a general one.
    """
    for kind in type(error).__mro__:
        if kind in _SENTENCES:
            return _SENTENCES[kind](error)
    return "程序里出了没有料到的错。已经保存的内容都在；请重新打开，再有请告诉管理员。"


def reason(error: Exception) -> str:
    """Return why it did not go, in a few words, for a list of many cases."""
    match error:
        case node_errors.StepRefused():
            if error.why == "state":
                return f"现在是“{word(STATES, error.state)}”"
            return word(REFUSALS, error.why)
        case node_errors.AnswersWrong():
            return f"表单有 {len(error.problems)} 处要改"
        case sync_errors.PeerUnreachable() | sync_errors.PeerRefused():
            return _peer_word(error.why)
        case _:
            return sentence(error).partition("。")[0]


def _step_refused(error: node_errors.StepRefused) -> str:
    if error.why == "state":
        why = f"这件现在是“{word(STATES, error.state)}”"
    else:
        why = word(REFUSALS, error.why)
    if error.why == "urgent":
        why += f"，要请{word(TIERS, error.tier)}里来加急"
    elif error.tier and error.why in ("tier", "elsewhere"):
        who = word(TIERS, error.tier)
        where = "办理地的" if error.why == "elsewhere" else ""
        why += f"，这件现在是“{word(STATES, error.state)}”，由{where}{who}里核对"
    if error.about:
        why += f"：{_fact(error)}"
    # The step itself may be among them, and only say too little: that is said above.
    others = [word(STEPS, one) for one in error.allowed if one != error.step]
    onward = f"现在可以：{'、'.join(others)}。" if others else ""
    onward = onward if error.allowed else "现在没有要办的步骤。"
    what = "草稿" if error.state == State.DRAFT else "办件"
    return f"没有“{word(STEPS, error.step)}”：{why}。{what}没有改动。{onward}"


_TOTALS = {
    TOO_MANY: f"一次最多写 {FACTS_LIMIT} 项",
    TOO_LONG: f"合计最多 {TOTAL_LIMIT} 字，请写短一些，或分几次写",
}
"""What is said where no single fact of a step is wrong."""


def _fact(error: node_errors.StepRefused) -> str:
    """Return which fact it is about, and how that is written."""
    if error.about in _TOTALS:
        return _TOTALS[error.about]
    asked = asked_as(error.step, error.about)
    known = written(asked) if asked else "没有这一项"
    return f"{harmless(error.about)}（{known}）"


def _result_unusable(error: node_errors.ResultUnusable) -> str:
    which = f"{error.number}（{harmless(error.item)}）"
    if error.why == "not-granted":
        return (
            f"不能接着 {which} 办：它还没有准予，或结果还有争议。没有新建，也没有提交；"
            "等它准予、同步到本机以后再接着办，或请申请人交纸质材料。"
        )
    return (
        f"不能接着 {which} 办：“{harmless(error.wanted_by)}”不收这个事项的结果作材料。"
        "没有新建，也没有提交；请核对单号，或直接新建。"
    )


def _answers_wrong(error: node_errors.AnswersWrong) -> str:
    listed = [
        f"{label}（{message}）" for _, label, message in error.problems[:SHOWN_PROBLEMS]
    ]
    more = len(error.problems) - len(listed)
    rest = f"；另有 {more} 处" if more > 0 else ""
    return (
        f"没有提交：有 {len(error.problems)} 处要改。{'；'.join(listed)}{rest}。"
        "填好的内容都在，改好后再提交。"
    )


def _not_found(error: node_errors.NotFound) -> str:
    if error.what.startswith(node_errors.CASE_WAITS):
        waits_for = error.what.removeprefix(node_errors.CASE_WAITS)
        return (
            f"办件 {error.name} 的内容已经到了本机，还看不了："
            f"{word(WAITS, waits_for)}。没有丢，也没有改动；"
            "等的到了自动收好，不用再传。详见 lianban status。"
        )
    if error.what == "node above":
        return "本站点上面没有别的站点，不用向上同步。没有改动。"
    if error.what == "attachment":
        return "这份材料还没有传到本机。没有改动；传到以后再试，或请对方先同步。"
    if error.what == "place known here":
        return (
            f"本机名册里没有叫“{error.name}”的地方。没有统计；"
            "请写全名或 12 位区划代码（lianban node list 可查）。"
        )
    if error.what == "file":
        return f"读不到文件 {error.name}。没有附上，请核对路径，或换一个文件。"
    if error.what == "draft":
        return (
            "这份草稿已经不在了：可能在另一个窗口提交或删掉了。"
            "没有改动，请回到列表看看。"
        )
    if error.what == "paper":
        return "这件还没有这种文书：要等那一步办了才有。没有改动，请换一种。"
    if error.what == "newer version":
        return "这份草稿用的就是现行的表，不用换。没有改动，请接着填。"
    if error.what == "matter":
        return (
            "没有核对：这一处没有在等核对，或刚刚又有变动。没有改动，请看看现在的再办。"
        )
    if error.what == "side":
        return "没有核对：没有这个选项。没有改动，请看清选项的序号再办。"
    thing = THINGS.get(error.what, "东西")
    called = f" {error.name} " if error.name else ""
    return f"本机没有{called}这个{thing}。没有改动，请核对后再试。"


def _receipt_refused(error: node_errors.ReceiptRefused) -> str:
    return f"没有核验通过：{word(RECEIPTS, error.why)}。本机没有改动。"


def _history_refused(error: node_errors.HistoryRefused) -> str:
    where = f"文件第 {error.line} 行：" if error.line else ""
    if error.sequence:
        name = harmless(error.name, width=40) or f"未登记站点 {error.node.hex()[:8]}"
        where = f"{name} 的第 {error.sequence} 条："
    return (
        f"没有核验通过：{where}{word(HISTORIES, error.why)}。"
        "不要认这份文件，请向导出的站点重新要一份。本机没有改动。"
    )


def _file_refused(error: node_errors.FileRefused) -> str:
    limit = size(error.limit) if error.why == "too-large" else ""
    if error.why == "picture-too-large":
        limit = f"{error.limit // 10_000} 万"
    why = word(FILES, error.why).format(limit=limit)
    return f"没有附上 {error.name}：{why}"


def _ambiguous(error: node_errors.Ambiguous) -> str:
    thing = THINGS.get(error.what, "东西")
    more = "请多写几位再试"
    if error.what == "node":
        more = (
            f"请写明是哪一台，如“{error.name}2号机”，或写节点号（见 lianban node list）"
        )
    return f"{error.name} 对得上 {error.count} 个{thing}。没有改动，{more}。"


def _division_wrong(error: node_errors.DivisionWrong) -> str:
    length = len(error.division)
    is_short = error.division.isdigit() and length != 12
    found = f"有 {length} 位，要 12 位数字" if is_short else "不是这一级的"
    return (
        f"区划代码 {harmless(error.division, width=40)} 写得不对：{found}。"
        f"{word(DIVISIONS, error.tier)}。没有改动，请改好再试。"
    )


def _invite_refused(error: node_errors.InviteRefused) -> str:
    why = INVITES.get(error.why) or _peer_word(error.why)
    return f"没有入网：{why}。本机没有改动，请向上级要一个新的邀请码再试。"


def _unreachable(error: sync_errors.PeerUnreachable) -> str:
    return (
        f"没有连上对方：{_peer_word(error.why)}。"
        "数据都在本机，一件不少；等一会儿再同步一次，后台也会自动再试。"
    )


def _refused(error: sync_errors.PeerRefused) -> str:
    if error.status == 403:
        return REVOKED_HERE
    if error.status == 426:
        return (
            "对方的程序版本比本机旧，本机传去的它读不懂。"
            "数据都在本机，一件不少；请对方升级程序后再同步。"
        )
    return (
        f"对方答了话，但没有收：{_peer_word(error.why)}。"
        "数据都在本机；过一会儿按 F5 再试，还不行请告诉上级。"
    )


def _not_trusted(error: sync_errors.NotTrusted) -> str:
    return (
        f"对方不可信：{_peer_word(error.why)}。"
        "没有收它的任何数据，本机的都在；请打电话同上级核对。"
    )


def _change_refused(error: sync_errors.ChangeRefused) -> str:
    return (
        f"有一步改动不能用：{word(CAUSES, error.cause)}。"
        "它已单独搁置，不影响别的办件；请把同步情况里的这一条告诉区里。"
    )


def _package_too_new(error: forms_errors.PackageTooNew) -> str:
    return (
        f"表单是第 {error.found} 版格式，本程序只认到第 {error.known} 版。"
        "没有装入，原有的事项照常办；请升级程序。"
    )


def _places(error: forms_errors.FormError) -> str:
    # These words are ours already, with file and line, or sheet and cell, for whoever
    # writes items.
    return str(error)


def _not_allowed(error: node_errors.NotAllowed) -> str:
    if error.what == "carry":
        return "不能拷给这个站点：它已停用，或者就是本站点。没有改动，请换一个站点。"
    acts = {"publish": "向全区发布", "revoke": "停用这个站点"}
    what = acts.get(error.what, "登记这个站点")
    return f"本站点无权{what}。没有改动；请由区里（或管这个地方的镇）来办。"


def _calendar_refused(error: node_errors.CalendarRefused) -> str:
    told = [_line_fault(one) for one in error.faults[:SHOWN_PROBLEMS]]
    more = len(error.faults) - len(told)
    rest = f"；另有 {more} 处" if more > 0 else ""
    return (
        f"没有发布：放假表有 {len(error.faults)} 处要改。{'；'.join(told)}{rest}。"
        "已发布的照旧，改好后再发布。"
    )


def _line_fault(fault: node_errors.LineFault) -> str:
    words, text = word(CALENDAR_FAULTS, fault.why), harmless(fault.text, width=24)
    if fault.line:
        return f"第 {fault.line} 行（{text}）{words}"
    return f"{text} {words}" if text else words


def _stick_trouble(error: node_errors.StickTrouble) -> str:
    return STICK_TROUBLES.get(error.why, STICK_TROUBLES["other"]).format(error.folder)


def _locked_out(error: node_errors.LockedOut) -> str:
    return f"口令错得太多，先锁住了。请等{span(error.wait_s * 1000)}再试；数据都在。"


def _peer_word(why: str) -> str:
    for part, meaning in PEER_WORDS.items():
        if part in why:
            return meaning
    return "原因不明"


def _always(text: str) -> Callable[[Any], str]:
    return lambda _error: text


# fmt: off
_SENTENCES: dict[type, Callable[[Any], str]] = {
    node_errors.StepRefused: _step_refused,
    node_errors.ResultUnusable: _result_unusable,
    node_errors.AnswersWrong: _answers_wrong,
    node_errors.NotFound: _not_found,
    node_errors.FileRefused: _file_refused,
    node_errors.ReceiptRefused: _receipt_refused,
    node_errors.HistoryRefused: _history_refused,
    node_errors.Ambiguous: _ambiguous,
    node_errors.LockedOut: _locked_out,
    node_errors.InviteRefused: _invite_refused,
    node_errors.DivisionWrong: _division_wrong,
    node_errors.NotAllowed: _not_allowed,
    node_errors.WrongPassword: _always(
        "用户名或口令不对。没有打开任何内容，请重新输入。"
    ),
    node_errors.HomeMissing: lambda e: (
        f"{e.path} 里没有站点。没有改动；"
        "请先建立（lianban init）或入网（lianban join）。"
    ),
    node_errors.HomeTaken: lambda e: (
        f"{e.path} 里已经有一个站点。没有改动；请换一个文件夹。"
    ),
    node_errors.PeerImpossible: lambda e: (
        f"没有办成：{word(NEIGHBOURS, e.why)}。没有改动。"
    ),
    node_errors.AddressTaken: lambda e: (
        f"地址 {e.address} 用不了，可能已被别的程序占用。没有开始提供服务，"
        "数据都在；请换一个端口，或先停掉占用它的程序。"
    ),
    node_errors.StickTrouble: _stick_trouble,
    node_errors.StoreBusy: _always(
        "数据正被另一个程序占用。这一步没有存，请稍等再试一次。"
    ),
    absorb.Overtaken: _always(
        "另一个程序一直在写入。这一步没有存，请稍等再试一次。"
    ),
    node_errors.DiskFull: _always(
        "磁盘满了或写不进去。这一步没有存，以前存的都在；请清出空间再试。"
    ),
    node_errors.PackageDamaged: lambda e: (
        f"“{harmless(e.name, width=60)}”（{harmless(e.code, width=40)}，"
        f"第 {harmless(e.version, width=20)} 版）的事项表单在本机被改动过或损坏了，"
        "与区里发布的不符，没有使用。没有改动任何办件；请先备份，再运行 "
        "lianban rebuild 重做，或请管理员来看。"
    ),
    node_errors.StoreDamaged: _always(
        "本机数据库有一处读不出来。没有改动；请先备份，再运行 lianban verify 和 "
        "lianban rebuild，或请管理员来看。"
    ),
    node_errors.NoEncryption: _always(
        "这台机器装不了加密数据库。没有建立；确实要不加密，请加 --plain。"
    ),
    node_errors.WriteForbidden: _always(
        "本机的数据比上级知道的旧（可能从备份恢复过），现在不能写。这一步没有存；"
        "请先按 F5 同步，把自己写过的取回来。一直取不回来的，请向上级要一个本站点的"
        "邀请码，运行 lianban rejoin 邀请码。"
    ),
    node_errors.RevokedHere: _always(f"这一步没有办。{REVOKED_HERE}"),
    node_errors.Forked: _always(
        "本站点的数据被复制过，两份都在写，所以先停写。这一步没有存；以前存的和草稿"
        "都在，照常能看、能填草稿。请向上级要一个本站点的邀请码，运行 "
        "lianban rejoin 邀请码，就能接着办。"
    ),
    node_errors.CalendarSourceMissing: _always(
        "这台电脑没有装节假日数据。没有发布；请安装 lianban[author] 后再试，"
        "或用 --file 给出一张放假表。"
    ),
    node_errors.NoCalendarYear: lambda e: (
        f"所用的数据里没有 {e.year} 年的放假安排。没有发布，已发布的照旧；"
        "请等国务院通知出来、升级数据后再试，或用 --file 给出一张放假表。"
    ),
    node_errors.CalendarRefused: _calendar_refused,
    node_errors.NodeError: _always(
        "没有办成，也没有改动。请核对填写的内容后再试。"
    ),
    sync_errors.PeerUnreachable: _unreachable,
    sync_errors.PeerRefused: _refused,
    sync_errors.NotTrusted: _not_trusted,
    sync_errors.ChangeRefused: _change_refused,
    sync_errors.TooNew: _always(
        "对方的程序版本比本机新，传来的读不懂。没有打开，也没有丢；请升级本机的程序。"
    ),
    sync_errors.Ahead: _always(
        "传来的内容前面还缺一段。这一段没有存，本机的都在；前面的到了，会再收一次。"
    ),
    sync_errors.NotForUs: _always(
        "这个数据包是给别的站点的。没有打开；请交给收件的站点。"
    ),
    sync_errors.Malformed: _always(
        "传来的数据不完整或不合规定。没有存，本机的都在；请对方再传一次。"
    ),
    sync_errors.PeerFault: _always(
        "传来的数据有问题。没有存，本机的都在；请对方再传一次。"
    ),
    sync_errors.DocumentDamaged: _always(
        "这件的存档读不出来。没有改动，原始记录还在；请运行 lianban rebuild 重做。"
    ),
    sync_errors.SyncError: _always(
        "同步没有成功。数据都在本机；过一会儿按 F5 再试。"
    ),
    forms_errors.PackageTooNew: _package_too_new,
    forms_errors.CatalogRefused: _places,
    forms_errors.WorkbookRefused: _places,
    forms_errors.DefinitionRefused: _places,
    forms_errors.FormFileRefused: _places,
    forms_errors.PackageRefused: _always(
        "事项表单包不能用。没有装入，原有的事项照常办；请发布方改正后重新发布。"
    ),
    forms_errors.FormError: _always(
        "事项表单有问题。没有改动；请告诉发布表单的单位。"
    ),
}
# fmt: on


def listed(names: Iterable[str], shown: int = 3) -> str:
    """Return `王芳、李伟、张敏等 12 件`, for a question about many cases."""
    found = list(names)
    if len(found) <= shown:
        return "、".join(found)
    return f"{'、'.join(found[:shown])} 等 {len(found)} 件"
