"""Choosing what of earlier cases is taken over 取用历史资料: each value with its
source, and with what stands in the form now.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from forms.package import Package
from node import reuse
from node.material import Material
from node.reuse import Offer
from tui import known_words
from tui.screens.rows_at_hand import RowsAtHand
from tui.screens.wrap import wrap
from tui.text import harmless, plain
from tui.widgets.paged_list import Column, PagedList, Row

COLUMNS = (
    Column("项目", 16),
    Column("历史资料", 18, is_flexible=True),
    Column("现在填的", 12, is_flexible=True),
    Column("来源", 28),
)
DETAIL_LINES = 4
KEYS = "空格 选   A 全选   回车 取用选好的   Esc 返回，什么也不取"


class OfferList(PagedList):
    """Enter takes over what is chosen, and never what only lies under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "choose_all", "全选", show=False),
    ]

    def action_choose_all(self) -> None:
        """Choose everything, or nothing where everything is chosen."""
        keys = {row.key for row in self._stretch.rows}
        self._selected = set() if self._selected == keys else keys
        self.refresh()


class ReusePage(ModalScreen[list[Offer] | None]):
    """Gives what was chosen, or None when the user went back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "返回")]
    DEFAULT_CSS = """
    ReusePage {
        align: center middle;

        & > Vertical {
            width: 100%;
            height: 100%;
            padding: 0 1;
            border: round $primary;
            background: $surface;
        }
        & .title { text-style: bold; }
        & #detail { height: 4; margin: 1 0 0 0; }
        & .foot { color: $text-muted; }
    }
    """
    AUTO_FOCUS = "OfferList"

    def __init__(
        self,
        package: Package,
        answers: Mapping[str, str],
        offers: Sequence[Offer],
        material: Callable[[str], Material],
    ) -> None:
        """Offer what may be taken over into `answers`."""
        super().__init__()
        self.package, self.offers = package, list(offers)
        self._given = [
            known_words.shown(
                package, one.key, one.answers, one.source.files.__getitem__
            )
            for one in offers
        ]
        self._present = [
            known_words.shown(package, one.key, now, material) if now else ""
            for one in offers
            for now in (reuse.present(answers, one),)
        ]

    def compose(self) -> ComposeResult:
        """Put the whole of the highlighted offer below the list."""
        rows = [
            Row((place,), (one.label, given, now, _source(one)))
            for place, (one, given, now) in enumerate(
                zip(self.offers, self._given, self._present, strict=True)
            )
        ]
        with Vertical():
            title = f"可取用的历史资料（{len(rows)} 项）：请与申请人核对，变了的不要取"
            yield Static(plain(title), classes="title")
            yield OfferList(COLUMNS, RowsAtHand(rows), empty=known_words.NOTHING)
            yield Static(id="detail")
            yield Static(plain(KEYS), classes="foot")

    @on(PagedList.Highlighted)
    def look_closer(self, event: PagedList.Highlighted) -> None:
        """Say all of the highlighted offer."""
        event.stop()
        if event.key is None:
            return
        place = int(event.key[0])
        offer, now = self.offers[place], self._present[place]
        told = f"{offer.label}：{harmless(self._given[place])}"
        told += f"（现在填的是 {harmless(now)}，取用会换掉）" if now else ""
        self._tell(told, f"来自 {known_words.source(offer)}")

    @on(PagedList.Opened)
    def take(self, event: PagedList.Opened) -> None:
        """Give what is chosen; nothing is taken for chosen that is not."""
        event.stop()
        chosen = self.query_one(OfferList).selected
        if not chosen:
            self._tell("还没有选：按空格选一项，按 A 全选；什么也没有取用")
            return
        self.dismiss([self.offers[int(key[0])] for key in sorted(chosen)])

    def action_back(self) -> None:
        """Close without a choice."""
        self.dismiss(None)

    def _tell(self, *paragraphs: str) -> None:
        width = max(20, self.size.width - 5)
        lines = [line for text in paragraphs for line in wrap(harmless(text), width)]
        # The source comes last, and is never what is cut off.
        lines = [*lines[:-1][: DETAIL_LINES - 1], *lines[-1:]]
        text = Text("\n").join(plain(line) for line in lines)
        self.query_one("#detail", Static).update(text)


def _source(offer: Offer) -> str:
    one = offer.source
    return f"{known_words.day(one.verified_at_ms)} {one.item_name}"
