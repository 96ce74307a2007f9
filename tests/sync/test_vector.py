import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.canonical import encode
from sync.errors import Malformed, NotTrusted
from sync.stream import MAX_SEQUENCE, StreamId
from sync.vector import (
    MAX_HEADS,
    Head,
    SignedVector,
    Span,
    Vector,
    check_vector,
    owed,
    sign_vector,
)
from tests.sync.samples import VILLAGE, town, village

A, B, C = (bytes([letter]) * 16 for letter in b"abc")


def head(node: bytes, sequence: int, *, epoch: int = 1) -> Head:
    return Head(node, epoch, sequence, bytes(32))


def vector(*heads: Head, **parts: object) -> Vector:
    made = Vector(village().id, 1, VILLAGE, 1, 1_800_000_000_000, heads)
    return msgspec.structs.replace(made, **parts)


def span(node: bytes, first: int, last: int, *, epoch: int = 1) -> Span:
    return Span(StreamId(node, epoch, VILLAGE), first, last)


OWED = [
    ([], None, []),
    ([], vector(head(A, 5)), []),
    ([head(A, 5)], None, [span(A, 1, 5)]),  # never heard of the peer: everything
    ([head(A, 5)], vector(), [span(A, 1, 5)]),
    ([head(A, 5)], vector(head(A, 5)), []),
    ([head(A, 5)], vector(head(A, 4)), [span(A, 5, 5)]),
    ([head(A, 5)], vector(head(A, 9)), []),  # the peer is ahead
    ([head(A, 5)], vector(head(B, 5)), [span(A, 1, 5)]),
    ([head(B, 2), head(A, 1)], None, [span(A, 1, 1), span(B, 1, 2)]),
    (
        [head(A, 5), head(A, 2, epoch=2)],  # each epoch is a stream of its own
        vector(head(A, 5)),
        [span(A, 1, 2, epoch=2)],
    ),
    (
        [head(A, 5), head(B, 7), head(C, 1)],
        vector(head(A, 3), head(C, 1)),
        [span(A, 4, 5), span(B, 1, 7)],
    ),
]


@pytest.mark.parametrize(("mine", "theirs", "expected"), OWED)
def test_a_peer_is_owed_what_its_vector_lacks(
    mine: list[Head], theirs: Vector | None, expected: list[Span]
) -> None:
    assert owed(VILLAGE, mine, theirs) == expected


held = st.dictionaries(
    st.tuples(st.sampled_from([A, B, C]), st.integers(1, 2)), st.integers(1, 50)
)


def _heads(held_here: dict[tuple[bytes, int], int]) -> list[Head]:
    return [Head(n, e, seq, bytes(32)) for (n, e), seq in sorted(held_here.items())]


@given(held, held)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_what_is_owed_makes_both_equal(
    mine: dict[tuple[bytes, int], int], theirs: dict[tuple[bytes, int], int]
) -> None:
    spans = owed(VILLAGE, _heads(mine), vector(*_heads(theirs)))
    after = dict(theirs)
    for one in spans:
        stream = (one.stream.node, one.stream.epoch)
        assert one.first == after.get(stream, 0) + 1  # nothing twice, no gap
        after[stream] = one.last

    union = {k: max(mine.get(k, 0), theirs.get(k, 0)) for k in mine.keys() | theirs}
    assert after == union
    assert owed(VILLAGE, _heads(mine), vector(*_heads(after))) == []


@given(held, st.randoms(use_true_random=False))
@settings(deadline=None, derandomize=True, max_examples=50)
def test_what_is_owed_does_not_depend_on_the_order_of_our_heads(
    mine: dict[tuple[bytes, int], int], random: object
) -> None:
    heads = _heads(mine)
    random.shuffle(heads)  # type: ignore[attr-defined]

    assert owed(VILLAGE, heads, None) == owed(VILLAGE, _heads(mine), None)


def test_a_signed_vector_comes_back_and_holds_for_its_holder_only() -> None:
    said = vector(head(A, 1), head(B, 2))

    signed = sign_vector(village().sign_key, said)

    assert signed.read() == said
    check_vector(village().certificate.sign_key, signed)
    with pytest.raises(NotTrusted):
        check_vector(town().certificate.sign_key, signed)


def test_a_vector_changed_after_signing_does_not_hold() -> None:
    signed = sign_vector(village().sign_key, vector(head(A, 1)))
    more = SignedVector(encode(vector(head(A, 2))), signed.signature)

    assert more.read()
    with pytest.raises(NotTrusted):
        check_vector(village().certificate.sign_key, more)


BAD = {
    "heads unsorted": vector(head(B, 1), head(A, 1)),
    "epochs unsorted": vector(head(A, 1, epoch=2), head(A, 1)),
    "a head twice": vector(head(A, 1), head(A, 1)),
    "a stream twice": vector(head(A, 1), head(A, 2)),
    "too many heads": vector(
        *(head(n.to_bytes(16, "big"), 1) for n in range(MAX_HEADS + 1))
    ),
    "a holder too short": vector(holder=bytes(15)),
    "a scope that is none": vector(scope="330881"),
    "a counter of zero": vector(counter=0),
    "a counter below zero": vector(counter=-1),
    "a counter too high": vector(counter=2**53),
    "a node id too long": vector(head(A + b"a", 1)),
    "a hash too short": vector(Head(A, 1, 1, bytes(31))),
    "a sequence of zero": vector(head(A, 0)),
    "a sequence below zero": vector(head(A, -1)),
    "a sequence too high": vector(head(A, MAX_SEQUENCE + 1)),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=list(BAD))
def test_a_vector_out_of_limits_is_refused(bad: Vector) -> None:
    with pytest.raises(Malformed):
        sign_vector(village().sign_key, bad).read()


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(vector(at_ms=2**64 - 1), id="a time that SQLite cannot hold"),
        pytest.param(vector(at_ms=-1), id="a time before 1970"),
        pytest.param(vector(epoch=2**64 - 1), id="an epoch that SQLite cannot hold"),
        pytest.param(vector(head(A, 1, epoch=2**64 - 1)), id="a head's epoch likewise"),
        pytest.param(vector(head(A, 1, epoch=0)), id="a head's epoch of zero"),
    ],
)
def test_times_and_epochs_of_a_vector_have_limits_too(bad: Vector) -> None:
    with pytest.raises(Malformed):
        sign_vector(village().sign_key, bad).read()


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x96" + bytes(6), bytes(600_000)])
def test_bytes_that_are_no_vector_are_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        SignedVector(body, bytes(64)).read()
