"""A paper that an application needs. Pure: no I/O.

A part of `forms.item.Item`. What may stand in it is in `forms.item_faults`.
"""

from enum import StrEnum

from msgspec import Struct


class Original(StrEnum):
    """What becomes of an original. The values are stored, so never rename one."""

    UNSAID = ""
    CHECKED = "checked"  # 核验后退还
    KEPT = "kept"  # 收取原件
    NOT_NEEDED = "not_needed"  # 不需要原件


class Proof(StrEnum):
    """What may stand in for a paper 免提交. The values are stored."""

    CERTIFICATE = "certificate"  # an electronic certificate 电子证照
    DATA = "data"  # a data source of the government 数据共享
    RESULT = "result"  # what another item has decided
    PROMISE = "promise"  # a promise of the applicant 告知承诺


class Exemption(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """By what a paper need not be handed in."""

    kind: Proof
    name: str
    """Which certificate, data source, result or promise, in words."""
    item: str = ""
    """For a result: the code of the item that gives it."""


class Material(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A paper that an application needs 材料."""

    key: str
    name: str
    required: bool = True
    copies: str = ""
    """Originals and copies, in words: "原件核验，复印件 1 份"."""
    review: tuple[str, ...] = ()
    """What a reviewer looks at 审核要点, one sentence each."""
    proves: tuple[str, ...] = ()
    """Keys of the fields whose answers this paper proves."""
    original: Original = Original.UNSAID
    copy_count: int | None = None
    """Paper copies to hand in; None: see `copies`."""
    issuer: str = ""
    """Who makes out the paper: "公安机关"; empty: the applicant."""
    condition: str = ""
    """When it is needed, in words, where not always."""
    relevant: str = ""
    """The same as an expression over the form: "${agent} = 'yes'"; empty: always."""
    exempt_by: tuple[Exemption, ...] = ()
    """What stands in for it; any one of them is enough."""
