"""Bundles: the bytes that travel between two nodes, over HTTP and on a stick. Pure.

    magic 4 | format 1 | header length 2 | header | sealed body | signature 64

The header is clear, the body is compressed and sealed to the recipient, bound to
the header; the sender's signature covers all that stands before it. A bundle is
checked in this order: length, format, recipient, signature of an enrolled sender,
size after opening (streaming, with a hard stop), decoding.
"""

from collections.abc import Callable
from dataclasses import dataclass

import zstandard

from sync import seal
from sync.canonical import Record, decode, encode
from sync.errors import Malformed, NotForUs, NotTrusted, TooNew
from sync.identity import NODE_ID_BYTES, Certificate

MAGIC = b"LBB\x1a"
FORMAT = 1
MAX_BUNDLE_BYTES = 8 * 1024 * 1024
MAX_PLAIN_BYTES = 32 * 1024 * 1024
MAX_HEADER_BYTES = 512
COMPRESSION_LEVEL = 9

_DOMAIN_BUNDLE = b"bundle"
_PREFIX_BYTES = len(MAGIC) + 1 + 2
_STEP_BYTES = 256 * 1024


class Header(Record, frozen=True):
    """What a relay or a courier may see.

    `suite` names the algorithms (1: HPKE X25519/HKDF-SHA256/ChaCha20-Poly1305,
    Ed25519, zstd), `plain_bytes` is the size of the body after opening.
    """

    suite: int
    sender: bytes
    sender_epoch: int
    recipient: bytes
    roster_version: int
    plain_bytes: int


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
) -> bytes:
    """Return `body` as a bundle that only `recipient` can open."""
    assert len(body) <= MAX_PLAIN_BYTES
    header = encode(
        Header(1, sender.node, sender.epoch, recipient.node, roster_version, len(body))
    )
    start = MAGIC + bytes([FORMAT]) + len(header).to_bytes(2, "big") + header
    packed = zstandard.ZstdCompressor(
        level=COMPRESSION_LEVEL, write_content_size=False
    ).compress(body)
    signed = start + seal.seal(recipient.seal_key, start, packed)
    return signed + seal.sign(sign_key, _DOMAIN_BUNDLE, signed)


def read_header(data: bytes) -> Header:
    """Return the clear header of a bundle; nothing is verified yet.

    Raises:
        Malformed: no bundle, or a length that cannot be.
        TooNew: a format that this node does not know.
    """
    shortest = _PREFIX_BYTES + seal.SEAL_OVERHEAD_BYTES + seal.SIGNATURE_BYTES
    if not shortest <= len(data) <= MAX_BUNDLE_BYTES:
        raise Malformed("bundle", f"{len(data)} bytes is no possible length")
    if data[: len(MAGIC)] != MAGIC:
        raise Malformed("bundle", "does not begin as a bundle does")
    if data[len(MAGIC)] != FORMAT:
        raise TooNew("bundle", data[len(MAGIC)], FORMAT)
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
    if (
        len(header.sender) != NODE_ID_BYTES
        or len(header.recipient) != NODE_ID_BYTES
        or not 0 <= header.plain_bytes <= MAX_PLAIN_BYTES
    ):
        raise Malformed("bundle", "the header is out of limits")
    return header


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
    return Opened(header, sender, _inflate(packed, header.plain_bytes))


def _inflate(packed: bytes, expected_bytes: int) -> bytes:
    """Return the body, never making more than `expected_bytes` of it.

    zstd's own limit is not used: it does not hold where the frame states a size.
    """
    parts: list[bytes] = []
    total = 0
    try:
        reader = zstandard.ZstdDecompressor(
            max_window_size=MAX_BUNDLE_BYTES
        ).stream_reader(packed, read_across_frames=False)
        while total <= expected_bytes:
            part = reader.read(min(_STEP_BYTES, expected_bytes - total + 1))
            if not part:
                break
            parts.append(part)
            total += len(part)
    except (zstandard.ZstdError, MemoryError) as error:
        raise Malformed("bundle body", "cannot be decompressed") from error
    if total != expected_bytes:
        raise Malformed("bundle body", "is not as long as the header says")
    return b"".join(parts)
