"""The guide of an item 办事指南, as sections of text. Pure: no I/O.

The five things that must be public 五公开 are basis and conditions, procedure,
materials, fees, limits; `node.papers.guide` makes a paper of them for screens, text
and PDF.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from forms.item import Item, Material
from forms.material import Original, Proof
from forms.service import Step
from forms.words import WORDS, word


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the lines under it; a section without lines is left out."""

    title: str
    lines: tuple[str, ...]


def sections(item: Item) -> list[Section]:
    """Return the guide of an item, in the order in which people ask."""
    made = (
        Section("简介", tuple(line for line in item.guide.split("\n") if line)),
        Section("谁能办", _applicants(item)),
        Section("依据", (item.legal_basis,) if item.legal_basis else ()),
        Section("材料", tuple(_materials(item))),
        Section("流程", (*_numbered(item.procedure), *_steps(item.steps))),
        Section("时限", tuple(_limits(item))),
        Section("收费", tuple(_fees(item))),
        Section("怎么办、怎么取", tuple(_ways(item))),
        Section("一起办的事", _numbered(_members(item))),
    )
    return [section for section in made if section.lines]


def handed_in(material: Material) -> str:
    """Return how a paper is handed in: original and copies, in words."""
    if material.copies:
        return material.copies
    words = {
        Original.CHECKED: "原件核验后退还",
        Original.KEPT: "原件 1 份",
    }
    count = material.copy_count
    copies = f"复印件 {count} 份" if count else ""
    return "，".join(filter(None, (words.get(material.original), copies)))


def exemptions(material: Material) -> str:
    """Return by what the paper need not be handed in, in words; "" if by nothing."""
    said = [_named(e.name, WORDS[Proof][e.kind]) for e in material.exempt_by]
    return f"免提交：凭{'或'.join(said)}" if said else ""


def _named(name: str, kind: str) -> str:
    return name if kind in name else f"{name}（{kind}）"


def _applicants(item: Item) -> tuple[str, ...]:
    kinds = "、".join(word(kind) for kind in item.applicants)
    return (f"申请人：{kinds}", *_numbered(item.conditions))


def _materials(item: Item) -> Iterable[str]:
    for number, material in enumerate(item.materials, start=1):
        need = "" if material.required else "（视情况）"
        details = (material.condition, handed_in(material), exemptions(material))
        tail = "；".join(filter(None, details))
        yield f"{number}. {material.name}{need}" + (f"：{tail}" if tail else "")


def _steps(steps: Iterable[Step]) -> Iterable[str]:
    for step in steps:
        when = f"{step.workdays} 个工作日" if step.workdays else "当天"
        beside = "，与上一环节同时" if step.parallel else ""
        counted = "" if step.counted else "，不计入时限"
        who = step.department or word(step.tier)
        yield f"{step.name}（{who}）：{when}{beside}{counted}"


def _limits(item: Item) -> Iterable[str]:
    yield f"法定 {item.legal_workdays} 个工作日"
    if item.same_day:
        yield "承诺当场办结"
    else:
        yield f"承诺 {item.promise_workdays} 个工作日"
    if item.urgent:
        yield f"绿色通道：{item.urgent.when}，{item.urgent.workdays} 个工作日"


def _fees(item: Item) -> Iterable[str]:
    yield item.fee
    for fee in item.fees:
        reduction = f"；{fee.reduction}" if fee.reduction else ""
        yield f"{fee.name}：{fee.standard}（{fee.basis}）{reduction}"


def _ways(item: Item) -> Iterable[str]:
    if item.modes:
        yield f"办理方式：{'、'.join(word(mode) for mode in item.modes)}"
    if item.trips is not None:
        yield f"最多跑 {item.trips} 次" if item.trips else "一次也不用跑"
    if item.result:
        yield f"办理结果：{item.result}"
    if item.delivery:
        yield f"领取方式：{'、'.join(word(way) for way in item.delivery)}"


def _members(item: Item) -> Iterable[str]:
    return (f"{member.name}（{member.department}）" for member in item.members)


def _numbered(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{number}. {line}" for number, line in enumerate(lines, start=1))
