"""Looking after a node: publishing, checking, making the derived tables again."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from forms.package import Package
from forms.package import encode as encode_package
from node import audit, calendars, forks, journal, tidy
from node.absorb import settle_waiting
from node.document_plan import Candidate
from node.errors import NodeError, NotAllowed, PackageDamaged
from node.judge import Plan, candidate_of, judge_whole
from node.other_entries import keep_other
from node.store import DERIVED
from node.store.branches import Line
from node.store.journal import StoredEntry
from node.wiring import Node
from node.workdays import YearTable
from sync import seal
from sync.document import Document
from sync.errors import DocumentDamaged, PeerFault, SyncError
from sync.identity import PUBLIC, RIGHT_ROSTER
from sync.stream import (
    KIND_CALENDAR,
    KIND_CHANGE,
    KIND_PUBLICATION,
    StreamId,
    check_checkpoint,
    link,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found. `faults` are sentences; none means clean."""

    entries: int
    documents: int
    faults: tuple[str, ...]
    digests: dict[str, str]


def must_publish(node: Node) -> None:
    """See that this node may publish, before anything is made ready for it.

    Raises:
        NotAllowed: only the district publishes.
    """
    if RIGHT_ROSTER not in node.certificate.rights:
        raise NotAllowed("publish")


def publish(node: Node, packages: Iterable[Package]) -> list[tuple[str, str, bool]]:
    """Publish packages to all; return (code, version, was it new?) of each.

    Raises:
        NotAllowed: only the district publishes.
    """
    must_publish(node)
    done = []
    with node.store.transaction():
        current = {row.digest for row in node.store.registry.current_packages()}
        for package in packages:
            body = encode_package(package)
            is_new = seal.sha256(body).hex() not in current
            if is_new:
                row = journal.append(
                    node, PUBLIC, KIND_PUBLICATION, b"", body, node.now_ms()
                )
                stored = node.store.journal.entry(row)
                assert stored is not None
                keep_other(node, stored)
                audit.record(
                    node,
                    audit.PUBLISH,
                    package.item.code,
                    note=package.version,
                    by=node.operator,
                )
            done.append((package.item.code, package.version, is_new))
    return done


def publish_calendar(
    node: Node, tables: Iterable[YearTable]
) -> list[tuple[int, int, bool]]:
    """Publish the working days of years to all; return (year, version, was it new?).

    Raises:
        NotAllowed: only the district publishes.
    """
    must_publish(node)
    try:
        with node.store.transaction():
            return [(t.year, *calendars.publish(node, t)) for t in tables]
    except BaseException:
        node.forget()
        raise


def scope_digests(node: Node) -> dict[str, str]:
    """Return for each scope one hash over all streams and all documents of it.

    Two nodes that share a scope and have the same entries give the same hash, since
    documents follow from entries alone.
    """
    parts: dict[str, list[bytes]] = {}
    for _, stream, sequence, chain_hash in node.store.journal.all_streams():
        if sequence:
            parts.setdefault(stream.scope, []).append(
                stream.node + stream.epoch.to_bytes(4) + chain_hash
            )
    for scope, document, heads in node.store.documents.heads_by_scope():
        parts.setdefault(scope, []).append(document + heads)
    return {
        scope: seal.sha256(*sorted(rows)).hex() for scope, rows in sorted(parts.items())
    }


def verify(node: Node, on_step: Callable[[str], None] | None = None) -> Verdict:
    """Check the file, every chain and signature, that every document reads, and
    every attachment.

    What is derived must be what the entries say; nothing is changed here.
    """
    say = on_step or (lambda _: None)
    say("file")
    faults = node.store.check()
    say("streams")
    entries = documents = 0
    digests: dict[str, str] = {}
    try:
        for _, stream, _, _ in node.store.journal.all_streams():
            for count, found in _verify_stream(node, stream):
                entries += count
                faults += found
        say("documents")
        for scope, document, heads in node.store.documents.heads_by_scope():
            documents += 1
            fault = _verify_document(node, document, heads)
            if fault:
                faults.append(f"case {document.hex()} in {scope}: {fault}")
        say("items")
        faults += _verify_packages(node)
        say("lists")
        faults += _verify_derived(node)
        say("attachments")
        faults += [
            f"attachment {digest.hex()}: it cannot be read in full; `lianban rebuild` "
            "lets it be asked for again"
            for digest in tidy.unsound(node)
        ]
        digests = scope_digests(node)
    except (NodeError, SyncError) as error:
        faults.append(f"the check could not go on: {error}")
    return Verdict(entries, documents, tuple(faults), digests)


class _Undone(Exception):
    """Ends a transaction that must leave nothing behind."""


def _verify_derived(node: Node) -> list[str]:
    """Make all derived tables again, compare, and undo it."""
    store = node.store
    tables = (*DERIVED, "entries")  # snapshots have been looked at one by one
    faults = []
    try:
        with store.transaction():
            before = {table: store.documents.derived(table) for table in tables}
            rebuild(node)
            for table in tables:
                after = store.documents.derived(table)
                lost = sum((Counter(before[table]) - Counter(after)).values())
                new = sum((Counter(after) - Counter(before[table])).values())
                if lost or new:
                    faults.append(
                        f"table {table}: {lost} rows are not what the entries say, "
                        f"{new} are missing; `lianban rebuild` makes them again"
                    )
            raise _Undone
    except _Undone:
        node.forget()
    return faults


