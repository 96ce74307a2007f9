"""The roster: taking up who is enrolled, and, at the district, writing it."""

from itertools import chain

from node import audit, journal, judge
from node.desks import desk_name
from node.errors import NotAllowed
from node.wiring import Node
from sync.canonical import decode, encode
from sync.errors import NotTrusted
from sync.identity import (
    PUBLIC,
    REVOCATION_LIMIT_BYTES,
    RIGHT_ENROL,
    RIGHT_ROSTER,
    TIER_DIGITS,
    Certificate,
    Revocation,
    RosterEntry,
    SignedCertificate,
    covers,
    issue,
    node_id,
    sign_roster_entry,
)
from sync.stream import KIND_CERTIFICATE, KIND_ROSTER

TERMINALS = range(1, 100)
"""Two digits of every case number 办件编号 tell the desks of one place apart."""
TERMINALS_EACH = 20
"""How many of them an issuer gives out before it takes those of another."""


def take_step(node: Node, step: RosterEntry) -> None:
    """Follow one step of the roster, inside the transaction that stores its entry.

    Raises:
        PeerFault: it is not the root's, or not the next.
    """
    known = node.roster
    if step.version <= known.version:
        if node.store.registry.roster_entry(step.version) != step:
            raise NotTrusted("roster", f"version {step.version} is another step")
        return
    known.follow(step)
    node.store.registry.put_roster_entry(step)
    node.keep_roster()
    if step.act != "revoke":
        return
    # What had been taken before the revocation was heard is judged again.
    cut = decode(step.body, Revocation, limit_bytes=REVOCATION_LIMIT_BYTES)
    for _, stream, _, _ in node.store.journal.all_streams():
        if (stream.node, stream.epoch) == (cut.node, cut.epoch):
            first = cut.first_cut(stream.scope)
            judge.judge_whole(node, node.store.journal.documents_after(stream, first))


def take_certificate(node: Node, signed: SignedCertificate) -> None:
    """Take up a certificate that a town has issued; at the district, enrol it if it
    is one that the district takes up by itself.

    Raises:
        PeerFault: its issuer had no right to issue it.
    """
    claimed = signed.read()
    key = (claimed.node, claimed.epoch)
    enrolled = node.roster.enrolled.get(key)
    if enrolled and enrolled[1] == signed:
        # The district has taken it up; what it did later says nothing against this.
        return
    node.roster.introduce(signed)
    if enrolled:
        return
    node.store.registry.put_certificate(*key, signed)
    node.keep_roster()
    if node.secrets.root_key:
        _enrol_in_turn(node, claimed.node)


def _enrol_in_turn(node: Node, who: bytes) -> None:
    """Enrol what towns have certified of a node, each epoch behind the last.

    A town signs what it likes, and every node keeps the roster for ever. So no epoch
    is left out, and no terminal number of a place is given twice: at most 99 in all.
    What does not fit stays with those who share its scope.
    """
    while not node.roster.is_revoked(who):
        enrolled = [certificate for _, _, certificate in node.roster.enrolled.values()]
        last = max((c.epoch for c in enrolled if c.node == who), default=0)
        waiting = node.roster.provisional.get((who, last + 1))
        if waiting is None:
            return
        signed, certificate = waiting
        used = {c.terminal for c in enrolled if c.division == certificate.division}
        if certificate.terminal in used or certificate.terminal not in TERMINALS:
            return
        enrol(node, signed)


def enrol(node: Node, signed: SignedCertificate) -> None:
    """Write a certificate into the roster. The district's act, in a transaction."""
    assert node.secrets.root_key and RIGHT_ROSTER in node.certificate.rights
    certificate = signed.read()
    _write_step(node, "enrol", encode(signed))
    audit.record(
        node,
        audit.ENROL,
        certificate.division,
        note=desk_name(certificate),
        peer=certificate.node,
    )


def revoke(node: Node, who: Certificate, reason: str) -> None:
    """Let nothing count that a node writes from here on. The district's act.

    What the district holds of its streams stays good; what is still on its way from
    there does not, nor what others may yet bring.

    Raises:
        NotAllowed: only the district revokes, and not itself.
    """
    if not node.secrets.root_key or who.node == node.id:
        raise NotAllowed("revoke")
    epochs = {c.epoch for c in node.roster.everyone() if c.node == who.node}
    with node.store.transaction():
        for epoch in sorted(epochs):
            heads = tuple(
                (stream.scope, sequence + 1)
                for _, stream, sequence, _ in node.store.journal.all_streams()
                if (stream.node, stream.epoch) == (who.node, epoch)
            )
            revocation = Revocation(who.node, epoch, 1, tuple(sorted(heads)))
            _write_step(node, "revoke", encode(revocation))
        audit.record(
            node,
            audit.REVOKE,
            who.division,
            note=reason,
            by=node.operator,
            peer=who.node,
        )


