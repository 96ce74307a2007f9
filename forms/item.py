"""What can be applied for. Pure: no I/O.

An item says who may apply, which tier does what, within which limits, and with which
materials. Its form is in `forms.package`; what may stand in it, in
`forms.item_faults`. What has a default may be left out: an item of the first format
said no more than its code, tiers, limits, materials and a guide.
"""

from enum import StrEnum

from msgspec import Struct, field

from forms.material import Material
from forms.service import (
    Code,
    Delivery,
    Fee,
    Member,
    Mode,
    OnlineDepth,
    Step,
    Tier,
    Urgent,
)

__all__ = ["Applicant", "Item", "Material", "Tier"]


class Applicant(StrEnum):
    """Who applies. The values are stored, so never rename one."""

    PERSON = "person"  # 个人
    HOUSEHOLD = "household"  # 家庭
    COUPLE = "couple"  # 夫妻
    BUSINESS = "business"  # 企业、个体工商户
    ORGANISATION = "organisation"  # 机关、事业单位、社会组织


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
    category: str = ""
    """Kind of power 事项类型, in words: "行政许可"."""
    codes: tuple[Code, ...] = ()
    """Under which codes others know it; `code` is the one that we go by."""
    other_applicants: tuple[Applicant, ...] = ()
    """Who may apply besides `applicant`."""
    also_accept: tuple[Tier, ...] = ()
    """Tiers that may accept besides `accept`, from below."""
    also_decide: tuple[Tier, ...] = ()
    """Tiers to which the decision is delegated 委托, from below."""
    same_day: bool = False
    """Decided while the applicant waits 即办件; `promise_workdays` is then 1."""
    steps: tuple[Step, ...] = ()
    urgent: Urgent | None = None
    modes: tuple[Mode, ...] = ()
    online_depth: OnlineDepth = OnlineDepth.NONE
    trips: int | None = None
    """How often the applicant has to come at most; 0: never; None: not promised."""
    delivery: tuple[Delivery, ...] = ()
    result: str = ""
    """What the applicant holds in the end 办理结果, in words."""
    fees: tuple[Fee, ...] = ()
    conditions: tuple[str, ...] = ()
    """Who may apply 受理条件, one sentence each."""
    procedure: tuple[str, ...] = ()
    """What happens 办理流程, one sentence for each step."""
    members: tuple[Member, ...] = ()
    """The items of a joint package 一件事; empty: an item by itself."""
    effective_on: str = ""
    """First day of this version, YYYY-MM-DD; empty: as soon as it is known."""

    @property
    def applicants(self) -> tuple[Applicant, ...]:
        """All who may apply, the usual one first."""
        return (self.applicant, *self.other_applicants)

    @property
    def file_limit_bytes(self) -> int:
        """Largest file that may be attached."""
        return self.file_limit_kib * 1024

    @property
    def case_limit_bytes(self) -> int:
        """Largest sum of all files of a case."""
        return self.case_limit_kib * 1024
