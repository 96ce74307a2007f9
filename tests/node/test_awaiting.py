"""What a case waits for besides its state, over real nodes, and how lists find it."""

import pytest
from msgspec import structs

from forms.item import Tier
from node import casework, drafting, in_force, judge, upkeep
from node.cases import Case, open_case
from node.lifecycle import Step
from node.store.cases import Filter
from node.wiring import Node
from tests.node.nodes import (
    ANSWERS,
    ELDER,
    Three,
    reopen,
    step,
    submit,
    sync_all,
    tamper,
)


def listed(node: Node, wanted: Filter) -> list[str]:
    return [row.id for row in node.store.cases.page(wanted, None, 10)]


def with_facts(node: Node, facts: dict[str, str], **answers: str) -> Case:
    draft = drafting.begin_draft(node, ELDER, ANSWERS | answers)
    return drafting.submit_draft(node, draft, facts)


VISITS, LOOKUPS = Filter(is_visit=True), Filter(has_lookup=True)


def test_a_home_visit_is_marked_by_the_intake_or_by_the_form(nodes: Three) -> None:
    village = nodes.village
    told = with_facts(village, {"handling": "visit"})
    asked = with_facts(
        village, {}, handling="visit", visit_address="上塘村 9 号", name="李四"
    )
    submit(village)

    sync_all(nodes)

    for node in (village, nodes.town, nodes.district):
        assert set(listed(node, VISITS)) == {told.id, asked.id}
        assert node.store.cases.count(VISITS) == 2


def test_a_lookup_is_pending_until_somebody_has_said_what_it_found(
    nodes: Three,
) -> None:
    village, town = nodes.village, nodes.town
    case = with_facts(village, {"material/id_card": "lookup"})
    submit(village)
    sync_all(nodes)
    pending = listed(town, LOOKUPS)

    accepted = step(town, case.id, Step.ACCEPT)
    casework.take_step(
        town, case.id, Step.CHECK, facts={"material/id_card": "looked_up"}
    )
    sync_all(nodes)

    assert pending == [case.id]
    assert accepted.row.has_lookup
    for node in (village, town, nodes.district):
        assert listed(node, LOOKUPS) == []


def test_an_ordinary_case_lies_with_its_department_once_it_is_forwarded(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    department = case.package.item.department
    wanted = Filter(waits_for=department)

    step(nodes.town, case.id, Step.ACCEPT)
    before = listed(nodes.town, wanted)
    casework.forward_batch(nodes.town, [case.id])
    sync_all(nodes)
    there = listed(nodes.district, wanted)
    casework.take_step(
        nodes.district,
        case.id,
        Step.TRANSFER,
        note="归那里办",
        facts={"department": "残疾人联合会"},
    )
    moved = listed(nodes.district, wanted)
    after = listed(nodes.district, Filter(waits_for="残疾人联合会"))
    # A part of a name is another department.
    part = listed(nodes.district, Filter(waits_for="残疾人"))
    step(nodes.district, case.id, Step.GRANT, "符合条件")

    assert before == [] and there == [case.id]
    assert moved == [] and after == [case.id] and part == []
    assert listed(nodes.district, Filter(waits_for="残疾人联合会")) == []


def test_what_is_accepted_where_it_is_decided_waits_there_at_once(
    nodes: Three,
) -> None:
    package = nodes.district.package(
        in_force.find_package(nodes.district, ELDER).digest
    )
    assert package is not None
    item = structs.replace(package.item, accept=Tier.DISTRICT)
    upkeep.publish(
        nodes.district, [structs.replace(package, version="3000010101", item=item)]
    )
    sync_all(nodes)
    case = submit(nodes.village)
    sync_all(nodes)

    step(nodes.district, case.id, Step.ACCEPT)

    row = open_case(nodes.district, case.id).row
    assert row.waits_for == (item.department,)


@pytest.mark.parametrize("column", ["is_visit", "has_lookup"])
def test_rows_that_an_older_program_kept_are_made_again_after_the_upgrade(
    nodes: Three, column: str
) -> None:
    case = with_facts(
        nodes.village, {"handling": "visit", "material/id_card": "lookup"}
    )
    home = nodes.village.home.path
    tamper(nodes.village, f"UPDATE cases SET {column} = 0")
    tamper(nodes.village, "DELETE FROM ledger")
    tamper(
        nodes.village,
        "UPDATE settings SET value = ? WHERE key = 'judge_version'",
        str(judge.JUDGE_VERSION - 1).encode(),
    )
    nodes.village.close()

    nodes.village = reopen(home, nodes.clock)

    assert getattr(open_case(nodes.village, case.id).row, column)
    assert upkeep.verify(nodes.village).faults == ()
