"""`lianban case visits`: the list to go out with 上门单."""

from pathlib import Path

import click

from node import export, home_visits
from node.material import safe_name
from node.papers.layout import A4
from node.papers.pdf import as_pdf
from tui.commands.context import Context, json_option, show, tell
from tui.paper_text import as_text, missing_words


@click.command(
    "visits", help="上门单：要上门的每一件的地址、事项、要带要收的；打印或存成 PDF。"
)
@click.option(
    "--pdf",
    type=click.Path(path_type=Path),
    help="存成 PDF：文件名，或放它的文件夹。",
)
@json_option
@click.pass_obj
def visits(context: Context, pdf: Path | None, as_json: bool) -> None:
    """Print the list of home visits, or save it as PDF."""
    saved: dict[str, object] = {}
    with context.node() as node:
        made, at = home_visits.visit_list(node), node.now()
        if pdf:
            name = safe_name(f"{made.paper.title} {at.date().isoformat()}.pdf", 1)
            path = export.place_in(str(pdf), name)
            printed = as_pdf(made.paper, A4, at)
            home_visits.save(node, made, path, printed.data)
            saved = {"file": str(path), "missing": list(printed.missing)}
            tell(f"已存到 {path}{missing_words(printed.missing)}。")
    if as_json:
        show({"count": made.count, "text": as_text(made.paper)} | saved)
    elif not pdf:
        click.echo(as_text(made.paper), nl=False)
