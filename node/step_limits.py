"""The limits of the steps of an item 环节时限, desk by desk. Pure: no I/O, no clock.

The steps before the first of the deciding tier are the lower desk's, the rest the upper
one's. A desk begins when the one before has ended: nobody answers for another's delay.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from forms.item import Item
from forms.service import Step as Stage
from node.clocks import StepDue
from node.records import Records
from node.stops import Stop, last_day
from node.workdays import Calendar

AMBER_LEFT = 5
"""Amber when a fifth of a limit is left: four fifths of it are used."""


@dataclass(frozen=True, slots=True)
class Course:
    """How far a case has gone, by days.

    Attributes:
        taken_up_on: when somebody took it up.
        forwarded_on: when it went up, or else was decided; None: it did not yet.
        decided_on: None: it is not.
        promise_due_on: the last day that was promised.
        advised: when a branch of a joint case decided, by its key.
    """

    taken_up_on: date
    forwarded_on: date | None
    decided_on: date | None
    promise_due_on: date
    advised: Mapping[str, date]


def step_dues(
    item: Item,
    known: Records,
    course: Course,
    calendar: Calendar,
    stops: Iterable[Stop],
) -> Iterator[StepDue]:
    """Yield the limits of the steps that the promise counts, in their order.

    The lower desk ends with the case's going up, the upper one with the decision.
    """
    one = _Desks(item, known, course, calendar, tuple(stops))
    lower, upper = _desks((step for step in item.steps if step.counted), item)
    yield from one.desk(lower, course.taken_up_on, course.forwarded_on)
    start = course.taken_up_on
    if lower:
        start = course.forwarded_on or one.planned(lower)
    is_begun = not lower or course.forwarded_on is not None
    for due in one.desk(upper, start, course.decided_on):
        yield replace(due, is_measured=due.is_measured and is_begun)


def branches_of(step: Stage, item: Item, known: Records) -> list[str]:
    """Return the keys of the branches of a joint case that a step is of: its own, or
    in a package those of its members whose department it names.
    """
    return [
        one.branch.key
        for one in known.branches
        if one.branch.name == step.name
        or (item.members and one.branch.department == step.department)
    ]


def warn_day(calendar: Calendar, due: date, workdays: int) -> date:
    """Return the day on which four fifths of a limit are used, at the latest the
    working day before the last.
    """
    return calendar.workday_before(due, max(1, workdays // AMBER_LEFT))


@dataclass(frozen=True, slots=True)
class _Desks:
    item: Item
    known: Records
    course: Course
    calendar: Calendar
    stops: tuple[Stop, ...]

    def desk(
        self, stages: list[list[Stage]], start: date, ended_on: date | None
    ) -> Iterator[StepDue]:
        used = 0
        for number, stage in enumerate(stages, start=1):
            for step in stage:
                due = last_day(self.calendar, start, used + step.workdays, self.stops)
                branches = branches_of(step, self.item, self.known)
                done_on = self.all_advised(branches)
                is_last = number == len(stages) and len(stage) == 1
                yield StepDue(
                    step.name,
                    step.tier,
                    step.department or self.item.department,
                    due,
                    warn_day(self.calendar, due.on, step.workdays),
                    done_on or ended_on,
                    # What ends with the promise is told by the promise.
                    (bool(branches) or is_last) and due.on < self.course.promise_due_on,
                )
            used += max(one.workdays for one in stage)

    def planned(self, stages: list[list[Stage]]) -> date:
        """Return when a desk will have ended if it takes all of its days."""
        workdays = sum(max(one.workdays for one in stage) for stage in stages)
        start = self.course.taken_up_on
        return last_day(self.calendar, start, workdays, self.stops).on

    def all_advised(self, branches: list[str]) -> date | None:
        """Return when the last of some branches decided; None before, or for none."""
        days = [self.course.advised.get(key) for key in branches]
        told = [day for day in days if day]
        return max(told, default=None) if len(told) == len(days) else None


def _desks(
    steps: Iterable[Stage], item: Item
) -> tuple[list[list[Stage]], list[list[Stage]]]:
    """Return the steps before the first of the deciding tier, and the rest, each in
    stages of what runs side by side.
    """
    lower: list[list[Stage]] = []
    upper: list[list[Stage]] = []
    for step in steps:
        is_upper = bool(upper) or step.tier is item.decide
        desk = upper if is_upper else lower
        if step.parallel and desk:
            desk[-1].append(step)
        else:
            desk.append([step])
    return lower, upper
