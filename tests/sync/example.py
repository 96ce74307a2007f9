"""One tiny stream with fixed keys, byte by byte: the worked example of PROTOCOL.md.

`python -m tests.sync.example` prints the block that stands there between the markers.
Sealing is random by nature, so a bundle is shown up to its header only.
"""

from dataclasses import dataclass

from sync import seal
from sync.actor import actor_of, document_id
from sync.bundle import FORMAT, MAGIC, Header
from sync.canonical import encode
from sync.change import read_change
from sync.document import Document
from sync.exchange import HeldVector, Parcel, digest, encode_parcel
from sync.identity import (
    Certificate,
    SignedCertificate,
    give_consent,
    issue,
    node_id,
)
from sync.pieces import Piece, Want, links_of
from sync.stream import (
    KIND_BATCH,
    KIND_CHANGE,
    Checkpoint,
    Entry,
    StreamId,
    genesis,
    link,
    pack,
    sign_checkpoint,
)
from sync.vector import Head, SignedVector, Vector, sign_vector

BEGIN, END = "<!-- worked example -->", "<!-- end of worked example -->"

SIGN_KEY, SEAL_KEY = bytes(range(32)), bytes(range(32, 64))
ROOT_KEY = bytes(range(64, 96))
RECIPIENT_SIGN_KEY = bytes(range(96, 128))

SCOPE = "330881105201"
AT_MS = 1_800_000_000_000
NONCE = bytes(range(8))
FILE = b"photo"


@dataclass(frozen=True)
class Example:
    """All parts of the example, from keys to the body of a bundle."""

    certificate: Certificate
    signed: SignedCertificate
    stream: StreamId
    entries: tuple[Entry, Entry, Entry]
    hashes: tuple[bytes, bytes, bytes, bytes]
    checkpoint: Checkpoint
    vector: Vector
    acknowledgement: SignedVector
    parcel: Parcel
    header: Header


def build() -> Example:
    """Return the example; it is the same each time."""
    sign_key = seal.public_sign_key(SIGN_KEY)
    seal_key = seal.public_seal_key(SEAL_KEY)
    root = node_id(seal.public_sign_key(ROOT_KEY))
    tls = bytes(range(128, 160))
    certificate = Certificate(
        format=1,
        node=node_id(sign_key),
        epoch=1,
        tier="village",
        division=SCOPE,
        department="",
        name="示例村",
        terminal=1,
        sign_key=sign_key,
        seal_key=seal_key,
        tls_fingerprint=tls,
        rights=(),
        issuer=root,
        consent=give_consent(SIGN_KEY, seal_key, tls, 1, root),
    )
    node = certificate.node
    stream = StreamId(node, 1, SCOPE)
    actor = actor_of(node, NONCE)
    document, birth = Document.begin(actor, {"v": 1, "m": {}})
    key = document_id(actor, SCOPE)
    writes = {"m": {"k": "x"}}
    edit = document.write(document.actor_for(node, writes), writes)
    first = _entry(1, KIND_CHANGE, key, birth)
    second = _entry(2, KIND_BATCH, b"", b"list")
    third = _entry(3, KIND_CHANGE, key, edit)
    start = genesis(stream)
    one = link(start, first)
    two = link(one, second)
    three = link(two, third)
    checkpoint = sign_checkpoint(SIGN_KEY, stream, 3, three)
    vector = Vector(node, 1, SCOPE, 1, AT_MS, (Head(node, 1, 3, three),))
    acknowledgement = sign_vector(SIGN_KEY, vector)
    held = HeldVector(node, SCOPE, 1, acknowledgement)
    parcel = Parcel(
        knows=digest({held.key: held.counter}),
        vectors=(acknowledgement,),
        chunks=(pack(stream, (first, second, third), checkpoint),),
        wants=(Want(seal.sha256(b"another file"), 7),),
        pieces=(Piece(links_of(len(FILE), lambda _: FILE)[0], 0, b"", FILE),),
        more=False,
    )
    recipient = node_id(seal.public_sign_key(RECIPIENT_SIGN_KEY))
    return Example(
        certificate=certificate,
        signed=issue(ROOT_KEY, certificate),
        stream=stream,
        entries=(first, second, third),
        hashes=(start, one, two, three),
        checkpoint=checkpoint,
        vector=vector,
        acknowledgement=acknowledgement,
        parcel=parcel,
        header=Header(1, node, 1, recipient, 1, len(encode_parcel(parcel)), 1),
    )


