"""Of whom a form tells, and who each of them may be by it. Pure: no I/O, no clock."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from forms.field import Choice, Field
from forms.kinds import MAX_AGE
from node.sample_spans import Span, born_by, fit
from node.sample_words import APPLICANTS, PEOPLE

_PERSON_KEY = re.compile(
    r"(?!(?:applicant|citizen|person|own)_)(.+?)_(?:name|id|citizen_id|id_number|phone"
    r"|mobile|sex|gender|age|birth_date|birthday|ethnicity)"
)
_SEX_LABELS = {"男": "male", "男性": "male", "女": "female", "女性": "female"}
_BORN = re.compile(
    r"(?:.+_)?(?:birth_date|birthday|date_of_birth)|(?:本人)?出生(?:日期|年月)"
)
_AGE = re.compile(r"(?:.+_)?age|(?:本人)?(?:年龄|周岁)")
_AGES = re.compile(
    r"(?P<low>[0-9]+)[^0-9]{0,5}[至到~—-][^0-9]{0,3}(?P<high>[0-9]+) ?周?岁"
    r"|(?P<least>[0-9]+) ?周?岁及?以上"
    r"|(?P<most>[0-9]+) ?周?岁及?以下"
    r"|不满 ?(?P<below>[0-9]+) ?周?岁"
)


@dataclass(frozen=True, slots=True)
class Part:
    """What a person must be: of one of these sexes, born from `first` to `last`."""

    sexes: tuple[str, ...]
    first: int
    last: int


def owners_of(fields: Sequence[Field]) -> dict[str, str]:
    """Return by key whose data each field is; "" is the applicant.

    Nobody has two id numbers: a second one is another person's.
    """
    owners: dict[str, str] = {}
    numbered: set[str] = set()
    for field in sorted(fields, key=lambda field: not field.role):
        prefix = _PERSON_KEY.fullmatch(field.key)
        who = field.subject or (prefix[1] if prefix and not field.role else "")
        who = "" if who == "applicant" else who
        # Whoever is listed, each is told of within one instance.
        who = field.key.rpartition("/")[0] or who
        if field.kind == "citizen_id":
            who = f"{who}.{field.key}" if who in numbered else who
            numbered.add(who)
        owners[field.key] = who
    return owners


def part_of(
    who: str,
    item: str,
    fields: Sequence[Field],
    spans: Mapping[str, Span],
    today: date,
) -> Part:
    """Bring together what a person's fields say about sex and age."""
    # Of the applicant's own fields only the roles: a form speaks of others as well.
    kinds = ("text", "person_name", "citizen_id")
    naming = [f for f in fields if f.role or (who and f.kind in kinds)]
    said = " ".join([who, *(field.label for field in naming)])
    _, sexes, youngest, oldest = next(row for row in PEOPLE if re.search(row[0], said))
    if not who:
        ages = ((young, old) for word, young, old in APPLICANTS if word in item)
        youngest, oldest = next(ages, (youngest, oldest))
    low, high = born_by(today, MAX_AGE + 1) + 1, today.toordinal()
    # The number first: it must be right, the others can differ from it.
    for field in sorted(fields, key=lambda field: field.kind != "citizen_id"):
        span = spans[field.key]
        if field.kind == "choice":
            offered = sexes_of(field.choices)
            sexes = tuple(sex for sex in sexes if sex in offered) or sexes
        elif born := _born_within(field, span, today):
            first, last = max(low, born[0]), min(high, born[1])
            low, high = (first, last) if first <= last else (low, high)
    usual = fit(low, high, born_by(today, oldest + 1) + 1, born_by(today, youngest))
    return Part(sexes, usual.first, usual.last)


def _born_within(field: Field, span: Span, today: date) -> tuple[int, int] | None:
    """Return the days of birth that a field of its person's age allows."""
    if field.kind == "citizen_id" or is_birth_date(field):
        return span.low, span.high
    if is_age(field) and span.high >= 0 and span.low <= MAX_AGE:
        oldest, youngest = min(span.high, MAX_AGE), max(span.low, 0)
        return born_by(today, oldest + 1) + 1, born_by(today, youngest)
    return None


def is_birth_date(field: Field) -> bool:
    """Say whether a field asks when somebody was born."""
    return field.kind == "date" and _is_called(_BORN, field)


def is_age(field: Field) -> bool:
    """Say whether a field asks how old somebody is."""
    return field.kind == "integer" and _is_called(_AGE, field)


def _is_called(name: re.Pattern[str], field: Field) -> bool:
    return any(name.fullmatch(text) for text in (field.key, field.label))


def sexes_of(choices: Sequence[Choice]) -> dict[str, str]:
    """Return the choice for each sex, if these are the choices of one's sex."""
    values: dict[str, str] = {}
    for choice in choices:
        sex = _SEX_LABELS.get(choice.label, choice.value)
        if sex in ("male", "female"):
            values.setdefault(sex, choice.value)
    return values


def ages_of(choices: Sequence[Choice]) -> list[tuple[range, str]]:
    """Return which ages each choice is for, if these are choices by age."""
    found = [_AGES.search(choice.label) for choice in choices]
    ages = []
    for match, choice in zip(found, choices, strict=True):
        if match is None:
            return []
        low = int(match["low"] or match["least"] or 0)
        high = int(match["high"] or match["most"] or MAX_AGE)
        below = int(match["below"] or high + 1)
        ages.append((range(low, below), choice.value))
    return ages
