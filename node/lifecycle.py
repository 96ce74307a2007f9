"""Case life cycle. Pure: no I/O, no clock.

The state of a case is `fold(events)`: the events of all tiers in causal order, led
through the table. Every node that has the same events comes to the same state. An
event that cannot stand is kept and listed with its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from heapq import heapify, heappop, heappush

import msgspec


class State(StrEnum):
    """Where a case stands. The values are stored, so never rename one."""

    DRAFT = "draft"  # 草稿: only this node sees it
    SUBMITTED = "submitted"  # 待受理: waiting for whoever accepts
    RETURNED = "returned"  # 退回补正: waiting for the applicant
    ACCEPTED = "accepted"  # 已受理: the time limit runs
    FORWARDED = "forwarded"  # 已转区: waiting for the department
    GRANTED = "granted"  # 准予
    REFUSED = "refused"  # 不予
    DELIVERED = "delivered"  # 已送达: closed
    WITHDRAWN = "withdrawn"  # 已撤回: closed


class Step(StrEnum):
    """What may happen to a case. The values are stored, so never rename one."""

    SUBMIT = "submit"
    AMEND = "amend"
    RETURN = "return"
    ACCEPT = "accept"
    FORWARD = "forward"
    GRANT = "grant"
    REFUSE = "refuse"
    DELIVER = "deliver"
    WITHDRAW = "withdraw"


TRANSITIONS: dict[State, dict[Step, State]] = {
    State.DRAFT: {Step.SUBMIT: State.SUBMITTED},
    State.SUBMITTED: {
        Step.AMEND: State.SUBMITTED,
        Step.ACCEPT: State.ACCEPTED,
        Step.RETURN: State.RETURNED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.RETURNED: {
        Step.SUBMIT: State.SUBMITTED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.ACCEPTED: {
        Step.FORWARD: State.FORWARDED,
        Step.GRANT: State.GRANTED,
        Step.REFUSE: State.REFUSED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.FORWARDED: {
        Step.GRANT: State.GRANTED,
        Step.REFUSE: State.REFUSED,
        Step.RETURN: State.RETURNED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.GRANTED: {Step.DELIVER: State.DELIVERED},
    State.REFUSED: {Step.DELIVER: State.DELIVERED},
    State.DELIVERED: {},
    State.WITHDRAWN: {},
}

CARRIES_FIELDS = frozenset({Step.SUBMIT, Step.AMEND})
"""Steps that may write fields and materials with them."""

NEEDS_REASON = frozenset({Step.RETURN, Step.REFUSE, Step.WITHDRAW})
"""Steps that say nothing without a note."""

NOTE_LIMIT = 2000
EVENT_LIMIT_BYTES = 16 * 1024


class Event(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One thing that happened to a case. The document holds it as JSON text.

    Attributes:
        step: what happened.
        at: device time in milliseconds; shown, never used for order.
        by: the operator who did it.
        seen: ids of the latest events that the author knew.
        clock: one more than the highest clock among those.
        note: reasons, for people.
        fields: keys of the fields that were written with it.
        batch: the batch with which it was forwarded.
    """

    step: str
    at: int
    by: str
    seen: tuple[str, ...] = ()
    clock: int = 1
    note: str = ""
    fields: tuple[str, ...] = ()
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event in its place in the story; `why_not` is "" where it stands."""

    id: str
    event: Event
    state: State
    why_not: str

    @property
    def author(self) -> str:
        """The first 16 hex digits of the node that signed it."""
        return self.id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Story:
    """What the events of a case come to."""

    state: State
    outcome: str
    happened: tuple[Happened, ...]

    @property
    def disputed(self) -> tuple[Happened, ...]:
        """The events that could not stand beside the others."""
        return tuple(one for one in self.happened if one.why_not)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode_event(event: Event) -> str:
    """Return the text that the document holds."""
    return _encoder.encode(event).decode()


def decode_event(text: object) -> Event | None:
    """Return the event in a text, or None if it is no event of ours."""
    if not isinstance(text, str) or len(text) > EVENT_LIMIT_BYTES:
        return None
    return _decoded(text)


@lru_cache(maxsize=4096)
def _decoded(text: str) -> Event | None:
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return None


def frontier(events: Mapping[str, Event]) -> tuple[str, ...]:
    """Return the ids that no other event has seen, sorted."""
    seen = {before for event in events.values() for before in event.seen}
    return tuple(sorted(set(events) - seen))


def fold(texts: Mapping[str, object]) -> Story:
    """Return where a case stands, from its events by id, in any order.

    An event comes after all that it has seen; among those that could come next the
    lower clock goes first, then the lower id.
    """
    events = {
        key: event for key, text in texts.items() if (event := decode_event(text))
    }
    state, outcome = State.DRAFT, ""
    happened = []
    for key in _causal_order(events):
        event = events[key]
        onward = next_state(state, event.step)
        if onward is None:
            happened.append(Happened(key, event, state, state))
            continue
        state = onward
        if state in (State.GRANTED, State.REFUSED):
            outcome = state
        happened.append(Happened(key, event, state, ""))
    return Story(state, outcome, tuple(happened))


def next_state(state: State, step: str) -> State | None:
    """Return the state that `step` leads to, or None where it leads nowhere.

    An amendment made before its author knew of the acceptance stands in every state
    that is not closed: it changes fields, not the state.
    """
    if step == Step.AMEND and state is not State.DRAFT and TRANSITIONS[state]:
        return state
    return TRANSITIONS[state].get(step)  # type: ignore[call-overload, no-any-return]


def _causal_order(events: Mapping[str, Event]) -> list[str]:
    waits_for = {
        key: {before for before in event.seen if before in events}
        for key, event in events.items()
    }
    followers: dict[str, list[str]] = {key: [] for key in events}
    for key, before in waits_for.items():
        for one in before:
            followers[one].append(key)
    ready = [
        (events[key].clock, key) for key, before in waits_for.items() if not before
    ]
    heapify(ready)
    order: list[str] = []
    while waits_for:
        if not ready:
            # Events that see each other in a circle are hostile: the lowest goes in.
            ready = [min((events[key].clock, key) for key in waits_for)]
        _, key = heappop(ready)
        order.append(key)
        del waits_for[key]
        for follower in followers[key]:
            if follower in waits_for:
                waits_for[follower].discard(key)
                if not waits_for[follower]:
                    heappush(ready, (events[follower].clock, follower))
    return order
