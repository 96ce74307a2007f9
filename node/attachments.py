"""Attachments of cases between nodes: asking, giving, taking, and saying what is here.

A file is named by its content, see `sync.pieces`, and lies sealed in the home, see
`node.piece_files`. A case names it; whoever shares the case asks those who hold it,
and takes the pieces as they come, each checked by itself. A node that has a file
whole says so in an entry of kind `holding`: that entry travels and is relayed like
every other, and is the acknowledgement. So nothing depends on how the pieces came, and
no case waits for them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Annotated

from msgspec import Meta

from node import audit, journal
from node.errors import NotFound, StoreDamaged, WriteForbidden
from node.piece_files import PieceFiles
from node.store.attachments import KeptFile
from node.store.journal import StoredEntry
from node.wiring import Node
from sync.canonical import Record, decode, encode
from sync.errors import Malformed
from sync.identity import Certificate, holds
from sync.pieces import WANTS_LIMIT, Piece, Want, count_of
from sync.seal import HASH_BYTES
from sync.stream import KIND_HOLDING, MAX_DOCUMENT_ID_BYTES, MAX_PAYLOAD_BYTES

SAID_TOGETHER = 1000
"""Files in one entry of kind `holding`."""

MOST_AHEAD = 20_000
"""Files that one author may say to hold and no case here names: their cases may come
later, but anybody can make them up.
"""

_Key = Annotated[bytes, Meta(max_length=MAX_DOCUMENT_ID_BYTES)]
_Digest = Annotated[bytes, Meta(min_length=HASH_BYTES, max_length=HASH_BYTES)]


class Holding(Record, frozen=True):
    """The payload of a `holding` entry: (document, digest) of files that are whole.

    They are named here and not by the entry's own document, since one entry tells of
    all that became whole together.
    """

    files: Annotated[tuple[tuple[_Key, _Digest], ...], Meta(min_length=1)]


@dataclass(slots=True)
class TakenPieces:
    """What became of pieces that came.

    Attributes:
        taken: how many are here that were not before.
        whole: how many files have become whole by them.
        gaps: how many could not be joined, since something before them is not here.
        refused: a sentence for each file of which a wrong piece came.
    """

    taken: int = 0
    whole: int = 0
    gaps: int = 0
    refused: list[str] = field(default_factory=list)


def files_of(node: Node) -> PieceFiles:
    """Return the sealed files of a node's home."""
    return PieceFiles(node.home.attachments, node.keys)


# -- giving -----------------------------------------------------------------------


def pieces(node: Node, peer: Certificate, wants: Sequence[Want]) -> Iterator[Piece]:
    """Return the pieces that a neighbour asks for and may have, one file after another.

    What no case names that both share is not given; that it was asked for is kept.
    """
    store = node.store.attachments
    named = store.scopes_of([want.digest for want in wants])
    allowed = {
        digest
        for digest, scope in named
        if holds(node.certificate, scope) and holds(peer, scope)
    }
    counts = {want.digest: want.count for want in wants if want.digest in allowed}
    strange = [want.digest for want in wants if want.digest not in allowed]
    if strange or counts != store.asked(peer.node):
        with node.store.transaction():
            store.set_asked(peer.node, counts.items())
            why = "it is of no case that both share"
            refused = [("attachment", _refusal(digest, why)) for digest in strange]
            node.store.refusals.put_together(node.now_ms(), peer.node, refused)
            for digest, scope in sorted(named):
                if digest in strange:
                    audit.record_refusal(node, peer.node, scope)
    return _pieces_of(node, counts)


def counts_asked(node: Node, peer: Certificate) -> dict[bytes, int]:
    """Return how many pieces a neighbour says to have of the files here for which it
    has asked last. What it has once said to hold whole is not among them.
    """
    store = node.store.attachments
    counts = store.asked(peer.node)
    held = store.held_among(peer.node, list(counts))
    return {
        digest: min(counts[digest], count_of(kept.size_bytes))
        for digest, kept in store.many(list(counts)).items()
        if digest not in held
    }


def owed(node: Node, peer: Certificate) -> Iterator[Piece]:
    """Yield all pieces of what a neighbour has not acknowledged: for a stick, which
    carries no questions.
    """
    for want in unacknowledged(node, peer):
        yield from _pieces_of(node, {want.digest: want.count})


def unacknowledged(node: Node, peer: Certificate) -> Iterator[Want]:
    """Yield what a neighbour should have of the files here and has not said to hold,
    as if it had asked for all of it, those of urgent cases first, then the oldest.
    """
    seen: set[bytes] = set()
    for digest, scope in node.store.attachments.not_held_by(peer.node):
        may_have = holds(node.certificate, scope) and holds(peer, scope)
        if may_have and digest not in seen:
            seen.add(digest)
            yield Want(digest, 0)


def read(node: Node, digest: str) -> Iterator[bytes]:
    """Yield the content of a file, piece by piece.

    Raises:
        NotFound: it is not here, or not whole yet.
        StoreDamaged: it is not what was kept; it will be asked for again.
    """
    kept = node.store.attachments.get(bytes.fromhex(digest))
    if kept is None:
        raise NotFound("attachment", digest[:12])
    for piece in _read(node, kept, 0):
        yield piece.data


