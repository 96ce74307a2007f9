"""Copied homes and restored backups: one author, two histories."""

import pytest

from node import casework, upkeep
from node.cases import open_case
from node.errors import WriteForbidden
from node.lifecycle import Step
from node.status import trouble
from sync.stream import StreamId
from tests.node.nodes import (
    VILLAGE,
    Three,
    causes,
    clone,
    reopen,
    shared_digests,
    step,
    submit,
    sync,
    sync_all,
)


def test_a_copied_home_that_writes_is_found_out_and_harms_nobody(
    nodes: Three,
) -> None:
    submit(nodes.village)
    sync_all(nodes)
    copy = reopen(clone(nodes.village, nodes.path / "copy"), nodes.clock)
    try:
        first, second = submit(nodes.village), submit(copy)
        other = submit(nodes.other_village)

        sync(nodes.village, nodes.town)
        sync(copy, nodes.town)
        sync_all(nodes)
    finally:
        copy.close()

    stream = StreamId(nodes.village.id, 1, VILLAGE)
    assert [(f[0], f[1]) for f in nodes.town.store.journal.forks()] == [(stream, 2)]
    assert trouble(nodes.town).forks == 1
    assert "(a fork)" in nodes.town.store.journal.refusals(9)[-1][3]
    assert nodes.town.store.cases.get(first.row.document) is not None
    assert nodes.town.store.cases.get(second.row.document) is None
    assert nodes.district.store.cases.get(other.row.document) is not None
    assert upkeep.verify(nodes.town).faults == ()
    assert shared_digests(nodes.village, nodes.town)
    step(nodes.town, first.id, Step.ACCEPT)


def test_a_fork_is_found_whichever_branch_is_longer(nodes: Three) -> None:
    submit(nodes.village)
    sync_all(nodes)
    copy = reopen(clone(nodes.village, nodes.path / "copy"), nodes.clock)
    try:
        submit(nodes.village)
        mine = [submit(copy) for _ in range(3)]

        sync(nodes.village, nodes.town)
        for _ in range(3):
            sync(copy, nodes.town)
        sync_all(nodes)
    finally:
        copy.close()

    assert len(nodes.town.store.journal.forks()) == 1
    assert nodes.town.store.documents.count() == 2
    assert not any(nodes.town.store.cases.get(one.row.document) for one in mine)


def test_a_sync_that_gets_nowhere_comes_to_an_end(nodes: Three) -> None:
    submit(nodes.village)
    sync_all(nodes)
    copy = reopen(clone(nodes.village, nodes.path / "copy"), nodes.clock)
    try:
        submit(nodes.village)
        submit(copy)
        sync(nodes.village, nodes.town)

        report = sync(copy, nodes.town)
    finally:
        copy.close()

    assert report.requests <= 5
    assert nodes.town.store.journal.count_refusals() <= 5


def test_the_work_of_a_refused_branch_stays_where_it_was_done(nodes: Three) -> None:
    submit(nodes.village)
    sync_all(nodes)
    copy = reopen(clone(nodes.village, nodes.path / "copy"), nodes.clock)
    try:
        submit(nodes.village)
        lost = submit(copy)
        sync(nodes.village, nodes.town)
        for _ in range(2):
            sync(copy, nodes.town)

        assert open_case(copy, lost.id).fields == lost.fields
        assert upkeep.verify(copy).faults == ()
    finally:
        copy.close()


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
        assert town.store.journal.forks() == []
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
        for _ in range(3):
            sync(village, restored)

        assert restored.store.cases.get(later.row.document) is not None
        assert shared_digests(village, restored)
        assert causes(restored) == []
    finally:
        restored.close()
