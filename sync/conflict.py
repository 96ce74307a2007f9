"""Fields with two living values. Pure.

The library shows one winner of a concurrent write and hides the others. The changes
themselves say it all: a write is living until another change names it as overwritten.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sync.change import Change, OpId, Scalar
from sync.identity import NODE_ID_BYTES


@dataclass(frozen=True, slots=True)
class Living:
    """One of several values that stand in the same place."""

    value: Scalar
    author: bytes
    change: bytes


@dataclass(frozen=True, slots=True)
class Conflict:
    """A place in a document where more than one value is living."""

    container: OpId | None
    key: str
    values: tuple[Living, ...]


def standing(changes: Iterable[Change]) -> list[Conflict]:
    """Return the places where different values are living, in a stable order.

    Equal values that two people wrote are no conflict.
    """
    written: dict[tuple[OpId | None, str], dict[OpId, Living]] = {}
    overwritten: set[OpId] = set()
    for change in changes:
        author = change.actor[:NODE_ID_BYTES]
        for op in change.ops:
            overwritten.update(op.overwrites)
            place = written.setdefault((op.container, op.key), {})
            place[op.id] = Living(op.value, author, change.hash)
    found = []
    for (container, key), ops in written.items():
        living = [ops[op] for op in sorted(ops) if op not in overwritten]
        if len({(type(one.value), one.value) for one in living}) > 1:
            found.append(Conflict(container, key, tuple(living)))
    return sorted(found, key=lambda c: (c.container or (0, b""), c.key))
