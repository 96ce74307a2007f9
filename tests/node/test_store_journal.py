"""The contract of the store: streams, vectors and what has arrived."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.errors import StoreDamaged
from node.store import Store
from sync.stream import Checkpoint, genesis
from sync.vector import Head, SignedVector, Vector
from tests.node.stores import KEY, STREAM, links_of


def test_a_stream_is_read_as_it_was_written(store: Store) -> None:
    journal = store.journal
    assert journal.head(STREAM) == (0, genesis(STREAM))
    links = links_of(5)

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
    links = links_of(3)
    with store.transaction():
        store.journal.append(STREAM, links, 1)

    with pytest.raises(StoreDamaged), store.transaction():
        store.journal.append(STREAM, links[2:], 1)

    assert store.journal.count_entries() == 3


def test_the_newest_checkpoint_of_a_span_is_found(store: Store) -> None:
    with store.transaction():
        store.journal.append(STREAM, links_of(9), 1)
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
            store.journal.append(STREAM, links_of(9), 1)
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
        store.journal.append(STREAM, links_of(3), 1)
        for counter, upto in enumerate((2, 7, 3), 1):
            head = Head(author, 1, upto, b"h" * 32)
            vector = Vector(author, 1, STREAM.scope, counter, counter, (head,))
            store.vectors.put(vector, SignedVector(b"", b""), counter, [head])

    assert store.vectors.claimed_sequence(STREAM) == 7
