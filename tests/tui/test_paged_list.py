from bisect import bisect_left, bisect_right

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.message import Message

from tui.text import cells
from tui.widgets.paged_list import (
    KEPT_ROWS,
    READ_ROWS,
    Column,
    Key,
    PagedList,
    Row,
    column_widths,
)

pytestmark = pytest.mark.anyio

COLUMNS = [
    Column("单号", 10),
    Column("申请人", 8),
    Column("事项", 20, is_flexible=True),
]
BODY_ROWS = 23


class Memory:
    """A source that counts what is asked of it; its keys may have gaps."""

    def __init__(self, numbers: range | list[int], name: str = "欧阳建国") -> None:
        self.numbers = list(numbers)
        self.name = name
        self.rows_read = 0

    def page(self, after: Key | None, limit: int) -> list[Row]:
        start = 0 if after is None else bisect_right(self.numbers, after[0])
        return self._rows(self.numbers[start : start + limit])

    def page_before(self, before: Key | None, limit: int) -> list[Row]:
        numbers = self.numbers
        end = len(numbers) if before is None else bisect_left(numbers, before[0])
        return self._rows(numbers[max(0, end - limit) : end])

    def count(self) -> int:
        return len(self.numbers)

    def _rows(self, numbers: list[int]) -> list[Row]:
        self.rows_read += len(numbers)
        return [
            Row((number,), (f"SJ-{number}", self.name, "城乡居民医保参保登记"))
            for number in numbers
        ]


def wheel(turn: type[events.MouseEvent], rows: PagedList) -> events.MouseEvent:
    return turn(rows, 5, 5, 0, 1, 0, False, False, False)


class Lists(App[None]):
    def __init__(self, source: Memory) -> None:
        super().__init__()
        self.source = source
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield PagedList(COLUMNS, self.source, empty="还没有办件")

    @property
    def rows(self) -> PagedList:
        return self.query_one(PagedList)

    @property
    def lines(self) -> list[str]:
        height = self.rows.size.height
        return [self.rows.render_line(y).text for y in range(height)]

    @property
    def key(self) -> Key | None:
        return self.rows.highlighted.key if self.rows.highlighted else None

    def on_paged_list_opened(self, message: PagedList.Opened) -> None:
        self.heard.append(message)

    def on_paged_list_highlighted(self, message: PagedList.Highlighted) -> None:
        self.heard.append(message)

    def on_paged_list_toggled(self, message: PagedList.Toggled) -> None:
        self.heard.append(message)

    def on_paged_list_moved(self, message: PagedList.Moved) -> None:
        self.heard.append(message)


