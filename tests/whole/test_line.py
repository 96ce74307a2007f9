"""Cases over a line that is cut: all arrive, nothing twice, and a cut costs little.

Bytes are counted at the line, with TLS and HTTP; cuts come by count of bytes, so that
nothing here hangs on time.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

from node import casework, peers
from node.lifecycle import Step
from sync.errors import SyncError
from sync.exchange import MOST_PACE_BYTES
from tests.whole.line import Line
from tests.whole.line_model import Quality
from tests.whole.places import Place, Places, digests, submit_some, sync_node

CASES = 1200
SHARED = "330881105201"
MOST_TRIES = 60
AROUND_BYTES = 6 * 1024
"""What each new connection costs: TLS, HTTP, and asking what has arrived."""


def test_cases_arrive_once_however_often_the_line_is_cut(places: Places) -> None:
    ids = _submit(places.village)
    cuts = _cuts(seed=1, least=25_000, most=50_000)

    with Line(places.town.address, Quality(cut_after_up=cuts)) as line:
        _sync_until_done(places.village, line)

    assert line.cuts > 2
    assert _ids(places.town) == _ids(places.village) == sorted(ids)
    assert digests(places.town)[SHARED] == digests(places.village)[SHARED]
    with places.town.open() as town:
        assert town.store.documents.counts() == (0, 0)


def test_a_cut_costs_no_more_than_the_bundle_that_was_under_way(
    places: Places, tmp_path: Path
) -> None:
    _submit(places.village)
    needed = _bytes_without_cuts(places, tmp_path / "copy")
    cuts = _cuts(seed=2, least=30_000, most=45_000)

    with Line(places.town.address, Quality(cut_after_up=cuts)) as line:
        _sync_until_done(places.village, line)

    assert line.cuts > 2
    assert line.up - needed <= line.cuts * (MOST_PACE_BYTES + AROUND_BYTES)


def test_what_has_arrived_is_not_sent_again_when_only_the_answer_was_cut(
    places: Places,
) -> None:
    _submit(places.village)
    with Line(places.town.address) as good:
        _sync_until_done(places.village, good)
    within_the_answer = good.down - 50
    _submit(places.village)

    quality = Quality(cut_after_down=(within_the_answer,))
    with Line(places.town.address, quality) as line:
        _sync_until_done(places.village, line)

    assert [one.was_cut for one in line.carried] == [True, False]
    assert line.carried[0].up > 100_000
    assert line.carried[1].up < AROUND_BYTES


def test_what_comes_down_survives_cuts_as_what_goes_up(places: Places) -> None:
    ids = _submit(places.village)
    with Line(places.town.address) as good:
        _sync_until_done(places.village, good)
    with places.town.open() as town, town.store.transaction():
        for one in ids:
            casework.take_step(town, one, Step.RETURN, note=f"请补 {one}")
    cuts = _cuts(seed=3, least=30_000, most=60_000)

    with Line(places.town.address, Quality(cut_after_down=cuts)) as line:
        _sync_until_done(places.village, line)

    assert line.cuts > 1
    assert digests(places.town)[SHARED] == digests(places.village)[SHARED]
    with places.village.open() as village:
        assert village.store.cases.counts_by_state() == {"returned": CASES}


def _submit(place: Place, seed: int = 1) -> list[str]:
    """Submit many cases in one transaction: how they are saved is not the matter."""
    with place.open() as node, node.store.transaction():
        return submit_some(node, CASES, seed)


def _cuts(seed: int, least: int, most: int) -> list[int]:
    """Return after how many bytes each connection is cut; the last ones are whole."""
    draw = Random(seed)
    return [least + int(draw.random() * (most - least)) for _ in range(MOST_TRIES)]


def _sync_until_done(place: Place, line: Line) -> None:
    """Sync upward over the line, again and again until nothing is left to do."""
    for _ in range(MOST_TRIES):
        with place.open() as node:
            above = peers.find_neighbour(node)
            with node.store.transaction():
                peer = node.store.registry.peer(above.node)
                there = replace(peer, url=line.address)
                node.store.registry.set_peer(there)
            try:
                sync_node(node)
            except SyncError:
                continue
            return
    raise AssertionError(f"not done after {line.cuts} cuts")


def _bytes_without_cuts(places: Places, folder: Path) -> int:
    """Return what goes up if nothing is cut, measured with copies of both ends."""
    places.town.end()
    for place in (places.village, places.town):
        shutil.copytree(place.path, folder / place.path.name)
    places.town.serve("--no-sync")
    village, town = Place(folder / "village"), Place(folder / "town")
    town.serve("--no-sync")
    try:
        with Line(town.address) as line:
            _sync_until_done(village, line)
    finally:
        town.end()
    return line.up


def _ids(place: Place) -> list[str]:
    with place.open() as node:
        return sorted(
            document.hex()
            for scope, document, *_ in node.store.documents.heads_by_scope()
            if scope == SHARED
        )
