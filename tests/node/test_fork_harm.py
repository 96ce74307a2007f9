"""Forks of those who mean harm: many histories, false evidence, foreign scopes."""

from dataclasses import replace

import msgspec
import pytest

from node import forks, upkeep
from node.absorb import take_chunk
from node.fork_report import forked_nodes
from node.forks import MAX_BRANCHES, MAX_SHOWN_BRANCHES
from node.status import trouble
from node.wiring import Node
from sync import seal
from sync.canonical import encode
from sync.errors import Malformed, NotTrusted
from sync.fork import Tail, show
from sync.stream import (
    KIND_BRANCH,
    MAX_PAYLOAD_BYTES,
    Chunk,
    Entry,
    genesis,
)
from tests.node.forge import (
    chunk_of,
    chunk_signed,
    parcel,
    put_entry,
    refusals,
    revoke,
    send,
)
from tests.node.forked import lines, stream_of, tail_of
from tests.node.nodes import (
    OTHER_VILLAGE,
    TOWN,
    VILLAGE,
    Three,
    causes,
    clone,
    enrolled,
    reopen,
    shared_digests,
    submit,
    sync,
    sync_all,
)


def histories(node: Node, count: int) -> list[Chunk]:
    """Return that many histories beyond a node's second entry, all signed by it."""
    stream = stream_of(node)
    (entry,) = [one.entry for one in node.store.journal.entries(stream, 2, 2)]
    previous = node.store.journal.hash_at(stream, 1)
    assert previous is not None
    return [
        chunk_signed(node, stream, previous, [replace(entry, written_at_ms=at)])
        for at in range(1, count + 1)
    ]


def test_of_many_histories_some_are_kept_and_the_rest_is_noted(
    nodes: Three, copy: Node
) -> None:
    submit(copy)
    chunks = histories(copy, MAX_BRANCHES + 20)

    send(copy, nodes.town, parcel(chunks))
    for _ in range(2):
        sync(nodes.town, nodes.district)

    for node in (nodes.town, nodes.district):
        assert len(lines(node, stream_of(copy))) == 1 + MAX_BRANCHES
        assert upkeep.verify(node).faults == ()
    assert len(refusals(nodes.town)) == 20
    assert all("(a fork)" in detail for _, detail in refusals(nodes.town))
    assert refusals(nodes.district) == []
    assert shared_digests(nodes.town, nodes.district)
    assert trouble(nodes.district).forks == 1


def show_all(node: Node, previous: bytes, chunks: list[Chunk]) -> None:
    """Let a node write evidence of everything, whatever it is worth."""
    for chunk in chunks:
        payload = show(Tail(previous, chunk, ()))
        put_entry(node, b"", payload, scope=VILLAGE, kind=KIND_BRANCH)


def test_of_many_histories_that_one_shows_the_same_are_taken_in_any_order(
    nodes: Three, copy: Node
) -> None:
    submit(copy)
    stream, shown = stream_of(copy), stream_of(nodes.town, scope=VILLAGE)
    previous = copy.store.journal.hash_at(stream, 1)
    assert previous is not None
    before = nodes.town.store.journal.head(shown)[0]
    show_all(nodes.town, previous, histories(copy, MAX_SHOWN_BRANCHES + 3))
    middle, last = before + 40, nodes.town.store.journal.head(shown)[0]

    at_once = chunk_of(nodes.town, shown, before + 1)
    send(nodes.town, nodes.district, parcel([at_once]))
    for part in ((before + 1, middle), (middle + 1, last)):
        chunk = chunk_of(nodes.town, shown, *part)
        send(nodes.town, nodes.village, parcel([chunk]))

    for node in (nodes.district, nodes.village):
        assert len(lines(node, stream)) == 1 + MAX_SHOWN_BRANCHES
        assert causes(node) == ["branch"] * 3
        assert upkeep.verify(node).faults == ()
    tags = [
        {line.tag for line in node.store.branches.lines(stream)}
        for node in (nodes.district, nodes.village)
    ]
    assert tags[0] == tags[1]


