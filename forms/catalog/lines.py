"""Where in a TOML text a table or a key stands. Pure: no I/O.

`tomllib` tells lines only of its own errors. This scanner knows as much of TOML as
our items use; where it is at a loss, the nearest table above is named.
"""

import re

Where = tuple[str | int, ...]
"""The way to a value: `("field", 2, "minimum")`, numbers from 0."""

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]")
_KEY = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*=""")
_LONG_QUOTE = re.compile(r'"""|' + r"'''")


def locate(text: str) -> dict[Where, int]:
    """Return the line, from 1, of each table and of each key that begins a line."""
    lines: dict[Where, int] = {}
    counts: dict[Where, int] = {}
    table: Where = ()
    open_quote: str | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        if open_quote is None:
            if line.lstrip().startswith("#"):
                continue
            if header := _HEADER.match(line):
                table = _path(header[2], counts)
                if header[1] == "[[":
                    lines.setdefault(table, number)
                    counts[table] = counts.get(table, 0) + 1
                    table = (*table, counts[table] - 1)
                lines.setdefault(table, number)
            elif key := _KEY.match(line):
                lines.setdefault((*table, key[1]), number)
        for quote in _LONG_QUOTE.findall(line):
            if open_quote is None:
                open_quote = quote
            elif open_quote == quote:
                open_quote = None
    return lines


def _path(name: str, counts: dict[Where, int]) -> Where:
    """Return where a header leads: `material.exempt_by` is in the last material."""
    where: Where = ()
    for part in name.split("."):
        if where in counts:
            where = (*where, counts[where] - 1)
        where = (*where, part)
    return where


def line_of(lines: dict[Where, int], where: Where) -> int:
    """Return the line of a place, or of the nearest place around it."""
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)
