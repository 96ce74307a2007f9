"""What the events of a case come to, in any order and whoever wrote past whom."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.author.packing import read_entry
from forms.catalog import shipped
from forms.item import Tier
from node.lifecycle import (
    TRANSITIONS,
    Event,
    State,
    Step,
    encode_event,
    frontier,
    next_state,
)
from node.rights import Side, possible_steps, settler
from node.story import Choice, Story, fold, fold_events

HERE = Side.COMPETENT
ITEM = read_entry(shipped() / "elder_card.toml").item

_NAMES = [f"{i:016x}-{i}" for i in range(8)]
_EVENTS = st.dictionaries(
    st.sampled_from(_NAMES),
    st.builds(
        Event,
        step=st.sampled_from([*Step, "unknown"]),
        at=st.integers(0, 9),
        by=st.just("x"),
        seen=st.lists(st.sampled_from([*_NAMES, "nobody-1"]), max_size=3).map(tuple),
        clock=st.integers(-1, 4),
        note=st.sampled_from(["", "n"]),
        settles=st.lists(st.sampled_from([*_NAMES, "name"]), max_size=3).map(tuple),
        upholds=st.sampled_from(["", *_NAMES]),
    ),
    max_size=8,
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(_EVENTS, st.randoms(use_true_random=False))
def test_the_same_events_tell_the_same_story_in_any_order(
    events: dict[str, Event], random: object
) -> None:
    texts: list[tuple[str, object]] = [(k, encode_event(e)) for k, e in events.items()]
    shuffled = list(texts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    one, other = fold(dict(texts)), fold(dict(shuffled))

    assert one == other
    assert sorted(h.id for h in one.happened) == sorted(events)
    assert {h.id for h in one.disputed} <= {h.id for h in one.happened if h.why_not}
    assert frontier(dict(events)) == frontier(dict(reversed(events.items())))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 9), max_size=12))
def test_steps_one_after_another_lead_as_the_table_says(numbers: list[int]) -> None:
    events: dict[str, Event] = {}
    state, states = State.DRAFT, []
    for clock, number in enumerate(numbers):
        onward = list(TRANSITIONS[state].items())
        if onward:
            step, state = onward[number % len(onward)]
            seen = frontier(events)
            events[f"a-{clock}"] = _event(step, *seen, clock=clock)
            states.append(state)

    story = fold_events(events)

    assert [one.state for one in story.happened] == states
    assert stands(story) == set(events)
    assert story.state is state


def _event(step: Step, *seen: str, clock: int = 1, **parts: object) -> Event:
    return Event(step, at=1, by="x", seen=seen, clock=clock, **parts)  # type: ignore[arg-type]


def _settle(clock: int, upholds: str, *names: str) -> Event:
    return _event(
        Step.SETTLE, *names, clock=clock, settles=tuple(sorted(names)), upholds=upholds
    )


def stands(story: Story) -> set[str]:
    return {one.id for one in story.happened if not one.why_not}


def test_an_event_comes_after_all_that_it_has_seen_whatever_its_clock() -> None:
    events = {
        "a-1": _event(Step.ACCEPT, "b-1", clock=1),
        "b-1": _event(Step.SUBMIT, clock=9),
        "c-1": _event(Step.FORWARD, "a-1", clock=0),
    }

    for order in permutations(events):
        story = fold_events({key: events[key] for key in order})
        assert [h.id for h in story.happened] == ["b-1", "a-1", "c-1"]
        assert story.state is State.FORWARDED


def test_events_that_see_each_other_in_a_circle_do_not_hang() -> None:
    events = {
        "a-1": _event(Step.SUBMIT, "b-1"),
        "b-1": _event(Step.ACCEPT, "c-1"),
        "c-1": _event(Step.SETTLE, "a-1", upholds="b-1", settles=("a-1", "c-1")),
        "d-1": _event(Step.SETTLE, "d-1", upholds="d-1", settles=("d-1",)),
    }

    first, *others = (
        fold_events({k: events[k] for k in order}) for order in permutations(events)
    )

    assert all(other == first for other in others)
    assert len(first.happened) == 4


# -- what cannot both stand ----------------------------------------------------------

BEFORE = {
    "a-1": _event(Step.SUBMIT),
    "b-2": _event(Step.ACCEPT, "a-1", clock=2),
    "b-3": _event(Step.FORWARD, "b-2", clock=3),
}
GRANTED = BEFORE | {"d-4": _event(Step.GRANT, "b-3", clock=4)}
WITHDRAWN = {"w-4": _event(Step.WITHDRAW, "b-3", clock=4)}
BOTH = GRANTED | WITHDRAWN


def test_of_two_ends_the_one_with_the_lower_clock_stands_and_both_are_kept() -> None:
    before = {"a-1": _event(Step.SUBMIT), "a-2": _event(Step.ACCEPT, "a-1", clock=2)}
    withdrawn = {"c-1": _event(Step.WITHDRAW, "a-2", clock=3)}
    forwarded = {"b-1": _event(Step.FORWARD, "a-2", clock=3)}
    granted = {"d-1": _event(Step.GRANT, "b-1", clock=4)}

    story = fold_events(before | withdrawn | forwarded | granted)

    assert [h.id for h in story.happened] == ["a-1", "a-2", "b-1", "c-1", "d-1"]
    assert story.state is State.WITHDRAWN
    assert [h.id for h in story.disputed] == ["d-1"]
    assert story.choices == (
        Choice("c-1", State.WITHDRAWN),
        Choice("d-1", State.GRANTED),
    )


def test_a_step_is_not_taken_for_another_because_it_would_fit_the_state() -> None:
    """Returned for a correction before anybody accepted: no recall of what the town
    has forwarded meanwhile, though the table has one.
    """
    returned = {"r-3": _event(Step.RETURN, "a-1", clock=3)}

    story = fold_events({k: BEFORE[k] for k in ("a-1", "b-2")} | returned)
    later = fold_events(BEFORE | returned)

    assert [h.id for h in story.disputed] == [h.id for h in later.disputed] == ["r-3"]
    assert later.state is State.FORWARDED


def test_a_delivery_of_a_grant_does_not_deliver_a_refusal() -> None:
    refused = {"c-4": _event(Step.REFUSE, "b-3", clock=4)}
    delivered = {"v-5": _event(Step.DELIVER, "d-4", clock=5)}

    story = fold_events(GRANTED | refused | delivered)

    assert story.state is State.REFUSED
    assert story.choices == (
        Choice("c-4", State.REFUSED),
        Choice("v-5", State.DELIVERED),
    )
    settled = {"d-6": _settle(6, "v-5", "c-4", "v-5")}
    story = fold_events(GRANTED | refused | delivered | settled)
    assert (story.state, story.outcome) == (State.DELIVERED, State.GRANTED)
    assert stands(story) == {*GRANTED, "v-5", "d-6"}


@pytest.mark.parametrize("step", [Step.GRANT, Step.DELIVER])
def test_the_same_step_taken_twice_is_no_conflict(step: Step) -> None:
    """As equal values are none; and whoever built upon either has built upon both."""
    seen = {Step.GRANT: "b-3", Step.DELIVER: "d-4"}[step]
    twice = {f"{x}-5": _event(step, seen, clock=5) for x in "xyz"}
    after = {"v-9": _event(Step.DELIVER, "z-5", clock=9)} if step is Step.GRANT else {}

    story = fold_events((BEFORE if step is Step.GRANT else GRANTED) | twice | after)

    assert (story.choices, story.was_disputed) == ((), False)
    assert not story.disputed
    assert story.state is State.DELIVERED if after else next_state(State.GRANTED, step)


def test_who_comes_to_the_same_end_by_another_way_contradicts_nobody() -> None:
    """Withdrawn here; accepted there, and withdrawn a little later."""
    events = {
        "a-1": _event(Step.SUBMIT),
        "a-2": _event(Step.WITHDRAW, "a-1", clock=2),
        "b-2": _event(Step.ACCEPT, "a-1", clock=2),
    }
    assert [one.id for one in fold_events(events).choices] == ["a-2", "b-2"]

    story = fold_events(events | {"b-3": _event(Step.WITHDRAW, "b-2", clock=3)})

    assert (story.state, story.choices, story.disputed) == (State.WITHDRAWN, (), ())
    assert story.was_disputed
    # Who has seen the two and goes on has said nothing of which is right.
    both = {"b-3": _event(Step.WITHDRAW, "b-2", "r-2", clock=3)}
    returned = {"r-2": _event(Step.RETURN, "a-1", clock=2)}
    del events["a-2"]
    assert [h.id for h in fold_events(events | returned | both).disputed] == ["r-2"]


@pytest.mark.parametrize("end", [Step.WITHDRAW, Step.DELIVER])
def test_an_amendment_of_a_case_that_was_closed_meanwhile_contradicts_nothing(
    end: Step,
) -> None:
    events = GRANTED if end is Step.DELIVER else BEFORE
    last = max(events)
    amended = {"v-3": _event(Step.AMEND, "a-1", clock=3)}
    closed = {"v-9": _event(end, last, clock=9)}

    story = fold_events(events | closed | amended)

    assert story.choices == ()
    assert "v-3" in stands(story)


# -- settling ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("upheld", "state", "outcome", "standing"),
    [
        ("d-4", State.GRANTED, State.GRANTED, {*GRANTED}),
        ("w-4", State.WITHDRAWN, "", {*BEFORE, "w-4"}),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_case_stands_where_the_event_led_that_was_upheld(
    upheld: str, state: State, outcome: str, standing: set[str], is_first: bool
) -> None:
    """Whichever of the two came first in the order of the story."""
    events = dict(BOTH)
    if not is_first:
        events["w-4"] = _event(Step.WITHDRAW, "b-3", clock=3)
    story = fold_events(events)
    assert {one.id for one in story.choices} == {"d-4", "w-4"}

    settled = fold_events(events | {"s-5": _settle(5, upheld, "d-4", "w-4")})

    assert (settled.state, settled.outcome) == (state, outcome)
    assert stands(settled) == {*standing, "s-5"}
    assert (settled.choices, settled.disputed) == ((), ())
    assert settled.was_disputed
    decided = {h.id for h in settled.happened if h.settled_by == "s-5"}
    assert decided == {"d-4", "w-4"}


def test_what_an_upheld_event_was_built_upon_stands_with_it() -> None:
    events = {k: BEFORE[k] for k in ("a-1", "b-2")} | {
        "c-3": _event(Step.WITHDRAW, "b-2", clock=3),
        "d-3": _event(Step.FORWARD, "b-2", clock=3),
        "d-4": _event(Step.GRANT, "d-3", clock=4),
    }
    assert [h.id for h in fold_events(events).disputed] == ["d-3", "d-4"]

    story = fold_events(events | {"s-5": _settle(5, "d-4", "c-3", "d-4")})

    assert story.state is State.GRANTED
    assert stands(story) == {"a-1", "b-2", "d-3", "d-4", "s-5"}


def test_a_second_grant_stands_with_the_one_that_was_upheld() -> None:
    events = BOTH | {
        "w-4": _event(Step.WITHDRAW, "b-3", clock=3),
        "e-4": _event(Step.GRANT, "b-3", clock=4),
    }
    names = ("d-4", "e-4", "w-4")
    settled = {f"{x}-5": _settle(5, f"{x}-4", *names) for x in "de"}

    story = fold_events(events | settled)

    assert stands(story) == {*GRANTED, "e-4", "d-5", "e-5"}
    assert story.choices == ()


def test_an_earlier_settlement_stands_as_long_as_what_it_upheld_does() -> None:
    """The withdrawal was made by one who knew of neither the return nor its end."""
    events = BEFORE | {
        "r-2": _event(Step.RETURN, "a-1", clock=2),
        "s-3": _settle(3, "b-2", "b-2", "r-2"),
        "w-4": _event(Step.WITHDRAW, "b-3", clock=5),
        "d-5": _event(Step.GRANT, "b-3", "s-3", clock=4),
    }
    assert [one.id for one in fold_events(events).choices] == ["d-5", "w-4"]

    for upheld in ("w-4", "d-5"):
        story = fold_events(events | {"u-6": _settle(6, upheld, "d-5", "w-4")})
        assert stands(story) == {*BEFORE, "s-3", "u-6", upheld}


@pytest.mark.parametrize("clock", [3, 4])
def test_work_goes_on_from_what_was_settled_and_from_what_was_upheld(
    clock: int,
) -> None:
    settled = BOTH | {
        "w-4": _event(Step.WITHDRAW, "b-3", clock=clock),
        "s-5": _settle(5, "d-4", "d-4", "w-4"),
    }
    knows_it = {"v-6": _event(Step.DELIVER, "s-5", clock=6)}
    knows_only_the_grant = {"v-6": _event(Step.DELIVER, "d-4", clock=6)}

    for more in (knows_it, knows_only_the_grant):
        story = fold_events(settled | more)
        assert (story.state, story.choices) == (State.DELIVERED, ())


@pytest.mark.parametrize("upheld", ["d-4", "w-4"])
def test_two_who_settle_alike_agree(upheld: str) -> None:
    two = {f"{x}-5": _settle(5, upheld, "d-4", "w-4") for x in "st"}

    story = fold_events(BOTH | two)

    assert (story.choices, story.disputed) == ((), ())
    assert {"s-5", "t-5"} <= stands(story)


@pytest.mark.parametrize("upheld", ["s-5", "t-5"])
@pytest.mark.parametrize("first", ["d-4", "w-4"])
def test_two_who_settle_differently_are_shown_and_the_next_one_ends_it(
    first: str, upheld: str
) -> None:
    second = "w-4" if first == "d-4" else "d-4"
    two = {
        "s-5": _settle(5, first, "d-4", "w-4"),
        "t-5": _settle(5, second, "d-4", "w-4"),
    }

    story = fold_events(BOTH | two)

    assert [one.id for one in story.choices] == ["s-5", "t-5"]
    states = {"d-4": State.GRANTED, "w-4": State.WITHDRAWN}
    assert [one.state for one in story.choices] == [states[first], states[second]]
    ended = fold_events(BOTH | two | {"u-6": _settle(6, upheld, "s-5", "t-5")})
    stood = first if upheld == "s-5" else second
    lost = {"s-5", "t-5", "d-4", "w-4"} - {upheld, stood}
    assert (ended.state, ended.choices) == (states[stood], ())
    assert stands(ended) == {*BOTH, "s-5", "t-5", "u-6"} - lost


def test_who_settles_behind_the_back_of_another_step_is_asked_again() -> None:
    """He upheld the withdrawal and did not know that the case had been called back."""
    events = BOTH | {
        "b-4": _event(Step.RETURN, "b-3", clock=4),
        "s-5": _settle(5, "d-4", "d-4", "w-4"),
    }

    story = fold_events(events)

    assert "s-5" not in stands(story)
    assert {one.id for one in story.choices} == {"w-4", "s-5"}
    last = _settle(6, "s-5", "s-5", "w-4")
    seen = ("b-4", "s-5", "w-4")
    again = fold_events(events | {"s-6": msgspec.structs.replace(last, seen=seen)})
    assert (again.state, again.choices) == (State.GRANTED, ())


def test_to_keep_what_stands_does_not_undo_what_was_built_upon_it() -> None:
    returned = {"r-2": _event(Step.RETURN, "a-1", clock=2)}
    kept = {"s-3": _settle(3, "b-2", "b-2", "r-2")}

    story = fold_events(BEFORE | returned | kept)

    assert (story.state, story.choices) == (State.FORWARDED, ())
    assert stands(story) == {*BEFORE, "s-3"}


# -- amendments that came too late ---------------------------------------------------

AMENDED = {"v-2": _event(Step.AMEND, "a-1", clock=2, fields=("name", "phone"))}


def test_an_amendment_that_the_acceptance_did_not_know_is_open_until_noted() -> None:
    story = fold_events(BEFORE | AMENDED)
    assert (story.late, story.late_ends) == (("v-2",), ("v-2",))

    noted = _event(Step.SETTLE, "b-3", "v-2", clock=4, settles=("v-2",))

    assert fold_events(BEFORE | AMENDED | {"b-4": noted}).late == ()
    assert not story.was_disputed


def test_an_amendment_whose_every_field_was_settled_needs_no_second_look() -> None:
    one, both = (
        _event(Step.SETTLE, "b-3", "v-2", clock=4, settles=keys, fields=keys)
        for keys in (("phone",), ("name", "phone"))
    )

    assert fold_events(BEFORE | AMENDED | {"b-4": one}).late == ("v-2",)
    assert fold_events(BEFORE | AMENDED | {"b-4": both}).late == ()


def test_an_amendment_that_was_seen_by_a_later_acceptance_is_not_late() -> None:
    round_two = {
        "d-4": _event(Step.RETURN, "b-3", clock=4),
        "a-5": _event(Step.SUBMIT, "d-4", clock=5),
        "v-6": _event(Step.AMEND, "a-5", clock=6),
        "b-7": _event(Step.ACCEPT, "v-6", "v-2", clock=7),
    }

    story = fold_events(BEFORE | AMENDED | round_two)

    assert (story.state, story.late) == (State.ACCEPTED, ())


# -- any honest work, past each other ------------------------------------------------

WRITERS = {
    "1": Tier.VILLAGE,
    "2": Tier.VILLAGE,
    "3": Tier.TOWN,
    "4": Tier.TOWN,
    "5": Tier.DISTRICT,
    "6": Tier.DISTRICT,
}
Moves = list[tuple[str, str, int]]
_MOVES: st.SearchStrategy[Moves] = st.lists(
    st.tuples(
        st.sampled_from(sorted(WRITERS)),
        st.sampled_from(["hear", "act", "act"]),
        st.integers(0, 11),
    ),
    max_size=40,
)


class World:
    """People who each know a part of one case, and act on what they know."""

    def __init__(self) -> None:
        first = {"1-0": Event(Step.SUBMIT, 0, "x")}
        self.known = {who: dict(first) for who in WRITERS}
        self.told: list[Story] = []

    def play(self, moves: Moves) -> dict[str, Event]:
        """Return all events at the end."""
        for time, (who, what, which) in enumerate(moves, start=1):
            if what == "hear":
                self.known[who] |= self.known[sorted(WRITERS)[which % len(WRITERS)]]
            else:
                self.act(who, time, which)
            self.told.append(fold_events(self.known[who]))
        return {k: e for known in self.known.values() for k, e in known.items()}

    def act(self, who: str, time: int, which: int) -> None:
        known = self.known[who]
        story, tier = fold_events(known), WRITERS[who]
        acts = [
            Event(s, time, "x") for s in possible_steps(tier, ITEM, story.state, HERE)
        ]
        if tier is settler(ITEM, story):
            acts += settlements(story)
        if acts:
            known[f"{who}-{time}"] = signed(acts[which % len(acts)], known)


def settlements(story: Story) -> list[Event]:
    """Return all the ways in which what is open may be settled."""
    names = tuple(sorted(one.id for one in story.choices))
    found = [Event(Step.SETTLE, 0, "x", settles=names, upholds=one) for one in names]
    if story.late:
        found.append(Event(Step.SETTLE, 0, "x", settles=story.late_ends))
    return found


def signed(event: Event, known: dict[str, Event]) -> Event:
    """Return an event as its author writes it after all that he knows."""
    clock = 1 + max(one.clock for one in known.values())
    return Event(
        event.step,
        event.at,
        event.by,
        frontier(known),
        clock,
        settles=event.settles,
        upholds=event.upholds,
    )


@settings(max_examples=600, deadline=None, derandomize=True)
@given(_MOVES)
def test_a_case_that_ever_had_a_dispute_keeps_its_mark(moves: Moves) -> None:
    """Wherever it was seen, and whatever made it vanish; in every larger story."""
    world = World()
    everything = fold_events(world.play(moves))

    for story in [*world.told, everything]:
        if story.choices or story.disputed:
            assert story.was_disputed
        assert everything.was_disputed or not story.was_disputed


def test_a_dispute_that_came_to_nothing_has_been_one() -> None:
    """Returned here, accepted there; then it was submitted again and accepted, too."""
    events = {
        "a-1": _event(Step.SUBMIT),
        "v-2": _event(Step.AMEND, "a-1", clock=2),
        "v-3": _event(Step.AMEND, "v-2", clock=3),
        "c-4": _event(Step.ACCEPT, "v-3", clock=4),
        "b-2": _event(Step.RETURN, "a-1", clock=2),
    }
    assert fold_events(events).choices
    later = {
        "v-4": _event(Step.SUBMIT, "b-2", clock=3),
        "b-4": _event(Step.ACCEPT, "v-4", clock=4),
    }

    story = fold_events(events | later)

    assert (story.choices, story.disputed) == ((), ())
    assert story.was_disputed


@settings(max_examples=600, deadline=None, derandomize=True)
@given(_MOVES)
def test_who_knows_everything_settles_everything_at_once(moves: Moves) -> None:
    events = World().play(moves)
    story = fold_events(events)
    choices = settlements(story)

    for event in choices if story.choices else ():
        if not event.upholds:
            continue
        after = fold_events(events | {"9-99": signed(event, events)})
        wanted = next(one for one in story.choices if one.id == event.upholds)
        assert after.state is wanted.state
        assert (after.choices, after.disputed) == ((), ())
    if story.late:
        after = fold_events(events | {"9-99": signed(choices[-1], events)})
        assert after.late == ()
        assert after.choices == story.choices


@settings(max_examples=600, deadline=None, derandomize=True)
@given(_MOVES)
def test_nobody_is_overruled_by_whom_he_did_not_know_of(moves: Moves) -> None:
    """What stands at the end was known to whoever led the case on from it."""
    events = World().play(moves)
    story = fold_events(events)

    for one in story.happened:
        own = fold_events(_past(events, one.id))
        mine = next(h for h in own.happened if h.id == one.id)
        assert not mine.why_not, "it was right in what its author knew"
        if one.why_not and not one.settled_by:
            assert len(own.happened) < len(story.happened)
    if not story.was_disputed:
        assert stands(story) == set(events)


def _past(events: dict[str, Event], key: str) -> dict[str, Event]:
    found: dict[str, Event] = {}
    waiting = [key]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = events[one]
            waiting += events[one].seen
    return found
