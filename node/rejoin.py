"""How a node begins anew that was copied, or put back to an older state.

It keeps its keys and its data and begins its next epoch, in streams that nobody else
has written into. The code is an ordinary invitation for the same place.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from node import drafting, forks, roster, standing
from node.enrol import ATTEMPT_BYTES, MESSAGE_LIMIT_BYTES, Code, ask, read_code
from node.errors import InviteRefused, NotAllowed
from node.wiring import IDENTITY_SETTING, Node
from sync.canonical import Record, decode, encode
from sync.identity import Certificate, SignedCertificate, give_consent, issue, node_id

REJOIN_SETTING = "rejoin"


class Attempt(Record, frozen=True):
    """What a node keeps of its `rejoin` before it asks; `epoch` is 0 until it is in."""

    secret: bytes
    attempt: bytes
    epoch: int


def rejoin(node: Node, code_text: str) -> Certificate:
    """Begin the next epoch of a node that may not write on in its own: same keys, a
    new certificate, new streams. Return the certificate.

    What it wrote after its data were copied, and nobody has shown, it shows itself
    then. Cut at any point it is either in the old epoch or in the new one, and the
    same code finishes it.

    Raises:
        InviteRefused: nothing was changed.
        PeerUnreachable: try again with the same code when there is a line.
    """
    code = read_code(code_text)
    if code.root != node_id(node.secrets.root):
        raise InviteRefused("another-district")
    node.renew()
    kept = _attempt(node, code)
    me = node.certificate
    if kept.epoch:
        return me
    answer = ask(
        code,
        sign_key=node.secrets.sign_key,
        seal_key=me.seal_key,
        tls_fingerprint=me.tls_fingerprint,
        epoch=_newest_epoch(node) + 1,
        attempt=kept.attempt,
    )
    mine = answer.certificate.read()
    if (mine.tier, mine.division) != (me.tier, me.division) or mine.epoch <= me.epoch:
        raise InviteRefused("not-proven")
    registry, above = node.store.registry, answer.chain[-1].read()
    with _together(node):
        for signed in (*answer.chain, answer.certificate):
            one = signed.read()
            registry.put_certificate(one.node, one.epoch, signed)
        if above.node == node.secrets.parent:
            registry.set_peer(
                dataclasses.replace(registry.peer(above.node), url=code.address)
            )
        registry.set_setting(REJOIN_SETTING, encode(replace(kept, epoch=mine.epoch)))
        _begin_epoch(node, answer.certificate)
    return mine


def rejoin_district(node: Node) -> Certificate:
    """Begin the next epoch of the district, which has nobody above it.

    Its copy must never be opened again: there is one roster.

    Raises:
        NotAllowed: this is not the district.
        WriteForbidden: the roster itself has been written on by a copy.
    """
    if not node.secrets.root_key:
        raise NotAllowed("rejoin")
    node.renew()
    me, root = node.certificate, node_id(node.secrets.root)
    epoch = _newest_epoch(node) + 1
    consent = give_consent(
        node.secrets.sign_key, me.seal_key, me.tls_fingerprint, epoch, root
    )
    terminal = roster.free_terminal(node, me.tier, me.division)
    mine = replace(me, epoch=epoch, terminal=terminal, issuer=root, consent=consent)
    signed = issue(node.secrets.root_key, mine)
    with _together(node):
        # Still in the old epoch: only so can others believe the new one.
        roster.enrol(node, signed)
        _begin_epoch(node, signed)
    return mine


@contextmanager
def _together(node: Node) -> Iterator[None]:
    """Do it in one transaction; the node is what its store says, also if that fails."""
    try:
        with node.store.transaction():
            yield
    except BaseException:
        node.forget()
        node.renew()
        raise


def _begin_epoch(node: Node, certificate: SignedCertificate) -> None:
    own = replace(node.secrets, certificate=certificate)
    node.store.registry.set_setting(IDENTITY_SETTING, encode(own))
    node.renew()
    standing.begin_anew(node)
    forks.tell_own(node)
    drafting.rename_drafts(node)


def _newest_epoch(node: Node) -> int:
    known = node.roster.latest(node.id)
    return max(node.certificate.epoch, known.epoch if known else 0)


def _attempt(node: Node, code: Code) -> Attempt:
    """Return what this home has begun with a code, or begin it, on disk."""
    data = node.store.registry.setting(REJOIN_SETTING)
    if data is not None:
        kept = decode(data, Attempt, limit_bytes=MESSAGE_LIMIT_BYTES)
        if kept.secret == code.secret:
            return kept
    fresh = Attempt(code.secret, node.random(ATTEMPT_BYTES), 0)
    with node.store.transaction():
        node.store.registry.set_setting(REJOIN_SETTING, encode(fresh))
    return fresh
