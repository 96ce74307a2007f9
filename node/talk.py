"""One exchange with a neighbour: compose, send, absorb; and the answering side.

What a neighbour is owed follows from its last signed vectors, which are rows; an
exchange that is cut at any point costs time and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from node.absorb import absorb
from node.errors import NotFound
from node.store.journal import read_chunk
from node.wiring import Node
from sync import bundle
from sync.client import Client
from sync.errors import NotTrusted, PeerFault, PeerRefused, PeerUnreachable, SyncError
from sync.exchange import (
    HeldVector,
    Outgoing,
    compose,
    decode_parcel,
    encode_parcel,
)
from sync.identity import Certificate, holds, on_one_line
from sync.stream import Chunk
from sync.vector import Head, Span, Vector, sign_vector

MOST_ROUNDS = 1000

Transport = Callable[[bytes], bytes]
"""Carries a bundle to the peer and brings its bundle back."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one `sync` did, over all its rounds."""

    peer: bytes
    requests: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    sent: int = 0
    received: int = 0
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Holdings:
    """What `compose` looks up, answered by the store."""

    node: Node

    def heads(self, scope: str) -> list[Head]:
        return self.node.store.journal.heads(scope)

    def vector_of(self, holder: bytes, scope: str) -> Vector | None:
        return self.node.store.journal.vector_of(holder, scope)

    def read_chunk(self, span: Span, max_entries: int, max_bytes: int) -> Chunk | None:
        return read_chunk(
            self.node.store.journal,
            span,
            max_entries,
            max_bytes,
            self.node.secrets.sign_key,
            self.node.id,
        )


def shared_scopes(node: Node, peer: Certificate) -> list[str]:
    """Return the scopes of which we have anything and that the peer shares."""
    return [
        scope
        for scope in node.store.journal.scopes()
        if holds(node.certificate, scope) and holds(peer, scope)
    ]


def sign_vectors(node: Node, scopes: list[str]) -> None:
    """Acknowledge what is on disk: a new signed vector where our old one is behind."""
    journal = node.store.journal
    with node.store.transaction():
        for scope in scopes:
            heads = tuple(journal.heads(scope))
            known = journal.vector_of(node.id, scope)
            if known is not None and known.heads == heads:
                continue
            vector = Vector(
                holder=node.id,
                epoch=node.certificate.epoch,
                scope=scope,
                counter=known.counter + 1 if known else 1,
                at_ms=node.now_ms(),
                heads=heads,
            )
            signed = sign_vector(node.secrets.sign_key, vector)
            journal.put_vector(vector, signed, vector.at_ms, heads)


def shared_vectors(node: Node, peer: Certificate) -> list[HeldVector]:
    """Return the vectors that concern both: in a shared scope, by a node that stands
    on one line with each of us.
    """
    roster = node.roster
    found = []
    for vector in node.store.journal.vectors():
        if not (holds(node.certificate, vector.scope) and holds(peer, vector.scope)):
            continue
        holder = roster.latest(vector.holder)
        if (
            holder is not None
            and on_one_line(holder, peer)
            and on_one_line(holder, node.certificate)
        ):
            found.append(vector)
    return found


def compose_bundle(node: Node, peer: Certificate) -> tuple[bytes, Outgoing]:
    """Return the bundle that `peer` should have now, and what is in it."""
    scopes = shared_scopes(node, peer)
    sign_vectors(node, scopes)
    outgoing = compose(
        _Holdings(node),
        peer.node,
        scopes,
        shared_vectors(node, peer),
        node.store.journal.told(peer.node),
    )
    data = bundle.wrap(
        encode_parcel(outgoing.parcel),
        sender=node.certificate,
        sign_key=node.secrets.sign_key,
        recipient=peer,
        roster_version=node.roster.version,
    )
    return data, outgoing


def open_bundle(node: Node, data: bytes) -> bundle.Opened:
    """Open a bundle that came from somewhere. Raises as `bundle.unwrap`."""
    return bundle.unwrap(
        data,
        me=node.id,
        seal_key=node.secrets.seal_key,
        find=lambda who, epoch: _standing(node, who, epoch),
    )


def answer(node: Node, data: bytes) -> bytes:
    """Take in a neighbour's bundle and return ours: the server's side.

    Raises:
        PeerFault: nothing was stored, and why.
    """
    try:
        opened = open_bundle(node, data)
        parcel = decode_parcel(opened.body)
    except PeerFault as fault:
        _note_refusal(node, data, fault)
        raise
    peer = opened.sender
    absorb(node, parcel, peer)
    reply, outgoing = compose_bundle(node, peer)
    with node.store.transaction():
        node.store.journal.set_told(peer.node, outgoing.told)
        known = node.store.registry.peer(peer.node)
        node.store.registry.set_peer(
            replace(
                known,
                last_seen_at_ms=node.now_ms(),
                bytes_in=known.bytes_in + len(data),
                bytes_out=known.bytes_out + len(reply),
            )
        )
    return reply


