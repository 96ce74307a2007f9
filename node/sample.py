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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import accumulate
from random import Random

from forms.check import noon, normalise
from forms.field import Field
from forms.filled import Line
from forms.package import Package
from forms.questions import template_of
from node.sample_form import fill
from node.sample_people import owners_of, part_of
from node.sample_scene import Scene, Setting, is_first
from node.sample_spans import spans_of
from node.sample_tales import tales_of
from node.sample_words import FILLED, ITEM_WEIGHTS
from node.sample_writers import WRITERS, Write

SAMPLED = ("birth_registration", "elder_card", "subsistence_allowance")
CODES = ("332023002000", "332011001000", "330511003000")
"""The items that ship and whose forms are known here: their files, their codes."""
_TRIES = 60
"""So many applications are drawn for one that fits its form."""


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
        yield Application(sheet.code, sheet.answer(draw))


def _of_form(sheet: "_Sheet", draw: Callable[[], float]) -> dict[str, str]:
    """Answer a form in full; what does not come to fit is drawn anew."""
    for _ in range(_TRIES):
        scene = Scene(sheet.setting, draw)
        told = _told(sheet, scene)
        form = fill(
            sheet.package,
            noon(sheet.setting.today),
            partial(_written, sheet, scene, told),
            partial(_rewritten, sheet, scene),
        )
        if form is not None:
            return normalise(sheet.package, form.submitted)
    raise ValueError(f"no answers were found that fit the form of {sheet.code}")


def _written(
    sheet: "_Sheet", scene: "Scene", told: Mapping[str, str | None], line: Line
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


def _rewritten(sheet: "_Sheet", scene: "Scene", line: Line) -> str:
    blank = sheet.by_key.get(template_of(line.key))
    if blank is None or blank.field.kind == "file":
        return ""
    scene.instance = line.key.rpartition("/")[0]
    values = [choice.value for choice in line.choices]
    if scene.instance and "self" in values:
        # Of those who are listed the first is the applicant, and nobody else is.
        values.remove("self")
        return "self" if is_first(scene.instance) else scene.pick(values)
    if values and not blank.field.choices:  # which there are follows from answers
        return scene.pick(values)
    scene.answers[blank.field.key] = answer = blank.write(scene)
    return answer


def _told(sheet: "_Sheet", scene: "Scene") -> dict[str, str | None]:
    told: dict[str, str | None] = {}
    for tale in sheet.tales:
        told |= tale(scene)
    return told


def _of_fields(sheet: "_Sheet", draw: Callable[[], float]) -> dict[str, str]:
    """Answer a plain list of fields, one after the other."""
    scene = Scene(sheet.setting, draw)
    told = _told(sheet, scene)
    for blank in sheet.blanks:
        key = blank.field.key
        if not blank.field.required and scene.draw() >= FILLED:
            continue
        answer = told[key] if key in told else blank.write(scene)
        if answer is not None:
            scene.answers[key] = answer
    return scene.answers


@dataclass(frozen=True, slots=True)
class _Blank:
    """A field to fill."""

    field: Field
    write: Write


class _Sheet:
    """A package made ready for filling."""

    __slots__ = ("blanks", "by_key", "code", "package", "setting", "tales", "weight")

    def __init__(self, package: Package, today: date, division: str) -> None:
        self.code, self.package = package.item.code, package
        name = package.item.name
        self.weight = next(weight for word, weight in ITEM_WEIGHTS if word in name)
        spans = spans_of(package, today)
        fields = [field for field in package.questions if field.key in spans]
        owners = owners_of(fields)
        self.setting = Setting(
            today,
            division,
            owners,
            frozenset(
                owners[f.key]
                for f in fields
                if "/" in f.key and any(choice.value == "self" for choice in f.choices)
            ),
            {
                who: part_of(
                    who, name, [f for f in fields if owners[f.key] == who], spans, today
                )
                for who in dict.fromkeys(("", *owners.values()))
            },
        )
        self.blanks = [
            _Blank(f, WRITERS[f.kind](f, owners[f.key], spans[f.key])) for f in fields
        ]
        self.by_key = {blank.field.key: blank for blank in self.blanks}
        self.tales = tales_of([(f, spans[f.key]) for f in fields])

    def answer(self, draw: Callable[[], float]) -> dict[str, str]:
        """Answer it all anew."""
        return (
            _of_fields(self, draw)
            if self.package.form is None
            else _of_form(self, draw)
        )
