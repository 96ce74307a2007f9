"""Batches 批次: the signed list of what a town has forwarded together."""

from node.policy import BATCH_LIMIT, NAME_LIMIT, TIME_LIMIT_MS
from node.store.journal import StoredEntry
from node.store.registry import BatchRow
from node.wiring import Node
from sync.canonical import Record, decode
from sync.errors import Malformed
from sync.seal import sha256

LIMIT_BYTES = 512 * 1024
"""Of a list, as it is read."""


class BatchList(Record, frozen=True):
    """The signed list of a batch: what a town has forwarded together."""

    id: bytes
    number: str
    by: str
    at_ms: int
    documents: tuple[bytes, ...]


def batch_id(author: bytes, number: str) -> bytes:
    """Return the id of a batch: nobody can write one under another's name."""
    return sha256(b"lianban/batch\x00", author, number.encode())[:16]


def take(node: Node, stored: StoredEntry, payload: bytes) -> None:
    """Keep a signed list of cases.

    Raises:
        PeerFault: it cannot be read, or is not called as its author's would be.
    """
    batch = decode(payload, BatchList, limit_bytes=LIMIT_BYTES)
    if (
        batch.id != batch_id(stored.stream.node, batch.number)
        or not 0 <= batch.at_ms < TIME_LIMIT_MS
        or len(batch.number) > BATCH_LIMIT
        or len(batch.by) > NAME_LIMIT
    ):
        raise Malformed("batch", "a part of it is out of limits")
    # Two copies of a node have counted beside each other; both lists are kept.
    lines = node.store.branches.rows_to(stored.stream, stored.branch)
    if node.store.registry.has_batch_on(batch.id, lines):
        raise Malformed("batch", "its author has used the number already")
    node.store.registry.put_batch(
        BatchRow(
            batch.id,
            batch.number,
            stored.row,
            batch.at_ms,
            len(batch.documents),
            payload,
        )
    )