async def test_opening_a_long_list_reads_one_window() -> None:
    app = Lists(Memory(range(100_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()

        assert app.source.rows_read <= 2 * READ_ROWS
        assert app.rows.position == (0, 100_000)
        assert app.lines[1].startswith(">  SJ-0 ")
        assert app.lines[23].startswith("   SJ-22 ")
        assert app.heard == [PagedList.Highlighted((0,)), PagedList.Moved(0, 100_000)]


async def test_end_and_page_up_read_by_key_from_the_end() -> None:
    app = Lists(Memory(range(100_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("end")

        assert app.key == (99_999,)
        assert app.rows.position == (99_999, 100_000)
        assert app.lines[23].startswith(">  SJ-99999 ")

        await pilot.press("pageup")

        assert app.key == (99_999 - BODY_ROWS,)
        assert app.source.rows_read <= 3 * READ_ROWS

        await pilot.press("home")

        assert app.rows.position == (0, 100_000)
        assert app.lines[1].startswith(">  SJ-0 ")


@pytest.mark.parametrize("count", [0, 1, 22, 23, 24, 199, 200, 201, 400, 1_000, 1_234])
async def test_paging_there_and_back_shows_every_row_once(count: int) -> None:
    app = Lists(Memory(range(count)))
    async with app.run_test(size=(80, 24)):
        rows = app.rows
        there = []
        for _ in range(count):
            there.append(app.key)
            rows.action_move(1)
        at_end = app.key
        back = []
        for _ in range(count):
            back.append(app.key)
            rows.action_move(-1)

        assert there == [(number,) for number in range(count)]
        assert at_end == ((count - 1,) if count else None)
        assert back == list(reversed(there))
        assert rows.position == (0 if count else None, count)


@pytest.mark.parametrize("count", [5, 23, 100, 1_000])
async def test_page_keys_never_skip_a_row(count: int) -> None:
    app = Lists(Memory(range(count)))
    async with app.run_test(size=(80, 24)):
        rows = app.rows
        for _ in range(count // BODY_ROWS + 1):
            before = app.lines[1:]
            rows.action_page(1)
            after = app.lines[1:]
            seen = {line.split()[-3] for line in before + after if "SJ" in line}
            numbers = sorted(int(name.removeprefix("SJ-")) for name in seen)
            assert numbers == list(range(numbers[0], numbers[-1] + 1))

        assert app.key == (count - 1,)


async def test_rows_held_stay_few_on_a_long_way() -> None:
    app = Lists(Memory(range(100_000)))
    async with app.run_test(size=(80, 24)):
        for _ in range(200):
            app.rows.action_page(1)

        assert app.rows.position == (200 * BODY_ROWS, 100_000)
        assert app.source.rows_read < 200 * BODY_ROWS + 2 * READ_ROWS
        assert len(app.rows._stretch.rows) <= KEPT_ROWS


@pytest.mark.parametrize("height", [300, KEPT_ROWS - 50, KEPT_ROWS + 2, 1_000])
async def test_a_screen_taller_than_what_is_kept_is_full_to_its_last_line(
    height: int,
) -> None:
    app = Lists(Memory(range(5_000)))
    body = height - 1
    async with app.run_test(size=(80, height)) as pilot:
        for key, expected in (
            ("pagedown", body),
            ("pagedown", 2 * body),
            ("down", 2 * body + 1),
            ("pageup", body + 1),
            ("end", 4_999),
            ("pageup", 4_999 - body),
            ("up", 4_999 - body - 1),
            ("home", 0),
        ):
            await pilot.press(key)

            assert app.key == (expected,), key
            assert all(line.strip() for line in app.lines), key
            assert len(app.rows._stretch.rows) <= max(KEPT_ROWS, body + READ_ROWS)


async def test_rows_that_come_in_above_leave_the_highlight_where_it_was() -> None:
    app = Lists(Memory(range(1_000, 2_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*["pagedown"] * 20)
        line = next(line for line in app.lines if line.startswith(">"))
        place = app.lines.index(line)
        app.source.numbers[:0] = range(500, 600)
        app.rows.refresh_rows()
        await pilot.pause()

        assert app.key == (1_000 + 20 * BODY_ROWS,)
        assert app.lines[place] == line
        # Counting the rows above would cost a walk through the table.
        assert app.rows.position == (None, 1_100)

        await pilot.press("home")

        assert app.rows.position == (0, 1_100)
        assert app.key == (500,)


async def test_new_rows_at_the_start_come_into_sight() -> None:
    app = Lists(Memory(range(1_000, 2_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down")
        app.source.numbers[:0] = [998, 999]
        app.rows.refresh_rows()
        await pilot.pause()

        assert app.key == (1_001,)
        assert app.lines[1].startswith("   SJ-998 ")
        assert app.lines[4].startswith(">  SJ-1001 ")
        assert app.rows.position == (3, 1_002)


@pytest.mark.parametrize(
    ("gone", "neighbour"),
    [
        ([500], 501),
        ([500, 501], 502),
        (list(range(500, 1_000)), 499),  # nothing behind it: the one before
        ([*range(501)], 501),
    ],
)
async def test_a_highlighted_row_that_goes_hands_over_to_a_neighbour(
    gone: list[int], neighbour: int
) -> None:
    app = Lists(Memory(range(1_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        app.rows.highlight((500,))
        app.source.numbers = [n for n in app.source.numbers if n not in gone]
        app.rows.refresh_rows()
        await pilot.pause()

        assert app.key == (neighbour,)
        assert app.heard[-2] == PagedList.Highlighted((neighbour,))


async def test_a_list_that_empties_and_fills_again_says_so() -> None:
    app = Lists(Memory(range(3)))
    async with app.run_test(size=(80, 24)) as pilot:
        app.source.numbers = []
        app.rows.refresh_rows()
        await pilot.pause()
        empty = app.lines
        await pilot.press("enter", "space", "down", "pageup", "end")
        app.source.numbers = [7]
        app.rows.refresh_rows()
        await pilot.pause()

        assert empty[12].strip() == "还没有办件"
        assert empty[12].index("还") == 35
        assert PagedList.Highlighted(None) in app.heard
        assert app.key == (7,)


async def test_selection_survives_reading_again_and_shows_a_mark() -> None:
    app = Lists(Memory(range(1_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("space", "down", "space", "space")
        app.rows.refresh_rows()
        await pilot.pause()

        assert app.rows.selected == {(0,)}
        assert app.lines[1].startswith(" ✓ SJ-0 ")
        assert app.lines[2].startswith(">  SJ-1 ")
        toggled = [m for m in app.heard if isinstance(m, PagedList.Toggled)]
        assert [(m.key, m.is_selected, m.count) for m in toggled] == [
            ((0,), True, 1),
            ((1,), True, 2),
            ((1,), False, 1),
        ]

        app.rows.clear_selection()

        assert app.rows.selected == frozenset()


async def test_another_source_starts_afresh() -> None:
    app = Lists(Memory(range(1_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("space", "pagedown")
        app.rows.show_source(Memory([3, 5], name="张伟"))
        await pilot.pause()

        assert app.key == (3,)
        assert app.rows.selected == frozenset()
        assert app.rows.position == (0, 2)


async def test_enter_opens_and_so_does_a_double_click() -> None:
    app = Lists(Memory(range(1_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down", "enter")
        await pilot.click(PagedList, offset=(10, 5), times=2)

        opened = [m for m in app.heard if isinstance(m, PagedList.Opened)]
        assert opened == [PagedList.Opened((1,)), PagedList.Opened((4,))]


async def test_a_click_highlights_and_one_on_the_mark_selects() -> None:
    app = Lists(Memory(range(10)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(PagedList, offset=(10, 3))
        highlighted = app.key
        await pilot.click(PagedList, offset=(1, 6))
        await pilot.click(PagedList, offset=(10, 20))  # below the last row
        await pilot.click(PagedList, offset=(10, 0))  # the header

        assert highlighted == (2,)
        assert app.key == (5,)
        assert app.rows.selected == {(5,)}


async def test_the_wheel_moves_the_rows_and_pushes_the_cursor_along() -> None:
    app = Lists(Memory(range(1_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        app.rows.post_message(wheel(events.MouseScrollDown, app.rows))
        await pilot.pause()

        assert app.key == (3,)
        assert app.lines[1].startswith(">  SJ-3 ")

        app.rows.post_message(wheel(events.MouseScrollUp, app.rows))
        await pilot.pause()

        assert app.key == (3,)
        assert app.lines[4].startswith(">  SJ-3 ")


async def test_a_smaller_window_keeps_the_cursor_in_sight() -> None:
    app = Lists(Memory(range(1_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*["down"] * 20)
        await pilot.resize_terminal(60, 10)
        await pilot.pause()

        assert app.key == (20,)
        assert any(line.startswith(">  SJ-20 ") for line in app.lines)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[31m红", "␛[31m红 "),
        ("1\u202e2", "1⟦U+202…"),
        ("[b]x[/]", "[b]x[/] "),
        ("𠮷\u0301䶮", "𠮷\u0301䶮"),
    ],
)
async def test_hostile_text_is_literal_and_leaves_the_columns_straight(
    name: str, shown: str
) -> None:
    app = Lists(Memory(range(3), name=name))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()

        for line in app.lines:
            assert cells(line) == 80
            assert "\x1b" not in line
            assert "\u202e" not in line
        assert shown in app.lines[1]
        assert cells(app.lines[1].partition("城")[0]) == 3 + 10 + 1 + 8 + 1


@pytest.mark.parametrize(
    ("width", "widths"),
    [
        (77, [10, 8, 57]),
        (40, [10, 8, 20]),
        (30, [10, 8, 10]),
        (10, [10, 8, 4]),  # runs out of sight, rather than vanish
    ],
)
def test_a_flexible_column_takes_what_is_left(width: int, widths: list[int]) -> None:
    assert column_widths(COLUMNS, width) == widths


def test_flexible_columns_share_to_the_last_cell() -> None:
    columns = [Column("甲", 5, is_flexible=True), Column("乙", 5, is_flexible=True)]

    assert sum(column_widths(columns, 30)) + 1 == 30
