import random
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import seal
from sync.bundle import (
    FORMAT,
    MAGIC,
    MAX_BUNDLE_BYTES,
    MAX_HEADER_BYTES,
    MAX_PLAIN_BYTES,
    Header,
    Opened,
    read_header,
    unwrap,
    wrap,
)
from sync.canonical import encode
from sync.errors import Malformed, NotForUs, NotTrusted, PeerFault, TooNew
from sync.packing import DICTIONARIES
from tests.sync.samples import Someone, roster_of, town, village

SENDER, RECIPIENT = village(), town()
ROSTER = roster_of(SENDER, RECIPIENT)


def bundle(body: bytes, *, to: Someone = RECIPIENT) -> bytes:
    return wrap(
        body,
        sender=SENDER.certificate,
        sign_key=SENDER.sign_key,
        recipient=to.certificate,
        roster_version=2,
    )


def opened(data: bytes) -> Opened:
    return unwrap(
        data, me=RECIPIENT.id, seal_key=RECIPIENT.seal_key, find=ROSTER.certificate
    )


def handmade(
    packed: bytes,
    plain_bytes: int,
    *,
    suite: int = 1,
    dictionary: int = 0,
    sender: Someone = SENDER,
    prefix: bytes = MAGIC + bytes([FORMAT]),
    info: bytes | None = None,
) -> bytes:
    """Return a bundle rightly signed by an enrolled sender, with any content."""
    header = encode(
        Header(suite, sender.id, 1, RECIPIENT.id, 2, plain_bytes, dictionary)
    )
    start = prefix + len(header).to_bytes(2, "big") + header
    sealed = seal.seal(
        RECIPIENT.certificate.seal_key, start if info is None else info, packed
    )
    signed = start + sealed
    return signed + seal.sign(sender.sign_key, b"bundle", signed)


@given(st.binary(max_size=2000))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_a_body_comes_out_as_it_went_in(body: bytes) -> None:
    found = opened(bundle(body))

    assert found.body == body
    assert found.sender == SENDER.certificate
    assert found.header == Header(1, SENDER.id, 1, RECIPIENT.id, 2, len(body), 1)


def test_a_large_body_comes_out_as_it_went_in() -> None:
    body = random.Random(1).randbytes(3_000_000) + bytes(5_000_000)

    assert opened(bundle(body)).body == body


def test_a_bundle_of_nothing_is_small() -> None:
    assert len(bundle(b"")) < 250


def test_the_header_says_nothing_of_the_body() -> None:
    data = bundle(b"330881199001011234 " * 3)

    assert b"330881199001011234" not in data


# -- order of checks ----------------------------------------------------------

ENROLLED = ROSTER.certificate


def nobody(node: bytes, epoch: int) -> None:
    raise AssertionError("a sender was looked up before it was needed")


def test_a_bundle_for_another_node_stays_unopened_and_unverified() -> None:
    data = bundle(b"body", to=SENDER)
    broken = data[:-1] + bytes([data[-1] ^ 1])

    for each in (data, broken):
        with pytest.raises(NotForUs) as caught:
            unwrap(each, me=RECIPIENT.id, seal_key=b"no key is asked for", find=nobody)
        assert caught.value.recipient == SENDER.id.hex()


def test_an_unknown_sender_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(NotTrusted, match="not enrolled"):
        unwrap(
            bundle(b"body"),
            me=RECIPIENT.id,
            seal_key=b"no key is asked for",
            find=roster_of(RECIPIENT).certificate,
        )


def test_a_signature_is_checked_before_anything_is_opened() -> None:
    data = bundle(b"body")
    broken = data[:-1] + bytes([data[-1] ^ 1])

    with pytest.raises(NotTrusted, match="signature"):
        unwrap(broken, me=RECIPIENT.id, seal_key=b"not asked for", find=ENROLLED)


def test_a_sender_cannot_sign_with_another_key_than_its_own() -> None:
    data = wrap(
        b"body",
        sender=SENDER.certificate,
        sign_key=RECIPIENT.sign_key,
        recipient=RECIPIENT.certificate,
        roster_version=2,
    )

    with pytest.raises(NotTrusted, match="signature"):
        opened(data)


