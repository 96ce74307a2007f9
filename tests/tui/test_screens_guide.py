"""The guide of an item: from the list of items, from a form, from a case; saved."""

from pathlib import Path

import pytest

from tests.tui.desks import ITEM, Desks, act, dialogue, note, press, screen_text, submit
from tui.app import LianbanApp
from tui.screens.form import FormPage
from tui.screens.guide import GuidePage

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


async def test_the_guide_is_read_before_an_item_is_chosen(desks: Desks) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "n", "down", "f4")
        guide = screen_text(app)
        await press(pilot, "escape")
        behind = dialogue(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, FormPage)
        chosen = app.screen.sheet.package.item.name

    assert f"{chosen} 办事指南" in guide
    assert "事项代码" in guide and "【谁能办】" in guide
    assert "新建：办什么事项？" in behind and "F4 办事指南" in behind


async def test_a_form_and_a_case_lead_to_the_guide_of_their_version(
    desks: Desks,
) -> None:
    submit(desks.village)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter", "f4")
        from_case = screen_text(app)
        await press(pilot, "end")
        end = screen_text(app)
        await press(pilot, "f4", "escape", "n", "1", "f4")
        assert isinstance(app.screen, GuidePage)
        from_form = screen_text(app)

    assert f"{ITEM} 办事指南" in from_case
    assert "版本      2026112101" in from_case
    assert "领取方式" in end and "耀里村" in end
    assert from_form == from_case


async def test_the_guide_is_saved_as_pdf_and_as_text(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(desks.village)
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setenv("HOME", str(out))
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("enter", "f4", "p", "enter")
        await app.workers.wait_for_complete()
        said = note(app)
        await pilot.press("t", "enter")
        await app.workers.wait_for_complete()

    pdf, text = sorted(out.iterdir())
    assert pdf.name == f"{ITEM} 办事指南.pdf" and text.suffix == ".txt"
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert text.read_text(encoding="utf-8").splitlines()[2].startswith("事项代码")
    assert "✓ 已存到" in said.replace("\n", "")


async def test_a_file_that_is_there_is_replaced_only_by_a_yes(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(desks.village)
    old = tmp_path / f"{ITEM} 办事指南.txt"
    old.write_text("旧")
    monkeypatch.setenv("HOME", str(tmp_path))
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter", "f4", "t", "enter")
        asked = dialogue(app)
        await pilot.press("enter")  # stands on the answer that does no harm
        await app.workers.wait_for_complete()
        kept = old.read_text(encoding="utf-8")
        await pilot.press("t", "enter", "y")
        await app.workers.wait_for_complete()

    assert "已经有了，要换成新的吗？" in "".join(asked.split())
    assert kept == "旧"
    assert "办事指南" in old.read_text(encoding="utf-8")


async def test_a_folder_that_is_not_there_is_told(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(desks.village)
    monkeypatch.setenv("HOME", str(tmp_path / "away"))
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await act(pilot, "enter", "f4", "t", "enter")
        said = dialogue(app)

    assert "本机没有 away 这个文件夹。没有改动" in said
