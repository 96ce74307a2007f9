"""Plausible applications, for demos, measurements and tests. Pure: no I/O, no clock.

Any package will do: kind, limits, choices, role and subject decide; key and label help
where they are telling. What several fields tell together is drawn once: a person's
name, number, sex and age; the numbers of a household; a couple's child. All of it is
invented, but a number may happen to be somebody's: it never goes to a real desk.

Of the random generator only `random()` is called, the one method whose numbers Python
promises to keep; and no `exp` or `log`, whose last digit depends on the platform. So a
seed means the same applications everywhere.
"""

import re
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import accumulate
from math import ceil, floor
from random import Random

from forms import credit_code
from forms.check import noon, normalise
from forms.citizen_id import expected_check_character
from forms.field import Choice, Field
from forms.filled import Line
from forms.kinds import DEFAULT_TEXT, KINDS, MAX_AGE, MAX_FILES
from forms.package import Package
from forms.questions import template_of
from node.sample_form import fill
from node.sample_words import (
    APPLICANTS,
    AREA_CODES,
    BANKS,
    EFFECTS,
    ETHNICITIES,
    FILLED,
    FUTURE,
    GIVEN_NAMES,
    HARDSHIPS,
    ITEM_WEIGHTS,
    LANDLINE,
    MOBILES,
    NUMBERS,
    OWN_NAMES,
    OWN_SURNAMES,
    PEOPLE,
    PLACE_FIRST,
    PLACE_LAST,
    PLAIN_ANSWERS,
    RARE,
    RARE_CHARACTERS,
    REMARK_TIMES,
    REMARKS,
    SAME_HOME,
    SHOP_WORDS,
    SHOPS,
    SINGLE,
    SURNAMES,
)

_AREAS = dict(pair.split(":") for pair in AREA_CODES.split())
_REFUSING = re.compile(r"不同意|disagree")
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
_FIRST_DAY, _LAST_DAY = date(1850, 1, 1).toordinal(), date(2199, 12, 31).toordinal()
SAMPLED = ("birth_registration", "elder_card", "subsistence_allowance")
CODES = ("332023002000", "332011001000", "330511003000")
"""The items that ship and whose forms are known here: their files, their codes."""
_TRIES = 60
"""So many applications are drawn for one that fits its form."""
_BEYOND = 10**15
"""One more than the highest number that a field takes."""


@dataclass(frozen=True, slots=True)
class Application:
    """What somebody applies for, with which answers."""

    item_code: str
    answers: dict[str, str]
    """As `forms.check.normalise` gives them; `forms.check.check` finds no problem."""


def applications(
    packages: Sequence[Package], *, seed: int, today: date, division: str, count: int
) -> Iterator[Application]:
    """Return `count` applications; a lower count gives the first of the same.

    Args:
        packages: what can be applied for, as `forms.package.encode` takes it.
        seed: 0 or more; each gives other applications.
        today: the day on which all of them are handed in.
        division: 6 to 12 digits. The first 6 stand in the id numbers; town and
            village, if given, are named in all addresses.
        count: 0 or more.

    Raises:
        ValueError: no package, an argument out of its range, a required field whose
            limits leave no answer on that day, or a form for which none was found.
    """
    if seed < 0 or count < 0:
        raise ValueError("seed and count are 0 or more")
    if not re.fullmatch(r"[0-9]{6,12}", division):
        raise ValueError("a division is 6 to 12 digits, as 330881102201")
    if not packages:
        raise ValueError("without a package there is nothing to apply for")
    sheets = [_Sheet(package, today, division.ljust(12, "0")) for package in packages]
    return _stream(sheets, Random(seed).random, count)


def _stream(
    sheets: Sequence["_Sheet"], draw: Callable[[], float], count: int
) -> Iterator[Application]:
    bounds = list(accumulate(sheet.weight for sheet in sheets))
    for _ in range(count):
        sheet = sheets[bisect(bounds, int(draw() * bounds[-1]))]
        yield Application(sheet.code, sheet.answer(sheet, draw))


def _of_form(sheet: "_Sheet", draw: Callable[[], float]) -> dict[str, str]:
    """Answer a form in full; what does not come to fit is drawn anew."""
    for _ in range(_TRIES):
        scene = _Scene(sheet, draw)
        told = _told(sheet, scene)
        form = fill(
            sheet.package,
            noon(sheet.today),
            partial(_written, sheet, scene, told),
            partial(_rewritten, sheet, scene),
        )
        if form is not None:
            return normalise(sheet.package, form.submitted)
    raise ValueError(f"no answers were found that fit the form of {sheet.code}")


