"""The guarded way in: from a peer's parcel to the store.

Everything another node wrote passes here, in this order: signature and chain; our own
reading of each change; what it must wait for; the child process; policy; then one
transaction with entries, documents, list rows and verdicts. What is set aside stays
in its stream like any other entry, so that the chain goes on and every node reaches
the same verdict. See `sync.change`, `sync.worker`, `node.policy` for the steps.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from node import attachments, audit, forks, packs
from node.document_plan import Candidate
from node.errors import NodeError
from node.judge import Plan
from node.other_entries import keep_arrived
from node.store.journal import StoredEntry
from node.wiring import Node
from sync import stream as streams
from sync.envelope import Parent
from sync.errors import Ahead, Malformed, NotTrusted, PeerFault, ScopeNotShared
from sync.exchange import Parcel, VectorKey, told_after
from sync.fork import can_be_shown
from sync.identity import PUBLIC, RIGHT_ROSTER, Certificate, holds
from sync.stream import Chunk, Entry, StreamId, check_checkpoint, pack, unpack
from sync.vector import MAX_COUNTER_TAKEN, SignedVector, Vector, check_vector

T = TypeVar("T")

Links = list[tuple[Entry, bytes]]
"""Entries with their chain hashes."""

MAX_SCOPES_AHEAD = 256
"""For which one holder may have signed and nothing is here: any two places make one."""
_RACES = 8
SETTLED_TOGETHER = 100
MOST_REFUSED = 64
"""Parts of one parcel. An honest one holds few; what stands behind so many is left."""


@dataclass(slots=True)
class Received:
    """What became of a parcel."""

    entries: int = 0
    vectors: dict[VectorKey, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    pieces: int = 0
    files: int = 0
    """How many files have become whole by the pieces."""
    gaps: int = 0
    """How much of it comes too early: something before it is not here."""
    was_reminded: bool = False
    """The peer has brought a vector of our own that we do not remember."""
    knows_less: bool = False
    """The peer does not know what it was told, and will be told again."""


class _Refused:
    """What is refused of one parcel: written down at the end and at once, since every
    write waits for the disk.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.parts: list[tuple[str, str]] = []
        """(cause, sentence)."""
        self._strange_scope: str | None = None

    def add(self, cause: str, fault: PeerFault) -> None:
        """Note a part that is not taken."""
        self.parts.append((cause, str(fault)))
        if isinstance(fault, ScopeNotShared) and self._strange_scope is None:
            self._strange_scope = fault.scope

    def until_too_many(self, parts: Iterable[T]) -> Iterator[T]:
        """Yield parts of a parcel, unless too many were refused before."""
        for part in parts:
            if len(self.parts) >= MOST_REFUSED:
                return
            yield part

    def keep(self, node: Node, peer: bytes) -> None:
        """Write it down, inside a transaction."""
        node.store.refusals.put_together(node.now_ms(), peer, self.parts)
        if self._strange_scope is not None:
            audit.record_refusal(node, peer, self._strange_scope)


class _Parted(Exception):
    """A chunk tells another history than the main line does."""


class Overtaken(NodeError):
    """Another process wrote meanwhile, again and again; try once more."""


def absorb(node: Node, parcel: Parcel, sender: Certificate) -> Received:
    """Take in what a peer says. What is wrong with one part harms that part only."""
    received, refused = Received(), _Refused()
    for chunk in refused.until_too_many(_known_authors_first(node, parcel.chunks)):
        try:
            received.entries += take_chunk(node, chunk, sender)
        except Ahead:
            received.gaps += 1
        except PeerFault as fault:
            refused.add("chunk", fault)
    forks.settle(node, keep_arrived)
    settle_waiting(node)
    taken = attachments.take(node, parcel.pieces)
    received.pieces, received.files = taken.taken, taken.whole
    received.gaps += taken.gaps
    refused.parts += [("attachment", why) for why in taken.refused]
    with node.store.transaction():
        divisions = {one.division for one in node.roster.everyone()}
        for signed in refused.until_too_many(parcel.vectors):
            try:
                vector, is_news = _take_vector(node, signed, sender, divisions)
            except Ahead:
                received.gaps += 1
            except PeerFault as fault:
                refused.add("vector", fault)
            else:
                received.vectors[vector.holder, vector.scope] = vector.counter
                received.was_reminded |= is_news and vector.holder == node.id
        for name, word in refused.until_too_many(parcel.extras):
            try:
                if name == packs.EXTRA:
                    packs.hear(node, sender, word)
            except PeerFault as fault:
                refused.add(name, fault)
        refused.keep(node, sender.node)
        told = node.store.vectors.told(sender.node)
        told_now = told_after(told, received.vectors, parcel.knows)
        received.knows_less = any(n > told_now.get(key, 0) for key, n in told.items())
        node.store.vectors.set_told(sender.node, told_now)
    received.refused += [why for _, why in refused.parts]
    return received


