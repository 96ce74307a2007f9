"""Copied homes and restored backups: one author, two histories."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from node import casework, forks, journal, roster, speaking, upkeep
from node.absorb import take_chunk
from node.cases import open_case
from node.errors import Forked, WriteForbidden
from node.fork_report import forked_nodes
from node.forks import MAX_BRANCHES, MAX_SHOWN_BRANCHES
from node.lifecycle import State, Step
from node.status import above, arrivals, trouble
from node.wiring import Node
from sync import seal
from sync.canonical import encode
from sync.errors import Malformed, NotTrusted
from sync.fork import Tail, follow, show
from sync.identity import Revocation, sign_roster_entry
from sync.stream import (
    KIND_BRANCH,
    MAX_PAYLOAD_BYTES,
    Chunk,
    Entry,
    StreamId,
    genesis,
    unpack,
)
from tests.node.forge import (
    bundle_for,
    chunk_of,
    chunk_signed,
    parcel,
    put_entry,
    refusals,
    send,
)
from tests.node.nodes import (
    BIRTH,
    OTHER_VILLAGE,
    TOWN,
    VILLAGE,
    Three,
    answer,
    causes,
    clone,
    digests,
    enrolled,
    reopen,
    rows,
    shared_digests,
    step,
    submit,
    sync,
    sync_all,
)


@pytest.fixture
def copy(nodes: Three) -> Iterator[Node]:
    """A copy of the village's home, made when all knew its first case."""
    submit(nodes.village)
    sync_all(nodes)
    made = reopen(clone(nodes.village, nodes.path / "copy"), nodes.clock)
    yield made
    made.close()


def stream_of(node: Node, epoch: int = 1, scope: str = "") -> StreamId:
    return StreamId(node.id, epoch, scope or node.certificate.division)


def lines(node: Node, stream: StreamId) -> list[tuple[int, int]]:
    """Return (base, end) of the main line and of each branch."""
    return [(one.base, one.sequence) for one in node.store.branches.lines(stream)]


def tail_of(node: Node, stream: StreamId, first: int, last: int = 2**40) -> Tail:
    chunk = chunk_of(node, stream, first, last)
    previous = node.store.journal.hash_at(stream, first - 1)
    assert previous is not None
    return Tail(previous, chunk, follow(previous, chunk, unpack(chunk)))


# -- what is seen -----------------------------------------------------------------


def test_a_copied_home_that_writes_is_named_and_both_sides_are_seen(
    nodes: Three, copy: Node
) -> None:
    first, second = submit(nodes.village), submit(copy)
    other = submit(nodes.other_village)

    sync(nodes.village, nodes.town)
    sync(copy, nodes.town)
    sync_all(nodes)

    for node in (nodes.town, nodes.district):
        (named,) = forked_nodes(node)
        assert (named.node, named.epoch) == (nodes.village.id, 1)
        assert named.certificate is not None and named.certificate.name == "上塘村"
        assert [(s.entries, s.cases) for s in named.sides] == [(1, 1), (1, 1)]
        assert not named.is_healed and not named.is_here
        assert trouble(node).forks == 1 and not trouble(node).is_stopped
        assert open_case(node, first.id).fields == first.fields
        assert open_case(node, second.id).fields == second.fields
        assert node.store.cases.get(other.row.document) is not None
        assert lines(node, stream_of(nodes.village)) == [(0, 1), (1, 2), (1, 2)]
        assert node.store.refusals.count() == 0
        assert causes(node) == []
    step(nodes.town, second.id, Step.ACCEPT)
    sync_all(nodes)
    sync(copy, nodes.town)
    assert open_case(copy, second.id).story.state == State.ACCEPTED
    assert open_case(nodes.district, second.id).story.state == State.ACCEPTED
    for node in (*nodes, copy):
        assert upkeep.verify(node).faults == ()
        assert shared_digests(node, nodes.town)


def test_a_fork_is_the_same_whichever_branch_is_longer(
    nodes: Three, copy: Node
) -> None:
    submit(nodes.village)
    mine = [submit(copy) for _ in range(3)]

    sync(nodes.village, nodes.town)
    sync(copy, nodes.town)

    assert len(nodes.town.store.branches.forks()) == 1
    assert sorted(lines(nodes.town, stream_of(copy))) == [(0, 1), (1, 2), (1, 4)]
    assert nodes.town.store.documents.count() == 5
    assert all(nodes.town.store.cases.get(one.row.document) for one in mine)


