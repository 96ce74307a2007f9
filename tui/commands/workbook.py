"""`lianban catalog export`, `import`, `report`: folders of items, for who writes them.

None needs a home, and none changes anything but the files that it names.
"""

from dataclasses import asdict
from pathlib import Path

import click

from forms.author.folder import export_book, import_book
from forms.catalog import read_entries, shipped
from forms.errors import CatalogRefused, WorkbookRefused
from forms.figures import Figures, compared, figures
from forms.remarks import PROMISE_PERCENT
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


@click.command(
    "report",
    help="承诺时限不超过法定 35 % 的有多少；与以前一版比，材料少了多少。",
)
@click.argument("directory", metavar="[DIR]", type=FILE, required=False)
@click.option("--before", type=FILE, help="以前一版的文件夹。")
@json_option
def report(directory: Path | None, before: Path | None, as_json: bool) -> int:
    """Print the figures of a folder of items."""
    try:
        now, earlier = (
            [entry.item for entry in read_entries(folder)] if folder else []
            for folder in (directory or shipped(), before)
        )
    except CatalogRefused as refusal:
        tell_problems(refusal)
        tell(f"有 {len(refusal.problems)} 处要改，没有统计。")
        return 1
    found = figures(now, earlier)
    short = sum(one.is_short for one in found)
    both, was, are = compared(found)
    if as_json:
        show(
            {
                "items": [asdict(one) for one in found],
                "short": short,
                "compared": {"items": both, "before": was, "now": are},
            }
        )
        return 0
    for one in found:
        line(*_figures_words(one))
    percent = round(100 * short / len(found))
    line(
        f"{len(found)} 个事项，{short} 个（{percent} %）的承诺时限"
        f"不超过法定的 {PROMISE_PERCENT} %"
    )
    if both:
        line(f"与以前一版都有的 {both} 个事项：材料 {was} 份，现在 {are} 份")
    return 0


def _figures_words(one: Figures) -> tuple[str, ...]:
    share = round(100 * one.promise_workdays / one.legal_workdays)
    limits = f"法定 {one.legal_workdays}，承诺 {one.promise_workdays}（{share} %）"
    papers = f"材料 {one.materials} 份"
    if one.materials_before is not None:
        papers = f"材料 {one.materials_before} → {one.materials} 份"
    late = "" if one.is_short else f"! 超过 {PROMISE_PERCENT} %"
    return one.code, one.name, limits, papers, late


COMMANDS = (export_items, import_items, report)
