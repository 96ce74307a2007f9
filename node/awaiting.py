"""What a case waits for besides its state, as lists are narrowed by it. Pure: no I/O.

Three things that no state says: a department's word, a certificate that somebody with
the data is to look up, and somebody who goes to the applicant's home.
"""

from collections.abc import Mapping

from forms.item import Item
from node.lifecycle import State
from node.records import RESULT_REFUSE, Records
from sync.change import Scalar

LOOKUP = "lookup"
"""The state of a paper that is not handed in and is still to be looked up 免提交."""

VISIT = "visit"
FORM_HANDLING = "handling"
"""The question by which many forms ask who acts; 上门 has one value in all of them."""


def departments(item: Item, state: State, known: Records) -> tuple[str, ...]:
    """Return the departments on whose desks a case lies now, each once.

    In a joint case those whose branch has no result yet, or two that differ; then
    whoever leads, since the whole is decided by him. He has it already where one
    department has refused: the others need not be waited for.
    """
    if not _is_with_decider(item, state):
        return ()
    lead = known.department or item.department
    waiting = [one.branch.department for one in known.branches if not one.result]
    is_refused = any(one.result == RESULT_REFUSE for one in known.branches)
    if not waiting or is_refused:
        waiting.append(lead)
    return tuple(dict.fromkeys(" ".join(one.split()) for one in waiting))


def lookups(known: Records) -> tuple[str, ...]:
    """Return the keys of the papers that are still to be looked up."""
    return tuple(key for key, one in known.papers.items() if one.state == LOOKUP)


def is_visit(answers: Mapping[str, Scalar], handling: str = "") -> bool:
    """Say whether somebody goes to the applicant 上门: the form says so, or the intake.

    `handling` is what was said at the intake, "" for a draft.
    """
    return VISIT in (handling, answers.get(FORM_HANDLING))


def _is_with_decider(item: Item, state: State) -> bool:
    """Say whether those who decide a case have it: forwarded, or accepted there."""
    is_accepted_there = item.accept is item.decide or item.decide in item.also_accept
    return state is State.FORWARDED or (state is State.ACCEPTED and is_accepted_there)
