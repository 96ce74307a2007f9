import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from forms import citizen_id
from forms.check import check, normalise
from forms.kinds import FLAT_KINDS, KINDS, MAX_AGE, MAX_FILES, MAX_TEXT
from forms.package import Choice, Field, Package, encode
from node.sample import CODES, Application, applications
from node.sample_writers import TEXTS, WRITERS
from tests.forms.samples import PACKAGE
from tests.shipping import shipped_packages

TODAY = date(2026, 11, 21)
VILLAGE = "330881102201"
SHIPPED = shipped_packages()
ELDER, BIRTH, ALLOWANCE = "332011001000", "332023002000", "330511003000"
BY_CODE = {package.item.code: package for package in SHIPPED}

MOST = "999999999999999"
EDGES = (
    Field("one", "text", "一个字", required=True, max_length=1, role="applicant_name"),
    Field("address", "text", "地址", required=True, max_length=1),
    Field("essay", "text", "自述", required=True, max_length=MAX_TEXT),
    Field("least", "integer", "最小", required=True, maximum=f"-{MOST}"),
    Field("most", "integer", "最大", required=True, minimum=MOST),
    Field("any", "integer", "任意", required=True),
    Field("below", "integer", "以下", required=True, maximum="-5"),
    Field("above", "integer", "以上", required=True, minimum="5000"),
    Field("only", "decimal", "唯一", True, minimum="0.000001", maximum="0.000001"),
    Field("debt", "decimal", "欠款", required=True, minimum="-0.5", maximum="-0.25"),
    Field("huge", "decimal", "很大", required=True, minimum=f"{MOST}.999999"),
    Field("depth", "decimal", "很小", required=True, maximum=f"-{MOST}.5"),
    Field("now", "date", "今天", required=True, minimum="today", maximum="today"),
    Field("later", "date", "以后", required=True, minimum="today"),
    Field("first_day", "date", "最早", required=True, maximum="1850-01-01"),
    Field("last_day", "date", "最晚", required=True, minimum="2199-12-31"),
    Field("leap", "date", "闰日", True, minimum="2024-02-29", maximum="2024-02-29"),
    Field("oldest", "citizen_id", "最老", required=True, minimum=str(MAX_AGE)),
    Field("newborn", "citizen_id", "新生儿", required=True, maximum="0"),
    Field("exact", "citizen_id", "同岁", required=True, minimum="60", maximum="60"),
    Field("anyone", "citizen_id", "任何人", required=True),
    Field("lone", "choice", "一项", required=True, choices=(Choice("x", "甲"),)),
    Field("no", "choice", "拒绝", required=True, choices=(Choice("no", "不同意"),)),
    Field("files", "file", "附件", required=True, minimum=str(MAX_FILES)),
    Field("file", "file", "附件", required=True),
    Field("phone", "phone", "电话", required=True, role="applicant_phone"),
    Field("landline", "phone", "固定电话", required=True),
    Field("never", "file", "不收附件", maximum="0"),
    Field("not_yet", "date", "将来", minimum="2100-01-01", maximum="today"),
    Field("notice", "note", "说明"),
)  # fmt: skip
NAMED = (
    Field("name", "text", "姓名", required=True, role="applicant_name"),
    Field("ethnicity", "text", "民族", required=True),
    Field("phone", "phone", "电话", required=True),
    Field("remark", "text", "备注"),
)
HOUSEHOLD = (
    Field("household_size", "integer", "人口", True, minimum="1", maximum="20"),
    Field("workers", "integer", "劳动力", True, minimum="0", maximum="20"),
    Field("monthly_income", "decimal", "月收入", True, minimum="0", maximum="1000000"),
    Field("income_per_person", "decimal", "人均月收入", True, minimum="0"),
)


def some(
    *packages: Package, seed: int = 1, today: date = TODAY, count: int = 200
) -> list[Application]:
    return list(
        applications(packages, seed=seed, today=today, division=VILLAGE, count=count)
    )


def of_fields(*fields: Field) -> Package:
    item = replace(PACKAGE.item, materials=())
    package = replace(PACKAGE, item=item, fields=fields)
    assert encode(package)
    return package


def answers(code: str, count: int = 60) -> list[dict[str, str]]:
    return [application.answers for application in some(BY_CODE[code], count=count)]


def age(number: str) -> int:
    return citizen_id.age_on(number, TODAY)


@pytest.mark.parametrize("seed", [0, 1, 7, 20261121])
def test_every_application_is_canonical_and_without_problem(seed: int) -> None:
    made = some(*SHIPPED, seed=seed, count=60)

    assert len(made) == 60
    for application in made:
        package = BY_CODE[application.item_code]
        assert normalise(package, application.answers) == application.answers
        assert list(normalise(package, application.answers)) == [*application.answers]
        assert check(package, application.answers, TODAY) == []


