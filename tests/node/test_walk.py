"""One case up and its decision down, and what everybody may say of it meanwhile."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node import answering, casework, drafting, peers, talk, upkeep
from node.cases import open_case
from node.errors import NodeError, StepRefused
from node.lifecycle import State, Step
from node.matters import MARK_CHANGED, MARK_CONFLICT, MARK_DISPUTED
from node.settling import settle
from node.status import Arrival, arrivals
from node.wiring import Node
from tests.node.forge import bundle_for
from tests.node.nodes import (
    ALLOWANCE,
    BIRTH,
    ELDER,
    OTHER_VILLAGE,
    VILLAGE,
    Three,
    answer,
    causes,
    digests,
    reopen,
    rows,
    shared_digests,
    step,
    story,
    submit,
    sync,
    sync_all,
    three,
)
from tests.saying import facts_for


def arrived(node: Node, document: bytes) -> tuple[bool | None, bool | None]:
    """Return whether 已到镇 and 已到区 may be shown; None: does not apply."""
    one = arrivals(node, [document])[document]
    return tuple(  # type: ignore[return-value]
        None if at is None else bool(at) for at in (one.town_ms, one.district_ms)
    )


def test_a_case_travels_up_and_its_decision_home(nodes: Three) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district

    case = submit(village)
    document = case.row.document
    assert arrived(village, document) == (False, False)

    sync(village, town)
    assert arrived(village, document) == (True, False)
    assert town.store.cases.get(document) is not None
    assert district.store.cases.get(document) is None

    accepted = step(town, case.id, Step.ACCEPT)
    assert accepted.story.state is State.ACCEPTED
    assert arrived(town, document) == (None, False)
    batch, _ = casework.forward_batch(town, [case.id])
    assert arrived(village, document) == (True, False)

    sync(town, district)
    assert arrived(town, document) == (None, True)
    assert arrived(village, document) == (True, False), "the village was not told yet"
    assert [row.number for row in district.store.registry.batches(5)] == [batch.number]

    sync(village, town)
    assert arrived(village, document) == (True, True)
    assert open_case(village, case.id).story.state is State.FORWARDED

    granted = step(district, case.id, Step.GRANT)
    assert granted.story.state is State.GRANTED
    assert open_case(village, case.id).story.state is State.FORWARDED

    sync(town, district)
    sync(village, town)
    assert open_case(village, case.id).story.state is State.GRANTED
    step(village, case.id, Step.DELIVER)
    assert arrived(village, document) == (False, False), "the delivery has not arrived"
    sync_all(nodes)
    assert arrived(village, document) == (True, True)
    assert {open_case(n, case.id).story.state for n in nodes.nodes[:3]} == {
        State.DELIVERED
    }
    for one in nodes:
        assert all(shared_digests(one, other) for other in nodes)
        assert upkeep.verify(one).faults == ()


def test_nothing_has_arrived_because_it_was_sent(nodes: Three) -> None:
    case = submit(nodes.village)
    document = case.row.document
    data = bundle_for(nodes.village, nodes.town)

    answer(nodes.town, data)

    town = nodes.town.id
    acknowledged = nodes.village.store.arrivals.acknowledged
    assert nodes.town.store.cases.get(document) is not None
    assert acknowledged(document, nodes.village.id, [town]) == {town: 0}
    assert arrivals(nodes.village, [document])[document] == Arrival(0, 0)


def test_a_case_of_another_author_has_no_arrival_of_ours(nodes: Three) -> None:
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)

    assert arrived(nodes.town, case.row.document) == (None, None)


def test_one_case_that_is_not_there_holds_no_other_back(nodes: Three) -> None:
    first = submit(nodes.village)
    sync(nodes.village, nodes.town)
    second = submit(nodes.village)

    assert arrived(nodes.village, first.row.document) == (True, False)
    assert arrived(nodes.village, second.row.document) == (False, False)


def test_when_a_case_has_arrived_is_not_moved_by_a_later_one(nodes: Three) -> None:
    first = submit(nodes.village)
    sync(nodes.village, nodes.town)
    document = first.row.document
    before = arrivals(nodes.village, [document])

    nodes.clock.advance(3600_000)
    submit(nodes.village)
    sync(nodes.village, nodes.town)

    assert arrivals(nodes.village, [document]) == before


def test_nothing_new_is_one_request_below_a_kilobyte(nodes: Three) -> None:
    submit(nodes.village)
    sync_all(nodes)

    for one, other in ((nodes.village, nodes.town), (nodes.town, nodes.district)):
        report = sync(one, other)
        assert report.requests == 1
        assert report.bytes_out + report.bytes_in < 1024
        assert (report.sent, report.received, report.refused) == (0, 0, ())


def test_saying_nothing_costs_the_same_whatever_is_held(nodes: Three) -> None:
    costs = []
    for count in (5, 295):
        for _ in range(count):
            submit(nodes.village)
        sync_all(nodes)
        reports = [
            sync(nodes.village, nodes.town),
            sync(nodes.town, nodes.district),
        ]
        costs.append([(r.requests, r.bytes_out, r.bytes_in) for r in reports])

    assert costs[0] == costs[1]
    assert nodes.district.store.documents.count() == 300


def test_a_village_never_hears_of_another_village(nodes: Three) -> None:
    mine, theirs = submit(nodes.village), submit(nodes.other_village)

    sync_all(nodes)

    assert nodes.town.store.documents.count() == 2
    for node, own in ((nodes.village, mine), (nodes.other_village, theirs)):
        assert node.store.documents.count() == 1
        assert node.store.cases.get(own.row.document) is not None
    assert OTHER_VILLAGE not in digests(nodes.village)
    assert VILLAGE not in digests(nodes.other_village)


def test_a_draft_never_leaves_its_node(nodes: Three) -> None:
    drafting.begin_draft(nodes.village, ELDER, {"name": "张三"})

    report = sync(nodes.village, nodes.town)

    assert (report.sent, report.bytes_out < 1024) == (0, True)
    assert nodes.town.store.documents.count() == 0
    assert rows(nodes.town, "SELECT count(*) FROM drafts") == [(0,)]


def test_a_case_decided_at_the_town_needs_no_district(nodes: Three) -> None:
    case = submit(nodes.village, BIRTH)
    sync(nodes.village, nodes.town)

    step(nodes.town, case.id, Step.ACCEPT)
    with pytest.raises(StepRefused) as refused:
        step(nodes.town, case.id, Step.FORWARD)
    step(nodes.town, case.id, Step.GRANT)
    sync_all(nodes)

    assert refused.value.why == "decided-here"
    assert all(
        open_case(n, case.id).story.state is State.GRANTED for n in nodes.nodes[:3]
    )


def test_a_batch_goes_whole_or_not_at_all(nodes: Three) -> None:
    good, bad = submit(nodes.village), submit(nodes.village, ALLOWANCE)
    sync(nodes.village, nodes.town)
    step(nodes.town, good.id, Step.ACCEPT)
    before = digests(nodes.town)

    with pytest.raises(StepRefused):
        casework.forward_batch(nodes.town, [good.id, bad.id])

    assert digests(nodes.town) == before
    assert open_case(nodes.town, good.id).story.state is State.ACCEPTED
    assert nodes.town.store.registry.batches(5) == []


# -- honest work that meets other honest work --------------------------------------


def test_an_amendment_meets_an_acceptance_and_both_stand(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)

    step(nodes.village, case.id, Step.AMEND, home_address="新村 8 号")
    step(nodes.town, case.id, Step.ACCEPT)
    sync_all(nodes)

    for node in nodes.nodes[:3]:
        here = open_case(node, case.id)
        assert causes(node) == []
        assert here.row.mark == MARK_CHANGED
        assert here.story.state is State.ACCEPTED
        assert here.story.disputed == ()
        assert here.fields["home_address"] == "新村 8 号"
    assert len({str(story(node, case.id)) for node in nodes.nodes[:3]}) == 1


def test_two_values_of_one_field_are_both_shown_with_their_authors(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    sync_all(nodes)

    step(nodes.village, case.id, Step.AMEND, home_address="甲地")
    step(nodes.town, case.id, Step.AMEND, home_address="乙地")
    step(nodes.town, case.id, Step.ACCEPT)
    sync_all(nodes)

    for node in nodes.nodes[:3]:
        here = open_case(node, case.id)
        assert causes(node) == []
        assert here.row.mark == MARK_CONFLICT
        (conflict,) = here.conflicts
        assert conflict.key == "home_address"
        assert {(one.value, one.authors[0].node) for one in conflict.sides} == {
            ("甲地", nodes.village.id.hex()[:16]),
            ("乙地", nodes.town.id.hex()[:16]),
        }
    assert shared_digests(nodes.village, nodes.town)
    assert shared_digests(nodes.town, nodes.district)


def test_equal_values_of_one_field_are_no_conflict(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)

    step(nodes.village, case.id, Step.AMEND, home_address="同一处")
    step(nodes.town, case.id, Step.AMEND, home_address="同一处")
    sync_all(nodes)

    assert {open_case(n, case.id).row.mark for n in nodes.nodes[:3]} == {""}


def test_a_withdrawal_meets_a_grant_and_both_are_kept(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    casework.forward_batch(nodes.town, [case.id])
    sync_all(nodes)

    step(nodes.village, case.id, Step.WITHDRAW, "申请人不办了")
    step(nodes.district, case.id, Step.GRANT)
    sync_all(nodes)

    stories = {str(story(node, case.id)) for node in nodes.nodes[:3]}
    assert len(stories) == 1
    here = open_case(nodes.village, case.id)
    assert here.row.mark == MARK_DISPUTED
    assert len(here.story.disputed) == 1
    assert {str(h.event.step) for h in here.story.happened} >= {"withdraw", "grant"}
    assert all(causes(node) == [] for node in nodes)
    assert shared_digests(nodes.village, nodes.town)


# -- any order, any repetition -----------------------------------------------------

_ORDERS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.sampled_from(["village", "other_village"])),
        st.tuples(
            st.just("step"),
            st.sampled_from(["village", "town", "district"]),
            st.integers(0, 9),
            st.integers(0, 9),
        ),
        st.tuples(
            st.just("pack"),
            st.sampled_from(
                [
                    ("village", "town"),
                    ("town", "village"),
                    ("town", "district"),
                    ("district", "town"),
                    ("village", "district"),
                    ("district", "village"),
                    ("other_village", "town"),
                ]
            ),
        ),
        st.tuples(st.just("deliver"), st.integers(0, 30)),
        st.tuples(st.just("sync"), st.booleans()),
    ),
    min_size=5,
    max_size=40,
)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(_ORDERS)
def test_bundles_lost_late_or_repeated_cost_nothing_but_time(
    orders: list[tuple[object, ...]],
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        three(Path(folder)) as nodes,
    ):
        packed: list[tuple[str, bytes]] = []
        for order in orders:
            _obey(nodes, packed, order)
        for receiver, data in packed[::-1]:
            answer(getattr(nodes, receiver), data)
        sync_all(nodes)

        for one in nodes:
            assert causes(one) == []
            assert one.store.documents.counts() == (0, 0)
            assert upkeep.verify(one).faults == ()
            assert all(shared_digests(one, other) for other in nodes)
        lists = [
            rows(
                n,
                "SELECT document, state, mark, settler, open_count, had_conflict, "
                "applicant FROM cases ORDER BY 1",
            )
            for n in (nodes.town, nodes.district)
        ]
        assert lists[0] == lists[1]
        before = digests(nodes.town)
        for receiver, data in packed:
            answer(getattr(nodes, receiver), data)
        assert digests(nodes.town) == before


def _obey(
    nodes: Three, packed: list[tuple[str, bytes]], order: tuple[object, ...]
) -> None:
    match order:
        case ("submit", str(who)):
            submit(getattr(nodes, who))
        case ("step", str(who), int(which), int(what)):
            node: Node = getattr(nodes, who)
            found = rows(node, "SELECT document FROM cases ORDER BY document")
            if not found:
                return
            case = open_case(node, found[which % len(found)][0].hex())
            possible = casework.possible_steps(node, case)
            if possible:
                chosen = possible[what % len(possible)]
                if chosen is Step.SETTLE:
                    matter = case.matters[what % len(case.matters)]
                    choose = 1 + what % max(1, len(matter.sides))
                    settle(node, case.id, matter, choose=choose, note="核对过")
                    return
                text = f"{who} {nodes.clock.at_ms}"
                answers = {"remark": text} if chosen in ("submit", "amend") else {}
                facts = facts_for(case, chosen, Random(what))
                if facts is not None:
                    casework.take_step(
                        node,
                        case.id,
                        chosen,
                        note=text,
                        answers=answers,
                        facts=facts,
                    )
        case ("pack", (str(sender), str(receiver))):
            data = bundle_for(getattr(nodes, sender), getattr(nodes, receiver))
            packed.append((receiver, data))
        case ("deliver", int(which)) if packed:
            receiver, data = packed[which % len(packed)]
            answer(getattr(nodes, receiver), data)
        case ("sync", bool(is_low)):
            if is_low:
                sync(nodes.village, nodes.town)
            else:
                sync(nodes.town, nodes.district)


def test_a_lost_answer_is_made_good_by_the_next_exchange(nodes: Three) -> None:
    case = submit(nodes.village)
    peer = peers.find_neighbour(nodes.village)

    def lose(run: Iterator[bytes]) -> Iterator[bytes]:
        list(answering.answer(nodes.town, run))
        raise NodeError("the line is cut")

    with pytest.raises(NodeError):
        talk.sync_over(nodes.village, peer, lose)
    assert arrived(nodes.village, case.row.document) == (False, False)
    sync(nodes.village, nodes.town)

    assert arrived(nodes.village, case.row.document) == (True, False)


def test_a_second_process_of_a_home_sees_and_continues_the_same_streams(
    nodes: Three,
) -> None:
    again = reopen(nodes.village.home.path, nodes.clock)
    try:
        first, second = submit(nodes.village), submit(again)
        third = submit(nodes.village)
        sync(again, nodes.town)
    finally:
        again.close()

    assert len({c.row.number for c in (first, second, third)}) == 3
    assert nodes.town.store.documents.count() == 3
    assert upkeep.verify(nodes.village).faults == ()
