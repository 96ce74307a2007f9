"""Who a node is, and what it shares. Pure.

A certificate says which keys speak for which division at which tier. The root key
of the district signs them, or a node that holds the right `enrol` for its own part
of the tree. The roster is the root-signed log of enrolments and revocations: its
version is the number of its entries, so that it can only grow.
"""

from dataclasses import dataclass, field

from sync import seal
from sync.canonical import Record, decode, encode
from sync.errors import Malformed, NotTrusted

CERTIFICATE_FORMAT = 1
CERTIFICATE_LIMIT_BYTES = 4096
REVOCATION_LIMIT_BYTES = 64 * 1024
NODE_ID_BYTES = 16
PUBLIC = "public"

RIGHT_ENROL = "enrol"  # may sign certificates for divisions below its own
RIGHT_ROSTER = "roster"  # writes the roster and publishes to all: the district

_DOMAIN_CERTIFICATE = b"certificate"
_DOMAIN_ROSTER = b"roster"
_DOMAIN_CONSENT = b"consent"

TIER_DIGITS = {"district": 6, "town": 9, "village": 12}
"""How many leading digits of a division a tier has for its own."""


class Certificate(Record, frozen=True):
    """The keys of one node in one epoch, and the place it speaks for.

    `consent` is the node's own signature, see `give_consent`: nobody can be certified
    who has not asked this very issuer for it.
    """

    format: int
    node: bytes
    epoch: int
    tier: str
    division: str
    department: str
    name: str
    terminal: int
    sign_key: bytes
    seal_key: bytes
    tls_fingerprint: bytes
    rights: tuple[str, ...]
    issuer: bytes
    consent: bytes


class SignedCertificate(Record, frozen=True):
    """A certificate as bytes, with its issuer's signature over them."""

    body: bytes
    signature: bytes

    def read(self) -> Certificate:
        """Return the certificate; its signature is not looked at here.

        Raises:
            Malformed: not a certificate of this format, or its parts disagree.
        """
        certificate = decode(
            self.body, Certificate, limit_bytes=CERTIFICATE_LIMIT_BYTES
        )
        fault = _fault_of(certificate)
        if fault:
            raise Malformed("certificate", fault)
        return certificate


class RosterEntry(Record, frozen=True):
    """One step of the roster: `act` is "enrol" (body: a SignedCertificate) or
    "revoke" (body: a Revocation). Unknown acts are kept and skipped.
    """

    version: int
    act: str
    body: bytes
    signature: bytes


class Revocation(Record, frozen=True):
    """From `sequence` on, nothing that this node signed in `epoch` counts; in the
    `scopes` that are named with a sequence of their own, from that one on.
    """

    node: bytes
    epoch: int
    sequence: int
    scopes: tuple[tuple[str, int], ...] = ()

    def first_cut(self, scope: str) -> int:
        """Return the first entry that does not count in the stream of a scope."""
        return dict(self.scopes).get(scope, self.sequence)


def node_id(sign_key: bytes) -> bytes:
    """Return the 16-byte id that follows from a node's Ed25519 public key."""
    return seal.sha256(sign_key)[:NODE_ID_BYTES]


def fingerprint_words(identity: bytes) -> str:
    """Return an id as groups of four hex digits, to be read out by telephone."""
    digits = identity.hex()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def give_consent(
    private: bytes, seal_key: bytes, tls_fingerprint: bytes, epoch: int, issuer: bytes
) -> bytes:
    """Return a node's own signature over its keys and whom it asks to certify them."""
    keys = (seal.public_sign_key(private), seal_key, tls_fingerprint, epoch, issuer)
    return seal.sign(private, _DOMAIN_CONSENT, encode(keys))


def issue(private: bytes, certificate: Certificate) -> SignedCertificate:
    """Return `certificate` signed by its issuer's private key.

    Raises:
        Malformed: its parts disagree; the keys may come from outside.
    """
    fault = _fault_of(certificate)
    if fault:
        raise Malformed("certificate", fault)
    body = encode(certificate)
    return SignedCertificate(body, seal.sign(private, _DOMAIN_CERTIFICATE, body))


def covers(above: Certificate, division: str) -> bool:
    """Say whether `division` is the certificate's own or lies below it."""
    return division.startswith(own_prefix(above.tier, above.division))


def own_prefix(tier: str, division: str) -> str:
    """Return the leading digits that a division has for its own at its tier."""
    return division[: TIER_DIGITS[tier]]


