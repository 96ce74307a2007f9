"""How a node comes to be: `init` for the district, `invite` and `join` for the rest.

An enrolment code carries the address, the fingerprint of the district's root key and
a secret of 128 bits. Both directions of `join` are proven by that secret, so that
nobody on the line can put his own keys in between.
"""

import base64
import hashlib
import hmac
import secrets
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from node import audit, roster, vault
from node.desks import desk_name
from node.errors import DivisionWrong, InviteRefused, NodeError, NoEncryption
from node.files import write_durably
from node.home import Home
from node.peers import ADDRESS
from node.policy import NAME_LIMIT
from node.store import can_encrypt
from node.store.registry import Peer
from node.vault import Cost
from node.wiring import Node, Secrets, assemble_new
from sync import seal
from sync.canonical import Record, decode, encode
from sync.client import Client
from sync.errors import Malformed, NotTrusted, PeerRefused
from sync.identity import (
    RIGHT_ENROL,
    RIGHT_ROSTER,
    TIER_DIGITS,
    Certificate,
    Roster,
    SignedCertificate,
    give_consent,
    is_division,
    issue,
    node_id,
)

INVITE_LIFE_MS = 24 * 3600 * 1000
INVITE_TRIES = 5
CODE_LIMIT = 400
MESSAGE_LIMIT_BYTES = 16 * 1024
ADDRESS_SETTING = "address"
ATTEMPT_BYTES = 16
MOST_EPOCHS_ASKED = 3
_SAID_NO = "enrolment:"
"""How the sentence of an inviter begins that refuses a code."""


class Code(Record, frozen=True):
    """What an enrolment code says; printed in base32."""

    format: int
    secret: bytes
    root: bytes
    issuer: bytes
    address: str


class Invitation(Record, frozen=True):
    """What the inviting node keeps of a code. `used_by` is who has used it: signing
    key and attempt; or empty.
    """

    secret: bytes
    tier: str
    division: str
    department: str
    name: str
    used_by: bytes
    granted: bytes


class JoinRequest(Record, frozen=True):
    """The new node's public keys, proven by the code's secret.

    `attempt` are random bytes, the same whenever a request is made again: two copies
    of one node, with the same keys, must not be let in by the same code.
    """

    invite: bytes
    sign_key: bytes
    seal_key: bytes
    tls_fingerprint: bytes
    epoch: int
    attempt: bytes
    consent: bytes
    proof: bytes


class Hopes(Record, frozen=True):
    """What a new node keeps while it waits for the answer to its request."""

    secret: bytes
    attempt: bytes
    sign_key: bytes
    seal_key: bytes
    tls_certificate: bytes
    tls_key: bytes


class JoinGrant(Record, frozen=True):
    """The answer: a certificate, and whom to believe.

    `chain` are the certificates of the line above, the inviting node's last.
    """

    certificate: SignedCertificate
    chain: tuple[SignedCertificate, ...]
    root: bytes
    recovery: bytes
    proof: bytes


class JoinAgain(Record, frozen=True):
    """The other answer: the node is known, ask again for this epoch."""

    epoch: int
    proof: bytes


def init_district(
    path: Path,
    *,
    division: str,
    name: str,
    operator: str,
    password: str,
    is_plain: bool = False,
    cost: Cost | None = None,
) -> Node:
    """Make a district: its root key, its own node, and a roster of one.

    Raises:
        HomeTaken: the folder holds a node already.
        NodeError: the division is not a district's, or the name is empty.
    """
    _check_place("district", division, name)
    _check_operator(operator)
    home = Home(path)
    home.must_be_free()
    root_key, recovery_key = secrets.token_bytes(32), secrets.token_bytes(32)
    root = seal.public_sign_key(root_key)
    recovery = seal.public_seal_key(recovery_key)
    keys = _make_vault(home, operator, password, is_plain, recovery, cost)
    sign_key, seal_key = secrets.token_bytes(32), secrets.token_bytes(32)
    public, public_seal = seal.public_sign_key(sign_key), seal.public_seal_key(seal_key)
    tls = _make_tls(home, keys)
    certificate = Certificate(
        format=1,
        node=node_id(public),
        epoch=1,
        tier="district",
        division=division,
        department="",
        name=name,
        terminal=1,
        sign_key=public,
        seal_key=public_seal,
        tls_fingerprint=tls,
        rights=(RIGHT_ENROL, RIGHT_ROSTER),
        issuer=node_id(root),
        consent=give_consent(sign_key, public_seal, tls, 1, node_id(root)),
    )
    signed = issue(root_key, certificate)
    own = Secrets(
        signed, sign_key, seal_key, root, root_key, recovery, recovery_key, b""
    )
    node = assemble_new(home, keys, operator, own)
    with node.store.transaction():
        roster.enrol(node, signed)
    return node


