"""Forked streams: a node's data were copied, and both copies wrote on.

The main line of such a stream ends where the histories part, on every node that knows
it; what follows is kept in branches, and its cases are shown like all others. Whoever
holds a tail that no evidence carries writes it into its own stream of the same scope,
as entries of kind `branch`; so the state follows from the entries that are known, not
from which history came first, and everybody can check it, the forked node too. That
node may not write on in its epoch; `node.rejoin` begins the next one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from msgspec.structs import replace as with_fields

from node import journal, judge
from node.store.branches import (
    BAD,
    NEW,
    TAKEN,
    WAITS,
    EvidenceRow,
    Line,
    Shown,
    ends,
    leaves,
    path_by,
)
from node.store.journal import StoredEntry
from node.wiring import Node
from sync.errors import Ahead, Malformed, NotTrusted, PeerFault
from sync.fork import Tail, cut, follow, parts, read_tail, show
from sync.identity import Certificate, holds
from sync.stream import (
    KIND_BRANCH,
    KIND_CHANGE,
    Checkpoint,
    Chunk,
    Entry,
    StreamId,
    check_checkpoint,
    sign_checkpoint,
)

MAX_BRANCHES = 8
"""Of one stream, taken from who brings them; further ones are only noted."""
MAX_EVIDENCE = 1024
"""Pieces that one writer may show of one stream."""
MAX_EVIDENCE_BYTES = 4 * 1024 * 1024
"""And so long together: what proves nothing yet is read again as more comes."""
MAX_SHOWN_BRANCHES = 64
"""And in so many threads: pieces that go on where none of its own before them ended.
It is counted along the writer's stream, so nothing depends on what came here first.
"""
MAX_OFFERED = 4
"""Chunks of our own tails that one speech holds."""

_BEHIND_ALL = 2**62

KeepOther = Callable[[Node, StoredEntry], None]
"""Takes in a stored entry that is no change; see `node.other_entries`."""


def take_tail(
    node: Node, chunk: Chunk, entries: Sequence[Entry], keep_other: KeepOther
) -> int:
    """Take in a checked chunk of a stream that has parted, or parts with it; return
    how many of its entries are new.

    Raises:
        Ahead: what stands before it is not here.
        NotTrusted: it fits no history that is known, or there are too many of them.
    """
    stream = chunk.stream
    what = f"entries {chunk.first}.. of {stream.node.hex()[:16]}"
    with _together(node):
        tree = _Tree(node, stream)
        tail = tree.fit(chunk, entries)
        count = tree.count_new(tail)
        is_too_much = tree.is_new_branch(tail) and len(tree.leaves()) >= MAX_BRANCHES
        if count and not is_too_much:
            tree.graft(tail)
            _follow_up(node, tree, keep_other)
            node.store.branches.look_again(stream)
            _tell(node, stream)
        elif count:
            # Only that there is one more; what it says is not kept.
            tree.note(tail)
    if is_too_much:
        raise NotTrusted(what, "the author has signed too many histories (a fork)")
    return count


def take_evidence(node: Node, stored: StoredEntry) -> None:
    """Keep what a `branch` entry says, to be looked at once all is stored.

    Raises:
        PeerFault: it shows nothing, or its writer has shown too much.
    """
    payload, branches = stored.entry.payload, node.store.branches
    assert payload is not None
    tail = read_tail(payload, stored.stream.scope)
    stream = tail.chunk.stream
    if stream == stored.stream:
        raise Malformed("branch", "a stream cannot show itself")
    rows = branches.rows_to(stored.stream, stored.branch)
    before = branches.shown(stream, rows, stored.entry.sequence)
    if not _may_show(before, _shown(tail, payload)):
        raise Malformed("branch", "its writer has shown too much of this stream")
    branches.put_evidence(_evidence(stored.row, tail, NEW))


def settle(node: Node, keep_other: KeepOther) -> None:
    """Look at evidence that nobody has looked at, and write what we owe of it."""
    branches = node.store.branches
    for stream in branches.streams_to_look_at():
        with _together(node):
            _look(node, stream, keep_other)
    for stream in branches.untold():
        with _together(node):
            _tell(node, stream)


def mark_again(node: Node) -> None:
    """Say again of all evidence what follows from it, as a rebuild does: nothing is
    moved and nothing is written.
    """
    for stream in node.store.branches.streams_to_look_at():
        _look(node, stream, None)


def tell_own(node: Node) -> None:
    """Write evidence of what we wrote before we began a new epoch, and nobody has."""
    for stream in node.store.branches.untold():
        if stream.node == node.id:
            _tell(node, stream)


def offers(node: Node, scopes: Sequence[str]) -> list[Chunk]:
    """Return chunks that we wrote before we knew that our stream had parted.

    Nobody may have them, and we may not write evidence ourselves; who hears them can.
    """
    found: list[Chunk] = []
    for stream in node.store.branches.untold():
        is_ours = stream.node == node.id and stream.scope in scopes
        if is_ours and journal.is_forbidden(node, stream.scope):
            found += [tail.chunk for tail in _missing(node, stream)]
    return found[:MAX_OFFERED]


@contextmanager
def _together(node: Node) -> Iterator[None]:
    """Do it in one transaction, and forget what was read in one that failed."""
    try:
        with node.store.transaction():
            yield
    except BaseException:
        node.forget()
        raise


class _Tree:
    """All that is known of one stream, and what a change to it touches."""

    def __init__(self, node: Node, stream: StreamId) -> None:
        """Read it, inside a transaction."""
        self._node, self._stream = node, stream
        self._branches = node.store.branches
        node.store.journal.stream_row(stream)
        self._read()
        self.fresh: list[int] = []
        self.documents: set[bytes] = set()

    @property
    def is_forked(self) -> bool:
        """It has branches."""
        return len(self.lines) > 1

    def leaves(self) -> list[Line]:
        """Return the ends of all histories beyond the main line."""
        return leaves(self.lines)

    def find(self, sequence: int, chain_hash: bytes) -> Line | None:
        """Return the line that has this entry; the main line has the beginning."""
        among = {line.row: line for line in self._with(sequence)}
        if sequence == 0:
            return next((o for o in among.values() if o.base_hash == chain_hash), None)
        row = self._branches.row_with(list(among), sequence, chain_hash)
        return None if row is None else among[row]

    def fit(self, chunk: Chunk, entries: Sequence[Entry]) -> Tail:
        """Return a chunk as a tail, chained upon what is known.

        Raises:
            Ahead: nothing is known of what stands before it.
            NotTrusted: it fits none of what is known.
        """
        before = chunk.first - 1
        fault: PeerFault = Ahead(
            f"entries {chunk.first}.. of {chunk.stream.node.hex()[:16]}",
            max(line.sequence for line in self.lines),
        )
        for line in self._with(before):
            previous = self._branches.hash_in(line, before)
            assert previous is not None
            try:
                return Tail(previous, chunk, follow(previous, chunk, entries))
            except NotTrusted as not_this:
                fault = not_this
        raise fault

    def count_new(self, tail: Tail) -> int:
        """Return how many entries of a tail are not here."""
        return len(tail.links) - self._place(tail)[2]

    def is_new_branch(self, tail: Tail) -> bool:
        """Say whether a tail leaves what is known, and does not lengthen it."""
        line, at, known = self._place(tail)
        return known < len(tail.links) and (at < line.sequence or self._bears(line))

    def graft(self, tail: Tail) -> None:
        """Keep what is new of a tail: at the end of a history, or as one more.

        A main line without branches grows by it too: only call it where it is known
        that the stream has parted.
        """
        line, at, known = self._place(tail)
        rest = tail.links[known:]
        row = line.row
        if rest:
            if at < line.sequence:
                self.note(tail)
                self._split(line, at)
            if at < line.sequence or self._bears(line):
                before = (
                    rest[0][1],
                    tail.links[known - 1][1] if known else tail.previous,
                )
                row = self._branches.open_line(self._stream, before[0], at, before[1])
            self.fresh += self._node.store.journal.append_to(
                row, rest, self._node.now_ms()
            )
            self.documents |= {entry.document for entry, _ in rest} - {b""}
            self._read()
            self._branches.set_untold(self._stream)
        self._node.store.journal.put_checkpoint_at(row, tail.chunk.checkpoint)

    def note(self, tail: Tail) -> None:
        """Keep that the author has signed two histories, where a tail leaves ours."""
        line, at, known = self._place(tail)
        entry, chain_hash = tail.links[known]
        here = next(
            (one.tag for one in self.lines if one.tag and one.base_hash == line.hash),
            None,
        )
        if at < line.sequence:
            here = self._branches.hash_in(line, at + 1)
        self._branches.put_fork(
            self._stream,
            entry.sequence,
            (here or b"", chain_hash),
            tail.chunk.checkpoint.signature,
            self._node.now_ms(),
        )

    def mark(self, taken: Iterable[EvidenceRow]) -> None:
        """Keep which entries are carried by evidence that is part of the tree now."""
        by_end = ends(self.lines)
        for one in taken:
            line = self.find(one.last, one.hash)
            for part in path_by(by_end, line) if line else ():
                if part.sequence >= one.first:
                    self._branches.set_carried(part, one.first, one.last, one.entry)

    def _read(self) -> None:
        self.lines = self._branches.lines(self._stream)
        self._bases = {line.base_hash for line in self.lines if line.tag}

    def _place(self, tail: Tail) -> tuple[Line, int, int]:
        """Follow a tail as far as it is known: (line, sequence there, entries)."""
        at = tail.chunk.first - 1
        line = self.find(at, tail.previous)
        assert line is not None
        for known, (entry, chain_hash) in enumerate(tail.links):
            if at < line.sequence:
                if self._branches.hash_in(line, entry.sequence) != chain_hash:
                    return line, at, known
            else:
                onward = [one for one in self.lines if one.tag == chain_hash]
                if not onward:
                    return line, at, known
                line = onward[0]
            at = entry.sequence
        return line, at, len(tail.links)

    def _with(self, sequence: int) -> list[Line]:
        """Return the lines with an entry of this number; all begin on the main line."""
        return [
            line
            for line in self.lines
            if line.base < sequence <= line.sequence or not (sequence or line.tag)
        ]

    def _bears(self, line: Line) -> bool:
        return line.hash in self._bases

    def _split(self, line: Line, at: int) -> None:
        tag = self._branches.hash_in(line, at + 1)
        self._branches.split(self._stream, line, at)
        lines = self._branches.lines(self._stream)
        moved = next(one for one in lines if one.tag == tag)
        self.documents |= self._branches.documents_of([moved.row])


def _look(node: Node, stream: StreamId, keep_other: KeepOther | None) -> None:
    """Look at all evidence about a stream; without `keep_other` only say what it
    means for what is here.

    Evidence is read one piece at a time, and only where its beginning is known.
    """
    author = node.roster.certificate(stream.node, stream.epoch)
    if author is None:
        return
    branches = node.store.branches
    tree = _Tree(node, stream)
    waiting: list[EvidenceRow] = []
    for row in branches.evidence_of(stream):
        if row.state == WAITS or (row.state == NEW and _holds(node, row, author)):
            waiting.append(row)
    if not tree.is_forked and keep_other is not None:
        for row in _proven(node, waiting):
            tree.graft(_read(node, row))
    taken = _take_reachable(node, tree, waiting, may_graft=keep_other is not None)
    for row in waiting:
        if row.entry not in taken and row.state != WAITS:
            branches.set_evidence(row.entry, WAITS)
    if keep_other is not None:
        _follow_up(node, tree, keep_other)
    tree.mark(taken.values())


def _read(node: Node, row: EvidenceRow) -> Tail:
    payload = _entry(node, row.entry).payload
    assert payload is not None
    return read_tail(payload, row.stream.scope)


def _holds(node: Node, row: EvidenceRow, author: Certificate) -> bool:
    """Say whether an author has signed what evidence shows; set it aside if not."""
    try:
        if not holds(author, row.stream.scope):
            raise NotTrusted("branch", "its author does not share the scope")
        checkpoint = _read(node, row).chunk.checkpoint
        check_checkpoint(author.sign_key, row.stream, checkpoint)
    except PeerFault as fault:
        node.store.branches.set_evidence(row.entry, BAD)
        node.store.journal.set_verdicts([(row.entry, "aside")])
        node.store.documents.put_quarantine([(row.entry, KIND_BRANCH, str(fault))])
        return False
    return True


def _proven(node: Node, waiting: Sequence[EvidenceRow]) -> list[EvidenceRow]:
    """Return what holds two histories together with a main line, as `parts` says."""

    def main(sequence: int) -> bytes | None:
        return node.store.journal.hash_at(waiting[0].stream, sequence)

    known: set[bytes] = set()
    read: dict[int, tuple[Tail, EvidenceRow]] = {}
    while True:
        found = [
            row
            for row in waiting
            if row.entry not in read
            and (row.previous in known or main(row.first - 1) == row.previous)
        ]
        if not found:
            break
        for row in found:
            tail = _without_payloads(_read(node, row))
            known |= {chain_hash for _, chain_hash in tail.links}
            read[row.entry] = tail, row
    rows = {id(tail): row for tail, row in read.values()}
    return [rows[id(tail)] for tail in parts(main, [one for one, _ in read.values()])]


def _without_payloads(tail: Tail) -> Tail:
    """Return what the chain of a tail is, in little memory."""
    links = tuple((replace(entry, payload=None), link) for entry, link in tail.links)
    return Tail(tail.previous, with_fields(tail.chunk, payloads=()), links)


def _take_reachable(
    node: Node, tree: _Tree, waiting: Sequence[EvidenceRow], *, may_graft: bool
) -> dict[int, EvidenceRow]:
    """Take what evidence stands on the tree, and what stands on that; return it by
    entry. The rest proves nothing yet.
    """
    taken: dict[int, EvidenceRow] = {}
    if not tree.is_forked:
        return taken
    upon: dict[bytes, list[EvidenceRow]] = {}
    for row in waiting:
        upon.setdefault(row.previous, []).append(row)
    ready = [row for row in waiting if tree.find(row.first - 1, row.previous)]
    while ready:
        row = ready.pop()
        if row.entry in taken:
            continue
        tail = _read(node, row)
        if may_graft:
            tree.graft(tail)
        elif tree.count_new(tail):
            continue
        node.store.branches.set_evidence(row.entry, TAKEN)
        taken[row.entry] = row
        for _, chain_hash in tail.links:
            ready += upon.get(chain_hash, ())
    return taken


def _follow_up(node: Node, tree: _Tree, keep_other: KeepOther) -> None:
    """Take in what has come with a tail, and judge again what it touches."""
    for row in sorted(tree.fresh):
        stored = node.store.journal.entry(row)
        assert stored is not None
        if stored.entry.kind != KIND_CHANGE:
            keep_other(node, stored)
    judge.judge_whole(node, tree.documents)


def _tell(node: Node, stream: StreamId) -> None:
    """Write into our own stream what no evidence carries, if we may write."""
    branches = node.store.branches
    missing = _missing(node, stream)
    if missing and journal.is_forbidden(node, stream.scope):
        return
    own = StreamId(node.id, node.certificate.epoch, stream.scope)
    written: list[EvidenceRow] = []
    rows = [node.store.journal.stream_row(own)] if missing else []
    shown = branches.shown(stream, rows, _BEHIND_ALL)
    for tail in missing:
        payload = show(tail)
        if not _may_show(shown, _shown(tail, payload)):
            # Nobody would take it.
            continue
        shown.append(_shown(tail, payload))
        row = journal.append(
            node, stream.scope, KIND_BRANCH, b"", payload, node.now_ms()
        )
        written.append(_evidence(row, tail, TAKEN))
        branches.put_evidence(written[-1])
    if written:
        _Tree(node, stream).mark(written)
    branches.set_told(stream)


def _missing(node: Node, stream: StreamId) -> list[Tail]:
    """Return what no evidence carries of the histories beyond the main line, and of
    the main line itself where no signature stands at its end: nobody could relay it.
    """
    branches = node.store.branches
    lines = branches.lines(stream)
    by_end = ends(lines)
    told: set[int] = set()
    found: list[Tail] = []
    for leaf in leaves(lines):
        path = path_by(by_end, leaf)
        signed_at = _signed_up_to(node, stream, path[0])
        rows = [row for line in path for row in branches.entry_rows(line, signed_at)]
        bare = [one for one in rows if not one.carrier and one.row not in told]
        if not bare:
            continue
        told.update(one.row for one in rows)
        shown = rows[rows.index(bare[0]) :]
        before = shown[0].sequence - 1
        line = next(one for one in path if one.base <= before <= one.sequence)
        previous = branches.hash_in(line, before)
        assert previous is not None
        links = [(_entry(node, one.row), one.hash) for one in shown]
        found += cut(stream, previous, links, _signatures(node, stream, path))
    return found


def _entry(node: Node, row: int) -> Entry:
    stored = node.store.journal.entry(row)
    assert stored is not None
    return stored.entry


def _signed_up_to(node: Node, stream: StreamId, main: Line) -> int:
    """Return how far we can send a main line: ours anywhere, another's as far as its
    author has signed.
    """
    if stream.node == node.id:
        return main.sequence
    last = node.store.journal.checkpoint_between(stream, 1, main.sequence)
    return last.sequence if last else 0


def _signatures(
    node: Node, stream: StreamId, path: Sequence[Line]
) -> Callable[[int, bytes], Checkpoint | None]:
    """Return what gives the author's signature at a place of a history."""
    if stream.node == node.id:
        return lambda sequence, chain_hash: sign_checkpoint(
            node.secrets.sign_key, stream, sequence, chain_hash
        )
    held = {
        sequence: checkpoint
        for line in path
        for sequence, checkpoint in node.store.branches.checkpoints(line).items()
    }
    return lambda sequence, _: held.get(sequence)


def _may_show(before: Sequence[Shown], one: Shown) -> bool:
    """Say whether a writer who has shown so much of a stream may show one more."""
    size_bytes = sum(each.size_bytes for each in before) + one.size_bytes
    if len(before) >= MAX_EVIDENCE or size_bytes > MAX_EVIDENCE_BYTES:
        return False
    open_ends: set[bytes] = set()
    threads = 0
    for each in (*before, one):
        threads += each.previous not in open_ends
        open_ends.discard(each.previous)
        open_ends.add(each.hash)
    return threads <= MAX_SHOWN_BRANCHES


def _shown(tail: Tail, payload: bytes) -> Shown:
    return Shown(tail.previous, tail.last_hash, len(payload))


def _evidence(row: int, tail: Tail, state: str) -> EvidenceRow:
    chunk = tail.chunk
    return EvidenceRow(
        row,
        chunk.stream,
        chunk.first,
        chunk.checkpoint.sequence,
        tail.last_hash,
        state,
        tail.previous,
    )
