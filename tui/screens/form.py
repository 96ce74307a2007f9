"""Filling in a form: any item's, made from its questions alone.

Nothing that was typed is ever only on the screen for longer than a second: leaving a
field saves, and so does a pause in typing. The screen says so only after the commit.
"""

import asyncio
import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from forms import check
from forms.filled import FilledForm, Line
from node import casework, intake, kept_answers, known, reuse
from node.errors import AnswersWrong
from node.files import path_of
from node.intake import Prepared
from node.reuse import Offer
from node.wiring import Node
from tui import labels, times, version_words
from tui.messages import ERRORS, sentence
from tui.screens import form_words, kept
from tui.screens.choose import Choose, ChooseAnswer, Option
from tui.screens.form_rows import (
    FieldRow,
    FileInput,
    FileRow,
    FormRow,
    Rows,
    SeriesRow,
    asked,
    row_for,
)
from tui.screens.guide import GuidePage
from tui.screens.intake import IntakePage
from tui.screens.page import Page
from tui.screens.recognise import Recognition
from tui.screens.reuse import ReusePage
from tui.screens.sheet import Sheet
from tui.screens.tell import Tell
from tui.text import cells, plain
from tui.widgets.choice_line import ChoiceLine
from tui.widgets.field_input import FieldInput

AUTOSAVE_S = 1.0
MOST_NEW_ROWS = 120
"""How many rows of repeats may come up at once while an answer is wrong. A row costs
about 0.6 MB and 10 ms: 403 typed for 4 members took 1.3 GB and a minute.
"""
LABEL_CELLS_MIN, LABEL_CELLS_MAX = 12, 24
APPLICANT = "applicant_id"
"""The role of the question that says who applies."""
NAMED = frozenset({"applicant_name", APPLICANT})
"""What must be known of an applicant in any case."""


