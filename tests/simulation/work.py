"""What people do at their desks: a table, one row for each kind of work.

A row's function looks what there is to do at a site and returns it as a job; None
where there is nothing of the kind.
"""

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

from forms.item import Tier
from node import cases, casework, drafting, intake, settling
from node.cases import Case, open_case
from node.lifecycle import CARRIES_FIELDS, NEEDS_REASON, RECORDS, Step
from node.matters import MARK_CONFLICT
from node.store.cases import CaseRow, Filter
from node.store.drafts import Draft
from node.wiring import Node
from sync.pieces import PIECE_BYTES
from tests.saying import facts_for
from tests.simulation.items import CODES, QUESTIONS, catalogue
from tests.simulation.places import places
from tests.simulation.site import Intent, Job, Site
from tests.simulation.tables import Row, draw
from tests.simulation.world import World

WORDS = ("甲", "乙", "丙", "丁", "戊", "己", "庚", "辛")
"""Few answers, so that two people often write the same, and often not."""

NO_FACTS: Mapping[str, str] = MappingProxyType({})

_OFTEN = dict.fromkeys(RECORDS, 0.05) | {
    Step.AMEND: 1.5,
    Step.WITHDRAW: 0.3,
    Step.RETURN: 0.5,
    Step.SUBMIT: 2,
    Step.REVIEW: 0.3,
    Step.DECLINE: 0.1,
    Step.TERMINATE: 0.1,
    Step.ARCHIVE: 0.2,
}
"""How often a step is chosen among those that are possible; 1 where not named."""

ANOTHER_VALUE = 0.3
"""How often a conflict is settled by a value that neither side has written."""

JOINT = 0.2
"""How often a case is for another place than the one where it is taken in."""

ATTACHED = 0.1
"""How often there are files with it."""

SIZES_BYTES = (1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES + 500)
_ITEM = catalogue(0)[0].item

MOST_CASES = 60
MOST_TOGETHER = 3


def draw_work(world: World, site: Site) -> Job | None:
    """Return something that may be done at a site now."""
    return draw(world.chance, WORK).do(world.chance, site)


# -- drafts and new cases -------------------------------------------------------------


def submit(chance: random.Random, site: Site) -> Job | None:
    """Take a case in and hand it on at once."""
    if site.node.tier is Tier.DISTRICT:
        return None
    code, answers, place = chance.choice(CODES), _answers(chance), _place(chance)
    intent = Intent(None, answers)
    contents = _contents(chance)

    def do(node: Node) -> None:
        intent.files = _taken_in(node, contents)
        draft = drafting.begin_draft(node, code, answers, place, intent.files)
        drafting.submit_draft(node, draft)

    text = f"submits {_said(answers)} {place} {len(contents) or ''}"
    return Job(text.rstrip(), do, intent)


def begin_draft(chance: random.Random, site: Site) -> Job | None:
    """Begin a case and leave it lying."""
    if site.node.tier is Tier.DISTRICT:
        return None
    code, answers, place = chance.choice(CODES), _answers(chance), _place(chance)
    return Job(
        "begins a draft", lambda node: drafting.begin_draft(node, code, answers, place)
    )


def save_draft(chance: random.Random, site: Site) -> Job | None:
    """Fill in more of a draft."""
    draft = _some_draft(chance, site)
    if draft is None:
        return None
    answers = draft.answers | {"remark": chance.choice(WORDS)}
    return Job(
        f"saves draft {draft.id[:6]}",
        lambda node: drafting.save_draft(node, draft, answers),
    )


def submit_draft(chance: random.Random, site: Site) -> Job | None:
    """Hand on what was begun before."""
    draft = _some_draft(chance, site)
    if draft is None:
        return None
    return Job(
        f"submits draft {draft.id[:6]} {_said(draft.answers)}",
        lambda node: drafting.submit_draft(node, draft),
        Intent(None, dict(draft.answers), list(draft.files)),
    )


# -- cases that are there -----------------------------------------------------


def take_step(chance: random.Random, site: Site) -> Job | None:
    """Take any step that is possible in some case."""
    case = _some_case(chance, site)
    return _some_step(chance, site, case) if case else None


def amend(chance: random.Random, site: Site) -> Job | None:
    """Change an answer of a case."""
    case = _some_case(chance, site)
    if case is None or Step.AMEND not in casework.possible_steps(site.node, case):
        return None
    return _step(chance, case, Step.AMEND)


def forward_batch(chance: random.Random, site: Site) -> Job | None:
    """Forward some cases together."""
    fitting = []
    for row in _rows(site):
        case = open_case(site.node, row.id)
        if Step.FORWARD in casework.possible_steps(site.node, case):
            fitting.append(row)
    if not fitting:
        return None
    some = chance.sample(fitting, min(len(fitting), chance.randint(1, MOST_TOGETHER)))
    names = [row.id for row in some]
    return Job(
        f"forwards {', '.join(name[:6] for name in names)} together",
        lambda node: casework.forward_batch(node, names),
        Intent(frozenset(row.document for row in some)),
    )


