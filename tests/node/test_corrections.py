"""What of a notice of correction is mended, and deciding on the spot, on real nodes."""

import pytest

from node import casework, corrections, drafting
from node.cases import Case, open_case, records_of
from node.corrections import OTHER, told
from node.errors import StepRefused
from node.lifecycle import State, Step
from node.records import MATERIAL
from node.wiring import Node
from tests.node.nodes import (
    ANSWERS,
    BIRTH,
    BIRTH_ANSWERS,
    ELDER,
    Three,
    step,
    submit,
    sync_all,
)


def mended(node: Node, case: Case, **answers: str) -> dict[str, bool]:
    found = open_case(node, case.id)
    now = {**found.fields, **answers}
    return {
        one.fault.target: one.is_mended for one in told(found, records_of(found), now)
    }


def returned(nodes: Three) -> Case:
    case = submit(nodes.village)
    sync_all(nodes)
    key = case.package.item.materials[0].key
    facts = {
        "fault/phone": "空号",
        f"fault/{MATERIAL}{key}": "看不清",
        f"fault/{OTHER}": "再来一趟",
    }
    casework.take_step(nodes.town, case.id, Step.RETURN, note="补", facts=facts)
    sync_all(nodes)
    return open_case(nodes.village, case.id)


def test_a_fault_is_mended_as_soon_as_its_field_is_changed(nodes: Three) -> None:
    case = returned(nodes)
    paper = MATERIAL + case.package.item.materials[0].key

    before = mended(nodes.village, case)
    typed = mended(nodes.village, case, phone="13700137000")
    answers = {"phone": "13700137000"}
    casework.take_step(nodes.village, case.id, Step.SUBMIT, answers=answers)
    sync_all(nodes)

    assert before == {"phone": False, paper: False, OTHER: False}
    assert typed == {"phone": True, paper: False, OTHER: False}
    assert mended(nodes.town, case) == typed


def test_a_paper_is_mended_when_somebody_has_it(nodes: Three) -> None:
    case = returned(nodes)
    key = case.package.item.materials[0].key

    for state in ("unfit", "collected"):
        casework.take_step(
            nodes.village, case.id, Step.CHECK, facts={f"material/{key}": state}
        )
        is_here = mended(nodes.village, case)[MATERIAL + key]

        assert is_here == (state == "collected")


def test_only_the_latest_notice_is_to_be_mended(nodes: Three) -> None:
    case = returned(nodes)
    casework.take_step(nodes.village, case.id, Step.SUBMIT)
    sync_all(nodes)
    again = {"fault/name": "错字"}
    casework.take_step(nodes.town, case.id, Step.RETURN, note="补", facts=again)

    known = records_of(open_case(nodes.town, case.id))

    assert mended(nodes.town, case) == {"name": False}
    assert corrections.is_told(known, "phone")
    assert not corrections.is_told(known, "citizen_id")


def test_what_is_decided_on_the_spot_is_written_whole_or_not_at_all(
    nodes: Three,
) -> None:
    draft = drafting.begin_draft(nodes.town, BIRTH, BIRTH_ANSWERS)
    case = drafting.submit_draft(nodes.town, draft)

    with pytest.raises(StepRefused):
        casework.decide_at_once(nodes.town, case.id, facts={"until": "明年"})
    untouched = open_case(nodes.town, case.id).story
    casework.decide_at_once(nodes.town, case.id, facts={"until": "2030-01-01"})

    assert untouched.state is State.SUBMITTED
    assert open_case(nodes.town, case.id).story.state is State.GRANTED
    with pytest.raises(StepRefused):
        casework.decide_at_once(nodes.town, case.id)


def test_only_what_is_decided_on_the_spot_is_accepted_and_granted_at_once(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    sync_all(nodes)

    with pytest.raises(StepRefused):
        casework.decide_at_once(nodes.town, case.id)

    assert not casework.may_decide_at_once(nodes.town, open_case(nodes.town, case.id))
    step(nodes.town, case.id, Step.ACCEPT)


def test_a_paper_that_was_spared_and_not_found_is_told_with_every_notice(
    nodes: Three,
) -> None:
    village, town = nodes.village, nodes.town
    draft = drafting.begin_draft(village, ELDER, ANSWERS)
    case = drafting.submit_draft(village, draft, {"material/id_card": "lookup"})
    sync_all(nodes)
    found = {"material/id_card": "not_found", "place": "石门镇"}
    casework.take_step(town, case.id, Step.CHECK, facts=found)

    casework.take_step(
        town, case.id, Step.RETURN, note="请补", facts={"fault/phone": "少一位"}
    )
    sync_all(nodes)

    there = open_case(village, case.id)
    known = records_of(there)
    assert {one.target: one.is_late for one in known.faults} == {
        MATERIAL + "id_card": False,
        "phone": False,
    }
    (paper,) = [one for one in known.custody if one.state == "not_found"]
    assert paper.place == "石门镇" and paper.by.event.by == town.operator
    casework.take_step(
        village, case.id, Step.CHECK, facts={"material/id_card": "collected"}
    )
    assert corrections.owed(records_of(open_case(village, case.id))) == {}
    assert mended(village, case) == {MATERIAL + "id_card": True, "phone": False}
