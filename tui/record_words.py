"""What is written down in a case, in calm lines: for the page of a case and its form.

Pure but for names of places. Text from data is as it was written; whoever shows it
makes it harmless.
"""

from collections.abc import Iterator, Mapping

from forms import joint
from node import corrections
from node.cases import Case
from node.corrections import LATE_MARK
from node.facts import MATERIAL_STATES, PAUSES
from node.lifecycle import Step
from node.records import BranchState, Records
from node.story import Happened
from node.wiring import Node
from tui import fact_words, labels, times
from tui.fact_words import Scene

DONE, OPEN = "✓", "□"
WAITING = "待审"


def faults(case: Case, known: Records, answers: Mapping[str, str]) -> list[str]:
    """Return what the latest notice says, a line each, with a tick where it is done.

    `answers` are as they stand now, submitted or not.
    """
    return [
        f"{DONE if one.is_mended else OPEN} "
        f"{corrections.target_name(case, one.fault.target)}：{one.fault.text}"
        f"{LATE_MARK if one.fault.is_late else ''}"
        for one in corrections.told(case, known, answers)
    ]


def first_contact(node: Node, case: Case) -> str:
    """Return who took the case in 首问责任人; nobody can change it."""
    first = case.story.happened[0] if case.story.happened else None
    return f"首问责任人 {_who(node, first)}" if first else ""


def people(case: Case, known: Records) -> Iterator[str]:
    """Yield who acts for whom, and in which way it came in and goes out."""
    if known.handling in ("agent", "visit"):
        word = fact_words.HANDLINGS[known.handling]
        by = f"（{known.authorised}）" if known.authorised else ""
        yield f"{word}{by}，申请人 {case.row.applicant}"
    if known.is_paper_only:
        yield "代收，表待录"
    if known.follows:
        yield f"接单号 {known.follows} 办"


def branches(node: Node, case: Case, known: Records) -> Iterator[str]:
    """Yield each department of a joint case: its part, how far, who."""
    for one in known.branches:
        who = "、".join(_who(node, said) for said in one.said)
        found = fact_words.FINDINGS.get(one.inspected, "")
        parts = (
            f"{one.branch.department}（{one.branch.name}）",
            _opinion(one),
            f"勘验{found}" if found else "",
            who,
            f"限 {one.branch.workdays} 个工作日" if one.branch.workdays else "",
        )
        yield "  ".join(filter(None, parts))


def members(case: Case, known: Records) -> Iterator[str]:
    """Yield each item of a joint package 一件事 with the papers that serve it.

    A paper that was handed in once stands with everybody whom it serves.
    """
    item = case.package.item
    for member in item.members:
        papers = (
            f"{one.name} {material_state(known, one.key)}"
            for one in joint.papers_of(item, member)
        )
        yield f"{member.name}（{member.department}）：{'；'.join(papers)}"


def material_state(known: Records, key: str) -> str:
    """Return where a paper has got to; nobody has said anything of it: 待交."""
    paper = known.papers.get(key)
    return labels.word(MATERIAL_STATES, paper.state if paper else "missing")


def lines(node: Node, scene: Scene) -> Iterator[str]:
    """Yield all else that is written down, a line each."""
    known = scene.known
    if known.hurry:
        approver = known.hurry.event.facts["approver"]
        yield f"加急：{known.hurry.event.note}（批准人 {approver}）"
    if known.delivery:
        where = f"，{known.send_to}" if known.send_to else ""
        yield f"结果怎么给：{fact_words.DELIVERIES.get(known.delivery, '')}{where}"
    if known.trips:
        yield f"申请人跑了 {known.trips} 趟"
    for pause in known.pauses:
        days = pause.expected_days
        running = f"，预计 {days} 天，还在进行" if days else "，还在进行"
        ended = f"，{_day(node, pause.end)} 结束" if pause.end else f"{running}，不计时"
        kind = labels.word(PAUSES, pause.kind)
        yield f"特别程序：{kind}，{_day(node, pause.begin)} 开始{ended}"
    if known.extended_workdays:
        yield f"时限延长了 {known.extended_workdays} 个工作日"
    if known.department:
        yield f"已转给 {known.department} 办"
    for step, happened in (
        (Step.VISIT, known.visits),
        (Step.FEE, known.fees),
        (Step.PARCEL, known.parcels),
        (Step.EXPLAIN, known.explanations),
    ):
        for one in happened:
            yield _said(node, scene, step, one)
    if known.rating:
        yield _said(node, scene, Step.RATE, known.rating)


def _said(node: Node, scene: Scene, step: Step, one: Happened) -> str:
    told = "，".join(fact_words.told(scene, one.event))
    note = f"，{one.event.note}" if one.event.note else ""
    day = _day(node, one)
    return f"{labels.STEPS[step]}：{told}{note}（{_who(node, one)} {day}）"


def _opinion(state: BranchState) -> str:
    if len(state.results) > 1:
        return "! 意见不一，请该部门重新定"
    return fact_words.OPINIONS.get(state.result, WAITING)


def _who(node: Node, one: Happened) -> str:
    return f"{labels.author_name(node.roster, one.author)} {one.event.by}"


def _day(node: Node, one: Happened) -> str:
    return times.day(one.event.at, node.now_ms())
