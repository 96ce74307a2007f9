"""A node at work without a person: when it tries again, and who may end a pause."""

import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from node import pauses
from node.pauses import Pauses
from node.service import Background, Relief
from node.serving import MOST_OPEN_FILES, Server
from sync.errors import PeerRefused, PeerUnreachable
from tests.node.nodes import Three, three

PATIENCE_S = 30


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Three]:
    with three(tmp_path) as made:
        yield made


def test_a_server_may_have_as_many_files_open_as_the_machine_allows(
    nodes: Three,
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = min(before[1], MOST_OPEN_FILES)
    server = Server(nodes.town, "127.0.0.1", 0)
    server.stop()

    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard // 2, before[1]))
        server.run()
        found, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert found == hard


LOST = PeerUnreachable("x", "y")


def test_pauses_grow_with_each_failure_and_have_an_end() -> None:
    line = Pauses()

    found = [line.after(LOST) for _ in range(12)]

    assert found[0] == pauses.FIRST_PAUSE_S
    assert found[:8] == sorted(found[:8])
    assert found[-1] == pauses.LONGEST_PAUSE_S
    assert line.is_backing_off
    assert line.after_success() == pauses.POLL_S
    assert not line.is_backing_off
    assert line.after(LOST) == pauses.FIRST_PAUSE_S


def test_not_everybody_comes_again_at_the_same_moment() -> None:
    lines = [Pauses() for _ in range(20)]

    second = {(line.after(LOST), line.after(LOST))[1] for line in lines}

    assert len(second) > 10


@pytest.mark.parametrize(("asked_s", "pause_s"), [(0, 2), (60, 60), (99_999, 300)])
def test_a_peer_that_says_when_to_come_again_is_left_alone_until_then(
    asked_s: int, pause_s: int
) -> None:
    assert Pauses().after(PeerRefused("x", 503, "later", asked_s)) == pause_s


def test_a_person_ends_the_longest_pause_at_once(
    nodes: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line: the first try fails, and the pause after it would be hours long."""
    monkeypatch.setattr(pauses, "FIRST_PAUSE_S", 10_000.0)
    monkeypatch.setattr(pauses, "LONGEST_PAUSE_S", 10_000.0)
    tries = threading.Semaphore(0)
    background = Background(nodes.village, tries.release)

    background.start()
    try:
        assert tries.acquire(timeout=PATIENCE_S)
        background.wake()
        assert tries.acquire(timeout=PATIENCE_S)
    finally:
        background.stop()


def test_the_screens_take_over_when_the_service_has_ended(nodes: Three) -> None:
    relief = Relief(nodes.village)

    with nodes.village.home.sole_server() as is_served:
        while_served = relief.take_over()
    try:
        after = relief.take_over()
        again = relief.take_over()
        with nodes.village.home.sole_server() as is_free:
            pass
    finally:
        relief.stop()
    with nodes.village.home.sole_server() as is_free_at_the_end:
        pass

    assert is_served and while_served is None
    assert isinstance(after, Background) and again is after
    assert not is_free and is_free_at_the_end