# -- getting ----------------------------------------------------------------------


def wants(node: Node, peer: Certificate) -> tuple[Want, ...]:
    """Return what to ask a neighbour for: missing files that it is known to hold,
    those of urgent cases 加急 first, then those of the oldest.
    """
    # What was whole before its case came, or while this node might not write.
    say_what_is_whole(node)
    missing = node.store.attachments.missing_held_by(peer.node, WANTS_LIMIT)
    digests = [digest for digest, scope in missing if holds(peer, scope)]
    sizes = node.store.attachments.sizes(digests)
    files = files_of(node)
    return tuple(
        Want(digest, files.held(digest, sizes[digest]))
        for digest in digests
        if not _take_up(node, files, digest, sizes[digest])
    )


def take(node: Node, coming: Iterable[Piece]) -> TakenPieces:
    """Take in pieces. What is wrong harms nothing but itself, what is here already is
    passed over, and what is ahead of a gap is counted.

    Raises:
        DiskFull, StoreBusy: what was taken before stands.
    """
    done = TakenPieces()
    groups = [(d, list(g)) for d, g in groupby(coming, key=lambda piece: piece.digest)]
    sizes = node.store.attachments.sizes([digest for digest, _ in groups])
    files = files_of(node)
    for digest, group in groups:
        if digest in sizes:
            _take_file(node, files, group, sizes[digest], done)
        else:
            # No case here names it: its case lies behind a gap of its own.
            done.gaps += len(group)
    return done


def keep_whole(node: Node, kept: KeptFile) -> None:
    """Keep that a file lies here, and say so where a case names it. Inside `alone`."""
    with node.store.transaction():
        node.store.attachments.put(kept)
        say_what_is_whole(node)


def say_what_is_whole(node: Node) -> None:
    """Write entries about the files that are here and have not been said to be.

    A node that may not write says it later.
    """
    store = node.store.attachments
    if not store.unsaid(1):
        return
    with node.store.transaction():
        # What this node has written into a case itself, it has said by that.
        named = {document for _, document, _ in store.unsaid(SAID_TOGETHER)}
        store.settle(node.id, named)
        unsaid = store.unsaid(SAID_TOGETHER)
        for scope, rows in groupby(unsaid, key=lambda row: row[0]):
            files = tuple((document, digest) for _, document, digest in rows)
            payload = encode(Holding(files))
            try:
                journal.append(node, scope, KIND_HOLDING, b"", payload, node.now_ms())
            except WriteForbidden:
                continue
            store.put_holders(node.id, scope, files)
            store.settle(node.id, {document for document, _ in files})


def take_holding(node: Node, stored: StoredEntry) -> None:
    """Keep what an author says to hold. Inside the transaction of its entry.

    Raises:
        PeerFault: it cannot be read, or its author has said too much of what no case
            names.
    """
    payload, stream = stored.entry.payload, stored.stream
    assert payload is not None
    said = decode(payload, Holding, limit_bytes=MAX_PAYLOAD_BYTES)
    if node.store.attachments.count_ahead(stream.node) >= MOST_AHEAD:
        raise Malformed("holding", "too much of what its author holds is in no case")
    node.store.attachments.put_holders(stream.node, stream.scope, said.files)
    if stream.node == node.id:
        node.store.attachments.settle(node.id, {document for document, _ in said.files})


# -- private ------------------------------------------------------------------------


def _pieces_of(node: Node, counts: dict[bytes, int]) -> Iterator[Piece]:
    """Yield the pieces of files that lie here, from those counts on."""
    for digest, count in counts.items():
        kept = node.store.attachments.get(digest)
        if kept is not None:
            try:
                yield from _read(node, kept, count)
            except StoreDamaged:
                continue


def _read(node: Node, kept: KeptFile, first: int) -> Iterator[Piece]:
    try:
        yield from files_of(node).read(kept.digest, kept.size_bytes, first)
    except StoreDamaged:
        # It counts as missing from now on, and whoever holds it will be asked.
        with node.store.transaction():
            node.store.attachments.drop(kept.digest)
        raise


def _take_up(
    node: Node, files: PieceFiles, digest: bytes, sizes: Iterable[int]
) -> bool:
    """Keep a file that lies here whole and has no row: the program ended between."""
    for size in sizes:
        if files.is_whole(digest, size):
            with files.alone():
                if files.is_sound(digest, size):
                    keep_whole(node, KeptFile(digest, size, kept_at_ms=node.now_ms()))
                    return True
                files.drop(digest)
    return False


def _take_file(
    node: Node,
    files: PieceFiles,
    group: Sequence[Piece],
    sizes: set[int],
    done: TakenPieces,
) -> None:
    digest = group[0].digest
    with files.alone():
        if node.store.attachments.get(digest) is not None:
            return
        became = files.append(digest, sizes, group)
        if became.size_bytes:
            kept = KeptFile(digest, became.size_bytes, kept_at_ms=node.now_ms())
            keep_whole(node, kept)
            done.whole += 1
    done.taken += became.taken
    done.gaps += became.ahead
    if became.wrong:
        done.refused.append(_refusal(digest, "a piece of it is not what was named"))


def _refusal(digest: bytes, why: str) -> str:
    return f"attachment {digest.hex()[:16]}: {why}; nothing of that was stored"
