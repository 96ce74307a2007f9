"""The rows of a form on the screen, kept to what the form asks now."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from textual.widget import Widget

from forms import check
from forms.filled import FilledForm, Line, Problem
from node.material import Material
from tui.screens.field_row import FieldRow, FileRow
from tui.screens.form_rows import (
    FormRow,
    Rows,
    SeriesRow,
    ToldRow,
    asked,
    row_for,
)
from tui.text import cells

MOST_NEW_ROWS = 120
"""How many rows of repeats may come up at once while an answer is wrong. A row costs
about 0.6 MB and 10 ms: 403 typed for 4 members took 1.3 GB and a minute.
"""
MOST_INSTANCES = 12
"""Of a repeat with more of them only the heads stand on the screen, and the questions
of those that were opened last. All questions of 200 members took 12 s of a processor
to come up, and each key 2 s; their heads take 0.4 s, those of 1,000 a second.
"""
KEPT_OPEN = 3
"""So many: what was just left is still at work, as a file that is being sealed."""
LABEL_CELLS_MIN, LABEL_CELLS_MAX = 12, 24


class FormLines(Rows):
    """A form being filled in: its answers are those of the form, and what is still
    being typed in the rows.
    """

    def __init__(
        self,
        form: FilledForm,
        held: Collection[str],
        material: Callable[[str], Material],
        origin: Callable[[str, str], str],
    ) -> None:
        """Show a form.

        Args:
            form: may be put in the place of another, before `bring_up` is called.
            held: keys of answers that stay as they are until they are settled.
            material: what a file that an answer names is called.
            origin: where an answer comes from, by key and value; "" from nowhere.
        """
        self.form = form
        self._held, self._material, self._origin = held, material, origin
        self._rows: dict[str, FormRow] = {}
        """All rows from above, by name."""
        self._opened: list[str] = []
        """Keys of instances of long repeats; what was opened last stands at the end."""
        self._shut: frozenset[str] = frozenset()
        self._told: dict[str, str] = {}
        """What was last said to be put right, by key."""
        widths = [cells(one.label) for one in self._due().values() if one.field]
        width = max(widths, default=0) + 1
        self._label_cells = max(LABEL_CELLS_MIN, min(LABEL_CELLS_MAX, width))
        self._rows = {name: self._row(line) for name, line in self._shown().items()}
        self.fields: dict[str, FieldRow] = {}
        """The questions that stand on the screen, by key."""
        self._note_fields()
        super().__init__(*self._rows.values())
        self._hold()
        self.tell_origins()

    @property
    def answers(self) -> dict[str, str]:
        """All answers as they stand on the screen, without the empty ones."""
        known = self.form.answers | {k: row.value for k, row in self.fields.items()}
        return {key: value for key, value in known.items() if value}

    @property
    def is_wrong(self) -> bool:
        """Whether a problem is shown, or would be in a group that is closed."""
        if any(row.is_wrong for row in self.fields.values()):
            return True
        return bool(self._shut) and any(
            one.key not in self.fields for one in self.faults()
        )

    @property
    def file_rows(self) -> list[FileRow]:
        """The questions that are answered by files."""
        return [row for row in self.fields.values() if isinstance(row, FileRow)]

    @property
    def filled(self) -> set[str]:
        """The keys of questions that have something typed."""
        return {key for key, row in self.fields.items() if row.value}

    def row_of(self, widget: Widget | None) -> FieldRow | None:
        """Return the question that a widget belongs to."""
        above = widget.ancestors_with_self if widget is not None else ()
        return next((one for one in above if isinstance(one, FieldRow)), None)

    def go_to(self, row: FieldRow) -> None:
        """Put the cursor into a row. The row is asked, not the page: one that has just
        come up has its editor only when its own first messages are through.
        """
        row.call_after_refresh(row.focus_editor)

    def go_to_what_is_new(self, left: FieldRow, here: FieldRow | None) -> None:
        """Stop at a question that has come up between the one that was left and the
        one that was gone to.
        """
        rows = list(self._rows.values())
        if here not in rows or left not in rows:
            return
        passed = rows[rows.index(left) + 1 : rows.index(here)]
        for row in passed:
            if isinstance(row, SeriesRow) and row.is_closed and not row.is_mounted:
                first = self.open(row.line.key)
            elif isinstance(row, FieldRow) and not row.is_mounted:
                first = row
            else:
                continue
            if first is not None:
                self.go_to(first)
            return

    def reach(self, key: str) -> FieldRow | None:
        """Return a question, with its group opened; None where it is not asked now."""
        if key not in self.fields:
            for one in sorted(self._shut):  # the outer before the inner
                if key.startswith(f"{one}/"):
                    self.open(one)
        return self.fields.get(key)

    def open(self, key: str) -> FieldRow | None:
        """Show the questions of an instance of a long repeat; return the first."""
        for row in self.fields.values():
            # The word that the cursor has left a row may still be on its way.
            self.answer(row, is_last=False)
        others = [one for one in self._opened if one != key]
        self._opened = [*others[-KEPT_OPEN + 1 :], key]
        self.bring_up()
        inside = (row for k, row in self.fields.items() if k.startswith(f"{key}/"))
        return next(inside, None)

    def answer(self, row: FieldRow, *, is_last: bool = True) -> None:
        """Tell the form what stands in a row, and show what follows from it; with more
        to come, `bring_up` is called at the end.
        """
        if not isinstance(row, FileRow):
            row.show(check.normalise_field(row.field, row.value))
        key, value = row.field.key, row.value
        if value == self.form.value(key):
            return
        self.form.answer(key, value)
        if is_last:
            self.bring_up()

    def bring_up(self) -> None:
        """Bring the screen to what the form asks now; what stays is left alone."""
        lines = self._shown()
        gone = [name for name in self._rows if name not in lines]
        with self.app.batch_update():
            for name in gone:
                self._rows.pop(name).remove()
            shown, self._rows = self._rows, {}
            before: Widget | None = None
            for name, line in lines.items():
                row = shown.get(name)
                if row is None:
                    row = self._row(line)
                    if before is None:
                        self.mount(row, before=0)
                    else:
                        self.mount(row, after=before)
                elif isinstance(row, FieldRow):
                    self._turn(row, line)
                else:
                    self._tell(row, line)
                self._rows[name] = before = row
        self._note_fields()
        self._hold()
        self.tell_origins()

    def tell_origins(self) -> None:
        """Say below each answer where it comes from."""
        for key, row in self.fields.items():
            row.tell_origin(self._origin(key, row.value))

    def judge(self, row: FieldRow) -> bool:
        """Say below a row what is wrong with it; return whether anything is."""
        fault = self.form.problem(row.field.key)
        row.set_problem(fault)
        return bool(fault)

    def tell_faults(self, problems: Mapping[str, str]) -> None:
        """Say below each question what is to be put right, by key; groups that are
        closed say it when they are opened.
        """
        self._told = dict(problems)
        for key, row in self.fields.items():
            row.set_problem(problems.get(key))

    def faults(self) -> list[Problem]:
        """Return what is to be put right on the screen; in groups that wait for it,
        nothing is wrong yet.
        """
        due = {line.key for line in self._due().values()}
        waiting = {line.key for line in self.form.lines()} - due
        return [p for p in self.form.problems() if p.key not in waiting]

    # -- private --------------------------------------------------------------

    def _row(self, line: Line) -> FormRow:
        row = row_for(line, self._label_cells, self._material)
        if not isinstance(row, FieldRow):
            self._tell(row, line)
        elif line.key in self._told:
            is_missing = line.is_required and not line.value
            missing = self._told[line.key] if is_missing else None
            row.set_problem(self.form.problem(line.key) or missing)
        return row

    def _tell(self, row: ToldRow | SeriesRow, line: Line) -> None:
        if isinstance(row, SeriesRow):
            row.is_closed = line.key in self._shut
        row.tell(line)

    def _note_fields(self) -> None:
        self.fields = {
            row.field.key: row
            for row in self._rows.values()
            if isinstance(row, FieldRow)
        }

    def _due(self) -> dict[str, Line]:
        """Return the lines to show. A great many new instances of a repeat wait until
        all answers are right: the number that counts them may be a slip.
        """
        lines = _named(self.form.lines())
        new = {
            name
            for name, _ in _standing_in(lines, lambda head, _: head not in self._rows)
        }
        if len(new) <= MOST_NEW_ROWS:
            return lines
        rest = {name: line for name, line in lines.items() if name not in new}
        is_wrong = any(
            line.field and line.value and self.form.problem(line.key)
            for line in rest.values()
        )
        return rest if is_wrong else lines

    def _shown(self) -> dict[str, Line]:
        """Return the lines to show, without what closed instances hold."""
        lines = self._due()
        self._shut = _closed(lines.values(), self._opened)
        hidden = {
            name
            for name, is_head in _standing_in(lines, lambda _, key: key in self._shut)
            if not is_head
        }
        return {name: line for name, line in lines.items() if name not in hidden}

    def _turn(self, row: FieldRow, line: Line) -> None:
        """Let a row ask its question as it is now; the form may have changed the
        answer, but never under somebody's hands.
        """
        row.turn_into(asked(line))
        if row.value != line.value and not row.has_focus_within:
            row.show(line.value)

    def _hold(self) -> None:
        for key in self._held:
            if key in self.fields:
                self.fields[key].hold("两处填得不同，核对后才能改")


def _closed(lines: Iterable[Line], opened: Collection[str]) -> frozenset[str]:
    """Return the keys of the instances of long repeats that are not opened; nor is any
    that stands in them.
    """
    heads = [line.key for line in lines if line.kind == "instance"]
    counts = Counter(_series(key) for key in heads)
    return frozenset(
        key
        for key in heads
        if counts[_series(key)] > MOST_INSTANCES
        and not any(f"{one}/".startswith(f"{key}/") for one in opened)
    )


def _series(key: str) -> str:
    """Return the key of the repeat that an instance belongs to."""
    return key.rpartition("/")[0]


def _standing_in(
    lines: Mapping[str, Line], is_meant: Callable[[str, str], bool]
) -> Iterator[tuple[str, bool]]:
    """Yield the names of the lines of instances that are meant, by name and key, and
    whether it is the line that heads one.
    """
    depth: int | None = None
    for name, line in lines.items():
        if depth is not None and line.depth <= depth:
            depth = None
        is_head = depth is None and line.kind == "instance" and is_meant(name, line.key)
        if is_head:
            depth = line.depth
        if depth is not None:
            yield name, is_head


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
