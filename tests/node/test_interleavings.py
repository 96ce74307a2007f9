"""Three tiers do whatever they may, past each other and by clocks that are off.

Not only where a case stands: what is written down in it, its days and its lapses are
the same in whatever order the events came, and there is always somebody who can go on.
"""

import random
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from forms.item import Item, Tier
from forms.service import Member, Urgent
from node.clocks import Clocks, as_of
from node.days import FIRST_DAY, LAST_DAY, civil_day, days_of
from node.lapses import Lapse, lapses
from node.lifecycle import RECORDS, TRANSITIONS, Event, State, Step, frontier
from node.reckoning import clocks
from node.records import Records, records
from node.rights import (
    Side,
    possible_steps,
    settler,
    why_not_said,
)
from node.story import Story, fold_events
from tests.node.histories import KNOWN, item_of, ms_of
from tests.saying import said_in

TEAMS = tuple(
    Member(code, name, department)
    for code, name, department in (("1", "园舍", "教育局"), ("2", "食堂", "卫健局"))
)
PLAIN = item_of("elder_card")
JOINT = structs.replace(PLAIN, members=TEAMS, urgent=Urgent("急需", Tier.TOWN, 3))
LOCAL = structs.replace(PLAIN, decide=Tier.TOWN)
ITEMS = (PLAIN, JOINT, LOCAL)

DAY_MS = 24 * 3600 * 1000
BEGUN_MS = ms_of(civil_day(1_789_000_000_000))
TODAY = civil_day(BEGUN_MS + 40 * DAY_MS)


@dataclass(frozen=True)
class Desk:
    """Who works: the digits of his node, his tier, by how much his clock is off."""

    digits: str
    tier: Tier
    off_days: int
    department: str = ""


DESKS = (
    Desk("1" * 16, Tier.VILLAGE, 0),
    Desk("2" * 16, Tier.VILLAGE, 730),
    Desk("3" * 16, Tier.TOWN, -2),
    Desk("4" * 16, Tier.DISTRICT, 0),
    Desk("5" * 16, Tier.DISTRICT, 5, "教育局"),
    Desk("6" * 16, Tier.DISTRICT, -730, "卫健局"),
)
MOVES = st.lists(
    st.tuples(
        st.integers(0, len(DESKS) - 1),
        st.sampled_from(("hear", "act", "act", "act")),
        st.integers(0, 2**16),
    ),
    max_size=30,
)
Moves = list[tuple[int, str, int]]


def played(item: Item, moves: Moves) -> dict[str, Event]:
    """Return all events of a case, each written in knowledge of some of the others."""
    first = f"{DESKS[0].digits}-{BEGUN_MS}"
    begun = {first: Event(Step.SUBMIT, BEGUN_MS, "x")}
    known = {desk: dict(begun) for desk in DESKS}
    for number, (place, what, which) in enumerate(moves, start=1):
        desk = DESKS[place]
        if what == "hear":
            known[desk] |= known[DESKS[which % len(DESKS)]]
            continue
        mine = known[desk]
        acts = ways_on(item, fold_events(mine), desk, random.Random(which))
        if acts:
            at_ms = BEGUN_MS + number * DAY_MS + desk.off_days * DAY_MS
            act = structs.replace(
                acts[which % len(acts)],
                at=at_ms,
                seen=frontier(mine),
                clock=1 + max(one.clock for one in mine.values()),
            )
            mine[f"{desk.digits}-{at_ms}"] = act
    return {key: event for mine in known.values() for key, event in mine.items()}


def ways_on(item: Item, story: Story, desk: Desk, chance: random.Random) -> list[Event]:
    """Return all that a desk may do, with something that it may say."""
    found = []
    known = records(item, story)
    for step in possible_steps(desk.tier, item, story.state, Side.COMPETENT):
        facts = said_in(item, story, step, chance)
        if step is Step.RETURN:
            facts = {f"fault/{chance.choice('ab')}": "缺"}
        if facts is None:
            continue
        if why_not_said(step, facts, item, desk.department, known):
            continue
        found.append(Event(step, 0, "x", note="n", facts=facts))
    if desk.tier is settler(item, story):
        names = tuple(sorted(one.id for one in story.choices))
        found += [
            Event(Step.SETTLE, 0, "x", note="n", settles=names, upholds=one)
            for one in names
        ]
        if story.late:
            found.append(Event(Step.SETTLE, 0, "x", settles=story.late_ends))
    return found


def told(
    item: Item, events: dict[str, Event]
) -> tuple[Story, Records, Clocks, tuple[Lapse, ...]]:
    """Return all that is told of a case."""
    story = fold_events(events)
    known = records(item, story)
    its = clocks(item, story, known, KNOWN)
    return story, known, its, lapses(item, story, known, its, TODAY)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.sampled_from(ITEMS), MOVES, st.randoms(use_true_random=False))
def test_all_that_is_told_of_a_case_is_the_same_in_whatever_order_it_came(
    item: Item, moves: Moves, chance: random.Random
) -> None:
    events = played(item, moves)
    shuffled = list(events.items())
    chance.shuffle(shuffled)

    assert told(item, dict(shuffled)) == told(item, events)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.sampled_from(ITEMS), MOVES)
def test_every_day_is_within_bounds_and_every_lapse_is_there_once(
    item: Item, moves: Moves
) -> None:
    events = played(item, moves)
    story, known, its, lapsed = told(item, events)

    days = days_of(story, known.dates)

    assert set(days.on) == set(events) >= set(days.doubtful)
    assert all(FIRST_DAY <= day <= LAST_DAY for day in days.on.values())
    for one in story.happened:
        for before in one.event.seen:
            is_put_right = {one.id, before} & set(known.dates)
            assert is_put_right or days.on[before] <= days.on[one.id]
    keys = [one.key for one in lapsed]
    assert len(keys) == len(set(keys))
    assert as_of(as_of(its, TODAY), LAST_DAY) == as_of(its, LAST_DAY)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.sampled_from(ITEMS), MOVES)
def test_wherever_work_has_led_there_is_somebody_who_can_go_on(
    item: Item, moves: Moves
) -> None:
    story = fold_events(played(item, moves))
    every = [
        (desk, act)
        for desk in DESKS
        for number in range(8)  # what may be said is drawn by chance
        for act in ways_on(item, story, desk, random.Random(number))
    ]

    leads_on = [act for _, act in every if act.step in TRANSITIONS[story.state]]
    settles = [act for _, act in every if act.step is Step.SETTLE]

    assert leads_on or story.state is State.ARCHIVED
    assert bool(settles) == bool(story.choices or story.late)
    assert all(act.step in {*leads_on_from(story), *RECORDS} for _, act in every)


def leads_on_from(story: Story) -> set[Step]:
    """Return the steps by which a case may be led on, or settled."""
    return {*TRANSITIONS[story.state], Step.SETTLE}
