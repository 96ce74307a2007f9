"""Our own reading of an Automerge change, before the library sees it. Pure.

The binding panics on, dies of, or silently keeps changes that it should refuse; so
every foreign change is read here first, and only a small, flat part of what the
format can say is let through: new maps directly below the root, and scalars put
into the root or into one of those maps. Everything is judged by counts and
structure, never by time, so that each node comes to the same verdict.

Source: the Automerge binary document format, change chunks (types 1 and 2).
"""

import zlib
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from sync.errors import ChangeRefused
from sync.seal import sha256

MAX_STORED_BYTES = 64 * 1024
MAX_RAW_BYTES = 256 * 1024
MAX_DEPENDENCIES = 64
MAX_OPS = 2000
MAX_PREDECESSORS = 4000
MAX_ACTORS = 256
MAX_KEY_BYTES = 127
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


class Op(NamedTuple):
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

    @property
    def last_op(self) -> int:
        """The number of its last operation."""
        return self.start_op + len(self.ops) - 1


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


def _ops(columns: dict[int, bytes], actors: list[bytes], start_op: int) -> list[Op]:
    """Decode the operations; each column must describe equally many of them."""
    actions = _numbers(columns.get(_ACTION, b""), "action")
    count = len(actions)
    if not count:
        raise ChangeRefused("not-allowed", "a change without operations")
    _check_no_lists(columns, count)
    object_actors = _column(columns, _OBJECT_ACTOR, count)
    object_counters = _column(columns, _OBJECT_COUNTER, count)
    keys = _padded(_texts(columns.get(_KEY_TEXT, b"")), count)
    metas = _column(columns, _VALUE_META, count)
    values = columns.get(_VALUE, b"")
    value_at = 0
    pred_counts = [n or 0 for n in _column(columns, _PRED_COUNT, count)]
    preds = _predecessors(columns, actors, pred_counts)
    pred_at = 0
    ops = []
    me, in_object, container = actors[0], (None, None), None
    rows = zip(
        actions, keys, metas, object_actors, object_counters, pred_counts, strict=True
    )
    for offset, (action, key, meta, actor, counter, overwritten) in enumerate(rows):
        if not key:
            raise ChangeRefused("not-allowed", "an empty key")
        if (actor, counter) != in_object:
            # Neighbours mostly write into the same map.
            in_object = (actor, counter)
            container = _op_id(actor, counter, actors)
        kind, length = (meta & 0xF, meta >> 4) if meta else (0, 0)
        value_end = value_at + length
        value = _scalar(kind, values[value_at:value_end], length)
        if action == _MAKE_MAP:
            if container is not None or value is not None:
                raise ChangeRefused("not-allowed", "a map below a map")
        elif action != _SET:
            raise ChangeRefused("not-allowed", f"operation {action}")
        pred_end = pred_at + overwritten
        ops.append(
            Op(
                (start_op + offset, me),
                container,
                key,
                action == _MAKE_MAP,
                value,
                tuple(preds[pred_at:pred_end]),
            )
        )
        value_at, pred_at = value_end, pred_end
    if value_at != len(values):
        raise ChangeRefused("damaged", "values are left over")
    return ops


def _check_no_lists(columns: dict[int, bytes], count: int) -> None:
    """Refuse every trace of a list: inserts, and keys that are element ids."""
    inserts = _Reader(columns.get(_INSERT, b""), 0)
    plain = 0
    while inserts.at < len(inserts.data):
        # Runs of false and true in turn, beginning with false.
        plain += inserts.count(count, "operations")
        if inserts.at < len(inserts.data) and inserts.leb():
            raise ChangeRefused("not-allowed", "writes into a list")
    if plain not in (0, count):
        raise ChangeRefused("damaged", "columns of unequal length")
    if columns.get(_KEY_ACTOR) or columns.get(_KEY_COUNTER):
        raise ChangeRefused("not-allowed", "writes into a list")


def _predecessors(
    columns: dict[int, bytes], actors: list[bytes], counts: list[int]
) -> list[OpId]:
    total = sum(counts)
    if total > MAX_PREDECESSORS:
        raise ChangeRefused("too-large", f"{total} overwritten operations")
    pred_actors = _column(columns, _PRED_ACTOR, total, MAX_PREDECESSORS)
    pred_counters = _padded(
        _deltas(columns.get(_PRED_COUNTER, b""), MAX_PREDECESSORS), total
    )
    found = []
    for actor, counter in zip(pred_actors, pred_counters, strict=True):
        one = _op_id(actor, counter, actors)
        if one is None:
            raise ChangeRefused("damaged", "an overwritten operation has no id")
        found.append(one)
    return found


