"""Taking a step in one case or in many: asking first, doing it, saying what came of it.

Each case goes by itself, so that one that cannot go holds up no other; only a batch
that is forwarded goes whole or not at all.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.binding import Binding

from node import cases, casework, rights
from node.cases import Case
from node.errors import NodeError, StepRefused
from node.lifecycle import NEEDS_REASON, State, Step
from node.progress import progress
from node.store.cases import CaseRow
from node.wiring import Node
from tui import labels
from tui.messages import listed, reason
from tui.screens.correction import CorrectionPage
from tui.screens.page import Page
from tui.screens.step_page import StepPage

SHOWN_REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Act:
    """How a step is taken at a desk: its key, and what is asked before.

    `question` and `reason` name {who}; a step without them is done at once.
    """

    key: str
    label: str
    reason: str = ""
    placeholder: str = ""
    question: str = ""
    is_dangerous: bool = False


ACTS: dict[Step, Act] = {
    Step.ACCEPT: Act("a", "受理"),
    Step.RETURN: Act("r", "退回"),
    Step.FORWARD: Act("b", "转区"),
    Step.GRANT: Act("g", "准予", question="准予：{who}。签发后各级都会收到。"),
    Step.REFUSE: Act(
        "x",
        "不予",
        reason="不予办理：{who}。写明理由，申请人会看到",
        placeholder="写明依据和理由",
        question="不予办理：{who}。理由：{note}。签发后各级都会收到。",
        is_dangerous=True,
    ),
    Step.DELIVER: Act("d", "送达", question="结果已经送到申请人手里：{who}。办结吗？"),
    Step.WITHDRAW: Act(
        "w",
        "撤回",
        reason="撤回：{who}。为什么撤回？",
        placeholder="如 申请人不办了；重复申请",
        question="撤回：{who}。撤回后不能恢复。",
        is_dangerous=True,
    ),
}
"""Filling in a form again (submit, amend) is no act: it opens the form, by E."""

BINDINGS = [
    Binding(act.key, f"step('{step}')", act.label) for step, act in ACTS.items()
]
ASKS_IN_FULL: dict[Step, Callable[[Node, Case], Page]] = {
    Step.RETURN: CorrectionPage,
    Step.DELIVER: lambda node, case: StepPage(node, case, Step.DELIVER),
}
"""Steps that say more of one case than of many at once: on a page of their own."""
ONE_BY_ONE = {
    Step.RETURN: (
        "退回补正要一件一件来：每件告知的是它自己要补的。选中的 {count} 件没有改动；"
        "请按 Esc 取消选择，在要退的一件上按 R"
    ),
}
"""Steps that are never taken in several cases at once, and what is said instead. A
notice names all faults of its case (行政许可法 第三十二条): one for several names none.
"""
DISPUTES_ASKED = frozenset({Step.FORWARD, Step.GRANT, Step.REFUSE})
"""Steps before which it is said that something is still open. It hinders none."""
RARE = frozenset({"w"})
LIST_BINDINGS = [
    Binding(one.key, one.action, one.description, show=one.key not in RARE)
    for one in BINDINGS
]
"""For a list: what is seldom done has its key, but no room on a line of 80 cells."""


def possible(node: Node, row: CaseRow) -> list[Step]:
    """Return what this tier may do with the case of a list row; a draft: nothing."""
    package = node.package(row.package)
    if package is None or row.state == State.DRAFT:
        return []
    side = rights.side_of(node.certificate, row.division)
    may = rights.possible_steps(node.tier, package.item, State(row.state), side)
    # What was taken in on paper is accepted once its form is entered.
    return [one for one in may if not (row.is_paper_only and one is Step.ACCEPT)]


async def take(page: Page, step: Step, rows: Sequence[CaseRow]) -> bool:
    """Take a step in the cases of `rows`; return whether anything was done."""
    node, act = page.node, ACTS[step]
    able = [row for row in rows if step in possible(node, row)]
    if not able:
        if rows:
            page.say(f"{_who(rows)}：{_why_none(node, step, rows[0])}", "alert")
        return False
    if len(rows) > 1 and step in ONE_BY_ONE:
        page.say(ONE_BY_ONE[step].format(count=len(rows)), "alert")
        return False
    if len(rows) == 1 and (asks := ASKS_IN_FULL.get(step)):
        page.app.push_screen(asks(node, cases.open_case(node, able[0].id)))
        return False
    who = _who(able)
    if len(able) < len(rows):
        who += f"（另外 {len(rows) - len(able)} 件现在不能{act.label}，不动）"
    coming = _still_coming(node, able)
    note = ""
    if step in NEEDS_REASON:
        answer = await page.ask(act.reason.format(who=who), placeholder=act.placeholder)
        if answer is None:
            return False
        note = answer
    if step in DISPUTES_ASKED:
        coming += labels.open_words(able)
    if step is Step.FORWARD:
        return await _forward(page, able, who, coming)
    if act.question and not await page.confirm(
        act.question.format(who=who, note=note) + coming,
        act.label,
        is_dangerous=act.is_dangerous,
    ):
        return False
    done, refused = await _each(page, step, able, note)
    page.lianban.wrote()
    _report(page, act, done, refused)
    return bool(done)


async def _forward(page: Page, rows: Sequence[CaseRow], who: str, coming: str) -> bool:
    counts = Counter(row.item_name for row in rows)
    items = "、".join(f"{name} {count} 件" for name, count in counts.items())
    above = page.lianban.above
    goal = above.name if above else "区里"
    question = f"把 {len(rows)} 件打成一个批次转到{goal}？{items}：{who}。{coming}"
    if not await page.confirm(question, "转区"):
        return False
    batch, cases = casework.forward_batch(page.node, [row.id for row in rows])
    page.lianban.wrote()
    page.say(f"✓ 已转区 {len(cases)} 件，批次号 {batch.number}")
    return True


async def _each(
    page: Page, step: Step, rows: Sequence[CaseRow], note: str
) -> tuple[list[CaseRow], list[tuple[CaseRow, str]]]:
    done: list[CaseRow] = []
    refused: list[tuple[CaseRow, str]] = []
    for number, row in enumerate(rows, start=1):
        if number % 10 == 0:
            page.say(f"正在{ACTS[step].label}：{number}/{len(rows)}", "quiet")
            await asyncio.sleep(0)
        try:
            casework.take_step(page.node, row.id, step, note=note)
        except NodeError as error:
            if len(rows) == 1:
                raise
            refused.append((row, reason(error)))
        else:
            done.append(row)
    return done, refused


def _report(
    page: Page,
    act: Act,
    done: Sequence[CaseRow],
    refused: Sequence[tuple[CaseRow, str]],
) -> None:
    # 不予 is no verb: what is done is the decision.
    label = f"决定{act.label}" if act.label == "不予" else act.label
    text = f"✓ 已{label}：{_who(done)}" if done else f"一件也没{label}"
    if not refused:
        page.say(text)
        return
    shown = "；".join(f"{_name(row)} {why}" for row, why in refused[:SHOWN_REFUSALS])
    more = "……" if len(refused) > SHOWN_REFUSALS else ""
    page.say(f"{text}。没{act.label} {len(refused)} 件：{shown}{more}", "alert")


def _why_none(node: Node, step: Step, row: CaseRow) -> str:
    package = node.package(row.package)
    if package is None or row.state == State.DRAFT:
        return "还是草稿，先提交"
    state = State(row.state)
    side = rights.side_of(node.certificate, row.division)
    why = rights.why_not(step, node.tier, package.item, state, "…", side)
    return f"不能{ACTS[step].label}，{reason(StepRefused('', state, step, why))}"


def _still_coming(node: Node, rows: Sequence[CaseRow]) -> str:
    """Return what to know before a step: files that are still on their way to here.

    It hinders nothing; a case may be decided without them.
    """
    found = progress(node, [row.document for row in rows])
    late = [one for one in found.values() if not one.is_all_here]
    if not late:
        return ""
    if len(rows) == 1:
        return f"{labels.files_arrived(late[0])}。"
    return f"其中 {len(late)} 件的材料还在路上。"


def _who(rows: Sequence[CaseRow]) -> str:
    if len(rows) == 1:
        return f"{_name(rows[0])}的{rows[0].item_name}"
    return listed(_name(row) for row in rows)


def _name(row: CaseRow) -> str:
    return row.applicant or labels.short_number(row.number)
