"""Forks: two histories of one stream that its author has both signed. Pure.

A stream forks where a node's data were copied and both copies wrote on. What stands
before the parting is the stream's *main line* and stays; what follows is its *tails*.
A tail travels as evidence: the author's own signed chunk, and the hash that stands
before it, so that anybody can check by himself that the author has said both things.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sync.canonical import Record, decode, encode
from sync.errors import Malformed, NotTrusted
from sync.exchange import CHUNK_ENTRIES, CHUNK_PAYLOAD_BYTES
from sync.identity import PUBLIC
from sync.seal import HASH_BYTES
from sync.stream import (
    MAX_PAYLOAD_BYTES,
    Checkpoint,
    Chunk,
    Entry,
    StreamId,
    link,
    pack,
    unpack,
)

MARGIN_BYTES = 1024
"""What a chunk must leave of an entry's payload for what stands around it."""
AROUND_BYTES = 80
"""What numbers, lengths and a hash take at most beside an entry's own words: its author
chooses how many small entries stand behind one signature.
"""

Link = tuple[Entry, bytes]
"""An entry with its chain hash."""


class Evidence(Record, frozen=True):
    """Part of a tail as its author signed it: the payload of a `branch` entry.

    `previous` is the chain hash before the chunk's first entry.
    """

    previous: bytes
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Tail:
    """Evidence whose chain has been followed; the signature is not looked at here."""

    previous: bytes
    chunk: Chunk
    links: tuple[Link, ...]

    @property
    def last_hash(self) -> bytes:
        """The chain hash of its last entry."""
        return self.chunk.checkpoint.hash


def can_be_shown(entries: Sequence[Entry]) -> bool:
    """Say whether a chunk of these entries could be evidence, however it is packed.

    What could not is not taken in at all: an author must not be able to part in a way
    that nobody can show to others, nor make an honest node write what nobody takes.
    """
    size = sum(
        len(one.payload or b"")
        + len(one.kind.encode())
        + len(one.document)
        + AROUND_BYTES
        for one in entries
    )
    return size + MARGIN_BYTES <= MAX_PAYLOAD_BYTES


def follow(previous: bytes, chunk: Chunk, entries: Iterable[Entry]) -> tuple[Link, ...]:
    """Return the entries of a chunk with their chain hashes.

    Raises:
        NotTrusted: from `previous` they do not lead to what the author has signed.
    """
    links = []
    for entry in entries:
        previous = link(previous, entry)
        links.append((entry, previous))
    if previous != chunk.checkpoint.hash:
        raise NotTrusted(
            f"entries {chunk.first}.. of {chunk.stream.node.hex()[:16]}",
            "the chain does not fit the author's signature",
        )
    return tuple(links)


def show(tail: Tail) -> bytes:
    """Return a tail as the payload of an entry."""
    return encode(Evidence(tail.previous, tail.chunk))


def read_tail(payload: bytes, scope: str) -> Tail:
    """Return the tail that an entry of `scope` shows.

    Raises:
        Malformed, NotTrusted: it is none, of another scope, or does not hold together.
    """
    evidence = decode(payload, Evidence, limit_bytes=MAX_PAYLOAD_BYTES)
    chunk = evidence.chunk
    if len(evidence.previous) != HASH_BYTES:
        raise Malformed("branch", "the hash before it has a wrong length")
    entries = unpack(chunk)
    if chunk.stream.scope != scope or scope == PUBLIC:
        raise Malformed("branch", "it belongs to another scope")
    return Tail(evidence.previous, chunk, follow(evidence.previous, chunk, entries))


def parts(main: Callable[[int], bytes | None], tails: Sequence[Tail]) -> list[Tail]:
    """Return the tails that can be reached if they and the main line together hold
    two histories; none if all of it is one.

    Args:
        main: the chain hash at a sequence of the main line; None beyond its end.
        tails: what is known besides, in any order.
    """
    follows: dict[bytes, bytes] = {}
    reached = list[Tail]()
    waiting = list(tails)
    has_parted = False
    while True:
        known = set(follows.values())
        found = [
            tail
            for tail in waiting
            if tail.previous in known or main(tail.chunk.first - 1) == tail.previous
        ]
        if not found:
            return reached if has_parted else []
        waiting = [tail for tail in waiting if tail not in found]
        reached += found
        for tail in found:
            before = tail.previous
            for entry, chain_hash in tail.links:
                is_main = main(entry.sequence - 1) == before
                beside = main(entry.sequence) if is_main else None
                beside = beside or follows.setdefault(before, chain_hash)
                has_parted |= beside != chain_hash
                before = chain_hash


def cut(
    stream: StreamId,
    previous: bytes,
    links: Sequence[Link],
    checkpoint_at: Callable[[int, bytes], Checkpoint | None],
) -> Iterator[Tail]:
    """Yield neighbouring entries as tails, each small enough to be shown.

    Args:
        stream: whose they are.
        previous: the chain hash before the first of them.
        links: the entries; what stands behind the last checkpoint is left out.
        checkpoint_at: the author's signature at (sequence, hash), where there is one.
    """
    begin = end = size_bytes = 0
    signed: Checkpoint | None = None
    for place, (entry, chain_hash) in enumerate(links):
        size_bytes += len(entry.payload or b"")
        is_full = size_bytes > CHUNK_PAYLOAD_BYTES or place - begin >= CHUNK_ENTRIES
        if is_full and signed is not None:
            yield _tail(stream, previous, links[begin:end], signed)
            previous, begin, signed = links[end - 1][1], end, None
            size_bytes = sum(len(e.payload or b"") for e, _ in links[begin : place + 1])
        checkpoint = checkpoint_at(entry.sequence, chain_hash)
        if checkpoint is not None:
            end, signed = place + 1, checkpoint
    if signed is not None:
        yield _tail(stream, previous, links[begin:end], signed)


def _tail(
    stream: StreamId, previous: bytes, links: Sequence[Link], signed: Checkpoint
) -> Tail:
    chunk = pack(stream, [entry for entry, _ in links], signed)
    return Tail(previous, chunk, tuple(links))
