"""What a node can say of itself and its neighbours, without asking anybody.

Always three things of a neighbour: the last try with its result, the last success,
and what is owed both ways with the age of the oldest. Nothing here is remembered from
sending: it all follows from entries held and vectors signed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from node import clock_check, hearing, speaking, standing
from node.fork_report import unhealed
from node.packs import Traffic, traffic
from node.store.registry import Peer
from node.wiring import Node
from sync.identity import RIGHT_ROSTER, Certificate, on_one_line

UPGRADE_ASKED_MS = 7 * 24 * 3600 * 1000


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
        owed_files: how many files it has asked for and does not hold yet.
        missing_here: how many entries it has that are not here.
        packs: what lay on sticks between us, None where nothing ever did.
        missing_since_ms: since when that is known of the oldest of them.
        missing_files: how many files it holds that cases here miss.
        ahead_ms: by how much its clock is ahead of ours, see `node.clock_check`.
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
    missing_since_ms: int | None

    @property
    def last_success_ms(self) -> int | None:
        """When an exchange with it went well, whoever began it."""
        times = (self.peer.last_success_at_ms, self.peer.last_seen_at_ms)
        return max(filter(None, times), default=None)

    packs: Traffic | None = None
    owed_files: int = 0
    missing_files: int = 0
    ahead_ms: int = 0


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
    """What a person should look at. `needs_upgrade`: a neighbour has come with a
    newer format within the last week. `is_stopped`: this very node has forked, and may
    not write. `is_revoked`: it has been put out, as the node above has said.
    `ahead_ms`: by how much this node's clock is ahead of that of the node above.
    """

    waiting: int
    set_aside: int
    forks: int
    refusals: int
    is_stopped: bool = False
    needs_upgrade: bool = False
    is_revoked: bool = False
    ahead_ms: int = 0


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
        not_delivered=node.store.arrivals.documents_not_at(node.id, parent.node),
    )


def neighbours(node: Node) -> list[Neighbour]:
    """Return all other nodes on this node's line, and those that it visits or that
    have come to it, by division.
    """
    roster = node.roster
    newest: dict[bytes, Certificate] = {}
    for certificate in roster.everyone():
        before = newest.get(certificate.node)
        if before is None or before.epoch < certificate.epoch:
            newest[certificate.node] = certificate
    heard = node.store.vectors.last_heard()
    carried = set(node.store.packs.peers())
    met = {peer.node: peer for peer in node.store.registry.peers()}
    found = []
    for certificate in newest.values():
        is_ours = certificate.node in met or on_one_line(certificate, node.certificate)
        if certificate.node == node.id or not is_ours:
            continue
        if roster.is_revoked(certificate.node):
            found.append(_put_out(node, certificate, met, heard))
            continue
        scopes = speaking.shared_scopes(node, certificate)
        entries, cases, oldest_ms = (
            node.store.arrivals.owed_to(certificate.node, scopes)
            if scopes
            else (0, 0, None)
        )
        peer = met.get(certificate.node, Peer(certificate.node))
        missing, missing_since_ms = node.store.arrivals.owed_by(certificate.node)
        times = (heard.get(certificate.node), peer.last_seen_at_ms)
        found.append(
            Neighbour(
                certificate=certificate,
                is_above=certificate.node == node.secrets.parent,
                is_revoked=False,
                peer=peer,
                last_heard_ms=max(filter(None, times), default=None),
                owed_entries=entries,
                owed_cases=cases,
                oldest_ms=oldest_ms,
                packs=(
                    traffic(node, certificate.node)
                    if certificate.node in carried
                    else None
                ),
                missing_here=missing,
                missing_since_ms=missing_since_ms,
                owed_files=node.store.attachments.count_asked(certificate.node),
                missing_files=node.store.attachments.count_missing_held_by(
                    certificate.node
                ),
                ahead_ms=clock_check.ahead_ms(node, certificate.node),
            )
        )
    return found


def _put_out(
    node: Node,
    certificate: Certificate,
    met: Mapping[bytes, Peer],
    heard: Mapping[bytes, int],
) -> Neighbour:
    """Return a revoked node: nothing goes either way, so nothing is owed."""
    peer = met.get(certificate.node, Peer(certificate.node))
    times = (heard.get(certificate.node), peer.last_seen_at_ms)
    return Neighbour(
        certificate=certificate,
        is_above=certificate.node == node.secrets.parent,
        is_revoked=True,
        peer=peer,
        last_heard_ms=max(filter(None, times), default=None),
        owed_entries=0,
        owed_cases=0,
        oldest_ms=None,
        missing_here=0,
        missing_since_ms=None,
    )


def trouble(node: Node) -> Trouble:
    """Return how much there is that a person should look at."""
    waiting, set_aside = node.store.documents.counts()
    forked = unhealed(node)
    return Trouble(
        waiting=waiting,
        set_aside=set_aside,
        forks=len(forked),
        refusals=node.store.refusals.count(),
        is_stopped=node.id in forked,
        needs_upgrade=_needs_upgrade(node),
        is_revoked=standing.is_revoked_here(node),
        ahead_ms=-clock_check.ahead_ms(node, node.secrets.parent),
    )


def _needs_upgrade(node: Node) -> bool:
    last_ms = node.store.refusals.last_ms(hearing.TOO_NEW)
    return last_ms is not None and abs(node.now_ms() - last_ms) < UPGRADE_ASKED_MS


def arrivals(node: Node, documents: Iterable[bytes]) -> dict[bytes, Arrival]:
    """Return for each case how far this node's work in it has come, as signed by
    those who have it.
    """
    line = line_above(node)
    holders = [holder for holder in line if holder]
    found = {}
    for document in documents:
        since = node.store.arrivals.acknowledged(document, node.id, holders)
        found[document] = Arrival(
            *(since.get(holder) if holder else None for holder in line)
        )
    return found


def line_above(node: Node) -> tuple[bytes | None, bytes | None]:
    """Return the town and the district above this node, where there are any."""
    parent = node.roster.latest(node.secrets.parent)
    town = parent.node if parent and parent.tier == "town" else None
    heads = [c.node for c in node.roster.everyone() if RIGHT_ROSTER in c.rights]
    district = heads[0] if heads and heads[0] != node.id else None
    return town, district
