"""The forms of several items as one XLSForm, each thing asked once. Pure: no I/O.

For joint packages 一件事 whose members have XLSForms; the materials are united by
`forms.joint`. Each member becomes a group of its own, without what an earlier member
has asked under the same name. What is asked once must serve all who ask it, so its
conditions are joined; where that cannot be, the clash is named.

A form is its sheets: rows of cells by heading, as pyxform reads them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from forms.errors import FormUnread
from forms.joint import Clash

Row = dict[str, str]

_SELECT = re.compile(r"^(select_one|select_multiple|rank) (\S+)(.*)$")
_OPENS = {"begin_group", "begin_repeat", "begin group", "begin repeat"}
_CLOSES = {"end_group", "end_repeat", "end group", "end repeat"}
_REPEATS = {"begin_repeat", "begin repeat"}
_GROUPS = _OPENS - _REPEATS
_ROLE = "bind::lianban:role"


@dataclass(frozen=True, slots=True)
class Form:
    """The sheets of an XLSForm that a joint package needs."""

    survey: tuple[Row, ...]
    choices: tuple[Row, ...]
    settings: Row

    @property
    def code(self) -> str:
        """The code of the item, which is the form's id."""
        return self.settings.get("form_id", "")


def read_form(text: str) -> Form:
    """Return the sheets of a form that is written in Markdown tables.

    Raises:
        FormUnread: pyxform finds no survey in it.
    """
    from pyxform import xls2json_backends  # late: 0.5 s, and only the district has it

    try:
        sheets = xls2json_backends.md_to_dict(text)
        settings = (sheets.get("settings") or [{}])[0]
        return Form(tuple(sheets["survey"]), tuple(sheets.get("choices", ())), settings)
    except Exception as error:  # pyxform raises whatever comes
        raise FormUnread(f"{type(error).__name__}：{error}") from error


def write_form(form: Form) -> str:
    """Return a form as Markdown tables, the way that `read_form` takes it."""
    tables = {
        "survey": form.survey,
        "choices": form.choices,
        "settings": (form.settings,),
    }
    lines = [_table(name, rows) for name, rows in tables.items() if rows]
    return "\n\n".join(lines) + "\n"


def unite_forms(forms: Sequence[Form], settings: Row) -> tuple[Form, list[Clash]]:
    """Return one form for several items, and what could not be made one.

    Args:
        forms: the members' forms, in the order in which they are asked.
        settings: `form_id`, `form_title`, `version` and `namespaces` of the whole.
    """
    rows = (row for form in forms for row in form.survey)
    taken = {row.get("name", "") for row in rows if row.get("type") not in _GROUPS}
    whole = _Whole(frozenset(taken))
    for number, form in enumerate(forms, start=1):
        whole.add(form, number)
    return Form(tuple(whole.survey), tuple(whole.choices), settings), whole.clashes


