"""The stick on the screens: one key, a folder, and what came of it in words."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from node import casework
from node.cases import open_case
from node.lifecycle import State, Step
from node.stick import Mount
from node.wiring import Node
from tests.tui.desks import (
    Desks,
    act,
    dialogue,
    note,
    press,
    screen_text,
    submit,
    type_text,
)
from tui.app import LianbanApp
from tui.screens import stick as stick_screen
from tui.screens.stick import StickPage
from tui.screens.tell import Tell

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


@pytest.fixture
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one stick that is plugged in."""
    made = tmp_path / "KINGSTON"
    made.mkdir()
    monkeypatch.setattr(
        stick_screen, "mounts", lambda: [Mount(made, 3_700_000_000, True)]
    )
    return made


async def until_told(app: LianbanApp, pilot: Pilot[None]) -> str:
    """Wait for what a dialogue says."""
    await app.workers.wait_for_complete()
    await pilot.pause()
    assert isinstance(app.screen, Tell), screen_text(app)
    return dialogue(app)


async def open_stick(app: LianbanApp, pilot: Pilot[None]) -> None:
    await pilot.pause()
    await act(pilot, "f6")
    assert isinstance(app.screen, StickPage) and app.screen.neighbours, screen_text(app)


async def carry(node: Node, key: str) -> str:
    app = LianbanApp(node)
    async with app.run_test(size=SIZE) as pilot:
        await open_stick(app, pilot)
        await pilot.press(key)
        return await until_told(app, pilot)


async def test_the_desk_offers_the_stick_by_one_key(desks: Desks) -> None:
    for node in (desks.village, desks.town, desks.district):
        app = LianbanApp(node)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            assert "F6 U盘" in screen_text(app)


async def test_a_case_goes_to_the_town_and_its_receipt_comes_home_by_keys(
    desks: Desks, stick: Path
) -> None:
    submit(desks.village)

    out = await carry(desks.village, "o")
    at_town = await carry(desks.town, "i")
    home = await carry(desks.village, "i")

    assert "已拷给贺村镇：第 1 包，1 卷" in out
    assert "带 1 件 1 条" in out
    assert "请先在系统里弹出" in out
    assert "耀里村：第 1 包，新收 1 条。" in at_town
    assert "回执已写到 U 盘" in at_town
    assert "贺村镇：第 1 包，没有新的。" in home
    app = LianbanApp(desks.village)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert "●已到镇" in screen_text(app)


async def test_the_page_shows_what_is_owed_and_what_was_carried(
    desks: Desks, stick: Path
) -> None:
    submit(desks.village)
    await carry(desks.village, "o")
    submit(desks.village)

    app = LianbanApp(desks.village)
    async with app.run_test(size=SIZE) as pilot:
        await open_stick(app, pilot)
        text = screen_text(app)

    assert "耀里村 · U 盘" in text
    assert f"U 盘：{stick}"[:60] in text
    assert "2件2条" in text
    assert "第1包 " in text
    assert "贺村镇：拷给它的第 1 包还没签收" in text
    assert "I 从U盘收  O 拷到U盘  F 选U盘  Esc 返回" in text


async def test_a_lost_stick_is_named_on_the_screens_of_both(
    desks: Desks, stick: Path
) -> None:
    submit(desks.village)
    await carry(desks.village, "o")
    for one in stick.iterdir():
        one.rename(stick.parent / one.name)  # lost on the way
    submit(desks.village)
    await carry(desks.village, "o")

    at_town = await carry(desks.town, "i")
    home = await carry(desks.village, "i")

    assert "缺 第 1 包；内容已由第 2 包补上" in at_town
    assert "对方缺 第 1 包；内容已由第 2 包补上" in home


async def test_the_folder_can_be_chosen_or_typed(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, typed = (tmp_path / name for name in ("AAA", "BBB", "typed"))
    for one in (first, second, typed):
        one.mkdir()
    monkeypatch.setattr(
        stick_screen,
        "mounts",
        lambda: [Mount(first, 5_000_000, True), Mount(second, 0, False)],
    )
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await open_stick(app, pilot)
        # The only one that can be written to is chosen already.
        assert app.screen.folder == first  # type: ignore[attr-defined]
        await press(pilot, "f")
        offered = screen_text(app)
        await press(pilot, "1")
        assert app.screen.folder == first  # type: ignore[attr-defined]
        await press(pilot, "f")
        await press(pilot, "3")
        await type_text(pilot, str(typed))
        await press(pilot, "enter")
        assert app.screen.folder == typed  # type: ignore[attr-defined]

    assert "AAA" in offered
    assert "4.8 MB" in offered
    assert "只读" in offered


async def test_without_a_stick_its_path_is_asked_for(
    desks: Desks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stick_screen, "mounts", list)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await open_stick(app, pilot)
        await press(pilot, "o")
        await type_text(pilot, str(tmp_path / "nothing"))
        await pilot.press("enter")
        said = await until_told(app, pilot)

    assert "没有" in said
    assert "这个文件夹" in said


async def test_a_folder_that_cannot_be_is_said_plainly_and_the_page_goes_on(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stick_screen, "mounts", list)
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await open_stick(app, pilot)
        await press(pilot, "f")
        await type_text(pilot, "~nobody-here/usb")
        await press(pilot, "enter")
        said = dialogue(app)
        await press(pilot, "enter")
        page = screen_text(app)

    assert "本机没有 ~nobody-here/usb 这个文件夹。没有改动" in said
    assert "还没有选 U 盘" in page


async def test_what_cannot_be_written_is_said_and_the_page_goes_on(
    desks: Desks, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(desks.village)
    stick.rmdir()
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await open_stick(app, pilot)
        await pilot.press("o")
        said = await until_told(app, pilot)
        await pilot.press("enter")
        stick.mkdir()
        await pilot.press("o")
        again = await until_told(app, pilot)

    assert "请插好 U 盘" in said
    assert "已拷给" in again


async def test_names_on_a_stick_cannot_disturb_the_screen(
    desks: Desks, stick: Path
) -> None:
    (stick / "a\x1b[31m\u202e[bold]evil.lbb").write_bytes(b"junk")

    said = await carry(desks.town, "i")

    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "[bold]evil" in said


async def test_nobody_leaves_while_the_stick_is_at_work(
    desks: Desks, stick: Path
) -> None:
    app = LianbanApp(desks.village)
    async with app.run_test(size=SIZE) as pilot:
        await open_stick(app, pilot)
        page = app.screen
        assert isinstance(page, StickPage)
        page.is_busy = True
        await press(pilot, "escape")
        assert app.screen is page
        assert "正在读写 U 盘" in note(app)
        page.is_busy = False
        await press(pilot, "escape")
        assert app.screen is not page


async def test_the_highlighted_neighbour_is_the_one_that_gets_the_pack(
    desks: Desks, stick: Path
) -> None:
    case = submit(desks.village)
    desks.sync(desks.village)
    casework.take_step(desks.town, case.id, Step.RETURN, note="缺照片")
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await open_stick(app, pilot)
        await pilot.press("down", "o")
        out = await until_told(app, pilot)
    home = await carry(desks.village, "i")

    assert "已拷给耀里村：第 1 包" in out
    assert "贺村镇：第 1 包，新收 1 条。" in home
    assert open_case(desks.village, case.id).story.state is State.RETURNED
