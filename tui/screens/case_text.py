"""A case in words: its head, its answers, its story. No I/O of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from forms.kinds import KINDS
from node import status
from node.cases import Case
from node.lifecycle import Happened
from node.wiring import Node
from tui import labels, times
from tui.screens import preview, views
from tui.text import cells, fit, harmless, plain

LABEL_CELLS_MAX = 24
MUTED, LOUD, WRONG = "dim", "bold", "bold"


@dataclass(frozen=True, slots=True)
class Sections:
    """The tabs of a case, each as lines."""

    head: tuple[Text, ...]
    answers: tuple[Text, ...]
    story: tuple[Text, ...]
    materials: tuple[Text, ...]
    disputes: tuple[Text, ...]
    dispute_count: int


def describe(node: Node, case: Case) -> Sections:
    """Return all that a person may want to know of a case."""
    return Sections(
        head=tuple(_head(node, case)),
        answers=tuple(_answers(node, case)),
        story=tuple(_story(node, case)),
        materials=tuple(_materials(node, case)),
        disputes=tuple(_disputes(node, case)),
        dispute_count=len(case.conflicts) + len(case.story.disputed),
    )


def _head(node: Node, case: Case) -> Iterator[Text]:
    row, now_ms = case.row, node.now_ms()
    person = [harmless(row.applicant or "（未填）")]
    for role in ("applicant_id", "applicant_phone"):
        field = case.package.field_of(role)
        if field and case.fields.get(field.key):
            person.append(_shown(case, field.key))
    line = Text().append("  ".join(person), LOUD)
    origin = views.place(views.places(node), row.division)
    line.append(f"   {harmless(origin)}", style=MUTED)
    yield line
    item = case.package.item
    yield plain(f"{item.name}   {item.department}   单号 {row.number}")
    state = Text().append(labels.word(labels.STATES, case.story.state), LOUD)
    if case.story.outcome and case.story.outcome != case.story.state:
        state.append(f"（{labels.word(labels.STATES, case.story.outcome)}）")
    if row.mark:
        state.append(f"  ! {labels.word(labels.MARKS, row.mark)}", style=WRONG)
    state.append("   ")
    state.append(_arrival_words(node, case, now_ms), style=MUTED)
    yield state


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


def _answers(node: Node, case: Case) -> Iterator[Text]:
    asked = [field for field in case.package.fields if KINDS[field.kind].answers]
    width = min(LABEL_CELLS_MAX, max((cells(f.label) for f in asked), default=0))
    doubtful = {conflict.key for conflict in case.conflicts}
    for field in asked:
        label = fit(harmless(field.label), width, "right")
        line = Text().append(f"{label}  ", MUTED)
        value = _shown(case, field.key)
        line.append(value or "—", style="" if value else MUTED)
        if field.key in doubtful:
            line.append("  ! 两处填得不同，见“核对”", style=WRONG)
        yield line


def _story(node: Node, case: Case) -> Iterator[Text]:
    for one in case.story.happened:
        yield from _event(node, case, one)


def _event(node: Node, case: Case, one: Happened) -> Iterator[Text]:
    event = one.event
    line = Text().append(f"{times.moment(event.at, node.now_ms())}  ", MUTED)
    line.append(fit(labels.word(labels.STEPS, event.step), 10), style=LOUD)
    author = preview.who(node, one.author)
    line.append(f"  {harmless(author)} {harmless(event.by)}")
    if one.why_not:
        state = labels.word(labels.STATES, one.why_not)
        line.append(f"  ✗没有生效：当时已是“{state}”", style=WRONG)
    yield line
    if event.note:
        yield _indented("说明：" + harmless(event.note))
    if event.fields:
        names = {field.key: field.label for field in case.package.fields}
        changed = "、".join(harmless(names.get(key, key)) for key in event.fields)
        yield _indented(f"改了：{changed}")
    if event.batch:
        yield _indented(f"批次：{harmless(event.batch)}")


def _materials(node: Node, case: Case) -> Iterator[Text]:
    here = node.store.registry.attachments(list(case.materials))
    if case.materials:
        yield plain(f"电子材料：已到 {len(here)}/{len(case.materials)}")
    for digest, material in case.materials.items():
        mark = "✓已在本机" if digest in here else "▲还没传到"
        line = Text(f"  {fit(mark, 11)}")
        size = labels.size(material.size) if material.size else ""
        line.append(f"{harmless(material.name)}  {size}")
        line.append(f"  {digest[:12]}", style=MUTED)
        yield line
    if not case.materials:
        yield Text("没有附电子材料。", style=MUTED)
    yield Text("")
    yield plain("这个事项要交：")
    for number, needed in enumerate(case.package.item.materials, start=1):
        must = "" if needed.required else "（视情况）"
        line = plain(f"  {number} {needed.name}{must}")
        line.append(f"  {harmless(needed.copies)}", style=MUTED)
        yield line
        for point in needed.review:
            yield _indented(f"· {harmless(point)}")


def _disputes(node: Node, case: Case) -> Iterator[Text]:
    if not case.conflicts and not case.story.disputed:
        yield Text("没有要核对的：各处填得一样，每一步都生效。", style=MUTED)
    fields = {field.key: field for field in case.package.fields}
    for conflict in case.conflicts:
        field = fields.get(conflict.key)
        label = field.label if field else conflict.key
        yield Text(f"! {harmless(label)}：两处填得不同", style=LOUD)
        for value, author in conflict.values:
            shown = KINDS[field.kind].show(field, value) if field else value
            name = labels.node_name(node.roster.latest(author), author)
            yield _indented(f"{harmless(name)} 填的：{harmless(shown) or '（空）'}")
        yield _indented("两个都留着。打电话核对后，按 E 填上对的。")
    for one in case.story.disputed:
        step = labels.word(labels.STEPS, one.event.step)
        state = labels.word(labels.STATES, one.why_not)
        place = preview.who(node, one.author)
        at = times.moment(one.event.at, node.now_ms())
        yield Text(f"! {step}没有生效", style=LOUD)
        yield _indented(
            f"{harmless(place)} {harmless(one.event.by)} {at} 办的，"
            f"但办件当时已是“{state}”。两边都留着记录，请同对方核对。"
        )


def _shown(case: Case, key: str) -> str:
    field = next(field for field in case.package.fields if field.key == key)
    value = case.fields.get(key, "")
    return harmless(KINDS[field.kind].show(field, value)) if value else ""


def _indented(text: str) -> Text:
    return Text("             " + text, style=MUTED)
