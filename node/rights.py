"""Who may take which step. Pure: no I/O, no clock.

The same table is asked by the screen before a step, and by every receiver after it:
what a sender's screen has allowed counts for nothing.
"""

from collections.abc import Mapping
from enum import StrEnum

from forms.item import Item, Tier
from node.branches import branches
from node.facts import fault_of
from node.lifecycle import (
    NEEDS_REASON,
    RECORDS,
    TRANSITIONS,
    State,
    Step,
    is_possible,
)
from node.records import RESULT_REFUSE, Records
from node.story import Story
from sync.identity import Certificate, covers


class Side(StrEnum):
    """How a node stands to the place that a case is for 办理地.

    A case may be taken in at one place for another (全市通办); its scope joins both.
    """

    COMPETENT = "competent"  # 办理地: the place, or a node above it
    INTAKE = "intake"  # 收件地: of the other line, where it was taken in


RIGHTS: dict[Step, str] = {
    Step.SUBMIT: "collect",
    Step.AMEND: "collect or accept",
    Step.WITHDRAW: "collect",
    Step.REVIEW: "accept",
    Step.RETURN: "accept or decide",
    Step.ACCEPT: "accept",
    Step.DECLINE: "accept",
    Step.FORWARD: "accept",
    Step.GRANT: "decide",
    Step.REFUSE: "decide",
    Step.TERMINATE: "accept or decide",
    Step.DELIVER: "collect or accept",
    Step.ARCHIVE: "accept or decide",
    Step.CHECK: "collect or accept or decide",
    Step.PAUSE: "accept or decide",
    Step.RESUME: "accept or decide",
    Step.EXTEND: "decide",
    Step.HURRY: "accept or decide",
    Step.TRANSFER: "decide",
    Step.ADVISE: "decide",
    Step.VISIT: "decide",
    Step.INSPECT: "decide",
    Step.FEE: "collect or accept or decide",
    Step.PARCEL: "collect or accept or decide",
    Step.RATE: "collect or accept",
    Step.EXPLAIN: "collect or accept or decide",
    Step.REDATE: "accept or decide",
    Step.SETTLE: "accept or decide",
}
"""Which duty of an item a tier must have for a step."""

DUTIES: dict[Side, frozenset[str]] = {
    Side.COMPETENT: frozenset({"collect", "accept", "decide"}),
    Side.INTAKE: frozenset({"collect"}),
}
"""Which duties a node can have in a case. The district covers both places."""
SETTLERS: dict[State, str] = {
    State.SUBMITTED: "accept",
    State.REVIEWED: "accept",
    State.DECLINED: "accept",
    State.RETURNED: "accept",
    State.ACCEPTED: "accept",
    State.WITHDRAWN: "accept",
    State.FORWARDED: "decide",
    State.GRANTED: "decide",
    State.REFUSED: "decide",
    State.DELIVERED: "decide",
    State.TERMINATED: "decide",
    State.ARCHIVED: "decide",
}
"""Which duty settles what is open in a case that stands there: whoever has it on his
desk, and whoever has decided. Where events lead to different states, deciding wins.
"""

EXTENSION_WORKDAYS, EXTENSION_JOINT_WORKDAYS = 10, 15
"""Source: 行政许可法 第四十二条."""

LOOKS_BACK: dict[Step, frozenset[Step] | None] = {
    Step.GRANT: None,  # of a joint case: what its departments have said
    Step.REFUSE: None,  # likewise
    Step.VISIT: frozenset({Step.VISIT}),  # how often
    Step.INSPECT: frozenset({Step.VISIT}),  # the visit on which it was
    Step.PAUSE: frozenset({Step.PAUSE}),  # how often
    # The special procedure that it ends, and that nobody has ended it.
    Step.RESUME: frozenset({Step.PAUSE, Step.RESUME}),
    Step.EXTEND: frozenset({Step.EXTEND}),  # that nobody has before
    Step.RATE: frozenset({Step.RATE}),  # that nobody has before
}
"""Steps that are judged by what their author knew to be written down, and by which
steps of it; None: by the whole story. For no other is any of it read, and for few the
story told: that is most of what a receiver would have to do.
"""

SETTLED_LIMIT = 100
"""Disputes settled in one case; to tell a story costs time with each of them."""
OFTEN_LIMIT = 100
"""Special procedures in one case, and visits: each later step looks at all of them."""

REFUSALS: dict[str, str] = {
    "state": "the case is not in a state for it",
    "tier": "the step belongs to another tier",
    "elsewhere": "the step belongs to the place that the case is for",
    "reason": "a reason must be given",
    "not-entered": "its form has not been entered yet",
    "not-forwarded": "it must be forwarded to the deciding tier first",
    "decided-here": "it is decided at this tier and need not be forwarded",
    "facts": "what it says is not what such a step says",
    "branches-open": "not all departments have given their opinion",
    "branches-refuse": "a department has refused",
    "department": "the branch is another department's",
    "pause": "no such special procedure runs",
    "extended": "the limit has been extended already",
    "too-long": "the law allows no extension as long as that",
    "rated": "the applicant has rated it already",
    "no-rule": "the item has no rule by which it may be charged",
    "urgent": "the green channel of the item is opened by a higher tier",
    "visit": "no such visit is fixed, or not for this branch",
    "too-often": "it has been done in this case more often than honest work needs",
}
"""Why a step is refused: the word that travels in StepRefused, and what it means."""


