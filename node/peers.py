"""Neighbours: found by name, and whom this node visits by itself: the node above, and
whom a person has added.

Two desks in one village office agree through their town. Where the town cannot be
reached, and they share a local network, one may be told to visit the other.
"""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from node.desks import desk_name, numbered_name
from node.errors import Ambiguous, NodeError, NotFound, PeerImpossible
from node.wiring import Node
from sync.errors import PeerUnreachable
from sync.identity import Certificate

if TYPE_CHECKING:
    from sync.client import Client

ADDRESS = re.compile(r"[A-Za-z0-9._\-\[\]:]{1,100}:[0-9]{1,5}")


def find_neighbour(node: Node, name: str = "") -> Certificate:
    """Return a neighbour by id, division, name of its place, or name of its desk; the
    node above if none is named.

    Raises:
        NotFound: nobody is called so, or there is no node above.
        Ambiguous: more than one is; say its id.
    """
    if not name:
        above = node.roster.latest(node.secrets.parent)
        if above is None:
            raise NotFound("node above", "")
        return above
    fitting = {
        one.node
        for one in node.roster.everyone()
        if name in (one.division, one.name, desk_name(one), numbered_name(one))
        or one.node.hex().startswith(name.lower())
    }
    if not fitting:
        raise NotFound("node", name[:40])
    if len(fitting) > 1:
        raise Ambiguous("node", name[:40], len(fitting))
    found = node.roster.latest(fitting.pop())
    assert found is not None
    return found


def client_for(node: Node, peer: Certificate) -> "Client":
    """Return a connection to a neighbour, pinned to its certificate.

    Raises:
        PeerUnreachable: no address of it is known here.
    """
    known = node.store.registry.peer(peer.node)
    if not known.url:
        raise PeerUnreachable(peer.name, "no address of it is known")
    # Imported late: it takes 50 ms that a list of cases does not need.
    from sync.client import Client

    return Client(known.url, peer.tls_fingerprint)


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
