"""Pictures of screens for the documentation, drawn from the real program.

`python -m tests.tui.pictures new-version.svg` writes what an agent sees who opens a
draft whose form was published anew. The pictures in `docs/` are such files as a
browser draws them, 995 pixels wide.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import pytest

from node import drafting, upkeep
from tests.forms.versions import ANSWERS, NEW, OLD
from tests.tui.desks import joined
from tui.app import LianbanApp
from tui.snapshot import repair_svg
from tui.theme import THEME

SIZE = (80, 24)


async def new_version(folder: Path) -> str:
    """Return the choice between the old and the new version of a draft's form."""
    with pytest.MonkeyPatch.context() as patch:
        desks = joined(patch, folder)
    try:
        upkeep.publish(desks.district, [OLD])
        desks.up()
        drafting.begin_draft(desks.village, OLD.item.code, ANSWERS)
        upkeep.publish(desks.district, [NEW])
        desks.up()
        app = LianbanApp(desks.village)
        async with app.run_test(size=SIZE) as pilot:
            app.theme = THEME.name  # whatever terminal this runs in
            await pilot.press("enter")
            await pilot.pause()
            return repair_svg(app.export_screenshot(title="lianban 联办"))
    finally:
        desks.close()


def main(target: Path) -> None:
    """Write the picture to a file."""
    with tempfile.TemporaryDirectory() as folder:
        svg = asyncio.run(new_version(Path(folder)))
    target.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
