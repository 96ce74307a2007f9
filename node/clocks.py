"""The clocks of a case: by when what must be done. Pure: no I/O, no clock.

All days are civil days in China, all limits working days, and the day on which a limit
begins is never counted. What is kept here follows from the events and the calendar
alone, so that it is the same on every node and never grows stale; what depends on
today is asked of it (`as_of`, `light`). How it is made: `node.reckoning`, what moves
a limit: `node.stops`.

Sources: 行政许可法 第三十二条 (five days to tell what is missing, else accepted from
the day of receipt), 第四十二条 (one extension), 第四十四条 (ten days to deliver),
第四十五条 (what a limit does not count).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from forms.service import Tier
from node.days import LONGEST_REST, SKEW
from node.workdays import Calendar, Due

ACCEPT, PROMISE, LEGAL, DELIVER, STEP = "accept", "promise", "legal", "deliver", "step/"
"""Which clock a day or a lapse is of; the name of a step follows the last."""

AMBER, RED = "amber", "red"


@dataclass(frozen=True, slots=True)
class StepDue:
    """The limit of one step of an item 环节时限.

    What no event ends by itself is planned only: of the steps of one desk the last is
    measured, when the case goes on.
    """

    name: str
    tier: Tier
    department: str
    due: Due
    warn_on: date
    done_on: date | None
    is_measured: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """What runs from an acceptance."""

    accepted_on: date
    promise_due: Due
    legal_due: Due
    promise_warn_on: date
    step_dues: tuple[StepDue, ...] = ()


@dataclass(frozen=True, slots=True)
class NextDay:
    """The day that matters next, of which clock, and from when on it is amber."""

    kind: str
    due: Due
    warn_on: date


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of a case, as far as its events tell.

    Attributes:
        received_on: of the first submission; None: there is none.
        first_workday: the legal day of receipt: that day or the next that is worked.
        told_by: by when the applicant must be told what is missing; of the papers
            that were accepted, or else handed in last.
        answered_on: when he was told, or it was accepted; None: it is still open.
        limits: what runs from acceptance; None: no limit of a decision runs.
        untold: what will run from the day of receipt if nobody says a word by
            `told_by`; None once somebody has, see `as_of`.
        is_deemed: accepted by law, since nobody said a word in time.
        late_returns: ids of notices of correction that came too late for `told_by`:
            they stop nothing.
        decided_on, delivered_on: None where that has not happened.
        deliver_by: with the decision.
        ended_on: of a refusal to accept, a withdrawal, or an end by the office.
        paused_since: a special procedure runs, or the applicant corrects.
        next_day: None where no day is waited for.
        doubtful: events whose clocks cannot be right.
        on: the civil day of each event, by its id.
        unhelped: for each author who has put a day in the place of one that nobody
            doubted, by the first 16 hex digits of the node, the clocks without it.
    """

    received_on: date | None = None
    first_workday: date | None = None
    told_by: Due | None = None
    answered_on: date | None = None
    limits: Limits | None = None
    untold: Limits | None = None
    is_deemed: bool = False
    late_returns: tuple[str, ...] = ()
    decided_on: date | None = None
    deliver_by: Due | None = None
    delivered_on: date | None = None
    ended_on: date | None = None
    paused_since: date | None = None
    next_day: NextDay | None = None
    doubtful: tuple[str, ...] = ()
    on: Mapping[str, date] = field(default_factory=dict)
    unhelped: Mapping[str, "Clocks"] = field(default_factory=dict)

    @property
    def accepted_on(self) -> date | None:
        """The day from which the limits run."""
        return self.limits.accepted_on if self.limits else None

    @property
    def promise_due(self) -> Due | None:
        """The last day that was promised 承诺时限."""
        return self.limits.promise_due if self.limits else None

    @property
    def legal_due(self) -> Due | None:
        """The last day that the law allows 法定时限."""
        return self.limits.legal_due if self.limits else None

    @property
    def step_dues(self) -> tuple[StepDue, ...]:
        """The limits of the item's steps."""
        return self.limits.step_dues if self.limits else ()

    @property
    def reckoned_to(self) -> date | None:
        """The last day that any limit was reckoned to: another calendar of later days
        changes nothing.
        """
        dues = [self.told_by, self.deliver_by]
        if self.limits:
            dues += [self.limits.promise_due, self.limits.legal_due]
            dues += [one.due for one in self.limits.step_dues]
        return max((due.on for due in dues if due), default=None)

    @property
    def warn_on(self) -> date | None:
        """The first day on which the case is amber."""
        return self.next_day.warn_on if self.next_day else None

    @property
    def red_on(self) -> date | None:
        """The first day on which the case is late."""
        return self.next_day.due.on + timedelta(days=1) if self.next_day else None


def as_of(found: Clocks, today: date) -> Clocks:
    """Return the clocks as they count on a day: once nobody has said a word in five
    working days, the case counts as accepted from the day of receipt.
    """
    if not (found.untold and found.told_by and today > found.told_by.on):
        return found
    return replace(found, limits=found.untold, untold=None, is_deemed=True)


def is_odd_on(found: Clocks, today: date) -> bool:
    """Say whether papers that nobody has answered yet were handed in on a day that is
    hard to believe: it has not come, or it is longer ago than anything may lie.
    """
    if found.received_on is None or found.answered_on or found.ended_on:
        return False
    age = today - found.received_on
    return age < -SKEW or age > LONGEST_REST


def is_paused(paused_since: date | None, due_on: date) -> bool:
    """Say whether a limit stands still now; not one that had passed before."""
    return paused_since is not None and paused_since <= due_on


def light(found: Clocks, today: date) -> str:
    """Return `AMBER` if a day is near, `RED` if it has passed, else ""."""
    day = found.next_day
    if day is None or today < day.warn_on:
        return ""
    return RED if today > day.due.on else AMBER


def workdays_left(found: Clocks, today: date, calendar: Calendar) -> int | None:
    """Return how many working days are left until the next day; below 0: it is late
    by so many; None where no day is waited for.

    A rest day behind the due day is late by one at least: the limit has passed.
    """
    if found.next_day is None:
        return None
    due = found.next_day.due.on
    left = calendar.workdays_between(today, due).workdays
    return min(left, -1) if today > due else left
