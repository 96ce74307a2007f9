import json

import pytest
from textual.widgets import Input
from textual.worker import WorkerFailed

from node import casework, drafting, roster
from node.cases import open_case
from node.errors import DiskFull, StoreBusy
from node.lifecycle import State, Step
from node.service import Background
from sync.errors import Revoked
from tests.tui.desks import (
    ELDER,
    ITEM,
    Desks,
    act,
    dialogue,
    note,
    press,
    screen_text,
    submit,
)
from tui.app import LianbanApp
from tui.screens.desk import DeskPage
from tui.screens.tell import Tell

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


async def test_a_step_that_came_too_late_is_explained(desks: Desks) -> None:
    case = submit(desks.village)
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        await press(pilot, "r")
        await press(pilot, "end", "space")
        # While the reason is typed, somebody else accepts the case.
        other = desks.town.another_connection()
        casework.take_step(other, case.id, Step.ACCEPT)
        other.close()
        await pilot.press("x", "enter")
        await app.workers.wait_for_complete()
        await press(pilot, "f3")
        await act(pilot, "y")
        text = dialogue(app)
        assert isinstance(app.screen, Tell)
        await press(pilot, "enter")
        assert not isinstance(app.screen, Tell)

    assert "没有“退回补正”：这件现在是“已受理”。办件没有改动。现在可以：" in text
    assert open_case(desks.town, case.id).story.state is State.ACCEPTED


async def test_a_draft_that_is_gone_is_explained_and_the_text_stays(
    desks: Desks,
) -> None:
    draft = drafting.begin_draft(desks.village, "老年人优待证办理", {"name": "王芳"})
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "enter")
        other = desks.village.another_connection()
        drafting.drop_draft(other, draft)
        other.close()
        await press(pilot, "四", "tab")
        text = screen_text(app)

    assert "没有存上" in text
    assert "这份草稿已经不在了" in text
    assert "王芳四" in text


async def test_a_mistake_of_ours_ends_in_words_and_without_data(
    desks: Desks,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    submit(desks.village)
    app = LianbanApp(desks.village)

    def broken(self: DeskPage) -> None:
        name = "欧阳建国"
        raise ValueError(name)

    monkeypatch.setattr(DeskPage, "action_monitor", broken)
    with pytest.raises(ValueError):
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("s")

    log = desks.village.home.log.read_text(encoding="utf-8")
    printed = capsys.readouterr().err
    line = json.loads(log.splitlines()[-1])
    assert line["cause"] == "ValueError"
    assert any("broken" in place for place in line["places"])
    assert "欧阳" not in log
    assert "欧阳" not in printed
    assert "Traceback" not in printed
    assert "已经保存的内容都在" in printed


async def test_a_job_that_fails_in_a_worker_leaves_its_places_in_the_log(
    desks: Desks,
) -> None:
    app = LianbanApp(desks.village)

    async def broken() -> None:
        name = "欧阳建国"
        raise ValueError(name)

    async def one_job_fails() -> None:
        async with app.run_test(size=SIZE) as pilot:
            page = app.screen
            assert isinstance(page, DeskPage)
            page.work(broken())
            await pilot.pause()

    with pytest.raises(WorkerFailed):
        await one_job_fails()

    log = desks.village.home.log.read_text(encoding="utf-8")
    line = json.loads(log.splitlines()[-1])
    assert line["cause"] == "ValueError"
    assert line["places"][0].startswith("textual/worker.py:")
    assert line["places"][-1].startswith("tui/test_screens_errors.py:")
    assert line["places"][-1].endswith(" broken")
    assert "欧阳" not in log


@pytest.mark.parametrize("tier", ["village", "town", "district"])
async def test_every_screen_is_in_chinese(desks: Desks, tier: str) -> None:
    case = submit(desks.village)
    desks.up()
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    casework.forward_batch(desks.town, [case.id])
    desks.up()
    app = LianbanApp(getattr(desks, tier))
    allowed = {"F1", "F2", "F3", "F4", "F5", "F10", "Esc", "Tab", "Ctrl-P", "Del"}
    allowed |= set("ABDEGINRSVWXY/") | {"110105********002X", "N/Esc", "media/u"}
    texts = []

    async with app.run_test(size=SIZE) as pilot:
        for keys in (["6"], ["enter"], ["2"], ["3"], ["4"], ["escape", "f1"]):
            await press(pilot, *keys)
            texts.append(screen_text(app))
        for keys in (["escape", "ctrl+p"], ["escape", "s"], ["escape", "n"]):
            await press(pilot, *keys)
            texts.append(screen_text(app))

    for text in texts:
        for word in text.replace("(", " ").replace(")", " ").split():
            plain = "".join(c for c in word if c.isascii())
            is_word = sum(c.isalpha() for c in plain) > 1
            known = any(one in plain for one in allowed if len(one) > 1)
            assert not is_word or known, word


async def test_ctrl_c_and_ctrl_q_do_no_harm(desks: Desks) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "n", "2")
        await press(pilot, "王", "escape", "ctrl+c")
        told = note(app)
        await press(pilot, "enter", "芳", "ctrl+q")

    assert "F10" in told
    (draft,) = desks.village.store.drafts.all()
    assert draft.answers["name"] == "王芳"


