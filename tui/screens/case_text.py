"""A case in words: its head, its answers, its story. No I/O of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from forms import check
from forms.filled import FilledForm, Line
from forms.kinds import KINDS
from node import cases, corrections, history, kept_answers, status
from node.cases import Case
from node.history import Trace
from node.lifecycle import BEFORE, Event, State, Step
from node.places import place_names
from node.progress import progress, ways
from node.story import Happened
from node.wiring import Node
from tui import (
    clock_words,
    fact_words,
    history_words,
    labels,
    matters,
    record_words,
    times,
    version_words,
)
from tui.screens import kept
from tui.screens.views import STYLES
from tui.text import cells, fit, harmless, plain

LABEL_CELLS_MAX = 24
NAME_CELLS_MAX = 46
STEP_CELLS = 10
MUTED, LOUD, WRONG = "dim", "bold", "bold"


@dataclass(frozen=True, slots=True)
class Sections:
    """The tabs of a case, each as lines; of its story the events, see `story`."""

    head: tuple[Text, ...]
    answers: tuple[Text, ...]
    happened: tuple[Happened, ...]
    materials: tuple[Text, ...]
    disputes: tuple[Text, ...]
    dispute_count: int


def describe(node: Node, case: Case) -> Sections:
    """Return all that a person may want to know of a case."""
    return Sections(
        head=tuple(_head(node, case)),
        answers=tuple(_answers(node, case)),
        happened=tuple(case.story.happened),
        materials=tuple(_materials(node, case)),
        disputes=tuple(_disputes(node, case)),
        dispute_count=len(case.matters),
    )


def _head(node: Node, case: Case) -> Iterator[Text]:
    row, now_ms = case.row, node.now_ms()
    person = [harmless(row.applicant or "（未填）")]
    for role in ("applicant_id", "applicant_phone"):
        field = case.package.field_of(role)
        if field and case.fields.get(field.key):
            person.append(_shown(case, field.key))
    line = Text().append("  ".join(person), LOUD)
    origin = labels.whose(place_names(node), row)
    line.append(f"   {harmless(origin)}", style=MUTED)
    yield line
    item = case.package.item
    yield plain(f"{item.name}   {item.department}   单号 {row.number}")
    state = Text().append(labels.word(labels.STATES, case.story.state), LOUD)
    if case.story.outcome and case.story.outcome != case.story.state:
        state.append(f"（{labels.word(labels.STATES, case.story.outcome)}）")
    if row.mark:
        is_mine = cases.may_settle(node, row)
        sign = labels.OPEN_MARK if is_mine else labels.SETTLED_MARK
        meaning = labels.settles_here(row.mark, row.settler, is_here=is_mine)
        state.append(f"  {sign} {meaning}", style=WRONG if is_mine else "")
    elif row.had_conflict:
        state.append(f"  {labels.SETTLED_MARK} 曾有不同，已核对")
    state.append("   ")
    state.append(_arrival_words(node, case, now_ms), style=MUTED)
    found = progress(node, [row.document]).get(row.document)
    if found is not None:
        state.append(f"   {labels.files_arrived(found)}", style=MUTED)
    yield state
    known = cases.records_of(case)
    people = [record_words.first_contact(node, case), *record_words.people(case, known)]
    line = Text()
    for mark in labels.marks(row):
        line.append(f"【{mark}】", LOUD)
    if line:
        line.append("  ")
    line.append(harmless("   ".join(filter(None, people))), MUTED)
    if corrections.late_faults(case, known):
        line.append(f"   {corrections.LATE_WORD}", LOUD)
    yield line
    today = node.today()
    days = clock_words.summary(cases.clocks_of(node, case), today, node.calendar)
    if days:
        light = STYLES[cases.light_of(row, today)]
        yield Text("时限  ", MUTED).append(days, light)


def _arrival_words(node: Node, case: Case, now_ms: int) -> str:
    """Return how far this node's own work in the case has come, with times."""
    known = status.arrivals(node, [case.row.document])[case.row.document]
    if known.town_ms is None and known.district_ms is None:
        return ""
    parts = ["✓本机"]
    for mark, missing, at_ms in (
        ("●已到镇", "▲未到镇", known.town_ms),
        ("✓已到区", "▲未到区", known.district_ms),
    ):
        if at_ms:
            parts.append(f"{mark} {times.moment(at_ms, now_ms)}")
        elif at_ms is not None:
            parts.append(missing)
    return "  ".join(parts)