def _written(
    sheet: "_Sheet", scene: "_Scene", told: Mapping[str, str | None], line: Line
) -> str | None:
    key = template_of(line.key)
    if key in told:
        return told[key]
    # A form's own first answer is the usual one.
    if key not in sheet.by_key or line.value:
        return None
    if not line.is_required and scene.draw() >= FILLED:
        return None
    return _rewritten(sheet, scene, line)


def _rewritten(sheet: "_Sheet", scene: "_Scene", line: Line) -> str:
    blank = sheet.by_key.get(template_of(line.key))
    if blank is None or blank.field.kind == "file":
        return ""
    scene.instance = line.key.rpartition("/")[0]
    values = [choice.value for choice in line.choices]
    if scene.instance and "self" in values:
        # Of those who are listed the first is the applicant, and nobody else is.
        values.remove("self")
        return "self" if _is_first(scene.instance) else scene.pick(values)
    if values and not blank.field.choices:  # which there are follows from answers
        return scene.pick(values)
    scene.answers[blank.field.key] = answer = blank.write(scene)
    return answer


def _is_first(instance: str) -> bool:
    return instance.endswith("/001")


def _told(sheet: "_Sheet", scene: "_Scene") -> dict[str, str | None]:
    told: dict[str, str | None] = {}
    for tale in sheet.tales:
        told |= tale(scene)
    return told


def _of_fields(sheet: "_Sheet", draw: Callable[[], float]) -> dict[str, str]:
    """Answer a plain list of fields, one after the other."""
    scene = _Scene(sheet, draw)
    told = _told(sheet, scene)
    for blank in sheet.blanks:
        key = blank.field.key
        if not blank.field.required and scene.draw() >= FILLED:
            continue
        answer = told[key] if key in told else blank.write(scene)
        if answer is not None:
            scene.answers[key] = answer
    return scene.answers


# What is known of a package before anything is drawn


@dataclass(frozen=True, slots=True)
class _Span:
    """What the limits of a field allow, `low` to `high`, and what is usual of that.

    Numbers count units of their last place, days are ordinals.
    """

    low: int
    high: int
    first: int
    last: int
    places: int = 0

    def holds(self, number: int) -> bool:
        return self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class _Part:
    """What a person must be: of one of these sexes, born from `first` to `last`."""

    sexes: tuple[str, ...]
    first: int
    last: int


_Write = Callable[["_Scene"], str]


@dataclass(frozen=True, slots=True)
class _Blank:
    """A field to fill."""

    field: Field
    span: _Span
    write: _Write


class _Sheet:
    """A package made ready for filling."""

    __slots__ = (
        *("answer", "blanks", "by_key", "code", "division", "owners", "package"),
        *("parts", "tales", "today", "weight", "with_applicant"),
    )

    def __init__(self, package: Package, today: date, division: str) -> None:
        self.code, self.today, self.division = package.item.code, today, division
        self.package = package
        self.answer = _of_fields if package.form is None else _of_form
        name = package.item.name
        self.weight = next(weight for word, weight in ITEM_WEIGHTS if word in name)
        spans = _spans(package, today)
        fields = [field for field in package.questions if field.key in spans]
        self.owners = owners = _owners(fields)
        self.with_applicant = {
            owners[f.key]
            for f in fields
            if "/" in f.key and any(choice.value == "self" for choice in f.choices)
        }
        self.parts = {
            who: _part(
                who, name, [f for f in fields if owners[f.key] == who], spans, today
            )
            for who in dict.fromkeys(("", *owners.values()))
        }
        self.blanks = [
            _Blank(f, spans[f.key], WRITERS[f.kind](f, owners[f.key], spans[f.key]))
            for f in fields
        ]
        self.by_key = {blank.field.key: blank for blank in self.blanks}
        self.tales = [
            partial(_tell, tale, blanks)
            for tale, kinds in TALES
            if (blanks := [b for b in self.blanks if _fits(b.field, kinds)])
        ]


def _fits(field: Field, kinds: Mapping[str, str]) -> bool:
    return kinds.get(field.key) == field.kind


