from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.check import Problem, check, check_field, missing, normalise
from forms.package import Package
from tests.forms.samples import ANSWERS, PACKAGE, TODAY, field


def test_right_answers_have_no_problem_and_stay_as_they_are() -> None:
    assert check(PACKAGE, ANSWERS, TODAY) == []
    assert normalise(PACKAGE, ANSWERS) == ANSWERS


def test_all_problems_come_at_once_in_field_order() -> None:
    answers = {"sex": "x", "since": "2026-11-22", "phone": "1", "name": " "}

    problems = check(PACKAGE, answers, TODAY)

    assert [p.key for p in problems] == ["name", "citizen_id", "phone", "since", "sex"]
    assert problems[0] == Problem("name", "姓名", "请填写这一项")


def test_an_unknown_key_is_a_problem_and_is_not_dropped() -> None:
    answers = ANSWERS | {"zodiac": "虎", "age": "76"}

    problems = check(PACKAGE, answers, TODAY)

    assert [p.key for p in problems] == ["age", "zodiac"]
    assert "表单里没有这一项" in problems[0].message
    assert normalise(PACKAGE, answers) == answers


@pytest.mark.parametrize("value", [None, 4, 1.5, True, ["4"], {"a": "b"}, b"4"])
def test_an_answer_that_is_no_text_is_a_problem(value: Any) -> None:
    answers = ANSWERS | {"size": value}

    assert [p.key for p in check(PACKAGE, answers, TODAY)] == ["size"]
    assert normalise(PACKAGE, answers) == answers


def test_an_endless_answer_is_not_looked_into() -> None:
    problems = check(PACKAGE, ANSWERS | {"phone": "1" * 1_000_000}, TODAY)

    assert [p.key for p in problems] == ["phone"]
    assert "最多 4000 个字" in problems[0].message


def test_an_answer_of_blanks_is_no_answer() -> None:
    answers = ANSWERS | {"phone": " 　 ", "size": "", "income": " " * 10_000}

    kept = normalise(PACKAGE, answers)

    assert not {"phone", "size", "income"} & set(kept)
    assert check(PACKAGE, answers, TODAY) == []


def test_what_is_missing_is_counted_by_required_fields_only() -> None:
    labels = [field(key).label for key in ("name", "citizen_id", "sex")]
    assert missing(PACKAGE, {}, TODAY) == labels
    assert missing(PACKAGE, {"name": "张三", "sex": "1"}, TODAY) == labels[1:2]
    assert missing(PACKAGE, ANSWERS, TODAY) == []


def test_a_field_that_is_left_empty_is_not_scolded() -> None:
    assert check_field(field("name"), "", TODAY) is None


def test_a_field_is_judged_by_what_will_be_stored() -> None:
    assert check_field(field("phone"), " １３８ １２３４ ５６７８ ", TODAY) is None


def test_answers_are_kept_in_field_order() -> None:
    backwards = dict(reversed(ANSWERS.items()))

    assert list(normalise(PACKAGE, backwards)) == list(ANSWERS)


def test_no_message_repeats_the_answer() -> None:
    secret = "31415926535"
    answers = {f.key: secret for f in PACKAGE.fields}

    assert all(secret not in p.message for p in check(PACKAGE, answers, TODAY))


KEYS = st.one_of(st.sampled_from([f.key for f in PACKAGE.fields]), st.text(max_size=60))


@given(answers=st.dictionaries(KEYS, st.text(max_size=60)))
@settings(deadline=None)
def test_any_answers_are_judged_alike_before_and_after_normalising(
    answers: dict[str, str],
) -> None:
    kept = normalise(PACKAGE, answers)

    assert normalise(PACKAGE, kept) == kept
    known = {f.key for f in PACKAGE.fields}
    assert [p for p in check(PACKAGE, kept, TODAY) if p.key in known] == [
        p for p in check(PACKAGE, answers, TODAY) if p.key in known
    ]


def test_a_form_without_required_fields_takes_no_answers() -> None:
    package = Package(version="1", item=PACKAGE.item, fields=(field("phone"),))

    assert check(package, {}, TODAY) == []
