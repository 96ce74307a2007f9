"""What is written down: asking for what is not shared, and who let whom in or out."""

from collections.abc import Callable

import pytest

from node import audit, journal, peers, roster, upkeep
from node.cases import open_case
from node.errors import NotAllowed
from node.lifecycle import State, Step
from node.wiring import Node
from sync.canonical import encode
from sync.errors import NotTrusted
from sync.exchange import Parcel
from sync.stream import StreamId
from sync.vector import Head
from tests.node.forge import chunk_of, claim, parcel, put_entry, refusals, send
from tests.node.nodes import (
    DISTRICT,
    OTHER_VILLAGE,
    TOWN,
    VILLAGE,
    Three,
    causes,
    clone,
    digests,
    enrolled,
    reopen,
    shared_digests,
    step,
    submit,
    sync,
    sync_all,
)
from tests.shipping import shipped_packages

DAY_MS = 24 * 3600 * 1000


def records(node: Node, act: str = audit.SCOPE_REFUSED) -> list[tuple[str, bytes]]:
    """Return (subject, peer) of what is written down about an act, newest first."""
    return [
        (row.subject, row.peer)
        for row in node.store.registry.audits(999)
        if row.act == act
    ]


def nothing_held(scope: str) -> Callable[[Node, Node], Parcel]:
    """Return how to ask for a scope: "I hold nothing of it, tell me all"."""

    def ask(asker: Node, _: Node) -> Parcel:
        return parcel(vectors=[claim(asker, scope, [])])

    return ask


def of_another(asker: Node, other: Node) -> Parcel:
    head = Head(other.id, 1, 1, bytes(32))
    return parcel(vectors=[claim(other, OTHER_VILLAGE, [head])])


def chunk_of_another(_: Node, other: Node) -> Parcel:
    return parcel([chunk_of(other, StreamId(other.id, 1, OTHER_VILLAGE))])


ASKED = {
    "a division beside it": (nothing_held(OTHER_VILLAGE), OTHER_VILLAGE),
    "the division above it": (nothing_held(TOWN), TOWN),
    "the whole district": (nothing_held(DISTRICT), DISTRICT),
    "a joint scope": (
        nothing_held(f"{OTHER_VILLAGE}+330881106201"),
        f"{OTHER_VILLAGE}+330881106201",
    ),
    "with another's vector": (of_another, OTHER_VILLAGE),
    "with another's entries": (chunk_of_another, OTHER_VILLAGE),
}


@pytest.mark.parametrize(("ask", "scope"), ASKED.values(), ids=ASKED)
def test_asking_for_a_scope_that_one_does_not_hold_is_refused_and_written_down(
    nodes: Three, ask: Callable[[Node, Node], Parcel], scope: str
) -> None:
    other = submit(nodes.other_village)
    sync_all(nodes)
    village, town = nodes.village, nodes.town

    send(village, town, ask(village, nodes.other_village))
    sync(village, town)

    assert len(refusals(town)) == 1
    assert records(town) == [(scope, village.id)]
    assert village.store.cases.get(other.row.document) is None
    assert {s for s in village.store.vectors.scopes() if s != "public"} <= {VILLAGE}
    sync(town, nodes.district)
    assert records(nodes.district) == [(scope, village.id)]
    assert records(village) == []


def test_being_sent_what_we_do_not_hold_is_written_down_too(nodes: Three) -> None:
    submit(nodes.other_village)
    sync_all(nodes)
    theirs = chunk_of(nodes.town, StreamId(nodes.other_village.id, 1, OTHER_VILLAGE))

    send(nodes.town, nodes.village, parcel([theirs]))

    assert nodes.village.store.documents.count() == 0
    assert records(nodes.village) == [(OTHER_VILLAGE, nodes.town.id)]


def test_a_scope_that_is_none_is_not_quoted(nodes: Three) -> None:
    """Whatever a peer calls a scope is its text, not ours to keep and to send on."""
    vector = claim(nodes.village, "张三 " * 100, [])
    send(nodes.village, nodes.town, parcel(vectors=[vector]))
    submit(nodes.village)
    chunk = chunk_of(nodes.village, StreamId(nodes.village.id, 1, VILLAGE))
    stream = StreamId(nodes.village.id, 1, "张三 " * 100)
    import msgspec

    renamed = msgspec.structs.replace(chunk, stream=stream)
    send(nodes.village, nodes.town, parcel([renamed]))
    sync(nodes.town, nodes.district)

    assert records(nodes.town) == [("", nodes.village.id)]
    assert records(nodes.district) == [("", nodes.village.id)]


