"""Our own reading of an Automerge change, before the library sees it. Pure.

The binding panics on, dies of, or silently keeps changes that it should refuse; so
every foreign change is read here first, and only a small, flat part of what the
format can say is let through: new maps directly below the root, and scalars put
into the root or into one of those maps. Everything is judged by counts and
structure, never by time, so that each node comes to the same verdict.

Source: the Automerge binary document format, change chunks (types 1 and 2).
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from sync.errors import ChangeRefused
from sync.seal import sha256

MAX_STORED_BYTES = 64 * 1024
MAX_RAW_BYTES = 256 * 1024
MAX_DEPENDENCIES = 64
MAX_OPS = 2000
MAX_PREDECESSORS = 4000
MAX_ACTORS = 256
MAX_KEY_BYTES = 128
MAX_VALUE_BYTES = 64 * 1024
MAX_COUNTER = 2**40

T = TypeVar("T")

Scalar = str | int | bool | None
OpId = tuple[int, bytes]
"""(counter, actor)."""

_MAGIC = b"\x85\x6f\x4a\x83"
_RAW, _DEFLATED = 1, 2

_OBJECT_ACTOR, _OBJECT_COUNTER = 0x01, 0x02
_KEY_ACTOR, _KEY_COUNTER, _KEY_TEXT = 0x11, 0x13, 0x15
_INSERT, _ACTION = 0x34, 0x42
_VALUE_META, _VALUE = 0x56, 0x57
_PRED_COUNT, _PRED_ACTOR, _PRED_COUNTER = 0x70, 0x71, 0x73
_KNOWN_COLUMNS = {
    _OBJECT_ACTOR,
    _OBJECT_COUNTER,
    _KEY_ACTOR,
    _KEY_COUNTER,
    _KEY_TEXT,
    _INSERT,
    _ACTION,
    _VALUE_META,
    _VALUE,
    _PRED_COUNT,
    _PRED_ACTOR,
    _PRED_COUNTER,
}
_MAKE_MAP, _SET = 0, 1


@dataclass(frozen=True, slots=True)
class Op:
    """One write: `value` put under `key` of `container` (None: the root), or, where
    `makes_map`, a new map there.
    """

    id: OpId
    container: OpId | None
    key: str
    makes_map: bool
    value: Scalar
    overwrites: tuple[OpId, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a change says of itself. `raw` is the whole uncompressed chunk."""

    raw: bytes
    hash: bytes
    dependencies: tuple[bytes, ...]
    actor: bytes
    sequence: int
    start_op: int
    ops: tuple[Op, ...]


def read_change(stored: bytes) -> Change:
    """Return the change in `stored`, which is exactly one change chunk.

    Raises:
        ChangeRefused: damaged, beyond a limit, or outside the part of the format
            that we use. `cause` is "damaged", "too-large" or "not-allowed".
    """
    raw = _raw_chunk(stored)
    reader = _Reader(raw, 9)
    reader.leb()
    dependencies = tuple(
        reader.take(32) for _ in range(reader.count(MAX_DEPENDENCIES, "dependencies"))
    )
    actor = reader.take(reader.count(64, "actor bytes"))
    sequence = reader.count(MAX_COUNTER, "sequence")
    start_op = reader.count(MAX_COUNTER, "start op")
    reader.signed_leb()
    reader.take(reader.count(1024, "message bytes"))
    others = [
        reader.take(reader.count(64, "actor bytes"))
        for _ in range(reader.count(MAX_ACTORS, "actors"))
    ]
    columns = _columns(reader)
    if not sequence or not start_op or not actor:
        raise ChangeRefused("damaged", "actor, sequence or start op is empty")
    if reader.at != len(raw):
        raise ChangeRefused("not-allowed", "bytes after the last column")
    return Change(
        raw=raw,
        hash=sha256(raw[8:]),
        dependencies=dependencies,
        actor=actor,
        sequence=sequence,
        start_op=start_op,
        ops=tuple(_ops(columns, [actor, *others], start_op)),
    )


def _raw_chunk(stored: bytes) -> bytes:
    """Return the chunk uncompressed, with its checksum verified."""
    if len(stored) > MAX_RAW_BYTES or len(stored) < 12:
        raise ChangeRefused("too-large", f"{len(stored)} bytes")
    if stored[:4] != _MAGIC:
        raise ChangeRefused("damaged", "does not begin as a change does")
    reader = _Reader(stored, 8)
    kind = reader.take(1)[0]
    length = reader.count(MAX_RAW_BYTES, "chunk bytes")
    body = reader.take(length)
    if reader.at != len(stored):
        raise ChangeRefused("damaged", "bytes after the end of the change")
    if kind == _DEFLATED:
        if len(stored) > MAX_STORED_BYTES:
            raise ChangeRefused("too-large", f"{len(stored)} deflated bytes")
        body = _inflate(body)
    elif kind != _RAW:
        raise ChangeRefused("not-allowed", f"chunk of type {kind}")
    head = bytes([_RAW]) + _leb_bytes(len(body))
    if sha256(head, body)[:4] != stored[4:8]:
        raise ChangeRefused("damaged", "its checksum does not fit")
    return _MAGIC + stored[4:8] + head + body


