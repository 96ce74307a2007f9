"""Papers as data, where their marks stand, and the PDF that comes of them."""

import datetime as dt
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.papers import qr
from node.papers.layout import A4, A5, Ink, Mark, Sheet, Words, lay_out
from node.papers.lines import NEVER_FIRST, broken
from node.papers.paper import (
    Block,
    Heading,
    Listing,
    Pairs,
    Paper,
    Paragraph,
    QrCode,
    Signatures,
    Table,
    hanging,
)
from node.papers.pdf import as_pdf

MADE_AT = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
RARE = "𠮷䶮㐂㙓喆堃犇"
PT_MM = 25.4 / 72


def ems(text: str) -> float:
    """Half an em for ASCII, one for all else: near to what the font has."""
    return sum(0.5 if char.isascii() else 1.0 for char in text)


def words(pages: list[list[Mark]]) -> list[str]:
    return [mark.text for page in pages for mark in page if isinstance(mark, Words)]


def edges(mark: Mark) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    if isinstance(mark, Ink):
        right, bottom = mark.x_mm + mark.width_mm, mark.y_mm + mark.height_mm
        return mark.x_mm, mark.y_mm, right, bottom
    size = mark.size_pt * PT_MM
    return (
        mark.x_mm,
        mark.y_mm - size,
        mark.x_mm + ems(mark.text) * size,
        mark.y_mm + 0.2 * size,
    )


TEXTS = st.text("申请人：王（）《》，。1a 𠮷\u0301", max_size=120)
ROWS = st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=12)
BLOCKS: st.SearchStrategy[Block] = st.one_of(
    st.builds(Heading, TEXTS),
    st.builds(Paragraph, TEXTS),
    st.builds(Listing, st.lists(TEXTS, max_size=8).map(tuple)),
    st.builds(Pairs, st.lists(st.tuples(TEXTS, TEXTS), max_size=8).map(tuple)),
    ROWS.map(lambda rows: Table(("甲", "乙", "丙"), tuple(rows), (1, 3, 2))),
    st.just(Signatures(("申请人（签名）", "经办人（签名）", "日期"))),
    st.builds(QrCode, st.just("LIANBAN:3308812611220100017"), TEXTS),
)


@given(st.lists(BLOCKS, max_size=6).map(tuple), st.sampled_from([A4, A5]), TEXTS, TEXTS)
@settings(deadline=None, max_examples=60)
def test_nothing_stands_outside_the_margins_whatever_a_paper_says(
    blocks: tuple[Block, ...], sheet: Sheet, title: str, foot: str
) -> None:
    pages = lay_out(Paper(title, blocks, foot), sheet, ems)

    for mark in (mark for page in pages for mark in page):
        left, top, right, bottom = edges(mark)
        assert left >= sheet.margin_mm - 0.01
        assert right <= sheet.width_mm - sheet.margin_mm + 0.3
        assert top >= sheet.margin_mm - 0.01
        assert bottom <= sheet.height_mm - sheet.margin_mm / 2


@given(TEXTS, st.integers(4, 40))
def test_a_text_in_lines_loses_nothing_but_blanks(text: str, width: int) -> None:
    lines = broken(text, width, ems)

    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(ems(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("一二三四，五", 4, ["一二三", "四，五"]),  # no line begins with a comma
        ("一二三（四）", 4, ["一二三", "（四）"]),  # nor ends with a bracket
        ("共 12345 元", 3, ["共", "12345", "元"]),  # a number stays whole
        ("x" * 9, 2, ["xxxx", "xxxx", "x"]),  # unless it is wider than a line
        ("", 4, [""]),
        ("王\u0301王", 1, ["王\u0301", "王"]),  # a mark stays on its letter
    ],
)
def test_lines_are_broken_as_a_reader_expects(
    text: str, width: int, lines: list[str]
) -> None:
    assert broken(text, width, lambda t: ems(t.replace("\u0301", ""))) == lines


def test_no_line_of_a_long_text_begins_with_a_closing_mark() -> None:
    text = "办理方式：窗口、代办、上门；“一次也不用跑”，凭（电子）证照。" * 9

    for width in range(6, 30):
        assert not [x for x in broken(text, width, ems)[1:] if x[0] in NEVER_FIRST]


def test_the_head_of_a_table_stands_on_each_page_and_no_row_is_lost() -> None:
    rows = tuple((str(number), f"材料{number}" * 9) for number in range(150))

    pages = lay_out(
        Paper("移交清单", (Table(("序号", "名称"), rows, (1, 4)),)), A5, ems
    )

    said = words(pages)
    assert len(pages) > 5
    assert said.count("序号") == len(pages)
    assert [one for one in said if one.isdecimal()] == [row[0] for row in rows]
    assert said[-1] == f"第 {len(pages)} 页，共 {len(pages)} 页"


