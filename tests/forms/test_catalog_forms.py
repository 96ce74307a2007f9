"""The forms that ship with the program, each as text XLSForm beside its item."""

import csv
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import forms.kinds
from forms import faults, remarks
from forms.catalog import read_entries, shipped
from forms.catalog.reader import Entry
from forms.citizen_id import SHAPE
from forms.field import ROLES
from forms.guide import sections
from tests.shipping import all_shipped_packages

NAMESPACE = "urn:lianban:form"
KINDS = {
    *("citizen_id", "phone", "credit_code", "division", "person_name"),
    "amount_yuan",
}
ROLE_KINDS = {
    "applicant_name": "person_name",
    "applicant_id": "citizen_id",
    "applicant_phone": "phone",
}
TAGS = {"x": "http://www.w3.org/2002/xforms"}

ENTRIES = read_entries(shipped())
BY_NAME = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.form)


def converted(entry: Entry) -> Any:
    return read(entry.form)


@cache
def read(form: str) -> Any:
    xls2xform = pytest.importorskip("pyxform.xls2xform")
    made = xls2xform.convert(shipped() / form, validate=False)
    assert not made.warnings
    return etree.fromstring(made.xform.encode())


def binds(form: Any) -> dict[str, Any]:
    """The binds of a form by the name of their question."""
    return {
        b.get("nodeset").rsplit("/", 1)[1]: b for b in form.iterfind(".//x:bind", TAGS)
    }


def extra(bind: Any, name: str) -> str:
    return str(bind.get(f"{{{NAMESPACE}}}{name}", ""))


def test_all_items_of_the_sample_district_ship() -> None:
    assert len(ENTRIES) == 26
    assert len({entry.item.code for entry in ENTRIES}) == 26
    assert {entry.form for entry in ENTRIES} == {p.name for p in shipped().glob("*.md")}


def test_the_items_that_ship_use_every_kind() -> None:
    asked = (one for package in all_shipped_packages() for one in package.questions)

    assert {question.kind for question in asked} == {*forms.kinds.KINDS}


@BY_NAME
def test_an_item_says_what_must_be_public(entry: Entry) -> None:
    titles = [section.title for section in sections(entry.item)]

    assert [*titles][1:7] == ["谁能办", "依据", "材料", "流程", "时限", "收费"]
    assert entry.item.keywords and entry.item.modes and entry.item.result
    assert entry.item.trips is not None
    assert all(material.review for material in entry.item.materials)
    found = {fault.where[0] for fault in remarks.of_item(entry.item)}
    assert found <= {"promise_workdays"}  # as the sources say, see domain facts


def test_items_that_speak_of_each_other_use_the_right_codes() -> None:
    found = remarks.of_catalog([entry.item for entry in ENTRIES])

    # Members may be items that this catalogue does not have.
    assert {fault.where[0] for _, fault in found} == {"members"}
    assert all("目录里没有" in fault.message for _, fault in found)


@BY_NAME
def test_a_form_has_the_code_of_its_item_and_one_name_for_each_question(
    entry: Entry,
) -> None:
    form = converted(entry)
    instance = form.find(".//x:instance/*", TAGS)
    names = [
        b.get("nodeset").rsplit("/", 1)[1] for b in form.iterfind(".//x:bind", TAGS)
    ]

    assert instance.get("id") == entry.item.code
    assert instance.get("version") == entry.version
    assert len(names) == len(set(names)) >= 20


@BY_NAME
def test_what_the_materials_prove_is_asked(entry: Entry) -> None:
    names = binds(converted(entry))

    assert list(faults.of_proofs(entry.item.materials, names)) == []


@BY_NAME
def test_each_role_is_played_once_by_a_required_question_of_its_kind(
    entry: Entry,
) -> None:
    played = {
        extra(bind, "role"): bind
        for bind in binds(converted(entry)).values()
        if extra(bind, "role")
    }

    assert set(played) == set(ROLES)
    for role, bind in played.items():
        assert extra(bind, "kind") == ROLE_KINDS[role]
        assert bind.get("required") == "true()"


@BY_NAME
def test_kinds_are_known_and_every_constraint_says_what_would_be_right(
    entry: Entry,
) -> None:
    for bind in binds(converted(entry)).values():
        assert extra(bind, "kind") in KINDS | {""}
        if bind.get("constraint"):
            assert bind.get("{http://openrosa.org/javarosa}constraintMsg")


EXPRESSIONS = ("relevant", "required", "constraint", "calculate", "readonly")
FUNCTIONS = {
    *("concat", "count", "not", "number", "round", "starts-with", "string-length"),
    *("substr", "sum", "if", "int", "regex", "selected", "count-selected"),
    *(
        "coalesce",
        "today",
        "date",
        "format-date",
        "decimal-date-time",
        "pulldata",
        "true",
        "age",
        "sex",
    ),
}
"""What the forms use of XPath 1.0 and of OpenRosa."""


@BY_NAME
def test_every_expression_is_xpath_and_uses_known_functions(entry: Entry) -> None:
    for bind in binds(converted(entry)).values():
        for name in EXPRESSIONS:
            expression = bind.get(name, "")
            if expression:
                etree.XPath(expression)
                bare = re.sub(r"'[^']*'", "''", expression)
                used = set(re.findall(r"([a-z][a-z-]*)\(", bare)) - {"and", "or"}
                assert used <= FUNCTIONS


def test_the_income_of_a_household_is_worked_out() -> None:
    entry = next(e for e in ENTRIES if e.form == "subsistence_allowance.md")
    form = converted(entry)
    names = binds(form)

    assert "dibao_threshold" in names["threshold"].get("calculate")
    assert "member_income" in names["total_income"].get("calculate")
    assert "household_size" in names["income_per_person"].get("calculate")
    assert len(form.findall(".//{*}repeat")) == 3


def test_the_table_of_thresholds_has_one_row_for_each_division() -> None:
    with Path(shipped() / "dibao_threshold.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    assert len({row["division"] for row in rows}) == len(rows)
    assert all(len(row["division"]) == 12 for row in rows)
    assert all(int(row["monthly_yuan"]) > 0 for row in rows)


def test_no_form_asks_for_an_id_of_another_shape() -> None:
    pattern = r"^[1-9][0-9]{16}[0-9Xx]$"
    for entry in ENTRIES:
        for bind in binds(converted(entry)).values():
            if extra(bind, "kind") == "citizen_id":
                assert pattern in bind.get("constraint")
    assert SHAPE.fullmatch("11010519491231002X")
