"""What is open in a case, in words: the same on the screens and the command line. Pure.

Text from data is as it was written; whoever shows it makes it harmless.
"""

from forms.field import Field
from forms.kinds import KINDS
from node.cases import Case
from node.matters import (
    MARK_CHANGED,
    MARK_CONFLICT,
    MARK_DISPUTED,
    Author,
    Edit,
    Matter,
    Side,
)
from tui import labels, times

EMPTY = "（空）"
FILE = "file"

REASONS: dict[str, tuple[str, ...]] = {
    MARK_CONFLICT: (
        "电话向申请人核实",
        "与证件原件核对一致",
        "与对方站点核实",
        "以后填的为准",
    ),
    MARK_DISPUTED: (
        "电话向申请人核实",
        "与对方站点核实",
        "以先办的为准",
        "以后办的为准",
    ),
    MARK_CHANGED: (
        "已重新审查，不影响受理",
        "电话向申请人核实",
        "与对方站点核实",
    ),
}
"""What is mostly the reason: one key instead of a line to type."""


def title(case: Case, matter: Matter) -> str:
    """Return what is open in a line: `联系电话：两处填得不同`."""
    meaning = labels.word(labels.MARKS, matter.mark)
    if matter.mark == MARK_CONFLICT:
        return f"{field_label(case, matter.key)}：{meaning}"
    if matter.mark == MARK_DISPUTED:
        steps = [labels.word(labels.STEPS, side.step) for side in matter.sides]
        return f"{' / '.join(steps)}：{meaning}"
    keys = dict.fromkeys(edit.key for edit in matter.edits)
    names = "、".join(field_label(case, key) for key in keys)
    return f"{names}：{meaning}" if names else meaning


def side_words(case: Case, matter: Matter, side: Side) -> str:
    """Return what one side says: a value as its field shows it, or a step."""
    if matter.mark == MARK_CONFLICT:
        shown = [value_words(case, matter.key, one.value) for one in matter.sides]
        if len(set(shown)) < len(shown):
            # What is mostly hidden, as of an id number, is where these differ.
            return side.value or EMPTY
        return value_words(case, matter.key, side.value)
    return labels.word(labels.STEPS, side.step)


def outcome_words(matter: Matter, number: int) -> str:
    """Return where the case stands if side `number`, from 1, is chosen."""
    side = matter.sides[number - 1]
    if matter.mark != MARK_DISPUTED:
        return ""
    state = labels.word(labels.STATES, side.state)
    return f"现在是“{state}”，不变" if number == 1 else f"办件改为“{state}”"


def author_words(author: Author, now_ms: int) -> str:
    """Return `上塘村（村） 李秀英 11-21 12:00`."""
    name = author.name or f"未登记站点 {author.node[:8]}"
    tier = labels.TIERS.get(author.tier, "")
    place = f"{name}（{tier}）" if tier else name
    return f"{place} {author.by} {times.moment(author.at_ms, now_ms)}"


def edit_words(case: Case, edit: Edit) -> str:
    """Return `住址：甲地 → 乙地`."""
    before, after = (
        value_words(case, edit.key, value) for value in (edit.before, edit.after)
    )
    return f"{field_label(case, edit.key)}：{before} → {after}"


def field_label(case: Case, key: str) -> str:
    """Return what a field is called; a field that the form does not have, its key."""
    return case.package.label(key)


def field_of(case: Case, key: str) -> Field | None:
    """Return a field of a case's form."""
    return case.package.question(key)


def value_words(case: Case, key: str, value: str) -> str:
    """Return a value as its field shows it to people; files by their names."""
    field = field_of(case, key)
    if field is None or not value:
        return value or EMPTY
    if field.kind == FILE:
        named = [(one, case.materials.get(one)) for one in value.split()]
        return "、".join(file.name if file else one[:12] for one, file in named)
    return KINDS[field.kind].show(field, value) or EMPTY