def test_the_same_seed_gives_the_same_applications() -> None:
    assert some(*SHIPPED, seed=3, count=20) == some(*SHIPPED, seed=3, count=20)


def test_another_seed_gives_other_applications() -> None:
    streams = {str(some(*SHIPPED, seed=seed, count=2)) for seed in range(20)}

    assert len(streams) == 20


def test_fewer_applications_are_the_first_of_more() -> None:
    assert some(*SHIPPED, count=5) == some(*SHIPPED, count=20)[:5]


def test_no_application_is_made_before_it_is_asked_for() -> None:
    stream = applications(SHIPPED, seed=1, today=TODAY, division=VILLAGE, count=10**9)

    assert isinstance(stream, Iterator)
    assert list(islice(stream, 3)) == some(*SHIPPED, count=3)


def test_another_process_makes_the_same_bytes_whatever_its_hash_seed() -> None:
    script = "from tests.node.test_sample import fingerprint; print(fingerprint())"

    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )

        assert run.stdout.strip() == fingerprint()


def fingerprint() -> str:
    made = some(*SHIPPED, of_fields(*EDGES), count=40)
    return hashlib.sha256(repr(made).encode()).hexdigest()


def test_id_numbers_are_nearly_all_different_and_of_the_division() -> None:
    numbers = [
        value
        for application in some(*SHIPPED, count=200)
        for key, value in application.answers.items()
        if key in ("citizen_id", "wife_id", "husband_id")
    ]

    assert len(set(numbers)) >= 0.99 * len(numbers)
    assert {number[:6] for number in numbers} == {VILLAGE[:6]}


def test_names_vary() -> None:
    names = [made.answers["name"] for made in some(of_fields(*NAMED))]

    assert len(set(names)) >= 0.3 * len(names)


def test_names_are_of_many_kinds() -> None:
    names = [made.answers["name"] for made in some(of_fields(*NAMED), count=5_000)]

    everything = "".join(names)
    surnames = Counter(name[0] for name in names)
    assert any(name.startswith(("欧阳", "司徒")) for name in names)
    assert any("·" in name for name in names)
    assert all(character in everything for character in "𠮷䶮喆堃犇")
    assert {surname for surname, _ in surnames.most_common(5)} == set("王李张刘陈")


def test_an_elder_gets_the_card_for_the_own_sex_and_age() -> None:
    for given_answers in answers(ELDER):
        number = given_answers["citizen_id"]

        assert given_answers["sex"] == citizen_id.sex(number)
        assert given_answers["card_type"] == ("age70" if age(number) >= 70 else "age60")
        assert given_answers["contact_phone"] != given_answers["phone"]


def test_names_and_ethnicities_go_together() -> None:
    for made in some(of_fields(*NAMED), count=3_000):
        is_uyghur = made.answers["ethnicity"] == "维吾尔族"

        assert ("·" in made.answers["name"]) == is_uyghur


def test_a_couple_is_of_two_sexes_and_married_when_both_were_of_age() -> None:
    for given_answers in answers(BIRTH):
        wife, husband = given_answers["wife_id"], given_answers["husband_id"]
        married_on = date.fromisoformat(given_answers["marriage_date"])

        assert citizen_id.sex(wife) == "female"
        assert citizen_id.sex(husband) == "male"
        assert citizen_id.age_on(wife, married_on) >= 20
        assert citizen_id.age_on(husband, married_on) >= 22


def test_a_child_is_expected_or_born_as_the_stage_says() -> None:
    for given_answers in answers(BIRTH):
        number, living = (
            int(given_answers[key]) for key in ("child_number", "living_children")
        )
        stage, day = given_answers["stage"], given_answers.get("expected_date")

        assert living == (number if stage == "born" else number - 1)
        assert not (stage == "planned" and day)
        assert bool(day) == (stage == "pregnant")
        assert not day or date.fromisoformat(day) > TODAY
        assert ("born_on" in given_answers) == (stage == "born")


def test_a_household_has_as_many_members_as_it_says_and_one_applies() -> None:
    for given_answers in answers(ALLOWANCE, 20):
        size = int(given_answers["household_size"])
        relations = [
            text
            for key, text in given_answers.items()
            if key.endswith("/member_relation")
        ]

        assert len(relations) == size
        assert relations.count("self") == 1
        assert given_answers["member/001/member_id"] == given_answers["citizen_id"]
        assert given_answers["member/001/member_name"] == given_answers["name"]


