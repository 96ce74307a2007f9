"""What is applied for in the simulated district: short forms, every pair of tiers.

No question has anything to do with the day, so that a clock that is years off stops
nobody from filling in a form.
"""

from forms.field import Field
from forms.item import Applicant, Item, Tier
from forms.package import Package

QUESTIONS = ("name", "phone", "address", "remark")
VERSIONS = 3

_ALL = (Tier.VILLAGE, Tier.TOWN)
_FIELDS = (
    Field(key="name", kind="text", label="姓名", required=True, role="applicant_name"),
    *(Field(key=key, kind="text", label=key) for key in QUESTIONS[1:]),
)

# code: (name, who takes in, who accepts, who decides)
_ITEMS = {
    "330001001000": ("镇受理，区决定", _ALL, Tier.TOWN, Tier.DISTRICT),
    "330001002000": ("镇受理，镇决定", _ALL, Tier.TOWN, Tier.TOWN),
    "330001003000": ("区受理，区决定", _ALL, Tier.DISTRICT, Tier.DISTRICT),
}

CODES = tuple(_ITEMS)


def catalogue(version: int) -> list[Package]:
    """Return all packages in one of `VERSIONS` versions."""
    return [
        Package(
            version=str(2026010100 + version),
            item=Item(
                code=code,
                code_scheme="示例",
                name=name,
                department="民政局",
                applicant=Applicant.PERSON,
                collect=collect,
                accept=accept,
                decide=decide,
                legal_workdays=20,
                promise_workdays=5,
            ),
            fields=_FIELDS,
        )
        for code, (name, collect, accept, decide) in _ITEMS.items()
    ]
