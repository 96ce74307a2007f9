"""From entries to verdicts and documents: the second half of the guarded way in.

A `Plan` is made without a lock: it reads, asks the child process and the policy, and
knows what should be written. `commit` writes it, inside the caller's transaction,
after `is_current` has said that no other process has touched the documents since.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from node import cases, policy
from node.policy import Claim, Fault
from node.store.cases import CaseRow
from node.store.documents import (
    Birth,
    DocumentRow,
    JudgedChange,
    JudgedChanges,
)
from node.wiring import Node
from sync.change import Change, read_change
from sync.document import Tree
from sync.errors import ChangeRefused
from sync.identity import Roster
from sync.sandbox import BACKSTOP
from sync.stream import KIND_CHANGE, Entry, StreamId
from sync.worker import Job, Outcome

WAIT_CHANGE, WAIT_PACKAGE, WAIT_ROSTER = "change", "package", "roster"


@dataclass(slots=True)
class Candidate:
    """A change entry on its way to a verdict. `row` is known once it is stored."""

    stream: StreamId
    entry: Entry
    row: int = 0
    received_at_ms: int = 0
    change: Change | None = None
    fault: Fault | None = None
    waits: tuple[str, bytes] | None = None


class Plan:
    """What should be written for some change entries."""

    def __init__(
        self, node: Node, fresh: Sequence[Candidate], also: Iterable[bytes] = ()
    ) -> None:
        """Judge `fresh` entries, and those of the same documents and of the
        documents `also` that have been waiting.
        """
        self._node = node
        groups: dict[bytes, list[Candidate]] = {document: [] for document in also}
        for candidate in fresh:
            groups.setdefault(candidate.entry.document, []).append(candidate)
        keys = list(groups)
        documents = node.store.documents
        for document, rows in documents.pending(keys).items():
            groups[document][:0] = [_waiting(node, row) for row in rows]
        self._before = documents.heads(keys)
        stored, known = documents.many(keys), documents.changes_of(keys)
        roster = node.roster
        self._parts: list[_Part] = []

        def made() -> Iterator[_Part]:
            for key, group in groups.items():
                part = _Part(
                    node, roster, key, group, stored.get(key), known.get(key, {})
                )
                self._parts.append(part)
                if part.has_job():
                    yield part

        self._ask(made())

    def is_current(self) -> bool:
        """Say whether the documents are still as they were read."""
        keys = [part.document for part in self._parts]
        return self._node.store.documents.heads(keys) == self._before

    def commit(self) -> None:
        """Write verdicts, documents and list rows."""
        store = self._node.store
        verdicts: list[tuple[int, str]] = []
        asides: list[tuple[int, str, str]] = []
        waits: list[tuple[int, bytes, str, bytes]] = []
        changes: list[JudgedChange] = []
        done: list[int] = []
        for part in self._parts:
            for one in part.candidates:
                if one.waits:
                    verdicts.append((one.row, "waits"))
                    waits.append((one.row, part.document, *one.waits))
                    continue
                if one.received_at_ms:
                    done.append(one.row)
                verdicts.append((one.row, "aside" if one.fault else "taken"))
                if one.fault:
                    asides.append((one.row, *one.fault))
                if one.change:
                    changes.append(
                        JudgedChange(
                            part.document,
                            one.change.hash,
                            one.change.actor,
                            one.change.sequence,
                            one.change.last_op,
                            one.row,
                            one.fault is None,
                        )
                    )
        store.documents.drop_pending(done)
        store.journal.set_verdicts(verdicts)
        store.documents.put_pending(waits)
        store.documents.put_quarantine(asides)
        store.documents.put_changes(changes)
        results = [part.result for part in self._parts if part.result]
        store.documents.put([document for document, _, _ in results])
        store.cases.put((row, terms) for _, row, terms in results)

    def _ask(self, parts: Iterator["_Part"]) -> None:
        """Ask the child about each part until all are settled.

        The first time the parts are made while the child works on those before.
        """
        asked: list[_Part] = []

        def jobs() -> Iterator[Job]:
            for part in parts:
                asked.append(part)
                yield part.job()

        while True:
            outcomes = self._node.sandbox.run(jobs())
            open_parts = [
                part
                for part, outcome in zip(asked, outcomes, strict=True)
                if not part.take(outcome)
            ]
            if not open_parts:
                return
            parts, asked = iter(open_parts), []


@dataclass(slots=True)
class _Part:
    """The plan for one document."""

    node: Node
    roster: Roster
    document: bytes
    candidates: list[Candidate]
    stored: DocumentRow | None
    known: JudgedChanges
    birth: Birth | None = None
    ready: list[Candidate] = field(default_factory=list)
    result: tuple[DocumentRow, CaseRow, tuple[str, str, str]] | None = None

    def __post_init__(self) -> None:
        self.birth = self.stored.birth if self.stored else None
        self._order()

    # -- before the child process ---------------------------------------------

    def _order(self) -> None:
        """Read the changes, and find those whose parts are here, in causal order."""
        known = self.known
        taken = {h: one.last_op for h, one in known.items() if one.is_taken}
        aside = {h for h, one in known.items() if not one.is_taken}
        used = {(one.actor, one.sequence) for one in known.values()}
        unread = [one for one in self.candidates if self._read(one)]
        progress = True
        while progress:
            progress = False
            for one in list(unread):
                change = one.change
                assert change is not None
                if change.hash in taken or change.hash in aside:
                    # The same change under a second entry: nothing new.
                    if change.hash in aside:
                        one.fault = Fault("repeated", "it was set aside before")
                    one.change = None
                    unread.remove(one)
                    continue
                missing = [d for d in change.dependencies if d not in taken]
                if any(d in aside for d in missing):
                    one.fault = Fault("depends", "it builds on a change set aside")
                elif missing:
                    one.waits = (WAIT_CHANGE, missing[0])
                    continue
                else:
                    one.waits = None
                    last_op = max((taken[d] for d in change.dependencies), default=0)
                    self._admit(one, change, used, last_op)
                if one.waits:
                    continue
                progress = True
                unread.remove(one)
                if one.fault:
                    aside.add(change.hash)
                else:
                    taken[change.hash] = change.last_op
                    used.add((change.actor, change.sequence))
                    self.ready.append(one)

    def _read(self, one: Candidate) -> bool:
        """Read the change of a candidate; False if its verdict stands already."""
        if one.entry.payload is None:
            one.fault = Fault("dropped", "its payload is not here")
            return False
        try:
            one.change = read_change(one.entry.payload)
        except ChangeRefused as refusal:
            one.fault = Fault(refusal.cause, refusal.detail)
            return False
        one.fault = policy.judge_form(one.stream, one.entry, one.change)
        if one.fault is None and one.entry.kind != KIND_CHANGE:
            one.fault = Fault("kind", "not a change")
        return one.fault is None

    def _admit(
        self,
        one: Candidate,
        change: Change,
        used: set[tuple[bytes, int]],
        last_op: int,
    ) -> None:
        """Find what a change whose parts are here still waits for or fails at.

        `last_op` is the highest operation number that its author knew: a change that
        leaps ahead would win over everybody and end the numbers for all.
        """
        roster, stream = self.roster, one.stream
        if one.entry.roster_version > roster.version:
            version = str(one.entry.roster_version).encode()
            one.waits = (WAIT_ROSTER, version)
        elif roster.is_cut(stream.node, stream.epoch, one.entry.sequence):
            one.fault = Fault("revoked", "its author had been revoked")
        elif (change.actor, change.sequence) in used:
            one.fault = Fault("duplicate", "its author wrote this number twice")
        elif change.sequence > 1 and (change.actor, change.sequence - 1) not in used:
            one.fault = Fault("sequence", "its author's change before it is missing")
        elif change.start_op != last_op + 1:
            one.fault = Fault("sequence", "its operations do not follow those before")
        elif not change.dependencies:
            if self.birth is not None:
                one.fault = Fault("duplicate", "the document has begun already")
                return
            birth = _birth_of(change)
            if self.node.package(birth.package) is None:
                one.waits = (WAIT_PACKAGE, birth.package.encode())
            else:
                self.birth = birth
        elif self.stored is not None and self.stored.scope != stream.scope:
            one.fault = Fault("scope", "the document lives in another scope")

    # -- the child process ------------------------------------------------------

    def has_job(self) -> bool:
        return bool(self.ready)

    def job(self) -> Job:
        """Return what the child shall do next."""
        changes = [one.change for one in self.ready if one.change]
        return Job(
            self.stored.snapshot if self.stored else b"",
            [change.raw for change in changes],
            [change.hash for change in changes],
            [list(change.dependencies) for change in changes],
        )

    def take(self, outcome: Outcome) -> bool:
        """Take an answer; True if this document is settled."""
        if outcome.refused:
            self._find_culprit(outcome.refused)
            return not self.ready
        faulty: set[bytes] = set()
        for one, before in zip(self.ready, outcome.looked, strict=True):
            change = one.change
            assert change is not None
            if faulty.intersection(change.dependencies):
                one.fault = Fault("depends", "it builds on a change set aside")
            else:
                one.fault = self._judge(one, change, before)
            if one.fault:
                faulty.add(change.hash)
        if faulty:
            self._drop_faulty()
            return not self.ready
        self._finish(outcome)
        return True

    def _judge(self, one: Candidate, change: Change, before: Tree) -> Fault | None:
        author = self.roster.certificate(one.stream.node, one.stream.epoch)
        assert author is not None and self.birth is not None
        package = self.node.package(self.birth.package)
        assert package is not None
        return policy.judge(
            Claim(
                stream=one.stream,
                entry=one.entry,
                author=author,
                change=change,
                before=before,
                first_actor=self.birth.actor,
                containers=dict(self.birth.containers),
                package=package,
            )
        )

    def _find_culprit(self, why: str) -> None:
        """Judge each change upon its own ancestors only, so that the verdict is the
        same on every node.
        """
        ancestry = self._stored_changes()
        for one in self.ready:
            assert one.change is not None
            own = _closure(one.change, ancestry)
            if own is None:
                one.fault = Fault("depends", "it builds on a change set aside")
                continue
            raws = [change.raw for change in own]
            job = Job(b"", raws, [one.change.hash], [])
            answer = self.node.sandbox.run([job])[0]
            if answer.refused:
                cause = BACKSTOP if answer.refused == BACKSTOP else "library"
                one.fault = Fault(cause, answer.refused)
            else:
                ancestry[one.change.hash] = one.change
        if not any(one.fault for one in self.ready):
            # Each is good alone, together they are not: only the newest can be blamed.
            self.ready[-1].fault = Fault(BACKSTOP, why)
        self._drop_faulty()

    def _drop_faulty(self) -> None:
        self.ready = [one for one in self.ready if not one.fault]
        if self.stored is None and not self.ready:
            self.birth = None

    def _stored_changes(self) -> dict[bytes, Change]:
        found: dict[bytes, Change] = {}
        for change_hash, one in self.known.items():
            stored = self.node.store.journal.entry(one.entry) if one.is_taken else None
            if stored and stored.entry.payload is not None:
                found[change_hash] = read_change(stored.entry.payload)
        return found

    def _finish(self, outcome: Outcome) -> None:
        """Make the rows that follow from a document that is proven good."""
        assert self.birth is not None
        package = self.node.package(self.birth.package)
        assert package is not None
        scope = self.ready[0].stream.scope
        changed_at_ms = max(
            one.received_at_ms or self.node.now_ms() for one in self.ready
        )
        before = self.node.store.cases.get(self.document) if self.stored else None
        if before:
            changed_at_ms = max(changed_at_ms, before.changed_at_ms)
        has_conflict = self._may_conflict(before) and bool(
            cases.standing_conflicts(
                self.node,
                self.document,
                tuple(one.change for one in self.ready if one.change),
            )
        )
        row, terms = cases.make_row(
            self.document,
            self.birth.package,
            package,
            self.birth.number,
            scope,
            outcome.tree,
            changed_at_ms,
            has_conflict=has_conflict,
        )
        document = DocumentRow(
            self.document, scope, self.birth, tuple(outcome.heads), outcome.snapshot
        )
        self.result = (document, row, terms)

    def _may_conflict(self, before: CaseRow | None) -> bool:
        """Say whether anything was written without knowledge of the rest."""
        if before and before.mark == cases.MARK_CONFLICT:
            return True
        heads = set(self.stored.heads) if self.stored else set()
        for one in self.ready:
            assert one.change is not None
            known = set(one.change.dependencies)
            if known != heads:
                return True
            heads = {one.change.hash}
        return False


def _birth_of(change: Change) -> Birth:
    root = policy.root_of(change)
    return Birth(
        actor=change.actor,
        containers=tuple(sorted(policy.containers_of(change).items())),
        package=str(root["package"]),
        number=str(root["number"]),
    )


def _waiting(node: Node, row: int) -> Candidate:
    stored = node.store.journal.entry(row)
    assert stored is not None
    return Candidate(stored.stream, stored.entry, row, stored.received_at_ms)


def _closure(change: Change, known: dict[bytes, Change]) -> list[Change] | None:
    """Return a change and its ancestors, parents first; None if one is missing."""
    order: dict[bytes, Change] = {}
    stack = [(change, False)]
    while stack:
        one, are_parents_in = stack.pop()
        if one.hash in order:
            continue
        if are_parents_in:
            order[one.hash] = one
            continue
        stack.append((one, True))
        for dependency in one.dependencies:
            parent = known.get(dependency)
            if parent is None:
                return None
            stack.append((parent, False))
    return list(order.values())
