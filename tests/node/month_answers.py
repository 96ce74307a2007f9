"""What the applicants of the month fill in: real answers to the forms that ship."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache

from forms import check
from forms.author.packing import read_packages
from forms.catalog import shipped
from forms.package import Package
from node import sample
from node.lifecycle import CARRIES_FIELDS
from tests.forms.answers import filled
from tests.node.month_offers import FIRST, FOOD, KINDERGARTEN
from tests.node.month_plan import Plan
from tests.node.nodes import TOWN
from tests.shipping import shipped_packages

MORE = (
    "food_licence",
    "kindergarten_opening",
    "newborn_package",
    "property_transfer",
)
"""What is published besides what most tests work with."""
UNSAMPLED = {FOOD: "food_licence", KINDERGARTEN: "kindergarten_opening"}
"""For which the generator finds no answers, with the names of their forms."""


@cache
def packages() -> dict[str, Package]:
    """Return what is published, by the codes of the items."""
    more = read_packages(shipped(), MORE)
    return {one.item.code: one for one in (*shipped_packages(), *more)}


def answers_for(plan: Plan, number: int) -> Mapping[str, str]:
    """Return an application that is right on every day on which it is handed in, by
    that day's clock.

    Raises:
        StopIteration: none was found.
    """
    code = plan.offer.code
    package = packages()[code]
    acts = [one for one in plan.acts if one.step in CARRIES_FIELDS]
    days = {one.stamped or one.day for one in acts}
    return next(
        answers
        for answers in _applications(code, number, min(days))
        if not any(check.check(package, answers, day) for day in days)
    )


def only_who(package: Package, answers: Mapping[str, str]) -> dict[str, str]:
    """Return what is told of a case of which only the papers are taken in 代收."""
    told = map(package.field_of, ("applicant_name", "applicant_id"))
    return {field.key: answers[field.key] for field in told if field}


def _applications(code: str, number: int, today: date) -> Iterator[Mapping[str, str]]:
    if code in UNSAMPLED:
        yield _filled(code)
        return
    drawn = sample.applications(
        [packages()[code]], seed=number, today=today, division=TOWN, count=100
    )
    yield from (one.answers for one in drawn)


@cache
def _filled(code: str) -> Mapping[str, str]:
    return filled(packages()[code], UNSAMPLED[code], FIRST).submitted
