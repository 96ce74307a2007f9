"""The stick, with real nodes: out, in, the answer home, and all that gets lost."""

from pathlib import Path

import pytest

from node import casework, packs, waiting
from node.cases import open_case
from node.errors import StickTrouble
from node.lifecycle import State, Step
from node.status import arrivals
from sync.carry import Gap
from tests.node.nodes import (
    Three,
    clone,
    digests,
    reopen,
    shared_digests,
    step,
    submit,
    sync,
)
from tests.node.sticks import (
    SMALL,
    carried,
    carry_in,
    carry_out,
    contents,
    from_one,
    new_stick,
    submit_many,
    traffic,
    volumes,
    volumes_from,
)

# -- the way of a case ----------------------------------------------------------


def test_a_case_goes_up_by_stick_only_and_its_result_comes_home(
    nodes: Three, tmp_path: Path
) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    below, above = new_stick(tmp_path), new_stick(tmp_path)

    case = submit(village)
    carried(village, below, town)
    step(town, case.id, Step.ACCEPT)
    casework.forward_batch(town, [case.id])
    carried(town, above, district)
    at_district = from_one(carry_in(town, above), district)
    step(district, case.id, Step.GRANT, note="符合条件")
    carried(district, above, town)
    carried(town, below, village)
    carry_in(town, below)

    document = bytes.fromhex(case.id)
    assert open_case(village, case.id).story.state is State.GRANTED
    assert at_district.entries == 0
    arrival = arrivals(village, [document])[document]
    assert arrival.town_ms and arrival.district_ms
    assert shared_digests(village, town)
    assert shared_digests(village, district)
    assert shared_digests(town, district)


