"""The questions of a form as a flat list, for whatever shows or stores answers. Pure.

Each question has a key under which its answer is stored: its name, with the names of
the repeats around it before it ("members/income"); in a case the number of the very
instance stands behind each repeat ("members/002-k7qd/income"). Where two questions of
a form have one name, the groups around them are named as well. How a question behaves
while it is filled in is said by the `Definition`; see `forms.filled`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from forms.errors import DefinitionFault, DefinitionRefused
from forms.field import ROLES, Choice, Field
from forms.filling.plan import Plan
from forms.filling.structure import Place
from forms.kinds import KINDS
from forms.xform.definition import Control, Element, Output, Text

MAX_KEY_BYTES = 100
OWN_KIND, OWN_ROLE, OWN_WAS = "kind", "role", "was"
"""Columns bind::lianban:kind, bind::lianban:role, bind::lianban:was of a workbook."""

_META = "meta"
_ALWAYS = ("true()", "1")
_INSTANCE = re.compile(r"[0-9]{3,}(-[a-z2-7]{4})?")
_LIST = re.compile(r"\s*instance\(\s*['\"]([^'\"]+)['\"]\s*\)")
_ITEXT = re.compile(r"jr:itext\((.*)\)\s*")

_OF_CONTROL = {
    "select": "choices",
    "select1": "choice",
    "rank": "choices",
    "trigger": "acknowledge",
    "upload": "file",
}
_OF_TYPE = {
    "int": "integer",
    "decimal": "decimal",
    "date": "date",
    "time": "time",
    "dateTime": "moment",
    "geopoint": "point",
    "boolean": "text",
}
"""Kinds of typed questions by the type of their bind; anything else is a text."""


def template_of(key: str) -> str:
    """Return the key of a question, without the numbers of instances."""
    return "/".join(part for part in key.split("/") if not _INSTANCE.fullmatch(part))


def instances_of(key: str) -> tuple[str, ...]:
    """Return the numbers of the instances in which an answer stands, from outside."""
    return tuple(part for part in key.split("/") if _INSTANCE.fullmatch(part))


def key_in(place: Place, template: str, numbers: Sequence[str]) -> str:
    """Return the key of a question, `template`, within the instances of `numbers`."""
    left = list(numbers)
    by_name = {one.name for one in place.above() if one.is_repeat}
    parts = []
    for name in template.split("/"):
        parts.append(name)
        if name in by_name and left:
            parts.append(left.pop(0))
    return "/".join(parts)


def keys_of(plan: Plan) -> dict[str, Place]:
    """Return the places that hold answers, by key, in document order.

    Raises:
        DefinitionRefused: a key would be too long to be stored.
    """
    leaves = [place for place in plan.structure.places.values() if _holds_answer(place)]
    short = Counter(_short_key(place) for place in leaves)
    found = {}
    faults = []
    for place in leaves:
        key = _short_key(place)
        if short[key] > 1 or _INSTANCE.fullmatch(place.name):
            key = "/".join(place.path.split("/")[2:])
        if len(key.encode()) > MAX_KEY_BYTES:
            reason = "名称太长，或套得太深；连同外面各层的名称最多 100 字节"
            faults.append(DefinitionFault(place.path, reason, part="name"))
        found[key] = place
    if faults:
        raise DefinitionRefused("", "", faults)
    return found


def questions(plan: Plan) -> tuple[Field, ...]:
    """Return all that may be answered, by hand or by calculation, in document order.

    Raises:
        DefinitionRefused: a column of ours says what does not exist.
    """
    keys = keys_of(plan)
    texts = _Texts(plan)
    faults = list(_faults(keys))
    if faults:
        raise DefinitionRefused("", "", faults)
    return tuple(
        Field(
            key=key,
            kind=kind_of(place),
            label=texts.label(place) or key,
            required=place.bind.required.strip() in _ALWAYS,
            hint=texts.plain(place.control.hint) if place.control else "",
            choices=texts.choices(place.control) if place.control else (),
            role=own(place, OWN_ROLE),
        )
        for key, place in keys.items()
    )


def headings(plan: Plan) -> dict[str, str]:
    """Return what stands over each question, by key: the label of the innermost group
    that has one; "" where there is none.
    """
    texts = _Texts(plan)
    return {
        key: next(filter(None, map(texts.heading, place.above())), "")
        for key, place in keys_of(plan).items()
    }


def kind_of(place: Place) -> str:
    """Return the kind of a place: a key of `forms.kinds.KINDS`."""
    if said := own(place, OWN_KIND):
        return said
    control, bind = place.control, place.bind
    if control is None:
        return "computed"
    if bind.readonly.strip() in _ALWAYS and not bind.calculate:
        return "note"
    if control.kind in _OF_CONTROL:
        return _OF_CONTROL[control.kind]
    named = next((word for word in control.appearance.split() if word in _OWN), "")
    return named or _OF_TYPE.get(bind.type, "text")


def own(place: Place, name: str) -> str:
    """Return what a column of ours says of a place."""
    for written, value in place.bind.other:
        if written.partition(":")[2] == name and written.startswith("lianban:"):
            return value.strip()
    return ""


_OWN = {"citizen_id", "phone", "credit_code", "division", "person_name", "amount_yuan"}
"""Kinds that an appearance may ask for as well."""


def _holds_answer(place: Place) -> bool:
    steps = place.path.split("/")
    return place.is_leaf and not place.is_attribute and _META not in map(_local, steps)


def _local(step: str) -> str:
    return step.rpartition(":")[2]


def _short_key(place: Place) -> str:
    repeats = [above.name for above in place.above() if above.is_repeat]
    return "/".join([*reversed(repeats), place.name])


def _faults(keys: Mapping[str, Place]) -> Iterator[DefinitionFault]:
    roles: dict[str, str] = {}
    for place in keys.values():
        kind, role = own(place, OWN_KIND), own(place, OWN_ROLE)
        if kind and kind not in KINDS:
            reason = f"没有 {kind[:40]!r} 这种字段，应是 {'、'.join(KINDS)} 之一"
            yield _of_own(place, OWN_KIND, reason)
        if role and role not in ROLES:
            reason = f"没有 {role[:40]!r} 这个角色，应是 {'、'.join(ROLES)} 之一"
            yield _of_own(place, OWN_ROLE, reason)
        elif role and roles.setdefault(role, place.path) != place.path:
            reason = f"角色 {role} 已经给了 {roles[role]}，每张表单只能有一个"
            yield _of_own(place, OWN_ROLE, reason)
        elif role and any(above.is_repeat for above in place.above()):
            reason = "重复组里的字段不能担任申请人的角色"
            yield _of_own(place, OWN_ROLE, reason)


def _of_own(place: Place, name: str, reason: str) -> DefinitionFault:
    return DefinitionFault(place.path, reason, part=f"lianban:{name}")


class _Texts:
    """The texts of a form as one reads them without a filling."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._language = plan.default_language
        self._lists = {one.id: one for one in plan.definition.secondary}

    def label(self, place: Place) -> str:
        part = place.control or place.group
        return self.plain(part.label) if part else ""

    def heading(self, place: Place) -> str:
        return self.plain(place.group.label) if place.group else ""

    def plain(self, text: Text) -> str:
        """Return a text with a gap where a value would stand."""
        parts = text.parts
        if text.ref:
            found = _ITEXT.fullmatch(text.ref.strip())
            parts = self._itext(found[1].strip().strip("'\"")) if found else ()
        said = "".join("…" if isinstance(p, Output) else p for p in parts)
        return " ".join(said.split())

    def choices(self, control: Control) -> tuple[Choice, ...]:
        """Return all that could ever be offered, whatever is filtered."""
        if control.itemset is None:
            offered = [(one.value, self.plain(one.label)) for one in control.choices]
        else:
            found = _LIST.match(control.itemset.nodeset)
            listed = self._lists.get(found[1]) if found else None
            items = listed.root.children if listed and listed.root else ()
            offered = [
                (_child(item, control.itemset.value), self._item_label(item, control))
                for item in items
            ]
        labels: dict[str, str] = {}
        for value, label in offered:
            labels.setdefault(value, label or value)
        return tuple(Choice(value, label) for value, label in labels.items() if value)

    def _item_label(self, item: Element, control: Control) -> str:
        assert control.itemset is not None
        found = _ITEXT.fullmatch(control.itemset.label.strip())
        if not found:
            return _child(item, control.itemset.label)
        said = self._itext(_child(item, found[1].strip()))
        return "".join("…" if isinstance(p, Output) else p for p in said)

    def _itext(self, text_id: str) -> tuple[str | Output, ...]:
        languages = (self._language, *self._plan.texts)
        for language in languages:
            forms = self._plan.texts.get(language, {}).get(text_id, {})
            if said := forms.get("") or forms.get("long") or forms.get("short"):
                return tuple(p if isinstance(p, Output) else str(p) for p in said)
        return ()


def _child(item: Element, name: str) -> str:
    for child in item.children:
        if child.name == name:
            return child.text
    return ""
