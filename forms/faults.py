"""What may stand in an item and its form, and what is wrong with one. Pure: no I/O.

All faults are found at once, for the people who write items; the same rules guard
`forms.package.decode` against what others send.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date

from forms import fault_rules as rules
from forms import item_faults
from forms.errors import Fault
from forms.fault_rules import Bounds
from forms.field import ROLES, Choice, Field
from forms.item import Item, Material
from forms.kinds import FLAT_KINDS, KINDS, MAX_TEXT, TODAY
from forms.text import narrow, tidy

SHOWN = 5
"""How many faults of a package are named in one sentence."""

MAX_FIELDS = 500
MAX_CHOICES = 500

VERSION = re.compile(r"[1-9][0-9]{0,15}")

# For each attribute, the fewest and the most characters.
FIELD_TEXTS: dict[str, Bounds] = {"label": (1, 100), "hint": (0, 500)}
CHOICE_TEXTS: dict[str, Bounds] = {"value": (1, 40), "label": (1, 100)}

_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
# A limit is read on some day; which one does not matter for whether it is a limit.
_ANY_DAY = date(2000, 1, 1)


def of_package(version: str, item: Item, fields: Sequence[Field]) -> Iterator[Fault]:
    """Find all faults of an item and its form, in their order."""
    yield from of_version(version)
    yield from _of_item(item)
    for position, field in enumerate(fields):
        yield from rules.under(("fields", position), of_field(field))
    yield from rules.under(("item",), item_faults.of_parts(item))
    yield from of_form(fields)
    yield from of_proofs(item.materials, asked(fields))


def of_full_package(
    version: str, item: Item, questions: Sequence[Field]
) -> Iterator[Fault]:
    """Find all faults of an item whose form is one in full."""
    yield from of_version(version)
    yield from _of_item(item)
    yield from rules.under(("item",), item_faults.of_parts(item))
    for field in questions:
        yield from rules.under(("form", field.key), _role(field))
    # A material speaks of questions by their names, also of those in a repeat.
    keys = asked(questions)
    names = {key.rpartition("/")[2] for key in keys}
    yield from of_proofs(item.materials, keys | names)


def _of_item(item: Item) -> Iterator[Fault]:
    yield from rules.under(("item",), item_faults.of_item(item))
    for name, judge in item_faults.OF_PART.items():
        for position, part in enumerate(getattr(item, name)):
            yield from rules.under(("item", name, position), judge(part))


def of_version(version: str) -> Iterator[Fault]:
    """Find the faults of a version."""
    if not VERSION.fullmatch(version):
        yield Fault(("version",), '应是 1 至 16 位数字，如 "2026112101"')


def of_field(field: Field) -> Iterator[Fault]:
    """Find the faults of a field by itself."""
    yield from rules.of_key(field.key)
    yield from rules.of_texts(field, FIELD_TEXTS)
    if field.subject is not None and not rules.KEY.fullmatch(field.subject):
        yield Fault(("subject",), rules.BAD_KEY)
    if field.kind not in FLAT_KINDS:
        kinds = rules.spell(FLAT_KINDS)
        message = f"没有这种字段，应是 {kinds} 之一；若来自新版，请升级程序"
        yield Fault(("kind",), message)
        return
    kind = KINDS[field.kind]
    if field.required and not kind.answers:
        yield Fault(("required",), f"{kind.label}不用填写，不能设为必填")
    yield from _role(field)
    yield from _max_length(field)
    yield from _choices(field)
    yield from _limits(field)


def of_form(fields: Sequence[Field]) -> Iterator[Fault]:
    """Find what does not fit together, each field being right by itself."""
    if not 1 <= len(fields) <= MAX_FIELDS:
        message = f"应有 1 至 {MAX_FIELDS} 个字段，现在 {len(fields)} 个"
        yield Fault(("fields",), message)
    yield from rules.of_repetition(("fields",), "key", [f.key for f in fields])
    yield from rules.of_repetition(("fields",), "role", [f.role for f in fields])


def of_proofs(materials: Sequence[Material], names: Collection[str]) -> Iterator[Fault]:
    """Find which fields the materials speak of that the form does not ask.

    Args:
        materials: all materials of an item.
        names: names of the questions of its form, in whatever language it is written.
    """
    for position, material in enumerate(materials):
        where = ("item", "materials", position)
        for key in material.proves:
            if key not in names:
                message = f"表单里没有要填写的字段 {key[:40]!r}"
                yield Fault((*where, "proves"), message)
        for key in _REFERENCE.findall(material.relevant):
            if key not in names:
                message = f"表单里没有要填写的字段 {key[:40]!r}"
                yield Fault((*where, "relevant"), message)


def asked(fields: Iterable[Field]) -> set[str]:
    """Return the keys of the fields that want an answer."""
    silent = {kind.name for kind in KINDS.values() if not kind.answers}
    return {field.key for field in fields if field.kind not in silent}


def _role(field: Field) -> Iterator[Fault]:
    if not field.role:
        return
    if field.role not in ROLES:
        yield Fault(("role",), f"应是 {rules.spell(ROLES)} 之一")
    elif field.kind not in ROLES[field.role]:
        kinds = " 或 ".join(ROLES[field.role])
        yield Fault(("role",), f"这个角色的字段应是 {kinds} 一种")


def _max_length(field: Field) -> Iterator[Fault]:
    if field.max_length is None:
        return
    if "max_length" not in KINDS[field.kind].options:
        yield Fault(("max_length",), f"{field.kind} 字段不能限定字数")
    elif not 1 <= field.max_length <= MAX_TEXT:
        yield Fault(("max_length",), f"应在 1 至 {MAX_TEXT} 之间")


def _choices(field: Field) -> Iterator[Fault]:
    if "choices" not in KINDS[field.kind].options:
        if field.choices:
            yield Fault(("choices",), f"{field.kind} 字段不能列出选项")
        return
    if not 1 <= len(field.choices) <= MAX_CHOICES:
        message = f"应列出 1 至 {MAX_CHOICES} 个选项，现在 {len(field.choices)} 个"
        yield Fault(("choices",), message)
    for position, choice in enumerate(field.choices):
        yield from rules.under(("choices", position), _choice(choice))
    # A person answers with a value, a label or the number on the screen: whatever is
    # typed must mean one choice only.
    meant: dict[str, int] = {}
    for position, choice in enumerate(field.choices):
        for answer in {choice.value, narrow(tidy(choice.label)), str(position + 1)}:
            if meant.setdefault(answer, position) != position:
                message = f"输入 {answer!r} 会指向不止一个选项，请改代码或名称"
                yield Fault(("choices", position), message)


def _choice(choice: Choice) -> Iterator[Fault]:
    yield from rules.of_texts(choice, CHOICE_TEXTS)
    if choice.value != narrow(tidy(choice.value)):
        yield Fault(("value",), "首尾不能有空格，字母数字要用半角")


def _limits(field: Field) -> Iterator[Fault]:
    scale = KINDS[field.kind].scale
    limits = {"minimum": field.minimum, "maximum": field.maximum}
    read = []
    for name, limit in limits.items():
        if limit is None:
            continue
        if scale is None:
            yield Fault((name,), f"{field.kind} 字段没有上下限")
            continue
        try:
            read.append(scale.limit(limit, _ANY_DAY))
        except ValueError:
            yield Fault((name,), f"不是 {field.kind} 字段的上下限")
    if len(read) == 2 and TODAY not in limits.values() and read[0] > read[1]:
        yield Fault(("maximum",), "上限不能小于下限")
