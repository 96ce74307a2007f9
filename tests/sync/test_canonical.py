import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.canonical import Record, decode, encode
from sync.errors import Malformed
from sync.identity import SignedCertificate
from sync.stream import Chunk, StreamId
from sync.vector import Head, Vector

LIMIT = 1024


class Sample(Record, frozen=True):
    number: int
    text: str
    data: bytes
    many: tuple[int, ...] = ()


samples = st.builds(
    Sample,
    number=st.integers(-(2**63), 2**64 - 1),
    text=st.text(max_size=40),
    data=st.binary(max_size=300),
    many=st.lists(st.integers(-(2**63), 2**64 - 1), max_size=20).map(tuple),
)


@given(samples)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_what_is_encoded_decodes_to_the_same(sample: Sample) -> None:
    data = encode(sample)

    again = decode(data, Sample, limit_bytes=LIMIT)

    assert again == sample
    assert encode(again) == data


@given(st.binary(max_size=60))
@settings(deadline=None, derandomize=True, max_examples=400)
def test_any_bytes_are_refused_or_are_the_one_encoding(data: bytes) -> None:
    try:
        value = decode(data, Sample, limit_bytes=LIMIT)
    except Malformed:
        return

    assert encode(value) == data


@given(samples, st.data())
@settings(deadline=None, derandomize=True, max_examples=200)
def test_changed_bytes_never_mean_the_same(sample: Sample, data: st.DataObject) -> None:
    good = encode(sample)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= data.draw(st.integers(1, 255))

    try:
        value = decode(bytes(bad), Sample, limit_bytes=LIMIT)
    except Malformed:
        return

    assert value != sample


GOOD = b"\x94\x01\xa1x\xc4\x01y\x90"

NOT_CANONICAL = [
    pytest.param(b"\x94\xcc\x01\xa1x\xc4\x01y\x90", id="a number longer than needed"),
    pytest.param(b"\x94\xcd\x00\x01\xa1x\xc4\x01y\x90", id="a number in 16 bits"),
    pytest.param(b"\x94\xd0\x01\xa1x\xc4\x01y\x90", id="a positive number as signed"),
    pytest.param(
        b"\x94\xcb\x3f\xf0" + bytes(6) + b"\xa1x\xc4\x01y\x90", id="a number as float"
    ),
    pytest.param(b"\x94\x01\xd9\x01x\xc4\x01y\x90", id="a text with a long head"),
    pytest.param(b"\x94\x01\xa1x\xc5\x00\x01y\x90", id="bytes with a long head"),
    pytest.param(b"\x94\x01\xa1x\xa1y\x90", id="bytes as text"),
    pytest.param(b"\x94\x01\xc4\x01x\xc4\x01y\x90", id="a text as bytes"),
    pytest.param(b"\xdc\x00\x04\x01\xa1x\xc4\x01y\x90", id="an array with a long head"),
    pytest.param(b"\x93\x01\xa1x\xc4\x01y", id="a default left out"),
    pytest.param(b"\x95\x01\xa1x\xc4\x01y\x90\x01", id="a field too many"),
    pytest.param(GOOD + b"\x00", id="a byte behind it"),
    pytest.param(GOOD + GOOD, id="twice"),
    pytest.param(GOOD[:-1], id="cut off"),
    pytest.param(b"", id="nothing"),
    pytest.param(
        b"\x84\xa6number\x01\xa4text\xa1x\xa4data\xc4\x01y\xa4many\x90", id="a map"
    ),
    pytest.param(b"\x94\x01\xa1\xff\xc4\x01y\x90", id="a text that is not UTF-8"),
    pytest.param(b"\x94\xc0\xa1x\xc4\x01y\x90", id="nil where a number stands"),
    pytest.param(b"\x94\xc3\xa1x\xc4\x01y\x90", id="true where a number stands"),
    pytest.param(b"\x94\xd6\xff\x00\x00\x00\x01\xa1x\xc4\x01y\x90", id="a timestamp"),
    pytest.param(b"\x94\xa11\xa1x\xc4\x01y\x90", id="a number as text"),
    pytest.param(b"\xc1", id="a byte that MessagePack never uses"),
    pytest.param(
        b"\x94\x01\xdb\xff\xff\xff\xffx", id="a text of 4 GB that is not there"
    ),
    pytest.param(b"\xdd\xff\xff\xff\xff\x01", id="4 billion fields that are not there"),
]


def test_the_sample_of_the_table_below_is_good() -> None:
    assert decode(GOOD, Sample, limit_bytes=LIMIT) == Sample(1, "x", b"y")


@pytest.mark.parametrize("data", NOT_CANONICAL)
def test_another_spelling_of_the_same_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data, Sample, limit_bytes=LIMIT)


def test_one_byte_more_than_the_limit_is_refused_and_the_limit_itself_is_not() -> None:
    data = encode(Sample(1, "x" * 200, b""))

    assert decode(data, Sample, limit_bytes=len(data)).text == "x" * 200
    with pytest.raises(Malformed, match="at most"):
        decode(data, Sample, limit_bytes=len(data) - 1)


@pytest.mark.parametrize("kind", [Sample, Chunk, Vector, SignedCertificate, StreamId])
@pytest.mark.parametrize(
    "nested", [b"\x91", b"\x81\x01", b"\x94\x01\xa1x\xc4\x01y\x91"]
)
def test_a_hundred_thousand_brackets_are_refused(kind: type, nested: bytes) -> None:
    with pytest.raises(Malformed):
        decode(nested * 100_000, kind, limit_bytes=2**22)


def test_brackets_are_refused_where_anything_may_stand() -> None:
    with pytest.raises(Malformed):
        decode(b"\x91" * 100_000, msgspec.Raw | object, limit_bytes=2**20)  # type: ignore[arg-type]


def test_an_error_names_what_was_read_and_says_that_nothing_was_stored() -> None:
    with pytest.raises(Malformed) as caught:
        decode(b"\x00", Head, limit_bytes=LIMIT)

    assert caught.value.what == "Head"
    assert "nothing was stored" in str(caught.value)
