from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import seal
from sync.canonical import decode, encode
from sync.errors import Malformed, NotTrusted
from sync.identity import PUBLIC
from sync.stream import (
    MAX_CHUNK_ENTRIES,
    MAX_PAYLOAD_BYTES,
    MAX_SEQUENCE,
    Checkpoint,
    Chunk,
    Entry,
    StreamId,
    check_checkpoint,
    genesis,
    link,
    pack,
    sign_checkpoint,
    unpack,
)
from tests.sync.samples import (
    OTHER_VILLAGE,
    VILLAGE,
    Someone,
    chain,
    entry,
    signed_chunk,
    town,
    village,
)

LIMIT = 2**24


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """Draw neighbouring entries, some with their payload dropped."""
    first = draw(st.integers(1, 2**20))
    payloads = draw(st.lists(st.binary(max_size=40), min_size=1, max_size=12))
    return [
        Entry(
            sequence=first + offset,
            kind=draw(st.sampled_from(["change", "batch", "未来"])),
            document=draw(st.sampled_from([b"", b"d" * 16, b"e" * 32])),
            roster_version=draw(st.integers(0, 2**30)),
            # A device's clock may be set back: times need not grow.
            written_at_ms=draw(st.integers(0, 2**52 - 1)),
            payload_hash=seal.sha256(payload),
            payload=None if draw(st.booleans()) else payload,
        )
        for offset, payload in enumerate(payloads)
    ]


@given(logs())
@settings(deadline=None, derandomize=True, max_examples=150)
def test_entries_come_back_from_a_chunk_as_they_were(entries: list[Entry]) -> None:
    stream = StreamId(village().id, 1, VILLAGE)
    checkpoint = Checkpoint(entries[-1].sequence, bytes(32), bytes(64))

    chunk = pack(stream, entries, checkpoint)
    travelled = decode(encode(chunk), Chunk, limit_bytes=LIMIT)

    assert travelled == chunk
    assert unpack(travelled) == entries


@given(logs())
@settings(deadline=None, derandomize=True, max_examples=80)
def test_a_dropped_payload_keeps_the_chain(entries: list[Entry]) -> None:
    stream = StreamId(village().id, 1, VILLAGE)
    dropped = [replace(one, payload=None) for one in entries]
    checkpoint = Checkpoint(entries[-1].sequence, bytes(32), bytes(64))

    travelled = unpack(pack(stream, dropped, checkpoint))

    assert chain(stream, travelled) == chain(stream, entries)


def test_the_chain_covers_everything_that_an_entry_says() -> None:
    previous = genesis(StreamId(village().id, 1, VILLAGE))
    one = entry(1)
    others = [
        replace(one, sequence=2),
        replace(one, kind="batch"),
        replace(one, document=b"e" * 16),
        replace(one, document=b""),
        replace(one, roster_version=2),
        replace(one, written_at_ms=one.written_at_ms + 1),
        replace(one, payload_hash=seal.sha256(b"other")),
    ]

    hashes = {link(previous, each) for each in [one, *others]}

    assert len(hashes) == 1 + len(others)
    assert link(previous, replace(one, payload=None)) == link(previous, one)
    assert link(bytes(32), one) not in hashes


def test_two_streams_begin_differently() -> None:
    streams = [
        StreamId(village().id, 1, VILLAGE),
        StreamId(village().id, 2, VILLAGE),
        StreamId(village().id, 1, PUBLIC),
        StreamId(town().id, 1, VILLAGE),
    ]

    assert len({genesis(stream) for stream in streams}) == len(streams)


# -- checkpoints --------------------------------------------------------------


