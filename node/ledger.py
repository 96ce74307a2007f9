"""The ledger 台账: one line for each case, from which everything is counted. Pure.

A line follows from the events of a case, its item, the calendar and the tiers of those
who acted, so it is the same on every node that holds the same entries. It names no
applicant. What depends on today, whether an open case is overdue, is not in it: it has
the days of which that is asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from forms.item import Item
from forms.service import Delivery, Tier
from node.clocks import Clocks
from node.lifecycle import DECIDED, LEADS_TO, OVER, State, Step
from node.records import Records
from node.story import Happened, Story
from sync.identity import own_prefix


class ZeroTrip(StrEnum):
    """How a case went without the applicant's coming. Stored: never rename one."""

    SITE = "site"  # 预审 + 勘查带回 + 快递
    POST = "post"  # 预审 + 出件快递
    BOTH = "both"  # 预审 + 双向快递


@dataclass(frozen=True, slots=True)
class Line:
    """What is counted of one case. Days are ISO dates, "" where there is none.

    Attributes:
        document: of the case.
        heads: a hash over what the line was made of: two nodes with the same have the
            same line, as long as they have the same calendar.
        number: 办件编号.
        item_code, item_name, department: what, and who answers for it.
        town, place: where it was taken in.
        desk, agent: the first 16 hex digits of the node, and the operator, of the
            first event.
        received_on, accepted_on, decided_on, delivered_on: see `node.clocks`;
            accepted by law counts as accepted.
        closed_on: decided, or ended without a decision.
        outcome: a state of `OUTCOMES`, or "" while it is open.
        due_on: the promised day.
        due_from: the day after which `due_on` holds, "" for always: who has not said a
            word by then has accepted by law.
        paused_on: since when a limit stands still.
        legal_workdays, promise_workdays: of the item.
        is_urgent: through the green channel 加急.
        trips_promised, trips: how often the applicant was to come at most, and came;
            None: not promised, not written down.
        zero_trip: a `ZeroTrip`, or "".
        points: of the work of the agent, see `points_of`.
        rating: 1 to 5; 0: none.
    """

    document: bytes
    heads: bytes
    number: str
    item_code: str
    item_name: str
    department: str
    town: str
    place: str
    desk: str
    agent: str
    received_on: str
    accepted_on: str
    decided_on: str
    delivered_on: str
    closed_on: str
    outcome: str
    due_on: str
    due_from: str
    paused_on: str
    legal_workdays: int
    promise_workdays: int
    is_urgent: bool
    trips_promised: int | None
    trips: int | None
    zero_trip: str
    points: int
    rating: int


_ENDS = {
    step: state
    for step, state in LEADS_TO.items()
    if state in OVER and step not in (Step.DELIVER, Step.ARCHIVE)
}
OUTCOMES = (State.GRANTED, State.REFUSED, *_ENDS.values())
"""How a case can end."""

_RANKS = {tier: rank for rank, tier in enumerate(Tier)}
_ACKNOWLEDGE = frozenset({Step.ACCEPT, Step.GRANT, Step.REFUSE})
_NO_POINTS = frozenset({State.WITHDRAWN, State.DECLINED})


def line(
    document: bytes,
    heads: bytes,
    number: str,
    place: str,
    item: Item,
    story: Story,
    known: Records,
    found: Clocks,
    tiers: Mapping[str, Tier],
) -> Line:
    """Return the line of a case.

    Args:
        document: of the case.
        heads: a hash over the heads of the document.
        number: of the case.
        place: division where it was taken in.
        item: in the version of the case.
        story: what happened.
        known: what is written down.
        found: its clocks.
        tiers: of the nodes, by the first 16 hex digits of their ids.
    """
    standing = [one for one in story.happened if not one.why_not]
    first = story.happened[0] if story.happened else None
    outcome = _outcome(story, standing)
    limits = found.limits or found.untold
    is_untold = found.limits is None and found.untold is not None
    is_decided = outcome in DECIDED
    decided_on = found.decided_on if is_decided else None
    closed_on = decided_on or (found.ended_on if outcome else None)
    return Line(
        document=document,
        heads=heads,
        number=number,
        item_code=item.code,
        item_name=item.name,
        department=known.department or item.department,
        town=own_prefix(Tier.TOWN, place).ljust(len(place), "0"),
        place=place,
        desk=first.author if first else "",
        agent=first.event.by if first else "",
        received_on=_text(found.received_on),
        accepted_on=_text(found.accepted_on),
        decided_on=_text(decided_on),
        delivered_on=_text(found.delivered_on if is_decided else None),
        closed_on=_text(closed_on),
        outcome=outcome,
        due_on=_text(limits.promise_due.on if limits else None),
        due_from=_text(found.told_by.on if is_untold and found.told_by else None),
        paused_on=_text(found.paused_since),
        legal_workdays=item.legal_workdays,
        promise_workdays=item.promise_workdays,
        is_urgent=known.hurry is not None,
        trips_promised=item.trips,
        trips=_trips(standing),
        zero_trip=_zero_trip(standing, known),
        points=points_of(item, outcome, standing, tiers),
        rating=int(known.rating.event.facts["grade"]) if known.rating else 0,
    )


def points_of(
    item: Item,
    outcome: str,
    standing: Iterable[Happened],
    tiers: Mapping[str, Tier],
) -> int:
    """Return the points 积分 that a case brings the one who took it in.

    They count once a higher tier than his has accepted or decided it, and not at all
    where it was withdrawn, as a duplicate or otherwise, or declined.
    """
    told = list(standing)
    if not told or outcome in _NO_POINTS:
        return 0

    def rank(one: Happened) -> int:
        tier = tiers.get(one.author)
        return _RANKS[tier] if tier else 0

    own = rank(told[0])
    is_seen = any(one.event.step in _ACKNOWLEDGE and rank(one) > own for one in told)
    return item.difficulty if is_seen else 0


def _outcome(story: Story, standing: Iterable[Happened]) -> str:
    if story.outcome:
        return story.outcome
    if story.state not in OVER:
        return ""
    ends = [_ENDS[o.event.step] for o in standing if o.event.step in _ENDS]
    return ends[-1] if ends else ""


def _trips(standing: Iterable[Happened]) -> int | None:
    """Return how often the applicant came; nobody's word is not "never"."""
    said = [one.event.facts["trips"] for one in standing if "trips" in one.event.facts]
    return max(map(int, said), default=None)


def _zero_trip(standing: Iterable[Happened], known: Records) -> str:
    """Return in which way a case needed no trip: its answer goes by post, and its
    papers were looked through before, or fetched, or sent.
    """
    if known.trips:
        return ""
    told = list(standing)
    is_posted = any(
        one.event.facts.get("way") == Delivery.POST
        for one in told
        if one.event.step == Step.DELIVER
    )
    ways = {one.event.facts["way"] for one in known.parcels}
    if not is_posted and "out" not in ways:
        return ""
    states = {one.state for one in known.custody}
    if "brought" in states:
        return ZeroTrip.SITE
    if "in" in ways:
        return ZeroTrip.BOTH
    is_reviewed = any(one.event.step == Step.REVIEW for one in told)
    return ZeroTrip.POST if is_reviewed or "reviewed" in states else ""


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""
