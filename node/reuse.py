"""What earlier cases of a person can give to a new one. Pure: no I/O, no clock.

An offer says what was answered, in which case and when that was looked at by a higher
tier. Nothing is taken over here: a person sees each value with its source, and chooses.

Two questions ask the same if they have the same role, or no role and the same name,
and are of the same kind. A file goes on as the same paper only: by the materials of
its item that stand for the question, so a bag of mixed papers is never offered.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from forms import check
from forms.field import Field
from forms.filling.structure import Place
from forms.item import Item
from forms.package import Package
from forms.questions import template_of
from forms.xform.definition import Repeat
from node.material import Material

NEVER_OFFERED = frozenset(
    {
        "acknowledge",  # a promise is given anew each time, by who gives it
        "computed",  # the form works it out
        "note",
        "file",  # by its material, see `_files`
    }
)
"""Kinds whose answers do not go from one case to another by their name."""


WHO = "applicant_id"
"""The role of the answer by which a person is found: nobody needs it offered."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A case of the same person that a higher tier has accepted.

    `verified_at_ms` is when it was; `files` are those of its files that may go with
    another case, by digest in hex.
    """

    number: str
    item_name: str
    verified_at_ms: int
    package: Package
    answers: Mapping[str, str]
    files: Mapping[str, Material]


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that may be taken over: the answer to a question, or a whole repeat.

    `key` is of the question or of the repeat; `answers` is what would be written, by
    key; `count` the number of instances of a repeat, 0 for a question.
    """

    key: str
    label: str
    answers: Mapping[str, str]
    source: Earlier
    count: int = 0


def offers(package: Package, earlier: Sequence[Earlier], today: date) -> list[Offer]:
    """Return what may be taken over into a form, in the order of its questions: one
    offer for each, from the case that was verified last.
    """
    newest = sorted(earlier, key=lambda one: -one.verified_at_ms)
    wholes = list(_repeats(package, newest, today))
    # How many there are goes with them, and not by itself.
    given = {key for offer in wholes for key in offer.answers}
    singles = [
        offer
        for field in package.questions
        if field.key not in given and not _repeat_of(package, field.key)
        for offer in _first(package, field, newest, today)
    ]
    order = {field.key: at for at, field in enumerate(package.questions)}

    def place(offer: Offer) -> int:
        return min(order[template_of(key)] for key in offer.answers)

    return sorted([*singles, *wholes], key=place)


def applied(answers: Mapping[str, str], taken: Sequence[Offer]) -> dict[str, str]:
    """Return answers with what was taken over; a repeat is replaced as a whole."""
    kept = dict(answers)
    for offer in taken:
        if offer.count:
            inside = f"{offer.key}/"
            kept = {k: text for k, text in kept.items() if not k.startswith(inside)}
        kept |= offer.answers
    return kept


def present(answers: Mapping[str, str], offer: Offer) -> dict[str, str]:
    """Return what stands in the place of an offer now."""
    inside = f"{offer.key}/"
    return {
        key: text
        for key, text in answers.items()
        if text and (key in offer.answers or (offer.count and key.startswith(inside)))
    }


def is_new(answers: Mapping[str, str], offer: Offer) -> bool:
    """Say whether taking an offer over would change anything."""
    return any(answers.get(key, "") != text for key, text in offer.answers.items())


# -- questions ----------------------------------------------------------------------


def _first(
    package: Package, field: Field, newest: Sequence[Earlier], today: date
) -> Iterator[Offer]:
    """Yield the first offer for a question, if there is any."""
    for one in newest:
        answer = _answer(package, field, one, today)
        if answer:
            label = _label_of(package, field)
            yield Offer(field.key, label, {field.key: answer}, one)
            return


def _answer(package: Package, field: Field, one: Earlier, today: date) -> str:
    """Return what an earlier case has to say to a question; "" for nothing."""
    if field.kind == "file":
        return _files(package.item, field, one)
    asked = one.package.field_of(field.role) if field.role else None
    asked = asked or one.package.question(field.key)
    if asked is None or not _is_same(package, field, asked):
        return ""
    answer = one.answers.get(asked.key, "")
    return answer if _fits(field, answer, today) else ""


def _is_same(package: Package, field: Field, asked: Field) -> bool:
    """Say whether an earlier question means the same and a person answers it here."""
    return (
        field.kind == asked.kind
        and field.kind not in NEVER_OFFERED
        and field.role != WHO
        and field.role == asked.role
        and (bool(field.role) or template_of(field.key) == template_of(asked.key))
        and field.subject == asked.subject
        and not package.places[field.key].bind.calculate
    )


