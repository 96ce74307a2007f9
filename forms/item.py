"""What can be applied for. Pure: no I/O.

An item says who may apply, which tier does what, within which limits, and with which
materials. Its form is in `forms.package`; what may stand in it, in `forms.faults`.
"""

from enum import StrEnum

from msgspec import Struct, field


class Tier(StrEnum):
    """The three tiers, from below. The values are stored, so never rename one."""

    VILLAGE = "village"  # 村
    TOWN = "town"  # 镇
    DISTRICT = "district"  # 区


class Applicant(StrEnum):
    """Who applies. The values are stored, so never rename one."""

    PERSON = "person"  # 个人
    HOUSEHOLD = "household"  # 家庭
    COUPLE = "couple"  # 夫妻
    BUSINESS = "business"  # 企业


class Material(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A paper that an application needs 材料."""

    key: str
    name: str
    required: bool = True
    copies: str = ""
    """Originals and copies, in words: "原件核验，复印件 1 份"."""
    review: tuple[str, ...] = ()
    """What a reviewer looks at 审查要点, one sentence each."""
    proves: tuple[str, ...] = ()
    """Keys of the fields whose answers this paper proves."""


class Item(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """Something that can be applied for 事项."""

    code: str
    """Opaque: provinces number differently, and numbers change."""
    code_scheme: str
    """By which rule `code` is made; for people, never computed with."""
    name: str
    department: str
    applicant: Applicant
    collect: tuple[Tier, ...]
    """Tiers at which papers may be handed in, from below."""
    accept: Tier
    """Tier that accepts, and so starts the time limit."""
    decide: Tier
    legal_workdays: int
    promise_workdays: int
    """Working days promised: 1 (decided on the spot) to `legal_workdays`."""
    # A factory's value is never left out on the wire, see `forms.package`.
    fee: str = field(default_factory=lambda: "不收费")
    legal_basis: str = ""
    guide: str = ""
    """How it is done 办事指南, for applicant and clerk; the only text with lines."""
    difficulty: int = 1
    """Points by which the work of a desk is counted, 0 to 100."""
    file_limit_kib: int = 20 * 1024
    """Largest file that may be attached, in units of 1024 bytes."""
    case_limit_kib: int = 100 * 1024
    """Largest sum of all files of a case."""
    image_side_px: int = 2000
    """Longest side of a photograph; a larger one is made smaller as it is attached."""
    materials: tuple[Material, ...] = ()
    keywords: tuple[str, ...] = ()

    @property
    def file_limit_bytes(self) -> int:
        """Largest file that may be attached."""
        return self.file_limit_kib * 1024

    @property
    def case_limit_bytes(self) -> int:
        """Largest sum of all files of a case."""
        return self.case_limit_kib * 1024
