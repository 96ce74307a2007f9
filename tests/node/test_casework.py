"""Casework by the law, on three nodes: who may do what, and what all know of it."""

import msgspec
import pytest

from forms.item import Tier
from forms.package import Package, decode
from forms.service import Member
from node import casework, drafting, in_force, upkeep
from node.cases import Case, open_case
from node.errors import AnswersWrong, StepRefused
from node.lifecycle import State, Step
from node.records import Records, records
from node.wiring import Node
from tests.node.nodes import ANSWERS, ELDER, Three, step, submit, sync_all


def known(node: Node, case: Case) -> Records:
    found = open_case(node, case.id)
    return records(found.package.item, found.story)


def say(node: Node, case: Case, what: Step, note: str = "", **facts: str) -> Case:
    said = {key.replace("__", "/"): value for key, value in facts.items()}
    return casework.take_step(node, case.id, what, note=note, facts=said)


def republish(nodes: Three, **parts: object) -> Package:
    """Publish the item in another version."""
    row = in_force.find_package(nodes.district, ELDER)
    package = decode(row.body)
    newer = msgspec.structs.replace(
        package,
        version=str(int(package.version) + 1),
        item=msgspec.structs.replace(package.item, **parts),
    )
    upkeep.publish(nodes.district, [newer])
    sync_all(nodes)
    return newer


def test_papers_are_taken_in_below_and_the_form_is_entered_above(nodes: Three) -> None:
    who = {key: ANSWERS[key] for key in ("name", "citizen_id", "sex")}
    draft = drafting.begin_draft(nodes.village, ELDER, who)
    with pytest.raises(AnswersWrong):
        drafting.submit_draft(nodes.village, draft)
    package = nodes.village.package(draft.package)
    assert package is not None
    first = package.item.materials[0].key
    case = drafting.submit_draft(
        nodes.village,
        draft,
        {
            "paper_only": "1",
            "handling": "agent",
            "authorised": "儿子书面委托",
            f"material/{first}": "collected",
        },
    )
    sync_all(nodes)

    assert known(nodes.town, case).is_paper_only
    with pytest.raises(StepRefused) as refused:
        step(nodes.town, case.id, Step.ACCEPT)
    assert refused.value.why == "not-entered"
    assert "accept" not in refused.value.allowed
    casework.take_step(nodes.town, case.id, Step.AMEND, answers=ANSWERS)
    step(nodes.town, case.id, Step.ACCEPT)
    step(nodes.town, case.id, Step.FORWARD)
    sync_all(nodes)
    step(nodes.district, case.id, Step.GRANT)
    sync_all(nodes)

    told = known(nodes.village, case)
    found = open_case(nodes.village, case.id)
    authors = [one.author for one in found.story.happened]
    assert (told.is_paper_only, told.authorised) == (False, "儿子书面委托")
    assert told.papers[first].state == "collected"
    assert found.story.state is State.GRANTED
    assert len(set(authors)) == 3  # 收, 录, 批: three tiers have signed


def test_a_wrong_name_is_not_taken_in_on_paper_either(nodes: Three) -> None:
    draft = drafting.begin_draft(nodes.village, ELDER, {"citizen_id": "123"})

    with pytest.raises(AnswersWrong) as wrong:
        drafting.submit_draft(nodes.village, draft, {"paper_only": "1"})

    assert {key for key, _, _ in wrong.value.problems} == {"name", "citizen_id"}


def test_an_item_is_decided_in_the_town_from_the_day_on_that_is_published(
    nodes: Three,
) -> None:
    before = submit(nodes.village)
    sync_all(nodes)
    step(nodes.town, before.id, Step.ACCEPT)
    tomorrow = nodes.district.today().toordinal() + 1
    day = type(nodes.district.today()).fromordinal(tomorrow).isoformat()

    republish(nodes, also_decide=(Tier.TOWN,), effective_on=day)
    same_day = submit(nodes.village)
    nodes.clock.at_ms += 24 * 3600 * 1000
    after = submit(nodes.village)
    sync_all(nodes)
    for case in (same_day, after):
        step(nodes.town, case.id, Step.ACCEPT)

    for case in (before, same_day):
        with pytest.raises(StepRefused):
            step(nodes.town, case.id, Step.GRANT)
    step(nodes.town, after.id, Step.GRANT)
    sync_all(nodes)
    assert open_case(nodes.district, after.id).story.state is State.GRANTED
    assert nodes.district.store.documents.counts() == (0, 0)


def test_departments_decide_side_by_side_and_the_case_as_they_have_said(
    nodes: Three,
) -> None:
    members = tuple(Member(c, f"事{c}", f"局{c}") for c in ("1", "2"))
    republish(nodes, members=members)
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    step(nodes.town, case.id, Step.FORWARD)
    sync_all(nodes)

    say(nodes.district, case, Step.ADVISE, branch="1", result="agree")
    with pytest.raises(StepRefused) as refused:
        step(nodes.district, case.id, Step.GRANT)
    say(nodes.district, case, Step.ADVISE, branch="2", result="agree")
    step(nodes.district, case.id, Step.GRANT)
    sync_all(nodes)

    assert refused.value.why == "branches-open"
    assert [one.result for one in known(nodes.village, case).branches] == ["agree"] * 2
    assert nodes.village.store.documents.counts() == (0, 0)


def test_what_is_written_down_past_a_decision_stands_beside_it(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    step(nodes.town, case.id, Step.FORWARD)
    sync_all(nodes)

    step(nodes.district, case.id, Step.GRANT)
    say(nodes.town, case, Step.PAUSE, "等专家评审", kind="expert")
    sync_all(nodes)

    for node in nodes.nodes[:3]:
        found = open_case(node, case.id)
        assert (found.story.state, found.matters) == (State.GRANTED, ())
        assert known(node, case).is_paused


def test_a_notice_names_all_faults_and_a_later_one_is_marked(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    say(
        nodes.town, case, Step.RETURN, "请补正", fault__phone="空号", fault__name="错字"
    )
    sync_all(nodes)
    step(nodes.village, case.id, Step.SUBMIT, phone="13900139000")
    sync_all(nodes)
    say(nodes.town, case, Step.RETURN, "再补", fault__home_address="没有门牌")
    sync_all(nodes)

    faults = known(nodes.village, case).faults

    assert [(one.target, one.is_late) for one in faults] == [
        ("phone", False),
        ("name", False),
        ("home_address", True),
    ]


def test_nothing_is_charged_for_an_item_without_a_rule(nodes: Three) -> None:
    case = submit(nodes.village)

    with pytest.raises(StepRefused) as refused:
        say(nodes.village, case, Step.FEE, fee="工本费", yuan="10", receipt="1")

    assert refused.value.why == "no-rule"


@pytest.mark.parametrize(
    ("note", "approver", "refused"),
    [("急\udcff", "王局长", AnswersWrong), ("急", "王\udcff", StepRefused)],
)
def test_bytes_that_are_no_letters_are_refused_and_nothing_is_written(
    nodes: Three, note: str, approver: str, refused: type[Exception]
) -> None:
    case = submit(nodes.village)
    sync_all(nodes)

    with pytest.raises(refused):
        casework.take_step(
            nodes.town, case.id, Step.HURRY, note=note, facts={"approver": approver}
        )

    told = open_case(nodes.town, case.id).story.happened
    assert [one.event.step for one in told] == ["submit"]