@pytest.mark.parametrize("version", [2, 3, 255])
def test_a_newer_format_is_kept_for_a_newer_program(version: int) -> None:
    data = bytearray(bundle(b"body"))
    data[len(MAGIC)] = version

    with pytest.raises(TooNew) as caught:
        unwrap(bytes(data), me=RECIPIENT.id, seal_key=b"not asked for", find=nobody)

    assert (caught.value.version, caught.value.known) == (version, FORMAT)
    assert "upgrade" in str(caught.value)


def test_a_newer_suite_of_algorithms_is_kept_for_a_newer_program() -> None:
    with pytest.raises(TooNew):
        opened(handmade(b"", 0, suite=2))


@pytest.mark.parametrize("dictionary", [2, 2**40])
def test_a_newer_dictionary_is_kept_for_a_newer_program(dictionary: int) -> None:
    data = handmade(b"", 0, dictionary=dictionary)

    with pytest.raises(TooNew) as caught:
        unwrap(data, me=RECIPIENT.id, seal_key=b"not asked for", find=nobody)

    assert (caught.value.version, caught.value.known) == (dictionary, 1)


def test_a_body_sealed_under_another_header_does_not_open() -> None:
    with pytest.raises(NotTrusted):
        opened(handmade(zstandard.compress(b"body"), 4, info=b"another header"))


# -- damage -------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_a_byte_changed_anywhere_in_a_small_bundle_is_a_fault_of_the_peer(
    mask: int,
) -> None:
    good = bundle(b"a small body")

    for at in range(len(good)):
        bad = good[:at] + bytes([good[at] ^ mask]) + good[at + 1 :]
        with pytest.raises(PeerFault):
            opened(bad)


def test_a_byte_changed_at_500_places_of_a_big_bundle_is_a_fault_of_the_peer() -> None:
    chance = random.Random(2)
    good = bundle(chance.randbytes(200_000))

    for at in chance.sample(range(len(good)), 500):
        bad = bytearray(good)
        bad[at] ^= chance.randrange(1, 256)
        with pytest.raises(PeerFault):
            opened(bytes(bad))


def test_a_bundle_cut_at_any_length_is_a_fault_of_the_peer() -> None:
    good = bundle(b"a small body")

    for length in range(len(good)):
        with pytest.raises(PeerFault):
            opened(good[:length])


def test_bytes_behind_a_bundle_are_a_fault_of_the_peer() -> None:
    good = bundle(b"a small body")

    for more in (b"\x00", good, bytes(1000)):
        with pytest.raises(PeerFault):
            opened(good + more)


@given(st.binary(max_size=400))
@settings(deadline=None, derandomize=True, max_examples=200)
def test_any_bytes_are_a_fault_of_the_peer(data: bytes) -> None:
    for each in (data, MAGIC + bytes([FORMAT]) + data):
        with pytest.raises(PeerFault):
            opened(each)


def test_lengths_that_no_bundle_has_are_refused() -> None:
    start = MAGIC + bytes([FORMAT])

    for data in (b"", start, start + bytes(MAX_BUNDLE_BYTES)):
        with pytest.raises(Malformed, match="no possible length"):
            read_header(data)
    for length in (MAX_HEADER_BYTES + 1, 0xFFFF, 200):
        with pytest.raises(Malformed, match="cut off"):
            read_header(start + length.to_bytes(2, "big") + bytes(300))


@pytest.mark.parametrize(
    "header",
    [
        Header(1, SENDER.id, -1, RECIPIENT.id, 2, 0),
        Header(1, SENDER.id, 2**31, RECIPIENT.id, 2, 0),
        Header(1, SENDER.id, 2**64 - 1, RECIPIENT.id, 2, 0),
        Header(1, SENDER.id, 1, RECIPIENT.id, 2**63, 0),
        Header(1, SENDER.id, 1, RECIPIENT.id, 2, 0, pack=-1),
        Header(1, SENDER.id, 1, RECIPIENT.id, 2, 0, volume=2**31),
        Header(1, SENDER.id, 1, RECIPIENT.id, 2, 0, part=2**64 - 1),
        Header(1, SENDER.id, 1, RECIPIENT.id, 2, 0, last=3),
        Header(1, SENDER.id[:-1], 1, RECIPIENT.id, 2, 0, 0),
        Header(1, SENDER.id, 1, RECIPIENT.id + b"x", 2, 0, 0),
        Header(1, SENDER.id, 1, RECIPIENT.id, 2, -1, 0),
        Header(1, SENDER.id, 1, RECIPIENT.id, 2, MAX_PLAIN_BYTES + 1, 0),
        Header(1, SENDER.id, 1, RECIPIENT.id, 2, 2**64 - 1, 0),
        Header(1, SENDER.id, 1, RECIPIENT.id, 2, 0, -1),
        Header(1, b"", 1, b"", 2, 0, 0),
    ],
)
def test_a_header_out_of_limits_is_refused(header: Header) -> None:
    data = encode(header)
    start = MAGIC + bytes([FORMAT]) + len(data).to_bytes(2, "big") + data

    with pytest.raises(Malformed, match=r"out of limits|cannot be decoded"):
        read_header(start + bytes(200))


