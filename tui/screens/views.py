"""What each tier's desk lists: its tabs, its columns, and how a case stands in them."""

from dataclasses import dataclass

from forms.item import Tier
from node import cases
from node.clocks import AMBER, RED
from node.lifecycle import DECIDED, OVER, State
from node.progress import Progress
from node.status import Arrival
from node.store.cases import CaseRow
from node.wiring import Node
from tui import clock_words, labels, times
from tui.row_words import NOT_ACCEPTED, state_words
from tui.widgets.paged_list import Column


@dataclass(frozen=True, slots=True)
class View:
    """One tab of a desk. No states: all cases."""

    label: str
    states: tuple[State, ...] = ()
    has_cases: bool = True
    has_drafts: bool = False
    oldest_first: bool = False
    """Who has waited longest comes first, and what comes in moves no row."""
    is_urgent: bool = False
    is_ours: bool = False
    """Only what is for our own place: nobody here can act on the rest."""
    is_departments: bool = False
    """Only what lies on the desk of this node's own department."""
    is_counted: bool = True
    empty: str = "这里没有办件"


_DRAFTS = View("草稿", has_cases=False, has_drafts=True, empty="没有草稿，按 N 新建")
_DECIDED = tuple(state for state in State if state in DECIDED)
_CLOSED = tuple(state for state in State if state in OVER)

VIEWS: dict[Tier, tuple[View, ...]] = {
    Tier.VILLAGE: (
        View(
            "全部",
            has_drafts=True,
            is_counted=False,
            empty="还没有办件。按 N 新建第一件，没有网也能办",
        ),
        _DRAFTS,
        View("待受理", NOT_ACCEPTED, empty="没有等镇里受理的办件"),
        View(
            "退回补正",
            (State.RETURNED,),
            is_urgent=True,
            empty="没有退回的办件，都办得很好",
        ),
        View("办理中", (State.ACCEPTED, State.FORWARDED), empty="没有正在办理的办件"),
        View("待送达", _DECIDED, empty="没有要送到申请人手里的结果"),
        View("已办结", _CLOSED, empty="还没有办结的办件"),
    ),
    Tier.TOWN: (
        View(
            "待受理",
            NOT_ACCEPTED,
            oldest_first=True,
            is_ours=True,
            empty="都受理完了，没有等着的办件",
        ),
        View("退回中", (State.RETURNED,), empty="没有退回给村里补正的办件"),
        View(
            "已受理",
            (State.ACCEPTED,),
            oldest_first=True,
            is_ours=True,
            empty="没有受理后等着转区或决定的办件",
        ),
        View("已转区", (State.FORWARDED,), empty="没有在区里等决定的办件"),
        View("已决", (*_DECIDED, *_CLOSED), empty="还没有决定了的办件"),
        View("全部", is_counted=False, empty="还没有办件。各村提交后会出现在这里"),
        _DRAFTS,
    ),
    Tier.DISTRICT: (
        View(
            "待决",
            (State.FORWARDED,),
            oldest_first=True,
            empty="都决定完了，没有等着的办件",
        ),
        View("已决", _DECIDED, empty="还没有决定了的办件"),
        View("退回中", (State.RETURNED,), empty="没有退回补正的办件"),
        View("镇里在办", (*NOT_ACCEPTED, State.ACCEPTED), empty="镇里没有在办的办件"),
        View("已办结", _CLOSED, empty="还没有办结的办件"),
        View("全部", is_counted=False, empty="还没有办件。各镇转来后会出现在这里"),
    ),
}

_DEPARTMENT = View(
    "本部门",
    (State.FORWARDED, State.ACCEPTED),
    oldest_first=True,
    is_departments=True,
    empty="本部门都办完了，没有等着的办件。按 2 看全区待决的",
)


def views_of(node: Node) -> tuple[View, ...]:
    """Return the tabs of a node's desk: a department's own node begins with its own."""
    views = VIEWS[node.tier]
    return (_DEPARTMENT, *views) if node.certificate.department else views


JUST_NOW = "刚刚"
_NUMBER = Column("单号", 12)
_DAYS = Column("时限", 8, "right")
STYLES = {"": "", AMBER: "yellow", RED: "red"}
"""How a case looks whose day is near, or has passed; the column says so in words."""