def test_nobody_fills_a_stream_by_asking(nodes: Three) -> None:
    village, town = nodes.village, nodes.town

    def ask(scope: str, of: Node = village) -> None:
        send(of, town, parcel(vectors=[claim(of, scope, [])]))

    for number in range(20):
        ask(f"3308811059{number:02d}")
        nodes.clock.advance(60_000)
    ask(TOWN, nodes.other_village)
    assert len(records(town)) == 2
    nodes.clock.advance(DAY_MS)
    ask(TOWN)
    assert records(town)[0] == (TOWN, village.id)
    assert len(records(town)) == 3
    assert town.store.refusals.count() == 22


def test_a_clock_that_was_put_back_silences_nothing_for_long(nodes: Three) -> None:
    def ask() -> None:
        vector = claim(nodes.village, TOWN, [])
        send(nodes.village, nodes.town, parcel(vectors=[vector]))

    ask()
    nodes.clock.advance(-400 * DAY_MS)
    ask()
    ask()

    assert len(records(nodes.town)) == 2


def test_a_refusal_is_a_refusal_even_where_nothing_may_be_written(
    nodes: Three,
) -> None:
    """A town that was put back to an older state must catch up before it writes."""
    town = nodes.town
    sync_all(nodes)
    backup = clone(town, nodes.path / "backup")
    send(nodes.village, town, parcel(vectors=[claim(nodes.village, DISTRICT, [])]))
    sync_all(nodes)
    restored = reopen(backup, nodes.clock)
    try:
        head = restored.store.journal.head(StreamId(town.id, 1, TOWN))[0]
        with restored.store.transaction():
            vector = claim(town, TOWN, [Head(town.id, 1, head + 5, bytes(32))])
            found = vector.read()
            restored.store.vectors.put(found, vector, 1, found.heads)

        vectors = [claim(nodes.other_village, DISTRICT, [])]
        send(nodes.other_village, restored, parcel(vectors=vectors))

        assert "scope is not shared" in refusals(restored)[0][1]
        assert (DISTRICT, nodes.other_village.id) not in records(restored)
    finally:
        restored.close()


# -- who let whom in -----------------------------------------------------------------


def test_invitation_joining_and_enrolment_are_written_down(nodes: Three) -> None:
    before = len(nodes.district.store.registry.audits(999))
    fresh = enrolled(
        nodes.town, nodes.path / "fresh", "village", "330881105203", "第三村"
    )
    fresh.close()
    sync(nodes.town, nodes.district)

    found = nodes.district.store.registry.audits(999)[:-before][::-1]
    assert {(row.act, row.node) for row in found} == {
        (audit.INVITE, nodes.town.id),
        (audit.JOIN, nodes.town.id),
        (audit.ENROL, nodes.district.id),
    }
    for row in found:
        assert (row.subject, row.note) == ("330881105203", "第三村")
        assert row.peer == (b"" if row.act == audit.INVITE else fresh.id)
        assert row.by == ("operator" if row.act == audit.INVITE else "")


def test_publishing_is_written_down_once_for_each_new_package(nodes: Three) -> None:
    first = records(nodes.district, audit.PUBLISH)

    upkeep.publish(nodes.district, shipped_packages())

    assert len(first) == 3
    assert records(nodes.district, audit.PUBLISH) == first


@pytest.mark.parametrize(
    ("payload", "scope"),
    [
        (b"", VILLAGE),
        (encode(("later",)), VILLAGE),
        (encode(("", "", "", 1, "", b"")), VILLAGE),
        (encode(("x" * 25, "", "", 1, "", b"")), VILLAGE),
        (encode(("x", "s" * 61, "", 1, "", b"")), VILLAGE),
        (encode(("x", "", "n" * 201, 1, "", b"")), VILLAGE),
        (encode(("x", "", "", 2**52, "", b"")), VILLAGE),
        (encode(("x", "", "", 1, "b" * 61, b"")), VILLAGE),
        (encode(("x", "", "", 1, "", b"short")), VILLAGE),
        # Another place's stream would show it to others than those above.
        (encode(("x", "", "", 1, "", b"")), f"{VILLAGE}+330881106201"),
    ],
)
def test_a_record_that_cannot_be_is_set_aside(
    nodes: Three, payload: bytes, scope: str
) -> None:
    put_entry(nodes.village, b"", payload, kind="audit", scope=scope)

    sync_all(nodes)

    assert causes(nodes.town) == causes(nodes.district) == ["audit"]


