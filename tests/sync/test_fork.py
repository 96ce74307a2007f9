"""Two histories of one stream: found, cut into evidence, and read again."""

import msgspec
import pytest

from sync.canonical import encode
from sync.errors import Malformed, NotTrusted
from sync.fork import (
    Evidence,
    Link,
    Tail,
    can_be_shown,
    cut,
    follow,
    parts,
    read_tail,
    show,
)
from sync.stream import (
    MAX_PAYLOAD_BYTES,
    Checkpoint,
    StreamId,
    genesis,
    link,
    pack,
    sign_checkpoint,
)
from tests.sync.samples import DISTRICT, VILLAGE, entry, key, village

STREAM = StreamId(village().id, 1, VILLAGE)


def chain(previous: bytes, first: int, *payloads: bytes) -> list[Link]:
    links = []
    for offset, payload in enumerate(payloads):
        one = entry(first + offset, payload)
        previous = link(previous, one)
        links.append((one, previous))
    return links


def tail(previous: bytes, links: list[Link], stream: StreamId = STREAM) -> Tail:
    last, chain_hash = links[-1]
    signed = sign_checkpoint(key(100), stream, last.sequence, chain_hash)
    chunk = pack(stream, [one for one, _ in links], signed)
    return Tail(previous, chunk, tuple(links))


MAIN = chain(genesis(STREAM), 1, b"1", b"2", b"3", b"4")


def main_up_to(count: int):  # type: ignore[no-untyped-def]
    hashes = [genesis(STREAM), *(chain_hash for _, chain_hash in MAIN[:count])]
    return lambda at: hashes[at] if at < len(hashes) else None


A = tail(MAIN[1][1], chain(MAIN[1][1], 3, b"a", b"aa"))
B = tail(MAIN[1][1], chain(MAIN[1][1], 3, b"b"))
AFTER_A = tail(A.last_hash, chain(A.last_hash, 5, b"aaa"))
INSIDE_A = tail(A.links[0][1], chain(A.links[0][1], 4, b"a2"))
SAME = tail(MAIN[1][1], MAIN[2:])


@pytest.mark.parametrize(
    ("main", "tails", "reached"),
    [
        (4, [A], [A]),  # the main line goes on otherwise
        (2, [A, B], [A, B]),  # the main line ends where they part
        (2, [B, A], [B, A]),
        (2, [A], []),  # one history, however it came
        (4, [SAME], []),
        (2, [SAME, SAME], []),
        (4, [AFTER_A, A], [A, AFTER_A]),  # in any order
        (4, [AFTER_A], []),  # what it stands on is not known
        (2, [A, INSIDE_A], [A, INSIDE_A]),  # it leaves a tail half way
        (1, [A, B], []),  # the main line is not there yet
        (0, [], []),
    ],
)
def test_a_parting_is_seen_whichever_side_is_known(
    main: int, tails: list[Tail], reached: list[Tail]
) -> None:
    assert parts(main_up_to(main), tails) == reached


def test_a_stream_can_part_at_its_first_entry() -> None:
    start = genesis(STREAM)
    one, other = tail(start, chain(start, 1, b"x")), tail(start, chain(start, 1, b"y"))

    assert parts(main_up_to(0), [one, other]) == [one, other]


def test_what_is_shown_reads_again() -> None:
    again = read_tail(show(A), VILLAGE)

    assert again == A


def altered(change: object) -> bytes:
    evidence = Evidence(A.previous, A.chunk)
    return encode(msgspec.structs.replace(evidence, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("payload", "scope"),
    [
        (altered({"previous": bytes(32)}), VILLAGE),
        (altered({"previous": bytes(31)}), VILLAGE),
        (
            altered({"chunk": msgspec.structs.replace(A.chunk, payloads=(b"a", b"x"))}),
            VILLAGE,
        ),
        (show(A), DISTRICT),
        (show(A)[:-1], VILLAGE),
        (b"", VILLAGE),
    ],
)
def test_evidence_that_does_not_hold_together_is_none(
    payload: bytes, scope: str
) -> None:
    with pytest.raises((Malformed, NotTrusted)):
        read_tail(payload, scope)


def test_nobody_shows_a_fork_of_what_all_share() -> None:
    stream = StreamId(village().id, 1, "public")
    start = genesis(stream)
    payload = show(tail(start, chain(start, 1, b"x"), stream))

    with pytest.raises(Malformed):
        read_tail(payload, "public")


def signed_at(*places: int):  # type: ignore[no-untyped-def]
    def find(sequence: int, chain_hash: bytes) -> Checkpoint | None:
        if sequence not in places:
            return None
        return sign_checkpoint(key(100), STREAM, sequence, chain_hash)

    return find


def test_a_long_tail_is_cut_where_its_author_has_signed() -> None:
    links = chain(genesis(STREAM), 1, *[bytes(100_000)] * 8)

    found = list(cut(STREAM, genesis(STREAM), links, signed_at(1, 2, 4, 7, 8)))

    assert [(t.chunk.first, t.chunk.checkpoint.sequence) for t in found] == [
        (1, 2),
        (3, 4),
        (5, 7),  # no signature in between: it came as one chunk
        (8, 8),
    ]
    assert [t.previous for t in found[1:]] == [t.last_hash for t in found[:-1]]
    assert all(read_tail(show(t), VILLAGE) == t for t in found)


def test_many_small_entries_are_cut_as_well() -> None:
    links = chain(genesis(STREAM), 1, *[b"x"] * 1100)

    found = list(cut(STREAM, genesis(STREAM), links, signed_at(*range(1, 1101))))

    assert sum(len(t.links) for t in found) == 1100
    assert max(len(t.links) for t in found) <= 512


def test_what_is_not_signed_is_not_shown() -> None:
    links = chain(genesis(STREAM), 1, b"1", b"2", b"3")

    found = list(cut(STREAM, genesis(STREAM), links, signed_at(2)))

    assert [t.chunk.checkpoint.sequence for t in found] == [2]
    assert list(cut(STREAM, genesis(STREAM), links, signed_at())) == []


def test_a_chunk_that_fits_into_evidence_is_one_that_can_be_shown() -> None:
    fits = tail(genesis(STREAM), chain(genesis(STREAM), 1, bytes(500_000)))
    too_large = tail(genesis(STREAM), chain(genesis(STREAM), 1, *[bytes(300_000)] * 2))

    assert can_be_shown([entry for entry, _ in fits.links])
    assert len(show(fits)) <= MAX_PAYLOAD_BYTES
    assert not can_be_shown([entry for entry, _ in too_large.links])


@pytest.mark.parametrize("count", [1, 2000, 4096])
@pytest.mark.parametrize("kind", ["x", "长" * 24])
def test_many_small_entries_behind_one_signature_can_be_shown_or_are_not_taken(
    count: int, kind: str
) -> None:
    links, previous = [], genesis(STREAM)
    for at in range(1, count + 1):
        one = entry(at, b"x", kind=kind, document=bytes(32), roster_version=2**39)
        previous = link(previous, one)
        links.append((one, previous))
    shown = show(tail(genesis(STREAM), links))

    fits = can_be_shown([one for one, _ in links])

    assert not fits or len(shown) <= MAX_PAYLOAD_BYTES
    assert fits or count == 4096 or len(kind) > 1


def test_a_chain_that_leads_elsewhere_is_not_followed() -> None:
    entries = [one for one, _ in A.links]

    assert follow(A.previous, A.chunk, entries) == A.links
    with pytest.raises(NotTrusted):
        follow(MAIN[0][1], A.chunk, entries)
