"""The lists that a form reads from files beside it, taken into the form. Does I/O.

A village gets the form alone: whatever it reads has to be in it.
"""

import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from forms.author.sheets import Book
from forms.errors import DefinitionFault, DefinitionRefused
from forms.xform import Definition, Element, from_csv, from_geojson, from_xml
from forms.xform.definition import Secondary

MAX_BYTES = 4 * 1024 * 1024

INSTANCE = "instance "
"""What stands before the id of a list, in the place of a fault."""

_EXTERNAL = "external_choices"
_READERS: Mapping[str, Callable[[str, bytes], Element]] = MappingProxyType(
    {
        ".csv": from_csv,
        ".geojson": from_geojson,
        ".xml": lambda _name, data: from_xml(data),
    }
)


def take_in(
    definition: Definition, folder: Path, faults: list[DefinitionFault]
) -> Definition:
    """Return the form with the lists that it names by files of a folder.

    Lists that are missing or wrong are added to `faults`.
    """
    taken = []
    for given in definition.secondary:
        secondary = given
        name = secondary.source.rpartition("/")[2]
        reader = _READERS.get(Path(name).suffix.lower())
        if secondary.root is None and reader and secondary.source.startswith("jr://"):
            try:
                root = reader(name, _content(folder, name))
                secondary = Secondary(secondary.id, "", root)
            except DefinitionRefused as refused:
                place = f"{INSTANCE}{secondary.id}"
                faults += [DefinitionFault(place, f.message) for f in refused.faults]
                # Nothing is published now; what else is wrong is still looked for.
                secondary = Secondary(given.id, "", Element("root"))
        taken.append(secondary)
    return msgspec.structs.replace(definition, secondary=tuple(taken))


def add_choices(definition: Definition, book: Book) -> Definition:
    """Return the form with the lists of its sheet `external_choices`."""
    sheet = book.sheets.get(_EXTERNAL)
    if sheet is None:
        return definition
    lists: dict[str, list[Element]] = {}
    for row in sheet.rows:
        if not row:
            continue
        cells = {
            "name": sheet.text(row, "name"),
            "label": sheet.text(row, "label"),
            **{h: text for h, text in row.items() if h.isidentifier()},
        }
        item = Element(
            "item", children=tuple(Element(h, text=t) for h, t in cells.items())
        )
        lists.setdefault(sheet.text(row, "list_name"), []).append(item)
    known = {secondary.id for secondary in definition.secondary}
    added = [
        Secondary(key, "", Element("root", children=tuple(items)))
        for key, items in lists.items()
        if key not in known
    ]
    whole = (*definition.secondary, *added)
    return msgspec.structs.replace(definition, secondary=whole)


def _content(folder: Path, name: str) -> bytes:
    """Return a file beside the form; never follow a link out of the folder."""
    path = folder / name
    try:
        if name.startswith(".") or not stat.S_ISREG(path.lstat().st_mode):
            raise DefinitionRefused("", f"{name} 不是普通文件，请换成文件本身")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = f"文件夹里没有 {name}，请把它放在表单文件旁边"
        raise DefinitionRefused("", reason) from error
    if len(data) > MAX_BYTES:
        raise DefinitionRefused("", f"{name} 太大，最多 {MAX_BYTES} 字节")
    return data
