"""Files of forms compiled: what comes out, and how faults are told."""

import os
import time
from pathlib import Path

import pytest

from forms.author import compile as compiling
from forms.author.build import build
from forms.author.compile import compile_form, compile_forms
from forms.catalog import shipped
from forms.errors import FormFileRefused
from forms.filling import Filling, prepare
from forms.questions import questions
from forms.xform import Definition
from tests.forms.author_files import Row, markdown, row, with_member, workbook, written
from tests.forms.xforms import NOW

pytest.importorskip("pyxform")

TOWNS = [
    {"list_name": "town", "name": "hecun", "label": "贺村镇"},
    {"list_name": "town", "name": "xiakou", "label": "峡口镇"},
]
PLAIN = markdown(
    [row("text", "who", "姓名"), row("select_one town", "town", "镇")], TOWNS
)
PLAIN_BOOK = workbook(
    {
        "survey": [
            ["type", "name", "label"],
            ["text", "who", "姓名"],
            ["select_one town", "town", "镇"],
        ],
        "choices": [list(TOWNS[0]), *(list(one.values()) for one in TOWNS)],
    }
)
PLAIN_CSV = """survey
,type,name,label
,text,who,姓名
,select_one town,town,镇
choices
,list_name,name,label
,town,hecun,贺村镇
,town,xiakou,峡口镇
"""


def refused(path: Path) -> list[str]:
    """Return what is wrong with a file; there has to be something."""
    with pytest.raises(FormFileRefused) as caught:
        build(path)
    assert caught.value.problems
    return [str(problem) for problem in caught.value.problems]


def labels(form: Definition) -> dict[str, str]:
    return {field.key: field.label for field in questions(prepare(form))}


# -- what comes out


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.md", PLAIN),
        ("a.xlsx", PLAIN_BOOK),
        ("a.csv", PLAIN_CSV),
        # As Excel saves a table here.
        ("b.csv", PLAIN_CSV.encode("gb18030")),
    ],
    # A workbook bears the time of its making: no two processes would call it the same.
    ids=["markdown", "workbook", "utf-8 table", "gb18030 table"],
)
def test_a_form_is_the_same_in_every_kind_of_file(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    form = compile_form(written(tmp_path, name, content))

    assert labels(form) == {"who": "姓名", "town": "镇"}
    town = questions(prepare(form))[1]
    assert [choice.label for choice in town.choices] == ["贺村镇", "峡口镇"]


def test_an_xform_of_others_is_taken_as_it_is(tmp_path: Path) -> None:
    xform = """<h:html xmlns="http://www.w3.org/2002/xforms"
      xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>表</h:title><model>
      <instance><data id="f"><who/></data></instance>
      <bind nodeset="/data/who" type="string"/></model></h:head>
      <h:body><input ref="/data/who"><label>姓名</label></input></h:body></h:html>"""

    form = compile_form(written(tmp_path, "a.xml", xform))

    assert labels(form) == {"who": "姓名"}


def test_lists_beside_the_form_go_into_it(tmp_path: Path) -> None:
    written(tmp_path, "villages.csv", "name,label,town\ny1,耀里村,hecun\n")
    written(tmp_path, "limits.csv", "town,yuan\nhecun,1080\n")
    survey = [
        row("select_one town", "town", "镇"),
        row(
            "select_one_from_file villages.csv",
            *("village", "村"),
            choice_filter="town = ${town}",
        ),
        row(
            "calculate",
            "limit",
            calculation="pulldata('limits', 'yuan', 'town', ${town})",
        ),
    ]
    path = written(tmp_path, "a.md", markdown(survey, TOWNS))

    form = compile_form(path)

    assert all(one.root is not None for one in form.secondary)
    village = questions(prepare(form))[1]
    assert [choice.label for choice in village.choices] == ["耀里村"]


def test_a_division_is_picked_by_county_town_and_village(tmp_path: Path) -> None:
    written(
        tmp_path,
        "divisions.csv",
        "name,label,level,parent\n"
        "330881000000,江山市,county,\n"
        "330881105000,朱林镇,town,330881000000\n"
        "330881106000,石门镇,town,330881000000\n"
        "330881105201,三江口村,village,330881105000\n"
        "330881106201,上塘村,village,330881106000\n",
    )
    ask = "select_one_from_file divisions.csv"
    settings = {"form_title": "试", "form_id": "data"}
    survey = [
        row(ask, "county", "区", choice_filter="level = 'county'"),
        row(ask, "town", "镇", choice_filter="level = 'town' and parent = ${county}"),
        row(
            *(ask, "village", "村"),
            choice_filter="level = 'village' and parent = ${town}",
            **{"bind::lianban:kind": "division"},
        ),
    ]
    definition = compile_form(written(tmp_path, "a.md", markdown(survey, (), settings)))

    form = Filling(prepare(definition), NOW)
    picked = []
    for name in ("county", "town", "village"):
        offered = form.choices(f"/data/{name}")
        picked.append([label for _, label in offered])
        form.answer(f"/data/{name}", offered[-1][0])

    assert picked == [["江山市"], ["朱林镇", "石门镇"], ["上塘村"]]
    assert form.value("/data/village") == "330881106201"
    form.answer("/data/town", "330881105000")
    assert form.value("/data/village") == ""


def test_the_choices_of_the_sheet_for_external_ones_go_into_the_form(
    tmp_path: Path,
) -> None:
    sheets = {
        "survey": [
            ["type", "name", "label", "choice_filter"],
            ["select_one town", "town", "镇", None],
            ["select_one_external village", "village", "村", "town = ${town}"],
        ],
        "choices": [list(TOWNS[0]), *(list(one.values()) for one in TOWNS)],
        "external_choices": [
            ["list_name", "name", "label", "town"],
            ["village", "y1", "耀里村", "hecun"],
            # pyxform would move the cells of a row with a gap.
            ["village", "y2", None, "xiakou"],
        ],
    }

    form = compile_form(written(tmp_path, "a.xlsx", workbook(sheets)))

    found = next(one for one in form.secondary if one.id == "village")
    assert found.root is not None
    last = {cell.name: cell.text for cell in found.root.children[1].children}
    assert last["name"] == "y2" and last["town"] == "xiakou"


def test_many_forms_are_compiled_by_one_child_in_their_order(tmp_path: Path) -> None:
    good = written(tmp_path, "a.md", PLAIN)
    bad = written(tmp_path, "b.md", markdown([row("text", "a", "${nobody}")]))

    first, second, third = compile_forms([good, bad, good])

    assert isinstance(first, Definition) and isinstance(third, Definition)
    assert isinstance(second, FormFileRefused)


def test_a_file_that_takes_too_long_is_given_up_and_the_next_one_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "TIME_LIMIT_S", 0.01)

    found = list(compile_forms([written(tmp_path, "a.md", PLAIN)] * 2))

    assert all(isinstance(one, FormFileRefused) for one in found)
    assert "已经停下" in str(found[0])


