"""The clocks of a case: by when what must be done. Pure: no I/O, no clock.

All days are civil days in China, all limits working days, and the day on which a limit
begins is never counted. What is kept here follows from the events and the calendar
alone, so that it is the same on every node and never grows stale; what depends on
today is asked of it (`as_of`, `light`).

Sources: 行政许可法 第三十二条 (five days to tell what is missing, else accepted from
the day of receipt), 第四十二条 (one extension), 第四十四条 (ten days to deliver),
第四十五条 (what a limit does not count).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from forms.item import Item
from forms.service import Step as Stage
from forms.service import Tier
from node.days import LONGEST_REST, SKEW, days_of
from node.lifecycle import BEFORE, DECIDED, OVER, Step
from node.records import Records
from node.story import Happened, Story
from node.workdays import MAX_WORKDAYS, Calendar, Due

TELL_WORKDAYS = 5
DELIVER_WORKDAYS = 10
DELIVER_AMBER_WORKDAYS = 8
AMBER_LEFT = 5
"""Amber when a fifth of a limit is left: four fifths of it are used."""

ACCEPT, PROMISE, LEGAL, DELIVER, STEP = "accept", "promise", "legal", "deliver", "step/"
"""Which clock a day or a lapse is of; the name of a step follows the last."""

AMBER, RED = "amber", "red"

ANSWERS = frozenset({Step.RETURN, Step.ACCEPT, Step.DECLINE, Step.WITHDRAW})
"""What ends the five working days."""
_ENDS = frozenset({Step.DECLINE, Step.WITHDRAW, Step.TERMINATE})


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


@dataclass(frozen=True, slots=True)
class _Stop:
    """What moves a limit: it stands still from `begin` to `end`, None: it still does;
    or it is longer by some working days from `begin` on.
    """

    begin: date
    end: date | None = None
    workdays: int = 0


@dataclass(slots=True)
class _Round:
    """Papers handed in, and what came of it until the next time."""

    received_on: date
    told_by: Due
    answers: list[Happened]


def clocks(item: Item, story: Story, known: Records, calendar: Calendar) -> Clocks:
    """Return the clocks of a case."""
    return _Reckoning(item, story, known, calendar).clocks()


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


class _Reckoning:
    """The clocks of one case on their way."""

    def __init__(
        self, item: Item, story: Story, known: Records, calendar: Calendar
    ) -> None:
        self.item, self.story, self.known = item, story, known
        self.calendar = calendar
        days = days_of(story, known.dates)
        self.on, self.doubtful = days.on, days.doubtful
        self.standing = [one for one in story.happened if not one.why_not]
        self.decided_on = self._first(Step.GRANT, Step.REFUSE)
        self.ended_on = self._first(*_ENDS)
        self.late_returns: list[str] = []

    def clocks(self) -> Clocks:
        rounds = self._rounds()
        if not rounds:
            return Clocks(doubtful=self.doubtful, on=self.on)
        last, accepted_on = self._accepted(rounds)
        stops = self._stops()
        answered_on = self._earliest(last.answers)
        is_waiting = answered_on is None and self.story.state in BEFORE
        received_on = rounds[0].received_on
        limits = self._limits(accepted_on, answered_on, stops)
        deliver_by = self._after(self.decided_on, DELIVER_WORKDAYS)
        paused_since = min(
            (one.begin for one in stops if one.end is None and not one.workdays),
            default=None,
        )
        return Clocks(
            received_on=received_on,
            first_workday=self.calendar.next_workday(received_on).on,
            told_by=last.told_by,
            answered_on=answered_on,
            limits=limits,
            untold=self._limits(last.received_on, None, stops) if is_waiting else None,
            is_deemed=answered_on is not None and answered_on > last.told_by.on,
            late_returns=tuple(self.late_returns),
            decided_on=self.decided_on,
            deliver_by=deliver_by,
            delivered_on=self._first(Step.DELIVER),
            ended_on=self.ended_on,
            paused_since=paused_since,
            next_day=self._next_day(last.told_by, limits, deliver_by, paused_since),
            doubtful=self.doubtful,
            on=self.on,
        )

    # -- receipt and acceptance -------------------------------------------------------

    def _rounds(self) -> list[_Round]:
        rounds: list[_Round] = []
        for one in self.standing:
            if one.event.step == Step.SUBMIT:
                # Who hands in past another, or once more, begins no second round.
                if not rounds or rounds[-1].answers:
                    day = self.on[one.id]
                    told_by = self.calendar.add_workdays(day, TELL_WORKDAYS)
                    rounds.append(_Round(day, told_by, []))
            elif rounds and one.event.step in ANSWERS:
                rounds[-1].answers.append(one)
        return rounds

    def _accepted(self, rounds: list[_Round]) -> tuple[_Round, date | None]:
        """Return the papers that were accepted, and from which day on the limits run;
        the last that were handed in, and None, where none were.
        """
        for one in rounds:
            answered_on = self._earliest(one.answers)
            if answered_on and answered_on > one.told_by.on:
                return one, one.received_on
            accepts = [o for o in one.answers if o.event.step == Step.ACCEPT]
            if accepts:
                return one, self._earliest(accepts)
        return rounds[-1], None

    # -- what moves a limit -----------------------------------------------------------

    def _stops(self) -> list[_Stop]:
        """Return what moves the limits, by the day on which it begins."""
        over = min((d for d in (self.decided_on, self.ended_on) if d), default=None)
        stops = [
            _Stop(self.on[one.begin.id], self.on[one.end.id] if one.end else over)
            for one in self.known.pauses
        ]
        stops += self._corrections(over)
        extended_on = self._first(Step.EXTEND)
        if extended_on:
            workdays = self.known.extended_workdays
            stops.append(_Stop(extended_on, None, workdays))
        return sorted(stops, key=lambda one: (one.begin, one.end or date.max))

    def _corrections(self, over: date | None) -> Iterator[_Stop]:
        """Find the notices of correction after acceptance, until the papers came.

        Before anybody has accepted there is nothing to stop; where the law has, a
        notice that comes later is late and stops nothing.
        """
        is_accepted, begin, told_by = False, None, None
        for one in self.standing:
            day = self.on[one.id]
            if one.event.step == Step.ACCEPT:
                is_accepted = True
            elif one.event.step == Step.RETURN and is_accepted:
                begin = begin or day
            elif one.event.step == Step.RETURN and told_by and day > told_by:
                self.late_returns.append(one.id)
            elif one.event.step == Step.SUBMIT:
                if begin:
                    yield _Stop(begin, max(begin, day))
                begin = None
                # Once it has counted as accepted, no later receipt begins anew.
                if not self.late_returns:
                    told_by = self.calendar.add_workdays(day, TELL_WORKDAYS).on
        if begin:
            yield _Stop(begin, over)

    def _limit(self, start: date, workdays: int, stops: Iterable[_Stop]) -> Due:
        """Return the last day of a limit that begins after `start`.

        What comes when the limit has passed already moves it no more.
        """
        due = self.calendar.add_workdays(start, workdays)
        until = start  # the limit has been stopped up to here: two stops are one
        for stop in stops:
            if stop.begin > due.on:
                break
            more = stop.workdays
            begin = max(stop.begin, until)
            if stop.end is not None and stop.end > begin:
                more = self.calendar.workdays_between(begin, stop.end).workdays
                until = stop.end
            if more:
                moved = self.calendar.add_workdays(due.on, min(more, MAX_WORKDAYS))
                due = Due(moved.on, due.is_provisional or moved.is_provisional)
        return due

    # -- what runs from acceptance ----------------------------------------------------

    def _limits(
        self, accepted_on: date | None, taken_up_on: date | None, stops: list[_Stop]
    ) -> Limits | None:
        """Return what runs from acceptance; the steps from when somebody has taken it
        up, since nobody answers twice for one silence.
        """
        if accepted_on is None:
            return None
        item = self.item
        promise_due = self._limit(accepted_on, item.promise_workdays, stops)
        promised = item.promise_workdays
        if self.known.hurry and item.urgent:
            # Hurried late, the short limit runs from there: nobody is late at once.
            # The law's own limit is no shorter for it.
            start = max(accepted_on, self.on[self.known.hurry.id])
            hurried = self._limit(start, item.urgent.workdays, stops)
            if hurried.on < promise_due.on:
                promise_due, promised = hurried, item.urgent.workdays
        return Limits(
            accepted_on,
            promise_due,
            self._limit(accepted_on, item.legal_workdays, stops),
            self._warn_on(promise_due.on, promised + self.known.extended_workdays),
            tuple(self._step_dues(taken_up_on, promise_due, stops))
            if taken_up_on
            else (),
        )

    def _warn_on(self, due: date, workdays: int) -> date:
        """Return the day on which four fifths of a limit are used, at the latest the
        working day before the last.
        """
        return self.calendar.workday_before(due, max(1, workdays // AMBER_LEFT))

    def _step_dues(
        self, begun_on: date, promise_due: Due, stops: list[_Stop]
    ) -> Iterator[StepDue]:
        """Reckon the steps that the promise counts, desk by desk.

        The first desk ends with the case's going up, the second with the decision. A
        desk begins when the one before has ended: nobody answers for another's delay.
        """
        lower, upper = _desks(
            [one for one in self.item.steps if one.counted], self.item
        )
        forwarded_on = self._first(Step.FORWARD) or self.decided_on
        yield from self._desk(lower, begun_on, forwarded_on, promise_due, stops)
        planned = sum(max(one.workdays for one in stage) for stage in lower)
        start = begun_on
        if lower:
            start = forwarded_on or self._limit(begun_on, planned, stops).on
        is_begun = not lower or forwarded_on is not None
        for one in self._desk(upper, start, self.decided_on, promise_due, stops):
            yield replace(one, is_measured=one.is_measured and is_begun)

    def _desk(
        self,
        stages: list[list[Stage]],
        start: date,
        ended_on: date | None,
        promise_due: Due,
        stops: list[_Stop],
    ) -> Iterator[StepDue]:
        advised = {
            one.branch.name: self._earliest(one.said)
            for one in self.known.branches
            if one.said
        }
        branch_names = {one.branch.name for one in self.known.branches}
        used = 0
        for number, stage in enumerate(stages, start=1):
            for step in stage:
                due = self._limit(start, used + step.workdays, stops)
                is_branch = step.name in branch_names
                is_last = number == len(stages) and len(stage) == 1
                done_on = advised.get(step.name) if is_branch else None
                yield StepDue(
                    step.name,
                    step.tier,
                    step.department or self.item.department,
                    due,
                    self._warn_on(due.on, step.workdays),
                    done_on or ended_on,
                    # What ends with the promise is told by the promise.
                    (is_branch or is_last) and due.on < promise_due.on,
                )
            used += max(one.workdays for one in stage)

    # -- the day that matters next ----------------------------------------------------

    def _next_day(
        self,
        told_by: Due,
        limits: Limits | None,
        deliver_by: Due | None,
        paused_since: date | None,
    ) -> NextDay | None:
        state = self.story.state
        if state in DECIDED and deliver_by and self.decided_on:
            amber = self.calendar.add_workdays(self.decided_on, DELIVER_AMBER_WORKDAYS)
            return NextDay(DELIVER, deliver_by, amber.on)
        if state in OVER:
            return None
        if limits:
            days = [
                NextDay(STEP + one.name, one.due, one.warn_on)
                for one in limits.step_dues
                if one.is_measured and one.done_on is None
            ]
            days.append(NextDay(PROMISE, limits.promise_due, limits.promise_warn_on))
            nearest = min(days, key=lambda day: day.due.on)
            return None if is_paused(paused_since, nearest.due.on) else nearest
        if state in BEFORE:
            warn_on = self._warn_on(told_by.on, TELL_WORKDAYS)
            return NextDay(ACCEPT, told_by, warn_on)
        return None

    # -- days of events ---------------------------------------------------------------

    def _first(self, *steps: Step) -> date | None:
        """Return the earliest day of an event of one of some steps that stands."""
        return self._earliest(o for o in self.standing if o.event.step in steps)

    def _earliest(self, happened: Iterable[Happened]) -> date | None:
        return min((self.on[one.id] for one in happened), default=None)

    def _after(self, day: date | None, workdays: int) -> Due | None:
        return self.calendar.add_workdays(day, workdays) if day else None


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
