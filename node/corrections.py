"""What an applicant was told to put right 补正, and what of it is done. Pure: no I/O.

A fault has a target: a field by its key, a paper, or something else. What a notice
says stands in its facts as `fault/TARGET`, see `node.facts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from node.cases import Case
from node.lifecycle import Step
from node.records import Fault, Records
from node.reuse import materials_of

MATERIAL = "material:"
"""Before the key of a paper; no field has such a key."""
OTHER = "other:"
"""What is neither a field nor a paper."""

STILL_LACKING = frozenset({"missing", "unfit", "not_found"})
"""States in which a paper is still to be handed in, see `facts.MATERIAL_STATES`."""


@dataclass(frozen=True, slots=True)
class Told:
    """A fault of the latest notice; `is_mended`: something was done about it since.

    Whether it is right now is for whoever looks at it again.
    """

    fault: Fault
    is_mended: bool


def told(case: Case, known: Records, answers: Mapping[str, str]) -> list[Told]:
    """Return the faults of the latest notice.

    Args:
        case: in which they were told.
        known: what is written down in it.
        answers: as they stand now, submitted or not.
    """
    latest = max((one.notice for one in known.faults), default=0)
    notice = _latest_notice(case)
    order = [one.id for one in case.story.happened]
    since = frozenset(order[order.index(notice) + 1 :]) if notice else frozenset()
    changed = {
        key
        for one in case.story.happened
        if one.id in since
        for key in one.event.fields
    } | {
        key
        for key in {*answers, *case.fields}
        if answers.get(key, "") != case.fields.get(key, "")
    }
    brought = {
        one.key
        for one in known.custody
        if one.by.id in since and one.state not in STILL_LACKING
    }
    for key in changed:
        asked = case.package.question(key)
        if asked is not None and asked.kind == "file":
            brought |= materials_of(case.package.item, key)
    done = changed | {MATERIAL + key for key in brought}
    return [
        Told(one, one.target in done) for one in known.faults if one.notice == latest
    ]


def is_told(known: Records, target: str) -> bool:
    """Say whether a target was named in a notice before."""
    return any(one.target == target for one in known.faults)


def late_faults(case: Case, known: Records) -> dict[str, list[Fault]]:
    """Return, by the event of the notice that told them, the faults that an earlier
    one should have told 非一次性告知.
    """
    notices = [
        one.id
        for one in case.story.happened
        if one.event.step == Step.RETURN and not one.why_not
    ]
    found: dict[str, list[Fault]] = {}
    for fault in known.faults:
        if fault.is_late:
            found.setdefault(notices[fault.notice - 1], []).append(fault)
    return found


def _latest_notice(case: Case) -> str:
    """Return the id of the event that told of faults last; "" for none."""
    return next(
        (
            one.id
            for one in reversed(case.story.happened)
            if one.event.step == Step.RETURN and not one.why_not
        ),
        "",
    )
