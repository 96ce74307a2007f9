"""Looking after a node: publishing, checking, making the derived tables again."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from forms.package import Package
from forms.package import encode as encode_package
from node import journal
from node.absorb import keep_verdict, settle_waiting, take_other
from node.document_plan import Candidate
from node.errors import NodeError, NotAllowed
from node.judge import Plan, candidate_of
from node.store import DERIVED
from node.store.journal import StoredEntry
from node.wiring import Node
from sync import seal
from sync.document import Document
from sync.errors import DocumentDamaged, PeerFault, SyncError
from sync.identity import PUBLIC, RIGHT_ROSTER
from sync.stream import (
    KIND_CHANGE,
    KIND_PUBLICATION,
    StreamId,
    check_checkpoint,
    genesis,
    link,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found. `faults` are sentences; none means clean."""

    entries: int
    documents: int
    faults: tuple[str, ...]
    digests: dict[str, str]


def publish(node: Node, packages: Iterable[Package]) -> list[tuple[str, str, bool]]:
    """Publish packages to all; return (code, version, was it new?) of each.

    Raises:
        NotAllowed: only the district publishes.
    """
    if RIGHT_ROSTER not in node.certificate.rights:
        raise NotAllowed("publish")
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
                take_other(node, stored)
            done.append((package.item.code, package.version, is_new))
    return done


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
    """Check the file, every chain and signature, and that every document reads.

    What is derived must be what the entries say; nothing is changed here.
    """
    say = on_step or (lambda _: None)
    say("file")
    faults = node.store.check()
    say("streams")
    entries = documents = 0
    digests: dict[str, str] = {}
    try:
        for _, stream, sequence, chain_hash in node.store.journal.all_streams():
            count, found = _verify_stream(node, stream, sequence, chain_hash)
            entries += count
            faults += found
        say("documents")
        for scope, document, heads in node.store.documents.heads_by_scope():
            documents += 1
            fault = _verify_document(node, document, heads)
            if fault:
                faults.append(f"case {document.hex()} in {scope}: {fault}")
        say("lists")
        faults += _verify_derived(node)
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
        for page in store.journal.in_order_of_arrival():
            _derive(node, page)
        settle_waiting(node)
        for draft in store.cases.drafts():
            if store.documents.get(draft.document) is not None:
                store.cases.drop_draft(draft.document)
    return store.documents.count()


def _derive(node: Node, page: list[StoredEntry]) -> None:
    """Judge a page of stored entries as if they came just now, in their order."""
    candidates: list[Candidate] = []

    def flush() -> None:
        if candidates:
            Plan(node, candidates).commit()
            candidates.clear()

    for stored in page:
        if stored.entry.kind == KIND_CHANGE:
            candidates.append(candidate_of(stored))
        else:
            flush()
            keep_verdict(node, stored.row, *take_other(node, stored))
    flush()


def _verify_stream(
    node: Node, stream: StreamId, sequence: int, chain_hash: bytes
) -> tuple[int, list[str]]:
    name = f"stream {stream.node.hex()[:16]}/{stream.epoch}/{stream.scope}"
    previous, count = genesis(stream), 0
    while count < sequence:
        rows = node.store.journal.entries(stream, count + 1, count + 500)
        if not rows:
            return count, [f"{name}: entries from {count + 1} on are missing"]
        for stored in rows:
            previous = link(previous, stored.entry)
            count += 1
            here = node.store.journal.hash_at(stream, count)
            if stored.entry.sequence != count or here != previous:
                return count, [f"{name}: entry {count} is not what was signed"]
    if previous != chain_hash:
        return count, [f"{name}: the head is not that of its last entry"]
    if not sequence:
        return 0, []
    author = node.roster.certificate(stream.node, stream.epoch)
    checkpoint = node.store.journal.checkpoint_between(stream, 1, sequence)
    if author is None or checkpoint is None:
        return count, [f"{name}: no signature is held"]
    try:
        check_checkpoint(author.sign_key, stream, checkpoint)
    except PeerFault as fault:
        return count, [f"{name}: {fault}"]
    if checkpoint.sequence != sequence:
        return count, [f"{name}: entries after {checkpoint.sequence} are not signed"]
    return count, []


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
