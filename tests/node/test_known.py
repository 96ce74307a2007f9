"""A person who has been here before: found by the id number, with what was verified."""

from pathlib import Path

import pytest

from node import audit, drafting, in_force, known, reuse
from node.cases import Case, open_case
from node.errors import WriteForbidden
from node.known import Person, person
from node.lifecycle import Step
from node.progress import ways
from node.wiring import Node
from tests.node.nodes import (
    ALLOWANCE,
    ANSWERS,
    ELDER,
    ID_NUMBER,
    Three,
    step,
    submit,
    sync,
    sync_all,
    tamper,
)
from tests.node.papers import agree, asked, scan, taken_in

WHO = {"citizen_id": ID_NUMBER}


def who_is(
    node: Node,
    item: str = ALLOWANCE,
    own: bytes | None = None,
    citizen_id: str = ID_NUMBER,
) -> Person | None:
    package = node.package(in_force.find_package(node, item).digest)
    assert package is not None
    return person(node, package, {"citizen_id": citizen_id}, own)


def given(node: Node, item: str = ALLOWANCE, **answers: str) -> dict[str, str]:
    """Return what may be taken over at a node, by key."""
    package = node.package(in_force.find_package(node, item).digest)
    found = who_is(node, item)
    assert package is not None and found is not None
    offers = known.offers(node, package, WHO | answers, found)
    return {key: text for one in offers for key, text in one.answers.items()}


def accepted(nodes: Three) -> Case:
    """Return a case of the village that the town has accepted, as the village knows."""
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)
    step(nodes.town, case.id, Step.ACCEPT)
    sync(nodes.village, nodes.town)
    return open_case(nodes.village, case.id)


def test_answers_of_an_accepted_case_are_offered_with_number_and_day(
    nodes: Three,
) -> None:
    case = accepted(nodes)

    found = who_is(nodes.village)

    assert found is not None
    (source,) = found.earlier
    assert [row.id for row in found.rows] == [case.id]
    assert (source.number, source.item_name) == (case.row.number, case.row.item_name)
    assert source.verified_at_ms == case.story.happened[-1].event.at
    assert given(nodes.village) == {
        key: ANSWERS[key]
        for key in (
            "name",
            "phone",
            "household_division",
            "household_address",
            "home_address",
        )
    }


def test_what_stands_there_already_is_not_offered(nodes: Three) -> None:
    accepted(nodes)

    offered = given(nodes.village, name=ANSWERS["name"], phone="13957000000")

    assert "name" not in offered
    assert offered["phone"] == ANSWERS["phone"]


def test_a_case_that_nobody_has_looked_at_offers_nothing(nodes: Three) -> None:
    submit(nodes.village)

    found = who_is(nodes.village)

    assert found is not None
    assert len(found.rows) == 1
    assert found.earlier == ()


@pytest.mark.parametrize("last", [Step.WITHDRAW, Step.RETURN, Step.REFUSE])
def test_what_did_not_end_well_offers_nothing(nodes: Three, last: Step) -> None:
    case = accepted(nodes)
    step(nodes.town, case.id, Step.FORWARD)
    sync_all(nodes)
    who = nodes.town if last is Step.WITHDRAW else nodes.district
    step(who, case.id, last, note="情况不符")
    sync_all(nodes)

    found = who_is(nodes.village)

    assert found is not None and found.earlier == ()


def test_a_delivered_refusal_offers_nothing(nodes: Three) -> None:
    case = accepted(nodes)
    step(nodes.town, case.id, Step.FORWARD)
    sync_all(nodes)
    step(nodes.district, case.id, Step.REFUSE, note="不符合条件")
    sync_all(nodes)
    step(nodes.village, case.id, Step.DELIVER)

    found = who_is(nodes.village)

    assert found is not None and found.earlier == ()


def test_who_took_a_case_in_has_not_verified_it(nodes: Three) -> None:
    case = submit(nodes.town)
    step(nodes.town, case.id, Step.ACCEPT)

    before = who_is(nodes.town)
    step(nodes.town, case.id, Step.FORWARD)
    sync_all(nodes)
    step(nodes.district, case.id, Step.GRANT)
    sync_all(nodes)
    after = who_is(nodes.town)

    assert before is not None and before.earlier == ()
    assert after is not None and len(after.earlier) == 1


def test_another_person_another_place_and_half_a_number_find_nothing(
    nodes: Three,
) -> None:
    accepted(nodes)

    assert who_is(nodes.village, citizen_id="11010519491231002X") is None
    assert who_is(nodes.village, citizen_id=ID_NUMBER[:17]) is None
    assert who_is(nodes.village, citizen_id="") is None
    assert who_is(nodes.other_village) is None


def test_a_number_is_found_however_it_is_written(nodes: Three) -> None:
    submit(nodes.village, citizen_id="11010519491231002X", sex="female")
    wide = "１１０１０５１９４９１２３１００２x"

    assert who_is(nodes.village, citizen_id=wide) is not None


