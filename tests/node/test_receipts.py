"""Papers of a case, the codes on them, and what is told to whoever asks."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.check import CHINA
from node import casework, inquiry, proof, receipts, roster
from node.cases import open_case
from node.clocks import ACCEPT, DELIVER, PROMISE
from node.corrections import LATE_MARK
from node.errors import NotFound, ReceiptRefused
from node.inquiry import Holder
from node.lifecycle import Step
from node.papers.official import PaperKind, clean, progress_code
from node.papers.paper import Listing, Pairs, Paper, QrCode
from node.papers.qr import CHARS_MAX, modules
from node.receipts import CODE_HEADING, Made, batch_paper, kinds_of, paper_of
from node.records import MATERIAL
from node.sealing import SEAL
from node.verifying import Standing, verify
from node.wiring import Node
from node.workdays import Due
from sync import seal
from tests.node.nodes import (
    BIRTH,
    ID_NUMBER,
    VILLAGE,
    Three,
    step,
    submit,
    sync,
    sync_all,
)
from tui.paper_text import as_text

PRIVATE = bytes(range(32))
CLAIM = proof.Claim(
    kind="decision",
    number="3308811052012611210100017",
    item="332011001000",
    on=dt.date(2026, 11, 21),
    outcome="granted",
    shown=bytes(range(16)),
    node=bytes(range(100, 116)),
    epoch=1,
)


def code_of(claim: proof.Claim) -> str:
    return proof.code_of(claim, proof.sign_claim(PRIVATE, claim))


def handed_out(node: Node, case: str, kind: PaperKind) -> Made:
    return paper_of(node, open_case(node, case), kind)


def decided(nodes: Three, what: Step = Step.GRANT) -> str:
    """Return a case that the district has decided and the village has heard of."""
    case = submit(nodes.village).id
    sync_all(nodes)
    step(nodes.town, case, Step.ACCEPT)
    casework.forward_batch(nodes.town, [case])
    sync_all(nodes)
    step(nodes.district, case, what, note="不符合年龄条件")
    sync_all(nodes)
    return case


def why_refused(node: Node, text: str) -> str:
    with pytest.raises(ReceiptRefused) as caught:
        verify(node, text)
    return caught.value.why


@given(
    st.sampled_from(list(PaperKind)),
    st.text("0123456789X-B", min_size=1, max_size=40),
    st.text(min_size=1, max_size=64),
    st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)),
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16),
    st.integers(1, 2**31),
)
def test_what_a_code_says_is_read_again_however_it_is_typed(
    kind: PaperKind,
    number: str,
    item: str,
    on: dt.date,
    shown: bytes,
    node: bytes,
    epoch: int,
) -> None:
    mark = proof.item_mark(item)
    claim = proof.Claim(kind, number, mark, on, "granted", shown, node, epoch)

    code = code_of(claim)
    typed = "码：\n" + proof.in_groups(code).lower().replace(" ", "\n ") + "\n多余"
    read, signature = proof.read_code(typed)

    assert read == claim
    assert proof.is_signed(seal.public_sign_key(PRIVATE), read, signature)
    assert len(code) <= CHARS_MAX and code.isascii()


def test_a_digit_that_looks_like_a_letter_is_read_as_that_letter() -> None:
    *said, digest, node, epoch, signature = code_of(CLAIM).split("/")
    mistyped = signature.replace("O", "0").replace("I", "1").replace("B", "8")

    read, found = proof.read_code("/".join([*said, digest, node, epoch, mistyped]))

    assert read == CLAIM and found == signature


@pytest.mark.parametrize(
    "text",
    ["", "LB1", "LB2" + code_of(CLAIM)[3:], code_of(CLAIM)[:-1], "一" * 100_000],
)
def test_what_is_no_whole_code_is_refused(text: str) -> None:
    with pytest.raises(ReceiptRefused) as caught:
        proof.read_code(text)

    assert caught.value.why == "unreadable"


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("kind", "receipt"),
        ("number", "3308811052012611210100025"),
        ("item", "332011001001"),
        ("on", dt.date(2026, 11, 20)),
        ("outcome", "refused"),
        ("shown", bytes(16)),
        ("epoch", 2),
    ],
)
def test_no_part_of_a_code_can_be_changed(part: str, value: object) -> None:
    signature = proof.sign_claim(PRIVATE, CLAIM)
    changed = dataclasses.replace(CLAIM, **{part: value})

    read, found = proof.read_code(proof.code_of(changed, signature))

    assert not proof.is_signed(seal.public_sign_key(PRIVATE), read, found)


def test_a_code_fits_into_one_small_symbol() -> None:
    rows = modules(code_of(CLAIM))

    assert len(rows) <= 57


def test_the_receipt_is_made_at_once_and_offline_and_names_nobody_in_its_code(
    nodes: Three,
) -> None:
    case = submit(nodes.village, name="𠮷䶮㐂")

    made = handed_out(nodes.village, case.id, PaperKind.RECEIPT)

    text = as_text(made.paper)
    assert "收件回执单" in text and case.row.number in text and "𠮷䶮㐂" in text
    assert f"查询码    {progress_code(case.row.number)}" in text
    assert "受理后 30 个工作日内办结" in text and "居民身份证" in text
    assert ID_NUMBER not in text and ID_NUMBER[-4:] in text
    assert ID_NUMBER[-4:] not in made.code.split("/")[2:5][1]
    assert any(isinstance(block, QrCode) for block in made.paper.blocks)
    assert kinds_of(case) == [PaperKind.RECEIPT]


def test_any_node_verifies_a_receipt_and_says_what_it_knows(nodes: Three) -> None:
    case = submit(nodes.village)
    made = handed_out(nodes.village, case.id, PaperKind.RECEIPT)

    stranger = verify(nodes.other_village, made.code)
    sync_all(nodes)
    town = verify(nodes.town, as_text(made.paper))

    assert stranger.signer.name == "上塘村" and stranger.standing is Standing.ABSENT
    assert not stranger.is_text_proven and stranger.case is None
    assert town.standing is Standing.SAME and town.is_text_proven
    assert town.claim.on == dt.date(2026, 11, 21) and town.item == case.row.item_name


def test_the_village_prints_and_proves_what_the_district_has_decided(
    nodes: Three,
) -> None:
    case = decided(nodes)

    made = handed_out(nodes.village, case, PaperKind.DECISION)

    verdict = verify(nodes.village, as_text(made.paper))
    assert made.paper.title == "准予决定书"
    assert verdict.signer.node == nodes.district.id
    assert (verdict.claim.outcome, verdict.standing) == ("granted", Standing.SAME)
    assert handed_out(nodes.town, case, PaperKind.DECISION).code == made.code
    assert kinds_of(open_case(nodes.village, case))[0] is PaperKind.DECISION


def test_a_refusal_says_why_and_what_can_be_done_against_it(nodes: Three) -> None:
    case = decided(nodes, Step.REFUSE)

    text = as_text(handed_out(nodes.village, case, PaperKind.DECISION).paper)

    assert "不予决定书" in text and "不符合年龄条件" in text and "行政复议" in text
    assert verify(nodes.village, text).claim.outcome == "refused"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("张三丰", "李四光", "changed"),
        ("2026-11-21", "2026-11-20", "changed"),
        ("准予", "不予", "changed"),
        ("LB1/D", "LB2/D", "unreadable"),
    ],
)
def test_a_paper_that_was_changed_is_refused(
    nodes: Three, old: str, new: str, why: str
) -> None:
    case = decided(nodes)
    text = as_text(handed_out(nodes.village, case, PaperKind.DECISION).paper)
    assert old in text

    assert why_refused(nodes.village, text.replace(old, new, 1)) == why


def test_a_paper_is_the_same_however_wide_its_lines_are(nodes: Three) -> None:
    case = decided(nodes)
    paper = handed_out(nodes.village, case, PaperKind.DECISION).paper

    for width in (50, 64, 80, 132):
        assert verify(nodes.town, as_text(paper, width)).is_text_proven


def forged(by: Node, **parts: object) -> str:
    """Return a code that a node has signed with its own key, whatever it may say."""
    me = by.certificate
    own = {"node": me.node, "epoch": me.epoch, **parts}
    claim = dataclasses.replace(CLAIM, **own)
    return proof.code_of(claim, proof.sign_claim(by.secrets.sign_key, claim))


def test_nobody_says_with_a_paper_what_is_not_his_to_say(nodes: Three) -> None:
    number = "330881105202" + CLAIM.number[12:]

    assert why_refused(nodes.town, forged(nodes.village)) == "tier"
    receipt = forged(nodes.village, kind="receipt", number=number)
    assert why_refused(nodes.town, receipt) == "elsewhere"
    assert why_refused(nodes.town, forged(nodes.village, kind="batch")) == "tier"
    assert why_refused(nodes.town, forged(nodes.district, item="99")) == "item"
    assert why_refused(nodes.town, forged(nodes.district, kind="alms")) == "kind"
    elsewhere = forged(nodes.town, kind="batch", number="330881106-261121-B001")
    assert why_refused(nodes.town, elsewhere) == "elsewhere"
    other = forged(nodes.district, kind="correction", outcome="granted")
    assert why_refused(nodes.town, other) == "kind"
    assert why_refused(nodes.town, code_of(CLAIM)) == "unknown"
    stolen = forged(nodes.village, node=nodes.district.id)
    assert why_refused(nodes.town, stolen) == "signature"


def test_a_decision_that_the_case_does_not_know_is_told(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)

    verdict = verify(nodes.village, forged(nodes.district, number=case.row.number))

    assert verdict.standing is Standing.VOID


def test_of_a_revoked_signer_counts_only_what_lies_here(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.town, case.id, Step.RETURN, note="请补户口簿")
    sync_all(nodes)
    code = handed_out(nodes.village, case.id, PaperKind.CORRECTION).code
    roster.revoke(nodes.district, nodes.town.certificate, "电脑被偷")

    held = verify(nodes.district, code)
    alone = forged(nodes.town, kind="receipt", outcome="submitted")

    assert held.is_revoked and held.standing is Standing.SAME
    assert why_refused(nodes.district, alone) == "revoked"


def test_a_correction_lists_all_faults_and_marks_the_late_ones(nodes: Three) -> None:
    case = submit(nodes.village).id
    sync_all(nodes)
    first = {"fault/id_card": "照片看不清", "fault/phone": "少一位"}
    casework.take_step(nodes.town, case, Step.RETURN, note="请补", facts=first)
    sync_all(nodes)
    once = handed_out(nodes.village, case, PaperKind.CORRECTION).paper
    step(nodes.village, case, Step.SUBMIT, phone="13857012349")
    sync_all(nodes)
    second = {"fault/id_card": "还是看不清", "fault/photo": "没有照片"}
    casework.take_step(nodes.town, case, Step.RETURN, note="再补", facts=second)
    sync_all(nodes)

    made = handed_out(nodes.village, case, PaperKind.CORRECTION)

    assert listed(once) == ("1. 居民身份证：照片看不清", "2. 联系电话：少一位")
    again, late = listed(made.paper)
    assert not again.endswith(LATE_MARK) and late.endswith(LATE_MARK)
    assert verify(nodes.town, as_text(made.paper)).is_text_proven


def test_a_notice_names_a_paper_that_is_lacking_and_a_paper_that_is_at_fault(
    nodes: Three,
) -> None:
    case = submit(nodes.village).id
    sync_all(nodes)
    told = {
        f"fault/{MATERIAL}id_card": "照片看不清",
        "material/id_card": "unfit",
        "material/photo_print": "missing",
        "material/household_book": "collected",
    }

    casework.take_step(nodes.town, case, Step.RETURN, note="请补", facts=told)

    made = handed_out(nodes.town, case, PaperKind.CORRECTION)
    assert listed(made.paper) == (
        "1. 居民身份证：照片看不清",
        "2. 一寸近期免冠照片：还没有交",
    )
    assert verify(nodes.village, as_text(made.paper)).is_text_proven


def test_a_receipt_of_a_rest_day_tells_from_when_on_the_clock_runs(
    nodes: Three,
) -> None:
    nodes.clock.at_ms = at_noon(dt.date(2026, 11, 28))  # a Saturday
    case = submit(nodes.village).id

    told = beside(handed_out(nodes.village, case, PaperKind.RECEIPT).paper)

    assert told["起算日"].startswith("2026-11-30")
    assert told["答复期限"].startswith("2026-12-04")
    # The 30 working days that are promised, from the last day of the five on.
    assert told["最晚办结"].startswith("2027-01-18（暂定")


def test_a_slip_of_delivery_tells_how_and_to_whom(nodes: Three) -> None:
    case = decided(nodes)
    before = beside(handed_out(nodes.village, case, PaperKind.DELIVERY).paper)
    parcel = {"way": "out", "carrier": "邮政", "tracking": "EMS123"}
    casework.take_step(nodes.village, case, Step.PARCEL, facts=parcel)
    handed = {"way": "post", "recipient": "𠮷野"}
    casework.take_step(nodes.village, case, Step.DELIVER, facts=handed)

    after = beside(handed_out(nodes.village, case, PaperKind.DELIVERY).paper)

    assert "送达方式" not in before and "快递" not in before
    assert (after["快递"], after["送达方式"], after["收件人"]) == (
        "邮政 EMS123",
        "快递",
        "𠮷野",
    )


def at_noon(on: dt.date) -> int:
    return int(dt.datetime.combine(on, dt.time(12), CHINA).timestamp() * 1000)


def beside(paper: Paper) -> dict[str, str]:
    """Return what stands below the code, and is not bound by it."""
    return dict(next(b.rows for b in reversed(paper.blocks) if isinstance(b, Pairs)))


def listed(paper: Paper) -> tuple[str, ...]:
    return next(one.entries for one in paper.blocks if isinstance(one, Listing))


def test_a_paper_that_no_longer_fits_its_signature_has_no_code(nodes: Three) -> None:
    case = submit(nodes.village).id
    sync_all(nodes)
    step(nodes.town, case, Step.RETURN, note="名字写错了")
    sync_all(nodes)
    step(nodes.village, case, Step.SUBMIT, name="张三峰")

    made = handed_out(nodes.village, case, PaperKind.CORRECTION)

    assert made.code == "" and "本纸没有核验码" in as_text(made.paper)


def test_a_false_seal_is_not_taken_from_whoever_takes_the_step(nodes: Three) -> None:
    case = submit(nodes.town, BIRTH).id
    facts = {SEAL: proof.sign_claim(PRIVATE, CLAIM)}

    casework.take_step(nodes.town, case, Step.ACCEPT, facts=facts)

    made = handed_out(nodes.town, case, PaperKind.ACCEPTANCE)
    assert verify(nodes.town, made.code).standing is Standing.SAME


@pytest.mark.parametrize(
    "name", ["张\u202e三", "王\x1b[31m五", f"【{CODE_HEADING}】", "a\u0301b"]
)
def test_hostile_letters_of_a_name_break_no_paper(nodes: Three, name: str) -> None:
    shown = clean(name)

    paper = Paper(shown, (), "")
    once = proof.digest_of([shown])

    assert as_text(paper).strip().split("\n")[0] == shown
    assert proof.digest_of([as_text(paper)]) == once


def test_a_name_that_looks_like_a_heading_keeps_no_paper_from_being_proven(
    nodes: Three,
) -> None:
    nodes.village.operator = f"王【{CODE_HEADING}】"
    case = submit(nodes.village)
    paper = handed_out(nodes.village, case.id, PaperKind.RECEIPT).paper

    assert verify(nodes.village, as_text(paper)).is_text_proven


def test_a_batch_has_a_list_of_all_that_went_with_it(nodes: Three) -> None:
    cases = [submit(nodes.village, name=name) for name in ("张三丰", "李四光")]
    sync_all(nodes)
    for one in cases:
        step(nodes.town, one.id, Step.ACCEPT)
    batch, _ = casework.forward_batch(nodes.town, [one.id for one in cases])
    sync_all(nodes)

    text = as_text(batch_paper(nodes.town, batch.number).paper)

    assert all(one.row.number in text for one in cases) and "2 件" in text
    assert nodes.town.certificate.name in text
    assert verify(nodes.district, text).claim.outcome == "2"
    with pytest.raises(NotFound):
        batch_paper(nodes.village, "330881105-000000-B001")


def test_a_paper_of_what_has_not_happened_is_not_found(nodes: Three) -> None:
    case = submit(nodes.village)

    with pytest.raises(NotFound):
        paper_of(nodes.village, case, PaperKind.DECISION)


def test_that_a_paper_leaves_the_home_is_written_down(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit(nodes.village)
    made = handed_out(nodes.village, case.id, PaperKind.RECEIPT)

    receipts.save(nodes.village, made, tmp_path / "a.txt", b"x")

    (row,) = nodes.village.store.registry.audits(1)
    assert (row.act, row.subject, row.note) == ("paper", case.row.number, "receipt")
    assert (tmp_path / "a.txt").read_bytes() == b"x"


def test_who_asks_is_told_the_state_the_holder_and_how_old_that_is(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    at_home = asked(nodes.village, progress_code(case.row.number))
    sync_all(nodes)
    sent = asked(nodes.village, "zsf")
    step(nodes.town, case.id, Step.ACCEPT)
    casework.forward_batch(nodes.town, [case.id])
    sync_all(nodes)
    at_district = asked(nodes.village, ID_NUMBER[-4:])
    heard_ms = nodes.clock.at_ms
    nodes.clock.advance(3 * 24 * 3600 * 1000)
    later = asked(nodes.village, case.row.number)

    assert at_home.is_on_its_way and at_home.places == ("上塘村",) and at_home.is_ours
    assert not sent.is_on_its_way and sent.places == ("石门镇",)
    assert sent.next_day == (ACCEPT, Due(dt.date(2026, 11, 27), is_provisional=True))
    assert at_district.holder is Holder.DECIDER and at_district.places == ("江山市",)
    assert at_district.next_day is not None
    clock, due = at_district.next_day
    assert clock == PROMISE and due.on > dt.date(2026, 12, 20)
    assert later.known_ms is not None and later.known_ms <= heard_ms


def asked(node: Node, query: str) -> inquiry.Answer:
    (row,) = inquiry.rows_for(node, query)
    return inquiry.answer(node, row)


def test_a_returned_case_waits_for_the_applicant_and_a_decided_for_delivery(
    nodes: Three,
) -> None:
    granted = decided(nodes)
    returned = submit(nodes.village, name="李四光").id
    sync(nodes.village, nodes.town)
    step(nodes.town, returned, Step.RETURN, note="请补")
    sync(nodes.village, nodes.town)

    waits, home = (asked(nodes.village, one) for one in (returned, granted))

    assert waits.holder is Holder.APPLICANT and waits.next_day is None
    assert home.holder is Holder.COLLECTOR and home.places == ("上塘村",)
    assert home.next_day is not None and home.next_day[0] == DELIVER
    assert home.next_day[1].on == dt.date(2026, 12, 4)


def test_the_code_of_a_paper_finds_its_case(nodes: Three) -> None:
    case = submit(nodes.village)
    code = handed_out(nodes.village, case.id, PaperKind.RECEIPT).code

    (row,) = inquiry.rows_for(nodes.village, code)

    assert row.id == case.id and case.row.division == VILLAGE
    with pytest.raises(NotFound):
        inquiry.rows_for(nodes.village, "查无此人")