def find_neighbour(node: Node, name: str = "") -> Certificate:
    """Return a neighbour by id, division or name; the node above if none is named.

    Raises:
        NotFound: nobody is called so, or there is no node above.
    """
    if not name:
        above = node.roster.latest(node.secrets.parent)
        if above is None:
            raise NotFound("node above", "")
        return above
    fitting = {
        one.node: one
        for one in node.roster.everyone()
        if name in (one.division, one.name) or one.node.hex().startswith(name.lower())
    }
    if len(fitting) != 1:
        raise NotFound("node", name[:40])
    return next(iter(fitting.values()))


def client_for(node: Node, peer: Certificate) -> Client:
    """Return a connection to a neighbour, pinned to its certificate.

    Raises:
        PeerUnreachable: no address of it is known here.
    """
    known = node.store.registry.peer(peer.node)
    if not known.url:
        raise PeerUnreachable(peer.name, "no address of it is known")
    return Client(known.url, peer.tls_fingerprint)


def sync_over(
    node: Node,
    peer: Certificate,
    transport: Transport,
    on_round: Callable[[Report], None] | None = None,
) -> Report:
    """Exchange with a neighbour until neither owes the other anything.

    Raises:
        PeerUnreachable, PeerRefused, PeerFault: what was exchanged before stands.
    """
    report = Report(peer.node)
    try:
        for _ in range(MOST_ROUNDS):
            report, is_done = _one_round(node, peer, transport, report)
            if on_round:
                on_round(report)
            if is_done:
                break
    except SyncError as error:
        _note_result(node, peer, report, _word(error))
        raise
    _note_result(node, peer, report, "")
    return report


def _one_round(
    node: Node, peer: Certificate, transport: Transport, report: Report
) -> tuple[Report, bool]:
    data, outgoing = compose_bundle(node, peer)
    reply = transport(data)
    opened = open_bundle(node, reply)
    if opened.sender.node != peer.node:
        raise NotTrusted("answer", "another node has answered")
    parcel = decode_parcel(opened.body)
    with node.store.transaction():
        node.store.journal.set_told(peer.node, outgoing.told)
    received = absorb(node, parcel, peer)
    report = replace(
        report,
        requests=report.requests + 1,
        bytes_out=report.bytes_out + len(data),
        bytes_in=report.bytes_in + len(reply),
        sent=report.sent + outgoing.entries,
        received=report.received + received.entries,
        refused=report.refused + tuple(received.refused),
    )
    goes_on = (
        received.entries or received.was_reminded or outgoing.parcel.more or parcel.more
    )
    return report, not goes_on


def _standing(node: Node, who: bytes, epoch: int) -> Certificate | None:
    """Return the certificate of a node that may still speak to us."""
    if node.roster.is_revoked(who):
        return None
    return node.roster.certificate(who, epoch)


def _note_result(node: Node, peer: Certificate, report: Report, failure: str) -> None:
    now_ms = node.now_ms()
    with node.store.transaction():
        known = node.store.registry.peer(peer.node)
        known = replace(
            known,
            last_try_at_ms=now_ms,
            last_result=failure or "ok",
            bytes_out=known.bytes_out + report.bytes_out,
            bytes_in=known.bytes_in + report.bytes_in,
        )
        if failure:
            known = replace(
                known,
                failures=known.failures + 1,
                offline_since_ms=known.offline_since_ms or now_ms,
            )
        else:
            known = replace(
                known, failures=0, offline_since_ms=None, last_success_at_ms=now_ms
            )
        node.store.registry.set_peer(known)


def _note_refusal(node: Node, data: bytes, fault: PeerFault) -> None:
    """Keep that a bundle was refused, if it came from anybody that we know.

    A stranger must not be able to fill our disk with refusals.
    """
    try:
        header = bundle.read_header(data)
    except PeerFault:
        return
    if node.roster.latest(header.sender) is None:
        return
    with node.store.transaction():
        node.store.journal.put_refusal(
            node.now_ms(), header.sender, "bundle", str(fault)
        )


def _word(error: SyncError) -> str:
    """Return how a failed try is kept: a word that `tui.labels` knows."""
    match error:
        case PeerUnreachable():
            return "unreachable"
        case PeerRefused():
            return "refused"
        case PeerFault():
            return "not-trusted"
        case _:
            return "failed"
