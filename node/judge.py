"""From entries to verdicts and documents: the second half of the guarded way in.

A `Plan` is made without a lock: it reads, asks the child process and the policy, and
knows what should be written. `commit` writes it, inside the caller's transaction,
after `is_current` has said that no other process has touched the documents, the
roster or the calendar since.
What becomes of each document is decided in `node.document_plan`.
"""

from collections.abc import Iterable, Iterator, Sequence

from node import booking
from node.document_plan import Candidate, DocumentPlan
from node.material import materials_in
from node.store.attachments import MaterialRow
from node.store.documents import JudgedChange
from node.store.journal import StoredEntry
from node.wiring import Node
from sync.change import Change
from sync.stream import KIND_CHANGE
from sync.worker import Job

JUDGE_VERSION = 5
"""What the checks are, from the reader of changes to the forms. Raise it with every
version that takes what an older one has set aside or only kept: then everything of
that kind is judged again, see `node.upgrade`. The same makes rows again that say less
than today's.
"""

JUDGED_TOGETHER = 100


def judge_whole(node: Node, documents: Iterable[bytes]) -> None:
    """Forget what was derived for some documents and make it again from all of their
    entries, in an order that does not depend on how they came.

    Inside the transaction of whatever made it necessary.
    """
    keys = sorted(documents)
    for start in range(0, len(keys), JUDGED_TOGETHER):
        candidates: list[Candidate] = []
        for document in keys[start : start + JUDGED_TOGETHER]:
            candidates += _in_order(node, node.store.journal.entries_of(document))
            node.store.documents.forget(document)
        Plan(node, candidates, is_whole=True).commit()


def _in_order(node: Node, entries: Sequence[StoredEntry]) -> list[Candidate]:
    """Return the changes among entries of a document, by author, line and sequence."""
    changes = [one for one in entries if one.entry.kind == KIND_CHANGE]
    candidates = [candidate_of(one) for one in changes]
    for one, stored in zip(candidates, changes, strict=True):
        if stored.branch:
            one.path = node.store.branches.path(stored.stream, stored.branch)
    return sorted(candidates, key=lambda c: (c.stream, c.path, c.entry.sequence))


def candidate_of(stored: StoredEntry) -> Candidate:
    """Return a stored change entry as a candidate."""
    return Candidate(
        stored.stream,
        stored.entry,
        row=stored.row,
        received_at_ms=stored.received_at_ms,
    )


class Plan:
    """What should be written for some change entries."""

    def __init__(
        self,
        node: Node,
        fresh: Sequence[Candidate],
        also: Iterable[bytes] = (),
        now_ms: int | None = None,
        *,
        is_whole: bool = False,
    ) -> None:
        """Judge `fresh` entries, and those of the same documents and of the
        documents `also` that have been waiting. `now_ms` is when they came.

        `is_whole` says that `fresh` is all there is of its documents. Where an author
        has parted, a document is always judged as a whole, once all is stored.
        """
        self._node = node
        self._version = node.store.data_version()
        groups: dict[bytes, list[Candidate]] = {document: [] for document in also}
        for candidate in fresh:
            candidate.received_at_ms = candidate.received_at_ms or now_ms or 0
            groups.setdefault(candidate.entry.document, []).append(candidate)
        self._parted: set[bytes] = set()
        if not is_whole:
            self._parted = node.store.branches.parted_documents(list(groups))
        for document in self._parted:
            del groups[document]
        self._marks = self._marks_now()
        self._before = self._present(list(groups))
        heads, pending = self._before
        for document, rows in pending.items():
            groups[document][:0] = [_waiting(node, row) for row in rows]
        stored = node.store.documents.many(list(heads))
        known = node.store.documents.changes_of(list(groups))
        roster, calendar = node.roster, node.calendar
        tiers = booking.tiers_of(roster)
        self._parts: list[DocumentPlan] = []

        def made() -> Iterator[DocumentPlan]:
            for key, group in groups.items():
                part = DocumentPlan(
                    node,
                    roster,
                    key,
                    group,
                    stored.get(key),
                    known.get(key, {}),
                    calendar,
                    tiers,
                )
                self._parts.append(part)
                if part.ready:
                    yield part

        self._ask(made())

    def is_current(self) -> bool:
        """Say whether the documents, and what waits for them, are as they were, and
        the roster and the calendar by which they were judged and booked.
        """
        if self._node.store.data_version() == self._version:
            return True
        keys = [part.document for part in self._parts]
        return self._marks_now() == self._marks and self._present(keys) == self._before

    def _marks_now(self) -> tuple[tuple[int, int], tuple[int, int]]:
        registry = self._node.store.registry
        return registry.roster_mark(), registry.calendar_mark()

    def _present(
        self, keys: list[bytes]
    ) -> tuple[dict[bytes, bytes], dict[bytes, list[int]]]:
        documents = self._node.store.documents
        return documents.heads(keys), documents.pending(keys)

    def commit(self) -> None:
        """Write verdicts, documents and list rows."""
        store = self._node.store
        verdicts: list[tuple[int, str]] = []
        asides: list[tuple[int, str, str]] = []
        waits: list[tuple[int, bytes, str, bytes]] = []
        changes: list[JudgedChange] = []
        materials: list[MaterialRow] = []
        done: list[int] = []
        waited = {row for rows in self._before[1].values() for row in rows}
        for part in self._parts:
            for one in part.candidates:
                verdict = "waits" if one.waits else "aside" if one.fault else "taken"
                verdicts.append((one.row, verdict))
                if one.waits:
                    waits.append((one.row, part.document, *one.waits))
                elif one.row in waited:
                    done.append(one.row)
                if one.fault:
                    asides.append((one.row, *one.fault))
                if one.change:
                    changes.append(_judged(part.document, one, one.change, verdict))
                    if verdict == "taken":
                        materials += _materials(part, one, one.change)
        store.documents.drop_pending(done)
        store.journal.set_verdicts(verdicts)
        store.documents.put_pending(waits)
        store.documents.put_quarantine(asides)
        store.documents.put_changes(changes)
        results = [part.result for part in self._parts if part.result]
        store.documents.put([document for document, _ in results])
        store.cases.put((booked.row, booked.terms) for _, booked in results)
        store.ledger.put(booked.line for _, booked in results)
        if materials:
            store.attachments.put_materials(materials, self._node.id)
        judge_whole(self._node, self._parted)

    def _ask(self, parts: Iterator["DocumentPlan"]) -> None:
        """Ask the child about each part until all are settled.

        The first time the parts are made while the child works on those before.
        """
        asked: list[DocumentPlan] = []

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


def _judged(
    document: bytes, one: Candidate, change: Change, verdict: str
) -> JudgedChange:
    return JudgedChange(
        document,
        change.hash,
        change.actor,
        change.sequence,
        change.last_op,
        one.stream.epoch,
        one.row,
        verdict,
    )


def _materials(
    part: DocumentPlan, one: Candidate, change: Change
) -> Iterator[MaterialRow]:
    """Yield a row for each file that a change has written into its case."""
    assert part.birth is not None
    birth = part.birth
    for digest, found in materials_in(change, dict(birth.containers), birth.actor):
        node = one.stream.node
        yield MaterialRow(part.document, digest, found.size, node, one.row)


def _waiting(node: Node, row: int) -> Candidate:
    stored = node.store.journal.entry(row)
    assert stored is not None
    return candidate_of(stored)
