"""Where something is open in a case, whoever goes on with it is told before."""

import pytest

from node import casework
from node.cases import open_case
from node.lifecycle import State, Step
from tests.tui.desks import Desks, dialogue, press, submit
from tests.tui.shell import Shell
from tests.tui.test_screens_settle import conflicting
from tui.app import LianbanApp


def test_commands_say_what_is_open(desks: Desks, lianban: Shell) -> None:
    case = conflicting(desks)
    calm = submit(desks.village, "王芳")
    desks.up()

    accepted = lianban(desks.town, "case", "accept", case.id)
    forwarded = lianban(desks.town, "case", "forward", case.id)
    listed = lianban(desks.town, "case", "list").out.splitlines()
    shown = lianban(desks.town, "case", "show", case.id).out.splitlines()
    settled = lianban(
        desks.town, "case", "settle", case.id, "phone", "--choose", "1", "--reason", "x"
    )

    words = f"注意：{case.row.number} 还有 1 处待核对，两处填得不同，等"
    assert accepted.code == forwarded.code == 0
    assert f"{words}镇里核对" in accepted.err
    assert f"{words}区里核对" in forwarded.err
    marked = {line.split()[0]: "≠" in line for line in listed}
    assert marked == {case.id[:12]: True, calm.id[:12]: False}
    (phone,) = [line for line in shown if line.startswith("字段  联系电话")]
    assert "≠ 两处填得不同，等核对：" in phone
    assert "13511111111" in phone and "13622222222" in phone
    assert settled.code == 5
    assert "这件现在是“已转区”，由区里核对。" in settled.err


@pytest.mark.anyio
@pytest.mark.parametrize(("tier", "key"), [("town", "b"), ("district", "g")])
async def test_screens_say_it_before_a_case_goes_on(
    desks: Desks, tier: str, key: str
) -> None:
    case = conflicting(desks)
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    if tier == "district":
        casework.forward_batch(desks.town, [case.id])
    desks.up()
    app = LianbanApp(getattr(desks, tier))

    async with app.run_test(size=(80, 24)) as pilot:
        if tier == "town":
            await press(pilot, "3")
        await press(pilot, key)
        asked = dialogue(app)
        await press(pilot, "escape")

    assert "这件还有 1 处待核对。" in asked
    state = open_case(getattr(desks, tier), case.id).story.state
    assert state in (State.ACCEPTED, State.FORWARDED)
