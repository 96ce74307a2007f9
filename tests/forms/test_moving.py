"""Answers that are taken over from one version of a form into the next."""

from datetime import date
from pathlib import Path

import pytest

from forms.author.build import build
from forms.form_diff import What
from forms.moving import Fate, Kept, Moved, Why, move
from forms.package import FORMAT, Package
from tests.forms.author_files import Row, markdown, row, written
from tests.forms.samples import ITEM, TODAY, id_number

CHOICES = [
    {"list_name": "way", "name": "post", "label": "邮寄"},
    {"list_name": "way", "name": "self", "label": "自取"},
]
FIRST = [
    row("text", "who", "姓名"),
    row("integer", "age", "年龄"),
    row("select_one way", "way", "领取方式"),
    row("select_multiple way", "ways", "可用方式"),
    row("text", "fax", "传真"),
    row("begin_repeat", "member", "家庭成员"),
    row("text", "called", "成员姓名"),
    row("integer", "wages", "月收入"),
    row("end_repeat"),
    row("calculate", "total", calculation="sum(${wages})"),
]
ANSWERS = {
    "who": "张三",
    "age": "70",
    "way": "post",
    "ways": "post self",
    "fax": "0570-4012345",
    "member/001-aaaa/called": "李四",
    "member/001-aaaa/wages": "1200",
    "member/002-bbbb/called": "王五",
    "member/002-bbbb/wages": "800",
    "total": "2000",
}


def package(
    folder: Path, survey: list[Row], choices: list[Row] = CHOICES, version: str = "1"
) -> Package:
    form = build(written(folder, "a.md", markdown(survey, choices)))
    return Package(format=FORMAT, version=version, item=ITEM, form=form)


def moved(
    folder: Path,
    second: list[Row],
    answers: dict[str, str] = ANSWERS,
    choices: list[Row] = CHOICES,
) -> Moved:
    old = package(folder, FIRST)
    return move(old, package(folder, second, choices, "2"), answers, TODAY)


def without(name: str, *put: Row) -> list[Row]:
    """Return the first form with other rows in the place of one."""
    found: list[Row] = []
    for one in FIRST:
        found += put if one["name"] == name else [one]
    return found


def told(found: Moved) -> list[tuple[str, str, str, Fate]]:
    return [
        ("+".join(turn.what), turn.label, turn.shown, turn.fate) for turn in found.turns
    ]


def test_a_form_that_is_the_same_keeps_every_answer_and_tells_nothing(
    tmp_path: Path,
) -> None:
    found = moved(tmp_path, FIRST)

    assert found.answers == ANSWERS
    assert (found.kept, found.turns, found.unchanged) == ((), (), 9)


def test_an_answer_that_is_not_asked_any_more_is_listed_and_kept(
    tmp_path: Path,
) -> None:
    found = moved(tmp_path, without("fax"))

    assert "fax" not in found.answers
    assert found.kept == (
        Kept("fax", "传真", "text", "0570-4012345", "0570-4012345", Why.GONE, "1"),
    )
    assert told(found) == [("gone", "传真", "0570-4012345", Fate.KEPT)]


def test_an_answer_follows_a_name_that_the_author_has_told(tmp_path: Path) -> None:
    was = {"bind::lianban:was": "fax"}
    found = moved(
        tmp_path, without("fax", row("text", "fax_number", "传真号码", **was))
    )

    assert found.answers["fax_number"] == "0570-4012345"
    assert found.kept == ()
    (turn,) = found.turns
    assert turn.what == (What.RENAMED, What.LABEL)
    assert (turn.label, turn.was_label, turn.fate) == ("传真号码", "传真", Fate.CARRIED)


def test_a_place_alone_tells_no_new_name_so_nothing_is_mixed_up(
    tmp_path: Path,
) -> None:
    found = moved(tmp_path, without("fax", row("text", "remark", "备注")))

    assert "remark" not in found.answers
    assert told(found) == [
        ("new", "备注", "", Fate.OPEN),
        ("gone", "传真", "0570-4012345", Fate.KEPT),
    ]


def test_in_a_repeat_every_member_keeps_its_own_answer(tmp_path: Path) -> None:
    pay = row("integer", "pay", "每月工资", **{"bind::lianban:was": "wages"})
    total = row("calculate", "total", calculation="sum(${pay})")
    second = [*without("wages", pay)[:-1], total]

    found = moved(tmp_path, second)

    assert found.answers["member/001-aaaa/pay"] == "1200"
    assert found.answers["member/002-bbbb/called"] == "王五"
    assert told(found) == [
        ("renamed+label", "每月工资（第 1 组）", "1200", Fate.CARRIED),
        ("renamed+label", "每月工资（第 2 组）", "800", Fate.CARRIED),
    ]


def test_a_repeat_under_another_name_takes_its_members_with_it(
    tmp_path: Path,
) -> None:
    second = without("member", row("begin_repeat", "family", "家庭成员"))

    found = moved(tmp_path, second)

    assert found.answers["family/001-aaaa/called"] == "李四"
    assert found.answers["family/001-aaaa/wages"] == "1200"
    assert found.answers["family/002-bbbb/called"] == "王五"
    assert found.kept == ()


def test_what_leaves_its_repeat_is_kept_for_each_member(tmp_path: Path) -> None:
    second = [*without("called"), row("text", "called", "成员姓名")]

    found = moved(tmp_path, second)

    assert [(one.label, one.value, one.why) for one in found.kept] == [
        ("成员姓名（第 1 组）", "李四", Why.SERIES),
        ("成员姓名（第 2 组）", "王五", Why.SERIES),
    ]
    assert found.answers["member/001-aaaa/wages"] == "1200"