def duties(item: Item, tier: Tier) -> set[str]:
    """Return what `tier` does for `item`."""
    return {
        duty
        for duty, holds in (
            ("collect", tier in item.collect),
            ("accept", tier is item.accept or tier in item.also_accept),
            ("decide", tier is item.decide or tier in item.also_decide),
        )
        if holds
    }


def competent_division(scope: str, taken_in_at: str) -> str:
    """Return for which place a case is that was begun at a division in a scope."""
    others = [part for part in scope.split("+") if part != taken_in_at]
    return others[0] if others else taken_in_at


def side_of(certificate: Certificate, division: str) -> Side:
    """Return how a node stands to the place that a case is for."""
    return Side.COMPETENT if covers(certificate, division) else Side.INTAKE


def why_not(
    step: str, tier: Tier, item: Item, state: State, note: str, side: Side
) -> str:
    """Return why a node may not take `step` now: a key of `REFUSALS`, or ""."""
    if step not in RIGHTS:
        return "state"
    known = Step(step)
    # Whose step it is comes first: it says more than the state of the moment.
    able = duties(item, tier) & set(RIGHTS[known].split(" or "))
    is_decision = known in (Step.GRANT, Step.REFUSE)
    if is_decision and state is State.FORWARDED and tier is not item.decide:
        return "tier"
    if not able:
        return "tier"
    if not able & DUTIES[side]:
        return "elsewhere"
    if not is_possible(state, known):
        return "state"
    if is_decision:
        # Whoever has accepted it decides at once, where the decision is left to him.
        is_on_his_desk = "accept" in duties(item, tier) or state is State.FORWARDED
        if not is_on_his_desk:
            return "not-forwarded"
    elif known is Step.FORWARD and not _is_above(item.decide, tier):
        return "decided-here"
    if known is Step.HURRY and item.urgent and _is_above(item.urgent.approve, tier):
        return "urgent"
    if known in NEEDS_REASON and not note.strip():
        return "reason"
    return ""


def _is_above(upper: Tier, lower: Tier) -> bool:
    order = list(Tier)
    return order.index(upper) > order.index(lower)


def looks_back(step: Step, item: Item) -> bool:
    """Say whether `why_not_said` needs what its author knew, see `LOOKS_BACK`."""
    if step in (Step.GRANT, Step.REFUSE):
        return bool(branches(item))
    return step in LOOKS_BACK


def why_not_said(
    step: Step, facts: Mapping[str, str], item: Item, department: str, known: Records
) -> str:
    """Return why what a step says cannot be: a key of `REFUSALS`, or "".

    Args:
        step: what is done.
        facts: what it says.
        item: of the case.
        department: of the node that says it; "" speaks for all of its tier.
        known: what its author knew of the case; empty will do where the step does not
            look back.
    """
    if step is Step.FEE and not item.fees:
        return "no-rule"
    if fault_of(step, facts, item):
        return "facts"
    if step in (Step.GRANT, Step.REFUSE):
        return _why_not_decided(step, known)
    if step in (Step.ADVISE, Step.INSPECT):
        its = next(one for one in branches(item) if one.key == facts["branch"])
        if department and department != its.department:
            return "department"
    often = {Step.PAUSE: known.pauses, Step.VISIT: known.visits}.get(step, ())
    if len(often) >= OFTEN_LIMIT:
        return "too-often"
    if step is Step.INSPECT:
        visit = next((o for o in known.visits if o.id == facts["visit"]), None)
        if (
            visit is None
            or facts["branch"] not in visit.event.facts["branches"].split()
        ):
            return "visit"
    if step is Step.RESUME:
        running = {one.begin.id for one in known.pauses if one.end is None}
        return "" if facts["pause"] in running else "pause"
    if step is Step.EXTEND:
        if known.extended_workdays:
            return "extended"
        most = EXTENSION_JOINT_WORKDAYS if branches(item) else EXTENSION_WORKDAYS
        return "too-long" if int(facts["workdays"]) > most else ""
    return "rated" if step is Step.RATE and known.rating else ""


def _why_not_decided(step: Step, known: Records) -> str:
    """A joint case is decided as its departments have said."""
    results = [one.result for one in known.branches]
    if "" in results:
        # One refusal is enough to refuse, whatever the others would say.
        is_clear = step is Step.REFUSE and RESULT_REFUSE in results
        return "" if is_clear else "branches-open"
    if step is Step.GRANT and RESULT_REFUSE in results:
        return "branches-refuse"
    return ""


def settler(item: Item, story: Story) -> Tier:
    """Return the tier that may settle what is open in a case now."""
    states = [story.state, *(choice.state for choice in story.choices)]
    is_decided = any(SETTLERS.get(state) == "decide" for state in states)
    return item.decide if is_decided else item.accept


def why_not_settle(tier: Tier, item: Item, story: Story, note: str, side: Side) -> str:
    """Return why a node may not settle what is open in a case, or ""."""
    if tier is not settler(item, story):
        return "tier"
    if side is not Side.COMPETENT:
        return "elsewhere"
    if sum(bool(one.event.upholds) for one in story.happened) >= SETTLED_LIMIT:
        return "too-often"
    return "" if note.strip() else "reason"


def possible_steps(tier: Tier, item: Item, state: State, side: Side) -> list[Step]:
    """Return what a node may do with a case of `item` that stands in `state`."""
    return [
        step
        for step in (*TRANSITIONS[state], *RECORDS)
        if not why_not(step, tier, item, state, "…", side)
    ]


def allowed_words(tier: Tier, item: Item, state: State, side: Side) -> list[str]:
    """Return the possible steps as plain words, for errors and JSON."""
    return [str(step) for step in possible_steps(tier, item, state, side)]
