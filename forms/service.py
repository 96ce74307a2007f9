"""How a service is given: ways in, ways out, steps, fees, codes. Pure: no I/O.

Parts of `forms.item.Item`. What may stand in them is in `forms.item_faults`.
"""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct


class Tier(StrEnum):
    """The three tiers, from below. The values are stored, so never rename one."""

    VILLAGE = "village"  # 村
    TOWN = "town"  # 镇
    DISTRICT = "district"  # 区


class Mode(StrEnum):
    """A way to apply 办理方式. The values are stored, so never rename one."""

    WINDOW = "window"  # 窗口
    ONLINE = "online"  # 网办
    AGENT = "agent"  # 代办
    VISIT = "visit"  # 上门
    POST = "post"  # 双向快递
    SITE = "site"  # 勘查带回: the inspector takes the papers along


class OnlineDepth(StrEnum):
    """How far an item goes online 网办深度. The values are stored."""

    NONE = "none"
    PRE_REVIEW = "pre_review"  # 网上预审
    FINAL_REVIEW = "final_review"  # 网上终审
    FULL = "full"  # 全程网办


class Delivery(StrEnum):
    """How the result comes to the applicant 送达方式. The values are stored."""

    COUNTER = "counter"  # 窗口自取
    POST = "post"  # 快递
    AGENT = "agent"  # 代办员送达
    ELECTRONIC = "electronic"  # 电子证照


class CodeKind(StrEnum):
    """What a code names, by GB/T 39554.1-2020. The values are stored."""

    BASE = "base"  # 基本编码
    IMPLEMENTING = "implementing"  # 实施编码
    BUSINESS = "business"  # 业务办理项编码
    LOCAL = "local"  # a province's or district's own


class Code(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A code under which others know the item; opaque, never computed with."""

    kind: CodeKind
    value: str
    scheme: str
    """By which rule it is made, in words."""


class Step(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the way from acceptance to delivery 环节, with its own limit."""

    name: str
    tier: Tier
    workdays: int
    """Limit of this step; 0: the day on which it begins."""
    department: str = ""
    """Who takes it, where that is not the item's department."""
    parallel: bool = False
    """It runs beside the step before it 并联."""
    counted: bool = True
    """False for what the promise does not count: publicity, inspection, hearing."""


class Fee(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that may be charged 收费项目; without one no amount is taken."""

    name: str
    standard: str
    """How much for what, in words: "每证 10 元"."""
    basis: str
    """The rule that allows it."""
    amount_yuan: str = ""
    """The amount where it is fixed: "10" or "10.50"."""
    reduction: str = ""
    """Who pays less or nothing 减免, in words."""


class Urgent(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The green channel 绿色通道: when it opens, who opens it, and how fast it is."""

    when: str
    approve: Tier
    workdays: int


class Member(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An item that a joint package 一件事 brings with it."""

    code: str
    name: str
    department: str
    materials: tuple[str, ...] = ()
    """Keys of the package's papers that serve this item too; empty: all of them."""


def counted_workdays(steps: Iterable[Step]) -> int:
    """Return how many working days the steps take; parallel ones count once."""
    total = stage = 0
    for step in steps:
        if not step.parallel:
            total, stage = total + stage, 0
        stage = max(stage, step.workdays if step.counted else 0)
    return total + stage