def test_an_open_case_of_the_same_item_is_a_twin_until_it_is_over(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    other_item = who_is(nodes.village, ALLOWANCE)
    itself = who_is(nodes.village, ELDER, own=case.row.document)

    waiting = who_is(nodes.village, ELDER)
    step(nodes.village, case.id, Step.WITHDRAW, note="不办了")
    over = who_is(nodes.village, ELDER)

    assert other_item is not None and other_item.twins == ()
    assert itself is None
    assert waiting is not None
    assert [row.id for row in waiting.twins] == [case.id]
    assert over is not None and over.twins == ()


def test_a_draft_of_the_same_item_is_a_twin(nodes: Three) -> None:
    draft = drafting.begin_draft(nodes.village, ELDER, ANSWERS)

    found = who_is(nodes.village, ELDER)

    assert found is not None
    assert [row.id for row in found.twins] == [draft.id]
    assert who_is(nodes.village, ELDER, own=draft.document) is None


def test_who_has_an_open_case_is_named(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)

    def has_it() -> str:
        return known.holder(nodes.village, open_case(nodes.village, case.id).row)

    submitted = has_it()
    step(nodes.town, case.id, Step.ACCEPT)
    step(nodes.town, case.id, Step.FORWARD)
    sync_all(nodes)
    forwarded = has_it()
    step(nodes.district, case.id, Step.RETURN, note="照片不清")
    sync_all(nodes)
    returned = has_it()

    assert submitted == "石门镇"
    assert forwarded == "江山市 民政局（老龄办）"
    assert returned == "上塘村"


def test_a_case_number_that_looks_like_an_id_number_gives_nothing_away(
    nodes: Three,
) -> None:
    case = accepted(nodes)
    row = case.row
    tamper(
        nodes.village,
        "UPDATE search SET numbers = ? WHERE rowid = ?",
        "11010519491231002x",
        row.row,
    )

    found = who_is(nodes.village, citizen_id="11010519491231002X")

    assert found is not None and found.earlier == ()


def test_looking_is_written_down_without_any_answer(nodes: Three) -> None:
    case = accepted(nodes)
    found = who_is(nodes.village)
    package = nodes.village.package(
        in_force.find_package(nodes.village, ALLOWANCE).digest
    )
    assert found is not None and package is not None

    known.look(nodes.village, known.offers(nodes.village, package, WHO, found), "一号")

    record = nodes.village.store.registry.audits(1)[0]
    assert (record.act, record.subject) == (audit.LOOK, "一号")
    assert record.note == case.row.number
    assert record.by == nodes.village.operator


def test_where_nothing_can_be_written_nothing_may_be_looked_at(
    nodes: Three,
) -> None:
    accepted(nodes)
    # As where an older state was put back: it has signed for more than it has.
    tamper(nodes.village, "UPDATE streams SET claimed = 99999")

    found = _offers(nodes.village, ALLOWANCE)

    assert found
    with pytest.raises(WriteForbidden):
        known.look(nodes.village, found, "一号")


def test_a_file_is_taken_over_by_its_name_and_travels_no_second_time(
    nodes: Three, tmp_path: Path
) -> None:
    photo = taken_in(nodes.village, scan(tmp_path, "照片.pdf"))
    case = submit(nodes.village, photo=photo)
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    sync_all(nodes)
    (offer,) = [one for one in _offers(nodes.village, ELDER) if "photo" in one.answers]
    answers = reuse.applied(ANSWERS, [offer])

    second = drafting.submit_draft(
        nodes.village, drafting.begin_draft(nodes.village, ELDER, answers)
    )
    agree(nodes.village, nodes.town)  # entries, and no piece of any file
    wanted = asked(nodes.town, nodes.village)
    agree(nodes.village, nodes.town)

    assert list(second.materials) == [photo]
    assert second.materials[photo].name == "照片.pdf"
    assert wanted == {}
    assert ways(nodes.village, second.row.document)[photo].town


def test_a_file_that_came_over_the_line_keeps_its_name_in_the_next_case(
    nodes: Three, tmp_path: Path
) -> None:
    photo = taken_in(nodes.village, scan(tmp_path, "照片.pdf"))
    case = submit(nodes.village, photo=photo)
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    offered = [one for one in _offers(nodes.town, ELDER) if one.key == "photo"]

    known.keep_names(nodes.town, offered)
    answers = reuse.applied(ANSWERS, offered)
    draft = drafting.begin_draft(nodes.town, ELDER, answers)
    second = drafting.submit_draft(nodes.town, draft)

    assert second.materials[photo].name == "照片.pdf"


def test_a_file_that_has_not_come_to_the_town_is_not_offered(
    nodes: Three, tmp_path: Path
) -> None:
    photo = taken_in(nodes.village, scan(tmp_path, "照片.pdf"))
    case = submit(nodes.village, photo=photo)
    agree(nodes.village, nodes.town)
    step(nodes.town, case.id, Step.ACCEPT)
    agree(nodes.village, nodes.town)

    found = _offers(nodes.village, ELDER)

    assert "photo" not in {one.key for one in found}
    assert "name" in {one.key for one in found}


def _offers(node: Node, item: str) -> list[reuse.Offer]:
    package = node.package(in_force.find_package(node, item).digest)
    found = who_is(node, item)
    assert package is not None and found is not None
    return known.offers(node, package, WHO, found)
