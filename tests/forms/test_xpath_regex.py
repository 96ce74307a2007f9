import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.xpath.regex import (
    MAX_TEXT,
    PatternRefused,
    TextTooLong,
    fits,
    machine,
)


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("[0-9]{3}", ["123", "a1234"], ["12", ""]),  # anywhere in the text
        ("^1[3-9][0-9]{9}$", ["13812345678"], ["12812345678", "138123456789"]),
        (r"^\d{17}[\dXx]$", ["33088119900101123X"], ["3308811990010112"]),
        (r"^[\u4e00-\u9fa5·]{2,20}$", ["张三", "阿依·古丽"], ["张", "张3"]),
        (r"^\p{Han}+$", ["𠮷野"], ["abc"]),
        (r"^[\p{L}\p{Nd}_-]+$", ["ä_9", "三-四"], ["a b"]),
        (r"^(0\d{2,3}-)?\d{7,8}$", ["0570-4012345", "4012345"], ["12-4012345"]),
        (r"^(?=.*\d)(?=.*[a-z]).{3,}$", ["a1x"], ["abc", "a1"]),
        (r"^(?!00)\d\d$", ["01", "10"], ["00"]),
        (r"\bno\b", ["no", "say no."], ["node"]),
        ("(?i)^abc$", ["aBc"], ["ab"]),
        ("^(red|green)$", ["red"], ["redgreen"]),
        ("^[^a-c]$", ["d", "张"], ["a"]),
        (r"^[\]\-\\]+$", [r"]-\ "[:3]], ["a"]),
        ("^a{2,}$", ["aa", "aaaa"], ["a"]),
        ("^(?:ab)*?$", ["", "abab"], ["aba"]),
        ("^(?<year>\\d{4})$", ["2026"], ["26"]),
        ("^a{,3}$", ["a{,3}"], ["aa"]),  # no bounds: the characters themselves
        ("", ["", "a"], []),
        ("a||b", ["", "x"], []),
    ],
)
def test_a_pattern_finds(pattern: str, fitting: list[str], other: list[str]) -> None:
    assert [text for text in fitting if not fits(pattern, text)] == []
    assert [text for text in other if fits(pattern, text)] == []


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(a", "没有配对"),
        ("a)", "没有配对"),
        ("[a", "没有配对"),
        ("*a", "可重复"),
        ("a**", "可重复"),
        ("a\\", "结尾"),
        ("[z-a]", "写反"),
        ("a{3,2}", "次数"),
        ("a{5000}", "次数"),
        (r"(a)\1", "反向引用"),
        ("(?<=a)b", "不支持"),
        ("(?>a)b", "不支持"),
        (r"\p{Klingon}", "不支持"),
        (r"\q", "不支持"),
        ("(" * 50 + ")" * 50, "太深"),
        ("((a{100}){100}){100}", "太复杂"),
        ("a" * 1_001, "太长"),
    ],
)
def test_a_wrong_pattern_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(PatternRefused, match=reason):
        machine(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|aa)+$",
        "(a*)*b",
        "(.*a){20}$",
        "(a?){30}a{30}",
        "^(([a-z])+.)+[A-Z]",
    ],
)
def test_no_pattern_tries_again_and_again(pattern: str) -> None:
    # The gate's time limit would fail this test if one of them went back.
    assert not fits(pattern, "a" * 1_000 + "!") or "a{30}" in pattern


def test_too_much_work_is_given_up() -> None:
    with pytest.raises(TextTooLong):
        fits("(a{1,50}){1,40}$", "a" * 9_000 + "!")
    with pytest.raises(TextTooLong):
        fits("a", "a" * (MAX_TEXT + 1))


PARTS = st.sampled_from(
    [
        "a",
        "b",
        "[ab]",
        "[^a]",
        ".",
        "\\d",
        "1",
        "^",
        "$",
        "(?:a|b)",
        "(?=a)",
        "\\b",
        "|",
    ]
)
PATTERNS = st.lists(
    st.tuples(PARTS, st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}"])),
    max_size=5,
).map(lambda parts: "".join(part + _sign(part, sign) for part, sign in parts))


def _sign(part: str, sign: str) -> str:
    return "" if part in {"^", "$", "(?=a)", "\\b", "|"} else sign


@settings(max_examples=500, deadline=None)
@given(PATTERNS, st.text("ab1", max_size=6))
def test_patterns_mean_what_they_mean_in_python(pattern: str, text: str) -> None:
    assert fits(pattern, text) == (re.search(pattern, text) is not None)


@settings(max_examples=500, deadline=None)
@given(st.text("ab(|)[]{}*+?^$\\dpux1,-=!:<>", max_size=12), st.text("ab1", max_size=6))
def test_no_pattern_leads_to_another_error_than_ours(pattern: str, text: str) -> None:
    try:
        found = fits(pattern, text)
    except PatternRefused:
        return

    assert isinstance(found, bool)
