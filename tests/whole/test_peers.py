"""Two desks in one village office, as real processes on real sockets."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.places import ELDER, GOOD, Place, Places, join, submit_some, sync

PATIENCE_S = 60


@pytest.fixture
def second(places: Places, tmp_path: Path) -> Iterator[Place]:
    """Another desk of the village, serving; the first has heard of it."""
    made = Place(tmp_path / "second")
    join(made, places.town, "village")
    for place in (made, places.village):
        sync(place)
    made.serve("--no-sync")
    yield made
    made.end()


def node_of(place: Place) -> str:
    return str(place.read("status")["node"])


def test_two_desks_sync_directly_when_a_person_says_so(
    places: Places, second: Place
) -> None:
    village, name = places.village, node_of(second)
    places.town.end()
    made = second.run("case", "new", ELDER, "--fields", "-", stdin=json.dumps(GOOD))
    unknown = village.run("sync", "--peer", name)

    added = village.run("node", "peer", "add", name, second.address)
    listed = village.read("node", "peer", "list")["peers"]
    synced = village.read("sync", "--peer", name)
    shown = village.read("case", "show", made.stdout.strip())
    away = village.run("sync")
    removed = village.run("node", "peer", "remove", name)

    assert unknown.returncode == 4
    assert added.returncode == removed.returncode == 0, added.stderr
    assert [(p["node"], p["terminal"]) for p in listed if not p["above"]] == [(name, 2)]
    assert synced["received"] >= 1 and synced["refused"] == []
    assert shown["fields"]["name"] == GOOD["name"]
    assert away.returncode == 4
    (left,) = village.read("node", "peer", "list")["peers"]
    assert left["above"]
    assert village.run("sync", "--peer", name).returncode == 4


def test_a_service_visits_the_desks_that_were_added(
    places: Places, second: Place
) -> None:
    village = places.village
    places.town.end()
    village.run("node", "peer", "add", node_of(second), second.address)
    with second.open() as node:
        (case,) = submit_some(node, 1, seed=5)

    village.serve()

    assert _comes(village, case)
    with village.open() as node:
        (back,) = submit_some(node, 1, seed=6)
    assert _comes(second, back)
    found = village.read("status")["neighbours"]
    assert {one["last_result"] for one in found if not one["above"]} >= {"ok"}


def test_a_desk_that_is_off_is_no_news_for_the_town(
    places: Places, second: Place
) -> None:
    village = places.village
    village.run("node", "peer", "add", node_of(second), second.address)
    second.end()
    with village.open() as node:
        (case,) = submit_some(node, 1, seed=7)

    village.serve()

    assert _comes(places.town, case)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "月亮村", "127.0.0.1:1"), 1),
        (("add", "朱林镇", "nowhere"), 1),
        (("remove", "朱林镇"), 1),
        (("add", "朱林镇"), 2),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    places: Places, words: tuple[str, ...], code: int
) -> None:
    done = places.village.run("node", "peer", *words)

    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert any("\u4e00" <= letter <= "\u9fff" for letter in done.stderr)


def _comes(place: Place, case: str) -> bool:
    """Wait until a case is held at a place; False if it never comes."""
    end_s = time.monotonic() + PATIENCE_S
    with place.open() as node:
        while time.monotonic() < end_s:
            if node.store.cases.get(bytes.fromhex(case)) is not None:
                return True
            time.sleep(0.1)
    return False