# -- sizes that lie -----------------------------------------------------------


@pytest.mark.parametrize("said", [0, 1, 3, 5, 1000, MAX_PLAIN_BYTES])
def test_a_header_that_lies_about_the_size_is_refused(said: int) -> None:
    with pytest.raises(Malformed):
        opened(handmade(zstandard.compress(b"body"), said))


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"not zstd",
        zstandard.compress(b"body")[:-1],
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfd" + bytes(50),
        # A frame that wants a dictionary which nobody has.
        zstandard.ZstdCompressor(
            dict_data=zstandard.ZstdCompressionDict(b"dictionary" * 20)
        ).compress(b"body"),
    ],
)
def test_a_body_that_is_no_zstd_is_refused(packed: bytes) -> None:
    with pytest.raises(Malformed):
        opened(handmade(packed, 5))


GIBIBYTE = 1024 * 1024 * 1024


def _gibibyte(compressor: zstandard.ZstdCompressor, size: int = -1) -> bytes:
    frame = compressor.compressobj(size=size)
    zeros = bytes(16 * 1024 * 1024)
    parts = [frame.compress(zeros) for _ in range(GIBIBYTE // len(zeros))]
    return b"".join([*parts, frame.flush()])


@cache
def bomb() -> bytes:
    return _gibibyte(zstandard.ZstdCompressor(level=1, write_content_size=False))


@cache
def bomb_that_states_its_size() -> bytes:
    return _gibibyte(zstandard.ZstdCompressor(level=1), GIBIBYTE)


def bomb_with_a_wide_window() -> bytes:
    wide = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    frame = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    return frame.compress(bytes(2**21)) + frame.flush()


def many_small_frames() -> bytes:
    return zstandard.compress(bytes(100)) * 20_000


_CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (400 * 2**20, 400 * 2**20))
from tests.sync.memory import peak_mib
from tests.sync.test_bundle import opened
from sync.errors import Malformed
try:
    opened(sys.stdin.buffer.read())
except Malformed as error:
    print(peak_mib(), error)
"""


@cache
def bomb_upon_the_dictionary() -> bytes:
    dictionary = zstandard.ZstdCompressionDict((DICTIONARIES / "1.zdict").read_bytes())
    return _gibibyte(zstandard.ZstdCompressor(level=1, dict_data=dictionary), GIBIBYTE)


@pytest.mark.parametrize("said", [100, MAX_PLAIN_BYTES])
@pytest.mark.parametrize(
    ("make", "dictionary"),
    [
        (bomb, 0),
        (bomb, 1),
        (bomb_that_states_its_size, 0),
        (bomb_that_states_its_size, 1),
        (bomb_upon_the_dictionary, 1),
        (bomb_with_a_wide_window, 0),
        (bomb_with_a_wide_window, 1),
        (many_small_frames, 0),
        (many_small_frames, 1),
    ],
)
def test_a_bomb_is_refused_in_little_memory(
    make: Callable[[], bytes], dictionary: int, said: int
) -> None:
    data = handmade(make(), said, dictionary=dictionary)
    assert len(data) < MAX_BUNDLE_BYTES

    done = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()[-2000:]
    peak_mib, _, sentence = done.stdout.decode().partition(" ")
    assert "bundle body" in sentence
    # A third of it is the interpreter with its libraries.
    assert int(peak_mib) < 200 + said // 2**20
