"""Restored backups: a node that has less than it had."""

import pytest

from node import casework, upkeep
from node.errors import WriteForbidden
from node.lifecycle import Step
from sync.stream import StreamId
from tests.node.forge import parcel, send
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
)


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
            assert len(restored.store.drafts.all()) == 1, "the draft is kept"
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
