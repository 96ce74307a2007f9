"""The guide of an item as a paper 办事指南. Pure: no I/O, no clock."""

from datetime import date

from forms.guide import sections
from forms.item import Item
from forms.package import Package
from node.papers.paper import Block, Heading, Listing, Pairs, Paper


def guide_paper(package: Package, place: str, day: date) -> Paper:
    """Return the guide of an item, the five public things 五公开 and what stands by.

    Args:
        package: the version that is in force here.
        place: who hands the guide out; people ask there.
        day: local date, so that an old print is seen to be old.
    """
    item = package.item
    blocks: list[Block] = [Pairs(_facts(package))]
    for section in sections(item):
        blocks += [Heading(section.title), Listing(section.lines)]
    foot = f"{place}　{day.isoformat()}　第 {package.version} 版，以现行版本为准"
    return Paper(f"{item.name} 办事指南", tuple(blocks), foot)


def _facts(package: Package) -> tuple[tuple[str, str], ...]:
    item = package.item
    facts = (
        ("事项代码", item.code),
        ("办理部门", item.department),
        ("事项类型", item.category),
        ("版本", _version(package.version, item)),
        ("难度分", str(item.difficulty)),
    )
    return tuple((name, value) for name, value in facts if value)


def _version(version: str, item: Item) -> str:
    return f"{version}（{item.effective_on} 起）" if item.effective_on else version
