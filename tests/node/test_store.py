"""The contract of the store: what any store behind this interface must keep."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from node import casework, find, upkeep
from node.errors import NodeError, StoreBusy, StoreDamaged
from node.store import Store
from node.store.attachments import KeptFile, MaterialRow
from node.store.cases import CaseRow, Cases, Draft, Filter
from node.store.documents import Birth, DocumentRow
from node.store.registry import BatchRow, PackageRow, Peer
from sync.errors import Malformed
from sync.seal import sha256
from sync.stream import Checkpoint, Entry, StreamId, genesis, link
from sync.vector import Head, SignedVector, Vector
from tests.node.nodes import (
    NOON_MS,
    Three,
    clone,
    digests,
    reopen,
    rows,
    shared_digests,
    submit,
    sync,
    tamper,
)

KEY = bytes(range(32))
STREAM = StreamId(b"n" * 16, 1, "330881105201")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "node.db", KEY)
    yield made
    made.close()


def case(number: int, at_ms: int = 0, **changed: object) -> CaseRow:
    values: dict[str, object] = {
        "document": sha256(str(number).encode())[:16],
        "number": f"33088110520126112101{number:04d}X",
        "division": "330881105201",
        "taken_in_at": "330881105201",
        "package": "p",
        "item_code": "c",
        "item_name": "老年人优待证办理",
        "department": "民政局",
        "decide": "district",
        "applicant": "张三",
        "state": "submitted",
        "mark": "",
        "settler": "",
        "open_count": 0,
        "had_conflict": False,
        "submitted_at_ms": at_ms,
        "changed_at_ms": at_ms,
    } | changed
    return CaseRow(**values)  # type: ignore[arg-type]


def put(store: Store, *found: CaseRow) -> None:
    with store.transaction():
        store.cases.put(
            (row, find.terms(row.applicant, row.item_name, row.number, ""))
            for row in found
        )


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, -(2**63) - 1])
def test_a_number_beyond_what_a_table_holds_is_a_fault_of_who_sent_it(
    store: Store, number: int
) -> None:
    with pytest.raises(Malformed):
        store.packs.take_back(b"p" * 16, number, [1])
    with pytest.raises(Malformed):
        store.packs.drop_come(b"p" * 16, number)

    assert store.packs.peers() == []


def test_what_a_tier_may_settle_is_counted_and_listed_the_oldest_first(
    store: Store,
) -> None:
    settled = {"settler": "", "open_count": 0, "had_conflict": True}
    put(
        store,
        case(1, 30, settler="town", open_count=2, mark="conflict", had_conflict=True),
        case(2, 20, settler="district", open_count=1, mark="disputed"),
        case(3, 10, settler="town", open_count=1, mark="changed"),
        case(4, 40),
        case(5, 5, **settled),
    )

    listed = store.cases.page(Filter(settler="town", oldest_first=True), None, 9)

    assert [
        store.cases.count_open(Filter(settler=t))
        for t in ("town", "district", "village")
    ] == [
        3,
        1,
        0,
    ]
    assert [row.open_count for row in listed] == [1, 2]
    kept = store.cases.get(case(5).document)
    assert kept is not None
    assert kept.had_conflict is True
    put(store, case(3, 50, **settled))
    assert store.cases.count_open(Filter(settler="town")) == 2


# -- settings of the connection ----------------------------------------------------


def test_what_is_committed_is_on_disk(store: Store) -> None:
    pragma = {
        name: store._db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "temp_store", "secure_delete")
    }

    assert pragma["journal_mode"] == "wal"
    assert pragma["synchronous"] == 2
    assert pragma["temp_store"] == 2
    assert pragma["secure_delete"]


def test_another_key_does_not_open_the_store(store: Store, tmp_path: Path) -> None:
    put(store, case(1))
    path = tmp_path / "node.db"

    for key in (bytes(32), None):
        with pytest.raises(StoreDamaged):
            Store(path, key)

    assert store.cases.get(case(1).document) is not None


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    path.write_bytes(b"x" * 8192)

    with pytest.raises(StoreDamaged):
        Store(path, KEY)

    assert path.read_bytes() == b"x" * 8192


def test_a_damaged_page_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    store = Store(path, KEY)
    put(store, *(case(n, n, applicant="张" * 200) for n in range(300)))
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        for at in range(size // 2, size, 4096):
            file.seek(at)
            file.write(b"\x00" * 64)

    store = Store(path, KEY)
    try:
        with pytest.raises(NodeError):
            store.cases.page(Filter(), None, 1000)
    finally:
        store.close()


# -- transactions ------------------------------------------------------------------


def test_a_block_that_fails_in_the_middle_has_written_nothing(store: Store) -> None:
    put(store, case(1))

    def fails_in_the_middle() -> None:
        with store.transaction():
            put(store, case(2))
            store.registry.set_setting("a", b"b")
            with store.transaction():
                store.registry.next_count("n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_in_the_middle()

    assert store.cases.count(Filter()) == 1
    assert store.registry.setting("a") is None
    with store.transaction():
        assert store.registry.next_count("n") == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupt_rolls_back_too(store: Store, error: type[BaseException]) -> None:
    def is_interrupted() -> None:
        with store.transaction():
            put(store, case(1))
            raise error

    with pytest.raises(error):
        is_interrupted()

    assert store.cases.count(Filter()) == 0
    put(store, case(1))


def test_two_connections_lose_no_update(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "node.db", KEY)
    try:
        counts = []
        for one in (store, other) * 10:
            with one.transaction():
                counts.append(one.registry.next_count("n"))
        assert counts == list(range(1, 21))
        before = store.data_version()
        put(other, case(1))
        assert store.data_version() != before
        assert store.cases.count(Filter()) == 1
    finally:
        other.close()


def test_a_store_that_is_held_is_busy_and_nothing_is_lost(
    store: Store, tmp_path: Path
) -> None:
    other = Store(tmp_path / "node.db", KEY)
    other._db.execute("PRAGMA busy_timeout = 50")
    try:
        with store.transaction():
            put(store, case(1))
            with pytest.raises(StoreBusy), other.transaction():
                put(other, case(2))
            assert other.cases.count(Filter()) == 0, "reading goes on"
        put(other, case(2))
    finally:
        other.close()

    assert store.cases.count(Filter()) == 2


def test_a_first_save_that_failed_does_not_lose_the_next(nodes: Three) -> None:
    def fails_at_its_end() -> None:
        with nodes.village.store.transaction():
            submit(nodes.village)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_at_its_end()

    saved = submit(nodes.village)
    sync(nodes.village, nodes.town)

    assert nodes.town.store.cases.get(saved.row.document) is not None


# -- the journal -------------------------------------------------------------------


def _links(
    count: int, first: int = 1, previous: bytes = b""
) -> list[tuple[Entry, bytes]]:
    previous = previous or genesis(STREAM)
    made = []
    for sequence in range(first, first + count):
        payload = b"p%d" % sequence
        entry = Entry(sequence, "k", b"d", 1, sequence, sha256(payload), payload)
        previous = link(previous, entry)
        made.append((entry, previous))
    return made


def test_a_stream_is_read_as_it_was_written(store: Store) -> None:
    journal = store.journal
    assert journal.head(STREAM) == (0, genesis(STREAM))
    links = _links(5)

    with store.transaction():
        rows_of_entries = journal.append(STREAM, links, 77)

    assert journal.head(STREAM) == (5, links[-1][1])
    read = journal.entries(STREAM, 2, 4)
    assert [s.entry for s in read] == [e for e, _ in links[1:4]]
    assert [s.row for s in journal.entries(STREAM, 1, 9)] == rows_of_entries
    assert {s.received_at_ms for s in read} == {77}
    assert journal.hash_at(STREAM, 0) == genesis(STREAM)
    assert journal.hash_at(STREAM, 3) == links[2][1]
    assert journal.hash_at(STREAM, 6) is None
    assert journal.entry(10_000) is None
    assert store.vectors.scopes() == [STREAM.scope]
    assert journal.heads(STREAM.scope) == [Head(STREAM.node, 1, 5, links[-1][1])]
    assert journal.heads("public") == []
    pages = list(journal.in_order_of_arrival(page=2))
    assert [len(page) for page in pages] == [2, 2, 1]


def test_an_entry_is_never_written_twice(store: Store) -> None:
    links = _links(3)
    with store.transaction():
        store.journal.append(STREAM, links, 1)

    with pytest.raises(StoreDamaged), store.transaction():
        store.journal.append(STREAM, links[2:], 1)

    assert store.journal.count_entries() == 3


def test_the_newest_checkpoint_of_a_span_is_found(store: Store) -> None:
    with store.transaction():
        store.journal.append(STREAM, _links(9), 1)
        for sequence in (3, 6, 9):
            store.journal.put_checkpoint(STREAM, Checkpoint(sequence, b"", b"s"))

    found = store.journal.checkpoint_between(STREAM, 1, 8)
    assert found is not None and found.sequence == 6
    assert store.journal.checkpoint_between(STREAM, 4, 5) is None
    assert store.journal.next_checkpoint(STREAM, 4) == 6
    assert store.journal.next_checkpoint(STREAM, 10) is None


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), max_size=12))
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_arrived_is_what_the_newest_vector_covers_since_it_does(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[int, int]]
) -> None:
    store = Store(tmp_path_factory.mktemp("s") / "node.db", KEY)
    holders = [bytes([n]) * 16 for n in range(3)]
    has, since = [0, 0, 0], [0, 0, 0]
    try:
        with store.transaction():
            store.journal.append(STREAM, _links(9), 1)
            for at_ms, (who, upto) in enumerate(told, 1):
                head = Head(STREAM.node, 1, upto, b"h" * 32)
                vector = Vector(holders[who], 1, STREAM.scope, at_ms, at_ms, (head,))
                store.vectors.put(vector, SignedVector(b"", b""), at_ms, [head])
                has[who] = upto
                since[who] = (since[who] or at_ms) if upto == 9 else 0

        acknowledged = store.arrivals.acknowledged
        since_by_holder = dict(zip(holders, since, strict=True))
        assert acknowledged(b"d", STREAM.node, holders) == since_by_holder
        for who, holder in enumerate(holders):
            entries, documents, _ = store.arrivals.owed_to(holder, [STREAM.scope])
            assert (entries, documents) == (9 - has[who], int(has[who] < 9))
        assert acknowledged(b"x", STREAM.node, holders) == {}
        assert store.vectors.claimed_sequence(STREAM) == 0, "only its author can say"
    finally:
        store.close()


def test_what_an_author_has_once_claimed_stands_when_he_says_less(store: Store) -> None:
    author = STREAM.node
    with store.transaction():
        store.journal.append(STREAM, _links(3), 1)
        for counter, upto in enumerate((2, 7, 3), 1):
            head = Head(author, 1, upto, b"h" * 32)
            vector = Vector(author, 1, STREAM.scope, counter, counter, (head,))
            store.vectors.put(vector, SignedVector(b"", b""), counter, [head])

    assert store.vectors.claimed_sequence(STREAM) == 7


# -- documents, drafts, registry ---------------------------------------------------


def test_documents_are_kept_in_the_place_of_what_was_there(store: Store) -> None:
    birth = Birth(b"a" * 24, (("events", 2), ("fields", 1)), "p", "n", "x")
    one = DocumentRow(b"d" * 16, "public", birth, (b"h" * 32, b"i" * 32), b"s")

    with store.transaction():
        store.documents.put([one])
        assert store.documents.get(one.id) == one
        two = DocumentRow(one.id, "public", birth, (b"j" * 32,), b"t")
        store.documents.put([two])

    assert store.documents.get(one.id) == two
    assert store.documents.get(b"x") is None
    assert store.documents.count() == 1
    assert list(store.documents.heads_by_scope()) == [("public", one.id, b"j" * 32)]


def test_what_waits_and_what_is_set_aside_is_kept_once(store: Store) -> None:
    with store.transaction():
        (first, second) = store.journal.append(STREAM, _links(2), 5)
        for _ in range(2):
            store.documents.put_pending([(first, b"d", "change", b"x")])
            store.documents.put_quarantine([(second, "shape", "so" * 500)])

    assert store.documents.counts() == (1, 1)
    assert store.documents.pending([b"d", b"e"]) == {b"d": [first]}
    (aside,) = store.documents.quarantine(9)
    assert (aside.entry, aside.cause, aside.sequence) == (second, "shape", 2)
    assert len(aside.detail) == 500
    with store.transaction():
        store.documents.drop_pending([first, 999])
    assert store.documents.counts() == (0, 1)


def test_drafts_are_kept_with_every_answer(store: Store) -> None:
    answers = {"name": "𠮷\x00'\"", "": "x"}
    draft = Draft(b"d" * 16, b"n" * 8, "N1", "330", "p", answers, 1, 2, "")
    later = Draft(b"e" * 16, b"n" * 8, "N2", "330", "p", {}, 1, 3, "name")

    with store.transaction():
        store.cases.put_draft(draft)
        store.cases.put_draft(later)
        store.cases.put_draft(later)

    assert store.cases.draft(draft.document) == draft
    assert store.cases.drafts() == [later, draft]
    with store.transaction():
        store.cases.drop_draft(draft.document)
    assert store.cases.draft(draft.document) is None


def test_the_registry_gives_back_what_it_was_given(store: Store) -> None:
    registry = store.registry
    with store.transaction():
        registry.set_setting("a", b"1")
        registry.set_setting("a", b"2")
        registry.set_peer(Peer(b"n" * 16, "h:1", 1, "ok", 1, None, 0, None, 5, 6))
        for entry, version in ((3, "1"), (7, "2"), (5, "3")):
            registry.put_package(
                PackageRow(f"d{version}", "code", "名", version, b"b"), entry
            )
        registry.put_batch(BatchRow(b"b", "N", 1, 9, 2, b"x"))
        registry.put_invite(b"i", b"body", 99)
        registry.count_try(b"i")

    assert registry.setting("a") == b"2" and registry.setting("b") is None
    assert registry.peer(b"n" * 16).url == "h:1"
    assert registry.peer(b"m" * 16) == Peer(b"m" * 16)
    assert [row.digest for row in registry.current_packages()] == ["d2"]
    assert registry.package("d1") is not None and registry.package("d9") is None
    assert registry.batches(9) == [BatchRow(b"b", "N", 1, 9, 2, b"x")]
    assert registry.invite(b"i") == (b"body", 99, 1)


# -- files of cases ------------------------------------------------------------------

ME, OTHER = b"m" * 16, b"o" * 16


def file(name: str) -> bytes:
    return sha256(name.encode())


def put_document(store: Store, document: bytes, scope: str) -> None:
    birth = Birth(b"a" * 24, (("materials", 3),), "p", "n", "x")
    store.documents.put([DocumentRow(document, scope, birth, (), b"")])


def test_a_file_is_missed_until_it_is_here_and_said_to_be(store: Store) -> None:
    files, case_ = store.attachments, b"d" * 16
    with store.transaction():
        put_document(store, case_, "330881105201")
        files.put_materials([MaterialRow(case_, file("a"), 9, OTHER, 1)], ME)
    assert files.missing_held_by(OTHER, 9) == [(file("a"), "330881105201")]
    assert files.missing_held_by(ME, 9) == files.unsaid(9) == []
    assert files.all_missing() == {file("a")}

    with store.transaction():
        files.put(KeptFile(file("a"), 9))
    assert files.missing_held_by(OTHER, 9) == [] and files.all_missing() == set()
    assert files.unsaid(9) == [("330881105201", case_, file("a"))]

    with store.transaction():
        files.put_holders(ME, "330881105201", [(case_, file("a"))])
        files.settle(ME, [case_])
    assert files.unsaid(9) == []
    assert files.held_by(ME, [case_]) == {(case_, file("a"))}

    with store.transaction():
        files.drop(file("a"))
    assert files.all_missing() == {file("a")}


def test_what_this_node_has_named_itself_need_not_be_said(store: Store) -> None:
    files, case_ = store.attachments, b"d" * 16
    with store.transaction():
        put_document(store, case_, "330881105201")
        files.put(KeptFile(file("a"), 9, "身份证.jpg", "image/jpeg", 5))
        files.put_materials([MaterialRow(case_, file("a"), 9, ME, 1)], ME)

    assert files.unsaid(9) == [] and files.all_missing() == set()
    assert files.held_by(ME, [case_]) == {(case_, file("a"))}


def test_a_claim_counts_only_in_the_scope_where_the_case_lives(store: Store) -> None:
    files, case_ = store.attachments, b"d" * 16
    with store.transaction():
        files.put_holders(OTHER, "330881105202", [(case_, file("a"))])
        files.put_holders(OTHER, "330881105201", [(case_, file("b"))])
        put_document(store, case_, "330881105201")
        rows_ = [MaterialRow(case_, file(n), 9, b"x" * 16, 1) for n in "ab"]
        files.put_materials(rows_, ME)

    assert files.held_by(OTHER, [case_]) == {(case_, file("b"))}
    assert files.missing_held_by(OTHER, 9) == [(file("b"), "330881105201")]


def test_files_are_asked_for_by_the_age_of_their_cases(store: Store) -> None:
    files = store.attachments
    with store.transaction():
        for number, entry in enumerate((30, 10, 20)):
            document = bytes([number]) * 16
            put_document(store, document, "330881105201")
            row = MaterialRow(document, file(str(number)), 9, OTHER, entry)
            files.put_materials([row], ME)

    found = [digest for digest, _ in files.missing_held_by(OTHER, 2)]
    assert found == [file("1"), file("2")]


def test_several_sizes_of_a_file_are_all_kept_and_one_row_twice_once(
    store: Store,
) -> None:
    files, case_ = store.attachments, b"d" * 16
    with store.transaction():
        put_document(store, case_, "330881105201")
        for size, entry in ((9, 4), (7, 2), (9, 3)):
            files.put_materials([MaterialRow(case_, file("a"), size, OTHER, entry)], ME)

    assert files.sizes([file("a"), file("b")]) == {file("a"): {7, 9}}
    assert [(r.size_bytes, r.entry) for r in files.materials_of([case_])] == [
        (7, 2),
        (9, 3),
    ]
    store.documents.forget(case_)
    assert files.materials_of([case_]) == [] and files.all_missing() == set()


def test_the_name_by_which_a_file_was_taken_in_is_not_lost(store: Store) -> None:
    files = store.attachments
    with store.transaction():
        files.put(KeptFile(file("a"), 9, "甲.pdf", "application/pdf", 5))
        files.put(KeptFile(file("a"), 9, kept_at_ms=7))
    assert files.get(file("a")) == KeptFile(
        file("a"), 9, "甲.pdf", "application/pdf", 5
    )
    assert files.unnamed(5) == [] and files.unnamed(6) == [file("a")]

    with store.transaction():
        files.put(KeptFile(file("a"), 9, "乙.pdf", "application/pdf", 8))
    assert next(iter(files.all())).name == "乙.pdf"


def test_what_a_neighbour_asks_for_replaces_what_it_asked_before(store: Store) -> None:
    files = store.attachments
    with store.transaction():
        files.set_asked(OTHER, [(file("a"), 1), (file("b"), 2)])
        files.set_asked(ME, [(file("a"), 7)])
        files.set_asked(OTHER, [(file("b"), 3)])

    assert files.asked(OTHER) == {file("b"): 3} and files.asked(ME) == {file("a"): 7}


# -- lists and search --------------------------------------------------------------

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


# -- a full disk -------------------------------------------------------------------

_FULL = f"""
import os, resource, signal, sys
from pathlib import Path
from node.errors import DiskFull, NodeError
from tests.node.nodes import Clock, reopen, submit, sandbox
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
node = reopen(Path(sys.argv[1]), Clock({NOON_MS}))
for _ in range(3):
    print("saved", submit(node).id, flush=True)