def take_chunk(node: Node, chunk: Chunk, sender: Certificate) -> int:
    """Store a chunk and all that follows from it; return how many entries were new.

    Raises:
        PeerFault: nothing of it was stored, and why.
    """
    author = _check_author(node, chunk.stream, sender)
    check_checkpoint(author.sign_key, chunk.stream, chunk.checkpoint)
    entries = unpack(chunk, lambda at: _parents(node, chunk, at))
    if chunk.stream.scope != PUBLIC and not can_be_shown(entries):
        raise Malformed("chunk", "it is too large to be shown to others")
    for _ in range(_RACES):
        try:
            links = _fit(node, chunk, entries)
        except _Parted:
            # As evidence it must be readable for who has another history.
            alone = pack(chunk.stream, entries, chunk.checkpoint)
            return forks.take_tail(node, alone, entries, keep_arrived)
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


def _known_authors_first(node: Node, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield chunks of authors that are known here, then the others: among the first
    may have been their certificates.
    """
    later = []
    for chunk in chunks:
        if node.roster.certificate(chunk.stream.node, chunk.stream.epoch):
            yield chunk
        else:
            later.append(chunk)
    yield from later


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
            is_forked = node.store.branches.is_forked(stream)
            if head != links[0][0].sequence - 1 or is_forked or not plan.is_current():
                return False
            rows = journal.append(stream, links, now_ms)
            journal.put_checkpoint(stream, chunk.checkpoint)
            if stream.node == node.id:
                node.store.vectors.prove(stream)
            elif head == 0:
                node.store.vectors.recall(stream)
            node.store.branches.look_again(stream)
            by_sequence = {
                entry.sequence: row for (entry, _), row in zip(links, rows, strict=True)
            }
            for candidate in candidates:
                candidate.row = by_sequence[candidate.entry.sequence]
            for (entry, _), row in zip(links, rows, strict=True):
                if entry.kind != streams.KIND_CHANGE:
                    keep_arrived(node, StoredEntry(row, stream, now_ms, None, entry))
            plan.commit()
    except BaseException:
        node.forget()
        raise
    return True


def _check_author(node: Node, stream: StreamId, sender: Certificate) -> Certificate:
    """Return the author's certificate, if this stream may come here from there."""
    what = f"stream of {stream.node.hex()[:16]} in {stream.scope}"
    if not holds(node.certificate, stream.scope):
        raise ScopeNotShared(what, stream.scope, "this node does not share the scope")
    if not holds(sender, stream.scope):
        raise ScopeNotShared(what, stream.scope, "the sender does not share the scope")
    author = node.roster.certificate(stream.node, stream.epoch)
    if author is None:
        raise NotTrusted(what, "its author is not enrolled")
    if not holds(author, stream.scope):
        raise ScopeNotShared(what, stream.scope, "its author does not share the scope")
    if stream.scope == PUBLIC and RIGHT_ROSTER not in author.rights:
        raise NotTrusted(what, "its author may not publish to all")
    return author


def _parents(node: Node, chunk: Chunk, at: Sequence[int]) -> Iterator[Parent]:
    """Look up what stands before a chunk and is leaned on in it.

    Raises:
        Ahead: it is not here, or not on the main line of a stream that has parted.
    """
    journal, stream = node.store.journal, chunk.stream
    if not node.store.branches.is_forked(stream):
        _hash_before(node, chunk)
        return journal.changes_at(stream, at)
    found = list(journal.changes_at(stream, at))
    if len(found) < len(at):
        raise Ahead(_name(chunk), journal.head(stream)[0])
    return iter(found)


def _hash_before(node: Node, chunk: Chunk) -> bytes:
    """Return the chain hash from which a chunk goes on.

    Raises:
        Ahead: what stands before it is not here.
    """
    journal, stream = node.store.journal, chunk.stream
    previous = journal.hash_at(stream, chunk.first - 1)
    if previous is None:
        head, _ = journal.head(stream)
        raise Ahead(_name(chunk), head)
    return previous


def _fit(node: Node, chunk: Chunk, entries: list[Entry]) -> Links:
    """Return what is new of a chunk, with chain hashes.

    Raises:
        _Parted: there is, or begins with it, more than one history of the stream.
        Ahead: what stands before it is not here.
        NotTrusted: a chain that does not fit the author's signature.
    """
    journal, stream = node.store.journal, chunk.stream
    if node.store.branches.is_forked(stream):
        raise _Parted
    what = _name(chunk)
    head, _ = journal.head(stream)
    previous = _hash_before(node, chunk)
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
            if stream.scope != PUBLIC:
                raise _Parted
            _keep_fork(node, chunk, here)
            raise NotTrusted(what, "the author has signed two histories (a fork)")
    return [one for one in links if one[0].sequence > head]


def _name(chunk: Chunk) -> str:
    return f"entries {chunk.first}.. of {chunk.stream.node.hex()[:16]}"


def _keep_fork(node: Node, chunk: Chunk, hash_here: bytes) -> None:
    with node.store.transaction():
        node.store.branches.put_fork(
            chunk.stream,
            chunk.checkpoint.sequence,
            (hash_here, chunk.checkpoint.hash),
            chunk.checkpoint.signature,
            node.now_ms(),
        )


def _take_vector(
    node: Node, signed: SignedVector, sender: Certificate, divisions: set[str]
) -> tuple[Vector, bool]:
    """Keep a neighbour's acknowledgement, if it is one; say whether it is news.

    `divisions` are all that the roster knows.

    Raises:
        Ahead: it is of a scope of which nothing can be here yet.
        PeerFault: not signed by who it says, or it speaks of another history.
    """
    vector = signed.read()
    what = f"vector of {vector.holder.hex()[:16]} for {vector.scope}"
    # Its id is of its key, so any certificate of it will do; of a newer epoch, ours
    # for one that a copy of ours has begun, we may first hear in this way.
    holder = node.roster.latest(vector.holder)
    if holder is None:
        raise NotTrusted(what, "its holder is not enrolled")
    # Whoever sends a vector of a scope asks for it.
    if not all(holds(c, vector.scope) for c in (node.certificate, sender, holder)):
        raise ScopeNotShared(what, vector.scope, "the scope is not shared")
    if vector.counter > MAX_COUNTER_TAKEN:
        raise Malformed(what, "its counter leaves no room for those that follow")
    known = node.store.vectors.of(vector.holder, vector.scope)
    # Only we can have signed for ourselves, and what we have we must remember.
    is_new_here = (
        known is None
        and vector.holder != node.id
        and not node.store.journal.has_entries(vector.scope)
    )
    if is_new_here:
        _check_scope(node, vector, divisions)
    check_vector(holder.sign_key, signed)
    if known is not None and known.counter >= vector.counter:
        return vector, False
    if is_new_here and not vector.heads:
        # That somebody has nothing is believed without his word.
        return vector, False
    heads, unproven = [], []
    for head in vector.heads:
        stream = StreamId(head.node, head.epoch, vector.scope)
        if head.node == node.id == vector.holder:
            # What we have once signed of our own must not be forgotten.
            node.store.journal.stream_row(stream)
        elif node.roster.certificate(head.node, head.epoch) is None:
            continue
        here = node.store.journal.hash_at(stream, head.sequence)
        if here is not None and here != head.hash:
            if vector.holder != node.id:
                raise NotTrusted(what, "it acknowledges another history than ours")
            # A copy of us has signed it: our next one must bear a higher number.
            continue
        if here is None and head.node == node.id != vector.holder:
            # We were put back to an older state, or a copy of us has written it.
            unproven.append(stream)
        else:
            heads.append(head)
    node.store.vectors.put(vector, signed, node.now_ms(), heads, unproven)
    return vector, True


def _check_scope(node: Node, vector: Vector, divisions: set[str]) -> None:
    """Check that a scope of which nothing is here is one that could be: any twelve
    digits make one, and what is kept is told to others.

    Raises:
        Ahead: it is not, as far as this node knows.
    """
    is_of_places = vector.scope == PUBLIC or divisions.issuperset(
        vector.scope.split("+")
    )
    ahead = node.store.vectors.count_ahead(vector.holder)
    if not is_of_places or ahead >= MAX_SCOPES_AHEAD:
        raise Ahead(f"vector of {vector.holder.hex()[:16]} for {vector.scope}", 0)
