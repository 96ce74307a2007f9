"""A form in which all is wrong: all of it is shown, and each place is reached."""

from pathlib import Path

import pytest
from textual.widgets import Static

from forms.author.packing import read_packages
from node import drafting, upkeep
from tests.forms.all_wrong import SAID, WRONG, catalogue
from tests.tui.desks import Desks, note, press, screen_text
from tui.app import LianbanApp
from tui.screens.choose import Choose
from tui.screens.field_row import FieldRow
from tui.screens.form import FormPage

pytest.importorskip("pyxform")
pytestmark = pytest.mark.anyio


async def test_all_faults_are_marked_listed_and_reached(
    desks: Desks, tmp_path: Path
) -> None:
    packages = read_packages(catalogue(tmp_path / "catalogue"))
    upkeep.publish(desks.district, packages)
    desks.sync(desks.town)
    desks.sync(desks.village)
    draft = drafting.begin_draft(desks.village, packages[0].item.code)
    drafting.save_draft(desks.village, draft, WRONG)
    app = LianbanApp(desks.village)

    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        assert "F8" not in screen_text(app).splitlines()[-1]
        await press(pilot, "f3")
        told = note(app)
        marked = {
            row.field.label: str(row.query_one(".problem", Static).render())
            for row in app.screen.query(FieldRow)
            if row.is_wrong
        }
        await press(pilot, "f8")
        assert isinstance(app.screen, Choose)
        listed = [(one.label, one.detail) for one in app.screen.options]
        seen = screen_text(app)
        await press(pilot, "9")
        assert isinstance(app.screen, FormPage)
        focused = app.focused
        assert focused is not None
        row = next(o for o in focused.ancestors_with_self if isinstance(o, FieldRow))

    *asked, (extra, _) = SAID
    assert "还没提交：有 11 处要改，都标出来了，F8 列出" in told
    assert f"表单里没有的项：{extra}" in told
    assert len(marked) == len(asked)
    for (label, what), (name, message) in zip(asked, listed, strict=True):
        assert name == label and what in message
        assert what in marked[label.partition("（第")[0]]
    assert "还有 10 处要改，到哪一处？" in seen and "校验位不对" in seen
    assert row.field.label == asked[8][0].partition("（第")[0]
