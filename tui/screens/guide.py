"""The guide of an item 办事指南: to be read, and to be saved as text or PDF."""

import asyncio
from pathlib import Path

from forms.package import Package
from node import export
from node.papers.guide import guide_paper
from node.papers.layout import A4
from node.papers.pdf import as_pdf
from node.wiring import Node
from tui.paper_text import as_text
from tui.screens.paper import PaperPage


class GuidePage(PaperPage):
    """How an item is done, by the version that is in force or that a case has."""

    HELP = (
        "这是随事项发布的办事指南，没有网络也能看。↑↓ 翻看。"
        "P 存成 PDF，可以打印给群众；T 存成文本文件。"
    )

    def __init__(self, node: Node, package: Package) -> None:
        place, day = node.certificate.name, node.today()
        super().__init__(node, guide_paper(package, place, day))

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "办事指南"

    async def write(self, path: Path, ending: str) -> tuple[str, ...]:
        """Write the guide; it is public, and nobody has to answer for it."""
        if ending != "pdf":
            export.save_paper(path, as_text(self.paper).encode())
            return ()
        at = self.node.now()
        printed = await asyncio.to_thread(as_pdf, self.paper, A4, at)
        export.save_paper(path, printed.data)
        return printed.missing
