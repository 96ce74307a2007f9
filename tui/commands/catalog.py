"""`lianban catalog`: items and forms."""

from pathlib import Path

import click

from forms.author.packing import read_packages
from forms.catalog import shipped
from forms.errors import CatalogRefused
from node import casework
from node import upkeep as node_upkeep
from tui.commands.context import Context, json_option, line, show, tell


@click.group(help="事项目录：发布、列出、查看。")
def catalog() -> None:
    """Group the commands about items."""


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
            for problem in refusal.problems:
                tell(f"{problem.file}:{problem.line}  {problem.message}")
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
        rows = node.store.registry.current_packages()
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
        row = casework.find_package(node, code)
        package = node.package(row.digest)
    assert package is not None
    item = package.item
    if as_json:
        show(
            {
                "code": item.code,
                "name": item.name,
                "department": item.department,
                "version": package.version,
                "digest": row.digest,
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
