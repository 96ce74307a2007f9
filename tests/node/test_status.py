"""What a node says of its neighbours: from entries and signed vectors, never hope."""

from collections.abc import Iterator

import pytest

from node import peers, talk
from node.lifecycle import Step
from node.status import Above, Neighbour, above, arrivals, neighbours, trouble
from node.wiring import Node
from sync.errors import PeerUnreachable
from sync.stream import StreamId
from sync.vector import Head
from tests.node.forge import (
    birth,
    claim,
    copy_of,
    package_of,
    parcel,
    put_entry,
    send,
)
from tests.node.nodes import (
    ELDER,
    TOWN,
    VILLAGE,
    Three,
    clone,
    enrolled,
    reopen,
    step,
    submit,
    sync,
    sync_all,
)


def about(node: Node, other: Node) -> Neighbour:
    (found,) = (n for n in neighbours(node) if n.certificate.node == other.id)
    return found


def up(node: Node) -> Above:
    found = above(node)
    assert found is not None
    return found


def fails(_run: Iterator[bytes]) -> Iterator[bytes]:
    raise PeerUnreachable("https://test", "no line")


def try_and_fail(node: Node) -> None:
    with pytest.raises(PeerUnreachable):
        talk.sync_over(node, peers.find_neighbour(node), fails)


def test_everybody_on_the_line_is_listed_once_and_nobody_else(nodes: Three) -> None:
    names = {
        "village": ["江山市", "石门镇"],
        "town": ["江山市", "上塘村", "下塘村"],
        "district": ["石门镇", "上塘村", "下塘村"],
    }

    for who, expected in names.items():
        node: Node = getattr(nodes, who)
        found = neighbours(node)
        assert [n.certificate.name for n in found] == expected
        assert [n.certificate.name for n in found if n.is_above] == (
            {"village": ["石门镇"], "town": ["江山市"], "district": []}[who]
        )
        assert not any(n.is_revoked for n in found)


def test_the_district_has_nobody_above(nodes: Three) -> None:
    assert above(nodes.district) is None
    assert up(nodes.village).name == "石门镇"
    assert up(nodes.town).name == "江山市"


def test_what_is_owed_is_counted_with_its_age(nodes: Three) -> None:
    sync_all(nodes)
    at_ms = nodes.clock.at_ms
    nothing = about(nodes.village, nodes.town)
    assert (nothing.owed_entries, nothing.owed_cases, nothing.oldest_ms) == (0, 0, None)

    first = submit(nodes.village)
    nodes.clock.advance(60_000)
    submit(nodes.village)
    step(nodes.village, first.id, Step.AMEND, remark="补")

    owed = about(nodes.village, nodes.town)
    assert (owed.owed_entries, owed.owed_cases) == (3, 2)
    assert owed.oldest_ms is not None and at_ms < owed.oldest_ms < at_ms + 60_000
    assert up(nodes.village).not_delivered == 2
    sync(nodes.village, nodes.town)
    assert about(nodes.village, nodes.town).owed_entries == 0
    assert up(nodes.village).not_delivered == 0
    # The district has it not, and the village can tell.
    assert about(nodes.village, nodes.district).owed_entries == 3
    assert about(nodes.town, nodes.district).owed_entries == 3


@pytest.mark.parametrize("what", ["publication", "two streams"])
def test_owed_cases_are_cases(nodes: Three, what: str) -> None:
    sync_all(nodes)
    if what == "publication":
        put_entry(nodes.district, b"", b"x", kind="later", scope="public")
        owed = about(nodes.district, nodes.town)
        assert (owed.owed_entries, owed.owed_cases) == (1, 0)
    else:
        case = submit(nodes.village)
        sync(nodes.village, nodes.town)
        step(nodes.town, case.id, Step.ACCEPT)
        owed = about(nodes.town, nodes.district)
        assert (owed.owed_entries, owed.owed_cases) == (2, 1)


def test_a_node_that_was_never_tried_is_neither_on_nor_off(nodes: Three) -> None:
    fresh = enrolled(
        nodes.town, nodes.path / "fresh", "village", "330881105203", "第三村"
    )
    try:
        line = up(fresh)
    finally:
        fresh.close()

    assert (line.is_online, line.since_ms, line.last_try_ms) == (None, None, None)
    assert (line.last_result, line.last_success_ms) == ("", None)


def test_being_offline_has_a_beginning_that_further_failures_do_not_move(
    nodes: Three,
) -> None:
    sync(nodes.village, nodes.town)
    success_ms = up(nodes.village).last_success_ms
    nodes.clock.advance(10_000)

    try_and_fail(nodes.village)
    began = up(nodes.village)
    nodes.clock.advance(3600_000)
    try_and_fail(nodes.village)
    later = up(nodes.village)

    assert (began.is_online, later.is_online) == (False, False)
    assert began.since_ms == later.since_ms == began.last_try_ms
    assert later.last_try_ms is not None and began.last_try_ms is not None
    assert later.last_try_ms > began.last_try_ms
    assert later.last_success_ms == success_ms
    assert later.last_result == "unreachable"
    assert about(nodes.village, nodes.town).peer.failures == 2
    sync(nodes.village, nodes.town)
    again = up(nodes.village)
    assert (again.is_online, again.last_result) == (True, "ok")
    assert again.since_ms == again.last_success_ms


