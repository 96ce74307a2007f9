"""The list to go out with 上门单: to be read, and to be saved as text or PDF."""

import asyncio
from pathlib import Path

from node import home_visits
from node.papers.layout import A4
from node.papers.pdf import as_pdf
from node.wiring import Node
from tui.paper_text import as_text
from tui.screens.paper import PaperPage


class VisitListPage(PaperPage):
    """All doors to knock at, by address; nobody is named in the name of its file."""

    HELP = (
        "要上门的都在这里：草稿、要补材料的、要送结果的，按地址排。没有网络也能打。"
        "P 存成 PDF，T 存成文本文件；存了要留记录。上面有群众的电话和地址，用完收好。"
    )

    def __init__(self, node: Node) -> None:
        self.made = home_visits.visit_list(node)
        super().__init__(node, self.made.paper)

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "上门单"

    @property
    def file_stem(self) -> str:
        """The title and the day: nobody is named in it."""
        return f"{self.paper.title} {self.node.today().isoformat()}"

    async def write(self, path: Path, ending: str) -> tuple[str, ...]:
        """Write the list; that it leaves the home is written down."""
        if ending != "pdf":
            home_visits.save(self.node, self.made, path, as_text(self.paper).encode())
            return ()
        at = self.node.now()
        printed = await asyncio.to_thread(as_pdf, self.paper, A4, at)
        home_visits.save(self.node, self.made, path, printed.data)
        return printed.missing
