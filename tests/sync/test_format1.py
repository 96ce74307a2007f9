"""What was written in format 1 opens for ever, byte by byte as it was meant then."""

from io import BytesIO
from pathlib import Path

import pytest

from sync.bundle import LAST_OF_PACK, LAST_OF_VOLUME, ON_A_LINE, Place, unwrap
from sync.exchange import decode_parcel, encode_parcel
from sync.framing import PREFIX_BYTES
from sync.volume import Found, look_through, read_bundle
from tests.sync import example, format1

PLACES = {
    "line.run": [ON_A_LINE],
    "volume-1.lbb": [Place(3, 1, 1, 0), Place(3, 1, 2, LAST_OF_VOLUME)],
    "volume-2.lbb": [Place(3, 2, 1, LAST_OF_PACK)],
}
"""Written out once more here: whoever changes the script shall not change the test."""


def bodies_of(path: Path) -> list[bytes]:
    data = path.read_bytes()
    found = []
    while data:
        end = PREFIX_BYTES + int.from_bytes(data[:PREFIX_BYTES], "big")
        found.append(data[PREFIX_BYTES:end])
        data = data[end:]
    return found


@pytest.mark.parametrize("name", PLACES)
def test_a_run_of_format_1_opens_and_says_what_it_said(name: str) -> None:
    data = (format1.FOLDER / name).read_bytes()
    sender, recipient = example.build().certificate, format1.recipient()
    file = BytesIO(data)

    found = list(look_through(file, len(data)))
    opened = [
        unwrap(
            read_bundle(file, one),
            me=recipient.node,
            seal_key=format1.RECIPIENT_SEAL_KEY,
            find=lambda node, epoch: (
                sender if (node, epoch) == (sender.node, 1) else None
            ),
        )
        for one in found
        if isinstance(one, Found)
    ]

    assert len(opened) == len(found)
    assert [one.header.place for one in opened] == PLACES[name]
    assert [one.body for one in opened] == bodies_of(format1.FOLDER / f"{name}.bodies")
    for one in opened:
        assert encode_parcel(decode_parcel(one.body)) == one.body


def test_both_ways_of_packing_are_among_them() -> None:
    dictionaries = set()
    for name in PLACES:
        data = (format1.FOLDER / name).read_bytes()
        for found in look_through(BytesIO(data), len(data)):
            assert isinstance(found, Found)
            assert found.address.header is not None
            dictionaries.add(found.address.header.dictionary)

    assert dictionaries == {0, 1}
