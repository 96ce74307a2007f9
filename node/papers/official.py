"""The papers of a case, as far as its events say them. Pure: no I/O, no clock.

What is made here is what a code on the paper binds 签章: it follows from the case and
from the step that the paper tells of, so that every node makes the same. What changes
with time or place (the promised day, who prints it) is put below it by `node.receipts`.
It holds no table, so that its texts are the same however wide the lines are.
"""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from forms.kinds import KINDS
from forms.service import Delivery
from forms.words import words_of
from node import corrections
from node.cases import Case, records_of
from node.corrections import LATE_MARK, target_name
from node.facts import MATERIAL_STATES
from node.lifecycle import LEADS_TO, Event, Step
from node.papers.paper import Block, Heading, Listing, Pairs, Paper, Paragraph
from node.rights import RIGHTS


class PaperKind(StrEnum):
    """A paper that leaves the house. The values stand in codes: never rename one."""

    RECEIPT = "receipt"  # 收件回执单
    CORRECTION = "correction"  # 一次性告知书
    ACCEPTANCE = "acceptance"  # 受理通知书
    DECLINING = "declining"  # 不予受理通知书
    DECISION = "decision"  # 决定书
    DELIVERY = "delivery"  # 送达回证
    BATCH = "batch"  # 移交清单


ANYBODY = "collect or accept or decide"


