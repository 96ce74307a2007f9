"""A list of any length that holds a few hundred rows of it.

Rows are read by key, forwards and backwards, never by number, so that a list page costs
the same at 1,000 and at 1,000,000 rows. The price: no jump into the middle, and the
number of a row is known only while one end of the list is within reach.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.text import Align, fit, harmless

Key: TypeAlias = tuple[str | int, ...]
"""Where a row stands in the order of its list; the last element tells equals apart."""

READ_ROWS = 100
"""More than most terminals have lines, or a list would be read twice to be shown."""
KEPT_ROWS = 6 * READ_ROWS
"""More on a screen that is taller: what stands there and one more reading, or each
reading would let go of rows at the other end that are on show.
"""
GUTTER_CELLS = 3
FLEXIBLE_CELLS_MIN = 4
WHEEL_ROWS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list. `style` is rich's words for it: "bold", "dim"."""

    key: Key
    cells: tuple[str, ...]
    style: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `width` in cells, of which a flexible one takes more or fewer."""

    title: str
    width: int
    align: Align = "left"
    is_flexible: bool = False


class Source(Protocol):
    """Where the rows come from. Read on the UI thread: under 10 ms, please.

    A key whose row is gone must still have its place, as in `WHERE key > ?`.
    """

    def page(self, after: Key | None, limit: int) -> Sequence[Row]:
        """Return up to `limit` rows behind `after` (None: from the start), in order."""

    def page_before(self, before: Key | None, limit: int) -> Sequence[Row]:
        """Return up to `limit` rows next before `before` (None: the end), in order.

        In the order of the list, so the row nearest to `before` comes last.
        """

    def count(self) -> int:
        """Return how many rows there are in all."""


class Stretch:
    """The rows at hand: one stretch of a source, without a gap."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rows: list[Row] = []
        self.first: int | None = 0
        """The number of the first row in the whole list, from 0; None: not known."""
        self.total = 0
        self.has_before = False
        self.has_after = False

    def read_start(self) -> None:
        """Hold the first rows."""
        self._hold([], self.source.page(None, READ_ROWS))
        self.has_before, self.first = False, 0

    def read_end(self) -> None:
        """Hold the last rows."""
        self._hold(self.source.page_before(None, READ_ROWS), [])
        self.has_after = False
        self.first = max(0, self.total - len(self.rows)) if self.has_before else 0

    def read_around(self, key: Key) -> int:
        """Hold the rows around `key`; return where it is, or its neighbour if gone.

        0 for an empty list.
        """
        before = self.source.page_before(key, READ_ROWS // 2)
        after = self.source.page(before[-1].key if before else None, READ_ROWS)
        self._hold(before, after)
        self.has_before = len(before) == READ_ROWS // 2
        if not self.has_before:
            self.first = 0
        elif not self.has_after:
            self.first = max(0, self.total - len(self.rows))
        else:
            self.first = None
        return max(0, min(len(before), len(self.rows) - 1))

    def read_count(self) -> None:
        """Ask anew how many rows there are."""
        self.total = self.source.count()

    def extend_after(self, kept: int) -> int:
        """Read on; return how many rows were let go at the start, so that no more than
        `kept` are held.
        """
        more = self.source.page(self.rows[-1].key, READ_ROWS)
        self.rows += more
        self.has_after = len(more) == READ_ROWS
        surplus = max(0, len(self.rows) - kept)
        if surplus:
            del self.rows[:surplus]
            self.has_before = True
            if self.first is not None:
                self.first += surplus
        if not self.has_after and self.first is None:
            self.first = max(0, self.total - len(self.rows))
        return surplus

    def extend_before(self, kept: int) -> int:
        """Read back; return how many rows were added at the start. No more than `kept`
        are held: the last ones are let go.
        """
        more = self.source.page_before(self.rows[0].key, READ_ROWS)
        self.rows[:0] = more
        self.has_before = len(more) == READ_ROWS
        if not self.has_before:
            self.first = 0
        elif self.first is not None:
            # Rows that came in since would push the number below the start.
            self.first = self.first - len(more) if self.first > len(more) else None
        if len(self.rows) > kept:
            del self.rows[kept:]
            self.has_after = True
        return len(more)

    def _hold(self, before: Sequence[Row], after: Sequence[Row]) -> None:
        self.rows = [*before, *after]
        self.has_before = len(before) == READ_ROWS
        self.has_after = len(after) == READ_ROWS


class PagedList(Widget, can_focus=True):
    """Shows rows of a `Source`; knows which is highlighted and which are selected."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "打开"),
        Binding("space", "choose", "选择"),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "start", show=False),
        Binding("end", "end", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "paged-list--header",
        "paged-list--cursor",
        "paged-list--selected",
        "paged-list--empty",
    }
    DEFAULT_CSS = """
    PagedList {
        height: 1fr;
        width: 1fr;

        & > .paged-list--header { color: $text-muted; text-style: bold; }
        & > .paged-list--selected { color: $text-accent; text-style: bold; }
        & > .paged-list--empty { color: $text-muted; }
        & > .paged-list--cursor {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
        }
        &:focus > .paged-list--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: $block-cursor-text-style;
        }
    }
    """

    @dataclass
    class Opened(Message):
        """The user wants to see this row: Enter or a double click."""

        key: Key

    @dataclass
    class Highlighted(Message):
        """Another row is under the cursor; None: the list is empty."""

        key: Key | None

    @dataclass
    class Toggled(Message):
        """A row was selected or no longer is; `count` rows are selected now."""

        key: Key
        is_selected: bool
        count: int

    @dataclass
    class Moved(Message):
        """The cursor's place or the number of rows is another one.

        `index`: from 0; None when it cannot be known without counting.
        """

        index: int | None
        total: int

    def __init__(
        self,
        columns: Sequence[Column],
        source: Source,
        *,
        empty: str = "没有内容",
        mark: str = "✓",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.empty = empty
        self.mark = mark
        self._stretch = Stretch(source)
        self._top = 0
        self._cursor = 0
        self._selected: set[Key] = set()
        self._told: tuple[Key | None, tuple[int | None, int]] | None = None

    @property
    def highlighted(self) -> Row | None:
        """The row under the cursor; None when the list is empty."""
        rows = self._stretch.rows
        return rows[self._cursor] if rows else None

    @property
    def selected(self) -> frozenset[Key]:
        """The keys of the selected rows, out of sight ones too."""
        return frozenset(self._selected)

    @property
    def position(self) -> tuple[int | None, int]:
        """The number of the highlighted row from 0, if known, and of all rows."""
        first = self._stretch.first
        if first is None or not self._stretch.rows:
            return None, self._stretch.total
        return first + self._cursor, self._stretch.total

    def show_source(self, source: Source) -> None:
        """Show another list, from its start, with nothing selected."""
        self._stretch = Stretch(source)
        self._selected.clear()
        self._open()

    def refresh_rows(self) -> None:
        """Read again what is on show; highlight and selection stay where they were.

        A highlighted row that is gone hands over to the next one, or the one before.
        """
        if self.highlighted is None:
            self._open()
        else:
            self.highlight(self.highlighted.key)

    def highlight(self, key: Key) -> None:
        """Put the cursor on `key`, wherever that is; read what is around it."""
        stretch = self._stretch
        index, total = self.position
        line = self._cursor - self._top
        shows_start = self._top == 0 and not stretch.has_before
        known = self.highlighted
        stretch.read_count()
        self._cursor = stretch.read_around(key)
        stays = known is not None and known.key == key == self._key()
        if stretch.first is None and stays and index is not None:
            # As many rows as before, and the same one under the cursor.
            stretch.first = index - self._cursor if total == stretch.total else None
        # Who looks at the start wants to see what comes in there.
        self._settle(0 if shows_start else self._cursor - line)

    def clear_selection(self) -> None:
        """Select nothing."""
        self._selected.clear()
        self.refresh()

    def on_mount(self) -> None:
        """Read the first rows."""
        self._open()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._settle(self._top)

    def action_move(self, rows: int) -> None:
        """Go `rows` down, or up when negative."""
        self._go(self._cursor + rows, self._top)

    def action_page(self, pages: int) -> None:
        """Go a screenful down or up."""
        rows = pages * self._body_rows
        self._go(self._cursor + rows, self._top + rows)

    def action_start(self) -> None:
        """Go to the first row."""
        if self._stretch.has_before:
            self._stretch.read_start()
        self._go(0, 0)

    def action_end(self) -> None:
        """Go to the last row."""
        if self._stretch.has_after:
            self._stretch.read_end()
        last = len(self._stretch.rows) - 1
        self._go(last, last)

    def action_choose(self) -> None:
        """Select the highlighted row, or no longer."""
        row = self.highlighted
        if row is None:
            return
        self._selected ^= {row.key}
        is_selected = row.key in self._selected
        self.post_message(self.Toggled(row.key, is_selected, len(self._selected)))
        self.refresh()

    def action_open(self) -> None:
        """Ask the screen to open the highlighted row."""
        if self.highlighted is not None:
            self.post_message(self.Opened(self.highlighted.key))

    def on_click(self, event: events.Click) -> None:
        """Highlight a row; a click on its mark selects it, a double click opens it."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y == 0:
            return
        event.stop()
        line = self._top + offset.y - 1
        if line >= len(self._stretch.rows):
            return
        self._go(line, self._top)
        if offset.x < GUTTER_CELLS:
            self.action_choose()
        elif event.chain == 2:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the rows under the cursor; it is pushed along at the edge."""
        event.stop()
        event.prevent_default()
        self._scroll(WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the rows under the cursor; it is pushed along at the edge."""
        event.stop()
        event.prevent_default()
        self._scroll(-WHEEL_ROWS)

    def render_line(self, y: int) -> Strip:
        """Draw the header, a row, or what to say when there is none."""
        width = self.size.width
        if y == 0:
            style = self.get_component_rich_style("paged-list--header")
            titles = tuple(column.title for column in self.columns)
            return self._line("", titles, style)
        rows = self._stretch.rows
        if not rows:
            if y != (self.size.height + 1) // 2:
                return Strip.blank(width, self.rich_style)
            style = self.get_component_rich_style("paged-list--empty")
            return Strip([Segment(fit(harmless(self.empty), width, "center"), style)])
        index = self._top + y - 1
        if index >= len(rows):
            return Strip.blank(width, self.rich_style)
        row = rows[index]
        style = self.rich_style
        gutter = ">" if index == self._cursor else " "
        if row.style:
            style += Style.parse(row.style)
        if row.key in self._selected:
            style += self.get_component_rich_style("paged-list--selected", partial=True)
            gutter += self.mark
        if index == self._cursor:
            style += self.get_component_rich_style("paged-list--cursor", partial=True)
        return self._line(gutter, row.cells, style)

    @property
    def _body_rows(self) -> int:
        return max(1, self.size.height - 1)

    @property
    def _kept(self) -> int:
        return max(KEPT_ROWS, self._body_rows + READ_ROWS)

    def _key(self) -> Key | None:
        return None if self.highlighted is None else self.highlighted.key

    def _open(self) -> None:
        self._stretch.read_count()
        self._stretch.read_start()
        self._cursor = 0
        self._settle(0)

    def _scroll(self, rows: int) -> None:
        """Move the view; keep the cursor inside it."""
        top = self._top + rows
        self._go(max(top, min(self._cursor, top + self._body_rows - 1)), top)

    def _go(self, cursor: int, top: int) -> None:
        """Put the cursor on row `cursor` of the stretch, reading on as needed."""
        stretch = self._stretch
        while cursor >= len(stretch.rows) and stretch.has_after:
            gone = stretch.extend_after(self._kept)
            cursor, top = cursor - gone, top - gone
        while cursor < 0 and stretch.has_before:
            added = stretch.extend_before(self._kept)
            cursor, top = cursor + added, top + added
        self._cursor = max(0, min(cursor, len(stretch.rows) - 1))
        self._settle(top)

    def _settle(self, top: int) -> None:
        """Show the rows from `top`, as near as the cursor and the ends allow."""
        stretch, body = self._stretch, self._body_rows
        top = max(self._cursor - body + 1, min(top, self._cursor))
        while top + body > len(stretch.rows) and stretch.has_after:
            gone = stretch.extend_after(self._kept)
            self._cursor, top = self._cursor - gone, top - gone
        top = min(top, len(stretch.rows) - body)
        while top < 0 and stretch.has_before:
            added = stretch.extend_before(self._kept)
            self._cursor, top = self._cursor + added, top + added
        self._top = max(0, top)
        self._tell()
        self.refresh()

    def _tell(self) -> None:
        """Say what is another than it was when last told."""
        key, position = self._key(), self.position
        before = self._told
        self._told = (key, position)
        if before is None or before[0] != key:
            self.post_message(self.Highlighted(key))
        if before is None or before[1] != position:
            self.post_message(self.Moved(*position))

    def _line(self, gutter: str, texts: Sequence[str], style: Style) -> Strip:
        parts = [fit(gutter, GUTTER_CELLS)]
        widths = column_widths(self.columns, self.size.width - GUTTER_CELLS)
        for column, width, text in zip(self.columns, widths, texts, strict=True):
            parts.append(fit(harmless(text, width=width), width, column.align))
        line = parts[0] + " ".join(parts[1:])
        return Strip([Segment(fit(line, self.size.width), style)])


def column_widths(columns: Sequence[Column], width: int) -> list[int]:
    """Return the cells of each column, so that with one cell between they fill `width`.

    Flexible columns share what is left over, or give what is missing; the last columns
    run out of sight where even that is not enough.
    """
    spare = width - sum(column.width + 1 for column in columns) + 1
    flexible = [place for place, column in enumerate(columns) if column.is_flexible]
    widths = [column.width for column in columns]
    for left, place in zip(range(len(flexible), 0, -1), flexible, strict=True):
        share = spare // left
        widths[place] = max(FLEXIBLE_CELLS_MIN, widths[place] + share)
        spare -= widths[place] - columns[place].width
    return widths
