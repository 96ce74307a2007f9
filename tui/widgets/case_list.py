"""A list of cases that knows whether several of them may be chosen at once."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.widgets.paged_list import PagedList


class CaseList(PagedList):
    """A `PagedList` whose choosing can be switched off, with its key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "打开"),
        Binding("space", "choose", "选"),
    ]

    can_choose = True
    can_open = True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the key for choosing where nothing is done with many at once."""
        if action == "choose":
            return self.can_choose and self.highlighted is not None
        if action == "open":
            return self.can_open and self.highlighted is not None
        return True