def holds(certificate: Certificate, scope: str) -> bool:
    """Say whether a node shares `scope`.

    `public` goes to all; a division's scope to every node at that division or
    above it; a joint scope `A+B` to the nodes of both lines.
    """
    return scope == PUBLIC or any(covers(certificate, d) for d in scope.split("+"))


def join_scope(one: str, other: str) -> str:
    """Return the scope of what two divisions share: their own where they are one."""
    return "+".join(sorted({one, other}))


def on_one_line(one: Certificate, other: Certificate) -> bool:
    """Say whether one node stands at or above the other's division."""
    return covers(one, other.division) or covers(other, one.division)


def is_scope(scope: str) -> bool:
    """Say whether `scope` is well formed: public, a division, or two joined."""
    if scope == PUBLIC:
        return True
    parts = scope.split("+")
    return (
        len(parts) <= 2
        and parts == sorted(set(parts))
        and all(is_division(part) for part in parts)
    )


def is_division(division: str) -> bool:
    """Say whether `division` is a 12-digit administrative code."""
    return len(division) == 12 and division.isascii() and division.isdigit()


def sign_roster_entry(
    root_private: bytes, version: int, act: str, body: bytes
) -> RosterEntry:
    """Return step `version` of the roster, signed by the district's root key."""
    message = encode((version, act, body))
    return RosterEntry(
        version, act, body, seal.sign(root_private, _DOMAIN_ROSTER, message)
    )


@dataclass(slots=True)
class Roster:
    """What is known of all nodes: the fold over the district's roster entries.

    `provisional` are certificates that a town has issued and the district has not
    yet taken up; they are good for reading signatures, and stand as soon as the
    roster names them.
    """

    root: bytes
    version: int = 0
    enrolled: dict[tuple[bytes, int], tuple[int, SignedCertificate, Certificate]] = (
        field(default_factory=dict)
    )
    provisional: dict[tuple[bytes, int], tuple[SignedCertificate, Certificate]] = field(
        default_factory=dict
    )
    revoked: dict[tuple[bytes, int], tuple[Revocation, ...]] = field(
        default_factory=dict
    )
    _newest: dict[bytes, int] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _counted: tuple[int, int] = field(
        default=(0, 0), init=False, repr=False, compare=False
    )

    def follow(self, entry: RosterEntry) -> None:
        """Take the next step of the roster.

        Raises:
            NotTrusted: not signed by the root, or not the next version.
            Malformed: what it carries cannot be read.
        """
        if entry.version != self.version + 1:
            raise NotTrusted("roster", f"version {entry.version} after {self.version}")
        message = encode((entry.version, entry.act, entry.body))
        if not seal.is_signed(self.root, _DOMAIN_ROSTER, message, entry.signature):
            raise NotTrusted("roster", "not signed by the district's root key")
        if entry.act == "enrol":
            signed = decode(
                entry.body, SignedCertificate, limit_bytes=CERTIFICATE_LIMIT_BYTES
            )
            certificate = signed.read()
            key = (certificate.node, certificate.epoch)
            self.enrolled[key] = (entry.version, signed, certificate)
            self.provisional.pop(key, None)
        elif entry.act == "revoke":
            cut = decode(entry.body, Revocation, limit_bytes=REVOCATION_LIMIT_BYTES)
            key = (cut.node, cut.epoch)
            self.revoked[key] = (*self.revoked.get(key, ()), cut)
        self.version = entry.version

    def introduce(self, signed: SignedCertificate) -> Certificate:
        """Take up a certificate that an enrolled node (or the root) has issued.

        Raises:
            NotTrusted: its issuer is not known, or had no right to issue it.
        """
        certificate = signed.read()
        self.check_issuer(signed, certificate)
        if self.is_revoked(certificate.node):
            raise NotTrusted("certificate", "its holder has been revoked")
        key = (certificate.node, certificate.epoch)
        waiting = self.provisional.get(key)
        # An issuer that says two things of one node is heard the same way everywhere.
        if key not in self.enrolled and (
            waiting is None or signed.body < waiting[0].body
        ):
            self.provisional[key] = (signed, certificate)
        return certificate

    def check_issuer(self, signed: SignedCertificate, of: Certificate) -> None:
        """Check that whoever signed a certificate was allowed to.

        Raises:
            NotTrusted: unknown issuer, no right, another branch, wrong signature.
        """
        if of.issuer == node_id(self.root):
            issuer_key = self.root
        else:
            issuer = self.latest(of.issuer)
            if issuer is None or self.is_revoked(of.issuer):
                raise NotTrusted("certificate", "its issuer is not known here")
            below = TIER_DIGITS.get(of.tier, 0) > TIER_DIGITS[issuer.tier]
            if (
                RIGHT_ENROL not in issuer.rights
                or not covers(issuer, of.division)
                or not below
                or set(of.rights) - {RIGHT_ENROL}
            ):
                raise NotTrusted("certificate", "its issuer had no right to issue it")
            issuer_key = issuer.sign_key
        if not seal.is_signed(
            issuer_key, _DOMAIN_CERTIFICATE, signed.body, signed.signature
        ):
            raise NotTrusted("certificate", "the issuer's signature does not hold")
        keys = (of.sign_key, of.seal_key, of.tls_fingerprint, of.epoch, of.issuer)
        if not seal.is_signed(of.sign_key, _DOMAIN_CONSENT, encode(keys), of.consent):
            raise NotTrusted("certificate", "its holder has not asked for it")

    def certificate(self, node: bytes, epoch: int) -> Certificate | None:
        """Return the certificate of a node in an epoch, if it is known."""
        found = self.enrolled.get((node, epoch))
        if found:
            return found[2]
        waiting = self.provisional.get((node, epoch))
        return waiting[1] if waiting else None

    def latest(self, node: bytes) -> Certificate | None:
        """Return a node's certificate of its newest epoch."""
        counted = len(self.enrolled), len(self.provisional)
        if counted != self._counted:
            # Nobody leaves: what is provisional may only become enrolled.
            self._newest = dict(sorted((*self.enrolled, *self.provisional)))
            self._counted = counted
        epoch = self._newest.get(node)
        return None if epoch is None else self.certificate(node, epoch)

    def everyone(self) -> list[Certificate]:
        """Return all known certificates, by division, node and epoch."""
        known = [found[2] for found in self.enrolled.values()]
        known += [found[1] for found in self.provisional.values()]
        return sorted(known, key=lambda c: (c.division, c.terminal, c.node, c.epoch))

    def line_above(
        self, division: str, *, last: bytes
    ) -> tuple[SignedCertificate, ...]:
        """Return the certificates of the nodes above a division, from the top; the
        node `last` at the end.
        """
        known = [(signed, c) for _, signed, c in self.enrolled.values()]
        known += self.provisional.values()
        line = [
            (c.node == last, TIER_DIGITS[c.tier], c.node, c.epoch, signed)
            for signed, c in known
            if covers(c, division) and (c.division != division or c.node == last)
        ]
        return tuple(row[-1] for row in sorted(line, key=lambda row: row[:4]))

    def is_cut(self, node: bytes, epoch: int, sequence: int, scope: str = "") -> bool:
        """Say whether a revocation covers entry `sequence` of a node's stream of a
        scope; by default one that no revocation names.
        """
        cuts = self.revoked.get((node, epoch), ())
        return any(sequence >= cut.first_cut(scope) for cut in cuts)

    def is_revoked(self, node: bytes) -> bool:
        """Say whether the node may not speak any more.

        Only the roster brings a revoked node back, by enrolling a newer epoch.
        """
        revoked = max((e for n, e in self.revoked if n == node), default=0)
        enrolled = max((e for n, e in self.enrolled if n == node), default=0)
        return revoked >= max(enrolled, 1)


