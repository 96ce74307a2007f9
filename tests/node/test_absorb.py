"""What a receiver does with true and with altered bytes of its neighbours."""

import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from node import answering, hearing, peers, speaking, talk
from node.absorb import MOST_REFUSED, absorb
from node.audit import SCOPE_REFUSED
from node.cases import open_case
from node.lifecycle import Step
from node.store.refusals import MOST_TOGETHER
from node.wiring import Node
from sync import bundle
from sync.document import Document
from sync.errors import (
    Malformed,
    NotForUs,
    NotTrusted,
    PeerFault,
    PeerUnreachable,
    TooNew,
)
from sync.exchange import MAX_CHUNKS, MAX_VECTORS, Parcel, encode_parcel
from sync.identity import PUBLIC
from sync.stream import Checkpoint, Chunk, StreamId, sign_checkpoint
from sync.vector import MAX_COUNTER, Head, SignedVector, Vector, sign_vector
from tests.node.forge import (
    bundle_for,
    chunk_of,
    chunk_signed,
    claim,
    parcel,
    put_entry,
    refusals,
    send,
    wrap,
)
from tests.node.nodes import (
    OTHER_VILLAGE,
    TOWN,
    VILLAGE,
    Three,
    answer,
    causes,
    digests,
    rows,
    shared_digests,
    step,
    submit,
    sync,
    sync_all,
    tamper,
)


def _stream(node: Node, scope: str = VILLAGE) -> StreamId:
    return StreamId(node.id, 1, scope)


