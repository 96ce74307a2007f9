"""What differs between two versions of a form. Pure: no I/O.

For the person who publishes the second one, and for the one whose draft answers the
first: what is asked anew, what no longer, what is asked otherwise.

XLSForm has no word for a question that got another name. It is known where the author
says so (column bind::lianban:was, with one or more former names), and where kind and
label are the same and no other question of either form shares them. Answers follow a
name that is known. That a question of the same kind stands in the same place is a
guess, told to the author and to nobody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from forms.field import Choice, Field
from forms.filling.plan import Plan
from forms.filling.structure import Place
from forms.questions import OWN_WAS, keys_of, own, questions

RULES = {
    "relevant": "何时填写",
    "required": "必填",
    "constraint": "要求",
    "calculate": "算式",
    "readonly": "只读",
}
"""The rules that are compared, and what they are called."""


class What(StrEnum):
    """What happened to a question."""

    NEW = "new"
    GONE = "gone"
    RENAMED = "renamed"
    LIKELY = "likely"
    """It seems to have another name; nobody knows, so answers do not follow."""
    KIND = "kind"
    LABEL = "label"
    HINT = "hint"
    CHOICES = "choices"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `key` is that of the second version, but of what is gone."""

    what: What
    key: str
    label: str
    before: str = ""
    after: str = ""
    rule: str = ""
    """A key of `RULES`, for a change of that."""


@dataclass(frozen=True, slots=True)
class _Version:
    fields: Mapping[str, Field]
    places: Mapping[str, Place]

    def before(self, key: str) -> str:
        """Return the key of the question before one."""
        keys = list(self.fields)
        position = keys.index(key)
        return keys[position - 1] if position else ""


def changes(first: Plan, second: Plan) -> list[Change]:
    """Return what differs, in the order of the second form, what is gone at the end."""
    old, new = _version(first), _version(second)
    known = _renamed(old, new)
    guessed = _guessed(old, new, known)
    was_of = {key: key for key in new.fields if key in old.fields} | known | guessed
    found: list[Change] = []
    for key, field in new.fields.items():
        was = was_of.get(key)
        if was is None:
            found.append(Change(What.NEW, key, field.label))
            continue
        if was != key:
            what = What.RENAMED if key in known else What.LIKELY
            found.append(Change(what, key, field.label, was, key))
        found += _of_field(old.fields[was], field)
        found += _of_rules(field, old.places[was], new.places[key])
    kept = set(was_of.values())
    gone = (field for key, field in old.fields.items() if key not in kept)
    return found + [Change(What.GONE, field.key, field.label) for field in gone]


def successors(first: Plan, second: Plan) -> dict[str, str]:
    """Return under which key of the second form each question of the first is known
    to stand; what is gone is left out.
    """
    old, new = _version(first), _version(second)
    known = _renamed(old, new)
    same = {key: key for key in old.fields if key in new.fields}
    return same | {was: key for key, was in known.items()}


def _version(plan: Plan) -> _Version:
    return _Version({field.key: field for field in questions(plan)}, keys_of(plan))


def _renamed(old: _Version, new: _Version) -> dict[str, str]:
    """Return the old key of each question that is known to have another one now."""
    gone = [key for key in old.fields if key not in new.fields]
    added = [key for key in new.fields if key not in old.fields]
    found: dict[str, str] = {}
    for key in added:
        for said in own(new.places[key], OWN_WAS).split():
            fitting = [one for one in gone if said in (one, one.rpartition("/")[2])]
            if len(fitting) == 1 and fitting[0] not in found.values():
                found[key] = fitting[0]
                break
    before, after = _by_look(old), _by_look(new)
    for look, keys in after.items():
        same = before.get(look, [])
        if len(keys) != 1 or len(same) != 1:
            continue
        is_moved = keys[0] in added and same[0] in gone
        if is_moved and keys[0] not in found and same[0] not in found.values():
            found[keys[0]] = same[0]
    return found


def _by_look(version: _Version) -> dict[tuple[str, str], list[str]]:
    """Return the keys of the questions that look alike: (kind, label) to keys."""
    found: dict[tuple[str, str], list[str]] = {}
    for key, field in version.fields.items():
        found.setdefault((field.kind, field.label), []).append(key)
    return found


def _guessed(old: _Version, new: _Version, known: Mapping[str, str]) -> dict[str, str]:
    """Return the old key of each question that stands where one of its kind stood."""
    gone = [k for k in old.fields if k not in new.fields and k not in known.values()]
    found: dict[str, str] = {}
    for key, field in new.fields.items():
        if key in old.fields or key in known:
            continue
        for was in gone:
            earlier = new.before(key)
            earlier = known.get(earlier, found.get(earlier, earlier))
            if old.fields[was].kind == field.kind and earlier == old.before(was):
                found[key] = was
                gone.remove(was)
                break
    return found


def _of_field(old: Field, new: Field) -> Iterator[Change]:
    if old.kind != new.kind:
        yield Change(What.KIND, new.key, new.label, old.kind, new.kind)
    if old.label != new.label:
        yield Change(What.LABEL, new.key, new.label, old.label, new.label)
    if old.hint != new.hint:
        yield Change(What.HINT, new.key, new.label, old.hint, new.hint)
    if old.choices != new.choices:
        gone = [choice for choice in old.choices if choice not in new.choices]
        added = [choice for choice in new.choices if choice not in old.choices]
        yield Change(What.CHOICES, new.key, new.label, _listed(gone), _listed(added))


def _of_rules(field: Field, old: Place, new: Place) -> Iterator[Change]:
    for rule in RULES:
        before, after = (getattr(place.bind, rule).strip() for place in (old, new))
        if before != after:
            yield Change(What.RULE, field.key, field.label, before, after, rule)


def _listed(choices: Sequence[Choice]) -> str:
    return "、".join(f"{choice.label}（{choice.value}）" for choice in choices)
