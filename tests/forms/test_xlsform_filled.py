# ruff: noqa: E501  # a sheet is a table, and reads as one
"""A sheet as a district writes it, from its text to an application filled in."""

import warnings

import pytest

from forms.filling import Filling, Validity, prepare
from forms.xform import decode, encode, from_csv, read_form
from tests.forms.xforms import NOW

pyxform = pytest.importorskip(
    "pyxform.xls2xform", reason="the extra `author` is absent"
)

SHEET = """
| survey |
| | type | name | label::中文(zh) | label::English(en) | required | relevant | constraint | constraint_message::中文(zh) | calculation | choice_filter | repeat_count | default | readonly |
| | text | applicant | 申请人 | Applicant | yes | | | | | | | | |
| | select_one town | town | 乡镇 | Town | yes | | | | | | | | |
| | select_one_from_file villages.csv | village | 村 | | yes | | | | | town=${town} | | | |
| | calculate | village_name | | | | | | | pulldata('villages', 'label', 'name', ${village}) | | | | |
| | integer | people | 人口 | | yes | | . > 0 and . <= 20 | 应在 1 至 20 之间 | | | | 1 | |
| | begin_repeat | member | 成员 | | | | | | | | ${people} | | |
| | text | name | 第 ${index} 人姓名 | | yes | | | | | | | | |
| | decimal | income | 月收入 | | | | . >= 0 | 不能小于 0 | | | | | |
| | calculate | index | | | | | | | position(..) | | | | |
| | calculate | year | | | | | | | coalesce(${income}, 0) * 12 | | | | |
| | end_repeat | | | | | | | | | | | | |
| | calculate | head | | | | | | | sum(${year}) div ${people} | | | | |
| | select_multiple why or_other | why | 原因 | Why | | ${head} < 9000 | | | | | | | |
| | date | since | 起 | | | | . <= today() | 不能晚于今天 | | | | today() | |
| | note | sum_up | ${applicant}，${village_name}，人均 ${head} 元 | | | | | | | | | | |
| choices |
| | list_name | name | label::中文(zh) | label::English(en) |
| | town | t1 | 全旺镇 | Quanwang |
| | town | t2 | 大洲镇 | Dazhou |
| | why | ill | 生病 | Illness |
| | why | old | 年老 | Age |
| settings |
| | form_id | version | form_title | default_language |
| | dibao | 2026112101 | 最低生活保障 | 中文(zh) |
"""

VILLAGES = from_csv(
    "villages.csv", "name,label,town\nv1,东村,t1\nv2,西村,t1\nv3,南村,t2\n".encode()
)


def begun() -> Filling:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        xml = pyxform.convert(SHEET, validate=False).xform
    # As it travels: only our own bytes reach a village.
    definition = decode(encode(read_form(xml)))
    return Filling(prepare(definition, {"villages": VILLAGES}), NOW)


def test_a_sheet_is_filled_in_from_the_first_to_the_last_question() -> None:
    one = begun()

    missing = [problem.ref for problem in one.problems()]
    assert missing == [
        "/data/applicant",
        "/data/town",
        "/data/village",
        "/data/member[1]/name",
    ]
    one.answer("/data/applicant", "张三")
    one.answer("/data/town", "t1")
    one.answer("/data/village", "v2")
    one.answer("/data/people", "2")
    for number, income in ((1, "1000"), (2, "300.50")):
        one.answer(f"/data/member[{number}]/name", f"人{number}")
        one.answer(f"/data/member[{number}]/income", income)

    assert list(one.problems()) == []
    assert one.choices("/data/village") == [("v1", "东村"), ("v2", "西村")]
    assert one.value("/data/head") == "7803"
    assert one.is_relevant("/data/why")
    assert one.label("/data/sum_up") == "张三，西村，人均 7803 元"
    assert one.label("/data/member[2]/name") == "第 2 人姓名"
    assert one.value("/data/since") == "2026-11-21"
    assert one.failures == {}


def test_what_is_wrong_is_said_in_the_words_of_the_sheet() -> None:
    one = begun()

    one.answer("/data/people", "21")
    one.answer("/data/since", "2026-11-22")

    assert one.message("/data/people") == "应在 1 至 20 之间"
    assert one.validity("/data/since") is Validity.VIOLATED
    assert one.message("/data/since") == "不能晚于今天"


def test_another_town_takes_the_village_away() -> None:
    one = begun()
    one.answer("/data/town", "t1")
    one.answer("/data/village", "v1")

    one.answer("/data/town", "t2")

    assert one.value("/data/village") == "" == one.value("/data/village_name")
    assert one.choices("/data/village") == [("v3", "南村")]


def test_other_opens_its_own_question() -> None:
    one = begun()
    one.answer("/data/why", "old other ill")

    assert one.value("/data/why") == "ill old other"
    assert one.is_relevant("/data/why_other")
    assert one.selected_labels("/data/why")[:2] == ["生病", "年老"]


def test_what_the_sheet_does_not_translate_is_said_in_its_own_language() -> None:
    one = begun()

    one.set_language("English(en)")

    assert one.label("/data/applicant") == "Applicant"
    assert one.label("/data/people") == "人口"
    assert [label for _, label in one.choices("/data/town")] == ["Quanwang", "Dazhou"]
