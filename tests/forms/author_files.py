"""Workbooks for the tests of authoring, made in a few words."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl

COLUMNS = ("type", "name", "label", "required", "relevant", "constraint", "calculation")
COLUMNS += ("repeat_count", "choice_filter", "default", "bind::lianban:kind")

Row = dict[str, str]


def row(kind: str, name: str = "", label: str = "", **cells: str) -> Row:
    return {"type": kind, "name": name, "label": label, **cells}


def markdown(
    survey: Sequence[Row], choices: Sequence[Row] = (), settings: Row | None = None
) -> str:
    """Return an XLSForm as text tables."""
    tables = {"survey": survey, "choices": choices}
    tables["settings"] = [settings] if settings else []
    lines = []
    for name, rows in tables.items():
        if rows:
            heads = list(dict.fromkeys(heading for one in rows for heading in one))
            lines.append(f"| {name} |")
            lines.append(_line(heads))
            lines += [_line([one.get(head, "") for head in heads]) for one in rows]
    return "\n".join(lines)


def workbook(sheets: dict[str, Sequence[Sequence[object]]]) -> bytes:
    """Return an .xlsx file."""
    book = openpyxl.Workbook()
    assert book.active is not None
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for cells in rows:
            sheet.append(list(cells))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_member(data: bytes, name: str, content: bytes) -> bytes:
    """Return a zip file with one member put in place of another."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        new.writestr(name, content)
    return out.getvalue()


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    return path


def _line(cells: Sequence[str]) -> str:
    return "| | " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
