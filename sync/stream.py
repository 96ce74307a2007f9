"""Streams, entries and checkpoints: what copies compare. Pure.

A stream is the append-only log of one author, in one epoch, in one scope. Each
entry's hash covers the hash before it, and the first covers the stream's identity;
a checkpoint is the author's signature over one such hash and so over everything
before it. The chain covers the payload by its hash, so that a node may one day drop
the payload of an archived case and the chain still verifies.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from msgspec import Meta

from sync import seal
from sync.canonical import Record, encode
from sync.errors import Malformed, NotTrusted
from sync.identity import NODE_ID_BYTES, is_scope

KIND_CHANGE = "change"  # an Automerge change of `document`
KIND_ROSTER = "roster"  # a RosterEntry
KIND_CERTIFICATE = "certificate"  # a SignedCertificate that this author has issued
KIND_PUBLICATION = "publication"  # a package for all
KIND_BATCH = "batch"  # a signed list of documents, forwarded together

MAX_SEQUENCE = 2**40
MAX_CHUNK_ENTRIES = 4096
MAX_PAYLOAD_BYTES = 512 * 1024
MAX_CHUNK_BYTES = 2 * 1024 * 1024
"""Of payload: a relay cannot cut a chunk that came to it whole."""
MAX_DOCUMENT_ID_BYTES = 32
MAX_KIND_CHARACTERS = 24

_COLUMN = Meta(max_length=MAX_CHUNK_ENTRIES)

_DOMAIN_STREAM = b"lianban/stream\x00"
_DOMAIN_ENTRY = b"lianban/entry\x00"
_DOMAIN_CHECKPOINT = b"checkpoint"


class StreamId(Record, frozen=True, order=True):
    """Whose log, since which new beginning, shared by whom."""

    node: bytes
    epoch: int
    scope: str


class Checkpoint(Record, frozen=True):
    """The author's signature over (stream, sequence, chain hash)."""

    sequence: int
    hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One element of a stream.

    `payload` is None where this copy has dropped it; its hash stays.
    `document` is empty where the entry is about no document.
    """

    sequence: int
    kind: str
    document: bytes
    roster_version: int
    written_at_ms: int
    payload_hash: bytes
    payload: bytes | None


class Chunk(Record, frozen=True):
    """Neighbouring entries of one stream as they travel, with a checkpoint over them.

    Columns, not rows: equal things side by side compress better. Neither the
    previous hash nor the payload's hash travels; the receiver computes both.
    `times_ms` are differences to the time before; a dropped payload is None and
    its hash stands in `dropped`, in order.
    """

    stream: StreamId
    first: int
    kinds: Annotated[tuple[str, ...], _COLUMN]
    documents: Annotated[tuple[bytes, ...], _COLUMN]
    roster_versions: Annotated[tuple[int, ...], _COLUMN]
    times_ms: Annotated[tuple[int, ...], _COLUMN]
    payloads: Annotated[tuple[bytes | None, ...], _COLUMN]
    dropped: Annotated[tuple[bytes, ...], _COLUMN]
    checkpoint: Checkpoint


def genesis(stream: StreamId) -> bytes:
    """Return the hash that stands before the first entry of `stream`."""
    return seal.sha256(_DOMAIN_STREAM, encode(stream))


def link(previous: bytes, entry: Entry) -> bytes:
    """Return the chain hash of `entry`, given the hash before it."""
    row = (
        entry.sequence,
        entry.kind,
        entry.document,
        entry.roster_version,
        entry.written_at_ms,
        entry.payload_hash,
    )
    return seal.sha256(_DOMAIN_ENTRY, previous, encode(row))


def sign_checkpoint(
    private: bytes, stream: StreamId, sequence: int, chain_hash: bytes
) -> Checkpoint:
    """Return our signature over everything up to `sequence`."""
    message = encode((stream, sequence, chain_hash))
    return Checkpoint(
        sequence, chain_hash, seal.sign(private, _DOMAIN_CHECKPOINT, message)
    )


def check_checkpoint(public: bytes, stream: StreamId, checkpoint: Checkpoint) -> None:
    """Check the author's signature.

    Raises:
        NotTrusted: it was not made by the owner of `public` over this stream.
    """
    message = encode((stream, checkpoint.sequence, checkpoint.hash))
    if not seal.is_signed(public, _DOMAIN_CHECKPOINT, message, checkpoint.signature):
        raise NotTrusted(
            f"checkpoint {checkpoint.sequence} of {stream.node.hex()}",
            "the author's signature does not hold",
        )


def pack(stream: StreamId, entries: Iterable[Entry], checkpoint: Checkpoint) -> Chunk:
    """Return neighbouring `entries`, at least one, as they travel."""
    rows = list(entries)
    times = [row.written_at_ms for row in rows]
    return Chunk(
        stream=stream,
        first=rows[0].sequence,
        kinds=tuple(row.kind for row in rows),
        documents=tuple(row.document for row in rows),
        roster_versions=tuple(row.roster_version for row in rows),
        times_ms=(times[0], *(b - a for a, b in pairwise(times))),
        payloads=tuple(row.payload for row in rows),
        dropped=tuple(row.payload_hash for row in rows if row.payload is None),
        checkpoint=checkpoint,
    )


def unpack(chunk: Chunk) -> list[Entry]:
    """Return the entries of a chunk, in order.

    Raises:
        Malformed: columns of unequal length, or a value out of its limits.
    """
    count = len(chunk.kinds)
    columns = (
        chunk.documents,
        chunk.roster_versions,
        chunk.times_ms,
        chunk.payloads,
    )
    if not 0 < count <= MAX_CHUNK_ENTRIES or any(len(c) != count for c in columns):
        raise Malformed("chunk", "its columns do not fit each other")
    if not (
        len(chunk.stream.node) == NODE_ID_BYTES
        and is_scope(chunk.stream.scope)
        and 1 <= chunk.stream.epoch < 2**31
        and 1 <= chunk.first <= chunk.first + count - 1 <= MAX_SEQUENCE
        and chunk.checkpoint.sequence == chunk.first + count - 1
        and chunk.payloads.count(None) == len(chunk.dropped)
        and sum(len(payload or b"") for payload in chunk.payloads) <= MAX_CHUNK_BYTES
    ):
        raise Malformed("chunk", "its head is out of limits")
    return list(_rows(chunk))


def _rows(chunk: Chunk) -> Iterator[Entry]:
    dropped = iter(chunk.dropped)
    at_ms = 0
    columns = zip(
        chunk.kinds,
        chunk.documents,
        chunk.roster_versions,
        chunk.times_ms,
        chunk.payloads,
        strict=True,
    )
    for offset, (kind, document, roster_version, step_ms, payload) in enumerate(
        columns
    ):
        at_ms += step_ms
        if (
            len(kind) > MAX_KIND_CHARACTERS
            or len(document) > MAX_DOCUMENT_ID_BYTES
            or not 0 <= roster_version < MAX_SEQUENCE
            or not 0 <= at_ms < 2**52
            or (payload is not None and len(payload) > MAX_PAYLOAD_BYTES)
        ):
            raise Malformed("chunk", f"entry {chunk.first + offset} is out of limits")
        payload_hash = next(dropped) if payload is None else seal.sha256(payload)
        if len(payload_hash) != seal.HASH_BYTES:
            raise Malformed("chunk", "a dropped payload's hash has a wrong length")
        yield Entry(
            chunk.first + offset,
            kind,
            document,
            roster_version,
            at_ms,
            payload_hash,
            payload,
        )
