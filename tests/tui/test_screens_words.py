import inspect
import re
from types import ModuleType

import pytest

from forms import errors as forms_errors
from forms.errors import CatalogProblem, FormProblem, WorkbookProblem
from forms.item import Tier
from node import absorb, audit, clocks, document_plan, inquiry, policy, rights
from node import errors as node_errors
from node import matters as node_matters
from node.history_proof import Compared
from node.lifecycle import State, Step
from node.papers import official
from node.progress import Progress, Way
from node.status import Above, Arrival
from sync import errors as sync_errors
from tui import clock_words, fault_words, labels, matters, paper_words, times
from tui.commands import history as history_commands
from tui.messages import reason, sentence
from tui.screens.views import COLUMNS, VIEWS
from tui.screens.wrap import wrap
from tui.text import cells
from tui.widgets.paged_list import GUTTER_CELLS

NOW_MS = 1_795_233_600_000  # 2026-11-21 12:00 in China
WAITS = ("CHANGE", "PACKAGE", "ROSTER")
DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000

MADE = {
    "ResultUnusable": ("3308810001", "不动产权证", "过户", "not-granted"),
    "StepRefused": ("aa", "submitted", "grant", "tier", ("accept", "return")),
    "AnswersWrong": ([("name", "姓名", "请填写这一项")],),
    "NotFound": ("case", "1234"),
    "FileRefused": ("too-large", 5 * 1024 * 1024),
    "Ambiguous": ("case", "1234", 3),
    "LockedOut": (90,),
    "AddressTaken": ("127.0.0.1:8443", "Address already in use"),
    "HomeMissing": ("/tmp/x",),
    "HomeTaken": ("/tmp/x",),
    "InviteRefused": ("unreadable",),
    "ReceiptRefused": ("signature",),
    "HistoryRefused": ("chain",),
    "PeerImpossible": ("self",),
    "ScopeNotShared": ("vector", "330881105202", "the scope is not shared"),
    "NotAllowed": ("publish",),
    "StickTrouble": ("full", "/media/usb"),
    "Malformed": ("bundle", "is cut off"),
    "DivisionWrong": ("town", "330881105"),
    "NotTrusted": ("bundle", "the sender's signature does not hold"),
    "Revoked": (b"\xab" * 16,),
    "Ahead": ("entries 9.. of abcd", 7),
    "NotForUs": ("abcd",),
    "TooNew": ("bundle", 2, 1),
    "ChangeRefused": ("damaged", "cut off"),
    "PeerUnreachable": ("https://x:1", "nothing listens there"),
    "PeerRefused": ("https://x:1", 503, "no reason given"),
    "PackageDamaged": ("老年人优待证办理", "332011001000", "2026112101", "ab" * 32),
    "NoCalendarYear": (2027,),
    "CalendarRefused": ([node_errors.LineFault(3, "kind", "2026-02-14,假")],),
    "PackageRefused": ("unreadable",),
    "PackageTooNew": (2, 1),
    "CatalogRefused": ([CatalogProblem("甲.toml", 1, "缺少 name")],),
    "WorkbookRefused": ([WorkbookProblem("材料", 3, "C", "缺少 name")],),
    "FormUnread": ("no survey",),
    "DefinitionRefused": ("/data/name", "没有这一项"),
    "FillingRefused": ("不是 XML",),
    "NoSuchNode": ("/data/name",),
    "FormFileRefused": ([FormProblem("survey", 3, "label", "缺少 name")],),
}


def classes(*modules: ModuleType) -> list[type[Exception]]:
    return [
        one
        for module in modules
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, Exception)
        and one.__module__ == module.__name__
        and not one.__name__.startswith("_")
    ]


@pytest.mark.parametrize(
    "kind", classes(node_errors, sync_errors, forms_errors, absorb)
)
def test_every_error_has_a_sentence_with_what_stands_and_what_to_do(
    kind: type[Exception],
) -> None:
    error = kind(*MADE.get(kind.__name__, ()))

    said = sentence(error)

    general = sentence(ValueError())
    is_base = kind in (node_errors.NodeError, sync_errors.SyncError)
    assert said != general
    lists = (
        forms_errors.CatalogRefused,
        forms_errors.WorkbookRefused,
        forms_errors.DefinitionRefused,
        forms_errors.FormFileRefused,
    )
    assert said.endswith("。") or kind in lists
    assert reason(error)
    if not is_base:
        assert any(
            word in said
            for word in ("没有", "不影响", "先锁住", "在本机", "都在", "不在")
        ), said


def test_every_fault_of_a_calendar_has_its_words() -> None:
    assert set(fault_words.CALENDAR_FAULTS) == set(node_errors.CALENDAR_FAULTS)