COLUMNS: dict[Tier, tuple[Column, ...]] = {
    Tier.VILLAGE: (
        _NUMBER,
        Column("申请人", 8, is_flexible=True),
        Column("事项", 16, is_flexible=True),
        Column("状态", 10),
        Column("传到", 9),
        Column("日期", 6),
        _DAYS,
    ),
    Tier.TOWN: (
        _NUMBER,
        Column("申请人", 8, is_flexible=True),
        Column("事项", 14, is_flexible=True),
        Column("村", 11, is_flexible=True),
        Column("状态", 10),
        Column("到达", 8),
        _DAYS,
    ),
    Tier.DISTRICT: (
        _NUMBER,
        Column("申请人", 8, is_flexible=True),
        Column("事项", 12, is_flexible=True),
        Column("来自", 10, is_flexible=True),
        Column("部门", 8, is_flexible=True),
        Column("材料", 4),
        Column("状态", 8),
        _DAYS,
    ),
}
"""Made for 80 cells; what a wider screen has to spare goes to the flexible ones."""


def place(names: dict[str, str], division: str) -> str:
    """Return what a division is called; its own number where it has no node."""
    return names.get(division, division)


def row_cells(
    node: Node,
    row: CaseRow,
    known: Arrival | None,
    files: Progress | None,
    names: dict[str, str],
    now_ms: int,
) -> tuple[str, ...]:
    """Return a case as a line of its tier's list."""
    number = labels.short_number(row.number)
    applicant = row.applicant or "（未填）"
    tier, state = node.tier, state_words(node, row)
    left = days_left(node, row, now_ms)
    match tier:
        case Tier.VILLAGE:
            is_draft = row.state == State.DRAFT
            arrived = "" if is_draft else labels.arrival(known, files)
            on = times.day(row.changed_at_ms, now_ms)
            item = row.item_name
            if row.taken_in_at != row.division:
                item = f"{labels.whose(names, row)} {item}"
            return number, applicant, item, state, arrived, on, left
        case Tier.TOWN:
            village = labels.whose(names, row)
            arrived = labels.arrival(known, files)
            return number, applicant, row.item_name, village, state, arrived, left
        case Tier.DISTRICT:
            origin = labels.whose(names, row)
            item = row.item_name
            department = row.department.partition("（")[0]
            papers = labels.files_here(files)
            return number, applicant, item, origin, department, papers, state, left


def row_style(node: Node, row: CaseRow) -> str:
    """Return how a line looks: what waits for a person here is bold."""
    light = STYLES[cases.light_of(row, node.today())]
    is_mine = cases.may_settle(node, row)
    if is_mine or (node.tier is Tier.VILLAGE and row.state == State.RETURNED):
        return f"bold {light}".strip()
    return "dim" if row.state in _CLOSED else light


def days_left(node: Node, row: CaseRow, now_ms: int) -> str:
    """Return what is left of the time of a case, or how long it waits while no limit
    runs; before either, that it goes first.
    """
    sign = "急" if row.is_urgent else ""
    if row.due_on:
        today = node.today()
        words = clock_words.row_left(row, today, node.calendar)
        # The column has 8 cells: with 急 before it, 今天到期 would be cut.
        return sign + ("今天" if sign and words == clock_words.left(0) else words)
    if row.state == State.DRAFT or _is_closed(row):
        return ""
    length = waiting(row.changed_at_ms, now_ms)
    return f"{sign}{length}" if length == JUST_NOW else f"{sign}等{length}"


def waiting(since_ms: int, now_ms: int) -> str:
    """Return how long something waits, in its largest unit: `3天`."""
    length_ms = max(0, now_ms - since_ms)
    for unit_ms, name in (
        (times.DAY_MS, "天"),
        (times.HOUR_MS, "小时"),
        (times.MINUTE_MS, "分"),
    ):
        if length_ms >= unit_ms:
            return f"{length_ms // unit_ms}{name}"
    return JUST_NOW


def _is_closed(row: CaseRow) -> bool:
    return row.state in (*_DECIDED, *_CLOSED)
