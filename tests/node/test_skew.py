"""Versions that differ: what a node does not know it keeps, and passes on untouched."""

from collections.abc import Callable

import msgspec
import pytest

from node import answering, journal, peers, roster, talk, upkeep
from node.cases import open_case
from node.status import trouble
from node.wiring import Node
from sync import bundle
from sync.canonical import encode
from sync.errors import Malformed, TooNew
from sync.identity import PUBLIC, RosterEntry, sign_roster_entry
from sync.stream import StreamId
from tests.node.forge import bundle_for, parcel, put_entry, send
from tests.node.nodes import (
    OTHER_VILLAGE,
    VILLAGE,
    Three,
    answer,
    causes,
    enrolled,
    shared_digests,
    submit,
    sync,
    sync_all,
)

LATER = b"\x00\xff\xc1 something of a later version"
DAY_MS = 24 * 3600 * 1000


def same_everywhere(stream: StreamId, *nodes: Node) -> bool:
    """Say whether nodes hold the same bytes of a stream, entry by entry."""
    held = [
        [
            (one.entry, node.store.journal.hash_at(stream, one.entry.sequence))
            for one in node.store.journal.entries(stream, 1, 999)
        ]
        for node in nodes
    ]
    assert held[0]
    return all(one == held[0] for one in held)


@pytest.mark.parametrize("about", [b"", b"\x01" * 16, "a case"])
def test_an_unknown_kind_goes_up_three_tiers_and_down_untouched(
    nodes: Three, about: bytes | str
) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    case = submit(village)
    document = bytes.fromhex(case.id) if about == "a case" else about
    assert isinstance(document, bytes)
    put_entry(village, document, LATER, kind="later-kind")
    put_entry(district, document, LATER, kind="down", scope=VILLAGE)
    put_entry(district, b"", LATER, kind="to-all", scope=PUBLIC)
    later = submit(village)
    sync_all(nodes)

    here = (village, town, district)
    assert same_everywhere(StreamId(village.id, 1, VILLAGE), *here)
    assert same_everywhere(StreamId(district.id, 1, VILLAGE), *here)
    assert same_everywhere(StreamId(district.id, 1, PUBLIC), *nodes)
    for node in here:
        assert causes(node) == []
        assert open_case(node, later.id).fields == later.fields
    assert upkeep.verify(town).faults == ()
    assert StreamId(district.id, 1, VILLAGE) not in {
        stream for _, stream, _, _ in nodes.other_village.store.journal.all_streams()
    }


def test_an_unknown_act_of_the_roster_is_passed_over_and_passed_on(
    nodes: Three,
) -> None:
    district = nodes.district
    version = district.roster.version + 1
    assert district.secrets.root_key
    act = sign_roster_entry(district.secrets.root_key, version, "rename", LATER)
    with district.store.transaction():
        journal.append(district, PUBLIC, "roster", b"", encode(act), 1)
        roster.take_step(district, act)
    third = nodes.path / "third"
    enrolled(district, third, "village", "330881105203", "第三村").close()
    sync_all(nodes)

    for node in nodes:
        assert node.roster.version == version + 1
        assert node.store.registry.roster_entry(version) == act
        assert isinstance(act, RosterEntry) and act.body == LATER
        assert "第三村" in [one.name for one in node.roster.everyone()]
        assert causes(node) == []
    assert same_everywhere(StreamId(district.id, 1, PUBLIC), *nodes)


def test_unknown_extras_of_a_parcel_are_passed_over(nodes: Three) -> None:
    case = submit(nodes.village)
    stream = StreamId(nodes.village.id, 1, VILLAGE)
    from tests.node.forge import chunk_of

    extras = (("later", LATER), ("later", b""), ("另一个", b"x" * 1000))
    content = msgspec.structs.replace(
        parcel([chunk_of(nodes.village, stream)]), extras=extras
    )

    send(nodes.village, nodes.town, content)
    sync_all(nodes)

    assert open_case(nodes.district, case.id).fields == case.fields
    assert nodes.town.store.refusals.count() == 0
    assert shared_digests(nodes.town, nodes.district)


# -- a bundle of a newer format ----------------------------------------------------


def newer(data: bytes, version: int = 2) -> bytes:
    """Return a bundle as a newer program would begin it: what follows is its own."""
    at = len(bundle.MAGIC)
    return data[:at] + bytes([version]) + data[at + 1 :]


def test_a_bundle_of_a_newer_format_asks_for_an_upgrade_and_changes_nothing(
    nodes: Three,
) -> None:
    submit(nodes.village)
    data = newer(bundle_for(nodes.village, nodes.town))

    with pytest.raises(TooNew, match="upgrade this node"):
        answer(nodes.town, data)

    assert nodes.town.store.documents.count() == 0
    assert trouble(nodes.town).needs_upgrade
    ((_, peer, cause, _),) = nodes.town.store.refusals.newest(9)
    assert (peer, cause) == (nodes.village.id, "too-new")
    # Who comes with what is known here is served all the same.
    other = submit(nodes.other_village)
    sync(nodes.other_village, nodes.town)
    assert nodes.town.store.cases.get(other.row.document) is not None
    nodes.clock.advance(8 * DAY_MS)
    assert not trouble(nodes.town).needs_upgrade


def _of_a_stranger(nodes: Three) -> bytes:
    header = encode((9, b"s" * 16, 1, nodes.town.id))
    return b"LBB\x1a\x02" + len(header).to_bytes(2, "big") + header + bytes(200)


STRANGE: dict[str, Callable[[Three], bytes]] = {
    "nobody": _of_a_stranger,
    "no header": lambda _: b"LBB\x1a\x02" + bytes(300),
    "a header cut off": lambda _: b"LBB\x1a\x02\xff\xff" + b"\x94" + bytes(300),
    "a header of something else": lambda _: b"LBB\x1a\x02\x00\x03abc" + bytes(300),
}


@pytest.mark.parametrize("made", STRANGE.values(), ids=STRANGE)
def test_a_stranger_cannot_ask_for_an_upgrade(
    nodes: Three, made: Callable[[Three], bytes]
) -> None:
    with pytest.raises(TooNew):
        answer(nodes.town, made(nodes))

    assert not trouble(nodes.town).needs_upgrade
    assert nodes.town.store.refusals.count() == 0


def test_a_format_that_never_was_asks_for_no_upgrade(nodes: Three) -> None:
    with pytest.raises(Malformed):
        answer(nodes.town, newer(bundle_for(nodes.village, nodes.town), 0))

    assert not trouble(nodes.town).needs_upgrade


def test_an_answer_of_a_newer_format_says_that_we_must_upgrade(nodes: Three) -> None:
    case = submit(nodes.village)
    peer = peers.find_neighbour(nodes.village)

    with pytest.raises(TooNew):
        talk.sync_over(
            nodes.village,
            peer,
            lambda run: map(newer, answering.answer(nodes.town, run)),
        )

    assert nodes.village.store.registry.peer(peer.node).last_result == "upgrade-here"
    assert trouble(nodes.village).needs_upgrade
    # It has arrived, and that will be known as soon as the answer can be read.
    assert nodes.town.store.cases.get(case.row.document) is not None
    sync(nodes.village, nodes.town)
    assert nodes.village.store.registry.peer(peer.node).last_result == "ok"
    assert OTHER_VILLAGE not in nodes.village.store.vectors.scopes()
