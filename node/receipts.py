"""Papers of a case as they are handed out: made, signed, saved.

`node.papers.official` says what stands above the code and is bound by it; here comes
below it who prints the paper, the day that is promised, and where to sign.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from node import audit, export
from node.batches import BatchList
from node.cases import Case, clocks_of, open_case, records_of
from node.days import civil_day
from node.desks import desk_name
from node.errors import NotFound
from node.lifecycle import RUNNING, State, Step
from node.papers.official import SORTS, WAYS, PaperKind, clean, shown_part, texts_of
from node.papers.paper import (
    Block,
    Heading,
    Listing,
    Pairs,
    Paper,
    Paragraph,
    QrCode,
    Signatures,
)
from node.proof import Claim, code_of, digest_of, in_groups, sign_claim
from node.sealing import SEAL, claim_of, sealed_claim
from node.store.registry import BatchRow
from node.story import Happened
from node.wiring import Node
from node.workdays import Due
from sync.canonical import decode
from sync.identity import TIER_DIGITS, Certificate

CODE_HEADING = "核验"
"""Everything above this heading is bound by the code below it."""

BESIDE_HEADING = "办理"
"""What stands below it is as it is known where and when the paper is printed."""

BATCHES_LOOKED_AT = 10_000
BATCH_SHOWN = 500
_BATCH_LIMIT_BYTES = 1024 * 1024

USUAL: dict[State, PaperKind] = {
    State.RETURNED: PaperKind.CORRECTION,
    State.ACCEPTED: PaperKind.ACCEPTANCE,
    State.FORWARDED: PaperKind.ACCEPTANCE,
    State.DECLINED: PaperKind.DECLINING,
    State.GRANTED: PaperKind.DECISION,
    State.REFUSED: PaperKind.DECISION,
    State.DELIVERED: PaperKind.DELIVERY,
}
"""What is usually handed out to whoever asks; the receipt in any other state."""

_SIGNERS: dict[PaperKind, tuple[str, ...]] = {
    PaperKind.RECEIPT: ("申请人（签名）", "经办人（签名）"),
    PaperKind.CORRECTION: ("收到人（签名）", "日期"),
    PaperKind.ACCEPTANCE: ("办理单位（盖章）", "日期"),
    PaperKind.DECLINING: ("收到人（签名）", "日期"),
    PaperKind.DECISION: ("办理单位（盖章）", "日期"),
    PaperKind.DELIVERY: ("受送达人（签名）", "送达人（签名）", "日期"),
}


@dataclass(frozen=True, slots=True)
class Made:
    """A paper to hand out, and the code on it; "" where it has none."""

    kind: PaperKind
    number: str
    paper: Paper
    code: str


def kinds_of(case: Case) -> list[PaperKind]:
    """Return which papers a case has by now, the usual one first."""
    kinds = [kind for kind in SORTS if _told_of(case, kind) is not None]
    usual = USUAL.get(case.story.state, PaperKind.RECEIPT)
    return sorted(kinds, key=lambda kind: kind is not usual)


def paper_of(node: Node, case: Case, kind: PaperKind) -> Made:
    """Return a paper of a case.

    Raises:
        NotFound: nothing has happened yet of which it could tell.
    """
    one = _told_of(case, kind)
    if one is None:
        raise NotFound("paper", "")
    on = civil_day(one.event.at)
    shown = shown_part(kind, case, one.event, on)
    claim, signature = _signed(node, case, kind, one, on)
    code = code_of(claim, signature) if claim else ""
    blocks = (
        *shown.blocks,
        *_code_blocks(code),
        *_beside(node, case, kind, one),
        Signatures(_SIGNERS[kind]),
    )
    return Made(
        kind, case.row.number, Paper(shown.title, blocks, export.printed_by(node)), code
    )


def batch_paper(node: Node, number: str) -> Made:
    """Return the list of the cases that were forwarded together 移交清单.

    Raises:
        NotFound: no batch of this number is here.
    """
    batch = _batch(node, number)
    on = civil_day(batch.made_at_ms)
    title, blocks = "移交清单", tuple(_batch_blocks(node, batch))
    me = node.certificate
    claim = Claim(
        kind=PaperKind.BATCH,
        number=batch.number,
        item="-",
        on=on,
        outcome=str(batch.count),
        shown=digest_of(texts_of(Paper(title, blocks))),
        node=me.node,
        epoch=me.epoch,
    )
    code = code_of(claim, sign_claim(node.secrets.sign_key, claim))
    paper = Paper(
        title,
        (
            *blocks,
            *_code_blocks(code),
            Signatures(("移交人（签名）", "接收人（签名）", "日期")),
        ),
        export.printed_by(node),
    )
    return Made(PaperKind.BATCH, batch.number, paper, code)


def save(node: Node, made: Made, path: Path, data: bytes) -> None:
    """Write a paper to a file, as text or PDF; that it leaves the home is written down
    first, to be answered for.

    Raises:
        NotFound, DiskFull: see `export.save_paper`.
        WriteForbidden: nothing can be written down now.
    """
    with node.store.transaction():
        about = made.number[: audit.SUBJECT_LIMIT]
        audit.record(node, audit.PAPER, about, note=str(made.kind), by=node.operator)
    export.save_paper(path, data)


def promised_on(node: Node, case: Case) -> Due | None:
    """Return by which day a case is promised to be decided; None while no limit runs.

    A special procedure that runs stops the clock, and so does the promise of a day.
    """
    found = clocks_of(node, case)
    if found.limits is None or found.paused_since or case.story.state not in RUNNING:
        return None
    return found.limits.promise_due


def authors_of(node: Node, one: Happened) -> list[Certificate]:
    """Return the certificates under which the author of an event may have signed."""
    return [c for c in node.roster.everyone() if c.node.hex().startswith(one.author)]


def _signed(
    node: Node, case: Case, kind: PaperKind, one: Happened, on: dt.date
) -> tuple[Claim | None, str]:
    if SORTS[kind].is_sealed:
        claim = sealed_claim(kind, case, one.event, on, authors_of(node, one))
        return claim, one.event.facts.get(SEAL, "")
    claim = claim_of(kind, case, one.event, on, node.certificate)
    return claim, sign_claim(node.secrets.sign_key, claim)


def _code_blocks(code: str) -> Iterator[Block]:
    yield Heading(CODE_HEADING)
    if not code:
        yield Paragraph(
            "本纸没有核验码：这一步没有签章，或者以后又改过。请以系统里的记录为准。"
        )
        return
    yield QrCode(code, "任何站点断网也能验：在工作台按 Q，扫码或照抄下面的码")
    yield Paragraph(in_groups(code))


def _beside(node: Node, case: Case, kind: PaperKind, one: Happened) -> Iterator[Block]:
    """Yield what is not bound: it may differ with time and place."""
    authors = authors_of(node, one)
    corrected = records_of(case).dates.get(one.id, "")
    rows = [
        ("办理单位", desk_name(authors[-1]) if authors else ""),
        *BESIDE.get(kind, _nothing)(node, case),
        ("日期更正为", corrected),
        ("出具单位", "" if SORTS[kind].is_sealed else desk_name(node.certificate)),
    ]
    yield Heading(BESIDE_HEADING)
    yield Pairs(tuple((name, value) for name, value in rows if value))


Rows = Iterator[tuple[str, str]]


def _nothing(node: Node, case: Case) -> Rows:
    yield from ()


def _promise_rows(node: Node, case: Case) -> Rows:
    due = promised_on(node, case)
    if due is not None:
        yield "承诺办结日", _told_day(due)


def _receipt_rows(node: Node, case: Case) -> Rows:
    """Yield from when the clocks run, by when there is a word, by when a decision."""
    found = clocks_of(node, case)
    if found.received_on and found.received_on != found.first_workday:
        yield "起算日", f"{found.first_workday}（收件那天休息，从下一个工作日起算）"
    if found.untold and found.told_by:
        yield "答复期限", f"{_told_day(found.told_by)} 以前受理，或一次告知要补正什么"
        last = node.calendar.add_workdays(
            found.told_by.on, case.package.item.promise_workdays
        )
        yield "最晚办结", f"{_told_day(last)}，不用补正的话"
    yield from _promise_rows(node, case)


def _delivery_rows(node: Node, case: Case) -> Rows:
    """Yield what is known of the delivery; nothing where it is still to come."""
    known = records_of(case)
    for parcel in known.parcels[-1:]:
        facts = parcel.event.facts
        sent = (facts.get("carrier", ""), facts.get("tracking", ""))
        yield "快递", clean(" ".join(filter(None, sent)))
    done = _last(case, [Step.DELIVER])
    if done is not None:
        facts = done.event.facts
        yield "送达方式", WAYS.get(facts.get("way", ""), "")
        yield "收件人", clean(facts.get("recipient", ""))
        yield "送达日期", civil_day(done.event.at).isoformat()


BESIDE: dict[PaperKind, Callable[[Node, Case], Rows]] = {
    PaperKind.RECEIPT: _receipt_rows,
    PaperKind.ACCEPTANCE: _promise_rows,
    PaperKind.DELIVERY: _delivery_rows,
}


def _told_day(due: Due) -> str:
    mark = "（暂定，工作日历还没公布）" if due.is_provisional else ""
    return f"{due.on.isoformat()}{mark}"


def _told_of(case: Case, kind: PaperKind) -> Happened | None:
    return _last(case, SORTS[kind].steps)


def _last(case: Case, steps: Sequence[Step]) -> Happened | None:
    """Return the last of some steps that stands; an intake: the first, or what was
    handed in to a correction would take the day of the receipt.
    """
    found = [o for o in case.story.happened if o.event.step in steps and not o.why_not]
    if not found:
        return None
    return found[0] if Step.SUBMIT in steps else found[-1]


def _batch(node: Node, number: str) -> BatchRow:
    wanted = number.strip().upper()
    for row in node.store.registry.batches(BATCHES_LOOKED_AT):
        if row.number.upper() == wanted:
            return row
    raise NotFound("batch", number[:40])


def _batch_blocks(node: Node, batch: BatchRow) -> Iterator[Block]:
    listed = decode(batch.body, BatchList, limit_bytes=_BATCH_LIMIT_BYTES)
    yield Pairs(
        (
            ("批次号", batch.number),
            ("移交单位", clean(_sender(node, batch.number))),
            ("移交日期", civil_day(batch.made_at_ms).isoformat()),
            ("移交人", clean(listed.by)),
            ("件数", f"{batch.count} 件"),
        )
    )
    yield Heading("办件")
    entries = []
    for number, document in enumerate(listed.documents[:BATCH_SHOWN], start=1):
        entries.append(f"{number}. {_batch_line(node, document)}")
    yield Listing(tuple(entries))
    if len(listed.documents) > BATCH_SHOWN:
        yield Paragraph(f"另有 {len(listed.documents) - BATCH_SHOWN} 件没有列出。")


def _sender(node: Node, number: str) -> str:
    """Return the name of the town whose division a batch number begins with."""
    division = number.partition("-")[0].ljust(TIER_DIGITS["village"], "0")
    names = (c.name for c in node.roster.everyone() if c.division == division)
    return next(names, division)


def _batch_line(node: Node, document: bytes) -> str:
    try:
        case = open_case(node, document.hex())
    except NotFound:
        return f"{document.hex()[:12]}（不在本机）"
    who = clean(case.row.applicant) or "（未填）"
    count = len(case.materials)
    files = f"，电子材料 {count} 份" if count else ""
    return f"{case.row.number}　{who}　{clean(case.package.item.name)}{files}"
