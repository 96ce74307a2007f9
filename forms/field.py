"""One question of a form. Pure: no I/O.

What a kind means is a row of `forms.kinds.KINDS`; what may stand in a field, in
`forms.faults`.
"""

from msgspec import Struct

ROLES: dict[str, tuple[str, ...]] = {
    "applicant_name": ("text", "person_name"),
    "applicant_id": ("citizen_id",),
    "applicant_phone": ("phone",),
}
"""Fields from which a list row is made: each role at most once, with its kinds."""


class Choice(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of the answers of a choice: the value is stored, the label is shown."""

    value: str
    label: str


class Field(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question, or one remark, of a form 字段."""

    key: str
    kind: str
    label: str
    required: bool = False
    hint: str = ""
    choices: tuple[Choice, ...] = ()
    minimum: str | None = None
    """Lowest answer allowed, in the scale of the kind; see `forms.kinds`."""
    maximum: str | None = None
    max_length: int | None = None
    """Most characters of a text; None: as many as the kind allows."""
    subject: str | None = None
    """Whose data this is, when not the applicant's: "husband", "contact"..."""
    role: str = ""
    """A key of `ROLES`, or nothing."""