def _op_id(actor: int | None, counter: int | None, actors: list[bytes]) -> OpId | None:
    if actor is None and counter is None:
        return None
    if actor is None or counter is None or actor >= len(actors) or counter <= 0:
        raise ChangeRefused("damaged", "an operation id points nowhere")
    return counter, actors[actor]


def _scalar(kind: int, data: bytes, length: int) -> Scalar:
    if length > MAX_VALUE_BYTES:
        raise ChangeRefused("too-large", f"a value of {length} bytes")
    if len(data) != length:
        raise ChangeRefused("damaged", "cut off")
    if kind == 6:
        return _utf8(data)
    if kind <= 2 and not length:
        return (None, False, True)[kind]
    if kind not in (3, 4):
        raise ChangeRefused("not-allowed", f"a value of type {kind}")
    reader = _Reader(data, 0)
    number = reader.leb() if kind == 3 else reader.signed_leb()
    if reader.at != length or not -(2**53) < number < 2**53:
        raise ChangeRefused("not-allowed", "a number out of range")
    return number


def _column(
    columns: dict[int, bytes], spec: int, count: int, limit: int = MAX_OPS
) -> list[int | None]:
    """Return a column of `count` numbers."""
    return _padded(_numbers(columns.get(spec, b""), "operations", limit), count)


def _padded(found: list[T | None], count: int) -> list[T | None]:
    """Return `count` values; an empty column stands for nothing everywhere."""
    if not found:
        return [None] * count
    if len(found) != count:
        raise ChangeRefused("damaged", "columns of unequal length")
    return found


def _numbers(data: bytes, what: str, limit: int = MAX_OPS) -> list[int | None]:
    """Decode runs of unsigned numbers. The loop that most of the time goes to."""
    reader = _Reader(data, 0)
    found: list[int | None] = []
    end = len(data)
    while reader.at < end:
        run = reader.run(what, limit - len(found))
        if run > 0:
            found += [reader.leb()] * run
        elif run < 0:
            at = reader.at
            part = data[at : at - run]
            if len(part) == -run and max(part) < 0x80:
                # All of them fit into a byte each, as nearly always.
                found += part
                reader.at = at - run
            else:
                found += [reader.leb() for _ in range(-run)]
        else:
            found += [None] * reader.nothing(what, limit - len(found))
    return found


def _texts(data: bytes) -> list[str | None]:
    reader = _Reader(data, 0)
    found: list[str | None] = []
    while reader.at < len(data):
        run = reader.run("keys", MAX_OPS - len(found))
        if run > 0:
            found += [reader.text()] * run
        elif run < 0:
            at, end = reader.at, len(data)
            for _ in range(-run):
                # A key is shorter than 128 bytes, so its length is one byte.
                if at < end and data[at] > MAX_KEY_BYTES:
                    raise ChangeRefused("too-large", "a key longer than allowed")
                after = at + 1 + data[at] if at < end else end + 1
                if after > end:
                    raise ChangeRefused("damaged", "a key that is cut off")
                found.append(_utf8(data[at + 1 : after]))
                at = after
            reader.at = at
        else:
            found += [None] * reader.nothing("keys", MAX_OPS - len(found))
    return found


def _deltas(data: bytes, limit: int) -> list[int | None]:
    reader = _Reader(data, 0)
    found: list[int | None] = []
    value = 0
    while reader.at < len(data):
        run = reader.run("counters", limit - len(found))
        if not run:
            raise ChangeRefused("not-allowed", "a gap in a counter column")
        step = 0
        for position in range(abs(run)):
            if run < 0 or position == 0:
                step = reader.signed_leb()
            value += step
            if not 0 < value <= MAX_COUNTER:
                raise ChangeRefused("damaged", "a counter out of range")
            found.append(value)
    return found


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
        if at < len(data) and data[at] < 0x80:
            self.at = at + 1
            return data[at]
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
        if at < len(data) and data[at] < 0x80:
            self.at = at + 1
            return data[at] - 0x80 if data[at] & 0x40 else data[at]
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

    def run(self, what: str, left: int) -> int:
        """Return the head of a run: so many equal values, or minus so many single
        ones, or 0 for a run of nothing.
        """
        run = self.signed_leb()
        if abs(run) > left:
            raise ChangeRefused("too-large", f"more {what} than allowed")
        return run

    def nothing(self, what: str, left: int) -> int:
        """Return the length of a run of nothing."""
        run = self.leb()
        if not run:
            raise ChangeRefused("damaged", f"an empty run of {what}")
        if run > left:
            raise ChangeRefused("too-large", f"more {what} than allowed")
        return run

    def text(self) -> str:
        """Return a key."""
        return _utf8(self.take(self.count(MAX_KEY_BYTES, "key bytes")))

    def count(self, limit: int, what: str) -> int:
        number = self.leb()
        if number > limit:
            raise ChangeRefused("too-large", f"{number} {what}, at most {limit}")
        return number
