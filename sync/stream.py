"""Streams, entries and checkpoints: what copies compare. Pure.

A stream is the append-only log of one author, in one epoch, in one scope. Each
entry's hash covers the hash before it, and the first covers the stream's identity;
a checkpoint is the author's signature over one such hash and so over everything
before it. The chain covers the payload by its hash, so that a node may one day drop
the payload of an archived case and the chain still verifies.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from msgspec import Meta

from sync import seal
from sync.canonical import Record, encode
from sync.envelope import Parent, change_hash, restore, shorten, split
from sync.errors import Malformed, NotTrusted
from sync.identity import NODE_ID_BYTES, is_scope

KIND_CHANGE = "change"  # an Automerge change of `document`
KIND_ROSTER = "roster"  # a RosterEntry
KIND_CERTIFICATE = "certificate"  # a SignedCertificate, in the scope of whom it is for
KIND_PUBLICATION = "publication"  # a package for all
KIND_CALENDAR = "calendar"  # the working days of a year, for all
KIND_AUDIT = "audit"  # an act that somebody must answer for
KIND_BATCH = "batch"  # a signed list of documents, forwarded together
KIND_HOLDING = "holding"  # which files of which documents this author has whole
KIND_BRANCH = "branch"  # evidence that another stream of the same scope has forked

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

    `backs` says how each payload travels: None as it is; 0 a change without what
    follows from its own bytes; n such a change without its document and what it
    builds on too, which is the change n entries back (see `sync.envelope`).
    """

    stream: StreamId
    first: int
    kinds: Annotated[tuple[str, ...], _COLUMN]
    documents: Annotated[tuple[bytes, ...], _COLUMN]
    roster_versions: Annotated[tuple[int, ...], _COLUMN]
    times_ms: Annotated[tuple[int, ...], _COLUMN]
    payloads: Annotated[tuple[bytes | None, ...], _COLUMN]
    backs: Annotated[tuple[int | None, ...], _COLUMN]
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


Before = Callable[[Sequence[bytes]], Iterable[Parent]]
"""Looks up the last change of each of some documents that stands before a chunk in
its stream."""

Held = Callable[[Sequence[int]], Iterable[Parent]]
"""Looks up the changes at some places of a chunk's stream, all before the chunk."""


def _nothing(_: Sequence[object]) -> tuple[()]:
    return ()


def pack(
    stream: StreamId,
    entries: Iterable[Entry],
    checkpoint: Checkpoint,
    before: Before = _nothing,
) -> Chunk:
    """Return neighbouring `entries`, at least one, as they travel.

    Without `before` the chunk can be read by whoever holds nothing of the stream.
    """
    rows = list(entries)
    times = [row.written_at_ms for row in rows]
    short = list(_shortened(stream, rows, before))
    return Chunk(
        stream=stream,
        first=rows[0].sequence,
        kinds=tuple(row.kind for row in rows),
        documents=tuple(document for document, _, _ in short),
        roster_versions=tuple(row.roster_version for row in rows),
        times_ms=(times[0], *(b - a for a, b in pairwise(times))),
        payloads=tuple(payload for _, payload, _ in short),
        backs=tuple(back for _, _, back in short),
        dropped=tuple(row.payload_hash for row in rows if row.payload is None),
        checkpoint=checkpoint,
    )


def unpack(chunk: Chunk, held: Held = _nothing) -> list[Entry]:
    """Return the entries of a chunk, in order.

    Raises:
        Malformed: columns of unequal length, a value out of its limits, or a change
            that builds on none which is held.
    """
    count = len(chunk.kinds)
    columns = (
        chunk.documents,
        chunk.roster_versions,
        chunk.times_ms,
        chunk.payloads,
        chunk.backs,
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
    ):
        raise Malformed("chunk", "its head is out of limits")
    steps = [(at, back) for at, back in enumerate(chunk.backs) if back]
    if any(not 0 < back < chunk.first + at for at, back in steps):
        raise Malformed("chunk", "a change builds on no entry of its stream")
    earlier = sorted({chunk.first + at - back for at, back in steps if back > at})
    parents = {one.sequence: one for one in held(earlier)} if earlier else {}
    return list(_rows(chunk, parents))


def _shortened(
    stream: StreamId, rows: Sequence[Entry], before: Before
) -> Iterator[tuple[bytes, bytes | None, int | None]]:
    """Yield (document, payload, back) of each entry as they travel.

    A change leans on the last change of its document before it, and on no other: what
    one author writes in a document forms a line.
    """
    split_rows = [
        split(row.payload) if row.kind == KIND_CHANGE and row.payload else None
        for row in rows
    ]
    begun: dict[bytes, bool] = {}
    for row, parts in zip(rows, split_rows, strict=True):
        if row.kind == KIND_CHANGE and row.document:
            begun.setdefault(row.document, parts is None or parts.is_first)
    wanted = [document for document, is_first in begun.items() if not is_first]
    latest = {one.document: one for one in before(wanted)} if wanted else {}
    for row, parts in zip(rows, split_rows, strict=True):
        parent = latest.get(row.document)
        short = parts and shorten(
            stream.node, stream.scope, row.document, parts, parent
        )
        if short:
            document, content, parent = short
            yield document, content, row.sequence - parent.sequence if parent else 0
        else:
            yield row.document, row.payload, None
        if row.kind == KIND_CHANGE:
            change = parts.hash if parts else change_hash(row.payload or b"")
            latest.pop(row.document, None)
            if change:
                latest[row.document] = Parent(row.sequence, row.document, change)


def _rows(chunk: Chunk, parents: dict[int, Parent]) -> Iterator[Entry]:
    stream, dropped = chunk.stream, iter(chunk.dropped)
    at_ms = total_bytes = 0
    columns = zip(
        chunk.kinds,
        chunk.documents,
        chunk.roster_versions,
        chunk.times_ms,
        chunk.payloads,
        chunk.backs,
        strict=True,
    )
    for sequence, row in enumerate(columns, chunk.first):
        kind, document, roster_version, step_ms, payload, back = row
        at_ms += step_ms
        change: bytes | None = None
        if back is not None:
            parent = parents.get(sequence - back) if back else None
            if kind != KIND_CHANGE or payload is None or (back and parent is None):
                raise Malformed("chunk", f"entry {sequence} builds on no change")
            document, payload, change = restore(
                stream.node, stream.scope, document, payload, parent
            )
        elif kind == KIND_CHANGE and payload is not None:
            change = change_hash(payload)
        if change:
            parents[sequence] = Parent(sequence, document, change)
        total_bytes += len(payload or b"")
        if (
            len(kind) > MAX_KIND_CHARACTERS
            or len(document) > MAX_DOCUMENT_ID_BYTES
            or not 0 <= roster_version < MAX_SEQUENCE
            or not 0 <= at_ms < 2**52
            or (payload is not None and len(payload) > MAX_PAYLOAD_BYTES)
            or total_bytes > MAX_CHUNK_BYTES
        ):
            raise Malformed("chunk", f"entry {sequence} is out of limits")
        payload_hash = next(dropped) if payload is None else seal.sha256(payload)
        if len(payload_hash) != seal.HASH_BYTES:
            raise Malformed("chunk", "a dropped payload's hash has a wrong length")
        yield Entry(
            sequence,
            kind,
            document,
            roster_version,
            at_ms,
            payload_hash,
            payload,
        )
