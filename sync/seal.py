"""The door to `cryptography`: signatures, sealing to a recipient, hashes, TLS keys.

Algorithms: Ed25519; HPKE base mode with X25519, HKDF-SHA256, ChaCha20-Poly1305;
SHA-256. Every signature covers a domain word, so that a signature made for one
purpose is worth nothing for another.
"""

import datetime as dt
import hashlib
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.x509.oid import NameOID

from sync.errors import NotTrusted

SIGNATURE_BYTES = 64
KEY_BYTES = 32
HASH_BYTES = 32
SEAL_OVERHEAD_BYTES = 48

_SMALL_ORDER = {
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
}
"""Ed25519 points of order 8 or less, sign bit cleared: anybody can sign for them."""

_PROBE = X25519PrivateKey.from_private_bytes(bytes(range(32)))
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def sha256(*parts: bytes) -> bytes:
    """Return the 32 bytes of SHA-256 over `parts`, one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


def public_sign_key(private: bytes) -> bytes:
    """Return the 32-byte Ed25519 public key of a 32-byte private one."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def public_seal_key(private: bytes) -> bytes:
    """Return the 32-byte X25519 public key of a 32-byte private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def sign(private: bytes, domain: bytes, message: bytes) -> bytes:
    """Return the 64-byte signature over `domain` and `message`."""
    return _private_sign(private).sign(_framed(domain, message))


def is_signed(public: bytes, domain: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether `signature` was made by the owner of `public`."""
    try:
        _public_sign(public).verify(signature, _framed(domain, message))
    except (InvalidSignature, ValueError):
        return False
    return True


def seal(public: bytes, info: bytes, plain: bytes) -> bytes:
    """Return `plain` sealed to the owner of `public`, bound to `info`."""
    return _SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(public), info)


def unseal(private: bytes, info: bytes, sealed: bytes) -> bytes:
    """Return what was sealed to us.

    Raises:
        NotTrusted: another key, another `info`, or changed bytes.
    """
    try:
        key = X25519PrivateKey.from_private_bytes(private)
        return _SUITE.decrypt(sealed, key, info)
    except (InvalidTag, ValueError) as error:
        raise NotTrusted("bundle body", "cannot be opened with our key") from error


def is_sound_sign_key(public: bytes) -> bool:
    """Say whether only one party can sign for an Ed25519 public key."""
    if len(public) != KEY_BYTES:
        return False
    return public[:-1] + bytes([public[-1] & 0x7F]) not in _SMALL_ORDER


def is_sound_seal_key(public: bytes) -> bool:
    """Say whether anything can be sealed to an X25519 public key."""
    try:
        key = X25519PublicKey.from_public_bytes(public)
        _PROBE.exchange(key)
    except ValueError:
        return False
    return True


def make_tls(common_name: str, passphrase: bytes) -> tuple[bytes, bytes]:
    """Return (certificate PEM, encrypted key PEM) of a new self-made TLS identity.

    Peers pin the certificate's hash from the roster and never look at its dates,
    since a wrong clock must not stop a village; so the dates are as wide as X.509
    allows.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(9999, 12, 31, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("lianban")]), False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase),
        ),
    )


def tls_fingerprint(certificate_pem: bytes) -> bytes:
    """Return the SHA-256 of the certificate's DER form: what the roster pins."""
    return x509.load_pem_x509_certificate(certificate_pem).fingerprint(hashes.SHA256())


def _framed(domain: bytes, message: bytes) -> bytes:
    return b"lianban/" + domain + b"\x00" + message


@lru_cache(maxsize=64)
def _private_sign(private: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(private)


@lru_cache(maxsize=512)
def _public_sign(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)