def _inflate(body: bytes) -> bytes:
    inflater = zlib.decompressobj(-15)
    try:
        plain = inflater.decompress(body, MAX_RAW_BYTES + 1)
    except zlib.error as error:
        raise ChangeRefused("damaged", "cannot be inflated") from error
    if len(plain) > MAX_RAW_BYTES:
        raise ChangeRefused("too-large", "more than allowed after inflating")
    if not inflater.eof or inflater.unused_data:
        raise ChangeRefused("damaged", "its deflated body is cut or too long")
    return plain


def _columns(reader: "_Reader") -> dict[int, bytes]:
    layout = []
    last = -1
    for _ in range(reader.count(32, "columns")):
        spec = reader.count(2**16, "column")
        length = reader.count(MAX_RAW_BYTES, "column bytes")
        if spec <= last or spec not in _KNOWN_COLUMNS:
            raise ChangeRefused("not-allowed", f"column {spec:#x}")
        last = spec
        layout.append((spec, length))
    return {spec: reader.take(length) for spec, length in layout}


def _ops(columns: dict[int, bytes], actors: list[bytes], start_op: int) -> Iterator[Op]:
    """Decode the operations; each column must describe equally many of them."""
    actions = list(_run_lengths(columns.get(_ACTION, b""), "action"))
    count = len(actions)
    if not count:
        raise ChangeRefused("not-allowed", "a change without operations")
    if any(_booleans(columns.get(_INSERT, b""), count)):
        raise ChangeRefused("not-allowed", "writes into a list")
    if columns.get(_KEY_ACTOR) or columns.get(_KEY_COUNTER):
        raise ChangeRefused("not-allowed", "writes into a list")
    object_actors = _exactly(
        count, _run_lengths(columns.get(_OBJECT_ACTOR, b""), "object")
    )
    object_counters = _exactly(
        count, _run_lengths(columns.get(_OBJECT_COUNTER, b""), "object")
    )
    keys = _exactly(count, _texts(columns.get(_KEY_TEXT, b"")))
    metas = _exactly(count, _run_lengths(columns.get(_VALUE_META, b""), "value"))
    values = _Reader(columns.get(_VALUE, b""), 0)
    pred_counts = [
        n or 0
        for n in _exactly(count, _run_lengths(columns.get(_PRED_COUNT, b""), "pred"))
    ]
    preds = _predecessors(columns, actors, pred_counts)
    for offset in range(count):
        action = actions[offset]
        key = keys[offset]
        if not key:
            raise ChangeRefused("not-allowed", "an empty key")
        container = _op_id(object_actors[offset], object_counters[offset], actors)
        value = _scalar(metas[offset] or 0, values)
        if action == _MAKE_MAP:
            if container is not None or value is not None:
                raise ChangeRefused("not-allowed", "a map below a map")
        elif action != _SET:
            raise ChangeRefused("not-allowed", f"operation {action}")
        yield Op(
            id=(start_op + offset, actors[0]),
            container=container,
            key=key,
            makes_map=action == _MAKE_MAP,
            value=value,
            overwrites=tuple(next(preds) for _ in range(pred_counts[offset])),
        )
    if values.at != len(values.data):
        raise ChangeRefused("damaged", "values are left over")


def _predecessors(
    columns: dict[int, bytes], actors: list[bytes], counts: list[int]
) -> Iterator[OpId]:
    total = sum(counts)
    if total > MAX_PREDECESSORS:
        raise ChangeRefused("too-large", f"{total} overwritten operations")
    pred_actors = _exactly(
        total, _run_lengths(columns.get(_PRED_ACTOR, b""), "pred", MAX_PREDECESSORS)
    )
    pred_counters = _exactly(
        total, _deltas(columns.get(_PRED_COUNTER, b""), MAX_PREDECESSORS)
    )
    for actor, counter in zip(pred_actors, pred_counters, strict=True):
        found = _op_id(actor, counter, actors)
        if found is None:
            raise ChangeRefused("damaged", "an overwritten operation has no id")
        yield found


def _op_id(actor: int | None, counter: int | None, actors: list[bytes]) -> OpId | None:
    if actor is None and counter is None:
        return None
    if actor is None or counter is None or actor >= len(actors) or counter <= 0:
        raise ChangeRefused("damaged", "an operation id points nowhere")
    return counter, actors[actor]


