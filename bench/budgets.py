"""What a measurement is compared with: the table of DESIGN.md section 10.

Where a budget names a ratio, it is ours to the plain baseline of the same run: the
machine is shared, and another one is another one.
"""

from dataclasses import dataclass
from typing import Literal

from bench.measure import Row


@dataclass(frozen=True, slots=True)
class Budget:
    """At most, or at least, so much: of our own figure, or of its ratio."""

    compared: Literal["ours", "ratio"]
    sense: Literal["<=", ">="]
    limit: float

    def __str__(self) -> str:
        """Return it as it stands in the table."""
        return f"{self.compared} {self.sense} {self.limit:g}"


BUDGETS: dict[tuple[str, str], Budget] = {
    ("W1 new", "bytes"): Budget("ratio", "<=", 1.3),
    ("W1 new", "cpu_s"): Budget("ratio", "<=", 7),
    ("W1 new", "wall_s"): Budget("ratio", "<=", 4),
    ("W2 nothing", "bytes"): Budget("ours", "<=", 1023),
    ("W2 nothing", "requests"): Budget("ours", "<=", 1),
    ("W3 edited", "bytes"): Budget("ratio", "<=", 2.5),
    ("W3 edited", "requests"): Budget("ours", "<=", 1),
    ("W4 both edited", "bytes"): Budget("ratio", "<=", 2.5),
    ("W4 both edited", "requests"): Budget("ours", "<=", 2),
    ("W4 both edited", "conflicts missed"): Budget("ours", "<=", 0),
    ("W4 both edited", "conflicts invented"): Budget("ours", "<=", 0),
    ("W5 cut at half", "bytes sent twice"): Budget("ours", "<=", 64 * 1024),
    ("W5 cut at half, fast line", "bytes sent twice"): Budget("ours", "<=", 64 * 1024),
    ("W6 village-town", "bytes"): Budget("ratio", "<=", 1.3),
    ("W6 town-district", "bytes"): Budget("ratio", "<=", 1.3),
    ("W6 decision, district-town", "bytes"): Budget("ours", "<=", 2047),
    ("W6 decision, town-village", "bytes"): Budget("ours", "<=", 2047),
    ("W7 bad line", "wall_s"): Budget("ratio", "<=", 1.5),
    ("screens", "first list, s"): Budget("ours", "<=", 1.5),
    ("screens", "a page, ms"): Budget("ours", "<=", 100),
    ("screens", "a search, ms"): Budget("ours", "<=", 100),
    ("screens", "a key, ms"): Budget("ours", "<=", 50),
    ("memory", "RSS, MB"): Budget("ours", "<=", 150),
    ("intake", "entries/s"): Budget("ours", ">=", 1500),
    ("disk", "bytes/case"): Budget("ours", "<=", 8 * 1024),
}
"""By work and measure."""


def budget_of(row: Row) -> Budget | None:
    """Return what a row is compared with, if anything."""
    return BUDGETS.get((row.work, row.measure))


def share_of(row: Row) -> float | None:
    """Return how much of its budget a row takes: above 1 it is missed."""
    budget = budget_of(row)
    if budget is None:
        return None
    value = row.ratio if budget.compared == "ratio" else row.ours
    assert value is not None
    if budget.sense == ">=":
        return budget.limit / value
    if not budget.limit:
        return 1.0 + value if value else 0.0  # one is too many
    return value / budget.limit


def is_kept(row: Row) -> bool | None:
    """Say whether a row keeps its budget; None where it has none."""
    share = share_of(row)
    return None if share is None else share <= 1.0
