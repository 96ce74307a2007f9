"""What a kind of field consists of. Pure: no I/O, no clock.

The kinds themselves are the table in `forms.kinds`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from forms.field import Field


@dataclass(frozen=True, slots=True)
class Scale:
    """What the lower and the upper limit of a kind count.

    `limit` reads a limit as it stands in a form, and raises ValueError if it is none;
    `measure` reads an answer of the right shape. Both give numbers to compare. The
    sentences may name the {limit} and the {measure}.
    """

    limit: Callable[[str, date], Decimal]
    measure: Callable[[str, date], Decimal]
    too_low: str
    too_high: str
    name_limit: Callable[[str, date], str] = lambda limit, _today: limit

    def beyond(self, field: Field, answer: str, today: date) -> str | None:
        """Return which limit of the field an answer of the right shape passes."""
        measure = self.measure(answer, today)
        low, high = field.minimum, field.maximum
        if low is not None and measure < self.limit(low, today):
            name = self.name_limit(low, today)
            return self.too_low.format(limit=name, measure=measure)
        if high is not None and measure > self.limit(high, today):
            name = self.name_limit(high, today)
            return self.too_high.format(limit=name, measure=measure)
        return None


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be asked with a field of this kind, and how it is answered."""

    name: str
    label: str
    ask: str
    """What to say when a required answer is missing."""
    normalise: Callable[[Field, str], str]
    """Give the one way in which an answer is stored; "" is no answer."""
    fault: Callable[[Field, str, date], str | None]
    """Say what is wrong with the shape of an answer; limits come after it."""
    show: Callable[[Field, str], str]
    """Give the answer as people read it; never fails, whatever the answer."""
    scale: Scale | None = None
    """What minimum and maximum count; None: a field of this kind has no limits."""
    options: tuple[str, ...] = ()
    """What else a field of this kind may say: "choices", "max_length"."""
    answers: bool = True
    """False for what is only shown, and asks nothing."""

    def check(self, field: Field, answer: str, today: date) -> str | None:
        """Return what is wrong with a normalised answer that is not empty, or None.

        The sentence is Chinese, says what would be right, and never repeats the
        answer itself, since it may be personal.
        """
        fault = self.fault(field, answer, today)
        if fault or self.scale is None:
            return fault
        return self.scale.beyond(field, answer, today)
