"""What will happen in the month: cases drawn as plans, before anything is carried out.

A plan says on which day, at which hour and at which desk each step is taken, and what
the desk's clock said where that is wrong. All kinds of steps come up.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from node.facts import PAUSES
from node.lifecycle import Step
from node.workdays import Day, YearTable
from tests.node.nodes import ALLOWANCE, BIRTH, ELDER

FIRST, LAST = date(2026, 12, 1), date(2026, 12, 31)
SEEN_ON = date(2027, 3, 1)
PUBLISHED_ON = date(2026, 12, 14)
TABLE = YearTable(
    2027,
    (Day(date(2027, 1, 1), "元旦"), Day(date(2027, 1, 4), "元旦")),
    (Day(date(2027, 1, 9), "元旦"),),
    "通知",
)
MORNING, NOON, AFTERNOON = 9, 11, 14
"""Village, town and district each have their hour; what is done is synced after it."""
WRONG_BY = timedelta(days=400)
"""How far a clock is off that nobody has set."""
VILLAGES = ("village", "other", "third")

FOOD, PACKAGE = "330131005000", "332023025000"
PROPERTY, KINDERGARTEN = "330715004000", "330105006000"


@dataclass(frozen=True, slots=True)
class StepLimit:
    """A limit of one step, as the guide of the item has it.

    It runs from when the case was taken up, or went up (`from_forward`), until it
    went up, was decided, or all of `branches` have given their opinion. `department`
    has it whoever the case is handed to; "": whoever has the case.
    """

    name: str
    tier: str
    workdays: int
    from_forward: bool = False
    to_forward: bool = False
    branches: tuple[str, ...] = ()
    department: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a plan, and the count, know of an item: written down from its guide.

    `trips` is how often the applicant has to come; `urgent` the working days of the
    green channel, 0 for none; `branches` are the keys of a joint case's.
    """

    code: str
    department: str
    promised: int
    legal: int
    points: int
    trips: int
    paper: str
    steps: tuple[StepLimit, ...] = ()
    desks: tuple[str, ...] = VILLAGES
    accept: str = "town"
    decide: str = "district"
    urgent: int = 0
    branches: tuple[str, ...] = ()
    is_paper_only: bool = False
    phone: str = ""


def _upper(name: str, workdays: int) -> StepLimit:
    return StepLimit(name, "district", workdays, from_forward=True)


def _branch(name: str, workdays: int, department: str, *its: str) -> StepLimit:
    return StepLimit(
        name, "district", workdays, branches=its or (name,), department=department
    )


_BIRTH_BUREAU, _INSURANCE = "卫生健康局", "医疗保障局"
_BORN = ("332023002000", "332023025001")
_INSURED = ("332036025003", "332036025006")
_PACKAGE_UP = {
    "出生医学证明": ("district", 2, _BORN, _BIRTH_BUREAU),
    "户口登记": ("town", 4, ("332009025002",), "公安局"),
    "医保参保和报销": ("district", 4, _INSURED, _INSURANCE),
    "社保卡申领": ("district", 4, ("332014025004",), "人力资源和社会保障局"),
    "预防接种证": ("town", 3, ("332023025005",), "疾病预防控制中心"),
}

