"""Who has seen what of a case must be answered for 全程留痕: views, written down.

Once for each case, operator and day, by what was seen: `SEEN` is the whole of what
counts. Who takes a step in a case stands in that step and need not be written down
twice; a list shows nobody's number.
"""

from contextlib import suppress

from node import audit
from node.cases import Case
from node.days import civil_day
from node.errors import DiskFull, StoreBusy, WriteForbidden
from node.wiring import Node

SEEN: dict[str, frozenset[str]] = {
    audit.VIEW: frozenset({"phone"}),
    audit.VIEW_WHOLE: frozenset({"phone", "citizen_id"}),
}
"""By act the kinds of answers that are seen in full: whoever opens a case sees the
telephone numbers, whoever fills in its form again, or prints all fields, the id numbers
too. Both are shown masked or not at all elsewhere."""


def opened(node: Node, case: Case) -> None:
    """Write down that the operator sees a case as its page shows it: id numbers masked,
    unless two of them stand beside each other to choose from.
    """
    fields = (case.package.question(one.key) for one in case.conflicts)
    kinds = {field.kind for field in fields if field is not None}
    seen(node, case, audit.VIEW_WHOLE if "citizen_id" in kinds else audit.VIEW)


def seen(node: Node, case: Case, act: str) -> None:
    """Write down that the operator sees a case, `act` says how much of it; nothing
    where it was written down today, or no such answer is there.

    A node that may not write now, or whose disk is full, shows the case all the same:
    who stands at the window must be served.
    """
    kinds = SEEN[act]
    answered = (
        case.package.question(key) for key, value in case.fields.items() if value
    )
    if not any(field is not None and field.kind in kinds for field in answered):
        return
    about = case.row.number[: audit.SUBJECT_LIMIT]
    by = node.operator[: audit.BY_LIMIT]
    last_ms = node.store.registry.last_view_ms(node.id, act, about, by)
    if last_ms is not None and civil_day(last_ms) == civil_day(node.now_ms()):
        return
    with (
        suppress(WriteForbidden, DiskFull, StoreBusy),
        node.store.transaction(),
    ):
        audit.record(node, act, about, by=by)
