"""Who may take which step. Pure: no I/O, no clock.

The same table is asked by the screen before a step, and by every receiver after it:
what a sender's screen has allowed counts for nothing.
"""

from enum import StrEnum

from forms.item import Item, Tier
from node.lifecycle import NEEDS_REASON, TRANSITIONS, State, Step
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
    Step.RETURN: "accept or decide",
    Step.ACCEPT: "accept",
    Step.FORWARD: "accept",
    Step.GRANT: "decide",
    Step.REFUSE: "decide",
    Step.DELIVER: "collect or accept",
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
    State.RETURNED: "accept",
    State.ACCEPTED: "accept",
    State.WITHDRAWN: "accept",
    State.FORWARDED: "decide",
    State.GRANTED: "decide",
    State.REFUSED: "decide",
    State.DELIVERED: "decide",
}
"""Which duty settles what is open in a case that stands there: whoever has it on his
desk, and whoever has decided. Where events lead to different states, deciding wins.
"""

SETTLED_LIMIT = 100
"""Disputes settled in one case; to tell a story costs time with each of them."""

REFUSALS: dict[str, str] = {
    "state": "the case is not in a state for it",
    "tier": "the step belongs to another tier",
    "elsewhere": "the step belongs to the place that the case is for",
    "reason": "a reason must be given",
    "not-forwarded": "it must be forwarded to the deciding tier first",
    "decided-here": "it is decided at this tier and need not be forwarded",
    "too-often": "more has been settled in this case than honest work brings about",
}
"""Why a step is refused: the word that travels in StepRefused, and what it means."""


def duties(item: Item, tier: Tier) -> set[str]:
    """Return what `tier` does for `item`."""
    return {
        duty
        for duty, holds in (
            ("collect", tier in item.collect),
            ("accept", tier is item.accept),
            ("decide", tier is item.decide),
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
    if not able:
        return "tier"
    if not able & DUTIES[side]:
        return "elsewhere"
    if known not in TRANSITIONS[state]:
        return "state"
    if known in (Step.GRANT, Step.REFUSE):
        if item.decide is not item.accept and state is State.ACCEPTED:
            return "not-forwarded"
    elif known is Step.FORWARD and item.decide is item.accept:
        return "decided-here"
    if known in NEEDS_REASON and not note.strip():
        return "reason"
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
        for step in TRANSITIONS[state]
        if not why_not(step, tier, item, state, "…", side)
    ]


def allowed_words(tier: Tier, item: Item, state: State, side: Side) -> list[str]:
    """Return the possible steps as plain words, for errors and JSON."""
    return [str(step) for step in possible_steps(tier, item, state, side)]