def _exactly(count: int, values: Iterator[T | None]) -> list[T | None]:
    """Return `count` values; an empty column stands for nothing everywhere."""
    found = list(values)
    if not found:
        return [None] * count
    if len(found) != count:
        raise ChangeRefused("damaged", "columns of unequal length")
    return found


def _scalar(meta: int, values: "_Reader") -> Scalar:
    kind, length = meta & 0xF, meta >> 4
    if length > MAX_VALUE_BYTES:
        raise ChangeRefused("too-large", f"a value of {length} bytes")
    data = _Reader(values.take(length), 0)
    match kind:
        case 0 | 1 | 2 if length == 0:
            return (None, False, True)[kind]
        case 3:
            number = data.leb()
        case 4:
            number = data.signed_leb()
        case 6:
            return _utf8(data.data)
        case _:
            raise ChangeRefused("not-allowed", f"a value of type {kind}")
    if data.at != length or not -(2**53) < number < 2**53:
        raise ChangeRefused("not-allowed", "a number out of range")
    return number


def _run_lengths(data: bytes, what: str, limit: int = MAX_OPS) -> Iterator[int | None]:
    reader = _Reader(data, 0)
    for run, is_literal in _runs(reader, what, limit):
        if is_literal is None:
            yield from [None] * run
        elif is_literal:
            for _ in range(run):
                yield reader.leb()
        else:
            yield from [reader.leb()] * run


def _texts(data: bytes) -> Iterator[str | None]:
    reader = _Reader(data, 0)
    for run, is_literal in _runs(reader, "key", MAX_OPS):
        if is_literal is None:
            yield from [None] * run
        elif is_literal:
            for _ in range(run):
                yield _utf8(reader.take(reader.count(MAX_KEY_BYTES, "key bytes")))
        else:
            yield from [
                _utf8(reader.take(reader.count(MAX_KEY_BYTES, "key bytes")))
            ] * run


def _deltas(data: bytes, limit: int) -> Iterator[int | None]:
    reader = _Reader(data, 0)
    value = 0
    for run, is_literal in _runs(reader, "pred", limit):
        if is_literal is None:
            raise ChangeRefused("not-allowed", "a gap in a counter column")
        step = 0
        for position in range(run):
            if is_literal or position == 0:
                step = reader.signed_leb()
            value += step
            if not 0 < value <= MAX_COUNTER:
                raise ChangeRefused("damaged", "a counter out of range")
            yield value


def _runs(
    reader: "_Reader", what: str, limit: int
) -> Iterator[tuple[int, bool | None]]:
    """Yield (length, literal?) of each run; None instead of a bool is a run of
    nothing. The caller reads the values that follow a run before the next.
    """
    total = 0
    while reader.at < len(reader.data):
        run = reader.signed_leb()
        is_literal: bool | None = run < 0
        if run == 0:
            run, is_literal = reader.leb(), None
        run = abs(run)
        total += run
        if not run:
            raise ChangeRefused("damaged", f"an empty run of {what}")
        if total > limit:
            raise ChangeRefused("too-large", f"more than {limit} entries of {what}")
        yield run, is_literal


def _booleans(data: bytes, count: int) -> Iterator[bool]:
    reader = _Reader(data, 0)
    total, value = 0, False
    while reader.at < len(data):
        run = reader.leb()
        total += run
        if total > count:
            raise ChangeRefused("damaged", "columns of unequal length")
        yield from [value] * run
        value = not value


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ChangeRefused("damaged", "a text that is not UTF-8") from error


def _leb_bytes(number: int) -> bytes:
    out = bytearray()
    while True:
        low, number = number & 0x7F, number >> 7
        out.append(low | 0x80 if number else low)
        if not number:
            return bytes(out)


class _Reader:
    """A cursor over bytes; whatever is missing is a refusal, never an IndexError."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def take(self, length: int) -> bytes:
        end = self.at + length
        if end > len(self.data):
            raise ChangeRefused("damaged", "cut off")
        part = self.data[self.at : end]
        self.at = end
        return part

    def leb(self) -> int:
        """Unsigned LEB128, at most 64 bits."""
        data, at = self.data, self.at
        result = shift = 0
        while at < len(data) and shift < 70:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.at = at
                return result
            shift += 7
        raise ChangeRefused("damaged", "a number that does not end")

    def signed_leb(self) -> int:
        """Signed LEB128, at most 64 bits."""
        data, at = self.data, self.at
        result = shift = 0
        while at < len(data) and shift < 70:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                self.at = at
                return result - (1 << shift) if byte & 0x40 else result
        raise ChangeRefused("damaged", "a number that does not end")

    def count(self, limit: int, what: str) -> int:
        number = self.leb()
        if number > limit:
            raise ChangeRefused("too-large", f"{number} {what}, at most {limit}")
        return number
