"""Entries that are no changes: the roster, what is published, batches, records of acts.

Each is taken in inside the transaction that stores it, and again on `rebuild`. What is
wrong with one is written down beside it, like the verdict of a change.
"""

from forms import package as packages
from forms.errors import FormError
from node import attachments, audit, batches, calendars, forks, roster
from node.store.journal import StoredEntry
from node.store.registry import PackageRow
from node.wiring import Node
from sync import stream as streams
from sync.canonical import decode
from sync.errors import PeerFault
from sync.identity import PUBLIC, RosterEntry, SignedCertificate

LIMIT_BYTES = 512 * 1024
"""Of a step of the roster or a certificate, as it is read."""


def keep_arrived(node: Node, stored: StoredEntry) -> None:
    """Take in an entry that is no change and that has just come, or can be used since
    an upgrade, with what follows for what is stored here.
    """
    if stored.entry.kind != streams.KIND_CALENDAR:
        keep_other(node, stored)
        return
    before = node.calendar
    keep_other(node, stored)
    calendars.tell_of_change(node, before)


def keep_other(node: Node, stored: StoredEntry) -> None:
    """Take in an entry that is no change, and write down what became of it."""
    verdict, cause, detail = take_other(node, stored)
    node.store.journal.set_verdicts([(stored.row, verdict)])
    if verdict == "aside":
        node.store.documents.put_quarantine([(stored.row, cause, detail)])


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
                step = decode(entry.payload, RosterEntry, limit_bytes=LIMIT_BYTES)
                roster.take_step(node, step)
            case streams.KIND_CERTIFICATE:
                signed = decode(
                    entry.payload, SignedCertificate, limit_bytes=LIMIT_BYTES
                )
                roster.take_certificate(node, signed)
            case streams.KIND_PUBLICATION if stored.stream.scope == PUBLIC:
                _take_package(node, stored)
            case streams.KIND_CALENDAR if stored.stream.scope == PUBLIC:
                calendars.take(node, stored)
            case streams.KIND_AUDIT:
                audit.take(node, stored)
            case streams.KIND_BATCH:
                batches.take(node, stored, entry.payload)
            case streams.KIND_HOLDING:
                attachments.take_holding(node, stored)
            case streams.KIND_BRANCH if stored.stream.scope != PUBLIC:
                forks.take_evidence(node, stored)
            case _:
                # A later version's kind: stored and forwarded, never dropped.
                return "kept", "", ""
    except (PeerFault, FormError) as fault:
        return "aside", entry.kind, str(fault)
    return "taken", "", ""


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
        package.item.effective_on,
    )