def test_a_chunk_with_a_gap_is_refused_and_healed_later(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    for _ in range(4):
        submit(village)

    send(village, town, parcel([chunk_of(village, _stream(village), 3)]))
    assert town.store.documents.count() == 0
    assert refusals(town) == []
    sync(village, town)

    assert town.store.documents.count() == 4
    assert shared_digests(village, town)


def test_chunks_that_overlap_what_is_here_are_taken_from_there_on(
    nodes: Three,
) -> None:
    village, town = nodes.village, nodes.town
    for _ in range(6):
        submit(village)

    for first, last in ((1, 3), (2, 5), (1, 2), (1, 6), (6, 6)):
        chunk = chunk_of(village, _stream(village), first, last)
        send(village, town, parcel([chunk]))

    assert town.store.documents.count() == 6
    assert refusals(town) == []
    assert shared_digests(village, town)


def test_a_chunk_may_lean_on_what_came_long_before_it(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    cases = [submit(village) for _ in range(3)]
    sync_all(nodes)
    for case in cases[::-1]:
        step(village, case.id, Step.AMEND, phone="13900000000")

    edits = chunk_of(village, _stream(village), 4, 6)
    sync_all(nodes)

    assert edits.backs == (1, 3, 5)
    assert chunk_of(town, _stream(village), 4, 6) == edits
    assert shared_digests(village, town) and shared_digests(town, nodes.district)


def test_a_chunk_with_a_gap_is_a_gap_even_where_it_leans_on_what_is_missing(
    nodes: Three,
) -> None:
    village, town = nodes.village, nodes.town
    case = submit(village)
    step(village, case.id, Step.AMEND, phone="13900000000")

    send(village, town, parcel([chunk_of(village, _stream(village), 2, 2)]))

    assert refusals(town) == []
    assert town.store.documents.count() == 0
    sync(village, town)
    assert shared_digests(village, town)


@pytest.mark.parametrize("back", [0, 1, 3, 4, -1, 2**63, None])
def test_a_false_step_back_is_refused_and_nothing_is_stored(
    nodes: Three, back: int | None
) -> None:
    village, town = nodes.village, nodes.town
    first, _ = submit(village), submit(village)
    sync(village, town)
    step(village, first.id, Step.AMEND, phone="13900000000")
    step(village, first.id, Step.AMEND, phone="13900000001")
    true = chunk_of(village, _stream(village), 3, 4)
    assert true.backs == (2, 1)
    before = digests(town), rows(town, "SELECT count(*) FROM entries")

    send(
        village,
        town,
        parcel([msgspec.structs.replace(true, backs=(back, 1))]),
    )

    assert (digests(town), rows(town, "SELECT count(*) FROM entries")) == before
    assert [word for word, _ in refusals(town)] == ["chunk"]
    sync(village, town)
    assert shared_digests(village, town)


def test_an_edit_may_lean_on_a_change_whose_payload_was_dropped_here(
    nodes: Three,
) -> None:
    village, town = nodes.village, nodes.town
    case = submit(village)
    sync(village, town)
    _drop_payload(town, case.row.document)

    step(village, case.id, Step.AMEND, phone="13900000000")
    sync(village, town)

    assert open_case(town, case.id).fields["phone"] == "13900000000"
    assert refusals(town) == [] and causes(town) == []


def test_who_has_dropped_a_payload_names_in_full_what_builds_on_it(
    nodes: Three,
) -> None:
    village, town = nodes.village, nodes.town
    case = submit(village)
    sync(village, town)
    step(village, case.id, Step.AMEND, phone="13900000000")
    sync(village, town)
    _drop_payload(town, case.row.document)

    relayed = chunk_of(town, _stream(village), 2, 2)

    assert relayed.backs == (0,) and relayed.documents == (case.row.document,)
    assert chunk_of(village, _stream(village), 2, 2).backs == (1,)


def _drop_payload(node: Node, document: bytes) -> None:
    """Forget the payload of a case's first change, as a later program may: not before
    the document has something else to be loaded from.
    """
    (stored, *_) = node.store.journal.entries_of(document)
    row = node.store.documents.get(document)
    assert row is not None
    tamper(
        node,
        "UPDATE documents SET snapshot = ? WHERE id = ?",
        Document.load(row.snapshot).snapshot(),
        document,
    )
    tamper(
        node,
        "UPDATE entries SET payload = NULL, payload_hash = ? WHERE id = ?",
        stored.entry.payload_hash,
        stored.row,
    )


def _change_payload(chunk: Chunk) -> Chunk:
    payload = chunk.payloads[0]
    assert payload is not None
    return msgspec.structs.replace(
        chunk, payloads=(payload + b"\x00", *chunk.payloads[1:])
    )


ALTERED: dict[str, Callable[[Chunk], Chunk]] = {
    "a payload": _change_payload,
    "a dropped payload": lambda c: msgspec.structs.replace(
        c, payloads=(None, *c.payloads[1:]), dropped=(bytes(32),)
    ),
    "a kind": lambda c: msgspec.structs.replace(c, kinds=("later", *c.kinds[1:])),
    "a document": lambda c: msgspec.structs.replace(
        c, documents=(bytes(16), *c.documents[1:])
    ),
    "a time": lambda c: msgspec.structs.replace(
        c, times_ms=(c.times_ms[0] + 1, *c.times_ms[1:])
    ),
    "a roster version": lambda c: msgspec.structs.replace(
        c, roster_versions=(0, *c.roster_versions[1:])
    ),
    "the order": lambda c: msgspec.structs.replace(
        c, payloads=c.payloads[::-1], documents=c.documents[::-1]
    ),
    "the end cut off": lambda c: msgspec.structs.replace(
        c,
        kinds=c.kinds[:-1],
        documents=c.documents[:-1],
        roster_versions=c.roster_versions[:-1],
        times_ms=c.times_ms[:-1],
        payloads=c.payloads[:-1],
    ),
    "the scope": lambda c: msgspec.structs.replace(
        c, stream=msgspec.structs.replace(c.stream, scope=TOWN)
    ),
    "the epoch": lambda c: msgspec.structs.replace(
        c, stream=msgspec.structs.replace(c.stream, epoch=2)
    ),
    "the signature": lambda c: msgspec.structs.replace(
        c,
        checkpoint=msgspec.structs.replace(c.checkpoint, signature=bytes(64)),
    ),
    "a short signature": lambda c: msgspec.structs.replace(
        c, checkpoint=msgspec.structs.replace(c.checkpoint, signature=b"")
    ),
    "the hash": lambda c: msgspec.structs.replace(
        c, checkpoint=msgspec.structs.replace(c.checkpoint, hash=bytes(32))
    ),
    "columns of unequal length": lambda c: msgspec.structs.replace(
        c, kinds=c.kinds[:-1]
    ),
    "a kind without end": lambda c: msgspec.structs.replace(
        c, kinds=("x" * 25, *c.kinds[1:])
    ),
    "nothing in it": lambda c: msgspec.structs.replace(
        c, kinds=(), documents=(), roster_versions=(), times_ms=(), payloads=()
    ),
    "a scope that is none": lambda c: msgspec.structs.replace(
        c, stream=msgspec.structs.replace(c.stream, scope=VILLAGE + "x")
    ),
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_what_a_relay_alters_is_refused_and_the_rest_goes_on(
    nodes: Three, alter: Callable[[Chunk], Chunk]
) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    for _ in range(3):
        submit(village)
    sync(village, town)
    other = submit(nodes.other_village)
    sync(nodes.other_village, town)
    changes = "SELECT count(*) FROM entries WHERE kind = 'change'"
    before = rows(district, changes)

    true = chunk_of(town, _stream(village))
    good = chunk_of(town, _stream(nodes.other_village, OTHER_VILLAGE))
    send(town, district, parcel([alter(true), good]))

    assert district.store.cases.get(other.row.document) is not None
    assert rows(district, changes)[0][0] == before[0][0] + 1
    assert [word for word, _ in refusals(district)] == ["chunk"]
    sync(town, district)
    assert shared_digests(town, district)
    assert district.store.documents.count() == 4


def test_a_relay_cannot_sign_for_the_author(nodes: Three) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    submit(village)
    sync(village, town)
    chunk = _change_payload(chunk_of(town, _stream(village)))
    from sync.stream import genesis, link, unpack

    previous = genesis(chunk.stream)
    for entry in unpack(chunk):
        previous = link(previous, entry)
    own = sign_checkpoint(town.secrets.sign_key, chunk.stream, 1, previous)

    send(town, district, parcel([msgspec.structs.replace(chunk, checkpoint=own)]))

    assert district.store.documents.count() == 0
    assert "signature does not hold" in refusals(district)[0][1]


def test_a_village_cannot_bring_what_it_does_not_share(nodes: Three) -> None:
    submit(nodes.other_village)
    theirs = chunk_of(nodes.other_village, _stream(nodes.other_village, OTHER_VILLAGE))
    before = digests(nodes.town)

    send(nodes.village, nodes.town, parcel([theirs]))

    # Only its own stream goes on, with the record that it was asked.
    assert digests(nodes.town) | {TOWN: ""} == before | {TOWN: ""}
    assert "the sender does not share the scope" in refusals(nodes.town)[0][1]


def test_a_village_is_not_given_what_it_does_not_share(nodes: Three) -> None:
    submit(nodes.other_village)
    sync(nodes.other_village, nodes.town)
    theirs = chunk_of(nodes.town, _stream(nodes.other_village, OTHER_VILLAGE))

    send(nodes.town, nodes.village, parcel([theirs]))

    assert nodes.village.store.documents.count() == 0
    assert "this node does not share" in refusals(nodes.village)[0][1]


@pytest.mark.parametrize("who", ["village", "town"])
def test_only_the_district_publishes_to_all(nodes: Three, who: str) -> None:
    node: Node = getattr(nodes, who)
    receiver = nodes.town if who == "village" else nodes.district
    body = nodes.district.store.registry.current_packages()[0].body
    put_entry(node, b"", body, kind="publication", scope=PUBLIC)

    send(node, receiver, parcel([chunk_of(node, _stream(node, PUBLIC))]))

    assert "may not publish to all" in refusals(receiver)[0][1]
    assert rows(receiver, "SELECT count(*) FROM packages") == [(3,)]


def test_a_publication_outside_public_is_only_kept(nodes: Three) -> None:
    body = nodes.district.store.registry.current_packages()[0].body
    put_entry(nodes.village, b"", body, kind="publication", scope=VILLAGE)
    put_entry(nodes.village, b"", body, kind="roster", scope=VILLAGE)

    sync_all(nodes)

    kept = nodes.district.store.journal.entries(_stream(nodes.village), 1, 9)
    assert [one.verdict for one in kept] == ["kept", "kept"]
    assert rows(nodes.district, "SELECT max(entry) FROM packages")[0][0] < kept[0].row


# -- bytes -------------------------------------------------------------------------


def test_a_flipped_byte_anywhere_is_refused_with_a_sentence(nodes: Three) -> None:
    for _ in range(3):
        submit(nodes.village)
    data = bundle_for(nodes.village, nodes.town)
    before = digests(nodes.town)
    chance = random.Random(7)
    places = [*range(100), *(chance.randrange(100, len(data)) for _ in range(100))]

    for at in places:
        broken = bytearray(data)
        broken[at] ^= 1 << chance.randrange(8)
        with pytest.raises(PeerFault) as caught:
            answer(nodes.town, bytes(broken))
        assert len(str(caught.value)) > 20
        assert Path(caught.traceback[-1].path).parent.name == "sync"

    assert digests(nodes.town) == before
    answer(nodes.town, data)
    assert nodes.town.store.documents.count() == 3


def test_a_bundle_cut_anywhere_is_refused(nodes: Three) -> None:
    submit(nodes.village)
    data = bundle_for(nodes.village, nodes.town)
    before = digests(nodes.town)

    for length in [*range(0, len(data), 17), len(data) - 1]:
        with pytest.raises(PeerFault):
            answer(nodes.town, data[:length])
    for more in (b"\x00", data):
        with pytest.raises(PeerFault):
            answer(nodes.town, data + more)

    assert digests(nodes.town) == before


def test_a_bundle_for_another_node_is_not_opened(nodes: Three) -> None:
    submit(nodes.village)
    data = bundle_for(nodes.village, nodes.town)

    with pytest.raises(NotForUs):
        answer(nodes.district, data)

    assert nodes.district.store.documents.count() == 0


def test_a_bundle_of_a_later_format_says_so(nodes: Three) -> None:
    data = bytearray(bundle_for(nodes.village, nodes.town))
    data[len(bundle.MAGIC)] += 1

    with pytest.raises(TooNew, match="upgrade this node"):
        answer(nodes.town, bytes(data))


def test_a_bundle_s_answer_is_of_no_use_to_who_repeats_it(nodes: Three) -> None:
    """A replay answers the true sender only: sealed to it, and saying nothing new."""
    submit(nodes.village)
    data = bundle_for(nodes.village, nodes.town)
    answer(nodes.town, data)
    before = digests(nodes.town)

    again = answer(nodes.town, data)

    assert digests(nodes.town) == before
    with pytest.raises(NotForUs):
        hearing.open_bundle(nodes.other_village, again)


def test_an_answer_of_somebody_else_is_refused(nodes: Three) -> None:
    submit(nodes.village)
    peer = peers.find_neighbour(nodes.village)

    def somebody_else(run: Iterator[bytes]) -> Iterator[bytes]:
        assert list(run)
        yield wrap(nodes.other_village, nodes.village, parcel())

    with pytest.raises(NotTrusted, match="another node has answered"):
        talk.sync_over(nodes.village, peer, somebody_else)

    assert nodes.village.store.registry.peer(peer.node).failures == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"\x95", b"\xc0", b"\xff" * 100, b"\x95\xc4\x20" + bytes(32)],
    ids=str,
)
def test_a_body_that_is_no_parcel_is_refused(nodes: Three, body: bytes) -> None:
    data = bundle.wrap(
        body,
        sender=nodes.village.certificate,
        sign_key=nodes.village.secrets.sign_key,
        recipient=nodes.town.certificate,
        roster_version=1,
    )

    with pytest.raises(Malformed):
        answer(nodes.town, data)

    assert nodes.town.store.refusals.count() == 1


def test_unknown_extras_of_a_parcel_are_passed_over(nodes: Three) -> None:
    submit(nodes.village)
    extras = (("later", b"\x00\xff"), ("", b""))
    chunk = chunk_of(nodes.village, _stream(nodes.village))

    body = encode_parcel(
        Parcel(bytes(32), (), (chunk,), (), (), more=False, extras=extras)
    )
    data = bundle.wrap(
        body,
        sender=nodes.village.certificate,
        sign_key=nodes.village.secrets.sign_key,
        recipient=nodes.town.certificate,
        roster_version=1,
    )
    answer(nodes.town, data)

    assert nodes.town.store.documents.count() == 1


# -- vectors -----------------------------------------------------------------------


def test_nobody_acknowledges_for_another(nodes: Three) -> None:
    """The town says in the district's name that the district has it all."""
    village, town, district = nodes.village, nodes.town, nodes.district
    case = submit(village)
    sync(village, town)
    head = Head(village.id, 1, 1, village.store.journal.head(_stream(village))[1])
    vector = Vector(district.id, 1, VILLAGE, 99, 1, (head,))
    forged = sign_vector(town.secrets.sign_key, vector)

    send(town, village, parcel(vectors=[forged]))

    acknowledged = village.store.arrivals.acknowledged
    since = acknowledged(case.row.document, village.id, [district.id])
    assert since == {district.id: 0}
    assert [word for word, _ in refusals(village)] == ["vector"]


@pytest.mark.parametrize(
    ("scope", "why"),
    [
        (OTHER_VILLAGE, "the scope is not shared"),
        (TOWN, "the scope is not shared"),
        ("330881106201", "the scope is not shared"),
    ],
)
def test_a_vector_for_a_scope_that_its_holder_does_not_share_is_refused(
    nodes: Three, scope: str, why: str
) -> None:
    send(nodes.village, nodes.town, parcel(vectors=[claim(nodes.village, scope, [])]))

    assert why in refusals(nodes.town)[0][1]


def test_a_vector_of_another_history_is_refused(nodes: Three) -> None:
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)
    head = Head(nodes.village.id, 1, 1, bytes(32))

    vector = claim(nodes.town, VILLAGE, [head])
    send(nodes.town, nodes.village, parcel(vectors=[vector]))

    assert "another history" in refusals(nodes.village)[0][1]
    acknowledged = nodes.village.store.arrivals.acknowledged
    since = acknowledged(case.row.document, nodes.village.id, [nodes.town.id])
    assert since[nodes.town.id] > 0