def test_a_household_shares_its_income() -> None:
    for application in some(of_fields(*HOUSEHOLD)):
        given_answers = application.answers
        size = int(given_answers["household_size"])
        share = Decimal(given_answers["monthly_income"]) / size

        assert int(given_answers["workers"]) <= size
        assert Decimal(given_answers["income_per_person"]) == share.quantize(
            Decimal("0.01"), ROUND_HALF_UP
        )


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [
        ("household_size", "7", "7"),  # above what is usual
        ("workers", "9", "20"),  # more workers than a usual household has people
        ("workers", "0", "0"),
        ("monthly_income", "0", "0"),
        ("monthly_income", "500000", "1000000"),
        ("income_per_person", "0", "99.99"),  # bounds the income of the household
        ("income_per_person", "20000", "1000000"),
    ],
)
def test_a_household_is_consistent_within_any_limits(
    key: str, low: str, high: str
) -> None:
    package = of_fields(
        *(
            replace(field, minimum=low, maximum=high) if field.key == key else field
            for field in HOUSEHOLD
        )
    )

    for application in some(package):
        given_answers = application.answers
        size = int(given_answers["household_size"])
        share = Decimal(given_answers["monthly_income"]) / size
        assert check(package, given_answers, TODAY) == []
        assert int(given_answers["workers"]) <= size
        assert abs(Decimal(given_answers["income_per_person"]) - share) < Decimal(
            "0.01"
        )


def test_the_elder_card_is_applied_for_most() -> None:
    made = Counter(application.item_code for application in some(*SHIPPED))

    assert set(made) == set(BY_CODE) == set(CODES)
    assert made.most_common(1)[0][0] == ELDER


def test_about_half_of_the_optional_fields_are_filled() -> None:
    made = [one.answers for one in some(of_fields(*NAMED), count=2_000)]

    assert 0.45 < sum("remark" in given for given in made) / len(made) < 0.55


def test_a_file_that_need_not_be_is_never_made_up() -> None:
    made = answers(ELDER)

    assert any("remark" in given for given in made)
    assert not any("photo" in given or "papers" in given for given in made)


def test_addresses_of_a_village_name_one_village_and_of_a_town_many() -> None:
    def villages(division: str) -> set[str]:
        made = applications(
            [BY_CODE[ELDER]], seed=1, today=TODAY, division=division, count=50
        )
        return {a.answers["home_address"].split("村")[0] for a in made}

    assert len(villages("330881102201")) == 1
    assert len(villages("330881102")) > 5
    assert len(villages("330881")) > len(villages("330881102"))


def test_every_kind_that_is_answered_can_be_drawn() -> None:
    answered = {kind.name for kind in KINDS.values() if kind.answers}

    assert set(WRITERS) == answered - {"computed"}


def test_limits_at_the_edge_are_kept() -> None:
    package = of_fields(*EDGES)

    for application in some(package, count=500):
        assert normalise(package, application.answers) == application.answers
        assert check(package, application.answers, TODAY) == []
        assert not {"never", "not_yet", "notice"} & set(application.answers)


@pytest.mark.parametrize(
    "today",
    [
        date(2028, 2, 29),  # on which nobody of a common year was born
        date(2027, 2, 28),
        date(2027, 3, 1),
        date(2026, 1, 1),
        date(2026, 12, 31),
    ],
)
def test_ages_at_the_limit_are_kept_on_any_day(today: date) -> None:
    def field(years: int) -> Field:
        text = str(years)
        return Field(f"n{text}", "citizen_id", "号", True, minimum=text, maximum=text)

    package = of_fields(*(field(years) for years in range(0, MAX_AGE + 1, 3)))

    for application in some(package, today=today, count=300):
        assert check(package, application.answers, today) == []


@pytest.mark.parametrize(
    "field",
    [
        Field("d", "date", "日期", True, minimum="2100-01-01", maximum="today"),
        Field("f", "file", "附件", True, maximum="0"),
        Field("n", "date", "日期", True, minimum="today", maximum="2026-11-20"),
    ],
)
def test_a_required_field_that_nothing_fits_is_said_at_once(field: Field) -> None:
    package = of_fields(field)

    with pytest.raises(ValueError, match=f"'{field.key}'"):
        applications([package], seed=1, today=TODAY, division=VILLAGE, count=0)


@pytest.mark.parametrize(
    ("seed", "division", "count"),
    [(-1, VILLAGE, 1), (1, "33088", 1), (1, "33088x", 1), (1, VILLAGE, -1)],
)
def test_arguments_out_of_range_are_refused(
    seed: int, division: str, count: int
) -> None:
    with pytest.raises(ValueError):
        applications(SHIPPED, seed=seed, today=TODAY, division=division, count=count)


def test_without_packages_there_is_nothing_to_apply_for() -> None:
    with pytest.raises(ValueError, match="package"):
        applications([], seed=1, today=TODAY, division=VILLAGE, count=1)


