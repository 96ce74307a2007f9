"""kill -9 at any moment: what was printed as saved is there once, and all agree.

`LIANBAN_KILLS` says how many times each process dies; a few in the gate, 50 and more
by hand.
"""

import os
import random
import subprocess
import sys
import threading
from contextlib import suppress

from node.errors import NodeError
from sync.errors import SyncError
from tests.whole.places import (
    OPERATOR,
    PASSWORD,
    Place,
    Places,
    digests,
    submit_some,
    sync,
    sync_node,
)

KILLS = int(os.environ.get("LIANBAN_KILLS", "6"))
SHARED = "330881105201"

SAVER = """
import sys
from pathlib import Path
from node.wiring import open_node
from tests.whole.places import submit_some

node = open_node(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
seed = int(sys.argv[4])
while True:
    seed += 1
    for case in submit_some(node, 1, seed):
        print(case, flush=True)
"""


def test_a_village_killed_during_saves_keeps_what_it_said(places: Places) -> None:
    chance = random.Random(1)
    said: list[str] = []

    for round_ in range(KILLS):
        said += _save_until_killed(places.village, round_ * 1000, chance)

    _all_agree(places, said)


def test_a_village_killed_during_syncs_loses_and_doubles_nothing(
    places: Places,
) -> None:
    chance = random.Random(2)
    said: list[str] = []

    for round_ in range(KILLS):
        with places.village.open() as node:
            said += submit_some(node, 20, seed=round_)
        process = subprocess.Popen(
            places.village.command("sync"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _kill_after(process, chance.uniform(0.2, 0.8))

    _all_agree(places, said)


def test_a_town_killed_during_receives_loses_and_doubles_nothing(
    places: Places,
) -> None:
    chance = random.Random(3)
    said: list[str] = []

    for round_ in range(KILLS):
        with places.village.open() as node:
            said += submit_some(node, 60, seed=round_)
            assert places.town.service is not None
            killer = threading.Timer(
                chance.uniform(0.0, 0.15), places.town.service.kill
            )
            killer.start()
            # Cut off, mostly; sometimes it is done before.
            with suppress(SyncError, NodeError):
                sync_node(node)
            killer.join()
        places.town.end(kill=True)
        places.town.serve("--no-sync")

    _all_agree(places, said)


def _save_until_killed(place: Place, seed: int, chance: random.Random) -> list[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SAVER, str(place.path), OPERATOR, PASSWORD, str(seed)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(chance.randint(1, 8))]
    _kill_after(process, chance.uniform(0.0, 0.02))
    said += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.stdout.close()
    return said


def _kill_after(
    process: "subprocess.Popen[str] | subprocess.Popen[bytes]", wait_s: float
) -> None:
    """Kill at a moment that nobody has chosen."""
    try:
        process.wait(timeout=wait_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _all_agree(places: Places, said: list[str]) -> None:
    """Everything that was said to be saved is at all three, once, and verified."""
    for place in (places.village, places.town, places.village, places.town):
        sync(place)
    found = [digests(place) for place in places.every()]
    assert len({one[SHARED] for one in found}) == 1
    for place in places.every():
        with place.open() as node:
            ids = [row[1].hex() for row in node.store.documents.heads_by_scope()]
            assert len(ids) == len(set(ids))
            assert len(said) == len(set(said))
            assert set(said) <= set(ids)
            assert node.store.documents.counts() == (0, 0)
            assert all(node.store.cases.get(bytes.fromhex(one)) for one in said)