def _spans(package: Package, today: date) -> dict[str, _Span]:
    """Return the span of each field that can be filled, by key."""
    spans = {}
    for field in package.questions:
        # A file that need not be is left out: nobody has the file of a made-up digest.
        is_left_out = field.kind == "file" and not field.required
        if is_left_out or field.kind == "computed" or not KINDS[field.kind].answers:
            continue
        span = SPANS.get(field.kind, _no_span)(field, today)
        if span.low <= span.high:
            spans[field.key] = span
        elif field.required:
            raise ValueError(f"no answer fits the limits of {field.key!r} on {today}")
    return spans


def _no_span(_field: Field, _today: date) -> _Span:
    return _Span(0, 0, 0, 0)


def _number_span(field: Field, today: date, least: int, most: int) -> _Span:
    """Count with the fewest places of which a number is between the limits."""
    first, last = next(usual for word, *usual in NUMBERS if _tells(word, field))
    for place in range(least, most + 1):
        unit = 10**place
        low, high = 1 - _BEYOND * unit, _BEYOND * unit - 1
        if field.minimum is not None:
            low = ceil(_limit(field, field.minimum, today) * unit)
        if field.maximum is not None:
            high = floor(_limit(field, field.maximum, today) * unit)
        if low <= high:
            break
    return _fit(low, high, first * unit, last * unit, place)


def _amount_span(field: Field, _today: date) -> _Span:
    first, last = next(usual for word, *usual in NUMBERS if _tells(word, field))
    return _Span(0, 10**9, first, last)


def _day_span(field: Field, today: date) -> _Span:
    low, high, now = _FIRST_DAY, _LAST_DAY, today.toordinal()
    if field.minimum is not None:
        low = int(_limit(field, field.minimum, today))
    if field.maximum is not None:
        high = int(_limit(field, field.maximum, today))
    usual = (now, now + 365) if _tells(FUTURE, field) else (now - 3650, now)
    return _fit(low, high, *usual)


def _birth_span(field: Field, today: date) -> _Span:
    low = _born_by(today, int(field.maximum or MAX_AGE) + 1) + 1
    high = _born_by(today, int(field.minimum or 0))
    return _Span(low, high, low, high)


def _file_span(field: Field, _today: date) -> _Span:
    low = max(1, int(field.minimum or 1))
    high = MAX_FILES if field.maximum is None else int(field.maximum)
    return _fit(low, high, low, low + 1)


SPANS: dict[str, Callable[[Field, date], _Span]] = {
    "integer": partial(_number_span, least=0, most=0),
    "decimal": partial(_number_span, least=2, most=6),
    "amount_yuan": _amount_span,
    "date": _day_span,
    "citizen_id": _birth_span,
    "file": _file_span,
}


def _limit(field: Field, limit: str, today: date) -> Decimal:
    scale = KINDS[field.kind].scale
    assert scale is not None
    return scale.limit(limit, today)


def _fit(low: int, high: int, first: int, last: int, places: int = 0) -> _Span:
    """Move what is usual, `first` to `last`, to where it is allowed."""
    width = last - first
    if last < low:
        first, last = low, low + width
    elif first > high:
        first, last = high - width, high
    return _Span(low, high, max(low, first), min(high, last), places)


def _born_by(today: date, age: int) -> int:
    """Return the last day of birth with which one is `age` on `today`, as ordinal."""
    year = today.year - age
    if year < 1:
        return 0
    try:
        return today.replace(year=year).toordinal()
    except ValueError:  # 29 February: born the day before, one is just old enough
        return date(year, 2, 28).toordinal()


def _birthday(born: int, age: int) -> int:
    """Return the day on which one who is born on an ordinal becomes `age`."""
    day = date.fromordinal(born)
    try:
        return day.replace(year=day.year + age).toordinal()
    except ValueError:  # 29 February, in a common year
        return date(day.year + age, 3, 1).toordinal()


def _tells(words: str, field: Field) -> bool:
    return re.search(words, f"{field.key} {field.label}") is not None


def _owners(fields: Sequence[Field]) -> dict[str, str]:
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


