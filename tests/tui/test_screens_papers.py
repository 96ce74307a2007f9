"""The papers of a case on the screen, and answering who asks."""

from pathlib import Path

import pytest

from node import casework, receipts
from node.cases import open_case
from node.lifecycle import Step
from node.papers.official import PaperKind
from tests.tui.desks import Desks, note, press, screen_text, submit, type_text
from tui.app import LianbanApp
from tui.screens.case_papers import CasePapersPage

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


async def test_the_receipt_is_read_and_saved_from_the_list(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = submit(desks.village, "𠮷䶮㐂")
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setenv("HOME", str(out))
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "p")
        read = screen_text(app)
        await pilot.press("t", "enter")
        await app.workers.wait_for_complete()
        said = note(app)
        await pilot.press("p", "enter")
        await app.workers.wait_for_complete()

    pdf, text = sorted(out.iterdir())
    assert "收件回执单" in read and "𠮷䶮㐂" in read and "P 存为PDF" in read
    assert text.name == f"收件回执单 {case.row.number}.txt"
    assert "✓ 已存到" in said.replace("\n", "")
    assert pdf.read_bytes().startswith(b"%PDF-")
    acts = [row.act for row in desks.village.store.registry.audits(2)]
    assert acts == ["paper", "paper"]


async def test_a_returned_case_shows_its_notice_first_and_the_receipt_beside(
    desks: Desks,
) -> None:
    case = submit(desks.village)
    desks.up()
    facts = {"fault/id_card": "照片看不清"}
    casework.take_step(desks.town, case.id, Step.RETURN, note="请补", facts=facts)
    desks.up()
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter", "p")
        notice = screen_text(app)
        await press(pilot, "right")
        receipt = screen_text(app)
        await press(pilot, "1")
        back = screen_text(app)
        assert isinstance(app.screen, CasePapersPage)
        await press(pilot, "escape")
        behind = screen_text(app)

    assert "补正材料一次性告知书" in notice and "居民身份证：照片看不清" in notice
    assert "收件日期" in receipt and "告知日期" not in receipt
    assert back == notice
    assert "P 文书" in behind


async def test_who_asks_is_told_and_a_paper_is_verified_in_one_line(
    desks: Desks,
) -> None:
    case = submit(desks.village)
    made = receipts.paper_of(
        desks.village, open_case(desks.village, case.id), PaperKind.RECEIPT
    )
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        at_desk = screen_text(app)
        await pilot.press("q")
        await type_text(pilot, "oyjg")
        await press(pilot, "enter")
        told = screen_text(app)
        await type_text(pilot, made.code)
        await press(pilot, "enter")
        verified = screen_text(app)
        await type_text(pilot, "LB1/ABC")
        await press(pilot, "enter")
        refused = screen_text(app)

    assert "Q 查进度" in at_desk and "P 回执" in at_desk
    assert "现在：待受理" in told and "还没有传到上级" in told
    assert "✓ 核验通过：耀里村（村）" in verified and "现在：待受理" in verified
    assert "✗ 没有核验通过" in refused and "待受理" not in refused
