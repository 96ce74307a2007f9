"""What a node can say of itself and its neighbours, without asking anybody.

Always three things of a neighbour: the last try with its result, the last success,
and what is owed both ways with the age of the oldest. Nothing here is remembered from
sending: it all follows from entries held and vectors signed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from node import talk
from node.store.registry import Peer
from node.wiring import Node
from sync.identity import RIGHT_ROSTER, Certificate, on_one_line


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another node, as it is known here. Times in milliseconds, None: never.

    Attributes:
        certificate: who it is.
        is_above: it is the node that this one syncs up to.
        is_revoked: it may not speak any more.
        peer: tries and successes, where there was direct contact.
        last_heard_ms: when its last signed word came here, by whatever way.
        owed_entries: how many entries it has not acknowledged.
        owed_cases: in how many cases.
        oldest_ms: since when the oldest of them waits.
        missing_here: how many entries it has that are not here.
    """

    certificate: Certificate
    is_above: bool
    is_revoked: bool
    peer: Peer
    last_heard_ms: int | None
    owed_entries: int
    owed_cases: int
    oldest_ms: int | None
    missing_here: int


@dataclass(frozen=True, slots=True)
class Above:
    """The line upward, in what a status bar needs.

    `is_online` is None where nothing has been tried yet; `since_ms` is since when it
    has been so. `not_delivered` are the cases with work of this node that the node
    above has not acknowledged.
    """

    name: str
    is_online: bool | None
    since_ms: int | None
    last_try_ms: int | None
    last_result: str
    last_success_ms: int | None
    not_delivered: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a person should look at."""

    waiting: int
    set_aside: int
    forks: int
    refusals: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a case's way up: for the town and the district, when it was
    first known here that it has arrived; 0 not yet; None does not apply.
    """

    town_ms: int | None
    district_ms: int | None


def above(node: Node) -> Above | None:
    """Return the state of the line upward, or None at the district."""
    parent = node.roster.latest(node.secrets.parent)
    if parent is None:
        return None
    peer = node.store.registry.peer(parent.node)
    if peer.last_try_at_ms is None:
        is_online, since_ms = None, None
    elif peer.failures:
        is_online, since_ms = False, peer.offline_since_ms
    else:
        is_online, since_ms = True, peer.last_success_at_ms
    return Above(
        name=parent.name,
        is_online=is_online,
        since_ms=since_ms,
        last_try_ms=peer.last_try_at_ms,
        last_result=peer.last_result or "",
        last_success_ms=peer.last_success_at_ms,
        not_delivered=node.store.journal.documents_not_at(node.id, parent.node),
    )


def neighbours(node: Node) -> list[Neighbour]:
    """Return all other nodes on this node's line, by division."""
    roster = node.roster
    newest: dict[bytes, Certificate] = {}
    for certificate in roster.everyone():
        newest[certificate.node] = certificate
    heard = node.store.journal.last_heard()
    found = []
    for certificate in newest.values():
        if certificate.node == node.id or not on_one_line(
            certificate, node.certificate
        ):
            continue
        scopes = talk.shared_scopes(node, certificate)
        entries, cases, oldest_ms = (
            node.store.journal.owed_to(certificate.node, scopes)
            if scopes
            else (0, 0, None)
        )
        peer = node.store.registry.peer(certificate.node)
        times = (heard.get(certificate.node), peer.last_seen_at_ms)
        found.append(
            Neighbour(
                certificate=certificate,
                is_above=certificate.node == node.secrets.parent,
                is_revoked=roster.is_revoked(certificate.node),
                peer=peer,
                last_heard_ms=max(filter(None, times), default=None),
                owed_entries=entries,
                owed_cases=cases,
                oldest_ms=oldest_ms,
                missing_here=node.store.journal.owed_by(certificate.node),
            )
        )
    return found


def trouble(node: Node) -> Trouble:
    """Return how much there is that a person should look at."""
    waiting, set_aside = node.store.documents.counts()
    return Trouble(
        waiting,
        set_aside,
        len(node.store.journal.forks()),
        node.store.journal.count_refusals(),
    )


def arrivals(node: Node, documents: Iterable[bytes]) -> dict[bytes, Arrival]:
    """Return for each case how far this node's work in it has come, as signed by
    those who have it.
    """
    line = _line(node)
    return {
        document: Arrival(
            *(
                node.store.journal.acknowledged(document, node.id, holder)
                if holder
                else None
                for holder in line
            )
        )
        for document in documents
    }


def _line(node: Node) -> tuple[bytes | None, bytes | None]:
    """Return the town and the district above this node, where there are any."""
    parent = node.roster.latest(node.secrets.parent)
    town = parent.node if parent and parent.tier == "town" else None
    heads = [c.node for c in node.roster.everyone() if RIGHT_ROSTER in c.rights]
    district = heads[0] if heads and heads[0] != node.id else None
    return town, district
