"""What is told to a villager who asks how far his case is 进度查询.

Always three things: where the case stands, in whose hands it is, and how old that
knowledge is; what has happened since at the other end nobody here can know. No network
is asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from forms.item import Item, Tier
from node import find, status
from node.cases import Case, clocks_of, open_case, records_of
from node.clocks import ACCEPT, DELIVER, PROMISE, Clocks, as_of
from node.days import civil_day
from node.errors import NotFound, ReceiptRefused
from node.lapses import Lapse
from node.lifecycle import BEFORE, DECIDED, RUNNING, State
from node.proof import MARK, read_code
from node.records import Pause
from node.rights import settler
from node.store.cases import CaseRow, Filter
from node.wiring import Node
from node.workdays import Due
from sync.identity import TIER_DIGITS, Certificate, covers

SHOWN = 20


class Holder(StrEnum):
    """In whose hands a case is."""

    COLLECTOR = "collector"  # where it was taken in
    ACCEPTER = "accepter"  # who accepts it
    DECIDER = "decider"  # who decides it
    APPLICANT = "applicant"
    NOBODY = "nobody"  # it is over


HOLDERS: dict[State, Holder] = {
    State.SUBMITTED: Holder.ACCEPTER,
    State.REVIEWED: Holder.ACCEPTER,
    State.RETURNED: Holder.APPLICANT,
    State.ACCEPTED: Holder.ACCEPTER,
    State.DECLINED: Holder.NOBODY,
    State.FORWARDED: Holder.DECIDER,
    State.GRANTED: Holder.COLLECTOR,
    State.REFUSED: Holder.COLLECTOR,
    State.DELIVERED: Holder.NOBODY,
    State.WITHDRAWN: Holder.NOBODY,
    State.TERMINATED: Holder.NOBODY,
    State.ARCHIVED: Holder.NOBODY,
}
"""Who is next, by state; a case that has not travelled is still where it was begun."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What can be said of one case. Times in milliseconds.

    Attributes:
        case: as it is known here.
        holder: in whose hands it is.
        places: the names of the places that this may be; empty for nobody's.
        known_ms: of when the knowledge is; None where the holder was never heard of.
        is_ours: this very node has it in hand, so nothing newer exists.
        is_on_its_way: what was done here has not arrived above yet.
        next_day: by when which thing is to be done next, a clock of `node.clocks`;
            None where nothing is.
        is_deemed: accepted by law, since nobody has said a word in time.
        paused: the special procedure that runs, so that no day can be promised.
        paused_to: until when that was said to take; None where nobody has said.
        settler: steps that cannot both stand wait for somebody of this tier to settle
            where the case stands; None where all is clear.
    """

    case: Case
    holder: Holder
    places: tuple[str, ...]
    known_ms: int | None
    is_ours: bool
    is_on_its_way: bool
    next_day: tuple[str, Due] | None = None
    is_deemed: bool = False
    paused: Pause | None = None
    paused_to: date | None = None
    settler: Tier | None = None


def rows_for(node: Node, query: str) -> list[CaseRow]:
    """Return the cases that somebody may mean, those that changed last first.

    Args:
        node: where he asks.
        query: the code on a paper, a number or 查询码, a name or its initials, or the
            last digits of an id number.

    Raises:
        NotFound: nothing fits.
    """
    text = _number_in(query)
    rows = node.store.cases.find(text, SHOWN)
    match = find.match(text)
    if not rows and match:
        rows = node.store.cases.page(Filter(match=match), None, SHOWN)
    if not rows:
        raise NotFound("case", query.strip()[:40])
    return rows


def answer(node: Node, row: CaseRow) -> Answer:
    """Return what can be said of a case."""
    case = open_case(node, row.id)
    item, state = case.package.item, case.story.state
    holder = HOLDERS[state]
    settles = settler(item, case.story) if case.story.choices else None
    if settles:
        holder = Holder.DECIDER if settles is item.decide else Holder.ACCEPTER
    is_on_its_way = _waits_here(node, row)
    if is_on_its_way and holder in (Holder.ACCEPTER, Holder.DECIDER):
        nodes = [node.certificate]
    else:
        nodes = list(_nodes_of(node, item, holder, row))
    is_ours = any(one.node == node.id for one in nodes)
    found = as_of(clocks_of(node, case), node.today())
    paused = next((one for one in records_of(case).pauses if one.end is None), None)
    paused_to = None
    if paused and paused.expected_days:
        begun_on = found.on[paused.begin.id]
        paused_to = begun_on + timedelta(days=paused.expected_days)
    return Answer(
        case=case,
        holder=holder,
        places=tuple(dict.fromkeys(one.name for one in nodes)),
        known_ms=node.now_ms() if is_ours else _heard_ms(node, nodes),
        is_ours=is_ours,
        is_on_its_way=is_on_its_way,
        next_day=None if paused or settles else _next_day(found, state),
        is_deemed=found.is_deemed and state in BEFORE,
        paused=paused,
        paused_to=paused_to,
        settler=settles,
    )


def news_until(node: Node, row: CaseRow, lapse: Lapse) -> date | None:
    """Return the day up to which it is known here what was done about a limit that has
    passed; None where it is known up to now: it was done, or it is this node's own.
    The first of all days where no holder was ever heard of.
    """
    tier = str(lapse.holder.tier)
    if lapse.ended_on is not None or tier == node.certificate.tier:
        return None
    holders = [o for o in node.roster.everyone() if o.tier == tier]
    heard_ms = _heard_ms(node, [o for o in holders if covers(o, row.division)])
    heard_on = civil_day(heard_ms or 0)
    return heard_on if heard_on <= lapse.due_on else None


def _number_in(query: str) -> str:
    """Return the number on a paper's code; any other text as it is."""
    if MARK not in query.upper():
        return query.strip()
    try:
        return read_code(query)[0].number
    except ReceiptRefused:
        return query.strip()


