"""Telling all that is to be put right 一次性告知: fields and papers, in one list.

One notice names everything. What is found later must be told too, but it is said
beforehand that it comes late, and it stays marked so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from forms import check
from forms.filled import FilledForm
from forms.kinds import KINDS
from node import casework, corrections
from node.cases import Case, records_of
from node.corrections import OTHER
from node.facts import TOTAL_LIMIT, written_length
from node.lifecycle import Step
from node.records import MATERIAL
from node.wiring import Node
from tui.screens.list_page import ListPage
from tui.screens.rows_at_hand import RowsAtHand
from tui.screens.step_page import about, whose
from tui.text import harmless
from tui.widgets.paged_list import Column, Key, PagedList, Row

COLUMNS = (
    Column("", 4),
    Column("哪一项", 18, is_flexible=True),
    Column("现在是", 16, is_flexible=True),
    Column("要改什么", 24, is_flexible=True),
)
FIELD_REASONS = ("没有填", "与证件不一致", "写得不全，请写到门牌", "看不清，请重填")
MATERIAL_REASONS = ("没有交", "看不清，请重拍", "过期了，请换新的", "缺签名或按手印")
SUGGESTIONS = 9
"""As many as there are digits."""
NOTE_CELLS = 300


@dataclass(frozen=True, slots=True)
class Target:
    """Something that can be at fault, with what is mostly wrong with it."""

    key: str
    kind: str
    label: str
    present: str = ""
    reasons: tuple[str, ...] = ()


class FaultList(PagedList):
    """What is ticked is at fault."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "choose", "选"),
        Binding("enter", "open", "写明"),
    ]

    def tick(self, key: Key, *, is_at_fault: bool) -> None:
        """Tick a row, or no longer."""
        self._selected = self._selected - {key} | ({key} if is_at_fault else set())
        self.refresh()


