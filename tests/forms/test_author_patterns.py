"""Patterns that other programs would work on for ever."""

import pytest

from forms.author.patterns import is_endless


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "^(a|a)*b$",
        "(x+x+)+y",
        "(a*)*",
        r"(\s*\w+\s*)+$",
        "([0-9]+-?)+$",
        "(a|b|ab)*c",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(中|[一-龥])*。",
    ],
)
def test_repetition_within_repetition_is_found(pattern: str) -> None:
    assert is_endless(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^[1-9][0-9]{16}[0-9Xx]$",
        r"^([a-z]+\.)+[a-z]+$",
        r"^[A-Z0-9._%+-]+@[A-Z0-9.-]+\.[A-Z]{2,}$",
        "^(1[3-9][0-9]{9}|0[0-9]{2,3}-?[2-9][0-9]{6,7})$",
        "(ab|cd)*e",
        "(.*)(.*)x",  # slow, but not without end
        "(a{3})+",
        "[",  # wrong, which others say
    ],
)
def test_what_ends_is_left_alone(pattern: str) -> None:
    assert not is_endless(pattern)
