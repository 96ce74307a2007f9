import os
import sys
from pathlib import Path

import pytest

from forms.catalog import MAX_FILE_BYTES, read_entries
from forms.errors import CatalogProblem, CatalogRefused
from forms.package import decode, encode
from tests.shipping import all_shipped_packages

ITEM = """\
version = "2026112101"

[item]
code = "1"
code_scheme = "示例"
name = "事项"
department = "民政局"
applicant = "person"
collect = ["village"]
accept = "town"
decide = "town"
legal_workdays = 7
promise_workdays = 1
guide = \"\"\"
第一行
[[field]]
key = "not_a_key"
\"\"\"

[[material]]
key = "id_card"
name = "身份证"
proves = ["name"]

[[field]]
key = "name"
kind = "text"
label = "姓名"

[[field]]
key = "sex"
kind = "choice"
label = "性别"
choices = [
    { value = "male", label = "男" },
]
"""


HEAD = ITEM[: ITEM.index('[[field]]\nkey = "name"')]
"""The same without fields, to name a form in a file."""


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.toml").write_text(text, encoding="utf-8")
    return path


def refused(directory: Path) -> list[CatalogProblem]:
    with pytest.raises(CatalogRefused) as caught:
        read_entries(directory)
    return caught.value.problems


def test_the_items_that_ship_with_the_program_are_in_order() -> None:
    packages = all_shipped_packages()

    assert len(packages) == 26
    for package in packages:
        assert decode(encode(package)) == package
        assert package.field_of("applicant_name") is not None
        assert package.field_of("applicant_phone") is not None
        assert package.item.guide
        assert all(material.review for material in package.item.materials)


def test_an_item_with_a_form_in_a_file_needs_no_fields(tmp_path: Path) -> None:
    (tmp_path / "a.md").touch()
    folder(tmp_path, a='form = "a.md"\n' + HEAD)

    (entry,) = read_entries(tmp_path)

    assert (entry.form, entry.fields, entry.package) == ("a.md", (), None)
    assert entry.item.name == "事项"


def test_an_item_has_its_form_in_one_place(tmp_path: Path) -> None:
    (tmp_path / "a.md").touch()

    (problem,) = refused(folder(tmp_path, a='form = "a.md"\n' + ITEM))

    assert (problem.file, problem.line) == ("a.toml", 1)
    assert "有了表单文件就不能再列 [[field]]" in problem.message


def test_a_form_that_is_not_in_the_folder_is_named(tmp_path: Path) -> None:
    (problem,) = refused(folder(tmp_path, a='form = "a.md"\n' + HEAD))

    assert (problem.file, problem.line) == ("a.toml", 1)
    assert "form：文件夹里没有 a.md" in problem.message


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_form_that_is_a_link_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    (tmp_path / "a.md").symlink_to(tmp_path / "secret")

    problems = refused(folder(tmp_path, a='form = "a.md"\n' + HEAD))

    assert "文件夹里没有 a.md" in problems[0].message


def test_items_come_in_the_order_of_their_files(tmp_path: Path) -> None:
    other = ITEM.replace('code = "1"', 'code = "2"')

    entries = read_entries(folder(tmp_path, b=ITEM, a=other))

    assert [entry.item.code for entry in entries] == ["2", "1"]


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("= not toml =")

    assert len(read_entries(folder(tmp_path, a=ITEM))) == 1


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    text = "\ufeff" + ITEM.replace("\n", "\r\n")
    (tmp_path / "a.toml").write_bytes(text.encode())

    assert len(read_entries(tmp_path)) == 1


