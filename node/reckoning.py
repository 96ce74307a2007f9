"""How the clocks of a case are reckoned from its events. Pure: no I/O, no clock.

What they are stands in `node.clocks`, what moves a limit in `node.stops`, the limits of
single steps in `node.step_limits`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from forms.item import Item
from node import step_limits
from node.clocks import (
    ACCEPT,
    DELIVER,
    PROMISE,
    STEP,
    Clocks,
    Limits,
    NextDay,
    StepDue,
    is_paused,
)
from node.days import days_of
from node.lifecycle import BEFORE, DECIDED, OVER, Step
from node.records import Records, dates_of
from node.step_limits import Course, warn_day
from node.stops import Corrections, Stop, corrections, last_day, procedures
from node.story import Happened, Story
from node.workdays import Calendar, Due

TELL_WORKDAYS = 5
DELIVER_WORKDAYS = 10
DELIVER_AMBER_WORKDAYS = 8

ANSWERS = frozenset({Step.RETURN, Step.ACCEPT, Step.DECLINE, Step.WITHDRAW})
"""What ends the five working days."""
_ENDS = frozenset({Step.DECLINE, Step.WITHDRAW, Step.TERMINATE})


def clocks(item: Item, story: Story, known: Records, calendar: Calendar) -> Clocks:
    """Return the clocks of a case."""
    found = _Reckoning(item, story, known, calendar).clocks()
    redates = [
        one
        for one in story.happened
        if one.event.step == Step.REDATE and not one.why_not
    ]
    unhelped = {}
    for author in sorted({one.author for one in redates}):
        others = dates_of(one for one in redates if one.author != author)
        doubtful = days_of(story, others).doubtful
        kept = dates_of(
            one
            for one in redates
            # To put a clock right that nobody can believe is what it is for.
            if one.author != author or one.event.facts["event"] in doubtful
        )
        if kept != known.dates:
            without = _Reckoning(item, story, replace(known, dates=kept), calendar)
            unhelped[author] = without.clocks()
    return replace(found, unhelped=unhelped) if unhelped else found


@dataclass(slots=True)
class _Round:
    """Papers handed in, and what came of it until the next time."""

    received_on: date
    told_by: Due
    answers: list[Happened]


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
        ends = [day for day in (self.decided_on, self.ended_on) if day]
        self.over = min(ends, default=None)
        self.corrected = corrections(
            self.standing, self.on, self.over, calendar, TELL_WORKDAYS
        )
        self.stops = self._stops(self.corrected)

    def clocks(self) -> Clocks:
        rounds = self._rounds()
        if not rounds:
            return Clocks(doubtful=self.doubtful, on=self.on)
        last, accepted_on = self._accepted(rounds)
        answered_on = self._earliest(last.answers)
        is_waiting = answered_on is None and self.story.state in BEFORE
        received_on = rounds[0].received_on
        limits = self._limits(accepted_on, answered_on)
        deliver_by = self._after(self.decided_on, DELIVER_WORKDAYS)
        paused_since = min(
            (o.begin for o in self.stops if o.end is None and not o.workdays),
            default=None,
        )
        return Clocks(
            received_on=received_on,
            first_workday=self.calendar.next_workday(received_on).on,
            told_by=last.told_by,
            answered_on=answered_on,
            limits=limits,
            untold=self._limits(last.received_on, None) if is_waiting else None,
            is_deemed=answered_on is not None and answered_on > last.told_by.on,
            late_returns=self.corrected.late_returns,
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

    # -- what runs from acceptance ----------------------------------------------------

    def _stops(self, corrected: Corrections) -> list[Stop]:
        """Return what moves the limits, by the day on which it begins."""
        stops = [*procedures(self.known, self.on, self.over), *corrected.stops]
        extended_on = self._first(Step.EXTEND)
        if extended_on:
            stops.append(Stop(extended_on, None, self.known.extended_workdays))
        return sorted(stops, key=lambda one: (one.begin, one.end or date.max))

    def _limits(
        self, accepted_on: date | None, taken_up_on: date | None
    ) -> Limits | None:
        """Return what runs from acceptance; the steps from when somebody has taken it
        up, since nobody answers twice for one silence.
        """
        if accepted_on is None:
            return None
        item, known = self.item, self.known
        promised = item.promise_workdays
        promise_due = self._last_day(accepted_on, promised)
        if known.hurry and item.urgent:
            # Hurried late, the short limit runs from there: nobody is late at once.
            # The law's own limit is no shorter for it.
            start = max(accepted_on, self.on[known.hurry.id])
            hurried = self._last_day(start, item.urgent.workdays)
            if hurried.on < promise_due.on:
                promise_due, promised = hurried, item.urgent.workdays
        step_dues: tuple[StepDue, ...] = ()
        if taken_up_on:
            course = Course(
                taken_up_on,
                self._first(Step.FORWARD) or self.decided_on,
                self.decided_on,
                promise_due.on,
                self._advised(),
            )
            step_dues = tuple(
                step_limits.step_dues(item, known, course, self.calendar, self.stops)
            )
        return Limits(
            accepted_on,
            promise_due,
            self._last_day(accepted_on, item.legal_workdays),
            warn_day(self.calendar, promise_due.on, promised + known.extended_workdays),
            step_dues,
        )

    def _advised(self) -> dict[str, date]:
        """Return on which day each branch has decided, by its key."""
        days = {one.branch.key: self._earliest(one.said) for one in self.known.branches}
        return {key: day for key, day in days.items() if day}

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
            warn_on = warn_day(self.calendar, told_by.on, TELL_WORKDAYS)
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

    def _last_day(self, start: date, workdays: int) -> Due:
        return last_day(self.calendar, start, workdays, self.stops)
