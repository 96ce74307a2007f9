"""What a case can be found by: name, pinyin initials, number, last digits. Pure.

Pinyin is computed when a case is kept, never when one is looked for. A character
has all its readings: 单雄信 is found by sxx and by dxx.
"""

from functools import lru_cache
from itertools import islice, product

MAX_READINGS = 24
MAX_WORDS = 6
TAIL_DIGITS = 4


def terms(name: str, item: str, number: str, id_number: str) -> tuple[str, str, str]:
    """Return what goes into the search index: (name, initials, numbers)."""
    spaced = " ".join(name) + " ／ " + " ".join(item)
    tails = {number, number[-TAIL_DIGITS:], number[-TAIL_DIGITS - 1 :]}
    if id_number:
        tails |= {id_number[-TAIL_DIGITS:], id_number}
    return spaced, " ".join(initials(name)), " ".join(sorted(tails)).lower()


def match(query: str) -> str:
    """Return an FTS5 expression for what a person typed, or "" for nothing.

    Each word must be found; it may be the beginning of initials or numbers, or any
    part of a name. Quotes and operators in `query` are text like any other.
    """
    words = query.lower().replace("-", "").split()[:MAX_WORDS]
    parts = []
    for word in words:
        kept = "".join(c for c in word if c.isalnum())
        if not kept:
            continue
        if kept.isascii():
            parts.append(f'{{initials numbers}} : "{kept}"*')
        else:
            parts.append(f'name : "{" ".join(kept)}"')
    return " AND ".join(f"({part})" for part in parts)


def whole(number: str) -> str:
    """Return an FTS5 expression for a whole number of letters and digits, and not for
    what only begins so.
    """
    return f'numbers : "{number.lower()}"'


def initials(name: str) -> tuple[str, ...]:
    """Return the pinyin initials of a name, one word for each way to read it."""
    chinese = "".join(c for c in name if not c.isspace() and c not in "·•.")[:12]
    ways = product(*map(_initials_of, chinese))
    return tuple(sorted({"".join(way) for way in islice(ways, MAX_READINGS)}))


@lru_cache(maxsize=8192)
def _initials_of(character: str) -> tuple[str, ...]:
    """Return the first letters of all readings of one character; "" if it has none.

    One by one, since names share their characters and seldom repeat as a whole; a
    dictionary of words could only take readings away.
    """
    # Imported late: the table takes a sixth of a second that a list does not need.
    from pypinyin import Style, pinyin

    (readings,) = pinyin(character, style=Style.NORMAL, heteronym=True)
    found = {reading[:1].lower() for reading in readings if reading[:1].isalpha()}
    return tuple(sorted(found)) or ("",)
