"""The signed entries of a case as a file, for whoever must prove them. Pure: no I/O.

A file of JSON lines: who has made it and of what, the certificates of all who sign,
the stretches of their streams in which the case stands, and the maker's signature over
everything above. Whoever has the district's root key can prove every entry with it, see
PROTOCOL.md. It tells who wrote what, and that nothing was taken out; whether a step was
allowed is judged by the nodes that hold the case.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NoReturn

import msgspec

from node.errors import HistoryRefused
from node.policy import TIME_LIMIT_MS, root_of
from sync import seal
from sync.actor import document_id
from sync.change import Change, read_change
from sync.errors import ChangeRefused, Malformed, NotTrusted
from sync.identity import (
    NODE_ID_BYTES,
    Certificate,
    Roster,
    SignedCertificate,
    is_scope,
)
from sync.stream import (
    KIND_CHANGE,
    MAX_SEQUENCE,
    Checkpoint,
    Entry,
    StreamId,
    check_checkpoint,
    genesis,
    link,
)

FORMAT = 1
FILE_LIMIT_BYTES = 32 * 1024 * 1024
LINES_MAX = 10_000
_DOMAIN = b"history"

Count = Annotated[int, msgspec.Meta(ge=0, lt=TIME_LIMIT_MS)]
"""Any number in a file: none is larger than the latest time that an entry may have."""

Key = tuple[bytes, int]
"""A node and its epoch."""


class Head(msgspec.Struct, frozen=True, tag="head", forbid_unknown_fields=True):
    """Of which case, by whom and when. `changes` is how many entries are of the case,
    `heads` are those that no other builds on, sorted; `aside` the payload hashes of
    entries that say to be of the case and that the maker has not taken, sorted.
    """

    format: Count
    document: bytes
    scope: str
    number: str
    root: bytes
    node: bytes
    epoch: Count
    made_at_ms: Count
    changes: Count
    heads: tuple[bytes, ...]
    aside: tuple[bytes, ...]


class AnyHead(msgspec.Struct, frozen=True, tag="head"):
    """What a head says in every format."""

    format: Count


class Paper(msgspec.Struct, frozen=True, tag="certificate", forbid_unknown_fields=True):
    """A certificate as its issuer has signed it."""

    body: bytes
    signature: bytes


class Row(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An entry. `payload` only where it is of the case; of any other entry that stands
    between, the hash is enough.
    """

    kind: str
    document: bytes
    roster_version: Count
    written_at_ms: Count
    payload_hash: bytes
    hash: bytes
    payload: bytes | None


class Stretch(msgspec.Struct, frozen=True, tag="stretch", forbid_unknown_fields=True):
    """Neighbouring entries of a stream from number `first` on, standing on the chain
    hash `previous`; `signature` is the author's checkpoint over the last of them.
    """

    node: bytes
    epoch: Count
    first: Count
    previous: bytes
    rows: tuple[Row, ...]
    signature: bytes


