"""Two people write past each other: it is shown, a person settles it, all agree."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node import casework, upkeep
from node.cases import Case, open_case
from node.errors import AnswersWrong, NotFound, StepRefused
from node.lifecycle import State, Step, encode_event
from node.material import Material, encode_material
from node.matters import MARK_CHANGED, MARK_CONFLICT, MARK_DISPUTED, Matter
from node.settling import find_matter, settle
from node.store.cases import Filter
from node.wiring import Node
from sync.document import actor_of, merge_changes
from sync.stream import StreamId
from tests.node.forge import (
    Copy,
    as_if_upon,
    chunk_of,
    copy_at,
    copy_of,
    hash_of,
    last_op_of,
    parcel,
    put_entry,
    send,
)
from tests.node.nodes import (
    BIRTH,
    TOWN,
    VILLAGE,
    Three,
    causes,
    enrolled,
    rows,
    shared_digests,
    step,
    submit,
    sync,
    sync_all,
    three,
)
from tests.saying import facts_for

REASON = "电话向申请人核实"
MINE, OTHER, THIRD = "13511111111", "13622222222", "13733333333"


@pytest.fixture
def second_town(nodes: Three, tmp_path: Path) -> Iterator[Node]:
    """A second desk in the same town."""
    made = enrolled(nodes.district, tmp_path / "second", "town", TOWN, "石门镇二号窗")
    for _ in range(2):
        sync(made, nodes.district)
        sync_all(nodes)
    yield made
    made.close()


def conflicting(nodes: Three, item: str = "", *accept: Step) -> Case:
    """Return a case whose phone number a village and a town have changed offline."""
    case = submit(nodes.village, item) if item else submit(nodes.village)
    sync_all(nodes)
    phone = "wife_phone" if item == BIRTH else "phone"
    step(nodes.village, case.id, Step.AMEND, **{phone: MINE})
    step(nodes.town, case.id, Step.AMEND, **{phone: OTHER})
    for one in accept:
        step(nodes.town, case.id, one)
    sync_all(nodes)
    return open_case(nodes.town, case.id)


def withdrawn_and_granted(nodes: Three) -> str:
    """Return a case that was withdrawn here and granted there."""
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    casework.forward_batch(nodes.town, [case.id])
    sync_all(nodes)
    step(nodes.village, case.id, Step.WITHDRAW, "申请人不办了")
    step(nodes.district, case.id, Step.GRANT)
    sync_all(nodes)
    return case.id


def matter(node: Node, case: str, number: int = 1) -> Matter:
    return find_matter(open_case(node, case), str(number))


def side_of(found: Matter, value: str) -> int:
    """Return the number of the side that holds a value, or ends in a state."""
    return 1 + [one.value or one.state for one in found.sides].index(value)


def choose(node: Node, case: str, value: str, reason: str = REASON) -> Case:
    """Settle the first open matter of a case by choosing a value or a state."""
    found = matter(node, case)
    return settle(node, case, found, choose=side_of(found, value), note=reason)


def assert_all_alike(nodes: Three, case: str) -> Case:
    """Return the case, of which every node says the same, whatever way it came."""
    sync_all(nodes)
    seen = [open_case(node, case) for node in nodes.nodes[:3]]
    for node, one in zip(nodes.nodes[:3], seen, strict=True):
        assert causes(node) == []
        assert upkeep.verify(node).faults == ()
        assert (one.fields, one.story) == (seen[0].fields, seen[0].story)
        assert one.matters == seen[0].matters
        for name in ("mark", "settler", "open_count", "had_conflict", "state"):
            assert getattr(one.row, name) == getattr(seen[0].row, name)
    assert shared_digests(nodes.village, nodes.town)
    assert shared_digests(nodes.town, nodes.district)
    return seen[0]


# -- fields ------------------------------------------------------------------------


def test_two_phone_numbers_are_shown_with_who_where_and_when(nodes: Three) -> None:
    case = conflicting(nodes)

    here = assert_all_alike(nodes, case.id)

    (found,) = here.matters
    assert (found.mark, found.key) == (MARK_CONFLICT, "phone")
    assert here.row.mark == MARK_CONFLICT
    told = {one.value: one.authors for one in found.sides}
    assert set(told) == {MINE, OTHER}
    (village,), (town,) = told[MINE], told[OTHER]
    assert (village.name, village.tier, village.by) == ("上塘村", "village", "operator")
    assert (town.name, town.tier, town.by) == ("石门镇", "town", "operator")
    amended = {h.author: h.event.at for h in here.story.happened[1:]}
    assert {one.node: one.at_ms for one in (village, town)} == amended


def test_what_is_open_is_counted_at_the_tier_that_may_settle_it(nodes: Three) -> None:
    case = conflicting(nodes)

    assert case.row.settler == "town"
    for node in nodes.nodes[:3]:
        counts = [
            node.store.cases.count_open(Filter(settler=tier))
            for tier in ("village", "town")
        ]
        assert counts == [0, 1]
        wanted = Filter(settler="town", oldest_first=True)
        assert [row.id for row in node.store.cases.page(wanted, None, 9)] == [case.id]
    step(nodes.town, case.id, Step.ACCEPT)
    casework.forward_batch(nodes.town, [case.id])
    assert nodes.town.store.cases.count_open(Filter(settler="town")) == 0
    assert nodes.town.store.cases.count_open(Filter(settler="district")) == 1


def test_to_count_what_is_open_costs_the_same_whatever_is_held(nodes: Three) -> None:
    plans = rows(
        nodes.town,
        "EXPLAIN QUERY PLAN SELECT ifnull(sum(open_count), 0) FROM cases "
        "WHERE settler = ? AND settler != ''",
        "town",
    )

    assert ["COVERING INDEX cases_to_settle" in plan[-1] for plan in plans] == [True]


@pytest.mark.parametrize("value", [MINE, OTHER])
def test_a_choice_settles_a_field_on_every_node_and_leaves_a_mark(
    nodes: Three, value: str
) -> None:
    case = conflicting(nodes)

    settled = choose(nodes.town, case.id, value)

    assert (settled.fields["phone"], settled.matters) == (value, ())
    here = assert_all_alike(nodes, case.id)
    assert here.fields["phone"] == value
    assert (here.row.mark, here.row.settler, here.row.open_count) == ("", "", 0)
    assert here.row.had_conflict
    last = here.story.happened[-1].event
    assert (last.step, last.note, last.settles) == (Step.SETTLE, REASON, ("phone",))
    assert nodes.district.store.cases.count_open(Filter(settler="town")) == 0
    # Work goes on, and the mark stays.
    step(nodes.town, case.id, Step.ACCEPT)
    assert assert_all_alike(nodes, case.id).row.had_conflict


def test_another_value_than_both_settles_a_field(nodes: Three) -> None:
    case = conflicting(nodes)
    found = matter(nodes.town, case.id)

    with pytest.raises(AnswersWrong) as wrong:
        settle(nodes.town, case.id, found, value="12", note=REASON)
    with pytest.raises(AnswersWrong):
        settle(nodes.town, case.id, found, value=" ", note=REASON)
    settle(nodes.town, case.id, found, value="137 3333 3333", note=REASON)

    assert wrong.value.problems[0][0] == "phone"
    assert assert_all_alike(nodes, case.id).fields["phone"] == THIRD


def test_two_different_fields_are_no_conflict(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)

    step(nodes.village, case.id, Step.AMEND, phone=MINE)
    step(nodes.town, case.id, Step.AMEND, contact_phone=OTHER)

    here = assert_all_alike(nodes, case.id)
    assert (here.fields["phone"], here.fields["contact_phone"]) == (MINE, OTHER)
    assert (here.matters, here.row.mark, here.row.had_conflict) == ((), "", False)


def test_equal_values_are_no_conflict(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)

    step(nodes.village, case.id, Step.AMEND, phone=MINE)
    step(nodes.town, case.id, Step.AMEND, phone=MINE)

    here = assert_all_alike(nodes, case.id)
    assert (here.fields["phone"], here.matters) == (MINE, ())
    assert not here.row.had_conflict
    # And such a field is changed as any other.
    step(nodes.town, case.id, Step.AMEND, phone=OTHER)
    assert assert_all_alike(nodes, case.id).fields["phone"] == OTHER


def test_who_comes_round_to_the_same_value_ends_a_conflict_and_the_mark_stays(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.village, case.id, Step.AMEND, phone=MINE)
    step(nodes.town, case.id, Step.AMEND, phone=OTHER)
    stream = StreamId(nodes.village.id, 1, VILLAGE)
    send(nodes.village, nodes.town, parcel([chunk_of(nodes.village, stream)]))
    assert open_case(nodes.town, case.id).row.mark == MARK_CONFLICT

    # The village has not heard of the other number, and corrects its own.
    step(nodes.village, case.id, Step.AMEND, phone=OTHER)

    here = assert_all_alike(nodes, case.id)
    assert (here.fields["phone"], here.matters) == (OTHER, ())
    assert here.row.had_conflict


def test_both_conflicts_of_a_case_are_settled_one_by_one(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.village, case.id, Step.AMEND, phone=MINE, home_address="甲地")
    step(nodes.town, case.id, Step.AMEND, phone=OTHER, home_address="乙地")
    sync_all(nodes)
    assert nodes.town.store.cases.count_open(Filter(settler="town")) == 2

    choose(nodes.town, case.id, "甲地")
    left = assert_all_alike(nodes, case.id)
    choose(nodes.town, case.id, OTHER)

    assert [one.key for one in left.matters] == ["phone"]
    here = assert_all_alike(nodes, case.id)
    assert (here.fields["home_address"], here.fields["phone"]) == ("甲地", OTHER)
    assert here.matters == ()


def test_a_disputed_field_is_settled_and_not_amended(nodes: Three) -> None:
    case = conflicting(nodes)

    for node in (nodes.village, nodes.town):
        with pytest.raises(AnswersWrong) as wrong:
            step(node, case.id, Step.AMEND, phone=THIRD)
        assert [key for key, _, _ in wrong.value.problems] == ["phone"]
    step(nodes.village, case.id, Step.AMEND, home_address="新村 8 号")

    here = assert_all_alike(nodes, case.id)
    assert [one.key for one in here.matters] == ["phone"]
    choose(nodes.town, case.id, MINE)
    step(nodes.town, case.id, Step.AMEND, phone=THIRD)
    assert assert_all_alike(nodes, case.id).fields["phone"] == THIRD


def test_a_returned_case_is_submitted_again_past_a_disputed_field(nodes: Three) -> None:
    case = conflicting(nodes)
    step(nodes.town, case.id, Step.RETURN, "缺照片")
    sync_all(nodes)

    step(nodes.village, case.id, Step.SUBMIT, home_address="新村 8 号")

    here = assert_all_alike(nodes, case.id)
    assert here.story.state is State.SUBMITTED
    assert [one.key for one in here.matters] == ["phone"]


def test_who_amends_while_another_settles_is_shown_again(nodes: Three) -> None:
    case = conflicting(nodes)
    choose(nodes.town, case.id, MINE)
    sync_all(nodes)
    step(nodes.village, case.id, Step.AMEND, phone=THIRD)
    step(nodes.town, case.id, Step.AMEND, phone=OTHER)

    here = assert_all_alike(nodes, case.id)

    assert {one.value for one in here.matters[0].sides} == {THIRD, OTHER}
    choose(nodes.town, case.id, THIRD)
    assert assert_all_alike(nodes, case.id).fields["phone"] == THIRD


def test_three_values_and_two_who_wrote_the_same_are_two_choices(
    nodes: Three, second_town: Node
) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    sync(second_town, nodes.district)
    step(nodes.village, case.id, Step.AMEND, phone=MINE)
    step(nodes.town, case.id, Step.AMEND, phone=OTHER)
    step(second_town, case.id, Step.AMEND, phone=MINE)
    sync(second_town, nodes.district)

    here = assert_all_alike(nodes, case.id)

    told = {
        one.value: {who.name for who in one.authors} for one in here.matters[0].sides
    }
    assert told == {MINE: {"上塘村", "石门镇二号窗"}, OTHER: {"石门镇"}}


# -- who may ------------------------------------------------------------------------


def test_the_village_waits_for_the_town_to_settle(nodes: Three) -> None:
    case = conflicting(nodes)

    for node in (nodes.village, nodes.district):
        with pytest.raises(StepRefused) as refused:
            choose(node, case.id, MINE)
        assert refused.value.why == "tier"
        assert Step.SETTLE not in casework.possible_steps(
            node, open_case(node, case.id)
        )
    assert Step.SETTLE in casework.possible_steps(nodes.town, case)
    assert assert_all_alike(nodes, case.id).row.open_count == 1


def test_from_forwarding_on_the_district_settles(nodes: Three) -> None:
    case = conflicting(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    casework.forward_batch(nodes.town, [case.id])
    sync_all(nodes)

    with pytest.raises(StepRefused):
        choose(nodes.town, case.id, MINE)
    choose(nodes.district, case.id, MINE)

    assert assert_all_alike(nodes, case.id).fields["phone"] == MINE


def test_a_case_that_the_town_decides_is_settled_there_after_the_decision(
    nodes: Three,
) -> None:
    case = conflicting(nodes, BIRTH, Step.ACCEPT, Step.GRANT)

    assert case.story.state is State.GRANTED
    assert case.row.settler == "town"
    choose(nodes.town, case.id, MINE)
    assert assert_all_alike(nodes, case.id).fields["wife_phone"] == MINE


@pytest.mark.parametrize("reason", ["", " \u3000"])
def test_a_settlement_wants_a_reason(nodes: Three, reason: str) -> None:
    case = conflicting(nodes)

    with pytest.raises(StepRefused) as refused:
        choose(nodes.town, case.id, MINE, reason)

    assert refused.value.why == "reason"
    assert open_case(nodes.town, case.id).row.open_count == 1


def test_what_is_not_open_or_not_a_choice_is_not_settled(nodes: Three) -> None:
    case = conflicting(nodes)
    found = matter(nodes.town, case.id)

    for wrong in (0, 3, -1):
        with pytest.raises(NotFound):
            settle(nodes.town, case.id, found, choose=wrong, note=REASON)
    for name in ("name", "2", "0", "", found.key + " "):
        with pytest.raises(NotFound):
            find_matter(case, name)
    choose(nodes.town, case.id, MINE)
    with pytest.raises(NotFound):
        settle(nodes.town, case.id, found, choose=1, note=REASON)

    assert [h.event.step for h in open_case(nodes.town, case.id).story.happened][
        -1
    ] == Step.SETTLE


def test_what_has_changed_since_it_was_seen_is_not_settled_unseen(
    nodes: Three, second_town: Node
) -> None:
    case = conflicting(nodes)
    seen = matter(nodes.town, case.id)
    sync(second_town, nodes.district)
    choose(second_town, case.id, MINE)
    step(second_town, case.id, Step.AMEND, phone=THIRD)
    sync(second_town, nodes.district)
    sync_all(nodes)

    with pytest.raises(NotFound):
        settle(nodes.town, case.id, seen, choose=side_of(seen, OTHER), note=REASON)

    assert assert_all_alike(nodes, case.id).fields["phone"] == THIRD


# -- events -------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.GRANTED, State.WITHDRAWN])
def test_of_two_events_the_deciding_tier_chooses_the_one_that_stands(
    nodes: Three, state: State
) -> None:
    case = withdrawn_and_granted(nodes)
    here = assert_all_alike(nodes, case)
    (found,) = here.matters
    assert (here.row.mark, here.row.settler) == (MARK_DISPUTED, "district")
    assert {(one.step, one.state) for one in found.sides} == {
        ("withdraw", "withdrawn"),
        ("grant", "granted"),
    }
    assert {one.authors[0].tier for one in found.sides} == {"village", "district"}
    for node in (nodes.village, nodes.town):
        with pytest.raises(StepRefused):
            choose(node, case, state)

    choose(nodes.district, case, state)

    settled = assert_all_alike(nodes, case)
    assert settled.story.state is state
    assert (settled.matters, settled.row.mark) == ((), "")
    assert settled.row.had_conflict
    kept = {str(h.event.step) for h in settled.story.happened}
    assert kept >= {"withdraw", "grant", "settle"}


def test_the_answer_goes_on_from_what_was_settled(nodes: Three) -> None:
    case = withdrawn_and_granted(nodes)
    choose(nodes.district, case, State.GRANTED)
    sync_all(nodes)

    step(nodes.village, case, Step.DELIVER)

    settled = assert_all_alike(nodes, case)
    assert (settled.story.state, settled.story.outcome) == ("delivered", "granted")


def test_two_settlements_of_one_dispute_are_shown_and_can_be_settled(
    nodes: Three, second_town: Node
) -> None:
    case = submit(nodes.village, BIRTH)
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    step(nodes.village, case.id, Step.WITHDRAW, "申请人不办了")
    step(nodes.town, case.id, Step.GRANT)
    sync_all(nodes)
    sync(second_town, nodes.district)

    choose(nodes.town, case.id, State.WITHDRAWN)
    choose(second_town, case.id, State.GRANTED)
    sync(second_town, nodes.district)

    here = assert_all_alike(nodes, case.id)
    (found,) = here.matters
    assert {one.step for one in found.sides} == {"settle"}
    assert {one.state for one in found.sides} == {"withdrawn", "granted"}
    assert {one.authors[0].name for one in found.sides} == {"石门镇", "石门镇二号窗"}
    choose(nodes.town, case.id, State.GRANTED)
    settled = assert_all_alike(nodes, case.id)
    assert (settled.story.state, settled.matters) == (State.GRANTED, ())
    sync(second_town, nodes.district)
    assert open_case(second_town, case.id).story == settled.story


def test_two_settlements_of_one_field_are_shown_and_can_be_settled(
    nodes: Three, second_town: Node
) -> None:
    case = conflicting(nodes)
    sync(second_town, nodes.district)

    choose(nodes.town, case.id, MINE)
    choose(second_town, case.id, OTHER)
    sync(second_town, nodes.district)

    here = assert_all_alike(nodes, case.id)
    assert {one.value for one in here.matters[0].sides} == {MINE, OTHER}
    choose(nodes.town, case.id, OTHER)
    assert assert_all_alike(nodes, case.id).fields["phone"] == OTHER


# -- amended without knowledge of the acceptance ------------------------------------


def test_a_late_amendment_is_closed_by_taking_note_of_it(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.village, case.id, Step.AMEND, home_address="新村 8 号", remark="")
    step(nodes.town, case.id, Step.ACCEPT)
    here = assert_all_alike(nodes, case.id)
    (found,) = here.matters
    (edit,) = found.edits
    assert (found.mark, here.row.settler) == (MARK_CHANGED, "town")
    assert (edit.key, edit.after) == ("home_address", "新村 8 号")
    assert edit.before == case.fields["home_address"]
    assert edit.author.name == "上塘村"

    settle(nodes.town, case.id, found, note="已重新审查")

    settled = assert_all_alike(nodes, case.id)
    assert (settled.matters, settled.row.mark) == ((), "")
    assert settled.fields["home_address"] == "新村 8 号"
    assert not settled.row.had_conflict, "nothing contradicted anything"


def test_a_late_amendment_that_was_in_conflict_is_closed_with_it(nodes: Three) -> None:
    case = conflicting(nodes, "", Step.ACCEPT)
    assert [one.mark for one in case.matters] == [MARK_CONFLICT, MARK_CHANGED]
    assert case.row.open_count == 2

    choose(nodes.town, case.id, MINE)

    assert assert_all_alike(nodes, case.id).matters == ()


# -- what a settlement may not do ----------------------------------------------------


def _of_a_field_that_is_not_open(n: Three, case: str) -> bytes:
    return _settled(n, case, {"name": "赵六"})


def _of_one_field_too_many(n: Three, case: str) -> bytes:
    return _settled(n, case, {"phone": MINE, "name": "赵六"})


def _of_one_field_more_than_written(n: Three, case: str) -> bytes:
    return _settled(n, case, {"phone": MINE}, settles=("name", "phone"))


def _of_nothing_by_name(n: Three, case: str) -> bytes:
    return _settled(n, case, {"phone": MINE}, settles=())


def _in_words_only(n: Three, case: str) -> bytes:
    return _settled(n, case, {}, settles=("phone",))


def _with_a_named_field_that_is_not_written(n: Three, case: str) -> bytes:
    return _settled(n, case, {}, fields=("phone",))


def _with_a_file(n: Three, case: str) -> bytes:
    digest = "a" * 64
    more = {"materials": {digest: encode_material(Material("x", 1))}}
    return _settled(n, case, {"phone": MINE}, more=more)


def _of_events_that_agree(n: Three, case: str) -> bytes:
    (first, *_) = copy_of(n.town, case).events
    return _settled(n, case, {}, settles=(first,), upholds=first)


def _of_a_field_and_events(n: Three, case: str) -> bytes:
    (first, *_) = copy_of(n.town, case).events
    return _settled(n, case, {"phone": MINE}, upholds=first)


def _of_no_late_amendment(n: Three, case: str) -> bytes:
    (*_, last) = copy_of(n.town, case).events
    return _settled(n, case, {}, settles=(last,))


def _of_nothing_at_all(n: Three, case: str) -> bytes:
    return _settled(n, case, {}, settles=())


def _without_a_reason(n: Three, case: str) -> bytes:
    return _settled(n, case, {"phone": MINE}, note=" ")


def _by_the_old_way(n: Three, case: str) -> bytes:
    return copy_of(n.town, case).write(n.town, "amend", {"phone": MINE})


def _beside_another_step(n: Three, case: str) -> bytes:
    return copy_of(n.town, case).write(n.town, "accept", settles=("phone",))


def _of_one_value_only(n: Three, case: str) -> bytes:
    """It knows of both values and overwrites only one: the other would stand on."""
    full, base = copy_of(n.town, case), copy_at(n.town, case, 2)
    (head,) = full.document.heads()
    event_id, event = full.event(
        n.town, "settle", fields=("phone",), settles=("phone",)
    )
    raw = base.document.write(
        actor_of(n.town.id, bytes(8)),
        {"fields": {"phone": MINE}, "events": {event_id: encode_event(event)}},
    )
    stored = n.town.store.journal.entries_of(full.id)
    payloads = [one.entry.payload for one in stored if one.entry.payload]
    last_op = next(last_op_of(raw) for raw in payloads if hash_of(raw) == head)
    return as_if_upon(raw, head, last_op)


def _settled(
    n: Three,
    case: str,
    answers: dict[str, str],
    more: dict[str, dict[str, str]] | None = None,
    **parts: object,
) -> bytes:
    parts = {"settles": tuple(sorted(answers))} | parts
    return copy_of(n.town, case).write(n.town, "settle", answers, more=more, **parts)


FORGERIES: list[tuple[Callable[[Three, str], bytes], str]] = [
    (_of_a_field_that_is_not_open, "settle"),
    (_of_one_field_too_many, "settle"),
    (_of_one_field_more_than_written, "settle"),
    (_of_nothing_by_name, "settle"),
    (_in_words_only, "settle"),
    (_with_a_named_field_that_is_not_written, "shape"),
    (_with_a_file, "right"),
    (_of_events_that_agree, "settle"),
    (_of_a_field_and_events, "settle"),
    (_of_no_late_amendment, "settle"),
    (_of_nothing_at_all, "settle"),
    (_without_a_reason, "step"),
    (_by_the_old_way, "settle"),
    (_beside_another_step, "shape"),
    (_of_one_value_only, "settle"),
]


@pytest.mark.parametrize(
    ("forge", "cause"), FORGERIES, ids=[f.__name__[1:] for f, _ in FORGERIES]
)
def test_a_settlement_that_says_too_much_or_too_little_is_set_aside_by_all_alike(
    nodes: Three, forge: Callable[[Three, str], bytes], cause: str
) -> None:
    """Written by the town, which may settle, with its own key and another program."""
    case = conflicting(nodes)
    step(nodes.town, case.id, Step.AMEND, home_address="新村 8 号")
    sync_all(nodes)
    before = open_case(nodes.village, case.id)

    put_entry(nodes.town, bytes.fromhex(case.id), forge(nodes, case.id), scope=VILLAGE)
    sync_all(nodes)

    for node in (nodes.village, nodes.district):
        assert causes(node) == [cause]
        here = open_case(node, case.id)
        assert (here.story, here.matters) == (before.story, before.matters)
        assert here.row.open_count == 1
        assert upkeep.verify(node).faults == ()
    assert shared_digests(nodes.village, nodes.district)


@pytest.mark.parametrize("who", ["village", "district"])
def test_who_may_not_settle_is_set_aside_by_all_alike(nodes: Three, who: str) -> None:
    case, forger = conflicting(nodes), getattr(nodes, who)
    copy = copy_of(forger, case.id)

    raw = copy.write(forger, "settle", {"phone": MINE}, settles=("phone",))
    put_entry(forger, copy.id, raw, scope=VILLAGE)
    sync_all(nodes)

    assert causes(nodes.town) == ["right"]
    assert open_case(nodes.town, case.id).row.open_count == 1


@pytest.mark.parametrize("what", ["one side", "another event", "not its own past"])
def test_an_event_is_upheld_only_where_it_was_in_question(
    nodes: Three, what: str
) -> None:
    case = withdrawn_and_granted(nodes)
    names = tuple(sorted(matter(nodes.district, case).names))
    copy = copy_of(nodes.district, case)
    first = min(copy.events, key=lambda one: copy.events[one].clock)
    parts = {
        "one side": {"settles": names[:1], "upholds": names[0]},
        "another event": {"settles": names, "upholds": first},
        "not its own past": {"settles": names, "upholds": names[0]},
    }[what]
    if what == "not its own past":
        # As the district knew the case before it heard of the withdrawal.
        copy = copy_without(nodes.district, case, "withdraw")

    raw = copy.write(nodes.district, "settle", **parts)
    put_entry(nodes.district, copy.id, raw, scope=VILLAGE)
    sync_all(nodes)

    assert causes(nodes.village) == causes(nodes.town) == ["settle"]
    assert open_case(nodes.town, case).row.mark == MARK_DISPUTED


def copy_without(node: Node, case: str, what: str) -> Copy:
    """Return a case as it is without one step that nothing builds upon."""
    document = bytes.fromhex(case)
    raws = [one.entry.payload for one in node.store.journal.entries_of(document)]
    kept = [raw for raw in raws if raw and what.encode() not in raw]
    assert len(kept) == len(raws) - 1
    return Copy(document, merge_changes(b"", sorted(kept, key=last_op_of)))


# -- in any order --------------------------------------------------------------------


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 2**32 - 1))
def test_what_is_open_and_what_once_was_do_not_depend_on_the_order_of_arrival(
    seed: int,
) -> None:
    """All entries come one by one, in any order, to a node that knows nothing yet."""
    chance = Random(seed)
    with tempfile.TemporaryDirectory() as folder, three(Path(folder)) as nodes:
        home = Path(folder) / "late"
        newcomer = enrolled(nodes.district, home, "town", TOWN, "石门镇二号窗")
        sync(newcomer, nodes.district)
        case = submit(nodes.village).id
        sync_all(nodes)
        for _ in range(3):
            # What is done in a round is done without knowledge of the others.
            for node in chance.choices(nodes.nodes[:3], weights=(2, 2, 1), k=4):
                _act(node, case, chance)
            sync_all(nodes)

        entries = [
            (author, stream)
            for author in nodes.nodes[:3]
            for stream in [StreamId(author.id, 1, VILLAGE)]
            for _ in range(author.store.journal.head(stream)[0])
        ]
        chance.shuffle(entries)
        arrived: dict[bytes, int] = {}
        for author, stream in entries:
            number = arrived[author.id] = arrived.get(author.id, 0) + 1
            chunk = chunk_of(author, stream, number, number)
            send(author, newcomer, parcel([chunk]))

        assert upkeep.verify(newcomer).faults == (), "made again it comes out the same"
        told = [_told(node, case) for node in (*nodes.nodes[:3], newcomer)]
        assert told == told[:1] * 4
        newcomer.close()


def _act(node: Node, case: str, chance: Random) -> None:
    found = open_case(node, case)
    possible = casework.possible_steps(node, found)
    if chance.random() < 0.9:  # or most stories would end before they have begun
        possible = [one for one in possible if one is not Step.WITHDRAW]
    if not possible:
        return
    chosen = chance.choice(possible)
    if chosen is Step.SETTLE:
        open_one = chance.choice(found.matters)
        number = chance.randint(1, max(1, len(open_one.sides)))
        settle(node, case, open_one, choose=number, note=REASON)
        return
    answers = {}
    if chosen in (Step.SUBMIT, Step.AMEND) and not found.conflicts:
        answers = {"phone": chance.choice((MINE, OTHER, THIRD))}
    facts = facts_for(found, chosen, chance)
    if facts is not None:
        casework.take_step(
            node, case, chosen, note="理由", answers=answers, facts=facts
        )


def _told(node: Node, case: str) -> tuple[object, ...]:
    found = open_case(node, case)
    row = found.row
    kept = (row.state, row.mark, row.settler, row.open_count, row.had_conflict)
    return kept, found.fields, found.story, found.matters
