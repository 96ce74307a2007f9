"""Branches of a joint case 并联审批: departments that decide side by side. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from forms.item import Item


@dataclass(frozen=True, slots=True)
class Branch:
    """One department's part of a case, with a limit of its own.

    `department` is who advises, `workdays` its limit; 0: none but the whole case's.
    """

    key: str
    name: str
    department: str
    workdays: int = 0


def branches(item: Item) -> tuple[Branch, ...]:
    """Return the branches of an item; none where one department decides alone.

    A joint package 一件事 has one for each member; an item by itself one for each of
    the steps that stand side by side, where these are different departments' work.
    """
    if item.members:
        limits = {step.department: step.workdays for step in item.steps}
        return tuple(
            Branch(one.code, one.name, one.department, limits.get(one.department, 0))
            for one in item.members
        )
    for group in _parallel_groups(item):
        if len({one.department for one in group}) > 1:
            return group
    return ()


def branch_keys(item: Item) -> tuple[str, ...]:
    """Return the keys of the branches of an item."""
    return tuple(one.key for one in branches(item))


def _parallel_groups(item: Item) -> Iterator[tuple[Branch, ...]]:
    group: list[Branch] = []
    for step in item.steps:
        if not step.parallel:
            yield tuple(group)
            group = []
        department = step.department or item.department
        group.append(Branch(step.name, step.name, department, step.workdays))
    yield tuple(group)
