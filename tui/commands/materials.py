"""`lianban case material`: files of a case, for scripts and whoever needs a copy."""

from pathlib import Path

import click

from node import cases, export
from node.errors import NotFound
from node.progress import ways
from tui.commands.context import Context, json_option, line, show


@click.group(help="办件的电子材料。")
def material() -> None:
    """Group the commands about files of a case."""


@material.command("save", help="把第 N 份材料（all 表示全部）另存到文件夹 DIR。")
@click.argument("name", metavar="CASE")
@click.argument("number", metavar="序号")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def save(context: Context, name: str, number: str, folder: Path, as_json: bool) -> None:
    """Write files of a case into a folder, each under a harmless name."""
    with context.node() as node:
        case = cases.open_case(node, name)
        known = ways(node, case.row.document)
        numbered = dict(enumerate(known, start=1))
        if number != "all" and not (number.isdecimal() and int(number) in numbered):
            raise NotFound("material", number)
        wanted = numbered if number == "all" else {int(number): numbered[int(number)]}
        saved = [
            export.save(node, case, digest, position, folder)
            for position, digest in wanted.items()
            if number != "all" or known[digest].is_here
        ]
    if as_json:
        show({"saved": [str(path) for path in saved]})
    else:
        for path in saved:
            line(str(path))
