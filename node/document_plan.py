"""What should become of one document, given new changes for it.

The steps stand in order: read the changes, find those whose parts are here, ask the
child process, ask the policy, make the rows. A verdict depends on a change, its own
ancestors, the roster and the package; never on what else is here, nor on the order in
which it came.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from forms.item import Tier
from node import booking, cases, policy, rights
from node.booking import Booked
from node.lifecycle import decode_event
from node.material import decode_material
from node.policy import Claim, Disputed, Fault, Past
from node.store.cases import CaseRow
from node.store.documents import (
    Birth,
    DocumentRow,
    JudgedChange,
    JudgedChanges,
    may_be_in_entries,
)
from node.wiring import Node
from node.workdays import Calendar
from sync.change import Change, read_change, tree_of
from sync.conflict import Places
from sync.errors import ChangeRefused
from sync.identity import NODE_ID_BYTES, Roster
from sync.sandbox import BACKSTOP
from sync.stream import Entry, StreamId
from sync.worker import Job, Outcome

MAX_CASE_OPS = 10_000
"""Along any line of changes: a case has hundreds."""

WAIT_CHANGE, WAIT_PACKAGE, WAIT_ROSTER = "change", "package", "roster"


Author = tuple[bytes, int, tuple[bytes, ...]]
"""Who writes on one line: (node, epoch, branches that lead to it)."""


@dataclass(slots=True)
class Candidate:
    """A change entry on its way to a verdict. `row` is known once it is stored.

    `path` names the branches that lead to it, where its stream has parted before it.
    """

    stream: StreamId
    entry: Entry
    path: tuple[bytes, ...] = ()
    row: int = 0
    received_at_ms: int = 0
    change: Change | None = None
    fault: Fault | None = None
    waits: tuple[str, bytes] | None = None


Queues = dict[tuple[StreamId, tuple[bytes, ...]], list[Candidate]]
"""What is not decided yet of each line."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How a change stands to those before it: `is_branch` where it does not build on
    all of them, `is_led` where its past is that of the change before, led on.
    """

    is_branch: bool
    is_led: bool


@dataclass(slots=True)
class DocumentPlan:
    """The plan for one document."""

    node: Node
    roster: Roster
    document: bytes
    candidates: list[Candidate]
    stored: DocumentRow | None
    known: JudgedChanges
    calendar: Calendar
    tiers: Mapping[str, Tier]
    birth: Birth | None = None
    scope: str | None = None
    ready: list[Candidate] = field(default_factory=list)
    result: tuple[DocumentRow, Booked] | None = None
    row: CaseRow | None = None
    _turns: list[Turn] = field(default_factory=list)
    _past_changes: dict[bytes, Change] | None = None
    _void: set[bytes] = field(default_factory=set)
    """Changes whose number another branch of their author has used."""

    def __post_init__(self) -> None:
        if self.stored:
            self.birth, self.scope = self.stored.birth, self.stored.scope
            self.row = self.node.store.cases.get(self.document)
        self._read_all()
        self._order()

    # -- before the child process ---------------------------------------------

    def _read_all(self) -> None:
        """Read the changes. The first entry of an author that bears a number has it,
        whatever becomes of that entry: so the verdict is the same everywhere.
        """
        claims = {(one.actor, one.sequence): h for h, one in self.known.items()}
        seen: set[bytes] = set()
        for one in self.candidates:
            one.waits = None
            self._read(one)
            change = one.change
            if change is None:
                continue
            before = self.known.get(change.hash)
            if change.hash in seen or (before and before.entry != one.row):
                # The same change under a second entry: nothing new.
                one.change = None
                continue
            seen.add(change.hash)
            claim = (change.actor, change.sequence)
            if claims.setdefault(claim, change.hash) != change.hash:
                one.fault = Fault("duplicate", "its author wrote this number twice")
                if any(other.path for other in self.candidates):
                    self._void.add(change.hash)
                one.change = None
            elif (
                change.sequence > 1
                and (change.actor, change.sequence - 1) not in claims
            ):
                one.fault = Fault("sequence", "its author's change before is missing")

    def _read(self, one: Candidate) -> None:
        if one.entry.payload is None:
            one.fault = Fault("dropped", "its payload is not here")
            return
        try:
            one.change = read_change(one.entry.payload)
        except ChangeRefused as refusal:
            one.fault = Fault(refusal.cause, refusal.detail)
            return
        if one.change.actor[: len(one.stream.node)] != one.stream.node:
            # Somebody else's number is not his to use up.
            one.change = None
            one.fault = Fault("author", "it names another author than its stream")
            return
        one.fault = policy.judge_form(one.stream, one.entry, one.change)

    def _order(self) -> None:
        """Find the changes whose parts are here, in causal order.

        The entries of one author are taken in the order he wrote them: where one
        waits, those behind it wait as well. Where he has parted, each branch goes on
        from what stands before the parting.
        """
        last_ops = {h: one.last_op for h, one in self.known.items() if one.is_taken}
        aside = {h for h, one in self.known.items() if one.verdict == "aside"}
        aside |= self._void
        queues: Queues = {}
        for one in self.candidates:
            if one.change is not None or one.fault is None:
                queues.setdefault((one.stream, one.path), []).append(one)
        progress = True
        while progress:
            progress = False
            for (stream, path), queue in queues.items():
                if _ahead(queues, stream, path):
                    continue
                while queue:
                    one = queue[0]
                    change = one.change
                    if (
                        change is not None
                        and one.fault is None
                        and not self._place(one, change, last_ops, aside)
                    ):
                        break
                    queue.pop(0)
                    progress = True
                    if change is None:
                        continue
                    if one.fault:
                        aside.add(change.hash)
                        continue
                    last_ops[change.hash] = change.last_op
                    self.ready.append(one)
        for (stream, path), queue in queues.items():
            before = [*_ahead(queues, stream, path), *queue[:1]]
            first = before[0].change if before else None
            for one in queue:
                is_behind = one is not before[0] and one.change is not None
                if first is not None and is_behind and not one.fault:
                    one.waits = (WAIT_CHANGE, first.hash)

    def _place(
        self,
        one: Candidate,
        change: Change,
        last_ops: dict[bytes, int],
        aside: set[bytes],
    ) -> bool:
        """Find what a change waits for, or why it is set aside; False if it waits."""
        one.waits = None
        missing = [d for d in change.dependencies if d not in last_ops]
        if any(d in aside for d in missing):
            one.fault = Fault("depends", "it builds on a change set aside")
        elif missing:
            one.waits = (WAIT_CHANGE, missing[0])
        elif one.entry.roster_version > self.roster.version:
            one.waits = (WAIT_ROSTER, str(one.entry.roster_version).encode())
        else:
            last_op = max((last_ops[d] for d in change.dependencies), default=0)
            self._admit(one, change, last_op)
        return one.waits is None

    def _admit(self, one: Candidate, change: Change, last_op: int) -> None:
        """Judge a change whose parts are here, as far as that needs no library.

        `last_op` is the highest operation number that its author knew: a change that
        leaps ahead would win over everybody and end the numbers for all.
        """
        stream = one.stream
        if self.roster.is_cut(
            stream.node, stream.epoch, one.entry.sequence, stream.scope
        ):
            one.fault = Fault("revoked", "its author had been revoked")
        elif change.start_op != last_op + 1:
            one.fault = Fault("sequence", "its operations do not follow those before")
        elif change.last_op > MAX_CASE_OPS:
            one.fault = Fault("too-large", "the case has grown too long")
        elif not change.dependencies:
            self._admit_birth(one, change)
        elif self.scope not in (None, stream.scope):
            one.fault = Fault("scope", "the document lives in another scope")

    def _admit_birth(self, one: Candidate, change: Change) -> None:
        if self.birth is not None:
            one.fault = Fault("duplicate", "the document has begun already")
            return
        author = self.roster.certificate(one.stream.node, one.stream.epoch)
        assert author is not None
        birth = _birth_of(change, author.division)
        if self.node.package(birth.package) is None:
            one.waits = (WAIT_PACKAGE, birth.package.encode())
        else:
            self.birth, self.scope = birth, one.stream.scope

    def _leaves_out(self, change: Change, wanted: bytes | None) -> bool:
        """Say whether `wanted`, the last change of its author that was taken, is not
        among the ancestors of a change. It is asked with the verdict upon that one in
        hand: what is set aside must not count, or it would matter what came together.
        """
        if wanted is None or wanted in change.dependencies:
            return False
        past = self._all_changes()
        seen: set[bytes] = set()
        waiting = list(change.dependencies)
        while waiting:
            one = waiting.pop()
            if one == wanted:
                return False
            if one not in seen:
                seen.add(one)
                waiting += past[one].dependencies
        return True

    # -- the child process ------------------------------------------------------

    def job(self) -> Job:
        """Return what the child shall do next.

        A change that follows all that stands before it needs no look at the past:
        the past is led on by what it writes. Others are looked at where they branch.
        """
        changes = [one.change for one in self.ready if one.change]
        heads = set(self.stored.heads) if self.stored else set()
        self._turns = []
        look_at: list[list[bytes]] = [sorted(heads)]
        can_lead = True
        for change in changes:
            known = set(change.dependencies)
            turn = Turn(is_branch=known != heads, is_led=known == heads and can_lead)
            self._turns.append(turn)
            if not turn.is_led:
                look_at.append(list(change.dependencies))
            can_lead = not turn.is_branch
            heads = (heads - known) | {change.hash}
        return Job(
            self.stored.snapshot if self.stored else b"",
            [change.raw for change in changes],
            [change.hash for change in changes],
            look_at,
        )

    def take(self, outcome: Outcome) -> bool:
        """Take an answer; True if this document is settled."""
        if outcome.refused:
            self._find_culprit(outcome.refused)
            return not self.ready
        looked = (
            Past.of(cases.part(tree, "events"), cases.part(tree, "materials"))
            for tree in outcome.looked
        )
        past = next(looked)
        places: Places | None = None
        may_conflict = self._may_conflict()
        faulty: set[bytes] = set()
        latest = _latest_of_authors(self.known)
        leads = [*(turn.is_led for turn in self._turns[1:]), False]
        for one, turn, is_followed in zip(self.ready, self._turns, leads, strict=True):
            change = one.change
            assert change is not None
            if not turn.is_led:
                past = next(looked)
            if may_conflict and (places is None or not turn.is_led):
                places = Places(_closure(change, self._all_changes())[:-1])
            if faulty.intersection(change.dependencies):
                one.fault = Fault("depends", "it builds on a change set aside")
            elif self._leaves_out(change, _last_of(_author_of(one), latest)):
                one.fault = Fault(
                    "sequence", "it leaves out its author's own last change"
                )
            else:
                one.fault = self._judge(one, change, past, _disputed(places, change))
            if turn.is_branch and not one.fault:
                one.fault = self._judge_alone(change)
            if one.fault:
                faulty.add(change.hash)
                continue
            latest[_author_of(one)] = change.hash
            if is_followed:
                _lead_on(past, change)
                if places is not None:
                    places.take(change)
        if faulty:
            self._drop_faulty()
            return not self.ready
        self._finish(outcome)
        return True

    def _judge(
        self, one: Candidate, change: Change, past: Past, disputed: Disputed
    ) -> Fault | None:
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
                past=past,
                first_actor=self.birth.actor,
                containers=dict(self.birth.containers),
                package=package,
                division=rights.competent_division(
                    one.stream.scope, self.birth.taken_in_at
                ),
                disputed=disputed,
            )
        )

    def _judge_alone(self, change: Change) -> Fault | None:
        """Judge a change upon its own ancestors only: what it overwrites must be
        among them, and not merely be here.
        """
        own = _closure(change, self._all_changes())
        raws = [one.raw for one in own]
        answer = self.node.sandbox.run([Job(b"", raws, [change.hash], [])])[0]
        if not answer.refused:
            return None
        cause = BACKSTOP if answer.refused == BACKSTOP else "library"
        return Fault(cause, answer.refused)

    def _find_culprit(self, why: str) -> None:
        """Judge each change upon its own ancestors only, so that the verdict is the
        same on every node.
        """
        faulty: set[bytes] = set()
        for one in self.ready:
            assert one.change is not None
            if faulty.intersection(one.change.dependencies):
                one.fault = Fault("depends", "it builds on a change set aside")
            else:
                one.fault = self._judge_alone(one.change)
            if one.fault:
                faulty.add(one.change.hash)
        if not faulty:
            # Each is good alone, together they are not: only the newest can be blamed.
            self.ready[-1].fault = Fault(BACKSTOP, why)
        self._drop_faulty()

    def _drop_faulty(self) -> None:
        self.ready = [one for one in self.ready if not one.fault]
        if self.stored is None and not self.ready:
            self.birth = self.scope = None

    def _all_changes(self) -> dict[bytes, Change]:
        """Return all changes that the document is made of, and those on their way."""
        if self._past_changes is None:
            self._past_changes = {
                one.change.hash: one.change for one in self.candidates if one.change
            }
            for change_hash, judged in self.known.items():
                if judged.is_taken and change_hash not in self._past_changes:
                    stored = self.node.store.journal.entry(judged.entry)
                    assert stored is not None and stored.entry.payload is not None
                    change = read_change(stored.entry.payload)
                    self._past_changes[change_hash] = change
        return self._past_changes

    def _finish(self, outcome: Outcome) -> None:
        """Make the rows that follow from a document that is proven good."""
        assert self.birth is not None
        first = self.ready[0].change
        assert first is not None
        snapshot, tree = outcome.snapshot, outcome.tree
        if not snapshot:
            # A first change alone is a snapshot, and our own reading is its tree.
            snapshot, tree = first.raw, tree_of(first)
        count = len(self.ready) + sum(one.is_taken for one in self.known.values())
        package = self.node.package(self.birth.package)
        assert package is not None
        scope = self.ready[0].stream.scope
        changed_at_ms = max(one.received_at_ms for one in self.ready)
        if self.row:
            changed_at_ms = max(changed_at_ms, self.row.changed_at_ms)
        changes = self._taken_changes() if self._may_conflict() else []
        document = DocumentRow(
            self.document,
            scope,
            self.birth,
            tuple(outcome.heads),
            snapshot,
            in_entries=may_be_in_entries(self.stored, count),
        )
        booked = booking.book(
            document, package, tree, changed_at_ms, self.calendar, self.tiers, changes
        )
        self.result = document, booked

    def _may_conflict(self) -> bool:
        """Say whether anything was written without knowledge of the rest."""
        had_conflict = self.row is not None and self.row.had_conflict
        return had_conflict or any(turn.is_branch for turn in self._turns)

    def _taken_changes(self) -> list[Change]:
        """Return the changes of which the document is made from now on."""
        every = self._all_changes()
        taken = {h for h, one in self.known.items() if one.is_taken}
        taken.update(one.change.hash for one in self.ready if one.change)
        return [every[one] for one in sorted(taken)]


def _ahead(
    queues: Queues, stream: StreamId, path: tuple[bytes, ...]
) -> list[Candidate]:
    """Return what waits on the lines that lead to a branch."""
    return [one for n in range(len(path)) for one in queues.get((stream, path[:n]), [])]


def _author_of(one: Candidate) -> Author:
    """Return who writes a change, and on which line."""
    return one.stream.node, one.stream.epoch, one.path


def _last_of(author: Author, latest: dict[Author, bytes]) -> bytes | None:
    """Return an author's last change on his line, as far back as it goes."""
    node, epoch, path = author
    lines = ((node, epoch, path[:n]) for n in range(len(path), -1, -1))
    return next((latest[line] for line in lines if line in latest), None)