def worked_example() -> str:
    """Return the example as Markdown, without the markers."""
    made = build()
    first, second, third = made.entries
    assert first.payload is not None and third.payload is not None
    start, one, two, three = made.hashes
    header = encode(made.header)
    prefix = MAGIC + bytes([FORMAT]) + len(header).to_bytes(2, "big")
    rows = [
        (
            "private Ed25519 key of the node: the bytes 0 to 31; its public key",
            made.certificate.sign_key,
        ),
        (
            "private X25519 key of the node: the bytes 32 to 63; its public key",
            made.certificate.seal_key,
        ),
        (
            "private Ed25519 key of the root: the bytes 64 to 95; its public key",
            seal.public_sign_key(ROOT_KEY),
        ),
        ("node id: SHA-256 of the public signing key, 16 bytes", made.stream.node),
        (
            'consent: signature of the node, domain "consent", over '
            "(signing key, sealing key, TLS hash, epoch, issuer)",
            made.certificate.consent,
        ),
        ("certificate, body", made.signed.body),
        (
            'certificate, signature of the root, domain "certificate"',
            made.signed.signature,
        ),
        ("stream id: (node, epoch, scope)", encode(made.stream)),
        (
            'hash before the first entry: SHA-256("lianban/stream" 00 | stream id)',
            start,
        ),
        (
            "payload of entry 1: an Automerge change that puts v = 1 and makes a map m",
            first.payload,
        ),
        (
            "hash of that change, as Automerge counts it",
            read_change(first.payload).hash,
        ),
        ("payload hash of entry 1", first.payload_hash),
        (
            "row of entry 1: (sequence, kind, document, roster version, time in ms, "
            "payload hash)",
            encode(_row(first)),
        ),
        (
            'chain hash 1: SHA-256("lianban/entry" 00 | hash before | row)',
            one,
        ),
        (
            'row of entry 2: a batch, about no document, payload "list"',
            encode(_row(second)),
        ),
        ("chain hash 2", two),
        (
            'payload of entry 3: a change that builds on entry 1 and puts k = "x" into '
            "the map; its actor ends in 8 bytes that follow from the rest of it",
            third.payload,
        ),
        ("row of entry 3", encode(_row(third))),
        ("chain hash 3", three),
        (
            'message of the checkpoint, domain "checkpoint": (stream id, 3, hash)',
            encode((made.stream, 3, three)),
        ),
        ("checkpoint: (sequence, hash, signature)", encode(made.checkpoint)),
        (
            "vector: (holder, epoch, scope, counter, time in ms, "
            "heads of (node, epoch, sequence, hash))",
            made.acknowledgement.body,
        ),
        (
            'vector, signature of the holder, domain "vector"',
            made.acknowledgement.signature,
        ),
        (
            "payload of entry 1 as it travels: no dependencies, 8 bytes of the actor, "
            "all that follows it",
            made.parcel.chunks[0].payloads[0] or b"",
        ),
        (
            "payload of entry 3 as it travels, 2 entries back to its parent: all that "
            "follows the actor",
            made.parcel.chunks[0].payloads[2] or b"",
        ),
        (
            "chunk: the entries in columns; backs are 0, nil, 2",
            encode(made.parcel.chunks[0]),
        ),
        (
            "digest of what the sender knows: "
            'the first half of SHA-256("lianban/knows" 00 | sorted rows of '
            "(holder, scope, counter))",
            made.parcel.knows,
        ),
        ("a file of one piece", made.parcel.pieces[0].data),
        (
            "its digest, the link of its first piece: "
            'SHA-256("lianban/piece" 00 | 00000000 00000005 | the piece | nothing)',
            made.parcel.pieces[0].digest,
        ),
        (
            "want: (digest, how many pieces the speaker holds)",
            encode(made.parcel.wants[0]),
        ),
        (
            "piece: (digest, index, link of the next, bytes)",
            encode(made.parcel.pieces[0]),
        ),
        (
            "parcel: (knows, vectors, chunks, wants, pieces, more, extras); "
            "the body of the bundle before compression",
            encode_parcel(made.parcel),
        ),
        ("bundle: magic, format, length of the header", prefix),
        (
            "bundle: header (suite, sender, epoch, recipient, roster version, "
            "bytes of the body, dictionary, pack, volume, part, last)",
            header,
        ),
    ]
    return "\n\n".join(f"{what}\n\n{_hex(data)}" for what, data in rows) + "\n"


def _entry(sequence: int, kind: str, document: bytes, payload: bytes) -> Entry:
    return Entry(
        sequence=sequence,
        kind=kind,
        document=document,
        roster_version=1,
        written_at_ms=AT_MS + sequence,
        payload_hash=seal.sha256(payload),
        payload=payload,
    )


def _row(entry: Entry) -> tuple[int, str, bytes, int, int, bytes]:
    return (
        entry.sequence,
        entry.kind,
        entry.document,
        entry.roster_version,
        entry.written_at_ms,
        entry.payload_hash,
    )


def _hex(data: bytes) -> str:
    digits = data.hex()
    lines = [digits[at : at + 64] for at in range(0, len(digits), 64)]
    return "\n".join(f"    {line}" for line in lines)


if __name__ == "__main__":
    print(BEGIN, worked_example(), END, sep="\n")
