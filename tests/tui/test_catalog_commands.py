"""`lianban catalog guide`, `export` and `import`."""

import json
from pathlib import Path

import pytest

from forms.catalog import item_files, read_entries, shipped
from tests.tui.desks import ITEM, Desks
from tests.tui.shell import Shell
from tui import cli

openpyxl = pytest.importorskip("openpyxl")

Printed = pytest.CaptureFixture[str]


def test_the_guide_is_printed_and_told_as_data(desks: Desks, lianban: Shell) -> None:
    text = lianban(desks.village, "catalog", "guide", ITEM)
    same = lianban(desks.village, "catalog", "guide", "332011001000", "--text")
    data = json.loads(lianban(desks.village, "catalog", "guide", ITEM, "--json").out)

    assert text.code == 0 and same.out == text.out
    assert "【材料】\n1. 居民身份证" in text.out and "【时限】" in text.out
    assert data["name"] == ITEM and data["version"] == "2026112101"
    assert {"title": "收费", "lines": ["不收费"]} in data["sections"]


def test_the_guide_is_saved_as_pdf_to_a_file_or_into_a_folder(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    named = tmp_path / "a.pdf"

    said = lianban(desks.village, "catalog", "guide", ITEM, "--pdf", str(named))
    into = ("catalog", "guide", ITEM, "--json", "--pdf", str(tmp_path))
    data = json.loads(lianban(desks.village, *into).out)

    assert said.code == 0 and said.out == "" and "已存到" in said.err
    assert named.read_bytes().startswith(b"%PDF-")
    assert data["file"] == str(tmp_path / f"{ITEM} 办事指南.pdf")
    assert data["missing"] == []


def test_a_guide_that_cannot_be_saved_or_found_is_told(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    away = str(tmp_path / "away" / "a.pdf")

    nowhere = lianban(desks.village, "catalog", "guide", ITEM, "--pdf", away)
    nothing = lianban(desks.village, "catalog", "guide", "飞天")
    both = lianban(desks.village, "catalog", "guide", ITEM, "--text", "--pdf", away)

    assert (nowhere.code, nothing.code, both.code) == (1, 1, 2)
    assert "没有 away 这个文件夹" in nowhere.err
    assert "没有 飞天 这个事项" in nothing.err


def test_the_items_that_ship_go_into_a_workbook_and_come_back(
    tmp_path: Path, capsys: Printed
) -> None:
    book, folder = tmp_path / "事项.xlsx", tmp_path / "out"

    assert cli.run(["catalog", "export", str(book)]) == 0
    assert str(shipped()) in capsys.readouterr().err
    assert cli.run(["catalog", "import", str(book), str(folder)]) == 0
    said = capsys.readouterr()

    written = said.out.splitlines()
    assert [Path(one).name for one in written] == [
        p.name for p in item_files(shipped())
    ]
    assert "写好 26 个文件" in said.err
    assert "文件夹里没有 elder_card.md" in said.err  # forms are no part of the book
    for form in (*shipped().glob("*.md"), *shipped().glob("*.csv")):
        (folder / form.name).write_bytes(form.read_bytes())
    assert read_entries(folder) == read_entries(shipped())
    assert cli.run(["catalog", "import", str(book), str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "ok": True,
        "written": [],
        "to_do": [],
    }


def test_a_fault_of_a_workbook_is_told_by_its_cell_and_writes_nothing(
    tmp_path: Path, capsys: Printed
) -> None:
    path, folder = tmp_path / "a.xlsx", tmp_path / "out"
    cli.run(["catalog", "export", str(path)])
    book = openpyxl.load_workbook(path)
    heads = [cell.value for cell in book["事项"][1]]
    book["事项"].cell(3, heads.index("难度分") + 1).value = "=1+1"
    book["事项"].cell(4, heads.index("申请人") + 1).value = "神仙"
    book.save(path)
    capsys.readouterr()

    assert cli.run(["catalog", "import", str(path), str(folder)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert cli.run(["catalog", "import", str(path), str(folder), "--json"]) == 1
    data = json.loads(capsys.readouterr().out)

    assert said[0] == "事项!R3：难度分：这里是公式，请复制后用“粘贴为值”换成文字或数字"
    assert said[1].startswith("事项!I4：申请人：应是 个人、")
    assert said[2] == "a.xlsx 有 2 处要改，没有写入任何文件。"
    assert [one["place"] for one in data["problems"]] == ["事项!R3", "事项!I4"]
    assert not folder.exists()


def test_what_is_no_workbook_or_no_folder_is_told_and_changes_nothing(
    tmp_path: Path, capsys: Printed
) -> None:
    bad = tmp_path / "a.xlsx"
    bad.write_text("不是")
    out = str(tmp_path / "out")

    assert cli.run(["catalog", "import", str(tmp_path / "no.xlsx"), out]) == 1
    assert "没有改动" in capsys.readouterr().err
    assert cli.run(["catalog", "import", str(bad), out]) == 1
    assert "不是 .xlsx 文件" in capsys.readouterr().err
    assert cli.run(["catalog", "export", str(bad), str(tmp_path / "none")]) == 1
    assert "打不开这个文件夹" in capsys.readouterr().err
    assert bad.read_text() == "不是"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.xlsx"]


def test_the_report_counts_short_promises_and_compares_papers(
    tmp_path: Path, capsys: Printed
) -> None:
    then = tmp_path / "then"
    then.mkdir()
    text = (shipped() / "elder_card.toml").read_text(encoding="utf-8")
    more = '\n[[material]]\nkey = "letter"\nname = "介绍信"\n'
    (then / "elder_card.toml").write_text(text + more, encoding="utf-8")
    (then / "elder_card.md").touch()

    assert cli.run(["catalog", "report", "--before", str(then)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert cli.run(["catalog", "report", "--before", str(then), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)

    card = next(one for one in said if ITEM in one)
    assert "法定 60，承诺 30（50 %）" in card and "! 超过 35 %" in card
    assert "材料 4 → 3 份" in card
    assert said[-2].startswith(f"26 个事项，{data['short']} 个（")
    assert said[-1] == "与以前一版都有的 1 个事项：材料 4 份，现在 3 份"
    assert data["compared"] == {"items": 1, "before": 4, "now": 3}
    assert len(data["items"]) == 26


def test_a_report_of_a_folder_with_faults_tells_them(
    tmp_path: Path, capsys: Printed
) -> None:
    assert cli.run(["catalog", "report", str(tmp_path)]) == 1
    assert "没有统计" in capsys.readouterr().err