def test_a_stream_can_part_at_its_very_first_entry(nodes: Three) -> None:
    copy = reopen(clone(nodes.village, nodes.path / "copy"), nodes.clock)
    try:
        first, second = submit(nodes.village), submit(copy)

        sync(nodes.village, nodes.town)
        sync(copy, nodes.town)
        sync_all(nodes)
        sync(copy, nodes.town)

        assert lines(nodes.district, stream_of(copy)) == [(0, 0), (0, 1), (0, 1)]
        for node in (*nodes, copy):
            assert upkeep.verify(node).faults == ()
        for node in (nodes.town, nodes.district, nodes.village, copy):
            assert node.store.cases.get(first.row.document) is not None
            assert node.store.cases.get(second.row.document) is not None
            assert shared_digests(node, nodes.town)
    finally:
        copy.close()


def test_what_both_copies_have_unsigned_at_the_parting_reaches_everybody(
    nodes: Three,
) -> None:
    """The histories part where no signature of their author is held, so that nobody
    could relay the end of the main line.
    """
    village, town = nodes.village, nodes.town
    second = enrolled(town, nodes.path / "second", "village", VILLAGE, "上塘村二")
    sync_all(nodes)
    for _ in range(2):
        sync(second, town)
    common = [submit(village) for _ in range(2)]
    copy = reopen(clone(village, nodes.path / "copy"), nodes.clock)
    try:
        submit(village)
        submit(copy)
        sync(village, town)

        sync(copy, town)
        sync_all(nodes)
        sync(second, town)

        for node in (second, nodes.district, town):
            assert lines(node, stream_of(village)) == [(0, 2), (2, 3), (2, 3)]
            assert all(node.store.cases.get(one.row.document) for one in common)
            assert upkeep.verify(node).faults == ()
            assert shared_digests(node, town)
    finally:
        copy.close()
        second.close()


def test_what_has_arrived_stays_arrived(nodes: Three, copy: Node) -> None:
    mine, its = submit(nodes.village), submit(copy)
    sync_all(nodes)
    documents = [mine.row.document, its.row.document]
    before = arrivals(nodes.village, documents[:1])[documents[0]]
    assert before.district_ms

    sync(copy, nodes.town)
    sync_all(nodes)
    sync(copy, nodes.town)

    for node in (nodes.village, copy):
        for one in arrivals(node, documents).values():
            assert one.town_ms and one.district_ms
        known = above(node)
        assert known is not None and known.not_delivered == 0


def test_what_nobody_else_has_is_not_shown_as_arrived(nodes: Three, copy: Node) -> None:
    submit(nodes.village)
    mine = submit(copy)
    sync(nodes.village, nodes.town)
    # It hears of the other history first, as from a stick.
    send(nodes.town, copy, parcel([chunk_of(nodes.town, stream_of(copy), 2)]))

    known = above(copy)
    assert known is not None and known.not_delivered >= 1
    (one,) = arrivals(copy, [mine.row.document]).values()
    assert (one.town_ms, one.district_ms) == (0, 0)


def test_who_has_more_of_ours_than_we_have_may_have_it_from_a_copy(
    nodes: Three, copy: Node
) -> None:
    submit(copy)
    submit(copy)
    sync(copy, nodes.town)
    mine = submit(nodes.village)
    words = [one.signed for one in nodes.town.store.vectors.all()]

    # The words of the town alone, as when the line is cut behind them.
    send(nodes.town, nodes.village, parcel([], words))

    (one,) = arrivals(nodes.village, [mine.row.document]).values()
    assert one.town_ms == 0
    sync(nodes.village, nodes.town)
    assert forked_nodes(nodes.town)
    sync(nodes.village, nodes.town)
    (one,) = arrivals(nodes.village, [mine.row.document]).values()
    assert one.town_ms