OFFERS = (
    Offer(
        ELDER,
        "民政局（老龄办）",
        *(30, 60, 2, 0, "id_card"),
        steps=(
            StepLimit("受理", "town", 5, to_forward=True),
            _upper("制证和送达", 25),
        ),
        desks=(*VILLAGES, "town"),
        phone="phone",
    ),
    Offer(
        ALLOWANCE,
        "民政局",
        *(25, 44, 8, 0, "income_proof"),
        steps=(
            StepLimit("镇受理、核对和入户调查", "town", 15, to_forward=True),
            _upper("区审核确认", 10),
        ),
        phone="phone",
    ),
    Offer(
        BIRTH,
        _BIRTH_BUREAU,
        *(1, 7, 1, 0, "id_cards"),
        steps=(StepLimit("核对并登记", "town", 1),),
        decide="town",
        phone="wife_phone",
    ),
    Offer(
        FOOD,
        "市场监督管理局",
        *(7, 20, 6, 0, "application"),
        steps=(
            StepLimit("受理", "town", 1, to_forward=True),
            _upper("制证送达", 6),
        ),
        urgent=3,
        is_paper_only=True,
    ),
    Offer(
        PACKAGE,
        _BIRTH_BUREAU,
        *(5, 32, 5, 1, "parents_id"),
        steps=(
            StepLimit("收件和分送", "town", 1, to_forward=True),
            *(
                StepLimit(
                    name,
                    tier,
                    workdays,
                    from_forward=True,
                    branches=its,
                    department=department,
                )
                for name, (tier, workdays, its, department) in _PACKAGE_UP.items()
            ),
        ),
        branches=(
            *_BORN,
            "332009025002",
            *_INSURED,
            "332014025004",
            "332023025005",
        ),
        is_paper_only=True,
    ),
    Offer(
        PROPERTY,
        "自然资源和规划局",
        *(5, 30, 6, 1, "id_cards"),
        steps=(
            _branch("权属审核", 3, "自然资源和规划局"),
            _branch("税务核定", 3, "税务局"),
            _branch("交易核验", 3, "住房和城乡建设局"),
            StepLimit("登簿制证", "district", 5),
        ),
        desks=("town",),
        accept="district",
        urgent=1,
        branches=("权属审核", "税务核定", "交易核验"),
    ),
    Offer(
        KINDERGARTEN,
        "教育体育局",
        *(15, 45, 10, 1, "application"),
        steps=(
            _branch("教育审查", 9, "教育体育局", "330105006001"),
            _branch("卫生保健评价", 9, "卫生健康局", "330123006000"),
            _branch("食堂审查", 9, "市场监督管理局", "330131005000"),
            StepLimit("发证", "district", 11),
        ),
        desks=("town",),
        accept="district",
        urgent=7,
        branches=("330105006001", "330123006000", "330131005000"),
        is_paper_only=True,
    ),
)
WEIGHTS = (6, 4, 4, 3, 2, 2, 2)
"""How often each is asked for."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is done to a case: on which day, at which hour, at which desk.

    `day` is the civil day that counts; `stamped` what the desk's clock said, where
    that is another, and `done_on` when it was really done. A fact as
    @pause/0 names an event: the first of that step.
    """

    day: date
    hour: int
    desk: str
    step: Step
    facts: Mapping[str, str] = field(default_factory=dict)
    stamped: date | None = None
    done_on: date | None = None

    @property
    def at(self) -> tuple[date, int]:
        """When it was really done."""
        return (self.done_on or self.day, self.hour)


@dataclass(slots=True)
class Plan:
    """What will happen to one case."""

    offer: Offer
    desk: str
    agent: str
    acts: list[Act] = field(default_factory=list)

    @property
    def is_crossed(self) -> bool:
        """Say whether an acceptance and a withdrawal know nothing of each other."""
        return any(
            (one.step, other.step) == (Step.ACCEPT, Step.WITHDRAW)
            and one.at == other.at
            for one, other in pairwise(self.acts)
        )


def is_workday(day: date) -> bool:
    if day in {one.on for one in TABLE.work}:
        return True
    is_free = day in {one.on for one in TABLE.rest}
    return day.weekday() < 5 and not is_free


def after(day: date, workdays: int) -> date:
    """Return the last day of a limit; the day on which it begins is not counted."""
    while workdays:
        day += timedelta(1)
        workdays -= is_workday(day)
    return day


def plans(count: int, seed: int) -> list[Plan]:
    """Return what will happen to so many cases."""
    draw = random.Random(seed)
    return [_Drawing(draw).plan() for _ in range(count)]