async def test_a_busy_store_is_said_calmly_and_asked_again(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = LianbanApp(desks.village)

    def busy() -> int:
        raise StoreBusy("held by another process")

    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        monkeypatch.setattr(desks.village.store, "data_version", busy)
        app._poll()
        await pilot.pause()
        told = note(app)
        assert isinstance(app.screen, DeskPage)

    assert "数据正被另一个程序占用" in told


@pytest.mark.parametrize(("answer", "is_running"), [("n", True), ("y", False)])
async def test_a_full_disk_neither_holds_nor_loses_without_asking(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, answer: str, is_running: bool
) -> None:
    app = LianbanApp(desks.village)

    def full(*_: object) -> None:
        raise DiskFull("nothing was stored")

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "n", "2")
        await pilot.press("王")
        monkeypatch.setattr(desks.village.store.drafts, "put", full)
        await press(pilot, "f10")
        asked = dialogue(app)
        await press(pilot, answer)

        assert app.is_running is is_running

    assert "磁盘满了或写不进去" in asked


async def test_a_revoked_desk_says_so_and_keeps_the_draft(desks: Desks) -> None:
    roster.revoke(desks.district, desks.village.certificate, "电脑被偷")
    desks.sync(desks.town)
    with pytest.raises(Revoked):
        desks.sync(desks.village)
    draft = drafting.begin_draft(desks.village, ITEM, ELDER)
    app = LianbanApp(desks.village)

    async with app.run_test(size=(100, 24)) as pilot:
        await press(pilot, "enter")
        header = screen_text(app).splitlines()[0]
        await press(pilot, "f3")
        await press(pilot, "f3")
        text = dialogue(app)

    assert "本站点已停用，请联系区里" in header
    assert "本站点已被停用" in text
    assert [one.id for one in desks.village.store.drafts.all()] == [draft.id]


async def test_screens_ask_again_who_syncs(desks: Desks) -> None:
    service = [None, None, Background(desks.village)]
    app = LianbanApp(desks.village, lambda: service.pop(0))

    async with app.run_test(size=SIZE):
        at_first = app.background
        app.look()
        while service:
            app.look()

    assert at_first is None
    assert isinstance(app.background, Background)


async def test_caps_lock_stops_no_key_and_stays_in_text(desks: Desks) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "S")
        after_s = type(app.page).__name__
        await press(pilot, "escape")
        await press(pilot, "/", "O", "Y")
        typed = app.screen.query_one("#find", Input).value

    assert after_s == "MonitorPage"
    assert typed == "OY"
