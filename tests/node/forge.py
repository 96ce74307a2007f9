"""What an enrolled node could write with its own keys and another program.

Everything here signs with the true keys of a node and passes the bytes on in true
bundles; only the checks that stand before an honest writer are left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from forms.item import Item
from node import answering, attachments, journal, peers, speaking
from node.lifecycle import Event, decode_event, encode_event, frontier
from node.material import Material, encode_material
from node.policy import SCHEMA
from node.roster import take_step
from node.wiring import Node
from node.writing import event_id  # the very rule that receivers check
from sync import bundle, seal
from sync.actor import actor_of, document_id
from sync.canonical import encode
from sync.change import read_change
from sync.document import Document, merge_changes
from sync.exchange import Parcel, encode_parcel
from sync.identity import Certificate, Revocation, sign_roster_entry
from sync.stream import KIND_CHANGE, Chunk, Entry, StreamId, link, pack, sign_checkpoint
from sync.vector import Head, SignedVector, Span, Vector, sign_vector
from tests.node.nodes import Three

NONCE = b"\xfe" * 8


def put_entry(
    node: Node,
    document: bytes,
    payload: bytes,
    *,
    scope: str = "",
    kind: str = KIND_CHANGE,
    roster_version: int | None = None,
) -> int:
    """Append a signed entry to the node's stream, past the desks; return its row."""
    store = node.store
    with store.transaction():
        stream = journal.own_stream(node, scope or node.certificate.division)
        sequence, previous = store.journal.head(stream)
        known = node.roster.version if roster_version is None else roster_version
        at_ms = node.now_ms()
        entry = Entry(
            sequence + 1,
            kind,
            document,
            known,
            at_ms,
            seal.sha256(payload),
            payload,
        )
        chain_hash = link(previous, entry)
        row = store.journal.append(stream, [(entry, chain_hash)], at_ms)[0]
        store.journal.put_checkpoint(
            stream,
            sign_checkpoint(node.secrets.sign_key, stream, entry.sequence, chain_hash),
        )
    return row


def put_entries(
    node: Node, rows: Sequence[tuple[bytes, bytes]], *, scope: str = ""
) -> None:
    """Append (document, change) entries, one after another."""
    for document, raw in rows:
        put_entry(node, document, raw, scope=scope)


@dataclass(slots=True)
class Copy:
    """A document as one writer sees it, at whichever changes that writer chooses."""

    id: bytes
    document: Document

    @property
    def events(self) -> dict[str, Event]:
        texts = self.document.tree()["events"]
        assert isinstance(texts, dict)
        return {k: e for k, text in texts.items() if (e := decode_event(text))}

    def event(self, node: Node, what: str, **parts: object) -> tuple[str, Event]:
        """Return an event that fits this copy in everything, and its id."""
        at_ms = node.now_ms()
        new_id = event_id(node, at_ms, self.events)
        event = Event(
            step=what,
            at=int(new_id.partition("-")[2]),
            by="operator",
            seen=frontier(self.events),
            clock=1 + max((e.clock for e in self.events.values()), default=0),
            note="补充说明",
        )
        changed = {name: getattr(event, name) for name in event.__struct_fields__}
        return new_id, Event(**(changed | parts))

    def write(
        self,
        node: Node,
        what: str,
        answers: Mapping[str, str] | None = None,
        *,
        actor: bytes | None = None,
        event_id: str = "",
        more: Mapping[str, Mapping[str, str]] | None = None,
        **parts: object,
    ) -> bytes:
        """Write a step into this copy and return the change."""
        if answers:
            parts = {"fields": tuple(sorted(answers))} | parts
        right_id, event = self.event(node, what, **parts)
        writes: dict[str, dict[str, str]] = {
            "events": {event_id or right_id: encode_event(event)}
        }
        if answers:
            writes["fields"] = dict(answers)
        for name, values in (more or {}).items():
            writes[name] = writes.get(name, {}) | dict(values)
        return self.document.write(actor or actor_of(node.id, node.random(8)), writes)


def copy_of(node: Node, case: str) -> Copy:
    """Return a case as the node has it."""
    document = bytes.fromhex(case)
    stored = node.store.documents.get(document)
    assert stored is not None
    return Copy(document, Document.load(stored.snapshot))


def copy_at(node: Node, case: str, count: int) -> Copy:
    """Return a case as it was after its first `count` changes that came here."""
    document = bytes.fromhex(case)
    raws = [
        stored.entry.payload
        for stored in node.store.journal.entries_of(document)[:count]
    ]
    return Copy(document, merge_changes(b"", [raw for raw in raws if raw]))


def birth(
    node: Node,
    package: str,
    *,
    scope: str = "",
    nonce: bytes | None = None,
    fields: Mapping[str, str] | None = None,
    number: str = "3308811052012611210100010",
    change: Callable[[dict[str, object]], object] = lambda _: None,
    what: str = "submit",
    at: int | None = None,
) -> tuple[bytes, Copy, bytes]:
    """Return (document id, copy, first change) of a new case.

    `change` may alter what is written, so that it is wrong in one way.
    """
    actor = actor_of(node.id, nonce or node.random(8))
    at_ms = node.now_ms() if at is None else at
    event = Event(step=what, at=at_ms, by="operator")
    found = node.package(package)
    assert found is not None
    writes: dict[str, object] = {
        "v": SCHEMA,
        "item": found.item.code,
        "package": package,
        "number": number,
        "fields": dict(fields or {"name": "周小明"}),
        "events": {f"{node.id.hex()[:16]}-{at_ms}": encode_event(event)},
        "materials": {},
    }
    change(writes)
    document, raw = Document.begin(actor, writes)  # type: ignore[arg-type]
    key = document_id(actor, scope or node.certificate.division)
    return key, Copy(key, document), raw


