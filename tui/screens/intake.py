"""How a case comes in 收件: who does it for whom, what was handed in, and how the
answer is to reach the applicant. Asked once, before the end.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType

from forms.field import Field
from forms.item import Item
from forms.material import Proof
from node.awaiting import FORM_HANDLING
from node.facts import HANDLINGS
from node.lifecycle import Step
from node.wiring import Node
from tui import fact_words
from tui.fact_words import ASKED
from tui.fact_words import HANDLINGS as HANDLING_WORDS
from tui.screens.questions import QuestionsPage
from tui.screens.sheet import Sheet
from tui.text import plain

COLLECTED, EXEMPT = "collected", "exempt"
"""Which papers were handed in, and which need not be: keys of our own."""
STATE_OF = {COLLECTED: "collected", EXEMPT: "lookup"}
"""The states that follow, see `facts.MATERIAL_STATES`."""


class IntakePage(QuestionsPage):
    """A short page between the form and the case; `done` gets the facts."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f3", "finish", "提交")]

    HELP = (
        "提交前最后看一眼：本人来办、代办还是上门；代办的写明委托凭据；"
        "收了哪些纸质材料按数字勾上，能免提交的勾在免提交里；结果怎么给申请人。"
        "F3 提交；Esc 回到表单，填的都在。"
    )

    def __init__(
        self,
        node: Node,
        sheet: Sheet,
        answers: Mapping[str, str],
        done: Callable[[dict[str, str]], None],
        *,
        is_paper_only: bool = False,
    ) -> None:
        """Ask about a case whose form has these answers."""
        self.sheet, self.done, self.is_paper_only = sheet, done, is_paper_only
        name = sheet.package.field_of("applicant_name")
        self.applicant = answers.get(name.key, "") if name else ""
        asked = _questions(sheet.package.item, answers)
        if sheet.follows:  # the form says it already
            asked = [one for one in asked if one[0].key != "follows"]
        super().__init__(node, asked)

    @property
    def title_words(self) -> str:
        """What is done."""
        return "代收材料" if self.is_paper_only else "收件"

    @property
    def head(self) -> Text:
        """Whose case it is, and what happens next."""
        first = plain(f"{self.applicant}   {self.sheet.package.item.name}")
        first.stylize("bold")
        meaning = "核对后按 F3 提交"
        if self.is_paper_only:
            meaning = "只收材料：表以后由镇里代录。勾上收到的材料，按 F3 提交"
        return Text("\n").join((first, plain(meaning)))

    def faults(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return what is lacking for the way that was chosen."""
        found = {}
        if values.get("handling") == "agent" and not values.get("authorised"):
            found["authorised"] = "代办的要写明委托凭据：谁委托、怎么委托的"
        if values.get("delivery") == "post" and not values.get("send_to"):
            found["send_to"] = "选了快递，请写收件人、电话和地址"
        if self.is_paper_only and not values.get(COLLECTED):
            found[COLLECTED] = "请勾上收到的材料；一份也没收到的，先存草稿"
        both = set(values.get(COLLECTED, "").split())
        if both & set(values.get(EXEMPT, "").split()):
            found[EXEMPT] = "同一份材料不能又收了又免交"
        return found

    def finish(self, values: dict[str, str]) -> None:
        """Go back to the form with what was said; it submits."""
        for key, state in STATE_OF.items():
            for material in values.pop(key, "").split():
                values[f"material/{material}"] = state
        if self.is_paper_only:
            values["paper_only"] = "1"
        self.app.pop_screen()
        self.done(values)


def _questions(item: Item, answers: Mapping[str, str]) -> list[tuple[Field, str]]:
    asked = ASKED[Step.SUBMIT]
    handling = answers.get(FORM_HANDLING, "")  # the usual answer here as well
    found = [
        (
            fact_words.question(
                "handling", asked["handling"], "choice", HANDLING_WORDS, True
            ),
            handling if handling in HANDLINGS else HANDLINGS[0],
        ),
        (fact_words.question("authorised", asked["authorised"], "text", {}, False), ""),
    ]
    all_of_it = {one.key: one.name for one in item.materials}
    exempt = {one.key: one.name for one in item.materials if one.exempt_by}
    for key, label, names in (
        (COLLECTED, "收到的材料", all_of_it),
        (EXEMPT, "免提交的", exempt),
    ):
        if names:
            asks = fact_words.Asked(label)
            found.append((fact_words.question(key, asks, "choices", names, False), ""))
    ways = fact_words.deliveries(item)
    found += [
        (
            fact_words.question("delivery", asked["delivery"], "choice", ways, False),
            next(iter(ways)),
        ),
        (fact_words.question("send_to", asked["send_to"], "text", {}, False), ""),
        (fact_words.question("trips", asked["trips"], "integer", {}, False), ""),
    ]
    if any(e.kind is Proof.RESULT for one in item.materials for e in one.exempt_by):
        follows = fact_words.question("follows", asked["follows"], "text", {}, False)
        found.append((follows, ""))
    return found
