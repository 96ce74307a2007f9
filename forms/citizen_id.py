"""The citizen id number 公民身份号码. Pure: no I/O, no clock.

18 characters: 6 of the division, 8 of the birth date, 3 of a sequence (odd: male),
1 check character. The division is not judged here: old cards carry codes that have
since been abolished.

Source: GB 11643-1999; check character ISO 7064 MOD 11-2.
"""

import re
from datetime import date

SHAPE = re.compile(r"[0-9]{17}[0-9X]")
"""ASCII only: `\\d` would also take full-width and other digits."""

_BODY = re.compile(r"[0-9]{17}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"


def expected_check_character(first17: str) -> str:
    """Return the 18th character that belongs to the first 17 digits.

    Raises:
        ValueError: `first17` is not 17 ASCII digits.
    """
    if not _BODY.fullmatch(first17):
        raise ValueError("a check character needs exactly 17 digits")
    pairs = zip(first17, _WEIGHTS, strict=True)
    return _CHECK_CHARACTERS[sum(int(digit) * weight for digit, weight in pairs) % 11]


def birth_date(citizen_id: str) -> date:
    """Return the day of birth that positions 7 to 14 tell.

    Raises:
        ValueError: not of the shape of an id number, or no such day.
    """
    _require_shape(citizen_id)
    return date(int(citizen_id[6:10]), int(citizen_id[10:12]), int(citizen_id[12:14]))


def sex(citizen_id: str) -> str:
    """Return "male" or "female", which position 17 tells.

    Raises:
        ValueError: not of the shape of an id number.
    """
    _require_shape(citizen_id)
    return "male" if int(citizen_id[16]) % 2 else "female"


def age_on(citizen_id: str, today: date) -> int:
    """Return the completed years of age 周岁 on `today`; negative before birth.

    A year is complete on the birthday itself; who was born on 29 February completes
    it on 1 March of a common year.

    Raises:
        ValueError: not of the shape of an id number, or no such day of birth.
    """
    born = birth_date(citizen_id)
    before_birthday = (today.month, today.day) < (born.month, born.day)
    return today.year - born.year - before_birthday


def mask(citizen_id: str) -> str:
    """Return the number for lists: first 6, eight stars, last 4.

    What has not the length of an id number is hidden altogether.
    """
    if len(citizen_id) != 18:
        return "*" * min(len(citizen_id), 18)
    return f"{citizen_id[:6]}********{citizen_id[-4:]}"


def _require_shape(citizen_id: str) -> None:
    if not SHAPE.fullmatch(citizen_id):
        raise ValueError("an id number is 17 digits and a digit or X")