def rebuild(node: Node) -> int:
    """Make all derived tables again from the entries; return how many documents.

    One transaction: a rebuild that is cut off has changed nothing.
    """
    store = node.store
    with store.transaction():
        store.documents.clear_derived(DERIVED)
        node.forget()
        parted = store.branches.parted_documents()
        _take_calendars(node)
        for page in store.journal.in_order_of_arrival():
            _derive(node, page, parted)
        forks.mark_again(node)
        judge_whole(node, parted)
        settle_waiting(node)
        tidy.forget_lost(node)
        for draft in store.drafts.all():
            if store.documents.get(draft.document) is not None:
                store.drafts.drop(draft.document)
    return store.documents.count()


def _take_calendars(node: Node) -> None:
    """Take in all calendars before any case: the rows of cases lean on the last."""
    journal = node.store.journal
    for _, stream, last, _ in journal.all_streams():
        if stream.scope == PUBLIC:
            for stored in journal.entries(stream, 1, last):
                if stored.entry.kind == KIND_CALENDAR:
                    keep_other(node, stored)


def _derive(node: Node, page: list[StoredEntry], parted: set[bytes]) -> None:
    """Judge a page of stored entries as if they came just now, in their order; those
    of documents whose authors have `parted` are judged together at the end.
    """
    candidates: list[Candidate] = []

    def flush() -> None:
        if candidates:
            Plan(node, candidates).commit()
            candidates.clear()

    for stored in page:
        if stored.entry.kind == KIND_CALENDAR:
            continue
        if stored.entry.kind != KIND_CHANGE:
            flush()
            keep_other(node, stored)
        elif stored.entry.document not in parted:
            candidates.append(candidate_of(stored))
    flush()


def _verify_stream(node: Node, stream: StreamId) -> Iterator[tuple[int, list[str]]]:
    """Yield (entries, faults) of the main line of a stream, and of each branch.

    What a branch stands on is covered by the signature at its end.
    """
    lines = node.store.branches.lines(stream)
    ends = {line.hash for line in lines}
    ends -= {line.base_hash for line in lines if line.tag}
    for line in lines:
        name = f"stream {stream.node.hex()[:16]}/{stream.epoch}/{stream.scope}"
        if line.tag:
            name += f" branch {line.tag.hex()[:8]}"
        count, faults = _verify_line(node, name, line)
        if line.tag and line.base_hash not in {one.hash for one in lines}:
            faults.append(f"{name}: what it stands on is missing")
        if not faults and line.sequence and line.hash in ends:
            faults += _verify_signature(node, name, stream, line)
        yield count, faults


def _verify_line(node: Node, name: str, line: Line) -> tuple[int, list[str]]:
    previous, at = line.base_hash, line.base
    while at < line.sequence:
        rows = node.store.journal.entries_on(line.row, at + 1, at + 500)
        if not rows:
            return at - line.base, [f"{name}: entries from {at + 1} on are missing"]
        for stored in rows:
            previous = link(previous, stored.entry)
            at += 1
            here = node.store.branches.hash_in(line, at)
            if stored.entry.sequence != at or here != previous:
                what = _published(node, stored)
                return at - line.base, [
                    f"{name}: entry {at}{what} is not what was signed"
                ]
    if previous != line.hash:
        return at - line.base, [f"{name}: the head is not that of its last entry"]
    return at - line.base, []


def _published(node: Node, stored: StoredEntry) -> str:
    """Return which item an entry has published, as the list of items has it."""
    row = node.store.registry.package_of_entry(stored.row)
    return f" ({row.name}, {row.code}, version {row.version})" if row else ""


def _verify_packages(node: Node) -> list[str]:
    """Return which items are not those that were published, by name."""
    faults = []
    for digest in node.store.registry.package_digests():
        try:
            node.package(digest)
        except PackageDamaged as damage:
            faults.append(str(damage))
    return faults


def _verify_signature(node: Node, name: str, stream: StreamId, line: Line) -> list[str]:
    author = node.roster.certificate(stream.node, stream.epoch)
    held = node.store.branches.checkpoints(line)
    if author is None or not held:
        return [f"{name}: no signature is held"]
    checkpoint = held[max(held)]
    try:
        check_checkpoint(author.sign_key, stream, checkpoint)
    except PeerFault as fault:
        return [f"{name}: {fault}"]
    if checkpoint.sequence != line.sequence:
        return [f"{name}: entries after {checkpoint.sequence} are not signed"]
    return []


def _verify_document(node: Node, document: bytes, heads: bytes) -> str:
    row = node.store.documents.get(document)
    if row is None:
        return "is gone"
    try:
        loaded = Document.load(row.snapshot)
        if b"".join(loaded.heads()) != heads:
            return "its snapshot has other heads than it should"
        hashes = node.store.documents.changes(document)
        taken = [h for h, one in hashes.items() if one.is_taken]
        if not loaded.has_all(taken):
            return "its snapshot lacks a change that was taken"
    except DocumentDamaged as error:
        return str(error)
    if node.store.cases.get(document) is None:
        return "has no list row"
    return ""
