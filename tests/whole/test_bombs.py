"""Whatever an enrolled node throws at a town, the town lives and serves the others."""

from pathlib import Path

import pytest

from tests.whole import bombs
from tests.whole.bombs import ATTACKS, throw_all
from tests.whole.places import Places, submit_some, sync

MEMORY_LIMIT_MIB = 200


def test_a_town_under_every_attack_lives_and_takes_in_good_cases(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bombs, "FLIPS", 100)
    monkeypatch.setattr(bombs, "MUTANTS", 200)
    service = places.town.service
    assert service is not None

    outcomes = list(throw_all(places))

    assert [one.attack for one in outcomes] == [one.__name__ for one in ATTACKS]
    assert service.poll() is None
    assert max(one.server_mib for one in outcomes) < MEMORY_LIMIT_MIB
    assert max(one.child_mib for one in outcomes) < MEMORY_LIMIT_MIB
    with places.village.open() as node:
        good = submit_some(node, 5, seed=99)
    assert sync(places.village).refused == ()
    shown = places.town.read("case", "list")["cases"]
    assert set(good) <= {one["id"] for one in shown}
    assert places.town.read("verify")["clean"]


def test_each_attack_is_answered_by_a_refusal_or_set_aside(places: Places) -> None:
    said = {one.attack: one.said for one in throw_all(places, ATTACKS[:5])}

    assert "answered" not in said["flipped_bytes"]
    assert said["the_same_run_three_times"] == "answered (1) x3"
    assert said["zstd_bombs"] == "PeerRefused 400 x4"
    assert said["frames_that_lie"] == "HTTP/1.1 400 x5"
    with places.town.open() as node:
        causes = {cause for _, _, cause, _ in node.store.refusals.newest(1000)}
        assert "chunk" in causes


def test_nothing_lies_outside_the_home(places: Places, tmp_path: Path) -> None:
    before = set(places.town.path.parent.iterdir())

    list(throw_all(places, [bombs.names_that_would_lead_astray]))

    assert set(places.town.path.parent.iterdir()) == before
    for path in places.town.path.rglob("*"):
        assert path.name.isascii() and path.name.isprintable()