def test_what_is_said_of_a_stream_before_it_comes_counts_when_it_comes(
    nodes: Three,
) -> None:
    """As where a line is cut behind the vectors: nobody says them again."""
    village, town, district = nodes.village, nodes.town, nodes.district
    documents = [submit(village).row.document for _ in range(2)]
    sync(village, town)
    signed = [v.signed for v in town.store.vectors.all() if v.scope == VILLAGE]
    stream = _stream(village)

    send(town, district, parcel(vectors=signed))
    send(town, district, parcel([chunk_of(village, stream, 1, 1)]))
    assert district.store.arrivals.owed_by(town.id)[0] == 1
    send(town, district, parcel([chunk_of(village, stream, 2)]))

    acknowledged = district.store.arrivals.acknowledged
    for document in documents:
        assert acknowledged(document, village.id, [town.id])[town.id] > 0


def test_a_counter_after_which_none_could_follow_is_not_taken(nodes: Three) -> None:
    """A copy of the town has signed it: the town would count on from there."""
    vector = claim(nodes.town, VILLAGE, [], MAX_COUNTER)

    send(nodes.village, nodes.town, parcel(vectors=[vector]))
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)

    ((cause, said),) = refusals(nodes.town)
    assert cause == "vector" and "no room" in said
    assert nodes.town.store.cases.get(case.row.document) is not None


