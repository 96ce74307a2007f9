"""Whether answers fit a form. Pure: no I/O, no clock.

Answers are always strings. An answer is judged by what `normalise` makes of it, so
`check` says the same before and after; what is stored is what `submitted` returns.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone

from forms.field import Field
from forms.filled import FilledForm, Problem
from forms.kinds import KINDS
from forms.package import Package

__all__ = ["CHINA", "Problem", "begun", "check", "check_field", "checked", "missing"]
__all__ += ["noon", "normalise", "normalise_field", "submitted"]

MAX_RAW_CHARS = 4_000
"""More than any kind allows; a longer answer is not even looked into."""

CHINA = timezone(timedelta(hours=8), "CST")
"""By whose clocks days begin, wherever the machine stands. One zone since 1949, without
summer time since 1991, so that no table of zones is needed.
"""


def noon(today: date) -> datetime:
    """Return the moment at which a form is judged that is checked on a day."""
    return datetime.combine(today, time(12), CHINA)


def normalise(package: Package, answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers in the one way in which they are stored, in field order.

    An answer of nothing but blanks is left out. What cannot be put right is kept as
    it is, an unknown key too, so that `check` can say so.
    """
    order = {field.key: at for at, field in enumerate(package.questions)}
    fields = {key: package.question(key) for key in answers}
    kept = {
        key: normalise_field(field, answers[key]) if field else answers[key]
        for key, field in sorted(
            fields.items(),
            key=lambda one: (order[one[1].key] if one[1] else len(order), one[0]),
        )
    }
    return {key: text for key, text in kept.items() if not _is_blank(text)}


def normalise_field(field: Field, text: str) -> str:
    """Return one answer in the one way in which it is stored; "" is no answer."""
    return KINDS[field.kind].normalise(field, text) if _is_readable(text) else text


def begun(package: Package, answers: Mapping[str, str], today: date) -> dict[str, str]:
    """Return the answers of a new filling: what is given, and what the form gives
    where nothing is.
    """
    given = normalise(package, answers)
    first = FilledForm(package, {}, noon(today), is_new=True).answers
    return given | {k: text for k, text in first.items() if k not in given}


def submitted(
    package: Package, answers: Mapping[str, str], today: date
) -> dict[str, str]:
    """Return what counts of answers: what is asked, and what is calculated of it."""
    return FilledForm(package, normalise(package, answers), noon(today)).submitted


def check(package: Package, answers: Mapping[str, str], today: date) -> list[Problem]:
    """Return all that is wrong, in the order of the form, then unknown keys."""
    unreadable, form = _opened(package, answers, today)
    return list(form.problems()) if form else unreadable


def checked(
    package: Package, answers: Mapping[str, str], today: date
) -> tuple[list[Problem], dict[str, str]]:
    """Return what `check` and `submitted` do, of a form that is opened once; nothing
    counts where an answer cannot be read.
    """
    unreadable, form = _opened(package, answers, today)
    return (list(form.problems()), form.submitted) if form else (unreadable, {})


def check_field(field: Field, text: str, today: date) -> str | None:
    """Return what is wrong with an answer by its kind alone, or None.

    No answer is never wrong here: people come back to a field that they skipped.
    """
    answer = normalise_field(field, text)
    if _is_blank(answer):
        return None
    if not _is_readable(answer):
        return f"应是一段文字，最多 {MAX_RAW_CHARS} 个字"
    return KINDS[field.kind].check(field, answer, today)


def missing(package: Package, answers: Mapping[str, str], today: date) -> list[str]:
    """Return the labels of what must be answered and is not, in the form's order."""
    kept = {k: t for k, t in normalise(package, answers).items() if _is_readable(t)}
    return [label for _, label in FilledForm(package, kept, noon(today)).missing()]


def _opened(
    package: Package, answers: Mapping[str, str], today: date
) -> tuple[list[Problem], FilledForm | None]:
    """Return a form as it is filled in, or which answers cannot be read."""
    kept = normalise(package, answers)
    unreadable = [
        Problem(key, key[:40], f"应是一段文字，最多 {MAX_RAW_CHARS} 个字")
        for key, text in kept.items()
        if not _is_readable(text)
    ]
    return unreadable, None if unreadable else FilledForm(package, kept, noon(today))


def _is_blank(text: object) -> bool:
    return isinstance(text, str) and not text.strip()


def _is_readable(text: object) -> bool:
    """What others wrote may be of any type, whatever the annotation says."""
    return isinstance(text, str) and len(text) <= MAX_RAW_CHARS
