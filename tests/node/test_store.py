"""The contract of the store: what any store behind this interface must keep."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from node import casework, upkeep
from node.errors import NodeError, StoreBusy, StoreDamaged
from node.store import Store
from node.store.cases import Filter
from node.store.documents import Birth, DocumentRow
from node.store.drafts import Draft
from node.store.registry import BatchRow, PackageRow, Peer
from sync.errors import Malformed
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
from tests.node.stores import KEY, STREAM, case, links_of, put


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
        (first, second) = store.journal.append(STREAM, links_of(2), 5)
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
        store.drafts.put(draft)
        store.drafts.put(later)
        store.drafts.put(later)

    assert store.drafts.get(draft.document) == draft
    assert store.drafts.all() == [later, draft]
    with store.transaction():
        store.drafts.drop(draft.document)
    assert store.drafts.get(draft.document) is None


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
