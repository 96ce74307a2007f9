"""What must come of a plan, by the law and the guides, counted evening by evening.

A second way beside the node's own: no rule of `node.reckoning` is asked here. A day is
gone to after the other, over a list of the working days, and on each evening it is
asked whether a limit is up.

- 行政许可法 32: told within five days, or accepted from the day of receipt.
- 行政许可法 42, 82: limits are working days; the first day is not counted; one
  extension, before the limit is up.
- 行政许可法 45: the time that a procedure needs is not counted. It is a period itself,
  so its first day is not counted to it, and no limit is up while it runs.
- 行政许可法 44: delivered within ten days of the decision.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from node.lifecycle import Step
from node.store.ledger import COUNTS
from tests.node.month_offers import SEEN_ON, StepLimit
from tests.node.month_plan import Act, Plan, after, is_workday

OUTCOMES = {
    Step.GRANT: "granted",
    Step.REFUSE: "refused",
    Step.DECLINE: "declined",
    Step.WITHDRAW: "withdrawn",
    Step.TERMINATE: "terminated",
}
_NEVER = date(2030, 1, 1)
_HIGHER = {"village": 0, "other": 0, "third": 0, "town": 1, "district": 2}


@dataclass(frozen=True, slots=True, order=True)
class Late:
    """A limit that has passed: which, its last day, when it was done after all, who
    had the case on that evening, and how often it was answered for.
    """

    key: str
    due_on: date
    ended_on: date | None
    tier: str
    department: str
    answers: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What the plan of a case comes to."""

    groups: dict[str, str]
    counts: dict[str, int]
    lapses: frozenset[Late]


def expected(case: Plan, *, stands: bool = True) -> Expected:
    """Return what a plan comes to.

    `stands` says whether an acceptance stands that a withdrawal has crossed.
    """
    return _Counting(case, stands=stands).expected()


def total(found: Iterable[Expected]) -> dict[str, int]:
    """Return the counts of all cases together."""
    sums: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    for one in found:
        sums.update({key: int(value) for key, value in one.counts.items()})
    return dict(sums)


