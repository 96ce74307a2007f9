"""Bundles: the bytes that travel between two nodes, over HTTP and on a stick. Pure.

    magic 4 | format 1 | header length 2 | header | sealed body | signature 64

The header is clear, the body is compressed and sealed to the recipient, bound to
the header; the sender's signature covers all that stands before it. A bundle is
checked in this order: length, format, recipient, signature of an enrolled sender,
size after opening (streaming, with a hard stop), decoding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from sync import packing, seal
from sync.canonical import Record, decode, encode
from sync.errors import Malformed, NotForUs, NotTrusted, TooNew
from sync.identity import NODE_ID_BYTES, Certificate

MAGIC = b"LBB\x1a"
FORMAT = 1
MAX_BUNDLE_BYTES = 4 * 1024 * 1024
MAX_PLAIN_BYTES = 8 * 1024 * 1024
MAX_HEADER_BYTES = 512
MAX_NUMBER = 2**31
Number = Annotated[int, Meta(ge=0, lt=MAX_NUMBER)]
"""What is counted on a stick and told of it: no table can hold more than 2**63 - 1, and
nobody counts so far.
"""
LAST_OF_VOLUME, LAST_OF_PACK = 1, 2

_DOMAIN_BUNDLE = b"bundle"
_PREFIX_BYTES = len(MAGIC) + 1 + 2
LEAST_BUNDLE_BYTES = _PREFIX_BYTES + seal.SEAL_OVERHEAD_BYTES + seal.SIGNATURE_BYTES
"""With an empty header and an empty body. Below it nobody need look at a bundle: or a
run of bytes would make a job of each byte."""
MAX_START_BYTES = _PREFIX_BYTES + MAX_HEADER_BYTES
"""So much of a bundle says from whom and for whom it is."""


class Header(Record, frozen=True):
    """What a relay or a courier may see.

    `suite` names the algorithms (1: HPKE X25519/HKDF-SHA256/ChaCha20-Poly1305,
    Ed25519, zstd), `plain_bytes` is the size of the body after opening,
    `dictionary` upon what it was packed (0: nothing, see `sync.packing`). The other
    four are its `Place` on a stick.
    """

    suite: Number
    sender: bytes
    sender_epoch: Number
    recipient: bytes
    roster_version: Number
    plain_bytes: Number
    dictionary: Annotated[int, Meta(ge=0)] = 0
    pack: Number = 0
    volume: Number = 0
    part: Number = 0
    last: Number = 0

    @property
    def place(self) -> "Place":
        """Where it stands on a stick."""
        return Place(self.pack, self.volume, self.part, self.last)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bundle stands among those of a stick; all zero over a line.

    `pack` is the running number of what the sender has carried out to this
    recipient; `volume` counts its files and `part` the bundles of one, from 1;
    `last` is 1 for the last of a volume, 2 for the last of the pack.
    """

    pack: int = 0
    volume: int = 0
    part: int = 0
    last: int = 0


ON_A_LINE = Place()


