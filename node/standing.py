"""Whether this node may still work: what it has been told of its own revocation.

A revoked node is refused by everybody, so no entry about it ever comes home. What it
has is the refusal of the node above, over a line that is pinned to it; that word is
kept, and taken back by the next exchange that goes well.
"""

from node.errors import RevokedHere
from node.wiring import Node
from sync.identity import Certificate

REVOKED_WORD = "revoked-here"
"""How a try is kept that was refused because this node has been revoked."""
_SETTING = "revoked-here"
_YES, _NO = b"1", b""


def is_revoked_here(node: Node) -> bool:
    """Say whether this node has been put out, as far as it knows."""
    if node.store.registry.setting(_SETTING) == _YES:
        return True
    return (node.id, node.certificate.epoch) in node.roster.revoked


def check_may_work(node: Node) -> None:
    """Refuse to write into a case what nobody would take.

    Raises:
        RevokedHere: this node has been revoked.
    """
    if is_revoked_here(node):
        raise RevokedHere(
            "this node has been revoked; nothing was stored; ask the district"
        )


def hear(node: Node, peer: Certificate, failure: str) -> None:
    """Keep what the end of a try says of our own standing, inside its transaction.

    Only the node above is believed: a neighbour must not be able to stop us.
    """
    if peer.node != node.secrets.parent or failure not in ("", REVOKED_WORD):
        return
    _keep(node, _YES if failure else _NO)


def begin_anew(node: Node) -> None:
    """Forget it with a new epoch, inside the transaction that begins that."""
    _keep(node, _NO)


def _keep(node: Node, value: bytes) -> None:
    registry = node.store.registry
    if (registry.setting(_SETTING) or _NO) != value:
        registry.set_setting(_SETTING, value)