def _latest_of_authors(known: JudgedChanges) -> dict[Author, bytes]:
    """Return each author's last change that is part of the document."""
    latest: dict[Author, JudgedChange] = {}
    for one in known.values():
        author = (one.actor[:NODE_ID_BYTES], one.epoch, ())
        if one.is_taken and (author not in latest or one.entry > latest[author].entry):
            latest[author] = one
    return {author: one.hash for author, one in latest.items()}


def _lead_on(past: Past, change: Change) -> None:
    """Lead a past on by the event that a change tells of, and by its files."""
    for op in change.ops:
        event = decode_event(op.value) if op.container is not None else None
        if event is not None and op.key.endswith(f"-{event.at}"):
            past.advance(op.key, event)
        elif material := decode_material(op.key, op.value):
            past.sizes[op.key] = material.size


def _disputed(places: Places | None, change: Change) -> Disputed:
    """Return which of the places that a change writes were in dispute before it."""
    if places is None:
        return {}
    found = [places.conflict(op.container, op.key) for op in change.ops]
    return {
        one.key: frozenset(living.id for living in one.values)
        for one in found
        if one is not None
    }


def _birth_of(change: Change, taken_in_at: str) -> Birth:
    root = policy.root_of(change)
    return Birth(
        actor=change.actor,
        containers=tuple(sorted(policy.containers_of(change).items())),
        package=str(root["package"]),
        number=str(root["number"]),
        taken_in_at=taken_in_at,
    )


def _closure(change: Change, known: dict[bytes, Change]) -> list[Change]:
    """Return a change and its ancestors, parents first. All of them are known."""
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
        stack += [(known[parent], False) for parent in one.dependencies]
    return list(order.values())