def _part(
    who: str,
    item: str,
    fields: Sequence[Field],
    spans: Mapping[str, _Span],
    today: date,
) -> _Part:
    """Bring together what a person's fields say about sex and age."""
    # Of the applicant's own fields only the roles: a form speaks of others as well.
    kinds = ("text", "person_name", "citizen_id")
    naming = [f for f in fields if f.role or (who and f.kind in kinds)]
    said = " ".join([who, *(field.label for field in naming)])
    _, sexes, youngest, oldest = next(row for row in PEOPLE if re.search(row[0], said))
    if not who:
        ages = ((young, old) for word, young, old in APPLICANTS if word in item)
        youngest, oldest = next(ages, (youngest, oldest))
    low, high = _born_by(today, MAX_AGE + 1) + 1, today.toordinal()
    # The number first: it must be right, the others can differ from it.
    for field in sorted(fields, key=lambda field: field.kind != "citizen_id"):
        span = spans[field.key]
        if field.kind == "choice":
            offered = _sexes(field.choices)
            sexes = tuple(sex for sex in sexes if sex in offered) or sexes
        elif born := _born_within(field, span, today):
            first, last = max(low, born[0]), min(high, born[1])
            low, high = (first, last) if first <= last else (low, high)
    usual = _fit(low, high, _born_by(today, oldest + 1) + 1, _born_by(today, youngest))
    return _Part(sexes, usual.first, usual.last)


def _born_within(field: Field, span: _Span, today: date) -> tuple[int, int] | None:
    """Return the days of birth that a field of its person's age allows."""
    if field.kind == "citizen_id" or _is_birth_date(field):
        return span.low, span.high
    if _is_age(field) and span.high >= 0 and span.low <= MAX_AGE:
        oldest, youngest = min(span.high, MAX_AGE), max(span.low, 0)
        return _born_by(today, oldest + 1) + 1, _born_by(today, youngest)
    return None


def _is_birth_date(field: Field) -> bool:
    return field.kind == "date" and _is_called(_BORN, field)


def _is_age(field: Field) -> bool:
    return field.kind == "integer" and _is_called(_AGE, field)


def _is_called(name: re.Pattern[str], field: Field) -> bool:
    return any(name.fullmatch(text) for text in (field.key, field.label))


def _sexes(choices: Sequence[Choice]) -> dict[str, str]:
    """Return the choice for each sex, if these are the choices of one's sex."""
    values: dict[str, str] = {}
    for choice in choices:
        sex = _SEX_LABELS.get(choice.label, choice.value)
        if sex in ("male", "female"):
            values.setdefault(sex, choice.value)
    return values


def _ages(choices: Sequence[Choice]) -> list[tuple[range, str]]:
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


# One application in the making


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody who does not exist; `born` is an ordinal."""

    name: str
    sex: str
    born: int
    ethnicity: str


class _Scene:
    """What the fields of one application have to agree about."""

    __slots__ = (
        *("_numbers", "_people", "_village", "answers", "draw", "home", "instance"),
        *("phones", "sheet"),
    )

    def __init__(self, sheet: _Sheet, draw: Callable[[], float]) -> None:
        self.draw, self.sheet = draw, sheet
        self.answers: dict[str, str] = {}
        self.home = ""
        self.phones: set[str] = set()
        self.instance = ""
        """The instance of a repeat that is being filled in: "member/001"."""
        self._people: dict[tuple[str, str], _Person] = {}
        self._numbers: dict[tuple[str, str], str] = {}
        self._village = ""

    def chance(self, share: float) -> bool:
        return self.draw() < share

    def pick(self, choices: Sequence[str]) -> str:
        return choices[int(self.draw() * len(choices))]

    def word(self, words: str) -> str:
        return self.pick(words.split())

    def even(self, low: int, high: int) -> int:
        # Beyond 2**53 the product may be rounded up to the end.
        return min(low + int(self.draw() * (high - low + 1)), high)

    def few(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, rather a low one."""
        return min(low + int(self.draw() * self.draw() * (high - low + 1)), high)

    def person(self, who: str) -> _Person:
        one = self._one(who)
        if one not in self._people:
            self._people[one] = _invent(self, self.sheet.parts[one[0]])
        return self._people[one]

    def number(self, who: str) -> str:
        """Return the id number of somebody, once it was drawn the same again."""
        one = self._one(who)
        if one not in self._numbers:
            self._numbers[one] = _id_number(self, self.person(who))
        return self._numbers[one]

    def _one(self, who: str) -> tuple[str, str]:
        """Return who this is, of several that are listed."""
        if who in self.sheet.with_applicant and _is_first(self.instance):
            return "", ""
        is_listed = who != "" and self.instance.startswith(f"{who}/")
        return who, self.instance if is_listed else ""

    def age(self, who: str) -> int:
        born, today = date.fromordinal(self.person(who).born), self.sheet.today
        is_before_birthday = (today.month, today.day) < (born.month, born.day)
        return today.year - born.year - is_before_birthday

    def village(self) -> str:
        """Return the 12 digits of a village of the division; here always the same."""
        if not self._village:
            area, town, village = _parts_of(self.sheet.division)
            # By GB/T 10114 and the statistical rule, towns 镇 count from 100 and
            # villages 村 from 200.
            town = f"{self.even(100, 109)}" if town == "000" else town
            village = f"{self.even(201, 215)}" if village == "000" else village
            self._village = area + town + village
        return self._village