def test_the_words_of_a_copy_that_is_gone_do_not_silence_us(
    nodes: Three, copy: Node
) -> None:
    submit(copy)
    speaking.sign_vectors(copy, [VILLAGE])
    words = [
        one.signed
        for one in copy.store.vectors.all()
        if (one.holder, one.scope) == (copy.id, VILLAGE)
    ]
    # All that is left of the copy: its word, with a higher number than ours.
    send(copy, nodes.town, parcel([], words))
    mine = submit(nodes.village)

    for _ in range(2):
        sync(nodes.village, nodes.town)

    assert nodes.town.store.cases.get(mine.row.document) is not None
    assert shared_digests(nodes.village, nodes.town)
    known = nodes.town.store.vectors.of(nodes.village.id, VILLAGE)
    own = nodes.village.store.vectors.of(nodes.village.id, VILLAGE)
    assert known == own


# -- the forked node --------------------------------------------------------------


def test_a_forked_node_may_not_write_and_goes_on_with_all_else(
    nodes: Three, copy: Node
) -> None:
    case = submit(nodes.village)
    submit(copy)
    sync(nodes.village, nodes.town)
    sync(copy, nodes.town)
    step(nodes.town, case.id, Step.ACCEPT)
    for one in (nodes.village, copy):
        sync(one, nodes.town)

        with pytest.raises(Forked, match="rejoin"):
            submit(one)
        with pytest.raises(Forked):
            step(one, case.id, Step.WITHDRAW, "不办了")

        (draft,) = one.store.cases.drafts()
        kept = casework.save_draft(one, draft, draft.answers | {"remark": "补一句"})
        assert one.store.cases.draft(kept.document) == kept
        assert casework.begin_draft(one, BIRTH).number != kept.number
        assert open_case(one, case.id).story.state == State.ACCEPTED
        assert trouble(one).is_stopped
        (named,) = forked_nodes(one)
        assert named.is_here and not named.is_healed
        assert upkeep.verify(one).faults == ()


def test_only_the_scope_that_has_parted_is_closed(nodes: Three) -> None:
    submit(nodes.village)
    submit(nodes.other_village)
    sync_all(nodes)
    copy = reopen(clone(nodes.town, nodes.path / "copy"), nodes.clock)
    try:
        ours = nodes.village.store.cases.find(submit(nodes.village).id)[0]
        sync(nodes.village, nodes.town)
        other = submit(nodes.other_village)
        sync(nodes.other_village, nodes.town)
        step(nodes.town, ours.id, Step.ACCEPT)
        # It first learns that this town has less than it has said.
        for _ in range(3):
            sync(nodes.village, copy)
        step(copy, ours.id, Step.RETURN, "缺材料")
        sync(nodes.town, nodes.district)

        sync(copy, nodes.district)
        sync(nodes.town, nodes.district)

        with pytest.raises(Forked):
            step(nodes.town, ours.id, Step.FORWARD)
        step(nodes.town, other.id, Step.ACCEPT)
        case = open_case(nodes.district, ours.id)
        assert [one.event.step for one in case.story.happened] != []
        assert len(case.story.disputed) == 1
    finally:
        copy.close()


def test_a_copy_that_has_not_heard_yet_is_still_taken(nodes: Three, copy: Node) -> None:
    submit(nodes.village)
    submit(copy)
    sync(nodes.village, nodes.town)
    before = [bundle_for(copy, nodes.town)]
    answer(nodes.town, before[0])
    later = submit(copy)

    sync(copy, nodes.town)

    assert sorted(lines(nodes.town, stream_of(copy))) == [(0, 1), (1, 2), (1, 3)]
    assert nodes.town.store.cases.get(later.row.document) is not None
    sync_all(nodes)
    assert nodes.district.store.cases.get(later.row.document) is not None
    assert shared_digests(nodes.town, nodes.district)


def test_who_hears_of_his_own_fork_first_lets_the_others_know(
    nodes: Three, copy: Node
) -> None:
    submit(nodes.village)
    mine = submit(copy)
    sync(nodes.village, nodes.town)
    send(nodes.town, copy, parcel([chunk_of(nodes.town, stream_of(copy), 2)]))
    assert trouble(copy).is_stopped and not trouble(nodes.town).forks

    sync(copy, nodes.town)

    assert trouble(nodes.town).forks == 1
    assert nodes.town.store.cases.get(mine.row.document) is not None
    assert copy.store.branches.untold() == []
    quiet = sync(copy, nodes.town)
    assert (quiet.requests, quiet.sent, quiet.received) == (1, 0, 0)


