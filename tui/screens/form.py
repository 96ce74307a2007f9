"""A form from its first field to 提交: any item's, made from its questions alone."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from forms.filled import Problem
from node import kept_answers, known, reuse
from node.errors import AnswersWrong
from node.reuse import Offer
from node.wiring import Node
from tui import labels, times, version_words
from tui.screens import kept
from tui.screens.choose import Choose, Option
from tui.screens.form_filling import APPLICANT, FillingPage
from tui.screens.guide import GuidePage
from tui.screens.intake import IntakePage
from tui.screens.reuse import ReusePage
from tui.screens.sheet import Sheet
from tui.screens.tell import Tell

NOT_ATTACHED = "文件没有附上：改好路径按回车，或清空"
NAMED = frozenset({"applicant_name", APPLICANT})
"""What must be known of an applicant in any case."""


class FormPage(FillingPage):
    """One form, from the first field to 提交."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next", "下一项"),
        Binding("f2", "save", "存草稿"),
        Binding("f3", "submit", "提交"),
        Binding("f4", "guide", "办事指南"),
        Binding("f7", "reuse", "历史资料"),
        Binding("f8", "faults", "要改的"),
        Binding("f9", "kept", "旧答案"),
        Binding("f6", "papers", "只收材料"),
        Binding("escape", "leave", "返回"),
        Binding("enter", "next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
    ]
    HELP = (
        "填一项按 Tab 或回车到下一项，↑↓ 也可以换项。填错的会在那一项下面说明。"
        "去掉一组：按 ↑↓ 到这一组的标题，按 Delete。"
        "离开一项、或停下一秒，就自动存好；断电、关窗口都不会丢，Esc 返回也不丢。"
        "从表格里复制一行，粘贴后按顺序填进后面各项。"
        "选项按数字键。表来不及填时，填好姓名和身份证号按 F6 只收材料，由镇里代录。"
        "F3 提交时一次标出所有要改的地方，F8 列出来，选哪一处就到哪一处。"
        "来过的人，填好身份证号后可以按 F7 看以前审过的资料，选要用的取过来。"
    )

    def __init__(self, node: Node, sheet: Sheet) -> None:
        super().__init__(node, sheet)
        document = sheet.document
        self._kept = kept_answers.of(node, document) if document else ()

    @property
    def title_words(self) -> str:
        """Which item is filled in."""
        return self.sheet.package.item.name

    def on_mount(self) -> None:
        """Go where the user has been, and say so."""
        super().on_mount()
        self._show_missing()
        self._show_ages()
        self.lines.tell_origins()
        self._meet()
        at_ms = self.sheet.saved_at_ms
        first = next((r for r in self.fields.values() if not r.editor.disabled), None)
        last = self.lines.reach(self.sheet.last_field)
        if at_ms is not None:
            at = times.clock(at_ms, self.node.now_ms())
            where = f"，最后一项：{last.field.label}" if last else ""
            self.say(f"恢复到 {at}{where}")
            self._show_saved(f"已存{self.sheet.kept_words} {at}")
        target = first if last is None or last.editor.disabled else last
        if target is not None:
            self.lines.go_to(target)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what there is something to show of."""
        if action == "reuse":
            return self._known.count > 0
        if action == "faults":
            return self._is_scolded
        if action == "kept":
            return bool(self._kept)
        if action == "papers":
            return self.sheet.is_intake
        return action != "guide" or bool(self.sheet.package.item.guide)

    # -- keys -----------------------------------------------------------------

    def action_submit(self) -> None:
        """Submit, or show all that is wrong and go to the first."""
        if self._is_taking_a_file():
            return
        self._settle()
        self._save()
        if row := next((r for r in self.lines.file_rows if r.path), None):
            self.say("✗ 还没提交：有文件没有附上，请改好路径按回车，或清空", "problem")
            self.lines.go_to(row)
            return
        if problems := self.lines.faults():
            self._show_problems([(p.key, p.label, p.message) for p in problems])
            return
        if self.sheet.is_intake:
            self._ask_intake(is_paper_only=False)
        else:
            self._submit({})

    def action_papers(self) -> None:
        """Take in the papers alone; the form is entered later 代录."""
        if self._is_taking_a_file():
            return
        self._settle()
        self._save()
        problems = [
            (p.key, p.label, p.message)
            for p in self.lines.form.problems()
            if self._must_be_right(p.key)
        ]
        if problems:
            self._show_problems(problems)
        else:
            self._ask_intake(is_paper_only=True)

    def _must_be_right(self, key: str) -> bool:
        """Say whether an answer must be right even where only papers are taken in:
        who applies, and what is filled in.
        """
        asked = self.lines.form.field(key)
        return bool(self.lines.form.value(key)) or bool(asked and asked.role in NAMED)

    def _ask_intake(self, *, is_paper_only: bool) -> None:
        self.app.push_screen(
            IntakePage(
                self.node,
                self.sheet,
                self.lines.form.submitted,
                self._submit,
                is_paper_only=is_paper_only,
            )
        )

    def _submit(self, facts: Mapping[str, str]) -> None:
        try:
            case = self.sheet.submit(self.lines.form.submitted, facts)
        except AnswersWrong as error:
            self._show_problems(error.problems)
            return
        self._stop_timer()
        kept.drop_taken(self.node, case.id)
        number = labels.short_number(case.row.number)
        self.lianban.close_page(
            f"✓ {self.sheet.done_word}：{case.row.applicant}的{case.row.item_name}，"
            f"单号 {number}。已存在本机，在“{labels.STATES[case.row.state]}”里。"
            "回执已可打印，按 P。传到后，列表里会显示“●已到镇”"
        )

    def action_faults(self) -> None:
        """List all that is to be put right, and go to the one that is picked."""
        self._settle()
        self.work(self._go_to_fault())

    async def _go_to_fault(self) -> None:
        asked_for = {line.key for line in self.lines.form.lines()}
        faults = [one for one in self.lines.faults() if one.key in asked_for]
        faults += [
            Problem(row.field.key, row.field.label, NOT_ATTACHED)
            for row in self.lines.file_rows
            if row.path
        ]
        where = await self.app.push_screen_wait(
            Choose(
                f"还有 {len(faults)} 处要改，到哪一处？",
                [Option(one.key, one.label, one.message) for one in faults],
                columns=("哪一项", "要改什么"),
                detail_cells=38,
                empty="没有要改的了，按 Esc 回到表单，按 F3 提交",
            )
        )
        row = self.lines.reach(where) if where is not None else None
        if row is not None:
            self.lines.go_to(row)

    def action_guide(self) -> None:
        """Show how the item is done, and which materials it needs."""
        self.app.push_screen(GuidePage(self.node, self.sheet.package))

    def action_kept(self) -> None:
        """Show what was answered in an older version, and this one does not ask."""
        lines = "\n".join(f"· {one}" for one in version_words.kept_in_full(self._kept))
        text = f"{version_words.KEPT_WORDS}。要用的请抄到表里。\n\n{lines}"
        self.app.push_screen(Tell("旧表里的答案", text))

    def action_reuse(self) -> None:
        """Show what earlier cases of this person can give, to choose from."""
        if not self._is_taking_a_file():
            self._settle()
            self._save()
            self.work(self._reuse())

    async def _reuse(self) -> None:
        offers = self._known.look(self.answers)
        page = ReusePage(self.sheet.package, self.answers, offers, self.sheet.material)
        chosen = await self.app.push_screen_wait(page)
        if chosen:
            self._take_over(chosen)

    def _take_over(self, chosen: Sequence[Offer]) -> None:
        """Put what was chosen into the form, as if it had been filled in just now."""
        known.keep_names(self.node, chosen)
        self.lines.form = self._filled(reuse.applied(self.answers, chosen))
        self.lines.bring_up()
        for key in [key for offer in chosen for key in offer.answers]:
            row, value = self.fields.get(key), self.lines.form.value(key)
            if row is None:
                continue
            # The row that the cursor is in was left alone so far.
            if row.value != value:
                row.show(value)
            self.lines.judge(row)
        self._known.take(chosen, self.lines.form.answers)
        self._save()
        self._show_missing()
        self._show_ages()
        self.lines.tell_origins()
        self._meet()
        self.say(f"✓ 已取用 {len(chosen)} 项并存好，来源写在各项下面，请与申请人核对")

    def action_leave(self) -> None:
        """Go back; what was typed is kept."""
        if self._is_taking_a_file():
            return
        self.leave_nothing_behind()
        words = f"{self.sheet.kept_words}已存好，随时可以接着填"
        self.lianban.close_page(words if self.sheet.saved_at_ms else "")

    def begin_with(self, words: str) -> None:
        """Say `words`, and mark what the form refuses of answers from an older one."""
        for row in self.fields.values():
            self.lines.judge(row)
        self._meet()
        self.say(words)

    # -- private --------------------------------------------------------------

    def _show_problems(self, problems: Sequence[tuple[str, str, str]]) -> None:
        by_key = {key: message for key, _, message in problems}
        self.lines.tell_faults(by_key)
        asked_for = {line.key for line in self.lines.form.lines()}
        strange = [label for key, label, _ in problems if key not in asked_for]
        extra = f"；表单里没有的项：{'、'.join(strange)}" if strange else ""
        self.say(
            f"✗ 还没提交：有 {len(problems)} 处要改，都标出来了，F8 列出{extra}",
            "problem",
        )
        self._is_scolded = True
        self._meet()
        self.refresh_bindings()
        reached = (self.lines.reach(key) for key in by_key if key in asked_for)
        first = next((row for row in reached if row is not None), None)
        if first is not None:
            self.lines.go_to(first)
