"""What an applicant was told to put right 补正, and what of it is done. Pure: no I/O.

A fault has a target: a field by its key, a paper, or something else. What a notice
says stands in its facts as `fault/TARGET`, see `node.facts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from node.cases import Case
from node.facts import MATERIAL_STATES
from node.lifecycle import Event, Step
from node.records import MATERIAL, STILL_LACKING, Fault, Records, faults_of
from node.reuse import materials_of
from node.story import Happened

OTHER = "other:"
"""What is neither a field nor a paper."""

LATE_WORD = "非一次性告知"
LATE_MARK = f"（{LATE_WORD}）"
"""Behind a fault that should have been told with the first notice."""

NOT_FOUND = "not_found"
"""The state of a paper that was spared and could not be looked up."""


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
    sent = _notices(case)
    order = [one.id for one in case.story.happened]
    since = frozenset(order[order.index(sent[-1].id) + 1 :]) if sent else frozenset()
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


def of_notice(case: Case, notice: Event) -> list[Fault]:
    """Return the faults of one notice, one that stands in the case or is to be sent."""
    sent = [one.event for one in _notices(case)]
    before = sent[: sent.index(notice)] if notice in sent else sent
    number = len(before) + 1
    return [one for one in faults_of([*before, notice]) if one.notice == number]


def target_name(case: Case, target: str) -> str:
    """Return what the target of a fault is called: a paper, a question, 其他."""
    if target == OTHER:
        return "其他"
    if case.package.question(target):
        return case.package.full_label(target)
    return material_name(case, target.removeprefix(MATERIAL))


def summed_up(case: Case, faults: Mapping[str, str]) -> str:
    """Return the faults of a notice in one text, for its reason: texts by target."""
    return "；".join(
        f"{target_name(case, key)}：{text}" for key, text in faults.items()
    )


def material_name(case: Case, key: str) -> str:
    """Return what a paper of the case's item is called."""
    found = (one.name for one in case.package.item.materials if one.key == key)
    return next(found, key)


def owed(known: Records) -> dict[str, str]:
    """Return the faults that every notice must tell, as its facts: papers that were
    spared and that nobody has found. Whoever let the applicant go without them owes
    him the word that they are needed after all.
    """
    return {
        f"fault/{MATERIAL}{key}": MATERIAL_STATES[NOT_FOUND]
        for key, paper in known.papers.items()
        if paper.state == NOT_FOUND
    }


def is_told(known: Records, target: str) -> bool:
    """Say whether a target was named in a notice before."""
    return any(one.target == target for one in known.faults)


def late_faults(case: Case, known: Records) -> dict[str, list[Fault]]:
    """Return, by the event of the notice that told them, the faults that an earlier
    one should have told 非一次性告知.
    """
    notices = [one.id for one in _notices(case)]
    found: dict[str, list[Fault]] = {}
    for fault in known.faults:
        if fault.is_late:
            found.setdefault(notices[fault.notice - 1], []).append(fault)
    return found


def _notices(case: Case) -> list[Happened]:
    """Return the notices of correction that stand, in their order."""
    return [
        one
        for one in case.story.happened
        if one.event.step == Step.RETURN and not one.why_not
    ]