def step_in(chance: random.Random, site: Site, document: bytes) -> Job | None:
    """Take any step in a certain case."""
    return _some_step(chance, site, open_case(site.node, document.hex()))


def rows_at(site: Site) -> list[CaseRow]:
    """Return the cases of a site, in an order that no clock has made."""
    rows = site.node.store.cases.page(Filter(), None, MOST_CASES)
    return sorted(rows, key=lambda row: row.document)


_rows = rows_at


def _some_step(chance: random.Random, site: Site, case: Case) -> Job | None:
    steps = casework.possible_steps(site.node, case)
    if not steps:
        return None
    (step,) = chance.choices(steps, [_OFTEN.get(step, 1) for step in steps])
    if step is Step.SETTLE:
        return _settlement(chance, case)
    facts = facts_for(case, step, chance)
    return _step(chance, case, step, facts) if facts is not None else None


def settle(chance: random.Random, site: Site) -> Job | None:
    """Settle something that is open and this site's to settle."""
    mine = site.node.store.cases.page(cases.to_settle(site.node), None, MOST_CASES)
    rows = sorted(mine, key=lambda row: row.document)
    if not rows:
        return None
    return _settlement(chance, open_case(site.node, chance.choice(rows).id))


def _settlement(chance: random.Random, case: Case) -> Job:
    matter = chance.choice(case.matters)
    choose = chance.randint(1, len(matter.sides)) if matter.sides else 0
    answers = {}
    if matter.mark == MARK_CONFLICT:
        answers = {matter.key: matter.sides[choose - 1].value}
        if chance.random() < ANOTHER_VALUE:
            choose, answers = 0, {matter.key: chance.choice(WORDS)}

    def do(node: Node) -> None:
        settling.settle(
            node,
            case.id,
            matter,
            choose=choose,
            value=None if choose else answers.get(matter.key),
            note="理由",
        )

    return Job(
        f"settles {matter.mark} of {case.id[:6]} {_said(answers)}".rstrip(),
        do,
        Intent(frozenset({bytes.fromhex(case.id)}), answers),
    )


def _step(
    chance: random.Random, case: Case, step: Step, facts: Mapping[str, str] = NO_FACTS
) -> Job:
    answers: dict[str, str] = {}
    if step in CARRIES_FIELDS:
        # What is in dispute can only be settled.
        disputed = {one.key for one in case.conflicts}
        keys = [key for key in QUESTIONS if key not in disputed]
        some = chance.sample(keys, min(len(keys), chance.randint(1, 2)))
        answers = {key: chance.choice(WORDS) for key in some}
    note = "理由" if step in NEEDS_REASON else ""
    intent = Intent(frozenset({bytes.fromhex(case.id)}), answers)
    contents = _contents(chance) if step in CARRIES_FIELDS else []

    def do(node: Node) -> None:
        intent.files = _taken_in(node, contents)
        casework.take_step(
            node,
            case.id,
            step,
            note=note,
            answers=answers,
            files=intent.files,
            facts=facts,
        )

    text = f"{step}s {case.id[:6]} {_said(answers)} {len(contents) or ''}"
    return Job(text.rstrip(), do, intent)


def _place(chance: random.Random) -> str:
    """Return for which place a case is: most often for the one where it is taken in."""
    if chance.random() >= JOINT:
        return ""
    return chance.choice([one.certificate.division for one in places().values()][1:])


def _contents(chance: random.Random) -> list[bytes]:
    """Return what somebody scans: mostly nothing, else a file or two."""
    if chance.random() >= ATTACHED:
        return []
    sizes = chance.sample(SIZES_BYTES, chance.randint(1, 2))
    return [chance.randbytes(size) for size in sizes]


def _taken_in(node: Node, contents: list[bytes]) -> list[str]:
    """Take files in; return their digests."""
    digests = []
    for number, content in enumerate(contents):
        path = node.home.path / f"{number}.pdf"
        path.write_bytes(content)
        digests.append(intake.take_in(node, path, _ITEM)[0])
        path.unlink()
    return digests


def _some_case(chance: random.Random, site: Site) -> Case | None:
    rows = _rows(site)
    return open_case(site.node, chance.choice(rows).id) if rows else None


def _some_draft(chance: random.Random, site: Site) -> Draft | None:
    drafts = sorted(site.node.store.drafts.all(), key=lambda draft: draft.document)
    return chance.choice(drafts) if drafts else None


def _answers(chance: random.Random) -> dict[str, str]:
    keys = ["name", *chance.sample(QUESTIONS[1:], chance.randint(0, 3))]
    return {key: chance.choice(WORDS) for key in keys}


def _said(answers: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in answers.items())


Work = Callable[[random.Random, Site], Job | None]

WORK: tuple[Row[Work], ...] = (
    Row("submit", 6, submit),
    Row("begin a draft", 2, begin_draft),
    Row("save a draft", 1, save_draft),
    Row("submit a draft", 2, submit_draft),
    Row("take a step", 18, take_step),
    Row("amend", 12, amend),
    Row("forward a batch", 3, forward_batch),
    Row("settle", 5, settle),
)