def _nodes_of(
    node: Node, item: Item, holder: Holder, row: CaseRow
) -> Iterable[Certificate]:
    """Return the newest certificates of the nodes that a holder may be."""
    tier, place = {
        Holder.ACCEPTER: (str(item.accept), row.division),
        Holder.DECIDER: (str(item.decide), row.division),
    }.get(holder, ("", row.taken_in_at))
    for one in node.roster.everyone():
        newest = node.roster.latest(one.node)
        if newest is not one or node.roster.is_revoked(one.node):
            continue
        is_there = one.tier == tier and covers(one, place)
        if is_there or (not tier and one.division == place):
            yield one


def _waits_here(node: Node, row: CaseRow) -> bool:
    """Say whether work of this node in a case has not come to the node above."""
    known = status.arrivals(node, [row.document])[row.document]
    parent = node.roster.latest(node.secrets.parent)
    if parent is None:
        return False
    is_town = TIER_DIGITS[parent.tier] == TIER_DIGITS["town"]
    return (known.town_ms if is_town else known.district_ms) == 0


def _heard_ms(node: Node, nodes: Iterable[Certificate]) -> int | None:
    """Return when a holder's last signed word came here, by whatever way."""
    heard = node.store.vectors.last_heard()
    times = [heard[one.node] for one in nodes if one.node in heard]
    if times:
        return max(times)
    above = status.above(node)
    return above.last_success_ms if above else None


def _next_day(found: Clocks, state: State) -> tuple[str, Due] | None:
    """Return the day that is told: of the clocks of a case those that bind the office
    to the applicant, not the limits of single desks.
    """
    if state in DECIDED and found.deliver_by:
        return DELIVER, found.deliver_by
    if state in BEFORE and not found.is_deemed and found.told_by:
        return ACCEPT, found.told_by
    if state in BEFORE | RUNNING and found.limits and not found.paused_since:
        return PROMISE, found.limits.promise_due
    return None
