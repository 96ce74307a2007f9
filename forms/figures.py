"""What a catalogue promises, in figures: limits, and papers asked for. Pure: no I/O.

Counts for those who answer for a catalogue. Two versions of it are compared by the
codes of items: a name may be put better, a code stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from forms.item import Item
from forms.remarks import keeps_share


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one item.

    `is_short` says whether its promise keeps the share of the legal limit that is
    aimed at, or it is decided at once. `materials_before` is None where there was no
    such item.
    """

    code: str
    name: str
    legal_workdays: int
    promise_workdays: int
    is_short: bool
    materials: int
    materials_before: int | None = None


def figures(items: Iterable[Item], before: Iterable[Item] = ()) -> list[Figures]:
    """Return the figures of each item, in order, beside those of an earlier version."""
    earlier = {item.code: len(item.materials) for item in before}
    return [
        Figures(
            item.code,
            item.name,
            item.legal_workdays,
            item.promise_workdays,
            keeps_share(item),
            len(item.materials),
            earlier.get(item.code),
        )
        for item in items
    ]


def compared(found: Iterable[Figures]) -> tuple[int, int, int]:
    """Return how many items are in both versions, and their papers before and now."""
    both = [one for one in found if one.materials_before is not None]
    before = sum(one.materials_before or 0 for one in both)
    return len(both), before, sum(one.materials for one in both)
