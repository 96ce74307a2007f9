"""What is allowed in an item but worth a second look. Pure: no I/O.

Remarks never stop a publication; `forms.item_faults` holds what does.
"""

from collections.abc import Iterator, Sequence

from forms.errors import Fault
from forms.item import Item
from forms.item_faults import FREE
from forms.service import CodeKind

PROMISE_PERCENT = 35
"""The promise should be at most this share of the legal limit (districts' own aim).

A whole number: as a fraction 0.35 it is a little less, and 63 of 180 days would fail.
"""

CODE_LENGTHS: dict[CodeKind, tuple[int, ...]] = {
    CodeKind.BASE: (12,),
    CodeKind.IMPLEMENTING: (31,),
    CodeKind.BUSINESS: (14, 33),
}
"""Usual lengths by GB/T 39554.1-2020; provinces differ, so this is no rule."""

# What must be public 五公开, by the attribute that says it.
_PUBLIC = {
    "legal_basis": "办理依据",
    "conditions": "受理条件",
    "materials": "申请材料",
    "procedure": "办理流程",
}


def of_item(item: Item) -> list[Fault]:
    """Return what is worth a second look, by its place in the item."""
    return list(_remarks(item))


def of_catalog(items: Sequence[Item]) -> list[tuple[Item, Fault]]:
    """Return where items speak of others in a way worth a second look.

    A member, or an item whose result frees from a paper, that is not in the catalogue
    may be another district's; under a known code another name is likely a slip.
    """
    names = {item.code: item.name for item in items}
    found = []
    for item in items:
        for where, code, name in _spoken_of(item):
            if code not in names:
                found.append((item, Fault(where, f"目录里没有代码是 {code} 的事项")))
            elif name not in ("", names[code]):
                message = f"代码 {code} 的事项叫“{names[code]}”，请核对"
                found.append((item, Fault(where, message)))
    return found


def keeps_share(item: Item) -> bool:
    """Return whether the promise is short enough; what is done at once always is."""
    return item.same_day or (
        100 * item.promise_workdays <= PROMISE_PERCENT * item.legal_workdays
    )


def _spoken_of(item: Item) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Give place, code and, where it must be the same, name of other items."""
    for position, member in enumerate(item.members):
        yield ("members", position, "code"), member.code, member.name
    for position, material in enumerate(item.materials):
        for number, exemption in enumerate(material.exempt_by):
            if exemption.item:
                where = ("materials", position, "exempt_by", number, "item")
                yield where, exemption.item, ""


def _remarks(item: Item) -> Iterator[Fault]:
    if not keeps_share(item):
        share = round(100 * item.promise_workdays / item.legal_workdays)
        message = f"承诺时限是法定时限的 {share} %，目标是不超过 35 %"
        yield Fault(("promise_workdays",), message)
    for name, words in _PUBLIC.items():
        if not getattr(item, name):
            yield Fault((name,), f"五公开缺少{words}")
    if item.fee != FREE and not item.fees:
        yield Fault(("fee",), "没有列收费项目和依据，窗口收不了费")
    for position, code in enumerate(item.codes):
        usual = CODE_LENGTHS.get(code.kind, ())
        if usual and len(code.value) not in usual:
            lengths = "或 ".join(f"{length} " for length in usual)
            message = f"有 {len(code.value)} 位，通常是 {lengths}位，请核对"
            yield Fault(("codes", position, "value"), message)
    for position, material in enumerate(item.materials):
        if not material.review:
            yield Fault(("materials", position, "review"), "没有审核要点")
        if not material.required and not (material.condition or material.relevant):
            message = "不是必交，也没有说何时要交"
            yield Fault(("materials", position, "condition"), message)
