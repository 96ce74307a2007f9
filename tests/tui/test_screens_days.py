"""What the screens say of time: what is left, what is near, what has passed."""

import pytest

from node import casework, upkeep
from node.calendar_source import known_tables
from node.lifecycle import Step
from node.wiring import Node
from tests.node.nodes import step
from tests.tui.desks import Desks, press, screen_text, submit
from tui.app import LianbanApp
from tui.screens.case import CasePage

pytestmark = pytest.mark.anyio

SIZE = (80, 24)
DAY_MS = 24 * 3600 * 1000


def later(node: Node, days: int) -> None:
    """Let a node's clock go on."""
    before = node.now_ms
    node.now_ms = lambda: before() + days * DAY_MS


def published(desks: Desks) -> None:
    this_year = desks.district.now_ms() // (365 * DAY_MS) + 1969
    upkeep.publish_calendar(desks.district, known_tables(this_year))
    desks.up()


async def test_a_list_says_how_many_days_are_left_and_the_bar_what_is_late(
    desks: Desks,
) -> None:
    published(desks)
    submit(desks.village)
    desks.up()

    app = LianbanApp(desks.village)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        fresh = screen_text(app)
    later(desks.town, 20)
    app = LianbanApp(desks.town)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        late = screen_text(app)

    assert "剩5天" in fresh and "超期" not in fresh
    assert "! 超期 1" in late and "超" in late.partition("时限")[2]
    assert "O 超期" in late


async def test_a_hurried_case_stands_first_in_the_queue(desks: Desks) -> None:
    submit(desks.village, "王芳")
    urgent = submit(desks.village, "张伟")
    desks.up()
    step_with_facts(desks.town, urgent.id)

    app = LianbanApp(desks.town)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        text = screen_text(app)

    assert text.index("张伟") < text.index("王芳")
    assert "急剩" in text


async def test_what_has_passed_is_a_page_of_the_town_from_which_a_case_opens(
    desks: Desks,
) -> None:
    published(desks)
    submit(desks.village)
    desks.up()
    later(desks.town, 20)

    app = LianbanApp(desks.town)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "o")
        text = screen_text(app)
        await press(pilot, "enter")
        assert isinstance(app.page, CasePage)
        case = screen_text(app)

    assert "收件答复" in text and "没办" in text and "没有说明" in text
    assert "时限  收件答复" in case


async def test_a_case_says_by_when_it_was_promised(desks: Desks) -> None:
    made = submit(desks.village)
    desks.up()
    step(desks.town, made.id, Step.ACCEPT)

    app = LianbanApp(desks.town)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, "6", "enter")
        text = screen_text(app)

    assert "承诺" in text and "前办结" in text and "（暂定）" in text


def step_with_facts(node: Node, case: str) -> None:
    casework.take_step(
        node, case, Step.HURRY, note="临近开学", facts={"approver": "王镇长"}
    )
