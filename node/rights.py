"""Who may take which step. Pure: no I/O, no clock.

The same table is asked by the screen before a step, and by every receiver after it:
what a sender's screen has allowed counts for nothing.
"""

from forms.item import Item, Tier
from node.lifecycle import NEEDS_REASON, TRANSITIONS, State, Step

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
}
"""Which duty of an item a tier must have for a step."""

REFUSALS: dict[str, str] = {
    "state": "the case is not in a state for it",
    "tier": "the step belongs to another tier",
    "reason": "a reason must be given",
    "not-forwarded": "it must be forwarded to the deciding tier first",
    "decided-here": "it is decided at this tier and need not be forwarded",
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


def why_not(step: str, tier: Tier, item: Item, state: State, note: str) -> str:
    """Return why `tier` may not take `step` now: a key of `REFUSALS`, or ""."""
    if step not in RIGHTS:
        return "state"
    known = Step(step)
    # Whose step it is comes first: it says more than the state of the moment.
    if not duties(item, tier) & set(RIGHTS[known].split(" or ")):
        return "tier"
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


def possible_steps(tier: Tier, item: Item, state: State) -> list[Step]:
    """Return what `tier` may do with a case of `item` that stands in `state`."""
    return [
        step for step in TRANSITIONS[state] if not why_not(step, tier, item, state, "…")
    ]


def allowed_words(tier: Tier, item: Item, state: State) -> list[str]:
    """Return the possible steps as plain words, for errors and JSON."""
    return [str(step) for step in possible_steps(tier, item, state)]
