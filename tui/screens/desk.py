"""The desk of a tier: its cases in a list, with tabs, finding, and steps by key."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from forms.item import Tier
from node import cases, drafting, versions
from node.lifecycle import State, Step
from node.store.cases import CaseRow
from node.store.drafts import Draft
from node.wiring import Node
from tui import labels
from tui.screens import kept, preview, steps, views
from tui.screens.case import CasePage
from tui.screens.case_papers import CasePapersPage
from tui.screens.choose import Choose, Option
from tui.screens.form import FormPage
from tui.screens.inquiry import InquiryPage
from tui.screens.lapse_list import LapsePage
from tui.screens.monitor import MonitorPage
from tui.screens.new_case import choose_new
from tui.screens.open_list import OpenListPage
from tui.screens.page import Page
from tui.screens.renewal import RenewalPage
from tui.screens.report import ReportPage
from tui.screens.sheet import CaseSheet, DraftSheet, Sheet
from tui.screens.shelf import FIND_WORDS, NARROW_KEYS, VISITS, Shelf
from tui.screens.sources import case_id, is_draft
from tui.screens.stick import StickPage
from tui.screens.visit_list import VisitListPage
from tui.screens.wrap import wrap
from tui.text import harmless, plain
from tui.widgets.case_list import CaseList
from tui.widgets.field_input import FieldInput
from tui.widgets.paged_list import PagedList
from tui.widgets.tab_line import TabLine

HELP = {
    Tier.VILLAGE: (
        "这里是本村收的全部办件，草稿排在最前面。没有网照常办：按 N 新建，"
        "提交后显示“▲未送达”，联网后自动上传；镇里签收才变成“●已到镇”，"
        "区里签收才变成“✓已到区”。退回的办件按 E 补正。"
        "P 打印回执和各种文书；群众来问办得怎样，按 Q 查。"
        "L 只看加急、上门、免提交待查的；只看上门的时候，J 打印上门单。"
        "≠ 表示两处填得不同过：两边都留着，由镇里或区里核对。"
    ),
    Tier.TOWN: (
        "这里是各村交来的办件，加急的在最前面，再是等得最久的。空格选几件（* 全选），"
        "或就用光标所在的一件：A 受理，受理后 B 打成批次转区；"
        "R 退回一件，写明它要补的；待代录的按 E 照材料填表，填好才能受理；"
        "在镇里决定的事项按 G 准予、X 不予。V 只看一个村，"
        "L 只看加急、上门、免提交待查的。"
        "“到达”一栏：▲未送达 是本镇办的还没传到区里。"
        "! 表示有几处等本镇核对，按 H 一处处办；≠ 表示曾有不同或等区里核对。"
    ),
    Tier.DISTRICT: (
        "这里是各镇转来等决定的办件，加急的在最前面，再是等得最久的。"
        "空格选几件（* 全选），或就用光标所在的一件："
        "G 准予，X 写明理由不予；R 退回一件，写明它要补的。I 只看一个事项，"
        "L 只看加急等。"
        "部门自己的站点从“本部门”看起：联办的件只列本部门还没审的。"
        "“时限”一栏是最近的一天还剩几个工作日；O 列出超期的。"
    ),
}


class DeskPage(Page):
    """The first screen of every tier; the tables in `views` say how they differ."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *steps.LIST_BINDINGS,
        Binding("e", "enter", "代录"),
        Binding("e", "amend('submit')", "补正"),
        Binding("e", "amend('amend')", "修改"),
        Binding("h", "settle", "核对"),
        Binding("o", "lapses", "超期"),
        Binding("delete", "drop", "删草稿"),
        Binding("n", "new", "新建"),
        Binding("slash", "find", "查找"),
        Binding("p", "papers", "回执"),
        Binding("q", "inquire", "查进度、验回执", show=False),
        Binding("v", "narrow('v')", "选村", show=False),
        Binding("i", "narrow('i')", "选事项", show=False),
        Binding("l", "only", "只看", show=False),
        Binding("j", "visits", "上门单"),
        Binding("f5", "sync", "同步"),
        Binding("f6", "stick", "U盘"),
        Binding("s", "monitor", "各站"),
        Binding("t", "report", "报表", show=False),
        Binding("escape", "widen", show=False),
        Binding("left", "turn(-1)", show=False),
        Binding("right", "turn(1)", show=False),
        *(
            Binding(str(number), f"view({number - 1})", show=False)
            for number in range(1, 8)
        ),
    ]
    DEFAULT_CSS = """
    DeskPage {
        & > #find { display: none; margin: 0 1; }
        & > #find.open { display: block; }
        & > .line {
            height: 1;
            padding: 0 1;
            background: $surface;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
        & > #preview { height: 2; padding: 0 1; background: $surface; }
    }
    """
    AUTO_FOCUS = "CaseList"

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.shelf = Shelf(node)
        self._possible: frozenset[Step] = frozenset()
        self._sheet: Sheet | None = None

    @property
    def title_words(self) -> str:
        """What this desk is called."""
        return labels.DESKS[self.node.tier]

    @property
    def help_words(self) -> str:
        """What this tier does here."""
        return HELP[self.node.tier]

    @property
    def rows(self) -> CaseList:
        """The list of cases."""
        return self.query_one(CaseList)

    def body(self) -> Iterable[Widget]:
        """Put the tabs above the list, and what is highlighted below it."""
        yield TabLine(self.shelf.tabs())
        yield FieldInput("find", placeholder=FIND_WORDS, id="find")
        chosen = CaseList(
            views.COLUMNS[self.node.tier],
            self.shelf.source(self.lianban.tell),
            empty=self.shelf.empty_words(),
        )
        chosen.can_choose = self.node.tier is not Tier.VILLAGE
        yield chosen
        yield Static(id="preview")
        yield Static(id="place", classes="line quiet")

    def on_screen_resume(self) -> None:
        """Put the cursor on the case whose form was just closed: it has moved."""
        super().on_screen_resume()
        document = self._sheet.document if self._sheet else None
        self._sheet = None
        if document is not None:
            self._highlight(document)

    def data_changed(self) -> None:
        """Read rows and counts again; the highlight stays."""
        self.rows.refresh_rows()
        self._drop_stale()
        self._show_tabs()
        self._look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys that could do nothing now."""
        tier = self.node.tier
        match action:
            case "step":
                return str(parameters[0]) in self._possible
            case "amend":
                # The town puts right in the case itself, where it has seen it all.
                return tier is Tier.VILLAGE and str(parameters[0]) in self._possible
            case "enter":
                case_row = self._highlighted() if self.is_mounted else None
                is_paper_only = case_row is not None and case_row.is_paper_only
                return tier is Tier.TOWN and is_paper_only and "amend" in self._possible
            case "drop":
                row = self.rows.highlighted if self.is_mounted else None
                return row is not None and is_draft(row.key)
            case "settle":
                return bool(self.lianban.to_settle)
            case "papers":
                row = self.rows.highlighted if self.is_mounted else None
                is_case = row is not None and not is_draft(row.key)
                # The line of keys of other tiers is full: there it is a key of a case.
                return is_case and tier is Tier.VILLAGE
            case "lapses":
                return tier is not Tier.VILLAGE and self.lianban.has_lapsed
            case "visits":
                return self.shelf.only == VISITS
            case "new":
                return tier is not Tier.DISTRICT
            case "narrow":
                return parameters[0] == NARROW_KEYS.get(tier)
            case "sync":
                return bool(self.node.secrets.parent)
        return True

    # -- what is listed -------------------------------------------------------

    def action_view(self, index: int) -> None:
        """Show another tab."""
        if index < len(self.shelf.views):
            self.shelf.active = index
            self.say("")
            self._show_list()

    def action_turn(self, step: int) -> None:
        """Show the tab beside this one."""
        self.action_view((self.shelf.active + step) % len(self.shelf.views))

    @on(TabLine.Picked)
    def picked(self, event: TabLine.Picked) -> None:
        """Show the tab that was clicked."""
        self.action_view(event.index)

    def action_find(self) -> None:
        """Open the line in which to type what to look for."""
        field = self.query_one("#find", FieldInput)
        field.add_class("open")
        field.focus()

    def action_widen(self) -> None:
        """Undo one narrowing: what was looked for, the selection, the village."""
        field = self.query_one("#find", FieldInput)
        if field.has_class("open"):
            field.fill("")
            field.remove_class("open")
            self.shelf.query_text = ""
            self._show_list()
            self.rows.focus()
        elif self.rows.selected:
            self.rows.clear_selection()
            self._look()
        elif self.shelf.only:
            self.shelf.only = ""
            self._show_list()
        elif self.shelf.narrowed_to:
            self.shelf.narrow(Option("", ""))
            self._show_list()

    @on(FieldInput.Edited)
    def look_for(self, event: FieldInput.Edited) -> None:
        """List what fits what has been typed so far."""
        if event.value != self.shelf.query_text:
            self.shelf.query_text = event.value
            self._show_rows()

    @on(Input.Submitted)
    def found(self) -> None:
        """Go on with what was found."""
        self.rows.focus()

    def action_narrow(self, _key: str) -> None:
        """Show the cases of one village, or of one item, only."""
        self.work(self._narrow())

    async def _narrow(self) -> None:
        question, options = self.shelf.choices()
        value = await self.app.push_screen_wait(Choose(question, options))
        if value is not None:
            self.shelf.narrow(next(one for one in options if one.value == value))
            self._show_list()

    def action_only(self) -> None:
        """Show only the cases with one mark."""
        self.work(self._only())

    async def _only(self) -> None:
        options = self.shelf.only_options()
        value = await self.app.push_screen_wait(Choose("只看哪些？", options))
        if value is not None:
            self.shelf.only = value
            self._show_list()

    # -- what is done ---------------------------------------------------------

    @on(PagedList.Opened)
    def opened(self, event: PagedList.Opened) -> None:
        """Open the case; a draft opens as its form."""
        self._open(case_id(event.key))

    def action_step(self, name: str) -> None:
        """Take a step in the selected cases, or in the highlighted one."""
        self.work(self._step(Step(name)))

    async def _step(self, step: Step) -> None:
        if await steps.take(self, step, self._chosen()):
            self.rows.clear_selection()
            self._look()

    def action_enter(self) -> None:
        """Enter the form of a case that was taken in on paper."""
        self.action_amend("amend")

    def action_amend(self, _step: str) -> None:
        """Fill in the form of a returned or submitted case again."""
        row = self._highlighted()
        if row is not None and row.state != State.DRAFT:
            case = cases.open_case(self.node, row.id)
            self._fill_in(CaseSheet(self.node, case))

    def action_new(self) -> None:
        """Choose an item and fill in its form."""
        self.work(self._new())

    async def _new(self) -> None:
        chosen = await choose_new(self)
        if chosen is not None:
            self._fill_in(DraftSheet(self.node, chosen.package, None, chosen.division))

    def action_drop(self) -> None:
        """Throw the highlighted draft away, after asking."""
        self.work(self._drop())

    async def _drop(self) -> None:
        draft = self._draft()
        row = self._highlighted()
        if draft is None or row is None:
            return
        who = harmless(row.applicant or "（未填）")
        question = f"删掉{who}的草稿（{row.item_name}）？删了就找不回来。"
        if await self.confirm(question, "删掉", is_dangerous=True):
            drafting.drop_draft(self.node, draft)
            kept.drop_taken(self.node, draft.id)
            self.lianban.wrote()
            self.say(f"已删掉草稿：{who}")

    def action_sync(self) -> None:
        """Exchange with the node above, now."""
        self.lianban.sync_now()

    def action_settle(self) -> None:
        """Show what waits to be settled here."""
        self.app.push_screen(OpenListPage(self.node))

    def action_papers(self) -> None:
        """Show the papers of the highlighted case."""
        row = self._highlighted()
        if row is not None and row.state != State.DRAFT:
            case = cases.open_case(self.node, row.id)
            self.app.push_screen(CasePapersPage(self.node, case))

    def action_inquire(self) -> None:
        """Answer somebody who asks how far his case is, or shows a paper."""
        self.app.push_screen(InquiryPage(self.node))

    def action_visits(self) -> None:
        """Show the list to go out with 上门单, to be printed."""
        self.app.push_screen(VisitListPage(self.node))

    def action_lapses(self) -> None:
        """Show which limits have passed."""
        self.app.push_screen(LapsePage(self.node))

    def action_monitor(self) -> None:
        """Show how it stands with every neighbour."""
        self.app.push_screen(MonitorPage(self.node))

    def action_report(self) -> None:
        """Show what can be counted."""
        self.app.push_screen(ReportPage(self.node))

    def action_stick(self) -> None:
        """Carry out and in by a stick."""
        self.app.push_screen(StickPage(self.node))

    # -- private --------------------------------------------------------------

    @on(PagedList.Highlighted)
    @on(PagedList.Toggled)
    def look_closer(self) -> None:
        """Say what is under the cursor, and which keys fit it."""
        self._look()

    @on(PagedList.Moved)
    def moved(self) -> None:
        """Say where in the list the cursor is."""
        self._show_place()

    def _open(self, case: str) -> None:
        draft = self.node.store.drafts.get(bytes.fromhex(case))
        if draft is None:
            self.app.push_screen(CasePage(self.node, case))
            return
        package = self.node.package(draft.package)
        assert package is not None
        sheet = DraftSheet(self.node, package, draft)
        if versions.has_newer(self.node, package.item.code, draft.package):
            self._sheet = sheet
            self.app.push_screen(RenewalPage(self.node, draft))
        else:
            self._fill_in(sheet)

    def _fill_in(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self.app.push_screen(FormPage(self.node, sheet))

    def _highlight(self, document: bytes) -> None:
        """Put the cursor on a case, if this tab lists it."""
        row = self.shelf.find(document)
        key = self.shelf.place_of(row) if row else None
        if key is not None:
            self.rows.highlight(key)

    def _highlighted(self) -> CaseRow | None:
        row = self.rows.highlighted
        return None if row is None else self.shelf.row(row.key)

    def _draft(self) -> Draft | None:
        row = self.rows.highlighted
        if row is None:
            return None
        return self.node.store.drafts.get(bytes.fromhex(case_id(row.key)))

    def _chosen(self) -> list[CaseRow]:
        keys = sorted(self.rows.selected)
        if not keys and self.rows.highlighted is not None:
            keys = [self.rows.highlighted.key]
        return [row for key in keys if (row := self.shelf.row(key)) is not None]

    def _drop_stale(self) -> None:
        """Select no longer what has changed: nobody has seen it as it is now."""
        stale = {
            key
            for key in self.rows.selected
            if (row := self.shelf.row(key)) is None or self.shelf.place_of(row) != key
        }
        if stale:
            self.rows.unselect(stale)
            self.say(f"选中的有 {len(stale)} 件刚有变动，已取消选择，请再看看", "alert")

    def _show_list(self) -> None:
        self._show_tabs()
        self._show_rows()

    def _show_rows(self) -> None:
        self.rows.empty = self.shelf.empty_words()
        self.rows.show_source(self.shelf.source(self.lianban.tell))
        self._look()

    def _show_tabs(self) -> None:
        self.query_one(TabLine).show(self.shelf.tabs(), self.shelf.active)

    def _look(self) -> None:
        if not self.is_mounted:
            return
        able: set[Step] = set()
        for row in self._chosen():
            able.update(steps.possible(self.node, row))
        self._possible = frozenset(able)
        self.refresh_bindings()
        text, tone = preview.words(self.node, self._highlighted())
        line = self.query_one("#preview", Static)
        line.set_classes(tone)
        width = max(20, self.size.width - 3)
        lines = [one for part in text.split("\n") for one in wrap(part, width)]
        line.update(Text("\n").join(plain(one) for one in lines[:2]))
        self._show_place()

    def _show_place(self) -> None:
        index, total = self.rows.position
        words = self.shelf.place_words(
            index,
            total,
            len(self.rows.selected),
            is_finding=self.query_one("#find").has_class("open"),
        )
        self.query_one("#place", Static).update(plain(words))
