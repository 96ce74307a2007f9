"""The door to Automerge: documents, and nothing of the library beyond this file.

A document is a root of scalars and of maps of scalars, no deeper. All maps are made
in its first change. Who writes signs with an *actor* of `sync.actor`.

What is read from the library is believed only after `load(save())` gave back the
same heads. The binding raises `PanicException`, which is no `Exception`: `_guarded`
turns everything but an interrupt into our own error, and a document that has failed
once is thrown away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from automerge import core

from sync.actor import NONCE_BYTES, actor_of, nonce_after
from sync.change import MAX_VALUE_BYTES, Scalar
from sync.columns import MAX_KEY_BYTES, MAX_OPS
from sync.envelope import split
from sync.errors import ChangeRefused, DocumentDamaged

Tree = dict[str, Scalar | dict[str, Scalar]]
"""The present value of a document: root scalars, and root maps of scalars."""

Writes = Mapping[str, Scalar | Mapping[str, Scalar]]
"""What one change puts: the same shape as `Tree`, with only what is written."""


class Document:
    """One loaded document. Use it in one thread and let it go."""

    __slots__ = ("_inner",)

    def __init__(self, inner: core.Document) -> None:
        """Wrap a library document; use `begin` or `load` instead."""
        self._inner = inner

    @classmethod
    def begin(cls, actor: bytes, writes: Writes) -> tuple["Document", bytes]:
        """Return a new document and its first change.

        Every map in `writes` is made here, also an empty one.
        """
        _check(writes)
        with _guarded("begin"):
            inner = core.Document()
            inner.set_actor(actor)
            with inner.transaction() as tx:
                for key, value in writes.items():
                    if isinstance(value, Mapping):
                        made = tx.put_object(core.ROOT, key, core.ObjType.Map)
                        _put_all(tx, made, value)
                    else:
                        _put(tx, core.ROOT, key, value)
            document = cls(inner)
            return document, document._changes_since([])[-1]

    @classmethod
    def load(cls, snapshot: bytes) -> "Document":
        """Return the document of a snapshot that this node has made.

        Raises:
            DocumentDamaged: the library cannot read it.
        """
        with _guarded("load"):
            return cls(core.Document.load(snapshot))

    def actor_for(self, node: bytes, writes: Writes) -> bytes:
        """Return the actor under which `node` writes `writes` here, see `sync.actor`.

        It follows from a trial: the library numbers other actors than the writer's by
        their own order, so that nothing but the actor's own place changes with it.
        """
        with _guarded("fork"):
            trial = Document(self._inner.fork())
        parts = split(trial.write(actor_of(node, bytes(NONCE_BYTES)), writes))
        assert parts is not None, "the library writes what cannot be taken apart"
        return actor_of(node, nonce_after(parts.dependencies, parts.tail))

    def write(self, actor: bytes, writes: Writes) -> bytes:
        """Put `writes` in one change and return that change, raw.

        Values that stand already are left out; at least one must differ.
        """
        _check(writes)
        with _guarded("write"):
            before = self._inner.get_heads()
            self._inner.set_actor(actor)
            with self._inner.transaction() as tx:
                for key, value in writes.items():
                    if isinstance(value, Mapping):
                        found = tx.get(core.ROOT, key)
                        assert found is not None, f"map {key} was not made at birth"
                        _put_all(tx, found[1], value)
                    else:
                        _put(tx, core.ROOT, key, value)
            made = self._changes_since(before)
        assert len(made) == 1, "a write that changes nothing"
        return made[0]

    def apply(self, changes: Sequence[bytes]) -> "Document":
        """Return this document with raw `changes` applied, in causal order."""
        with _guarded("apply"):
            return Document(
                core.Document.load(b"".join((self._inner.save(), *changes)))
            )

    def heads(self) -> tuple[bytes, ...]:
        """Return the hashes that nothing follows yet, sorted."""
        with _guarded("heads"):
            return tuple(sorted(self._inner.get_heads()))

    def has_all(self, hashes: Sequence[bytes]) -> bool:
        """Say whether every change of `hashes` has been taken up.

        The library keeps a change whose parts are missing in silence.
        """
        with _guarded("look up"):
            known = {change.hash for change in self._inner.get_changes([])}
        return known.issuperset(hashes)

    def tree(self, heads: Iterable[bytes] | None = None) -> Tree:
        """Return the value now, or as it was at `heads`; no heads, no value."""
        at = None if heads is None else list(heads)
        if at == []:
            return {}
        with _guarded("read"):
            return _read(self._inner, at)

    def snapshot(self) -> bytes:
        """Return the bytes to store, proven to load again with the same heads.

        Raises:
            DocumentDamaged: what the library saves it cannot read again.
        """
        with _guarded("save"):
            saved: bytes = self._inner.save()
            again = core.Document.load(saved)
            if sorted(again.get_heads()) != sorted(self._inner.get_heads()):
                raise DocumentDamaged("a saved document loads with other heads")
            return saved

    def _changes_since(self, heads: list[bytes]) -> list[bytes]:
        return [change.raw_bytes for change in self._inner.get_changes(heads)]


def merge_changes(snapshot: bytes, changes: Sequence[bytes]) -> Document:
    """Return a document from a snapshot (empty: none yet) and raw changes.

    For foreign changes this runs in the child process only, see `sync.worker`.

    Raises:
        ChangeRefused: the library does not take them, or keeps one waiting.
    """
    try:
        with _guarded("merge"):
            return Document(core.Document.load(b"".join((snapshot, *changes))))
    except DocumentDamaged as error:
        raise ChangeRefused("library", str(error)) from error


def _read(inner: core.Document, heads: list[bytes] | None) -> Tree:
    tree: Tree = {}
    for key, (value, object_id) in _items(inner, core.ROOT, heads):
        if isinstance(value, core.ObjType):
            tree[key] = {
                name: _scalar(inside)
                for name, (inside, _) in _items(inner, object_id, heads)
            }
        else:
            tree[key] = _scalar(value)
    return tree


def _items(
    inner: core.Document, map_id: bytes, heads: list[bytes] | None
) -> Iterator[tuple[str, tuple[core.Value, bytes]]]:
    """Yield (key, (value, object id)) of a map: two calls, not one for each key."""
    return zip(inner.keys(map_id, heads), inner.values(map_id, heads), strict=True)


def _scalar(value: core.Value) -> Scalar:
    if isinstance(value, core.ObjType):
        raise ChangeRefused("schema", "a container where a scalar must stand")
    kind, plain = value
    if kind not in _SCALARS:
        raise ChangeRefused("schema", f"a value of type {kind}")
    assert plain is None or isinstance(plain, str | int)
    return plain


_SCALARS = (
    core.ScalarType.Str,
    core.ScalarType.Int,
    core.ScalarType.Uint,
    core.ScalarType.Boolean,
    core.ScalarType.Null,
)


def _put_all(tx: core.Transaction, into: bytes, values: Mapping[str, Scalar]) -> None:
    for key, value in values.items():
        _put(tx, into, key, value)


def _put(tx: core.Transaction, into: bytes, key: str, value: Scalar) -> None:
    # bool first: it is an int for Python.
    if isinstance(value, bool):
        tx.put(into, key, core.ScalarType.Boolean, value)
    elif isinstance(value, int):
        tx.put(into, key, core.ScalarType.Int, value)
    elif isinstance(value, str):
        tx.put(into, key, core.ScalarType.Str, value)
    else:
        tx.put(into, key, core.ScalarType.Null, None)


def _check(writes: Writes) -> None:
    """Check types and limits before a transaction opens: a panic inside one is fatal,
    and what a reader would refuse must not be written.

    Raises:
        TypeError, ValueError: something cannot be stored, or is too much.
    """
    count = 0
    for key, value in writes.items():
        count += 1
        if isinstance(value, Mapping):
            _check_key(key)
            count += len(value)
            for name, scalar in value.items():
                _check_scalar(name, scalar)
        else:
            _check_scalar(key, value)
    if count > MAX_OPS:
        raise ValueError(f"{count} writes in one change, at most {MAX_OPS}")


def _check_scalar(key: object, value: object) -> None:
    _check_key(key)
    match value:
        case bool() | None:
            pass
        case int():
            if not -(2**53) < value < 2**53:
                raise ValueError(f"{key}: a number out of range")
        case str():
            if len(value.encode()) > MAX_VALUE_BYTES:
                raise ValueError(f"{key}: more than {MAX_VALUE_BYTES} bytes")
        case _:
            raise TypeError(f"{key}: {type(value).__name__} cannot be stored")


def _check_key(key: object) -> None:
    if not isinstance(key, str):
        raise TypeError(f"a key of type {type(key).__name__}")
    if not 0 < len(key.encode()) <= MAX_KEY_BYTES:
        raise ValueError("a key that is empty or too long")


@contextmanager
def _guarded(doing: str) -> Iterator[None]:
    try:
        yield
    except (DocumentDamaged, ChangeRefused, AssertionError, MemoryError):
        raise
    except Exception as error:
        raise DocumentDamaged(f"automerge could not {doing}: {error}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise DocumentDamaged(f"automerge panicked on {doing}: {error}") from error