def invite(
    node: Node, *, tier: str, division: str, department: str, name: str, address: str
) -> str:
    """Return an enrolment code for one node, good once and for a day.

    Raises:
        NodeError: not our part of the tree, or not a possible place.
    """
    _check_place(tier, division, name)
    if len(department) > NAME_LIMIT or not department.isprintable():
        raise NodeError("the department is too long or not printable")
    if not ADDRESS.fullmatch(address):
        raise NodeError(f"an address is HOST:PORT, not {address[:60]!r}")
    if not roster.may_enrol(node, tier, division):
        raise InviteRefused("not-below-us")
    secret = node.random(16)
    invitation = Invitation(secret, tier, division, department, name, b"", b"")
    with node.store.transaction():
        node.store.registry.put_invite(
            _invite_id(secret), encode(invitation), node.now_ms() + INVITE_LIFE_MS
        )
        audit.record(node, audit.INVITE, division, note=name, by=node.operator)
    code = Code(1, secret, node_id(node.secrets.root), roster.issuer_id(node), address)
    return base64.b32encode(encode(code)).decode().rstrip("=")


def read_code(text: str) -> Code:
    """Return what a code says.

    Raises:
        InviteRefused: it is no code, or mistyped.
    """
    compact = "".join(text.split()).replace("-", "").upper()
    if len(compact) > CODE_LIMIT:
        raise InviteRefused("unreadable")
    try:
        data = base64.b32decode(compact + "=" * (-len(compact) % 8))
        code = decode(data, Code, limit_bytes=CODE_LIMIT)
    except (ValueError, Malformed) as error:
        raise InviteRefused("unreadable") from error
    parts = (code.secret, code.root, code.issuer)
    if code.format != 1 or any(len(part) != 16 for part in parts):
        raise InviteRefused("unreadable")
    return code


def grant(node: Node, data: bytes) -> bytes:
    """Answer a join request; the server's side.

    Raises:
        NotTrusted: unknown, used, late or wrongly proven code.
    """
    request = decode(data, JoinRequest, limit_bytes=MESSAGE_LIMIT_BYTES)
    registry = node.store.registry
    found = registry.invite(request.invite)
    if found is None:
        raise NotTrusted("enrolment", "the code is not known here")
    body, expires_at_ms, tries = found
    invitation = decode(body, Invitation, limit_bytes=MESSAGE_LIMIT_BYTES)
    if tries >= INVITE_TRIES:
        raise NotTrusted("enrolment", "the code was tried too often")
    if node.now_ms() > expires_at_ms:
        raise NotTrusted("enrolment", "the code is too old")
    unproven = replace(request, proof=b"")
    if not hmac.compare_digest(request.proof, _proof(invitation.secret, unproven)):
        with node.store.transaction():
            registry.count_try(request.invite)
        raise NotTrusted("enrolment", "the proof does not hold")
    if len(request.attempt) != ATTEMPT_BYTES:
        raise Malformed("enrolment", "the attempt has a wrong length")
    asks = request.sign_key + request.attempt
    if invitation.used_by and invitation.used_by != asks:
        raise NotTrusted("enrolment", "the code has been used")
    if invitation.used_by:
        return invitation.granted
    epoch = roster.next_epoch(
        node,
        node_id(request.sign_key),
        tier=invitation.tier,
        division=invitation.division,
        department=invitation.department,
    )
    if request.epoch != epoch:
        again = JoinAgain(epoch, b"")
        return encode(replace(again, proof=_proof(invitation.secret, again)))
    with node.store.transaction():
        signed = roster.issue_below(
            node,
            tier=invitation.tier,
            division=invitation.division,
            department=invitation.department,
            name=invitation.name,
            epoch=epoch,
            sign_key=request.sign_key,
            seal_key=request.seal_key,
            tls_fingerprint=request.tls_fingerprint,
            consent=request.consent,
        )
        answer = JoinGrant(
            signed,
            node.roster.line_above(invitation.division, last=node.id),
            node.secrets.root,
            node.secrets.recovery,
            b"",
        )
        reply = encode(replace(answer, proof=_proof(invitation.secret, answer)))
        used = replace(invitation, used_by=asks, granted=reply)
        registry.set_invite(request.invite, encode(used))
        new = signed.read()
        audit.record(node, audit.JOIN, new.division, note=desk_name(new), peer=new.node)
    return reply