wal = Path(sys.argv[1]) / "node.db-wal"
limit = wal.stat().st_size + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
for _ in range(200):
    try:
        print("saved", submit(node).id, flush=True)
    except DiskFull as error:
        print("full", error, flush=True)
        break
else:
    print("never full")
print("read", node.store.documents.count(), flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
print("saved", submit(node).id, flush=True)
node.close()
sandbox().close()
"""


@pytest.mark.parametrize("spare_bytes", [0, 10_000, 60_000])
def test_a_full_disk_is_said_loses_nothing_and_passes(
    nodes: Three, spare_bytes: int
) -> None:
    home = nodes.village.home.path
    child = subprocess.run(
        [sys.executable, "-c", _FULL, str(home), str(spare_bytes)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(casework.__file__).parents[1],
        env={**os.environ, "PYTHONPATH": str(Path(casework.__file__).parents[1])},
        timeout=60,
    )

    lines = child.stdout.split("\n")
    saved = [line.split()[1] for line in lines if line.startswith("saved")]
    assert child.returncode == 0, child.stderr
    full = [line for line in lines if line.startswith("full")]
    assert full and "nothing was stored" in full[0]
    assert f"read {len(saved) - 1}" in lines
    held = {row[0].hex() for row in rows(nodes.village, "SELECT document FROM cases")}
    assert held == set(saved) and len(saved) == len(set(saved)) >= 4
    assert upkeep.verify(nodes.village).faults == ()
    sync(nodes.village, nodes.town)
    assert shared_digests(nodes.village, nodes.town)
    assert nodes.town.store.documents.count() == len(saved)


# -- homes are copied whole --------------------------------------------------------


def test_a_copied_home_opens_and_holds_the_same(nodes: Three) -> None:
    submit(nodes.village)
    copy = reopen(clone(nodes.village, nodes.path / "copy"), nodes.clock)
    try:
        assert digests(copy) == digests(nodes.village)
    finally:
        copy.close()


def test_tampering_needs_a_row(nodes: Three) -> None:
    with pytest.raises(AssertionError):
        tamper(nodes.village, "DELETE FROM cases")