def _parts_of(division: str) -> tuple[str, str, str]:
    return division[:6], division[6:9], division[9:]


def _invent(scene: _Scene, part: _Part) -> _Person:
    sex = part.sexes[int(scene.draw() * len(part.sexes))]
    born = part.last - scene.few(0, part.last - part.first)
    ethnicity = scene.pick(_ETHNICITIES)
    if ethnicity in OWN_NAMES:
        name = "".join(scene.word(row) for row in OWN_NAMES[ethnicity][sex])
        if ethnicity == "维吾尔族":
            name += "·" + scene.word(OWN_NAMES[ethnicity]["male"][0])
        return _Person(name, sex, born, ethnicity)
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
    return _Person(surname + given, sex, born, ethnicity)


def _repeated(rows: Iterable[tuple[int, str]]) -> list[str]:
    """Return each word of the rows as often as its row says, to pick from."""
    return [
        word for times, words in rows for word in words.split() for _ in range(times)
    ]


_SURNAMES, _ETHNICITIES = _repeated(SURNAMES), _repeated(ETHNICITIES)


# How a field is filled


def _text(field: Field, who: str, _span: _Span) -> _Write:
    most = field.max_length or DEFAULT_TEXT
    tell = next(tell for words, tell in TEXTS if _tells(words, field))
    return lambda scene: tell(scene, who)[:most].rstrip("·，")


def _name(scene: _Scene, who: str) -> str:
    return scene.person(who).name


def _ethnicity(scene: _Scene, who: str) -> str:
    return scene.person(who).ethnicity


def _address(scene: _Scene, _who: str) -> str:
    if not scene.home or not scene.chance(SAME_HOME):
        group, house = scene.even(1, 16), scene.even(1, 160)
        scene.home = f"{_town(scene)}{_village(scene)}{group}组{house}号"
    return scene.home


def _town(scene: _Scene) -> str:
    _, town, _ = _parts_of(scene.village())
    end = "街道" if town < "100" else "乡" if "200" <= town < "400" else "镇"
    return _place(scene.village()[:9]) + end


def _village(scene: _Scene) -> str:
    *_, village = _parts_of(scene.village())
    return _place(scene.village()) + ("社区" if village < "200" else "村")


def _place(division: str) -> str:
    """Return a name that belongs to these digits, whatever is drawn."""
    last, first = divmod(int(division) * 2_654_435_761 % 2**32 >> 8, len(PLACE_FIRST))
    return PLACE_FIRST[first] + PLACE_LAST[last % len(PLACE_LAST)]


def _bank(scene: _Scene, _who: str) -> str:
    return f"{scene.word(BANKS)}{_place(scene.village()[:9])}支行"


def _bank_account(scene: _Scene, _who: str) -> str:
    """Return 19 digits, the last of which is right by Luhn."""
    body = f"62{scene.even(0, 10**8 - 1):08}{scene.even(0, 10**8 - 1):08}"
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in body[1::2])
    return body + str(-(doubled + sum(map(int, body[::2]))) % 10)


def _shop(scene: _Scene, _who: str) -> str:
    return _town(scene) + scene.word(SHOP_WORDS) + scene.word(SHOPS)


def _hardship(scene: _Scene, _who: str) -> str:
    kind = scene.answers.get("hardship", "")
    if kind not in HARDSHIPS:
        kind = scene.pick(list(HARDSHIPS))
    whose, what = (scene.word(words) for words in HARDSHIPS[kind])
    return f"{whose}{what}，已有{scene.few(1, 12)}年，{scene.word(EFFECTS)}"


