"""What a desk says of the case under the cursor, in two lines."""

from node import cases, status, versions
from node.lifecycle import State, Step
from node.places import place_names
from node.progress import progress
from node.store.cases import CaseRow, Filter
from node.wiring import Node
from tui import labels, times
from tui.screens.page import Tone
from tui.text import harmless


def words(node: Node, row: CaseRow | None) -> tuple[str, Tone]:
    """Return what to say of a row, and whether it asks for a person.

    A returned or refused case says why, by whom and when; a draft, while nothing else
    is under the cursor, leaves room for the case that has waited longest for a
    correction, so that nobody overlooks it.
    """
    if row is not None and row.state in REASONED:
        return reasoned(node, row), "alert"
    if row is not None and row.mark:
        tone: Tone = "alert" if cases.may_settle(node, row) else "quiet"
        return _marked(node, row), tone
    if row is None or row.state == State.DRAFT:
        waiting = node.store.cases.page(
            Filter(states=(State.RETURNED,), oldest_first=True), None, 1
        )
        if waiting and node.tier == "village":
            return reasoned(node, waiting[0]), "alert"
    if row is None:
        return "", "quiet"
    return _calm(node, row), "quiet"


REASONED: dict[str, Step] = {
    State.RETURNED: Step.RETURN,
    State.REFUSED: Step.REFUSE,
}
"""States whose reason must be seen at once, and the step that gave it."""


def reasoned(node: Node, row: CaseRow, why: str = "") -> str:
    """Return why a case was sent back or refused, by whom and when; `why` in place of
    the reason, where all of it is shown elsewhere.
    """
    case = cases.open_case(node, row.id)
    step = REASONED[row.state]
    name, word = harmless(row.applicant), labels.word(labels.STEPS, step)
    for one in reversed(case.story.happened):
        if one.event.step == step and not one.why_not:
            day = times.day(one.event.at, node.now_ms())
            author = labels.author_name(node.roster, one.author)
            note = why or harmless(one.event.note, width=90)
            by = harmless(one.event.by)
            return f"! {name} {word}：{note}（{author} {by} {day}）"
    return f"! {name} {word}"


def _marked(node: Node, row: CaseRow) -> str:
    name = harmless(row.applicant)
    meaning = labels.settles_here(
        row.mark, row.settler, is_here=cases.may_settle(node, row)
    )
    if cases.may_settle(node, row):
        return f"{labels.OPEN_MARK} {name}：{meaning}，按 H 核对"
    return f"{name}：{meaning}。两边都留着，按回车看"


def _calm(node: Node, row: CaseRow) -> str:
    now_ms = node.now_ms()
    if row.state == State.DRAFT:
        kept = times.moment(row.changed_at_ms, now_ms)
        if versions.has_newer(node, row.item_code, row.package):
            return f"草稿，只在本机。{kept} 存的。表有新版，按回车看改了什么"
        return f"草稿，只在本机。{kept} 存的，按回车接着填"
    since = times.moment(row.submitted_at_ms, now_ms)
    changed = times.moment(row.changed_at_ms, now_ms)
    origin = labels.whose(place_names(node), row)
    marks = "".join(f"{one}   " for one in labels.marks(row))
    where = f"{marks}单号 {row.number}   {origin}   {row.department}"
    when = f"{since} 收件   {changed} 变动"
    return f"{where}\n{when}{_files(node, row)}{_arrived(node, row)}"


def _files(node: Node, row: CaseRow) -> str:
    """Return how many files have come, until all have come as far as they go."""
    found = progress(node, [row.document]).get(row.document)
    if found is None or found.is_all_there:
        return ""
    return f"   {labels.files_arrived(found)}"


def _arrived(node: Node, row: CaseRow) -> str:
    known = status.arrivals(node, [row.document])[row.document]
    times_known = [
        (labels.AT_TOWN, known.town_ms),
        (labels.AT_DISTRICT, known.district_ms),
    ]
    told = [
        f"{mark} {times.moment(at_ms, node.now_ms())}"
        for mark, at_ms in times_known
        if at_ms
    ]
    if told:
        return "   " + "  ".join(told)
    return f"   {labels.arrival(known)}" if labels.arrival(known) else ""
