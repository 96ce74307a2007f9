"""What moves a limit: special procedures, corrections, the extension. Pure.

The time that a procedure needs 特别程序 is not counted. It is a period of its own, and
of a period the day on which it begins is not counted either: so that day still is one
of the limit's, and the day on which the procedure ends is the last that is not. What
ends on the day on which it began takes no day away.

No limit ends while a procedure runs. One that begins on a limit's last day has used
all of it; the limit then ends with the procedure, or on the next working day where
that is a rest day, and not on a day on which nobody could have decided. A correction
补正 after acceptance is counted alike.

What begins when a limit has passed already moves it no more: neither a procedure nor
an extension makes a late case timely again.

Sources: 行政许可法 第四十五条 (hearing, tender, auction, inspection, testing,
quarantine, appraisal, expert review; the applicant is told in writing), 第四十二条 (one
extension, before the limit has passed), 第八十二条 (working days); 民法典 第二百零一条,
第二百零三条 (a period's first day is not counted; what would end on a rest day ends on
the next that is worked).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from node.lifecycle import Step
from node.records import Records
from node.story import Happened
from node.workdays import MAX_WORKDAYS, Calendar, Due


@dataclass(frozen=True, slots=True)
class Stop:
    """What moves a limit: it stands still from `begin` to `end`, None: it still does;
    or it is longer by some working days from `begin` on.
    """

    begin: date
    end: date | None = None
    workdays: int = 0


def last_day(
    calendar: Calendar, start: date, workdays: int, stops: Iterable[Stop]
) -> Due:
    """Return the last day of a limit that begins after `start`.

    Args:
        calendar: of working days.
        start: the day on which it begins, not counted.
        workdays: of the limit.
        stops: what moves it, by the day on which each begins.
    """
    due = calendar.add_workdays(start, workdays)
    held = due  # no limit ends before this: a procedure ran on its last day
    until = start  # the limit has been stopped up to here: two stops are one
    for stop in stops:
        if stop.begin > max(due.on, held.on):
            break
        more = stop.workdays
        begin = max(stop.begin, until)
        if stop.end is not None and stop.end > begin:
            more = calendar.workdays_between(begin, stop.end).workdays
            until = stop.end
        if more:
            moved = calendar.add_workdays(due.on, min(more, MAX_WORKDAYS))
            due = Due(moved.on, due.is_provisional or moved.is_provisional)
        if stop.end is not None and stop.end > due.on:
            held = calendar.next_workday(stop.end)
    if held.on <= due.on:
        return due
    return Due(held.on, due.is_provisional or held.is_provisional)


def procedures(
    known: Records, on: Mapping[str, date], over: date | None
) -> Iterator[Stop]:
    """Yield the special procedures; what nobody has ended, the end of the case does."""
    for one in known.pauses:
        yield Stop(on[one.begin.id], on[one.end.id] if one.end else over)


@dataclass(frozen=True, slots=True)
class Corrections:
    """What notices of correction come to, see `corrections`."""

    stops: tuple[Stop, ...]
    late_returns: tuple[str, ...]


def corrections(
    standing: Iterable[Happened],
    on: Mapping[str, date],
    over: date | None,
    calendar: Calendar,
    tell_workdays: int,
) -> Corrections:
    """Return the notices of correction after acceptance, until the papers came; and
    the ids of those that came when the law had accepted.

    Before anybody has accepted there is nothing to stop; where the law has, a notice
    that comes later is late and stops nothing.
    """
    stops: list[Stop] = []
    late: list[str] = []
    is_accepted, begin, told_by = False, None, None
    for one in standing:
        day = on[one.id]
        if one.event.step == Step.ACCEPT:
            is_accepted = True
        elif one.event.step == Step.RETURN and is_accepted:
            begin = begin or day
        elif one.event.step == Step.RETURN and told_by and day > told_by:
            late.append(one.id)
        elif one.event.step == Step.SUBMIT:
            if begin:
                stops.append(Stop(begin, max(begin, day)))
            begin = None
            # Once it has counted as accepted, no later receipt begins anew.
            if not late:
                told_by = calendar.add_workdays(day, tell_workdays).on
    if begin:
        stops.append(Stop(begin, over))
    return Corrections(tuple(stops), tuple(late))
