"""Our own reading of an Automerge change, before the library sees it. Pure.

The binding panics on, dies of, or silently keeps changes that it should refuse; so
every foreign change is read here first, and only a small, flat part of what the
format can say is let through: new maps directly below the root, and scalars put
into the root or into one of those maps. Everything is judged by counts and
structure, never by time, so that each node comes to the same verdict.

What is said must be said in the one way in which the library says it. It saves a
change in other columns and makes the change again from them when it loads; where
that gives other bytes, it cannot load what it has saved. A document can so be told
from its first change alone (`tree_of`), and that change be kept as its snapshot.

Source: the Automerge binary document format, change chunks (types 1 and 2).
"""

import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, compress, repeat
from typing import Any, NamedTuple

import msgspec

from sync.columns import (
    MAX_COUNTER,
    MAX_OPS,
    Reader,
    deltas,
    leb_bytes,
    numbers,
    padded,
    structure,
    texts,
)
from sync.errors import ChangeRefused
from sync.seal import sha256

MAX_STORED_BYTES = 64 * 1024
MAX_RAW_BYTES = 256 * 1024
MAX_DEPENDENCIES = 64
MAX_PREDECESSORS = 4000
MAX_ACTORS = 256
MAX_VALUE_BYTES = 64 * 1024


Scalar = str | int | bool | None
OpId = tuple[int, bytes]
"""(counter, actor)."""

CHANGE_MAGIC = b"\x85\x6f\x4a\x83"
RAW_CHANGE, _DEFLATED = b"\x01", b"\x02"

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
_SHAPE_COLUMNS = (_ACTION, _OBJECT_ACTOR, _OBJECT_COUNTER)
_MAKE_MAP, _SET = 0, 1
_TEXT = 6


class Op(msgspec.Struct, frozen=True, gc=False):
    """One write: `value` put under `key` of `container` (None: the root), or, where
    `makes_map`, a new map there.
    """

    id: OpId
    container: OpId | None
    key: str
    makes_map: bool
    value: Scalar
    overwrites: tuple[OpId, ...]


class Change(msgspec.Struct, frozen=True, gc=False):
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
    raw, change_hash = _raw_chunk(stored)
    reader = Reader(raw, 9)
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
    if not dependencies and (sequence, start_op) != (1, 1):
        raise ChangeRefused("not-allowed", "a first change that is not the first")
    if reader.at != len(raw):
        raise ChangeRefused("not-allowed", "bytes after the last column")
    try:
        ops = _ops(columns, [actor, *others], start_op, is_first=not dependencies)
    except UnicodeDecodeError as error:
        raise ChangeRefused("damaged", "a text that is not UTF-8") from error
    _check_nothing_needless(columns, actor, others, ops)
    return Change(
        raw=raw,
        hash=change_hash,
        dependencies=dependencies,
        actor=actor,
        sequence=sequence,
        start_op=start_op,
        ops=ops,
    )


def tree_of(first: Change) -> dict[str, Scalar | dict[str, Scalar]]:
    """Return the value of a document in which only its first change has happened.

    Where a key is written twice the later write stands, as the library has it.
    """
    tree: dict[str, Any] = {}
    maps: dict[OpId | None, dict[str, Any]] = {None: tree}
    for op in first.ops:
        if op.makes_map:
            maps[op.id] = tree[op.key] = {}
        else:
            maps[op.container][op.key] = op.value
    return tree


def _raw_chunk(stored: bytes) -> tuple[bytes, bytes]:
    """Return the chunk uncompressed, with its checksum verified, and its hash."""
    if len(stored) > MAX_RAW_BYTES or len(stored) < 12:
        raise ChangeRefused("too-large", f"{len(stored)} bytes")
    if stored[:4] != CHANGE_MAGIC:
        raise ChangeRefused("damaged", "does not begin as a change does")
    reader = Reader(stored, 8)
    kind = reader.take(1)
    length = reader.count(MAX_RAW_BYTES, "chunk bytes")
    body = reader.take(length)
    if reader.at != len(stored):
        raise ChangeRefused("damaged", "bytes after the end of the change")
    if kind == _DEFLATED:
        if len(stored) > MAX_STORED_BYTES:
            raise ChangeRefused("too-large", f"{len(stored)} deflated bytes")
        body = _inflate(body)
    elif kind != RAW_CHANGE:
        raise ChangeRefused("not-allowed", f"chunk of type {kind[0]}")
    content = b"".join((RAW_CHANGE, leb_bytes(len(body)), body))
    change_hash = sha256(content)
    if change_hash[:4] != stored[4:8]:
        raise ChangeRefused("damaged", "its checksum does not fit")
    return stored[:8] + content, change_hash


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