def _fits(field: Field, answer: str, today: date) -> bool:
    """Say whether an answer may still be given; a choice may be gone by now."""
    return bool(answer) and check.check_field(field, answer, today) is None


def _files(item: Item, field: Field, one: Earlier) -> str:
    """Return the files of the same material that may go on, as an answer."""
    wanted = materials_of(item, field.key)
    for asked in one.package.questions:
        is_same = wanted and wanted == materials_of(one.package.item, asked.key)
        if asked.kind == "file" and is_same:
            digests = one.answers.get(asked.key, "").split()
            return " ".join(d for d in digests if _may_go(item, one.files.get(d)))
    return ""


def _may_go(item: Item, file: Material | None) -> bool:
    return file is not None and file.size <= item.file_limit_bytes


def materials_of(item: Item, key: str) -> frozenset[str]:
    """Return the keys of the materials that a file question stands for."""
    return frozenset(
        one.key for one in item.materials if one.key == key or key in one.proves
    )


# -- repeats ------------------------------------------------------------------------


def _repeats(
    package: Package, newest: Sequence[Earlier], today: date
) -> Iterator[Offer]:
    """Yield an offer for each repeat that an earlier case has filled in."""
    for place in package.plan.structure.places.values():
        if not _is_offered(place):
            continue
        counted_by = _count_key(package, place)
        if counted_by is None:
            continue
        found = (_whole(package, place, counted_by, one, today) for one in newest)
        if offer := next(filter(None, found), None):
            yield offer


def _is_offered(place: Place) -> bool:
    """Say whether a place is a repeat of questions, with no other in or around it."""
    return place.is_repeat and not any(
        one.is_repeat and one is not place for one in (*place.above(), *place.below())
    )


def _count_key(package: Package, place: Place) -> str | None:
    """Return the question that says how many there are, "" where people add them by
    hand, None where neither is so.
    """
    part = place.group
    if not isinstance(part, Repeat) or part.is_fixed:
        return None
    if not part.count:
        return ""
    asked = package.plan.structure.places.get(part.count.strip())
    key = package.keys_by_place.get(asked) if asked else None
    return key if asked and not asked.bind.calculate else None


def _whole(
    package: Package, place: Place, counted_by: str, one: Earlier, today: date
) -> Offer | None:
    """Return all instances of an earlier repeat of this name, or None."""
    instances: dict[str, dict[str, str]] = {}
    order = {field.key: at for at, field in enumerate(package.questions)}
    for key, answer in sorted(
        one.answers.items(), key=lambda pair: order.get(template_of(pair[0]), 0)
    ):
        name, _, rest = key.partition("/")
        number, _, own = rest.partition("/")
        field, asked = package.question(key), one.package.question(key)
        if (
            name == place.name
            and field
            and asked
            and _repeat_of(package, field.key) is place
            and template_of(key) == field.key
            and _is_same(package, field, asked)
            and _fits(field, answer, today)
        ):
            instances.setdefault(number, {})[own] = answer
    if not instances:
        return None
    answers = {counted_by: str(len(instances))} if counted_by else {}
    for count, number in enumerate(sorted(instances), start=1):
        # Those that the form makes by itself have numbers that all agree on.
        kept = f"{count:03}" if counted_by else number
        for own, answer in instances[number].items():
            answers[f"{place.name}/{kept}/{own}"] = answer
    return Offer(place.name, _own_label(place), answers, one, len(instances))


def _repeat_of(package: Package, key: str) -> Place | None:
    """Return the repeat that a question stands in."""
    above = package.places[key].above()
    return next((one for one in above if one.is_repeat), None)


# -- names --------------------------------------------------------------------------


def _label_of(package: Package, field: Field) -> str:
    """Return what a question is called, with its group where another is called so."""
    if sum(one.label == field.label for one in package.questions) == 1:
        return field.label
    above = package.places[field.key].above()
    group = next((said for one in above if one.group and (said := _said(one))), "")
    return f"{group} {field.label}".strip()


def _own_label(place: Place) -> str:
    return _said(place) or place.name


def _said(place: Place) -> str:
    """Return the label of a group as a plain text, without what it works out."""
    parts = place.group.label.parts if place.group else ()
    said = "".join(part for part in parts if isinstance(part, str))
    return " ".join(said.split())