def test_every_reason_not_to_believe_a_history_has_its_words() -> None:
    assert set(fault_words.HISTORIES) == set(node_errors.HISTORY_FAULTS)
    assert set(history_commands.COMPARED) == set(Compared)


def test_every_reason_not_to_believe_a_paper_has_its_words() -> None:
    assert set(fault_words.RECEIPTS) == set(node_errors.RECEIPT_FAULTS)
    assert set(paper_words.KINDS) == set(official.PaperKind)
    assert set(inquiry.HOLDERS) == set(State) - {State.DRAFT}


def test_a_sentence_never_repeats_what_a_peer_has_worded() -> None:
    said = sentence(sync_errors.PeerRefused("https://x:1", 500, "rm -rf [bold]"))

    assert "rm" not in said
    assert "原因不明" in said


def test_all_stored_words_have_a_label() -> None:
    acts = {
        value
        for name, value in vars(audit).items()
        if name.isupper() and isinstance(value, str) and name != "KIND_AUDIT"
    }
    assert set(labels.ACTS) == acts
    waits = {getattr(document_plan, f"WAIT_{name}") for name in WAITS}
    assert set(labels.WAITS) == waits
    assert set(labels.STATES) == set(State)
    assert set(labels.STEPS) == set(Step)
    assert set(labels.TIERS) == set(labels.DESKS) == set(Tier)
    assert set(labels.REFUSALS) == set(rights.REFUSALS)
    assert set(fault_words.FILES) == set(node_errors.FILE_FAULTS)
    assert set(labels.MARKS) == {
        node_matters.MARK_CHANGED,
        node_matters.MARK_CONFLICT,
        node_matters.MARK_DISPUTED,
    }
    assert set(labels.MEANINGS) == set(Step)
    assert set(matters.REASONS) == set(labels.MARKS)


def test_every_limit_and_every_reason_to_set_aside_has_its_words() -> None:
    source = "".join(
        inspect.getsource(module) for module in (absorb, document_plan, policy)
    )
    named = set(re.findall(r'Fault\(\s*"([a-z-]+)"', source))
    assert named and named <= set(labels.CAUSES)
    assert set(clock_words.KEYS) == {
        clocks.ACCEPT,
        clocks.PROMISE,
        clocks.LEGAL,
        clocks.DELIVER,
    }
    for waits in labels.WAITS:
        error = node_errors.NotFound(node_errors.CASE_WAITS + waits, "aa")
        assert labels.WAITS[waits] in sentence(error) and "没有丢" in sentence(error)


def test_every_state_is_in_a_tab_of_the_tiers_that_work() -> None:
    for tier, views in VIEWS.items():
        listed = {state for view in views for state in view.states}
        assert listed == set(State) - {State.DRAFT}, tier


@pytest.mark.parametrize("tier", Tier)
def test_the_columns_of_a_desk_fill_eighty_cells(tier: Tier) -> None:
    columns = COLUMNS[tier]

    used = GUTTER_CELLS + sum(column.width + 1 for column in columns) - 1

    assert used <= 80


@pytest.mark.parametrize(
    ("known", "word"),
    [
        (None, ""),
        (Arrival(None, None), ""),
        (Arrival(0, 0), "▲未送达"),
        (Arrival(None, 0), "▲未送达"),
        (Arrival(5, 0), "●已到镇"),
        (Arrival(5, 6), "✓已到区"),
        (Arrival(0, 6), "✓已到区"),  # the news of the district came another way
        (Arrival(None, 6), "✓已到区"),
    ],
)
def test_a_case_is_delivered_when_it_is_acknowledged(
    known: Arrival | None, word: str
) -> None:
    assert labels.arrival(known) == word


_BOTH = Arrival(5, 6)


@pytest.mark.parametrize(
    ("known", "files", "word"),
    [
        (Arrival(0, 0), Progress(3, 3, 0, 0), "▲未送达"),
        (Arrival(5, 0), Progress(3, 3, 2, 0), "●材料2/3"),
        (Arrival(5, 0), Progress(3, 3, 3, 1), "●已到镇"),
        (_BOTH, Progress(3, 3, 3, 1), "✓材料1/3"),
        (_BOTH, Progress(3, 3, 3, 3), "✓已到区"),
        (_BOTH, None, "✓已到区"),
        # What is still on its way to here is said before anything else.
        (Arrival(None, 5), Progress(3, 2, None, 0), "材料2/3"),
        (Arrival(None, None), Progress(3, 2, None, None), "材料2/3"),
        (Arrival(None, None), Progress(3, 3, None, None), ""),
    ],
)
def test_a_list_says_where_a_case_waits_for_its_files(
    known: Arrival, files: Progress | None, word: str
) -> None:
    assert labels.arrival(known, files) == word


