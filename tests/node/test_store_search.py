"""The contract of the store: lists of cases, and finding in them."""

import atexit
import shutil
import tempfile
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from node import find
from node.store import Store
from node.store.cases import CaseRow, Cases, Filter
from tests.node.stores import KEY, case, put

_TIMES = st.lists(st.integers(0, 4), min_size=0, max_size=25)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(_TIMES, st.integers(1, 7), st.booleans(), st.sets(st.integers(0, 24)))
def test_paging_shows_each_row_once_both_ways(
    tmp_path_factory: pytest.TempPathFactory,
    times: list[int],
    size: int,
    oldest_first: bool,
    granted: set[int],
) -> None:
    store = Store(tmp_path_factory.mktemp("s") / "node.db", KEY)
    try:
        put(
            store,
            *(
                case(n, at, state="granted" if n in granted else "submitted")
                for n, at in enumerate(times)
            ),
        )
        for wanted in (
            Filter(oldest_first=oldest_first),
            Filter(states=("granted",), oldest_first=oldest_first),
            Filter(division_prefix="330881105", oldest_first=oldest_first),
        ):
            whole = store.cases.page(wanted, None, 1000)
            keys = [row.key for row in whole]
            assert keys == sorted(set(keys), reverse=not oldest_first)
            assert len(whole) == store.cases.count(wanted)

            forward, after = [], None
            while page := store.cases.page(wanted, after, size):
                assert len(page) <= size
                forward += page
                after = page[-1].key
            assert forward == whole
            backward: list[CaseRow] = []
            before = whole[-1].key if whole else None
            while before and (page := store.cases.page_before(wanted, before, size)):
                backward = page + backward
                before = page[0].key
            assert backward == whole[:-1]
    finally:
        store.close()


@pytest.mark.parametrize(
    "of_the_name",
    [3, 1500],  # few are looked up one by one, many are met along the list
)
def test_what_is_searched_for_stands_in_the_order_of_its_list(
    store: Store, of_the_name: int
) -> None:
    put(
        store,
        *(
            case(
                n,
                7 * n % 1511,
                applicant="张三" if n < of_the_name else "李四",
                state="granted" if n % 3 else "submitted",
                division="330881105202" if n % 2 else "330881105201",
            )
            for n in range(1600)
        ),
    )

    for narrowed in (
        Filter(),
        Filter(states=("granted",)),
        Filter(states=("granted",), for_prefix="330881105202", oldest_first=True),
        Filter(division_prefix="330881105201", oldest_first=True),
    ):
        whole = store.cases.page(narrowed, None, 9999)
        wanted = [row for row in whole if row.applicant == "张三"]
        searched = replace(narrowed, match=find.match("zs"))
        assert store.cases.page(searched, None, 9999) == wanted
        assert store.cases.count(searched) == len(wanted)
        assert store.cases.page(searched, wanted[0].key, 5) == wanted[1:6]
        assert store.cases.page_before(searched, wanted[-1].key, 5) == wanted[-6:-1]


def test_a_case_that_changes_moves_in_the_list_and_stays_one(store: Store) -> None:
    put(store, case(1, 1), case(2, 2))

    put(store, case(1, 3, applicant="李四"))

    shown = store.cases.page(Filter(), None, 9)
    assert [row.applicant for row in shown] == ["李四", "张三"]
    matching = store.cases.page(Filter(match=find.match("张三")), None, 9)
    assert [row.document for row in matching] == [case(2).document]


HOSTILE = [
    "",
    '"',
    "'",
    '"" OR 1=1 --',
    "张三' OR '1'='1",
    "name : 张",
    "NEAR(a b)",
    "a AND",
    "OR",
    "NOT x",
    "(((",
    "*",
    "a*",
    "^a",
    "-a",
    "{numbers} : x",
    "\x00",
    "a\x00b",
    "\ud800",
    "𠮷",
    "①²½",
    "ſ",
    "İ",
    "张" * 5000,
    "a" * 100_000,
    " ".join("abcdefgh") * 50,
    "%_%",
    "'; DROP TABLE cases; --",
    "\u202e\u200b",
    "330881 1945",
]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=40))
def test_an_expression_made_of_any_text_has_only_our_own_quotes(text: str) -> None:
    made = find.match(text)

    assert made.count('"') % 2 == 0
    assert not set("\x00\r\n") & set(made)


def test_no_search_text_is_an_error(store: Store) -> None:
    put(store, case(1, applicant="张三"), case(2, applicant="𠮷OR"))

    for text in HOSTILE:
        made = find.match(text)
        shown = store.cases.page(Filter(match=made), None, 9) if made else []
        assert len(shown) <= 2
        store.cases.count(Filter(match=made))
        store.cases.find(text[:1000])

    assert store.cases.count(Filter()) == 2


def test_a_very_long_name_finds_nothing(store: Store) -> None:
    put(store, case(1))

    assert store.cases.find("g" * 60_000) == []


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(
    st.text(
        alphabet=st.one_of(
            st.sampled_from("\"'*:^(){}-+ ANDORNOTNEAR张三0a.,;"), st.characters()
        ),
        max_size=30,
    )
)
@example("a" * 200)
def test_any_search_text_finds_something_or_nothing(text: str) -> None:
    made = find.match(text)
    if made:
        _SEARCHED.cases.page(Filter(match=made), None, 9)
    _SEARCHED.cases.find(text)


class _Searched:
    """A store that is opened on first use and kept for all examples."""

    @cached_property
    def cases(self) -> Cases:
        folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        store = Store(Path(folder) / "node.db", KEY)
        atexit.register(store.close)
        put(store, case(1))
        return store.cases


_SEARCHED = _Searched()


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("张", True),
        ("三丰", True),
        ("张三丰", True),
        ("zsf", True),
        ("zs", True),
        ("ZSF", True),
        ("优待证", True),
        ("0012", False),
        ("张丰", False),
        ("李", False),
        ("zsf 优待", True),
        ("zsf 生育", False),
    ],
)
def test_a_case_is_found_by_what_people_type(
    store: Store, query: str, is_found: bool
) -> None:
    row = case(7, applicant="张三丰")
    put(store, row, case(8, applicant="王小二", item_name="生育登记"))

    shown = store.cases.page(Filter(match=find.match(query)), None, 9)

    assert [r.document for r in shown] == ([row.document] if is_found else [])


def test_a_case_is_found_by_id_and_number_however_they_are_typed(
    store: Store,
) -> None:
    row = case(7)
    put(store, row, case(8))

    for name in (row.id, row.id[:8], row.id.upper(), row.number, row.number[-6:]):
        assert [r.document for r in store.cases.find(name)] == [row.document], name
    for name in ("", "zz", "%", "_____", row.id + "00", "ffffffff", "①②③④⑤⑥"):
        assert store.cases.find(name) == [], name
