"""Tables from which a seed draws what happens."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Does = TypeVar("Does", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Row(Generic[Does]):
    """Something that may happen: its name in reports, how often, and what it does."""

    name: str
    weight: float
    do: Does


def draw(
    chance: random.Random,
    rows: Sequence[Row[Does]],
    factors: Mapping[str, float] | None = None,
) -> Row[Does]:
    """Return one row, by weight; that of some, by name, times a factor."""
    often = factors or {}
    (row,) = chance.choices(rows, [row.weight * often.get(row.name, 1) for row in rows])
    return row
