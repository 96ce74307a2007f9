"""Whether answers fit a form. Pure: no I/O, no clock.

Answers are always strings. An answer is judged by what `normalise` makes of it, so
`check` says the same before and after; what is stored is what `normalise` returns.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from forms.field import Field
from forms.kinds import KINDS
from forms.package import Package

MAX_RAW_CHARS = 4_000
"""More than any kind allows; a longer answer is not even looked into."""

SHOWN_KEY_CHARS = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one answer, in words for the person who fills the form."""

    key: str
    label: str
    message: str


def normalise(package: Package, answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers in the one way in which they are stored, in field order.

    An answer of nothing but blanks is left out. What cannot be put right is kept as
    it is, an unknown key too, so that `check` can say so.
    """
    kept = {
        field.key: normalise_field(field, answers[field.key])
        for field in package.fields
        if field.key in answers
    }
    kept |= {key: answers[key] for key in _unknown(package, answers)}
    return {key: text for key, text in kept.items() if not _is_blank(text)}


def normalise_field(field: Field, text: str) -> str:
    """Return one answer in the one way in which it is stored; "" is no answer."""
    return KINDS[field.kind].normalise(field, text) if _is_readable(text) else text


def check(package: Package, answers: Mapping[str, str], today: date) -> list[Problem]:
    """Return all that is wrong, in field order, then unknown keys in their order."""
    return list(_problems(package, answers, today))


def check_field(field: Field, text: str, today: date) -> str | None:
    """Return what is wrong with an answer as its field is left, or None.

    No answer is never wrong here: people come back to a field that they skipped.
    Whether one is missing, `missing` and `check` say for the whole form.
    """
    answer = normalise_field(field, text)
    if _is_blank(answer):
        return None
    if not _is_readable(answer):
        return f"应是一段文字，最多 {MAX_RAW_CHARS} 个字"
    return KINDS[field.kind].check(field, answer, today)


def missing(package: Package, answers: Mapping[str, str]) -> list[Field]:
    """Return the required fields that have no answer yet, in field order."""
    return [
        field
        for field in package.fields
        if field.required
        and _is_blank(normalise_field(field, answers.get(field.key, "")))
    ]


def _problems(
    package: Package, answers: Mapping[str, str], today: date
) -> Iterator[Problem]:
    absent = {field.key for field in missing(package, answers)}
    for field in package.fields:
        message = check_field(field, answers.get(field.key, ""), today)
        if field.key in absent:
            message = KINDS[field.kind].ask
        if message:
            yield Problem(field.key, field.label, message)
    for key in _unknown(package, answers):
        yield Problem(key, key[:SHOWN_KEY_CHARS], "表单里没有这一项，请去掉")


def _unknown(package: Package, answers: Mapping[str, str]) -> list[str]:
    known = {field.key for field in package.fields}
    return sorted(key for key in answers if key not in known)


def _is_blank(text: object) -> bool:
    return isinstance(text, str) and not text.strip()


def _is_readable(text: object) -> bool:
    """What others wrote may be of any type, whatever the annotation says."""
    return isinstance(text, str) and len(text) <= MAX_RAW_CHARS