def test_an_older_vector_after_a_newer_changes_nothing(nodes: Three) -> None:
    submit(nodes.village)
    sync(nodes.village, nodes.town)
    peer = peers.find_neighbour(nodes.town, nodes.village.id.hex())
    held = [
        v
        for v in speaking.shared_vectors(nodes.town, peer)
        if (v.holder, v.scope) == (nodes.town.id, VILLAGE)
    ]
    second = submit(nodes.village)
    sync(nodes.village, nodes.town)
    newer = nodes.village.store.vectors.of(nodes.town.id, VILLAGE)

    send(nodes.town, nodes.village, parcel(vectors=[v.signed for v in held]))

    assert nodes.village.store.vectors.of(nodes.town.id, VILLAGE) == newer
    acknowledged = nodes.village.store.arrivals.acknowledged
    since = acknowledged(second.row.document, nodes.village.id, [nodes.town.id])
    assert since[nodes.town.id] > 0


# -- size --------------------------------------------------------------------------


def test_a_large_backlog_goes_in_rounds_and_each_round_counts(nodes: Three) -> None:
    noise = random.Random(3)
    for _ in range(11):
        put_entry(nodes.village, b"", noise.randbytes(500 * 1024), kind="later")
    case = submit(nodes.village)
    peer = peers.find_neighbour(nodes.village)
    seen: list[int] = []

    def carry(run: Iterator[bytes]) -> Iterator[bytes]:
        conversation = answering.Answering(nodes.town)
        for data in run:
            assert len(data) <= bundle.MAX_BUNDLE_BYTES
            conversation.take(data)
            seen.append(nodes.town.store.journal.count_entries())
        return conversation.reply()

    report = talk.sync_over(nodes.village, peer, carry)

    assert report.requests == 1 and len(seen) == 12
    assert seen == sorted(set(seen))
    assert report.sent == 12
    assert nodes.town.store.cases.get(case.row.document) is not None


