"""A draft whose form has been published anew: what would change, and a choice."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from forms.moving import Fate, Turn
from node import cases, versions
from node.errors import NotFound
from node.store.drafts import Draft
from node.versions import Renewal
from node.wiring import Node
from tui import version_words
from tui.screens.form import FormPage
from tui.screens.page import Page
from tui.screens.sheet import DraftSheet
from tui.screens.wrap import wrap
from tui.text import fit, harmless, plain
from tui.widgets.reading import Reading

WHAT_CELLS = 10
PADDING_CELLS = 3
"""At both edges, and the scroll bar."""
_LOUD = (Fate.NEEDED, Fate.WRONG)


class RenewalPage(Page):
    """Lists every changed field on a line; a person takes the new form, or not yet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "renew", "换新表"),
        Binding("2", "keep", "先用旧表"),
        Binding("escape", "leave", "返回"),
    ]
    DEFAULT_CSS = """
    RenewalPage {
        & > #head { height: auto; padding: 0 1; background: $surface; }
        & > Reading { padding: 1 1 0 1; }
        & > #sum { height: auto; padding: 0 1; background: $surface; }
    }
    """
    AUTO_FOCUS = "Reading"
    HELP = (
        "区里改了这个事项的表，这份草稿是用旧表起的。按 1 换新表：填过的跟到新表里，"
        "新表没有位置的答案留在本机，打开表单按 F9 能看。按 2 先用旧表：接着填，"
        "也能提交，镇里和区里按旧表看。下次打开还会再问。"
    )

    def __init__(self, node: Node, draft: Draft) -> None:
        super().__init__(node)
        self._draft = draft
        self._found: Renewal | None = None

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "表有新版"

    def body(self) -> Iterable[Widget]:
        """Put both versions above the changes, and what they come to below."""
        yield Static(id="head")
        with Reading():
            yield Static(id="changes")
        yield Static(id="sum")

    def data_changed(self) -> None:
        """Read draft and versions again; another window may have been faster."""
        if self.app.screen is not self:
            return
        draft = self.node.store.drafts.get(self._draft.document)
        if draft is None:
            self.lianban.close_page("")
            raise NotFound("draft", self._draft.id)
        self._draft, self._found = draft, versions.renewal(self.node, draft)
        if self._found is None:
            self._fill_in(draft)
        else:
            self._show(self._found)

    def on_resize(self) -> None:
        """Lay the lines out anew."""
        if self._found is not None:
            self._show(self._found)

    def action_renew(self) -> None:
        """Take the draft over, and go on in its new form."""
        if self._found is None:
            return
        kept = len(self._found.moved.kept)
        page = self._fill_in(versions.renew(self.node, self._draft))
        words = f"，{kept} 项旧答案留在本机，按 F9 看" if kept else ""
        page.call_after_refresh(page.begin_with, f"✓ 已换成现行的表{words}")

    def action_keep(self) -> None:
        """Go on in the old form; nothing is changed."""
        self._fill_in(self._draft)

    def _fill_in(self, draft: Draft) -> FormPage:
        package = self.node.package(draft.package)
        assert package is not None
        page = FormPage(self.node, DraftSheet(self.node, package, draft))
        self.app.switch_screen(page)
        return page

    def _show(self, found: Renewal) -> None:
        width = max(40, self.size.width - PADDING_CELLS)
        old, new = version_words.versions(found, self.node.now_ms())
        who = cases.draft_row(self.node, self._draft).applicant or "（未填）"
        head = [
            f"{harmless(who)}   {harmless(found.new.item.name)}   草稿",
            f"! 这份草稿用的是旧表：{old}",
            f"  现在有新表：        {new}",
        ]
        self.query_one("#head", Static).update(Text("\n").join(map(plain, head)))
        lines = [one for turn in found.moved.turns for one in _lines(turn, width)]
        if not lines:
            lines = [plain("填的字段没有变，改的是说明、材料或时限。")]
        self.query_one("#changes", Static).update(Text("\n").join(lines))
        total = wrap(version_words.summary(found), width)
        self.query_one("#sum", Static).update(Text("\n").join(map(plain, total)))


def _lines(turn: Turn, width: int) -> Iterator[Text]:
    """Yield one change: what happened, then the question and what comes of it."""
    style = "bold" if turn.fate in _LOUD or turn.must_answer else ""
    what = version_words.change_words(turn)
    for line in wrap(version_words.turn_words(turn), width - WHAT_CELLS):
        yield Text(f"{fit(what, WHAT_CELLS)}{line}", style)
        what = ""