class _Drawing:
    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.day = FIRST + timedelta(draw.randrange(31))
        offer = draw.choices(OFFERS, WEIGHTS)[0]
        desk = draw.choice(offer.desks)
        agent = draw.choice(("李秀英", "=1+1") if desk == "village" else (desk,))
        self.case = Plan(offer, desk, agent)
        self.offer = offer
        self.paper = {"paper_only": "1"} if offer.is_paper_only else {}
        self.is_entered = not self.paper

    def plan(self) -> Plan:
        facts = {"handling": "self"}
        if self.chance(0.4):
            facts = {"handling": "agent", "authorised": "当面委托"}
        if self.chance(0.5):
            facts["trips"] = str(self.draw.randrange(3) // 2)
        if self.chance(0.2):
            facts["delivery"] = "agent"
        if self.offer.phone == "phone" and self.chance(0.1):
            self.paper, self.is_entered = {"paper_only": "1"}, False
        facts |= self.paper
        is_wrong = bool(self.offer.phone == "phone" and self.chance(0.08))
        ahead = self.day + WRONG_BY if is_wrong else None
        self.act(self.case.desk, Step.SUBMIT, facts, stamped=ahead)
        if ahead:
            on = self.day.isoformat()
            self.wait(1, 1)
            facts = {"event": "@submit/0", "on": on}
            self.act(self.offer.accept, Step.REDATE, facts)
        self.before_acceptance()
        return self.case

    # -- how it is drawn ------------------------------------------------------------

    def chance(self, share: float) -> bool:
        return self.draw.random() < share

    def act(
        self,
        desk: str,
        step: Step,
        facts: Mapping[str, str] | None = None,
        *,
        hour: int = 0,
        stamped: date | None = None,
    ) -> None:
        """Let a desk take a step, at the earliest at its own hour of the day."""
        own = {"town": NOON, "district": AFTERNOON}.get(desk, MORNING)
        if step is Step.SUBMIT:
            own = MORNING
        at = hour or own
        last = self.case.acts[-1] if self.case.acts else None
        if last and (self.day, at) < last.at:
            self.wait(1, 1)
        day, done_on = self.day, None
        if last and stamped and stamped < self.day:
            # Nobody acts before what he had seen: so far a clock is believed.
            day, done_on = last.day, self.day
        facts = dict(facts or {})
        self.case.acts.append(Act(day, at, desk, step, facts, stamped, done_on))

    def wait(self, least: int, most: int) -> None:
        """Go on by some days, and to the next that is worked."""
        self.day += timedelta(self.draw.randint(least, most))
        while not is_workday(self.day):
            self.day += timedelta(1)

    # -- until it is accepted -------------------------------------------------------

    def before_acceptance(self) -> None:
        desk, accept, fate = self.case.desk, self.offer.accept, self.draw.random()
        if fate < 0.03:
            return  # nobody says a word
        if fate < 0.08:
            self.wait(1, 3)
            more = {"duplicate": "1"} if self.chance(0.5) else {}
            self.act(desk, Step.WITHDRAW, more)
            self.put_away(accept)
            return
        self.wait(0, 2)
        if fate < 0.12:
            self.act(accept, Step.DECLINE)
            if self.chance(0.3):
                self.rate()
            self.put_away(accept)
            return
        if fate < 0.22:
            if not self.corrected(accept):
                return
            if self.chance(0.3) and not self.corrected(accept):
                return
        elif fate < 0.28:
            self.wait(9, 11)  # the law has accepted by then: the notice is too late
            if not self.corrected(accept):
                return
        elif fate < 0.36:
            self.wait(9, 11)
            self.act(accept, Step.EXPLAIN, {"lapse": "accept"})
        self.paperwork(accept)
        self.acceptance(accept)

    def corrected(self, by: str) -> bool:
        """Tell the applicant what is missing; return whether he brought it."""
        self.act(by, Step.RETURN, {"fault/photo": "缺照片"})
        if self.chance(0.1):
            return False
        self.wait(1, 5)
        self.act(self.case.desk, Step.SUBMIT, {} if self.is_entered else self.paper)
        self.wait(0, 2)
        return True

    def paperwork(self, accept: str) -> None:
        if not self.is_entered and self.offer.phone:
            self.act(accept, Step.AMEND, {"entered": "1"})
            self.is_entered = True
        if self.chance(0.3):
            self.act(accept, Step.REVIEW)
        if self.chance(0.25):
            state = self.draw.choice(("brought", "reviewed", "original_seen"))
            self.act(accept, Step.CHECK, {f"material/{self.offer.paper}": state})
        if self.chance(0.15):
            self.act(accept, Step.PARCEL, {"way": "in", "payer": "office"})
        if self.offer.code == PROPERTY and self.chance(0.7):
            facts = {"fee": "住房登记费", "yuan": "80", "receipt": "9001"}
            self.act(accept, Step.FEE, facts)

    def acceptance(self, accept: str) -> None:
        is_plain = len(self.case.acts) == 1 and self.case.desk in VILLAGES
        is_early = accept == "town" and self.case.desk in VILLAGES
        back = self.day - WRONG_BY if self.chance(0.04) else None
        self.act(accept, Step.ACCEPT, stamped=back)
        if is_plain and not back and self.chance(0.1):
            # In the village nobody has heard of the acceptance yet.
            self.act(self.case.desk, Step.WITHDRAW, hour=NOON)
            self.wait(1, 1)
            self.act(accept, Step.SETTLE, {"uphold": "withdraw"})
            return
        if is_early and not self.paper and self.offer.phone and self.chance(0.06):
            self.act(self.case.desk, Step.AMEND, hour=NOON)
            self.wait(1, 1)
            self.act(accept, Step.SETTLE)
        if self.chance(0.3 if self.offer.urgent else 0.04):
            self.wait(0, 2)
            self.act(accept, Step.HURRY, {"approver": "王镇长"})
        self.decision()

    # -- until it is decided --------------------------------------------------------

    def decision(self) -> None:
        desk = self.offer.decide
        if self.offer.accept == "town" and desk == "district":
            self.wait(0, 4)
            self.act("town", Step.FORWARD)
            self.wait(0, 3)
        if desk == "district":
            if not self.at_the_district() or self.chance(0.05):
                return
        elif self.chance(0.4):
            self.wait(1, 5)
        fate = self.draw.random()
        if fate < 0.04:
            self.act(desk, Step.TERMINATE)
            self.put_away(self.offer.accept)
            return
        is_refused = fate < 0.14
        if self.offer.branches:
            self.branches(is_refused=is_refused)
        outcome = Step.REFUSE if is_refused else Step.GRANT
        self.act(desk, outcome)
        if desk == "district" and self.case.desk in VILLAGES and self.chance(0.06):
            # While the district decides, the village withdraws.
            self.act(self.case.desk, Step.WITHDRAW, hour=AFTERNOON)
            upheld = self.draw.choice((outcome, Step.WITHDRAW))
            self.wait(1, 1)
            self.act(desk, Step.SETTLE, {"uphold": str(upheld)})
            if upheld is Step.WITHDRAW:
                return
        self.delivery()

    def at_the_district(self) -> bool:
        """Look into the case; return whether anybody still waits for a decision."""
        if self.chance(0.1):
            self.act("district", Step.TRANSFER, {"department": "审批二科"})
        if self.offer.accept == "town" and self.chance(0.07):
            if not self.corrected("district"):
                return False
            self.act("town", Step.ACCEPT)
            self.act("town", Step.FORWARD)
        if self.chance(0.25):
            self.pause()
        if self.chance(0.1):
            facts = {"workdays": str(self.draw.choice((5, 10))), "approver": "林局长"}
            self.act("district", Step.EXTEND, facts)
        self.wait(*((30, 50) if self.chance(0.15) else (0, 12)))
        return True

    def pause(self) -> None:
        """Begin a special procedure, now and then on the last day of what was
        promised, or two at once; not all of them are ended by anybody.
        """
        accepted = [one.day for one in self.case.acts if one.step is Step.ACCEPT][-1]
        last = after(accepted, self.offer.promised)
        if self.chance(0.25) and last > self.day:
            self.day = last
        if self.chance(0.1):
            self.day += timedelta(-self.day.weekday() + 5)  # on a Saturday
        kinds = self.draw.sample(sorted(PAUSES), 2)
        self.act("district", Step.PAUSE, {"kind": kinds[0], "days": "5"})
        if self.chance(0.15):
            return
        self.day += timedelta(self.draw.randint(0, 9))
        if self.chance(0.2):
            self.act("district", Step.PAUSE, {"kind": kinds[1]})
            self.wait(0, 4)
            self.act("district", Step.RESUME, {"pause": "@pause/0"})
            self.wait(0, 2)
            self.act("district", Step.RESUME, {"pause": "@pause/1"})
        else:
            self.act("district", Step.RESUME, {"pause": "@pause/0"})

    def branches(self, *, is_refused: bool) -> None:
        """Let the departments visit together, and each give its opinion."""
        if self.chance(0.6):
            on = self.day.isoformat()
            visit = {"on": on, "branches": " ".join(self.offer.branches)}
            self.act("district", Step.VISIT, visit)
            self.wait(0, 2)
            for branch in self.offer.branches:
                result = self.draw.choice(("pass", "pass", "mend"))
                facts = {"visit": "@visit/0", "branch": branch, "result": result}
                self.act("district", Step.INSPECT, facts)
        last = self.offer.branches[-1]
        for branch in self.offer.branches:
            result = "refuse" if is_refused and branch == last else "agree"
            self.act("district", Step.ADVISE, {"branch": branch, "result": result})
            self.wait(0, 3)

    # -- afterwards -----------------------------------------------------------------

    def delivery(self) -> None:
        if self.chance(0.15):
            return
        self.wait(1, 18)
        way = self.draw.choice(("post", "post", "counter", "agent"))
        if way == "post" and self.chance(0.7):
            self.act("town", Step.PARCEL, {"way": "out", "tracking": "SF1"})
        facts = {"way": way, "recipient": "本人"}
        if self.chance(0.3):
            facts["trips"] = str(self.draw.randrange(3))
        self.act("town", Step.DELIVER, facts)
        if self.chance(0.1):
            lapse = self.draw.choice(("promise", "deliver"))
            self.act("town", Step.EXPLAIN, {"lapse": lapse})
        if self.chance(0.4):
            self.rate()
        self.put_away(self.offer.accept)

    def rate(self) -> None:
        self.wait(1, 3)
        grade = str(self.draw.randint(1, 5))
        self.act(self.case.desk, Step.RATE, {"grade": grade})

    def put_away(self, by: str) -> None:
        if self.chance(0.4):
            self.wait(1, 3)
            self.act(by, Step.ARCHIVE)


def kinds_of(cases: Sequence[Plan]) -> set[Step]:
    """Return which kinds of steps come up in some plans."""
    return {act.step for case in cases for act in case.acts}
