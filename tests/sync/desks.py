"""Streams as a desk writes them, honest and odd entries mixed, drawn by hypothesis."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from sync import seal
from sync.actor import NONCE_BYTES, actor_of, document_id
from sync.document import Document
from sync.envelope import Parent, change_hash
from sync.stream import KIND_CHANGE, Checkpoint, Chunk, Entry, StreamId, pack, unpack
from tests.sync.changes import body_of, chunk
from tests.sync.samples import VILLAGE, entry, town, village

STREAM = StreamId(village().id, 1, VILLAGE)
NEIGHBOUR = town().id


@dataclass
class Desk:
    """One author, his documents, and the stream that he has written."""

    entries: list[Entry] = field(default_factory=list)
    documents: dict[bytes, Document] = field(default_factory=dict)
    count: int = 0

    def begin(self, scope: str = VILLAGE) -> bytes:
        """Begin a document; return its id."""
        self.count += 1
        actor = actor_of(STREAM.node, self.count.to_bytes(NONCE_BYTES, "big"))
        document, raw = Document.begin(
            actor, {"v": 1, "fields": {"name": f"n{self.count}"}, "events": {}}
        )
        key = document_id(actor, scope)
        self.documents[key] = document
        self.put(key, raw)
        return key

    def edit(
        self, key: bytes, *, node: bytes = STREAM.node, nonce: bytes = b""
    ) -> bytes:
        """Return one more change of a document; with `nonce`, under any actor."""
        self.count += 1
        writes = {
            "fields": {"name": f"n{self.count}"},
            "events": {f"e{self.count}": "x"},
        }
        document = self.documents[key]
        actor = actor_of(node, nonce) if nonce else document.actor_for(node, writes)
        return document.write(actor, writes)

    def hear(self, key: bytes, *, beside: bool) -> bytes:
        """Take up a neighbour's change of a document, made upon all of it or beside
        one of ours; return it.
        """
        theirs = Document.load(self.documents[key].snapshot())
        if beside:
            self.put(key, self.edit(key))
        self.count += 1
        writes = {"events": {f"t{self.count}": "y"}}
        raw = theirs.write(theirs.actor_for(NEIGHBOUR, writes), writes)
        self.documents[key] = self.documents[key].apply([raw])
        return raw

    def put(self, key: bytes, payload: bytes, kind: str = KIND_CHANGE) -> None:
        at = len(self.entries) + 1
        self.entries.append(
            entry(at, payload, kind=kind, document=key, written_at_ms=10**12 + at)
        )


@st.composite
def desks(draw: st.DrawFn, max_steps: int = 12) -> list[Entry]:
    """Draw what one author has written, whole, from its first entry on."""
    desk = Desk()
    for _ in range(draw(st.integers(1, max_steps))):
        what = draw(st.sampled_from([*HONEST, *HONEST, *ODD]))
        if what == "begin" or not desk.documents:
            desk.begin(draw(st.sampled_from([VILLAGE, "330881105202"])))
            continue
        key = draw(st.sampled_from(list(desk.documents)))
        match what:
            case "edit":
                desk.put(key, desk.edit(key))
            case "hear":
                desk.hear(key, beside=draw(st.booleans()))
            case "other kind":
                desk.put(draw(st.sampled_from([b"", key])), b"list", "batch")
            case "free nonce":
                desk.put(
                    key, desk.edit(key, nonce=draw(st.binary(min_size=8, max_size=8)))
                )
            case "deflated":
                desk.put(key, chunk(body_of(desk.edit(key)), deflated=True))
            case "a neighbour's":
                desk.put(key, desk.hear(key, beside=draw(st.booleans())))
            case "another document":
                desk.put(draw(st.sampled_from([b"", b"d" * 16])), desk.edit(key))
            case "garbage":
                desk.put(key, draw(st.binary(max_size=60)))
            case "damaged":
                raw = bytearray(desk.edit(key))
                raw[draw(st.integers(0, len(raw) - 1))] ^= draw(st.integers(1, 255))
                desk.put(key, bytes(raw))
    return desk.entries


HONEST = ("begin", "edit", "edit", "hear", "hear", "other kind")
ODD = (
    "free nonce", "deflated", "a neighbour's", "another document", "garbage", "damaged"
)  # fmt: skip


@dataclass(frozen=True)
class Shelf:
    """What a node holds of the stream; some payloads may have been dropped."""

    entries: Sequence[Entry]

    def chunk(self, first: int, last: int) -> Chunk:
        """Return a part of the stream as this node sends it."""
        return pack(
            STREAM,
            self.entries[first - 1 : last],
            Checkpoint(last, bytes(32), bytes(64)),
            lambda documents: self._before(documents, first),
        )

    def read(self, travelled: Chunk) -> list[Entry]:
        """Return the entries of a chunk as this node restores them."""
        return unpack(travelled, self._held)

    def _before(self, documents: Sequence[bytes], first: int) -> Iterable[Parent]:
        for document in documents:
            written = [
                one
                for one in self.entries[: first - 1]
                if one.kind == KIND_CHANGE and one.document == document
            ]
            yield from _parents(written[-1:])

    def _held(self, sequences: Sequence[int]) -> Iterable[Parent]:
        yield from _parents([one for one in self.entries if one.sequence in sequences])


def _parents(entries: Iterable[Entry]) -> Iterable[Parent]:
    for one in entries:
        if one.kind == KIND_CHANGE and one.payload:
            change = change_hash(one.payload)
            if change:
                yield Parent(one.sequence, one.document, change)


def without_payload(one: Entry) -> Entry:
    return replace(one, payload=None, payload_hash=seal.sha256(one.payload or b""))