@pytest.mark.parametrize(
    ("files", "words", "short"),
    [
        (Progress(3, 2, None, 0), "材料 2/3 已到，1 份在路上", "2/3"),
        (Progress(3, 3, 2, 0), "材料 2/3 已到镇", "3"),
        (Progress(3, 3, 3, 0), "材料 0/3 已到区", "3"),
        (Progress(3, 3, 3, 3), "材料 3/3 已到区", "3"),
        (Progress(3, 3, 3, None), "材料 3/3 已到镇", "3"),
        (Progress(3, 3, None, None), "材料 3/3 已到", "3"),
    ],
)
def test_how_far_the_files_of_a_case_have_come(
    files: Progress, words: str, short: str
) -> None:
    assert (labels.files_arrived(files), labels.files_here(files)) == (words, short)
    assert labels.files_here(None) == ""


@pytest.mark.parametrize(
    ("way", "words"),
    [
        (Way(False, 43, None, None), "▲在路上 43%"),
        (Way(False, 0, True, False), "▲在路上 0%"),
        (Way(True, 0, False, False), "▲未送达"),
        (Way(True, 43, False, False), "▲在路上 43%"),
        (Way(True, 43, True, False), "●已到镇"),
        (Way(True, 0, True, True), "✓已到区"),
        (Way(True, 0, None, False), "✓已在本机"),
        (Way(True, 0, None, True), "✓已到区"),
        (Way(True, 0, None, None), "✓已在本机"),
    ],
)
def test_how_far_one_file_has_come(way: Way, words: str) -> None:
    assert labels.way(way) == words


@pytest.mark.parametrize(
    ("is_online", "since_ms", "success_ms", "words"),
    [
        (None, None, None, "还没同步过"),
        (True, NOW_MS, NOW_MS, "在线 刚刚"),
        (True, NOW_MS, NOW_MS - MINUTE // 2, "在线 刚刚"),
        (
            True,
            NOW_MS,
            NOW_MS - 3 * MINUTE,
            "上次同步 3分钟前",
        ),  # two polls are missing
        (True, NOW_MS, NOW_MS - DAY, "上次同步 1天前"),  # that was then
        (False, NOW_MS - 2 * DAY - 3 * HOUR, None, "离线 2天3小时"),
        (False, NOW_MS, None, "刚离线"),
        (False, None, None, "刚离线"),
    ],
)
def test_the_line_upward_is_said_in_two_words(
    is_online: bool | None, since_ms: int | None, success_ms: int | None, words: str
) -> None:
    above = Above("贺村镇", is_online, since_ms, None, "", success_ms, 0)

    assert labels.line_up(above, NOW_MS) == words
    assert labels.line_up(None, NOW_MS) == ""


@pytest.mark.parametrize(
    ("length_ms", "words"),
    [
        (-5, "不到1分钟"),  # a clock was put back
        (59_000, "不到1分钟"),
        (5 * MINUTE, "5分钟"),
        (HOUR, "1小时"),
        (HOUR + 2 * MINUTE, "1小时2分"),
        (2 * DAY + 3 * HOUR, "2天3小时"),
        (400 * DAY, "400天"),
    ],
)
def test_a_length_of_time_in_its_two_largest_units(length_ms: int, words: str) -> None:
    assert times.span(length_ms) == words


def test_times_are_chinas_whatever_the_machine_thinks() -> None:
    assert times.moment(NOW_MS, NOW_MS) == "11-21 12:00"
    assert times.clock(NOW_MS, NOW_MS) == "12:00"
    assert times.clock(NOW_MS - DAY, NOW_MS) == "11-20 12:00"
    assert times.moment(NOW_MS - 400 * DAY, NOW_MS).startswith("2025-10-17")


@pytest.mark.parametrize(
    ("number", "short"),
    [
        ("3308811052012611210100037", "261121-00037"),
        ("330881105201261121020003X", "261121-02-0003X"),
        ("something else", "something else"),
    ],
)
def test_a_number_is_short_where_a_list_tells_it_apart(number: str, short: str) -> None:
    assert labels.short_number(number) == short


def test_lines_break_between_chinese_letters_and_not_before_a_comma() -> None:
    lines = wrap("办件按 Esc 返回，已存的都在，随时可以接着填。", 12)

    assert "".join(lines).replace(" ", "") == (
        "办件按Esc返回，已存的都在，随时可以接着填。"
    )
    assert all(cells(line) <= 14 for line in lines)
    assert not any(line.startswith(("，", "。")) for line in lines)