def _columns(reader: Reader) -> dict[int, bytes]:
    layout = reader.lebs(2 * reader.count(32, "columns"))
    specs, lengths = layout[::2], layout[1::2]
    last = -1
    for spec in specs:
        if spec <= last or spec not in _KNOWN_COLUMNS:
            raise ChangeRefused("not-allowed", f"column {spec:#x}")
        last = spec
    ends = list(accumulate(lengths, initial=reader.at))
    reader.skip_to(ends[-1])
    return {
        spec: reader.data[start:end]
        for spec, start, end in zip(specs, ends, ends[1:], strict=False)
    }


def _check_nothing_needless(
    columns: dict[int, bytes], me: bytes, others: list[bytes], ops: tuple[Op, ...]
) -> None:
    """Refuse what the library would leave out: empty columns, unused actors."""
    if not all(columns.values()):
        raise ChangeRefused("not-allowed", "an empty column that is written down")
    if not others:
        return
    ids = [one for op in ops for one in (op.container, *op.overwrites) if one]
    if others != sorted({actor for _, actor in ids} - {me}):
        raise ChangeRefused("not-allowed", "other actors than those it refers to")


def _ops(
    columns: dict[int, bytes], actors: list[bytes], start_op: int, *, is_first: bool
) -> tuple[Op, ...]:
    """Decode the operations; each column must describe equally many of them.

    `is_first` says that there is nothing before them into which they could write.
    """
    shape = _shape(*(columns.get(spec, b"") for spec in _SHAPE_COLUMNS))
    count = len(shape.makes)
    _check_no_lists(columns, count)
    keys = padded(texts(columns.get(_KEY_TEXT, b"")), count)
    if not all(keys):
        raise ChangeRefused("not-allowed", "an empty key")
    values = _values(
        padded(numbers(columns.get(_VALUE_META, b"")), count),
        columns.get(_VALUE, b""),
    )
    if any(one is not None for one in compress(values, shape.makes)):
        raise ChangeRefused("not-allowed", "a map with a value")
    containers = _containers(shape, actors, start_op, is_first=is_first)
    return tuple(
        map(
            Op,
            zip(range(start_op, start_op + count), repeat(actors[0]), strict=False),
            map(containers.__getitem__, shape.target_of),
            keys,
            shape.makes,
            values,
            _predecessors(columns, actors, count),
        )
    )


class _Shape(NamedTuple):
    """How the operations of a change are built: `makes` says which of them make a
    map; `targets` are what they write into, as (place of the actor, counter, the
    first that does); `target_of` says for each which of these.
    """

    makes: tuple[bool, ...]
    targets: tuple[tuple[int | None, int | None, int], ...]
    target_of: tuple[int, ...]


@lru_cache(maxsize=128)
def _shape(actions: bytes, object_actors: bytes, object_counters: bytes) -> _Shape:
    """Read the columns that are the same in most changes; so they are read once."""
    found = numbers(actions)
    count = len(found)
    if not count:
        raise ChangeRefused("not-allowed", "a change without operations")
    if not {_MAKE_MAP, _SET}.issuperset(found):
        raise ChangeRefused("not-allowed", "an operation that we do not use")
    makes = tuple(action == _MAKE_MAP for action in found)
    objects = list(
        zip(
            padded(numbers(object_actors), count),
            padded(numbers(object_counters), count),
            strict=True,
        )
    )
    if any(one != (None, None) for one in compress(objects, makes)):
        raise ChangeRefused("not-allowed", "a map below a map")
    firsts = {one: at for at, one in reversed(list(enumerate(objects)))}
    places = {one: place for place, one in enumerate(firsts)}
    return _Shape(
        makes,
        tuple((*one, at) for one, at in firsts.items()),
        tuple(places[one] for one in objects),
    )


