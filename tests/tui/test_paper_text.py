"""Papers as lines of text: widths, hanging numbers, codes, and hostile words."""

import pytest
from hypothesis import given, settings

from node.papers import qr
from node.papers.paper import Block, Heading, Listing, Pairs, Paper, QrCode, Table
from tests.node.test_papers import BLOCKS, RARE, TEXTS
from tui.paper_text import HALVES, Line, as_text, lines_of
from tui.text import cells


@given(BLOCKS, TEXTS, TEXTS)
@settings(deadline=None, max_examples=60)
def test_no_line_is_wider_than_it_may_be(block: Block, title: str, foot: str) -> None:
    for width in (40, 80):
        lines = lines_of(Paper(title, (block,), foot), width)

        assert all(cells(line.text) <= width for line in lines)


def test_columns_of_chinese_text_stand_below_each_other() -> None:
    rows = (("1", f"身份证{RARE}", "※1 份"), ("12", "a b", "※2 份"))
    paper = Paper("清单", (Table(("序号", "名称", "※份数"), rows, (1, 5, 1)),))

    lines = [line.text for line in lines_of(paper, 60) if "※" in line.text]

    assert len(lines) == 3
    assert len({cells(line.partition("※")[0]) for line in lines}) == 1


def test_a_long_entry_hangs_behind_its_number() -> None:
    lines = lines_of(Paper("指南", (Listing(("10. " + "长" * 60,)),)), 40)[2:]

    assert lines[0].text.startswith("10. 长")
    assert all(line.text.startswith("    长") for line in lines[1:])


def test_headings_and_names_of_pairs_are_seen() -> None:
    paper = Paper("回执", (Heading("材料"), Pairs((("申请人", "王"), ("单号", "1")))))

    assert as_text(paper).splitlines()[2:] == [
        "",
        "【材料】",
        "申请人  王",
        "单号    1",
    ]


def test_words_from_data_cannot_reach_the_terminal() -> None:
    nasty = "王\x1b[31m\u202e五\n六"

    text = as_text(Paper(nasty, (Pairs(((nasty, nasty),)),), nasty))

    assert "\x1b" not in text and "\u202e" not in text
    assert "⟦U+202E⟧五 六" in text


def test_the_code_in_half_blocks_is_the_code() -> None:
    content = "LIANBAN:3308812611220100017"
    halves = {text: pair for pair, text in HALVES.items()}

    lines = lines_of(Paper("回执", (QrCode(content, "凭码查询"),)))

    code = [line.text for line in lines if line.style == "code"]
    rows: list[tuple[bool, ...]] = []
    for text in code:
        pairs = [halves[letter] for letter in text]
        rows += [tuple(upper for upper, _ in pairs), tuple(low for _, low in pairs)]
    expected = qr.modules(content)
    side = len(expected)
    inside = [row[qr.QUIET : qr.QUIET + side] for row in rows[qr.QUIET :][:side]]
    assert inside == list(expected)
    assert not any(any(row) for row in rows[: qr.QUIET])
    assert Line("凭码查询") in lines


@pytest.mark.parametrize("width", [12, 20])
def test_a_code_that_does_not_fit_leaves_its_words(width: int) -> None:
    lines = lines_of(Paper("回执", (QrCode("LIANBAN", "凭码查询"),)), width)

    assert [line.text for line in lines if line.style == "code"] == []
    assert "凭码查询" in [line.text for line in lines]
