"""Answers that fit the shipped forms, made from a question's kind and type.

`filled` goes through a whole form. `answer` knows what usually fits; `SPECIAL` has what
a form wants more of, also in place of a default. Values are as they are stored; dates
are told from `TODAY`.
"""

from datetime import date, timedelta

from forms import check
from forms.filled import FilledForm
from forms.package import Package
from tests.forms.samples import TODAY, id_number


def day(number: int) -> str:
    """The day so many days from today."""
    return (TODAY + timedelta(days=number)).isoformat()


TRADER = "92330881MA2FHC0XXW"
BY_KIND = {
    "phone": "13812345678",
    "division": "330881105201",
    "credit_code": "91350100M000100Y43",
    "person_name": "张三",
    "amount_yuan": "0",
}
BY_TYPE = {
    "string": "示例",
    "int": "1",
    "decimal": "10",
    "date": day(0),
    "time": "08:30",
    "binary": "",
    "trigger": "OK",
}
MOST_ROUNDS = 12


def filled(package: Package, name: str, today: date) -> FilledForm:
    """Answer whatever a form asks, as long as something is missing.

    Args:
        package: one that ships.
        name: name of its form without its suffix.
        today: the day on which it is filled in.
    """
    form = FilledForm(package, {}, check.noon(today), is_new=True)
    number, given = 0, set[str]()
    for _ in range(MOST_ROUNDS):
        asked = [
            line
            for line in form.lines()
            if line.field
            and line.is_open
            and line.key not in given
            and (
                (line.is_required and not line.value)
                # Some forms want another answer than their default.
                or line.key.rpartition("/")[2] in SPECIAL.get(name, {})
            )
        ]
        if not asked:
            break
        for line in asked:
            assert line.field is not None
            number += 1
            given.add(line.key)
            place = package.places[line.field.key]
            control = place.control
            assert control is not None
            choices = [choice.value for choice in line.choices]
            kind = "" if line.field.kind in ("text", "choice") else line.field.kind
            type_ = "trigger" if control.kind == "trigger" else place.bind.type
            form.answer(
                line.key, answer(name, place.name, kind, type_, choices, number)
            )
    return form


def answer(
    form: str, name: str, kind: str, type_: str, choices: list[str], number: int
) -> str:
    """Return an answer that fits a question.

    Args:
        form: name of the form, as in `filled`.
        name: name of the question.
        kind: its `bind::lianban:kind`, or "".
        type_: the type of its bind: "string", "int"...; "trigger" to acknowledge.
        choices: the values that it offers; empty if none.
        number: counts the questions, so that two persons have two ids.
    """
    special = SPECIAL.get(form, {}) | EVERYWHERE
    if name in special:
        value = special[name]
        return value if isinstance(value, str) else value[number % len(value)]
    if kind == "citizen_id":
        return id_number(date(1940 if form in OLD else 1990, 3, 8), f"{number:03}")
    if kind in BY_KIND:
        return BY_KIND[kind]
    return choices[0] if choices else BY_TYPE.get(type_, "OK")


OLD = {"elder_card", "elder_allowance"}
EVERYWHERE: dict[str, str | list[str]] = {
    "bank_account": "6217001234567890123",
    "bank_account_again": "6217001234567890123",
    "birth_number": "Y330000001",
    "card_number": "A12345678",
    "health_until": day(90),
    "project_code": "2401-330881-04-01-123456",
    "start_on": day(30),
    "finish_on": day(400),
    "visit_on": day(90),
}
SPECIAL: dict[str, dict[str, str | list[str]]] = {
    "company_registration": {
        "company_name": "江山市兴旺商贸有限公司",
        "company_name_2": "江山市兴隆商贸有限公司",
        "paid_by": day(365),
        "supervisor_name": "李四",
    },
    "dangerous_goods_vehicle_licence": {
        "permit_number": "330881000123",
        "permit_until": day(365),
        "plate_number": "浙H12345",
        "vin": "LSVAA4182E2123456",
        "inspected_until": day(200),
        "tank_until": day(200),
        "third_party_yuan": "1000000",
        "carrier_yuan": "500000",
        "insured_until": day(300),
        "crew_until": day(300),
        "crew_count": "2",
        "crew_job": ["driver", "escort"],
        "pickup_on": day(1),
    },
    "elder_allowance": {"other_benefit": "no"},
    "elder_card": {
        "citizen_id": id_number(date(1940, 3, 8)),
        "sex": "male",
        "card_type": "age70",
        "contact_phone": "0570-4012345",
    },
    "food_licence": {"items": "hot drink"},
    "health_licence": {"disinfection_area": "5"},
    "industrial_construction_permit": {
        "contractor_code": "91110000600037341L",
        "director_name": "李四",
        "wage_account": "33001234567890123",
    },
    "industrial_planning_permit": {
        "land_area": "1000",
        "floor_area": "1500",
        "footprint": "500",
        "green_area": "100",
        "far_limit": "1.2",
        "density_limit": "40",
        "green_limit": "15",
    },
    "insured_details_change": {"new_name": "张叁"},
    "investment_filing": {
        "project_name": "江山市年产十万套木门技改项目",
        "industry_code": "2032",
        "summary": "改造厂房三千平方米，新增数控生产线两条，形成年产十万套木门的能力",
        "building_cost": "100",
        "own_money": "20",
    },
    "joint_completion_acceptance": {"started_on": day(-400), "finished_on": day(-20)},
    "kindergarten_opening": {
        "funds": "500000",
        "opening_on": day(100),
        "staff_count": "3",
    },
    "land_planning_stage": {"land_area": "10", "farmland": "10"},
    "newborn_package": {"weeks": "39", "weight_g": "3300", "length_cm": "50"},
    "pension_enrolment": {"student": "no", "contribution_grade": "g500"},
    "property_transfer": {"price": "860000"},
    "residence_permit": {
        "household_division": "340100000000",
        "lived_since": day(-300),
    },
    "subsistence_allowance": {"hardship_detail": "户主长年患病，失去劳动能力已有三年"},
    "trader_change": {"credit_code": TRADER, "new_name": "江山市兴隆小吃店"},
    "trader_deregistration": {"credit_code": TRADER},
    "trader_registration": {"brand_2": "兴隆", "capital": "50000"},
    "utility_transfer": {
        "water_number": "30012345",
        "power_number": "3300123456",
        "gas_number": "G0012345",
        "arrears": "no",
    },
}
