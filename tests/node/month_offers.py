"""What the month is made of: its days, its working calendar, its desks, its items.

The items are written down from their guides, so that the independent count
(`month_count`) asks nothing of the programs that read packages.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from node.workdays import Day, YearTable
from tests.node.nodes import ALLOWANCE, BIRTH, ELDER

FIRST = date(2026, 12, 1)
SEEN_ON = date(2027, 3, 1)
PUBLISHED_ON = date(2026, 12, 14)
TABLE = YearTable(
    2027,
    (Day(date(2027, 1, 1), "元旦"), Day(date(2027, 1, 4), "元旦")),
    (Day(date(2027, 1, 9), "元旦"),),
    "通知",
)
MORNING, NOON, AFTERNOON = 9, 11, 14
"""Village, town and district each have their hour; what is done is synced after it."""
WRONG_BY = timedelta(days=400)
"""How far a clock is off that nobody has set."""
VILLAGES = ("village", "other", "third")

FOOD, PACKAGE = "330131005000", "332023025000"
PROPERTY, KINDERGARTEN = "330715004000", "330105006000"


@dataclass(frozen=True, slots=True)
class StepLimit:
    """A limit of one step, as the guide of the item has it.

    It runs from when the case was taken up, or went up (`from_forward`), until it
    went up, was decided, or all of `branches` have given their opinion. `department`
    has it whoever the case is handed to; "": whoever has the case.
    """

    name: str
    tier: str
    workdays: int
    from_forward: bool = False
    to_forward: bool = False
    branches: tuple[str, ...] = ()
    department: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a plan, and the count, know of an item: written down from its guide.

    `trips` is how often the applicant has to come; `urgent` the working days of the
    green channel, which the district opens then, 0 for none; `branches` are the keys
    of a joint case's.
    """

    code: str
    department: str
    promised: int
    legal: int
    points: int
    trips: int
    paper: str
    steps: tuple[StepLimit, ...] = ()
    desks: tuple[str, ...] = VILLAGES
    accept: str = "town"
    decide: str = "district"
    urgent: int = 0
    branches: tuple[str, ...] = ()
    phone: str = ""


def _upper(name: str, workdays: int) -> StepLimit:
    return StepLimit(name, "district", workdays, from_forward=True)


def _branch(name: str, workdays: int, department: str, *its: str) -> StepLimit:
    return StepLimit(
        name, "district", workdays, branches=its or (name,), department=department
    )


_BIRTH_BUREAU, _INSURANCE = "卫生健康局", "医疗保障局"
_BORN = ("332023002000", "332023025001")
_INSURED = ("332036025003", "332036025006")
_PACKAGE_UP = {
    "出生医学证明": ("district", 2, _BORN, _BIRTH_BUREAU),
    "户口登记": ("town", 4, ("332009025002",), "公安局"),
    "医保参保和报销": ("district", 4, _INSURED, _INSURANCE),
    "社保卡申领": ("district", 4, ("332014025004",), "人力资源和社会保障局"),
    "预防接种证": ("town", 3, ("332023025005",), "疾病预防控制中心"),
}

OFFERS = (
    Offer(
        ELDER,
        "民政局（老龄办）",
        *(30, 60, 2, 0, "id_card"),
        steps=(
            StepLimit("受理", "town", 5, to_forward=True),
            _upper("制证和送达", 25),
        ),
        desks=(*VILLAGES, "town"),
        phone="phone",
    ),
    Offer(
        ALLOWANCE,
        "民政局",
        *(25, 44, 8, 0, "income_proof"),
        steps=(
            StepLimit("镇受理、核对和入户调查", "town", 15, to_forward=True),
            _upper("区审核确认", 10),
        ),
        phone="phone",
    ),
    Offer(
        BIRTH,
        _BIRTH_BUREAU,
        *(1, 7, 1, 0, "id_cards"),
        steps=(StepLimit("核对并登记", "town", 1),),
        decide="town",
        phone="wife_phone",
    ),
    Offer(
        FOOD,
        "市场监督管理局",
        *(7, 20, 6, 0, "application"),
        steps=(
            StepLimit("受理", "town", 1, to_forward=True),
            _upper("制证送达", 6),
        ),
        urgent=3,
    ),
    Offer(
        PACKAGE,
        _BIRTH_BUREAU,
        *(5, 32, 5, 1, "parents_id"),
        steps=(
            StepLimit("收件和分送", "town", 1, to_forward=True),
            *(
                StepLimit(
                    name,
                    tier,
                    workdays,
                    from_forward=True,
                    branches=its,
                    department=department,
                )
                for name, (tier, workdays, its, department) in _PACKAGE_UP.items()
            ),
        ),
        branches=(
            *_BORN,
            "332009025002",
            *_INSURED,
            "332014025004",
            "332023025005",
        ),
    ),
    Offer(
        PROPERTY,
        "自然资源和规划局",
        *(5, 30, 6, 1, "id_cards"),
        steps=(
            _branch("权属审核", 3, "自然资源和规划局"),
            _branch("税务核定", 3, "税务局"),
            _branch("交易核验", 3, "住房和城乡建设局"),
            StepLimit("登簿制证", "district", 5),
        ),
        desks=("town",),
        accept="district",
        urgent=1,
        branches=("权属审核", "税务核定", "交易核验"),
    ),
    Offer(
        KINDERGARTEN,
        "教育体育局",
        *(15, 45, 10, 1, "application"),
        steps=(
            _branch("教育审查", 9, "教育体育局", "330105006001"),
            _branch("卫生保健评价", 9, "卫生健康局", "330123006000"),
            _branch("食堂审查", 9, "市场监督管理局", "330131005000"),
            StepLimit("发证", "district", 11),
        ),
        desks=("town",),
        accept="district",
        urgent=7,
        branches=("330105006001", "330123006000", "330131005000"),
    ),
)
WEIGHTS = (6, 4, 4, 3, 2, 2, 2)
"""How often each is asked for."""
