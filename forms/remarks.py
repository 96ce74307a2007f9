"""What is allowed in an item but worth a second look. Pure: no I/O.

Remarks never stop a publication; `forms.item_faults` holds what does.
"""

from collections.abc import Iterator

from forms.errors import Fault
from forms.item import Item
from forms.item_faults import FREE
from forms.service import CodeKind

PROMISE_SHARE = 0.35
"""The promise should be at most this share of the legal limit (districts' own aim)."""

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


def keeps_share(item: Item) -> bool:
    """Return whether the promise is short enough; what is done at once always is."""
    return item.same_day or (
        item.promise_workdays <= item.legal_workdays * PROMISE_SHARE
    )


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
