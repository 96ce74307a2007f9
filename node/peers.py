"""Whom this node visits by itself: the node above, and whom a person has added.

Two desks in one village office agree through their town. Where the town cannot be
reached, and they share a local network, one may be told to visit the other.
"""

import re
from dataclasses import replace

from node.errors import NodeError, PeerImpossible
from node.talk import find_neighbour
from node.wiring import Node
from sync.identity import Certificate

ADDRESS = re.compile(r"[A-Za-z0-9._\-\[\]:]{1,100}:[0-9]{1,5}")


def add(node: Node, name: str, address: str) -> Certificate:
    """Visit a node of the roster at HOST:PORT from now on; return who it is.

    For the node above it says where that is now.

    Raises:
        NotFound, Ambiguous: no node, or more than one, is called so.
        PeerImpossible: it is this node itself, or it has been revoked.
        NodeError: that is no address.
    """
    peer = find_neighbour(node, name)
    if not ADDRESS.fullmatch(address):
        raise NodeError(f"an address is HOST:PORT, not {address[:60]!r}")
    if peer.node == node.id:
        raise PeerImpossible("self")
    if node.roster.is_revoked(peer.node):
        raise PeerImpossible("revoked")
    _set_address(node, peer, address)
    return peer


def remove(node: Node, name: str) -> Certificate:
    """Visit a node no more; return who it was. What is known of it stays.

    Raises:
        NotFound, Ambiguous: no node, or more than one, is called so.
        PeerImpossible: it is the node above, or it is not visited.
    """
    peer = find_neighbour(node, name)
    if peer.node == node.secrets.parent:
        raise PeerImpossible("above")
    if not node.store.registry.peer(peer.node).url:
        raise PeerImpossible("not-visited")
    _set_address(node, peer, "")
    return peer


def visited(node: Node) -> list[tuple[Certificate, str]]:
    """Return whom this node visits, with addresses: the node above first."""
    roster = node.roster
    found = [
        (certificate, peer.url)
        for peer in node.store.registry.peers()
        if peer.url
        and (certificate := roster.latest(peer.node)) is not None
        and not roster.is_revoked(peer.node)
    ]
    return sorted(
        found,
        key=lambda one: (
            one[0].node != node.secrets.parent,
            one[0].division,
            one[0].terminal,
            one[0].node,
        ),
    )


def _set_address(node: Node, peer: Certificate, address: str) -> None:
    with node.store.transaction():
        known = node.store.registry.peer(peer.node)
        node.store.registry.set_peer(replace(known, url=address))
