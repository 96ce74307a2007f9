"""What people say with a step, for tests that let them do anything that is possible."""

import random

from forms.item import Item
from node.cases import Case
from node.facts import FACTS, MATERIAL_STATES, PAUSES
from node.lifecycle import Step
from node.records import records
from node.rights import why_not_said
from node.story import Story


def facts_for(case: Case, step: Step, chance: random.Random) -> dict[str, str] | None:
    """Return what may be said with a step in a case; None where nothing can be."""
    return said_in(case.package.item, case.story, step, chance)


def said_in(
    item: Item, story: Story, step: Step, chance: random.Random
) -> dict[str, str] | None:
    """Return what may be said with a step in a story; None where nothing can be."""
    known = records(item, story)
    running = [one.begin.id for one in known.pauses if one.end is None]
    branch = chance.choice(known.branches).branch.key if known.branches else ""
    visit = known.visits[-1] if known.visits else None
    said = {
        Step.CHECK: {
            f"material/{one.key}": chance.choice(list(MATERIAL_STATES))
            for one in item.materials[:1]
        },
        Step.PAUSE: {"kind": chance.choice(list(PAUSES))},
        Step.RESUME: {"pause": chance.choice(running) if running else ""},
        Step.EXTEND: {"workdays": "5", "approver": "王局长"},
        Step.HURRY: {"approver": "王局长"},
        Step.TRANSFER: {"department": chance.choice(("民政局", "卫健局"))},
        Step.ADVISE: {"branch": branch, "result": chance.choice(("agree", "refuse"))},
        Step.VISIT: {"on": "2026-11-23", "branches": branch},
        Step.INSPECT: {
            "visit": visit.id if visit else "",
            "branch": branch,
            "result": "pass",
        },
        Step.FEE: {"fee": "", "yuan": "1", "receipt": "0001"},
        Step.PARCEL: {"way": "out", "tracking": "SF1"},
        Step.RATE: {"grade": str(chance.randint(1, 5))},
        Step.EXPLAIN: {"lapse": "promise"},
        Step.REDATE: {
            "event": chance.choice(story.happened).id,
            "on": "2026-11-20",
        },
    }
    facts = said.get(step, {})
    department = ""
    assert step in said or not any(fact.is_needed for fact in FACTS[step])
    why = why_not_said(step, facts, item, department, known)
    return None if why else facts