def _write_step(node: Node, act: str, body: bytes) -> None:
    """Write the next step of the roster, signed by the root, and follow it."""
    step = sign_roster_entry(node.secrets.root_key, node.roster.version + 1, act, body)
    journal.append(node, PUBLIC, KIND_ROSTER, b"", encode(step), node.now_ms())
    take_step(node, step)


def issue_below(
    node: Node,
    *,
    tier: str,
    division: str,
    department: str,
    name: str,
    epoch: int,
    sign_key: bytes,
    seal_key: bytes,
    tls_fingerprint: bytes,
    consent: bytes,
) -> SignedCertificate:
    """Issue a certificate for a node at or below our division, and let it be known.

    A node that joins again gets a terminal number of its own: a copy of it may be
    counting cases under the old one.

    The district signs with its root key and writes the roster; a town signs with its
    own key, and the district takes it up when it hears of it.

    Raises:
        NotAllowed: not our part of the tree, or we have no right to enrol; or the
            place has as many nodes as case numbers can tell apart.
    """
    is_root = bool(node.secrets.root_key)
    if not may_enrol(node, tier, division):
        raise NotAllowed(f"enrol {division}")
    certificate = Certificate(
        format=1,
        node=node_id(sign_key),
        epoch=epoch,
        tier=tier,
        division=division,
        department=department,
        name=name,
        terminal=free_terminal(node, tier, division),
        sign_key=sign_key,
        seal_key=seal_key,
        tls_fingerprint=tls_fingerprint,
        rights=(RIGHT_ENROL,) if tier == "town" else (),
        issuer=issuer_id(node),
        consent=consent,
    )
    signing_key = node.secrets.root_key if is_root else node.secrets.sign_key
    signed = issue(signing_key, certificate)
    node.roster.check_issuer(signed, certificate)
    with node.store.transaction():
        if is_root:
            enrol(node, signed)
        else:
            # In the scope of its own place: there another desk may wait for its word
            # before the district has written the roster.
            node.store.registry.put_certificate(certificate.node, epoch, signed)
            journal.append(
                node, division, KIND_CERTIFICATE, b"", encode(signed), node.now_ms()
            )
    return signed


def free_terminal(node: Node, tier: str, division: str) -> int:
    """Return a number that no desk at a place has had in any epoch.

    Two issuers may enrol desks of one village without knowing of each other, so each
    begins elsewhere: the desks of a town at 1, 21, 41, 61, the district at 81.
    """
    there = [c for c in node.roster.everyone() if c.division == division]
    block = 0
    if tier == "village":
        is_root = bool(node.secrets.root_key)
        block = 4 if is_root else (node.certificate.terminal - 1) % 4
    used = {c.terminal for c in there}
    first = TERMINALS[block * TERMINALS_EACH :]
    free = [number for number in chain(first, TERMINALS) if number not in used]
    if not free:
        raise NotAllowed(f"enrol {division}")
    return free[0]


def next_epoch(
    node: Node, who: bytes, *, tier: str, division: str, department: str
) -> int:
    """Return in which epoch a node may join at a place: the one after its last.

    Raises:
        NotTrusted: it stands at another place, or only the district may let it in.
    """
    known = node.roster.latest(who)
    if known is None:
        return 1
    if (known.tier, known.division, known.department) != (tier, division, department):
        raise NotTrusted("enrolment", "the code is for another place")
    if node.roster.is_revoked(who) and not node.secrets.root_key:
        raise NotTrusted("enrolment", "its holder has been revoked")
    return known.epoch + 1


def issuer_id(node: Node) -> bytes:
    """Return under which id this node issues: the root's at the district."""
    return node_id(node.secrets.root) if node.secrets.root_key else node.id


def may_enrol(node: Node, tier: str, division: str) -> bool:
    """Say whether this node may enrol a node of `tier` at `division`."""
    me = node.certificate
    if not covers(me, division):
        return False
    if node.secrets.root_key:
        return tier in TIER_DIGITS
    return RIGHT_ENROL in me.rights and TIER_DIGITS[tier] > TIER_DIGITS[me.tier]
