"""What a case's events come to, and who may add one. No node is needed for that."""

from pathlib import Path

import pytest

from forms.catalog import read_entries, shipped
from forms.item import Item, Tier
from node import rights
from node.facts import FACTS, fault_of
from node.lifecycle import (
    CARRIES_FIELDS,
    EVENT_LIMIT,
    LEADS_TO,
    NEEDS_REASON,
    RECORDS,
    TRANSITIONS,
    Event,
    State,
    Step,
    decode_event,
    encode_event,
    is_possible,
    next_state,
)
from node.rights import (
    REFUSALS,
    RIGHTS,
    SETTLED_LIMIT,
    SETTLERS,
    Side,
    possible_steps,
    settler,
    why_not,
    why_not_settle,
)
from node.story import Choice, Happened, Story, fold

PROTOCOL = Path(__file__).parents[2] / "PROTOCOL.md"
ITEMS = {entry.item.name: entry.item for entry in read_entries(shipped())}
ELDER, ALLOWANCE, BIRTH = "老年人优待证办理", "最低生活保障审核确认", "生育登记"
CLOSED = {State.ARCHIVED}
HERE = Side.COMPETENT


def test_every_state_and_every_step_has_its_rows() -> None:
    assert set(TRANSITIONS) == set(State)
    assert set(RIGHTS) == set(Step)
    assert set(SETTLERS) == set(State) - {State.DRAFT}
    # Settling is possible where something is open, whatever the state.
    in_rows = {s for onward in TRANSITIONS.values() for s in onward}
    assert in_rows | set(RECORDS) == set(Step) - {Step.SETTLE}
    assert not in_rows & set(RECORDS)
    assert set(FACTS) == set(Step)
    assert {s for onward in TRANSITIONS.values() for s in onward.values()} == set(
        State
    ) - {State.DRAFT}
    assert set(Step) >= CARRIES_FIELDS | NEEDS_REASON
    duties = {duty for words in RIGHTS.values() for duty in words.split(" or ")}
    assert duties == {"collect", "accept", "decide"}


@pytest.mark.parametrize("state", State)
def test_a_step_leads_to_one_state_from_wherever_it_is_taken(state: State) -> None:
    for step, onward in TRANSITIONS[state].items():
        assert onward is LEADS_TO[step]


@pytest.mark.parametrize("step", RECORDS)
def test_what_is_only_written_down_moves_nothing(step: Step) -> None:
    assert State.DRAFT not in RECORDS[step]
    for state in set(State) - {State.DRAFT}:
        assert next_state(state, step) is state


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
        steps = {s for tier in Tier for s in possible_steps(tier, item, state, HERE)}
        moves = steps & set(TRANSITIONS[state])
        assert bool(moves) == (state not in CLOSED), state
        waiting += [TRANSITIONS[state][s] for s in moves]

    never = {State.FORWARDED} if item.decide is item.accept else set()
    assert reached == set(State) - never


V, T, D = Tier.VILLAGE, Tier.TOWN, Tier.DISTRICT

