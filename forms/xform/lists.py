"""Lists that stand outside of a form: CSV, XML, GeoJSON. Pure: no I/O.

Each becomes the root element of a secondary instance, as expressions read it:
`instance('villages')/root/item[town = ...]/name`.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from forms.errors import DefinitionRefused
from forms.xform.definition import Element
from forms.xform.read import element_of
from forms.xform.xml import parse

MAX_LIST_BYTES = 16 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 100

_NAME = re.compile(r"[^\W\d][\w.\-]*")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def from_csv(name: str, data: bytes) -> Element:
    """Return the list that a table holds; its first line has the names of columns.

    UTF-8, or else GB18030, as Excel saves it here. A column whose name no expression
    could say (with a space in it) is left out.

    Raises:
        DefinitionRefused: no table, or beyond a limit.
    """
    rows = csv.reader(io.StringIO(_decoded(name, data), newline=""))
    try:
        columns = [column.strip() for column in next(rows, [])]
        if not any(columns) or len(columns) > MAX_COLUMNS:
            raise DefinitionRefused(name, f"应有 1 至 {MAX_COLUMNS} 列，第一行写列名")
        named = [column for column in columns if _NAME.fullmatch(column)]
        if twice := {column for column in named if named.count(column) > 1}:
            raise DefinitionRefused(name, f"列名重复：{'、'.join(sorted(twice))}")
        items = tuple(_item(columns, row) for row in _limited(name, rows) if any(row))
    except csv.Error as error:
        raise DefinitionRefused(name, f"表格读不懂（{str(error)[:200]}）") from error
    return Element("root", children=items)


def from_xml(data: bytes) -> Element:
    """Return the list that an XML file holds, as it is.

    Raises:
        DefinitionRefused: no XML, or beyond a limit.
    """
    return element_of(parse(data))


def from_geojson(name: str, data: bytes) -> Element:
    """Return the features of a GeoJSON file: properties, `id`, and `geometry`.

    Raises:
        DefinitionRefused: no collection of features, or beyond a limit.
    """
    if len(data) > MAX_LIST_BYTES:
        raise DefinitionRefused(name, f"最多 {MAX_LIST_BYTES} 字节")
    try:
        whole = msgspec.json.decode(data)
        features = whole["features"]
        if len(features) > MAX_ROWS:
            raise DefinitionRefused(name, f"最多 {MAX_ROWS} 行")
        items = tuple(_feature(feature) for feature in features)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DefinitionRefused(name, f"不是 JSON（{str(error)[:200]}）") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise DefinitionRefused(name, "不是 GeoJSON 的要素集合") from error
    return Element("root", children=items)


def _decoded(name: str, data: bytes) -> str:
    if len(data) > MAX_LIST_BYTES:
        raise DefinitionRefused(name, f"最多 {MAX_LIST_BYTES} 字节")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise DefinitionRefused(name, "文字编码读不懂，请另存为 UTF-8")


def _limited(name: str, rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for number, row in enumerate(rows):
        if number == MAX_ROWS:
            raise DefinitionRefused(name, f"最多 {MAX_ROWS} 行")
        yield row


def _item(columns: list[str], row: list[str]) -> Element:
    cells = zip(columns, row, strict=False)
    return Element(
        "item",
        children=tuple(
            Element(column, text=_NOT_XML.sub("", cell).strip())
            for column, cell in cells
            if _NAME.fullmatch(column)
        ),
    )


def _feature(feature: dict[str, Any]) -> Element:
    values = {"id": feature.get("id"), **(feature.get("properties") or {})}
    values["geometry"] = _geometry(feature["geometry"])
    return Element(
        "item",
        children=tuple(
            Element(key, text=_NOT_XML.sub("", str(value)))
            for key, value in values.items()
            if value is not None and _NAME.fullmatch(key)
        ),
    )


def _geometry(geometry: dict[str, Any]) -> str:
    """Return a point or a line as ODK writes it: latitude before longitude."""
    kind, places = geometry["type"], geometry["coordinates"]
    if kind == "Point":
        return _point(places)
    line = places[0] if kind == "Polygon" else places
    return "; ".join(_point(place) for place in line)


def _point(place: list[float]) -> str:
    longitude, latitude, *height = place
    altitude = float(height[0]) if height else 0.0
    return f"{float(latitude)} {float(longitude)} {altitude} 0.0"
