import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.text import COMBINING_IN_A_ROW, cells, fit, harmless, plain, typed

HIDDEN = "\u202a\u202e\u2066\u2069\u200e\u200f\u061c\u200b\u200c\u200d\ufeff\u2060"

any_text = st.text(st.characters(exclude_categories=()), max_size=60)
nasty_text = st.text(
    st.sampled_from("a 中𠮷\x1b\x9b\u202e\u200d\u0301\ufe0f❤\ud800\u3164\U000e0041")
)


@given(any_text | nasty_text)
def test_nothing_that_a_terminal_obeys_or_hides_survives(text: str) -> None:
    shown = harmless(text)

    left = {unicodedata.category(char) for char in shown}
    assert not left & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert harmless(shown) == shown


@given(any_text | nasty_text, st.integers(0, 40))
def test_a_cut_text_never_takes_more_than_its_cells(text: str, width: int) -> None:
    shown = harmless(text, width=width)

    assert cells(shown) <= width
    assert shown == harmless(text) or shown.endswith("…") or width == 0


@given(
    any_text | nasty_text,
    st.integers(0, 40),
    st.sampled_from(["left", "right", "center"]),
)
def test_a_fitted_text_takes_exactly_its_cells(
    text: str, width: int, align: str
) -> None:
    assert cells(fit(harmless(text), width, align)) == width  # type: ignore[arg-type]


@given(any_text | nasty_text, any_text | nasty_text)
def test_two_texts_side_by_side_do_not_touch_each_other(one: str, two: str) -> None:
    one, two = harmless(one), harmless(two)

    assert cells(one + two) == cells(one) + cells(two)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("欧阳建国", "欧阳建国"),
        ("𠮷䶮㙓", "𠮷䶮㙓"),  # rare, but names
        ("\U00031350", "\U00031350"),  # newer than Python's tables, still a name
        ("葛\U000e0100城", "葛\U000e0100城"),  # a variant that the register wants
        ("\x1b[31m", "␛[31m"),
        ("a\tb\nc", "a␉b␊c"),
        ("\x7f\x9b", "␡⟦U+009B⟧"),
        ("1\u202e2", "1⟦U+202E⟧2"),
        ("\ud800", "⟦U+D800⟧"),
        ("\U000e0041", "⟦U+E0041⟧"),
        ("\u3164", "⟦U+3164⟧"),  # a letter that nobody sees
        ("\u0301a", "◌\u0301a"),  # would climb on the column before
        ("e" + "\u0301" * 9, "e" + "\u0301" * COMBINING_IN_A_ROW),
        ("[bold]x[/]", "[bold]x[/]"),
    ],
)
def test_letters_stay_and_dangers_are_marked(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_markup_in_a_name_is_text() -> None:
    assert plain("[bold]王[/] \x1b").plain == "[bold]王[/] ␛"
    assert not plain("[bold]王[/]").spans


@pytest.mark.parametrize(
    ("text", "width", "align", "fitted"),
    [
        ("张三", 6, "left", "张三  "),
        ("张三", 6, "right", "  张三"),
        ("张三", 7, "center", " 张三  "),
        ("欧阳建国", 6, "left", "欧阳… "),  # half a letter is none
        ("欧阳建国", 7, "left", "欧阳建…"),
        ("欧阳建国", 1, "left", "…"),
        ("欧阳建国", 0, "left", ""),
        ("", 2, "left", "  "),
    ],
)
def test_a_text_is_cut_between_letters(
    text: str, width: int, align: str, fitted: str
) -> None:
    assert fit(text, width, align) == fitted  # type: ignore[arg-type]


def test_a_very_long_text_is_cut_without_being_read_to_the_end() -> None:
    assert harmless("\u202e" * 5_000_000, width=10) == "⟦U+202E⟧⟦…"


@given(any_text)
def test_what_is_typed_holds_nothing_hidden(text: str) -> None:
    kept = typed(text)

    assert not set(kept) & set(HIDDEN + "\x1b\n\t\r\u2028")
    assert typed(kept) == kept


def test_typed_text_keeps_its_letters_and_the_gaps_between_them() -> None:
    assert typed("张三\n李四\u200b𠮷\ue123\u3000 x") == "张三 李四𠮷\ue123\u3000 x"