class CorrectionPage(ListPage):
    """All fields and papers of a case; those that are ticked go into one notice."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3", "send", "退回"),
        Binding("escape", "leave", "返回"),
    ]
    AUTO_FOCUS = "FaultList"
    HELP = (
        "空格选上有问题的，写明怎么改；可以按数字取用审核要点，再按一次空格取消，"
        "回车改写。全部选好后按 F3，一次告知申请人。"
        "以后再发现新的问题也要告知，但会记为“非一次性告知”。"
    )

    def __init__(self, node: Node, case: Case) -> None:
        super().__init__(node)
        self.case = case
        self.known = records_of(case)
        self.targets = list(targets(node, case))
        self.owed = {
            key.removeprefix("fault/"): text
            for key, text in corrections.owed(self.known).items()
        }
        """What must be told whatever else is, by target; the words may be changed."""
        self.texts: dict[str, str] = dict(self.owed)

    @property
    def title_words(self) -> str:
        """What is done."""
        return "补正告知"

    def body(self) -> Iterable[Widget]:
        """Put the whole of the highlighted row below the list."""
        head = about("补正告知", "把要改、要补的都选上，一次告知", self.case)
        yield Static(head, id="head")
        yield FaultList(COLUMNS, RowsAtHand(self._list_rows()))
        yield Static(id="detail", classes="quiet")

    def detail(self, row: Row | None) -> Text:
        """Return all of the highlighted row."""
        if row is None:
            return Text()
        target = self.targets[int(row.key[0])]
        parts = (
            f"{target.label}：{target.present or '—'}",
            f"要改：{self.texts[target.key]}" if target.key in self.texts else "",
        )
        return self.folded("   ".join(filter(None, parts)), 2)

    def on_mount(self) -> None:
        """Tick what must be told."""
        super().on_mount()
        if self.texts:
            self._show()

    @on(PagedList.Toggled)
    def toggled(self, event: PagedList.Toggled) -> None:
        """Ask what is wrong with what was ticked; forget it for what no longer is."""
        target = self.targets[int(event.key[0])]
        if event.is_selected:
            self.work(self._ask(event.key, target))
        elif target.key in self.owed:
            self._show()
            self.say(
                f"{target.label}：免提交的没查到，要一并告知，没有取消。"
                "查到了的，先在“核材料”里记已查到",
                "alert",
            )
        else:
            self.texts.pop(target.key, None)
            self._show()

    @on(PagedList.Opened)
    def opened(self, event: PagedList.Opened) -> None:
        """Ask it anew."""
        self.work(self._ask(event.key, self.targets[int(event.key[0])]))

    async def _ask(self, key: Key, target: Target) -> None:
        value = self.texts.get(target.key, "")
        text = await self.ask(
            f"{target.label}：要补什么、怎么改？",
            value=value,
            placeholder="按序号选，或自己写" if target.reasons else "写明要补什么",
            presets=target.reasons if not value else (),
        )
        if text is not None:
            self.texts[target.key] = text
        self.query_one(FaultList).tick(key, is_at_fault=target.key in self.texts)
        self._show()

    def action_send(self) -> None:
        """Send the case back with all that is ticked."""
        self.work(self._send())

    async def _send(self) -> None:
        if not self.texts:
            self.say("还没有选：按空格选上有问题的，写明怎么改。没有退回", "alert")
            return
        chosen = [one for one in self.targets if one.key in self.texts]
        facts = {f"fault/{one.key}": self.texts[one.key] for one in chosen}
        if written_length(facts) > TOTAL_LIMIT:
            self.say(f"合计最多 {TOTAL_LIMIT} 字，请写短一些。没有退回", "problem")
            return
        late = [one for one in chosen if not corrections.is_told(self.known, one.key)]
        names = "、".join(one.label for one in chosen)
        question = f"退回补正：{whose(self.case)}，共 {len(chosen)} 处：{names}。"
        is_late = bool(self.known.faults and late)
        if is_late:
            new = "、".join(one.label for one in late)
            question += (
                f"! 已经告知过一次，这次新提的 {len(late)} 处会记为"
                f"“非一次性告知”：{new}。"
            )
        if not await self.confirm(question, "退回", is_dangerous=is_late):
            return
        said = {one.key: self.texts[one.key] for one in chosen}
        note = corrections.summed_up(self.case, said)
        casework.take_step(
            self.node,
            self.case.id,
            Step.RETURN,
            note=harmless(note, width=NOTE_CELLS),
            facts=facts,
        )
        how = f"，新提的 {len(late)} 处记为“非一次性告知”" if is_late else ""
        told = "告知" if self.known.faults else "一次告知"
        words = f"✓ 已退回：{whose(self.case)}，{told} {len(chosen)} 处{how}"
        self.lianban.close_page(words)

    def action_leave(self) -> None:
        """Go back; nothing was sent."""
        self.work(self._leave())

    async def _leave(self) -> None:
        question = f"选好的 {len(self.texts)} 处还没有退回，返回就不留了。"
        if not self.texts or await self.confirm(question, "返回", is_dangerous=True):
            self.lianban.close_page("")

    def _show(self) -> None:
        chosen = self.query_one(FaultList)
        selected = chosen.selected
        self.show_rows(self._list_rows())
        told = {(at,) for at, o in enumerate(self.targets) if o.key in self.texts}
        for key in selected | told:
            chosen.tick(key, is_at_fault=True)
        count = len(self.texts)
        self.say(f"选了 {count} 处，按 F3 一次退回" if count else "")

    def _list_rows(self) -> list[Row]:
        return [
            Row(
                (place,),
                (one.kind, one.label, one.present, self.texts.get(one.key, "")),
            )
            for place, one in enumerate(self.targets)
        ]


def targets(node: Node, case: Case) -> Iterator[Target]:
    """Yield all that can be at fault in a case: fields, papers, something else."""
    form = FilledForm(case.package, case.fields, check.noon(node.today()))
    for line in form.lines():
        if line.field and KINDS[line.field.kind].answers and line.is_open:
            shown = KINDS[line.field.kind].show(line.field, line.value)
            label = corrections.target_name(case, line.key)
            yield Target(line.key, "填写", label, shown, FIELD_REASONS)
    for one in case.package.item.materials:
        reasons = (*MATERIAL_REASONS, *(f"不合要求：{point}" for point in one.review))
        key = MATERIAL + one.key
        yield Target(key, "材料", one.name, one.copies, reasons[:SUGGESTIONS])
    yield Target(OTHER, "其他", "其他要补正的")
