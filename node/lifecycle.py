"""Case life cycle: states, steps, and what an event is. Pure: no I/O, no clock.

What the events of a case come to, where several people wrote them, is told in
`node.story`.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

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
    SETTLE = "settle"


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
"""Where a step leads. To settle is in no row: it is possible where something is open,
whatever the state, and leads where the event led that it upholds.
"""

LEADS_TO: dict[str, State] = {
    step: state
    for onward in TRANSITIONS.values()
    for step, state in onward.items()
    if step is not Step.AMEND
}
"""The one state to which a step leads, from wherever it is taken."""

CARRIES_FIELDS = frozenset({Step.SUBMIT, Step.AMEND})
"""Steps that may write any fields, and materials, with them."""

NEEDS_REASON = frozenset({Step.RETURN, Step.REFUSE, Step.WITHDRAW, Step.SETTLE})
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
        settles: what a person has settled with it: keys of fields that had two living
            values, or ids of events between which he chose, or ids of amendments
            that he has taken note of.
        upholds: of events that could not both stand, the one that shall.
    """

    step: str
    at: int
    by: str
    seen: tuple[str, ...] = ()
    clock: int = 1
    note: str = ""
    fields: tuple[str, ...] = ()
    batch: str = ""
    settles: tuple[str, ...] = ()
    upholds: str = ""


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


def next_state(state: State, step: str) -> State | None:
    """Return the state that `step` leads to, or None where it leads nowhere.

    An amendment made before its author knew of the acceptance, or of the end, stands
    in every state: it changes fields, not the state.
    """
    if step == Step.AMEND and state is not State.DRAFT:
        return state
    return TRANSITIONS[state].get(step)  # type: ignore[call-overload, no-any-return]
