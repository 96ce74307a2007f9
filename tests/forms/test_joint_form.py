from typing import Any

import pytest
from lxml import etree

from forms.author.joint_form import (
    Form,
    Row,
    read_form,
    unite_forms,
    write_form,
)
from forms.catalog import shipped
from forms.errors import FormUnread

xls2xform = pytest.importorskip("pyxform.xls2xform")

SETTINGS = {"form_id": "9", "form_title": "一件事", "version": "1"}
NAME = {"type": "text", "name": "name", "label": "姓名"}
YESNO = [
    {"list_name": "yesno", "name": "yes", "label": "是"},
    {"list_name": "yesno", "name": "no", "label": "否"},
]


def form(code: str, *survey: Row, choices: list[Row] | None = None) -> Form:
    settings = {"form_id": code, "form_title": f"第 {code} 件"}
    return Form(survey, tuple(choices or ()), settings)


def asked(whole: Form) -> dict[str, Row]:
    return {row["name"]: row for row in whole.survey if "name" in row}


def test_a_shipped_form_is_read_and_written_without_loss() -> None:
    for path in shipped().glob("*.md"):
        read = read_form(path.read_text(encoding="utf-8"))

        assert read_form(write_form(read)) == read


def test_what_two_members_ask_is_asked_once_and_empty_groups_go() -> None:
    group = {"type": "begin_group", "name": "who", "label": "谁"}
    close = {"type": "end_group"}
    age = {"type": "integer", "name": "age", "label": "年龄"}

    whole, clashes = unite_forms(
        [form("1", group, NAME, close), form("2", group, NAME, close, age)], SETTINGS
    )

    assert clashes == []
    assert [row.get("name", "") for row in whole.survey] == [
        *("member_1", "who", "name", "", ""),
        *("member_2", "age", ""),
    ]


def test_what_is_asked_once_serves_all_who_ask_it() -> None:
    first = NAME | {"relevant": "${a} = 1", "constraint": ". != 'x'"}
    second = NAME | {
        "relevant": "${b} = 1",
        "required": "yes",
        "constraint": ". != 'y'",
    }
    second["constraint_message"] = "不能是 y"

    whole, clashes = unite_forms([form("1", first), form("2", second)], SETTINGS)

    assert clashes == []
    row = asked(whole)["name"]
    assert row["relevant"] == "(${a} = 1) or (${b} = 1)"
    assert row["required"] == "yes"
    assert row["constraint"] == "(. != 'x') and (. != 'y')"
    assert row["constraint_message"] == "不能是 y"


def test_what_one_member_always_asks_is_always_asked() -> None:
    sometimes = NAME | {"relevant": "${a} = 1"}

    whole, _ = unite_forms([form("1", sometimes), form("2", NAME)], SETTINGS)

    assert "relevant" not in asked(whole)["name"]


def test_lists_of_one_name_but_other_choices_stand_side_by_side() -> None:
    pick = {"type": "select_one yesno", "name": "pick", "label": "选"}
    other = {"type": "select_one yesno", "name": "other", "label": "选"}
    maybe = [*YESNO, {"list_name": "yesno", "name": "maybe", "label": "说不清"}]

    whole, clashes = unite_forms(
        [
            form("1", pick, choices=YESNO),
            form("2", pick, choices=YESNO),
            form("3", other, choices=maybe),
        ],
        SETTINGS,
    )

    assert clashes == []
    assert asked(whole)["other"]["type"] == "select_one yesno_2"
    lists = [row["list_name"] for row in whole.choices]
    assert lists == ["yesno"] * 2 + ["yesno_2"] * 3


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ((NAME | {"type": "integer"},), "类型不同"),
        ((NAME | {"calculation": "1"},), "计算公式不同"),
        (
            (
                {
                    "type": "begin_group",
                    "name": "g",
                    "label": "组",
                    "relevant": "1 = 1",
                },
                NAME,
                {"type": "end_group"},
            ),
            "有条件的一组里",
        ),
        (
            (
                {"type": "begin_repeat", "name": "g", "label": "组"},
                NAME,
                {"type": "end_repeat"},
            ),
            "循环里",
        ),
    ],
)
def test_what_cannot_be_asked_once_is_a_clash(
    second: tuple[Row, ...], said: str
) -> None:
    _, clashes = unite_forms([form("1", NAME), form("2", *second)], SETTINGS)

    (clash,) = clashes
    assert (clash.key, clash.codes) == ("name", ("1", "2"))
    assert said in clash.message


def test_a_role_is_played_once() -> None:
    role = {"bind::lianban:role": "applicant_name"}
    wife = NAME | {"name": "wife"} | role

    whole, _ = unite_forms([form("1", NAME | role), form("2", wife)], SETTINGS)

    roles = [row.get("bind::lianban:role") for row in asked(whole).values()]
    assert roles.count("applicant_name") == 1


def test_two_shipped_forms_become_one_that_converts() -> None:
    members = [
        read_form((shipped() / name).read_text(encoding="utf-8"))
        for name in ("pension_enrolment.md", "social_card_loss.md")
    ]
    settings = SETTINGS | {"namespaces": members[0].settings["namespaces"]}

    whole, clashes = unite_forms(members, settings)

    assert clashes == []
    made = xls2xform.convert(write_form(whole), file_type=".md", validate=False)
    root: Any = etree.fromstring(made.xform.encode())
    names = [b.get("nodeset").rsplit("/", 1)[1] for b in root.iterfind(".//{*}bind")]
    assert len(names) == len(set(names))
    assert {"citizen_id", "contribution_grade", "card_number"} <= set(names)
    apart = sum(sum("name" in row for row in m.survey) for m in members)
    assert len(asked(whole)) < apart


def test_a_text_without_tables_is_no_form() -> None:
    with pytest.raises(FormUnread, match="没有合并任何内容"):
        read_form("just words")
