"""What somebody must answer for: signed records of acts, in our own division's stream.

They travel upward like any other entry, so that the town and the district see what
their villages were asked for, and who let whom in. Nothing here decides anything.
"""

from contextlib import suppress

from node import journal
from node.errors import WriteForbidden
from node.store.journal import StoredEntry
from node.store.registry import AuditRow
from node.wiring import Node
from sync.canonical import Record, decode, encode
from sync.errors import Malformed
from sync.identity import NODE_ID_BYTES, is_scope
from sync.stream import KIND_AUDIT

INVITE, JOIN, ENROL, REVOKE = "invite", "join", "enrol", "revoke"
PUBLISH = "publish"
PUBLISH_CALENDAR = "publish-calendar"
RECKON_AGAIN = "reckon-again"
EXPORT = "export"
PAPER = "paper"
EXPORT_REPORT = "export-report"
EXPORT_HISTORY = "export-history"
LOOK = "look"
VIEW = "view"
VIEW_WHOLE = "view-whole"
SCOPE_REFUSED = "scope-refused"

DAY_MS = 24 * 3600 * 1000
SUBJECT_LIMIT, NOTE_LIMIT, BY_LIMIT, ACT_LIMIT = 60, 200, 60, 24
_RECORD_LIMIT_BYTES = 4096


class AuditRecord(Record, frozen=True):
    """One act. Unknown acts are kept and shown as such.

    `subject` is the place, scope or item that it was about, `by` the operator who did
    it, `peer` the other node that it concerns; each may be empty.
    """

    act: str
    subject: str
    note: str
    at_ms: int
    by: str
    peer: bytes


def record(
    node: Node,
    act: str,
    subject: str,
    *,
    note: str = "",
    by: str = "",
    peer: bytes = b"",
) -> None:
    """Write down an act, inside the transaction in which it is done."""
    entry = AuditRecord(
        act, subject, note[:NOTE_LIMIT], node.now_ms(), by[:BY_LIMIT], peer
    )
    row = journal.append(
        node,
        node.certificate.division,
        KIND_AUDIT,
        b"",
        encode(entry),
        entry.at_ms,
    )
    node.store.registry.put_audit(_row(row, node.id, entry))


def record_refusal(node: Node, peer: bytes, scope: str) -> None:
    """Write down that a peer has come with a scope that one of us does not share.

    At most once a day for each peer: nobody may fill our stream by asking.
    """
    last_ms = node.store.registry.last_audit_ms(node.id, SCOPE_REFUSED, peer)
    # A clock that was put back must not silence it for longer than it is wrong.
    if last_ms is not None and abs(node.now_ms() - last_ms) < DAY_MS:
        return
    # A node that was put back to an older state must catch up before it writes.
    with suppress(WriteForbidden):
        # What is no scope at all is the peer's own text, and none of ours.
        record(node, SCOPE_REFUSED, scope if is_scope(scope) else "", peer=peer)


def take(node: Node, stored: StoredEntry) -> None:
    """Keep a record that another node has written.

    Raises:
        Malformed: it cannot be read, or stands in another stream than it should.
    """
    assert stored.entry.payload is not None
    entry = decode(stored.entry.payload, AuditRecord, limit_bytes=_RECORD_LIMIT_BYTES)
    author = node.roster.certificate(stored.stream.node, stored.stream.epoch)
    if author is None or stored.stream.scope != author.division:
        raise Malformed("audit", "it stands in another stream than its author's own")
    if (
        not 0 < len(entry.act) <= ACT_LIMIT
        or len(entry.subject) > SUBJECT_LIMIT
        or len(entry.note) > NOTE_LIMIT
        or len(entry.by) > BY_LIMIT
        or len(entry.peer) not in (0, NODE_ID_BYTES)
        or not 0 <= entry.at_ms < 2**52
    ):
        raise Malformed("audit", "a part of it is out of limits")
    node.store.registry.put_audit(_row(stored.row, stored.stream.node, entry))


def _row(row: int, author: bytes, entry: AuditRecord) -> AuditRow:
    return AuditRow(
        row,
        author,
        entry.act,
        entry.subject,
        entry.note,
        entry.at_ms,
        entry.by,
        entry.peer,
    )
