"""What differs between two versions of a form."""

from pathlib import Path

from forms.author.build import build
from forms.filling import Plan, prepare
from forms.form_diff import Change, What, changes, successors
from tests.forms.author_files import Row, markdown, row, written

CHOICES = [
    {"list_name": "kind", "name": "a", "label": "甲"},
    {"list_name": "kind", "name": "b", "label": "乙"},
]
FIRST = [
    row("text", "who", "姓名"),
    row("integer", "age", "年龄", constraint=". < 150"),
    row("select_one kind", "kind", "类别"),
    row("text", "note", "备注"),
]


def plan(folder: Path, survey: list[Row], choices: list[Row] = CHOICES) -> Plan:
    return prepare(build(written(folder, "a.md", markdown(survey, choices))))


def differing(tmp_path: Path, second: list[Row]) -> list[Change]:
    return changes(plan(tmp_path, FIRST), plan(tmp_path, second))


def test_a_form_does_not_differ_from_itself(tmp_path: Path) -> None:
    assert differing(tmp_path, FIRST) == []


def test_new_and_gone_questions_are_named(tmp_path: Path) -> None:
    second = [*FIRST[:3], row("date", "born", "出生日期")]

    assert differing(tmp_path, second) == [
        Change(What.NEW, "born", "出生日期"),
        Change(What.GONE, "note", "备注"),
    ]


def test_another_key_under_the_same_label_is_a_new_name(tmp_path: Path) -> None:
    second = [*FIRST[1:], row("text", "name", "姓名")]

    found = differing(tmp_path, second)

    assert found == [Change(What.RENAMED, "name", "姓名", "who", "name")]


def test_another_key_at_the_same_place_may_be_a_new_name(tmp_path: Path) -> None:
    second = [*FIRST[:3], row("text", "remark", "说明")]

    assert differing(tmp_path, second) == [
        Change(What.LIKELY, "remark", "说明", "note", "remark"),
        Change(What.LABEL, "remark", "说明", "备注", "说明"),
    ]


def test_a_new_name_is_known_where_the_author_says_it(tmp_path: Path) -> None:
    was = {"bind::lianban:was": "comment note"}
    second = [row("text", "remark", "说明", **was), *FIRST[:3]]

    found = differing(tmp_path, second)

    assert found[0] == Change(What.RENAMED, "remark", "说明", "note", "remark")
    assert successors(plan(tmp_path, FIRST), plan(tmp_path, second)) == {
        "who": "who",
        "age": "age",
        "kind": "kind",
        "note": "remark",
    }


def test_a_label_that_two_questions_share_tells_no_name(tmp_path: Path) -> None:
    first = [row("text", "father", "姓名"), row("text", "mother", "姓名")]
    second = [row("text", "father", "姓名"), row("text", "guardian", "姓名")]

    both = plan(tmp_path, first), plan(tmp_path, second)

    assert successors(*both) == {"father": "father"}
    assert [one.what for one in changes(*both)] == [What.LIKELY]


def test_kinds_labels_and_rules_are_compared(tmp_path: Path) -> None:
    second = [
        row("text", "who", "申请人姓名", required="yes"),
        row("decimal", "age", "年龄", constraint=". < 120"),
        *FIRST[2:],
    ]

    assert differing(tmp_path, second) == [
        Change(What.LABEL, "who", "申请人姓名", "姓名", "申请人姓名"),
        Change(What.RULE, "who", "申请人姓名", "", "true()", "required"),
        Change(What.KIND, "age", "年龄", "integer", "decimal"),
        Change(What.RULE, "age", "年龄", ". < 150", ". < 120", "constraint"),
    ]


def test_choices_are_compared(tmp_path: Path) -> None:
    first = plan(tmp_path, FIRST)
    choices = [CHOICES[0], {"list_name": "kind", "name": "c", "label": "丙"}]
    second = plan(tmp_path, FIRST, choices)

    assert changes(first, second) == [
        Change(What.CHOICES, "kind", "类别", "乙（b）", "丙（c）")
    ]
