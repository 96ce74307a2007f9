"""How far the files of a case have come, as each tier sees it."""

from pathlib import Path

import pytest

from node import casework, drafting
from node.cases import Case, open_case
from node.lifecycle import State, Step
from tests.node.papers import agree, fetch, fetch_all, scan, taken_in
from tests.tui.desks import ELDER, ITEM, Desks, act, dialogue, note, press, screen_text
from tui.app import LianbanApp
from tui.screens.form import FormPage

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


def submit_two(desks: Desks, folder: Path) -> Case:
    """Submit a case with two files of four pieces each."""
    digests = [
        taken_in(desks.village, scan(folder, name), ITEM)
        for name in ("身份证.pdf", "户口本.pdf")
    ]
    draft = drafting.begin_draft(desks.village, ITEM, ELDER, files=digests)
    return drafting.submit_draft(desks.village, draft)


def to_district(desks: Desks, case: Case) -> None:
    """Let the town accept and forward a case of which it has no file yet."""
    agree(desks.village, desks.town)
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    casework.forward_batch(desks.town, [case.id])
    agree(desks.town, desks.district)


async def test_both_ends_say_how_many_files_have_come(
    desks: Desks, tmp_path: Path
) -> None:
    submit_two(desks, tmp_path)
    village, town = LianbanApp(desks.village), LianbanApp(desks.town)

    async with village.run_test(size=SIZE) as pilot:
        await press(pilot, "enter", "3")
        before = screen_text(village)
        agree(desks.village, desks.town)
        fetch(desks.town, desks.village, most=5)
        agree(desks.village, desks.town)
        fetch(desks.town, desks.village, most=0)  # it asks, and is cut off
        await press(pilot, "escape", "enter", "3")
        after = screen_text(village)
        await press(pilot, "escape")
        desk = screen_text(village)
    async with town.run_test(size=SIZE) as pilot:
        await pilot.pause()
        inbox = screen_text(town)
        await press(pilot, "enter", "3")
        there = screen_text(town)

    assert (
        "材料 0/2 已到镇" in before and "1 ▲未送达" in before and "2 ▲未送达" in before
    )
    assert "材料 1/2 已到镇" in after
    assert "●已到镇" in after and "▲在路上 25%" in after
    assert "●材料1/2" in desk and "材料 1/2 已到镇" in desk
    assert "材料1/2" in inbox and "材料 1/2 已到，1 份在路上" in inbox.replace(
        "\n ", ""
    )
    assert "✓已在本机" in there and "▲在路上 25%" in there
    assert "身份证.pdf" in there and "97 KB" in there


async def test_when_all_has_come_the_list_says_it_as_before(
    desks: Desks, tmp_path: Path
) -> None:
    case = submit_two(desks, tmp_path)
    desks.up()
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        desk = screen_text(app)
        await press(pilot, "enter", "3")
        text = screen_text(app)

    assert "✓已到区" in desk and "材料" not in desk
    assert "电子材料 2/2 已到区" in text and text.count("✓已到区") == 3
    assert open_case(desks.district, case.id).materials == case.materials


async def test_a_case_is_decided_with_a_file_on_its_way_and_says_so(
    desks: Desks, tmp_path: Path
) -> None:
    case = submit_two(desks, tmp_path)
    to_district(desks, case)
    app = LianbanApp(desks.district)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        desk = screen_text(app)
        await press(pilot, "g")
        asked = dialogue(app)
        await act(pilot, "enter")
        said = note(app)
        await press(pilot, "2", "enter", "3")
        text = screen_text(app)

    assert " 0/2 " in desk
    assert "材料 0/2 已到，2 份在路上" in asked
    assert "✓ 已准予" in said
    assert "准予" in text and "材料 0/2 已到，2 份在路上" in text
    assert open_case(desks.district, case.id).story.state is State.GRANTED
    fetch_all(desks.town, desks.village)
    fetch_all(desks.district, desks.town)
    assert open_case(desks.district, case.id).story.state is State.GRANTED


async def test_a_form_waits_for_the_file_that_is_being_taken_in(
    desks: Desks,
) -> None:
    draft = drafting.begin_draft(desks.village, ITEM, ELDER)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        page = app.screen
        assert isinstance(page, FormPage)
        page.is_busy = True
        await pilot.press("f3")
        await press(pilot, "escape")
        waiting = note(app)
        assert app.screen is page
        page.is_busy = False
        await press(pilot, "f3")
        await press(pilot, "f3")

    assert "附件还在处理" in waiting
    assert open_case(desks.village, draft.id).story.state is State.SUBMITTED
