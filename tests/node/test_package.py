"""A joint package 一件事, and departments on machines of their own, over real nodes."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from forms import joint
from forms.package import Package
from node import casework, drafting, sample, upkeep
from node.cases import Case, open_case, records_of
from node.errors import StepRefused
from node.lifecycle import State, Step
from node.store.cases import Filter
from node.wiring import Node
from tests.node.nodes import (
    DISTRICT,
    VILLAGE,
    Three,
    causes,
    enrolled,
    shared_digests,
    step,
    sync,
    sync_all,
)
from tests.node.test_shipped_forms import PACKAGES, filled

NEWBORN, KINDERGARTEN = "newborn_package", "kindergarten_opening"


@dataclass(slots=True)
class Offices:
    """The usual line, and at the district a machine for each department of a case."""

    line: Three
    by_department: dict[str, Node]
    case: Case

    def sync(self) -> None:
        """Let everybody hear everything; between two calls nobody hears anything."""
        for _ in range(2):
            for node in self.by_department.values():
                sync(node, self.line.district)
            sync_all(self.line, rounds=1)

    def advise(self, department: str, result: str) -> None:
        """Let a department say of all of its branches what it thinks."""
        node = self.by_department[department]
        for one in records_of(open_case(node, self.case.id)).branches:
            if one.branch.department == department:
                facts = {"branch": one.branch.key, "result": result}
                casework.take_step(node, self.case.id, Step.ADVISE, facts=facts)


@pytest.fixture
def offices(nodes: Three) -> Iterator[Offices]:
    """Three departments at three machines, and a joint case that lies with them."""
    package = PACKAGES[KINDERGARTEN]
    upkeep.publish(nodes.district, [package])
    sync_all(nodes)
    departments = dict.fromkeys(one.department for one in package.item.members)
    homes = {
        name: enrolled(
            nodes.district,
            nodes.path / f"office{number}",
            "district",
            DISTRICT,
            name,
            department=name,
        )
        for number, name in enumerate(departments)
    }
    form = filled(package, KINDERGARTEN, nodes.town.today())
    draft = drafting.begin_draft(nodes.town, package.item.code, form.submitted)
    case = drafting.submit_draft(nodes.town, draft)
    sync_all(nodes)
    step(nodes.district, case.id, Step.ACCEPT)
    made = Offices(nodes, homes, case)
    made.sync()
    yield made
    for node in homes.values():
        node.close()


def todo(node: Node) -> list[str]:
    """Return what the list of a department's own node begins with."""
    wanted = Filter(waits_for=node.certificate.department)
    return [row.id for row in node.store.cases.page(wanted, None, 10)]


def pending(node: Node, case: Case) -> list[str]:
    return [
        one.branch.department
        for one in records_of(open_case(node, case.id)).branches
        if not one.result
    ]


def test_two_departments_decide_offline_and_the_third_is_still_to(
    offices: Offices,
) -> None:
    first, second, third = names = list(offices.by_department)
    case, district = offices.case, offices.line.district
    at_once = {
        name: pending(node, case) for name, node in offices.by_department.items()
    }
    lists = {name: todo(node) for name, node in offices.by_department.items()}

    offices.advise(first, "agree")
    offices.advise(second, "agree")
    alone = todo(offices.by_department[first])
    offices.sync()

    assert all(found == names for found in at_once.values())
    assert all(found == [case.id] for found in lists.values())
    lead = case.package.item.department
    assert alone == []
    for node in (district, offices.line.town, *offices.by_department.values()):
        assert pending(node, case) == [third]
        assert open_case(node, case.id).row.waits_for == (third,)
        assert causes(node) == []
        assert shared_digests(node, district)
    assert todo(offices.by_department[third]) == [case.id]
    with pytest.raises(StepRefused) as refused:
        step(district, case.id, Step.GRANT, "符合条件")
    assert refused.value.why == "branches-open"
    offices.advise(third, "agree")
    offices.sync()
    assert open_case(district, case.id).row.waits_for == (lead,)


def test_a_department_may_not_speak_for_another(offices: Offices) -> None:
    first, second, _ = offices.by_department
    node, case = offices.by_department[first], offices.case
    other = next(
        one.branch.key
        for one in records_of(open_case(node, case.id)).branches
        if one.branch.department == second
    )

    with pytest.raises(StepRefused) as refused:
        casework.take_step(
            node, case.id, Step.ADVISE, facts={"branch": other, "result": "agree"}
        )

    assert refused.value.why == "department"
    assert pending(node, case) == list(offices.by_department)


def test_one_visit_has_three_results_and_the_whole_follows(offices: Offices) -> None:
    case, district = offices.case, offices.line.district
    branches = records_of(open_case(district, case.id)).branches
    keys = {one.branch.department: one.branch.key for one in branches}
    facts = {"on": "2026-11-24", "branches": " ".join(keys.values())}
    visited = casework.take_step(district, case.id, Step.VISIT, facts=facts)
    (visit,) = records_of(visited).visits
    offices.sync()

    for name, node in offices.by_department.items():  # each with no line
        result = {"visit": visit.id, "branch": keys[name], "result": "pass"}
        casework.take_step(node, case.id, Step.INSPECT, facts=result)
        offices.advise(name, "agree")
    offices.sync()
    step(district, case.id, Step.GRANT, "三家都同意")
    offices.sync()

    for node in (offices.line.town, *offices.by_department.values()):
        there = open_case(node, case.id)
        known = records_of(there)
        assert [one.inspected for one in known.branches] == ["pass"] * 3
        assert [one.result for one in known.branches] == ["agree"] * 3
        assert len(known.visits) == 1
        assert there.story.state is State.GRANTED
        assert there.row.waits_for == () and causes(node) == []


def test_one_refusal_is_enough_for_who_leads(offices: Offices) -> None:
    first, second, third = offices.by_department
    case, district = offices.case, offices.line.district

    offices.advise(second, "refuse")
    offices.sync()

    waits_for = set(open_case(district, case.id).row.waits_for)
    assert waits_for == {first, third, case.package.item.department}
    step(district, case.id, Step.REFUSE, "消防不合格")
    assert open_case(district, case.id).story.state is State.REFUSED


# -- a package ------------------------------------------------------------------


def newborn(nodes: Three) -> Package:
    package = PACKAGES[NEWBORN]
    upkeep.publish(nodes.district, [package])
    sync_all(nodes)
    return package


def test_a_paper_that_was_handed_in_once_is_there_for_every_item_of_the_package(
    nodes: Three,
) -> None:
    package = newborn(nodes)
    (application,) = sample.applications(
        [package],
        seed=1,
        today=nodes.village.today(),
        division=VILLAGE,
        count=1,
    )
    draft = drafting.begin_draft(nodes.village, package.item.code, application.answers)
    case = drafting.submit_draft(
        nodes.village, draft, {"material/parents_id": "original_seen"}
    )
    sync_all(nodes)

    there = open_case(nodes.district, case.id)
    known = records_of(there)

    members = package.item.members
    papers = {
        one.name: [paper.key for paper in joint.papers_of(package.item, one)]
        for one in members
    }
    assert len(members) == 7
    assert all("parents_id" in keys for keys in papers.values())
    assert sum("marriage_certificate" in keys for keys in papers.values()) == 3
    assert list(known.papers) == ["parents_id"]
    # Each question and each paper is there once.
    keys = [one.key for one in package.questions]
    names = [one.key for one in package.item.materials]
    assert len(keys) == len(set(keys)) and len(names) == len(set(names))
