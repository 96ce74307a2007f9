"""Automerge changes: real ones, crafted ones and damaged ones with a right checksum.

What stands here knows the format by itself and shares no code with `sync.change`.
"""

import hashlib
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sync.document import Document

MAGIC = b"\x85\x6f\x4a\x83"
ACTOR, OTHER_ACTOR = b"\x11" * 24, b"\x22" * 24

OBJECT_ACTOR, OBJECT_COUNTER, KEY_TEXT = 0x01, 0x02, 0x15
INSERT, ACTION, VALUE_META, VALUE = 0x34, 0x42, 0x56, 0x57
PRED_COUNT, PRED_ACTOR, PRED_COUNTER = 0x70, 0x71, 0x73


def leb(number: int) -> bytes:
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def sleb(number: int) -> bytes:
    out = b""
    while not -0x40 <= number < 0x40:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number & 0x7F])


def run(count: int, value: bytes) -> bytes:
    """Return one run of `count` equal values; a run of one is written as a literal,
    since the library takes no other spelling.
    """
    return sleb(count if count != 1 else -1) + value


def column(values: Sequence[bytes]) -> bytes:
    """Return a run-length column of encoded `values`, as the library writes it."""
    parts, singles = [], list[bytes]()
    for value, group in groupby(values):
        count = len(list(group))
        if count == 1:
            singles.append(value)
            continue
        parts += [sleb(-len(singles)), *singles] if singles else []
        parts.append(run(count, value))
        singles = []
    parts += [sleb(-len(singles)), *singles] if singles else []
    return b"".join(parts)


def chunk(body: bytes, *, deflated: bool = False) -> bytes:
    """Return the change chunk of `body`, with the checksum that belongs to it."""
    head = b"\x01" + leb(len(body))
    checksum = hashlib.sha256(head + body).digest()[:4]
    if not deflated:
        return MAGIC + checksum + head + body
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(body) + packer.flush()
    return MAGIC + checksum + b"\x02" + leb(len(packed)) + packed


def body_of(raw: bytes) -> bytes:
    """Return what stands behind the head of an uncompressed chunk."""
    at = 9
    while raw[at] & 0x80:
        at += 1
    return raw[at + 1 :]


def craft(
    columns: Mapping[int, bytes],
    *,
    actor: bytes = ACTOR,
    sequence: int = 1,
    start_op: int = 1,
    dependencies: tuple[bytes, ...] = (),
    others: tuple[bytes, ...] = (),
    message: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """Return a change with these column bytes, whatever they say."""
    parts = [leb(len(dependencies)), *dependencies]
    parts += [leb(len(actor)), actor, leb(sequence), leb(start_op), b"\x00"]
    parts += [leb(len(message)), message, leb(len(others))]
    for other in others:
        parts += [leb(len(other)), other]
    parts.append(leb(len(columns)))
    parts += [leb(spec) + leb(len(data)) for spec, data in columns.items()]
    return chunk(b"".join([*parts, *columns.values(), after]))


def one_put(**overrides: bytes) -> dict[int, bytes]:
    """Return the columns of one put of "x" under "k" of the root.

    `overrides` replace or add columns by the name of their constant; an empty one
    takes the column away.
    """
    columns = {
        KEY_TEXT: sleb(-1) + b"\x01k",
        INSERT: b"\x01",
        ACTION: run(1, b"\x01"),
        VALUE_META: run(1, b"\x16"),
        VALUE: b"x",
        PRED_COUNT: run(1, b"\x00"),
    }
    columns |= {globals()[name.upper()]: data for name, data in overrides.items()}
    return {spec: columns[spec] for spec in sorted(columns) if columns[spec]}


# Reproducers from the measurements of the library.
UNREADABLE_AFTER_SAVE = bytes.fromhex(
    "856f4a83399a0726010f00022002ffffff7f0100000000000a"
)
ELEVEN_SECONDS = bytes.fromhex(
    "856f4a8393c610d70129000109010100000006150534034204560457007004b0ea010161b0ea01"
    "b0ea0101b0ea0100b0ea0100"
)
NEVER_RETURNS = bytes.fromhex(
    "856f4a83d8ef943b013800010901010000000615083406420756075700700780808080802001618080"
    "80808020808080808020018080808080200080808080802000"
)


@dataclass(frozen=True)
class Written:
    """A real change, and a snapshot of the document just before it."""

    raw: bytes
    before: bytes


def a_case() -> list[Written]:
    """Return the changes of a case that two people wrote, with a conflict settled."""
    document, birth = Document.begin(
        ACTOR,
        {
            "v": 1,
            "id": "0123",
            "fields": {"name": "张三", "age": 61, "poor": False, "note": None},
            "events": {},
            "materials": {},
        },
    )
    found = [Written(birth, b"")]
    base = document.snapshot()
    other = Document.load(base)
    first = document.write(ACTOR, {"fields": {"name": "李四", "age": 62}})
    second = other.write(OTHER_ACTOR, {"fields": {"name": "王五", "poor": True}})
    found += [Written(first, base), Written(second, base)]
    both = document.apply([second])
    for actor, writes in (
        (
            OTHER_ACTOR,
            {
                "fields": {"name": "赵六", "note": "补正" * 40, "age": -(2**40)},
                "events": {f"{n:032x}": '{"step": "submit"}' for n in range(3)},
            },
        ),
        (ACTOR, {"v": 2, "fields": {"age": None, "poor": False}}),
        (OTHER_ACTOR, {"fields": {"age": 7}}),
    ):
        before = both.snapshot()
        found.append(Written(both.write(actor, writes), before))
    return found


INTERESTING = (0x00, 0x01, 0x02, 0x04, 0x05, 0x07, 0x3F, 0x40, 0x7E, 0x7F, 0x80, 0xFF)


def mutants(seed: int, count: int, bodies: list[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield (which body it came from, damaged change with a right checksum)."""
    chance = random.Random(seed)
    for _ in range(count):
        origin = chance.randrange(len(bodies))
        body = bytearray(bodies[origin])
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            _damage(chance, body, bodies)
        yield origin, chunk(bytes(body), deflated=chance.random() < 0.05)


def _damage(chance: random.Random, body: bytearray, bodies: list[bytes]) -> None:
    at = chance.randrange(len(body)) if body else 0
    match chance.randrange(8):
        case 0 if body:
            body[at] ^= 1 << chance.randrange(8)
        case 1 if body:
            body[at] = chance.randrange(256)
        case 2 if body:
            body[at] = chance.choice(INTERESTING)
        case 3:
            body[at:at] = bytes([chance.choice(INTERESTING)])
        case 4:
            del body[at : at + chance.randrange(1, 4)]
        case 5 if body:
            body[at] = (body[at] + chance.choice((-1, 1))) % 256
        case 6:
            other = chance.choice(bodies)
            start = chance.randrange(len(other))
            part = other[start : start + chance.randrange(1, 12)]
            body[at : at + len(part)] = part
        case _:
            body[at:at] = body[at : at + chance.randrange(1, 6)]