def test_a_cut_backlog_goes_on_where_it_was_cut(nodes: Three) -> None:
    noise = random.Random(4)
    for _ in range(20):
        put_entry(nodes.village, b"", noise.randbytes(500 * 1024), kind="later")
    peer = peers.find_neighbour(nodes.village)

    def cut_in_the_middle(run: Iterator[bytes]) -> Iterator[bytes]:
        conversation = answering.Answering(nodes.town)
        for data in islice(run, 7):
            conversation.take(data)
        next(run)  # this one is under way when the line is cut
        raise PeerUnreachable("https://test", "cut")

    with pytest.raises(PeerUnreachable):
        talk.sync_over(nodes.village, peer, cut_in_the_middle)
    held = nodes.town.store.journal.head(_stream(nodes.village))[0]
    report = sync(nodes.village, nodes.town)

    # What has arrived before the cut is not sent again, though no answer has come.
    assert held == 7
    assert report.sent == 20 - held
    assert report.requests == 2


@pytest.mark.parametrize("first", ["village", "town"])
def test_absorbing_is_the_same_whoever_begins(nodes: Three, first: str) -> None:
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)
    step(nodes.town, case.id, "accept")  # type: ignore[arg-type]
    submit(nodes.village)
    pair = (nodes.village, nodes.town)

    sync(*(pair if first == "village" else pair[::-1]))
    sync(*pair)

    assert shared_digests(*pair)
    assert causes(nodes.village) == causes(nodes.town) == []