@dataclass(frozen=True, slots=True)
class Sort:
    """What kind of paper it is.

    Attributes:
        titles: what it is called, by the step that it tells of.
        duties: what the signer's tier must do for the item, one of them.
        is_sealed: whoever takes the step signs the paper with it, so that any node can
            print it later; any other is signed by whoever prints it.
    """

    titles: dict[Step, str]
    duties: str
    is_sealed: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that it tells of."""
        return tuple(self.titles)


SORTS: dict[PaperKind, Sort] = {
    PaperKind.RECEIPT: Sort({Step.SUBMIT: "收件回执单"}, ANYBODY),
    PaperKind.CORRECTION: Sort(
        {Step.RETURN: "补正材料一次性告知书"}, RIGHTS[Step.RETURN], is_sealed=True
    ),
    PaperKind.ACCEPTANCE: Sort(
        {Step.ACCEPT: "受理通知书"}, RIGHTS[Step.ACCEPT], is_sealed=True
    ),
    PaperKind.DECLINING: Sort(
        {Step.DECLINE: "不予受理通知书"}, RIGHTS[Step.DECLINE], is_sealed=True
    ),
    PaperKind.DECISION: Sort(
        {Step.GRANT: "准予决定书", Step.REFUSE: "不予决定书"},
        RIGHTS[Step.GRANT],
        is_sealed=True,
    ),
    PaperKind.DELIVERY: Sort(
        {Step.GRANT: "送达回证", Step.REFUSE: "送达回证"}, ANYBODY
    ),
}
"""The papers of one case. The batch list is of many, see `node.receipts`."""

SEALED: dict[Step, PaperKind] = {
    step: kind for kind, sort in SORTS.items() if sort.is_sealed for step in sort.steps
}
"""With which steps a paper is signed."""

_HANDLINGS = {"self": "本人办理", "agent": "代办", "visit": "上门收件"}
WAYS = words_of(Delivery)
_IDEOGRAPHS = range(0x20000, 0x3FFFE)
_NO_HEADINGS = str.maketrans("【】", "〔〕")
"""What a heading is set in, as text of a paper."""


def clean(text: str) -> str:
    """Return a text from data without hidden letters: the terminal would spell them
    out, and what is printed must be what is signed. Nor does it hold what looks like a
    heading: where the signed part ends would be in the hands of whoever wrote it.
    """
    kept = (
        char
        for char in unicodedata.normalize("NFC", " ".join(text.split()))
        if char.isprintable() or ord(char) in _IDEOGRAPHS
    )
    return "".join(kept).translate(_NO_HEADINGS)


def outcome_of(step: Step) -> str:
    """Return what a code says of where the step led."""
    return str(LEADS_TO[step])


def shown_part(kind: PaperKind, case: Case, event: Event, on: date) -> Paper:
    """Return the part of a paper that is signed.

    Args:
        kind: any but the batch list.
        case: as it is known here.
        event: what the paper tells of, one of the `steps` of its sort.
        on: the civil day of that event.
    """
    step = Step(event.step)
    rows = [*_who(case), *ROWS[kind](case, event, on)]
    pairs = Pairs(tuple((name, clean(value)) for name, value in rows if value))
    return Paper(SORTS[kind].titles[step], (pairs, *WORDS[kind](case, event)))


def texts_of(paper: Paper) -> Iterator[str]:
    """Yield the texts of a signed part, in the order in which they are read."""
    yield paper.title
    for block in paper.blocks:
        match block:
            case Heading():
                yield f"【{block.text}】"
            case Paragraph():
                yield block.text
            case Listing():
                yield from block.entries
            case Pairs():
                for row in block.rows:
                    yield from row
            case _:
                raise AssertionError("a signed part holds no such block")


def progress_code(number: str) -> str:
    """Return the end of a case number 查询码, by which its place finds it:
    day, terminal with count, check character.
    """
    return f"{number[12:18]}-{number[18:]}" if len(number) == 25 else number


Rows = Sequence[tuple[str, str]]


def _who(case: Case) -> Rows:
    id_field = case.package.field_of("applicant_id")
    id_number = case.fields.get(id_field.key, "") if id_field else ""
    return (
        ("办件编号", case.row.number),
        ("申请人", case.row.applicant or "（未填）"),
        (
            "证件号码",
            KINDS[id_field.kind].show(id_field, id_number)
            if id_field and id_number
            else "",
        ),
        ("办理事项", case.package.item.name),
        ("事项代码", case.package.item.code),
        ("承办部门", case.package.item.department),
    )


def _receipt_rows(case: Case, event: Event, on: date) -> Rows:
    said = records_of(case)
    handling = _HANDLINGS.get(said.handling, "")
    if said.authorised:
        handling += f"（委托：{said.authorised}）"
    return (
        ("查询码", progress_code(case.row.number)),
        ("收件日期", on.isoformat()),
        ("收件人", event.by),
        ("收件方式", handling),
        ("代收", "只收了纸质材料，表单由上级代录" if said.is_paper_only else ""),
        ("承诺时限", _promise(case)),
        ("领取方式", WAYS.get(said.delivery, "")),
    )


def _promise(case: Case) -> str:
    item = case.package.item
    if item.same_day:
        return "即办，受理后当场办结"
    return (
        f"受理后 {item.promise_workdays} 个工作日内办结"
        f"（法定 {item.legal_workdays} 个工作日）"
    )


def _notice_rows(case: Case, event: Event, on: date) -> Rows:
    return (("告知日期", on.isoformat()), ("告知人", event.by))


def _acceptance_rows(case: Case, event: Event, on: date) -> Rows:
    return (
        ("受理日期", on.isoformat()),
        ("受理人", event.by),
        ("承诺时限", _promise(case)),
    )


def _declining_rows(case: Case, event: Event, on: date) -> Rows:
    return (("决定日期", on.isoformat()), ("经办人", event.by))


def _decision_rows(case: Case, event: Event, on: date) -> Rows:
    return (
        ("决定", "准予" if event.step == Step.GRANT else "不予"),
        ("决定日期", on.isoformat()),
        ("文号", event.facts.get("paper", "")),
        ("有效期至", event.facts.get("until", "")),
        ("签发人", event.by),
    )


ROWS: dict[PaperKind, Callable[[Case, Event, date], Rows]] = {
    PaperKind.RECEIPT: _receipt_rows,
    PaperKind.CORRECTION: _notice_rows,
    PaperKind.ACCEPTANCE: _acceptance_rows,
    PaperKind.DECLINING: _declining_rows,
    PaperKind.DECISION: _decision_rows,
    PaperKind.DELIVERY: _decision_rows,
}


def _receipt_words(case: Case, event: Event) -> Iterator[Block]:
    papers = records_of(case).papers
    entries = []
    for number, one in enumerate(case.package.item.materials, start=1):
        paper = papers.get(one.key)
        state = MATERIAL_STATES[paper.state] if paper else "未交"
        where = f"，{clean(paper.place)}" if paper and paper.place else ""
        entries.append(f"{number}. {clean(one.name)}：{state}{where}")
    if entries:
        yield Heading("材料")
        yield Listing(tuple(entries))
    if case.materials:
        yield Paragraph(f"另有电子材料 {len(case.materials)} 份。")
    yield Paragraph(
        "本单证明上述申请已经收件，不等于受理。凭单号或查询码可到收件的地方查进度。"
    )


def _correction_words(case: Case, event: Event) -> Iterator[Block]:
    yield Paragraph("你的申请需要补正。要补的全部列在下面，补齐后请交回收件的地方。")
    yield Heading("需要补正的内容")
    told = corrections.of_notice(case, event)
    faults = [
        f"{at}. {clean(f'{target_name(case, one.target)}：{one.text}')}"
        f"{LATE_MARK if one.is_late else ''}"
        for at, one in enumerate(told, start=1)
    ]
    if faults:
        yield Listing(tuple(faults))
    # A desk writes the reason from the faults, and cuts it; they are listed in full.
    said = corrections.summed_up(case, {one.target: one.text for one in told})
    if event.note and not said.startswith(event.note.removesuffix("…")):
        yield Paragraph(clean(event.note))
    yield Paragraph(
        "依据《行政许可法》第三十二条：需要补正的内容应当当场或者五日内一次告知；"
        "逾期不告知的，自收到申请材料之日起即为受理。"
    )


def _acceptance_words(case: Case, event: Event) -> Iterator[Block]:
    yield Paragraph("经审查，你的申请材料齐全、符合法定形式，现予受理。")
    if event.note:
        yield Paragraph(f"说明：{clean(event.note)}")


def _declining_words(case: Case, event: Event) -> Iterator[Block]:
    yield Paragraph("经审查，你的申请不予受理。")
    yield Heading("理由")
    yield Paragraph(clean(event.note))
    yield Paragraph(_REMEDY)


def _decision_words(case: Case, event: Event) -> Iterator[Block]:
    if event.step == Step.GRANT:
        yield Paragraph("经审查，你的申请符合法定条件，决定准予。")
        if event.note:
            yield Paragraph(f"说明：{clean(event.note)}")
        return
    yield Paragraph("经审查，你的申请不符合法定条件，决定不予。")
    yield Heading("理由")
    yield Paragraph(clean(event.note))
    yield Paragraph(_REMEDY)


def _delivery_words(case: Case, event: Event) -> Iterator[Block]:
    result = case.package.item.result
    name = "准予决定书" if event.step == Step.GRANT else "不予决定书"
    yield Heading("送达的文书、证件")
    papers = [name, *([clean(result)] if result and event.step == Step.GRANT else [])]
    yield Listing(tuple(f"{at}. {one}" for at, one in enumerate(papers, start=1)))


_REMEDY = (
    "如对本决定不服，可以自知道之日起六十日内申请行政复议，"
    "或者六个月内向人民法院提起行政诉讼。"
)
"""Source: 行政复议法 第二十条, 行政诉讼法 第四十六条; said by 行政许可法 第三十八条."""

WORDS: dict[PaperKind, Callable[[Case, Event], Iterator[Block]]] = {
    PaperKind.RECEIPT: _receipt_words,
    PaperKind.CORRECTION: _correction_words,
    PaperKind.ACCEPTANCE: _acceptance_words,
    PaperKind.DECLINING: _declining_words,
    PaperKind.DECISION: _decision_words,
    PaperKind.DELIVERY: _delivery_words,
}
