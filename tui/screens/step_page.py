"""Taking a step that says something: its facts are asked, then it is taken."""

from collections.abc import Mapping

from rich.text import Text

from node import casework
from node.cases import Case
from node.facts import FACTS
from node.lifecycle import NEEDS_REASON, Step
from node.wiring import Node
from tui import fact_words, labels
from tui.screens.questions import QuestionsPage
from tui.text import plain


class StepPage(QuestionsPage):
    """One step in one case. What it asks follows from `node.facts.FACTS`."""

    def __init__(self, node: Node, case: Case, step: Step) -> None:
        self.case, self.step = case, step
        asked = fact_words.questions(
            step, fact_words.scene_of(node, case), needs_note=step in NEEDS_REASON
        )
        super().__init__(node, asked)

    @property
    def title_words(self) -> str:
        """What is done."""
        return labels.word(labels.STEPS, self.step)

    @property
    def head(self) -> Text:
        """What is done, what that means, and to whose case."""
        return about(self.title_words, labels.MEANINGS[self.step], self.case)

    def faults(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return which facts no receiver would take, with the table's own checks."""
        item = self.case.package.item
        return {
            fact.key: "请核对：不是这一步可以写的内容"
            for fact in FACTS[self.step]
            if fact.key in values and not fact.check(values[fact.key], item)
        }

    def finish(self, values: dict[str, str]) -> None:
        """Take the step."""
        note = values.pop(fact_words.NOTE, "")
        self.take(note, values)
        self.lianban.close_page(f"✓ {self.title_words}：{whose(self.case)}")

    def take(self, note: str, facts: dict[str, str]) -> None:
        """Write it down."""
        casework.take_step(self.node, self.case.id, self.step, note=note, facts=facts)


class AtOncePage(StepPage):
    """Accepting and granting in one 即办件, where this tier may do both."""

    def __init__(self, node: Node, case: Case) -> None:
        super().__init__(node, case, Step.GRANT)

    @property
    def title_words(self) -> str:
        """What is done."""
        return "当场办结"

    @property
    def head(self) -> Text:
        """What is done, what that means, and to whose case."""
        return about(self.title_words, "受理并准予，一次办完", self.case)

    def take(self, note: str, facts: dict[str, str]) -> None:
        """Write both down, or neither."""
        casework.decide_at_once(self.node, self.case.id, note=note, facts=facts)


def about(title: str, meaning: str, case: Case) -> Text:
    """Return what a page is about, in two lines."""
    number = labels.short_number(case.row.number)
    first = plain(f"{title}：{meaning}")
    first.stylize("bold")
    return Text("\n").join((first, plain(f"{whose(case)}   单号 {number}")))


def whose(case: Case) -> str:
    """Return whose case it is, and of what."""
    return f"{case.row.applicant or '（未填）'}的{case.row.item_name}"
