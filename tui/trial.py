"""A form tried out by the one who wrote it: the real screen over a node for nobody.

The node stands in a folder that is thrown away with all that was typed.
"""

import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from forms.item import Applicant, Item, Tier
from forms.package import FORMAT, Package
from forms.xform import Definition
from node import enrol
from node.cases import Case
from node.material import Material
from node.vault import Cost
from node.wiring import Node
from tui.app import LianbanApp
from tui.screens import kept
from tui.screens.form import FormPage
from tui.screens.page import Page

NOTHING_IS_KEPT = "试填，不保存"

# The folder holds nothing that is worth a slow key.
_QUICK = Cost(64, 1)
_DIVISION = "330881000000"


class TrialSheet:
    """Answers that are kept nowhere."""

    kept_words = ""
    done_word = ""
    is_intake = False
    held: frozenset[str] = frozenset()
    follows = ""
    last_field = ""
    saved_at_ms: int | None = None
    document: bytes | None = None
    number = ""

    def __init__(self, node: Node, package: Package) -> None:
        self.node, self.package = node, package
        self.answers: dict[str, str] = {}

    def save(self, answers: Mapping[str, str], last_field: str) -> int:
        """Forget the answers."""
        return self.node.now_ms()

    def notice(self, answers: Mapping[str, str]) -> list[str]:
        """Say nothing more."""
        return []

    def submit(self, answers: Mapping[str, str], facts: Mapping[str, str]) -> Case:
        """Never asked: a trial makes no case."""
        raise AssertionError

    def material(self, digest: str) -> Material:
        """Return what a file is called that was attached here."""
        return kept.material(self.node, digest)


class TrialPage(FormPage):
    """A form as an agent sees it; submitting only says whether all is well."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next", "下一项"),
        Binding("f2", "save", show=False),
        Binding("f3", "submit", "检查全部"),
        Binding("escape", "leave", "关闭"),
    ]
    HELP = (
        "这是试填：什么也不保存，关掉就没有了。填一项按 Tab 或回车到下一项。"
        "选项按数字键。F3 列出所有要改的地方，和提交时一样。"
    )

    def action_save(self) -> None:
        """Say that there is nothing to save."""
        self.say(f"{NOTHING_IS_KEPT}，关掉就没有了", "quiet")

    def action_submit(self) -> None:
        """Show all that is wrong, or that nothing is."""
        if self._is_taking_a_file():
            return
        self._settle()
        if problems := self.lines.faults():
            self._show_problems([(p.key, p.label, p.message) for p in problems])
            return
        count = len(self.lines.form.submitted)
        self.say(f"✓ 全部符合要求，会提交 {count} 项（{NOTHING_IS_KEPT}）")

    def action_leave(self) -> None:
        """Close the trial."""
        self.app.exit()

    def _show_saved(self, text: str) -> None:
        super()._show_saved(NOTHING_IS_KEPT)


class TrialApp(LianbanApp):
    """The program with one form, and nothing else."""

    def __init__(self, node: Node, package: Package) -> None:
        super().__init__(node)
        self._package = package

    def first_page(self) -> Page:
        """Show the form."""
        return TrialPage(self.node, TrialSheet(self.node, self._package))


def run_trial(definition: Definition, name: str) -> None:
    """Open a form on this terminal until it is closed; `name` is its file's."""
    with tempfile.TemporaryDirectory(
        prefix="lianban-try-", ignore_cleanup_errors=True
    ) as folder:
        node = enrol.init_district(
            Path(folder) / "node",
            division=_DIVISION,
            name="试填",
            operator="admin",
            password=secrets.token_hex(),
            cost=_QUICK,
        )
        try:
            TrialApp(node, package_of(definition, name)).run()
        finally:
            node.close()
            node.sandbox.close()


def package_of(definition: Definition, name: str) -> Package:
    """Return a form with an item around it, since it has none."""
    item = _item(definition, name)
    return Package(format=FORMAT, version="1", item=item, form=definition)


def _item(definition: Definition, name: str) -> Item:
    return Item(
        code=definition.id[:64] or name[:64],
        code_scheme="试填",
        name=(definition.title or name)[:60],
        department="试填",
        applicant=Applicant.PERSON,
        collect=(Tier.DISTRICT,),
        accept=Tier.DISTRICT,
        decide=Tier.DISTRICT,
        legal_workdays=1,
        promise_workdays=1,
    )
