"""What a case's events come to, and who may add one. No node is needed for that."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.catalog import read_catalog, shipped
from forms.item import Item, Tier
from node import rights
from node.lifecycle import (
    CARRIES_FIELDS,
    EVENT_LIMIT_BYTES,
    NEEDS_REASON,
    TRANSITIONS,
    Event,
    State,
    Step,
    decode_event,
    encode_event,
    fold,
    frontier,
    next_state,
)
from node.rights import REFUSALS, RIGHTS, possible_steps, why_not

ITEMS = {p.item.name: p.item for p in read_catalog(shipped())}
ELDER, ALLOWANCE, BIRTH = "老年人优待证办理", "最低生活保障审核确认", "生育登记"
CLOSED = {State.DELIVERED, State.WITHDRAWN}


def test_every_state_and_every_step_has_its_rows() -> None:
    assert set(TRANSITIONS) == set(State)
    assert set(RIGHTS) == set(Step)
    assert {s for onward in TRANSITIONS.values() for s in onward} == set(Step)
    assert {s for onward in TRANSITIONS.values() for s in onward.values()} == set(
        State
    ) - {State.DRAFT}
    assert set(Step) >= CARRIES_FIELDS | NEEDS_REASON
    duties = {duty for words in RIGHTS.values() for duty in words.split(" or ")}
    assert duties == {"collect", "accept", "decide"}


@pytest.mark.parametrize("state", State)
def test_a_state_has_a_way_out_or_is_closed(state: State) -> None:
    assert bool(TRANSITIONS[state]) == (state not in CLOSED)


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_somebody_can_lead_every_reachable_case_to_its_end(item: Item) -> None:
    reached, waiting = set(), [State.DRAFT]
    while waiting:
        state = waiting.pop()
        if state in reached:
            continue
        reached.add(state)
        steps = {s for tier in Tier for s in possible_steps(tier, item, state)}
        assert bool(steps) == (state not in CLOSED), state
        waiting += [TRANSITIONS[state][s] for s in steps]

    never = {State.FORWARDED} if item.decide is item.accept else set()
    assert reached == set(State) - never


V, T, D = Tier.VILLAGE, Tier.TOWN, Tier.DISTRICT

# For each item, tier and state: what may be done. What is not named may not.
UP_TO_DISTRICT = {
    (V, "draft"): "submit",
    (V, "submitted"): "amend withdraw",
    (V, "returned"): "submit withdraw",
    (V, "accepted"): "withdraw",
    (V, "forwarded"): "withdraw",
    (V, "granted"): "deliver",
    (V, "refused"): "deliver",
    (T, "draft"): "submit",
    (T, "submitted"): "amend accept return withdraw",
    (T, "returned"): "submit withdraw",
    (T, "accepted"): "forward withdraw",
    (T, "forwarded"): "return withdraw",  # called back before the decision
    (T, "granted"): "deliver",
    (T, "refused"): "deliver",
    (D, "submitted"): "return",
    (D, "forwarded"): "grant refuse return",
}
AT_THE_TOWN = {
    (V, "draft"): "submit",
    (V, "submitted"): "amend withdraw",
    (V, "returned"): "submit withdraw",
    (V, "accepted"): "withdraw",
    (V, "forwarded"): "withdraw",
    (V, "granted"): "deliver",
    (V, "refused"): "deliver",
    (T, "draft"): "submit",
    (T, "submitted"): "amend accept return withdraw",
    (T, "returned"): "submit withdraw",
    (T, "accepted"): "grant refuse withdraw",
    (T, "forwarded"): "grant refuse return withdraw",
    (T, "granted"): "deliver",
    (T, "refused"): "deliver",
}
EXPECTED = {ELDER: UP_TO_DISTRICT, ALLOWANCE: UP_TO_DISTRICT, BIRTH: AT_THE_TOWN}
TABLE = [
    (name, tier, state, step)
    for name in EXPECTED
    for tier in Tier
    for state in State
    for step in Step
]


@pytest.mark.parametrize(("name", "tier", "state", "step"), TABLE)
def test_a_tier_may_take_exactly_the_steps_of_its_row(
    name: str, tier: Tier, state: State, step: Step
) -> None:
    allowed = EXPECTED[name].get((tier, state.value), "").split()

    why = why_not(step, tier, ITEMS[name], state, "理由")

    assert (why == "") == (step in allowed)
    assert why == "" or why in REFUSALS
    assert (step in possible_steps(tier, ITEMS[name], state)) == (step in allowed)


@pytest.mark.parametrize("step", sorted(NEEDS_REASON))
@pytest.mark.parametrize("note", ["", "  ", "\n\u3000"])
def test_a_step_that_says_nothing_without_a_reason_wants_one(
    step: Step, note: str
) -> None:
    states = [s for s in State if step in TRANSITIONS[s]]

    for state in states:
        for tier in Tier:
            if step in possible_steps(tier, ITEMS[ELDER], state):
                assert why_not(step, tier, ITEMS[ELDER], state, note) == "reason"


@pytest.mark.parametrize("step", ["", "approve", "GRANT", "grant ", "提交"])
@pytest.mark.parametrize("state", State)
def test_a_step_that_nobody_knows_is_refused(step: str, state: State) -> None:
    assert why_not(step, Tier.DISTRICT, ITEMS[ELDER], state, "x") == "state"
    assert next_state(state, step) is None
    assert rights.allowed_words(Tier.DISTRICT, ITEMS[ELDER], state) == [
        str(s) for s in possible_steps(Tier.DISTRICT, ITEMS[ELDER], state)
    ]


# -- the fold ------------------------------------------------------------------------

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
    ),
    max_size=8,
)


@settings(max_examples=300, deadline=None, derandomize=True)
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
    assert {h.id for h in one.disputed} == {h.id for h in one.happened if h.why_not}
    assert frontier(dict(events)) == frontier(dict(reversed(events.items())))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(_EVENTS)
def test_a_case_stands_where_its_last_good_event_led(events: dict[str, Event]) -> None:
    story = fold({k: encode_event(e) for k, e in events.items()})

    state = State.DRAFT
    for one in story.happened:
        onward = next_state(state, one.event.step)
        assert (onward is None) == bool(one.why_not)
        state = onward or state
        assert one.state is state
    assert story.state is state


def _event(step: Step, *seen: str, clock: int = 1) -> str:
    return encode_event(Event(step, at=1, by="x", seen=seen, clock=clock))


def test_an_event_comes_after_all_that_it_has_seen_whatever_its_clock() -> None:
    texts = {
        "a-1": _event(Step.ACCEPT, "b-1", clock=1),
        "b-1": _event(Step.SUBMIT, clock=9),
        "c-1": _event(Step.FORWARD, "a-1", clock=0),
    }

    for order in permutations(texts):
        story = fold({key: texts[key] for key in order})
        assert [h.id for h in story.happened] == ["b-1", "a-1", "c-1"]
        assert story.state is State.FORWARDED


def test_events_that_see_each_other_in_a_circle_do_not_hang() -> None:
    texts = {
        "a-1": _event(Step.SUBMIT, "b-1"),
        "b-1": _event(Step.ACCEPT, "c-1"),
        "c-1": _event(Step.FORWARD, "a-1"),
        "d-1": _event(Step.GRANT, "d-1"),
    }

    stories = {fold({k: texts[k] for k in order}) for order in permutations(texts)}

    assert len(stories) == 1
    assert len(next(iter(stories)).happened) == 4


def test_of_two_ends_the_one_with_the_lower_clock_stands_and_both_are_kept() -> None:
    before = {"a-1": _event(Step.SUBMIT), "a-2": _event(Step.ACCEPT, "a-1", clock=2)}
    withdrawn = {"c-1": _event(Step.WITHDRAW, "a-2", clock=3)}
    forwarded = {"b-1": _event(Step.FORWARD, "a-2", clock=3)}
    granted = {"d-1": _event(Step.GRANT, "b-1", clock=4)}

    story = fold(before | withdrawn | forwarded | granted)

    assert [h.id for h in story.happened] == ["a-1", "a-2", "b-1", "c-1", "d-1"]
    assert story.state is State.WITHDRAWN
    assert [h.id for h in story.disputed] == ["d-1"]


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "null",
        "[]",
        "{}",
        '{"step":"submit"}',
        '{"step":"submit","at":"1","by":"x"}',
        '{"step":"submit","at":1,"by":"x","more":1}',  # forged by a later format
        '{"step":"submit","at":1,"by":"x","seen":"a"}',
        '{"step":"submit","at":1,"by":"x"',
        '{"step":"submit","at":1e400,"by":"x"}',
        '{"step":"submit","at":1,"by":"\\ud800"}',
        "[" * 3000,
        '{"step":"submit","at":1,"by":"x","note":"' + "长" * EVENT_LIMIT_BYTES + '"}',
    ],
)
def test_what_is_no_event_is_passed_over(text: object) -> None:
    assert decode_event(text) is None
    assert fold({"a-1": text, "b-1": _event(Step.SUBMIT)}).state is State.SUBMITTED
