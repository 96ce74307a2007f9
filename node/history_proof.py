"""The history of a case out into a file, and such a file verified against this node."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from node import audit, export
from node.cases import Case, open_case
from node.errors import NotFound, StoreDamaged
from node.history import Containers, containers, event_of
from node.history_file import (
    FILE_LIMIT_BYTES,
    FORMAT,
    Head,
    Key,
    Proven,
    Stretch,
    Verified,
    encode,
    row_of,
    verify,
)
from node.lifecycle import Event
from node.policy import TIME_LIMIT_MS
from node.store.history import Link, Place
from node.wiring import Node
from sync.identity import SignedCertificate
from sync.seal import sha256
from sync.stream import KIND_CHANGE, sign_checkpoint


class Compared(StrEnum):
    """A file beside what this node holds of the same case."""

    ABSENT = "absent"  # the case is not here
    SAME = "same"  # the same entries
    OLDER = "older"  # more is here than in the file
    NEWER = "newer"  # more is in the file than here
    OTHER = "other"  # each has what the other lacks


@dataclass(frozen=True, slots=True)
class Finding:
    """What a file proves, and how it stands to what is here: how many entries it has
    `more`, and how many are here that it has not, `fewer`. `events` are what its
    entries tell, in their order; None for one that cannot be read.
    """

    verified: Verified
    events: tuple[tuple[Proven, Event | None], ...]
    compared: Compared
    more: int
    fewer: int


def save(node: Node, case: Case, path: Path) -> int:
    """Write the signed entries of a case to a file that only its owner can read, in
    place of what was there; return how many. That it left the home is written down
    first, to be answered for.

    Raises:
        NotFound: the folder is not there.
        DiskFull: it does not take the file.
        StoreDamaged: an entry or a signature that should be here is not.
        WriteForbidden: nothing can be written down now; nothing was written.
    """
    with node.store.transaction():
        about = case.row.number[: audit.SUBJECT_LIMIT]
        audit.record(node, audit.EXPORT_HISTORY, about, by=node.operator)
        data, count = _encoded(node, open_case(node, case.id))
    export.save_paper(path, data)
    return count


def read(node: Node, path: Path) -> Finding:
    """Return what a file proves.

    Raises:
        NotFound: there is no such file.
        HistoryRefused: nothing; it says why, and at which entry.
    """
    try:
        if not path.is_file():
            raise NotFound("file", path.name[:40])
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        raise NotFound("file", path.name[:40]) from error
    verified = verify(data, node.roster)
    there = {one.change.hash for one in verified.entries}
    held = node.store.documents.changes(verified.head.document).values()
    here = {one.hash for one in held if one.is_taken}
    its = containers(verified.entries[0].change)
    return Finding(
        verified,
        tuple((one, _event(its, one)) for one in verified.entries),
        _compared(here, there),
        more=len(there - here),
        fewer=len(here - there),
    )


def _event(its: Containers, one: Proven) -> Event | None:
    """Return what an entry tells; its author may have written what no node takes."""
    told = event_of(its, one.change)
    return told[1] if told and 0 <= told[1].at < TIME_LIMIT_MS else None


def _compared(here: set[bytes], there: set[bytes]) -> Compared:
    if not here:
        return Compared.ABSENT
    if here == there:
        return Compared.SAME
    if there < here:
        return Compared.OLDER
    return Compared.NEWER if here < there else Compared.OTHER


def _encoded(node: Node, case: Case) -> tuple[bytes, int]:
    document = case.row.document
    stored = node.store.documents.get(document)
    places = node.store.history.places(document)
    if stored is None or any(one.payload is None for one in places):
        raise StoreDamaged(f"case {case.id} lacks entries; run `lianban verify`")
    me = node.certificate
    taken = {sha256(one.payload) for one in places if one.payload}
    aside = {
        one.entry.payload_hash
        for one in node.store.journal.entries_of(document)
        if one.entry.kind == KIND_CHANGE
    } - taken
    head = Head(
        format=FORMAT,
        document=document,
        scope=case.scope,
        number=case.row.number,
        root=node.secrets.root,
        node=me.node,
        epoch=me.epoch,
        made_at_ms=node.now_ms(),
        changes=len(places),
        heads=tuple(sorted(stored.heads)),
        aside=tuple(sorted(aside)),
    )
    signers = {(one.stream.node, one.stream.epoch) for one in places}
    papers = _papers(node, signers | {(me.node, me.epoch)})
    stretches = tuple(_stretches(node, places, taken))
    return encode(head, papers, stretches, node.secrets.sign_key), len(places)


def _papers(node: Node, wanted: set[Key]) -> list[SignedCertificate]:
    """Return the certificates of some nodes and of all who have issued them, issuers
    first.
    """
    roster = node.roster
    known = {key: found[1] for key, found in roster.enrolled.items()}
    known |= {key: found[0] for key, found in roster.provisional.items()}
    known.setdefault((node.id, node.certificate.epoch), node.secrets.certificate)
    found: dict[Key, SignedCertificate] = {}

    def take(key: Key) -> None:
        if key in found:
            return
        if key not in known:
            raise StoreDamaged("a certificate is not here; run `lianban rebuild`")
        issuer = roster.latest(known[key].read().issuer)
        if issuer is not None and issuer.node != key[0]:
            take((issuer.node, issuer.epoch))
        found[key] = known[key]

    for key in sorted(wanted):
        take(key)
    return list(found.values())


def _stretches(node: Node, places: list[Place], taken: set[bytes]) -> Iterator[Stretch]:
    """Yield the stretches of all streams in which the changes of a case stand; `taken`
    are their payload hashes.

    An own entry is signed for by itself; of another's, all up to the next place that
    he has signed must be shown, by their hashes.
    """
    shown: set[bytes] = set()
    for place in sorted(places, key=lambda one: (one.stream, one.line, one.sequence)):
        if place.payload is not None and sha256(place.payload) in shown:
            continue
        links, signature = _signed(node, place)
        rows = []
        for one in links:
            is_shown = one.entry.payload_hash in taken
            rows.append(row_of(one.entry, one.hash, is_shown=is_shown))
            shown.add(one.entry.payload_hash)
        yield Stretch(
            place.stream.node,
            place.stream.epoch,
            place.sequence,
            node.store.history.hash_before(place.line, place.sequence),
            tuple(rows),
            signature,
        )


def _signed(node: Node, place: Place) -> tuple[list[Link], bytes]:
    """Return the entries from a place to the next one that is signed, and that
    signature.
    """
    store = node.store.history
    if place.stream.node == node.id and not place.is_branch:
        links = list(store.links(place.line, place.sequence, place.sequence))
        signed = sign_checkpoint(
            node.secrets.sign_key, place.stream, place.sequence, links[-1].hash
        )
        return links, signed.signature
    found = store.signed_links(place.line, place.sequence)
    if found is None:
        raise StoreDamaged(
            f"entry {place.sequence} of a stream is not signed; run `lianban verify`"
        )
    links, checkpoint = found
    return links, checkpoint.signature