def test_telling_keys_get_telling_answers() -> None:
    birth = Field("birth_date", "date", "出生日期", True, maximum="today")
    package = of_fields(
        birth,
        Field("age", "integer", "年龄", True, minimum="0", maximum="150"),
        Field("citizen_id", "citizen_id", "身份证号", True, minimum="18"),
        Field("agent_name", "text", "代办人姓名", True),
        Field("agent_id", "citizen_id", "代办人身份证号", True, minimum="18"),
        Field("agent_sex", "choice", "性别", True, choices=SEXES),
        Field("band", "choice", "年龄段", True, choices=BANDS),
        Field("bank_account", "text", "银行账号", True),
    )

    for application in some(package):
        given_answers = application.answers
        number, years = given_answers["citizen_id"], int(given_answers["age"])
        band = "young" if years < 35 else "middle" if years <= 59 else "old"
        agent_sex = {"male": "1", "female": "2"}[
            citizen_id.sex(given_answers["agent_id"])
        ]
        assert given_answers["birth_date"] == citizen_id.birth_date(number).isoformat()
        assert years == age(number)
        assert given_answers["band"] == band
        assert given_answers["agent_id"] != number
        assert given_answers["agent_sex"] == agent_sex
        assert given_answers["bank_account"].isdigit()


SEXES = (Choice("1", "男"), Choice("2", "女"))
BANDS = (
    Choice("young", "不满 35 周岁"),
    Choice("middle", "35 至 59 周岁"),
    Choice("old", "60 周岁以上"),
)

# fmt: off
WORDS = st.sampled_from([
    "wife_name", "husband_id", "child", "age", "birth_date", "stage", "workers", "sex",
    "household_size", "monthly_income", "income_per_person", "child_number", "bank",
    "living_children", "expected_date", "marriage_date", "hardship", "phone", "until",
    "home_address", "contact_phone", "mother_age",
])
# fmt: on
LABELS = st.sampled_from(["女方", "父亲", "年龄", "出生日期", "收入", "手机", "其他"])
SUBJECTS = st.sampled_from([None, "wife", "husband", "child", "applicant", "household"])
NUMBER = st.integers(1 - 10**15, 10**15 - 1) | st.integers(-50, 200)
LIMITS = {
    "integer": NUMBER,
    "decimal": st.decimals(1 - 10**15, 10**15 - 1, places=3) | NUMBER,
    "date": st.dates(date(1850, 1, 1), date(2199, 12, 31)),
    "citizen_id": st.integers(0, MAX_AGE),
    "file": st.integers(1, MAX_FILES),
}
CHOICES = st.sampled_from(
    [SEXES, SEXES[:1], BANDS, BANDS[1:2], (Choice("born", "生"),)]
)


@st.composite
def fields(draw: st.DrawFn) -> Field:
    kind = draw(st.sampled_from(sorted({*WRITERS} & {*FLAT_KINDS})))
    low, high = None, None
    if kind in LIMITS:
        pair = sorted([draw(LIMITS[kind]), draw(LIMITS[kind])])
        low, high = (f"{end:f}" if kind == "decimal" else str(end) for end in pair)
    return Field(
        draw(WORDS),
        kind,
        draw(LABELS),
        draw(st.booleans()),
        choices=draw(CHOICES) if kind == "choice" else (),
        minimum=draw(st.sampled_from([low, None])),
        maximum=draw(st.sampled_from([high, None])),
        max_length=draw(st.integers(1, 40)) if kind == "text" else None,
        subject=draw(SUBJECTS),
    )


@given(
    st.lists(fields(), min_size=1, max_size=12, unique_by=lambda field: field.key),
    st.dates(date(2020, 1, 1), date(2040, 12, 31)),
    st.integers(0, 2**64),
)
def test_any_form_can_be_filled(form: list[Field], today: date, seed: int) -> None:
    package = of_fields(*form)

    for application in some(package, seed=seed, today=today, count=10):
        assert normalise(package, application.answers) == application.answers
        assert check(package, application.answers, today) == []


def test_every_text_rule_has_an_answer_that_fits() -> None:
    for words, _ in TEXTS:
        field = Field("x", "text", words.split("|")[-1] or "其他", required=True)
        package = of_fields(field)

        made = some(package, count=300)

        assert all(check(package, a.answers, TODAY) == [] for a in made)


def test_a_thousand_plain_applications_take_less_than_a_second() -> None:
    package = of_fields(*NAMED, *HOUSEHOLD)
    started = perf_counter()

    some(package, count=1_000)

    # Five times the least speed that demos and benchmarks count on, for slow machines.
    assert perf_counter() - started < 1.0


def test_dates_of_the_past_are_recent_and_those_to_come_are_near() -> None:
    package = of_fields(
        Field("since", "date", "入住日期", True),
        Field("until", "date", "有效期至", True),
    )

    for application in some(package):
        since, until = (
            date.fromisoformat(application.answers[key]) for key in ("since", "until")
        )
        assert TODAY - timedelta(3650) <= since <= TODAY <= until
