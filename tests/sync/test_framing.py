import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.bundle import LEAST_BUNDLE_BYTES, MAX_BUNDLE_BYTES
from sync.errors import Malformed
from sync.framing import PREFIX_BYTES, Frames, framed

bundles = st.lists(st.binary(min_size=LEAST_BUNDLE_BYTES, max_size=2000), max_size=8)


@given(bundles, st.data())
def test_a_run_cut_into_any_pieces_gives_the_same_bundles(
    run: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(map(framed, run))
    frames = Frames()
    found: list[bytes] = []

    at = 0
    while at < len(whole):
        size = data.draw(st.integers(1, len(whole) - at))
        found += frames.feed(whole[at : at + size])
        at += size

    assert found == run
    assert frames.held_bytes == 0


@given(bundles.filter(bool), st.data())
def test_a_run_cut_off_gives_the_bundles_before_the_cut(
    run: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(map(framed, run))
    cut = data.draw(st.integers(0, len(whole) - 1))
    frames = Frames()

    found = list(frames.feed(whole[:cut]))

    assert found == run[: len(found)]
    taken = sum(PREFIX_BYTES + len(one) for one in found)
    assert frames.held_bytes == cut - taken
    assert frames.begun == whole[taken + PREFIX_BYTES : cut][:1024]


@pytest.mark.parametrize(
    "length", [0, LEAST_BUNDLE_BYTES - 1, MAX_BUNDLE_BYTES + 1, 2**32 - 1]
)
def test_a_length_that_no_bundle_has_ends_the_run(length: int) -> None:
    frames = Frames()
    good = bytes(LEAST_BUNDLE_BYTES)
    feeding = frames.feed(framed(good) + length.to_bytes(4, "big"))

    assert next(feeding) == good
    with pytest.raises(Malformed, match="no bundle"):
        next(feeding)


def test_a_length_alone_takes_no_memory() -> None:
    frames = Frames()

    assert list(frames.feed(MAX_BUNDLE_BYTES.to_bytes(4, "big"))) == []
    assert frames.held_bytes == PREFIX_BYTES
