"""A case taken in at one town for another's village 全市通办, over real nodes."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from node import casework, drafting, places, upkeep
from node.cases import Case, open_case
from node.errors import Ambiguous, NotFound, StepRefused
from node.lifecycle import State, Step
from node.status import arrivals
from node.store.cases import Filter
from node.wiring import Node
from sync.identity import join_scope
from tests.node.forge import birth, copy_of, package_of, put_entry
from tests.node.nodes import (
    ANSWERS,
    ELDER,
    OTHER_TOWN,
    TOWN,
    VILLAGE,
    Three,
    causes,
    digests,
    enrolled,
    reopen,
    shared_digests,
    step,
    submit,
    sync,
)

THERE = "330881106201"
JOINT = join_scope(VILLAGE, THERE)


@dataclass(slots=True)
class Two:
    """The usual line, and beside it another town with a village."""

    line: Three
    town: Node
    village: Node

    def sync(self, rounds: int = 3) -> None:
        """Let everybody hear everything, by the usual ways only."""
        for _ in range(rounds):
            for below, above in self._ways():
                sync(below, above)
        sync(self.line.village, self.line.town)
        sync(self.village, self.town)

    def _ways(self) -> Iterator[tuple[Node, Node]]:
        yield self.line.village, self.line.town
        yield self.line.other_village, self.line.town
        yield self.line.town, self.line.district
        yield self.village, self.town
        yield self.town, self.line.district


@pytest.fixture
def two(nodes: Three) -> Iterator[Two]:
    town = enrolled(nodes.district, nodes.path / "town2", "town", OTHER_TOWN, "贺村镇")
    village = enrolled(town, nodes.path / "village2", "village", THERE, "耀里村")
    made = Two(nodes, town, village)
    made.sync()
    yield made
    town.close()
    village.close()


def take_in(node: Node, place: str = THERE) -> Case:
    return drafting.submit_draft(
        node, drafting.begin_draft(node, ELDER, ANSWERS, place)
    )


def test_a_case_for_another_towns_village_goes_over_and_its_answer_comes_home(
    two: Two,
) -> None:
    line = two.line
    case = take_in(line.village)
    two.sync()

    step(two.town, case.id, Step.ACCEPT)
    casework.forward_batch(two.town, [case.id])
    two.sync()
    step(line.district, case.id, Step.GRANT, "符合条件")
    two.sync()

    everyone = (line.village, line.town, line.district, two.town, two.village)
    for node in everyone:
        there = open_case(node, case.id)
        assert there.story.state is State.GRANTED
        assert there.scope == JOINT
        assert (there.row.division, there.row.taken_in_at) == (THERE, VILLAGE)
        assert there.fields == case.fields
        assert causes(node) == []
        assert node.store.refusals.newest(9) == []
        assert upkeep.verify(node).faults == ()
    assert len({digests(node)[JOINT] for node in everyone}) == 1
    known = arrivals(line.village, [case.row.document])[case.row.document]
    assert known.town_ms and known.district_ms


def test_nobody_else_holds_anything_of_it(two: Two) -> None:
    case = take_in(two.line.village)
    two.sync()

    other = two.line.other_village

    assert other.store.cases.get(case.row.document) is None
    assert JOINT not in other.store.vectors.scopes()
    assert JOINT not in [vector.scope for vector in other.store.vectors.all()]
    # Nor do those who see it see anything more of each other.
    assert VILLAGE not in two.town.store.vectors.scopes()
    assert THERE not in two.line.village.store.vectors.scopes()


@pytest.mark.parametrize("node", ["intake village", "intake town", "village there"])
def test_both_lines_do_the_paperwork(two: Two, node: str) -> None:
    case = take_in(two.line.village)
    two.sync()
    who = {
        "intake village": two.line.village,
        "intake town": two.line.town,
        "village there": two.village,
    }[node]

    step(who, case.id, Step.AMEND, remark="电话改了")
    two.sync()

    for one in (two.line.village, two.line.district, two.town, two.village):
        assert open_case(one, case.id).fields["remark"] == "电话改了"
        assert causes(one) == []


@pytest.mark.parametrize("what", [Step.ACCEPT, Step.RETURN])
def test_the_town_that_only_took_it_in_may_not_decide_on_it(
    two: Two, what: Step
) -> None:
    """Its own screen refuses; and so does everybody who is sent it all the same."""
    case = take_in(two.line.village)
    two.sync()
    wrong = two.line.town

    with pytest.raises(StepRefused) as refused:
        step(wrong, case.id, what, "不行")
    copy = copy_of(wrong, case.id)
    put_entry(wrong, copy.id, copy.write(wrong, what), scope=JOINT)
    two.sync()

    assert refused.value.why == "elsewhere"
    for node in (two.line.village, two.line.district, two.town, two.village):
        assert open_case(node, case.id).story.state is State.SUBMITTED
        assert causes(node) == ["right"]
    assert what not in casework.possible_steps(wrong, open_case(wrong, case.id))
    assert what in casework.possible_steps(two.town, open_case(two.town, case.id))


@pytest.mark.parametrize(
    ("scope", "verdict"),
    [
        (TOWN, []),
        (join_scope(TOWN, THERE), []),
        (join_scope(TOWN, "330881107201"), []),  # a place without any node
        (VILLAGE, ["scope"]),  # the town shares it, and is not at it
        (JOINT, ["scope"]),
    ],
)
def test_a_case_begins_in_a_scope_of_its_authors_division(
    two: Two, scope: str, verdict: list[str]
) -> None:
    author = two.line.town
    document, _, raw = birth(author, package_of(author, ELDER), scope=scope)

    put_entry(author, document, raw, scope=scope)
    two.sync()

    assert causes(two.line.district) == verdict
    case = two.line.district.store.cases.get(document)
    assert (case is None) == bool(verdict)


def test_a_case_cannot_be_told_again_in_another_scope(two: Two) -> None:
    """Its id is a hash over its scope, so it would be another case."""
    village = two.line.village
    document, _, raw = birth(village, package_of(village, ELDER), scope=VILLAGE)

    put_entry(village, document, raw, scope=JOINT)
    two.sync()

    assert causes(two.town) == ["author"]
    assert two.town.store.documents.count() == 0


def test_a_draft_keeps_its_place_and_nothing_of_it_travels(two: Two) -> None:
    village = two.line.village
    draft = drafting.begin_draft(village, ELDER, ANSWERS, "耀里村")
    drafting.save_draft(village, draft, ANSWERS | {"remark": "x"})
    two.sync()

    kept = village.store.drafts.get(draft.document)
    assert kept is not None and kept.division == THERE
    assert JOINT not in village.store.vectors.scopes()
    assert drafting.submit_draft(village, kept).scope == JOINT


def test_a_case_for_here_is_no_joint_case(two: Two) -> None:
    for place in ("", VILLAGE, "上塘村"):
        assert take_in(two.line.village, place).scope == VILLAGE


@pytest.mark.parametrize("place", ["月亮村", "330881107201", "330882106201", "江山市"])
def test_a_place_where_nobody_could_accept_it_is_refused(two: Two, place: str) -> None:
    with pytest.raises(NotFound):
        drafting.begin_draft(two.line.village, ELDER, ANSWERS, place)

    assert two.line.village.store.drafts.all() == []


def test_a_village_without_a_node_is_served_by_its_town(two: Two) -> None:
    case = take_in(two.line.village, "330881106299")
    two.sync()

    step(two.town, case.id, Step.ACCEPT)
    two.sync()

    assert open_case(two.line.village, case.id).story.state is State.ACCEPTED


def test_two_places_of_one_name_must_be_told_apart(two: Two) -> None:
    namesake = enrolled(
        two.town, two.line.path / "namesake", "village", "330881106202", "下塘村"
    )
    namesake.close()
    two.sync()
    village = two.line.village

    with pytest.raises(Ambiguous):
        drafting.begin_draft(village, ELDER, ANSWERS, "下塘村")
    package = village.package(package_of(village, ELDER))
    assert package is not None
    listed = places.known_places(village, package.item)

    assert [(one.name, one.above) for one in listed] == [
        ("下塘村", "石门镇"),
        ("贺村镇", ""),
        ("耀里村", "贺村镇"),
        ("下塘村", "贺村镇"),
    ]


def test_a_town_takes_in_for_its_own_village_and_the_village_sees_it(
    two: Two,
) -> None:
    case = take_in(two.line.town, VILLAGE)
    two.sync()

    step(two.line.town, case.id, Step.ACCEPT)
    two.sync()

    assert open_case(two.line.village, case.id).story.state is State.ACCEPTED
    assert two.line.other_village.store.cases.get(case.row.document) is None


def test_a_list_finds_it_under_both_places(two: Two) -> None:
    case = take_in(two.line.village)
    here = submit(two.line.village)
    two.sync()

    def found(node: Node, **wanted: str) -> set[str]:
        return {row.id for row in node.store.cases.page(Filter(**wanted), None, 9)}

    town, store = two.line.town, two.line.town.store.cases
    assert found(town, division_prefix=VILLAGE) == {case.id, here.id}
    assert found(town, for_prefix=VILLAGE[:9]) == {here.id}
    assert found(two.town, division_prefix=THERE) == {case.id}
    assert found(two.town, for_prefix=THERE[:9]) == {case.id}
    assert store.counts_elsewhere(VILLAGE[:9]) == {"submitted": 1}
    assert two.town.store.cases.counts_elsewhere(THERE[:9]) == {}


def test_a_rebuilt_store_says_the_same(two: Two) -> None:
    case = take_in(two.line.village)
    two.sync()
    before = two.town.store.cases.get(case.row.document)

    upkeep.rebuild(two.town)

    assert two.town.store.cases.get(case.row.document) == before
    assert shared_digests(two.town, two.line.district)
    again = reopen(two.town.home.path, two.line.clock)
    assert again.store.cases.get(case.row.document) == before
    again.close()