@dataclass(slots=True)
class _Whole:
    """The form as it grows, member by member."""

    taken: frozenset[str]
    """Names of all questions and repeats, which no group of a member may have."""
    survey: list[Row] = field(default_factory=list)
    choices: list[Row] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)
    asked: dict[str, tuple[Row, str, bool]] = field(default_factory=dict)
    """By name: the row, the member that asked, and whether it is always in reach."""
    roles: set[str] = field(default_factory=set)
    lists: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, form: Form, number: int) -> None:
        names = self._add_lists(form)
        title = form.settings.get("form_title", form.code)
        rows = [{"type": "begin_group", "name": f"member_{number}", "label": title}]
        above: list[Row] = []
        for given in form.survey:
            row = dict(given)
            kind = row.get("type", "")
            if kind in _CLOSES:
                above.pop()
            elif kind in _OPENS:
                above.append(row)
                if kind in _GROUPS and row.get("name") in self.taken:
                    row["name"] = f"{row['name']}_part_{number}"
                if kind in _REPEATS:
                    self._claim(row, form.code, free=False)
            else:
                _use_list(row, names)
                if self._claim(row, form.code, free=_in_reach(above)):
                    continue  # an earlier member has asked
            rows.append(row)
        self.survey += _without_empty([*rows, {"type": "end_group"}])

    def _claim(self, row: Row, code: str, free: bool) -> bool:
        """Return whether the row has been asked; note it, or the clash, if not."""
        name = row.get("name", "")
        if name not in self.asked:
            self.asked[name] = (row, code, free)
            if row.get(_ROLE) in self.roles:
                del row[_ROLE]
            self.roles |= {row.get(_ROLE, "")} - {""}
            return False
        first, who, reachable = self.asked[name]
        message = self._mismatch(first, row, reachable and free)
        if message:
            self.clashes.append(Clash(name, (who, code), message))
        else:
            _join(first, row)
        return row.get("type") not in _REPEATS

    def _mismatch(self, first: Row, second: Row, reachable: bool) -> str:
        if first.get("type") != second.get("type"):
            return f"类型不同：{first.get('type')} 和 {second.get('type')}"
        if first.get("calculation") != second.get("calculation"):
            return "计算公式不同"
        if not reachable:
            return "在有条件的一组里或循环里，不能只问一次，请改名或移出来"
        return ""

    def _add_lists(self, form: Form) -> dict[str, str]:
        """Take over the choices; return under which name each list now stands."""
        given: dict[str, list[Row]] = {}
        for row in form.choices:
            given.setdefault(row.get("list_name", ""), []).append(row)
        names = {}
        for name, rows in given.items():
            bare = [{k: v for k, v in row.items() if k != "list_name"} for row in rows]
            new, number = name, 1
            while self.lists.get(new, bare) != bare:
                number += 1
                new = f"{name}_{number}"
            if new not in self.lists:
                self.lists[new] = bare
                self.choices += [{"list_name": new, **row} for row in bare]
            names[name] = new
        return names


def _use_list(row: Row, names: dict[str, str]) -> None:
    if found := _SELECT.match(row.get("type", "")):
        kind, name, rest = found.groups()
        row["type"] = f"{kind} {names.get(name, name)}{rest}"


def _in_reach(above: Sequence[Row]) -> bool:
    """Return whether a row in these groups is always there, and only once."""
    return not any(
        group.get("relevant") or group.get("type") in _REPEATS for group in above
    )


def _join(first: Row, second: Row) -> None:
    """Make the first row serve where the second was asked."""
    relevant = [row.get("relevant", "") for row in (first, second)]
    if not all(relevant):
        first.pop("relevant", None)
    elif relevant[0] != relevant[1]:
        first["relevant"] = f"({relevant[0]}) or ({relevant[1]})"
    required = {row.get("required", "") for row in (first, second)} - {""}
    if required:
        # A condition of one member would not hold for the other.
        first["required"] = required.pop() if len(required) == 1 else "yes"
    rule = second.get("constraint", "")
    if rule and first.get("constraint", "") != rule:
        both = (first.get("constraint", ""), rule)
        first["constraint"] = " and ".join(f"({r})" for r in both if r)
        told = (first.get("constraint_message"), second.get("constraint_message"))
        first["constraint_message"] = "；".join(dict.fromkeys(filter(None, told)))
    if second.get("hint"):
        first.setdefault("hint", second["hint"])


def _without_empty(rows: Sequence[Row]) -> list[Row]:
    """Leave out the groups in which nothing is left to ask."""
    kept: list[Row] = []
    for row in rows:
        if row["type"] in _CLOSES and kept and kept[-1]["type"] in _OPENS:
            kept.pop()
        else:
            kept.append(row)
    return kept


def _table(name: str, rows: Sequence[Row]) -> str:
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    lines = [[name, *("" for _ in headings)], ["", *headings]]
    lines += [["", *(row.get(heading, "") for heading in headings)] for row in rows]
    return "\n".join(_line(cells) for cells in lines)


def _line(cells: Sequence[str]) -> str:
    return "".join(_cells(cells)) + "|"


def _cells(cells: Sequence[str]) -> Iterator[str]:
    for cell in cells:
        text = cell.replace("|", "\\|").replace("\n", " ")
        yield f"| {text} " if text else "| "
