"""A form in full, filled in as far as it asks. Pure: no I/O, no clock.

What to answer is drawn by `node.sample`; here stands how a form is gone through: what
comes up is answered, and what does not fit together is answered again.
"""

from collections.abc import Callable
from datetime import datetime

from forms.filled import FilledForm, Line
from forms.package import Package

_ROUNDS = 12
"""So often is an answer drawn again, before the whole application is."""


def fill(
    package: Package,
    now: datetime,
    write: Callable[[Line], str | None],
    rewrite: Callable[[Line], str],
) -> FilledForm | None:
    """Return the form with answers that fit, or None if they did not come to fit.

    Args:
        package: with a form in full; its repeats are as long as an answer says.
        now: as `FilledForm` takes it.
        write: gives the answer to a question that came up; None leaves it as it is.
        rewrite: gives another answer, in place of one that does not fit.
    """
    form = FilledForm(package, {}, now, is_new=True)
    seen: set[str] = set()
    while fresh := [one for one in _questions(form) if one.key not in seen]:
        for line in fresh:
            seen.add(line.key)
            text = write(line)
            if text is not None:
                form.answer(line.key, text)
    for _ in range(_ROUNDS):
        wrong = {problem.key for problem in form.problems()}
        if not wrong:
            return form
        for line in _questions(form):
            if line.key in wrong:
                form.answer(line.key, rewrite(line))
    return None


def _questions(form: FilledForm) -> list[Line]:
    return [line for line in form.lines() if line.field is not None and line.is_open]
