"""Answering the questions of a form: judged as they are left, saved at once.

Nothing that was typed is ever only on the screen for longer than a second: leaving a
field saves, and so does a pause in typing. The screen says so only after the commit.
"""

import asyncio
import base64
from collections.abc import Iterable, Mapping

from rich.text import Text
from textual import events, on
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from forms import check
from forms.filled import FilledForm
from node import intake
from node.files import path_of
from node.intake import Prepared
from node.wiring import Node
from tui import times
from tui.messages import ERRORS, sentence
from tui.screens import form_words
from tui.screens.choose import ChooseAnswer, Option
from tui.screens.field_row import FieldRow, FileInput, FileRow
from tui.screens.form_lines import FormLines
from tui.screens.form_rows import SeriesRow
from tui.screens.page import Page
from tui.screens.recognise import Recognition
from tui.screens.sheet import Sheet
from tui.text import plain
from tui.widgets.choice_line import ChoiceLine
from tui.widgets.field_input import FieldInput

AUTOSAVE_S = 1.0
NOTICE_LINES = 5
"""Of what stands above the form; the questions need the rest of 24 lines."""
APPLICANT = "applicant_id"
"""The role of the question that says who applies."""


class FillingPage(Page):
    """A form and its answers. What is done with them, `tui.screens.form` says."""

    DEFAULT_CSS = """
    FillingPage {
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

    def __init__(self, node: Node, sheet: Sheet) -> None:
        super().__init__(node)
        self.sheet = sheet
        self._last_field = sheet.last_field
        self._timer: Timer | None = None
        self._known = Recognition(node, sheet)
        form = self._filled(sheet.answers)
        self.lines = FormLines(form, sheet.held, sheet.material, self._known.origin)
        # What a form gives by itself is nobody's work: a look at it leaves no draft.
        self._saved = dict(sheet.answers or form.answers)
        self._is_scolded = False
        """The line below says that there is something to put right."""

    @property
    def answers(self) -> dict[str, str]:
        """All answers as they stand on the screen, without the empty ones."""
        return self.lines.answers

    @property
    def fields(self) -> dict[str, FieldRow]:
        """The questions that stand on the screen, by key."""
        return self.lines.fields

    def body(self) -> Iterable[Widget]:
        """Put what is missing above the questions, and what helps below."""
        yield Horizontal(Static(id="missing"), Static(id="saved"), id="head")
        yield Static(id="notice", classes="alert")
        yield Static(id="known", classes="quiet")
        yield self.lines
        yield Static(id="hint", classes="quiet")

    @on(FieldInput.Edited)
    def edited(self, event: FieldInput.Edited) -> None:
        """Save soon; take a complaint back as soon as it no longer holds."""
        row = self.fields.get(event.key)
        if row is None:
            return
        self._last_field = event.key
        if isinstance(row.editor, ChoiceLine):
            self.lines.answer(row)
        if row.is_wrong and not self._mistake(row):
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
        row = self.fields.get(event.key)
        if row is None:
            return
        if isinstance(row, FileRow) and row.path:
            self.work(self._take_file(row))
            return
        self.lines.answer(row)
        self.lines.go_to_what_is_new(row, self.lines.row_of(self.focused))
        is_wrong = self.lines.judge(row)
        if event.changed:
            self._last_field = event.key
            self._autosave()
            self._show_missing()
        if not is_wrong:
            self._meet()

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Go to the next field; with a path, attach its file first."""
        event.stop()
        row = self.lines.row_of(event.input)
        if isinstance(row, FileRow) and row.path:
            self.work(self._take_file(row))
        else:
            self.action_next()

    @on(ChoiceLine.ListWanted)
    def list_wanted(self, event: ChoiceLine.ListWanted) -> None:
        """Show all options of a long list."""
        row = self.fields[event.key]
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
            added = self.lines.form.add(event.key)
            self._open(added)
            self._autosave()
        else:
            self.work(self._take_out(event.key, event.label))

    @on(SeriesRow.Opened)
    def series_opened(self, event: SeriesRow.Opened) -> None:
        """Show the questions of a group, and go to the first."""
        event.stop()
        self._open(event.key)

    def _open(self, key: str) -> None:
        first = self.lines.open(key)
        self._show_ages()
        if first is not None:
            self.lines.go_to(first)

    async def _take_out(self, key: str, label: str) -> None:
        inside = [one for one in self.answers if one.startswith(f"{key}/")]
        question = f"去掉“{label}”？这一组里填好的 {len(inside)} 项会一起去掉"
        if not inside or await self.confirm(question, "去掉", is_dangerous=True):
            self.lines.form.remove(key)
            self.lines.bring_up()
            self._autosave()
            self._show_missing()

    @on(FileInput.TakenBack)
    def taken_back(self, event: FileInput.TakenBack) -> None:
        """Take the last file out of the answer; it stays in the home."""
        row = self.fields.get(event.key)
        if isinstance(row, FileRow) and row.digests:
            row.show(" ".join(row.digests[:-1]))
            self.lines.answer(row)
            self.lines.judge(row)
            self._autosave()
            self._show_missing()

    @on(FieldInput.Spilled)
    def spilled(self, event: FieldInput.Spilled) -> None:
        """Share the cells of a pasted row out to the fields that follow."""
        keys = list(self.fields)
        start = keys.index(event.key) + 1 if event.key in keys else len(keys)
        filled = 0
        for key, cell in zip(keys[start:], event.rest, strict=False):
            row = self.fields[key]
            if cell and not isinstance(row, FileRow):
                row.show(cell)
                self.lines.answer(row, is_last=False)
                self.lines.judge(row)
                filled += 1
        self.lines.bring_up()
        over = len(event.rest) - len(keys[start:])
        rest = f"，多出 {over} 格没有放进去" if over > 0 else ""
        self.say(f"粘贴的一行已按顺序填进后面 {filled} 项{rest}，请核对")
        self._show_missing()
        self._show_ages()
        self._autosave()

    @on(FieldInput.Refused)
    def refused(self, event: FieldInput.Refused) -> None:
        """Say why nothing was taken."""
        row = self.fields.get(event.key)
        if row is not None and isinstance(row.editor, FieldInput):
            most = row.editor.max_length
            row.set_problem(f"最多 {most} 个字，多出的没有放进去")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show what helps to fill in this field."""
        row = self.lines.row_of(event.widget)
        text = ""
        if row is not None:
            needed = "必填" if row.field.required else "可不填"
            number = self._known.number(row.field.key, row.value)
            source = f"  取自单号 {number}" if number else ""
            text = f"{row.field.label}（{needed}）{source}  {row.hint}"
        elif isinstance(event.widget, SeriesRow):
            text = event.widget.hint
        self.line("hint").update(plain(text))

    def action_next(self) -> None:
        """Go to what can be filled in next. The head of a group in a repeat is left to
        the arrows: whoever types on after Tab would type into nothing there. One that
        is closed is opened.
        """
        self.focus_next()
        head = self.focused
        if isinstance(head, SeriesRow) and head.is_closed:
            head.action_add()
        elif isinstance(head, SeriesRow) and head.is_head:
            self.focus_next()

    def action_save(self) -> None:
        """Save now, and say so."""
        self._settle()
        at_ms = self._save()
        at = times.clock(at_ms, self.node.now_ms())
        self.say(f"✓ 已存{self.sheet.kept_words} {at}，随时可以接着填")

    def leave_nothing_behind(self) -> None:
        """Save what stands on the screen, if it is not on disk yet."""
        self._settle()
        if self.answers != self._saved:
            self._save()

    # -- private --------------------------------------------------------------

    def _settle(self) -> None:
        """Put what is still being typed in its usual form; no `Left` comes for it."""
        row = self.lines.row_of(self.focused)
        if isinstance(row, FileRow):
            if row.path:
                self._name_file(row, self._prepared(row.path))
        elif row is not None:
            self.lines.answer(row)

    def _mistake(self, row: FieldRow) -> str | None:
        """Return what is wrong with what is being typed, by its kind alone."""
        return check.check_field(row.field, row.value, self.node.today())

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
        self.lines.answer(row)
        self.lines.judge(row)
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
        self.line("saved").update(plain(text))

    def _show_missing(self) -> None:
        text = form_words.missing(self.lines.form, self.lines.filled)
        self.line("missing").update(plain(text))
        self._show_notice()
        if self._is_scolded and not self.lines.is_wrong:
            self._is_scolded = False
            self.refresh_bindings()
            self.say("")

    def _show_notice(self) -> None:
        """Say above the form what it is about, and what of it is done."""
        told = self.sheet.notice(self.answers)
        lines = [self.folded(line) for line in told[:NOTICE_LINES]]
        if len(told) > NOTICE_LINES:
            more = len(told) - NOTICE_LINES
            lines.append(plain(f"还有 {more} 处，都列在办件的“表单”页"))
        notice = self.line("notice")
        notice.update(Text("\n").join(lines))
        notice.display = bool(lines)

    def _show_ages(self) -> None:
        for row in self.fields.values():
            self._show_age(row)

    def _show_age(self, row: FieldRow) -> None:
        """Say sex and age beside an id number: a slip shows at once."""
        if row.field.kind != "citizen_id":
            return
        today = self.node.today()
        row.tell_aside(form_words.sex_and_age(row.field, row.value, today))

    def _meet(self) -> None:
        """Say if this person has been here, and if so for the same, as soon as the
        last digit stands there.
        """
        self._known.meet(self.answers)
        words = self._known.summary
        line = self.line("known")
        line.update(plain(words))
        line.display = bool(words)
        self.refresh_bindings()
        row = next((r for r in self.fields.values() if r.field.role == APPLICANT), None)
        if row is not None and not row.is_wrong and not row.editor.disabled:
            row.warn(self._known.warning)

    def _filled(self, answers: Mapping[str, str]) -> FilledForm:
        return FilledForm(
            self.sheet.package,
            answers,
            check.noon(self.node.today()),
            is_new=not answers,
            suffix=self._suffix,
        )

    def _suffix(self) -> str:
        return base64.b32encode(self.node.random(3)).decode()[:4].lower()