def test_how_much_one_may_show_is_counted_in_bytes_too(
    nodes: Three, copy: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(copy)
    previous = copy.store.journal.hash_at(stream_of(copy), 1)
    assert previous is not None
    chunks = histories(copy, 5)
    size_bytes = len(show(Tail(previous, chunks[0], ())))
    monkeypatch.setattr(forks, "MAX_EVIDENCE_BYTES", 3 * size_bytes + 10)
    show_all(nodes.town, previous, chunks)

    sync(nodes.town, nodes.district)

    assert causes(nodes.district) == ["branch", "branch"]
    assert len(lines(nodes.district, stream_of(copy))) == 1 + 3


def test_evidence_is_read_again_only_where_what_stands_before_it_has_come(
    nodes: Three, copy: Node
) -> None:
    stream, branches = stream_of(copy), nodes.district.store.branches
    submit(copy)
    submit(copy)
    payload = show(tail_of(copy, stream, 3))
    put_entry(nodes.town, b"", payload, scope=VILLAGE, kind=KIND_BRANCH)
    sync(nodes.town, nodes.district)

    branches.look_again(stream)
    before = branches.streams_to_look_at()
    second = chunk_of(copy, stream, 2, 2)
    take_chunk(nodes.district, second, copy.certificate)
    waiting = [row.state for row in branches.evidence_of(stream)]

    assert before == []
    assert waiting == ["new"]
    assert trouble(nodes.district).forks == 0


def test_a_chunk_that_nobody_could_show_is_not_taken(nodes: Three, copy: Node) -> None:
    stream = stream_of(copy)
    head, previous = copy.store.journal.head(stream)
    payload = bytes(MAX_PAYLOAD_BYTES // 2)
    entries = [
        Entry(head + n, "holding", b"", 1, 1, seal.sha256(payload), payload)
        for n in (1, 2)
    ]
    chunk = chunk_signed(copy, stream, previous, entries)

    with pytest.raises(Malformed, match="too large"):
        take_chunk(nodes.town, chunk, copy.certificate)

    assert nodes.town.store.journal.head(stream)[0] == head


def test_one_history_shown_twice_is_no_fork(nodes: Three, copy: Node) -> None:
    """A town cannot stop a village by showing what the village has honestly written."""
    submit(nodes.village)
    sync(nodes.village, nodes.town)
    payload = show(tail_of(nodes.town, stream_of(copy), 2))
    put_entry(nodes.town, b"", payload, scope=VILLAGE, kind=KIND_BRANCH)

    sync_all(nodes)

    submit(nodes.village)
    sync_all(nodes)
    for node in (nodes.village, nodes.district):
        assert forked_nodes(node) == [] and trouble(node).forks == 0
        assert upkeep.verify(node).faults == ()
    assert shared_digests(nodes.village, nodes.district)


def test_evidence_that_its_author_has_not_signed_is_set_aside(
    nodes: Three, copy: Node
) -> None:
    submit(nodes.village)
    submit(copy)
    tail = tail_of(copy, stream_of(copy), 2)
    signed = msgspec.structs.replace(tail.chunk.checkpoint, signature=bytes(64))
    forged = Tail(
        tail.previous, msgspec.structs.replace(tail.chunk, checkpoint=signed), ()
    )
    put_entry(nodes.town, b"", show(forged), scope=VILLAGE, kind=KIND_BRANCH)

    sync_all(nodes)

    assert causes(nodes.district) == causes(nodes.village) == ["branch"]
    for node in (nodes.village, nodes.district):
        assert trouble(node).forks == 0
        assert upkeep.verify(node).faults == ()
    submit(nodes.village)


@pytest.mark.parametrize(
    "payload", [b"", b"\x92", encode((bytes(32), None)), b"\xff" * 1000]
)
def test_a_branch_entry_that_cannot_be_read_harms_nothing(
    nodes: Three, payload: bytes
) -> None:
    put_entry(nodes.town, b"", payload, scope=VILLAGE, kind=KIND_BRANCH)
    case = submit(nodes.village)

    sync_all(nodes)

    assert causes(nodes.district) == ["branch"]
    assert nodes.district.store.cases.get(case.row.document) is not None


def test_evidence_from_another_scope_proves_nothing(nodes: Three, copy: Node) -> None:
    submit(nodes.village)
    submit(copy)
    sync(nodes.village, nodes.town)
    payload = show(tail_of(copy, stream_of(copy), 2))
    put_entry(nodes.town, b"", payload, scope=OTHER_VILLAGE, kind=KIND_BRANCH)
    put_entry(nodes.town, b"", payload, scope=TOWN, kind=KIND_BRANCH)

    sync_all(nodes)

    assert causes(nodes.district) == ["branch", "branch"]
    assert trouble(nodes.district).forks == 0


def test_evidence_about_a_stranger_waits_for_who_that_is(
    nodes: Three, copy: Node
) -> None:
    """Evidence that comes before its author's certificate, or his main line."""
    place = "330881105203"
    third = enrolled(nodes.town, nodes.path / "third", "village", place, "三村")
    other = None
    try:
        sync(third, nodes.town)
        other = reopen(clone(third, nodes.path / "other3"), nodes.clock)
        cases = [submit(third), submit(other)]
        sync(third, nodes.town)
        sync(other, nodes.town)
        shown = stream_of(nodes.town, scope=place)

        send(nodes.town, nodes.district, parcel([chunk_of(nodes.town, shown)]))
        assert upkeep.verify(nodes.district).faults == ()
        sync_all(nodes)

        assert trouble(nodes.district).forks == 1
        for case in cases:
            assert nodes.district.store.cases.get(case.row.document) is not None
        assert shared_digests(nodes.town, nodes.district)
    finally:
        third.close()
        if other:
            other.close()


def test_what_a_revoked_node_wrote_after_it_parted_is_set_aside(
    nodes: Three, copy: Node
) -> None:
    submit(nodes.village)
    mine = submit(copy)
    sync(nodes.village, nodes.town)
    sync(copy, nodes.town)
    sync_all(nodes)
    revoke(nodes, copy, 2)

    sync(nodes.town, nodes.district)

    for node in (nodes.town, nodes.district):
        assert causes(node) == ["revoked", "revoked"]
        assert node.store.cases.get(mine.row.document) is None
        assert upkeep.verify(node).faults == ()


def test_a_fork_of_what_all_share_is_noted_and_nothing_else(nodes: Three) -> None:
    district, town = nodes.district, nodes.town
    copy = reopen(clone(district, nodes.path / "copy"), nodes.clock)
    try:
        put_entry(district, b"", b"one", scope="public", kind="note")
        put_entry(copy, b"", b"other", scope="public", kind="note")
        sync(town, district)
        first = town.store.journal.head(stream_of(district, scope="public"))

        chunk = chunk_of(copy, stream_of(copy, scope="public"), first[0])
        with pytest.raises(NotTrusted, match="a fork"):
            take_chunk(town, chunk, copy.certificate)

        assert town.store.journal.head(stream_of(district, scope="public")) == first
        (named,) = forked_nodes(town)
        assert named.node == district.id and named.sides == ()
        submit(nodes.village)
        sync_all(nodes)
        assert shared_digests(town, district)
    finally:
        copy.close()


def test_a_foreign_chunk_cannot_fall_behind_the_beginning(nodes: Three) -> None:
    """Nothing stands before the first entry but the stream's own name."""
    stream = stream_of(nodes.village)
    assert nodes.town.store.branches.lines(stream) == []
    submit(nodes.village)
    sync(nodes.village, nodes.town)
    (line,) = nodes.town.store.branches.lines(stream)
    assert nodes.town.store.branches.hash_in(line, 0) == genesis(stream)
