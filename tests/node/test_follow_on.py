"""A case that builds on the result of another 联动, over real nodes."""

import pytest
from msgspec import structs

from forms.material import Exemption, Proof
from node import drafting, follow_on, in_force, upkeep
from node.cases import Case, open_case, records_of
from node.errors import NotFound, ResultUnusable
from node.lifecycle import Step
from node.wiring import Node
from tests.node.nodes import (
    ANSWERS,
    BIRTH,
    BIRTH_ANSWERS,
    ELDER,
    Three,
    causes,
    shared_digests,
    step,
    submit,
    sync_all,
)

PAPER = "id_card"


@pytest.fixture
def linked(nodes: Three) -> Three:
    """Let the identity card of one item be spared by the result of another."""
    district = nodes.district
    package = district.package(in_force.find_package(district, ELDER).digest)
    assert package is not None
    result = Exemption(Proof.RESULT, "生育登记", BIRTH)
    materials = tuple(
        structs.replace(one, exempt_by=(*one.exempt_by, result))
        if one.key == PAPER
        else one
        for one in package.item.materials
    )
    item = structs.replace(package.item, materials=materials)
    changed = structs.replace(package, version="3000010101", item=item)
    upkeep.publish(district, [changed])
    sync_all(nodes)
    return nodes


def granted(nodes: Three) -> Case:
    case = submit(nodes.village, BIRTH)
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    step(nodes.town, case.id, Step.GRANT, "符合条件")
    sync_all(nodes)
    return open_case(nodes.village, case.id)


def go_on(node: Node, case: Case, facts: dict[str, str] | None = None) -> Case:
    draft = drafting.begin_draft(node, ELDER, ANSWERS, follows=case.row.number)
    return drafting.submit_draft(node, draft, facts)


def test_a_case_bears_the_number_of_the_one_whose_result_is_its_paper(
    linked: Three,
) -> None:
    first = granted(linked)

    case = go_on(linked.village, first)
    sync_all(linked)

    for node in (linked.village, linked.town, linked.district):
        there = open_case(node, case.id)
        known = records_of(there)
        assert known.follows == first.row.number
        assert known.papers[PAPER].state == follow_on.REUSED
        source = follow_on.source_of(node, there)
        assert source is not None and source.id == first.id
        assert causes(node) == []
        # The result is named, and no file was copied.
        assert there.materials == {}
    assert shared_digests(linked.village, linked.district)


def test_who_applies_is_taken_over_and_what_is_given_counts_more(
    linked: Three,
) -> None:
    first = granted(linked)

    draft = drafting.begin_draft(
        linked.village, ELDER, {"name": "另一个人"}, follows=first.id
    )

    assert draft.follows == first.row.number
    assert draft.answers["name"] == "另一个人"
    assert draft.answers["citizen_id"] == BIRTH_ANSWERS["wife_id"]
    assert draft.answers["phone"] == BIRTH_ANSWERS["wife_phone"]
    # The same name of a question may mean another thing elsewhere.
    assert "home_address" not in draft.answers


def test_only_a_granted_case_can_be_built_on(linked: Three) -> None:
    waiting = submit(linked.village, BIRTH)

    with pytest.raises(ResultUnusable) as refused:
        go_on(linked.village, waiting)

    assert refused.value.why == "not-granted"
    assert linked.village.store.drafts.all() == []


def test_a_number_that_was_typed_is_looked_at_where_the_case_lies_here(
    linked: Three,
) -> None:
    waiting = submit(linked.village, BIRTH)
    draft = drafting.begin_draft(linked.village, ELDER, ANSWERS)
    typed = {"follows": waiting.row.number}

    with pytest.raises(ResultUnusable) as refused:
        drafting.submit_draft(linked.village, draft, typed)

    assert refused.value.why == "not-granted"
    assert linked.village.store.drafts.all() == [draft]


def test_the_result_of_another_item_is_no_paper(linked: Three) -> None:
    first = granted(linked)

    with pytest.raises(ResultUnusable) as refused:
        drafting.begin_draft(linked.village, BIRTH, follows=first.id)
    with pytest.raises(NotFound):
        drafting.begin_draft(linked.village, ELDER, follows="330881105201999999")

    assert refused.value.why == "not-taken"
    assert linked.village.store.drafts.all() == []


def test_a_grant_that_was_disputed_meanwhile_holds_the_draft_back(
    linked: Three,
) -> None:
    first = submit(linked.village, BIRTH)
    sync_all(linked)
    step(linked.town, first.id, Step.ACCEPT)
    sync_all(linked)
    step(linked.town, first.id, Step.GRANT, "符合条件")
    draft_at_town = drafting.begin_draft(
        linked.town, ELDER, ANSWERS, follows=first.row.number
    )
    step(linked.village, first.id, Step.WITHDRAW, "不办了")
    sync_all(linked)

    with pytest.raises(ResultUnusable):
        drafting.submit_draft(linked.town, draft_at_town)

    assert linked.town.store.drafts.get(draft_at_town.document) is not None


def test_a_number_that_is_not_here_stays_as_it_was_typed(linked: Three) -> None:
    first = granted(linked)
    elsewhere = linked.other_village
    draft = drafting.begin_draft(elsewhere, ELDER, ANSWERS)

    case = drafting.submit_draft(elsewhere, draft, {"follows": first.row.number})
    sync_all(linked)

    assert follow_on.source_of(elsewhere, case) is None
    assert records_of(case).papers == {}
    there = follow_on.source_of(linked.town, open_case(linked.town, case.id))
    assert there is not None and there.id == first.id


def test_a_draft_keeps_what_it_follows_as_it_is_filled_in(linked: Three) -> None:
    first = granted(linked)
    draft = drafting.begin_draft(linked.village, ELDER, follows=first.row.number)

    drafting.save_draft(linked.village, draft, ANSWERS, "name")

    (kept,) = linked.village.store.drafts.all()
    assert kept.follows == first.row.number
    case = drafting.submit_draft(
        linked.village, kept, {f"material/{PAPER}": "original_seen"}
    )
    assert records_of(case).papers[PAPER].state == "original_seen"
    assert records_of(case).follows == first.row.number
