"""One case: who, what, how far; its answers, its story, and what may be done now."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from node import cases, casework, follow_on, viewing
from node.cases import Case
from node.errors import NotFound
from node.lifecycle import Step
from node.wiring import Node
from tui.screens import menu, steps
from tui.screens.case_papers import CasePapersPage
from tui.screens.case_text import Sections, describe, story
from tui.screens.form import FormPage
from tui.screens.guide import GuidePage
from tui.screens.materials import MaterialsPage
from tui.screens.new_case import choose_next, next_items
from tui.screens.page import Page
from tui.screens.settle import SettlePage
from tui.screens.sheet import CaseSheet, DraftSheet
from tui.screens.step_page import AtOncePage
from tui.widgets.reading import Reading
from tui.widgets.tab_line import Tab, TabLine

ANSWERS, STORY, MATERIALS, DISPUTES = range(4)


class CasePage(Page):
    """A case as it stands here now; it follows what arrives while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "amend('submit')", "补正"),
        Binding("e", "amend('amend')", "修改"),
        Binding("h", "settle", "核对"),
        *steps.BINDINGS,
        Binding("m", "menu", "办理…"),
        Binding("i", "at_once", "当场办结"),
        Binding("n", "follow_on", "接着办"),
        Binding("c", "source", "看前件"),
        Binding("k", "materials", "核材料"),
        Binding("p", "papers", "文书"),
        Binding("f4", "guide", "办事指南"),
        Binding("right", "turn(1)", "下一页", key_display="←→"),
        Binding("left", "turn(-1)", show=False),
        Binding("escape", "leave", "返回"),
        Binding("f5", "sync", "同步"),
        *(
            Binding(str(number), f"view({number - 1})", show=False)
            for number in range(1, 5)
        ),
    ]
    DEFAULT_CSS = """
    CasePage {
        & > #head { height: auto; max-height: 5; padding: 0 1; background: $surface; }
        & > Reading { padding: 0 1; }
        & > TabLine { background: $panel; }
    }
    """
    AUTO_FOCUS = "Reading"
    HELP = (
        "←→ 或数字键换页：1 表单、2 流转、3 材料、4 核对。↑↓ 翻看。"
        "下面一行是常办的步骤，M 列出现在能办的全部步骤，K 看每份材料。"
        "准予的件，有事项能用它的结果作材料的，N 接着办；接别的件办的，C 看那一件。"
        "“●已到镇”“✓已到区”只在对方签收后才显示。"
    )

    def __init__(self, node: Node, case: str) -> None:
        super().__init__(node)
        self._case_id = case
        self.case: Case | None = None
        self.active = ANSWERS
        self._possible: frozenset[Step] = frozenset()
        self._can_go_on = False
        self._source = ""
        """The id of the case on whose result this one builds; "" if it is not here."""
        self._sections: Sections | None = None
        self._story: Text | None = None
        """Of `_sections`, once somebody has asked for it."""

    @property
    def title_words(self) -> str:
        """What kind of screen this is."""
        return "办件"

    def body(self) -> Iterable[Widget]:
        """Put the head over the tabs, and the text below them."""
        yield Static(id="head")
        yield TabLine((Tab("表单"), Tab("流转"), Tab("材料"), Tab("核对")))
        with Reading():
            yield Static(id="text")

    def data_changed(self) -> None:
        """Read the case again."""
        try:
            self.case = cases.open_case(self.node, self._case_id)
        except NotFound:
            self.lianban.close_page("")
            raise
        self._possible = frozenset(casework.possible_steps(self.node, self.case))
        code = self.case.package.item.code
        self._can_go_on = follow_on.is_granted(self.case) and bool(
            next_items(self, code)
        )
        source = follow_on.source_of(self.node, self.case)
        self._source = source.id if source else ""
        if self._sections is None:
            viewing.opened(self.node, self.case)
        sections = describe(self.node, self.case)
        if sections != self._sections:
            self._sections, self._story = sections, None
            self._show()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys that could do nothing now."""
        match action:
            case "step":
                return str(parameters[0]) in self._possible
            case "amend":
                return str(parameters[0]) in self._possible
            case "at_once":
                case = self.case
                return case is not None and casework.may_decide_at_once(self.node, case)
            case "menu":
                return bool(self._possible)
            case "follow_on":
                return self._can_go_on
            case "source":
                return bool(self._source)
            case "settle":
                return Step.SETTLE in self._possible
            case "sync":
                return bool(self.node.secrets.parent)
        return True

    def action_view(self, index: int) -> None:
        """Show another page of the case."""
        self.active = index
        self._show()
        self.query_one(Reading).scroll_home(animate=False)

    def action_turn(self, step: int) -> None:
        """Show the page beside this one."""
        self.action_view((self.active + step) % 4)

    @on(TabLine.Picked)
    def picked(self, event: TabLine.Picked) -> None:
        """Show the page that was clicked."""
        self.action_view(event.index)

    def action_step(self, name: str) -> None:
        """Take a step in this case."""
        if self.case is not None:
            self.work(self._step(Step(name), self.case))

    async def _step(self, step: Step, case: Case) -> None:
        await steps.take(self, step, [case.row])

    def action_amend(self, _step: str) -> None:
        """Fill in the form of this case again: it was returned, or is not accepted."""
        if self.case is not None:
            sheet = CaseSheet(self.node, self.case)
            self.app.push_screen(FormPage(self.node, sheet))

    def action_settle(self) -> None:
        """Settle what is open in this case."""
        self.app.push_screen(SettlePage(self.node, self._case_id, only=True))

    def action_menu(self) -> None:
        """List all that may be done with this case now."""
        if self.case is not None:
            self.work(menu.choose(self, self.case))

    def action_at_once(self) -> None:
        """Accept and grant in one."""
        if self.case is not None:
            self.app.push_screen(AtOncePage(self.node, self.case))

    def action_follow_on(self) -> None:
        """Begin a case that builds on the result of this one."""
        if self.case is not None:
            self.work(self._follow_on(self.case))

    async def _follow_on(self, case: Case) -> None:
        package = await choose_next(self, case.package.item.code)
        if package is not None:
            sheet = DraftSheet(self.node, package, source=case)
            self.app.push_screen(FormPage(self.node, sheet))

    def action_source(self) -> None:
        """Show the case on whose result this one builds."""
        self.app.push_screen(CasePage(self.node, self._source))

    def action_materials(self) -> None:
        """Show every paper, its state, and who had it."""
        self.app.push_screen(MaterialsPage(self.node, self._case_id))

    def action_guide(self) -> None:
        """Show the guide of the item, in the version that this case has."""
        if self.case is not None:
            self.app.push_screen(GuidePage(self.node, self.case.package))

    def action_papers(self) -> None:
        """Show the papers that this case has by now."""
        if self.case is not None:
            self.app.push_screen(CasePapersPage(self.node, self.case))

    def action_sync(self) -> None:
        """Exchange with the node above, now."""
        self.lianban.sync_now()

    def _show(self) -> None:
        sections = self._sections
        if sections is None or self.case is None:
            return
        if self.active == STORY:
            self._story = self._story or Text("\n").join(story(self.node, self.case))
            text = self._story
        else:
            pages = {
                ANSWERS: sections.answers,
                MATERIALS: sections.materials,
                DISPUTES: sections.disputes,
            }
            text = Text("\n").join(pages[self.active])
        self.query_one("#head", Static).update(Text("\n").join(sections.head))
        self.query_one("#text", Static).update(text)
        self.query_one(TabLine).show(
            (
                Tab("表单"),
                Tab("流转"),
                Tab("材料", len(self.case.materials) if self.case else None),
                Tab("核对", sections.dispute_count, is_urgent=True),
            ),
            self.active,
        )
