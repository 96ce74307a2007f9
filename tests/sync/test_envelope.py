"""What of a change travels, and that it always comes back as it was."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import seal
from sync.actor import actor_of, document_id
from sync.canonical import decode, encode
from sync.document import Document
from sync.envelope import Parent, restore, shorten, split
from sync.errors import Malformed
from sync.identity import NODE_ID_BYTES
from sync.stream import MAX_CHUNK_BYTES, Checkpoint, Chunk, Entry, pack, unpack
from tests.sync.changes import a_case, body_of, chunk, mutants
from tests.sync.desks import STREAM, Desk, Shelf, desks, without_payload
from tests.sync.samples import VILLAGE, chain, entry

LIMIT = 2**24


@st.composite
def shelves(draw: st.DrawFn) -> tuple[Shelf, Shelf, int, int]:
    """Draw a sender, a receiver who has dropped other payloads than the sender has,
    and what part of the stream goes from one to the other.
    """
    whole = draw(desks())
    first = draw(st.integers(1, len(whole)))
    last = draw(st.integers(first, len(whole)))
    lacks = draw(st.sets(st.integers(1, len(whole)), max_size=4))
    sender = [without_payload(e) if e.sequence in lacks else e for e in whole]
    return Shelf(sender), Shelf(whole[: first - 1]), first, last


@given(shelves())
@settings(deadline=None, derandomize=True, max_examples=150)
def test_any_part_of_any_stream_arrives_as_it_was(
    drawn: tuple[Shelf, Shelf, int, int],
) -> None:
    sender, receiver, first, last = drawn

    travelled = encode(sender.chunk(first, last))
    found = receiver.read(decode(travelled, Chunk, limit_bytes=LIMIT))

    assert found == sender.entries[first - 1 : last]


@given(desks(), st.data())
@settings(deadline=None, derandomize=True, max_examples=120)
def test_a_relay_sends_on_the_very_bytes_that_came(
    entries: list[Entry], data: st.DataObject
) -> None:
    author, relay = Shelf(entries), Shelf([])
    cuts = data.draw(st.sets(st.integers(1, len(entries)))) | {len(entries)}
    first = 1
    for last in sorted(cuts):
        came = author.chunk(first, last)
        relay = Shelf([*relay.entries, *relay.read(came)])

        assert relay.chunk(first, last) == came
        first = last + 1

    assert relay.entries == entries


@given(desks())
@settings(deadline=None, derandomize=True, max_examples=100)
def test_whoever_holds_nothing_can_read_a_chunk_that_leans_on_nothing(
    entries: list[Entry],
) -> None:
    last = entries[-1]

    chunk_alone = pack(STREAM, [last], Checkpoint(last.sequence, bytes(32), bytes(64)))

    assert unpack(chunk_alone) == [last]


@given(shelves(), st.data())
@settings(deadline=None, derandomize=True, max_examples=400)
def test_what_was_altered_on_the_way_is_refused_or_breaks_the_chain(
    drawn: tuple[Shelf, Shelf, int, int], data: st.DataObject
) -> None:
    sender, receiver, first, last = drawn
    true = sender.chunk(first, last)
    false = _altered(data, true)

    try:
        found = receiver.read(false)
    except Malformed:
        return

    held = list(receiver.entries)
    assert found == sender.entries[first - 1 : last] or chain(
        STREAM, [*held, *found]
    ) != chain(STREAM, [*held, *sender.entries[first - 1 : last]])


def _altered(data: st.DataObject, true: Chunk) -> Chunk:
    """Return a chunk with one element of a column exchanged for another."""
    name, other = data.draw(
        st.one_of(
            st.tuples(
                st.just("backs"),
                st.one_of(st.none(), st.integers(-3, 30), st.integers(-(2**63), 2**64)),
            ),
            st.tuples(
                st.just("documents"),
                st.sampled_from([b"", b"d" * 16, *true.documents]),
            ),
            st.tuples(
                st.just("payloads"),
                st.one_of(
                    st.binary(max_size=80),
                    st.sampled_from(
                        [p for p in true.payloads if p is not None] or [b""]
                    ),
                ),
            ),
            st.tuples(st.just("kinds"), st.sampled_from(["change", "batch"])),
        )
    )
    column = list(getattr(true, name))
    column[data.draw(st.integers(0, len(column) - 1))] = other
    return msgspec.structs.replace(true, **{name: tuple(column)})


# -- what travels of what ------------------------------------------------------------


def a_line() -> Desk:
    """Return a document that was begun and edited twice, each upon the last."""
    desk = Desk()
    key = desk.begin()
    desk.put(key, desk.edit(key))
    desk.put(b"", b"list", "batch")
    desk.put(key, desk.edit(key))
    return desk


def test_a_case_and_its_edits_travel_without_what_follows_from_them() -> None:
    entries = a_line().entries

    travelled = Shelf(entries).chunk(1, 4)

    assert travelled.backs == (0, 1, None, 2)
    assert travelled.documents == (b"",) * 4
    for sent, whole in zip(travelled.payloads, entries, strict=True):
        assert sent is not None and whole.payload is not None
        if whole.kind == "change":
            assert STREAM.node not in sent[:NODE_ID_BYTES]
            assert whole.payload.endswith(sent[9:])
            assert len(sent) <= len(whole.payload) - 27


def test_an_edit_leans_on_an_entry_that_stands_before_its_chunk() -> None:
    entries = a_line().entries

    travelled = Shelf(entries).chunk(4, 4)

    assert travelled.backs == (2,)
    assert Shelf(entries[:3]).read(travelled) == entries[3:]
    with pytest.raises(Malformed):
        Shelf([]).read(travelled)


def test_a_change_upon_another_s_names_it_and_still_travels_short() -> None:
    desk = Desk()
    key = desk.begin()
    desk.hear(key, beside=False)
    desk.put(key, desk.edit(key))
    desk.hear(key, beside=True)
    desk.put(key, desk.edit(key))

    travelled = Shelf(desk.entries).chunk(1, 4)

    assert travelled.backs == (0, 0, 1, 0)
    assert travelled.documents == (b"", key, b"", key)
    assert [len(p) for p in travelled.payloads if p] < [
        len(e.payload) - 25 for e in desk.entries if e.payload
    ]


def test_what_the_sender_has_dropped_is_not_leant_on() -> None:
    entries = a_line().entries
    entries[1] = without_payload(entries[1])

    travelled = Shelf(entries).chunk(1, 4)

    assert travelled.backs == (0, None, None, 0)
    assert Shelf([]).read(travelled) == entries


@pytest.mark.parametrize(
    "alter",
    [
        lambda raw: chunk(body_of(raw), deflated=True),
        lambda raw: raw[:4] + bytes(4) + raw[8:],  # a checksum that does not fit
        lambda raw: raw + b"\x00",
        lambda raw: raw[:-1],
        lambda raw: raw[:9] + bytes([raw[9] | 0x80, 0x00]) + raw[10:],  # a long length
        lambda raw: b"\x86" + raw[1:],
        lambda raw: raw[:8] + b"\x03" + raw[9:],
        lambda raw: raw[:9],
        lambda raw: b"",
        lambda raw: b"\xff" * 400_000,
        lambda raw: chunk(b"\x7f" + body_of(raw)[1:]),  # 127 dependencies, cut off
        lambda raw: chunk(b"\x80\x01" + bytes(128 * 32) + body_of(raw)[1:]),
        lambda raw: chunk(body_of(raw)[:33] + b"\x17" + body_of(raw)[34:]),
    ],
)
def test_whatever_is_no_raw_change_of_ours_travels_whole(alter: object) -> None:
    desk = Desk()
    key = desk.begin()
    raw = desk.edit(key)
    desk.put(key, alter(raw))  # type: ignore[operator]
    entries = desk.entries

    travelled = Shelf(entries).chunk(2, 2)

    assert travelled.backs == (None,)
    assert travelled.payloads == (entries[1].payload,)
    assert Shelf([]).read(travelled) == entries[1:]


def test_a_deflated_change_is_not_leant_on() -> None:
    desk = Desk()
    key = desk.begin()
    desk.put(key, chunk(body_of(desk.edit(key)), deflated=True))
    desk.put(key, desk.edit(key))

    travelled = Shelf(desk.entries).chunk(1, 3)

    assert travelled.backs == (0, None, 0)
    assert Shelf([]).read(travelled) == desk.entries


def test_an_actor_of_free_choice_travels_whole() -> None:
    desk = Desk()
    key = desk.begin()
    desk.put(key, desk.edit(key, nonce=b"\x07" * 8))
    desk.put(key, desk.edit(key))

    travelled = Shelf(desk.entries).chunk(1, 3)

    assert travelled.backs == (0, None, 1)
    assert Shelf([]).read(travelled) == desk.entries


def test_a_document_begun_in_another_scope_travels_whole() -> None:
    desk = Desk()
    desk.begin("330881105202")

    travelled = Shelf(desk.entries).chunk(1, 1)

    assert travelled.backs == (None,)
    assert Shelf([]).read(travelled) == desk.entries


# -- what a chunk may not say ---------------------------------------------------------


HOSTILE: dict[str, dict[str, object]] = {
    "a step before the stream": {"at": 3, "back": 4},
    "a step to the very beginning of time": {"at": 3, "back": 2**63},
    "a step forward": {"at": 1, "back": -1},
    "a step to what is no change": {"at": 3, "back": 1},
    "a parent for what is no change": {"at": 2, "back": 1},
    "a document beside a parent": {"at": 3, "back": 2, "document": b"d" * 16},
    "a document beside a first change": {"at": 0, "back": 0, "document": b"d" * 16},
    "nothing at all": {"at": 0, "back": 0, "payload": b""},
    "a first change without its nonce": {"at": 0, "back": 0, "payload": bytes(8)},
    "dependencies cut off": {"at": 1, "back": 0, "payload": b"\x02" + bytes(63)},
    "more dependencies than can be": {
        "at": 1, "back": 0, "payload": b"\x80\x01" + bytes(5000)
    },
}  # fmt: skip


@pytest.mark.parametrize("false", HOSTILE.values(), ids=list(HOSTILE))
def test_a_change_that_cannot_be_put_together_is_refused(
    false: dict[str, object],
) -> None:
    entries = a_line().entries
    true = Shelf(entries).chunk(1, 4)
    at = false["at"]
    assert isinstance(at, int)
    backs, documents, payloads = (
        list(true.backs), list(true.documents), list(true.payloads)
    )  # fmt: skip
    backs[at] = false["back"]  # type: ignore[call-overload]
    documents[at] = false.get("document", documents[at])  # type: ignore[call-overload]
    payloads[at] = false.get("payload", payloads[at])  # type: ignore[call-overload]

    with pytest.raises(Malformed):
        unpack(
            msgspec.structs.replace(
                true,
                backs=tuple(backs),
                documents=tuple(documents),
                payloads=tuple(payloads),
            )
        )


def test_a_parent_for_a_dropped_payload_is_refused() -> None:
    entries = [without_payload(one) for one in a_line().entries]
    true = Shelf(entries).chunk(1, 4)

    for back in (0, 1):
        with pytest.raises(Malformed):
            unpack(msgspec.structs.replace(true, backs=(None, back, None, None)))


def test_the_limit_of_a_chunk_counts_what_is_restored() -> None:
    desk = Desk()
    key = desk.begin()
    size = len(desk.entries[0].payload or b"")
    room = 200_000
    count = MAX_CHUNK_BYTES // room
    for n in range(count):
        desk.put(b"", bytes([n]) * room, "batch")
    rest = MAX_CHUNK_BYTES - count * room - size
    fits = [*desk.entries, entry(count + 2, bytes(rest), kind="batch", document=b"")]
    over = [*fits[:-1], replace(fits[-1], payload=bytes(rest + 1))]

    assert key and len(Shelf([]).read(Shelf(fits).chunk(1, count + 2))) == count + 2
    with pytest.raises(Malformed, match="out of limits"):
        Shelf([]).read(Shelf(over).chunk(1, count + 2))


# -- parts ----------------------------------------------------------------------------


@given(st.binary(max_size=200))
@settings(deadline=None, derandomize=True, max_examples=150)
def test_parts_make_the_very_same_bytes_again(body: bytes) -> None:
    for payload in (body, chunk(body)):
        parts = split(payload)
        if parts:
            _comes_back(payload, parts.actor[:NODE_ID_BYTES])


def test_damaged_changes_with_a_right_checksum_come_back_as_they_were() -> None:
    bodies = [body_of(one.raw) for one in a_case()]
    short = 0
    for _, raw in mutants(seed=3, count=3000, bodies=bodies):
        parts = split(raw)
        short += parts is not None and _comes_back(raw, parts.actor[:NODE_ID_BYTES])

    assert short > 100


def _comes_back(payload: bytes, node: bytes) -> bool:
    """Check that a change is the same after its way; say whether it went short."""
    parts = split(payload)
    assert parts is not None and parts.hash == seal.sha256(payload[8:])
    document = document_id(parts.actor, VILLAGE) if parts.is_first else b"d" * 16
    parent = Parent(7, document, parts.dependencies[1:])
    for upon in (None, parent):
        short = shorten(node, VILLAGE, document, parts, upon)
        if short is None:
            return False
        said, content, leant_on = short
        assert restore(node, VILLAGE, said, content, leant_on) == (
            document,
            payload,
            parts.hash,
        )
    return True


def test_nothing_of_a_change_depends_on_its_actor_but_the_actor() -> None:
    desk = Desk()
    key = desk.begin()
    for n in range(6):
        desk.hear(key, beside=n % 2 == 0)
        before = desk.documents[key].snapshot()
        writes = {"fields": {"name": f"x{n}", "more": "y"}, "events": {f"f{n}": "z"}}
        tails = set()
        for nonce in (bytes(8), b"\xff" * 8, b"\x80" + bytes(7)):
            document = Document.load(before)
            parts = split(document.write(actor_of(STREAM.node, nonce), writes))
            assert parts is not None
            tails.add((parts.dependencies, parts.tail))

        assert len(tails) == 1


def test_the_same_words_upon_the_same_document_are_the_same_change() -> None:
    desk = Desk()
    key = desk.begin()
    before = desk.documents[key].snapshot()
    writes = {"fields": {"name": "x"}}
    one, again, other = (Document.load(before) for _ in range(3))

    first, second, third = (
        copy.write(copy.actor_for(STREAM.node, what), what)
        for copy, what in (
            (one, writes), (again, writes), (other, {"fields": {"name": "z"}})
        )
    )  # fmt: skip

    assert first == second
    parts = [split(raw) for raw in (first, third)]
    assert parts[0] and parts[1] and parts[0].actor != parts[1].actor
