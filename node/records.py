"""What has been written down in a case, put together. Pure: no I/O, no clock.

The state is `node.story`; here is all that leaves the state where it is: papers,
pauses, branches, visits, fees, parcels, the rating. Two people who wrote past each
other are both heard: of papers the later in the story's order counts, as a clerk who
takes a paper up once more does; of a branch that two have decided differently neither
counts until the department has decided again.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from forms.item import Item
from node.branches import Branch, branches
from node.lifecycle import Event, Step
from node.story import Happened, Story

RESULT_AGREE, RESULT_REFUSE = "agree", "refuse"


@dataclass(frozen=True, slots=True)
class Paper:
    """Where a paper has got to 材料: `state` is a key of `facts.MATERIAL_STATES`."""

    key: str
    state: str
    by: Happened
    place: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """A special procedure 特别程序; `end` is None while it runs."""

    begin: Happened
    end: Happened | None = None

    @property
    def kind(self) -> str:
        """Return a key of `facts.PAUSES`."""
        return self.begin.event.facts["kind"]

    @property
    def expected_days(self) -> int | None:
        """Return how many days, of the week, the applicant was told that it takes; None
        where nobody has said.
        """
        days = self.begin.event.facts.get("days")
        return int(days) if days else None


@dataclass(frozen=True, slots=True)
class BranchState:
    """How far a branch of a joint case is.

    `said` are the opinions that no later one of this branch has seen: one is its
    decision; several that differ are a dispute. `inspected` is what the last visit
    has found: "pass", "mend", "fail" or "".
    """

    branch: Branch
    said: tuple[Happened, ...] = ()
    inspected: str = ""

    @property
    def results(self) -> frozenset[str]:
        """Return what is said: nothing, one result, or two that differ."""
        return frozenset(one.event.facts["result"] for one in self.said)

    @property
    def result(self) -> str:
        """Return the decision; "" while there is none, or two differ."""
        return next(iter(self.results)) if len(self.results) == 1 else ""


MATERIAL = "material:"
"""Before the key of a paper, where it is the target of a fault; no field has such."""

STILL_LACKING = {
    "missing": "还没有交",
    "unfit": "不合要求，请换一份",
    "not_found": "证照没有查到，请交原件",
}
"""States in which a paper is still to be handed in, see `facts.MATERIAL_STATES`, and
what an applicant is told of it who is told no more.
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that the applicant was told to put right 补正.

    `notice` counts the notices from 1. `is_late` says that he should have been told
    with the first notice 非一次性告知.
    """

    target: str
    text: str
    notice: int
    is_late: bool


@dataclass(frozen=True, slots=True)
class Records:
    """All that is written down in a case.

    Attributes:
        papers: the last word about each paper, by key.
        custody: all words about papers, in their order.
        pauses, branches, visits, fees, parcels, explanations: as they came.
        faults: of all notices of correction.
        handling, authorised, delivery, send_to, follows: as last said at the intake.
        is_paper_only: taken in without its form 代收, and not entered yet.
        trips: how often the applicant came.
        hurry: the first who has let it through the green channel.
        extended_workdays: how much longer the limit is.
        department: to which it was transferred; "" where it was not.
        rating: the first one; nobody rates twice.
        dates: of events whose clock was wrong, the day that counts.
    """

    papers: Mapping[str, Paper] = field(default_factory=dict)
    custody: tuple[Paper, ...] = ()
    pauses: tuple[Pause, ...] = ()
    branches: tuple[BranchState, ...] = ()
    visits: tuple[Happened, ...] = ()
    fees: tuple[Happened, ...] = ()
    parcels: tuple[Happened, ...] = ()
    explanations: tuple[Happened, ...] = ()
    faults: tuple[Fault, ...] = ()
    handling: str = ""
    authorised: str = ""
    delivery: str = ""
    send_to: str = ""
    follows: str = ""
    is_paper_only: bool = False
    trips: int = 0
    hurry: Happened | None = None
    extended_workdays: int = 0
    department: str = ""
    rating: Happened | None = None
    dates: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_paused(self) -> bool:
        """Say whether a special procedure runs."""
        return any(one.end is None for one in self.pauses)


def records(item: Item, story: Story) -> Records:
    """Return what is written down by the events of a case that stand."""
    standing = [one for one in story.happened if not one.why_not]
    by_step: dict[str, list[Happened]] = {}
    for one in standing:
        by_step.setdefault(one.event.step, []).append(one)

    def of(step: Step) -> list[Happened]:
        return by_step.get(step, [])

    custody = tuple(_papers(standing))
    intake: dict[str, str] = {}
    for one in of(Step.SUBMIT):
        intake |= one.event.facts
    last_intake = of(Step.SUBMIT)[-1].event.facts if of(Step.SUBMIT) else {}
    extended = of(Step.EXTEND)
    transferred = of(Step.TRANSFER)
    is_entered = any("entered" in one.event.facts for one in of(Step.AMEND))
    return Records(
        papers={one.key: one for one in custody},
        custody=custody,
        pauses=tuple(_pauses(of(Step.PAUSE), of(Step.RESUME))),
        branches=tuple(_branches(item, of(Step.ADVISE), of(Step.INSPECT), story)),
        visits=tuple(of(Step.VISIT)),
        fees=tuple(of(Step.FEE)),
        parcels=tuple(of(Step.PARCEL)),
        explanations=tuple(of(Step.EXPLAIN)),
        faults=tuple(faults_of(one.event for one in of(Step.RETURN))),
        handling=intake.get("handling", ""),
        authorised=intake.get("authorised", ""),
        delivery=intake.get("delivery", ""),
        send_to=intake.get("send_to", ""),
        follows=intake.get("follows", ""),
        is_paper_only="paper_only" in last_intake and not is_entered,
        trips=max((int(o.event.facts.get("trips", "0")) for o in standing), default=0),
        hurry=next(iter(of(Step.HURRY)), None),
        # One extension: who wrote past another has granted the same, not twice.
        extended_workdays=max(
            (int(one.event.facts["workdays"]) for one in extended), default=0
        ),
        department=transferred[-1].event.facts["department"] if transferred else "",
        rating=next(iter(of(Step.RATE)), None),
        dates=dates_of(of(Step.REDATE)),
    )


def dates_of(redates: Iterable[Happened]) -> dict[str, str]:
    """Return by event id the ISO date that was said last to be its day."""
    return {one.event.facts["event"]: one.event.facts["on"] for one in redates}


def _papers(standing: Iterable[Happened]) -> Iterable[Paper]:
    for one in standing:
        for key, state in one.event.facts.items():
            group, _, name = key.partition("/")
            if group == "material":
                yield Paper(name, state, one, one.event.facts.get("place", ""))


def _pauses(begun: Iterable[Happened], ended: Iterable[Happened]) -> Iterable[Pause]:
    ends: dict[str, Happened] = {}
    for one in ended:
        ends.setdefault(one.event.facts["pause"], one)
    for one in begun:
        yield Pause(one, ends.get(one.id))


def _branches(
    item: Item, advised: list[Happened], inspected: list[Happened], story: Story
) -> Iterable[BranchState]:
    if not (advised or inspected):
        yield from map(BranchState, branches(item))
        return
    past, bit = _pasts(story, advised)
    for branch in branches(item):
        said = [o for o in advised if o.event.facts["branch"] == branch.key]
        found = [o for o in inspected if o.event.facts["branch"] == branch.key]
        seen = 0
        for one in said:
            seen |= past[one.id]
        last = tuple(one for one in said if not bit[one.id] & seen)
        result = found[-1].event.facts["result"] if found else ""
        yield BranchState(branch, last, result)


def _pasts(
    story: Story, advised: Iterable[Happened]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return for each event which opinions its author had seen, as bits of a number,
    and the bit of each opinion: sets of a long case would fill the memory.
    """
    bit = {one.id: 1 << place for place, one in enumerate(advised)}
    past: dict[str, int] = {}
    for one in story.happened:
        seen = 0
        for before in one.event.seen:
            seen |= past.get(before, 0) | bit.get(before, 0)
        past[one.id] = seen
    return past, bit


def faults_of(notices: Iterable[Event]) -> Iterator[Fault]:
    """Yield all faults that notices of correction tell, in their order; new ones of a
    later notice are marked. A paper that is still lacking is a fault without a word.
    """
    told: set[str] = set()
    for number, notice in enumerate(notices, start=1):
        texts = _fault_texts(notice.facts)
        for target, text in texts.items():
            yield Fault(target, text, number, number > 1 and target not in told)
        told |= texts.keys()


def _fault_texts(facts: Mapping[str, str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, text in facts.items():
        group, _, name = key.partition("/")
        if group == "fault":
            texts[name] = text
        elif group == "material" and text in STILL_LACKING:
            texts.setdefault(MATERIAL + name, STILL_LACKING[text])
    return texts
