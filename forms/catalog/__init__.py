"""The folder of items: one TOML file each, read with all its faults at once.

This is the rim of `forms`: it reads files. What is in a file is judged by
`forms.catalog.toml`; the items that ship with the program lie beside this file.
"""

import stat
from pathlib import Path

from forms.catalog.reader import Entry
from forms.catalog.toml import read_item
from forms.errors import CatalogProblem, CatalogRefused

MAX_FILES = 2_000
MAX_FILE_BYTES = 256 * 1024


class _Unreadable(Exception):
    """A file cannot be read as a text; the sentence says why."""


def shipped() -> Path:
    """Return the folder of the items that come with the program."""
    return Path(__file__).parent


def read_entries(directory: Path) -> list[Entry]:
    """Return all items of a folder, in the order of the file names.

    Only files that end in `.toml` are looked at, and no folders below. The form that
    an item names is there, but has not been read.

    Raises:
        CatalogRefused: anything is wrong with any of them; all of it is listed.
    """
    problems: list[CatalogProblem] = []
    entries: list[Entry] = []
    first: dict[str, str] = {}
    for path in item_files(directory):
        try:
            text = _text(path)
        except _Unreadable as error:
            problems.append(CatalogProblem(path.name, 1, str(error)))
            continue
        reading = read_item(text)
        problems += [CatalogProblem(path.name, *fault) for fault in reading.faults]
        if reading.entry is None:
            continue
        entry = reading.entry
        entries.append(entry)
        if first.setdefault(entry.item.code, path.name) != path.name:
            message = f"code 与 {first[entry.item.code]} 重复，每个事项要有自己的代码"
            line = reading.line_of(("item", "code"))
            problems.append(CatalogProblem(path.name, line, message))
        if entry.form and not _is_file(directory / entry.form):
            message = f"form：文件夹里没有 {entry.form}，请把表单文件放在一起"
            line = reading.line_of(("form",))
            problems.append(CatalogProblem(path.name, line, message))
    if problems:
        raise CatalogRefused(problems)
    return entries


def _is_file(path: Path) -> bool:
    """Return whether there is a plain file, and no link out of the folder."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def item_files(directory: Path) -> list[Path]:
    """Return the files of items in a folder, by name; whether readable is not said.

    Raises:
        CatalogRefused: no folder, or too few or too many files.
    """
    try:
        paths = sorted(p for p in directory.iterdir() if p.suffix == ".toml")
    except OSError as error:
        message = f"打不开这个文件夹（{error.strerror}），请核对路径和权限"
        raise CatalogRefused([CatalogProblem(str(directory), 1, message)]) from error
    if not 1 <= len(paths) <= MAX_FILES:
        message = f"文件夹里应有 1 至 {MAX_FILES} 个 .toml 文件，现在 {len(paths)} 个"
        raise CatalogRefused([CatalogProblem(str(directory), 1, message)])
    return paths


def _text(path: Path) -> str:
    """Return the text of one file; never follow a link out of the folder."""
    try:
        # Before it is opened: opening a pipe would wait for ever.
        if not stat.S_ISREG(path.lstat().st_mode):
            raise _Unreadable("不是普通文件（链接、管道或文件夹），请换成文件本身")
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _Unreadable(f"读不出来（{error.strerror}），请核对权限") from error
    if len(data) > MAX_FILE_BYTES:
        raise _Unreadable(f"文件太大，最多 {MAX_FILE_BYTES // 1024} KiB")
    try:
        # Notepad puts a mark before UTF-8; TOML knows none.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"第 {line} 行不是 UTF-8 文字，请另存为 UTF-8 编码"
        raise _Unreadable(message) from error