def _remark(scene: _Scene, _who: str) -> str:
    return scene.word(REMARK_TIMES) + scene.word(REMARKS)


def _plain(scene: _Scene, _who: str) -> str:
    return scene.word(PLAIN_ANSWERS)


# By key or label; the first that is found.
TEXTS: tuple[tuple[str, Callable[[_Scene, str], str]], ...] = (
    ("姓名|联系人", _name),
    ("account|账号|卡号", _bank_account),
    ("bank|银行", _bank),
    ("ethnic|民族", _ethnicity),
    ("address|地址|住址|户籍地|坐落|地点", _address),
    ("company|shop|business|名称|字号|企业|单位", _shop),
    ("name", _name),
    ("hardship|困难|原因|理由|事由", _hardship),
    ("remark|note|备注|说明", _remark),
    ("", _plain),
)


def _number(field: Field, who: str, span: _Span) -> _Write:
    def write(scene: _Scene) -> str:
        if is_age and span.holds(age := scene.age(who)):
            return str(age)
        drawn = scene.few(span.first, span.last)
        # Of an amount the cents are mostly nothing.
        plain = drawn - drawn % 10**span.places
        return _spell(plain if plain >= span.low else drawn, span.places)

    is_age = _is_age(field)
    return write


def _spell(units: int, places: int) -> str:
    if not places:
        return str(units)
    whole, rest = divmod(abs(units), 10**places)
    return f"{'-' if units < 0 else ''}{whole}.{rest:0{places}}"


def _day(field: Field, who: str, span: _Span) -> _Write:
    def write(scene: _Scene) -> str:
        if is_birth_date and span.holds(born := scene.person(who).born):
            return _spell_day(born)
        return _spell_day(scene.even(span.first, span.last))

    is_birth_date = _is_birth_date(field)
    return write


