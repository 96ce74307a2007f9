"""One application in the making: what its fields have to agree about. Pure: no I/O, no
clock.

A person's name, number, sex and age are drawn once, and told the same in all fields.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from forms.citizen_id import expected_check_character
from node.sample_people import Part
from node.sample_spans import spell_day
from node.sample_words import (
    ETHNICITIES,
    GIVEN_NAMES,
    OWN_NAMES,
    OWN_SURNAMES,
    RARE,
    RARE_CHARACTERS,
    SINGLE,
    SURNAMES,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a form's people before anything is drawn.

    Attributes:
        today: the day on which the application is handed in.
        division: 12 digits; zeros for what is left open.
        owners: by key of a field whose data it is; "" is the applicant.
        with_applicant: the repeats in which the applicant is listed too.
        parts: what each of these people must be.
    """

    today: date
    division: str
    owners: Mapping[str, str]
    with_applicant: frozenset[str]
    parts: Mapping[str, Part]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist; `born` is an ordinal."""

    name: str
    sex: str
    born: int
    ethnicity: str


class Scene:
    """What the fields of one application have to agree about."""

    __slots__ = (
        *("_numbers", "_people", "_village", "answers", "draw", "home", "instance"),
        *("phones", "setting"),
    )

    def __init__(self, setting: Setting, draw: Callable[[], float]) -> None:
        self.draw, self.setting = draw, setting
        self.answers: dict[str, str] = {}
        self.home = ""
        self.phones: set[str] = set()
        self.instance = ""
        """The instance of a repeat that is being filled in: "member/001"."""
        self._people: dict[tuple[str, str], Person] = {}
        self._numbers: dict[tuple[str, str], str] = {}
        self._village = ""

    def chance(self, share: float) -> bool:
        """Say yes in this share of all cases."""
        return self.draw() < share

    def pick(self, choices: Sequence[str]) -> str:
        """Return any of the choices, each as often."""
        return choices[int(self.draw() * len(choices))]

    def word(self, words: str) -> str:
        """Return any word of a text."""
        return self.pick(words.split())

    def even(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, each as often."""
        # Beyond 2**53 the product may be rounded up to the end.
        return min(low + int(self.draw() * (high - low + 1)), high)

    def few(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, rather a low one."""
        return min(low + int(self.draw() * self.draw() * (high - low + 1)), high)

    def person(self, who: str) -> Person:
        """Return who somebody is, once drawn the same again."""
        one = self._one(who)
        if one not in self._people:
            self._people[one] = _invent(self, self.setting.parts[one[0]])
        return self._people[one]

    def number(self, who: str) -> str:
        """Return the id number of somebody, once it was drawn the same again."""
        one = self._one(who)
        if one not in self._numbers:
            self._numbers[one] = _id_number(self, self.person(who))
        return self._numbers[one]

    def _one(self, who: str) -> tuple[str, str]:
        """Return who this is, of several that are listed."""
        if who in self.setting.with_applicant and is_first(self.instance):
            return "", ""
        is_listed = who != "" and self.instance.startswith(f"{who}/")
        return who, self.instance if is_listed else ""

    def age(self, who: str) -> int:
        """Return how old somebody is today."""
        born, today = date.fromordinal(self.person(who).born), self.setting.today
        is_before_birthday = (today.month, today.day) < (born.month, born.day)
        return today.year - born.year - is_before_birthday

    def village(self) -> str:
        """Return the 12 digits of a village of the division; here always the same."""
        if not self._village:
            area, town, village = parts_of(self.setting.division)
            # By GB/T 10114 and the statistical rule, towns 镇 count from 100 and
            # villages 村 from 200.
            town = f"{self.even(100, 109)}" if town == "000" else town
            village = f"{self.even(201, 215)}" if village == "000" else village
            self._village = area + town + village
        return self._village


def is_first(instance: str) -> bool:
    """Say whether an instance of a repeat is its first."""
    return instance.endswith("/001")


def parts_of(division: str) -> tuple[str, str, str]:
    """Return the digits of the district, of the town and of the village."""
    return division[:6], division[6:9], division[9:]


def _invent(scene: Scene, part: Part) -> Person:
    sex = part.sexes[int(scene.draw() * len(part.sexes))]
    born = part.last - scene.few(0, part.last - part.first)
    ethnicity = scene.pick(_ETHNICITIES)
    if ethnicity in OWN_NAMES:
        name = "".join(scene.word(row) for row in OWN_NAMES[ethnicity][sex])
        if ethnicity == "维吾尔族":
            name += "·" + scene.word(OWN_NAMES[ethnicity]["male"][0])
        return Person(name, sex, born, ethnicity)
    surname = scene.pick(_SURNAMES)
    if ethnicity in OWN_SURNAMES:
        surname = scene.word(OWN_SURNAMES[ethnicity])
    year = date.fromordinal(born).year
    characters = next(names[sex] for before, names in GIVEN_NAMES if year < before)
    given = scene.pick(characters)
    if scene.chance(RARE):
        given = scene.pick(RARE_CHARACTERS)
    if not scene.chance(SINGLE):
        given = scene.pick(characters) + given
    return Person(surname + given, sex, born, ethnicity)


def _id_number(scene: Scene, person: Person) -> str:
    # The sequence is odd for men, and counts from 001.
    sequence = 2 * scene.even(1, 499) - (person.sex == "male")
    born = spell_day(person.born).replace("-", "")
    first17 = f"{scene.setting.division[:6]}{born}{sequence:03}"
    return first17 + expected_check_character(first17)


def _repeated(rows: Iterable[tuple[int, str]]) -> list[str]:
    """Return each word of the rows as often as its row says, to pick from."""
    return [
        word for times, words in rows for word in words.split() for _ in range(times)
    ]


_SURNAMES, _ETHNICITIES = _repeated(SURNAMES), _repeated(ETHNICITIES)
