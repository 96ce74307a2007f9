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
    SUBMITTED = "submitted"  # 收件: waiting for whoever accepts
    REVIEWED = "reviewed"  # 预审: looked through, no time limit runs yet
    RETURNED = "returned"  # 退回补正: waiting for the applicant
    ACCEPTED = "accepted"  # 已受理: the time limit runs
    DECLINED = "declined"  # 不予受理
    FORWARDED = "forwarded"  # 审查: with the department
    GRANTED = "granted"  # 准予: decided 办结
    REFUSED = "refused"  # 不予: decided 办结
    DELIVERED = "delivered"  # 已送达: the applicant has the answer
    WITHDRAWN = "withdrawn"  # 已撤回, by the applicant
    TERMINATED = "terminated"  # 已终止, by the office
    ARCHIVED = "archived"  # 已归档


class Step(StrEnum):
    """What may happen to a case. The values are stored, so never rename one.

    The first group leads a case from state to state (`TRANSITIONS`); the second is
    written down and leaves it where it stands (`RECORDS`).
    """

    SUBMIT = "submit"  # 收件, after a correction 补正收件
    REVIEW = "review"  # 预审
    RETURN = "return"  # 补正告知
    ACCEPT = "accept"  # 受理
    DECLINE = "decline"  # 不予受理
    FORWARD = "forward"  # 转区
    GRANT = "grant"  # 准予
    REFUSE = "refuse"  # 不予
    DELIVER = "deliver"  # 送达
    WITHDRAW = "withdraw"  # 撤回
    TERMINATE = "terminate"  # 终止
    ARCHIVE = "archive"  # 归档

    AMEND = "amend"  # 修改，代录
    CHECK = "check"  # 核材料
    PAUSE = "pause"  # 特别程序开始: stops the clock
    RESUME = "resume"  # 特别程序结束
    EXTEND = "extend"  # 延长期限
    HURRY = "hurry"  # 加急: the green channel
    TRANSFER = "transfer"  # 转办 to another department
    ADVISE = "advise"  # 部门意见: one branch of a joint case decides
    VISIT = "visit"  # 联合勘验: a visit is fixed
    INSPECT = "inspect"  # 勘验结果
    FEE = "fee"  # 收费
    PARCEL = "parcel"  # 快递
    RATE = "rate"  # 评价
    EXPLAIN = "explain"  # 超期说明
    REDATE = "redate"  # 更正日期: a clock was wrong
    SETTLE = "settle"


TRANSITIONS: dict[State, dict[Step, State]] = {
    State.DRAFT: {Step.SUBMIT: State.SUBMITTED},
    State.SUBMITTED: {
        Step.REVIEW: State.REVIEWED,
        Step.ACCEPT: State.ACCEPTED,
        Step.RETURN: State.RETURNED,
        Step.DECLINE: State.DECLINED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.REVIEWED: {
        Step.ACCEPT: State.ACCEPTED,
        Step.RETURN: State.RETURNED,
        Step.DECLINE: State.DECLINED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.RETURNED: {
        Step.SUBMIT: State.SUBMITTED,
        Step.DECLINE: State.DECLINED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.ACCEPTED: {
        Step.FORWARD: State.FORWARDED,
        Step.GRANT: State.GRANTED,
        Step.REFUSE: State.REFUSED,
        Step.TERMINATE: State.TERMINATED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.DECLINED: {Step.ARCHIVE: State.ARCHIVED},
    State.FORWARDED: {
        Step.GRANT: State.GRANTED,
        Step.REFUSE: State.REFUSED,
        Step.RETURN: State.RETURNED,
        Step.TERMINATE: State.TERMINATED,
        Step.WITHDRAW: State.WITHDRAWN,
    },
    State.GRANTED: {Step.DELIVER: State.DELIVERED},
    State.REFUSED: {Step.DELIVER: State.DELIVERED},
    State.DELIVERED: {Step.ARCHIVE: State.ARCHIVED},
    State.WITHDRAWN: {Step.ARCHIVE: State.ARCHIVED},
    State.TERMINATED: {Step.ARCHIVE: State.ARCHIVED},
    State.ARCHIVED: {},
}
"""Where a step leads."""

BEFORE = frozenset({State.SUBMITTED, State.REVIEWED})  # acceptance is open
RUNNING = frozenset({State.ACCEPTED, State.FORWARDED})  # the time limit runs
DECIDED = frozenset({State.GRANTED, State.REFUSED})
OVER = frozenset(
    {State.DELIVERED, State.DECLINED, State.WITHDRAWN, State.TERMINATED, State.ARCHIVED}
)
_OPEN = BEFORE | RUNNING | {State.RETURNED}
_ANY = _OPEN | DECIDED | OVER

RECORDS: dict[Step, frozenset[State]] = {
    Step.AMEND: BEFORE,
    Step.CHECK: _OPEN | DECIDED,
    Step.PAUSE: RUNNING,
    Step.RESUME: RUNNING,
    Step.EXTEND: RUNNING,
    Step.HURRY: _OPEN,
    Step.TRANSFER: RUNNING,
    Step.ADVISE: RUNNING,
    Step.VISIT: RUNNING,
    Step.INSPECT: RUNNING,
    Step.FEE: _OPEN | DECIDED,
    Step.PARCEL: _ANY - {State.ARCHIVED},
    Step.RATE: DECIDED | {State.DELIVERED, State.DECLINED},
    Step.EXPLAIN: _ANY,
    Step.REDATE: _ANY,
}
"""In which states something may be written down that leaves the case where it stands.

To settle is in no row of the two tables: it is possible where something is open,
whatever the state, and leads where the event led that it upholds.
"""

LEADS_TO: dict[str, State] = {
    step: state for onward in TRANSITIONS.values() for step, state in onward.items()
}
"""The one state to which a step leads, from wherever it is taken."""

CARRIES_FIELDS = frozenset({Step.SUBMIT, Step.AMEND})
"""Steps that may write any fields, and materials, with them."""

NEEDS_REASON = frozenset(
    {
        Step.RETURN,
        Step.DECLINE,
        Step.REFUSE,
        Step.WITHDRAW,
        Step.TERMINATE,
        Step.PAUSE,
        Step.EXTEND,
        Step.HURRY,
        Step.TRANSFER,
        Step.EXPLAIN,
        Step.REDATE,
        Step.SETTLE,
    }
)
"""Steps that say nothing without a note."""

NOTE_LIMIT = 2000
EVENT_LIMIT = 16 * 1024
"""Letters of an event as the document holds it."""


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
        facts: what else the step says, see `node.facts`.
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
    facts: Mapping[str, str] = msgspec.field(default_factory=dict)
    settles: tuple[str, ...] = ()
    upholds: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode_event(event: Event) -> str:
    """Return the text that the document holds."""
    return _encoder.encode(event).decode()


def decode_event(text: object) -> Event | None:
    """Return the event in a text, or None if it is no event of ours."""
    if not isinstance(text, str) or len(text) > EVENT_LIMIT:
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


def is_possible(state: State, step: Step) -> bool:
    """Say whether a step may be taken by somebody who knows this state."""
    return step in TRANSITIONS[state] or state in RECORDS.get(step, ())


def next_state(state: State, step: str) -> State | None:
    """Return the state that `step` leads to, or None where it leads nowhere.

    What is only written down stands in every state: its author did not know of the
    acceptance, or of the end, and it moves nothing.
    """
    if step in RECORDS and state is not State.DRAFT:
        return state
    return TRANSITIONS[state].get(step)  # type: ignore[call-overload, no-any-return]