# -- how it travels ---------------------------------------------------------------


def test_after_a_fork_a_sync_with_nothing_new_is_as_small_as_before(
    nodes: Three, copy: Node
) -> None:
    for _ in range(5):
        submit(nodes.village)
        submit(copy)
    sync(nodes.village, nodes.town)
    report = sync(copy, nodes.town)
    assert report.requests <= 5
    sync_all(nodes)
    sync(copy, nodes.town)

    for one, other in (
        (nodes.village, nodes.town),
        (copy, nodes.town),
        (nodes.town, nodes.district),
    ):
        quiet = sync(one, other)

        assert (quiet.requests, quiet.sent, quiet.received) == (1, 0, 0)
        assert quiet.bytes_in + quiet.bytes_out < 1024
        assert quiet.refused == ()


def test_who_still_has_the_old_main_line_raises_no_alarm(
    nodes: Three, copy: Node
) -> None:
    for _ in range(3):
        submit(nodes.village)
    submit(copy)
    sync(nodes.village, nodes.town)
    sync(nodes.town, nodes.district)
    sync(copy, nodes.town)
    old = parcel([chunk_of(nodes.district, stream_of(copy), 1)])

    for _ in range(3):
        send(nodes.district, nodes.town, old)
    report = sync(nodes.town, nodes.district)

    assert refusals(nodes.town) == refusals(nodes.district) == []
    assert report.requests <= 3
    assert shared_digests(nodes.town, nodes.district)


def test_two_who_prove_a_fork_by_themselves_come_to_the_same(
    nodes: Three, copy: Node
) -> None:
    """The town has heard one copy, the district the other, each more than is common."""
    for _ in range(2):
        submit(nodes.village)
        submit(copy)
    sync(nodes.village, nodes.town)
    sync(copy, nodes.district)
    assert trouble(nodes.town).forks == trouble(nodes.district).forks == 0

    report = sync(nodes.town, nodes.district)
    sync_all(nodes)

    assert report.requests <= 3
    assert lines(nodes.town, stream_of(copy)) == lines(nodes.district, stream_of(copy))
    assert shared_digests(nodes.town, nodes.district)
    shown = rows(nodes.town, "SELECT count(*) FROM evidence")[0][0]
    assert 2 <= shown <= 4
    for node in nodes:
        assert upkeep.verify(node).faults == ()


def test_three_copies_part_twice(nodes: Three, copy: Node) -> None:
    submit(copy)
    third = reopen(clone(copy, nodes.path / "third"), nodes.clock)
    try:
        cases = [submit(one) for one in (nodes.village, copy, third)]
        for one in (nodes.village, copy, third):
            sync(one, nodes.town)
        sync_all(nodes)

        expected = [(0, 1), (1, 2), (1, 2), (2, 3), (2, 3)]
        assert sorted(lines(nodes.district, stream_of(copy))) == expected
        (named,) = forked_nodes(nodes.district)
        assert sorted(side.entries for side in named.sides) == [1, 2, 2]
        for one in cases:
            assert nodes.district.store.cases.get(one.row.document) is not None
        for node in (*nodes, copy, third):
            assert upkeep.verify(node).faults == ()
    finally:
        third.close()


def test_a_receiver_that_stops_between_evidence_and_what_follows_goes_on(
    nodes: Three, copy: Node
) -> None:
    mine = submit(copy)
    submit(nodes.village)
    sync(nodes.village, nodes.town)
    sync(nodes.town, nodes.district)
    sync(copy, nodes.town)
    shown = stream_of(nodes.town, scope=VILLAGE)
    has = nodes.district.store.journal.head(shown)[0]

    # Only the entries are stored; whoever is killed here has not looked at them.
    take_chunk(
        nodes.district, chunk_of(nodes.town, shown, has + 1), nodes.town.certificate
    )
    nodes.district.close()
    nodes.district = reopen(nodes.district.home.path, nodes.clock)
    assert nodes.district.store.cases.get(mine.row.document) is None
    assert upkeep.verify(nodes.district).faults == ()

    sync(nodes.town, nodes.district)

    assert nodes.district.store.cases.get(mine.row.document) is not None
    assert shared_digests(nodes.town, nodes.district)