# For each item, tier and state: where the case may be led. What is not named may not.
UP_TO_DISTRICT = {
    (V, "draft"): "submit",
    (V, "submitted"): "withdraw",
    (V, "reviewed"): "withdraw",
    (V, "returned"): "submit withdraw",
    (V, "accepted"): "withdraw",
    (V, "forwarded"): "withdraw",
    (V, "granted"): "deliver",
    (V, "refused"): "deliver",
    (T, "draft"): "submit",
    (T, "submitted"): "review accept return decline withdraw",
    (T, "reviewed"): "accept return decline withdraw",
    (T, "returned"): "submit decline withdraw",
    (T, "accepted"): "forward terminate withdraw",
    (T, "forwarded"): "return terminate withdraw",  # called back before the decision
    (T, "granted"): "deliver",
    (T, "refused"): "deliver",
    (T, "delivered"): "archive",
    (T, "declined"): "archive",
    (T, "withdrawn"): "archive",
    (T, "terminated"): "archive",
    (D, "submitted"): "return",
    (D, "reviewed"): "return",
    (D, "accepted"): "terminate",
    (D, "forwarded"): "grant refuse return terminate",
    (D, "delivered"): "archive",
    (D, "declined"): "archive",
    (D, "withdrawn"): "archive",
    (D, "terminated"): "archive",
}
AT_THE_TOWN = {
    key: steps for key, steps in UP_TO_DISTRICT.items() if key[0] is not D
} | {
    (T, "accepted"): "grant refuse terminate withdraw",
    (T, "forwarded"): "grant refuse return terminate withdraw",
}
LEFT_TO_THE_TOWN = UP_TO_DISTRICT | {
    # The district may leave the decision to the town, and takes what is forwarded.
    (T, "accepted"): "grant refuse forward terminate withdraw",
}
# What may be written down by whoever takes in, accepts or decides, by state.
OPEN = "submitted reviewed returned accepted forwarded"
ALL = f"{OPEN} granted refused declined delivered withdrawn terminated archived"
WRITTEN = {
    "amend": ("collect accept", "submitted reviewed"),
    "check": ("collect accept decide", f"{OPEN} granted refused"),
    "pause": ("accept decide", "accepted forwarded"),
    "resume": ("accept decide", "accepted forwarded"),
    "extend": ("decide", "accepted forwarded"),
    "hurry": ("accept decide", OPEN),
    "transfer": ("decide", "accepted forwarded"),
    "advise": ("decide", "accepted forwarded"),
    "visit": ("decide", "accepted forwarded"),
    "inspect": ("decide", "accepted forwarded"),
    "fee": ("collect accept decide", f"{OPEN} granted refused"),
    "parcel": ("collect accept decide", ALL.removesuffix(" archived")),
    "rate": ("collect accept", "granted refused delivered declined"),
    "explain": ("collect accept decide", ALL),
    "redate": ("accept decide", ALL),
}
WHO = {
    ELDER: {V: "collect", T: "collect accept", D: "decide"},
    ALLOWANCE: {V: "collect", T: "collect accept decide", D: "decide"},
    BIRTH: {V: "collect", T: "collect accept decide", D: ""},
}


def expected(name: str, tier: Tier, state: State) -> set[str]:
    duties = set(WHO[name][tier].split())
    return set(EXPECTED[name].get((tier, state.value), "").split()) | {
        step
        for step, (whose, states) in WRITTEN.items()
        if duties & set(whose.split()) and state.value in states.split()
    }


EXPECTED = {ELDER: UP_TO_DISTRICT, ALLOWANCE: LEFT_TO_THE_TOWN, BIRTH: AT_THE_TOWN}
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
    allowed = expected(name, tier, state)

    why = why_not(step, tier, ITEMS[name], state, "理由", HERE)

    assert (why == "") == (step in allowed)
    assert why == "" or why in REFUSALS
    possible = possible_steps(tier, ITEMS[name], state, HERE)
    assert (step in possible) == (step in allowed)


@pytest.mark.parametrize(("name", "tier", "state", "step"), TABLE)
def test_where_a_case_was_only_taken_in_nobody_accepts_or_decides(
    name: str, tier: Tier, state: State, step: Step
) -> None:
    # Villages and towns take in all of these items; the district stands above all.
    is_below = tier is not Tier.DISTRICT
    allowed = expected(name, V, state) if is_below else set[str]()

    why = why_not(step, tier, ITEMS[name], state, "理由", Side.INTAKE)

    assert (why == "") == (step in allowed)
    if why == "elsewhere":
        assert why_not(step, tier, ITEMS[name], state, "理由", HERE) != "tier"


