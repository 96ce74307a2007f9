"""What may stand in an item and its form, and what is wrong with one. Pure: no I/O.

All faults are found at once, for the people who write items; the same rules guard
`forms.package.decode` against what others send.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from forms.errors import Fault
from forms.field import ROLES, Choice, Field
from forms.item import Applicant, Item, Material, Tier
from forms.kinds import FLAT_KINDS, KINDS, MAX_TEXT, TODAY
from forms.text import narrow, tidy, unwanted

SHOWN = 5
"""How many faults of a package are named in one sentence."""

MAX_FIELDS = 500
MAX_CHOICES = 500
MAX_MATERIALS = 100
MAX_LIST = 50
"""Most entries of a list of short texts."""

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
VERSION = re.compile(r"[1-9][0-9]{0,15}")

# For each attribute, the fewest and the most characters.
ITEM_TEXTS = {
    "code": (1, 64),
    "code_scheme": (1, 60),
    "name": (1, 60),
    "department": (1, 60),
    "fee": (1, 200),
    "legal_basis": (0, 1_000),
    "guide": (0, 4_000),
}
MATERIAL_TEXTS = {"name": (1, 60), "copies": (0, 100)}
FIELD_TEXTS = {"label": (1, 100), "hint": (0, 500)}
CHOICE_TEXTS = {"value": (1, 40), "label": (1, 100)}
LISTED_TEXT = (1, 200)

# For each number of an item, the lowest and the highest value.
ITEM_NUMBERS = {
    "legal_workdays": (1, 1_000),
    "promise_workdays": (1, 1_000),
    "difficulty": (0, 100),
    "file_limit_kib": (1, 20 * 1024),
    "case_limit_kib": (1, 1024 * 1024),
    "image_side_px": (200, 10_000),
}

_BAD_KEY = "应以小写字母开头，只用小写字母、数字和下划线，最多 40 个字符"
_TIERS = tuple(Tier)
# A limit is read on some day; which one does not matter for whether it is a limit.
_ANY_DAY = date(2000, 1, 1)


def of_package(version: str, item: Item, fields: Sequence[Field]) -> Iterator[Fault]:
    """Find all faults of an item and its form, in their order."""
    yield from of_version(version)
    yield from _under(("item",), of_item(item))
    for position, material in enumerate(item.materials):
        yield from _under(("item", "materials", position), of_material(material))
    for position, field in enumerate(fields):
        yield from _under(("fields", position), of_field(field))
    yield from of_whole(item.materials, fields)


def of_form(version: str, item: Item, questions: Sequence[Field]) -> Iterator[Fault]:
    """Find all faults of an item whose form is one in full."""
    yield from of_version(version)
    yield from _under(("item",), of_item(item))
    for position, material in enumerate(item.materials):
        yield from _under(("item", "materials", position), of_material(material))
    for field in questions:
        yield from _under(("form", field.key), _role(field))
    yield from of_proofs(item.materials, questions)


def of_version(version: str) -> Iterator[Fault]:
    """Find the faults of a version."""
    if not VERSION.fullmatch(version):
        yield Fault(("version",), '应是 1 至 16 位数字，如 "2026112101"')


def of_item(item: Item) -> Iterator[Fault]:
    """Find the faults of an item by itself, without its materials."""
    yield from _texts(item, ITEM_TEXTS)
    if not _is_one_of(item.applicant, Applicant):
        yield Fault(("applicant",), f"应是 {_or(Applicant)} 之一")
    for name, (least, most) in ITEM_NUMBERS.items():
        if not least <= getattr(item, name) <= most:
            yield Fault((name,), f"应在 {least} 至 {most} 之间")
    if item.promise_workdays > item.legal_workdays:
        message = f"承诺时限不能长于法定时限（{item.legal_workdays} 个工作日）"
        yield Fault(("promise_workdays",), message)
    if item.case_limit_kib < item.file_limit_kib:
        message = f"一件的总量不能小于单个文件的上限（{item.file_limit_kib}）"
        yield Fault(("case_limit_kib",), message)
    yield from _listed("keywords", item.keywords)
    yield from _tiers(item)


def of_material(material: Material) -> Iterator[Fault]:
    """Find the faults of a material by itself."""
    yield from _key(material.key)
    yield from _texts(material, MATERIAL_TEXTS)
    yield from _listed("review", material.review)
    yield from _listed("proves", material.proves)


def of_field(field: Field) -> Iterator[Fault]:
    """Find the faults of a field by itself."""
    yield from _key(field.key)
    yield from _texts(field, FIELD_TEXTS)
    if field.subject is not None and not KEY.fullmatch(field.subject):
        yield Fault(("subject",), _BAD_KEY)
    if field.kind not in FLAT_KINDS:
        message = f"没有这种字段，应是 {_or(FLAT_KINDS)} 之一；若来自新版，请升级程序"
        yield Fault(("kind",), message)
        return
    kind = KINDS[field.kind]
    if field.required and not kind.answers:
        yield Fault(("required",), f"{kind.label}不用填写，不能设为必填")
    yield from _role(field)
    yield from _max_length(field)
    yield from _choices(field)
    yield from _limits(field)


def of_whole(materials: Sequence[Material], fields: Sequence[Field]) -> Iterator[Fault]:
    """Find what does not fit together, each part being right by itself."""
    if not 1 <= len(fields) <= MAX_FIELDS:
        message = f"应有 1 至 {MAX_FIELDS} 个字段，现在 {len(fields)} 个"
        yield Fault(("fields",), message)
    if len(materials) > MAX_MATERIALS:
        message = f"最多 {MAX_MATERIALS} 份材料，现在 {len(materials)} 份"
        yield Fault(("item", "materials"), message)
    yield from _twice(("fields",), "key", [field.key for field in fields])
    yield from _twice(("fields",), "role", [field.role for field in fields])
    keys = [material.key for material in materials]
    yield from _twice(("item", "materials"), "key", keys)
    yield from of_proofs(materials, fields)


def of_proofs(
    materials: Sequence[Material], fields: Sequence[Field]
) -> Iterator[Fault]:
    """Find what materials shall prove and nobody is asked."""
    silent = {kind.name for kind in KINDS.values() if not kind.answers}
    asked = {field.key for field in fields if field.kind not in silent}
    for position, material in enumerate(materials):
        for key in material.proves:
            if key not in asked:
                where = ("item", "materials", position, "proves")
                yield Fault(where, f"表单里没有要填写的字段 {key[:40]!r}")


def _key(key: str) -> Iterator[Fault]:
    if not KEY.fullmatch(key):
        yield Fault(("key",), _BAD_KEY)


def _texts(part: object, lengths: dict[str, tuple[int, int]]) -> Iterator[Fault]:
    for name, bounds in lengths.items():
        text = getattr(part, name)
        # Only a guide has lines.
        flat = text.replace("\n", " ") if name == "guide" else text
        yield from _text((name,), flat, bounds)


def _text(
    where: tuple[str | int, ...], text: str, bounds: tuple[int, int]
) -> Iterator[Fault]:
    least, most = bounds
    if not least <= len(text) <= most:
        message = f"应有 {least} 至 {most} 个字，现在 {len(text)} 个"
        yield Fault(where, message if text else "不能为空")
    elif least and not text.strip():
        yield Fault(where, "不能全是空格")
    if character := unwanted(text):
        yield Fault(where, character)


def _listed(name: str, texts: Sequence[str]) -> Iterator[Fault]:
    if len(texts) > MAX_LIST:
        yield Fault((name,), f"最多 {MAX_LIST} 条，现在 {len(texts)} 条")
    for position, text in enumerate(texts):
        yield from _text((name, position), text, LISTED_TEXT)


def _tiers(item: Item) -> Iterator[Fault]:
    places = {
        "collect": item.collect,
        "accept": (item.accept,),
        "decide": (item.decide,),
    }
    for name, tiers in places.items():
        if not all(_is_one_of(tier, Tier) for tier in tiers):
            yield Fault((name,), f"应是 {_or(Tier)} 之一")
            return
    ranks = [_TIERS.index(tier) for tier in item.collect]
    if not ranks or ranks != sorted(set(ranks)):
        yield Fault(("collect",), "至少要有一级，从下往上排列，不能重复")
    elif _TIERS.index(item.accept) < ranks[0]:
        yield Fault(("accept",), "受理的一级不能低于收件的一级")
    if _TIERS.index(item.decide) < _TIERS.index(item.accept):
        yield Fault(("decide",), "决定的一级不能低于受理的一级")


def _role(field: Field) -> Iterator[Fault]:
    if not field.role:
        return
    if field.role not in ROLES:
        yield Fault(("role",), f"应是 {_or(ROLES)} 之一")
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
        yield from _under(("choices", position), _choice(choice))
    # A person answers with a value, a label or the number on the screen: whatever is
    # typed must mean one choice only.
    meant: dict[str, int] = {}
    for position, choice in enumerate(field.choices):
        for answer in {choice.value, narrow(tidy(choice.label)), str(position + 1)}:
            if meant.setdefault(answer, position) != position:
                message = f"输入 {answer!r} 会指向不止一个选项，请改代码或名称"
                yield Fault(("choices", position), message)


def _choice(choice: Choice) -> Iterator[Fault]:
    yield from _texts(choice, CHOICE_TEXTS)
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


def _twice(where: tuple[str, ...], name: str, values: Sequence[str]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for position, value in enumerate(values):
        if value and first.setdefault(value, position) != position:
            message = f"与第 {first[value] + 1} 个重复：{value[:40]}"
            yield Fault((*where, position, name), message)


def _under(above: tuple[str | int, ...], faults: Iterable[Fault]) -> Iterator[Fault]:
    for fault in faults:
        yield Fault((*above, *fault.where), fault.message)


def _is_one_of(value: str, allowed: Iterable[str]) -> bool:
    return value in list(allowed)


def _or(names: Iterable[str]) -> str:
    return "、".join(names)
