"""Taking steps in cases: one, two at once, or one in many cases. What screens call.

Each function checks the right first, with the same table that every receiver asks
afterwards, then does all of its writing in one transaction. What it returns is on
disk.
"""

from collections.abc import Mapping, Sequence

from node import cases, corrections, journal, numbering, rights, writing
from node.answers import checked, new_materials
from node.batches import BatchList, batch_id
from node.cases import Case, open_case
from node.errors import AnswersWrong, NotFound, StepRefused
from node.facts import fault_of
from node.lifecycle import CARRIES_FIELDS, Event, State, Step
from node.material import Material
from node.policy import NAME_LIMIT
from node.records import Records
from node.store.registry import BatchRow
from node.wiring import Node
from sync.canonical import encode
from sync.stream import KIND_BATCH


def take_step(
    node: Node,
    case: str,
    step: Step,
    *,
    note: str = "",
    answers: Mapping[str, str] | None = None,
    files: Sequence[str] = (),
    batch: str = "",
    facts: Mapping[str, str] | None = None,
) -> Case:
    """Take a step in a case and return the case as it is then.

    Args:
        node: where.
        case: its id or number, as `cases.open_case` takes it.
        step: what happens.
        note: the reason, where one is needed.
        answers: new values for some fields, with steps that carry fields.
        files: digests of new files, besides those that the answers name, with
            steps that carry fields.
        batch: the number of the batch with which it goes.
        facts: what else the step says, see `node.facts`.

    Raises:
        NotFound, Ambiguous: no case, or more than one, is called so.
        StepRefused: not now, not here, or a reason is missing.
        AnswersWrong: the form would not be right; nothing was changed.
    """
    document = cases.find_row(node, case).document
    with node.store.transaction():
        _write_step(
            node, document, step, note, answers or {}, files, batch, facts or {}
        )
    return open_case(node, document.hex())


def may_decide_at_once(node: Node, case: Case) -> bool:
    """Say whether this tier may accept and grant a case in one 即办件."""
    item, side = case.package.item, rights.side_of(node.certificate, case.row.division)
    return item.same_day and not any(
        rights.why_not(step, node.tier, item, state, "", side)
        for step, state in (
            (Step.ACCEPT, case.story.state),
            (Step.GRANT, State.ACCEPTED),
        )
    )


def decide_at_once(
    node: Node,
    case: str,
    *,
    note: str = "",
    facts: Mapping[str, str] | None = None,
) -> Case:
    """Accept and grant a case while the applicant waits 即办件; both or neither.

    `facts` is what the grant says.

    Raises:
        As `take_step`; or StepRefused "state" where the item is not decided at once.
    """
    found = open_case(node, case)
    if not found.package.item.same_day:
        raise StepRefused(found.id, found.story.state, Step.GRANT, "state")
    document = found.row.document
    with node.store.transaction():
        _write_step(node, document, Step.ACCEPT, "", {}, (), "")
        _write_step(node, document, Step.GRANT, note, {}, (), "", facts)
    return open_case(node, document.hex())


def forward_batch(node: Node, names: Sequence[str]) -> tuple[BatchRow, list[Case]]:
    """Forward cases together, with a signed list of them; all of them or none.

    Raises:
        StepRefused, NotFound, Ambiguous: about the first that cannot go.
    """
    documents = list(dict.fromkeys(cases.find_row(node, n).document for n in names))
    if not documents:
        raise NotFound("case", "")
    with node.store.transaction():
        at_ms = node.now_ms()
        number = numbering.next_batch_number(node)
        for document in documents:
            _write_step(node, document, Step.FORWARD, "", {}, (), number)
        batch = BatchList(
            batch_id(node.id, number),
            number,
            node.operator[:NAME_LIMIT],
            at_ms,
            tuple(documents),
        )
        payload = encode(batch)
        entry = journal.append(
            node, node.certificate.division, KIND_BATCH, b"", payload, at_ms
        )
        row = BatchRow(batch.id, number, entry, at_ms, len(documents), payload)
        node.store.registry.put_batch(row)
    return row, [open_case(node, document.hex()) for document in documents]


def possible_steps(node: Node, case: Case) -> list[Step]:
    """Return what this tier may do with a case now."""
    side = rights.side_of(node.certificate, case.row.division)
    item, state = case.package.item, case.story.state
    possible = rights.possible_steps(node.tier, item, state, side)
    if case.row.is_paper_only and Step.ACCEPT in possible:
        possible.remove(Step.ACCEPT)  # its form must be entered first
    if cases.may_settle(node, case.row):
        possible.append(Step.SETTLE)
    return possible


def _write_step(
    node: Node,
    document_key: bytes,
    step: Step,
    note: str,
    answers: Mapping[str, str],
    files: Sequence[str],
    batch: str,
    facts: Mapping[str, str] | None = None,
) -> None:
    facts = {key: value.strip() for key, value in (facts or {}).items()}
    case = open_case(node, document_key.hex())
    writing.check_note(note)
    state, item = case.story.state, case.package.item
    if step is Step.RETURN:
        facts = corrections.owed(cases.records_of(case)) | facts
    side = rights.side_of(node.certificate, case.row.division)
    why = rights.why_not(step, node.tier, item, state, note, side)
    # A rule for whoever sits at the desk: what has been accepted so elsewhere stands.
    if not why and step is Step.ACCEPT and case.row.is_paper_only:
        why = "not-entered"
    if not why:
        known = cases.records_of(case) if rights.looks_back(step, item) else Records()
        department = node.certificate.department
        why = rights.why_not_said(step, facts, item, department, known)
    if why:
        raise StepRefused(
            case.id,
            state,
            step,
            why,
            [
                one
                for one in rights.allowed_words(node.tier, item, state, side)
                if why != "not-entered" or one != step
            ],
            tier=str(item.urgent.approve) if why == "urgent" and item.urgent else "",
            about=fault_of(step, facts, item) if why == "facts" else "",
        )
    changed = {k: v for k, v in answers.items() if case.fields.get(k, "") != v}
    materials: dict[str, Material] = {}
    if step in CARRIES_FIELDS:
        is_paper_only = step is Step.SUBMIT and "paper_only" in facts
        merged = checked(
            node, case.package, {**case.fields, **answers}, is_paper_only=is_paper_only
        )
        # An answer that was taken out is written as nothing: a field never vanishes.
        keys = set(case.fields) | set(merged)
        changed = {
            k: merged.get(k, "")
            for k in sorted(keys)
            if merged.get(k, "") != case.fields.get(k, "")
        }
        materials = new_materials(node, case.package, changed, files, case.materials)
        _check_undisputed(case, changed)
        if step is Step.AMEND and case.row.is_paper_only:
            facts["entered"] = "1"  # 代录: all that the form asks stands there now
    writing.write_event(
        node,
        case,
        Event(
            step,
            0,
            "",
            note=note,
            fields=tuple(sorted(changed)),
            batch=batch,
            facts=facts,
        ),
        changed,
        materials,
    )


def _check_undisputed(case: Case, changed: Mapping[str, str]) -> None:
    """Refuse to write over two living values: that is what settling is for.

    Raises:
        AnswersWrong: which fields must be settled first.
    """
    problems = [
        (one.key, case.package.label(one.key), "两处填得不同，核对后才能改")
        for one in case.conflicts
        if one.key in changed
    ]
    if problems:
        raise AnswersWrong(problems)