class FormPage(Page):
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
    DEFAULT_CSS = """
    FormPage {
        & > #head { height: 1; background: $surface; }
        & #missing, & #saved, & > #hint {
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
        & #missing { width: 1fr; padding: 0 1; }
        & #saved { width: auto; padding: 0 1; color: $text-muted; }
        & > #notice { height: auto; max-height: 7; padding: 0 1; }
        & > #known { height: 1; padding: 0 1; display: none; }
        & > #hint { height: 1; padding: 0 1; background: $surface; }
    }
    """
    AUTO_FOCUS = None
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
        super().__init__(node)
        self.sheet = sheet
        self._last_field = sheet.last_field
        self._timer: Timer | None = None
        self._form = self._filled(sheet.answers)
        # What a form gives by itself is nobody's work: a look at it leaves no draft.
        self._saved = dict(sheet.answers or self._form.answers)
        self._known = Recognition(node, sheet)
        self._rows: dict[str, FieldRow] = {}
        """The questions that stand on the screen, by key."""
        self._lines: dict[str, FormRow] = {}
        """All rows from above."""
        document = sheet.document
        self._kept = kept_answers.of(node, document) if document else ()
        self._label_cells = LABEL_CELLS_MIN
        self._is_scolded = False
        """The line below says that there is something to put right."""

    @property
    def title_words(self) -> str:
        """Which item is filled in."""
        return self.sheet.package.item.name

    @property
    def answers(self) -> dict[str, str]:
        """All answers as they stand on the screen, without the empty ones."""
        known = self._form.answers | {k: row.value for k, row in self._rows.items()}
        return {key: value for key, value in known.items() if value}

    def body(self) -> Iterable[Widget]:
        """Make a row of every field."""
        lines = self._due()
        labels_cells = [cells(one.label) for one in lines.values() if one.field]
        width = max(labels_cells, default=0) + 1
        self._label_cells = max(LABEL_CELLS_MIN, min(LABEL_CELLS_MAX, width))
        self._lines = {name: self._row(line) for name, line in lines.items()}
        self._note_rows()
        yield Horizontal(Static(id="missing"), Static(id="saved"), id="head")
        yield Static(id="notice", classes="alert")
        yield Static(id="known", classes="quiet")
        yield Rows(*self._lines.values())
        yield Static(id="hint", classes="quiet")

    def on_mount(self) -> None:
        """Go where the user has been, and say so."""
        super().on_mount()
        self._hold()
        self._show_missing()
        self._show_ages()
        self._show_origins()
        self._meet()
        at_ms = self.sheet.saved_at_ms
        first = next((r for r in self._rows.values() if not r.editor.disabled), None)
        last = self._rows.get(self.sheet.last_field)
        if at_ms is not None:
            at = times.clock(at_ms, self.node.now_ms())
            where = f"，最后一项：{last.field.label}" if last else ""
            self.say(f"恢复到 {at}{where}")
            self._show_saved(f"已存{self.sheet.kept_words} {at}")
        target = first if last is None or last.editor.disabled else last
        if target is not None:
            self._go_to(target)

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

    # -- while filling in -----------------------------------------------------

    @on(FieldInput.Edited)
    def edited(self, event: FieldInput.Edited) -> None:
        """Save soon; take a complaint back as soon as it no longer holds."""
        row = self._rows.get(event.key)
        if row is None:
            return
        self._last_field = event.key
        if isinstance(row.editor, ChoiceLine):
            self._answer(row)
        if row.is_wrong and not self._typing_fault(row):
            row.set_problem(None)
        self._show_missing()
        self._show_age(row)
        row.tell_origin(self._known.origin(event.key, row.value))
        if row.field.role == APPLICANT:
            self._meet()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(AUTOSAVE_S, self._autosave)

    @on(FieldInput.Left)
    def left(self, event: FieldInput.Left) -> None:
        """Put the answer in its usual form, judge it, and save it if it is new."""
        row = self._rows.get(event.key)
        if row is None:
            return
        if isinstance(row, FileRow) and row.path:
            self.work(self._take_file(row))
            return
        self._answer(row)
        self._go_to_what_is_new(row)
        fault = self._fault(row)
        row.set_problem(fault)
        if event.changed:
            self._last_field = event.key
            self._autosave()
        if not fault:
            self._meet()

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Go to the next field; with a path, attach its file first."""
        event.stop()
        row = self._row_of(event.input)
        if isinstance(row, FileRow) and row.path:
            self.work(self._take_file(row))
        else:
            self.action_next()

    @on(ChoiceLine.ListWanted)
    def list_wanted(self, event: ChoiceLine.ListWanted) -> None:
        """Show all options of a long list."""
        row = self._rows[event.key]
        self.work(self._choose(row))

    async def _choose(self, row: FieldRow) -> None:
        options = [Option(one.value, one.label) for one in row.field.choices]
        value = await self.app.push_screen_wait(
            ChooseAnswer(row.field.label, options, row.value)
        )
        if value is not None and isinstance(row.editor, ChoiceLine):
            row.editor.pick(value)
            self.action_next()

    @on(SeriesRow.Wanted)
    def series_wanted(self, event: SeriesRow.Wanted) -> None:
        """Add an instance to a repeat, or take one out."""
        event.stop()
        self._settle()
        if event.is_more:
            added = self._form.add(event.key)
            self._show_lines()
            self._autosave()
            first = next((k for k in self._rows if k.startswith(f"{added}/")), "")
            if first:
                self._go_to(self._rows[first])
        else:
            self.work(self._take_out(event.key, event.label))

    async def _take_out(self, key: str, label: str) -> None:
        inside = [one for one in self.answers if one.startswith(f"{key}/")]
        question = f"去掉“{label}”？这一组里填好的 {len(inside)} 项会一起去掉"
        if not inside or await self.confirm(question, "去掉", is_dangerous=True):
            self._form.remove(key)
            self._show_lines()
            self._autosave()
            self._show_missing()

    @on(FileInput.TakenBack)
    def taken_back(self, event: FileInput.TakenBack) -> None:
        """Take the last file out of the answer; it stays in the home."""
        row = self._rows.get(event.key)
        if isinstance(row, FileRow) and row.digests:
            row.show(" ".join(row.digests[:-1]))
            self._answer(row)
            row.set_problem(self._fault(row))
            self._autosave()
            self._show_missing()

    @on(FieldInput.Spilled)
    def spilled(self, event: FieldInput.Spilled) -> None:
        """Share the cells of a pasted row out to the fields that follow."""
        keys = list(self._rows)
        start = keys.index(event.key) + 1 if event.key in keys else len(keys)
        filled = 0
        for key, cell in zip(keys[start:], event.rest, strict=False):
            row = self._rows[key]
            if cell and not isinstance(row, FileRow):
                row.show(cell)
                self._answer(row, is_last=False)
                row.set_problem(self._fault(row))
                filled += 1
        self._show_lines()
        over = len(event.rest) - len(keys[start:])
        rest = f"，多出 {over} 格没有放进去" if over > 0 else ""
        self.say(f"粘贴的一行已按顺序填进后面 {filled} 项{rest}，请核对")
        self._show_missing()
        self._show_ages()
        self._autosave()

    @on(FieldInput.Refused)
    def refused(self, event: FieldInput.Refused) -> None:
        """Say why nothing was taken."""
        row = self._rows.get(event.key)
        if row is not None and isinstance(row.editor, FieldInput):
            most = row.editor.max_length
            row.set_problem(f"最多 {most} 个字，多出的没有放进去")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show what helps to fill in this field."""
        row = self._row_of(event.widget)
        text = ""
        if row is not None:
            needed = "必填" if row.field.required else "可不填"
            number = self._known.number(row.field.key, row.value)
            source = f"  取自单号 {number}" if number else ""
            text = f"{row.field.label}（{needed}）{source}  {row.hint}"
        elif isinstance(event.widget, SeriesRow):
            text = event.widget.hint
        self.query_one("#hint", Static).update(plain(text))

    # -- keys -----------------------------------------------------------------

    def action_next(self) -> None:
        """Go to what can be filled in next. The head of a group in a repeat is left to
        the arrows: whoever types on after Tab would type into nothing there.
        """
        self.focus_next()
        if isinstance(self.focused, SeriesRow) and self.focused.is_head:
            self.focus_next()

    def action_save(self) -> None:
        """Save now, and say so."""
        self._settle()
        at_ms = self._save()
        at = times.clock(at_ms, self.node.now_ms())
        self.say(f"✓ 已存{self.sheet.kept_words} {at}，随时可以接着填")

    def action_submit(self) -> None:
        """Submit, or show all that is wrong and go to the first."""
        if self._is_taking_a_file():
            return
        self._settle()
        self._save()
        if row := next((r for r in self._file_rows() if r.path), None):
            self.say("✗ 还没提交：有文件没有附上，请改好路径按回车，或清空", "problem")
            self._go_to(row)
            return
        if problems := self._faults():
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
            for p in self._form.problems()
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
        asked = self._form.field(key)
        return bool(self._form.value(key)) or bool(asked and asked.role in NAMED)

    def _ask_intake(self, *, is_paper_only: bool) -> None:
        self.app.push_screen(
            IntakePage(
                self.node,
                self.sheet,
                self._form.submitted,
                self._submit,
                is_paper_only=is_paper_only,
            )
        )

    def _submit(self, facts: Mapping[str, str]) -> None:
        try:
            case = self.sheet.submit(self._form.submitted, facts)
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
        faults = [p for p in self._faults() if p.key in self._rows]
        where = await self.app.push_screen_wait(
            Choose(
                f"还有 {len(faults)} 处要改，到哪一处？",
                [Option(one.key, one.label, one.message) for one in faults],
                columns=("哪一项", "要改什么"),
                detail_cells=38,
                empty="没有要改的了，按 Esc 回到表单，按 F3 提交",
            )
        )
        if where in self._rows:
            self._rows[where].focus_editor()

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
        self._form = self._filled(reuse.applied(self.answers, chosen))
        self._show_lines()
        for key in [key for offer in chosen for key in offer.answers]:
            row, value = self._rows.get(key), self._form.value(key)
            if row is None:
                continue
            # The row that the cursor is in was left alone so far.
            if row.value != value:
                row.show(value)
            row.set_problem(self._fault(row))
        self._known.take(chosen, self._form.answers)
        self._save()
        self._show_missing()
        self._show_ages()
        self._show_origins()
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
        for row in self._rows.values():
            row.set_problem(self._fault(row))
        self._meet()
        self.say(words)

    def leave_nothing_behind(self) -> None:
        """Save what stands on the screen, if it is not on disk yet."""
        self._settle()
        if self.answers != self._saved:
            self._save()

    # -- private --------------------------------------------------------------

    def _row_of(self, widget: Widget) -> FieldRow | None:
        return next(
            (one for one in widget.ancestors_with_self if isinstance(one, FieldRow)),
            None,
        )

    def _go_to(self, row: FieldRow) -> None:
        """Put the cursor into a row. The row is asked, not the page: one that has just
        come up has its editor only when its own first messages are through.
        """
        row.call_after_refresh(row.focus_editor)

    def _suffix(self) -> str:
        return base64.b32encode(self.node.random(3)).decode()[:4].lower()

    def _filled(self, answers: Mapping[str, str]) -> FilledForm:
        return FilledForm(
            self.sheet.package,
            answers,
            check.noon(casework.today(self.node)),
            is_new=not answers,
            suffix=self._suffix,
        )

    def _row(self, line: Line) -> FormRow:
        return row_for(line, self._label_cells, self.sheet.material)

    def _note_rows(self) -> None:
        self._rows = {
            row.field.key: row
            for row in self._lines.values()
            if isinstance(row, FieldRow)
        }

    def _answer(self, row: FieldRow, *, is_last: bool = True) -> None:
        """Tell the form what stands in a row, and show what follows from it."""
        if not isinstance(row, FileRow):
            row.show(check.normalise_field(row.field, row.value))
        key, value = row.field.key, row.value
        if value == self._form.value(key):
            return
        self._form.answer(key, value)
        if is_last:
            self._show_lines()

    def _show_lines(self) -> None:
        """Bring the screen to what the form asks now; what stays is left alone."""
        lines = self._due()
        gone = [name for name in self._lines if name not in lines]
        with self.app.batch_update():
            for name in gone:
                self._lines.pop(name).remove()
            shown, self._lines = self._lines, {}
            before: Widget | None = None
            for name, line in lines.items():
                row = shown.get(name)
                if row is None:
                    row = self._row(line)
                    rows = self.query_one(Rows)
                    if before is None:
                        rows.mount(row, before=0)
                    else:
                        rows.mount(row, after=before)
                elif isinstance(row, FieldRow):
                    self._turn(row, line)
                else:
                    row.tell(line)
                self._lines[name] = before = row
        self._note_rows()
        self._hold()
        self._show_origins()

    def _due(self) -> dict[str, Line]:
        """Return the lines to show. A great many new instances of a repeat wait until
        all answers are right: the number that counts them may be a slip.
        """
        lines = _named(self._form.lines())
        new = _in_new_instances(lines, self._lines)
        if len(new) <= MOST_NEW_ROWS:
            return lines
        rest = {name: line for name, line in lines.items() if name not in new}
        is_wrong = any(
            line.field and line.value and self._form.problem(line.key)
            for line in rest.values()
        )
        return rest if is_wrong else lines

    def _go_to_what_is_new(self, left: FieldRow) -> None:
        """Stop at a question that has come up between the one that was left and the
        one that was gone to.
        """
        here = self._row_of(self.focused) if self.focused else None
        keys = list(self._rows)
        if here is None or here.field.key not in keys or left.field.key not in keys:
            return
        passed = keys[keys.index(left.field.key) + 1 : keys.index(here.field.key)]
        new = next((key for key in passed if not self._rows[key].is_mounted), None)
        if new is not None:
            self._go_to(self._rows[new])

    def _turn(self, row: FieldRow, line: Line) -> None:
        """Let a row ask its question as it is now; the form may have changed the
        answer, but never under somebody's hands.
        """
        row.turn_into(asked(line))
        if row.value != line.value and not row.has_focus_within:
            row.show(line.value)

    def _hold(self) -> None:
        for key in self.sheet.held & self._rows.keys():
            self._rows[key].hold("两处填得不同，核对后才能改")

    def _fault(self, row: FieldRow) -> str | None:
        return self._form.problem(row.field.key)

    def _faults(self) -> list[check.Problem]:
        """Return what is to be put right on the screen; in groups that wait for it,
        nothing is wrong yet.
        """
        due = {line.key for line in self._due().values()}
        waiting = {line.key for line in self._form.lines()} - due
        return [p for p in self._form.problems() if p.key not in waiting]

    def _typing_fault(self, row: FieldRow) -> str | None:
        """Say what is wrong with what is being typed, by its kind alone."""
        return check.check_field(row.field, row.value, casework.today(self.node))

    def _settle(self) -> None:
        """Put what is still being typed in its usual form; no `Left` comes for it."""
        row = self._row_of(self.focused) if self.focused else None
        if isinstance(row, FileRow):
            if row.path:
                self._name_file(row, self._prepared(row.path))
        elif row is not None:
            self._answer(row)

    def _is_taking_a_file(self) -> bool:
        """Say whether a file is being sealed, and say so to the user too."""
        if self.is_busy:
            self.say("附件还在处理，请稍等", "quiet")
        return self.is_busy

    async def _take_file(self, row: FileRow) -> None:
        """Take the file whose path is typed into the home. A photograph is made
        smaller first, which takes a moment.
        """
        self.say("正在处理附件…", "quiet")
        prepared = await asyncio.to_thread(self._prepared, row.path)
        self.say("")
        self._name_file(row, prepared)

    def _prepared(self, path: str) -> Prepared | Exception:
        """Return the file, sealed, or why it cannot be attached. Touches no store."""
        node, item = self.node, self.sheet.package.item
        try:
            return intake.prepare(node.home, node.keys, path_of(path, "file"), item)
        except ERRORS as error:
            return error

    def _name_file(self, row: FileRow, prepared: Prepared | Exception) -> None:
        """Name a prepared file in the answer, or say what is wrong with it."""
        if isinstance(prepared, Exception):
            row.set_problem(sentence(prepared))
            return
        digest, _ = intake.keep(self.node, prepared)
        row.show(" ".join(dict.fromkeys([*row.digests, digest])))
        self._answer(row)
        row.set_problem(self._fault(row))
        self._last_field = row.field.key
        self._autosave()
        self._show_missing()

    def _autosave(self) -> None:
        self._stop_timer()
        if self.answers == self._saved:
            return
        try:
            at_ms = self._save()
        except ERRORS as error:
            # Not in a dialogue: it would stand in the way of every field to come.
            self.say(f"! 没有存上。{sentence(error)}", "problem")
            return
        at = times.clock(at_ms, self.node.now_ms())
        self._show_saved(f"已自动存{self.sheet.kept_words} {at}")

    def _save(self) -> int:
        """Put the answers on disk; return when."""
        self._stop_timer()
        answers = self.answers
        at_ms = self.sheet.save(answers, self._last_field)
        self._known.keep(answers)
        self._saved = answers
        self._show_saved(
            f"已存{self.sheet.kept_words} {times.clock(at_ms, self.node.now_ms())}"
        )
        return at_ms

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _show_saved(self, text: str) -> None:
        self.query_one("#saved", Static).update(plain(text))

    def _show_missing(self) -> None:
        text = form_words.missing(self._form, self._rows_typed())
        self.query_one("#missing", Static).update(plain(text))
        self._show_notice()
        if self._is_scolded and not any(row.is_wrong for row in self._rows.values()):
            self._is_scolded = False
            self.refresh_bindings()
            self.say("")

    def _show_notice(self) -> None:
        """Say above the form what it is about, and what of it is done."""
        lines = [plain(line) for line in self.sheet.notice(self.answers)]
        notice = self.query_one("#notice", Static)
        notice.update(Text("\n").join(lines))
        notice.display = bool(lines)

    def _show_problems(self, problems: Sequence[tuple[str, str, str]]) -> None:
        by_key = {key: message for key, _, message in problems}
        for key, row in self._rows.items():
            row.set_problem(by_key.get(key))
        asked_for = {line.key for line in self._form.lines()}
        strange = [label for key, label, _ in problems if key not in asked_for]
        extra = f"；表单里没有的项：{'、'.join(strange)}" if strange else ""
        self.say(
            f"✗ 还没提交：有 {len(problems)} 处要改，都标出来了，F8 列出{extra}",
            "problem",
        )
        self._is_scolded = True
        self._meet()
        self.refresh_bindings()
        first = next((self._rows[key] for key in by_key if key in self._rows), None)
        if first is not None:
            self._go_to(first)

    def _file_rows(self) -> list[FileRow]:
        return [row for row in self._rows.values() if isinstance(row, FileRow)]

    def _rows_typed(self) -> set[str]:
        """Return the keys of questions that have something typed."""
        return {key for key, row in self._rows.items() if row.value}

    def _show_ages(self) -> None:
        for row in self._rows.values():
            self._show_age(row)

    def _show_age(self, row: FieldRow) -> None:
        """Say sex and age beside an id number: a slip shows at once."""
        if row.field.kind != "citizen_id":
            return
        today = casework.today(self.node)
        row.tell_aside(form_words.sex_and_age(row.field, row.value, today))

    def _show_origins(self) -> None:
        for key, row in self._rows.items():
            row.tell_origin(self._known.origin(key, row.value))

    def _meet(self) -> None:
        """Say if this person has been here, and if so for the same, as soon as the
        last digit stands there.
        """
        self._known.meet(self.answers)
        words = self._known.summary
        line = self.query_one("#known", Static)
        line.update(plain(words))
        line.display = bool(words)
        self.refresh_bindings()
        row = next((r for r in self._rows.values() if r.field.role == APPLICANT), None)
        if row is not None and not row.is_wrong and not row.editor.disabled:
            row.warn(self._known.warning)


def _in_new_instances(
    lines: Mapping[str, Line], shown: Mapping[str, FormRow]
) -> set[str]:
    """Return the names of the lines of instances whose head is not shown yet."""
    new: set[str] = set()
    depth: int | None = None
    for name, line in lines.items():
        if depth is not None and line.depth <= depth:
            depth = None
        if depth is None and line.kind == "instance" and name not in shown:
            depth = line.depth
        if depth is not None:
            new.add(name)
    return new


def _named(lines: Iterable[Line]) -> dict[str, Line]:
    """Return lines by a name that stays the same while they stand on the screen."""
    named: dict[str, Line] = {}
    for line in lines:
        name = f"{line.kind} {line.key or line.label}"
        if line.kind == "question" and not line.is_open:
            name = f"told {line.key}"
        while name in named:
            name += "'"
        named[name] = line
    return named
