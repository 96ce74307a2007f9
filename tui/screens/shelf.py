"""What a desk lists just now: its tab, what is looked for, and to what it is narrowed.

Knows the node and the tables of `views`, and nothing of widgets.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from forms.item import Tier
from node import cases, find, in_force
from node.lifecycle import State
from node.store.cases import CaseRow, Filter, Order
from node.store.drafts import Draft
from node.wiring import Node
from sync.identity import own_prefix
from tui.screens import views
from tui.screens.choose import Option
from tui.screens.sources import CaseSource, case_id, case_key, draft_key
from tui.widgets.paged_list import Key
from tui.widgets.tab_line import Tab

INQUIRY_WORDS = "Q 查进度"
FIND_WORDS = "/ 查找：姓名、拼音首字母、单号或身份证后 4 位"
FIND_KEY_WORDS = "/ 查找"
FINDING_WORDS = "回车 到列表   Esc 回到全部"
NARROW_KEYS = {Tier.TOWN: "v", Tier.DISTRICT: "i"}
NARROW_WORDS = {Tier.TOWN: "V 选村", Tier.DISTRICT: "I 选事项"}
ONLY_WORDS = "L 只看…"
VISITS = "visit"
"""The key of home visits in `ONLY`: of these a list can be printed."""


@dataclass(frozen=True, slots=True)
class Only:
    """A mark to which a list can be narrowed, whatever its tab."""

    name: str
    meaning: str
    narrow: Callable[[Filter], Filter]
    has: Callable[[CaseRow], bool]


ONLY = {
    "urgent": Only(
        "加急的",
        "走绿色通道的",
        lambda wanted: replace(wanted, is_urgent=True),
        lambda row: row.is_urgent,
    ),
    VISITS: Only(
        "上门的",
        "要到申请人家里去的",
        lambda wanted: replace(wanted, is_visit=True),
        lambda row: row.is_visit,
    ),
    "lookup": Only(
        "免提交待查的",
        "等有数据的一级查",
        lambda wanted: replace(wanted, has_lookup=True),
        lambda row: row.has_lookup,
    ),
    "paper-only": Only(
        "待代录的",
        "材料已收，表还没录",
        lambda wanted: replace(wanted, is_paper_only=True),
        lambda row: row.is_paper_only,
    ),
}


class Shelf:
    """The cases of one tab of a desk, narrowed as the user wishes."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.views = views.views_of(node)
        self.active = 0
        self.query_text = ""
        self.narrowed_to = ""
        """A village's division at the town, an item's name at the district."""
        self.narrowed_name = ""
        self.only = ""
        """A key of `ONLY`, or nothing."""

    @property
    def view(self) -> views.View:
        """The tab that is shown."""
        return self.views[self.active]

    def source(self, on_error: Callable[[Exception], None]) -> CaseSource:
        """Return the rows of this tab."""
        view = self.view
        return CaseSource(
            self.node,
            self._filter(view, self.query_text),
            has_cases=view.has_cases,
            drafts=self._drafts if view.has_drafts else lambda: (),
            on_error=on_error,
        )

    def tabs(self) -> list[Tab]:
        """Return all tabs and how much they hold, whatever is looked for."""
        store = self.node.store.cases
        counts = store.counts_by_state()
        elsewhere = store.counts_elsewhere(self._own_prefix)
        drafts = len(self.node.store.drafts.all())
        tabs = []
        for view in self.views:
            count: int | None = None
            if view.is_counted:
                count = drafts if view.has_drafts else 0
                is_narrowed = self.narrowed_to or self.only or view.is_departments
                if is_narrowed and view.states:
                    count += store.count(self._filter(view, ""))
                else:
                    count += sum(counts.get(state, 0) for state in view.states)
                    if view.is_ours:
                        count -= sum(elsewhere.get(state, 0) for state in view.states)
            tabs.append(Tab(view.label, count, view.is_urgent))
        return tabs

    def row(self, key: Key) -> CaseRow | None:
        """Return the case or the draft of a row, as it is now."""
        return self.find(bytes.fromhex(case_id(key)))

    def find(self, document: bytes) -> CaseRow | None:
        """Return a case or a draft by its id."""
        row = self.node.store.cases.get(document)
        if row is not None:
            return row
        draft = self.node.store.drafts.get(document)
        return cases.draft_row(self.node, draft) if draft else None

    def place_of(self, row: CaseRow) -> Key | None:
        """Return the key of a case in this tab, or None if it is not listed."""
        view = self.view
        if self.only and not ONLY[self.only].has(row):
            return None
        if row.state == State.DRAFT:
            return draft_key(row) if view.has_drafts else None
        is_listed = view.has_cases and (not view.states or row.state in view.states)
        if view.is_ours and not row.division.startswith(self._own_prefix):
            is_listed = False
        if view.is_departments and self._department not in row.waits_for:
            is_listed = False
        return case_key(row, self._order) if is_listed else None

    def choices(self) -> tuple[str, list[Option]]:
        """Return to what this desk can be narrowed: a question and its answers."""
        if self.node.tier is Tier.TOWN:
            options = [
                Option(one.division, one.name, one.division)
                for one in self.node.roster.everyone()
                if one.tier == Tier.VILLAGE
                and one.division.startswith(self.node.certificate.division[:9])
            ]
            question, everything = "看哪个村的办件？", "全部村"
        else:
            options = [
                Option(row.name, row.name, package.item.department)
                for row in in_force.packages(self.node)
                if (package := self.node.package(row.digest)) is not None
            ]
            question, everything = "看哪个事项的办件？", "全部事项"
        # A village with two terminals is one village.
        unique = {one.value: one for one in [Option("", everything), *options]}
        return question, list(unique.values())

    def narrow(self, option: Option) -> None:
        """List only what fits an answer of `choices`; the empty one lists all."""
        self.narrowed_to = option.value
        self.narrowed_name = option.label if option.value else ""

    def only_options(self) -> list[Option]:
        """Return by which marks a list can be narrowed."""
        found = [Option(key, one.name, one.meaning) for key, one in ONLY.items()]
        return [Option("", "全部"), *found]

    def empty_words(self) -> str:
        """Return what to say where there is nothing."""
        if self.query_text.strip():
            return "这一栏里没有找到。换几个字或换一栏，按 Esc 回到全部"
        if self.only:
            return f"这一栏里没有{ONLY[self.only].name}。换一栏，或按 Esc 看全部"
        if self.narrowed_to:
            return f"{self.narrowed_name}：这里没有办件。按 Esc 看全部"
        return self.view.empty

    def place_words(
        self, index: int | None, total: int, selected: int, *, is_finding: bool
    ) -> str:
        """Return where in which list the cursor is, and how to change the list."""
        parts = []
        if selected:
            parts.append(f"已选 {selected} 件（Esc 取消）")
        if self.narrowed_to:
            parts.append(f"只看{self.narrowed_name}（Esc 看全部）")
        if self.only:
            parts.append(f"只看{ONLY[self.only].name}（Esc 看全部）")
        if total:
            parts.append(f"共 {total} 件")
            if index is not None:
                parts.append(f"第 {index + 1} 件")
        parts.append(FINDING_WORDS if is_finding else FIND_KEY_WORDS)
        if not is_finding and not self.only:
            parts.append(ONLY_WORDS)
        if self.node.tier is Tier.VILLAGE and not is_finding:
            parts.append(INQUIRY_WORDS)
        narrow = NARROW_WORDS.get(self.node.tier)
        if narrow and not self.narrowed_to:
            parts.append(narrow)
        return "   ".join(parts)

    @property
    def _order(self) -> Order:
        """A tab of what waits for this desk is a queue: urgent cases stand first."""
        return Order.QUEUE if self.view.oldest_first else Order.CHANGED

    @property
    def _own_prefix(self) -> str:
        own = self.node.certificate
        return own_prefix(own.tier, own.division)

    def _filter(self, view: views.View, query: str) -> Filter:
        prefix = ""
        if self.node.tier is Tier.TOWN:
            prefix = self.narrowed_to
        elif self.narrowed_to:
            # A list has no filter for items, but every case is found by its item.
            query = f"{query} {self.narrowed_to}"
        wanted = Filter(
            states=view.states,
            division_prefix=prefix,
            for_prefix=self._own_prefix if view.is_ours else "",
            match=find.match(query),
            oldest_first=self.view.oldest_first,
            order=self._order,
            waits_for=self._department if view.is_departments else "",
        )
        return ONLY[self.only].narrow(wanted) if self.only else wanted

    @property
    def _department(self) -> str:
        return self.node.certificate.department

    def _drafts(self) -> list[Draft]:
        drafts = self.node.store.drafts.all()
        wanted = self.query_text.strip().lower()
        if self.only:
            has = ONLY[self.only].has
            drafts = [one for one in drafts if has(cases.draft_row(self.node, one))]
        return [one for one in drafts if not wanted or self._fits(one, wanted)]

    def _fits(self, draft: Draft, wanted: str) -> bool:
        row = cases.draft_row(self.node, draft)
        return (
            wanted in row.applicant
            or wanted in row.item_name
            or wanted.replace("-", "") in row.number.lower()
            or any(wanted in one for one in find.initials(row.applicant))
        )