def test_an_act_of_a_later_version_is_kept_and_listed(nodes: Three) -> None:
    payload = encode(("later-act", "x", "y", 1, "z", b""))
    put_entry(nodes.village, b"", payload, kind="audit")

    sync_all(nodes)

    assert records(nodes.district, "later-act") == [("x", b"")]
    assert causes(nodes.district) == []


def test_what_is_written_down_is_made_again_from_the_entries(nodes: Three) -> None:
    send(
        nodes.village, nodes.town, parcel(vectors=[claim(nodes.village, DISTRICT, [])])
    )
    sync(nodes.town, nodes.district)

    for node in (nodes.town, nodes.district):
        before, hashes = node.store.registry.audits(999), digests(node)
        assert upkeep.verify(node).faults == ()
        upkeep.rebuild(node)
        assert node.store.registry.audits(999) == before
        assert digests(node) == hashes, "a rebuild writes nothing down"


# -- who is put out --------------------------------------------------------------------


def test_a_revoked_node_is_out_and_what_the_district_held_stays(nodes: Three) -> None:
    village, district = nodes.village, nodes.district
    held, late = submit(village), None
    sync_all(nodes)
    late = submit(village)
    sync(village, nodes.town)

    roster.revoke(district, village.certificate, "电脑被偷")
    sync(nodes.town, district)
    with pytest.raises(NotTrusted):
        sync(village, nodes.town)

    for node in (district, nodes.town):
        assert open_case(node, held.id).story.state is State.SUBMITTED
        assert node.store.cases.get(late.row.document) is None
        assert causes(node) == ["revoked"]
    assert shared_digests(district, nodes.town)
    assert records(district, audit.REVOKE) == [(VILLAGE, village.id)]
    (row,) = [r for r in district.store.registry.audits(99) if r.act == audit.REVOKE]
    assert (row.note, row.by) == ("电脑被偷", "operator")


def test_a_revocation_cuts_every_stream_where_the_district_holds_it(
    nodes: Three,
) -> None:
    """A town's streams in its villages' scopes are of very different lengths."""
    one, other = nodes.village, nodes.other_village
    cases = [submit(one) for _ in range(5)] + [submit(other)]
    sync_all(nodes)
    for case in cases:
        step(nodes.town, case.id, Step.ACCEPT)
    sync_all(nodes)
    stolen = submit(other)
    sync(other, nodes.town)
    step(nodes.town, stolen.id, Step.ACCEPT)  # the thief's, after the theft

    roster.revoke(nodes.district, nodes.town.certificate, "被盗")
    # The other village has not heard, and brings both ways.
    sync(other, nodes.town)
    sync(other, nodes.district)

    for case in cases:
        there = open_case(nodes.district, case.id)
        assert there.story.state is State.ACCEPTED, "what was decided stays decided"
    assert open_case(nodes.district, stolen.id).story.state is State.SUBMITTED
    assert causes(nodes.district) == ["revoked"]


@pytest.mark.parametrize("who", ["town", "village"])
def test_only_the_district_revokes(nodes: Three, who: str) -> None:
    node: Node = getattr(nodes, who)

    with pytest.raises(NotAllowed):
        roster.revoke(node, nodes.other_village.certificate, "x")

    assert not node.roster.is_revoked(nodes.other_village.id)


def test_the_district_does_not_put_itself_out(nodes: Three) -> None:
    with pytest.raises(NotAllowed):
        roster.revoke(nodes.district, nodes.district.certificate, "x")


def test_a_revocation_can_be_heard_twice_and_made_twice(nodes: Three) -> None:
    submit(nodes.village)
    sync_all(nodes)
    for _ in range(2):
        who = peers.find_neighbour(nodes.district, nodes.village.id.hex())
        roster.revoke(nodes.district, who, "x")
    sync(nodes.town, nodes.district)

    assert nodes.town.roster.is_revoked(nodes.village.id)
    assert causes(nodes.town) == []
    assert shared_digests(nodes.town, nodes.district)
    stream = journal.own_stream(nodes.village, VILLAGE)
    assert not nodes.town.roster.is_cut(nodes.village.id, 1, 1, stream.scope)
    assert nodes.town.roster.is_cut(nodes.village.id, 1, 2, stream.scope)
    assert nodes.town.roster.is_cut(nodes.village.id, 1, 1, "a scope unheard of")
