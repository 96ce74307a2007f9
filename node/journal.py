"""Our own writing: how an entry gets into one of this node's streams.

Called inside the transaction of whatever it is part of. Nothing has to be marked
for sending: a neighbour is owed what its vector lacks.
"""

from node.errors import Forked, WriteForbidden
from node.wiring import Node
from sync import seal
from sync.stream import Entry, StreamId, link, sign_checkpoint


def own_stream(node: Node, scope: str) -> StreamId:
    """Return this node's stream for a scope, in its present epoch."""
    return StreamId(node.id, node.certificate.epoch, scope)


def append(
    node: Node, scope: str, kind: str, document: bytes, payload: bytes, at_ms: int
) -> int:
    """Add an entry to our stream of `scope`, sign it, and return its row.

    Raises:
        WriteForbidden: see `check_may_write`.
    """
    node.renew()
    journal = node.store.journal
    stream = own_stream(node, scope)
    check_may_write(node, stream)
    sequence, previous = journal.head(stream)
    entry = Entry(
        sequence=sequence + 1,
        kind=kind,
        document=document,
        roster_version=node.roster.version,
        written_at_ms=at_ms,
        payload_hash=seal.sha256(payload),
        payload=payload,
    )
    chain_hash = link(previous, entry)
    rows = journal.append(stream, [(entry, chain_hash)], at_ms)
    journal.put_checkpoint(
        stream,
        sign_checkpoint(node.secrets.sign_key, stream, entry.sequence, chain_hash),
    )
    # Ours are signed where they are cut, so only the newest is needed, for `verify`.
    journal.drop_checkpoints_before(stream, entry.sequence)
    journal.set_verdicts([(rows[0], "taken")])
    return rows[0]


def check_may_write(node: Node, stream: StreamId) -> None:
    """Refuse to write into a stream of ours that others have otherwise.

    Raises:
        Forked: another copy of this node has written into it as well.
        WriteForbidden: we have once signed that we hold more of this stream than we
            do, so this node has been put back to an older state and must catch up.
    """
    if node.store.branches.is_forked(stream):
        raise Forked(
            "this node was copied and both copies have written; "
            "begin a new epoch with `lianban rejoin`; nothing was stored"
        )
    sequence, _ = node.store.journal.head(stream)
    # Our own signed word of another day: only we can have said it.
    said = node.store.vectors.claimed_sequence(stream)
    if said > sequence:
        raise WriteForbidden(
            f"this node has once held {said} entries of its own, now {sequence}; "
            "sync first; nothing was stored"
        )


def is_forbidden(node: Node, scope: str) -> bool:
    """Say whether nothing can be written in a scope now."""
    try:
        check_may_write(node, own_stream(node, scope))
    except WriteForbidden:
        return True
    return False
