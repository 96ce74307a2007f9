"""Items with forms in files, made ready to be published."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forms.author.build import build
from forms.author.packing import read_any, read_packages
from forms.errors import CatalogRefused, FormFileRefused
from forms.filled import FilledForm
from forms.package import decode, encode
from tests.forms.author_files import markdown, row, written

pytest.importorskip("pyxform")

GUIDE = Path(__file__).parents[2] / "docs" / "forms.md"
ITEM = """
version = "2026112101"
form = "a.md"
[item]
code = "1"
code_scheme = "示例"
name = "试办"
department = "民政局"
applicant = "person"
collect = ["village"]
accept = "town"
decide = "town"
legal_workdays = 10
promise_workdays = 5
"""
GOOD = markdown([row("text", "who", "姓名")])


def in_guide(kind: str) -> str:
    """Return the first block of the guide that begins so."""
    found = re.search(rf"```{kind}(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    assert found
    return found[1]


def test_items_are_packed_with_the_forms_that_they_name(tmp_path: Path) -> None:
    written(tmp_path, "a.toml", ITEM)
    written(tmp_path, "a.md", GOOD)

    (package,) = read_packages(tmp_path)

    assert package.format == 2
    assert [field.key for field in decode(encode(package)).questions] == ["who"]


def test_nothing_is_packed_if_one_form_is_wrong(tmp_path: Path) -> None:
    written(tmp_path, "a.toml", ITEM)
    written(tmp_path, "a.md", GOOD)
    other = ITEM.replace('code = "1"', 'code = "2"').replace("a.md", "b.md")
    written(tmp_path, "b.toml", other)
    written(tmp_path, "b.md", markdown([row("text", "who", "${nobody}")]))

    with pytest.raises(CatalogRefused) as caught:
        read_packages(tmp_path)

    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("b.md", 2)
    assert problem.message == "survey 表第 2 行 label 列：没有叫 nobody 的字段"


def test_materials_must_prove_what_the_form_asks(tmp_path: Path) -> None:
    material = '[[material]]\nkey = "m"\nname = "证明"\nproves = ["age"]\n'
    written(tmp_path, "a.toml", ITEM + material)
    written(tmp_path, "a.md", GOOD)

    with pytest.raises(CatalogRefused, match="没有要填写的字段 'age'"):
        read_packages(tmp_path)


def test_what_is_neither_a_form_nor_a_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormFileRefused, match="既不是表单文件"):
        read_any(written(tmp_path, "a.json", "{}"))


def test_the_example_of_the_guide_can_be_published_and_filled_in(
    tmp_path: Path,
) -> None:
    text = in_guide("\n\\| survey")
    written(tmp_path, "tree_felling.md", "| survey" + text)
    item = in_guide("toml").replace("tree_felling.xlsx", "tree_felling.md")
    written(tmp_path, "tree_felling.toml", item)

    (package,) = read_packages(tmp_path)

    form = FilledForm(package, {}, datetime(2026, 11, 22, 12, tzinfo=UTC), is_new=True)
    form.answer("town", "hecun")
    village = next(line for line in form.lines() if line.key == "village")
    assert [choice.label for choice in village.choices] == ["耀里村", "清塘村"]
    asked = [f for f in package.questions if f.kind not in ("computed", "note")]
    assert len(asked) == 12


def test_what_the_guide_says_of_faults_is_what_is_said(tmp_path: Path) -> None:
    text = "| survey" + in_guide("\n\\| survey")
    text = text.replace("town = ${town}", "town = ${twon}")
    text = text.replace("select_one reason", "select_one resaon")
    text = text.replace(". >= 1 and . <= 10000", ". >= 1 and")

    with pytest.raises(FormFileRefused) as caught:
        build(written(tmp_path, "tree_felling.md", text))

    said = [str(problem) for problem in caught.value.problems]
    assert said == in_guide("\nsurvey 表第").join(["survey 表第", ""]).splitlines()[:3]