def test_a_row_that_is_higher_than_a_page_goes_on_below_its_head() -> None:
    row = ("一", "很长的说明" * 2_000)

    pages = lay_out(Paper("清单", (Table(("甲", "乙"), (row,), (1, 2)),)), A5, ems)

    assert "".join(words(pages)).count("很长的说明") > 1_900
    assert words(pages).count("甲") == len(pages) > 3


def test_a_heading_is_never_the_last_of_a_page() -> None:
    block = (Heading("标题"), Listing(("1. 内容",)))

    for filler in range(60):
        paper = Paper("指南", (Listing(("行",) * filler), *block))
        for page in lay_out(paper, A5, ems):
            said = [mark.text for mark in page if isinstance(mark, Words)]
            assert ("标题" in said) == ("内容" in said)


def test_the_number_of_an_entry_hangs_before_its_lines() -> None:
    (page,) = lay_out(Paper("清单", (Listing(("12. " + "长" * 80,)),)), A5, ems)

    number, *lines = [
        mark for mark in page if isinstance(mark, Words) and mark.text[0] in "1长"
    ]
    assert hanging("12. 长") == ("12. ", "长")
    assert hanging("2026 年") == ("", "2026 年")
    assert len(lines) > 1
    assert {line.x_mm for line in lines} == {lines[0].x_mm}
    assert number.x_mm < lines[0].x_mm


def test_a_qr_code_says_what_it_was_given_in_dark_modules() -> None:
    rows = qr.modules("LIANBAN:3308812611220100017")

    finder = [row[:7] for row in rows[:7]]
    assert len(rows) == len(rows[0]) and (len(rows) - 17) % 4 == 0
    assert finder[0] == (True,) * 7
    assert finder[1] == (True, False, False, False, False, False, True)


@pytest.mark.parametrize("content", ["", "x" * (qr.CHARS_MAX + 1)])
def test_a_qr_code_that_no_telephone_reads_is_not_made(content: str) -> None:
    with pytest.raises(ValueError, match="a QR code of"):
        qr.modules(content)


def paper_of(name: str) -> Paper:
    blocks = (
        Pairs((("申请人", name),)),
        Table(("材料", "份数"), (("身份证", "1"),), (3, 1)),
        QrCode("LIANBAN:3308812611220100017", "凭码查询"),
        Signatures(("签名",)),
    )
    return Paper("受理回执单", blocks, "耀里村")


def letters(data: bytes) -> set[str]:
    """What a reader would copy out of a PDF: all letters that its font maps to."""
    codes = re.findall(rb"^<[0-9A-F]{4}> <([0-9A-F]+)>$", data, re.MULTILINE)
    return {bytes.fromhex(code.decode()).decode("utf-16-be") for code in codes}


def test_a_pdf_has_rare_names_and_its_font_inside() -> None:
    printed = as_pdf(paper_of(f"欧阳{RARE}"), A5, MADE_AT)

    assert printed.missing == ()
    assert printed.data.startswith(b"%PDF-")
    assert b"/FontFile3" in printed.data
    assert set(f"欧阳{RARE}受理回执单") <= letters(printed.data)
    assert len(printed.data) < 100_000


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("\U0002a6d7", ("U+2A6D7",)),  # a rare name
        ("王\ue863", ("U+E863",)),  # as old registers write it
        ("a\u202eb\u0007", ("U+202E", "U+0007")),  # what would turn or ring
        ("\ud800", ("U+D800",)),  # no letter at all
        ("王\n五\t", ("U+0009",)),  # a line break only parts words
    ],
)
def test_what_the_font_lacks_is_a_box_and_named(
    name: str, missing: tuple[str, ...]
) -> None:
    printed = as_pdf(paper_of(name), A5, MADE_AT)

    assert printed.missing == missing
    assert {"□", "U", "+"} <= letters(printed.data)


def test_the_same_paper_gives_the_same_bytes() -> None:
    first, second = (as_pdf(paper_of("王芳"), A4, MADE_AT) for _ in range(2))

    assert first == second
    assert as_pdf(paper_of("王方"), A4, MADE_AT) != first


MORE_MB = 90

COSTS = """
import sys
import tui.app, tui.cli
print([name for name in ("fpdf", "fontTools", "segno") if name in sys.modules])

def peak_mb():
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024

before = peak_mb()
from tests.node.test_papers import A5, MADE_AT, as_pdf, paper_of
for _ in range(6):
    as_pdf(paper_of("王芳"), A5, MADE_AT)
print(peak_mb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for its own peak")
def test_screens_pay_nothing_before_the_first_paper_and_little_for_many() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COSTS], capture_output=True, text=True, check=True
    )

    late, more_mb = done.stdout.split("\n")[:2]
    assert late == "[]"
    assert int(more_mb) < MORE_MB
