"""A short list whose rows are all at hand, as a `Source`."""

from collections.abc import Sequence

from tui.widgets.paged_list import Key, Row


class RowsAtHand:
    """Rows with the keys (0,), (1,), ..."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = list(rows)

    def page(self, after: Key | None, limit: int) -> Sequence[Row]:
        """Return the rows behind `after`."""
        start = 0 if after is None else int(after[0]) + 1
        return self.rows[start : start + limit]

    def page_before(self, before: Key | None, limit: int) -> Sequence[Row]:
        """Return the rows before `before`."""
        end = len(self.rows) if before is None else int(before[0])
        return self.rows[max(0, end - limit) : end]

    def count(self) -> int:
        """Return how many there are."""
        return len(self.rows)
