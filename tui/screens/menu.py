"""All that may be done with a case now 办理…, each with a line of what it does."""

from node import casework
from node.cases import Case
from node.lifecycle import CARRIES_FIELDS, Step
from node.wiring import Node
from tui import fact_words, labels
from tui.screens import steps
from tui.screens.choose import Choose, Option
from tui.screens.form import FormPage
from tui.screens.materials import MaterialsPage
from tui.screens.page import Page
from tui.screens.settle import SettlePage
from tui.screens.sheet import CaseSheet
from tui.screens.step_page import AtOncePage, StepPage

AT_ONCE = "at-once"
"""Accepting and granting in one, beside the steps: no step is called so."""
DETAIL_CELLS = 28


def offered(node: Node, case: Case) -> list[Option]:
    """Return what may be done, the steps that move the case first."""
    scene = fact_words.scene_of(node, case)
    options = [
        Option(str(step), labels.STEPS[step], labels.MEANINGS[step])
        for step in casework.possible_steps(node, case)
        if fact_words.can_be_said(step, scene)
    ]
    if casework.may_decide_at_once(node, case):
        options.insert(0, Option(AT_ONCE, "当场办结", "受理并准予，一次办完"))
    return options


async def choose(page: Page, case: Case) -> None:
    """Ask what is to be done, and begin it."""
    chosen = await page.app.push_screen_wait(
        Choose(
            f"办理：{case.row.applicant}的{case.row.item_name}",
            offered(page.node, case),
            columns=("办什么", "是什么意思"),
            detail_cells=DETAIL_CELLS,
            empty="没有这样的步骤，或现在本级不能办",
        )
    )
    if chosen is not None:
        await begin(page, case, chosen)


async def begin(page: Page, case: Case, chosen: str) -> None:
    """Begin a step, or `AT_ONCE`: on the page that asks what it must say."""
    node = page.node
    if chosen == AT_ONCE:
        page.app.push_screen(AtOncePage(node, case))
    elif chosen in CARRIES_FIELDS:
        page.app.push_screen(FormPage(node, CaseSheet(node, case)))
    elif chosen == Step.SETTLE:
        page.app.push_screen(SettlePage(node, case.id, only=True))
    elif chosen == Step.CHECK:
        page.app.push_screen(MaterialsPage(node, case.id))
    elif chosen in (Step.RETURN, Step.FORWARD):
        # A page of its own, and a batch with its list.
        await steps.take(page, Step(chosen), [case.row])
    else:
        page.app.push_screen(StepPage(node, case, Step(chosen)))