def join(
    path: Path,
    code_text: str,
    *,
    operator: str,
    password: str,
    is_plain: bool = False,
    cost: Cost | None = None,
) -> Node:
    """Make the node that a code invites, and let its inviter certify it.

    Raises:
        HomeTaken, InviteRefused: nothing was made.
        PeerUnreachable: try again with the same code when there is a line; the keys
            that were asked for are kept, sealed under the password.
    """
    code = read_code(code_text)
    _check_operator(operator)
    home = Home(path)
    _must_encrypt(is_plain)
    was_there, has_asked = path.exists(), home.joining.exists()
    keys, hopes = _hopes(home, code, operator, password, is_plain, cost or Cost())
    try:
        answer = ask(
            code,
            sign_key=hopes.sign_key,
            seal_key=seal.public_seal_key(hopes.seal_key),
            tls_fingerprint=seal.tls_fingerprint(hopes.tls_certificate),
            epoch=1,
            attempt=hopes.attempt,
        )
    except InviteRefused as error:
        # Keys with which it was asked before, or whose answer was spoilt on its way,
        # may have been let in already; only the inviter's own no is the end of them.
        if not has_asked and error.why.startswith(_SAID_NO):
            home.forget_joining()
            if not was_there:
                with suppress(OSError):
                    path.rmdir()
        raise
    vault.keep(
        home.vault,
        keys,
        operator,
        password,
        recovery_key=answer.recovery,
        cost=cost or Cost(),
    )
    write_durably(home.tls_certificate, hopes.tls_certificate)
    write_durably(home.tls_key, hopes.tls_key)
    parent = answer.chain[-1].read()
    own = Secrets(
        answer.certificate,
        hopes.sign_key,
        hopes.seal_key,
        answer.root,
        b"",
        answer.recovery,
        b"",
        parent.node,
    )
    node = assemble_new(home, keys, operator, own)
    with node.store.transaction():
        for signed in (*answer.chain, answer.certificate):
            certificate = signed.read()
            node.store.registry.put_certificate(
                certificate.node, certificate.epoch, signed
            )
        node.store.registry.set_peer(Peer(parent.node, url=code.address))
    home.forget_joining()
    return node


def ask(
    code: Code,
    *,
    sign_key: bytes,
    seal_key: bytes,
    tls_fingerprint: bytes,
    epoch: int,
    attempt: bytes,
) -> JoinGrant:
    """Ask the inviter for a certificate; where it knows of a newer epoch, for that.

    `sign_key` is the private one; the others are public.

    Raises:
        InviteRefused: it says no, or cannot prove that the code is its own.
        PeerUnreachable: there is no line.
    """
    client = Client(code.address, None)
    try:
        for _ in range(MOST_EPOCHS_ASKED):
            request = JoinRequest(
                _invite_id(code.secret),
                seal.public_sign_key(sign_key),
                seal_key,
                tls_fingerprint,
                epoch,
                attempt,
                give_consent(sign_key, seal_key, tls_fingerprint, epoch, code.issuer),
                b"",
            )
            proven = replace(request, proof=_proof(code.secret, request))
            data = client.join(encode(proven))
            asked_again = _epoch_to_ask(code, data)
            if not asked_again:
                return _checked_grant(code, request, data)
            if asked_again <= epoch:
                # It does not know as much of us as we do.
                raise InviteRefused("not-known")
            epoch = asked_again
    except PeerRefused as error:
        raise InviteRefused(error.why) from error
    finally:
        client.close()
    raise InviteRefused("not-proven")


def _epoch_to_ask(code: Code, data: bytes) -> int:
    """Return for which epoch the inviter wants to be asked; 0 where it has granted."""
    try:
        again = decode(data, JoinAgain, limit_bytes=MESSAGE_LIMIT_BYTES)
    except Malformed:
        return 0
    unproven = replace(again, proof=b"")
    is_proven = hmac.compare_digest(again.proof, _proof(code.secret, unproven))
    if not is_proven or not 1 <= again.epoch < 2**31:
        raise InviteRefused("not-proven")
    return again.epoch


