"""The composition root: where a node is put together from its parts.

The clock, new ids and random bytes are made here and passed down as part of `Node`.
"""

import datetime as dt
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from forms.errors import FormError
from forms.item import Tier
from forms.package import Package
from forms.package import decode as decode_package
from forms.package import digest as digest_of
from node import vault
from node.days import local
from node.errors import PackageDamaged, StoreDamaged
from node.home import Home
from node.store import Store
from node.vault import Keys
from node.workdays import Calendar, PublishedTable
from sync.canonical import Record, decode, encode
from sync.errors import Malformed
from sync.identity import Certificate, Roster, SignedCertificate, is_division
from sync.sandbox import Sandbox

IDENTITY_SETTING = "identity"
DATABASE_FILE_LIMIT = 64 * 1024


class Secrets(Record, frozen=True):
    """What makes this node itself. Lies in the encrypted store only.

    `root_key` and `recovery_key` are empty everywhere but at the district.
    `parent` is the node above, empty at the district.
    """

    certificate: SignedCertificate
    sign_key: bytes
    seal_key: bytes
    root: bytes
    root_key: bytes
    recovery: bytes
    recovery_key: bytes
    parent: bytes


@dataclass(slots=True)
class Node:
    """One open node: its store, its keys, its clock. Use it in one thread at a time."""

    home: Home
    keys: Keys
    store: Store
    secrets: Secrets
    certificate: Certificate
    operator: str
    now_ms: Callable[[], int]
    random: Callable[[int], bytes]
    sandbox: Sandbox
    _roster: Roster | None = None
    _roster_mark: tuple[int, int] = (-1, -1)
    _packages: dict[str, Package] = field(default_factory=dict)
    _calendar: Calendar | None = None
    _calendar_mark: tuple[int, int] = (-1, -1)

    @property
    def id(self) -> bytes:
        """The node's id."""
        return self.certificate.node

    @property
    def tier(self) -> Tier:
        """The node's tier."""
        return Tier(self.certificate.tier)

    @property
    def roster(self) -> Roster:
        """All that is known of nodes, as the store has it now."""
        mark = self.store.registry.roster_mark()
        if self._roster is None or mark != self._roster_mark:
            self._roster = read_roster(self.store, self.secrets.root)
            self._roster_mark = mark
        return self._roster

    def renew(self) -> None:
        """Take up the identity that another process of this home may have begun."""
        own = read_identity(self.store)
        if own != self.secrets:
            self.secrets, self.certificate = own, own.certificate.read()

    def keep_roster(self) -> None:
        """Say that the roster at hand has been led on with what was just written."""
        self._roster_mark = self.store.registry.roster_mark()

    def package(self, digest: str) -> Package | None:
        """Return a published package by its content; None where it is not here.

        Raises:
            PackageDamaged: what lies here is not what was published.
        """
        found = self._packages.get(digest)
        if found is None:
            row = self.store.registry.package(digest)
            if row is None:
                return None
            damage = PackageDamaged(row.name, row.code, row.version, digest)
            if digest_of(row.body) != digest:
                raise damage
            try:
                found = decode_package(row.body)
            except FormError as error:
                raise damage from error
            self._packages[digest] = found
        return found

    @property
    def calendar(self) -> Calendar:
        """The working days that are published, as the store has them now."""
        mark = self.store.registry.calendar_mark()
        if self._calendar is None or mark != self._calendar_mark:
            self._calendar = read_calendar(self.store)
            self._calendar_mark = mark
        return self._calendar

    def forget(self) -> None:
        """Drop what was read from a transaction that did not happen."""
        self._roster = None
        self._calendar = None
        self._packages.clear()

    def now(self) -> dt.datetime:
        """Return the time in China by the device's clock."""
        return local(self.now_ms())

    def today(self) -> dt.date:
        """Return the civil date in China by the device's clock."""
        return self.now().date()

    def another_connection(self) -> "Node":
        """Return the same node over a connection of its own, for another thread."""
        return _assemble(
            self.home,
            self.keys,
            self.operator,
            self.sandbox,
            self.now_ms,
            self.random,
        )

    def close(self) -> None:
        """Close the store; the sandbox is closed by whoever opened the node."""
        self.store.close()


def open_node(
    path: Path,
    operator: str,
    password: str,
    *,
    now_ms: Callable[[], int] | None = None,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Node:
    """Return the node that lives in a folder.

    Raises:
        HomeMissing, WrongPassword, LockedOut, StoreDamaged: see `node.errors`.
    """
    home = Home(path)
    home.must_exist()
    keys = vault.unlock(home.vault, operator, password)
    node = _assemble(home, keys, operator, Sandbox(), now_ms or system_ms, random)
    # Imported late: who judges must know what a node is.
    from node.upgrade import judge_after_upgrade

    try:
        judge_after_upgrade(node)
    except BaseException:
        node.close()
        node.sandbox.close()
        raise
    return node


def assemble_new(home: Home, keys: Keys, operator: str, own: Secrets) -> Node:
    """Return the node of a home that is being made: its store is created here."""
    store = Store(home.database, keys.database)
    with store.transaction():
        store.registry.set_setting(IDENTITY_SETTING, encode(own))
        store.registry.set_setting("operator", operator.encode())
    store.close()
    return _assemble(home, keys, operator, Sandbox(), system_ms, secrets.token_bytes)


def system_ms() -> int:
    """Return the device's time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def read_roster(store: Store, root: bytes) -> Roster:
    """Return the roster from the store; what lies there has been verified before."""
    roster = Roster(root)
    for entry in store.registry.roster_entries():
        roster.follow(entry)
    for signed in store.registry.certificates():
        certificate = signed.read()
        key = (certificate.node, certificate.epoch)
        if key not in roster.enrolled:
            roster.provisional[key] = (signed, certificate)
    return roster


def read_calendar(store: Store) -> Calendar:
    """Return the calendar from the store; what lies there has been judged before.

    Raises:
        StoreDamaged: a table cannot be read.
    """
    try:
        return Calendar(
            decode(row.body, PublishedTable, limit_bytes=DATABASE_FILE_LIMIT).table
            for row in store.registry.current_calendars()
        )
    except Malformed as error:
        raise StoreDamaged("the table of working days is damaged") from error


def read_identity(store: Store) -> Secrets:
    """Return what makes this node itself.

    Raises:
        StoreDamaged: the store holds no identity.
    """
    data = store.registry.setting(IDENTITY_SETTING)
    if data is None:
        raise StoreDamaged("the store holds no identity; was `init` or `join` cut off?")
    return decode(data, Secrets, limit_bytes=DATABASE_FILE_LIMIT)


def _assemble(
    home: Home,
    keys: Keys,
    operator: str,
    sandbox: Sandbox,
    now_ms: Callable[[], int],
    random: Callable[[int], bytes],
) -> Node:
    store = Store(home.database, keys.database)
    try:
        own = read_identity(store)
    except StoreDamaged:
        store.close()
        raise
    certificate = own.certificate.read()
    assert is_division(certificate.division)
    return Node(home, keys, store, own, certificate, operator, now_ms, random, sandbox)
