"""A district, three towns, nine villages, one of them with a second desk: enrolled
and in accord, as every seed begins.

They are made once for each process, with keys that are always the same, and copied
for each seed. What `init` and `join` do with files and passwords is left out; the
certificates are issued, the roster is written and everything is exchanged by the real
code.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from forms.package import Package
from node import answering, peers, roster, talk, upkeep
from node.home import Home
from node.store import Store
from node.vault import Keys
from node.wiring import IDENTITY_SETTING, Node, Secrets, read_identity
from sync import seal
from sync.canonical import encode
from sync.identity import (
    RIGHT_ENROL,
    RIGHT_ROSTER,
    Certificate,
    Roster,
    SignedCertificate,
    give_consent,
    issue,
    node_id,
)
from tests.node.nodes import NOON_MS, sandbox
from tests.simulation.disk import Disk, disk_of, empty_disk
from tests.simulation.items import catalogue
from tests.simulation.talking import PACE_BYTES

TOWNS = 3
VILLAGES_OF_A_TOWN = 3

_NOWHERE = Home(Path("/nowhere"))
_DESKS = {(0, 0): ("", "b")}
_TLS = bytes(32)
_PASSES = 4
"""Up, down, and the acknowledgements of both ways."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node as every seed begins with it; `certificate` is of its first epoch."""

    name: str
    above: str
    secrets: Secrets
    certificate: Certificate
    image: bytes
    roster: Roster
    packages: dict[str, Package]

    def disk(self) -> Disk:
        """Return a disk of its own."""
        return disk_of(self.image)

    def node(
        self,
        home: Home,
        disk: Disk,
        now_ms: Callable[[], int],
        randbytes: Callable[[int], bytes],
        *,
        is_first: bool = False,
    ) -> Node:
        """Return the node over a disk; the first may know what the template knew."""
        store = _store(disk)
        own = self.secrets if is_first else read_identity(store)
        node = _node(home, store, own, now_ms, randbytes)
        if is_first:
            node._roster = _copy(self.roster)
            node._packages.update(self.packages)
            node.keep_roster()
        return node


@lru_cache(maxsize=1)
def places() -> dict[str, Place]:
    """Return all places by name: D, T0 to T2, V00 to V22 and the second desk V00b;
    from above to below.
    """
    return _Founding().found()