def _hopes(
    home: Home, code: Code, operator: str, password: str, is_plain: bool, cost: Cost
) -> tuple[vault.Keys, Hopes]:
    """Return the keys with which this home asks to be let in.

    They are kept, sealed under the password, until the answer is here: an answer that
    was lost on the line has used the code up for these keys, and only for them.
    """
    if home.joining_vault.exists() and home.joining.exists():
        try:
            keys = vault.unlock(home.joining_vault, operator, password)
            data = keys.unseal_file("joining", home.joining.read_bytes())
            kept = decode(data, Hopes, limit_bytes=MESSAGE_LIMIT_BYTES)
        except (NodeError, Malformed):
            kept = None
        if kept is not None and kept.secret == code.secret:
            return keys, kept
    # Only the very join that was cut may go on in a home that holds something.
    home.must_be_free()
    keys = vault.Keys(secrets.token_bytes(32), is_plain)
    certificate, key = seal.make_tls("lianban", keys.tls_passphrase)
    hopes = Hopes(
        code.secret,
        secrets.token_bytes(ATTEMPT_BYTES),
        secrets.token_bytes(32),
        secrets.token_bytes(32),
        certificate,
        key,
    )
    vault.keep(
        home.joining_vault,
        keys,
        operator,
        password,
        recovery_key=None,
        cost=cost,
    )
    write_durably(home.joining, keys.seal_file("joining", encode(hopes)))
    return keys, hopes


def _checked_grant(code: Code, request: JoinRequest, data: bytes) -> JoinGrant:
    """Return a grant that is proven by the code and leads to the district's root."""
    try:
        answer = decode(data, JoinGrant, limit_bytes=MESSAGE_LIMIT_BYTES)
        unproven = replace(answer, proof=b"")
        is_proven = hmac.compare_digest(answer.proof, _proof(code.secret, unproven))
        if not is_proven or node_id(answer.root) != code.root or not answer.chain:
            raise InviteRefused("not-proven")
        known = Roster(answer.root)
        for signed in answer.chain:
            known.introduce(signed)
        mine = known.introduce(answer.certificate)
    except (Malformed, NotTrusted) as error:
        raise InviteRefused("not-proven") from error
    asked = (request.sign_key, request.seal_key, request.tls_fingerprint)
    is_ours = (mine.sign_key, mine.seal_key, mine.tls_fingerprint) == asked
    # An answer that was lost comes again as it was, for the epoch asked for then.
    if not is_ours or mine.epoch > request.epoch:
        raise InviteRefused("not-proven")
    return answer


def _check_place(tier: str, division: str, name: str) -> None:
    if tier not in TIER_DIGITS or not is_division(division):
        raise DivisionWrong(tier, division)
    own, rest = division[: TIER_DIGITS[tier]], division[TIER_DIGITS[tier] :]
    # The last three digits of its own say which one: 000 would be the tier above.
    if rest.strip("0") or (tier != "district" and own.endswith("000")):
        raise DivisionWrong(tier, division)
    if not 0 < len(name) <= 60 or not name.isprintable():
        raise NodeError("the name of the place is empty, too long or not printable")


def _check_operator(operator: str) -> None:
    if not 0 < len(operator) <= NAME_LIMIT or not operator.isprintable():
        raise NodeError("the operator's name is empty, too long or not printable")


def _must_encrypt(is_plain: bool) -> None:
    if not is_plain and not can_encrypt():
        raise NoEncryption


def _make_vault(
    home: Home,
    operator: str,
    password: str,
    is_plain: bool,
    recovery: bytes,
    cost: Cost | None,
) -> vault.Keys:
    _must_encrypt(is_plain)
    keys = vault.Keys(secrets.token_bytes(32), is_plain)
    vault.keep(
        home.vault,
        keys,
        operator,
        password,
        recovery_key=recovery,
        cost=cost or Cost(),
    )
    return keys


def _make_tls(home: Home, keys: vault.Keys) -> bytes:
    certificate, key = seal.make_tls("lianban", keys.tls_passphrase)
    write_durably(home.tls_certificate, certificate)
    write_durably(home.tls_key, key)
    return seal.tls_fingerprint(certificate)


def _invite_id(secret: bytes) -> bytes:
    return seal.sha256(b"lianban/invite\x00", secret)[:16]


def _proof(secret: bytes, message: Record) -> bytes:
    """Return the HMAC of a message whose own `proof` is empty."""
    return hmac.new(
        secret,
        type(message).__name__.encode() + b"\x00" + encode(message),
        hashlib.sha256,
    ).digest()
