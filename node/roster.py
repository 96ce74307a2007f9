"""The roster: taking up who is enrolled, and, at the district, writing it."""

from node import journal, judge
from node.errors import NotAllowed
from node.wiring import Node
from sync.canonical import encode
from sync.identity import (
    PUBLIC,
    RIGHT_ENROL,
    RIGHT_ROSTER,
    TIER_DIGITS,
    Certificate,
    RosterEntry,
    SignedCertificate,
    covers,
    issue,
    node_id,
    sign_roster_entry,
)
from sync.stream import KIND_CERTIFICATE, KIND_ROSTER

LONGEST_TERMINAL = 99


def take_step(node: Node, step: RosterEntry) -> None:
    """Follow one step of the roster, inside the transaction that stores its entry.

    Raises:
        PeerFault: it is not the root's, or not the next.
    """
    known = node.roster
    if step.version <= known.version:
        return
    before = dict(known.revoked)
    known.follow(step)
    node.store.registry.put_roster_entry(step)
    node.keep_roster()
    for (who, epoch), sequence in known.revoked.items():
        if before.get((who, epoch)) != sequence:
            # What had been taken before the revocation was heard is judged again.
            for document in node.store.journal.documents_after(who, epoch, sequence):
                judge.judge_again(node, document)


def take_certificate(node: Node, signed: SignedCertificate) -> None:
    """Take up a certificate that a town has issued; at the district, enrol it.

    Raises:
        PeerFault: its issuer had no right to issue it.
    """
    certificate = node.roster.introduce(signed)
    key = (certificate.node, certificate.epoch)
    if key in node.roster.enrolled:
        return
    node.store.registry.put_certificate(*key, signed)
    node.keep_roster()
    if node.secrets.root_key:
        enrol(node, signed)


def enrol(node: Node, signed: SignedCertificate) -> None:
    """Write a certificate into the roster. The district's act, in a transaction."""
    assert node.secrets.root_key and RIGHT_ROSTER in node.certificate.rights
    step = sign_roster_entry(
        node.secrets.root_key, node.roster.version + 1, "enrol", encode(signed)
    )
    at_ms = node.now_ms()
    journal.append(node, PUBLIC, KIND_ROSTER, b"", encode(step), at_ms)
    take_step(node, step)


def issue_below(
    node: Node,
    *,
    tier: str,
    division: str,
    department: str,
    name: str,
    sign_key: bytes,
    seal_key: bytes,
    tls_fingerprint: bytes,
    consent: bytes,
) -> SignedCertificate:
    """Issue a certificate for a node at or below our division, and let it be known.

    The district signs with its root key and writes the roster; a town signs with its
    own key, and the district takes it up when it hears of it.

    Raises:
        NotAllowed: not our part of the tree, or we have no right to enrol.
    """
    me = node.certificate
    is_root = bool(node.secrets.root_key)
    if not may_enrol(node, tier, division):
        raise NotAllowed(f"enrol {division}")
    others = [c for c in node.roster.everyone() if c.division == division]
    certificate = Certificate(
        format=1,
        node=node_id(sign_key),
        epoch=1,
        tier=tier,
        division=division,
        department=department,
        name=name,
        terminal=min(len(others) + 1, LONGEST_TERMINAL),
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
            node.store.registry.put_certificate(certificate.node, 1, signed)
            journal.append(
                node, me.division, KIND_CERTIFICATE, b"", encode(signed), node.now_ms()
            )
    return signed


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
