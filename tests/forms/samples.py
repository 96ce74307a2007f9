"""A small form with a field of every kind, and answers that fit it."""

from datetime import date

from forms.citizen_id import expected_check_character
from forms.item import Applicant, Item, Material, Tier
from forms.package import Choice, Field, Package

TODAY = date(2026, 11, 21)
SHA = "ab" * 32


def id_number(born_on: date, sequence: str = "001") -> str:
    first17 = f"330881{born_on:%Y%m%d}{sequence}"
    return first17 + expected_check_character(first17)


FIELDS = (
    Field("name", "text", "姓名", required=True, role="applicant_name"),
    Field(
        "citizen_id",
        "citizen_id",
        "身份证号",
        required=True,
        minimum="60",
        role="applicant_id",
    ),
    Field("phone", "phone", "联系电话", role="applicant_phone"),
    Field("size", "integer", "家庭人口", minimum="1", maximum="20"),
    Field("income", "decimal", "月收入", minimum="0", maximum="1000000"),
    Field("since", "date", "起始日期", maximum="today"),
    Field(
        "sex",
        "choice",
        "性别",
        required=True,
        choices=(Choice("male", "男"), Choice("female", "女")),
    ),
    Field("photo", "file", "照片", maximum="1"),
    Field("notice", "note", "说明", hint="不收任何费用"),
)

ITEM = Item(
    code="332011001000",
    code_scheme="示例",
    name="老年人优待证办理",
    department="民政局",
    applicant=Applicant.PERSON,
    collect=(Tier.VILLAGE, Tier.TOWN),
    accept=Tier.TOWN,
    decide=Tier.DISTRICT,
    legal_workdays=60,
    promise_workdays=30,
    materials=(Material("id_card", "身份证", proves=("name", "citizen_id")),),
)

PACKAGE = Package(version="2026112101", item=ITEM, fields=FIELDS)

ANSWERS = {
    "name": "张三",
    "citizen_id": id_number(date(1950, 3, 8)),
    "phone": "13812345678",
    "size": "4",
    "income": "860.00",
    "since": "2020-01-31",
    "sex": "male",
    "photo": SHA,
}


def field(key: str) -> Field:
    return next(field for field in FIELDS if field.key == key)