@pytest.mark.parametrize("step", sorted(NEEDS_REASON - {Step.SETTLE}))
@pytest.mark.parametrize("note", ["", "  ", "\n\u3000"])
def test_a_step_that_says_nothing_without_a_reason_wants_one(
    step: Step, note: str
) -> None:
    states = [s for s in State if is_possible(s, step)]

    for state in states:
        for tier in Tier:
            if step in possible_steps(tier, ITEMS[ELDER], state, HERE):
                why = why_not(step, tier, ITEMS[ELDER], state, note, HERE)
                assert why == "reason"


STATES = [state for state in State if state is not State.DRAFT]
AT_THE_DISTRICT = {
    State.FORWARDED,
    State.GRANTED,
    State.REFUSED,
    State.DELIVERED,
    State.TERMINATED,
    State.ARCHIVED,
}


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("state", STATES)
def test_one_tier_settles_what_is_open_in_a_state(name: str, state: State) -> None:
    story, item = Story(state, "", ()), ITEMS[name]
    by_district = state in AT_THE_DISTRICT and item.decide is Tier.DISTRICT
    expected = Tier.DISTRICT if by_district else Tier.TOWN

    assert settler(item, story) is expected
    for tier in Tier:
        why = "" if tier is expected else "tier"
        assert why_not_settle(tier, item, story, "核对过", HERE) == why
        assert why_not_settle(tier, item, story, " ", HERE) == (why or "reason")


def test_nobody_settles_without_end_in_one_case() -> None:
    settled = Event(Step.SETTLE, 1, "x", upholds="a-1")
    happened = [
        Happened(f"a-{number}", settled, State.GRANTED, "")
        for number in range(SETTLED_LIMIT)
    ]

    for count, why in ((SETTLED_LIMIT - 1, ""), (SETTLED_LIMIT, "too-often")):
        story = Story(State.GRANTED, "", tuple(happened[:count]))
        why_found = why_not_settle(Tier.DISTRICT, ITEMS[ELDER], story, "核对过", HERE)
        assert why_found == why


@pytest.mark.parametrize("state", [State.WITHDRAWN, State.ACCEPTED, State.RETURNED])
def test_whoever_has_decided_settles_whether_it_stands(state: State) -> None:
    choices = (Choice("a-1", state), Choice("b-1", State.GRANTED))

    story = Story(state, "", (), choices)

    assert settler(ITEMS[ELDER], story) is Tier.DISTRICT
    assert settler(ITEMS[BIRTH], story) is Tier.TOWN


@pytest.mark.parametrize("step", ["", "approve", "GRANT", "grant ", "提交"])
@pytest.mark.parametrize("state", State)
def test_a_step_that_nobody_knows_is_refused(step: str, state: State) -> None:
    assert why_not(step, Tier.DISTRICT, ITEMS[ELDER], state, "x", HERE) == "state"
    assert next_state(state, step) is None
    assert rights.allowed_words(Tier.DISTRICT, ITEMS[ELDER], state, HERE) == [
        str(s) for s in possible_steps(Tier.DISTRICT, ITEMS[ELDER], state, HERE)
    ]


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
        '{"step":"submit","at":1,"by":"x","note":"' + "长" * EVENT_LIMIT + '"}',
    ],
)
def test_what_is_no_event_is_passed_over(text: object) -> None:
    assert decode_event(text) is None
    submitted = encode_event(Event(Step.SUBMIT, at=1, by="x"))
    assert fold({"a-1": text, "b-1": submitted}).state is State.SUBMITTED


def test_the_event_in_the_protocol_is_as_the_program_writes_one() -> None:
    text = PROTOCOL.read_text(encoding="utf-8")
    (shown,) = [line.strip() for line in text.splitlines() if '{"step":' in line]

    event = decode_event(shown)

    assert event is not None and encode_event(event) == shown
    assert event.facts
    assert fault_of(Step(event.step), event.facts, ITEMS[ELDER]) == ""
    names = ", ".join(Event.__struct_fields__)
    assert f"`{{{names}}}`" in text.replace("?", "")
