"""What an event has changed and when it came here, in words. Pure.

The same on the page of a case and on the command line. Text from data is as it was
written; whoever shows it makes it harmless.
"""

from collections.abc import Iterator

from node import corrections
from node.cases import Case
from node.corrections import LATE_WORD
from node.history import Edit, Receipt, Trace
from node.records import Records
from sync.identity import Certificate
from tui import labels, matters, times
from tui.text import cells, fit

RECEIPT_GAP_MS = 10 * times.MINUTE_MS
"""Nearer than that, the time of the device and the time of arrival say the same."""

EDITS_SHOWN = 40
"""Of one event; a case that was entered at last 代录 may change hundreds."""

VALUE_CELLS = 26
"""Of a value before and after; both stand in one line of a narrow terminal."""


def place(author: Certificate | None, digits: str) -> str:
    """Return `耀里村（村）`; of who is in no roster the first digits of its id."""
    if author is None:
        return f"未登记站点 {digits[:8]}"
    tier = labels.TIERS.get(author.tier, "")
    return f"{author.name}（{tier}）" if tier else author.name


def receipt(found: Receipt | None, at_ms: int, now_ms: int) -> str:
    """Return when an event came to another node, "" where that is the time at which
    the device of its author says that it happened.
    """
    if found is None or abs(found.at_ms - at_ms) < RECEIPT_GAP_MS:
        return ""
    who = place(found.by, "") if found.by else "本机"
    return f"{who} {times.moment(found.at_ms, now_ms)} 收到"


def changes(case: Case, trace: Trace) -> Iterator[str]:
    """Yield what came with an event: answers before and after, files by their names.

    Of the event that the case began with, only how much.
    """
    asked = [one for one in trace.edits if _is_asked(case, one)]
    if trace.is_first:
        filled = sum(1 for one in asked if one.after)
        if filled:
            yield f"填了 {filled} 项"
    else:
        for one in asked[:EDITS_SHOWN]:
            yield edit(case, one)
        if len(asked) > EDITS_SHOWN:
            yield f"还改了 {len(asked) - EDITS_SHOWN} 项"
    named = {digest for one in trace.edits for digest in one.after.split()}
    added = [digest for digest in trace.files if digest not in named or trace.is_first]
    if added:
        yield f"附了材料：{'、'.join(file_name(case, one) for one in added)}"


def edit(case: Case, one: Edit) -> str:
    """Return `住址：甲地 → 乙地`; of several values before, all of them."""
    label = matters.field_label(case, one.key)
    before = [matters.value_words(case, one.key, old) for old in one.before]
    after = matters.value_words(case, one.key, one.after)
    if after in before and one.after not in one.before:
        # What is mostly hidden, as of an id number, is where these differ.
        return f"{label}：{after}（改了没有显示出来的几位）"
    told = " / ".join(_cut(old) for old in before) or matters.EMPTY
    return f"{label}：{told} → {_cut(after)}"


def file_name(case: Case, digest: str) -> str:
    """Return what a file is called."""
    found = case.materials.get(digest)
    return found.name if found else digest[:12]


def late_faults(case: Case, known: Records) -> dict[str, str]:
    """Return, by event, which faults of a notice should have been told before."""
    return {
        event: f"{LATE_WORD}：{'、'.join(one.text for one in faults)}"
        for event, faults in corrections.late_faults(case, known).items()
    }


def _is_asked(case: Case, one: Edit) -> bool:
    """Say whether a person has given the answer, and not the form itself."""
    field = matters.field_of(case, one.key)
    return field is None or field.label != field.key


def _cut(text: str) -> str:
    return text if cells(text) <= VALUE_CELLS else fit(text, VALUE_CELLS)
