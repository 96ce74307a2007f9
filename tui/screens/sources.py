"""Where the lists get their rows: drafts before cases, read by key, never by number."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from node import cases, status
from node.errors import NodeError
from node.places import place_names
from node.progress import Progress, progress
from node.store.cases import CaseRow, Filter, Order, PageKey
from node.store.drafts import Draft
from node.wiring import Node
from tui.screens import views
from tui.widgets.paged_list import Key, Row

DRAFT, CASE = 0, 1
"""The first part of a key: all drafts stand before all cases."""


class CaseSource:
    """The cases of a filter, newest first or oldest first, behind the drafts.

    A key ends with the case's id, so that a selected row is known out of sight, too.
    What the store cannot read is told by `on_error`, and reads as nothing.
    """

    def __init__(
        self,
        node: Node,
        wanted: Filter,
        *,
        has_cases: bool,
        drafts: Callable[[], Sequence[Draft]],
        on_error: Callable[[Exception], None],
    ) -> None:
        """Show what `wanted` says, and the drafts that `drafts` finds."""
        self.node = node
        self.wanted = wanted
        self.has_cases = has_cases
        self.on_error = on_error
        self._find_drafts = drafts

    def page(self, after: Key | None, limit: int) -> Sequence[Row]:
        """Return the rows behind `after`."""
        try:
            rows: list[Row] = []
            if after is None or after[0] == DRAFT:
                rows = [r for r in self._drafts() if after is None or r.key > after]
            rest = limit - len(rows)
            if rest <= 0 or not self.has_cases:
                return rows[:limit]
            from_key = _page_key(after) if after and after[0] == CASE else None
            found = self.node.store.cases.page(self.wanted, from_key, rest)
            return rows + self._draw(found)
        except NodeError as error:
            self.on_error(error)
            return []

    def page_before(self, before: Key | None, limit: int) -> Sequence[Row]:
        """Return the rows next before `before`."""
        try:
            rows: list[Row] = []
            if self.has_cases and (before is None or before[0] == CASE):
                rows = self._draw(self._cases_before(before, limit))
            rest = limit - len(rows)
            if not rest:
                return rows
            drafts = [r for r in self._drafts() if before is None or r.key < before]
            return drafts[-rest:] + rows
        except NodeError as error:
            self.on_error(error)
            return []

    def count(self) -> int:
        """Return how many rows there are."""
        try:
            cases_held = self.node.store.cases.count(self.wanted)
            return len(self._find_drafts()) + (cases_held if self.has_cases else 0)
        except NodeError as error:
            self.on_error(error)
            return 0

    def _cases_before(self, before: Key | None, limit: int) -> list[CaseRow]:
        store = self.node.store.cases
        if before is not None:
            return store.page_before(self.wanted, _page_key(before), limit)
        # The store has no page from the end: the other order's start is one.
        turned = replace(self.wanted, oldest_first=not self.wanted.oldest_first)
        return store.page(turned, None, limit)[::-1]

    def _drafts(self) -> list[Row]:
        rows = [cases.draft_row(self.node, draft) for draft in self._find_drafts()]
        names = place_names(self.node)
        return [
            self._row(draft_key(row), row, None, None, names)
            for row in sorted(rows, key=lambda row: (-row.changed_at_ms, row.id))
        ]

    def _draw(self, rows: Sequence[CaseRow]) -> list[Row]:
        documents = [row.document for row in rows]
        arrivals = status.arrivals(self.node, documents)
        files = progress(self.node, documents)
        names = place_names(self.node)
        return [
            self._row(
                case_key(row, self.wanted.order),
                row,
                arrivals.get(row.document),
                files.get(row.document),
                names,
            )
            for row in rows
        ]

    def _row(
        self,
        key: Key,
        row: CaseRow,
        known: status.Arrival | None,
        files: Progress | None,
        names: dict[str, str],
    ) -> Row:
        cells = self.cells(row, known, files, names)
        return Row(key, cells, views.row_style(self.node, row))

    def cells(
        self,
        row: CaseRow,
        known: status.Arrival | None,
        files: Progress | None,
        names: dict[str, str],
    ) -> tuple[str, ...]:
        """Return a case as a line of this tier's list."""
        now_ms = self.node.now_ms()
        return views.row_cells(self.node, row, known, files, names, now_ms)


def draft_key(row: CaseRow) -> Key:
    """Return the place of a draft: the last saved comes first."""
    return DRAFT, -row.changed_at_ms, 0, row.id


def case_key(row: CaseRow, order: Order) -> Key:
    """Return the place of a case among the others."""
    return CASE, *row.key_in(order), row.id


def is_draft(key: Key) -> bool:
    """Say whether a row of the list is a draft."""
    return key[0] == DRAFT


def case_id(key: Key) -> str:
    """Return the id of the case, or of the draft, of a row."""
    return str(key[-1])


def _page_key(key: Key) -> PageKey:
    return key[1], int(key[2])
