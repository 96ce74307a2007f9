"""Every kind: how it is written, what it refuses, how it is shown."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.check import check_field, normalise_field
from forms.kinds import KINDS, MAX_FILES
from forms.package import Choice, Field
from tests.forms.samples import SHA, TODAY, id_number

SEXES = (Choice("male", "男"), Choice("female", "女（含）"))
FIELDS = {
    kind: Field("key", kind, "标签", choices=SEXES if kind == "choice" else ())
    for kind in KINDS
}


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [
        ("text", "  张三　", "张三"),
        ("text", "１２号", "１２号"),  # a text stays as typed
        ("text", "e\u0301", "é"),
        ("integer", " １２ ", "12"),
        ("integer", "+012", "12"),
        ("integer", "-0", "0"),
        ("integer", "0", "0"),
        ("integer", "三", "三"),
        ("decimal", "８６０．００", "860.00"),
        ("decimal", "007.50", "7.50"),
        ("decimal", "0.5", "0.5"),
        ("date", "2026/1/2", "2026-01-02"),
        ("date", "20260102", "2026-01-02"),
        ("date", "2026年1月2日", "2026-01-02"),
        ("date", "2026 年 01 月 02 日", "2026-01-02"),
        ("date", "２０２６．１．２", "2026-01-02"),
        ("date", "明天", "明天"),
        ("choice", "male", "male"),
        ("choice", "１", "male"),
        ("choice", "2", "female"),
        ("choice", "女(含)", "female"),  # the label, with the other brackets
        ("choice", "3", "3"),
        ("citizen_id", "110105 19491231 002ｘ", "11010519491231002X"),
        ("phone", "138 1234-5678", "13812345678"),
        ("phone", "+86 13812345678", "13812345678"),
        ("phone", "008613812345678", "13812345678"),
        ("phone", "（0570）4012345", "0570-4012345"),
        ("phone", "05704012345", "0570-4012345"),
        ("phone", "01012345678", "01012345678"),  # no local number begins with 1
        ("phone", "010—62345678", "010-62345678"),
        ("file", f" {SHA.upper()}  {SHA} ", SHA),
        ("note", "  ", ""),
    ],
)
def test_an_answer_is_stored_in_one_way(kind: str, typed: str, stored: str) -> None:
    assert normalise_field(FIELDS[kind], typed) == stored


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("text", "张三"),
        ("text", "𠮷田䶮"),
        ("text", "买买提·吐尔逊"),
        ("text", "བསྟན་འཛིན"),  # combining vowels
        ("text", "葛\U000e0100飾"),  # a variation selector behind a Han character
        ("text", "\U00031350"),  # Extension H, unknown to the tables of Python 3.11
        ("text", "字" * 200),
        ("integer", "-12"),
        ("integer", "9" * 15),
        ("decimal", "860.00"),
        ("decimal", "-0.000001"),
        ("decimal", "12"),
        ("date", "2024-02-29"),
        ("choice", "male"),
        ("citizen_id", "11010519491231002x"),
        ("citizen_id", "440524188001010014"),
        ("phone", "13812345678"),
        ("phone", "0570-4012345"),
        ("phone", "021-62345678"),
        ("file", SHA),
        ("file", " ".join(f"{n:064x}" for n in range(MAX_FILES))),
    ],
)
def test_a_right_answer_passes(kind: str, answer: str) -> None:
    assert check_field(FIELDS[kind], answer, TODAY) is None


@pytest.mark.parametrize(
    ("kind", "answer", "said"),
    [
        ("text", "张\t三", "第 2 个字是换行、制表一类的控制字符"),
        ("text", "张\x00三", "控制字符"),
        ("text", "张\u202e三", "改变文字方向"),
        ("text", "张\u2067三", "改变文字方向"),
        ("text", "张\u200b三", "零宽字符"),
        ("text", "\ufeff张三", "第 1 个字是看不见的零宽字符"),
        ("text", "A\ufe0f", "字形选择符"),
        ("text", "张\ue863", "自造字"),
        ("text", "张\ud800", "乱码"),
        ("text", "\ufffd三", "第 1 个字是乱码"),
        ("text", "字" * 201, "最多 200 个字，现在 201 个"),
        ("integer", "12.0", "请只填整数"),
        ("integer", "1²", "请只填整数"),  # NFKC would have made 12 of it
        ("integer", "٣", "请只填整数"),  # \d would have taken it
        ("integer", "1e3", "请只填整数"),
        ("integer", "9" * 16, "请只填整数"),
        ("decimal", "1e3", "请只填数字"),
        ("decimal", "NaN", "请只填数字"),
        ("decimal", "Infinity", "请只填数字"),
        ("decimal", "1,200.00", "不写单位和逗号"),
        ("decimal", "860元", "不写单位和逗号"),
        ("decimal", "1_000", "请只填数字"),
        ("decimal", ".5", "请只填数字"),
        ("decimal", "0.1234567", "小数最多 6 位"),
        ("date", "明天", "如 2026-11-21"),
        ("date", "2026-02-30", "2026 年 2 月没有 30 日"),
        ("date", "2026-13-01", "月份应在 1 至 12 之间"),
        ("date", "0001-01-01", "年份应在"),
        ("date", "2026-00-10", "月份应在"),
        ("choice", "3", "请从列出的 2 项中选一项"),
        ("choice", "Male", "请从列出的 2 项中选一项"),
        ("citizen_id", "110105491231002", "15 位的旧号码已经停用"),
        ("citizen_id", "1101051949123100", "应为 18 位，现在 16 位"),
        ("citizen_id", "110105194912310021", "校验位不对：第 18 位应为 X"),
        ("citizen_id", "1101051949123100²X", "前 17 位应是数字"),
        ("citizen_id", "330881195002300011", "不是真实的出生日期"),
        ("citizen_id", id_number(date(2026, 11, 22)), "出生日期晚于今天"),
        ("phone", "12812345678", "请填 11 位手机号"),
        ("phone", "1381234567", "手机号应为 11 位，现在 10 位"),
        ("phone", "4012345", "带区号的固定电话"),
        ("phone", "13８x2345678", "请填 11 位手机号"),
        ("file", "photo.jpg", "请重新选择文件"),
        (
            "file",
            " ".join(f"{n:064x}" for n in range(21)),
            "最多 20 个文件，现在 21 个",
        ),
        ("note", "好", "不用填写"),
    ],
)
def test_a_wrong_answer_is_told_what_would_be_right(
    kind: str, answer: str, said: str
) -> None:
    message = check_field(FIELDS[kind], answer, TODAY)

    assert message is not None
    assert said in message


@pytest.mark.parametrize(
    ("kind", "minimum", "maximum", "answer", "said"),
    [
        ("integer", "1", "20", "1", None),
        ("integer", "1", "20", "20", None),
        ("integer", "1", None, "0", "不能小于 1"),
        ("integer", None, "20", "21", "不能大于 20"),
        ("decimal", "0.10", None, "0.1", None),
        ("decimal", None, "0.3", "0.300001", "不能大于 0.3"),
        ("date", None, "today", "2026-11-21", None),
        ("date", None, "today", "2026-11-22", "不能晚于今天（2026年11月21日）"),
        ("date", "2000-01-01", None, "1999-12-31", "不能早于2000年1月1日"),
        ("citizen_id", "60", None, id_number(date(1966, 11, 21)), None),
        (
            "citizen_id",
            "60",
            None,
            id_number(date(1966, 11, 22)),
            "须满 60 周岁，按此号码现在是 59 周岁",
        ),
        (
            "citizen_id",
            None,
            "69",
            id_number(date(1956, 11, 21)),
            "须不超过 69 周岁，按此号码现在是 70 周岁",
        ),
        ("file", None, "1", f"{SHA} {'0' * 64}", "最多 1 个文件，现在 2 个"),
        ("file", "2", None, SHA, "至少要 2 个文件，现在 1 个"),
        ("integer", "1", None, "", None),  # no answer is under no limit
    ],
)
def test_limits_count_in_the_scale_of_the_kind(
    kind: str, minimum: str | None, maximum: str | None, answer: str, said: str | None
) -> None:
    field = Field("key", kind, "标签", minimum=minimum, maximum=maximum)

    assert check_field(field, answer, TODAY) == said


def test_a_form_may_allow_a_text_more_or_less_than_usual() -> None:
    short = Field("key", "text", "标签", max_length=2)
    long = Field("key", "text", "标签", max_length=500)

    assert check_field(short, "三个字", TODAY) == "太长了：最多 2 个字，现在 3 个"
    assert check_field(long, "字" * 500, TODAY) is None


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("text", "张三", "张三"),
        ("decimal", "860.00", "860.00"),
        ("date", "2026-01-02", "2026年1月2日"),
        ("date", "2026-02-30", "2026-02-30"),
        ("choice", "male", "男"),
        ("choice", "gone", "gone"),  # dropped by a newer form
        ("citizen_id", "11010519491231002X", "110105********002X"),
        ("phone", "13812345678", "138 1234 5678"),
        ("phone", "0570-4012345", "0570-4012345"),
        ("file", f"{SHA} {'0' * 64}", "2 个文件"),
        ("note", "x", ""),
    ],
)
def test_an_answer_is_shown_as_people_read_it(
    kind: str, value: str, shown: str
) -> None:
    assert KINDS[kind].show(FIELDS[kind], value) == shown


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_of_the_table_stands_under_its_name(kind: str) -> None:
    assert KINDS[kind].name == kind
    assert KINDS[kind].label
    is_asked = KINDS[kind].answers and kind != "computed"
    assert bool(KINDS[kind].ask) == is_asked


# Characters on which kinds trip: digits of other scripts, blanks, signs, marks.
TRICKY = st.text(
    st.one_of(
        st.sampled_from(
            "0123456789０１²٣①xXｘ+-—.．/年月日 　\t\n()（）\u0301\u200b男女·"
        ),
        st.characters(),
    ),
    max_size=40,
)


@pytest.mark.parametrize("kind", KINDS)
@given(typed=TRICKY)
@settings(deadline=None)
def test_normalising_twice_is_normalising_once(kind: str, typed: str) -> None:
    once = normalise_field(FIELDS[kind], typed)

    assert normalise_field(FIELDS[kind], once) == once


@pytest.mark.parametrize("kind", KINDS)
@given(typed=TRICKY)
@settings(deadline=None)
def test_any_text_can_be_judged_and_shown(kind: str, typed: str) -> None:
    message = check_field(FIELDS[kind], typed, TODAY)

    assert message is None or message
    assert isinstance(KINDS[kind].show(FIELDS[kind], typed), str)


@given(day=st.dates(date(1850, 1, 1), date(2199, 12, 31)))
@settings(deadline=None)
def test_every_spelling_of_a_day_is_the_same_day(day: date) -> None:
    spellings = [
        f"{day:%Y%m%d}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
    ]

    assert {normalise_field(FIELDS["date"], s) for s in spellings} == {day.isoformat()}
