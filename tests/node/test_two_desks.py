"""Two nodes at one place: through their town, directly, and never mistaken."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node import peers, roster
from node.cases import open_case
from node.errors import Ambiguous, NodeError, NotAllowed, NotFound, PeerImpossible
from node.lifecycle import State, Step
from node.status import neighbours
from node.wiring import Node
from sync import seal
from sync.identity import give_consent
from tests.node.nodes import (
    TOWN,
    VILLAGE,
    Three,
    causes,
    enrolled,
    shared_digests,
    step,
    submit,
    sync,
    sync_all,
)

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def second(nodes: Three) -> Iterator[Node]:
    """Another desk of the village; only the town knows of it, and its catalogue is
    here."""
    sync_all(nodes)
    made = enrolled(nodes.town, nodes.path / "second", "village", VILLAGE, "上塘村")
    sync(made, nodes.town)
    yield made
    made.close()


def refusals(*nodes: Node) -> list[str]:
    return [row[3] for node in nodes for row in node.store.refusals.newest(99)]


def test_two_desks_agree_through_a_town_whose_district_is_away(
    nodes: Three, second: Node
) -> None:
    first, town = nodes.village, nodes.town
    mine, yours = submit(first), submit(second)

    for _ in range(2):
        sync(second, town)
        sync(first, town)

    assert open_case(second, mine.id).fields == mine.fields
    assert open_case(first, yours.id).fields == yours.fields
    assert shared_digests(first, second)
    # The district has not heard of the second desk; its word counts all the same.
    assert second.id not in {n for n, _ in first.roster.enrolled}
    assert refusals(first, second, town) == causes(first) == []


def test_what_one_desk_takes_in_the_other_may_go_on_with(
    nodes: Three, second: Node
) -> None:
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)
    sync(second, nodes.town)
    step(nodes.town, case.id, Step.RETURN, "缺照片")
    sync(second, nodes.town)

    step(second, case.id, Step.SUBMIT, remark="照片已补")
    sync(second, nodes.town)
    sync_all(nodes)

    for node in (*nodes.nodes[:3], second):
        there = open_case(node, case.id)
        assert there.story.state is State.SUBMITTED
        assert there.fields["remark"] == "照片已补"


def test_a_desk_that_only_the_town_knew_is_known_to_all_in_the_end(
    nodes: Three, second: Node
) -> None:
    case = submit(second)
    sync(second, nodes.town)
    sync_all(nodes)

    assert (second.id, 1) in nodes.district.roster.enrolled
    for node in nodes:
        assert node.roster.latest(second.id) is not None
    assert open_case(nodes.district, case.id).fields == case.fields
    assert refusals(*nodes) == []


def test_the_other_villages_hear_of_it_from_the_roster_only(
    nodes: Three, second: Node
) -> None:
    sync(nodes.other_village, nodes.town)
    assert nodes.other_village.roster.latest(second.id) is None

    sync_all(nodes)

    assert nodes.other_village.roster.latest(second.id) is not None


def test_two_desks_agree_with_no_town_at_all(nodes: Three, second: Node) -> None:
    """Once each has heard of the other, a cable between them is enough."""
    first = nodes.village
    sync(second, nodes.town)
    sync(first, nodes.town)
    mine, yours = submit(first), submit(second)

    report = sync(first, second)
    again = sync(first, second)

    assert open_case(second, mine.id).fields == mine.fields
    assert open_case(first, yours.id).fields == yours.fields
    assert shared_digests(first, second)
    assert report.refused == again.refused == ()
    assert (again.requests, again.sent, again.received) == (1, 0, 0)
    # What the second desk carries for the first is as good as brought by itself.
    sync(second, nodes.town)
    assert open_case(nodes.town, mine.id).fields == mine.fields


def test_what_the_town_has_acknowledged_is_heard_from_the_other_desk(
    nodes: Three, second: Node
) -> None:
    from node.status import arrivals

    first = nodes.village
    for one in (second, first):
        sync(one, nodes.town)
    case = submit(first)
    sync(first, second)
    sync(second, nodes.town)

    assert arrivals(first, [case.row.document])[case.row.document].town_ms == 0
    sync(first, second)

    assert arrivals(first, [case.row.document])[case.row.document].town_ms


def test_case_numbers_of_two_desks_differ(nodes: Three, second: Node) -> None:
    numbers = [
        submit(node).row.number for _ in range(3) for node in (nodes.village, second)
    ]

    assert len(set(numbers)) == 6
    assert {number[18:20] for number in numbers} == {"01", "02"}


def test_desks_that_two_issuers_enrol_at_once_have_numbers_of_their_own(
    nodes: Three, second: Node
) -> None:
    third = enrolled(nodes.district, nodes.path / "third", "village", VILLAGE, "上塘村")
    elder = enrolled(nodes.district, nodes.path / "t2", "town", TOWN, "石门镇")
    fourth = enrolled(elder, nodes.path / "fourth", "village", VILLAGE, "上塘村")
    try:
        desks = [nodes.village, second, third, fourth]
        assert [d.certificate.terminal for d in desks] == [1, 2, 81, 21]
    finally:
        for node in (third, elder, fourth):
            node.close()


def _ask(town: Node, number: int) -> int:
    """Return as which desk the village's next node is enrolled."""
    key = seal.sha256(bytes([number]))
    public, sealing = seal.public_sign_key(key), seal.public_seal_key(key)
    signed = roster.issue_below(
        town,
        tier="village",
        division=VILLAGE,
        department="",
        name="上塘村",
        sign_key=public,
        seal_key=sealing,
        tls_fingerprint=bytes(32),
        consent=give_consent(key, sealing, bytes(32), 1, town.id),
        epoch=1,
    )
    return signed.read().terminal


