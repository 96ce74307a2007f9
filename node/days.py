"""On which civil day in China something happened in a case. Pure: no I/O, no clock.

A device's clock may be wrong by years, and nobody notices before the next tier reads
what it wrote. So a day is never before what its author had seen, an absurd one is
brought within bounds, and a person may put it right (`Step.REDATE`); what cannot be as
the clocks say is listed as doubtful.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from forms.check import CHINA
from node.story import Happened, Story

FIRST_DAY, LAST_DAY = date(2020, 1, 1), date(2100, 12, 31)
"""No case is older than the program, and none younger than its calendar."""
SKEW = timedelta(days=1)
"""By how much one clock may be ahead of another before anybody is asked."""


@dataclass(frozen=True, slots=True)
class Days:
    """The civil day of each event, by its id, and the ids of the doubtful ones."""

    on: Mapping[str, date]
    doubtful: tuple[str, ...]


def local(at_ms: int) -> datetime:
    """Return an instant as China's wall clocks show it, within bounds: an event may
    say any time, and most of them no calendar can write.
    """
    bound = min(max(at_ms, _FIRST_MS), _LAST_MS)
    return datetime.fromtimestamp(bound / 1000, CHINA)


def civil_day(at_ms: int) -> date:
    """Return the civil date in China of a time, within bounds."""
    return local(at_ms).date()


def days_of(story: Story, dates: Mapping[str, str]) -> Days:
    """Return the days of all events.

    Args:
        story: of the case; its order is that of causes.
        dates: by event id the day that a person has put in the place of the clock's.
    """
    own = {one.id: _own_day(one, dates) for one in story.happened}
    on: dict[str, date] = {}
    latest: dict[str, date] = {}  # of all that an event has seen, by their own clocks
    for one in story.happened:
        seen = [before for before in one.event.seen if before in on]
        reached = max((on[before] for before in seen), default=FIRST_DAY)
        on[one.id] = own[one.id] if one.id in dates else max(own[one.id], reached)
        latest[one.id] = max(
            (max(own[before], latest[before]) for before in seen), default=FIRST_DAY
        )
    earliest = _earliest_after(story.happened, own)
    doubtful = tuple(
        one.id
        for one in story.happened
        if own[one.id] < latest[one.id]
        or own[one.id] - SKEW > earliest[one.id]
        or (one.id not in dates and not _FIRST_MS <= one.event.at <= _LAST_MS)
    )
    return Days(on, doubtful)


def _own_day(one: Happened, dates: Mapping[str, str]) -> date:
    put_right = dates.get(one.id)
    if not put_right:
        return civil_day(one.event.at)
    return min(max(date.fromisoformat(put_right), FIRST_DAY), LAST_DAY)


def _earliest_after(
    happened: Iterable[Happened], own: Mapping[str, date]
) -> dict[str, date]:
    """Return for each event the earliest day that a follower's clock says."""
    told = list(happened)
    earliest = {one.id: LAST_DAY for one in told}
    for one in reversed(told):
        for before in one.event.seen:
            if before in earliest:
                nearest = min(own[one.id], earliest[one.id])
                earliest[before] = min(earliest[before], nearest)
    return earliest


def _milliseconds(day: date) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=CHINA)
    return int(midnight.timestamp() * 1000)


_FIRST_MS = _milliseconds(FIRST_DAY)
_LAST_MS = _milliseconds(LAST_DAY)