class _Founding:
    """The making of the places."""

    def __init__(self) -> None:
        chance = random.Random("lianban")
        self.randbytes = chance.randbytes
        self.root_key, self.recovery_key = chance.randbytes(32), chance.randbytes(32)
        self.now_ms = NOON_MS - 3_600_000
        self.nodes: dict[str, tuple[str, Node, Disk]] = {}

    def found(self) -> dict[str, Place]:
        district = self._found_district()
        upkeep.publish(district, catalogue(0))
        for t in range(TOWNS):
            division = f"330881{105 + t}000"
            town = self._found_below(f"T{t}", "D", "town", division)
            _sync(town, district)
            for v in range(VILLAGES_OF_A_TOWN):
                division = f"330881{105 + t}{201 + v}"
                for desk in _DESKS.get((t, v), ("",)):
                    name = f"V{t}{v}{desk}"
                    self._found_below(name, f"T{t}", "village", division)
        for _ in range(_PASSES):
            for above, node, _disk in self.nodes.values():
                if above:
                    _sync(node, self.nodes[above][1])
        self._set_pace()
        return {
            name: Place(
                name,
                above,
                node.secrets,
                node.certificate,
                disk.image(),
                node.roster,
                {row.digest: _package(node, row.digest) for row in _packages(node)},
            )
            for name, (above, node, disk) in self.nodes.items()
        }

    def _set_pace(self) -> None:
        """Let everybody make bundles so small that a run is several of them."""
        for _, node, _ in self.nodes.values():
            with node.store.transaction():
                for _, other, _ in self.nodes.values():
                    known = node.store.registry.peer(other.id)
                    paced = replace(known, pace_bytes=PACE_BYTES)
                    node.store.registry.set_peer(paced)

    def _found_district(self) -> Node:
        sign_key, seal_key = self.randbytes(32), self.randbytes(32)
        public = seal.public_sign_key(sign_key)
        public_seal = seal.public_seal_key(seal_key)
        root = seal.public_sign_key(self.root_key)
        certificate = Certificate(
            format=1,
            node=node_id(public),
            epoch=1,
            tier="district",
            division="330881000000",
            department="",
            name="江山市",
            terminal=1,
            sign_key=public,
            seal_key=public_seal,
            tls_fingerprint=_TLS,
            rights=(RIGHT_ENROL, RIGHT_ROSTER),
            issuer=node_id(root),
            consent=give_consent(sign_key, public_seal, _TLS, 1, node_id(root)),
        )
        signed = issue(self.root_key, certificate)
        own = Secrets(
            signed,
            sign_key,
            seal_key,
            root,
            self.root_key,
            seal.public_seal_key(self.recovery_key),
            self.recovery_key,
            b"",
        )
        node = self._open("D", "", own)
        with node.store.transaction():
            roster.enrol(node, signed)
        return node

    def _found_below(self, name: str, above: str, tier: str, division: str) -> Node:
        inviter = self.nodes[above][1]
        sign_key, seal_key = self.randbytes(32), self.randbytes(32)
        public_seal = seal.public_seal_key(seal_key)
        issuer = roster.issuer_id(inviter)
        signed = roster.issue_below(
            inviter,
            tier=tier,
            division=division,
            department="",
            name=name,
            sign_key=seal.public_sign_key(sign_key),
            seal_key=public_seal,
            tls_fingerprint=_TLS,
            epoch=1,
            consent=give_consent(sign_key, public_seal, _TLS, 1, issuer),
        )
        of = inviter.secrets
        own = Secrets(
            signed, sign_key, seal_key, of.root, b"", of.recovery, b"", inviter.id
        )
        node = self._open(name, above, own)
        line = inviter.roster.line_above(division, last=inviter.id)
        with node.store.transaction():
            for one in (*line, signed):
                _introduce(node, one)
        return node

    def _open(self, name: str, above: str, own: Secrets) -> Node:
        disk = empty_disk()
        node = _node(_NOWHERE, _store(disk), own, self._clock, self.randbytes)
        with node.store.transaction():
            node.store.registry.set_setting(IDENTITY_SETTING, encode(own))
        self.nodes[name] = (above, node, disk)
        return node

    def _clock(self) -> int:
        self.now_ms += 1
        return self.now_ms


def _store(disk: Disk) -> Store:
    return Store(_NOWHERE.database, None, lambda _path, _key: disk)


def _node(
    home: Home,
    store: Store,
    own: Secrets,
    now_ms: Callable[[], int],
    randbytes: Callable[[int], bytes],
) -> Node:
    return Node(
        home=home,
        keys=Keys(bytes(32), is_plain=True),
        store=store,
        secrets=own,
        certificate=own.certificate.read(),
        operator="operator",
        now_ms=now_ms,
        random=randbytes,
        sandbox=sandbox(),
    )


def _introduce(node: Node, signed: SignedCertificate) -> None:
    one = signed.read()
    node.store.registry.put_certificate(one.node, one.epoch, signed)


def _sync(one: Node, other: Node) -> talk.Report:
    peer = peers.find_neighbour(one, other.id.hex())
    return talk.sync_over(one, peer, lambda run: answering.answer(other, run))


def _packages(node: Node) -> list[Package]:
    return node.store.registry.current_packages()


def _package(node: Node, digest: str) -> Package:
    found = node.package(digest)
    assert found is not None
    return found


def _copy(known: Roster) -> Roster:
    return replace(
        known,
        enrolled=dict(known.enrolled),
        provisional=dict(known.provisional),
        revoked=dict(known.revoked),
    )