def _standing(node: Node, case: Case) -> Iterator[Text]:
    """Yield what is to be put right, and how far the departments are."""
    known = cases.records_of(case)
    draft = kept.correction(node, case.id)
    answers = {**case.fields, **(draft.answers if draft else {})}
    is_waiting = case.story.state in BEFORE | {State.RETURNED}
    faults = record_words.faults(case, known, answers) if is_waiting else []
    for title, lines in (
        ("要补正的", faults),
        ("各部门", record_words.branches(node, case, known)),
    ):
        found = [plain(line) for line in lines]
        if found:
            yield Text(f"── {title}", MUTED)
            yield from found
            yield Text("")


def _answers(node: Node, case: Case) -> Iterator[Text]:
    yield from _standing(node, case)
    form = FilledForm(case.package, case.fields, check.noon(node.today()))
    lines = [one for one in form.lines() if _is_told(one)]
    asked = [one for one in lines if one.field]
    width = min(LABEL_CELLS_MAX, max((cells(one.label) for one in asked), default=0))
    doubtful = {conflict.key for conflict in case.conflicts}
    for one in lines:
        if one.field is None:
            yield Text(f"── {harmless(one.label)}", MUTED)
            continue
        label = fit(harmless(one.label), width, "right")
        line = Text().append(f"{label}  ", MUTED)
        value = harmless(KINDS[one.field.kind].show(one.field, one.value))
        line.append(value or "—", style="" if value else MUTED)
        if one.key in doubtful:
            line.append("  ! 两处填得不同，见“核对”", style=WRONG)
        yield line
    kept = kept_answers.of(node, case.row.document)
    if kept:
        yield Text(f"── {version_words.KEPT_WORDS}", MUTED)
        yield from (plain(words) for words in version_words.kept_lines(kept))


def _is_told(line: Line) -> bool:
    """Say whether a line of the form says something of the case."""
    if line.field:
        return KINDS[line.field.kind].answers
    return line.kind != "repeat"


def story(node: Node, case: Case) -> Iterator[Text]:
    """Yield what happened to a case, with what each step has changed. It reads all
    changes of the case, so it is for when somebody asks.
    """
    scene = fact_words.scene_of(node, case)
    traces = history.traces(node, case)
    late = history_words.late_faults(case, scene.known)
    written = [plain(line) for line in record_words.lines(node, scene)]
    if written:
        yield Text("── 记下的", MUTED)
        yield from written
        yield Text("── 经过", MUTED)
    for one in case.story.happened:
        yield from _event(node, scene, one, traces[one.id], late.get(one.id, ""))
    for aside in node.store.documents.asides_of(case.row.document):
        words = labels.aside(aside, node.roster.latest(aside.author))
        yield Text(f"! {harmless(words)}", style=WRONG)


def _event(
    node: Node, scene: fact_words.Scene, one: Happened, trace: Trace, late: str
) -> Iterator[Text]:
    case, event = scene.case, one.event
    line = Text().append(f"{times.moment(event.at, node.now_ms())}  ", MUTED)
    step = labels.word(labels.STEPS, event.step)
    line.append(fit(step, max(STEP_CELLS, cells(step))), style=LOUD)
    author = history_words.place(trace.author, one.author)
    line.append(f"  {harmless(author)} {harmless(event.by)}")
    if one.why_not:
        state = labels.word(labels.STATES, one.why_not)
        was_settled = _step(case, one.settled_by) == Step.SETTLE
        why = "核对后定为" if was_settled else "当时已是"
        if not one.settled_by:
            line.append(f"  ! 等核对：{why}“{state}”", style=WRONG)
        else:
            line.append(f"  ✗没有生效：{why}“{state}”", style=WRONG)
    yield line
    received = history_words.receipt(trace.receipt, event.at, node.now_ms())
    if received:
        yield _indented(harmless(received))
    if event.note:
        yield _indented("说明：" + harmless(event.note))
    for said in fact_words.told(scene, event):
        # A notice of correction tells its faults in its note as well.
        if said.partition("：")[2] not in event.note:
            yield _indented(harmless(said))
    if late:
        yield _indented(harmless(late), LOUD)
    if event.step == Step.SETTLE:
        yield _indented(_settled(case, event))
    for said in history_words.changes(case, trace):
        yield _indented(harmless(said))
    if event.batch:
        yield _indented(f"批次：{harmless(event.batch)}")


