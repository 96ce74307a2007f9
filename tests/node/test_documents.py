"""How documents are kept: a short one as its changes, a long one as a snapshot."""

import pytest

from node import upkeep
from node.cases import open_case
from node.errors import NodeError
from node.lifecycle import Step
from node.store.documents import FEW_CHANGES, JudgedChange
from node.wiring import Node
from sync.document import Document
from sync.stream import StreamId
from tests.node.forge import (
    birth,
    chunk_of,
    copy_of,
    package_of,
    parcel,
    put_entries,
    send,
)
from tests.node.nodes import (
    ELDER,
    VILLAGE,
    Three,
    causes,
    rows,
    shared_digests,
    step,
    submit,
    sync,
    sync_all,
)
from tests.sync.changes import body_of, chunk


def kept(node: Node) -> list[bytes | None]:
    return [row[0] for row in rows(node, "SELECT snapshot FROM documents")]


def test_a_case_of_few_changes_takes_no_room_but_its_entries(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    case = submit(village)
    step(village, case.id, Step.AMEND, phone="13900000000")
    sync(village, town)
    step(town, case.id, Step.ACCEPT)
    sync_all(nodes)

    for node in nodes.nodes[:3]:
        assert kept(node) == [None]
        stored = node.store.documents.get(case.row.document)
        assert stored is not None
        assert Document.load(stored.snapshot).heads() == stored.heads
        assert open_case(node, case.id).fields["phone"] == "13900000000"
        assert upkeep.verify(node).faults == ()


def test_a_case_of_many_changes_is_kept_as_the_library_saves_it(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    case = submit(village)
    for count in range(FEW_CHANGES + 3):
        step(village, case.id, Step.AMEND, phone=f"1390000{count:04d}")
        if count % 5 == 0:
            sync(village, town)
        is_few = count + 2 <= FEW_CHANGES
        assert (kept(village) == [None]) == is_few
    sync_all(nodes)

    for node in nodes.nodes[:3]:
        (snapshot,) = kept(node)
        assert snapshot is not None
        last = open_case(node, case.id).fields["phone"]
        assert last == f"1390000{FEW_CHANGES + 2:04d}"
        assert upkeep.verify(node).faults == ()
    assert shared_digests(village, town)


def test_a_child_that_came_before_its_parent_is_loaded_after_it(nodes: Three) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    case = submit(village)
    sync_all(nodes)
    step(village, case.id, Step.AMEND, phone="13900000000")
    sync(village, town)
    step(town, case.id, Step.ACCEPT)
    order = [stream.node for _, stream, _, _ in town.store.journal.all_streams()]
    assert {village.id, town.id} <= set(order)
    for stream in (town.id, village.id):
        _give(town, district, stream)

    stored = district.store.documents.get(case.row.document)
    assert kept(district) == [None] and stored is not None
    assert Document.load(stored.snapshot).heads() == stored.heads
    assert open_case(district, case.id).fields["phone"] == "13900000000"
    entries = district.store.journal.entries_of(case.row.document)
    assert [one.stream.node for one in entries] == [village.id, town.id, village.id]


def _give(sender: Node, receiver: Node, author: bytes) -> None:
    """Hand over what one author has written, and nothing else."""
    stream = StreamId(author, 1, VILLAGE)
    held, _ = receiver.store.journal.head(stream)
    send(sender, receiver, parcel([chunk_of(sender, stream, held + 1)]))


def test_a_case_that_came_deflated_opens_as_any_other(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    key, copy, raw = birth(village, package_of(village, ELDER))
    edit = copy.write(village, "amend", {"name": "周大明"})
    put_entries(
        village, [(key, chunk(body_of(one), deflated=True)) for one in (raw, edit)]
    )

    sync(village, town)

    assert causes(town) == [] and kept(town) == [None]
    assert open_case(town, key.hex()).fields["name"] == "周大明"
    step(town, key.hex(), Step.ACCEPT)
    assert copy_of(town, key.hex()).document.tree()["v"] == 1
    assert upkeep.verify(town).faults == ()


def test_two_changes_under_one_number_of_an_actor_are_never_kept(nodes: Three) -> None:
    documents = nodes.village.store.documents
    one = JudgedChange(b"d" * 16, b"h" * 32, b"a" * 24, 1, 5, 1, 7, "waits")

    documents.put_changes([one])
    documents.put_changes([one._replace(verdict="taken")])
    for verdict in ("taken", "aside", "waits"):
        with pytest.raises(NodeError):
            documents.put_changes([one._replace(hash=b"x" * 32, verdict=verdict)])

    assert documents.changes(b"d" * 16) == {one.hash: one._replace(verdict="taken")}


def test_search_terms_that_stay_are_not_written_again(nodes: Three) -> None:
    village = nodes.village
    case = submit(village)
    before = rows(village, "SELECT count(*) FROM search_data")

    for count in range(5):
        step(village, case.id, Step.AMEND, phone=f"1390000000{count}")
    same = rows(village, "SELECT count(*) FROM search_data")
    step(village, case.id, Step.AMEND, name="钱小丰")

    assert same == before
    assert rows(village, "SELECT count(*) FROM search_data") > before
    assert [row[0] for row in rows(village, "SELECT initials FROM search")] == ["qxf"]
