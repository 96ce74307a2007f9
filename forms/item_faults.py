"""What may stand in an item, and what is wrong with one. Pure: no I/O.

The form of the item is judged by `forms.faults`, which joins both.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from forms import fault_rules as rules
from forms.errors import Fault
from forms.fault_rules import Bounds
from forms.item import Applicant, Item, Material, Tier
from forms.material import Exemption, Original, Proof
from forms.service import (
    Code,
    CodeKind,
    Delivery,
    Fee,
    Member,
    Mode,
    OnlineDepth,
    Step,
    Urgent,
    counted_workdays,
)

# For each attribute, the fewest and the most characters.
ITEM_TEXTS: dict[str, Bounds] = {
    "code": (1, 64),
    "code_scheme": (1, 60),
    "name": (1, 60),
    "department": (1, 60),
    "fee": (1, 200),
    "legal_basis": (0, 1_000),
    "guide": (0, 4_000),
    "category": (0, 20),
    "result": (0, 100),
}
MATERIAL_TEXTS: dict[str, Bounds] = {
    "name": (1, 60),
    "copies": (0, 100),
    "issuer": (0, 60),
    "condition": (0, 200),
    "relevant": (0, 500),
}
EXEMPTION_TEXTS: dict[str, Bounds] = {"name": (1, 100), "item": (0, 64)}
CODE_TEXTS: dict[str, Bounds] = {"value": (1, 64), "scheme": (1, 60)}
STEP_TEXTS: dict[str, Bounds] = {"name": (1, 60), "department": (0, 60)}
FEE_TEXTS: dict[str, Bounds] = {
    "name": (1, 60),
    "standard": (1, 200),
    "basis": (1, 200),
    "reduction": (0, 200),
}
URGENT_TEXTS: dict[str, Bounds] = {"when": (1, 200)}
MEMBER_TEXTS: dict[str, Bounds] = {
    "code": (1, 64),
    "name": (1, 60),
    "department": (1, 60),
}

# For each number, the lowest and the highest value.
ITEM_NUMBERS: dict[str, Bounds] = {
    "legal_workdays": (1, 1_000),
    "promise_workdays": (1, 1_000),
    "difficulty": (0, 100),
    "file_limit_kib": (1, 20 * 1024),
    "case_limit_kib": (1, 1024 * 1024),
    "image_side_px": (200, 10_000),
    "trips": (0, 20),
}
STEP_NUMBERS: dict[str, Bounds] = {"workdays": (0, 1_000)}
URGENT_NUMBERS: dict[str, Bounds] = {"workdays": (1, 1_000)}
MATERIAL_NUMBERS: dict[str, Bounds] = {"copy_count": (0, 99)}

# For each list of parts, how many at most, and what they are called.
COUNTS: dict[str, tuple[int, str]] = {
    "codes": (10, "个代码"),
    "steps": (50, "个环节"),
    "fees": (20, "项收费"),
    "members": (50, "个成员事项"),
    "materials": (100, "份材料"),
}

FREE = "不收费"
"""What `fee` says where nothing is charged."""

_TIERS = tuple(Tier)
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,7})(\.[0-9]{1,2})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def of_item(item: Item) -> Iterator[Fault]:
    """Find the faults of an item by itself, without those of its parts."""
    yield from rules.of_texts(item, ITEM_TEXTS)
    yield from rules.of_one(item, "applicant", Applicant)
    yield from rules.of_numbers(item, ITEM_NUMBERS)
    yield from _limits(item)
    for name in ("keywords", "conditions", "procedure"):
        yield from rules.of_list(name, getattr(item, name))
    yield from _tiers(item)
    yield from rules.of_several(item, "other_applicants", Applicant)
    if item.applicant in item.other_applicants:
        yield Fault(("other_applicants",), "不用再写 applicant 里已有的一类")
    yield from rules.of_several(item, "modes", Mode)
    yield from rules.of_several(item, "delivery", Delivery)
    yield from rules.of_one(item, "online_depth", OnlineDepth)
    if item.urgent is not None:
        yield from rules.under(("urgent",), _urgent(item, item.urgent))
    yield from _effective_on(item.effective_on)


def of_material(material: Material) -> Iterator[Fault]:
    """Find the faults of a material by itself."""
    yield from rules.of_key(material.key)
    yield from rules.of_texts(material, MATERIAL_TEXTS)
    yield from rules.of_numbers(material, MATERIAL_NUMBERS)
    yield from rules.of_list("review", material.review)
    yield from rules.of_list("proves", material.proves)
    yield from rules.of_one(material, "original", Original)
    if len(material.exempt_by) > rules.MAX_LIST:
        yield Fault(("exempt_by",), f"最多 {rules.MAX_LIST} 条")
    for position, exemption in enumerate(material.exempt_by):
        yield from rules.under(("exempt_by", position), _exemption(exemption))


def of_code(code: Code) -> Iterator[Fault]:
    """Find the faults of a code; how long it is does not matter."""
    yield from rules.of_one(code, "kind", CodeKind)
    yield from rules.of_texts(code, CODE_TEXTS)


def of_step(step: Step) -> Iterator[Fault]:
    """Find the faults of a step by itself."""
    yield from rules.of_texts(step, STEP_TEXTS)
    yield from rules.of_one(step, "tier", Tier)
    yield from rules.of_numbers(step, STEP_NUMBERS)


def of_fee(fee: Fee) -> Iterator[Fault]:
    """Find the faults of a fee; one without a legal basis is none."""
    yield from rules.of_texts(fee, FEE_TEXTS)
    if fee.amount_yuan and not _AMOUNT.fullmatch(fee.amount_yuan):
        yield Fault(("amount_yuan",), '应是金额，如 "10" 或 "10.50"，最多两位小数')


def of_member(member: Member) -> Iterator[Fault]:
    """Find the faults of a member of a joint package by itself."""
    yield from rules.of_texts(member, MEMBER_TEXTS)


def of_parts(item: Item) -> Iterator[Fault]:
    """Find what does not fit together, each part of the item being right by itself."""
    for name, (most, unit) in COUNTS.items():
        yield from rules.of_count((name,), getattr(item, name), most, unit)
    keys = [material.key for material in item.materials]
    yield from rules.of_repetition(("materials",), "key", keys)
    codes = [f"{code.kind}:{code.scheme}" for code in item.codes]
    yield from rules.of_repetition(("codes",), "scheme", codes)
    members = [member.code for member in item.members]
    yield from rules.of_repetition(("members",), "code", members)
    if item.code in members:
        where = ("members", members.index(item.code), "code")
        yield Fault(where, "成员不能是这个事项自己")
    for position, member in enumerate(item.members):
        where = ("members", position, "materials")
        if len(set(member.materials)) < len(member.materials):
            yield Fault(where, "同一份材料写了两次")
        if unknown := [key for key in member.materials if key not in keys]:
            yield Fault(
                where, f"没有材料键 {unknown[0][:60]}，先在 [[material]] 里列出"
            )
    if item.steps and item.steps[0].parallel:
        yield Fault(("steps", 0, "parallel"), "第一个环节前面没有可并联的环节")
    total = counted_workdays(item.steps)
    if total > item.promise_workdays:
        message = (
            f"各环节合计 {total} 个工作日，超过承诺时限（{item.promise_workdays} 个）"
        )
        yield Fault(("steps",), message)
    if item.fees and item.fee == FREE:
        yield Fault(("fee",), f"列了收费项目，就不能写“{FREE}”")


OF_PART: dict[str, Callable[[Any], Iterator[Fault]]] = {
    "codes": of_code,
    "materials": of_material,
    "steps": of_step,
    "fees": of_fee,
    "members": of_member,
}
"""By which function the parts in each list of an item are judged."""


def _limits(item: Item) -> Iterator[Fault]:
    if item.promise_workdays > item.legal_workdays:
        message = f"承诺时限不能长于法定时限（{item.legal_workdays} 个工作日）"
        yield Fault(("promise_workdays",), message)
    if item.same_day and item.promise_workdays != 1:
        yield Fault(("same_day",), "即办件的承诺时限（promise_workdays）应是 1")
    if item.case_limit_kib < item.file_limit_kib:
        message = f"一件的总量不能小于单个文件的上限（{item.file_limit_kib}）"
        yield Fault(("case_limit_kib",), message)


def _tiers(item: Item) -> Iterator[Fault]:
    places = {
        "collect": item.collect,
        "accept": (item.accept,),
        "decide": (item.decide,),
        "also_accept": item.also_accept,
        "also_decide": item.also_decide,
    }
    for name, tiers in places.items():
        if not all(tier in _TIERS for tier in tiers):
            yield Fault((name,), f"应是 {rules.spell(Tier)} 之一")
            return
    ranks = [_TIERS.index(tier) for tier in item.collect]
    if not ranks or ranks != sorted(set(ranks)):
        yield Fault(("collect",), "至少要有一级，从下往上排列，不能重复")
        return
    if _TIERS.index(item.accept) < ranks[0]:
        yield Fault(("accept",), "受理的一级不能低于收件的一级")
    if _TIERS.index(item.decide) < _TIERS.index(item.accept):
        yield Fault(("decide",), "决定的一级不能低于受理的一级")
    yield from _also("also_accept", item.also_accept, item.accept, ranks[0])
    yield from _also("also_decide", item.also_decide, item.decide, ranks[0])


def _also(
    name: str, tiers: tuple[Tier, ...], first: Tier, lowest: int
) -> Iterator[Fault]:
    ranks = [_TIERS.index(tier) for tier in tiers]
    if ranks != sorted(set(ranks)) or first in tiers:
        message = f"从下往上排列，不能重复，不用再写 {first}"
        yield Fault((name,), message)
    elif ranks and ranks[0] < lowest:
        yield Fault((name,), "不能低于收件的一级")


def _urgent(item: Item, urgent: Urgent) -> Iterator[Fault]:
    yield from rules.of_texts(urgent, URGENT_TEXTS)
    yield from rules.of_one(urgent, "approve", Tier)
    yield from rules.of_numbers(urgent, URGENT_NUMBERS)
    if urgent.workdays > item.promise_workdays:
        message = f"不能长于承诺时限（{item.promise_workdays} 个工作日）"
        yield Fault(("workdays",), message)


def _exemption(exemption: Exemption) -> Iterator[Fault]:
    yield from rules.of_one(exemption, "kind", Proof)
    yield from rules.of_texts(exemption, EXEMPTION_TEXTS)
    if exemption.item and exemption.kind != Proof.RESULT:
        yield Fault(("item",), f"只有 kind 是 {Proof.RESULT} 的才写事项代码")


def _effective_on(written: str) -> Iterator[Fault]:
    if not written:
        return
    try:
        if not _DAY.fullmatch(written):
            raise ValueError(written)
        date.fromisoformat(written)
    except ValueError:
        yield Fault(("effective_on",), "应是日期，如 2026-12-01")
