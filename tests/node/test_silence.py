"""What an exchange leaves unsaid: news that is none, and clocks that agree."""

from collections.abc import Iterator

import pytest

from node import answering, clock_check, hearing, peers, talk
from node.cases import open_case
from node.lifecycle import State, Step
from node.wiring import Node
from sync.exchange import SILENCE, Parcel, decode_parcel
from tests.node.nodes import Three, step, submit, sync, sync_all

HOUR_MS = 60 * 60 * 1000


def _exchange(one: Node, other: Node) -> tuple[list[Parcel], list[Parcel | None]]:
    """Let one sync with the other; return what was said up and down; None: silence."""
    up: list[Parcel] = []
    down: list[Parcel | None] = []

    def listening(run: Iterator[bytes]) -> Iterator[bytes]:
        bundles = list(run)
        up.extend(_read(other, data) for data in bundles)
        for data in answering.answer(other, bundles):
            down.append(None if data == SILENCE else _read(one, data))
            yield data

    talk.sync_over(one, peers.find_neighbour(one, other.id.hex()), listening)
    return up, down


def _read(node: Node, data: bytes) -> Parcel:
    return decode_parcel(hearing.open_bundle(node, data).body)


def _accepted_above(nodes: Three) -> str:
    """Return a case of the village of whose acceptance it has not heard."""
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    return case.id


def _says_clock(parcel: Parcel | None) -> bool:
    return parcel is not None and clock_check.EXTRA in dict(parcel.extras)


def test_who_has_no_news_for_a_caller_is_silent(nodes: Three) -> None:
    submit(nodes.village)
    sync_all(nodes)

    up, down = _exchange(nodes.village, nodes.town)

    assert len(up) == 1 and down == [None]
    peer = nodes.village.store.registry.peer(nodes.town.id)
    assert peer.last_result == "ok" and not peer.failures
    seen_ms = nodes.town.store.registry.peer(nodes.village.id).last_seen_at_ms
    assert seen_ms and peer.last_try_at_ms and seen_ms < peer.last_try_at_ms


def test_the_acknowledgement_of_a_step_is_answered_with_silence(nodes: Three) -> None:
    case = _accepted_above(nodes)

    up, down = _exchange(nodes.village, nodes.town)

    assert len(up) == 2 and down[0] is not None and down[1] is None
    assert open_case(nodes.village, case).story.state is State.ACCEPTED
    assert sync(nodes.village, nodes.town).requests == 1


def test_who_believes_too_little_of_a_caller_is_put_right_by_silence(
    nodes: Three,
) -> None:
    village, town = nodes.village, nodes.town
    submit(village)
    sync_all(nodes)
    with village.store.transaction():
        village.store.vectors.set_told(town.id, {})

    told_again, down = _exchange(village, town)
    then, _ = _exchange(village, town)

    assert told_again[0].vectors and down == [None]
    assert not then[0].vectors


def test_clocks_that_agree_cost_the_caller_one_word(nodes: Three) -> None:
    _accepted_above(nodes)

    up, down = _exchange(nodes.village, nodes.town)

    assert [_says_clock(one) for one in up] == [True, False]
    assert not any(map(_says_clock, down))


@pytest.mark.parametrize("off_ms", [2 * HOUR_MS, -2 * HOUR_MS, 2 * 365 * 24 * HOUR_MS])
def test_a_clock_that_is_off_is_known_at_both_ends_until_it_is_set_right(
    nodes: Three, off_ms: int
) -> None:
    village, town = nodes.village, nodes.town
    sync_all(nodes)
    village.now_ms = lambda: nodes.clock() + off_ms

    _, down = _exchange(village, town)
    seen = (
        clock_check.ahead_ms(village, town.id),
        clock_check.ahead_ms(town, village.id),
    )
    village.now_ms = nodes.clock
    _, then = _exchange(village, town)

    assert _says_clock(down[0]) and not _says_clock(then[0])
    assert seen[0] == pytest.approx(-off_ms, abs=1000)
    assert seen[1] == pytest.approx(off_ms, abs=1000)
    assert clock_check.ahead_ms(village, town.id) == 0
    assert clock_check.ahead_ms(town, village.id) == 0