def package_of(node: Node, code: str) -> str:
    return next(
        row.digest for row in node.store.registry.current_packages() if row.code == code
    )


def repaired(raw: bytes) -> bytes:
    """Return a change whose checksum fits its content again."""
    return raw[:4] + seal.sha256(raw[8:])[:4] + raw[8:]


def with_dependency(raw: bytes, old: bytes, new: bytes) -> bytes:
    """Return a change that builds upon another one than it did."""
    assert raw.count(old) == 1 and len(old) == len(new) == 32
    return repaired(raw.replace(old, new))


def as_if_upon(raw: bytes, head: bytes, last_op: int) -> bytes:
    """Return a change that claims to have been written upon `head` only, where
    operations were counted up to `last_op`. What it overwrites stays.
    """
    change = read_change(raw)
    (old,) = change.dependencies
    at = raw.index(change.actor) + len(change.actor) + 1
    assert change.sequence == 1 and raw[at - 1] == 1
    before, after = _leb(change.start_op), _leb(last_op + 1)
    assert raw[at : at + len(before)] == before and len(before) == len(after)
    raw = raw[:at] + after + raw[at + len(before) :]
    return with_dependency(raw, old, head)


def last_op_of(raw: bytes) -> int:
    change = read_change(raw)
    return change.start_op + len(change.ops) - 1


def _leb(number: int) -> bytes:
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80, high]) if high else bytes([low])


def hash_of(raw: bytes) -> bytes:
    return read_change(raw).hash


def item_of(node: Node, code: str) -> Item:
    """Return an item that is in force here."""
    package = node.package(package_of(node, code))
    assert package is not None
    return package.item


def file_text(size: int, **more: str) -> str:
    """Return the record of a file as a document holds it."""
    return encode_material(Material("a.pdf", size, **more))


def revoke(nodes: Three, node: Node, sequence: int) -> None:
    """Let the district put a node out: from `sequence` on nothing of it counts."""
    district = nodes.district
    entry = sign_roster_entry(
        district.secrets.root_key,
        district.roster.version + 1,
        "revoke",
        encode(Revocation(node.id, 1, sequence)),
    )
    with district.store.transaction():
        journal.append(
            district, "public", "roster", b"", encode(entry), district.now_ms()
        )
        take_step(district, entry)


# -- what travels -----------------------------------------------------------------


def chunk_of(node: Node, stream: StreamId, first: int = 1, last: int = 2**40) -> Chunk:
    """Return entries of a stream that `node` holds, as it would send them."""
    last = min(last, node.store.journal.head(stream)[0])
    span = Span(stream, first, last)
    chunk = speaking.Holdings(node).read_chunk(span, 4096, 2**30)
    assert chunk is not None
    return chunk


def chunk_signed(
    node: Node, stream: StreamId, previous: bytes, entries: Sequence[Entry]
) -> Chunk:
    """Return entries, chained on `previous`, with the node's own checkpoint."""
    chain_hash = previous
    for entry in entries:
        chain_hash = link(chain_hash, entry)
    checkpoint = sign_checkpoint(
        node.secrets.sign_key, stream, entries[-1].sequence, chain_hash
    )
    return pack(stream, entries, checkpoint)


def parcel(
    chunks: Sequence[Chunk] = (), vectors: Sequence[SignedVector] = ()
) -> Parcel:
    return Parcel(bytes(32), tuple(vectors), tuple(chunks), (), (), more=False)


def send(sender: Node, receiver: Node, content: Parcel) -> bytes:
    """Hand a parcel to `receiver` in a true bundle of `sender`; return the answer."""
    (reply,) = answering.answer(receiver, [wrap(sender, receiver, content)])
    return reply


def wrap(sender: Node, receiver: Node, content: Parcel) -> bytes:
    recipient = sender.roster.latest(receiver.id)
    assert recipient is not None
    return bundle.wrap(
        encode_parcel(content),
        sender=sender.certificate,
        sign_key=sender.secrets.sign_key,
        recipient=recipient,
        roster_version=sender.roster.version,
    )


def bundles(node: Node, peer: Certificate) -> Iterator[bytes]:
    """Yield everything that `peer` lacks, as a line without an end would carry it."""
    speaker = speaking.Speaker(node, peer, pieces=attachments.owed(node, peer))
    while outgoing := speaker.parcel():
        yield speaker.wrap(outgoing)


def bundle_for(sender: Node, receiver: Node) -> bytes:
    """Return what `sender` has for `receiver` now, as it would lie on a stick."""
    peer = peers.find_neighbour(sender, receiver.id.hex())
    (data,) = bundles(sender, peer)
    return data


def claim(
    node: Node, scope: str, heads: Sequence[Head], counter: int = 2**50
) -> SignedVector:
    """Return a signed vector that says whatever it is told to."""
    vector = Vector(
        node.id,
        node.certificate.epoch,
        scope,
        counter,
        node.now_ms(),
        tuple(sorted(heads)),
    )
    return sign_vector(node.secrets.sign_key, vector)


def refusals(node: Node) -> list[tuple[str, str]]:
    return [(row[2], row[3]) for row in node.store.refusals.newest(1000)]


def put_back(node: Node) -> None:
    """Let a node have signed once that it holds more of its own stream than it does:
    as one that was put back to an older state, it may not write.
    """
    me, journal = node.certificate, node.store.journal
    last, _ = journal.head(StreamId(me.node, me.epoch, me.division))
    ahead = Head(me.node, me.epoch, last + 5, bytes(32))
    signed = claim(node, me.division, [ahead])
    with node.store.transaction():
        node.store.vectors.put(signed.read(), signed, 1, [ahead])
