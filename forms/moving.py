"""Answers of one version of a form, taken over into the next. Pure: no I/O, no clock.

Nothing is lost on the way: an answer stands in the new form, as it was or to be put
right there, or it is `Kept` with the reason why it does not. What the form itself works
out is worked out anew.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from msgspec import Struct

from forms.check import noon
from forms.field import Field
from forms.filled import FilledForm
from forms.fitting import PICKED, fitted
from forms.form_diff import Change, What, changes, successors
from forms.kinds import KINDS
from forms.package import Package
from forms.questions import instances_of, key_in, template_of

SEEN = (What.RENAMED, What.LABEL, What.KIND, What.CHOICES)
"""Changes that a person sees; others are told where an answer feels them."""


class Why(StrEnum):
    """Why an answer is kept. The values are stored, so never rename one."""

    GONE = "gone"  # it is not asked any more
    UNFIT = "unfit"  # it is none of what can be picked now
    SERIES = "series"  # the question stands in another repeat, or in none
    WORKED_OUT = "worked-out"  # the form works it out by itself now


class Kept(Struct, frozen=True):
    """An answer that has no place in the new form; it stays on this node.

    `shown` is how a list shows `value`, ids in part; `label` and `kind` are those of
    the old form, `version` is the old one's. `kind` is "" where there was no question.
    """

    key: str
    label: str
    kind: str
    value: str
    shown: str
    why: str
    version: str

    @property
    def in_full(self) -> str:
        """The answer as the person reads it who has to write it once more."""
        return self.shown if self.kind in PICKED else self.value


class Fate(StrEnum):
    """What comes of an answer, or of a question without one."""

    CARRIED = "carried"  # it stands in the new form
    WRONG = "wrong"  # it stands there, and must be put right
    KEPT = "kept"  # it has no place there
    NEEDED = "needed"  # nothing is answered, and something must be
    OPEN = "open"  # nothing is answered, and nothing need be


@dataclass(frozen=True, slots=True)
class Turn:
    """What a change of the form means for one question, or for one answer to it.

    Attributes:
        what: what happened to the question; a rule where only its answer feels it.
        key: of the answer in the new form; of what is gone, in the old one.
        label: as the new form calls it; what is gone, as the old one did.
        was_label: as the old form called it, where that differs.
        shown: the old answer as people read it; "" where there was none.
        fate: what comes of it.
        note: what is wrong with it in the new form, or the `Why` of what is kept.
        must_answer: it is kept, and the new form asks for another answer.
    """

    what: tuple[What, ...]
    key: str
    label: str
    was_label: str
    shown: str
    fate: Fate
    note: str = ""
    must_answer: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """Answers as they stand in the new form, and what became of each.

    `unchanged` counts the answers that stand there as before, and are not in `turns`.
    """

    answers: dict[str, str]
    kept: tuple[Kept, ...]
    turns: tuple[Turn, ...]
    unchanged: int


def move(
    old: Package,
    new: Package,
    answers: Mapping[str, str],
    today: date,
    kept: Sequence[Kept] = (),
) -> Moved:
    """Take answers over from one version of a form into another.

    Args:
        old: which the answers were given to.
        new: which they are to stand in.
        answers: by key, right or not.
        today: on which both forms judge them.
        kept: what found no place in an earlier move; what has one again comes back.
    """
    moving = _Moving(old, new, answers, today)
    moving.take()
    stays = moving.take_back(kept)
    moving.open()
    turns = tuple(moving.turns())
    told = {turn.key for turn in turns}
    return Moved(
        answers=moving.form.answers,
        kept=(*stays, *moving.left.values()),
        turns=turns,
        unchanged=len(moving.given.keys() - told),
    )


class _Moving:
    """One move.

    Attributes:
        given: what the new form is given, by its own keys.
        targets: under which of these keys an old one stands.
        left: what has no place, by its old key.
    """

    def __init__(
        self, old: Package, new: Package, answers: Mapping[str, str], today: date
    ) -> None:
        self.old, self.new, self.today = old, new, today
        self.answers = {k: t for k, t in answers.items() if t and _is_typed(old, k)}
        self.before = FilledForm(old, answers, noon(today))
        self.given: dict[str, str] = {}
        self.targets: dict[str, str] = {}
        self.left: dict[str, Kept] = {}
        self._onward = {
            was: to
            for was, to in successors(old.plan, new.plan).items()
            if to in new.answer_keys
        }

    def take(self) -> None:
        """Give each answer to the question that asks for it now."""
        for key, text in self.answers.items():
            field, to = self.old.question(key), self._onward.get(template_of(key), "")
            asked = self.new.question(to)
            if field is None or asked is None:
                self._leave(key, text, Why.GONE)
                continue
            numbers = instances_of(key)
            if _depth(self.new, to) != len(numbers):
                self._leave(key, text, Why.SERIES)
                continue
            fitting, rest = fitted(field, asked, text, self.today)
            if fitting:
                target = key_in(self.new.places[to], to, numbers)
                self.given[target], self.targets[key] = fitting, target
            if rest:
                self._leave(key, rest, Why.UNFIT)

    def take_back(self, kept: Sequence[Kept]) -> list[Kept]:
        """Take up what the old version had no place for and the new one has; return
        the rest.
        """
        stays: list[Kept] = []
        for one in kept:
            asked = self.new.question(one.key)
            if (
                asked is not None
                and not self.old.takes(one.key)
                and one.key not in self.given
                and (self.new.label(one.key), asked.kind) == (one.label, one.kind)
                and _depth(self.new, template_of(one.key)) == len(instances_of(one.key))
                and not KINDS[asked.kind].check(asked, one.value, self.today)
            ):
                self.given[one.key] = one.value
            else:
                stays.append(one)
        return stays

    def open(self) -> None:
        """Open the new form, and leave what it has not taken as it was given."""
        now, asked_before = noon(self.today), set(self._onward.values())
        first = FilledForm(self.new, {}, now, is_new=True).answers
        # In a repeat a default would make an instance that nobody has asked for.
        begins = {
            key: text
            for key, text in first.items()
            if key not in asked_before and not instances_of(key)
        }
        self.form = FilledForm(self.new, {**begins, **self.given}, now)
        for key, target in list(self.targets.items()):
            if self.form.value(target) != self.given[target]:
                place = self.new.places[template_of(target)]
                why = Why.WORKED_OUT if place.bind.calculate else Why.SERIES
                self._leave(key, self.answers[key], why)
                del self.given[target], self.targets[key]

    def turns(self) -> Iterator[Turn]:
        """Yield what is to be told, in the order of the new form; then what is gone."""
        seen: dict[str, list[Change]] = {}
        for change in changes(self.old.plan, self.new.plan):
            if change.what in SEEN:
                seen.setdefault(change.key, []).append(change)
        was_of = {to: was for was, to in self._onward.items()}
        missing = _by_question(key for key, _ in self.form.missing())
        known = {key for key, _ in self.before.missing()} | self.left.keys()
        given = _by_question(self.answers)
        for field in self.new.questions:
            if not _is_asked(field):
                continue
            was = was_of.get(field.key)
            if was is None:
                yield self._new(field, is_missing=field.key in missing)
                continue
            what = tuple(change.what for change in seen.get(field.key, ()))
            absent, answered = missing.get(field.key, []), given.get(was, [])
            for key in answered:
                yield from self._answered(key, field, what, absent)
            newly = [
                key
                for key in absent
                if key_in(self.old.places[was], was, instances_of(key)) not in known
            ]
            for key in newly:
                yield self._turn(what, key, was, "", Fate.NEEDED)
            if what and not answered and not newly:
                fate = Fate.NEEDED if absent else Fate.OPEN
                yield self._turn(what, field.key, was, "", fate)
        left = _by_question(self.left)
        for field in self.old.questions:
            if _is_asked(field) and field.key not in self._onward:
                yield from self._gone(field, left.get(field.key, []))

    def _new(self, field: Field, *, is_missing: bool) -> Turn:
        fate, shown = Fate.NEEDED if is_missing else Fate.OPEN, ""
        if field.key in self.given:  # what was kept has come back
            fate, shown = Fate.CARRIED, _show(field, self.given[field.key])
        return Turn((What.NEW,), field.key, field.label, "", shown, fate)

    def _answered(
        self, key: str, field: Field, what: tuple[What, ...], absent: list[str]
    ) -> Iterator[Turn]:
        """Yield what comes of one answer, if anything is to be told of it."""
        was, target = template_of(key), self.targets.get(key)
        old_field = self.old.question(key)
        assert old_field is not None
        shown = _show(old_field, self.answers[key])
        if target is not None:
            problem = self.form.problem(target) or ""
            if problem == self.before.problem(key):
                problem = ""
            if what or problem:
                fate = Fate.WRONG if problem else Fate.CARRIED
                yield self._turn(what, target, was, shown, fate, problem)
        if key in self.left:
            kept = self.left[key]
            numbers = instances_of(key)
            to = target or key_in(self.new.places[field.key], field.key, numbers)
            turn = self._turn(what, to, was, kept.shown, Fate.KEPT, kept.why)
            yield replace(turn, must_answer=to in absent)

    def _turn(
        self,
        what: tuple[What, ...],
        key: str,
        was: str,
        shown: str,
        fate: Fate,
        note: str = "",
    ) -> Turn:
        new, old = self.new.question(key), self.old.question(was)
        assert new is not None
        assert old is not None
        was_label = "" if old.label == new.label else old.label
        label = self.new.label(key)
        return Turn(what or (What.RULE,), key, label, was_label, shown, fate, note)

    def _gone(self, field: Field, kept: list[str]) -> Iterator[Turn]:
        for one in (self.left[key] for key in kept):
            yield Turn(
                (What.GONE,), one.key, one.label, "", one.shown, Fate.KEPT, one.why
            )
        if not kept:
            yield Turn((What.GONE,), field.key, field.label, "", "", Fate.OPEN)

    def _leave(self, key: str, text: str, why: Why) -> None:
        field = self.old.question(key)
        shown = _show(field, text) if field else text
        kind, label = field.kind if field else "", self.old.label(key)
        self.left[key] = Kept(key, label, kind, text, shown, why, self.old.version)


def _show(field: Field, text: str) -> str:
    return KINDS[field.kind].show(field, text)


def _by_question(keys: Iterable[str]) -> dict[str, list[str]]:
    """Return keys of answers by the question that they belong to."""
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(template_of(key), []).append(key)
    return found


def _is_typed(package: Package, key: str) -> bool:
    """Say whether a person gives this answer; what is worked out will be again."""
    place = package.places.get(template_of(key))
    return place is None or not place.bind.calculate


def _is_asked(field: Field) -> bool:
    return KINDS[field.kind].answers and field.kind != "computed"


def _depth(package: Package, key: str) -> int:
    """Return in how many repeats a question stands."""
    return sum(one.is_repeat for one in package.places[key].above())
