"""Tables made into an item with its form, with all of their faults. Pure: no I/O.

The tables are those of a TOML file, whether one was read or a workbook was; a fault
says where in them it stands, and the caller knows on which line or in which cell
that is.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from forms import fault_rules as rules
from forms import faults, item_faults
from forms.catalog.lines import Where
from forms.errors import Fault, PackageRefused
from forms.field import Choice, Field
from forms.item import Applicant, Item, Material, Tier
from forms.material import Exemption, Original, Proof
from forms.package import Package, encode, format_of
from forms.service import (
    Code,
    CodeKind,
    Delivery,
    Fee,
    Member,
    Mode,
    OnlineDepth,
    Step,
    Urgent,
)

S = TypeVar("S", bound=Struct)

PARTS: Mapping[str, tuple[str, type[Struct]]] = MappingProxyType(
    {
        "code": ("codes", Code),
        "step": ("steps", Step),
        "fee": ("fees", Fee),
        "material": ("materials", Material),
        "member": ("members", Member),
    }
)
"""For each section that may stand many times: its list in `Item`, and its type."""

TOP = ("version", "form", "item", *PARTS, "field")
FORM_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}\.(md|xlsx|xls|csv|xml)")


def _one_of(words: Iterable[str]) -> str:
    return f" {'、'.join(word for word in words if word)} 之一"


def _list_of(words: Iterable[str]) -> str:
    return f"列表，每项是{_one_of(words)}"


# What a value should be, for the types that occur in items.
_EXPECTED: dict[object, str] = {
    str: '文字，要加引号，如 "60"',
    str | None: '文字，要加引号，如 "60"',
    bool: "对错，写 true 或 false",
    int: "整数，不加引号",
    int | None: "整数，不加引号",
    tuple[str, ...]: '几段文字，如 ["甲", "乙"]',
    tuple[Choice, ...]: '选项，如 [{ value = "a", label = "甲" }]',
    tuple[Exemption, ...]: '几项，如 [{ kind = "certificate", name = "结婚证" }]',
    tuple[Tier, ...]: _list_of(Tier),
    tuple[Applicant, ...]: _list_of(Applicant),
    tuple[Mode, ...]: _list_of(Mode),
    tuple[Delivery, ...]: _list_of(Delivery),
    Tier: _one_of(Tier),
    Applicant: _one_of(Applicant),
    OnlineDepth: _one_of(OnlineDepth),
    CodeKind: _one_of(CodeKind),
    Original: _one_of(Original),
    Proof: _one_of(Proof),
}
# Types that are sections within a section.
_NESTED_LISTS: dict[object, type[Struct]] = {
    tuple[Choice, ...]: Choice,
    tuple[Exemption, ...]: Exemption,
}
_NESTED: dict[object, type[Struct]] = {Urgent | None: Urgent}


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a catalogue; its form is a file beside it, or a list of fields."""

    version: str
    item: Item
    fields: tuple[Field, ...] = ()
    form: str = ""
    """Name of the XLSForm in the same folder; empty: the form is `fields`."""

    @property
    def package(self) -> Package | None:
        """The item with its fields; None where the form is a file."""
        if self.form:
            return None
        return Package(
            format=format_of(self.item),
            version=self.version,
            item=self.item,
            fields=self.fields,
        )


def read_tables(table: dict[str, Any]) -> tuple[Entry | None, list[Fault]]:
    """Return the item, if nothing is wrong with it, and all faults by their place."""
    return _Reader().read(table)


def sentence(fault: Fault) -> str:
    """Return a fault as people read it, the place first."""
    return f"{fault.place}：{fault.message}" if fault.where else fault.message


class _Reader:
    """Builds the parts of one item and collects what is wrong on the way."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def read(self, table: dict[str, Any]) -> tuple[Entry | None, list[Fault]]:
        self._unknown((), table, TOP)
        version = self._text(table, "version")
        self._add((), faults.of_version(version) if version is not None else ())
        form = self._form(table)
        item = self._item(table)
        parts = {
            name: self._many(shape, table, section, item_faults.OF_PART[name])
            for section, (name, shape) in PARTS.items()
        }
        fields = tuple(self._many(Field, table, "field", faults.of_field))
        if self.found or item is None or version is None or form is None:
            return None, self.found
        whole = {name: tuple(part) for name, part in parts.items()}
        entry = Entry(version, msgspec.structs.replace(item, **whole), fields, form)
        self._judge(entry)
        return (None if self.found else entry), self.found

    def _judge(self, entry: Entry) -> None:
        """Find what does not fit together, each part being right by itself."""
        found = list(rules.under(("item",), item_faults.of_parts(entry.item)))
        if entry.form and entry.fields:
            message = "有了表单文件就不能再列 [[field]]，请去掉一种"
            found.append(Fault(("form",), message))
        if not entry.form:
            found += faults.of_form(entry.fields)
            asked = faults.asked(entry.fields)
            found += faults.of_proofs(entry.item.materials, asked)
        self._add((), found)
        if self.found or entry.package is None:
            return
        try:
            encode(entry.package)
        except PackageRefused as error:
            self.found.append(Fault((), error.reason))

    def _text(self, table: dict[str, Any], name: str) -> str | None:
        text = table.get(name, "")
        if isinstance(text, str):
            return text
        self.found.append(Fault((name,), f"应是{_EXPECTED[str]}"))
        return None

    def _form(self, table: dict[str, Any]) -> str | None:
        form = self._text(table, "form")
        if form and not FORM_NAME.fullmatch(form):
            message = "应是同一文件夹里的表单文件名，如 elder_card.md"
            self.found.append(Fault(("form",), message))
        return form

    def _item(self, table: dict[str, Any]) -> Item | None:
        if "item" not in table:
            self.found.append(Fault((), "缺少 [item] 一节"))
            return None
        sections = [name for name, _ in PARTS.values()]
        item = self._build(Item, ("item",), table["item"], without=sections)
        if item is not None:
            self._add(("item",), item_faults.of_item(item))
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
        self, shape: type[S], where: Where, row: object, without: Sequence[str] = ()
    ) -> S | None:
        """Return a part, if every key is known, there, and of its type."""
        if not isinstance(row, dict):
            self.found.append(Fault(where, "应是一节，写法见随程序带的事项"))
            return None
        before = len(self.found)
        keys = [f for f in msgspec.structs.fields(shape) if f.name not in without]
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
        if type_ in _NESTED_LISTS and isinstance(value, list):
            shape, rows = _NESTED_LISTS[type_], enumerate(value)
            return tuple(self._build(shape, (*where, n), row) for n, row in rows)
        if type_ in _NESTED:
            return self._build(_NESTED[type_], where, value)
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
        self.found += [Fault((*above, *_as_section(f.where)), f.message) for f in found]


def _as_section(where: Where) -> Where:
    """Return where in the tables stands what is there in the package."""
    match where:
        case ("item", str(name), *rest) if name in _SECTION_OF:
            return (_SECTION_OF[name], *rest)
        case ("fields", *rest):
            return ("field", *rest)
    return where


_SECTION_OF = {name: section for section, (name, _) in PARTS.items()}
