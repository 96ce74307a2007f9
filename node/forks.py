"""Forked streams: a node's data were copied, and both copies wrote on.

The main line of such a stream ends where the histories part, on every node that knows
it; what follows is kept in branches, and its cases are shown like all others. Whoever
holds a tail that no evidence carries writes it into its own stream of the same scope,
as entries of kind `branch`; so the state follows from the entries that are known, not
from which history came first, and everybody can check it, the forked node too. That
node may not write on in its epoch; `node.enrol.rejoin` begins the next one.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from node import journal, judge
from node.store.branches import NEW, TAKEN, WAITS, EvidenceRow, Line, leaves, path_to
from node.store.journal import StoredEntry
from node.wiring import Node
from sync.errors import Ahead, Malformed, NotTrusted, PeerFault
from sync.fork import Tail, cut, follow, parts, read_tail, show
from sync.identity import holds
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
"""That one writer may show of one stream."""
MAX_OFFERED = 4
"""Chunks of our own tails that one speech holds."""

KeepOther = Callable[[Node, StoredEntry], None]
"""Takes in a stored entry that is no change; see `node.absorb.take_other`."""


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
    before = branches.count_evidence(stream, rows, stored.entry.sequence)
    if before >= MAX_EVIDENCE:
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
        self.lines = self._branches.lines(stream)
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
        for line in self._with(sequence):
            if self._branches.hash_in(line, sequence) == chain_hash:
                return line
        return None

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
            self.lines = self._branches.lines(self._stream)
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

    def mark(self) -> None:
        """Keep which evidence carries which entries."""
        for one in self._branches.evidence_of(self._stream):
            line = self.find(one.last, one.hash) if one.state == TAKEN else None
            for part in path_to(self.lines, line) if line else ():
                self._branches.set_carried(part, one.first, one.last, one.entry)

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
        return any(one.tag and one.base_hash == line.hash for one in self.lines)

    def _split(self, line: Line, at: int) -> None:
        tag = self._branches.hash_in(line, at + 1)
        self._branches.split(self._stream, line, at)
        lines = self._branches.lines(self._stream)
        moved = next(one for one in lines if one.tag == tag)
        self.documents |= self._branches.documents_of([moved.row])


def _look(node: Node, stream: StreamId, keep_other: KeepOther | None) -> None:
    """Look at all evidence about a stream; without `keep_other` only say what it
    means for what is here.
    """
    author = node.roster.certificate(stream.node, stream.epoch)
    if author is None:
        return
    branches = node.store.branches
    tree = _Tree(node, stream)
    open_rows: list[tuple[EvidenceRow, Tail]] = []
    for row in branches.evidence_of(stream):
        stored = node.store.journal.entry(row.entry)
        assert stored is not None and stored.entry.payload is not None
        if row.state == TAKEN:
            continue
        tail = read_tail(stored.entry.payload, stream.scope)
        try:
            if not holds(author, stream.scope):
                raise NotTrusted("branch", "its author does not share the scope")
            check_checkpoint(author.sign_key, stream, tail.chunk.checkpoint)
        except PeerFault as fault:
            branches.drop_evidence(row.entry)
            node.store.journal.set_verdicts([(row.entry, "aside")])
            node.store.documents.put_quarantine([(row.entry, KIND_BRANCH, str(fault))])
        else:
            open_rows.append((row, tail))
    if not tree.is_forked and keep_other is not None:
        proven = parts(
            lambda sequence: node.store.journal.hash_at(stream, sequence),
            [tail for _, tail in open_rows],
        )
        for tail in proven:
            tree.graft(tail)
    _take_reachable(node, tree, open_rows, may_graft=keep_other is not None)
    if keep_other is not None:
        _follow_up(node, tree, keep_other)
    else:
        tree.mark()


def _take_reachable(
    node: Node,
    tree: _Tree,
    open_rows: list[tuple[EvidenceRow, Tail]],
    *,
    may_graft: bool,
) -> None:
    """Say of evidence whether it is part of the tree; else it proves nothing yet."""
    branches = node.store.branches
    waiting = list(open_rows)
    while True:
        found = [
            (row, tail)
            for row, tail in waiting
            if tree.is_forked
            and tree.find(tail.chunk.first - 1, tail.previous)
            and (may_graft or not tree.count_new(tail))
        ]
        if not found:
            break
        for row, tail in found:
            waiting.remove((row, tail))
            if may_graft:
                tree.graft(tail)
            branches.set_evidence(row.entry, TAKEN)
    for row, _ in waiting:
        branches.set_evidence(row.entry, WAITS)


def _follow_up(node: Node, tree: _Tree, keep_other: KeepOther) -> None:
    """Take in what has come with a tail, and judge again what it touches."""
    for row in sorted(tree.fresh):
        stored = node.store.journal.entry(row)
        assert stored is not None
        if stored.entry.kind != KIND_CHANGE:
            keep_other(node, stored)
    judge.judge_whole(node, tree.documents)
    tree.mark()


def _tell(node: Node, stream: StreamId) -> None:
    """Write into our own stream what no evidence carries, if we may write."""
    branches = node.store.branches
    missing = _missing(node, stream)
    if missing and journal.is_forbidden(node, stream.scope):
        return
    for tail in missing:
        payload = show(tail)
        row = journal.append(
            node, stream.scope, KIND_BRANCH, b"", payload, node.now_ms()
        )
        branches.put_evidence(_evidence(row, tail, TAKEN))
    if missing:
        _Tree(node, stream).mark()
    branches.set_told(stream)


def _missing(node: Node, stream: StreamId) -> list[Tail]:
    """Return what no evidence carries of the histories beyond the main line, and of
    the main line itself where no signature stands at its end: nobody could relay it.
    """
    branches = node.store.branches
    lines = branches.lines(stream)
    told: set[int] = set()
    found: list[Tail] = []
    for leaf in leaves(lines):
        path = path_to(lines, leaf)
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


def _evidence(row: int, tail: Tail, state: str) -> EvidenceRow:
    chunk = tail.chunk
    return EvidenceRow(
        row, chunk.stream, chunk.first, chunk.checkpoint.sequence, tail.last_hash, state
    )