def test_every_form_that_ships_compiles() -> None:
    paths = sorted(shipped().glob("*.md"))

    found = list(compile_forms(paths))

    assert len(found) == 26
    assert [str(one) for one in found if isinstance(one, FormFileRefused)] == []
    asked = [
        field
        for form in found
        if isinstance(form, Definition)
        for field in questions(prepare(form))
    ]
    assert {"citizen_id", "phone", "credit_code", "division"} <= {f.kind for f in asked}


# -- how faults are told


@pytest.mark.parametrize(
    ("survey", "said"),
    [
        (
            [row("text", "a", "甲", relevant="${shuoming} = 1")],
            "survey 表第 2 行 relevant 列：没有叫 shuoming 的字段",
        ),
        (
            [row("text", "shuomin", "甲"), row("note", "b", "见 ${shuoming}")],
            "survey 表第 3 行 label 列：没有叫 shuoming 的字段，是不是 shuomin？",
        ),
        (
            [row("text", "a", "甲", constraint="foo(.)")],
            "survey 表第 2 行 constraint 列：表达式不能用：没有函数 'foo'",
        ),
        (
            [row("text", "a", "甲", relevant="${a} >")],
            "survey 表第 2 行 relevant 列：表达式不能用：写到一半就结束了",
        ),
        (
            [
                row("text", "t", "题"),
                row("calculate", "a", calculation="${b} + 1"),
                row("calculate", "b", calculation="${a} + 1"),
            ],
            "calculation 列：互相依赖，绕成了圈：${",
        ),
        (
            [row("select_one nothing", "a", "甲")],
            "survey 表第 2 行 type 列：没有 choices 表，也就没有叫 nothing 的选项列表",
        ),
        (
            [row("text", "t", "题"), row("wonder", "a", "甲")],
            "survey 表第 3 行 type 列：没有 wonder 这种题型，要写 text、",
        ),
        (
            [row("text", "a", "甲"), row("", "b", "乙")],
            "survey 表第 3 行 type 列：没有写题型",
        ),
        (
            [row("text", "a", "甲"), row("text", "a", "乙")],
            "survey 表第 3 行 name 列：同一组里已经有叫这个名称的字段",
        ),
        (
            [row("text", "1a", "甲")],
            "survey 表第 2 行 name 列：名称要以字母或下划线开头",
        ),
        (
            [row("begin_group", "g", "组"), row("text", "a", "甲")],
            "survey 表第 2 行 type 列：begin_group 后面没有对应的 end_group",
        ),
        (
            [row("text", "a", "甲"), row("end_repeat")],
            "survey 表第 3 行 type 列：end_repeat 前面没有对应的 begin_repeat",
        ),
        (
            [
                row("begin_repeat", "r", "项", repeat_count="foo(1)"),
                row("text", "a", "甲"),
                row("end_repeat"),
            ],
            "survey 表第 2 行 repeat_count 列：表达式不能用：没有函数 'foo'",
        ),
        (
            [row("select_one town", "a", "甲", appearance="minimal search('towns')")],
            "survey 表第 2 行 appearance 列：不支持 search()",
        ),
        (
            [row("text", "a", "甲"), row("start-geopoint", "b")],
            "survey 表第 3 行 type 列：终端没有定位，不能自动取坐标；请改用 geopoint",
        ),
        (
            [row("select_one_from_file villages.csv", "a", "甲")],
            "survey 表第 2 行 type 列：文件夹里没有 villages.csv",
        ),
        (
            [
                row("text", "t", "题"),
                row("calculate", "a", calculation="pulldata('x', 'a', 'b', ${t})"),
            ],
            "survey 表第 3 行 calculation 列：文件夹里没有 x.csv",
        ),
        (
            [row("text", "a", "甲", **{"bind::lianban:kind": "magic"})],
            "survey 表第 2 行 bind::lianban:kind 列：没有 'magic' 这种字段",
        ),
        (
            [row("text", "a"), row("text", "b", **{"bind::lianban:was": "a"})],
            "survey 表第 3 行 bind::lianban:was 列：字段 a 还在表里",
        ),
        (
            [
                row("text", "a", **{"bind::lianban:was": "old older"}),
                row("text", "b", **{"bind::lianban:was": "older"}),
            ],
            "survey 表第 3 行 bind::lianban:was 列：a 已经写了由 older 改名",
        ),
        (
            [row("text", "a", "=1+1")],
            "survey 表第 2 行 label 列：这里是 Excel 公式",
        ),
        (
            [row("text", "a", "甲", constraint="regex(., '[a')")],
            "constraint 列：表达式不能用：正则表达式里有一个 [ 没有配对",
        ),
    ],
)
def test_a_fault_is_told_with_sheet_row_and_column(
    tmp_path: Path, survey: list[Row], said: str
) -> None:
    path = written(
        tmp_path, "a.md", markdown(survey, settings={"namespaces": NAMESPACES})
    )

    assert any(said in one for one in refused(path)), refused(path)