@pytest.mark.parametrize(
    ("good", "bad", "line", "said"),
    [
        ('"2026112101"', "2026112101", 1, "version：应是文字"),
        ('"2026112101"', '"new"', 1, "version：应是 1 至 16 位数字"),
        ("[item]", "[iten]", 3, "iten：没有这个键，是不是 item？"),
        ("code_scheme", "code_schema", 5, "没有这个键，是不是 code_scheme？"),
        ("department", "zzz", 7, "没有这个键，可用的有 code、"),
        ('"person"', '"robot"', 8, "item.applicant：应是 person、"),
        ('"town"\ndecide', '"city"\ndecide', 10, "item.accept：应是 village、"),
        ('decide = "town"', 'decide = "village"', 11, "item.decide："),
        ("legal_workdays = 7", 'legal_workdays = "7"', 12, "应是整数，不加引号"),
        ("legal_workdays = 7", "legal_workdays = 0", 12, "应在 1 至 1000 之间"),
        ("promise_workdays = 1", "promise_workdays = 8", 13, "不能长于法定时限"),
        (
            "promise_workdays = 1",
            "promise_workdays = 1\nfile_limit_kib = 30000",
            14,
            "item.file_limit_kib：应在 1 至 20480 之间",
        ),
        (
            "promise_workdays = 1",
            "promise_workdays = 1\nfile_limit_kib = 900\ncase_limit_kib = 800",
            15,
            "一件的总量不能小于单个文件的上限（900）",
        ),
        (
            "promise_workdays = 1",
            "promise_workdays = 1\nimage_side = 900",
            14,
            "没有这个键，是不是 image_side_px？",
        ),
        ('["name"]', '["nmae"]', 23, "表单里没有要填写的字段 'nmae'"),
        ('["name"]', '"name"', 23, "应是几段文字"),
        ('key = "name"', 'key = "Name"', 26, "field[1].key：应以小写字母开头"),
        ('key = "sex"', 'key = "name"', 31, "field[2].key：与第 1 个重复：name"),
        ('"text"', '"txt"', 27, "field[1].kind：没有这种字段"),
        ('label = "姓名"', "", 25, "field[1]：缺少 label"),
        ('label = "姓名"', 'label = "姓名"\nrequired = 1', 29, "true 或 false"),
        ('label = "姓名"', 'label = "姓名"\nminimum = "1"', 29, "没有上下限"),
        ('value = "male"', 'valeu = "male"', 34, "choices[1].valeu：没有这个键"),
        ('value = "male", ', "", 34, "choices[1]：缺少 value"),
        ('{ value = "male", label = "男" }', '"男"', 34, "choices[1]：应是一节"),
        ("[[material]]", "[material]", 20, "应写成 [[material]]"),
        (
            "legal_workdays = 7",
            'legal_workdays = 7\nmodes = ["drone"]',
            13,
            "item.modes：应是列表，每项是 window、",
        ),
        (
            "promise_workdays = 1",
            'promise_workdays = 1\nurgent = { when = "急", approve = "town" }',
            14,
            "item.urgent：缺少 workdays",
        ),
        (
            "promise_workdays = 1",
            "promise_workdays = 1\nurgent = 3",
            14,
            "item.urgent：应是一节",
        ),
        (
            "promise_workdays = 1",
            "promise_workdays = 1\ntrips = true",
            14,
            "item.trips：应是整数",
        ),
        (
            'proves = ["name"]',
            'proves = ["name"]\nexempt_by = [\n{ kind = "paper", name = "x" }]',
            24,
            "material[1].exempt_by[1].kind：应是 certificate、",
        ),
        (
            "[[material]]",
            '[[step]]\nname = "受理"\ntier = "town"\nworkdays = 9\n\n[[material]]',
            20,
            "step：各环节合计 9 个工作日",
        ),
        (
            "[[material]]",
            '[[fee]]\nname = "费"\nstandard = "10 元"\nbasis = ""\n\n[[material]]',
            23,
            "fee[1].basis：不能为空",
        ),
        (  # the same as a section of its own
            "[[material]]",
            '[item.urgent]\nwhen="急"\napprove="city"\nworkdays=1\n\n[[material]]',
            22,
            "item.urgent.approve：应是 village、",
        ),
        (
            'proves = ["name"]',
            'proves = ["name"]\n[[material.exempt_by]]\nkind = "data"\nname = ""',
            26,
            "material[1].exempt_by[1].name：不能为空",
        ),
        ('version = "', 'form = "../a.md"\nversion = "', 1, "form：应是同一文件夹里"),
        ('version = "', 'form = 1\nversion = "', 1, "form：应是文字"),
        ('label = "性别"', 'label = "性别', 33, "TOML 写法不对"),
        ('[[field]]\nkey = "sex"', '[[field]\nkey = "sex"', 30, "TOML 写法不对"),
    ],
)
def test_a_fault_is_named_by_file_and_line(
    tmp_path: Path, good: str, bad: str, line: int, said: str
) -> None:
    assert good in ITEM
    text = ITEM.replace(good, bad, 1)

    problems = refused(folder(tmp_path, item=text))

    assert any(
        p.file == "item.toml" and p.line == line and said in p.message for p in problems
    ), problems


