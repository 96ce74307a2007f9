"""A month of three villages, a town and a district, with all kinds of events.

What will happen is drawn first, as a plan; from the plan alone, and by counting days
one by one, follows what the statistics and the lapses must say. Then it is carried
out on real nodes, which sync as the days go by. `python -m tests.node.month 2000`.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path

from node import casework, statistics, upkeep
from node.cases import lapses_of, open_case
from node.days import CHINA
from node.lifecycle import Step
from node.store.ledger import COUNTS
from node.wiring import Node
from node.workdays import Day, YearTable
from tests.node.nodes import (
    ALLOWANCE,
    ALLOWANCE_ANSWERS,
    ANSWERS,
    BIRTH,
    BIRTH_ANSWERS,
    ELDER,
    Three,
    enrolled,
    sync,
    three,
)

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
HEARD_BY_NOBODY = ("accept", "promise", "legal", "deliver")
"""Limits whose lapses are found here without the node's own rules."""

ITEMS = {
    ELDER: (ANSWERS, 30, 60, 2, "id_card"),
    ALLOWANCE: (ALLOWANCE_ANSWERS, 25, 44, 8, "income_proof"),
    BIRTH: (BIRTH_ANSWERS, 1, 7, 1, "id_cards"),
}
"""Code: answers, promised and legal working days, points, a paper."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is done to a case: on which day, at which hour, at which desk."""

    day: date
    hour: int
    desk: str
    step: Step
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """What will happen to one case."""

    item: str
    village: str
    agent: str
    acts: list[Act] = field(default_factory=list)

    def on(self, *steps: Step) -> list[date]:
        return [act.day for act in self.acts if act.step in steps]

    def first(self, *steps: Step) -> date | None:
        return next(iter(self.on(*steps)), None)

    def said(self, key: str) -> list[str]:
        return [act.facts[key] for act in self.acts if key in act.facts]


def is_workday(day: date) -> bool:
    if day in {one.on for one in TABLE.work}:
        return True
    is_free = day in {one.on for one in TABLE.rest}
    return day.weekday() < 5 and not is_free


# -- what will happen --------------------------------------------------------------


def plans(count: int, seed: int) -> list[Plan]:
    draw = random.Random(seed)
    return [_Drawing(draw).plan() for _ in range(count)]


