"""The guarded way in: from a peer's parcel to the store.

Everything another node wrote passes here, in this order: signature and chain; our own
reading of each change; what it must wait for; the child process; policy; then one
transaction with entries, documents, list rows and verdicts. What is set aside stays
in its stream like any other entry, so that the chain goes on and every node reaches
the same verdict. See `sync.change`, `sync.worker`, `node.policy` for the steps.
"""

from dataclasses import dataclass, field

from forms import package as packages
from forms.errors import FormError
from node import roster
from node.document_plan import Candidate
from node.errors import NodeError
from node.judge import Plan
from node.policy import BATCH_LIMIT, NAME_LIMIT, TIME_LIMIT_MS
from node.store.journal import StoredEntry
from node.store.registry import BatchRow, PackageRow
from node.wiring import Node
from sync import stream as streams
from sync.canonical import Record, decode
from sync.errors import Malformed, NotTrusted, PeerFault
from sync.exchange import Parcel, VectorKey, told_after
from sync.identity import (
    PUBLIC,
    RIGHT_ROSTER,
    Certificate,
    RosterEntry,
    SignedCertificate,
    holds,
)
from sync.seal import sha256
from sync.stream import Chunk, Entry, StreamId, check_checkpoint, unpack
from sync.vector import SignedVector, Vector, check_vector

Links = list[tuple[Entry, bytes]]
"""Entries with their chain hashes."""

_ENTRY_LIMIT_BYTES = 512 * 1024
_RACES = 8
SETTLED_TOGETHER = 100


class BatchList(Record, frozen=True):
    """The signed list of a batch: what a town has forwarded together."""

    id: bytes
    number: str
    by: str
    at_ms: int
    documents: tuple[bytes, ...]


