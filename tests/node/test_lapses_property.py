"""Lapses come out the same on every node, whatever it heard of first."""

from datetime import date, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.item import Tier
from node.clocks import as_of
from node.lapses import lapses
from node.lifecycle import Event, Step, is_possible
from node.reckoning import clocks
from node.records import records
from node.story import fold_events
from tests.node.histories import (
    DISTRICT,
    KNOWN,
    TOWN,
    VILLAGE,
    History,
    item_of,
)

ITEM = msgspec.structs.replace(
    item_of("elder_card"), legal_workdays=12, promise_workdays=6
)
DESKS = {Tier.VILLAGE: VILLAGE, Tier.TOWN: TOWN, Tier.DISTRICT: DISTRICT}
FACTS = {
    Step.PAUSE: {"kind": "hearing"},
    Step.EXTEND: {"workdays": "5", "approver": "x"},
    Step.EXPLAIN: {"lapse": "promise"},
    Step.TRANSFER: {"department": "x"},
}
BEGUN = date(2026, 9, 1)
TAKEN = [
    *(Step.ACCEPT, Step.RETURN, Step.SUBMIT, Step.FORWARD, Step.GRANT, Step.DELIVER),
    *(Step.PAUSE, Step.EXTEND, Step.EXPLAIN, Step.TRANSFER, Step.WITHDRAW),
]
MOVES = st.lists(
    st.tuples(st.sampled_from(list(Tier)), st.sampled_from(TAKEN), st.integers(0, 6)),
    max_size=10,
)


def _history(
    moves: list[tuple[Tier, Step, int]], merges: list[int]
) -> dict[str, Event]:
    """Return the events of three desks that hear of each other now and then.

    Each move is (who, what, days since the one before); what is not possible in what
    he knows is left out. A merge after a move tells everybody all.
    """
    every = History(ITEM)
    first = every.add(Step.SUBMIT, BEGUN.isoformat(), VILLAGE)
    known = {tier: {first} for tier in Tier}
    on = BEGUN
    for number, (tier, step, days) in enumerate(moves):
        on += timedelta(days)
        mine = {key: every.events[key] for key in known[tier]}
        if is_possible(fold_events(mine).state, step):
            seen = {before for event in mine.values() for before in event.seen}
            ends = tuple(sorted(set(mine) - seen))
            facts = FACTS.get(step)
            key = every.add(step, on.isoformat(), DESKS[tier], ends, facts)
            known[tier].add(key)
        if number in merges:
            known = {one: set(every.events) for one in Tier}
    return every.events


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    MOVES,
    st.lists(st.integers(0, 9), max_size=6),
    st.randoms(use_true_random=False),
    st.integers(0, 60),
)
def test_any_order_of_the_events_gives_the_same_lapses_each_once(
    moves: list[tuple[Tier, Step, int]],
    merges: list[int],
    random: object,
    later: int,
) -> None:
    events = _history(moves, merges)
    shuffled = list(events.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    today = BEGUN + timedelta(later)

    found = []
    for one in (events, dict(shuffled)):
        story = fold_events(one)
        known = records(ITEM, story)
        its = clocks(ITEM, story, known, KNOWN)
        found.append((its, lapses(ITEM, story, known, its, today)))

    assert found[0] == found[1]
    keys = [lapse.key for lapse in found[0][1]]
    assert len(keys) == len(set(keys))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(MOVES, st.lists(st.integers(0, 9), max_size=6), st.integers(0, 60))
def test_what_has_passed_stays_as_days_go_by(
    moves: list[tuple[Tier, Step, int]], merges: list[int], later: int
) -> None:
    story = fold_events(_history(moves, merges))
    known = records(ITEM, story)
    found = clocks(ITEM, story, known, KNOWN)
    today, tomorrow = BEGUN + timedelta(later), BEGUN + timedelta(later + 1)

    now = lapses(ITEM, story, known, found, today)
    then = lapses(ITEM, story, known, found, tomorrow)

    assert all(one in then for one in now)
    assert as_of(as_of(found, today), tomorrow) == as_of(found, tomorrow)