NAMESPACES = 'lianban="urn:lianban:form"'


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    survey = [
        row("text", "a", "见 ${nobody}", relevant="${noone} = 1"),
        row("wonder", "b", "乙"),
        row("select_one nothing", "c", "丙"),
        row("text", "", "丁"),
        row("calculate", "e"),
        row("integer", "f", "己", constraint="foo(.)"),
        row("integer", "g", "庚", relevant="count("),
    ]

    said = refused(written(tmp_path, "a.md", markdown(survey, TOWNS)))

    rows = [int(one.partition("第 ")[2].partition(" 行")[0]) for one in said]
    assert rows == [2, 2, 3, 4, 5, 6, 7, 8]


def test_rows_are_counted_as_excel_shows_them(tmp_path: Path) -> None:
    sheet = [
        ["type", "name", "label", "relevant"],
        [None],
        ["text", "a", "甲", None],
        [None],
        [None],
        ["text", "b", "乙", "${nobody}"],
    ]

    said = refused(written(tmp_path, "a.xlsx", workbook({"survey": sheet})))

    assert said == ["survey 表第 6 行 relevant 列：没有叫 nobody 的字段"]


def test_a_fault_of_an_xform_has_its_line(tmp_path: Path) -> None:
    xform = """<h:html xmlns="http://www.w3.org/2002/xforms"
      xmlns:h="http://www.w3.org/1999/xhtml"><h:head><model>
      <instance><data id="f"><who/></data></instance>
      <bind nodeset="count(x)"/></model></h:head><h:body/></h:html>"""

    said = refused(written(tmp_path, "a.xml", xform))

    assert said == ["第 4 行：bind count(x)：bind 要写一条不带条件的路径（nodeset）"]