def test_what_a_neighbour_has_more_is_counted_as_missing_here(nodes: Three) -> None:
    """The district has acknowledged what the town holds; a restored town lacks it."""
    submit(nodes.village)
    sync_all(nodes)
    backup = clone(nodes.town, nodes.path / "backup")
    for _ in range(3):
        submit(nodes.village)
    sync_all(nodes)
    restored = reopen(backup, nodes.clock)
    stream = StreamId(nodes.village.id, 1, VILLAGE)
    head = Head(nodes.village.id, 1, *nodes.district.store.journal.head(stream))
    try:
        assert about(restored, nodes.district).missing_here == 0
        assert about(restored, nodes.district).missing_since_ms is None
        heard_ms = nodes.clock.at_ms

        vector = claim(nodes.district, VILLAGE, [head])
        send(nodes.district, restored, parcel(vectors=[vector]))

        lacking = about(restored, nodes.district)
        assert lacking.missing_here == 3
        assert lacking.missing_since_ms is not None
        assert heard_ms < lacking.missing_since_ms <= nodes.clock.at_ms
        nodes.clock.advance(60_000)
        # What it says again later is not younger for that.
        vector = claim(nodes.district, VILLAGE, [head], counter=2**51)
        send(nodes.district, restored, parcel(vectors=[vector]))
        again = about(restored, nodes.district)
        assert again.missing_since_ms == lacking.missing_since_ms
    finally:
        restored.close()


def test_an_exchange_goes_well_for_both_ends_whoever_began_it(nodes: Three) -> None:
    sync_all(nodes)
    before = nodes.clock.at_ms
    nodes.clock.advance(60_000)

    sync(nodes.village, nodes.town)

    for one, other in ((nodes.village, nodes.town), (nodes.town, nodes.village)):
        success_ms = about(one, other).last_success_ms
        assert success_ms is not None and success_ms > before
    assert about(nodes.village, nodes.district).last_success_ms is None


def test_last_heard_is_when_a_signed_word_came_by_any_way(nodes: Three) -> None:
    sync_all(nodes)
    before = about(nodes.village, nodes.district).last_heard_ms
    nodes.clock.advance(60_000)
    submit(nodes.village)

    sync(nodes.village, nodes.town)
    assert about(nodes.village, nodes.district).last_heard_ms == before
    sync(nodes.town, nodes.district)
    sync(nodes.village, nodes.town)

    after = about(nodes.village, nodes.district).last_heard_ms
    assert before is not None and after is not None and after >= before + 60_000


def test_trouble_counts_what_a_person_should_look_at(nodes: Three) -> None:
    sync_all(nodes)
    quiet = trouble(nodes.town)
    case = submit(nodes.village)
    copy = copy_of(nodes.village, case.id)
    put_entry(nodes.village, copy.id, copy.write(nodes.village, "accept"))
    document, _, raw = birth(nodes.village, package_of(nodes.village, ELDER))
    put_entry(nodes.village, document, raw, roster_version=99)

    sync(nodes.village, nodes.town)

    assert (quiet.waiting, quiet.set_aside, quiet.forks, quiet.refusals) == (0,) * 4
    now = trouble(nodes.town)
    assert (now.waiting, now.set_aside, now.forks, now.refusals) == (1, 1, 0, 0)
    assert trouble(nodes.district) == quiet


def test_a_case_of_the_town_has_no_town_to_arrive_at(nodes: Three) -> None:
    case = submit(nodes.town)

    one = arrivals(nodes.town, [case.row.document])[case.row.document]
    assert (one.town_ms, one.district_ms) == (None, 0)
    sync(nodes.town, nodes.district)

    one = arrivals(nodes.town, [case.row.document])[case.row.document]
    assert one.town_ms is None and one.district_ms


def test_at_the_town_means_at_the_node_above(nodes: Three) -> None:
    for number in range(4):
        second = enrolled(
            nodes.district, nodes.path / f"t{number}", "town", TOWN, "石门镇二"
        )
        second.close()
    sync_all(nodes)

    case = submit(nodes.village)
    sync(nodes.village, nodes.town)

    assert arrivals(nodes.village, [case.row.document])[case.row.document].town_ms


def test_a_document_that_nobody_has_has_not_arrived(nodes: Three) -> None:
    one = arrivals(nodes.village, [bytes(16)])[bytes(16)]

    assert (one.town_ms, one.district_ms) == (None, None)
