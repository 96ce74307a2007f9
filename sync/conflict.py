"""Fields with two living values. Pure.

The library shows one winner of a concurrent write and hides the others. The changes
themselves say it all: a write is living until another change names it as overwritten.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sync.change import Change, OpId, Scalar
from sync.identity import NODE_ID_BYTES


@dataclass(frozen=True, slots=True)
class Living:
    """One of several values that stand in the same place; `id` is the write."""

    id: OpId
    value: Scalar
    author: bytes
    change: bytes


@dataclass(frozen=True, slots=True)
class Conflict:
    """A place in a document where more than one value is living."""

    container: OpId | None
    key: str
    values: tuple[Living, ...]


class Places:
    """What is living in the places of a document, led on change by change."""

    def __init__(self, changes: Iterable[Change] = ()) -> None:
        """Take some changes up; each needs all its ancestors before it."""
        self._living: dict[tuple[OpId | None, str], dict[OpId, Living]] = {}
        self._place: dict[OpId, tuple[OpId | None, str]] = {}
        for change in changes:
            self.take(change)

    def take(self, change: Change) -> None:
        """Take up a change whose ancestors have been taken up."""
        author = change.actor[:NODE_ID_BYTES]
        for op in change.ops:
            for old in op.overwrites:
                if old in self._place:
                    self._living[self._place[old]].pop(old, None)
            place = self._place[op.id] = (op.container, op.key)
            one = Living(op.id, op.value, author, change.hash)
            self._living.setdefault(place, {})[op.id] = one

    def conflict(self, container: OpId | None, key: str) -> Conflict | None:
        """Return the different values of a place, or None where there is but one.

        Equal values that two people wrote are no conflict.
        """
        found = self._living.get((container, key), {})
        living = [found[op] for op in sorted(found)]
        if len({(type(one.value), one.value) for one in living}) < 2:
            return None
        return Conflict(container, key, tuple(living))

    def conflicts(self) -> list[Conflict]:
        """Return all places with different values, in a stable order."""
        found = [self.conflict(*place) for place in self._living]
        return sorted(
            (one for one in found if one is not None),
            key=lambda c: (c.container or (0, b""), c.key),
        )


def standing(changes: Sequence[Change]) -> list[Conflict]:
    """Return the places where different values are living, in a stable order.

    Needs all ancestors of each change, in any order.
    """
    return Places(_in_causal_order(changes)).conflicts()


def has_stood(changes: Sequence[Change], container: OpId | None) -> bool:
    """Say whether different values were ever living in one place of `container`.

    True as soon as two writes of different values know nothing of each other, and for
    good: whoever settled it, or came round to the same value. Needs all ancestors of
    each change, in any order.
    """
    known: dict[bytes, int] = {}
    written: dict[str, int] = {}
    agreeing: dict[tuple[str, type, Scalar], int] = {}
    for number, change in enumerate(_in_causal_order(changes)):
        seen = 1 << number
        for one in change.dependencies:
            seen |= known[one]
        known[change.hash] = seen
        for op in change.ops:
            if op.container != container:
                continue
            same = (op.key, type(op.value), op.value)
            unseen = written.get(op.key, 0) & ~seen
            if unseen != agreeing.get(same, 0) & ~seen:
                return True
            written[op.key] = written.get(op.key, 0) | 1 << number
            agreeing[same] = agreeing.get(same, 0) | 1 << number
    return False


def _in_causal_order(changes: Sequence[Change]) -> list[Change]:
    by_hash = {change.hash: change for change in changes}
    order: dict[bytes, Change] = {}
    waiting = list(reversed(changes))
    while waiting:
        change = waiting[-1]
        missing = [one for one in change.dependencies if one not in order]
        if missing and change.hash not in order:
            waiting += [by_hash[one] for one in missing]
        else:
            waiting.pop()
            order[change.hash] = change
    return list(order.values())
