import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sync import seal
from sync.canonical import decode, encode
from sync.exchange import decode_parcel, encode_parcel
from sync.identity import Certificate
from sync.stream import unpack
from tests.sync.example import BEGIN, END, ROOT_KEY, build, worked_example

PROTOCOL = Path(__file__).parents[2] / "PROTOCOL.md"


def holds(public: bytes, domain: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature with nothing of ours: it raises where it does not hold."""
    Ed25519PublicKey.from_public_bytes(public).verify(
        signature, b"lianban/" + domain + b"\x00" + message
    )


def test_the_worked_example_of_the_protocol_is_what_the_program_does() -> None:
    text = PROTOCOL.read_text(encoding="utf-8")

    _, begin, rest = text.partition(BEGIN)
    shown, end, _ = rest.partition(END)

    assert (begin, end) == (BEGIN, END)
    assert shown.strip() == worked_example().strip(), (
        "paste what `python -m tests.sync.example` prints"
    )


def test_the_worked_example_is_the_same_each_time() -> None:
    assert worked_example() == worked_example()


def test_hashes_and_signatures_of_the_example_hold_by_plain_arithmetic() -> None:
    made = build()
    public = made.certificate.sign_key
    previous = hashlib.sha256(b"lianban/stream\x00" + encode(made.stream)).digest()
    assert previous == made.hashes[0]

    for entry, expected in zip(made.entries, made.hashes[1:], strict=True):
        assert entry.payload is not None
        assert entry.payload_hash == hashlib.sha256(entry.payload).digest()
        row = (
            entry.sequence,
            entry.kind,
            entry.document,
            entry.roster_version,
            entry.written_at_ms,
            entry.payload_hash,
        )
        previous = hashlib.sha256(
            b"lianban/entry\x00" + previous + encode(row)
        ).digest()
        assert previous == expected

    said = encode((made.stream, 3, previous))
    holds(public, b"checkpoint", said, made.checkpoint.signature)
    holds(public, b"vector", made.acknowledgement.body, made.acknowledgement.signature)
    root = seal.public_sign_key(ROOT_KEY)
    holds(root, b"certificate", made.signed.body, made.signed.signature)
    assert decode(made.signed.body, Certificate, limit_bytes=4096) == made.certificate


def test_what_travels_of_the_example_is_restored_by_plain_arithmetic() -> None:
    made = build()
    sent = made.parcel.chunks[0]
    first, _, third = sent.payloads
    assert first is not None and third is not None
    assert sent.backs == (0, None, 2) and first[0] == 0

    actor = made.stream.node + first[1:9]
    birth = b"\x00\x18" + actor + first[9:]
    birth = bytes([1, len(birth)]) + birth
    parent = hashlib.sha256(birth).digest()
    upon = b"\x01" + parent
    nonce = hashlib.sha256(b"lianban/actor\x00" + upon + third).digest()[:8]
    edit = upon + b"\x18" + made.stream.node + nonce + third
    edit = bytes([1, len(edit)]) + edit

    for entry, body in zip(made.entries[::2], (birth, edit), strict=True):
        checksum = hashlib.sha256(body).digest()[:4]
        assert entry.payload == b"\x85\x6f\x4a\x83" + checksum + body
    scope = made.stream.scope.encode()
    said = hashlib.sha256(b"lianban/document\x00" + actor + b"\x00" + scope)
    assert made.entries[2].document == said.digest()[:16]


def test_the_parcel_of_the_example_reads_back_as_its_entries() -> None:
    made = build()

    parcel = decode_parcel(encode_parcel(made.parcel))

    assert unpack(parcel.chunks[0]) == list(made.entries)
    assert parcel.vectors[0].read() == made.vector
