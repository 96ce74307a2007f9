"""Who writes a document, and the ids that follow from it. Pure.

An *actor* is the node's id and eight more bytes, never used twice in one document: a
restored backup can so never make a second change of the same (actor, sequence), which
the library could neither merge nor report. Whoever begins a document draws them at
random. Afterwards they follow from what is written and what it builds on, and need
not travel: the same bytes twice are then the same change twice.
"""

from sync.identity import NODE_ID_BYTES
from sync.seal import sha256

NONCE_BYTES = 8
ACTOR_BYTES = NODE_ID_BYTES + NONCE_BYTES
DOCUMENT_ID_BYTES = 16


def actor_of(node: bytes, nonce: bytes) -> bytes:
    """Return the actor that `node` is with `nonce`."""
    assert len(nonce) == NONCE_BYTES
    return node + nonce


def nonce_after(dependencies: bytes, tail: bytes) -> bytes:
    """Return the nonce of a later change: of what stands in it before and after its
    actor, see `sync.envelope`.
    """
    return sha256(b"lianban/actor\x00", dependencies, tail)[:NONCE_BYTES]


def document_id(first_actor: bytes, scope: str) -> bytes:
    """Return the id of the document that `first_actor` begins in `scope`.

    Since an actor begins with its node's id, nobody can begin a document under
    another node's name, nor the same document in two scopes.
    """
    return sha256(b"lianban/document\x00", first_actor, b"\x00", scope.encode())[
        :DOCUMENT_ID_BYTES
    ]