def _check_no_lists(columns: dict[int, bytes], count: int) -> None:
    """Refuse every trace of a list: inserts, and keys that are element ids."""
    inserts = Reader(columns.get(_INSERT, b""), 0)
    # Runs of false and true in turn, beginning with false: one run and no more.
    plain = inserts.count(count, "operations")
    if inserts.at < len(inserts.data):
        raise ChangeRefused("not-allowed", "writes into a list")
    if plain != count:
        raise ChangeRefused("damaged", "columns of unequal length")
    if columns.get(_KEY_ACTOR) or columns.get(_KEY_COUNTER):
        raise ChangeRefused("not-allowed", "writes into a list")


def _containers(
    shape: _Shape, actors: list[bytes], start_op: int, *, is_first: bool
) -> list[OpId | None]:
    """Return the maps that are written into."""
    found = []
    for actor, counter, first_writer in shape.targets:
        one = _op_id(actor, counter, actors)
        found.append(one)
        if one is None:
            continue
        is_own = one[1] == actors[0]
        if is_first or (is_own and one[0] >= start_op):
            at = one[0] - start_op
            if not (is_own and 0 <= at < first_writer and shape.makes[at]):
                # The library takes it, and cannot load what it then saves.
                raise ChangeRefused("not-allowed", "writes into what is no map")
    return found


def _predecessors(
    columns: dict[int, bytes], actors: list[bytes], count: int
) -> list[tuple[OpId, ...]]:
    """Return what each operation overwrites."""
    counts = [n or 0 for n in _column(columns, _PRED_COUNT, count)]
    total = sum(counts)
    if total > MAX_PREDECESSORS:
        raise ChangeRefused("too-large", f"{total} overwritten operations")
    pred_actors = _column(columns, _PRED_ACTOR, total, MAX_PREDECESSORS)
    pred_counters = padded(
        deltas(columns.get(_PRED_COUNTER, b""), MAX_PREDECESSORS), total
    )
    if not total:
        return [()] * count
    found = []
    for actor, counter in zip(pred_actors, pred_counters, strict=True):
        one = _op_id(actor, counter, actors)
        if one is None:
            raise ChangeRefused("damaged", "an overwritten operation has no id")
        found.append(one)
    ends = accumulate(counts)
    return [tuple(found[end - n : end]) for n, end in zip(counts, ends, strict=True)]


def _op_id(actor: int | None, counter: int | None, actors: list[bytes]) -> OpId | None:
    if actor is None and counter is None:
        return None
    if actor is None or counter is None or actor >= len(actors) or counter <= 0:
        raise ChangeRefused("damaged", "an operation id points nowhere")
    return counter, actors[actor]


def _values(metas: Sequence[int | None], data: bytes) -> list[Scalar]:
    """Return what each operation puts, given kinds and lengths."""
    found: list[Scalar] = []
    at = 0
    for meta in metas:
        kind, length = (meta & 0xF, meta >> 4) if meta else (0, 0)
        part = data[at : at + length]
        at += length
        if kind == _TEXT and len(part) == length <= MAX_VALUE_BYTES:
            found.append(part.decode())
        else:
            found.append(_scalar(kind, part, length))
    if at != len(data):
        raise ChangeRefused("damaged", "values are left over")
    return found


def _scalar(kind: int, data: bytes, length: int) -> Scalar:
    if length > MAX_VALUE_BYTES:
        raise ChangeRefused("too-large", f"a value of {length} bytes")
    if len(data) != length:
        raise ChangeRefused("damaged", "cut off")
    if kind <= 2 and not length:
        return (None, False, True)[kind]
    if kind not in (3, 4):
        raise ChangeRefused("not-allowed", f"a value of type {kind}")
    reader = Reader(data, 0)
    number = reader.leb() if kind == 3 else reader.signed_leb()
    if reader.at != length or not -(2**53) < number < 2**53:
        raise ChangeRefused("not-allowed", "a number out of range")
    return number


def _column(
    columns: dict[int, bytes], spec: int, count: int, limit: int = MAX_OPS
) -> Sequence[int | None]:
    """Return a column of `count` numbers."""
    return padded(structure(columns.get(spec, b""), limit), count)
