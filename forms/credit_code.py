"""The unified social credit code 统一社会信用代码. Pure: no I/O.

18 characters out of 31: 1 registering department, 1 class, 6 division, 9 organisation
code with its own check character, 1 check character.

Source: GB 32100-2015; of the organisation code GB 11714-1997.
"""

import re

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
SHAPE = re.compile(f"[{ALPHABET}]{{18}}")

_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def expected_check_character(first17: str) -> str:
    """Return the 18th character that belongs to the first 17.

    Raises:
        ValueError: not 17 characters of the alphabet.
    """
    if len(first17) != 17:
        raise ValueError("a check character needs exactly 17 characters")
    values = [ALPHABET.index(character) for character in first17]
    total = sum(v * w for v, w in zip(values, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def expected_organisation_character(first8: str) -> str:
    """Return the 9th character of an organisation code.

    Raises:
        ValueError: not 8 digits or capital letters.
    """
    if len(first8) != 8:
        raise ValueError("an organisation code has exactly 8 characters before the 9th")
    values = [_ORGANISATION_ALPHABET.index(character) for character in first8]
    total = sum(v * w for v, w in zip(values, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]
