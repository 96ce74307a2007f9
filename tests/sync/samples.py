"""Nodes with fixed keys, and small streams of theirs, for the tests of `sync`."""

from dataclasses import dataclass

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
    sign_roster_entry,
)
from sync.stream import (
    KIND_CHANGE,
    Checkpoint,
    Chunk,
    Entry,
    StreamId,
    genesis,
    link,
    pack,
    sign_checkpoint,
)

DISTRICT, TOWN, VILLAGE = "330881000000", "330881105000", "330881105201"
OTHER_TOWN, OTHER_VILLAGE = "330881106000", "330881106203"
NEIGHBOUR_VILLAGE = "330881105202"


def key(number: int) -> bytes:
    """Return the private key that begins with `number` and counts up."""
    return bytes((number + step) % 256 for step in range(32))


ROOT_KEY = key(0)
ROOT = seal.public_sign_key(ROOT_KEY)


@dataclass(frozen=True)
class Someone:
    """A node with all its secrets."""

    sign_key: bytes
    seal_key: bytes
    certificate: Certificate
    signed: SignedCertificate

    @property
    def id(self) -> bytes:
        return self.certificate.node


def certificate(
    number: int,
    tier: str,
    division: str,
    *,
    rights: tuple[str, ...] = (),
    epoch: int = 1,
    issuer: bytes | None = None,
) -> Certificate:
    sign_key = seal.public_sign_key(key(number))
    seal_key = seal.public_seal_key(key(number + 1))
    asked = node_id(ROOT) if issuer is None else issuer
    return Certificate(
        format=1,
        node=node_id(sign_key),
        epoch=epoch,
        tier=tier,
        division=division,
        department="",
        name=f"{tier} {number}",
        terminal=1,
        sign_key=sign_key,
        seal_key=seal_key,
        tls_fingerprint=bytes(32),
        rights=rights,
        issuer=asked,
        consent=give_consent(key(number), seal_key, bytes(32), epoch, asked),
    )


def someone(
    number: int,
    tier: str,
    division: str,
    *,
    rights: tuple[str, ...] = (),
    epoch: int = 1,
    by: Someone | None = None,
) -> Someone:
    """Return a node whose certificate `by` has issued; None is the root."""
    made = certificate(
        number, tier, division, rights=rights, epoch=epoch, issuer=by.id if by else None
    )
    signed = issue(by.sign_key if by else ROOT_KEY, made)
    return Someone(key(number), key(number + 1), made, signed)


def district() -> Someone:
    return someone(10, "district", DISTRICT, rights=(RIGHT_ENROL, RIGHT_ROSTER))


def town() -> Someone:
    return someone(40, "town", TOWN, rights=(RIGHT_ENROL,))


def other_town() -> Someone:
    return someone(70, "town", OTHER_TOWN, rights=(RIGHT_ENROL,))


def village() -> Someone:
    return someone(100, "village", VILLAGE)


def roster_of(*people: Someone) -> Roster:
    """Return a roster that has enrolled `people`, in that order."""
    roster = Roster(ROOT)
    for person in people:
        roster.follow(
            sign_roster_entry(
                ROOT_KEY, roster.version + 1, "enrol", encode(person.signed)
            )
        )
    return roster


def entry(
    sequence: int,
    payload: bytes | None = b"payload",
    *,
    kind: str = KIND_CHANGE,
    document: bytes = b"d" * 16,
    roster_version: int = 1,
    written_at_ms: int = 1_800_000_000_000,
    payload_hash: bytes = b"",
) -> Entry:
    return Entry(
        sequence=sequence,
        kind=kind,
        document=document,
        roster_version=roster_version,
        written_at_ms=written_at_ms,
        payload_hash=payload_hash or seal.sha256(payload or b""),
        payload=payload,
    )


def chain(stream: StreamId, entries: list[Entry], previous: bytes = b"") -> bytes:
    """Return the chain hash after `entries`, from the stream's beginning."""
    for one in entries:
        previous = link(previous or genesis(stream), one)
    return previous


def signed_chunk(
    author: Someone, scope: str, entries: list[Entry]
) -> tuple[StreamId, Checkpoint, Chunk]:
    """Return a stream's beginning as its author would send it."""
    stream = StreamId(author.id, author.certificate.epoch, scope)
    checkpoint = sign_checkpoint(
        author.sign_key, stream, entries[-1].sequence, chain(stream, entries)
    )
    return stream, checkpoint, pack(stream, entries, checkpoint)
