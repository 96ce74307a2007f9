"""Taking in for another place 全市通办, at the keyboard; and how both lines list it."""

from collections.abc import Iterator

import pytest

from node import drafting
from node.store.cases import Filter
from node.wiring import Node
from tests.tui.desks import ELDER, ITEM, Desks, enrolled, screen_text, submit, type_text
from tui.app import LianbanApp
from tui.screens.choose import Choose
from tui.screens.desk import DeskPage
from tui.screens.form import FormPage

pytestmark = pytest.mark.anyio

SIZE = (80, 24)


@pytest.fixture
def far(desks: Desks) -> Iterator[Node]:
    """Another town, without any village node."""
    town = enrolled(
        desks.district,
        desks.district.home.path.parent / "far",
        "town",
        "330881106000",
        "石门镇",
        "吴审核",
    )
    desks.up()
    yield town
    town.close()
    town.sandbox.close()


async def test_a_case_is_taken_in_for_another_place_by_keyboard(
    desks: Desks, far: Node
) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("n")
        await pilot.pause()
        assert "替别处收件…" in screen_text(app)
        await pilot.press("4")
        await pilot.pause()
        assert "替别处收件：办什么事项？" in screen_text(app)
        await pilot.press("2")
        await pilot.pause()
        assert "替哪里收件？" in screen_text(app)
        await type_text(pilot, "3308811060")
        await pilot.pause()
        assert "石门镇" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, FormPage)
        assert "代收：这件是替 石门镇 收的" in screen_text(app)
        await type_text(pilot, "张三")
        await pilot.press("tab")
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()

    (draft,) = desks.village.store.drafts.all()
    assert draft.division == "330881106000"
    assert draft.answers["name"] == "张三"


async def test_going_back_from_any_question_begins_nothing(
    desks: Desks, far: Node
) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        for keys in (("n",), ("n", "4"), ("n", "4", "1")):
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            assert isinstance(app.screen, Choose)
            await pilot.press("escape")
            await pilot.pause()
            assert isinstance(app.screen, DeskPage)

    assert desks.village.store.drafts.all() == []


async def test_where_there_is_no_other_place_none_is_offered(desks: Desks) -> None:
    app = LianbanApp(desks.village)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("n")
        await pilot.pause()
        assert "替别处收件" not in screen_text(app)


async def test_both_lines_say_where_it_was_taken_in_and_only_one_has_to_do(
    desks: Desks, far: Node
) -> None:
    here = submit(desks.village, "王小明")
    draft = drafting.begin_draft(desks.village, ITEM, ELDER, "石门镇")
    abroad = drafting.submit_draft(desks.village, draft)
    desks.up()
    assert far.store.cases.page(Filter(), None, 9) == []
    desks.sync(far)

    for node, listed, count in ((desks.town, [here.id], 1), (far, [abroad.id], 1)):
        app = LianbanApp(node)
        async with app.run_test(size=(110, 24)) as pilot:
            await pilot.pause()
            assert isinstance(app.screen, DeskPage)
            shelf = app.screen.shelf
            assert shelf.tabs()[0].count == count
            rows = shelf.source(app.tell).page(None, 9)
            assert [row.key[-1] for row in rows] == listed
            await pilot.press("6")
            await pilot.pause()
            text = screen_text(app)
            assert "石门镇（收件 耀里村）" in text
            assert ("王小明" in text) == (node is desks.town)


async def test_the_town_it_was_only_taken_in_at_is_offered_no_acceptance(
    desks: Desks, far: Node
) -> None:
    draft = drafting.begin_draft(desks.village, ITEM, ELDER, "石门镇")
    drafting.submit_draft(desks.village, draft)
    desks.up()
    app = LianbanApp(desks.town)

    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("6")
        await pilot.pause()
        assert "A 受理" not in screen_text(app).splitlines()[-1]
        assert "石门镇（收件 耀里村）" in screen_text(app)
