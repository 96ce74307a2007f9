"""What differs between two versions of a form. Pure: no I/O.

For the person who publishes the second one: what is asked anew, what no longer, what
is asked otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from forms.field import Choice, Field
from forms.filling.plan import Plan
from forms.filling.structure import Place
from forms.questions import keys_of, questions

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
    renamed = _renamed(old, new)
    found: list[Change] = []
    for key, field in new.fields.items():
        was = renamed.get(key, key)
        if was not in old.fields:
            found.append(Change(What.NEW, key, field.label))
            continue
        if was != key:
            found.append(Change(What.RENAMED, key, field.label, was, key))
        found += _of_field(old.fields[was], field)
        found += _of_rules(field, old.places[was], new.places[key])
    kept = {renamed.get(key, key) for key in new.fields}
    gone = (field for key, field in old.fields.items() if key not in kept)
    return found + [Change(What.GONE, field.key, field.label) for field in gone]


def _version(plan: Plan) -> _Version:
    return _Version({field.key: field for field in questions(plan)}, keys_of(plan))


def _renamed(old: _Version, new: _Version) -> dict[str, str]:
    """Return the old key of each question that has another one now.

    It has the same kind, and the same label or the same question before it.
    """
    gone = [key for key in old.fields if key not in new.fields]
    found: dict[str, str] = {}
    added = [key for key in new.fields if key not in old.fields]
    for is_sure in (True, False):
        for key in added:
            field = new.fields[key]
            for was in gone if key not in found else ():
                other = old.fields[was]
                is_same = (
                    other.label == field.label
                    if is_sure
                    else _earlier(new, found, key) == old.before(was)
                )
                if is_same and other.kind == field.kind:
                    found[key] = was
                    gone.remove(was)
                    break
    return found


def _earlier(new: _Version, renamed: Mapping[str, str], key: str) -> str:
    before = new.before(key)
    return renamed.get(before, before)


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