def test_members_for_whom_the_new_form_has_no_room_are_kept(tmp_path: Path) -> None:
    second = without(
        "member", row("begin_repeat", "member", "家庭成员", repeat_count="1")
    )

    found = moved(tmp_path, second)

    values = {**found.answers, **{one.key: one.value for one in found.kept}}
    assert {text for key, text in ANSWERS.items() if key != "total"} <= set(
        values.values()
    )


def test_a_choice_that_is_not_offered_any_more_is_kept_in_words(
    tmp_path: Path,
) -> None:
    choices = [CHOICES[1], {"list_name": "way", "name": "agent", "label": "代领"}]
    found = moved(tmp_path, FIRST, choices=choices)

    assert "way" not in found.answers
    assert found.answers["ways"] == "self"
    assert [(one.key, one.shown, one.why) for one in found.kept] == [
        ("way", "邮寄", Why.UNFIT),
        ("ways", "邮寄", Why.UNFIT),
    ]
    assert told(found) == [
        ("choices", "领取方式", "邮寄", Fate.KEPT),
        ("choices", "可用方式", "邮寄、自取", Fate.CARRIED),
        ("choices", "可用方式", "邮寄", Fate.KEPT),
    ]


def test_a_choice_is_what_people_read_and_not_its_code(tmp_path: Path) -> None:
    choices = [
        {"list_name": "way", "name": "self", "label": "邮寄"},
        {"list_name": "way", "name": "post", "label": "自取"},
    ]

    found = moved(tmp_path, FIRST, choices=choices)

    assert (found.answers["way"], found.kept) == ("self", ())


@pytest.mark.parametrize(
    ("second", "value", "fate"),
    [
        (row("text", "way", "领取方式"), "邮寄", Fate.CARRIED),
        (row("select_multiple way", "way", "领取方式"), "post", Fate.CARRIED),
        # What can be typed stays in its field, where it can be put right.
        (row("integer", "way", "领取方式"), "邮寄", Fate.WRONG),
        (row("image", "way", "领取方式"), "", Fate.KEPT),
    ],
)
def test_an_answer_to_a_question_of_another_kind(
    tmp_path: Path, second: Row, value: str, fate: Fate
) -> None:
    found = moved(tmp_path, without("way", second))

    assert found.answers.get("way", "") == value
    (turn,) = found.turns
    assert turn.what[0] is What.KIND
    assert turn.fate is fate


def test_an_answer_that_a_new_rule_refuses_stays_and_is_named(tmp_path: Path) -> None:
    rule = row(
        "integer", "age", "年龄", constraint=". < 60", constraint_message="应小于 60"
    )

    found = moved(tmp_path, without("age", rule))

    assert found.answers["age"] == "70"
    (turn,) = found.turns
    assert (turn.what, turn.fate, turn.note) == ((What.RULE,), Fate.WRONG, "应小于 60")


def test_new_questions_say_whether_they_must_be_answered(tmp_path: Path) -> None:
    second = [
        *FIRST,
        row("text", "street", "门牌", required="yes"),
        row("text", "remark", "备注"),
    ]

    found = moved(tmp_path, second)

    assert told(found) == [
        ("new", "门牌", "", Fate.NEEDED),
        ("new", "备注", "", Fate.OPEN),
    ]


def test_what_must_be_answered_from_now_on_is_told_once(tmp_path: Path) -> None:
    answers = {key: text for key, text in ANSWERS.items() if key != "age"}
    second = without("age", row("integer", "age", "年龄", required="yes"))

    assert told(moved(tmp_path, second, answers)) == [("rule", "年龄", "", Fate.NEEDED)]
    assert told(moved(tmp_path, second)) == []


def test_what_the_form_works_out_now_does_not_drop_what_was_typed(
    tmp_path: Path,
) -> None:
    second = without("age", row("calculate", "age", calculation="60 + 1"))

    found = moved(tmp_path, second)

    assert found.answers["age"] == "61"
    assert [(one.value, one.why) for one in found.kept] == [("70", Why.WORKED_OUT)]


def test_an_id_is_shown_in_part_until_somebody_has_to_type_it(tmp_path: Path) -> None:
    own = {"bind::lianban:kind": "citizen_id"}
    old = package(tmp_path, [*FIRST, row("text", "card", "身份证号", **own)])
    number = id_number(date(1950, 3, 8))

    (kept,) = move(old, package(tmp_path, FIRST), {"card": number}, TODAY).kept

    assert kept.in_full == number
    assert "*" in kept.shown


def test_an_answer_comes_back_when_its_question_does(tmp_path: Path) -> None:
    first, second = package(tmp_path, FIRST), package(tmp_path, without("fax"))
    gone = move(first, second, ANSWERS, TODAY)

    back = move(second, first, gone.answers, TODAY, gone.kept)

    assert back.answers == ANSWERS
    assert back.kept == ()


def test_what_was_kept_before_stays_kept(tmp_path: Path) -> None:
    kept = (Kept("old", "旧项", "text", "甲", "甲", Why.GONE, "0"),)
    first, second = package(tmp_path, FIRST), package(tmp_path, without("fax"))

    found = move(first, second, ANSWERS, TODAY, kept)

    assert [one.key for one in found.kept] == ["old", "fax"]


def test_an_answer_under_no_known_question_is_kept_too(tmp_path: Path) -> None:
    found = moved(tmp_path, FIRST, {**ANSWERS, "strange": "甲"})

    assert [(one.key, one.label) for one in found.kept] == [("strange", "strange")]