class Seal(msgspec.Struct, frozen=True, tag="seal", forbid_unknown_fields=True):
    """The signature of whoever has made the file over the bytes of all lines above."""

    signature: bytes


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry of the case that its author has signed."""

    author: Certificate
    sequence: int
    change: Change


@dataclass(frozen=True, slots=True)
class Verified:
    """What a file proves: `entries` parents first; `maker` has put it together."""

    head: Head
    maker: Certificate
    entries: tuple[Proven, ...]


Line = Head | Paper | Stretch | Seal

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


def encode(
    head: Head,
    papers: Sequence[SignedCertificate],
    stretches: Sequence[Stretch],
    private: bytes,
) -> bytes:
    """Return the file, sealed with the signing key of its maker."""
    lines: list[Line] = [head]
    lines += [Paper(one.body, one.signature) for one in papers]
    lines += stretches
    above = b"".join(_encoder.encode(one) + b"\n" for one in lines)
    sealed = Seal(seal.sign(private, _DOMAIN, seal.sha256(above)))
    return above + _encoder.encode(sealed) + b"\n"


def row_of(entry: Entry, chain_hash: bytes, *, is_shown: bool) -> Row:
    """Return an entry as the file holds it, its payload only where that is shown."""
    return Row(
        entry.kind,
        entry.document,
        entry.roster_version,
        entry.written_at_ms,
        entry.payload_hash,
        chain_hash,
        entry.payload if is_shown else None,
    )


def verify(data: bytes, known: Roster) -> Verified:
    """Return what a file proves to somebody with this roster.

    Raises:
        HistoryRefused: it proves nothing; says why, and at which entry.
    """
    head, papers, stretches, sealed, above = _read(data)
    if head.root != known.root:
        raise HistoryRefused("district")
    trusted = _trusted(papers, known)
    aside = frozenset(head.aside)
    entries = [
        one
        for stretch in stretches
        for one in _proven(head, aside, stretch, trusted, known)
    ]
    ordered = _whole(head, entries)
    maker = trusted.get((head.node, head.epoch))
    if maker is None:
        raise HistoryRefused("maker")
    if not seal.is_signed(
        maker.sign_key, _DOMAIN, seal.sha256(above), sealed.signature
    ):
        raise HistoryRefused("seal")
    return Verified(head, maker, tuple(ordered))


def _read(data: bytes) -> tuple[Head, list[Paper], list[Stretch], Seal, bytes]:
    """Return the lines of a file, and the bytes above the last.

    Raises:
        HistoryRefused: too long, or none of ours. One value has one encoding: a line
            that would be written otherwise is refused.
    """
    if len(data) > FILE_LIMIT_BYTES or data.count(b"\n") > LINES_MAX:
        raise HistoryRefused("too-large")
    if _format_of(data.partition(b"\n")[0]) not in (None, FORMAT):
        raise HistoryRefused("format")
    lines: list[Line] = []
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            one = _decoder.decode(line)
            again = _encoder.encode(one)
        except (msgspec.MsgspecError, RecursionError, ValueError) as error:
            raise HistoryRefused("unreadable", line=number) from error
        if again != line:
            raise HistoryRefused("unreadable", line=number)
        lines.append(one)
    papers = [one for one in lines if isinstance(one, Paper)]
    stretches = [one for one in lines if isinstance(one, Stretch)]
    if not data.endswith(b"\n") or len(lines) != len(papers) + len(stretches) + 2:
        raise HistoryRefused("unreadable", line=len(lines))
    head, sealed = lines[0], lines[-1]
    if not isinstance(head, Head) or not isinstance(sealed, Seal):
        raise HistoryRefused("unreadable", line=1)
    if lines[1:-1] != [*papers, *stretches] or not is_scope(head.scope):
        raise HistoryRefused("unreadable", line=1)
    above = data[: data.rindex(b"\n", 0, -1) + 1]
    return head, papers, stretches, sealed, above


def _format_of(line: bytes) -> int | None:
    """Return the format that a first line names, whatever else it holds."""
    try:
        return msgspec.json.decode(line, type=AnyHead).format
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None


def _trusted(papers: Sequence[Paper], known: Roster) -> dict[Key, Certificate]:
    """Return the certificates of a file: as the roster has them, or as somebody whom
    it has issues them. Issuers stand before those whom they certify.
    """
    roster = Roster(
        known.root,
        enrolled=dict(known.enrolled),
        provisional=dict(known.provisional),
        revoked=dict(known.revoked),
    )
    trusted: dict[Key, Certificate] = {}
    for number, paper in enumerate(papers, start=2):
        signed = SignedCertificate(paper.body, paper.signature)
        try:
            certificate = signed.read()
            key = (certificate.node, certificate.epoch)
            here = _signed_here(roster, key)
            if here is None:
                roster.introduce(signed)
            elif here != signed:
                raise HistoryRefused("certificate", line=number)
        except (Malformed, NotTrusted) as error:
            raise HistoryRefused("certificate", line=number) from error
        trusted[key] = certificate
    return trusted


def _signed_here(roster: Roster, key: Key) -> SignedCertificate | None:
    if key in roster.enrolled:
        return roster.enrolled[key][1]
    return roster.provisional[key][0] if key in roster.provisional else None


def _proven(
    head: Head,
    aside: frozenset[bytes],
    stretch: Stretch,
    trusted: Mapping[Key, Certificate],
    known: Roster,
) -> Iterator[Proven]:
    """Yield the entries of the case in a stretch of a stream, each proven. `aside` is
    that of the head: whatever the file holds is looked up in it.

    Raises:
        HistoryRefused: its author has not signed just this.
    """
    author = trusted.get((stretch.node, stretch.epoch))
    if author is None:
        raise HistoryRefused("author", node=stretch.node, sequence=stretch.first)
    stream = StreamId(stretch.node, stretch.epoch, head.scope)
    last = stretch.first + len(stretch.rows) - 1

    def refuse(why: str, sequence: int) -> NoReturn:
        raise HistoryRefused(
            why, node=stretch.node, name=author.name, sequence=sequence
        )

    if not (1 <= stretch.first <= last <= MAX_SEQUENCE):
        refuse("chain", stretch.first)
    if stretch.first == 1 and stretch.previous != genesis(stream):
        refuse("chain", stretch.first)
    chain_hash, found = stretch.previous, []
    for sequence, row in enumerate(stretch.rows, start=stretch.first):
        entry = Entry(
            sequence,
            row.kind,
            row.document,
            row.roster_version,
            row.written_at_ms,
            row.payload_hash,
            row.payload,
        )
        chain_hash = link(chain_hash, entry)
        if chain_hash != row.hash:
            refuse("chain", sequence)
        is_ours = row.document == head.document and row.kind == KIND_CHANGE
        if row.payload is None:
            if is_ours and row.payload_hash not in aside:
                refuse("left-out", sequence)
            continue
        if not is_ours or seal.sha256(row.payload) != row.payload_hash:
            refuse("payload", sequence)
        if known.is_cut(stream.node, stream.epoch, sequence, stream.scope):
            refuse("revoked", sequence)
        try:
            change = read_change(row.payload)
        except ChangeRefused:
            refuse("payload", sequence)
        if change.actor[:NODE_ID_BYTES] != stretch.node:
            refuse("payload", sequence)
        found.append(Proven(author, sequence, change))
    try:
        signed = Checkpoint(last, chain_hash, stretch.signature)
        check_checkpoint(author.sign_key, stream, signed)
    except NotTrusted:
        refuse("signature", last)
    yield from found


def _whole(head: Head, entries: Sequence[Proven]) -> list[Proven]:
    """Return the entries of a case, parents first.

    Raises:
        HistoryRefused: one is lacking, or is of another case.
    """
    # Stretches may overlap, where a stream has parted.
    by_hash = {one.change.hash: one for one in entries}
    built_on: set[bytes] = set()
    beginnings = sum(not one.change.dependencies for one in by_hash.values())
    for one in by_hash.values():
        change = one.change
        if not by_hash.keys() >= set(change.dependencies):
            raise _at("before", one)
        if not change.dependencies:
            number = root_of(change).get("number")
            if (
                document_id(change.actor, head.scope) != head.document
                or number != head.number
                or beginnings > 1
            ):
                raise _at("payload", one)
        elif change.start_op != 1 + max(
            by_hash[before].change.last_op for before in change.dependencies
        ):
            raise _at("payload", one)
        built_on.update(change.dependencies)
    heads = tuple(sorted(by_hash.keys() - built_on))
    if not by_hash or len(by_hash) != head.changes or heads != head.heads:
        raise HistoryRefused("lacking")
    # Whoever builds on a change counts its operations on from there.
    return sorted(
        by_hash.values(), key=lambda one: (one.change.last_op, one.change.hash)
    )


def _at(why: str, one: Proven) -> HistoryRefused:
    author = one.author
    return HistoryRefused(
        why, node=author.node, name=author.name, sequence=one.sequence
    )