class _Counting:
    def __init__(self, case: Plan, *, stands: bool) -> None:
        self.case, self.offer = case, case.offer
        self.acts = list(_standing(case, stands=stands))
        self.received_on = self.acts[0].day
        self.decided_on = self.first(Step.GRANT, Step.REFUSE)
        self.closed_on = self.first(*OUTCOMES)
        self.outcome = next(
            (OUTCOMES[one.step] for one in self.acts if one.step in OUTCOMES), ""
        )
        self.starts: date | None = None
        self.answered_on: date | None = None
        self.told_by = self.received_on
        self.receive()
        self.stops = list(self.procedures())
        self.extended_on = self.first(Step.EXTEND)
        self.extension = int(next(iter(self.said("workdays")), "0"))

    # -- what is in the plan --------------------------------------------------------

    def on(self, *steps: Step) -> list[date]:
        return [act.day for act in self.acts if act.step in steps]

    def first(self, *steps: Step) -> date | None:
        return min(self.on(*steps), default=None)

    def said(self, key: str) -> list[str]:
        return [act.facts[key] for act in self.acts if key in act.facts]

    # -- receipt, procedures, limits ------------------------------------------------

    def receive(self) -> None:
        """Find the papers that were accepted, or handed in last: when they were
        answered, and from which day the limits run.
        """
        is_open = False
        for act in self.acts:
            if act.step == Step.SUBMIT and not is_open:
                submitted_on, is_open = act.day, True
                self.told_by, self.answered_on = after(act.day, 5), None
            elif act.step in (Step.RETURN, Step.ACCEPT, Step.DECLINE, Step.WITHDRAW):
                if not is_open:
                    continue
                is_open, self.answered_on = False, act.day
                if act.day > self.told_by:
                    self.starts = submitted_on  # the law was quicker
                    return
                if act.step == Step.ACCEPT:
                    self.starts = act.day
                    return
        if is_open:
            self.starts = submitted_on

    def procedures(self) -> Iterable[tuple[date, date]]:
        """Yield from when to when nothing was counted."""
        over = self.closed_on or _NEVER
        ended = {a.facts["pause"]: a.day for a in self.acts if a.step == Step.RESUME}
        for number, begun_on in enumerate(self.on(Step.PAUSE)):
            yield begun_on, ended.get(f"@pause/{number}", over)
        is_accepted, begin = False, None
        for act in self.acts:
            is_accepted |= act.step == Step.ACCEPT
            if act.step == Step.RETURN and is_accepted:
                begin = act.day
            elif act.step == Step.SUBMIT and begin:
                yield begin, act.day
                begin = None
        if begin:
            yield begin, over

    def last_evening(self, start: date, workdays: int) -> date | None:
        """Return the evening on which a limit is up; None: it stands still."""
        day, used = start, 0
        while day < SEEN_ON + timedelta(days=400):
            day += timedelta(1)
            in_procedure = any(begin < day <= end for begin, end in self.stops)
            used += is_workday(day) and not in_procedure
            is_running = any(begin <= day < end for begin, end in self.stops)
            allowed = workdays
            if self.extended_on and self.extended_on <= day:
                allowed += self.extension
            if used >= allowed and not is_running and is_workday(day):
                return day
        return None

    def promise(self) -> date | None:
        assert self.starts
        days = [self.last_evening(self.starts, self.offer.promised)]
        hurried_on = self.first(Step.HURRY)
        if hurried_on and self.offer.urgent:
            start = max(self.starts, hurried_on)
            days.append(self.last_evening(start, self.offer.urgent))
        return min((day for day in days if day), default=None)

    # -- what has passed ------------------------------------------------------------

    def lapses(self) -> Iterable[Late]:
        yield from self.late("accept", self.told_by, self.answered_on)
        if self.starts:
            promise = self.promise()
            legal = self.last_evening(self.starts, self.offer.legal)
            yield from self.late("promise", promise, self.closed_on)
            yield from self.late("legal", legal, self.closed_on)
            for step in self.offer.steps if self.answered_on else ():
                due = self.step_due(step)
                if due and due < (promise or _NEVER):
                    done = self.step_done(step) or self.closed_on
                    yield from self.late(f"step/{step.name}", due, done, step)
        if self.decided_on:
            due = after(self.decided_on, 10)
            yield from self.late("deliver", due, self.first(Step.DELIVER))

    def step_due(self, step: StepLimit) -> date | None:
        start = self.first(Step.FORWARD) if step.from_forward else self.answered_on
        return self.last_evening(start, step.workdays) if start else None

    def step_done(self, step: StepLimit) -> date | None:
        if step.to_forward:
            return self.first(Step.FORWARD)
        days = {
            act.facts["branch"]: act.day
            for act in self.acts
            if act.step == Step.ADVISE and act.facts["branch"] in step.branches
        }
        if step.branches and set(days) == set(step.branches):
            return max(days.values())
        return self.decided_on

    def late(
        self,
        key: str,
        due: date | None,
        done: date | None,
        step: StepLimit | None = None,
    ) -> Iterable[Late]:
        if due is None or (done or SEEN_ON) <= due:
            return
        tier, department = self.holder(key, due, step)
        answers = self.said("lapse").count(key)
        yield Late(key, due, done, tier, department, answers)

    def holder(self, key: str, due: date, step: StepLimit | None) -> tuple[str, str]:
        """Return who had the case when its last evening came."""
        until = [act for act in self.acts if act.day <= due]
        if key == "deliver" and "agent" in self.said("delivery"):
            return ("town" if self.offer.desks == ("town",) else "village"), ""
        is_up = False
        for act in until:
            if act.step in (Step.FORWARD, Step.RETURN, Step.SUBMIT, *OUTCOMES):
                is_up = act.step is Step.FORWARD
        tier = self.offer.decide if is_up else self.offer.accept
        moved = [a.facts["department"] for a in until if a.step is Step.TRANSFER]
        department = (moved or [self.offer.department])[-1]
        if step:
            tier, department = step.tier, step.department or department
        return tier, department if tier == "district" else ""

    # -- what is counted ------------------------------------------------------------

    def expected(self) -> Expected:
        promise = self.promise() if self.starts else None
        accepted_on = self.starts if self.answered_on else None
        trips = [int(one) for one in self.said("trips")]
        grade = next(iter(self.said("grade")), "")
        over = self.closed_on or SEEN_ON
        decided, offer = self.decided_on, self.offer
        counts = dict.fromkeys(COUNTS, 0) | {
            "received": 1,
            "accepted": bool(self.starts),
            "decided": bool(decided),
            "delivered": bool(self.first(Step.DELIVER)),
            "same_day": bool(decided and decided == accepted_on),
            "on_time": bool(decided and promise and decided <= promise),
            "overdue": bool(promise and over > promise),
            "urgent": bool(self.first(Step.HURRY)),
            "legal_workdays": offer.legal,
            "promise_workdays": offer.promised,
            "points": offer.points if self.is_seen() else 0,
            "rated": bool(grade),
            "rating": int(grade or 0),
            "trips_known": bool(trips),
            "trips_promised": offer.trips if trips else 0,
            "trips": max(trips, default=0),
        }
        if self.outcome:
            counts[self.outcome] = 1
        zero = self.zero_trip(max(trips, default=0))
        if decided and zero:
            counts[zero] = 1
        return Expected(self.groups(), counts, frozenset(self.lapses()))

    def is_seen(self) -> bool:
        """Say whether a higher tier has taken up what the desk has taken in."""
        own = _HIGHER[self.case.desk]
        return self.outcome not in ("withdrawn", "declined") and any(
            act.step in (Step.ACCEPT, Step.GRANT, Step.REFUSE)
            and _HIGHER[act.desk] > own
            for act in self.acts
        )

    def groups(self) -> dict[str, str]:
        department = (self.said("department") or [self.offer.department])[-1]
        return {
            "item": self.offer.code,
            "department": department,
            "month": self.received_on.isoformat()[:7],
            "village": self.case.desk,
            "agent": f"{self.case.desk} {self.case.agent}",
        }

    def zero_trip(self, trips: int) -> str:
        posted = any(
            act.facts.get("way") == ("post" if act.step == Step.DELIVER else "out")
            for act in self.acts
            if act.step in (Step.DELIVER, Step.PARCEL)
        )
        if trips or not posted:
            return ""
        papers = self.said(f"material/{self.offer.paper}")
        if "brought" in papers:
            return "zero_site"
        if any(a.facts["way"] == "in" for a in self.acts if a.step == Step.PARCEL):
            return "zero_both"
        is_reviewed = self.first(Step.REVIEW) or "reviewed" in papers
        return "zero_post" if is_reviewed else ""


def _standing(case: Plan, *, stands: bool) -> Iterable[Act]:
    """Yield what counts in the end, where some acts could not both."""
    upheld = next((a.facts["uphold"] for a in case.acts if "uphold" in a.facts), "")
    lost = {Step.GRANT, Step.REFUSE} if upheld == "withdraw" else set()
    if upheld in ("grant", "refuse"):
        lost = {Step.WITHDRAW}
    if not stands:
        lost = {Step.ACCEPT}
    return (act for act in case.acts if act.step not in lost)
