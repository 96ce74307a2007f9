"""A list row in words, on the screens and on the command line. Nothing here needs a
terminal, so that a command starts without one.
"""

from node import cases, versions
from node.lifecycle import State
from node.store.cases import CaseRow
from node.wiring import Node
from tui import labels

NOT_ACCEPTED = (State.SUBMITTED, State.REVIEWED)
"""Handed in, and still to be accepted."""


def state_words(node: Node, row: CaseRow) -> str:
    """Return the state of a case; ! where this tier must settle something, else ≠
    where something is or once was in conflict. A draft of an older form says so.
    """
    if row.state == State.DRAFT:
        is_old = versions.has_newer(node, row.item_code, row.package)
        sign = labels.NEW_FORM_MARK if is_old else ""
        return " ".join(filter(None, (labels.STATES[State.DRAFT], sign)))
    sign = labels.sign(row, is_ours=cases.may_settle(node, row))
    word = labels.word(labels.STATES, row.state)
    if row.is_paper_only and row.state in NOT_ACCEPTED:
        word = labels.PAPER_ONLY
    return " ".join(filter(None, (word, sign)))