def test_a_parcel_of_many_bad_parts_leaves_one_refusal_each(nodes: Three) -> None:
    submit(nodes.village)
    good = chunk_of(nodes.village, _stream(nodes.village))
    bad = msgspec.structs.replace(
        good, checkpoint=msgspec.structs.replace(good.checkpoint, hash=bytes(32))
    )
    sender = nodes.town.roster.latest(nodes.village.id)
    assert sender is not None

    received = absorb(nodes.town, parcel([bad, good, bad, good]), sender)

    assert (received.entries, len(received.refused)) == (1, 2)
    assert nodes.town.store.documents.count() == 1


def test_refusals_do_not_grow_without_end(nodes: Three) -> None:
    submit(nodes.village)
    good = chunk_of(nodes.village, _stream(nodes.village))
    stream = msgspec.structs.replace(good.stream, epoch=9)
    entries = nodes.village.store.journal.entries(good.stream, 1, 1)
    bad = chunk_signed(nodes.village, stream, bytes(32), [entries[0].entry])

    for _ in range(51):
        send(nodes.village, nodes.town, parcel([bad] * 20))

    assert nodes.town.store.refusals.count() == 1000


def test_a_small_parcel_of_thousands_of_bad_parts_leaves_a_few_lines(
    nodes: Three,
) -> None:
    """Each of them is an array of nothing: 213 bytes on the wire for 4096."""
    nothing = Chunk(
        StreamId(b"", 1, "x"), 1, *((),) * 7, checkpoint=Checkpoint(1, b"", b"")
    )
    vector = SignedVector(b"", b"")
    sender = nodes.town.roster.latest(nodes.village.id)
    assert sender is not None

    received = absorb(
        nodes.town, parcel([nothing] * MAX_CHUNKS, [vector] * MAX_VECTORS), sender
    )

    assert len(received.refused) == MOST_REFUSED
    kept = [said for _, said in refusals(nodes.town)]
    assert len(kept) == MOST_TOGETHER
    assert kept[0].endswith(f"(and {MOST_REFUSED - MOST_TOGETHER} more parts)")
    acts = [row.act for row in nodes.town.store.registry.audits(99)]
    assert acts.count(SCOPE_REFUSED) == 1