def _spell_day(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


def _choice(field: Field, who: str, _span: _Span) -> _Write:
    by_sex, by_age = _sexes(field.choices), _ages(field.choices)
    values = [choice.value for choice in field.choices]
    agreeing = [
        c.value for c in field.choices if not _REFUSING.search(c.label + c.value)
    ]

    def write(scene: _Scene) -> str:
        if by_sex and (sex := scene.person(who).sex) in by_sex:
            return by_sex[sex]
        if by_age:
            age = scene.age(who)
            fitting = [value for ages, value in by_age if age in ages]
            return scene.pick(fitting or values)
        offered = values if not agreeing or scene.chance(0.02) else agreeing
        # What is asked for most stands first, mostly.
        return offered[scene.few(0, len(offered) - 1)]

    return write


def _citizen_id(_field: Field, who: str, _span: _Span) -> _Write:
    return lambda scene: scene.number(who)


def _id_number(scene: _Scene, person: _Person) -> str:
    # The sequence is odd for men, and counts from 001.
    sequence = 2 * scene.even(1, 499) - (person.sex == "male")
    born = _spell_day(person.born).replace("-", "")
    first17 = f"{scene.sheet.division[:6]}{born}{sequence:03}"
    return first17 + expected_check_character(first17)


def _phone(field: Field, _who: str, _span: _Span) -> _Write:
    landline = 0.0 if _tells("mobile|手机", field) else LANDLINE
    landline = 1.0 if _tells("landline|固定|座机", field) else landline

    def write(scene: _Scene) -> str:
        phone = ""
        # A contact is reached elsewhere than the applicant.
        while not phone or phone in scene.phones:
            is_fixed = scene.chance(landline)
            phone = _fixed(scene) if is_fixed else _mobile(scene)
        scene.phones.add(phone)
        return phone

    return write


def _mobile(scene: _Scene) -> str:
    return f"{scene.word(MOBILES)}{scene.even(0, 10**8 - 1):08}"


def _fixed(scene: _Scene) -> str:
    division = scene.sheet.division
    area = _AREAS.get(division[:2], "057")
    if not area.startswith(("01", "02")):
        area += division[3]
    return f"{area}-{scene.even(2_000_000, 8_999_999)}"


def _files(_field: Field, _who: str, span: _Span) -> _Write:
    def write(scene: _Scene) -> str:
        count = scene.few(span.first, span.last)
        return " ".join(_made_up_digest(scene) for _ in range(count))

    return write


def _made_up_digest(scene: _Scene) -> str:
    return "".join(f"{scene.even(0, 2**32 - 1):08x}" for _ in range(8))


def _person_name(_field: Field, who: str, _span: _Span) -> _Write:
    return lambda scene: _name(scene, who)


def _division(_field: Field, _who: str, _span: _Span) -> _Write:
    return lambda scene: scene.village()


def _credit_code(_field: Field, _who: str, _span: _Span) -> _Write:
    def write(scene: _Scene) -> str:
        organisation = f"MA{scene.even(0, 10**6 - 1):06}"
        check = credit_code.expected_organisation_character(organisation)
        first17 = f"91{scene.sheet.division[:6]}{organisation}{check}"
        return first17 + credit_code.expected_check_character(first17)

    return write


def _always(text: str) -> Callable[[Field, str, _Span], _Write]:
    return lambda _field, _who, _span: lambda _scene: text


WRITERS: dict[str, Callable[[Field, str, _Span], _Write]] = {
    "text": _text,
    "integer": _number,
    "decimal": _number,
    "date": _day,
    "choice": _choice,
    "citizen_id": _citizen_id,
    "phone": _phone,
    "file": _files,
    "person_name": _person_name,
    "amount_yuan": _number,
    "division": _division,
    "credit_code": _credit_code,
    "choices": _choice,
    "acknowledge": _always("OK"),
    "time": _always("09:30"),
    "moment": _always("2026-01-05T09:30"),
    "point": _always("28.97 118.87"),
}
"""By kind: given a field, whose it is and its span, how an answer is drawn."""


# What several fields tell together

_Facts = dict[str, int | str | None]
"""By key of a field: a number, a day, a choice, or that there is nothing to say."""

_Tale = Callable[[_Scene, Mapping[str, _Span]], _Facts]


def _tell(
    tale: _Tale, blanks: Sequence[_Blank], scene: _Scene
) -> dict[str, str | None]:
    """Return the facts as answers; what a field does not allow is left to chance."""
    facts = tale(scene, {blank.field.key: blank.span for blank in blanks})
    told: dict[str, str | None] = {}
    for field, span in ((blank.field, blank.span) for blank in blanks):
        fact = facts.get(field.key, "")
        if fact is None and not field.required:
            told[field.key] = None
        elif isinstance(fact, str) and any(fact == c.value for c in field.choices):
            told[field.key] = fact
        elif isinstance(fact, int) and span.holds(fact):
            is_day = field.kind == "date"
            told[field.key] = _spell_day(fact) if is_day else _spell(fact, span.places)
    return told


def _household(scene: _Scene, spans: Mapping[str, _Span]) -> _Facts:
    """Tell of people of whom some work, and of an income that all share."""
    people = spans.get("household_size", _Span(1, 20, 1, 6))
    workers = spans.get("workers", _Span(0, 20, 0, 3))
    income = spans.get("monthly_income", _Span(0, 10**10, 0, 600_000, 2))
    share = spans.get("income_per_person", _Span(0, 10**10, 0, 600_000, 2))
    usual = _fit(
        max(people.low, workers.low, 1), people.high, people.first, people.last
    )
    if usual.low > usual.high:
        return {}
    size = scene.few(usual.first, usual.last)
    working = scene.few(workers.first, min(workers.last, size))
    facts: _Facts = {"household_size": size, "workers": working}
    low, high = max(income.low, share.low * size), min(income.high, share.high * size)
    if low > high or (income.places, share.places) != (2, 2):
        return facts
    usual = _fit(low, high, income.first, income.last)
    total = scene.few(usual.first, usual.last)
    total = max(low, total - total % 1_000)  # people tell it in tens of yuan
    each = (2 * total + size) // (2 * size)
    return facts | {"monthly_income": total, "income_per_person": each}


def _couple(scene: _Scene, spans: Mapping[str, _Span]) -> _Facts:
    """Tell of a marriage, at 20 and 22 years or later, and of its latest child."""
    now = scene.sheet.today.toordinal()
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
        _birthday(scene.person(who).born, age)
        for key, age in (("wife_id", 20), ("husband_id", 22))
        if (who := scene.sheet.owners.get(key)) is not None
    ]
    wedding = spans.get("marriage_date", _Span(0, now, now - 3650, now))
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
