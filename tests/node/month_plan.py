"""What a plan is: the steps of one case, before anything is carried out.

A plan says on which day, at which hour and at which desk each step is taken, and what
the desk's clock said where that is wrong. `month_draw` draws them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from node.lifecycle import Step
from tests.node.month_offers import TABLE, Offer


@dataclass(frozen=True, slots=True)
class Act:
    """What is done to a case: on which day, at which hour, at which desk.

    `day` is the civil day that counts; `stamped` what the desk's clock said, where
    that is another, and `done_on` when it was really done. A fact as
    @pause/0 names an event: the first of that step.
    """

    day: date
    hour: int
    desk: str
    step: Step
    facts: Mapping[str, str] = field(default_factory=dict)
    stamped: date | None = None
    done_on: date | None = None

    @property
    def at(self) -> tuple[date, int]:
        """When it was really done."""
        return (self.done_on or self.day, self.hour)


@dataclass(slots=True)
class Plan:
    """What will happen to one case."""

    offer: Offer
    desk: str
    agent: str
    acts: list[Act] = field(default_factory=list)

    @property
    def is_crossed(self) -> bool:
        """Say whether an acceptance and a withdrawal know nothing of each other."""
        return any(
            (one.step, other.step) == (Step.ACCEPT, Step.WITHDRAW)
            and one.at == other.at
            for one, other in pairwise(self.acts)
        )


def is_workday(day: date) -> bool:
    if day in {one.on for one in TABLE.work}:
        return True
    is_free = day in {one.on for one in TABLE.rest}
    return day.weekday() < 5 and not is_free


def after(day: date, workdays: int) -> date:
    """Return the last day of a limit; the day on which it begins is not counted."""
    while workdays:
        day += timedelta(1)
        workdays -= is_workday(day)
    return day


def kinds_of(cases: Sequence[Plan]) -> set[Step]:
    """Return which kinds of steps come up in some plans."""
    return {act.step for case in cases for act in case.acts}