def test_a_place_with_as_many_desks_as_there_are_numbers_takes_no_more(
    nodes: Three,
) -> None:
    given = [_ask(nodes.town, number) for number in range(98)]

    assert sorted([*given, 1]) == list(range(1, 100))
    with pytest.raises(NotAllowed):
        _ask(nodes.town, 98)


# -- whom to visit ---------------------------------------------------------------


def test_a_neighbour_is_added_moved_and_removed(nodes: Three, second: Node) -> None:
    first = nodes.village
    sync(first, nodes.town)
    above = [("石门镇", "test:1")]

    def visited() -> list[tuple[str, str]]:
        return [(one.name, address) for one, address in peers.visited(first)]

    assert visited() == above
    peers.add(first, second.id.hex(), "192.168.1.7:8443")
    peers.add(first, second.id.hex(), "[fe80::1]:8443")
    assert visited() == [*above, ("上塘村", "[fe80::1]:8443")]
    peers.add(first, "石门镇", "10.0.0.1:8443")
    assert visited()[0] == ("石门镇", "10.0.0.1:8443")
    peers.remove(first, second.id.hex())
    assert len(visited()) == 1


def test_a_neighbour_that_is_no_line_above_is_told_of_too(nodes: Three) -> None:
    """Another village shares what is public with us, so much it may be asked for."""
    first, other = nodes.village, nodes.other_village
    assert other.id not in [n.certificate.node for n in neighbours(first)]
    peers.add(first, "下塘村", "10.0.0.2:8443")

    report, again = sync(first, other), sync(first, other)

    assert other.id in [n.certificate.node for n in neighbours(first)]
    assert report.refused == () and (again.requests, again.sent) == (1, 0)
    assert VILLAGE not in other.store.vectors.scopes()


@pytest.mark.parametrize("address", ["", "here", "a b:1", "x:123456", "http://a:1"])
def test_an_address_is_host_and_port(nodes: Three, address: str) -> None:
    with pytest.raises(NodeError):
        peers.add(nodes.village, "下塘村", address)

    assert len(peers.visited(nodes.village)) == 1


def test_whom_nobody_can_visit_is_refused(nodes: Three, second: Node) -> None:
    first = nodes.village
    sync(first, nodes.town)

    for name, error in (
        (first.id.hex(), PeerImpossible),
        ("月亮村", NotFound),
        ("上塘村", Ambiguous),  # there are two desks of that name
    ):
        with pytest.raises(error):
            peers.add(first, name, "10.0.0.2:8443")
    for name in ("石门镇", second.id.hex()):
        with pytest.raises(PeerImpossible):
            peers.remove(first, name)


def test_an_invitation_gives_the_line_above_and_no_other_desk(
    nodes: Three, tmp_path: Path
) -> None:
    """What the new desk needs of the first comes from the town, signed."""
    fresh = enrolled(nodes.town, tmp_path / "fresh", "village", VILLAGE, "上塘村")
    try:
        assert fresh.roster.latest(nodes.village.id) is None
        with pytest.raises(NotFound):
            peers.add(fresh, nodes.village.id.hex(), "10.0.0.2:8443")
        sync(fresh, nodes.town)
        assert peers.add(fresh, nodes.village.id.hex(), "10.0.0.2:8443")
    finally:
        fresh.close()
    assert peers.ADDRESS.fullmatch("10.0.0.2:8443")
    assert peers.find_neighbour(nodes.village).name == "石门镇"
