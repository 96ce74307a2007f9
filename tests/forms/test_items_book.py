import contextlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.author.columns import FILE, HEADINGS, NOTES, SHEETS, headings
from forms.author.named import Named
from forms.catalog import read_entries, shipped
from forms.catalog.reader import Entry
from forms.errors import WorkbookProblem, WorkbookRefused
from tests.forms.entries import entries
from tests.forms.samples import FIELDS, ITEM

openpyxl = pytest.importorskip("openpyxl")

from forms.author.book_reader import read_book  # noqa: E402
from forms.author.book_writer import write_book  # noqa: E402
from forms.author.folder import export_book, import_book  # noqa: E402

ENTRY = next(e for e in read_entries(shipped()) if e.form == "property_transfer.md")
PLAIN = Entry("2026112101", ITEM, FIELDS)
BOOK = write_book([Named("house", ENTRY, "一句话"), Named("card", PLAIN)])


def edited(edit: Callable[[openpyxl.Workbook], object]) -> bytes:
    """The sample workbook after a clerk has been at it."""
    book = openpyxl.load_workbook(io.BytesIO(BOOK))
    edit(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def put(sheet: str, heading: str, row: int, value: object) -> Callable[..., None]:
    def edit(book: openpyxl.Workbook) -> None:
        names = [cell.value for cell in book[sheet][1]]
        book[sheet].cell(row, names.index(heading) + 1).value = value

    return edit


def refused(data: bytes) -> list[WorkbookProblem]:
    with pytest.raises(WorkbookRefused) as caught:
        read_book(data)
    return caught.value.problems


@given(st.lists(entries(), min_size=1, max_size=2, unique_by=lambda e: e.item.code))
@settings(deadline=None, max_examples=25)
def test_any_items_come_back_from_a_workbook_as_they_went(found: list[Entry]) -> None:
    items = [Named(f"i{n}", entry, "# 甲\n=1") for n, entry in enumerate(found)]

    assert read_book(write_book(items)) == items


def test_the_items_that_ship_come_back_and_the_files_stay_the_same(
    tmp_path: Path,
) -> None:
    book = tmp_path / "items.xlsx"
    book.write_bytes(export_book(shipped()))
    folder = tmp_path / "out"
    folder.mkdir()
    for form in shipped().glob("*.md"):
        (folder / form.name).write_bytes(form.read_bytes())

    written = import_book(book, folder)
    again = import_book(book, folder)

    assert len(written) == 26 and again == []
    assert read_entries(folder) == read_entries(shipped())
    assert export_book(folder) == export_book(shipped()) or read_book(
        export_book(folder)
    ) == read_book(book.read_bytes())


def test_a_file_that_says_the_same_keeps_the_comments_inside_it(tmp_path: Path) -> None:
    inside = (shipped() / "elder_card.toml").read_text(encoding="utf-8")
    (tmp_path / "elder_card.toml").write_text(inside, encoding="utf-8")
    (tmp_path / "elder_card.md").touch()
    (tmp_path / "book.xlsx").write_bytes(export_book(tmp_path))

    assert import_book(tmp_path / "book.xlsx", tmp_path) == []
    assert (tmp_path / "elder_card.toml").read_text(encoding="utf-8") == inside


def test_a_workbook_with_a_fault_writes_no_file(tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    book.write_bytes(edited(put("事项", "难度分", 3, "很难")))

    with pytest.raises(WorkbookRefused, match="没有写入任何文件"):
        import_book(book, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["book.xlsx"]


def test_every_key_of_an_item_has_a_column() -> None:
    found = {FILE: 0}
    for sheet in SHEETS:
        names = headings(sheet)
        assert len(set(names)) == len(names)
        found |= dict.fromkeys(names, 0)
    for words in HEADINGS.values():
        for key, heading in words.items():
            assert key == "urgent" or any(heading in name for name in found), heading


def test_a_clerk_reads_words_and_not_codes() -> None:
    book = openpyxl.load_workbook(io.BytesIO(BOOK))
    row = {
        h.value: c.value for h, c in zip(book["事项"][1], book["事项"][2], strict=True)
    }

    assert row["申请人"] == "个人"
    assert row["收件层级"] == "镇"
    assert row["加急：批准层级"] == "区"
    assert "双向快递" in row["办理方式"]
    assert book[NOTES].max_row > 50


@pytest.mark.parametrize(
    ("edit", "place", "said"),
    [
        (put("事项", "难度分", 2, "很难"), "事项!R2", "难度分：应是整数"),
        (put("事项", "难度分", 2, 101), "事项!R2", "难度分：应在 0 至 100 之间"),
        (put("事项", "难度分", 2, 1.5), "事项!R2", "应是整数"),
        (put("事项", "申请人", 2, "神仙"), "事项!I2", "应是 个人、"),
        (put("事项", "收件层级", 2, "镇、省"), "事项!J2", "应是 村、镇、区 之一"),
        (put("事项", "即办件", 2, "也许"), "事项!AA2", "应是 是 或 否"),
        (put("事项", "即办件", 2, "是"), "事项!AA2", "即办件：即办件的承诺时限"),
        (put("事项", "事项名称", 2, None), "事项!第 2 行", "缺少 name"),
        (put("事项", "版本", 2, "v1"), "事项!B2", "版本：应是 1 至 16 位数字"),
        (put("事项", "版本", 2, 2026112101234567), "事项!B2", "Excel 会改掉末几位"),
        (put("事项", "表单文件", 2, "../x.md"), "事项!C2", "表单文件：应是同一文件夹"),
        (put("事项", "备注", 2, "a\u202eb"), "事项!D2", "看不见的字符"),
        (put("事项", "难度分", 2, "=1+1"), "事项!R2", "这里是公式"),
        (put("事项", "加急：时限（工作日）", 2, 99), "事项!AD2", "不能长于承诺时限"),
        (put("事项", FILE, 2, "../house"), "事项!A2", "只用文字、数字"),
        (put("事项", FILE, 3, "house"), "事项!A3", "与前面的一行重复"),
        (put("事项", "事项代码", 3, ENTRY.item.code), "事项!E3", "用了同一个代码"),
        (put("材料", "材料键", 3, "Bad Key"), "材料!B3", "材料键：应以小写字母开头"),
        (put("材料", "材料键", 3, "id_cards"), "材料!B3", "与第 1 个重复"),
        (put("材料", "必交", 2, "要"), "材料!D2", "必交：应是 是 或 否"),
        (put("材料", FILE, 2, "nobody"), "材料!A2", "“事项”表里没有这个文件名"),
        (put("环节", "时限（工作日）", 2, 99), "环节!第 2 行", "各环节合计"),
        (put("收费", "收费依据", 2, None), "收费!第 2 行", "缺少 basis"),
        (put("免提交", "材料键", 2, "nothing"), "免提交!B2", "house 没有这一个"),
        (put("字段", "类型", 2, "magic"), "字段!C2", "类型：没有这种字段"),
        (put("选项", "选项值", 2, " 1"), "选项!C2", "选项值：首尾不能有空格"),
        (put("材料", "审核要点", 1, "审查要点"), "材料!F1", "是不是 审核要点？"),
        (put("材料", FILE, 1, None), "材料!第 1 行", "缺少“文件名”一列"),
        (
            lambda book: setattr(book["材料"], "title", "材枓"),
            "材枓",
            "没有这张工作表，是不是 材料？",
        ),
        (lambda book: book.remove(book["事项"]), "事项", "缺少“事项”这张工作表"),
        (lambda book: book["事项"].delete_rows(2, 9), "材料!A2", "没有这个文件名"),
    ],
)
def test_a_fault_is_named_by_sheet_row_and_column(
    edit: Callable[..., object], place: str, said: str
) -> None:
    problems = refused(edited(edit))

    assert any(p.place == place and said in p.message for p in problems), problems


def test_all_faults_come_at_once_and_each_once() -> None:
    def edit(book: openpyxl.Workbook) -> None:
        put("事项", "难度分", 2, "很难")(book)
        put("事项", "决定层级", 3, "省")(book)
        put("材料", "必交", 2, "要")(book)

    problems = refused(edited(edit))

    assert [p.place for p in problems] == ["事项!R2", "事项!L3", "材料!D2"]


def test_what_excel_makes_of_typed_values_is_understood() -> None:
    def edit(book: openpyxl.Workbook) -> None:
        put("事项", "版本", 2, 2026112199)(book)
        put("事项", "启用日期", 2, __import__("datetime").date(2026, 12, 1))(book)
        put("事项", "即办件", 2, False)(book)
        put("事项", "难度分", 2, "7 ")(book)
        put("事项", "办理方式", 2, "窗口，代办")(book)

    entry = read_book(edited(edit))[0].entry

    assert entry.version == "2026112199"
    assert entry.item.effective_on == "2026-12-01"
    assert entry.item.difficulty == 7
    assert [*entry.item.modes] == ["window", "agent"]


# Bombs


def with_member(name: str, content: bytes | Callable[[zipfile.ZipFile], None]) -> bytes:
    """The sample workbook with one member put in another's place."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(BOOK)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.infolist():
            if member.filename != name:
                new.writestr(member, old.read(member))
        if callable(content):
            content(new)
        else:
            new.writestr(name, content)
    return out.getvalue()


def zeros(archive: zipfile.ZipFile) -> None:
    with archive.open("xl/worksheets/sheet2.xml", "w", force_zip64=True) as file:
        for _ in range(400):
            file.write(bytes(1 << 20))


def many(archive: zipfile.ZipFile) -> None:
    for number in range(200):
        archive.writestr(f"xl/{number}.xml", b"x")


HEAD = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(20)
    )
    + b"]><worksheet>&u;</worksheet>"
)
STRINGS = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
SHEET = "xl/worksheets/sheet2.xml"

BOMBS: dict[str, tuple[str, bytes | Callable[[zipfile.ZipFile], None], str | None]] = {
    "400 MB of zeros": (SHEET, zeros, "最多"),
    "200 members": ("none", many, "个文件，最多"),
    "entities": (SHEET, LAUGHS, "DOCTYPE"),
    "UTF-16": (SHEET, LAUGHS.decode().encode("utf-16"), "DOCTYPE"),
    "not XML": (SHEET, b"<worksheet", "读不出"),
    "deep": (SHEET, b"<a>" * 2_000_000, "个标记"),
    "as deep as may be": (SHEET, b"<a>" * 499_000, ""),
    "many rows": (SHEET, HEAD + b"<row/>" * 1_300_000 + TAIL, "个标记"),
    "as many rows as may be": (SHEET, HEAD + b"<row/>" * 499_900 + TAIL, ""),
    "the last row": (
        SHEET,
        HEAD + b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>' + TAIL,
        "",
    ),
    "rows of the last column": (
        SHEET,
        HEAD
        + b"".join(
            b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (n, n)
            for n in range(1, 30_000)
        )
        + TAIL,
        "",
    ),
    "many empty strings": (
        "xl/sharedStrings.xml",
        STRINGS + b"<si><t/></si>" * 300_000 + b"</sst>",
        "个标记",
    ),
    "many styles": (
        "xl/styles.xml",
        b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs>'
        + b"<xf/>" * 100_000
        + b"</cellXfs></styleSheet>",
        "个标记",
    ),
    "as many styles as may be": (
        "xl/styles.xml",
        b'<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs>'
        + b"<xf/>" * 19_000
        + b"</cellXfs></styleSheet>",
        None,  # does no harm
    ),
    "endless number": (
        SHEET,
        HEAD
        + b'<row r="1"><c r="A1"><v>'
        + b"9" * 5_000_000
        + b"</v></c></row>"
        + TAIL,
        "",
    ),
    "infinite": (
        SHEET,
        HEAD + b'<row r="1"><c r="A1"><v>1e999</v></c></row>' + TAIL,
        "",
    ),
    "a date beyond time": (
        SHEET,
        HEAD + b'<row r="1"><c r="A1" t="d"><v>9999999-01-01</v></c></row>' + TAIL,
        "",
    ),
}


READ = """
import resource, sys
from forms.author.book_reader import read_book
from forms.errors import WorkbookRefused
try:
    read_book(sys.stdin.buffer.read())
except WorkbookRefused as error:
    print(error)
used = resource.getrusage(resource.RUSAGE_SELF)
# Not ru_maxrss: that begins with what the process that started this one had.
(peak,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM:")]
print(int(peak.split()[1]) // 1024, used.ru_utime + used.ru_stime)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures by /proc")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_5_seconds_and_300_mb(name: str) -> None:
    member, content, said = BOMBS[name]
    data = with_member(member, content)

    done = subprocess.run(
        [sys.executable, "-c", READ], input=data, capture_output=True, check=True
    )

    *sentence, measured = done.stdout.decode().splitlines()
    peak_mib, cpu_s = measured.split()
    assert bool(sentence) is (said is not None)
    assert (said or "") in "".join(sentence)
    assert float(cpu_s) < 5
    assert int(peak_mib) < 300


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"PK\x03\x04" + bytes(100),
        BOOK[:-200],
        BOOK[:2000],
        b"\xd0\xcf\x11\xe0",
    ],
    ids=["empty", "two bytes", "zeros", "end missing", "beginning", "old format"],
)
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    assert "不是 .xlsx 文件" in refused(data)[0].message


def test_a_file_that_is_too_large_is_refused() -> None:
    assert "最多" in refused(bytes(4 * 2**20 + 1))[0].message


@given(position=st.integers(0, len(BOOK) - 1), byte=st.integers(0, 255))
@settings(deadline=None, max_examples=60)
def test_a_damaged_workbook_is_read_or_refused(position: int, byte: int) -> None:
    data = bytearray(BOOK)
    data[position] = byte

    with contextlib.suppress(WorkbookRefused):
        read_book(bytes(data))
