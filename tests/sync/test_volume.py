"""Reading a volume that a stick has given back in any state."""

import random
from io import BytesIO
from itertools import pairwise

import pytest

from sync import volume
from sync.bundle import FORMAT, MAGIC, Address, Place, read_address, wrap
from sync.canonical import encode
from sync.errors import Malformed, PeerFault
from sync.framing import framed
from sync.volume import (
    Found,
    Search,
    begins_as_volume,
    look_through,
    read_bundle,
)
from tests.sync.samples import town, village

SENDER, RECIPIENT = village(), town()


def bundle(body: bytes, part: int = 1) -> bytes:
    return wrap(
        body,
        sender=SENDER.certificate,
        sign_key=SENDER.sign_key,
        recipient=RECIPIENT.certificate,
        roster_version=2,
        place=Place(1, 1, part),
    )


BUNDLES = [bundle(random.Random(n).randbytes(30 + 200 * n), n + 1) for n in range(6)]
WHOLE = b"".join(map(framed, BUNDLES))
ENDS = [len(b"".join(map(framed, BUNDLES[:count]))) for count in range(7)]


def read(data: bytes) -> tuple[list[bytes], int, bool]:
    """Return (bundles that are unhurt, damaged places, whether it ends so)."""
    file = BytesIO(data)
    good, damaged, is_cut = [], 0, False
    for found in look_through(file, len(data)):
        if isinstance(found, Found):
            if (one := read_bundle(file, found)) in BUNDLES:
                good.append(one)
        else:
            damaged += 1
            is_cut = found.is_end
    return good, damaged, is_cut


def test_a_whole_volume_gives_its_bundles_in_order() -> None:
    assert read(WHOLE) == (BUNDLES, 0, False)


def test_an_empty_file_holds_nothing() -> None:
    assert read(b"") == ([], 0, False)


def test_cut_at_every_byte_it_gives_what_stands_before() -> None:
    for cut in range(len(WHOLE)):
        good, _, is_cut = read(WHOLE[:cut])

        whole = sum(end <= cut for end in ENDS) - 1
        assert good == BUNDLES[:whole], cut
        assert is_cut == (cut not in ENDS), cut


def test_one_flipped_byte_harms_one_bundle() -> None:
    chance = random.Random(7)
    for at in sorted(chance.sample(range(len(WHOLE)), 500)):
        hurt = bytearray(WHOLE)
        hurt[at] ^= chance.randint(1, 255)

        good, _, _ = read(bytes(hurt))

        harmed = next(n for n, (a, b) in enumerate(pairwise(ENDS)) if a <= at < b)
        assert good == BUNDLES[:harmed] + BUNDLES[harmed + 1 :], at


@pytest.mark.parametrize(
    "junk",
    [b"\0" * 5000, b"junk", MAGIC * 20, b"\xff" * 4, framed(b"x" * 50), MAGIC[:2]],
)
def test_what_stands_between_bundles_is_stepped_over(junk: bytes) -> None:
    mixed = framed(BUNDLES[0]) + junk + framed(BUNDLES[1]) + framed(BUNDLES[2])

    good, damaged, is_cut = read(mixed)

    assert good == BUNDLES[:3]
    assert damaged >= 1
    assert not is_cut


def test_junk_at_both_ends_is_no_hindrance() -> None:
    good, damaged, is_cut = read(b"begin" + WHOLE + b"end")

    assert good == BUNDLES
    assert damaged == 2
    assert is_cut


def test_a_file_of_nothing_but_beginnings_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = framed(BUNDLES[1])[:90]
    reads = 0

    class Counting(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal reads
            reads += 1
            return super().read(size)

    data = start * 100_000
    found = list(look_through(Counting(data), len(data)))

    assert len(found) <= 2 * volume.MOST_FAULTS
    assert reads <= 6 * volume.MOST_FAULTS


def test_endless_bundles_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "MOST_BUNDLES", 3)

    assert read(WHOLE) == (BUNDLES[:3], 1, True)


def test_a_search_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume, "_SEARCHED_BYTES", 10_000)
    monkeypatch.setattr(volume, "_STEP_BYTES", 1000)

    assert read(b"\0" * 8_000 + WHOLE)[0] == BUNDLES
    assert read(b"\0" * 12_000 + WHOLE)[0] == []


def test_all_volumes_of_a_stick_share_one_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(volume, "_STEP_BYTES", 1000)
    search = Search(10_000)
    far = b"\0" * 8_000 + WHOLE

    found = [list(look_through(BytesIO(far), len(far), search)) for _ in range(3)]
    whole = list(look_through(BytesIO(WHOLE), len(WHOLE), search))

    assert [sum(isinstance(one, Found) for one in each) for each in found] == [
        len(BUNDLES),
        0,
        0,
    ]
    assert len(whole) == len(BUNDLES)


def test_a_volume_is_told_by_how_it_begins() -> None:
    assert begins_as_volume(WHOLE)
    assert not begins_as_volume(BUNDLES[0])
    assert not begins_as_volume(b"")


def test_a_bundle_of_a_format_to_come_still_says_for_whom_it_is() -> None:
    header = encode((7, SENDER.id, 3, RECIPIENT.id, {"new": [1, 2]}, "more"))
    start = MAGIC + bytes([FORMAT + 1]) + len(header).to_bytes(2, "big") + header

    assert read_address(start + b"whatever") == Address(
        FORMAT + 1, SENDER.id, 3, RECIPIENT.id, None
    )


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xff\xff\xff",
        encode(5),
        encode({"a": 1}),
        encode((1, 2, 3)),
        encode((1, b"short", 1, b"short")),
        encode((1, "text", 1, RECIPIENT.id)),
        encode((1, bytes(16), 2**80 % 2**63, "x")),
        b"\x91" * 400,  # deep
    ],
)
def test_a_newer_header_that_names_nobody_is_no_bundle(header: bytes) -> None:
    start = MAGIC + bytes([FORMAT + 1]) + len(header).to_bytes(2, "big") + header

    with pytest.raises(Malformed):
        read_address(start)


def test_whatever_begins_as_a_bundle_is_read_or_refused_calmly() -> None:
    chance = random.Random(3)
    for _ in range(2000):
        start = bytearray(BUNDLES[1][:80])
        for _ in range(chance.randint(1, 6)):
            start[chance.randrange(len(start))] = chance.randrange(256)
        try:
            found = read_address(bytes(start))
        except PeerFault:
            continue
        assert len(found.sender) == len(found.recipient) == 16