def test_a_rebuild_says_the_same_of_branches(nodes: Three, copy: Node) -> None:
    case = submit(nodes.village)
    submit(copy)
    step(nodes.village, case.id, Step.AMEND, contact_name="王五")
    for _ in range(2):
        sync(copy, nodes.town)
        sync_all(nodes)
    tables = ("evidence", "carried", "changes", "batches", "quarantine")

    for node in (*nodes, copy):
        before = [rows(node, f"SELECT * FROM {table}") for table in tables]
        was = digests(node)

        upkeep.rebuild(node)

        assert [rows(node, f"SELECT * FROM {table}") for table in tables] == before
        assert digests(node) == was


def test_damage_in_a_branch_is_found(nodes: Three, copy: Node) -> None:
    submit(nodes.village)
    submit(copy)
    sync(nodes.village, nodes.town)
    sync(copy, nodes.town)
    row = rows(nodes.town, "SELECT max(id) FROM streams WHERE branch != x''")[0][0]
    with nodes.town.store.transaction():
        nodes.town.store.branches._db.execute(
            "UPDATE entries SET written_at_ms = 1 WHERE stream = ?", (row,)
        )

    faults = upkeep.verify(nodes.town).faults

    assert any("branch" in one and "not what was signed" in one for one in faults)


# -- a town that was copied ---------------------------------------------------------


def test_a_town_that_was_copied_keeps_the_batches_and_villages_of_both(
    nodes: Three,
) -> None:
    town, district = nodes.town, nodes.district
    cases = [submit(nodes.village) for _ in range(2)]
    sync_all(nodes)
    copy = reopen(clone(town, nodes.path / "copy"), nodes.clock)
    third = None
    try:
        for one, case in ((town, cases[0]), (copy, cases[1])):
            step(one, case.id, Step.ACCEPT)
            casework.forward_batch(one, [case.id])
        third = enrolled(copy, nodes.path / "third", "village", "330881105203", "三村")
        sync(town, district)
        sync(copy, district)
        sync(town, district)

        batches = district.store.registry.batches(9)
        assert len(batches) == 2 and len({one.number for one in batches}) == 1
        for case in cases:
            assert open_case(district, case.id).story.state == State.FORWARDED
        assert district.roster.latest(third.id) is not None
        (named,) = forked_nodes(district)
        assert {side.scope for side in named.sides} == {TOWN, VILLAGE}
        assert shared_digests(town, district)
        for node in (town, copy, district):
            assert upkeep.verify(node).faults == ()
    finally:
        copy.close()
        if third:
            third.close()


def test_evidence_that_a_copied_town_has_written_is_evidence_still(
    nodes: Three, copy: Node
) -> None:
    """The town proves a fork of the village after its own data were copied."""
    town, district = nodes.town, nodes.district
    other_town = reopen(clone(town, nodes.path / "town2"), nodes.clock)
    try:
        case = submit(nodes.village)
        mine = submit(copy)
        for one in (town, *[other_town] * 4):
            sync(nodes.village, one)
            sync(copy, one)
        step(other_town, case.id, Step.ACCEPT)
        sync(other_town, district)

        sync(town, district)
        sync(other_town, district)
        for _ in range(2):
            sync(nodes.village, town)
            sync(copy, town)

        assert copy.id in {one.node for one in forked_nodes(district)}
        assert district.store.cases.get(mine.row.document) is not None
        for node in (district, town, other_town):
            assert upkeep.verify(node).faults == ()
            assert shared_digests(node, district)
        (one,) = arrivals(copy, [mine.row.document]).values()
        assert one.town_ms
    finally:
        other_town.close()


# -- those who mean harm ----------------------------------------------------------


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
    _revoke(nodes, copy, 2)

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


# -- restored backups -------------------------------------------------------------


