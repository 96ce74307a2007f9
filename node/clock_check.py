"""Whether this node's clock goes as those of its neighbours do.

Who begins an exchange says in its first run what his clock shows; who answers says it
only where his own shows something else. So a clock that is off is known at both ends
after one sync, and not when the next tier wonders at a date, and two that agree cost a
few bytes. What is kept is only shown: no case, no order and no verdict depends on it.
Over a stick nothing is said, since nobody knows how long a stick was on its way.
"""

from collections.abc import Mapping

from node.wiring import Node
from sync.identity import Certificate

EXTRA = "clock"
"""The extra of a parcel that says what the sender's clock shows."""
TOLERANCE_MS = 60 * 60 * 1000
"""Cases are counted by days, so less does no harm; and a slow line takes its time."""
_SIZE = 8
_PREFIX = "clock-off/"


def word(node: Node) -> tuple[str, bytes]:
    """Return what this node's clock shows, as an extra."""
    return EXTRA, node.now_ms().to_bytes(_SIZE)


def hear(node: Node, peer: Certificate, extras: Mapping[str, bytes]) -> bool:
    """Keep by how much the clock of a neighbour who began is off, if he says what it
    shows; return whether he must hear what ours does.
    """
    said = extras.get(EXTRA, b"")
    if len(said) != _SIZE:
        return False
    ahead_now_ms = _ahead_now_ms(node, said)
    _keep(node, peer, ahead_now_ms)
    return bool(ahead_now_ms)


def hear_answer(node: Node, peer: Certificate, extras: Mapping[str, bytes]) -> None:
    """Keep by how much the clock of a neighbour is off who was told what ours shows:
    not at all where he passes that over.
    """
    said = extras.get(EXTRA, b"")
    _keep(node, peer, _ahead_now_ms(node, said) if len(said) == _SIZE else 0)


def ahead_ms(node: Node, peer: bytes) -> int:
    """Return by how many milliseconds a neighbour's clock is ahead of ours; below 0
    it is behind; 0 where both agree, or nothing was heard.
    """
    return int(node.store.registry.setting(_PREFIX + peer.hex()) or b"0")


def _ahead_now_ms(node: Node, said: bytes) -> int:
    ahead_ms = int.from_bytes(said) - node.now_ms()
    return ahead_ms if abs(ahead_ms) > TOLERANCE_MS else 0


def _keep(node: Node, peer: Certificate, ahead_now_ms: int) -> None:
    known_ms = ahead_ms(node, peer.node)
    # Two readings of one difference differ by the time on the line: written once.
    is_same = abs(ahead_now_ms - known_ms) <= TOLERANCE_MS
    if not is_same or bool(ahead_now_ms) != bool(known_ms):
        with node.store.transaction():
            node.store.registry.set_setting(
                _PREFIX + peer.node.hex(), str(ahead_now_ms).encode()
            )
