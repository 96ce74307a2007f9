"""One TOML text made into a package, with all of its faults. Pure: no I/O.

version = "2026112101"
[item]          # as forms.item.Item, without materials
[[material]]    # as forms.item.Material, any number
[[field]]       # as forms.field.Field, in the order of the form
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from forms import faults
from forms.catalog.lines import Where, line_of, locate
from forms.errors import Fault, PackageRefused
from forms.field import Choice, Field
from forms.item import Applicant, Item, Material, Tier
from forms.package import Package, encode

S = TypeVar("S", bound=Struct)

_TOP = ("version", "item", "material", "field")
_AT_LINE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)")

# What a value should be, for the types that occur in items.
_EXPECTED: dict[object, str] = {
    str: '文字，要加引号，如 "60"',
    str | None: '文字，要加引号，如 "60"',
    bool: "true 或 false",
    int: "整数，不加引号",
    int | None: "整数，不加引号",
    tuple[str, ...]: '几段文字，如 ["甲", "乙"]',
    tuple[Choice, ...]: '选项，如 [{ value = "a", label = "甲" }]',
    tuple[Tier, ...]: f"列表，每项是 {'、'.join(Tier)} 之一",
    Tier: f" {'、'.join(Tier)} 之一",
    Applicant: f" {'、'.join(Applicant)} 之一",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one text: a package, or faults as (line, message), by line."""

    package: Package | None
    faults: list[tuple[int, str]]
    lines: dict[Where, int]

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
    package, found = _Reader().read(table)
    placed = [(line_of(lines, f.where), _sentence(f)) for f in found]
    return Reading(package if not found else None, sorted(placed), lines)


class _Reader:
    """Builds the parts of one item and collects what is wrong on the way."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def read(self, table: dict[str, Any]) -> tuple[Package | None, list[Fault]]:
        """Return the package, if all of it could be built, and the faults."""
        self._unknown((), table, _TOP)
        version = self._version(table)
        item = self._item(table)
        materials = self._many(Material, table, "material", faults.of_material)
        fields = self._many(Field, table, "field", faults.of_field)
        if not self.found:
            self._add((), faults.of_whole(materials, fields))
        if self.found or item is None:
            return None, self.found
        item = msgspec.structs.replace(item, materials=tuple(materials))
        package = Package(version=version, item=item, fields=tuple(fields))
        try:
            encode(package)
        except PackageRefused as error:
            self.found.append(Fault((), error.reason))
        return package, self.found

    def _version(self, table: dict[str, Any]) -> str:
        version = table.get("version", "")
        if not isinstance(version, str):
            self.found.append(Fault(("version",), f"应是{_EXPECTED[str]}"))
            return ""
        self._add((), faults.of_version(version))
        return version

    def _item(self, table: dict[str, Any]) -> Item | None:
        if "item" not in table:
            self.found.append(Fault((), "缺少 [item] 一节"))
            return None
        item = self._build(Item, ("item",), table["item"], without="materials")
        if item is not None:
            self._add(("item",), faults.of_item(item))
        return item

    def _many(
        self,
        shape: type[S],
        table: dict[str, Any],
        name: str,
        judge: Callable[[S], Iterable[Fault]],
    ) -> list[S]:
        """Build the parts of one kind; what was built is judged by itself."""
        rows = table.get(name, [])
        if not isinstance(rows, list):
            self.found.append(Fault((name,), f"应写成 [[{name}]]，每个一节"))
            return []
        built = []
        for position, row in enumerate(rows):
            part = self._build(shape, (name, position), row)
            if part is not None:
                built.append(part)
                self._add((name, position), judge(part))
        return built

    def _build(
        self, shape: type[S], where: Where, row: object, without: str = ""
    ) -> S | None:
        """Return a part, if every key is known, there, and of its type."""
        if not isinstance(row, dict):
            self.found.append(Fault(where, "应是一节，写法见随程序带的事项"))
            return None
        before = len(self.found)
        keys = [f for f in msgspec.structs.fields(shape) if f.name != without]
        self._unknown(where, row, [key.name for key in keys])
        values = {}
        for key in keys:
            if key.name in row:
                place = (*where, key.name)
                values[key.name] = self._value(key.type, place, row[key.name])
            elif key.required:
                self.found.append(Fault(where, f"缺少 {key.name}"))
        return shape(**values) if len(self.found) == before else None

    def _value(self, type_: Any, where: Where, value: object) -> object:
        if type_ == tuple[Choice, ...] and isinstance(value, list):
            rows = enumerate(value)
            return tuple(self._build(Choice, (*where, n), row) for n, row in rows)
        try:
            return msgspec.convert(value, type_)
        except msgspec.ValidationError:
            self.found.append(Fault(where, f"应是{_EXPECTED[type_]}"))
            return None

    def _unknown(self, where: Where, row: dict[str, Any], known: Sequence[str]) -> None:
        for key in row:
            if key in known:
                continue
            near = difflib.get_close_matches(key[:60], known, n=1)
            hint = f"是不是 {near[0]}？" if near else f"可用的有 {'、'.join(known)}"
            self.found.append(Fault((*where, key), f"没有这个键，{hint}"))

    def _add(self, above: Where, found: Iterable[Fault]) -> None:
        self.found += [Fault((*above, *_as_toml(f.where)), f.message) for f in found]


def _as_toml(where: Where) -> Where:
    """Return where in the text stands what is there in the package."""
    match where:
        case ("item", "materials", *rest):
            return ("material", *rest)
        case ("fields", *rest):
            return ("field", *rest)
    return where


def _sentence(fault: Fault) -> str:
    return f"{fault.place}：{fault.message}" if fault.where else fault.message


def _syntax(message: str, text: str) -> tuple[int, str]:
    """Return line and sentence of an error of the TOML parser."""
    at = _AT_LINE.search(message)
    line = int(at[1]) if at and at[1] else text.rstrip().count("\n") + 1
    return line, f"TOML 写法不对（{_AT_LINE.sub('', message)}），请检查引号和括号"