@dataclass(frozen=True, slots=True)
class Address:
    """What can be told of a bundle of any format, also one to come: from whom it says
    to be, and for whom. `header` is None where the format is newer than ours.
    """

    format: int
    sender: bytes
    sender_epoch: int
    recipient: bytes
    header: Header | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle whose signature holds: who sent it, and its body."""

    header: Header
    sender: Certificate
    body: bytes


def wrap(
    body: bytes,
    *,
    sender: Certificate,
    sign_key: bytes,
    recipient: Certificate,
    roster_version: int,
    place: Place = ON_A_LINE,
) -> bytes:
    """Return `body` as a bundle that only `recipient` can open."""
    assert len(body) <= MAX_PLAIN_BYTES
    dictionary = packing.dictionary_for(len(body))
    header = encode(
        Header(
            suite=1,
            sender=sender.node,
            sender_epoch=sender.epoch,
            recipient=recipient.node,
            roster_version=roster_version,
            plain_bytes=len(body),
            dictionary=dictionary,
            pack=place.pack,
            volume=place.volume,
            part=place.part,
            last=place.last,
        )
    )
    start = MAGIC + bytes([FORMAT]) + len(header).to_bytes(2, "big") + header
    packed = packing.pack(body, dictionary)
    signed = start + seal.seal(recipient.seal_key, start, packed)
    return signed + seal.sign(sign_key, _DOMAIN_BUNDLE, signed)


def read_header(data: bytes, *, is_whole: bool = True) -> Header:
    """Return the clear header of a bundle, or of its beginning; nothing is verified.

    Raises:
        Malformed: no bundle, or a length that cannot be.
        TooNew: a format that this node does not know.
    """
    shortest = LEAST_BUNDLE_BYTES if is_whole else _PREFIX_BYTES
    if not shortest <= len(data) <= MAX_BUNDLE_BYTES:
        raise Malformed("bundle", f"{len(data)} bytes is no possible length")
    if data[: len(MAGIC)] != MAGIC:
        raise Malformed("bundle", "does not begin as a bundle does")
    if data[len(MAGIC)] > FORMAT:
        raise TooNew("bundle", data[len(MAGIC)], FORMAT)
    if data[len(MAGIC)] != FORMAT:
        raise Malformed("bundle", f"there is no format {data[len(MAGIC)]}")
    length = int.from_bytes(data[len(MAGIC) + 1 : _PREFIX_BYTES], "big")
    if length > MAX_HEADER_BYTES or len(data) < shortest + length:
        raise Malformed("bundle", "the header is cut off")
    header = decode(
        data[_PREFIX_BYTES : _PREFIX_BYTES + length],
        Header,
        limit_bytes=MAX_HEADER_BYTES,
    )
    if header.suite != 1:
        raise TooNew("bundle suite", header.suite, 1)
    if header.dictionary > packing.NEWEST_DICTIONARY:
        raise TooNew("dictionary", header.dictionary, packing.NEWEST_DICTIONARY)
    if (
        len(header.sender) != NODE_ID_BYTES
        or len(header.recipient) != NODE_ID_BYTES
        or header.plain_bytes > MAX_PLAIN_BYTES
        or header.last > LAST_OF_PACK
    ):
        raise Malformed("bundle", "the header is out of limits")
    return header


def read_address(start: bytes) -> Address:
    """Return from whom and for whom a bundle is that begins so; nothing is verified.

    Every format keeps its beginning: magic, format, length of the header, and a header
    of which the first four parts are the suite, the sender, its epoch, the recipient.

    Raises:
        Malformed: no bundle begins so.
    """
    try:
        header = read_header(start[:MAX_START_BYTES], is_whole=False)
    except TooNew:
        length = int.from_bytes(start[len(MAGIC) + 1 : _PREFIX_BYTES], "big")
        _, sender, epoch, recipient = _newer_header(
            start[_PREFIX_BYTES : _PREFIX_BYTES + length]
        )
        return Address(start[len(MAGIC)], sender, epoch, recipient, None)
    return Address(FORMAT, header.sender, header.sender_epoch, header.recipient, header)


def unwrap(
    data: bytes,
    *,
    me: bytes,
    seal_key: bytes,
    find: Callable[[bytes, int], Certificate | None],
) -> Opened:
    """Return an opened bundle.

    Args:
        data: the whole bundle.
        me: our node id.
        seal_key: our X25519 private key.
        find: the certificate of (node, epoch) if that node is enrolled.

    Raises:
        Malformed, TooNew: these are no bytes that we can read.
        NotForUs: addressed to another node; nothing was opened.
        NotTrusted: unknown sender, wrong signature, or not sealed to us.
    """
    header = read_header(data)
    if header.recipient != me:
        raise NotForUs(header.recipient.hex())
    sender = find(header.sender, header.sender_epoch)
    if sender is None:
        raise NotTrusted("bundle", f"node {header.sender.hex()} is not enrolled")
    signed, signature = data[: -seal.SIGNATURE_BYTES], data[-seal.SIGNATURE_BYTES :]
    if not seal.is_signed(sender.sign_key, _DOMAIN_BUNDLE, signed, signature):
        raise NotTrusted("bundle", "the sender's signature does not hold")
    length = int.from_bytes(data[len(MAGIC) + 1 : _PREFIX_BYTES], "big")
    start = signed[: _PREFIX_BYTES + length]
    packed = seal.unseal(seal_key, start, signed[len(start) :])
    body = packing.inflate(packed, header.plain_bytes, header.dictionary)
    return Opened(header, sender, body)


def _newer_header(data: bytes) -> tuple[int, bytes, int, bytes]:
    """Return the four parts that every header begins with."""
    try:
        parts = msgspec.msgpack.decode(data)
        first = msgspec.convert(parts[:4], tuple[Number, bytes, Number, bytes])
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise Malformed("bundle", "the header cannot be decoded") from error
    if len(first[1]) != NODE_ID_BYTES or len(first[3]) != NODE_ID_BYTES:
        raise Malformed("bundle", "the header names no nodes")
    return first
