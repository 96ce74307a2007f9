"""A simulated month: statistics and lapses as an independent count finds them."""

from collections.abc import Callable

from node.lifecycle import Step
from node.workdays import Calendar
from tests.node.month import Month, differences, replayed
from tests.node.month_answers import packages
from tests.node.month_count import expected
from tests.node.month_draw import plans
from tests.node.month_offers import (
    AFTERNOON,
    KINDERGARTEN,
    NOON,
    PACKAGE,
    TABLE,
    VILLAGES,
)
from tests.node.month_plan import Act, Plan, after, kinds_of
from tests.node.nodes import Three

COUNT, SEED = 40, 1460


def _has(case: Plan, step: Step, test: Callable[[Act], bool]) -> bool:
    return any(act.step is step and test(act) for act in case.acts)


def _pauses_on_the_last_day(case: Plan) -> bool:
    accepted = [act.day for act in case.acts if act.step is Step.ACCEPT]
    lasts = {after(day, case.offer.promised) for day in accepted}
    return _has(case, Step.PAUSE, lambda act: act.day in lasts)


def _is_told_too_late(case: Plan) -> bool:
    first = after(case.acts[0].day, 5)
    return (
        case.acts[1:2] != []
        and case.acts[1].step is Step.RETURN
        and (case.acts[1].day > first)
    )


RARE: dict[str, Callable[[Plan], bool]] = {
    "a clock ahead, put right": lambda one: one.acts[0].stamped is not None,
    "a clock behind": lambda one: _has(
        one, Step.ACCEPT, lambda act: act.stamped is not None
    ),
    "nobody says a word": lambda one: len(one.acts) == 1,
    "told too late": _is_told_too_late,
    "withdrawn while it is accepted": lambda one: one.is_crossed,
    "withdrawn while it is decided": lambda one: _has(
        one,
        Step.WITHDRAW,
        lambda act: act.desk in VILLAGES and act.hour == AFTERNOON,
    ),
    "amended while it is accepted": lambda one: _has(
        one, Step.AMEND, lambda act: act.desk in VILLAGES and act.hour == NOON
    ),
    "only papers, entered by the town": lambda one: _has(
        one, Step.AMEND, lambda act: "entered" in act.facts and act.desk == "town"
    ),
    "only papers of a package": lambda one: (
        one.offer.code == PACKAGE
        and _has(one, Step.AMEND, lambda act: "entered" in act.facts)
    ),
    "only papers of a joint case, entered by the district": lambda one: (
        one.offer.code == KINDERGARTEN
        and _has(one, Step.AMEND, lambda act: "entered" in act.facts)
    ),
    "a correction after acceptance": lambda one: (
        _has(one, Step.RETURN, lambda act: act.desk == "district")
        and one.offer.accept == "town"
    ),
    "a procedure begun on the last day": _pauses_on_the_last_day,
    "a procedure that nobody ends": lambda one: (
        Step.PAUSE in kinds_of([one]) and Step.RESUME not in kinds_of([one])
    ),
    "a green channel with a limit of its own": lambda one: (
        one.offer.urgent > 0 and Step.HURRY in kinds_of([one])
    ),
    "a package": lambda one: one.offer.code == PACKAGE,
    "a joint case": lambda one: one.offer.code == KINDERGARTEN,
    "answered for": lambda one: any(late.answers for late in expected(one).lapses),
}


def test_a_month_is_counted_alike_by_town_district_and_independently(
    nodes: Three,
) -> None:
    cases = plans(COUNT, SEED)
    month = Month(nodes, cases)

    try:
        month.run()

        assert list(differences(month)) == []
    finally:
        month.close()


def test_the_limits_of_two_thousand_cases_are_as_an_evening_by_evening_count() -> None:
    calendar = Calendar([TABLE])
    cases = [
        (number, one)
        for number, one in enumerate(plans(2000, SEED))
        if Step.SETTLE not in kinds_of([one])
    ]

    odd = [
        number
        for number, one in cases
        if replayed(one, packages()[one.offer.code].item, calendar)
        != expected(one).lapses
    ]

    assert len(cases) > 1500
    assert odd == []


def test_the_month_leaves_no_kind_of_event_and_no_kind_of_lapse_out() -> None:
    cases = plans(COUNT, SEED)
    came = [expected(one) for one in cases]

    lapsed = {late.key.partition("/")[0] for one in came for late in one.lapses}
    zero = {key for one in came for key in one.counts if one.counts[key]}

    assert kinds_of(cases) == set(Step)
    assert lapsed == {"accept", "promise", "legal", "step", "deliver"}
    assert zero >= {"zero_site", "zero_post", "zero_both", "same_day", "urgent"}
    assert {name for name, is_there in RARE.items() if any(map(is_there, cases))} == (
        set(RARE)
    )