def _materials(node: Node, case: Case) -> Iterator[Text]:
    key = case.row.document
    found = progress(node, [key]).get(key)
    if found is None:
        yield Text("没有附电子材料。", style=MUTED)
    else:
        yield plain(f"电子{labels.files_arrived(found)}")
    for number, (digest, way) in enumerate(ways(node, key).items(), start=1):
        material = case.materials[digest]
        line = Text(f"  {number} {fit(labels.way(way), 13)}")
        line.append(harmless(material.name, width=NAME_CELLS_MAX))
        line.append(f"  {labels.size(material.size)}", style=MUTED)
        yield line
    yield Text("")
    yield plain("这个事项要交（按 K 记状态）：")
    known = cases.records_of(case)
    for number, needed in enumerate(case.package.item.materials, start=1):
        must = "" if needed.required else "（视情况）"
        line = plain(f"  {number} {needed.name}{must}")
        line.append(f"  {record_words.material_state(known, needed.key)}", style=LOUD)
        line.append(f"  {harmless(needed.copies)}", style=MUTED)
        yield line
        for point in needed.review:
            yield _indented(f"· {harmless(point)}")
    if case.package.item.members:
        yield Text("")
        yield plain("一起办的事，各用到哪些材料（交一次，大家都算交了）：")
        for words in record_words.members(case, known):
            yield plain(f"  {words}")


def _settled(case: Case, event: Event) -> str:
    if event.fields:
        names = [matters.field_label(case, one) for one in event.fields]
        return f"核对了：{harmless('、'.join(names))}"
    if not event.upholds:
        return "看过了受理后的修改"
    step = _step(case, event.upholds)
    return f"以“{labels.word(labels.STEPS, step)}”为准"


def _step(case: Case, event_id: str) -> str:
    return next((o.event.step for o in case.story.happened if o.id == event_id), "")


def _disputes(node: Node, case: Case) -> Iterator[Text]:
    now_ms = node.now_ms()
    for matter in case.matters:
        yield Text(f"! {harmless(matters.title(case, matter))}", style=LOUD)
        for number, side in enumerate(matter.sides, start=1):
            said = matters.side_words(case, matter, side)
            outcome = matters.outcome_words(matter, number)
            note = f"理由：{side.note}" if side.note else ""
            words = "  ".join(filter(None, (said, outcome, note)))
            yield _indented(f"{number} {harmless(words)}", LOUD)
            for author in side.authors:
                yield _indented("  " + harmless(matters.author_words(author, now_ms)))
        for edit in matter.edits:
            yield _indented(harmless(matters.edit_words(case, edit)), LOUD)
            yield _indented("  " + harmless(matters.author_words(edit.author, now_ms)))
    if cases.may_settle(node, case.row):
        yield plain("打电话核实后，按 H 定下来：一个键，一句理由。")
    elif case.row.settler:
        who = labels.TIERS[case.row.settler]
        yield Text(f"两边都留着，等{who}里核对，不用再做什么。", style=MUTED)
    elif case.row.had_conflict:
        yield Text("曾有不同，已经核对，谁定的、为什么，见“流转”。", style=MUTED)
    else:
        yield Text("没有要核对的：各处填得一样，每一步都生效。", style=MUTED)


def _shown(case: Case, key: str) -> str:
    field, value = case.package.question(key), case.fields.get(key, "")
    return harmless(KINDS[field.kind].show(field, value)) if field and value else ""


def _indented(text: str, style: str = MUTED) -> Text:
    return Text("             " + text, style=style)
