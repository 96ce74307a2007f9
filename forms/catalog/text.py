"""An item written as TOML, the way `forms.catalog.toml` reads it. Pure: no I/O.

What has its default value is left out, as people do who write by hand. tomllib only
reads, and a dependency for these few shapes would be larger than they are.
"""

import json
from collections.abc import Iterator
from itertools import takewhile

import msgspec
from msgspec import Struct

from forms.catalog.reader import PARTS, Entry

WIDTH = 88
"""A list that would be longer than a line has one entry a line."""


def write_item(entry: Entry, remark: str = "") -> str:
    """Return the TOML text of an item.

    Args:
        entry: what `forms.catalog.toml.read_item` shall give back.
        remark: lines for other authors, put before the text as comments.
    """
    lists = [name for name, _ in PARTS.values()]
    head = [f"# {line}".rstrip() for line in remark.split("\n")] if remark else []
    head.append(f"version = {_string(entry.version)}")
    if entry.form:
        head.append(f"form = {_string(entry.form)}")
    sections = [head, ["[item]", *_keys(entry.item, without=lists)]]
    for section, (name, _) in PARTS.items():
        parts = getattr(entry.item, name)
        sections += [[f"[[{section}]]", *_keys(part)] for part in parts]
    sections += [["[[field]]", *_keys(field)] for field in entry.fields]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _keys(part: Struct, without: list[str] | None = None) -> Iterator[str]:
    for name, value in said(part).items():
        if name in (without or ()):
            continue
        if name == "guide" and "\n" in str(value):
            yield f'{name} = """\n{_lines(str(value))}"""'
        else:
            yield f"{name} = {_value(value, len(name) + 3)}"


def remark_of(text: str) -> str:
    """Return the comments at the top of a TOML text, as `write_item` takes them."""
    lines = takewhile(lambda line: line.startswith("#"), text.split("\n"))
    return "\n".join(line[1:].removeprefix(" ").rstrip() for line in lines)


def said(part: Struct) -> dict[str, object]:
    """Return the keys of a part that have another value than their default."""
    return {
        key.name: getattr(part, key.name)
        for key in msgspec.structs.fields(part)
        if key.required or getattr(part, key.name) != key.default
    }


def _value(value: object, indent: int = 0) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case int():
            return str(value)
        case tuple():
            return _list([_value(entry) for entry in value], indent)
        case Struct():
            keys = ", ".join(f"{k} = {_value(v)}" for k, v in said(value).items())
            return f"{{ {keys} }}"
    raise AssertionError(f"no such value in an item: {type(value)}")


def _list(entries: list[str], indent: int) -> str:
    flat = f"[{', '.join(entries)}]"
    # A Chinese character is as wide as two others.
    width = indent + sum(2 if ord(sign) > 0x2E80 else 1 for sign in flat)
    tables = any(entry.startswith("{") for entry in entries)
    if width <= WIDTH and not (tables and len(entries) > 1):
        return flat
    return "[\n" + "".join(f"    {entry},\n" for entry in entries) + "]"


def _string(text: str) -> str:
    """Return a basic string; JSON escapes as TOML does, but for DEL."""
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def _lines(text: str) -> str:
    return "\n".join(_string(line)[1:-1] for line in text.split("\n"))
