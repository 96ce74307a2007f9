"""Keys at rest: who may open a home, and what lies sealed in it.

One random key opens the database. It is wrapped once for each operator by
Argon2id(password), and once to the district's recovery key, so that a forgotten
password loses nothing. The file names no operator: a slot is found by a keyed hash
of the name. Wrong passwords are counted in the file, by tries and not by the clock.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec.structs import replace

from node.errors import LockedOut, StoreDamaged, WrongPassword
from node.files import alone, write_durably
from sync import seal

FREE_TRIES = 5
FIRST_WAIT_S = 60
LONGEST_WAIT_S = 3600

NONCE_BYTES, TAG_BYTES = 12, 16
SEAL_BYTES = NONCE_BYTES + TAG_BYTES
"""By how much what is sealed is longer than what was."""

_INFO_RECOVERY = b"lianban/recovery"


class Cost(msgspec.Struct, frozen=True):
    """How much work one guess at a password takes."""

    memory_kib: int = 19 * 1024
    rounds: int = 2


class Slot(msgspec.Struct, frozen=True):
    """The key, wrapped for one operator."""

    salt: str
    cost: Cost
    wrapped: str


class VaultFile(msgspec.Struct, frozen=True):
    """What `vault.json` holds; all bytes as hex."""

    format: int
    name_key: str
    is_plain: bool
    slots: dict[str, Slot]
    recovery: str = ""
    failures: int = 0
    wait_until_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Keys:
    """What follows from an opened vault."""

    root: bytes
    is_plain: bool

    @property
    def database(self) -> bytes | None:
        """The raw SQLCipher key, or None for a home in the clear."""
        return None if self.is_plain else self._derive(b"database")

    @property
    def tls_passphrase(self) -> bytes:
        """What the TLS key file is encrypted with."""
        return self._derive(b"tls").hex().encode()

    def seal_file(self, name: str, data: bytes) -> bytes:
        """Return a file, or a piece of one, as it lies on disk, bound to its name."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        box = ChaCha20Poly1305(self._derive(b"attachments"))
        return nonce + box.encrypt(nonce, data, name.encode())

    def unseal_file(self, name: str, sealed: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            StoreDamaged: the bytes are not what was stored under that name.
        """
        box = ChaCha20Poly1305(self._derive(b"attachments"))
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return box.decrypt(nonce, body, name.encode())
        except (InvalidTag, ValueError) as error:
            raise StoreDamaged(f"sealed file {name} is damaged") from error

    def _derive(self, purpose: bytes) -> bytes:
        return HKDF(SHA256(), 32, None, b"lianban/" + purpose).derive(self.root)


def keep(
    path: Path,
    keys: Keys,
    operator: str,
    password: str,
    *,
    recovery_key: bytes | None,
    cost: Cost,
) -> None:
    """Make the vault file of a new home, with its first operator.

    Args:
        path: the file, which must not be there yet.
        keys: what the vault shall open to.
        operator: who may open it; the file does not say the name.
        password: with which password.
        recovery_key: the district's public X25519 key, to which it is sealed too;
            None while it is not known.
        cost: how much work one guess at the password takes.
    """
    name_key = secrets.token_bytes(32)
    file = VaultFile(
        format=1,
        name_key=name_key.hex(),
        is_plain=keys.is_plain,
        slots={_slot_name(name_key, operator): _wrap(keys.root, password, cost)},
        recovery=(
            seal.seal(recovery_key, _INFO_RECOVERY, keys.root).hex()
            if recovery_key
            else ""
        ),
    )
    _save(path, file)


def unlock(
    path: Path,
    operator: str,
    password: str,
    now_s: Callable[[], float] = time.time,
) -> Keys:
    """Return the keys of a vault.

    Raises:
        WrongPassword: no such operator, or not that password. Which of the two is
            not said.
        LockedOut: too many tries; the count survives a restart, and putting the
            clock back only makes the wait longer.
        StoreDamaged: the file is not a vault.
    """
    at_s = now_s()
    with alone(path):
        file = _load(path)
        wait_s = file.wait_until_s - at_s
        longest_s = _wait_after(file.failures)
        if wait_s > longest_s:
            # The clock has been put back: the wait begins again, and no longer.
            wait_s = longest_s
            _save(path, replace(file, wait_until_s=at_s + wait_s))
        if wait_s > 0:
            raise LockedOut(int(wait_s) + 1)
        slot = file.slots.get(_slot_name(_bytes(file.name_key), operator))
        root = _unwrap(slot, password) if slot else None
        if root is None:
            failures = file.failures + 1
            until_s = at_s + _wait_after(failures)
            _save(path, replace(file, failures=failures, wait_until_s=until_s))
            raise WrongPassword("the operator or the password is not right")
        if file.failures:
            _save(path, replace(file, failures=0, wait_until_s=0.0))
    return Keys(root, file.is_plain)


def _wait_after(failures: int) -> float:
    """Return how long to wait after so many wrong passwords in a row, in seconds."""
    if failures < FREE_TRIES:
        return 0.0
    return min(FIRST_WAIT_S * 2.0 ** min(failures - FREE_TRIES, 16), LONGEST_WAIT_S)


def add_operator(
    path: Path, keys: Keys, operator: str, password: str, cost: Cost
) -> None:
    """Let one more operator open the vault, or give one a new password."""
    file = _load(path)
    name = _slot_name(_bytes(file.name_key), operator)
    slots = {**file.slots, name: _wrap(keys.root, password, cost)}
    _save(path, replace(file, slots=slots))


def _wrap(root: bytes, password: str, cost: Cost) -> Slot:
    salt = secrets.token_bytes(16)
    box = ChaCha20Poly1305(_stretch(password, salt, cost))
    # The nonce may be fixed: the key is used for this one message only.
    return Slot(salt.hex(), cost, box.encrypt(bytes(12), root, None).hex())


def _unwrap(slot: Slot, password: str) -> bytes | None:
    box = ChaCha20Poly1305(_stretch(password, _bytes(slot.salt), slot.cost))
    try:
        return box.decrypt(bytes(12), _bytes(slot.wrapped), None)
    except InvalidTag:
        return None


def _bytes(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise StoreDamaged("the vault is damaged") from error


def _stretch(password: str, salt: bytes, cost: Cost) -> bytes:
    try:
        return Argon2id(
            salt=salt,
            length=32,
            iterations=cost.rounds,
            lanes=1,
            memory_cost=cost.memory_kib,
        ).derive(password.encode())
    except ValueError as error:
        raise StoreDamaged("the vault is damaged") from error


def _slot_name(name_key: bytes, operator: str) -> str:
    return hmac.new(name_key, operator.encode(), hashlib.sha256).hexdigest()[:32]


def _load(path: Path) -> VaultFile:
    try:
        return msgspec.json.decode(path.read_bytes(), type=VaultFile)
    except msgspec.MsgspecError as error:
        raise StoreDamaged(f"{path.name} is not a vault") from error


def _save(path: Path, file: VaultFile) -> None:
    write_durably(path, msgspec.json.format(msgspec.json.encode(file)))
