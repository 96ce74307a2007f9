"""A list of cases that knows whether several of them may be chosen at once."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.widgets.paged_list import Key, PagedList

CHOSEN_LIMIT = 500
"""More than that nobody decides about with one key."""


class CaseList(PagedList):
    """A `PagedList` whose choosing can be switched off, with its key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "打开"),
        Binding("space", "choose", "选"),
        Binding("asterisk", "choose_all", "全选", show=False),
    ]

    can_choose = True
    can_open = True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the key for choosing where nothing is done with many at once."""
        if action in ("choose", "choose_all"):
            return self.can_choose and self.highlighted is not None
        if action == "open":
            return self.can_open and self.highlighted is not None
        return True

    def action_choose_all(self) -> None:
        """Choose all rows of the list, or none if all are chosen."""
        source = self._stretch.source
        every = {row.key for row in source.page(None, CHOSEN_LIMIT)}
        self._selected = set() if every <= self._selected else every
        row = self.highlighted
        if row is not None:
            is_selected = row.key in self._selected
            self.post_message(self.Toggled(row.key, is_selected, len(self._selected)))
        self.refresh()

    def unselect(self, keys: Iterable[Key]) -> None:
        """Select these rows no longer."""
        self._selected -= set(keys)
        self.refresh()
