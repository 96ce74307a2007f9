"""`lianban forms`: what authors run."""

import json
from pathlib import Path

import pytest

from forms.package import decode, digest
from tests.forms.author_files import markdown, row, written
from tui import cli

pytest.importorskip("pyxform")

GOOD = markdown([row("text", "who", "姓名"), row("integer", "age", "年龄")])
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
Printed = pytest.CaptureFixture[str]


def test_a_good_form_is_checked_without_a_home(tmp_path: Path, capsys: Printed) -> None:
    path = written(tmp_path, "a.md", GOOD)

    assert cli.run(["forms", "check", str(path)]) == 0
    assert capsys.readouterr().out == "a.md  没有要改的地方  2 个字段\n"


def test_faults_are_told_with_their_cells(tmp_path: Path, capsys: Printed) -> None:
    text = markdown([row("text", "who", "姓名", relevant="${shuoming} = 1")])
    path = written(tmp_path, "a.md", text)

    assert cli.run(["forms", "check", str(path)]) == 1
    said = capsys.readouterr().err
    assert "survey 表第 2 行 relevant 列：没有叫 shuoming 的字段" in said
    assert "没有发布任何内容" in said
    assert cli.run(["forms", "check", str(path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "ok": False,
        "problems": [
            {
                "sheet": "survey",
                "row": 2,
                "column": "relevant",
                "message": "没有叫 shuoming 的字段",
            }
        ],
    }


def test_two_forms_are_compared(tmp_path: Path, capsys: Printed) -> None:
    first = written(tmp_path, "a.md", GOOD)
    text = markdown([row("text", "who", "姓名"), row("decimal", "age", "年龄")])
    second = written(tmp_path, "b.md", text)

    assert cli.run(["forms", "diff", str(first), str(second)]) == 0
    assert capsys.readouterr().out == "age  年龄  题型：整数 → 小数\n"
    assert cli.run(["forms", "diff", str(first), str(second), "--json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert (change["what"], change["key"]) == ("kind", "age")


def test_a_package_is_the_same_bytes_each_time_and_can_be_compared(
    tmp_path: Path, capsys: Printed
) -> None:
    item, form = written(tmp_path, "i.toml", ITEM), written(tmp_path, "a.md", GOOD)
    out = tmp_path / "out.json"
    command = ["forms", "pack", str(item), str(form), "-o", str(out), "--json"]

    assert cli.run(command) == 0
    first = out.read_bytes()
    assert cli.run(command) == 0

    assert out.read_bytes() == first
    assert decode(first).item.name == "试办"
    told = capsys.readouterr().out.splitlines()
    assert json.loads(told[0])["digest"] == digest(first)
    assert cli.run(["forms", "diff", str(form), str(out)]) == 0
    assert capsys.readouterr().out == ""


def test_nothing_is_written_for_a_wrong_form(tmp_path: Path, capsys: Printed) -> None:
    item = written(tmp_path, "i.toml", ITEM)
    form = written(tmp_path, "a.md", markdown([row("wonder", "who", "姓名")]))
    out = tmp_path / "out.json"

    assert cli.run(["forms", "pack", str(item), str(form), "-o", str(out)]) == 1
    assert not out.exists()
    assert "没有 wonder 这种题型" in capsys.readouterr().err


def test_a_form_is_tried_on_a_terminal_only(tmp_path: Path, capsys: Printed) -> None:
    path = written(tmp_path, "a.md", GOOD)

    assert cli.run(["forms", "try", str(path)]) == 2
    assert "没有终端" in capsys.readouterr().err
