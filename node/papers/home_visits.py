"""The list to go out with 上门单: to whom, where, what for. Pure: no I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.papers.paper import Block, Heading, Listing, Pairs, Paper, Paragraph

TITLE = "上门单"


@dataclass(frozen=True, slots=True)
class Visit:
    """One door to knock at.

    `purpose` says what for; `papers` are what is to be collected or brought, a line
    each, under the heading `papers_are`.
    """

    number: str
    applicant: str
    phone: str
    address: str
    item: str
    purpose: str
    papers_are: str = ""
    papers: tuple[str, ...] = ()


def visit_paper(visits: Sequence[Visit], more: int, foot: str) -> Paper:
    """Return the list as a paper.

    Args:
        visits: in the order in which they are gone through.
        more: how many there are besides these.
        foot: who prints it, and when.
    """
    blocks: list[Block] = [Paragraph(f"共 {len(visits) + more} 件。用完请收好或销毁。")]
    for number, one in enumerate(visits, start=1):
        blocks += _visit(number, one)
    if more:
        blocks.append(Paragraph(f"另有 {more} 件没有列出，办完这些再打印。"))
    return Paper(TITLE, tuple(blocks), foot)


def _visit(number: int, one: Visit) -> list[Block]:
    rows = (
        ("电话", one.phone),
        ("地址", one.address or "（没有填，先打电话问）"),
        ("事项", one.item),
        ("单号", one.number),
        ("去做什么", one.purpose),
    )
    found: list[Block] = [
        Heading(f"{number}. {one.applicant or '（未填姓名）'}"),
        Pairs(tuple((name, value) for name, value in rows if value)),
    ]
    if one.papers:
        found.append(Paragraph(f"{one.papers_are}："))
        found.append(Listing(tuple(f"{at}. {p}" for at, p in enumerate(one.papers, 1))))
    return found