def test_a_restored_backup_may_not_write_once_it_has_heard(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    submit(village)
    sync(village, town)
    backup = clone(village, nodes.path / "backup")
    later = submit(village)
    sync(village, town)
    village.close()
    restored = reopen(backup, nodes.clock)
    try:
        sync(restored, town)
        held = restored.store.journal.head(StreamId(village.id, 1, VILLAGE))[0]
        if held < 2:  # it has heard that there is more, and does not have it yet
            with pytest.raises(WriteForbidden, match="sync first"):
                submit(restored)
            assert len(restored.store.cases.drafts()) == 1, "the draft is kept"
        for _ in range(2):
            sync(restored, town)
        again = submit(restored)
        sync(restored, town)

        assert restored.store.cases.get(later.row.document) is not None
        assert town.store.cases.get(again.row.document) is not None
        assert town.store.branches.forks() == []
        assert shared_digests(restored, town)
        assert upkeep.verify(restored).faults == ()
    finally:
        restored.close()
    nodes.village = reopen(village.home.path, nodes.clock)


def test_one_sync_brings_a_restored_backup_up_to_date(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    submit(village)
    sync(village, town)
    backup = clone(village, nodes.path / "backup")
    submit(village)
    sync(village, town)
    restored = reopen(backup, nodes.clock)
    try:
        sync(restored, town)

        assert shared_digests(restored, town)
    finally:
        restored.close()


def test_a_restored_backup_gives_no_case_number_twice(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    submit(village)
    sync(village, town)
    backup = clone(village, nodes.path / "backup")
    later = submit(village)
    sync(village, town)
    restored = reopen(backup, nodes.clock)
    try:
        for _ in range(2):
            sync(restored, town)

        again = submit(restored)

        assert again.row.number != later.row.number
    finally:
        restored.close()


def test_a_restored_backup_replaces_no_batch(nodes: Three) -> None:
    town, district = nodes.town, nodes.district
    case, second = submit(nodes.village), submit(nodes.village)
    sync(nodes.village, town)
    for one in (case, second):
        step(town, one.id, Step.ACCEPT)
    sync(town, district)
    backup = clone(town, nodes.path / "backup")
    casework.forward_batch(town, [case.id])
    sync(town, district)
    restored = reopen(backup, nodes.clock)
    try:
        for _ in range(2):
            sync(restored, district)

        casework.forward_batch(restored, [second.id])
        sync(restored, district)

        assert len(district.store.registry.batches(5)) == 2
    finally:
        restored.close()


def test_a_receiver_that_was_put_back_is_sent_again_what_it_has_lost(
    nodes: Three,
) -> None:
    village, town = nodes.village, nodes.town
    submit(village)
    sync(village, town)
    backup = clone(town, nodes.path / "backup")
    later = submit(village)
    sync(village, town)
    restored = reopen(backup, nodes.clock)
    try:
        sync(village, restored)

        assert restored.store.cases.get(later.row.document) is not None
        assert shared_digests(village, restored)
        assert causes(restored) == []
    finally:
        restored.close()


def _revoke(nodes: Three, node: Node, sequence: int) -> None:
    district = nodes.district
    step_ = sign_roster_entry(
        district.secrets.root_key,
        district.roster.version + 1,
        "revoke",
        encode(Revocation(node.id, 1, sequence)),
    )
    with district.store.transaction():
        journal.append(
            district, "public", "roster", b"", encode(step_), district.now_ms()
        )
        roster.take_step(district, step_)


def test_a_restored_server_does_not_forget_what_it_was_reminded_of(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)
    backup = clone(nodes.town, nodes.path / "backup")
    step(nodes.town, case.id, Step.ACCEPT)
    sync(nodes.village, nodes.town)
    nodes.town.close()
    nodes.town = reopen(backup, nodes.clock)
    said = [
        vector.signed
        for vector in nodes.village.store.vectors.all()
        if vector.holder == nodes.town.id
    ]

    # It hears its own word, and answers that it has less.
    send(nodes.village, nodes.town, parcel([], said))

    with pytest.raises(WriteForbidden, match="sync first"):
        step(nodes.town, case.id, Step.WITHDRAW, "申请人不办了")
    sync(nodes.village, nodes.town)
    step(nodes.town, case.id, Step.WITHDRAW, "申请人不办了")
    sync(nodes.village, nodes.town)
    assert nodes.village.store.branches.forks() == []
    assert shared_digests(nodes.village, nodes.town)