def test_a_checkpoint_holds_for_its_author_stream_sequence_and_hash_only() -> None:
    author = village()
    stream, checkpoint, _ = signed_chunk(author, VILLAGE, [entry(1), entry(2)])
    public = author.certificate.sign_key
    change = msgspec.structs.replace
    bad = [
        (town().certificate.sign_key, stream, checkpoint),
        (public, change(stream, scope=OTHER_VILLAGE), checkpoint),
        (public, change(stream, epoch=2), checkpoint),
        (public, change(stream, node=town().id), checkpoint),
        (public, stream, change(checkpoint, sequence=3)),
        (public, stream, change(checkpoint, hash=bytes(32))),
        (public, stream, change(checkpoint, signature=bytes(64))),
        (public, stream, change(checkpoint, signature=b"")),
    ]

    check_checkpoint(public, stream, checkpoint)

    for case in bad:
        with pytest.raises(NotTrusted):
            check_checkpoint(*case)


def test_a_signature_over_a_vector_is_no_checkpoint() -> None:
    stream = StreamId(village().id, 1, VILLAGE)
    message = encode((stream, 1, bytes(32)))
    signature = seal.sign(village().sign_key, b"vector", message)

    with pytest.raises(NotTrusted):
        check_checkpoint(
            village().certificate.sign_key, stream, Checkpoint(1, bytes(32), signature)
        )


def test_a_checkpoint_is_the_same_whenever_it_is_signed() -> None:
    stream = StreamId(village().id, 1, VILLAGE)

    assert sign_checkpoint(village().sign_key, stream, 7, bytes(32)) == sign_checkpoint(
        village().sign_key, stream, 7, bytes(32)
    )


# -- what a chunk may not be --------------------------------------------------


def a_chunk() -> Chunk:
    entries = [
        entry(5, b"one", written_at_ms=1000),
        entry(6, None, written_at_ms=900, payload_hash=seal.sha256(b"two")),
        entry(7, b"three", kind="batch", document=b"", written_at_ms=2000),
    ]
    stream = StreamId(village().id, 1, VILLAGE)
    return pack(stream, entries, Checkpoint(7, bytes(32), bytes(64)))


def changed(**parts: object) -> Chunk:
    return msgspec.structs.replace(a_chunk(), **parts)


def checkpoint_at(sequence: int) -> Checkpoint:
    return Checkpoint(sequence, bytes(32), bytes(64))


def a_stream(**parts: object) -> StreamId:
    return msgspec.structs.replace(a_chunk().stream, **parts)


def many(count: int) -> Chunk:
    return changed(
        first=1,
        kinds=("change",) * count,
        documents=(b"",) * count,
        roster_versions=(1,) * count,
        times_ms=(1,) * count,
        payloads=(b"",) * count,
        backs=(None,) * count,
        dropped=(),
        checkpoint=checkpoint_at(count),
    )


OUT_OF_LIMITS: dict[str, Callable[[], Chunk]] = {
    "no entries": lambda: many(0),
    "too many entries": lambda: many(MAX_CHUNK_ENTRIES + 1),
    "a kind missing": lambda: changed(kinds=("change", "change")),
    "a document too many": lambda: changed(documents=(b"",) * 4),
    "a roster version missing": lambda: changed(roster_versions=(1, 1)),
    "a time missing": lambda: changed(times_ms=(1, 1)),
    "a payload missing": lambda: changed(payloads=(b"one", None)),
    "a back missing": lambda: changed(backs=(None, None)),
    "a dropped hash missing": lambda: changed(dropped=()),
    "a dropped hash too many": lambda: changed(dropped=(bytes(32),) * 2),
    "a dropped hash too short": lambda: changed(dropped=(bytes(31),)),
    "a dropped hash of nothing": lambda: changed(dropped=(b"",)),
    "a kind too long": lambda: changed(kinds=("k" * 25, "change", "batch")),
    "a document id too long": lambda: changed(documents=(bytes(33), b"", b"")),
    "a payload too long": lambda: changed(
        payloads=(bytes(MAX_PAYLOAD_BYTES + 1), None, b"")
    ),
    "a roster version below zero": lambda: changed(roster_versions=(-1, 1, 1)),
    "a roster version too high": lambda: changed(roster_versions=(2**40, 1, 1)),
    "a time before 1970": lambda: changed(times_ms=(10, -11, 0)),
    "a time beyond measure": lambda: changed(times_ms=(2**52, 0, 0)),
    "times that add up beyond measure": lambda: changed(times_ms=(2**51, 2**51, 0)),
    "a first entry of zero": lambda: changed(first=0, checkpoint=checkpoint_at(2)),
    "a first entry below zero": lambda: changed(first=-5, checkpoint=checkpoint_at(-3)),
    "a sequence too high": lambda: changed(
        first=MAX_SEQUENCE - 1, checkpoint=checkpoint_at(MAX_SEQUENCE + 1)
    ),
    "a checkpoint before the end": lambda: changed(checkpoint=checkpoint_at(6)),
    "a checkpoint beyond the end": lambda: changed(checkpoint=checkpoint_at(8)),
    "a node id too short": lambda: changed(stream=a_stream(node=bytes(15))),
    "a node id too long": lambda: changed(stream=a_stream(node=bytes(17))),
    "a scope that is none": lambda: changed(stream=a_stream(scope="everywhere")),
    "an epoch of zero": lambda: changed(stream=a_stream(epoch=0)),
    "an epoch too high": lambda: changed(stream=a_stream(epoch=2**31)),
}


