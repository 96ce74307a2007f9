"""`lianban catalog`: items and forms."""

from pathlib import Path

import click

from forms.author.packing import read_packages
from forms.catalog import shipped
from forms.errors import CatalogRefused
from forms.guide import sections
from forms.package import Package
from node import export, in_force
from node import upkeep as node_upkeep
from node.material import safe_name
from node.papers.guide import guide_paper
from node.papers.layout import A4
from node.papers.pdf import as_pdf
from node.wiring import Node
from tui.commands import workbook
from tui.commands.context import Context, json_option, line, show, tell, tell_problems
from tui.paper_text import as_text, missing_words

FILE = click.Path(path_type=Path)


@click.group(help="事项目录：发布、列出、查看。")
def catalog() -> None:
    """Group the commands about items."""


for command in workbook.COMMANDS:
    catalog.add_command(command)


@catalog.command(
    "publish", help="把目录里的事项（TOML）签名发布给全区；不给目录时发布自带的。"
)
@click.argument("directory", type=click.Path(path_type=Path), required=False)
@json_option
@click.pass_obj
def publish(context: Context, directory: Path | None, as_json: bool) -> int:
    """Publish all items of a folder, or none if one of them is wrong."""
    with context.node() as node:
        node_upkeep.must_publish(node)
        try:
            packages = read_packages(directory or shipped())
        except CatalogRefused as refusal:
            tell_problems(refusal)
            tell(f"有 {len(refusal.problems)} 处要改，什么也没有发布。")
            return 1
        done = node_upkeep.publish(node, packages)
    if as_json:
        show(
            {
                "published": [
                    {"code": code, "version": version, "new": is_new}
                    for code, version, is_new in done
                ]
            }
        )
    else:
        for code, version, is_new in done:
            line(code, version, "已发布" if is_new else "与现行版本相同")
    return 0


@catalog.command("list", help="列出现行事项。")
@json_option
@click.pass_obj
def list_items(context: Context, as_json: bool) -> None:
    """List the present package of each item."""
    with context.node() as node:
        rows = in_force.packages(node)
    if as_json:
        show(
            {
                "items": [
                    {
                        "code": row.code,
                        "name": row.name,
                        "version": row.version,
                        "digest": row.digest,
                    }
                    for row in rows
                ]
            }
        )
        return
    for row in rows:
        line(row.code, row.version, row.name)


@catalog.command("show", help="查看一个事项：办理层级、时限、材料、表单。")
@click.argument("code")
@json_option
@click.pass_obj
def show_item(context: Context, code: str, as_json: bool) -> None:
    """Show one item by code or name."""
    with context.node() as node:
        package, digest = _find(node, code)
    item = package.item
    if as_json:
        show(
            {
                "code": item.code,
                "name": item.name,
                "department": item.department,
                "version": package.version,
                "digest": digest,
                "collect": list(item.collect),
                "accept": item.accept,
                "decide": item.decide,
                "legal_workdays": item.legal_workdays,
                "promise_workdays": item.promise_workdays,
                "fee": item.fee,
                "materials": [
                    {"key": m.key, "name": m.name, "required": m.required}
                    for m in item.materials
                ],
                "fields": [
                    {
                        "key": f.key,
                        "kind": f.kind,
                        "label": f.label,
                        "required": f.required,
                        "choices": [c.value for c in f.choices],
                    }
                    for f in package.questions
                ],
            }
        )
        return
    line(item.name, item.code, f"第 {package.version} 版")
    line("部门", item.department)
    line(
        "时限",
        f"法定 {item.legal_workdays} 个工作日，承诺 {item.promise_workdays} 个工作日",
    )
    line("收费", item.fee)
    line("依据", item.legal_basis)
    for material in item.materials:
        line("材料", material.name, "必要" if material.required else "按需")
    for one in package.questions:
        values = "、".join(f"{c.value} {c.label}" for c in one.choices)
        line("字段", one.key, one.label, "必填" if one.required else "", values)
    for text in item.guide.splitlines():
        line(text)


@catalog.command("guide", help="一个事项（代码或名称）的办事指南：打印，或存成 PDF。")
@click.argument("code", metavar="ITEM")
@click.option("--text", "as_words", is_flag=True, help="打印成文字（不写也是这样）。")
@click.option("--pdf", type=FILE, help="存成 PDF：文件名，或放它的文件夹。")
@json_option
@click.pass_obj
def guide(
    context: Context, code: str, as_words: bool, pdf: Path | None, as_json: bool
) -> None:
    """Print the guide of an item, or save it as PDF."""
    if as_words and pdf:
        raise click.UsageError("--text 和 --pdf 只能写一个。")
    with context.node() as node:
        package, digest = _find(node, code)
        place, at = node.certificate.name, node.now()
    paper = guide_paper(package, place, at.date())
    saved: dict[str, object] = {}
    if pdf:
        path = export.place_in(str(pdf), safe_name(f"{paper.title}.pdf", 1))
        printed = as_pdf(paper, A4, at)
        export.save_paper(path, printed.data)
        saved = {"file": str(path), "missing": list(printed.missing)}
        tell(f"已存到 {path}{missing_words(printed.missing)}。")
    if as_json:
        show(_guide_facts(package, digest) | saved)
    elif not pdf:
        click.echo(as_text(paper), nl=False)


def _find(node: Node, name: str) -> tuple[Package, str]:
    """Return the present package of an item by code or name, and its digest."""
    row = in_force.find_package(node, name)
    package = node.package(row.digest)
    assert package is not None
    return package, row.digest


def _guide_facts(package: Package, digest: str) -> dict[str, object]:
    item = package.item
    return {
        "code": item.code,
        "name": item.name,
        "department": item.department,
        "version": package.version,
        "digest": digest,
        "sections": [
            {"title": one.title, "lines": list(one.lines)} for one in sections(item)
        ],
    }
