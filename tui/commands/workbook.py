"""`lianban catalog export` and `import`: items as an Excel workbook, and back.

For those who write items. Neither needs a home, and neither changes anything but the
files that it names.
"""

from pathlib import Path

import click

from forms.author.folder import export_book, import_book
from forms.catalog import read_entries, shipped
from forms.errors import CatalogRefused, WorkbookRefused
from node import export
from tui.commands.context import json_option, line, show, tell, tell_problems

FILE = click.Path(path_type=Path)


@click.command(
    "export", help="把文件夹里的事项写成一个 Excel 工作簿；不给文件夹时是自带的。"
)
@click.argument("book", metavar="FILE.xlsx", type=FILE)
@click.argument("directory", metavar="[DIR]", type=FILE, required=False)
@json_option
def export_items(book: Path, directory: Path | None, as_json: bool) -> int:
    """Write the workbook of a folder of items."""
    folder = directory or shipped()
    try:
        data = export_book(folder)
    except CatalogRefused as refusal:
        tell_problems(refusal)
        tell(f"有 {len(refusal.problems)} 处要改，没有写入任何文件。")
        return 1
    except WorkbookRefused as refusal:
        return _refuse_book(book, refusal, as_json)
    export.save_paper(book, data)
    if as_json:
        show({"file": str(book), "folder": str(folder)})
    else:
        line(str(book))
        tell(f"事项都在工作簿里；表单和列表是另外的文件，在 {folder}。")
    return 0


@click.command("import", help="把 Excel 工作簿写成文件夹里的事项（TOML）。")
@click.argument("book", metavar="FILE.xlsx", type=FILE)
@click.argument("directory", metavar="DIR", type=FILE)
@json_option
def import_items(book: Path, directory: Path, as_json: bool) -> int:
    """Write the items of a workbook as TOML files, all of them or none."""
    if not book.is_file():
        tell(f"没有 {book} 这个文件。没有改动；请核对路径。")
        return 1
    try:
        written = import_book(book, directory)
    except WorkbookRefused as refusal:
        return _refuse_book(book, refusal, as_json)
    except OSError:
        tell(
            f"没有导入完：{book.name} 读不出来，或 {directory} 写不进去。"
            "已写好的留着；请核对路径、权限和空间，再导入一次。"
        )
        return 1
    lacking = _still_to_do(directory)
    if as_json:
        names = [path.name for path in written]
        show({"ok": True, "written": names, "to_do": lacking})
        return 0
    for path in written:
        line(str(path))
    tell(f"写好 {len(written)} 个文件，其余没有变化。" if written else "没有变化。")
    for words in lacking:
        tell(words)
    if lacking:
        tell(f"发布前还有 {len(lacking)} 处要补。")
    return 0


def _still_to_do(directory: Path) -> list[str]:
    """Return what a folder lacks before it can be published, a sentence each."""
    try:
        read_entries(directory)
    except CatalogRefused as refusal:
        return [f"{one.file}:{one.line}  {one.message}" for one in refusal.problems]
    return []


def _refuse_book(book: Path, refusal: WorkbookRefused, as_json: bool) -> int:
    problems = [(one.place, one.message) for one in refusal.problems]
    if as_json:
        told = [{"place": place, "message": message} for place, message in problems]
        show({"ok": False, "problems": told})
        return 1
    for place, message in problems:
        tell(f"{place}：{message}")
    tell(f"{book.name} 有 {len(problems)} 处要改，没有写入任何文件。")
    return 1


COMMANDS = (export_items, import_items)