@pytest.mark.parametrize("make", OUT_OF_LIMITS.values(), ids=list(OUT_OF_LIMITS))
def test_a_chunk_out_of_limits_is_refused_whole(make: Callable[[], Chunk]) -> None:
    with pytest.raises(Malformed):
        unpack(make())


def test_the_limits_themselves_are_allowed() -> None:
    full = many(MAX_CHUNK_ENTRIES)
    wide = changed(
        kinds=("k" * 24, "change", ""),
        documents=(bytes(32), b"", b""),
        payloads=(bytes(MAX_PAYLOAD_BYTES), None, b""),
        times_ms=(2**52 - 1, 0, -(2**52) + 1),
        first=MAX_SEQUENCE - 2,
        checkpoint=checkpoint_at(MAX_SEQUENCE),
    )

    assert len(unpack(full)) == MAX_CHUNK_ENTRIES
    assert len(unpack(wide)) == 3


COLUMNS: list[dict[str, object]] = [
    {"first": 6, "checkpoint": checkpoint_at(8)},
    {"kinds": ("change", "batch", "batch")},
    {"documents": (b"d" * 16, b"d" * 16, b"d")},
    {"roster_versions": (1, 2, 1)},
    {"times_ms": (1000, -100, 1101)},
    {"times_ms": (999, -99, 1100)},
    {"payloads": (b"one", None, b"threE")},
    {"dropped": (seal.sha256(b"TWO"),)},
    {"payloads": (None, b"one", b"three")},
    {"documents": (b"d" * 15, b"d" * 17, b"")},  # a border between two values moved
]


@pytest.mark.parametrize("parts", COLUMNS)
def test_a_changed_column_changes_the_hash_that_was_signed(
    parts: dict[str, object],
) -> None:
    good = chain(a_chunk().stream, unpack(a_chunk()))

    assert chain(a_chunk().stream, unpack(changed(**parts))) != good


@given(st.data())
@settings(deadline=None, derandomize=True, max_examples=300)
def test_no_flipped_byte_of_a_chunk_passes_for_the_author_s_word(
    data: st.DataObject,
) -> None:
    author = village()
    entries = [entry(1, b"one"), entry(2, None), entry(3, b"three", document=b"")]
    _, _, chunk = signed_chunk(author, VILLAGE, entries)
    good = encode(chunk)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= data.draw(st.integers(1, 255))
    assert _take(good, author) == entries

    with pytest.raises((Malformed, NotTrusted)):
        _take(bytes(bad), author)


def _take(data: bytes, author: Someone) -> list[Entry]:
    read = decode(data, Chunk, limit_bytes=LIMIT)
    found = unpack(read)
    check_checkpoint(author.certificate.sign_key, read.stream, read.checkpoint)
    if chain(read.stream, found) != read.checkpoint.hash:
        raise NotTrusted("chunk", "the chain does not fit")
    return found
