"""A change taken apart and put together: what of it must travel. Pure.

    magic 4 | checksum 4 | type 1 | length | dependencies | 24 | actor | tail

Magic, checksum, type and length follow from the rest; the actor from the stream, and
but for a first change from what stands around it (`sync.actor`). A first change's
document follows from its actor; a later one's, and what it builds on, from the entry
that holds its parent. What a change *says* is not read here, see `sync.change`.
"""

from typing import NamedTuple

from sync.actor import ACTOR_BYTES, NONCE_BYTES, actor_of, document_id, nonce_after
from sync.change import CHANGE_MAGIC, RAW_CHANGE
from sync.columns import leb_bytes
from sync.errors import Malformed
from sync.identity import NODE_ID_BYTES
from sync.seal import HASH_BYTES, sha256

_NOTHING, _ONE = b"\x00", b"\x01"
_BODY_AT = 8
_MOST_LENGTH_BYTES = 5
_MOST_DEPENDENCIES = 127
"""As many as are counted in one byte; no reader allows so many."""


class Parts(NamedTuple):
    """A raw change: `dependencies` with their count, `tail` all that follows the
    actor, `hash` by which the next change names it.
    """

    dependencies: bytes
    actor: bytes
    tail: bytes
    hash: bytes

    @property
    def is_first(self) -> bool:
        """It begins a document."""
        return self.dependencies == _NOTHING


class Parent(NamedTuple):
    """A change on which another may build, and where it stands in its stream."""

    sequence: int
    document: bytes
    hash: bytes


def split(payload: bytes) -> Parts | None:
    """Return the parts of a raw change by one of our actors; None for whatever else
    `payload` is, so that its parts always make the very same bytes again.
    """
    at = _BODY_AT + 1
    while payload[at : at + 1] >= b"\x80" and at < _BODY_AT + _MOST_LENGTH_BYTES:
        at += 1
    at += 1
    count = payload[at] if at < len(payload) else 0
    actor_at = at + 1 + HASH_BYTES * count + 1
    tail_at = actor_at + ACTOR_BYTES
    if count > _MOST_DEPENDENCIES or len(payload) < tail_at:
        return None
    dependencies, tail = payload[at : actor_at - 1], payload[tail_at:]
    actor = payload[actor_at:tail_at]
    again, change = _joined(dependencies, actor, tail)
    return Parts(dependencies, actor, tail, change) if again == payload else None


def change_hash(payload: bytes) -> bytes | None:
    """Return the hash by which a change names a raw one; None for any other."""
    is_raw = payload[_BODY_AT : _BODY_AT + 1] == RAW_CHANGE
    return sha256(payload[_BODY_AT:]) if is_raw else None


def shorten(
    node: bytes, scope: str, document: bytes, parts: Parts, parent: Parent | None
) -> tuple[bytes, bytes, Parent | None] | None:
    """Return (document, content) of a change of `node` as it travels, and `parent`,
    the change of the document before it, if it leans on that.

    None where `restore` would make another change of it: it must travel whole.
    """
    nonce = parts.actor[NODE_ID_BYTES:]
    if parts.actor[:NODE_ID_BYTES] != node:
        return None
    if parts.is_first:
        is_its_own = document == document_id(parts.actor, scope)
        return (b"", _NOTHING + nonce + parts.tail, None) if is_its_own else None
    if nonce != nonce_after(parts.dependencies, parts.tail):
        return None
    if parent and parts.dependencies == _ONE + parent.hash:
        return b"", parts.tail, parent
    return document, parts.dependencies + parts.tail, None


def restore(
    node: bytes, scope: str, document: bytes, content: bytes, parent: Parent | None
) -> tuple[bytes, bytes, bytes]:
    """Return (document, payload, hash of the change) of what has travelled.

    Raises:
        Malformed: it is cut off, or names what follows from elsewhere.
    """
    if parent:
        dependencies, rest = _ONE + parent.hash, content
    else:
        end = 1 + HASH_BYTES * content[0] if content else 1
        dependencies, rest = content[:end], content[end:]
        if len(dependencies) < end or content[0] > _MOST_DEPENDENCIES:
            raise Malformed("chunk", "a change that is cut off")
    if dependencies == _NOTHING:
        nonce, tail = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
        if len(nonce) < NONCE_BYTES:
            raise Malformed("chunk", "a first change that is cut off")
    else:
        nonce, tail = nonce_after(dependencies, rest), rest
    actor = actor_of(node, nonce)
    if parent or dependencies == _NOTHING:
        if document:
            raise Malformed("chunk", "a document is named that follows from elsewhere")
        document = parent.document if parent else document_id(actor, scope)
    return document, *_joined(dependencies, actor, tail)


def _joined(dependencies: bytes, actor: bytes, tail: bytes) -> tuple[bytes, bytes]:
    """Return a raw change made of its parts, and its hash."""
    size = len(dependencies) + 1 + len(actor) + len(tail)
    body = b"".join(
        (RAW_CHANGE, leb_bytes(size), dependencies, bytes([len(actor)]), actor, tail)
    )
    change = sha256(body)
    return CHANGE_MAGIC + change[:4] + body, change
