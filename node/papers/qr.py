"""A QR code as rows of dark and light. Pure. The one door to segno."""

from functools import lru_cache

CHARS_MAX = 300
"""More would need a symbol that a poor printer and an old telephone cannot do."""

QUIET = 4
"""Modules of white that the standard wants on each side."""


@lru_cache(maxsize=8)
def modules(content: str) -> tuple[tuple[bool, ...], ...]:
    """Return the rows of the symbol, True for dark, without the white around it.

    Up to 15 % of it may be dirty or folded (error correction M), more where that
    costs no room.

    Raises:
        ValueError: empty, or longer than `CHARS_MAX`.
    """
    if not 0 < len(content) <= CHARS_MAX:
        raise ValueError(f"a QR code of {len(content)} characters")
    import segno  # late: only papers need it

    # Without an encoding Chinese text would become Shift-JIS, which few readers know.
    code = segno.make(content, error="m", micro=False, encoding="utf-8")
    return tuple(tuple(bool(module) for module in row) for row in code.matrix)