class _Drawing:
    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.day = FIRST + timedelta(draw.randrange(31))
        village = draw.choice(("village", "other", "third"))
        agent = draw.choice({"village": ("李秀英", "=1+1")}.get(village, (village,)))
        item = draw.choice((ELDER, ELDER, ALLOWANCE, BIRTH))
        self.case = Plan(item, village, agent)

    def plan(self) -> Plan:
        facts = {"handling": "self"}
        if self.chance(0.4):
            facts = {"handling": "agent", "authorised": "当面委托"}
        if self.chance(0.5):
            facts["trips"] = str(self.draw.randrange(3) // 2)
        self.act(MORNING, self.case.village, Step.SUBMIT, **facts)
        self.before_acceptance()
        return self.case

    def chance(self, share: float) -> bool:
        return self.draw.random() < share

    def act(self, hour: int, desk: str, step: Step, **facts: str) -> None:
        named = {key.replace("__", "/"): value for key, value in facts.items()}
        self.case.acts.append(Act(self.day, hour, desk, step, named))

    def wait(self, least: int, most: int) -> None:
        """Go on by some days, and to the next that is worked."""
        self.day += timedelta(self.draw.randint(least, most))
        while not is_workday(self.day):
            self.day += timedelta(1)

    def before_acceptance(self) -> None:
        village, fate = self.case.village, self.draw.random()
        if fate < 0.03:
            return  # nobody says a word
        if fate < 0.09:
            self.wait(1, 3)
            more = {"duplicate": "1"} if self.chance(0.5) else {}
            self.act(MORNING, village, Step.WITHDRAW, **more)
            return
        self.wait(0, 2)
        if fate < 0.14:
            self.act(NOON, "town", Step.DECLINE)
            return
        if fate < 0.28:
            self.act(NOON, "town", Step.RETURN, fault__photo="缺照片")
            if self.chance(0.1):
                return
            self.wait(1, 5)
            self.act(MORNING, village, Step.SUBMIT)
            self.wait(0, 2)
        elif fate < 0.36:
            self.wait(9, 11)  # the law has accepted by then
        if self.chance(0.3):
            self.act(NOON, "town", Step.REVIEW)
        if self.chance(0.2):
            paper = {f"material__{ITEMS[self.case.item][4]}": "brought"}
            self.act(NOON, "town", Step.CHECK, **paper)
        if self.chance(0.15):
            self.act(NOON, "town", Step.PARCEL, way="in", payer="office")
        self.act(NOON, "town", Step.ACCEPT)
        if self.chance(0.04):
            # In the village nobody has heard of the acceptance yet.
            self.act(AFTERNOON, village, Step.WITHDRAW)
            return
        if self.chance(0.06):
            self.act(NOON, "town", Step.HURRY, approver="王镇长")
        self.decision()

    def decision(self) -> None:
        hour, desk = NOON, "town"
        if self.case.item == BIRTH:
            if self.chance(0.4):
                self.wait(1, 5)
        else:
            self.wait(0, 4)
            self.act(NOON, "town", Step.FORWARD)
            hour, desk = AFTERNOON, "district"
            self.at_the_district()
            if self.chance(0.05):
                return
        if self.chance(0.04):
            self.act(hour, desk, Step.TERMINATE)
            return
        self.act(hour, desk, Step.REFUSE if self.chance(0.1) else Step.GRANT)
        self.delivery()

    def at_the_district(self) -> None:
        self.wait(0, 3)
        if self.chance(0.1):
            self.act(AFTERNOON, "district", Step.TRANSFER, department="民政二科")
        if self.chance(0.15):
            self.act(AFTERNOON, "district", Step.PAUSE, kind="survey", days="5")
            self.wait(1, 8)
            self.act(AFTERNOON, "district", Step.RESUME)
        if self.chance(0.08):
            self.act(
                AFTERNOON, "district", Step.EXTEND, workdays="5", approver="林局长"
            )
        self.wait(*((30, 50) if self.chance(0.12) else (0, 15)))

    def delivery(self) -> None:
        if self.chance(0.15):
            return
        self.wait(1, 18)
        way = self.draw.choice(("post", "post", "counter", "agent"))
        if way == "post" and self.chance(0.7):
            self.act(NOON, "town", Step.PARCEL, way="out", tracking="SF1")
        facts = {"way": way, "recipient": "本人"}
        if self.chance(0.3):
            facts["trips"] = str(self.draw.randrange(3))
        self.act(NOON, "town", Step.DELIVER, **facts)
        if self.chance(0.4):
            self.wait(1, 3)
            grade = str(self.draw.randint(1, 5))
            self.act(MORNING, self.case.village, Step.RATE, grade=grade)


# -- what must come of it, counted day by day --------------------------------------


def after(day: date, workdays: int) -> date:
    """Return the last day of a limit; the day on which it begins is not counted."""
    while workdays:
        day += timedelta(1)
        workdays -= is_workday(day)
    return day


def moved_limit(case: Plan, starts: date, workdays: int) -> date:
    """Return the last day of a limit that pauses and an extension have moved: of a
    pause the day on which it begins is used, the day on which it ends is not.
    """
    due = after(starts, workdays)
    for begin, end in zip(case.on(Step.PAUSE), case.on(Step.RESUME), strict=True):
        days = (begin + timedelta(n + 1) for n in range((end - begin).days))
        if begin <= due:
            due = after(due, sum(map(is_workday, days)))
    extended = case.first(Step.EXTEND)
    return after(due, 5) if extended and extended <= due else due


@dataclass(frozen=True, slots=True)
class Expected:
    """What the plan of a case comes to."""

    groups: dict[str, str]
    counts: dict[str, int]
    lapses: frozenset[tuple[str, date]]


_OUTCOMES = {
    Step.GRANT: "granted",
    Step.REFUSE: "refused",
    Step.DECLINE: "declined",
    Step.WITHDRAW: "withdrawn",
    Step.TERMINATE: "terminated",
}


def expected(case: Plan, *, stands: bool = True) -> Expected:
    """Return what a plan comes to; see `Month.stands`."""
    _, promised, legal, points, _ = ITEMS[case.item]
    received = case.acts[0].day
    answered, told_by = None, after(received, 5)
    for act in case.acts:
        if act.step == Step.SUBMIT and answered:
            told_by, answered = after(act.day, 5), None
        elif act.step in (Step.RETURN, Step.ACCEPT, Step.DECLINE, Step.WITHDRAW):
            answered = answered or act.day
    accepted = case.first(Step.ACCEPT) if stands or answered > told_by else None
    starts = accepted
    if (accepted and accepted > told_by) or not answered:
        starts = case.on(Step.SUBMIT)[-1]
    accepted = accepted and starts
    decided = case.first(Step.GRANT, Step.REFUSE)
    closed = case.first(*_OUTCOMES)
    outcome = next((_OUTCOMES[a.step] for a in case.acts if a.step in _OUTCOMES), "")
    delivered = case.first(Step.DELIVER)
    due = legal_due = None
    if starts:
        due = moved_limit(case, starts, promised)
        legal_due = moved_limit(case, starts, legal)
    over = closed or SEEN_ON
    lapsed = set()
    if (answered or SEEN_ON) > told_by:
        lapsed.add(("accept", told_by))
    for key, limit in (("promise", due), ("legal", legal_due)):
        if limit and over > limit:
            lapsed.add((key, limit))
    if decided and (delivered or SEEN_ON) > after(decided, 10):
        lapsed.add(("deliver", after(decided, 10)))
    trips = [int(one) for one in case.said("trips")]
    grade = next(iter(case.said("grade")), "")
    zero = _zero_trip(case, max(trips, default=0))
    is_lost = outcome in ("withdrawn", "declined")
    is_counted = case.first(Step.ACCEPT, Step.GRANT, Step.REFUSE) and not is_lost
    counts = dict.fromkeys(COUNTS, 0) | {
        "received": 1,
        "accepted": bool(accepted),
        "decided": bool(decided),
        "delivered": bool(delivered),
        "same_day": bool(decided and decided == accepted),
        "on_time": bool(decided and due and decided <= due),
        "overdue": bool(due and over > due),
        "urgent": bool(case.first(Step.HURRY)),
        "legal_workdays": legal,
        "promise_workdays": promised,
        "points": points if is_counted else 0,
        "rated": bool(grade),
        "rating": int(grade or 0),
        "trips_known": bool(trips),
        "trips": max(trips, default=0),
    }
    if outcome:
        counts[outcome] = 1
    if zero:
        counts[zero] = 1
    month = received.isoformat()[:7]
    department = next(iter(case.said("department")), "")
    return Expected(
        {"item": case.item, "month": month, "department": department},
        counts,
        frozenset(lapsed),
    )


def _zero_trip(case: Plan, trips: int) -> str:
    posted = any(
        act.facts.get("way") == ("post" if act.step == Step.DELIVER else "out")
        for act in case.acts
        if act.step in (Step.DELIVER, Step.PARCEL)
    )
    if trips or not posted:
        return ""
    if case.first(Step.CHECK):
        return "zero_site"
    if any(a.facts["way"] == "in" for a in case.acts if a.step == Step.PARCEL):
        return "zero_both"
    return "zero_post" if case.first(Step.REVIEW) else ""


def total(found: list[Expected]) -> dict[str, int]:
    """Return the counts of all cases together."""
    sums: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    for one in found:
        sums.update({key: int(value) for key, value in one.counts.items()})
    return dict(sums)


# -- carried out on real nodes ------------------------------------------------------


class Month:
    """The nodes of one run, and the cases that came of its plans, by number."""

    def __init__(self, nodes: Three, cases: list[Plan]) -> None:
        self.nodes = nodes
        self.third = enrolled(
            nodes.town, nodes.path / "third", "village", "330881105203", "中塘村"
        )
        self.desks: dict[str, Node] = {
            "village": nodes.village,
            "other": nodes.other_village,
            "third": self.third,
            "town": nodes.town,
            "district": nodes.district,
        }
        for _ in range(2):
            self._sync()
        self.plans = cases
        self.ids: dict[int, str] = {}
        self._pauses: dict[int, str] = {}
        self._is_published = False

    def run(self) -> None:
        acts = [(a, n) for n, plan in enumerate(self.plans) for a in plan.acts]
        acts.sort(key=lambda one: (one[0].day, one[0].hour))
        for (day, hour), its in groupby(acts, lambda one: (one[0].day, one[0].hour)):
            self._set_clock(day, hour)
            if not self._is_published and day >= PUBLISHED_ON:
                upkeep.publish_calendar(self.nodes.district, [TABLE])
                self._is_published = True
            busy: set[str] = set()
            for act, number in its:
                if hour == MORNING and act.desk not in busy:
                    sync(self.desks[act.desk], self.nodes.town)
                busy.add(act.desk)
                self._do(act, number)
            self._tell(busy)
        for _ in range(2):
            self._sync()
        self._set_clock(SEEN_ON, MORNING)

    def _tell(self, busy: set[str]) -> None:
        """Let everybody above hear what has been done at some desks."""
        for desk in sorted(busy - {"town", "district"}):
            sync(self.desks[desk], self.nodes.town)
        sync(self.nodes.town, self.nodes.district)

    def stands(self, number: int) -> bool:
        """Say whether an acceptance stands that a withdrawal has crossed: of two that
        know nothing of each other the lower clock is told first, then the lower id.
        """
        plan = self.plans[number]
        steps = [act.step for act in plan.acts]
        if steps[-2:] != [Step.ACCEPT, Step.WITHDRAW]:
            return True
        has_more = steps[-3] is not Step.SUBMIT
        return not has_more and self.nodes.town.id < self.desks[plan.village].id

    def close(self) -> None:
        self.third.close()

    def _set_clock(self, day: date, hour: int) -> None:
        at = datetime(day.year, day.month, day.day, hour, tzinfo=CHINA)
        ms = int(at.timestamp() * 1000)
        self.nodes.clock.at_ms = max(self.nodes.clock.at_ms, ms)

    def _sync(self) -> None:
        villages = [self.desks[name] for name in ("village", "other", "third")]
        for village in villages:
            sync(village, self.nodes.town)
        sync(self.nodes.town, self.nodes.district)
        for village in villages:
            sync(village, self.nodes.town)

    def _do(self, act: Act, number: int) -> None:
        plan, node = self.plans[number], self.desks[act.desk]
        if node.tier == "village":
            node.operator = plan.agent
        if number not in self.ids:
            draft = casework.begin_draft(node, plan.item, ITEMS[plan.item][0])
            self.ids[number] = casework.submit_draft(node, draft, act.facts).id
            return
        facts = dict(act.facts)
        if act.step == Step.RESUME:
            facts["pause"] = self._pauses[number]
        note = "有理由"
        case = casework.take_step(
            node, self.ids[number], act.step, note=note, facts=facts
        )
        if act.step == Step.PAUSE:
            self._pauses[number] = case.story.happened[-1].id


def differences(month: Month) -> Iterator[str]:
    """Yield in words whatever is not as the plans say, or not the same everywhere."""
    wanted = [
        expected(plan, stands=month.stands(number))
        for number, plan in enumerate(month.plans)
    ]
    town, district = month.nodes.town, month.nodes.district
    place = town.certificate.division
    cut = statistics.cut(town, "", "", place, SEEN_ON.isoformat())
    for group in ("item", "department", "town", "village", "agent", "month"):
        here, there = (statistics.report(one, group, cut) for one in (town, district))
        if here != there:
            yield f"{group}: town and district differ"
        if here.total != (sums := total(wanted)):
            odd = {k: (v, sums[k]) for k, v in here.total.items() if v != sums[k]}
            yield f"{group}: (found, wanted) {odd}"
        for row in here.rows if group in ("item", "month") else ():
            its = total([one for one in wanted if one.groups[group] == row.key])
            if row.counts != its:
                yield f"{group} {row.key}: {row.counts} is not {its}"
    for name in ("village", "other", "third"):
        own = statistics.report(
            month.desks[name],
            "agent",
            statistics.month_cut(month.desks[name], "2026-12", "", SEEN_ON.isoformat()),
        )
        above = statistics.report(district, "agent", own.cut)
        if own != above:
            yield f"{name}: the monthly statement differs at the district"
    for number, case_id in month.ids.items():
        for node in (town, district):
            case = open_case(node, case_id)
            found = {(one.key, one.due_on) for one in lapses_of(node, case, SEEN_ON)}
            found = {one for one in found if one[0] in HEARD_BY_NOBODY}
            if found != wanted[number].lapses:
                yield (
                    f"case {number} at {node.certificate.name}: {found} is not "
                    f"{set(wanted[number].lapses)}: "
                    f"{[(str(a.step), str(a.day)) for a in month.plans[number].acts]}"
                )


def main() -> int:
    """Run a month of so many cases, and tell its figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as folder, three(Path(folder)) as nodes:
        began_s = time.perf_counter()
        month = Month(nodes, plans(count, seed=5))
        try:
            month.run()
            ran_s = time.perf_counter() - began_s
            wrong = list(differences(month))
            for words in wrong[:20]:
                print(words)
            cut = statistics.cut(nodes.district, "", "", "", SEEN_ON.isoformat())
            began_s = time.perf_counter()
            found = statistics.report(nodes.district, "item", cut)
            took_ms = 1000 * (time.perf_counter() - began_s)
            print(found.total, found.mark)
            lapsed = Counter(k for p in month.plans for k, _ in expected(p).lapses)
            print(f"lapses {dict(lapsed)}; {len(wrong)} differences")
            print(f"{count} cases in {ran_s:.0f} s; the report in {took_ms:.0f} ms")
        finally:
            month.close()
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
