"""`lianban case paper`, `case progress` and `receipt verify`."""

import io
import json
import sys
from pathlib import Path

import pytest

from node import casework, corrections
from node.lifecycle import Step
from node.papers.official import progress_code
from tests.tui.desks import Desks, submit
from tests.tui.shell import Shell

Printed = pytest.CaptureFixture[str]


def test_a_receipt_is_printed_below_and_verified_above(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    case = submit(desks.village)
    file = tmp_path / "a.txt"

    printed = lianban(desks.village, "case", "paper", case.id)
    file.write_text(printed.out, encoding="utf-8")
    verdict = lianban(desks.town, "receipt", "verify", str(file))

    assert printed.code == 0 and "收件回执单" in printed.out
    assert verdict.code == 0
    assert "✓ 核验通过：耀里村（村）" in verdict.out
    assert "以上的文字：没有改动" in verdict.out and "本机没有这件" in verdict.out


def test_a_changed_paper_and_a_mistyped_code_are_refused(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    case = submit(desks.village)
    made = json.loads(lianban(desks.village, "case", "paper", case.id, "--json").out)
    file = tmp_path / "a.txt"
    file.write_text(made["text"].replace("欧阳建国", "欧阳建民"), encoding="utf-8")
    other = "A" if made["code"][-10] != "A" else "C"
    mistyped = made["code"][:-10] + other + made["code"][-9:]

    changed = lianban(desks.town, "receipt", "verify", str(file))
    wrong = lianban(desks.town, "receipt", "verify", mistyped)
    nothing = lianban(desks.town, "receipt", "verify", "你好")

    assert (changed.code, wrong.code, nothing.code) == (5, 5, 5)
    assert changed.out == wrong.out == ""
    assert "被改过" in changed.err and "抄错" in wrong.err
    assert "从 LB1 开始抄全" in nothing.err


def test_a_code_is_taken_from_standard_input_and_told_as_data(
    desks: Desks, lianban: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = submit(desks.village)
    made = json.loads(lianban(desks.village, "case", "paper", case.id, "--json").out)
    piped = io.TextIOWrapper(io.BytesIO(made["code"].lower().encode()))
    monkeypatch.setattr(sys, "stdin", piped)

    data = json.loads(lianban(desks.town, "receipt", "verify", "-", "--json").out)

    assert data["valid"] and data["number"] == case.row.number
    assert data["signer"]["name"] == "耀里村" and data["signer"]["tier"] == "village"
    assert (data["text_proven"], data["standing"]) == (False, "absent")


def test_a_paper_is_saved_as_pdf_under_a_name_without_a_person(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    case = submit(desks.village)
    out = tmp_path / "out"
    out.mkdir()

    said = lianban(desks.village, "case", "paper", case.id, "--pdf", str(out))
    (file,) = out.iterdir()
    again = lianban(desks.town, "receipt", "verify", str(file))
    audited = lianban(desks.village, "audit", "list")

    assert said.code == 0 and "已存到" in said.err
    assert file.name == f"收件回执单 {case.row.number}.pdf"
    assert file.read_bytes().startswith(b"%PDF-")
    assert again.code == 5 and "PDF 里的码本机读不了" in again.err
    assert "另存文书" in audited.out and case.row.number in audited.out


def test_a_notice_lists_each_fault_once_and_gives_a_reason_of_its_own(
    desks: Desks, lianban: Shell
) -> None:
    faults = {"phone": "空号", "contact_phone": "停机"}
    facts = {f"fault/{key}": text for key, text in faults.items()}
    case = submit(desks.village)
    desks.up()
    reasons = (corrections.summed_up(case, faults), "请周五前补")

    notices = []
    for reason in reasons:
        casework.take_step(desks.town, case.id, Step.RETURN, note=reason, facts=facts)
        notices.append(lianban(desks.town, "case", "paper", case.id).out)
        casework.take_step(desks.town, case.id, Step.SUBMIT)

    for notice in notices:
        assert notice.count("紧急联系人·电话：停机") == 1
        assert notice.count("联系电话：空号") == 1
    assert "请周五前补" in notices[1]


def test_a_paper_that_is_not_there_yet_is_told(desks: Desks, lianban: Shell) -> None:
    case = submit(desks.village)

    early = lianban(desks.village, "case", "paper", case.id, "decision")
    both = lianban(desks.village, "case", "paper", case.id, "--text", "--pdf", "a.pdf")
    help_text = lianban(desks.village, "case", "paper", "--help")

    assert early.code == 1 and "这件还没有这种文书" in early.err
    assert both.code == 2
    assert "correction  一次性告知书" in help_text.out


def test_a_batch_list_is_printed_by_its_number(desks: Desks, lianban: Shell) -> None:
    case = submit(desks.village)
    desks.up()
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    batch, _ = casework.forward_batch(desks.town, [case.id])

    printed = lianban(desks.town, "case", "paper", batch.number, "batch")

    assert printed.code == 0 and "移交清单" in printed.out
    assert case.row.number in printed.out


def test_progress_is_told_by_code_initials_and_last_digits(
    desks: Desks, lianban: Shell
) -> None:
    case = submit(desks.village)
    desks.up()
    code = progress_code(case.row.number)

    told = [
        lianban(desks.village, "case", "progress", query).out
        for query in (code, "oyjg", "002X", case.row.number)
    ]
    data = json.loads(lianban(desks.village, "case", "progress", code, "--json").out)
    nobody = lianban(desks.village, "case", "progress", "9999")

    assert len({one.partition("  消息")[0] for one in told}) == 1
    assert "现在：待受理" in told[0] and "在谁手里：贺村镇（受理）" in told[0]
    assert "以后的变化还没传到" in told[0]
    (found,) = data["cases"]
    assert (found["holder"], found["places"]) == ("accepter", ["贺村镇"])
    assert found["known_at"] and found["next"] == "accept"
    assert nobody.code == 1 and "本机没有 9999 这个办件" in nobody.err
