"""A bundle that came, by a line or on a stick: opened, and what is in it taken in."""

from dataclasses import dataclass

from node import clock_check
from node.absorb import Received, absorb
from node.speaking import pace_asked
from node.wiring import Node
from sync import bundle
from sync.bundle import Header
from sync.errors import PeerFault, Revoked, TooNew
from sync.exchange import decode_parcel
from sync.identity import Certificate
from sync.pieces import Want

TOO_NEW = "too-new"
"""As what a bundle of a newer format is refused: this node must be upgraded."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A bundle that was opened, and what became of what was in it."""

    sender: Certificate
    header: Header
    received: Received
    wants: tuple[Want, ...]
    more: bool
    pace_bytes: int
    """How large bundles for the sender may be."""
    knows: bytes
    """The digest of the vectors that the sender holds, see `Parcel`."""
    is_clock_off: bool
    """It has said what its clock shows, and ours shows something else."""


def open_bundle(node: Node, data: bytes) -> bundle.Opened:
    """Open a bundle that came from somewhere. Raises as `bundle.unwrap`."""
    return bundle.unwrap(
        data,
        me=node.id,
        seal_key=node.secrets.seal_key,
        find=lambda who, epoch: may_speak(node, who, epoch),
    )


def take(node: Node, data: bytes) -> Taken:
    """Open a bundle and take in what is in it.

    Raises:
        PeerFault: nothing was stored, and why.
    """
    try:
        opened = open_bundle(node, data)
        parcel = decode_parcel(opened.body)
    except PeerFault as fault:
        _note_refusal(node, data, fault)
        raise
    received = absorb(node, parcel, opened.sender)
    return Taken(
        opened.sender,
        opened.header,
        received,
        parcel.wants,
        parcel.more,
        pace_asked(parcel),
        parcel.knows,
        clock_check.hear(node, opened.sender, dict(parcel.extras)),
    )


def may_speak(node: Node, who: bytes, epoch: int) -> Certificate | None:
    """Return the certificate of a node that may still speak to us.

    Its id is of its key: one that has begun a newer epoch than we have heard of still
    speaks for itself.

    Raises:
        Revoked: it has been put out, and is told so.
    """
    if node.roster.is_revoked(who):
        raise Revoked(who)
    return node.roster.certificate(who, epoch) or node.roster.latest(who)


def keep_refusal(node: Node, sender: bytes, fault: PeerFault) -> None:
    """Keep that a bundle of a node that we know was not taken in, and why."""
    cause = TOO_NEW if isinstance(fault, TooNew) else "bundle"
    with node.store.transaction():
        node.store.refusals.put(node.now_ms(), sender, cause, str(fault))


def _note_refusal(node: Node, data: bytes, fault: PeerFault) -> None:
    """Keep that a bundle was refused, if it came from anybody that we know.

    A stranger must not be able to fill our disk with refusals.
    """
    try:
        sender = bundle.read_address(data).sender
    except PeerFault:
        return
    if node.roster.latest(sender) is None:
        return
    keep_refusal(node, sender, fault)
