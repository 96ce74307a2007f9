"""Home visits 上门: which doors are to be knocked at, and the list to go out with.

A case is marked by its intake or by its form, see `node.awaiting`; a draft by its form,
since many visits are agreed by telephone before anything is handed in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from forms.item import Item
from forms.package import Package
from node import audit, cases, corrections, export, viewing
from node.cases import Case
from node.lifecycle import DECIDED, OVER, State
from node.papers.home_visits import Visit, visit_paper
from node.papers.paper import Paper
from node.records import STILL_LACKING, Records
from node.store.cases import CaseRow, Filter
from node.wiring import Node

SHOWN = 100
"""More doors than anybody comes to in a day."""

KIND = "home-visits"
"""What the record of the act calls this paper."""

ADDRESSES = ("visit_address", "home_address", "address", "household_address")
"""Questions whose answer is where the applicant is found, the best first."""

_OPEN = tuple(str(state) for state in State if state not in OVER | {State.DRAFT})
_FILTER = Filter(states=_OPEN, is_visit=True, oldest_first=True)


@dataclass(frozen=True, slots=True)
class VisitList:
    """The list as a paper, and how many doors stand on it."""

    paper: Paper
    count: int


def visit_list(node: Node) -> VisitList:
    """Return all open cases and drafts of this node with a visit, by address."""
    drafts = [d for d in node.store.drafts.all() if cases.draft_row(node, d).is_visit]
    found = [
        _of_draft(package, d.number, d.answers)
        for d in drafts[:SHOWN]
        if (package := node.package(d.package)) is not None
    ]
    for row in node.store.cases.page(_FILTER, None, SHOWN - len(found)):
        case = cases.open_case(node, row.id)
        # The list has the telephone numbers, so it counts as a look at each case.
        viewing.opened(node, case)
        found.append(_of_case(case, row))
    total = len(drafts) + node.store.cases.count(_FILTER)
    ordered = sorted(found, key=lambda one: (one.address, one.number))
    return VisitList(
        visit_paper(ordered, total - len(found), export.printed_by(node)), total
    )


def save(node: Node, made: VisitList, path: Path, data: bytes) -> None:
    """Write the list to a file; that it leaves the home is written down first.

    Raises:
        NotFound, DiskFull: see `export.save_paper`.
        WriteForbidden: nothing can be written down now.
    """
    with node.store.transaction():
        audit.record(node, audit.PAPER, KIND, note=str(made.count), by=node.operator)
    export.save_paper(path, data)


def _of_draft(package: Package, number: str, answers: Mapping[str, str]) -> Visit:
    needed = _needed(package.item, Records())
    return replace(
        _who(package, number, answers),
        purpose="收件：表还是草稿",
        papers_are="要收的材料",
        papers=needed,
    )


def _of_case(case: Case, row: CaseRow) -> Visit:
    known = cases.records_of(case)
    visit = _who(case.package, row.number, case.fields)
    state = case.story.state
    if state in DECIDED:
        result = case.package.item.result if state is State.GRANTED else ""
        papers = tuple(filter(None, ("决定书", result, "送达回证（请签收）")))
        return replace(visit, purpose="送结果", papers_are="要带的", papers=papers)
    if state is State.RETURNED:
        told = corrections.told(case, known, case.fields)
        faults = tuple(
            f"{corrections.target_name(case, one.fault.target)}：{one.fault.text}"
            for one in told
            if not one.is_mended
        )
        return replace(visit, purpose="补正", papers_are="要补的", papers=faults)
    needed = _needed(case.package.item, known)
    if not needed:
        return replace(visit, purpose="没有要收要送的，现在不用去")
    return replace(visit, purpose="收材料", papers_are="要收的材料", papers=needed)


def _needed(item: Item, known: Records) -> tuple[str, ...]:
    """Return the papers that are always needed and that nobody has yet."""
    return tuple(
        one.name + (f"（{one.copies}）" if one.copies else "")
        for one in item.materials
        if one.required
        and (
            one.key not in known.papers or known.papers[one.key].state in STILL_LACKING
        )
    )


def _who(package: Package, number: str, answers: Mapping[str, str]) -> Visit:
    def answer(role: str) -> str:
        asked = package.field_of(role)
        return answers.get(asked.key, "") if asked else ""

    return Visit(
        number=number,
        applicant=answer("applicant_name"),
        phone=answer("applicant_phone"),
        address=next((answers[key] for key in ADDRESSES if answers.get(key)), ""),
        item=package.item.name,
        purpose="",
    )
