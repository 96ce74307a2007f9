from datetime import date

import pytest

from forms.citizen_id import age_on, birth_date, expected_check_character, mask, sex
from tests.forms.samples import id_number


@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_the_check_character_is_that_of_the_standard(number: str) -> None:
    assert expected_check_character(number[:17]) == number[17]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1101051949123100",
        "110105194912310021",
        "1101051949123100２",  # str.isdigit says yes to a full-width digit
        "1101051949123100²",  # and to a superscript
    ],
)
def test_only_17_ascii_digits_have_a_check_character(text: str) -> None:
    with pytest.raises(ValueError):
        expected_check_character(text)


def test_birth_date_and_sex_are_read_from_the_number() -> None:
    number = "11010519491231002X"

    assert birth_date(number) == date(1949, 12, 31)
    assert sex(number) == "female"
    assert sex("440524188001010014") == "male"


def test_a_day_that_never_was_is_no_birth_date() -> None:
    with pytest.raises(ValueError):
        birth_date("330881195002300011")


@pytest.mark.parametrize(
    ("born_on", "today", "age"),
    [
        (date(1966, 11, 21), date(2026, 11, 21), 60),  # the birthday itself counts
        (date(1966, 11, 22), date(2026, 11, 21), 59),
        (date(2004, 2, 29), date(2025, 2, 28), 20),
        (date(2004, 2, 29), date(2025, 3, 1), 21),
        (date(2026, 11, 22), date(2026, 11, 21), -1),
    ],
)
def test_age_is_in_completed_years(born_on: date, today: date, age: int) -> None:
    assert age_on(id_number(born_on), today) == age


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("11010519491231002X", "110105********002X"),
        ("110105491231002", "***************"),  # an old number of 15 digits
        ("", ""),
        ("1" * 500, "*" * 18),
    ],
)
def test_a_masked_number_hides_the_birth_date(number: str, shown: str) -> None:
    assert mask(number) == shown
