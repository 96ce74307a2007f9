"""A month of three villages, a town and a district, with all kinds of events.

What will happen is drawn first (`month_draw`); from the plan alone follows what the
statistics and the lapses must say (`month_count`). Here it is carried out on real
nodes, which sync as the days go by. `python -m tests.node.month 2000`.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

from forms.item import Item
from node import casework, drafting, settling, statistics, upkeep
from node.cases import Case, lapses_of, open_case
from node.days import CHINA
from node.lapses import Lapse
from node.lifecycle import Step
from node.store.ledger import GROUPS
from node.wiring import Node
from node.workdays import Calendar
from tests.node.histories import History
from tests.node.month_answers import answers_for, only_who, packages
from tests.node.month_count import Expected, Late, expected, total
from tests.node.month_draw import plans
from tests.node.month_offers import (
    MORNING,
    NOON,
    PUBLISHED_ON,
    SEEN_ON,
    TABLE,
    VILLAGES,
)
from tests.node.month_plan import Act, Plan
from tests.node.nodes import Three, enrolled, sync, three
from tests.shipping import shipped_packages


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
        known = {one.item.code for one in shipped_packages()}
        more = [one for code, one in packages().items() if code not in known]
        upkeep.publish(nodes.district, more)
        for _ in range(2):
            self._sync()
        self.plans = cases
        self.ids: dict[int, str] = {}
        self._answers: dict[int, Mapping[str, str]] = {}
        self._events: dict[int, dict[str, list[str]]] = {}
        self._is_published = False

    def run(self) -> None:
        """Let it all happen, and hear of everything in the end."""
        acts = [(a, n) for n, plan in enumerate(self.plans) for a in plan.acts]
        acts.sort(key=lambda one: one[0].at)
        for (day, hour), its in groupby(acts, lambda one: one[0].at):
            self._set_clock(day, hour)
            if not self._is_published and day >= PUBLISHED_ON:
                upkeep.publish_calendar(self.nodes.district, [TABLE])
                self._is_published = True
            busy: set[str] = set()
            for act, number in its:
                if act.desk in VILLAGES and act.desk not in busy and hour != NOON:
                    sync(self.desks[act.desk], self.nodes.town)
                busy.add(act.desk)
                self._do(act, number)
            self._tell(busy)
        for _ in range(2):
            self._sync()
        self._set_clock(SEEN_ON, MORNING)

    def wanted(self) -> list[Expected]:
        """Return what must have come of it."""
        return [expected(plan, stands=self._stands(plan)) for plan in self.plans]

    def close(self) -> None:
        self.third.close()

    def _stands(self, plan: Plan) -> bool:
        """Say whether an acceptance stands that a withdrawal has crossed: of two that
        know nothing of each other, and have seen as much, the lower id is told first.
        """
        return not plan.is_crossed or self.nodes.town.id < self.desks[plan.desk].id

    def _tell(self, busy: set[str]) -> None:
        """Let everybody above hear what has been done at some desks."""
        for desk in sorted(busy - {"town", "district"}):
            sync(self.desks[desk], self.nodes.town)
        sync(self.nodes.town, self.nodes.district)

    def _set_clock(self, day: date, hour: int) -> None:
        clock = self.nodes.clock
        clock.at_ms = max(clock.at_ms, _ms(day, hour))

    def _sync(self) -> None:
        villages = [self.desks[name] for name in VILLAGES]
        for village in villages:
            sync(village, self.nodes.town)
        sync(self.nodes.town, self.nodes.district)
        for village in villages:
            sync(village, self.nodes.town)

    def _do(self, act: Act, number: int) -> None:
        node, plan, clock = self.desks[act.desk], self.plans[number], self.nodes.clock
        if act.desk == plan.desk:
            node.operator = plan.agent
        at_ms = clock.at_ms
        if act.stamped:
            clock.at_ms = _ms(act.stamped, act.hour)
        case = self._taken(act, number, node)
        if act.stamped:
            clock.at_ms = at_ms
        if case:
            events = self._events.setdefault(number, {})
            events.setdefault(act.step, []).append(case.story.happened[-1].id)

    def _taken(self, act: Act, number: int, node: Node) -> Case | None:
        plan, answers = self.plans[number], {}
        if number not in self.ids:
            return self._submit(act, number, node)
        facts = dict(act.facts)
        if act.step is Step.SETTLE:
            return self._settle(node, self.ids[number], facts.get("uphold", ""))
        _name_events(facts, self._events[number])
        if act.step is Step.AMEND:
            answers = {plan.offer.phone: f"139{number:08d}"}
            if "entered" in facts:
                answers = dict(self._answers[number])
        return casework.take_step(
            node,
            self.ids[number],
            act.step,
            note="有理由",
            answers=answers,
            facts=facts,
        )

    def _submit(self, act: Act, number: int, node: Node) -> Case:
        plan = self.plans[number]
        package = packages()[plan.offer.code]
        self._answers[number] = answers = answers_for(plan, number)
        if "paper_only" in act.facts:
            answers = only_who(package, answers)
        draft = drafting.begin_draft(node, package.item.code, answers)
        case = drafting.submit_draft(node, draft, act.facts)
        self.ids[number] = case.id
        return case

    def _settle(self, node: Node, case_id: str, uphold: str) -> Case | None:
        """Settle what is open: by upholding a step, or by taking note of it."""
        case = open_case(node, case_id)
        for matter in case.matters:
            steps = [side.step for side in matter.sides]
            choose = steps.index(uphold) + 1 if steps else 0
            case = settling.settle(node, case_id, matter, choose=choose, note="有理由")
        return case if case.story.happened[-1].event.step == Step.SETTLE else None


def differences(month: Month) -> Iterator[str]:
    """Yield in words whatever is not as the plans say, or not the same everywhere."""
    wanted = month.wanted()
    yield from _odd_figures(month, wanted)
    yield from _odd_statements(month)
    for number, case_id in month.ids.items():
        for node in (month.nodes.town, month.nodes.district):
            its = lapses_of(node, open_case(node, case_id), SEEN_ON)
            found = frozenset(map(_late, its))
            if found != wanted[number].lapses:
                more = sorted(found - wanted[number].lapses, key=repr)
                less = sorted(wanted[number].lapses - found, key=repr)
                acts = [
                    (str(a.step), str(a.day), a.desk) for a in month.plans[number].acts
                ]
                yield f"case {number} at {node.tier}: +{more} -{less}: {acts}"


def replayed(plan: Plan, item: Item, calendar: Calendar) -> frozenset[Late]:
    """Return the lapses of a plan by the node's own rules, without nodes: each desk
    knows all, so nothing may be settled in it.
    """
    made, ids = History(item, calendar), dict[str, list[str]]()
    desks = {name: str(place) * 16 for place, name in enumerate(_DESKS, start=1)}
    for act in plan.acts:
        facts = dict(act.facts)
        _name_events(facts, ids)
        on = (act.stamped or act.day).isoformat()
        key = made.add(act.step, on, desks[act.desk], None, facts)
        ids.setdefault(act.step, []).append(key)
    return frozenset(map(_late, made.lapses(SEEN_ON.isoformat())))


def counted(month: Month) -> dict[str, object]:
    """Return what a run consisted of: steps, lapses by kind, figures."""
    steps = Counter(str(act.step) for plan in month.plans for act in plan.acts)
    late = Counter(
        one.key.partition("/")[0] for its in month.wanted() for one in its.lapses
    )
    return {"steps": dict(steps), "lapses": dict(late)}


def _odd_figures(month: Month, wanted: list[Expected]) -> Iterator[str]:
    town, district = month.nodes.town, month.nodes.district
    place = town.certificate.division
    cut = statistics.cut(town, "", "", place, SEEN_ON.isoformat())
    for group in GROUPS:
        here, there = (statistics.report(one, group, cut) for one in (town, district))
        if here != there:
            yield f"{group}: town and district differ"
        its: dict[str, list[Expected]] = {}
        for one, plan in zip(wanted, month.plans, strict=True):
            its.setdefault(_key(month, group, plan, one), []).append(one)
        found = {row.key: row.counts for row in here.rows}
        for key in sorted(found.keys() | its.keys()):
            sums, said = total(its.get(key, [])), found.get(key, {})
            odd = {k: (said.get(k), v) for k, v in sums.items() if said.get(k) != v}
            if odd:
                yield f"{group} {key}: (found, wanted) {odd}"


def _odd_statements(month: Month) -> Iterator[str]:
    """Compare the monthly statement of each desk with the district's."""
    for name in (*VILLAGES, "town"):
        node = month.desks[name]
        of = statistics.month_cut(node, "2026-12", "", SEEN_ON.isoformat())
        own = statistics.report(node, "agent", of)
        if own != statistics.report(month.nodes.district, "agent", of):
            yield f"{name}: the monthly statement differs at the district"