@pytest.mark.parametrize(
    ("endless", "said"), [("9", "数字长得离谱"), ("[", "括号套得太深")]
)
def test_what_would_choke_the_parser_is_a_fault(
    tmp_path: Path, endless: str, said: str
) -> None:
    problems = refused(folder(tmp_path, a=f"version = {endless * 9_000}"))

    assert said in problems[0].message


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    several = (
        ITEM.replace('"person"', '"robot"')
        .replace('kind = "text"', 'kind = "txt"')
        .replace('label = "性别"', "label = 3")
    )
    broken = "= 1"

    problems = refused(folder(tmp_path, a=several, b=broken, c=ITEM))

    assert [(p.file, p.line) for p in problems] == [
        ("a.toml", 8),
        ("a.toml", 27),
        ("a.toml", 33),
        ("b.toml", 1),
    ]


def test_two_items_cannot_have_one_code(tmp_path: Path) -> None:
    problems = refused(folder(tmp_path, a=ITEM, b=ITEM))

    assert [(p.file, p.line) for p in problems] == [("b.toml", 4)]
    assert "与 a.toml 重复" in problems[0].message


def test_the_sentence_names_the_first_faults_and_the_number(tmp_path: Path) -> None:
    unknown = "".join(f"x{n} = 1\n" for n in range(30))

    with pytest.raises(CatalogRefused) as caught:
        read_entries(folder(tmp_path, a=unknown + ITEM))

    assert "有 30 处要改" in str(caught.value)
    assert "a.toml:1: x0：没有这个键" in str(caught.value)
    assert "另有 10 处" in str(caught.value)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(ITEM.encode("gb18030"))

    problems = refused(tmp_path)

    assert "第 5 行不是 UTF-8 文字" in problems[0].message


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"#" * (MAX_FILE_BYTES + 1))

    assert "最多 256 KiB" in refused(tmp_path)[0].message


@pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")
def test_only_plain_files_are_read(tmp_path: Path) -> None:
    outside = folder(tmp_path, secret=ITEM)
    inside = tmp_path / "catalog"
    inside.mkdir()
    (inside / "link.toml").symlink_to(outside / "secret.toml")
    (inside / "nowhere.toml").symlink_to(outside / "nothing")
    (inside / "folder.toml").mkdir()
    os.mkfifo(inside / "pipe.toml")

    problems = refused(inside)

    assert [p.file for p in problems] == [
        "folder.toml",
        "link.toml",
        "nowhere.toml",
        "pipe.toml",
    ]
    assert all("不是普通文件" in p.message for p in problems)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "打不开这个文件夹" in refused(tmp_path / "gone")[0].message


def test_a_folder_without_items_is_refused(tmp_path: Path) -> None:
    assert "现在 0 个" in refused(tmp_path)[0].message


def test_a_folder_with_too_many_items_is_refused(tmp_path: Path) -> None:
    for number in range(2_001):
        (tmp_path / f"{number}.toml").touch()

    assert "现在 2001 个" in refused(tmp_path)[0].message
