"""Plans of cases, drawn at random by a seed; all kinds of steps come up."""

import random
from collections.abc import Mapping
from datetime import date, timedelta

from node.facts import PAUSES
from node.lifecycle import Step
from tests.node.month_offers import (
    AFTERNOON,
    FIRST,
    MORNING,
    NOON,
    OFFERS,
    PROPERTY,
    VILLAGES,
    WEIGHTS,
    WRONG_BY,
)
from tests.node.month_plan import Act, Plan, after, is_workday


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
        is_paper_only = self.chance(0.15)
        self.paper = {"paper_only": "1"} if is_paper_only else {}
        self.is_entered = not is_paper_only

    def plan(self) -> Plan:
        facts = {"handling": "self"}
        if self.chance(0.4):
            facts = {"handling": "agent", "authorised": "当面委托"}
        if self.chance(0.5):
            facts["trips"] = str(self.draw.randrange(3) // 2)
        if self.chance(0.2):
            facts["delivery"] = "agent"
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
        if not self.is_entered:
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
            by = "district" if self.offer.urgent else accept
            self.act(by, Step.HURRY, {"approver": "王镇长"})
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