def _key(month: Month, group: str, plan: Plan, one: Expected) -> str:
    """Return the key under which a case is counted in a group."""
    desk = month.desks[plan.desk]
    place = desk.certificate.division
    keys = {
        "town": month.nodes.town.certificate.division,
        "village": place,
        "agent": f"{place} {desk.id.hex()[:16]} {plan.agent}",
    }
    return keys.get(group) or one.groups[group]


def _name_events(facts: dict[str, str], ids: Mapping[str, list[str]]) -> None:
    """Put the ids of events in the place of what a plan calls them."""
    for key, text in facts.items():
        if text.startswith("@"):
            step, _, place = text[1:].partition("/")
            facts[key] = ids[step][int(place)]


def _late(one: Lapse) -> Late:
    holder = one.holder
    return Late(
        one.key,
        one.due_on,
        one.ended_on,
        str(holder.tier),
        holder.department,
        len(one.answered),
    )


def _ms(day: date, hour: int) -> int:
    at = datetime(day.year, day.month, day.day, hour, tzinfo=CHINA)
    return int(at.timestamp() * 1000)


_DESKS = (*VILLAGES, "town", "district")


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
            print(counted(month), f"{len(wrong)} differences")
            print(f"{count} cases in {ran_s:.0f} s; the report in {took_ms:.0f} ms")
        finally:
            month.close()
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