def _fault_of(certificate: Certificate) -> str:
    checks = (
        (certificate.format == CERTIFICATE_FORMAT, "unknown format"),
        (len(certificate.sign_key) == seal.KEY_BYTES, "signing key length"),
        (len(certificate.seal_key) == seal.KEY_BYTES, "sealing key length"),
        (seal.is_sound_sign_key(certificate.sign_key), "signing key is weak"),
        (seal.is_sound_seal_key(certificate.seal_key), "sealing key is weak"),
        (len(certificate.tls_fingerprint) == seal.HASH_BYTES, "TLS fingerprint length"),
        (len(certificate.issuer) == NODE_ID_BYTES, "issuer length"),
        (certificate.node == node_id(certificate.sign_key), "id is not of its key"),
        (certificate.tier in TIER_DIGITS, "unknown tier"),
        (is_division(certificate.division), "division is not 12 digits"),
        (
            certificate.tier not in TIER_DIGITS
            or certificate.division.rstrip("0")
            == own_prefix(certificate.tier, certificate.division).rstrip("0"),
            "division does not fit the tier",
        ),
        (1 <= certificate.epoch < 2**31, "epoch"),
        (1 <= certificate.terminal <= 99, "terminal"),
        (0 < len(certificate.name) <= 60, "name length"),
        (len(certificate.department) <= 60, "department length"),
    )
    return next((why for holds_, why in checks if not holds_), "")
