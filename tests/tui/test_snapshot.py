import re
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from tui.snapshot import CELL_PX, repair_svg
from tui.text import cells, plain

pytestmark = pytest.mark.anyio

LINES = ["F2 存草稿 <欧阳建国> & 𠮷", "张三", "plain"]


class Page(App[None]):
    def compose(self) -> ComposeResult:
        for line in LINES:
            yield Static(plain(line))


@pytest.fixture
async def svg() -> str:
    async with Page().run_test(size=(40, 6)) as pilot:
        await pilot.pause()
        return pilot.app.export_screenshot(title="三江口村")


TEXT = re.compile(r'<text [^>]*x="([^"]+)"[^>]*textLength="([^"]+)"[^>]*>([^<]*)<')


async def test_every_letter_of_a_screenshot_has_its_cells(svg: str) -> None:
    repaired = repair_svg(svg)

    texts = TEXT.findall(repaired)
    assert len(texts) > len(LINES)
    for _, length, content in texts:
        wanted = CELL_PX * cells(unescape(content))
        assert float(length) == pytest.approx(wanted, rel=1e-4)
        assert len({cells(char) for char in unescape(content)}) == 1
    first = [(float(x), unescape(content)) for x, _, content in texts][:3]
    assert [content.strip("\xa0") for _, content in first] == ["F2", "存草稿", "<"]
    assert first[1][0] == pytest.approx(3 * CELL_PX, abs=0.1)


async def test_a_repaired_screenshot_needs_no_network(svg: str) -> None:
    repaired = repair_svg(svg)

    assert "@font-face" in svg
    assert "@font-face" not in repaired
    assert set(re.findall(r"https?://[\w./]+", repaired)) == {
        "http://www.w3.org/2000/svg",  # the name of a language, not an address
        "https://www.textualize.io",  # in a remark
    }


async def test_a_repaired_screenshot_is_well_formed_and_stays_as_it_is(
    svg: str,
) -> None:
    repaired = repair_svg(svg)

    ET.fromstring(repaired)
    assert repair_svg(repaired) == repaired
