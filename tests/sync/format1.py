"""Runs of bundles of format 1 with the keys of the worked example, kept for ever.

`python -m tests.sync.format1` makes them, with what is in them beside each. Once the
format is released it is never run again: whatever comes later must open these files.
"""

from pathlib import Path

from msgspec.structs import replace

from sync import seal
from sync.bundle import LAST_OF_PACK, LAST_OF_VOLUME, ON_A_LINE, Place, wrap
from sync.exchange import encode_parcel
from sync.framing import framed
from sync.identity import Certificate, give_consent, node_id
from sync.packing import SMALL_BYTES
from sync.pieces import Piece
from tests.sync import example

FOLDER = Path(__file__).parent.parent / "data" / "format1"
RECIPIENT_SEAL_KEY = bytes(range(160, 192))

_PIECE_BYTES = 32 * 1024


def recipient() -> Certificate:
    """Return the node that opens them."""
    sign_key = seal.public_sign_key(example.RECIPIENT_SIGN_KEY)
    seal_key = seal.public_seal_key(RECIPIENT_SEAL_KEY)
    root = node_id(seal.public_sign_key(example.ROOT_KEY))
    return Certificate(
        format=1,
        node=node_id(sign_key),
        epoch=1,
        tier="town",
        division="330881105000",
        department="",
        name="示例镇",
        terminal=1,
        sign_key=sign_key,
        seal_key=seal_key,
        tls_fingerprint=bytes(32),
        rights=(),
        issuer=root,
        consent=give_consent(example.RECIPIENT_SIGN_KEY, seal_key, bytes(32), 1, root),
    )


def runs() -> dict[str, list[tuple[Place, bytes]]]:
    """Return the bodies of each run, with the place of each bundle: one on a line,
    and a pack of two volumes; small ones use the dictionary, the large one none.
    """
    parcel = example.build().parcel
    small = encode_parcel(parcel)
    empty = encode_parcel(
        replace(parcel, knows=b"", vectors=(), chunks=(), wants=(), pieces=())
    )
    count = SMALL_BYTES // _PIECE_BYTES + 1
    zeros = tuple(
        Piece(bytes([n]) * 32, n, bytes(32), bytes(_PIECE_BYTES)) for n in range(count)
    )
    large = encode_parcel(replace(parcel, pieces=zeros))
    return {
        "line.run": [(ON_A_LINE, small)],
        "volume-1.lbb": [
            (Place(3, 1, 1, 0), small),
            (Place(3, 1, 2, LAST_OF_VOLUME), empty),
        ],
        "volume-2.lbb": [(Place(3, 2, 1, LAST_OF_PACK), large)],
    }


def main() -> None:
    """Write the files; none that is there already is written over."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    sender, to = example.build().certificate, recipient()
    for name, bundles in runs().items():
        path = FOLDER / name
        if path.exists():
            raise SystemExit(f"{path} is there already and must not change")
        path.write_bytes(
            b"".join(
                framed(
                    wrap(
                        body,
                        sender=sender,
                        sign_key=example.SIGN_KEY,
                        recipient=to,
                        roster_version=1,
                        place=place,
                    )
                )
                for place, body in bundles
            )
        )
        bodies = b"".join(framed(body) for _, body in bundles)
        (FOLDER / f"{name}.bodies").write_bytes(bodies)


if __name__ == "__main__":
    main()
