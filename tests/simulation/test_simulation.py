"""Many seeds, each a run of its own; and whether the simulator would find a fault.

`python -m tests.simulation --seed N --trace` tells the story of one seed.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.plants import PLANTS
from tests.simulation.run import run_seed

ROOT = Path(__file__).parents[2]
SEEDS_OF_A_TEST = 60
RANGES = [range(at, at + SEEDS_OF_A_TEST) for at in range(0, 240, SEEDS_OF_A_TEST)]
ENOUGH_SEEDS = 60


@pytest.mark.parametrize("seeds", RANGES, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_whatever_happens_nothing_is_lost_and_all_agree_in_the_end(
    seeds: range,
) -> None:
    found = {}

    for seed in seeds:
        result = run_seed(seed)
        if result.violation:
            found[seed] = (result.step, result.violation)

    assert found == {}


def test_one_seed_is_one_run_in_any_process() -> None:
    # Sets of bytes come in another order where the hash of bytes is another.
    traces = {_run("--seed", "7", hash_seed=seed).splitlines()[-1] for seed in "012"}

    assert len(traces) == 1
    assert traces == {f"trace        {run_seed(7).trace}"}


def test_two_seeds_are_two_runs() -> None:
    assert run_seed(7).trace != run_seed(8).trace


def test_a_step_that_is_left_out_leaves_the_others_as_they_are() -> None:
    told: list[list[str]] = [[], []]

    run_seed(3, tell=told[0].append)
    run_seed(3, tell=told[1].append, leave_out={49})

    before = [[line for line in one if int(line[:4]) < 49] for one in told]
    assert before[0] == before[1] != []


TOO_RARE = {"other-processes-overlooked"}
"""Faults that take more seeds than there is time for here; see `make soak`."""


@pytest.mark.parametrize("plant", sorted(set(PLANTS) - TOO_RARE))
def test_a_planted_fault_is_found(plant: str) -> None:
    seeds = f"0-{ENOUGH_SEEDS - 1}"

    said = _run("--plant", plant, "--seeds", seeds, "--stop", fails=True)

    # Some show in an invariant, some as a store that can no longer be written.
    assert re.search(r"^seed [0-9]+, step [0-9]+: \w+: ", said, re.MULTILINE)


def _run(*arguments: str, hash_seed: str = "0", fails: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=False,
    )
    assert done.returncode == int(fails), done.stdout + done.stderr
    return done.stdout