# -- hostile files

DEEP = [row("begin_group", f"g{n}", "组") for n in range(400)]
SHEET = "xl/worksheets/sheet1.xml"
BAD: dict[str, tuple[str, str | bytes, str]] = {
    "10,000 rows": (
        "a.md",
        markdown([row("text", f"q{n}", "问") for n in range(10_000)]),
        "最多 2000 行",
    ),
    "400 groups": (
        "a.md",
        markdown([*DEEP, row("text", "t", "题"), *[row("end_group")] * 400]),
        "survey 表第 32 行 type 列：分组套了 30 层以上",
    ),
    "a formula": (
        "a.xlsx",
        workbook({"survey": [["type", "name", "label"], ["text", "a", "=1+1"]]}),
        "survey 表第 2 行 label 列：这里是 Excel 公式",
    ),
    "a zip bomb": (
        "a.xlsx",
        with_member(PLAIN_BOOK, SHEET, b"<worksheet>" + b" " * 100_000_000),
        "没有打开",
    ),
    "entities": (
        "a.xlsx",
        with_member(PLAIN_BOOK, SHEET, b'<!DOCTYPE x [<!ENTITY a "a">]><x>&a;</x>'),
        "DOCTYPE",
    ),
    "entities of another encoding": (
        "a.xlsx",
        with_member(PLAIN_BOOK, SHEET, "<!DOCTYPE x [ ]><x/>".encode("utf-16")),
        "DOCTYPE",
    ),
    "entities of an XForm": (
        "a.xml",
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        "DOCTYPE",
    ),
    "no zip": ("a.xlsx", b"PK\x03\x04" + bytes(100), "不是 .xlsx 文件"),
    "no workbook of old": (
        "a.xls",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 4_000,
        "不是 .xls 文件",
    ),
    "no text": ("a.csv", b"\xff\xfe\x00" * 100, "文字编码读不懂"),
    "too large": ("a.csv", b",text,a,b\n" * 500_000, "最多 4194304 字节"),
    "nothing": ("a.md", "", "里面没有工作表"),
    "another kind": ("a.docx", b"PK", "不认识 .docx"),
    "an expression of 10,000 words": (
        "a.md",
        markdown([row("text", "a", "甲", relevant="1" + "+1" * 10_000)]),
        "survey 表第 2 行 relevant 列：表达式不能用：太长了",
    ),
    "a search in a search": (
        "a.md",
        markdown(
            [row("text", f"q{n}", "问") for n in range(1_500)]
            + [row("calculate", "c", calculation="count(//*[count(//*[//*]) > 1])")]
        ),
        "survey 表第 1502 行 calculation 列：对",
    ),
    "a pattern without end": (
        "a.md",
        markdown([row("text", "a", "甲", constraint="regex(., '^(a+)+$')")]),
        "survey 表第 2 行 constraint 列：正则表达式 ^(a+)+$ 里重复套着重复",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_ends_in_a_sentence_within_5_seconds(
    tmp_path: Path, name: str
) -> None:
    file, content, said = BAD[name]
    path = written(tmp_path, file, content)

    began = time.monotonic()
    with pytest.raises(FormFileRefused) as caught:
        compile_form(path)

    assert time.monotonic() - began < 5
    found = [str(problem) for problem in caught.value.problems]
    assert any(said in one for one in found), found


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    (tmp_path / "folder.xlsx").mkdir()

    for name in ("pipe.xlsx", "folder.xlsx", "nothing.xlsx"):
        with pytest.raises(FormFileRefused, match=f"没有 {name} 这个文件"):
            compile_form(tmp_path / name)


def test_a_list_is_not_read_from_elsewhere(tmp_path: Path) -> None:
    written(tmp_path, "secret.csv", "name,label\na,甲\n")
    folder = tmp_path / "form"
    folder.mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    survey = [row("select_one_from_file link.csv", "a", "甲")]

    said = refused(written(folder, "a.md", markdown(survey)))

    assert "link.csv 不是普通文件" in said[0]
