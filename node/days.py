"""On which civil day in China something happened in a case. Pure: no I/O, no clock.

A device's clock may be wrong by years, and nobody notices before the next tier reads
what it wrote. So a day is never before what its author had seen, an absurd one is
brought within bounds, and a person may put it right (`Step.REDATE`); what cannot be as
the clocks say is listed as doubtful.

Two clocks that contradict each other cannot be told apart. Of three, the one that both
others contradict is off: its steps get the days that the others leave for them, so that
no limit runs from a day in two years, and nobody is late since before he had the case.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from forms.check import CHINA
from node.lifecycle import Step
from node.story import Happened, Story

FIRST_DAY, LAST_DAY = date(2020, 1, 1), date(2100, 12, 31)
"""No case is older than the program, and none younger than its calendar."""
SKEW = timedelta(days=1)
"""By how much one clock may be ahead of another before anybody is asked."""
LONGEST_REST = timedelta(days=365)
"""No case lies longer between the steps of two places: rather is a clock wrong. Whoever
finds that it did says so by `Step.REDATE`, and the day counts as it is.
"""
_OFFICE = frozenset(
    {Step.REVIEW, Step.RETURN, Step.ACCEPT, Step.DECLINE, Step.GRANT, Step.REFUSE}
)
"""What is done with papers that lie on a desk; other steps may come after years."""


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
    told = story.happened
    own = {one.id: _own_day(one, dates) for one in told}
    wrong = _wrong(told, own, dates)
    on: dict[str, date] = {}
    for one in told:
        reached = max((on[o] for o in one.event.seen if o in on), default=FIRST_DAY)
        if one.id in dates:
            on[one.id] = own[one.id]
        else:
            on[one.id] = max(wrong.get(one.id, own[one.id]), reached)
    clocks = own | {one: on[one] for one in wrong}
    before, after = _latest_before(told, clocks), _earliest_after(told, clocks)
    doubtful = tuple(
        one.id
        for one in told
        if one.id in wrong
        or clocks[one.id] < before[one.id]
        or clocks[one.id] - SKEW > after[one.id]
        or (one.id not in dates and _is_absurd(one, clocks[one.id], before[one.id]))
    )
    return Days(on, doubtful)


def _wrong(
    told: Sequence[Happened], own: Mapping[str, date], dates: Mapping[str, str]
) -> dict[str, date]:
    """Return the events of clocks that are off, with the days that others leave them:
    that of the last that the author had seen, or else of the first who had seen it.
    """
    off = _clocks_off(told, own, dates)
    if not off:
        return {}
    trusted = {k: d for k, d in own.items() if k in dates or _author(k) not in off}
    before, after = _latest_before(told, trusted), _earliest_after(told, trusted)
    wrong = {}
    for one in told:
        least, most = before[one.id], after[one.id]
        is_late = least > FIRST_DAY and own[one.id] - least > LONGEST_REST
        is_early = most < LAST_DAY and most - own[one.id] > LONGEST_REST
        fits = least - SKEW <= own[one.id] <= most + SKEW
        if one.id not in trusted and (is_late or is_early or not fits):
            bound = least if least > FIRST_DAY else most
            wrong[one.id] = bound if bound < LAST_DAY else own[one.id]
    return wrong


def _clocks_off(
    told: Sequence[Happened], own: Mapping[str, date], dates: Mapping[str, str]
) -> set[str]:
    """Return the nodes whose clocks two others contradict who agree with each other.

    Work that was done before what it is built upon contradicts it, whichever is wrong.
    So does an office that has let papers lie for more than a year; but nobody's own
    delay alone shall prove that his clock is off.
    """
    if not told or not _is_odd(told, own):
        return set()
    turned: dict[str, set[str]] = {}
    rested: dict[str, set[str]] = {}
    lay: dict[str, set[str]] = {}
    latest: dict[str, dict[str, date]] = {}  # by event: of each node that it has seen
    for one in told:
        mine = _author(one.id)
        seen: dict[str, date] = {}
        for before in one.event.seen:
            for node, day in latest.get(before, {}).items():
                seen[node] = max(day, seen.get(node, day))
        for node, day in seen.items():
            if one.id in dates or node == mine:
                continue
            if day - SKEW > own[one.id]:
                turned.setdefault(node, set()).add(mine)
                turned.setdefault(mine, set()).add(node)
            elif own[one.id] - day > LONGEST_REST and one.event.step in _OFFICE:
                lay.setdefault(node, set()).add(mine)
                rested.setdefault(mine, set()).add(node)
        if one.id not in dates:
            seen[mine] = max(own[one.id], seen.get(mine, own[one.id]))
        latest[one.id] = seen
    against = {
        node: turned.get(node, set())
        | lay.get(node, set())
        | (rested.get(node, set()) if node in turned else set())
        for node in {_author(one.id) for one in told}
    }
    return {
        node
        for node, others in against.items()
        if len(others) >= 2 and all(len(against[one]) < len(others) for one in others)
    }


def _is_absurd(one: Happened, on: date, before: date) -> bool:
    """Say whether a day is hard to believe, whatever others say of it."""
    has_rested = before > FIRST_DAY and on - before > LONGEST_REST
    is_out = not _FIRST_MS <= one.event.at <= _LAST_MS
    return is_out or (has_rested and one.event.step in _OFFICE)


def _is_odd(told: Sequence[Happened], own: Mapping[str, date]) -> bool:
    """Say whether clocks can contradict each other at all: mostly they do not."""
    before = _latest_before(told, own)
    is_turned = any(before[one.id] - SKEW > own[one.id] for one in told)
    return is_turned or max(own.values()) - min(own.values()) > LONGEST_REST


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
                nearest = min(own.get(one.id, LAST_DAY), earliest[one.id])
                earliest[before] = min(earliest[before], nearest)
    return earliest


def _latest_before(
    happened: Iterable[Happened], own: Mapping[str, date]
) -> dict[str, date]:
    """Return for each event the latest day that its author had seen on a clock."""
    latest: dict[str, date] = {}
    for one in happened:
        seen = [before for before in one.event.seen if before in latest]
        days = [max(own.get(o, FIRST_DAY), latest[o]) for o in seen]
        latest[one.id] = max(days, default=FIRST_DAY)
    return latest


def _author(event_id: str) -> str:
    return event_id.partition("-")[0]


def _milliseconds(day: date) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=CHINA)
    return int(midnight.timestamp() * 1000)


_FIRST_MS = _milliseconds(FIRST_DAY)
_LAST_MS = _milliseconds(LAST_DAY)
