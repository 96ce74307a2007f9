"""A question with its editor, as it stands in a form."""

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from forms.field import Field
from tui.screens.field_row import LABEL_LINES, FieldRow

pytestmark = pytest.mark.anyio

LABEL_CELLS = 24


class OneQuestion(App[None]):
    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = label

    def compose(self) -> ComposeResult:
        yield FieldRow(Field("asked", "text", self.label), "", LABEL_CELLS)


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("姓名", ["姓名"]),
        (
            "家庭成员里有且只有一位申请人本人",
            ["家庭成员里有且只有一位申", "请人本人"],
        ),
        ("问" * 60, ["问" * 12] * LABEL_LINES),  # no screen is filled by one label
    ],
)
async def test_a_long_question_is_read_to_its_end(label: str, shown: list[str]) -> None:
    app = OneQuestion(label)

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        static = app.query_one(".label", Static)
        lines = [
            static.render_line(at).text.strip() for at in range(static.size.height)
        ]

    assert lines == shown
