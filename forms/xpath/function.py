"""What a row of the function table says. Pure: no I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from forms.xpath.values import Value


class Type(StrEnum):
    """What is known of a value before it is worked out.

    A date is a text that counts as a number: it is compared by its days.
    """

    BOOLEAN = "boolean"
    NUMBER = "number"
    STRING = "string"
    DATE = "date"
    NODES = "nodes"
    ANY = "any"


class Use(StrEnum):
    """What else than its arguments the value of a function depends on."""

    TIME = "time"
    CHANCE = "chance"
    POSITION = "position"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Function:
    """One function that expressions may call.

    Attributes:
        takes: the type of each parameter; more arguments are as the last.
        least: fewest arguments.
        most: most arguments; None: no limit but `MAX_ARGUMENTS`.
        work: works the value out; None: libxml2 has the function.
        after_current: the current node goes before the arguments.
    """

    name: str
    takes: tuple[Type, ...]
    least: int
    most: int | None
    gives: Type
    work: Callable[..., Value] | None = None
    uses: Use | None = None
    after_current: bool = False

    def type_of(self, number: int) -> Type:
        """Return the type of an argument, counted from 0."""
        return self.takes[min(number, len(self.takes) - 1)] if self.takes else Type.ANY


MAX_ARGUMENTS = 500

_CODES = {
    "b": Type.BOOLEAN,
    "n": Type.NUMBER,
    "s": Type.STRING,
    "N": Type.NODES,
    "a": Type.ANY,
}


def row(
    name: str,
    takes: str,
    gives: Type,
    work: Callable[..., Value] | None = None,
    uses: Use | None = None,
    after_current: bool = False,
) -> Function:
    """Return a function from a short form of its parameters.

    Args:
        name: as it is called.
        takes: one letter for each: b(oolean), n(umber), s(tring), N(odes), a(ny);
            after `?` they may be left out, `*` at the end repeats the last.
        gives: type of the value.
        work: called with the setting and the arguments, made into their types.
        uses: what the value depends on besides.
        after_current: the work wants the current node before the arguments.
    """
    least_letters, _, rest = takes.partition("?")
    endless = takes.endswith("*")
    letters = (least_letters + rest).rstrip("*")
    least = len(least_letters.rstrip("*"))
    types = tuple(_CODES[letter] for letter in letters)
    most = None if endless else len(letters)
    return Function(name, types, least, most, gives, work, uses, after_current)
