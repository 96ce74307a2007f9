"""One TOML text made into an item, with all of its faults. Pure: no I/O.

version = "2026112101"
form = "elder_card.md"   # the XLSForm beside it, or else [[field]]s below
[item]          # as forms.item.Item, without its lists of parts
[[code]]        # as forms.service.Code, any number; so are
[[step]] [[fee]] [[member]]
[[material]]    # as forms.material.Material
[[field]]       # as forms.field.Field, in the order of the form
"""

import re
import tomllib
from dataclasses import dataclass

from forms.catalog.lines import Where, line_of, locate
from forms.catalog.reader import Entry, read_tables, sentence
from forms.package import Package

_AT_LINE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)")


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one text: an item, or faults as (line, message), by line."""

    entry: Entry | None
    faults: list[tuple[int, str]]
    lines: dict[Where, int]

    @property
    def package(self) -> Package | None:
        """The item with its fields, where it has some."""
        return self.entry.package if self.entry else None

    def line_of(self, where: Where) -> int:
        """Return the line of a place in the text, as near as it is known."""
        return line_of(self.lines, where)


def read_item(text: str) -> Reading:
    """Read one item with its form."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Reading(None, [_syntax(str(error), text)], {})
    except ValueError:  # Python's own guard against endless digits
        return Reading(None, [(1, "有一个数字长得离谱，请检查是否漏了引号")], {})
    except RecursionError:
        return Reading(None, [(1, "括号套得太深，请检查是否漏了右括号")], {})
    lines = locate(text)
    entry, found = read_tables(table)
    placed = [(line_of(lines, f.where), sentence(f)) for f in found]
    return Reading(entry, sorted(placed), lines)


def _syntax(message: str, text: str) -> tuple[int, str]:
    """Return line and sentence of an error of the TOML parser."""
    at = _AT_LINE.search(message)
    line = int(at[1]) if at and at[1] else text.rstrip().count("\n") + 1
    return line, f"TOML 写法不对（{_AT_LINE.sub('', message)}），请检查引号和括号"
