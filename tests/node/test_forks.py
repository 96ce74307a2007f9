"""Copied homes and restored backups: one author, two histories."""

import pytest

from node import casework, drafting, speaking, upkeep
from node.absorb import take_chunk
from node.cases import open_case
from node.errors import Forked
from node.fork_report import forked_nodes
from node.lifecycle import State, Step
from node.status import above, arrivals, trouble
from node.wiring import Node
from tests.node.forge import bundle_for, chunk_of, parcel, refusals, send
from tests.node.forked import lines, stream_of
from tests.node.nodes import (
    BIRTH,
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

        (draft,) = one.store.drafts.all()
        kept = drafting.save_draft(one, draft, draft.answers | {"remark": "补一句"})
        assert one.store.drafts.get(kept.document) == kept
        assert drafting.begin_draft(one, BIRTH).number != kept.number
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
