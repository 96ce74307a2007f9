"""What must hold, reckoned beside the nodes from what people did and who said what.

The oracle looks at the disks from outside. It knows of every entry who wrote it after
which, and who has ever had it on disk. It shares no code with `sync.conflict`, with the
fold, nor with the way in which arrivals are kept.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from node import status, upkeep
from node.attachments import Holding, files_of
from node.cases import Case, open_case
from node.matters import MARK_CONFLICT
from node.progress import progress
from sync.canonical import decode
from sync.identity import holds
from sync.stream import StreamId, genesis
from sync.vector import SignedVector
from tests.simulation.casebook import CaseRecord, Wrote
from tests.simulation.disk import Disk
from tests.simulation.places import places

if TYPE_CHECKING:
    from tests.simulation.site import Intent, Site

Stream = tuple[bytes, int, str]
"""(author, epoch, scope)."""

PARTED = "another history than ours"
FORGOTTEN = "it is of no case that both share"
"""What a node says that was put back, and is asked for a file that it no longer has."""

_ENTRIES = (
    "SELECT e.id, e.hash, e.sequence, e.kind, e.document, e.payload, s.node, s.epoch, "
    "s.scope, coalesce(b.hash, s.base_hash) FROM entries e "
    "JOIN streams s ON s.id = e.stream "
    "LEFT JOIN entries b ON b.stream = e.stream AND b.sequence = e.sequence - 1 "
    "WHERE e.id > ? ORDER BY e.id"
)
"""With the hash that stands before each."""


class Violation(AssertionError):
    """Something that must always hold did not."""


@dataclass(frozen=True, slots=True)
class Known:
    """An entry that somebody has written."""

    stream: Stream
    sequence: int
    before: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """That an entry says that its author holds files whole: (case, digest) of each."""

    entry: bytes
    author: bytes
    files: frozenset[tuple[bytes, bytes]]


@dataclass(slots=True)
class View:
    """What lies on one disk, and what its node has been told.

    Attributes:
        entries: the chain hashes of all entries.
        last_row: of the newest of them.
        heard: of each holder and scope the counter and the heads of its last word.
        own: the entries of this node about each case.
        packages: those that are here.
        refusals: the number of the last.
        waiting: cases of which something is here that cannot be shown yet.
        changes: how often the disk had been changed when it was looked at.
    """

    entries: set[bytes] = field(default_factory=set)
    last_row: int = 0
    heard: dict[tuple[bytes, str], tuple[int, frozenset[bytes]]] = field(
        default_factory=dict
    )
    own: dict[bytes, set[bytes]] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)
    refusals: int = 0
    waiting: set[bytes] = field(default_factory=set)
    changes: int = -1


class Oracle:
    """All that is true, and who knows it."""

    def __init__(self) -> None:
        beginning = _beginning()
        self.truth = dict(beginning.truth)
        self.forked: set[Stream] = set()
        self.ever = {node: set(held) for node, held in beginning.ever.items()}
        self.views = {
            name: View(set(held), last_row)
            for name, (held, last_row) in beginning.views.items()
        }
        self.cases: dict[bytes, CaseRecord] = {}
        self.said: list[Said] = []
        self.trace = hashlib.sha256()
        self._after: dict[tuple[Stream, bytes], bytes] = {
            (known.stream, known.before): one for one, known in self.truth.items()
        }

    # -- at every step ----------------------------------------------------------

    def look(self, site: "Site") -> set[str]:
        """Look at one node's disk and at what it shows.

        Return the scopes of which it has or knows more than before.
        """
        view = self.views[site.name]
        raw = site.disk.raw
        if raw.total_changes == view.changes:
            return set()
        view.changes = raw.total_changes
        view.packages = {row[0] for row in raw.execute("SELECT digest FROM packages")}
        news: set[str] = set()
        touched = self._entries(site, view, news)
        self._vectors(site, view, news)
        self._troubles(site, view)
        for document in sorted(touched | view.waiting):
            self._case(site, view, document)
        self._arrivals(site, view)
        digests = repr(upkeep.scope_digests(site.node))
        self.trace.update(f"{site.name} {digests}\n".encode())
        return news

    def _entries(self, site: "Site", view: View, news: set[str]) -> set[bytes]:
        """Find what has come to lie on the disk; return the cases that it touches."""
        raw, me = site.disk.raw, site.node.id
        rows = raw.execute(_ENTRIES, (view.last_row,)).fetchall()
        (count,) = raw.execute("SELECT count(*) FROM entries").fetchone()
        if count != len(view.entries) + len(rows):
            raise Violation(f"{site.name} has lost {len(view.entries) - count} entries")
        touched: set[bytes] = set()
        # What was written here builds upon what has come here.
        for row in sorted(rows, key=lambda row: (row[6] == me, row[0])):
            last_row, one, sequence, kind, document, payload, *stream, before = row
            known = Known((stream[0], stream[1], stream[2]), sequence, before)
            is_new = self._entry(site, view, one, known)
            if is_new and kind == "change":
                self._event(site, view, one, document)
            elif is_new and kind == "holding":
                self._holding(site, one, payload)
            view.entries.add(one)
            self.ever[me].add(one)
            view.last_row = max(view.last_row, last_row)
            news.add(stream[2])
            if document:
                touched.add(document)
                if stream[0] == me:
                    view.own.setdefault(document, set()).add(one)
        return touched

    def _entry(self, site: "Site", view: View, one: bytes, known: Known) -> bool:
        """Compare an entry with what was written; say whether it just was."""
        if known.before not in view.entries and known.before != _first(known.stream):
            raise Violation(f"{site.name} has a gap in {_say(known.stream)}")
        if one in self.truth:
            if self.truth[one] != known:
                raise Violation(f"{site.name} has {_say(known.stream)} otherwise")
            return False
        if known.stream[0] != site.node.id:
            raise Violation(f"{site.name} has what nobody wrote: {_say(known.stream)}")
        self.truth[one] = known
        if self._after.setdefault((known.stream, known.before), one) != one:
            self.forked.add(known.stream)
        return True

    def _event(self, site: "Site", view: View, one: bytes, document: bytes) -> None:
        """Take note of what a person has done at `site` just now."""
        is_birth = document not in self.cases
        if is_birth:
            row = site.node.store.cases.get(document)
            if row is None:
                raise Violation(f"{site.name}: no list row for {_short(document)}")
            self.cases[document] = CaseRecord(row.package)
        record = self.cases[document]
        case = open_case(site.node, document.hex())
        shown = [event.id for event in case.story.happened]
        new = [event for event in shown if event not in record.events]
        intent = _fitting(site, document, is_birth=is_birth)
        if intent is None or len(new) != 1:
            raise Violation(
                f"{site.name}: {len(new)} events in {_short(document)} by one entry"
            )
        knows = self._ready(view, record)
        record.events[new[0]] = Wrote(
            id=new[0],
            entry=one,
            author=site.node.id,
            knows=frozenset(knows),
            values=record.written(knows, intent.answers),
            files=frozenset(map(bytes.fromhex, intent.files)),
        )
        intent.done.add(document)

    def _holding(self, site: "Site", one: bytes, payload: bytes) -> None:
        """Take note that a node says to hold files; find out whether it does."""
        files = decode(payload, Holding, limit_bytes=len(payload)).files
        self.said.append(Said(one, site.node.id, frozenset(files)))
        for _, digest in files:
            kept = site.node.store.attachments.get(digest)
            if not kept or not files_of(site.node).is_sound(digest, kept.size_bytes):
                raise Violation(f"{site.name} says to hold {digest.hex()[:6]} whole")

    def _vectors(self, site: "Site", view: View, news: set[str]) -> None:
        for holder, scope, counter, body in site.disk.raw.execute(
            "SELECT holder, scope, counter, body FROM vectors"
        ):
            key, who = (holder, scope), _name(holder)
            before, _ = view.heard.get(key, (0, frozenset()))
            if counter == before:
                continue
            if counter < before:
                raise Violation(
                    f"{site.name} has word {counter} of {who}, had {before}"
                )
            heads = SignedVector(body, b"").read().heads
            for head in heads:
                stream = (head.node, head.epoch, scope)
                known = self.truth.get(head.hash)
                if (
                    head.hash not in self.ever[holder]
                    or known is None
                    or (known.stream, known.sequence) != (stream, head.sequence)
                ):
                    raise Violation(
                        f"{site.name} believes that {who} has {head.sequence} of "
                        f"{_say(stream)}, which it has never had"
                    )
            view.heard[key] = (counter, frozenset(head.hash for head in heads))
            news.add(scope)

    def _troubles(self, site: "Site", view: View) -> None:
        raw = site.disk.raw
        for cause, detail in raw.execute("SELECT cause, detail FROM quarantine"):
            raise Violation(f"{site.name} set honest work aside: {cause}, {detail}")
        for stream in raw.execute(
            "SELECT s.node, s.epoch, s.scope FROM forks f JOIN streams s "
            "ON s.id = f.stream"
        ):
            if stream not in self.forked:
                raise Violation(
                    f"{site.name} sees a fork of {_say(stream)}, and none is"
                )
        for number, detail in raw.execute(
            "SELECT id, detail FROM refusals WHERE id > ?", (view.refusals,)
        ):
            view.refusals = number
            is_forgotten = site.was_put_back and FORGOTTEN in detail
            # The word of a copy about its own history, before that has come itself.
            is_parted = PARTED in detail and any(
                scope in detail for _, _, scope in self.forked
            )
            # A flipped bit may say that a bundle is of another time.
            is_newer = "upgrade this node" in detail
            if not (site.may_refuse or is_forgotten or is_parted or is_newer):
                raise Violation(f"{site.name} refused an honest bundle: {detail}")

    # -- cases ------------------------------------------------------------------

    def _ready(self, view: View, record: CaseRecord) -> set[str]:
        if record.package not in view.packages:
            return set()
        return record.ready(view.entries)

    def _case(self, site: "Site", view: View, document: bytes) -> None:
        """Compare a case as `site` shows it with what should be seen there."""
        record = self.cases[document]
        ready = self._ready(view, record)
        is_waiting = ready != record.held(view.entries)
        (view.waiting.add if is_waiting else view.waiting.discard)(document)
        where = f"{_short(document)} at {site.name}"
        row = site.node.store.cases.get(document)
        if row is None or not ready:
            if ready or row is not None:
                raise Violation(f"{where}: {len(ready)} events, and a row is {row}")
            return
        case = open_case(site.node, document.hex())
        shown = [one.id for one in case.story.happened]
        if set(shown) != ready or len(shown) != len(ready):
            raise Violation(f"{where} shows events {shown}, not {sorted(ready)}")
        if early := record.first_out_of_order(shown):
            raise Violation(f"{where} tells {early} before what its author knew")
        _fields(record, ready, case, where)
        self._files(site, document, ready, case)

    def _files(
        self, site: "Site", document: bytes, ready: set[str], case: Case
    ) -> None:
        """Compare the files of a case, and how far they are shown to have come."""
        record, where = self.cases[document], f"{_short(document)} at {site.name}"
        files = record.files(ready)
        if {bytes.fromhex(digest) for digest in case.materials} != files:
            raise Violation(f"{where} has {len(case.materials)} files of {len(files)}")
        if not files:
            return
        shown = progress(site.node, [document])[document]
        if shown.total != len(files):
            raise Violation(f"{where} counts {shown.total} files of {len(files)}")
        for holder, count in ((site.town, shown.town), ("D", shown.district)):
            if not holder or holder == site.name:
                continue
            node = places()[holder].certificate.node
            held = self._said_to_hold(site, node, document)
            known = len(files & (held | record.files(ready, node)))
            if count != known:
                raise Violation(f"{where} shows {count} files at {holder}, not {known}")

    def _said_to_hold(self, site: "Site", node: bytes, document: bytes) -> set[bytes]:
        """Return which files of a case a node is known at a site to hold."""
        entries = self.views[site.name].entries
        return {
            digest
            for one in self.said
            if one.author == node and one.entry in entries
            for of, digest in one.files
            if of == document
        }

    # -- what has arrived where ---------------------

    def _arrivals(self, site: "Site", view: View) -> None:
        if not view.own:
            return
        shown = status.arrivals(site.node, view.own)
        holders = (site.town, "D" if site.name != "D" else "")
        for document, own in view.own.items():
            times = (shown[document].town_ms, shown[document].district_ms)
            for holder, at_ms in zip(holders, times, strict=True):
                if holder:
                    self._arrival(site, view, document, own, holder, at_ms)
                elif at_ms is not None:
                    raise Violation(f"{site.name} awaits what cannot come")

    def _arrival(
        self,
        site: "Site",
        view: View,
        document: bytes,
        own: set[bytes],
        holder: str,
        at_ms: int | None,
    ) -> None:
        node = places()[holder].certificate.node
        what = f"{site.name} shows {_short(document)} at {holder}"
        if at_ms and not own <= self.ever[node]:
            raise Violation(f"{what}, which has never had it")
        streams = {self.truth[one].stream for one in own}
        if streams & self.forked:
            # What stands beyond a parting is acknowledged by way of evidence.
            return
        heads = {
            head
            for _, _, scope in streams
            for head in view.heard.get((node, scope), (0, ()))[1]
            if self.truth[head].stream in streams
        }
        if heads - view.entries:
            # Who was put back cannot know yet whether it is of what is here.
            return
        covered = {
            known.stream: known.sequence for known in map(self.truth.__getitem__, heads)
        }
        has_arrived = all(
            covered.get(known.stream, 0) >= known.sequence
            for known in map(self.truth.__getitem__, own)
        )
        if bool(at_ms) != has_arrived:
            raise Violation(f"{what}: {at_ms}, signed is that: {has_arrived}")

    # -- in the end ----------------------------------

    def has_all(self, site: "Site") -> None:
        """Find out whether a node has everything that it shares, and shows it."""
        view = self.views[site.name]
        anywhere = {one for each in self.views.values() for one in each.entries}
        for one in anywhere ^ view.entries:
            stream = self.truth[one].stream
            is_shared = holds(site.place.certificate, stream[2])
            if is_shared == (one in anywhere - view.entries):
                raise Violation(
                    f"{site.name} {'lacks' if is_shared else 'has'} an entry of "
                    f"{_say(stream)}"
                )
        if site.node.store.documents.counts() != (0, 0):
            raise Violation(f"{site.name} still waits for something")

    # -- what happens to a disk --------------------

    def was_put_back(self, site: "Site") -> None:
        """Take note that a disk is as it was at another day."""
        raw, view = site.disk.raw, View()
        for row, one, _, _, document, _, *stream, _ in raw.execute(_ENTRIES, (0,)):
            view.entries.add(one)
            view.last_row = row
            if document and stream[0] == site.node.id:
                view.own.setdefault(document, set()).add(one)
        view.refusals = site.node.store.refusals.count()
        view.waiting = {one for one in self.cases if self.cases[one].held(view.entries)}
        self.views[site.name] = view

    def lacks_own(self, site: "Site") -> bool:
        """Say whether a node lacks entries of its own, of its present epoch."""
        me = (site.node.id, site.node.certificate.epoch)
        entries = self.views[site.name].entries
        return any(
            known.stream[:2] == me and one not in entries
            for one, known in self.truth.items()
        )

    def is_forked(self, site: "Site") -> bool:
        """Say whether a node has written two histories in its present epoch."""
        me = (site.node.id, site.node.certificate.epoch)
        return any(stream[:2] == me for stream in self.forked)


def _fields(record: CaseRecord, ready: set[str], case: Case, where: str) -> None:
    """Compare the fields of a case, and what is shown as a conflict."""
    conflicts = {
        one.key: sorted(side.value for side in one.sides) for one in case.conflicts
    }
    has_conflict = False
    for key, values in record.living(ready).items():
        if len(set(values)) > 1:
            has_conflict = True
            if sorted(set(values)) != conflicts.get(key):
                raise Violation(
                    f"{where}: {key} should show {sorted(set(values))}, "
                    f"shows {conflicts.get(key, case.fields.get(key))}"
                )
        elif key in conflicts or case.fields.get(key, "") != values[0]:
            raise Violation(
                f"{where}: {key} should be {values[0]!r}, is "
                f"{conflicts.get(key, case.fields.get(key))}"
            )
    if has_conflict != (case.row.mark == MARK_CONFLICT):
        raise Violation(f"{where}: the list says {case.row.mark!r}")


@dataclass(frozen=True, slots=True)
class _Beginning:
    """What is true, and who knows it, where every seed begins."""

    truth: dict[bytes, Known]
    ever: dict[bytes, set[bytes]]
    views: dict[str, tuple[set[bytes], int]]


@lru_cache(maxsize=1)
def _beginning() -> _Beginning:
    found = _Beginning({}, {}, {})
    for name, place in places().items():
        held = dict(_on(place.disk()))
        found.truth.update(held)
        found.ever[place.certificate.node] = set(held)
        found.views[name] = (set(held), len(held))
    return found


def _on(disk: Disk) -> Iterator[tuple[bytes, Known]]:
    for _, one, sequence, _, _, _, *stream, before in disk.raw.execute(_ENTRIES, (0,)):
        yield one, Known((stream[0], stream[1], stream[2]), sequence, before)


@lru_cache(maxsize=1024)
def _first(stream: Stream) -> bytes:
    """Return the hash that stands before the first entry of a stream."""
    return genesis(StreamId(*stream))


@lru_cache(maxsize=64)
def _name(node: bytes) -> str:
    (name,) = (n for n, p in places().items() if p.certificate.node == node)
    return name


def _fitting(site: "Site", document: bytes, *, is_birth: bool) -> "Intent | None":
    """Return what a person meant to do, of which this document tells."""
    for intent in reversed(site.intents):
        if document in intent.done:
            continue
        if is_birth if intent.documents is None else document in intent.documents:
            return intent
    return None


def _say(stream: Stream) -> str:
    node, epoch, scope = stream
    return f"{_name(node)}/{epoch} in {scope}"


def _short(document: bytes) -> str:
    return document.hex()[:6]
