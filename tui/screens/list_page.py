"""Pages that are one list, with the rest of the highlighted row below it."""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import ClassVar, Generic, TypeVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType

from node.wiring import Node
from tui.messages import ERRORS
from tui.screens.page import Page
from tui.screens.rows_at_hand import RowsAtHand
from tui.widgets.paged_list import PagedList, Row
from tui.widgets.tab_line import TabLine

Asked = TypeVar("Asked")
Found = TypeVar("Found")


class ListPage(Page):
    """Whoever subclasses it puts a `PagedList` into its body and a `Static` with the id
    `detail` below, and says what stands there of the highlighted row.
    """

    DEFAULT_CSS = """
    ListPage {
        & > #head { height: 2; padding: 0 1; background: $surface; }
        & > #detail { height: 2; padding: 0 1; background: $surface; }
    }
    """

    @property
    def listed(self) -> PagedList:
        """The list."""
        return self.query_one(PagedList)

    def detail(self, row: Row | None) -> Text:
        """Return what stands below the list; None: no row is highlighted."""
        raise NotImplementedError

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows, whose keys are (0,), (1,), ...; the highlight stays."""
        listed = self.listed
        kept = listed.highlighted
        listed.show_source(RowsAtHand(rows))
        if kept is not None:
            listed.highlight(kept.key)
        self.show_detail()

    def show_detail(self) -> None:
        """Say the rest of the highlighted row."""
        self.line("detail").update(self.detail(self.listed.highlighted))

    @on(PagedList.Highlighted)
    def look_closer(self) -> None:
        """Follow the cursor."""
        self.show_detail()


class ReadingPage(ListPage, Generic[Asked, Found]):
    """What is listed takes long to read, so that a thread does it, one at a time, with
    a connection of its own; the screen stays alive meanwhile.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._is_reading = self._is_stale = False

    @property
    def asked(self) -> Asked:
        """What is to be read; the answer to anything else is not shown."""
        raise NotImplementedError

    def read(self, node: Node, asked: Asked) -> Found:
        """Read it. Runs in the thread: touches nothing but its arguments."""
        raise NotImplementedError

    def take(self, found: Found) -> None:
        """Show what was read."""
        raise NotImplementedError

    def data_changed(self) -> None:
        """Read again; once more if it changes meanwhile."""
        self._is_stale = True
        if not self._is_reading:
            self._begin()

    def _begin(self) -> None:
        self._is_reading, self._is_stale = True, False
        self.run_worker(
            partial(self._read, self.asked),
            thread=True,
            group="read",
            exit_on_error=False,
        )

    def _read(self, asked: Asked) -> None:
        show: Callable[[], None] | None = None
        try:
            with closing(self.node.another_connection()) as node:
                show = partial(self._show_found, asked, self.read(node, asked))
        except ERRORS as error:
            show = partial(self.lianban.tell, error)
        finally:
            self.app.call_from_thread(self._end, show)

    def _end(self, show: Callable[[], None] | None) -> None:
        self._is_reading = False
        if not self.is_mounted:
            return
        if show is not None:
            show()
        if self._is_stale:
            self._begin()

    def _show_found(self, asked: Asked, found: Found) -> None:
        if asked == self.asked:
            self.take(found)


class TabbedPage(ReadingPage[Asked, Found]):
    """One list of several, each with its tab."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "turn(1)", "换页", key_display="←→"),
        Binding("left", "turn(-1)", show=False),
        *(
            Binding(str(number), f"view({number - 1})", show=False)
            for number in range(1, 10)
        ),
    ]
    AUTO_FOCUS = "CaseList"

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.active = 0

    def show_tab(self) -> None:
        """Show the list of the active tab."""
        raise NotImplementedError

    def action_view(self, index: int) -> None:
        """Show another tab."""
        if index < len(self.query_one(TabLine).tabs):
            self.active = index
            self.show_tab()

    def action_turn(self, step: int) -> None:
        """Show the tab beside this one."""
        self.action_view((self.active + step) % len(self.query_one(TabLine).tabs))

    @on(TabLine.Picked)
    def picked(self, event: TabLine.Picked) -> None:
        """Show the tab that was clicked."""
        self.action_view(event.index)
