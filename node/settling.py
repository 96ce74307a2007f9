"""Settling: a person decides what stands, by a choice and a reason.

A settlement is an event like any other. What it may say is asked again by every
receiver, in `node.policy`; what comes of it is told in `node.story`.
"""

from msgspec import structs

from forms import check
from forms.kinds import KINDS
from node import cases, rights
from node.cases import Case, open_case
from node.errors import AnswersWrong, NotFound, StepRefused
from node.lifecycle import Event, Step
from node.matters import MARK_CHANGED, MARK_CONFLICT, MARK_DISPUTED, Matter
from node.wiring import Node
from node.writing import check_note, write_event


def find_matter(case: Case, name: str) -> Matter:
    """Return what is open under a name: a field's key, the id of an event in
    question, or the number in `case.matters`, from 1.

    Raises:
        NotFound: nothing open is called so.
    """
    for number, matter in enumerate(case.matters, start=1):
        if name in matter.names or name == str(number):
            return matter
    raise NotFound("matter", name[:40])


def settle(
    node: Node,
    case: str,
    matter: Matter,
    *,
    choose: int = 0,
    value: str | None = None,
    note: str,
) -> Case:
    """Settle one thing that is open in a case, and return the case as it is then.

    Args:
        node: where.
        case: its id or number, as `cases.open_case` takes it.
        matter: what is settled, as a person has seen it.
        choose: which of its sides shall stand, from 1; late amendments have none,
            since they are only taken note of.
        value: instead of a choice, another value for the field.
        note: the reason.

    Raises:
        NotFound, Ambiguous: no case; or the matter is not open any more as it was
            seen; or it has no such side.
        StepRefused: it is for another tier to settle, or the reason is missing.
        AnswersWrong: another value than those that stand is wrong for its field.
    """
    document = cases.find_row(node, case).document
    with node.store.transaction():
        found = open_case(node, document.hex())
        if matter not in found.matters:
            raise NotFound("matter", matter.key)
        check_note(note)
        story, item = found.story, found.package.item
        side = rights.side_of(node.certificate, found.row.division)
        why = rights.why_not_settle(node.tier, item, story, note, side)
        if why:
            words = rights.allowed_words(node.tier, item, story.state, side)
            settler = rights.settler(item, story)
            raise StepRefused(
                found.id, story.state, Step.SETTLE, why, words, tier=settler
            )
        what, answers = _settlement(node, found, matter, choose, value)
        write_event(node, found, structs.replace(what, note=note), answers, {})
    return open_case(node, document.hex())


def _settlement(
    node: Node, case: Case, matter: Matter, choose: int, value: str | None
) -> tuple[Event, dict[str, str]]:
    """Return the event that settles a matter, and the field that it writes.

    Raises:
        NotFound: there is no such side.
        AnswersWrong: the value is wrong for its field.
    """
    settle = Event(Step.SETTLE, 0, "")
    if matter.mark == MARK_CHANGED and value is None:
        return structs.replace(settle, settles=case.story.late_ends), {}
    side = matter.sides[choose - 1] if 0 < choose <= len(matter.sides) else None
    if matter.mark == MARK_CONFLICT:
        # A value that stands may always be chosen, also where its field is stricter.
        text = side.value if side else None
        if text is None and value is not None:
            text = _checked(node, case, matter.key, value)
        if text is not None:
            names = (matter.key,)
            what = structs.replace(settle, settles=names, fields=names)
            return what, {matter.key: text}
    if matter.mark == MARK_DISPUTED and side and value is None:
        settles = tuple(sorted(matter.names))
        return structs.replace(settle, settles=settles, upholds=side.event), {}
    raise NotFound("side", str(choose))


def _checked(node: Node, case: Case, key: str, text: str) -> str:
    field = case.package.question(key)
    assert field is not None
    answer = check.normalise_field(field, text)
    problem = check.check_field(field, answer, node.today())
    if field.required and not answer.strip():
        problem = KINDS[field.kind].ask
    if problem:
        raise AnswersWrong([(key, field.label, problem)])
    return answer
