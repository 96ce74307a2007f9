import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import bundle
from sync.errors import Malformed
from sync.exchange import (
    CHUNK_ENTRIES,
    LEAST_PACE_BYTES,
    MOST_PACE_BYTES,
    SHRINKING,
    HeldVector,
    Outgoing,
    Parcel,
    Speech,
    VectorKey,
    decode_parcel,
    digest,
    encode_parcel,
    pace_after,
    pace_after_cut,
    told_after,
)
from sync.identity import holds, on_one_line
from sync.pieces import PIECE_BYTES, PIECES_LIMIT, Piece, Want
from sync.stream import (
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
from sync.vector import (
    Head,
    SignedVector,
    Span,
    Vector,
    check_vector,
    sign_vector,
)
from tests.sync.samples import (
    TOWN,
    VILLAGE,
    Someone,
    district,
    entry,
    town,
    village,
)

PEOPLE = {one.id: one for one in (district(), town(), village())}


@dataclass
class Log:
    """One stream as one node holds it."""

    entries: list[Entry] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    checkpoints: dict[int, Checkpoint] = field(default_factory=dict)


@dataclass
class Shelf:
    """A node that keeps everything in memory; it satisfies `Holdings`."""

    me: Someone
    logs: dict[StreamId, Log] = field(default_factory=dict)
    vectors: dict[VectorKey, tuple[Vector, SignedVector]] = field(default_factory=dict)
    told: dict[bytes, dict[VectorKey, int]] = field(default_factory=dict)

    # -- what a speech looks up

    def heads(self, scope: str) -> Sequence[Head]:
        return sorted(
            Head(stream.node, stream.epoch, len(log.entries), log.hashes[-1])
            for stream, log in self.logs.items()
            if stream.scope == scope
        )

    def vector_of(self, holder: bytes, scope: str) -> Vector | None:
        found = self.vectors.get((holder, scope))
        return found[0] if found else None

    def read_chunk(self, span: Span, max_entries: int, max_bytes: int) -> Chunk | None:
        log = self.logs[span.stream]
        last, size = span.first - 1, 0
        for one in log.entries[span.first - 1 : span.last]:
            size += len(one.payload or b"")
            if last >= span.first and (
                size > max_bytes or last - span.first + 1 >= max_entries
            ):
                break
            last += 1
        if span.stream.node == self.me.id:
            checkpoint = sign_checkpoint(
                self.me.sign_key, span.stream, last, log.hashes[last - 1]
            )
        else:
            cuts = [n for n in log.checkpoints if span.first <= n <= span.last]
            if not cuts:
                return None
            fitting = [n for n in cuts if n <= last]
            last = max(fitting) if fitting else min(cuts)
            checkpoint = log.checkpoints[last]
        return pack(span.stream, log.entries[span.first - 1 : last], checkpoint)

    # -- what a node does

    def write(self, scope: str, payload: bytes) -> None:
        stream = StreamId(self.me.id, 1, scope)
        log = self.logs.setdefault(stream, Log())
        one = entry(len(log.entries) + 1, payload)
        self._append(stream, log, one)

    def speech(
        self, peer: Someone, wants: Sequence[Want] = (), pieces: Sequence[Piece] = ()
    ) -> Speech:
        scopes = [
            scope
            for scope in {stream.scope for stream in self.logs}
            if holds(self.me.certificate, scope) and holds(peer.certificate, scope)
        ]
        for scope in scopes:
            self._sign_vector(scope)
        return Speech(
            self,
            peer.id,
            scopes,
            self.shared(peer),
            self.told.get(peer.id, {}),
            wants,
            pieces,
        )

    def compose(self, peer: Someone, limit_bytes: int = 2**20) -> Outgoing:
        """Return a run of one parcel, believed to arrive."""
        outgoing = self.speech(peer).parcel(limit_bytes, is_end=True)
        assert outgoing is not None
        self.told[peer.id] = outgoing.told
        return outgoing

    def shared(self, peer: Someone) -> list[HeldVector]:
        return [
            HeldVector(holder, scope, vector.counter, signed)
            for (holder, scope), (vector, signed) in sorted(self.vectors.items())
            if holds(self.me.certificate, scope)
            and holds(peer.certificate, scope)
            and on_one_line(PEOPLE[holder].certificate, peer.certificate)
        ]

    def absorb(self, sender: Someone, parcel: Parcel) -> int:
        """Take in what fits; return how many entries were new."""
        new = 0
        for chunk in parcel.chunks:
            author = PEOPLE[chunk.stream.node].certificate
            check_checkpoint(author.sign_key, chunk.stream, chunk.checkpoint)
            log = self.logs.get(chunk.stream, Log())
            if chunk.first > len(log.entries) + 1:
                continue  # a gap: what is missing was lost, and is owed again
            for one in unpack(chunk):
                if one.sequence == len(log.entries) + 1:
                    self.logs.setdefault(chunk.stream, log)
                    self._append(chunk.stream, log, one)
                    new += 1
                else:
                    assert log.entries[one.sequence - 1] == one
            at = chunk.checkpoint.sequence
            assert log.hashes[at - 1] == chunk.checkpoint.hash
            log.checkpoints[at] = chunk.checkpoint
        received: dict[VectorKey, int] = {}
        for signed in parcel.vectors:
            vector = signed.read()
            check_vector(PEOPLE[vector.holder].certificate.sign_key, signed)
            received[vector.holder, vector.scope] = vector.counter
            known = self.vector_of(vector.holder, vector.scope)
            if known is None or known.counter < vector.counter:
                self.vectors[vector.holder, vector.scope] = (vector, signed)
        self.told[sender.id] = told_after(
            self.told.get(sender.id, {}), received, parcel.knows
        )
        return new

    def _append(self, stream: StreamId, log: Log, one: Entry) -> None:
        previous = log.hashes[-1] if log.hashes else genesis(stream)
        log.entries.append(one)
        log.hashes.append(link(previous, one))

    def _sign_vector(self, scope: str) -> None:
        heads = tuple(self.heads(scope))
        known = self.vector_of(self.me.id, scope)
        if known is None or known.heads != heads:
            counter = known.counter + 1 if known else 1
            vector = Vector(self.me.id, 1, scope, counter, 1000, heads)
            signed = sign_vector(self.me.sign_key, vector)
            self.vectors[self.me.id, scope] = (vector, signed)


def talk(one: Shelf, other: Shelf) -> tuple[Outgoing, Outgoing]:
    """Carry a parcel there and the answer back, as bytes."""
    there = one.compose(other.me)
    other.absorb(one.me, decode_parcel(encode_parcel(there.parcel)))
    back = other.compose(one.me)
    one.absorb(other.me, decode_parcel(encode_parcel(back.parcel)))
    return there, back


def is_quiet(outgoing: Outgoing) -> bool:
    return not (outgoing.entries or outgoing.parcel.vectors or outgoing.parcel.more)


def a_pair() -> tuple[Shelf, Shelf]:
    return Shelf(village()), Shelf(town())


# -- one exchange -------------------------------------------------------------


def test_what_is_new_goes_up_and_its_acknowledgement_comes_back_at_once() -> None:
    below, above = a_pair()
    below.write(VILLAGE, b"one")
    below.write(VILLAGE, b"two")

    there, back = talk(below, above)

    assert there.entries == 2 and back.entries == 0
    known = below.vector_of(town().id, VILLAGE)
    assert known is not None and list(known.heads) == below.heads(VILLAGE)


def test_nothing_new_is_a_small_parcel_and_a_small_bundle() -> None:
    below, above = a_pair()
    for number in range(500):
        below.write(VILLAGE, b"%d" % number)
        above.write(VILLAGE, b"%d" % number)
    for _ in range(3):
        talk(below, above)

    there, back = talk(below, above)

    for said in (there, back):
        assert is_quiet(said)
        body = encode_parcel(said.parcel)
        assert len(body) < 100
        wrapped = bundle.wrap(
            body,
            sender=village().certificate,
            sign_key=village().sign_key,
            recipient=town().certificate,
            roster_version=3,
        )
        assert len(wrapped) < 300


def test_a_parcel_that_was_lost_is_made_good_by_the_next() -> None:
    below, above = a_pair()
    below.write(VILLAGE, b"one")
    below.compose(town())  # lost on the way, but believed told

    first, _ = talk(below, above)
    for _ in range(2):
        talk(below, above)

    assert first.entries == 1
    assert above.heads(VILLAGE) == below.heads(VILLAGE)
    assert all(is_quiet(said) for said in talk(below, above))


def test_an_answer_that_was_lost_is_made_good_by_the_next() -> None:
    below, above = a_pair()
    below.write(VILLAGE, b"one")
    above.absorb(village(), below.compose(town()).parcel)
    above.compose(village())  # lost: below does not know that above has it

    for _ in range(3):
        talk(below, above)

    known = below.vector_of(town().id, VILLAGE)
    assert known is not None and list(known.heads) == below.heads(VILLAGE)
    assert all(is_quiet(said) for said in talk(below, above))


def test_a_village_learns_that_the_district_has_its_case() -> None:
    below, above, top = Shelf(village()), Shelf(town()), Shelf(district())
    below.write(VILLAGE, b"one")

    talk(below, above)
    talk(above, top)
    talk(below, above)

    known = below.vector_of(district().id, VILLAGE)
    assert known is not None and list(known.heads) == below.heads(VILLAGE)


def test_a_scope_that_the_peer_does_not_share_is_not_told() -> None:
    below, above = a_pair()
    above.write(TOWN, b"of the town")
    above.write(VILLAGE, b"of the village")
    below.write(VILLAGE, b"mine")

    for _ in range(3):
        _, back = talk(below, above)
        assert {chunk.stream.scope for chunk in back.parcel.chunks} <= {VILLAGE}
        assert {v.read().scope for v in back.parcel.vectors} <= {VILLAGE}


# -- limits -------------------------------------------------------------------


def test_what_does_not_fit_into_a_parcel_comes_with_the_next() -> None:
    below, above = a_pair()
    for _ in range(50):
        below.write(VILLAGE, bytes(1000))
    parcels = []

    for _ in range(20):
        said = below.compose(town(), limit_bytes=5000 // SHRINKING)
        parcels.append(said)
        above.absorb(village(), said.parcel)
        below.absorb(town(), above.compose(village()).parcel)
        if not said.parcel.more:
            break

    assert len(parcels) > 9
    assert [one.parcel.more for one in parcels[:-1]] == [True] * (len(parcels) - 1)
    assert sum(one.entries for one in parcels) == 50  # nothing was sent twice
    for one in parcels:
        payloads = [p for chunk in one.parcel.chunks for p in chunk.payloads]
        assert sum(len(p) for p in payloads if p) <= 5000
    assert above.heads(VILLAGE) == below.heads(VILLAGE)


def test_a_long_stream_travels_in_chunks_of_some_hundred_entries() -> None:
    below, above = a_pair()
    for _ in range(2 * CHUNK_ENTRIES + 1):
        below.write(VILLAGE, b"x")

    there, _ = talk(below, above)

    assert [len(c.kinds) for c in there.parcel.chunks] == [
        CHUNK_ENTRIES,
        CHUNK_ENTRIES,
        1,
    ]
    assert above.heads(VILLAGE) == below.heads(VILLAGE)


@pytest.mark.parametrize("payload", [b"", b"x", None])
def test_a_parcel_of_entries_without_payload_has_a_limit_too(
    payload: bytes | None,
) -> None:
    below, _ = a_pair()
    for _ in range(5 * CHUNK_ENTRIES):
        below.write(VILLAGE, payload or b"")
    if payload is None:
        for log in below.logs.values():
            log.entries = [replace(one, payload=None) for one in log.entries]

    said = below.compose(town(), limit_bytes=4096)

    assert len(encode_parcel(said.parcel)) < 3 * SHRINKING * 4096


def test_a_run_goes_on_where_the_parcel_before_it_ended() -> None:
    below, above = a_pair()
    for _ in range(50):
        below.write(VILLAGE, bytes(1000))
    speech = below.speech(town())
    run = []

    while said := speech.parcel(3000):
        run.append(said)
        above.absorb(village(), said.parcel)

    assert len(run) > 3
    assert [one.is_last for one in run] == [False] * (len(run) - 1) + [True]
    assert not any(one.parcel.more for one in run)
    assert sum(one.entries for one in run) == 50
    assert above.heads(VILLAGE) == below.heads(VILLAGE)


def test_a_run_has_at_least_one_parcel() -> None:
    below, _ = a_pair()
    speech = below.speech(town())

    first, second = speech.parcel(1000), speech.parcel(1000)

    assert first is not None and first.is_last and first.entries == 0
    assert second is None


def test_who_has_not_heard_all_vectors_does_not_compare() -> None:
    top = Shelf(district())
    for number in range(300):
        top.write(f"{330881105000 + number:012d}", b"x")
    speech = top.speech(district())

    run = []
    while said := speech.parcel(2000):
        run.append(said)

    is_digest = [bool(one.parcel.knows) for one in run]
    after = is_digest.index(True)
    assert after > 2 and all(is_digest[after:])
    assert sum(len(one.parcel.vectors) for one in run[after + 1 :]) == 0


def test_vectors_can_be_told_without_entries_to_ask_what_has_arrived() -> None:
    below, _ = a_pair()
    below.write(VILLAGE, b"x")

    said = below.speech(town()).parcel(1000, with_chunks=False)

    assert said is not None and said.parcel.vectors and not said.parcel.chunks
    assert not said.is_last


@pytest.mark.parametrize(
    ("pace", "sent", "took_s", "after"),
    [
        (LEAST_PACE_BYTES, 1000, 0.001, LEAST_PACE_BYTES),  # too little to tell
        (LEAST_PACE_BYTES, 10**6, 1.0, MOST_PACE_BYTES),
        (MOST_PACE_BYTES, 160_000, 20.0, LEAST_PACE_BYTES),  # 64 kbit/s
        (MOST_PACE_BYTES, 500_000, 20.0, 50_000),
        (MOST_PACE_BYTES, 10**6, 0.0, MOST_PACE_BYTES),
    ],
)
def test_bundles_are_as_large_as_the_line_carries_in_two_seconds(
    pace: int, sent: int, took_s: float, after: int
) -> None:
    assert pace_after(pace, sent, took_s) == after


def test_after_a_cut_bundles_are_half_as_large() -> None:
    assert pace_after_cut(MOST_PACE_BYTES) == MOST_PACE_BYTES // 2
    assert pace_after_cut(LEAST_PACE_BYTES) == LEAST_PACE_BYTES


def test_public_goes_first_then_the_wider_scopes() -> None:
    top, above = Shelf(district()), Shelf(town())
    for scope in (VILLAGE, "public", TOWN):
        top.write(scope, b"x")

    said = top.compose(above.me)

    assert [c.stream.scope for c in said.parcel.chunks] == ["public", TOWN, VILLAGE]


# -- what is believed ---------------------------------------------------------

A, B = (b"a" * 16, VILLAGE), (b"b" * 16, VILLAGE)

TOLD = [
    # (told before, received, what the peer's digest says, told after)
    ({}, {}, {}, {}),
    ({A: 1}, {}, {A: 1}, {A: 1}),
    ({A: 1}, {B: 2}, {A: 1, B: 2}, {A: 1, B: 2}),
    ({A: 1}, {A: 3}, {A: 3}, {A: 3}),
    ({A: 3}, {A: 1}, {A: 3}, {A: 3}),  # an old word does not undo a newer
    ({A: 3}, {}, {A: 2}, {}),  # it lacks something: say everything again
    ({A: 3, B: 1}, {B: 2}, {B: 2}, {B: 2}),  # but not what it has said itself
    ({A: 1}, {}, {A: 1, B: 1}, {}),  # it knows more than we believed
]


@pytest.mark.parametrize(("told", "received", "knows", "after"), TOLD)
def test_belief_gives_way_to_the_digest(
    told: dict[VectorKey, int],
    received: dict[VectorKey, int],
    knows: dict[VectorKey, int],
    after: dict[VectorKey, int],
) -> None:
    assert told_after(told, received, digest(knows)) == after


def test_a_digest_does_not_depend_on_the_order_but_on_each_counter() -> None:
    assert digest({A: 1, B: 2}) == digest({B: 2, A: 1})
    different = [{}, {A: 1}, {A: 2}, {B: 1}, {A: 1, B: 1}, {(A[0], TOWN): 1}]
    assert len({digest(one) for one in different}) == len(different)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xc1", encode_parcel(Parcel(b"", (), (), (), (), False))[:-1], bytes(50)],
)
def test_a_body_that_is_no_parcel_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode_parcel(body)


_EMPTY_PARTS = {
    "vectors": (b"\x92\xc4\x00\xc4\x00", b"\x95\xc4\x00", b"\x90\xc2\x90"),
    "extras": (b"\x92\xa0\xc4\x00", b"\x95\xc4\x00\x90\x90\xc2", b""),
}

_CHILD = """
import sys
from tests.sync.memory import peak_mib
from sync.errors import Malformed
from sync.exchange import decode_parcel
try:
    decode_parcel(sys.stdin.buffer.read())
except Malformed:
    pass
print(peak_mib())
"""


@pytest.mark.parametrize("parts", sorted(_EMPTY_PARTS))
def test_a_parcel_of_millions_of_empty_parts_takes_little_memory(parts: str) -> None:
    one, before, after = _EMPTY_PARTS[parts]
    count = 32_000_000 // len(one)
    body = before + b"\xdd" + count.to_bytes(4, "big") + one * count + after

    done = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=body,
        capture_output=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert done.returncode == 0, done.stderr.decode()[-500:]
    assert int(done.stdout) < 200


def test_unknown_extras_of_a_later_program_travel() -> None:
    parcel = Parcel(bytes(32), (), (), (), (), False, (("tomorrow", b"x"),))

    assert decode_parcel(encode_parcel(parcel)) == parcel


# -- files ---------------------------------------------------------------------------


def some_pieces(count: int, size: int = PIECE_BYTES) -> list[Piece]:
    return [Piece(b"d" * 32, n, b"", bytes([n % 256]) * size) for n in range(count)]


def run_of(speech: Speech, limit_bytes: int) -> list[Parcel]:
    made = []
    while outgoing := speech.parcel(limit_bytes):
        is_over = not (speech._news or speech._span or speech._piece)
        assert outgoing.is_last == is_over
        made.append(outgoing.parcel)
    return made


@given(
    st.integers(0, 30),
    st.integers(0, 600),
    st.sampled_from([1, LEAST_PACE_BYTES, 100_000, MOST_PACE_BYTES, 2**24]),
)
@settings(deadline=None, derandomize=True, max_examples=60)
def test_pieces_go_in_order_behind_all_entries_and_wants_go_first(
    entries: int, count: int, limit_bytes: int
) -> None:
    shelf = Shelf(village())
    for number in range(entries):
        shelf.write(VILLAGE, bytes([number]) * 3000)
    wants, pieces = [Want(b"w" * 32, 7)], some_pieces(count, 2048)

    made = run_of(shelf.speech(town(), wants, pieces), limit_bytes)

    assert [one.wants for one in made] == [tuple(wants)] + [()] * (len(made) - 1)
    assert [piece for one in made for piece in one.pieces] == pieces
    first = next((n for n, one in enumerate(made) if one.pieces), len(made))
    assert not any(one.chunks for one in made[first + 1 :])
    for one in made:
        size = sum(len(piece.data) for piece in one.pieces)
        assert len(one.pieces) <= PIECES_LIMIT
        assert size <= limit_bytes + 2048
        assert decode_parcel(encode_parcel(one)) == one


def test_a_line_too_slow_for_a_piece_gets_one_at_a_time() -> None:
    made = run_of(Shelf(village()).speech(town(), (), some_pieces(3)), 1)

    assert [len(one.pieces) for one in made] == [1, 1, 1]


def test_a_run_that_ends_with_pieces_left_says_so() -> None:
    speech = Shelf(village()).speech(town(), (), some_pieces(3))

    first = speech.parcel(LEAST_PACE_BYTES, is_end=True)

    assert first is not None
    assert first.parcel.more and not first.is_last and len(first.parcel.pieces) == 1


def test_a_question_takes_no_pieces_with_it() -> None:
    speech = Shelf(village()).speech(town(), [Want(b"w" * 32, 0)], some_pieces(2))

    first = speech.parcel(LEAST_PACE_BYTES, with_chunks=False)

    assert first is not None
    assert first.parcel.wants and not first.parcel.pieces and not first.is_last