def test_delivered_is_said_when_the_answer_is_home_and_not_before(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    case = submit(nodes.village)
    document = bytes.fromhex(case.id)

    carried(nodes.village, stick, nodes.town)
    before = arrivals(nodes.village, [document])[document]
    carry_in(nodes.village, stick)
    after = arrivals(nodes.village, [document])[document]

    assert not before.town_ms
    assert after.town_ms
    assert not after.district_ms


def test_a_lost_stick_is_named_at_both_ends_and_the_next_one_fills_it(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    lost, stick = new_stick(tmp_path), new_stick(tmp_path)
    first = submit(village)
    carried(village, stick, town)
    carry_in(village, stick)

    second = submit(village)
    carry_out(village, lost, town)
    third = submit(village)
    at_town = carried(village, stick, town)
    at_village = from_one(carry_in(village, stick), town)

    filled = (Gap(2, 2, filled_by=3),)
    assert at_town.missing == filled
    assert traffic(town, village).missing == filled
    assert [one.known(0) for one in at_village.lost] == [
        Gap(2, 2, filled_by=3, is_settled=one.is_settled) for one in at_village.lost
    ]
    assert traffic(village, town).lost[0].pack == 2
    assert not traffic(village, town).lost[0].is_open
    assert not traffic(village, town).made
    for case in (first, second, third):
        assert open_case(town, case.id).story.state is State.SUBMITTED


def test_a_lost_answer_is_named_at_both_ends_and_filled_as_well(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    lost, stick = new_stick(tmp_path), new_stick(tmp_path)
    case = submit(village)

    carried(village, lost, town)
    step(town, case.id, Step.RETURN, note="缺照片")
    at_town = carried(village, stick, town)
    at_village = from_one(carry_in(village, stick), town)
    told = carried(village, stick, town)

    assert at_town.entries == 0
    assert at_village.missing == (Gap(1, 1, filled_by=2, is_settled=True),)
    assert told.lost[0].pack == 1
    assert not told.lost[0].is_open
    assert open_case(village, case.id).story.state is State.RETURNED


def test_a_gap_that_was_told_is_not_told_again_with_the_next_pack(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    stick = new_stick(tmp_path)
    submit(village)
    carry_out(village, new_stick(tmp_path), town)
    told = carried(village, stick, town)
    submit(village)

    later = carried(village, stick, town)

    assert told.missing
    assert later.missing == ()
    assert traffic(town, village).missing == ()


def test_what_is_lacking_stays_open_until_something_fills_it(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    stick = new_stick(tmp_path)
    submit_many(village, 24)
    carry_out(village, stick, town, SMALL)
    volumes(stick)[1].unlink()

    first = from_one(carry_in(town, stick), village)
    again = from_one(carry_in(town, stick), village)
    told = from_one(carry_in(village, stick), town)

    assert first.missing == again.missing == (Gap(1, 1, 2, 2),)
    assert first.missing[0].is_open
    assert told.lost == first.missing
    assert traffic(village, town).made[0].pack == 1


# -- repetition, order, other ways ---------------------------------------------


def test_the_same_stick_three_times_changes_nothing_after_the_first(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit_many(nodes.village, 3)
    carry_out(nodes.village, stick, nodes.town)

    first = carry_in(nodes.town, stick)
    once, on_stick = digests(nodes.town), contents(stick)
    later = [carry_in(nodes.town, stick) for _ in range(2)]

    assert from_one(first, nodes.village).entries == 3
    assert from_one(first, nodes.village).answer
    assert all(from_one(one, nodes.village).entries == 0 for one in later)
    assert all(from_one(one, nodes.village).is_answered for one in later)
    assert digests(nodes.town) == once
    assert contents(stick) == on_stick


def test_two_sticks_that_overtake_each_other_lose_nothing(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    slow, fast = new_stick(tmp_path), new_stick(tmp_path)
    submit(village)
    carry_out(village, slow, town)
    submit(village)
    carry_out(village, fast, town)

    overtaken = from_one(carry_in(town, fast), village)
    late = from_one(carry_in(town, slow), village)
    carry_in(village, fast)
    carry_in(village, slow)

    assert overtaken.missing == (Gap(1, 1, filled_by=2),)
    assert overtaken.entries == 2
    assert late.entries == 0
    assert late.missing == ()
    assert shared_digests(village, town)
    assert traffic(village, town).made == ()


def test_an_older_answer_that_comes_late_takes_nothing_back(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    slow, fast = new_stick(tmp_path), new_stick(tmp_path)
    first = submit(village)
    carried(village, slow, town)
    second = submit(village)
    carried(village, fast, town)

    carry_in(village, fast)
    carry_in(village, slow)

    for case in (first, second):
        document = bytes.fromhex(case.id)
        assert arrivals(village, [document])[document].town_ms


def test_half_by_line_and_half_by_stick_is_the_same(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    stick, lost = new_stick(tmp_path), new_stick(tmp_path)
    submit_many(village, 2)
    carry_out(village, stick, town)
    sync(village, town)
    submit_many(village, 2)
    carry_out(village, lost, town)
    sync(village, town)
    submit_many(village, 2)

    at_town = carried(village, stick, town)
    carry_in(village, stick)

    assert at_town.entries == 2
    assert [one.pack for one in at_town.missing] == [1]
    assert not any(one.is_open for one in at_town.missing)
    assert shared_digests(village, town)
    assert traffic(village, town).made == ()


def test_a_volume_that_is_lost_for_good_is_filled_over_a_line(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    stick = new_stick(tmp_path)
    submit_many(village, 24)
    carry_out(village, stick, town, SMALL)
    volumes(stick)[1].unlink()
    carry_in(town, stick, with_answers=False)

    sync(village, town)
    sync(village, town)
    waiting.retry_if_news(town)

    assert traffic(village, town).lost[0].pack == 1
    assert not traffic(village, town).lost[0].is_open
    assert not any(one.is_open for one in traffic(town, village).missing)
    assert waiting.count(town) == 0


def test_with_nothing_to_say_of_packs_a_line_carries_no_word_of_them(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    carried(nodes.village, stick, nodes.town)
    carry_in(nodes.village, stick)
    for _ in range(2):
        sync(nodes.village, nodes.town)

    assert packs.news(nodes.village, nodes.town.id) == ()
    assert packs.news(nodes.town, nodes.village.id) == ()
    assert packs.news(nodes.town, nodes.district.id) == ()


def test_an_answer_to_an_answer_is_written_only_if_there_is_something_to_say(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    carried(nodes.village, stick, nodes.town)

    home = from_one(carry_in(nodes.village, stick), nodes.town)
    before = contents(stick)
    again = from_one(carry_in(nodes.town, stick), nodes.village)

    assert home.answer is None
    assert home.is_answered
    assert again.answer is None
    assert contents(stick) == before


def test_what_is_owed_downward_comes_with_the_answer(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    stick = new_stick(tmp_path)
    first = submit(village)
    sync(village, town)
    step(town, first.id, Step.ACCEPT)
    submit(village)

    at_town = carried(village, stick, town)
    at_village = from_one(carry_in(village, stick), town)

    assert at_town.answer is not None
    assert at_town.answer.entries == 1
    assert at_village.entries == 1
    assert open_case(village, first.id).story.state is State.ACCEPTED


# -- many at one stick -----------------------------------------------------------


def test_one_courier_serves_several_villages(nodes: Three, tmp_path: Path) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    submit_many(nodes.other_village, 2)
    carry_out(nodes.village, stick, nodes.town)
    carry_out(nodes.other_village, stick, nodes.town)

    at_town = carry_in(nodes.town, stick)
    home = carry_in(nodes.village, stick)
    other_home = carry_in(nodes.other_village, stick)

    assert from_one(at_town, nodes.village).entries == 1
    assert from_one(at_town, nodes.other_village).entries == 2
    assert {one.recipient for one in home.for_others} == {
        nodes.town.id,
        nodes.other_village.id,
    }
    assert {one.sender for one in other_home.for_others} == {
        nodes.village.id,
        nodes.town.id,
    }
    for village in (nodes.village, nodes.other_village):
        assert traffic(village, nodes.town).made == ()


def test_what_is_for_another_node_is_named_and_left_as_it_is(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    carry_out(nodes.village, stick, nodes.town)
    before, held = contents(stick), digests(nodes.other_village)

    came = carry_in(nodes.other_village, stick)

    (other,) = came.for_others
    assert (other.sender, other.recipient) == (nodes.village.id, nodes.town.id)
    assert came.senders == ()
    assert contents(stick) == before
    assert digests(nodes.other_village) == held
    assert waiting.count(nodes.other_village) == 0


def test_our_own_packs_are_known_as_ours(nodes: Three, tmp_path: Path) -> None:
    stick = new_stick(tmp_path)
    carry_out(nodes.village, stick, nodes.town)

    came = carry_in(nodes.village, stick)

    assert came.own_files == 1
    assert (came.senders, came.for_others, came.faults) == ((), (), ())


def test_a_new_pack_takes_the_place_of_the_older_ones_on_the_same_stick(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    carry_out(nodes.village, stick, nodes.town)
    carry_out(nodes.other_village, stick, nodes.town)
    submit(nodes.village)

    made = carry_out(nodes.village, stick, nodes.town)
    at_town = from_one(carry_in(nodes.town, stick), nodes.village)

    assert made.replaced == (1,)
    assert len(volumes_from(stick, nodes.village)) == 1
    assert len(volumes_from(stick, nodes.other_village)) == 1
    assert at_town.entries == 2
    assert at_town.missing == ()  # it never left: nothing is lost


def test_a_pack_that_takes_the_place_of_one_that_has_arrived_says_nothing_of_it(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    for _ in range(3):
        submit(nodes.village)
        at_town = carried(nodes.village, stick, nodes.town)
        at_village = from_one(carry_in(nodes.village, stick), nodes.town)

        assert at_town.missing == at_village.missing == ()
        assert at_town.lost == at_village.lost == ()
    assert traffic(nodes.town, nodes.village).highest == 3


# -- clocks, backups, new epochs -------------------------------------------------


@pytest.mark.parametrize("years", [-9, 9])
def test_a_clock_that_is_wrong_by_years_hinders_nothing(
    nodes: Three, tmp_path: Path, years: int
) -> None:
    village, town = nodes.village, nodes.town
    stick = new_stick(tmp_path)
    carried(village, stick, town)
    now_ms = village.now_ms
    village.now_ms = lambda: now_ms() + years * 365 * 86_400_000
    case = submit(village)
    carry_out(village, new_stick(tmp_path), town)

    at_town = carried(village, stick, town)
    carry_in(village, stick)

    document = bytes.fromhex(case.id)
    assert at_town.entries == 1
    assert at_town.missing == (Gap(2, 2, filled_by=3),)
    assert arrivals(village, [document])[document].town_ms


def test_a_sender_that_was_put_back_numbers_on_from_where_it_is_known(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    stick = new_stick(tmp_path)
    backup = clone(village, tmp_path / "backup")
    for _ in range(3):
        submit(village)
        carried(village, stick, town)
        carry_in(village, stick)

    restored = reopen(backup, nodes.clock)
    try:
        carry_in(restored, stick)
        made = carry_out(restored, stick, town)
    finally:
        restored.close()

    # An answer may lie between them; none bears a number that is known already.
    assert made.pack >= 4


def test_a_recipient_that_was_put_back_does_not_ask_for_what_it_once_had(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    stick = new_stick(tmp_path)
    backup = clone(town, tmp_path / "backup")
    for _ in range(3):
        submit(village)
        carried(village, stick, town)
        carry_in(village, stick)
    submit(village)
    carry_out(village, stick, town)

    restored = reopen(backup, nodes.clock)
    try:
        at_restored = from_one(carry_in(restored, stick), village)
    finally:
        restored.close()

    assert at_restored.missing == ()


# -- a stick that is too small ---------------------------------------------------


def small_room(folder: Path) -> int:
    return 6_000 - sum(one.stat().st_size for one in folder.iterdir())


def test_a_stick_that_is_too_small_takes_what_fits_and_the_rest_comes_later(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from node import stick as sticks

    village, town = nodes.village, nodes.town
    small = new_stick(tmp_path)
    cases = submit_many(village, 24)
    monkeypatch.setattr(sticks, "free_bytes", small_room)

    trips = 0
    made = carry_out(village, small, town, SMALL)
    while not made.is_all:
        trips += 1
        at_town = from_one(carry_in(town, small), village)
        carry_in(village, small)
        assert at_town.missing == ()
        assert made.size_bytes <= 6_000
        made = carry_out(village, small, town, SMALL)
    carry_in(town, small)

    assert trips >= 1
    assert all(open_case(town, case) for case in cases)
    assert shared_digests(village, town)


def test_a_lost_pack_is_not_filled_by_one_that_was_cut_short(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from node import stick as sticks

    village, town = nodes.village, nodes.town
    submit_many(village, 24)
    carry_out(village, new_stick(tmp_path), town)
    monkeypatch.setattr(sticks, "free_bytes", small_room)
    small = new_stick(tmp_path)

    carry_out(village, small, town, SMALL)
    at_town = from_one(carry_in(town, small), village)

    assert at_town.missing == (Gap(1, 1),)


def test_no_such_folder_is_said_and_no_number_is_used_up(
    nodes: Three, tmp_path: Path
) -> None:
    for path in (tmp_path / "no", tmp_path / ("x" * 300), Path("/dev/null")):
        with pytest.raises(StickTrouble) as raised:
            carry_out(nodes.village, path, nodes.town)
        assert raised.value.why == "missing"
        with pytest.raises(StickTrouble):
            carry_in(nodes.village, path)

    assert carry_out(nodes.village, new_stick(tmp_path), nodes.town).pack == 1
