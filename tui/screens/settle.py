"""Settling 核对: one open thing after another, both sides, a key and a reason."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from forms import check
from node import cases, viewing
from node.cases import Case
from node.matters import MARK_CHANGED, MARK_CONFLICT, Matter
from node.settling import settle
from node.store.cases import CaseRow
from node.wiring import Node
from tui import labels, matters
from tui.screens.page import Page
from tui.screens.sides import sheet
from tui.text import harmless, plain
from tui.widgets.reading import Reading

PADDING_CELLS = 3
"""At both edges, and the scroll bar."""
SAID_CELLS = 40
"""What is shown of a value in a question about it; it stands in full behind it."""


class SettlePage(Page):
    """Shows what is open in a case, and then in the cases that wait behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "note", "知道了"),
        *(
            Binding(str(number), f"choose({number})", f"选【{number}】")
            for number in range(1, 10)
        ),
        Binding("e", "other", "另写"),
        Binding("e", "all", "都要"),
        Binding("n", "skip", "先跳过"),
        Binding("escape", "leave", "返回"),
    ]
    DEFAULT_CSS = """
    SettlePage {
        & > #head { height: 3; padding: 0 1; background: $surface; }
        & > Reading { padding: 1 1 0 1; }
    }
    """
    AUTO_FOCUS = "Reading"
    HELP = (
        "同一项在两处填得不同，或有两步对不上，都留着，等本级定下来。"
        "看清两边是谁、什么时候填的，打电话核实后，按 1、2 选一个；"
        "都不对就按 E 另写。再选或写一句理由就办好了，各级都会照此更新。"
        "拿不准就按 N 先跳过，放着也不会丢。"
    )

    def __init__(self, node: Node, case: str, *, only: bool = False) -> None:
        """Begin with a case; `only` that one, or those that wait behind it as well."""
        super().__init__(node)
        self._case_id = case
        self._only = only
        self._skipped: set[tuple[str, str]] = set()
        self._done = ""
        self.case: Case | None = None
        self.matter: Matter | None = None

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "核对"

    def body(self) -> Iterable[Widget]:
        """Put whose case it is above the two sides."""
        yield Static(id="head")
        with Reading():
            yield Static(id="sides")

    def data_changed(self) -> None:
        """Show the next open thing, as it is now, unless a dialogue is about one."""
        if self.app.screen is self:
            self._next()

    def on_resize(self) -> None:
        """Lay the sides out anew."""
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys that could do nothing now."""
        mark = self.matter.mark if self.matter else ""
        sides = len(self.matter.sides) if self.matter else 0
        match action:
            case "choose":
                return int(str(parameters[0])) <= sides
            case "note":
                return mark == MARK_CHANGED
            case "other":
                return mark == MARK_CONFLICT and not self._is_of_files()
            case "all":
                return bool(self._all_files())
        return True

    # -- keys -----------------------------------------------------------------

    def action_choose(self, number: int) -> None:
        """Let one side stand."""
        if self.case is not None and self.matter is not None:
            self.work(self._choose(self.case, self.matter, number))

    async def _choose(self, case: Case, matter: Matter, number: int) -> None:
        side = matter.sides[number - 1]
        said = matters.side_words(case, matter, side)
        await self._settle(case, matter, self._what(case, matter, said), number, None)

    def action_note(self) -> None:
        """Take note of what was amended too late."""
        if self.case is not None and self.matter is not None:
            what = "看过了受理后的修改"
            self.work(self._settle(self.case, self.matter, what, 0, None))

    def action_other(self) -> None:
        """Type what is right where no side is."""
        if self.case is not None and self.matter is not None:
            self.work(self._other(self.case, self.matter))

    async def _other(self, case: Case, matter: Matter) -> None:
        field = matters.field_of(case, matter.key)
        assert field is not None
        options = "、".join(
            f"{place} {one.label}" for place, one in enumerate(field.choices, start=1)
        )
        question = f"{field.label}应填什么？{options}"
        value, problem = "", ""
        while True:
            typed = await self.ask(f"{problem}{question}", value=value)
            if typed is None:
                return
            value = check.normalise_field(field, typed)
            found = check.check_field(field, value, self.node.today())
            if not found:
                break
            problem = f"✗ {found}。"
        said = matters.value_words(case, matter.key, value)
        await self._settle(case, matter, self._what(case, matter, said), 0, value)

    def action_all(self) -> None:
        """Keep the files of all sides: of photographs there need be no choice."""
        case, matter, value = self.case, self.matter, self._all_files()
        if case is not None and matter is not None and value:
            said = matters.value_words(case, matter.key, value)
            what = self._what(case, matter, said)
            self.work(self._settle(case, matter, what, 0, value))

    def action_skip(self) -> None:
        """Leave this one open, and go on to the next."""
        if self.matter is not None:
            self._skipped.add((self._case_id, self.matter.key))
        self._next()

    # -- private --------------------------------------------------------------

    async def _settle(
        self, case: Case, matter: Matter, what: str, number: int, value: str | None
    ) -> None:
        reason = await self.ask(
            f"{what}。理由是什么？",
            placeholder="按序号选，或自己写",
            presets=matters.REASONS[matter.mark],
        )
        if reason is None:
            return
        settle(self.node, case.id, matter, choose=number, value=value, note=reason)
        self._done = f"✓ {harmless(case.row.applicant)}：{harmless(what)}"
        self.say(self._done)
        self.lianban.wrote()

    def _what(self, case: Case, matter: Matter, said: str) -> str:
        """Return what is settled in a few words, however long the value is."""
        about = ""
        if matter.mark == MARK_CONFLICT:
            about = matters.field_label(case, matter.key)
        return f"{about}定为“{harmless(said, width=SAID_CELLS)}”"

    def _is_of_files(self) -> bool:
        if self.case is None or self.matter is None:
            return False
        field = matters.field_of(self.case, self.matter.key)
        return field is not None and field.kind == matters.FILE

    def _all_files(self) -> str:
        """Return the files of all sides together; "" if the field may not hold them."""
        if self.case is None or self.matter is None or not self._is_of_files():
            return ""
        field = matters.field_of(self.case, self.matter.key)
        assert field is not None
        files = [one for side in self.matter.sides for one in side.value.split()]
        value = " ".join(dict.fromkeys(files))
        wrong = check.check_field(field, value, self.node.today())
        return "" if wrong else value

    def _person(self, case: Case) -> Iterable[str]:
        """Yield the applicant's name, and the number to call: it is for asking him."""
        yield case.row.applicant or "（未填）"
        phone = case.package.field_of("applicant_phone")
        if phone and self.matter and phone.key != self.matter.key:
            yield matters.value_words(case, phone.key, case.fields.get(phone.key, ""))

    def _next(self) -> None:
        """Show the first open thing that was not skipped; leave if there is none."""
        for row in self._rows():
            case = cases.open_case(self.node, row.id)
            for matter in case.matters:
                if (case.id, matter.key) not in self._skipped:
                    self._case_id, self.case, self.matter = case.id, case, matter
                    viewing.opened(self.node, case)
                    self._show()
                    return
        self.lianban.close_page(self._done)

    def _rows(self) -> Iterable[CaseRow]:
        """Yield this case, then those that wait, the oldest first."""
        store = self.node.store.cases
        first = store.get(bytes.fromhex(self._case_id))
        if first is not None and cases.may_settle(self.node, first):
            yield first
        after = None
        while not self._only:
            found = store.page(cases.to_settle(self.node), after, 1)
            if not found:
                return
            after = found[0].key
            if found[0].id != self._case_id:
                yield found[0]

    def _show(self) -> None:
        case, matter = self.case, self.matter
        if case is None or matter is None or not self.is_mounted:
            return
        row = case.row
        place = case.matters.index(matter) + 1
        where = f"（{place}/{len(case.matters)}）" if len(case.matters) > 1 else ""
        head = Text("\n").join(
            [
                plain("   ".join(filter(None, (*self._person(case), row.item_name)))),
                plain(
                    f"单号 {row.number}   "
                    f"{labels.word(labels.STATES, case.story.state)}"
                ),
                Text(f"! {harmless(matters.title(case, matter))}{where}", "bold"),
            ]
        )
        self.query_one("#head", Static).update(head)
        width = max(20, self.size.width - PADDING_CELLS)
        lines = sheet(case, matter, width, self.node.now_ms())
        self.query_one("#sides", Static).update(Text("\n").join(lines))
        self.refresh_bindings()