@dataclass(slots=True)
class Received:
    """What became of a parcel."""

    entries: int = 0
    vectors: dict[VectorKey, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    was_reminded: bool = False
    """The peer has brought a vector of our own that we do not remember."""


class Overtaken(NodeError):
    """Another process wrote meanwhile, again and again; try once more."""


def absorb(node: Node, parcel: Parcel, sender: Certificate) -> Received:
    """Take in what a peer says. What is wrong with one part harms that part only."""
    received = Received()
    for chunk in parcel.chunks:
        try:
            received.entries += take_chunk(node, chunk, sender)
        except PeerFault as fault:
            _refuse(node, received, sender.node, "chunk", fault)
    settle_waiting(node)
    with node.store.transaction():
        for signed in parcel.vectors:
            try:
                vector, is_news = _take_vector(node, signed)
            except PeerFault as fault:
                _refuse(node, received, sender.node, "vector", fault)
            else:
                received.vectors[vector.holder, vector.scope] = vector.counter
                received.was_reminded |= is_news and vector.holder == node.id
        told = node.store.journal.told(sender.node)
        node.store.journal.set_told(
            sender.node, told_after(told, received.vectors, parcel.knows)
        )
    return received


def take_chunk(node: Node, chunk: Chunk, sender: Certificate) -> int:
    """Store a chunk and all that follows from it; return how many entries were new.

    Raises:
        PeerFault: nothing of it was stored, and why.
    """
    author = _check_author(node, chunk.stream, sender)
    check_checkpoint(author.sign_key, chunk.stream, chunk.checkpoint)
    entries = unpack(chunk)
    for _ in range(_RACES):
        links = _fit(node, chunk, entries)
        if not links:
            return 0
        candidates = [
            Candidate(chunk.stream, entry)
            for entry, _ in links
            if entry.kind == streams.KIND_CHANGE
        ]
        now_ms = node.now_ms()
        plan = Plan(node, candidates, now_ms=now_ms)
        if _commit(node, chunk, links, candidates, plan, now_ms):
            return len(links)
    raise Overtaken("another process is writing all the time; nothing was stored")


def settle_waiting(node: Node) -> None:
    """Judge again what waited for a roster or a package that is here by now."""
    documents = node.store.documents
    if documents.counts()[0] == 0:
        return
    ready = documents.documents_to_settle(node.roster.version)
    for start in range(0, len(ready), SETTLED_TOGETHER):
        judge_documents(node, ready[start : start + SETTLED_TOGETHER])


def judge_documents(node: Node, document_ids: list[bytes]) -> None:
    """Judge the waiting entries of some documents, in a transaction of their own."""
    for _ in range(_RACES):
        plan = Plan(node, [], also=document_ids)
        with node.store.transaction():
            if plan.is_current():
                plan.commit()
                return
    raise Overtaken("another process is writing all the time; nothing was stored")


def take_other(node: Node, stored: StoredEntry) -> tuple[str, str, str]:
    """Take in an entry that is no change; return (verdict, cause, detail).

    Runs inside the transaction that stores the entry, and again on `rebuild`.
    """
    entry = stored.entry
    if entry.payload is None:
        return "kept", "", ""
    try:
        match entry.kind:
            case streams.KIND_ROSTER if stored.stream.scope == PUBLIC:
                step = decode(
                    entry.payload, RosterEntry, limit_bytes=_ENTRY_LIMIT_BYTES
                )
                roster.take_step(node, step)
            case streams.KIND_CERTIFICATE:
                signed = decode(
                    entry.payload, SignedCertificate, limit_bytes=_ENTRY_LIMIT_BYTES
                )
                roster.take_certificate(node, signed)
            case streams.KIND_PUBLICATION if stored.stream.scope == PUBLIC:
                _take_package(node, stored)
            case streams.KIND_BATCH:
                _take_batch(node, stored, entry.payload)
            case _:
                # A later version's kind: stored and forwarded, never dropped.
                return "kept", "", ""
    except (PeerFault, FormError) as fault:
        return "aside", entry.kind, str(fault)
    return "taken", "", ""


def _commit(
    node: Node,
    chunk: Chunk,
    links: Links,
    candidates: list[Candidate],
    plan: Plan,
    now_ms: int,
) -> bool:
    """Write everything in one transaction; False if the plan is out of date."""
    stream = chunk.stream
    journal = node.store.journal
    try:
        with node.store.transaction():
            head, _ = journal.head(stream)
            if head != links[0][0].sequence - 1 or not plan.is_current():
                return False
            rows = journal.append(stream, links, now_ms)
            journal.put_checkpoint(stream, chunk.checkpoint)
            by_sequence = {
                entry.sequence: row for (entry, _), row in zip(links, rows, strict=True)
            }
            for candidate in candidates:
                candidate.row = by_sequence[candidate.entry.sequence]
            for (entry, _), row in zip(links, rows, strict=True):
                if entry.kind != streams.KIND_CHANGE:
                    stored = StoredEntry(row, stream, now_ms, None, entry)
                    keep_verdict(node, row, *take_other(node, stored))
            plan.commit()
    except BaseException:
        node.forget()
        raise
    return True


def keep_verdict(node: Node, row: int, verdict: str, cause: str, detail: str) -> None:
    """Write down what became of an entry that is no change."""
    node.store.journal.set_verdicts([(row, verdict)])
    if verdict == "aside":
        node.store.documents.put_quarantine([(row, cause, detail)])


def _check_author(node: Node, stream: StreamId, sender: Certificate) -> Certificate:
    """Return the author's certificate, if this stream may come here from there."""
    what = f"stream of {stream.node.hex()[:16]} in {stream.scope}"
    if not holds(node.certificate, stream.scope):
        raise NotTrusted(what, "this node does not share the scope")
    if not holds(sender, stream.scope):
        raise NotTrusted(what, "the sender does not share the scope")
    author = node.roster.certificate(stream.node, stream.epoch)
    if author is None:
        raise NotTrusted(what, "its author is not enrolled")
    if not holds(author, stream.scope):
        raise NotTrusted(what, "its author does not share the scope")
    if stream.scope == PUBLIC and RIGHT_ROSTER not in author.rights:
        raise NotTrusted(what, "its author may not publish to all")
    return author


def _fit(node: Node, chunk: Chunk, entries: list[Entry]) -> Links:
    """Return what is new of a chunk, with chain hashes.

    Raises:
        NotTrusted: a gap, or a chain that does not fit the author's signature.
    """
    journal, stream = node.store.journal, chunk.stream
    what = f"entries {chunk.first}.. of {stream.node.hex()[:16]}"
    head, _ = journal.head(stream)
    previous = journal.hash_at(stream, chunk.first - 1)
    if previous is None:
        raise NotTrusted(what, f"a gap: this node holds up to {head}")
    links: Links = []
    for entry in entries:
        previous = streams.link(previous, entry)
        links.append((entry, previous))
    if previous != chunk.checkpoint.hash:
        here = journal.hash_at(stream, chunk.checkpoint.sequence)
        if here is not None and here != chunk.checkpoint.hash:
            _keep_fork(node, chunk, here)
        raise NotTrusted(what, "the chain does not fit the author's signature")
    for entry, chain_hash in links:
        if entry.sequence > head:
            break
        here = journal.hash_at(stream, entry.sequence)
        if here != chain_hash:
            assert here is not None
            _keep_fork(node, chunk, here)
            raise NotTrusted(what, "the author has signed two histories (a fork)")
    return [one for one in links if one[0].sequence > head]


def _keep_fork(node: Node, chunk: Chunk, hash_here: bytes) -> None:
    with node.store.transaction():
        node.store.journal.put_fork(
            chunk.stream, chunk.checkpoint, hash_here, node.now_ms()
        )


def _take_vector(node: Node, signed: SignedVector) -> tuple[Vector, bool]:
    """Keep a neighbour's acknowledgement, if it is one; say whether it is news.

    Raises:
        PeerFault: not signed by who it says, or it speaks of another history.
    """
    vector = signed.read()
    what = f"vector of {vector.holder.hex()[:16]} for {vector.scope}"
    holder = node.roster.certificate(vector.holder, vector.epoch)
    if holder is None:
        raise NotTrusted(what, "its holder is not enrolled")
    if not holds(holder, vector.scope) or not holds(node.certificate, vector.scope):
        raise NotTrusted(what, "the scope is not shared")
    check_vector(holder.sign_key, signed)
    known = node.store.journal.vector_of(vector.holder, vector.scope)
    if known is not None and known.counter >= vector.counter:
        return vector, False
    for head in vector.heads:
        stream = StreamId(head.node, head.epoch, vector.scope)
        here = node.store.journal.hash_at(stream, head.sequence)
        if here is not None and here != head.hash:
            raise NotTrusted(what, "it acknowledges another history than ours")
    heads = [
        head
        for head in vector.heads
        if node.roster.certificate(head.node, head.epoch) is not None
    ]
    node.store.journal.put_vector(vector, signed, node.now_ms(), heads)
    return vector, True


def _take_batch(node: Node, stored: StoredEntry, payload: bytes) -> None:
    """Keep a signed list of cases.

    Raises:
        PeerFault: it cannot be read, or is not called as its author's would be.
    """
    batch = decode(payload, BatchList, limit_bytes=_ENTRY_LIMIT_BYTES)
    if (
        batch.id != batch_id(stored.stream.node, batch.number)
        or not 0 <= batch.at_ms < TIME_LIMIT_MS
        or len(batch.number) > BATCH_LIMIT
        or len(batch.by) > NAME_LIMIT
    ):
        raise Malformed("batch", "a part of it is out of limits")
    if node.store.registry.has_batch(batch.id):
        raise Malformed("batch", "its author has used the number already")
    node.store.registry.put_batch(
        BatchRow(
            batch.id,
            batch.number,
            stored.row,
            batch.at_ms,
            len(batch.documents),
            payload,
        )
    )


def batch_id(author: bytes, number: str) -> bytes:
    """Return the id of a batch: nobody can write one under another's name."""
    return sha256(b"lianban/batch\x00", author, number.encode())[:16]


def _take_package(node: Node, stored: StoredEntry) -> None:
    payload = stored.entry.payload
    assert payload is not None
    package = packages.decode(payload)
    node.store.registry.put_package(
        PackageRow(
            packages.digest(payload),
            package.item.code,
            package.item.name,
            package.version,
            payload,
        ),
        stored.row,
    )


def _refuse(
    node: Node, received: Received, peer: bytes, cause: str, fault: PeerFault
) -> None:
    received.refused.append(str(fault))
    with node.store.transaction():
        node.store.journal.put_refusal(node.now_ms(), peer, cause, str(fault))
