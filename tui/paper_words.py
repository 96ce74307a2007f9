"""Words for papers, for what they prove, and for who asks how far his case is. Pure."""

from collections.abc import Iterator

from node.clocks import ACCEPT, DELIVER, PROMISE
from node.desks import desk_name
from node.facts import PAUSES
from node.inquiry import Answer, Holder
from node.lifecycle import State
from node.papers.official import PaperKind, progress_code
from node.verifying import Standing, Verdict
from node.workdays import Due
from tui import labels, times
from tui.text import harmless

KINDS: dict[str, str] = {
    PaperKind.RECEIPT: "收件回执单",
    PaperKind.CORRECTION: "一次性告知书",
    PaperKind.ACCEPTANCE: "受理通知书",
    PaperKind.DECLINING: "不予受理通知书",
    PaperKind.DECISION: "决定书",
    PaperKind.DELIVERY: "送达回证",
    PaperKind.BATCH: "移交清单",
}

PROVEN: dict[str, str] = {
    PaperKind.RECEIPT: "收到了这件申请",
    PaperKind.CORRECTION: "告知要补正",
    PaperKind.ACCEPTANCE: "受理了这件",
    PaperKind.DECLINING: "决定不予受理",
    PaperKind.DELIVERY: "出具了送达回证",
}
_DECISIONS = {State.GRANTED: "决定准予", State.REFUSED: "决定不予"}

_STANDINGS: dict[Standing, str] = {
    Standing.ABSENT: "本机没有这件：签章可信，以后有没有变化本机不知道。",
    Standing.SAME: "本机有这件，与纸上所签的一致。",
    Standing.CHANGED: "本机有这件，这一步属实；纸上的个别内容（如材料）以后有变动。",
    Standing.VOID: "注意：本机有这件，但没有这一步，或它没有生效。"
    "请以系统里的记录为准，打电话核实。",
}

_HOLDERS: dict[Holder, str] = {
    Holder.COLLECTOR: "收件的{places}（结果等领取或送达）",
    Holder.ACCEPTER: "{places}（受理）",
    Holder.DECIDER: "{places}（审查决定）",
    Holder.APPLICANT: "申请人（等补正）",
    Holder.NOBODY: "已经办完，没有人要再办",
}

_DUES = {
    ACCEPT: "最迟 {day} 答复：受理、不予受理，或一次告知要补的",
    PROMISE: "最迟办结 {day}",
    DELIVER: "最迟送达 {day}",
}
"""By which day what is done, by the clock that runs."""


DEEMED = "（过了五个工作日没有告知，视为已受理）"


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """Yield what a paper proves: who, when, what; and what it does not."""
    claim, signer = verdict.claim, verdict.signer
    what = PROVEN.get(claim.kind) or _DECISIONS.get(claim.outcome, "作了决定")  # type: ignore[call-overload]
    if claim.kind == PaperKind.BATCH:
        what = f"移交了 {claim.outcome} 件"
    who = f"{desk_name(signer)}（{labels.word(labels.TIERS, signer.tier)}"
    who += f"，{signer.department}）" if signer.department else "）"
    yield f"✓ 核验通过：{harmless(who)} {claim.on.isoformat()} {what}。"
    yield f"文书：{labels.word(KINDS, claim.kind)}"
    yield f"编号：{claim.number}"
    if verdict.item:
        yield f"事项：{harmless(verdict.item)}"
    if verdict.case:
        state = labels.word(labels.STATES, verdict.case.state)
        name = verdict.case.applicant or "（未填）"
        yield f"申请人：{harmless(name)}（本机所存）　现在：{state}"
    if verdict.is_text_proven:
        yield "纸上“核验”以上的文字：没有改动。"
    else:
        yield "只核了码：请看纸上的编号、事项、结论与这里说的是否相同。"
    if claim.kind != PaperKind.BATCH:
        yield _STANDINGS[verdict.standing]
    if verdict.is_revoked:
        yield "签章的站点后来停用了；本机存的办件里确有这一步，所以仍然作数。"


def answer_lines(answer: Answer, now_ms: int) -> Iterator[str]:
    """Yield how far a case is, in plain words for whoever asks."""
    row, state = answer.case.row, answer.case.story.state
    name = harmless(row.applicant or "（未填）")
    yield f"{name}　{harmless(row.item_name)}　查询码 {progress_code(row.number)}"
    yield f"  现在：{_state(answer)}"
    yield f"  在谁手里：{_holder(answer)}"
    yield f"  消息：{_age(answer, now_ms)}"
    yield f"  下一个日子：{_next(answer, state)}"


def _state(answer: Answer) -> str:
    """Return where a case stands; nothing in dispute is told as if it were clear."""
    story = answer.case.story
    if answer.settler is None:
        word = labels.word(labels.STATES, story.state)
        return f"{word}{DEEMED}" if answer.is_deemed else word
    steps = {one.id: one.event.step for one in story.happened}
    told = [labels.word(labels.STEPS, steps[one.id]) for one in story.choices]
    return f"{'、'.join(told)}对不上，等{labels.TIERS[answer.settler]}里核对后才定"


def _holder(answer: Answer) -> str:
    if answer.is_on_its_way and answer.holder in (Holder.ACCEPTER, Holder.DECIDER):
        return "本站点（还没有传到上级，联网或用 U 盘后才到）"
    places = harmless("、".join(answer.places)) or "名册里还没有的站点"
    if answer.settler is not None:
        return f"{places}（核对）"
    return _HOLDERS[answer.holder].format(places=places)


def _age(answer: Answer, now_ms: int) -> str:
    if answer.is_ours:
        return "就在本机，是现在的"
    if answer.known_ms is None:
        return "上级还没有来过消息，只知道本机所存的"
    at = times.moment(answer.known_ms, now_ms)
    return f"截至 {at}（{times.ago(answer.known_ms, now_ms)}），以后的变化还没传到"


def _next(answer: Answer, state: State) -> str:
    if answer.settler is not None:
        return "核对以后才有"
    promised = f"受理后 {answer.case.package.item.promise_workdays} 个工作日内办结"
    if answer.paused:
        kind = labels.word(PAUSES, answer.paused.kind)
        to = answer.paused_to
        expected = f"，预计到 {to.isoformat()}" if to else ""
        return f"正在{kind}{expected}，不计时，结束后再算"
    if answer.next_day is None:
        return promised if state is State.RETURNED else "没有"
    clock, due = answer.next_day
    words = _DUES[clock].format(day=_day(due))
    return f"{words}；{promised}" if clock == ACCEPT else words


def _day(due: Due) -> str:
    return f"{due.on.isoformat()}{'（暂定）' if due.is_provisional else ''}"
