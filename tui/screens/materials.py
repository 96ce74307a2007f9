"""The papers of a case 材料: where each has got to, what to look at, who had it."""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from forms.material import Material
from forms.words import word
from node import cases, casework
from node.awaiting import LOOKUP
from node.cases import Case
from node.errors import NotFound
from node.facts import MATERIAL_STATES, TEXT_LIMIT
from node.lifecycle import Step
from node.records import Paper, Records
from node.reuse import materials_of
from node.wiring import Node
from tui import labels, record_words, times
from tui.screens.choose import Choose, Option
from tui.screens.list_page import ListPage
from tui.screens.rows_at_hand import RowsAtHand
from tui.screens.step_page import about
from tui.screens.tell import Tell
from tui.text import harmless, plain
from tui.widgets.paged_list import Column, PagedList, Row

COLUMNS = (
    Column("材料", 24, is_flexible=True),
    Column("状态", 18),
    Column("文件", 4, "right"),
    Column("出具", 12, is_flexible=True),
    Column("免提交", 6),
)
CUSTODY_LINES = 6

KEYS = {
    "o": ("original_seen", "核原件"),
    "b": ("brought", "带回"),
    "l": ("lookup", "免提交"),
    "g": ("looked_up", "查到"),
    "x": ("not_found", "没查到"),
}
"""What is mostly said of a paper: key, state and the word at the bottom."""


class PaperList(PagedList):
    """Enter shows what to look at."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "要点"),
        Binding("space", "open", show=False),
    ]


class MaterialsPage(ListPage):
    """Every paper of a case with its state; one key says what became of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"check('{state}')", label)
            for key, (state, label) in KEYS.items()
        ),
        Binding("s", "other", "其他"),
        Binding("escape", "leave", "返回"),
    ]
    DEFAULT_CSS = """
    MaterialsPage {
        & > #detail { height: 8; }
    }
    """
    AUTO_FOCUS = "PaperList"
    HELP = (
        "每份材料现在在哪里、核过没有。回车看审核要点和常见问题，没有网也能看。"
        "O 已核原件，B 勘查带回，L 免提交（等有数据的一级去查），"
        "G 证照已查到，X 没查到（退回时一并告知），S 其他。"
        "下面是经手记录：谁、什么时候、在哪里。"
    )

    def __init__(self, node: Node, case: str) -> None:
        super().__init__(node)
        self._case_id = case
        self._read()

    @property
    def title_words(self) -> str:
        """What this screen is."""
        return "核材料"

    def body(self) -> Iterable[Widget]:
        """Put the custody log of the highlighted paper below the list."""
        yield Static(id="head")
        yield PaperList(
            COLUMNS, RowsAtHand(self._list_rows()), empty="这个事项不要材料"
        )
        yield Static(id="detail")

    def data_changed(self) -> None:
        """Read the case again."""
        try:
            self._read()
        except NotFound:
            self.lianban.close_page("")
            raise
        head = about("核材料", "记下每份材料的状态和去向", self.case)
        self.line("head").update(head)
        self.show_rows(self._list_rows())
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave out the keys that could do nothing now."""
        if action in ("check", "other"):
            may = Step.CHECK in casework.possible_steps(self.node, self.case)
            return may and bool(self._papers)
        return True

    def detail(self, row: Row | None) -> Text:
        """Return who had the highlighted paper."""
        if row is None:
            return Text()
        material = self._papers[int(row.key[0])]
        log = [one for one in self._known.custody if one.key == material.key]
        lines = [Text(f"经手记录：{harmless(material.name)}", "bold")]
        lines += [plain(custody_words(self.node, one)) for one in log[-CUSTODY_LINES:]]
        if not log:
            lines.append(Text("还没有人经手。", "dim"))
        if material.condition:
            lines.append(plain(f"什么时候要交：{material.condition}"))
        return Text("\n").join(lines)

    @on(PagedList.Opened)
    def opened(self, event: PagedList.Opened) -> None:
        """Show what to look at in a paper."""
        material = self._papers[int(event.key[0])]
        self.app.push_screen(Tell(f"审核要点：{material.name}", review(material)))

    def action_check(self, state: str) -> None:
        """Write down the state of the highlighted paper."""
        material = self._highlighted()
        if material is not None:
            self.work(self._check(material, state))

    def action_other(self) -> None:
        """Choose among all states."""
        material = self._highlighted()
        if material is not None:
            self.work(self._choose(material))

    async def _choose(self, material: Material) -> None:
        options = [Option(key, said) for key, said in MATERIAL_STATES.items()]
        state = await self.app.push_screen_wait(
            Choose(f"{material.name}：现在怎么样？", options, columns=("状态", ""))
        )
        if state is not None:
            await self._check(material, state)

    async def _check(self, material: Material, state: str) -> None:
        said = labels.word(MATERIAL_STATES, state)
        if state == LOOKUP and not material.exempt_by:
            self.say(
                f"{material.name}：这个事项没有写明它能免提交，没有记。请收下纸质的",
                "alert",
            )
            return
        place = await self.ask(
            f"{material.name}：{said}。在哪里经手的？",
            value=self.node.certificate.name,
        )
        if place is None:
            return
        casework.take_step(
            self.node,
            self._case_id,
            Step.CHECK,
            facts={f"material/{material.key}": state, "place": place[:TEXT_LIMIT]},
        )
        self.lianban.wrote()
        self.say(f"✓ {material.name}：{said}")

    def _read(self) -> None:
        self.case: Case = cases.open_case(self.node, self._case_id)
        self._known: Records = cases.records_of(self.case)
        self._papers = self.case.package.item.materials

    def _highlighted(self) -> Material | None:
        row = self.listed.highlighted
        return None if row is None else self._papers[int(row.key[0])]

    def _list_rows(self) -> list[Row]:
        counts = file_counts(self.case)
        return [
            Row(
                (place,),
                (
                    one.name + ("" if one.required else "（视情况）"),
                    record_words.material_state(self._known, one.key),
                    str(counts.get(one.key, "") or ""),
                    one.issuer or "申请人",
                    "可以" if one.exempt_by else "",
                ),
            )
            for place, one in enumerate(self._papers)
        ]


def custody_words(node: Node, paper: Paper) -> str:
    """Return one word about a paper: when, what, where, who."""
    event = paper.by.event
    at = times.moment(event.at, node.now_ms())
    who = f"{labels.author_name(node.roster, paper.by.author)} {event.by}"
    where = f"  在{paper.place}" if paper.place else ""
    return f"{at}  {labels.word(MATERIAL_STATES, paper.state)}{where}  {who}"


def file_counts(case: Case) -> dict[str, int]:
    """Return how many files stand for each paper, by its key."""
    counts: dict[str, int] = {}
    for key, value in case.fields.items():
        asked = case.package.question(key)
        if asked is not None and asked.kind == "file":
            for material in materials_of(case.package.item, key):
                counts[material] = counts.get(material, 0) + len(value.split())
    return counts


def review(material: Material) -> str:
    """Return what to look at in a paper, as lines."""
    lines = [f"· {point}" for point in material.review] or ["没有写明的审核要点。"]
    if material.copies:
        lines.append(f"份数：{material.copies}")
    if word(material.original):
        lines.append(f"原件：{word(material.original)}")
    if material.condition:
        lines.append(f"什么时候要交：{material.condition}")
    if material.exempt_by:
        names = "、".join(
            f"{one.name}（{word(one.kind)}）" for one in material.exempt_by
        )
        lines.append(f"免提交：{names}")
    return "\n".join(lines)
