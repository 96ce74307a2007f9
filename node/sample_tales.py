"""What several fields of a form tell together. Pure: no I/O, no clock."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from forms.field import Field
from node.sample_scene import Scene
from node.sample_spans import Span, birthday, fit, spell, spell_day

_Facts = dict[str, int | str | None]
"""By key of a field: a number, a day, a choice, or that there is nothing to say."""

_Tale = Callable[[Scene, Mapping[str, Span]], _Facts]


def tales_of(
    blanks: Sequence[tuple[Field, Span]],
) -> list[Callable[[Scene], dict[str, str | None]]]:
    """Return who tells of which of these fields, as answers by key.

    An answer of None means that the field is left empty.
    """
    return [
        partial(_tell, tale, told)
        for tale, kinds in TALES
        if (told := [one for one in blanks if _fits(one[0], kinds)])
    ]


def _tell(
    tale: _Tale, blanks: Sequence[tuple[Field, Span]], scene: Scene
) -> dict[str, str | None]:
    """Return the facts as answers; what a field does not allow is left to chance."""
    facts = tale(scene, {field.key: span for field, span in blanks})
    told: dict[str, str | None] = {}
    for field, span in blanks:
        fact = facts.get(field.key, "")
        if fact is None and not field.required:
            told[field.key] = None
        elif isinstance(fact, str) and any(fact == c.value for c in field.choices):
            told[field.key] = fact
        elif isinstance(fact, int) and span.holds(fact):
            is_day = field.kind == "date"
            told[field.key] = spell_day(fact) if is_day else spell(fact, span.places)
    return told


def _fits(field: Field, kinds: Mapping[str, str]) -> bool:
    return kinds.get(field.key) == field.kind


def _household(scene: Scene, spans: Mapping[str, Span]) -> _Facts:
    """Tell of people of whom some work, and of an income that all share."""
    people = spans.get("household_size", Span(1, 20, 1, 6))
    workers = spans.get("workers", Span(0, 20, 0, 3))
    income = spans.get("monthly_income", Span(0, 10**10, 0, 600_000, 2))
    share = spans.get("income_per_person", Span(0, 10**10, 0, 600_000, 2))
    usual = fit(max(people.low, workers.low, 1), people.high, people.first, people.last)
    if usual.low > usual.high:
        return {}
    size = scene.few(usual.first, usual.last)
    working = scene.few(workers.first, min(workers.last, size))
    facts: _Facts = {"household_size": size, "workers": working}
    low, high = max(income.low, share.low * size), min(income.high, share.high * size)
    if low > high or (income.places, share.places) != (2, 2):
        return facts
    usual = fit(low, high, income.first, income.last)
    total = scene.few(usual.first, usual.last)
    total = max(low, total - total % 1_000)  # people tell it in tens of yuan
    each = (2 * total + size) // (2 * size)
    return facts | {"monthly_income": total, "income_per_person": each}


def _couple(scene: Scene, spans: Mapping[str, Span]) -> _Facts:
    """Tell of a marriage, at 20 and 22 years or later, and of its latest child."""
    now = scene.setting.today.toordinal()
    number = scene.few(1, 3)
    stage = scene.pick(("planned", "pregnant", "pregnant", "born"))
    days = {"planned": None, "pregnant": now + scene.even(10, 250)}
    facts: _Facts = {
        "child_number": number,
        "living_children": number - (stage != "born"),
        "stage": stage,
        "expected_date": days.get(stage, now - scene.even(0, 180)),
        "born_on": now - scene.even(0, 180),
    }
    grown = [
        birthday(scene.person(who).born, age)
        for key, age in (("wife_id", 20), ("husband_id", 22))
        if (who := scene.setting.owners.get(key)) is not None
    ]
    wedding = spans.get("marriage_date", Span(0, now, now - 3650, now))
    first, last = max([wedding.low, *grown]), min(wedding.high, now)
    if first <= last:
        since = 400 * number  # one child after the other
        facts["marriage_date"] = scene.even(first, max(first, last - since))
    return facts


# Who tells of which fields, by key and kind.
TALES: tuple[tuple[_Tale, dict[str, str]], ...] = (
    (
        _household,
        {
            "household_size": "integer",
            "workers": "integer",
            "monthly_income": "decimal",
            "income_per_person": "decimal",
        },
    ),
    (
        _couple,
        {
            "child_number": "integer",
            "living_children": "integer",
            "stage": "choice",
            "expected_date": "date",
            "born_on": "date",
            "marriage_date": "date",
        },
    ),
)
