"""Processes that are killed at any moment: what was said to be saved is there."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from node import upkeep
from tests.node.forge import bundle_for
from tests.node.nodes import (
    NOON_MS,
    Three,
    digests,
    reopen,
    rows,
    shared_digests,
    submit,
    sync,
    sync_all,
)

ROOT = Path(upkeep.__file__).parents[1]

_SUBMIT = f"""
import sys
from pathlib import Path
from tests.node.nodes import Clock, reopen, submit, step
from node.lifecycle import Step
node = reopen(Path(sys.argv[1]), Clock({NOON_MS} + int(sys.argv[2]) * 100_000))
print("open", flush=True)
while True:
    case = submit(node)
    print("saved", case.id, flush=True)
    step(node, case.id, Step.AMEND, remark="补")
    print("amended", case.id, flush=True)
"""

_ABSORB = f"""
import sys
from pathlib import Path
from tests.node.nodes import Clock, answer, reopen, sandbox
node = reopen(Path(sys.argv[1]), Clock({NOON_MS} + int(sys.argv[2]) * 100_000))
print("open", flush=True)
for path in sorted(Path(sys.argv[3]).iterdir()):
    answer(node, path.read_bytes())
    print("taken", path.name, flush=True)
node.close()
sandbox().close()
print("done", flush=True)
"""


def run_and_kill(
    script: str, arguments: Sequence[str], after_lines: int, wait_s: float
) -> list[str]:
    """Start a process, read some lines of it, kill it a little later, and return all
    whole lines that it has written.
    """
    child = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None and child.stderr is not None
    lines = []
    for line in child.stdout:
        lines.append(line)
        if len(lines) >= after_lines:
            break
    time.sleep(wait_s)
    child.send_signal(signal.SIGKILL)
    rest, errors = child.communicate()
    assert lines, errors
    lines += rest.splitlines(keepends=True)
    return [line.strip() for line in lines if line.endswith("\n")]


def test_what_was_said_to_be_saved_survives_any_kill(nodes: Three) -> None:
    home = nodes.village.home.path
    nodes.village.close()
    chance = random.Random(20261121)
    saved, amended = set[str](), set[str]()

    for number in range(30):
        lines = run_and_kill(
            _SUBMIT,
            [str(home), str(number)],
            chance.randint(1, 9),
            chance.random() * 0.02,
        )
        saved |= {line.split()[1] for line in lines if line.startswith("saved")}
        amended |= {line.split()[1] for line in lines if line.startswith("amended")}

    nodes.village = reopen(home, nodes.clock)
    held = rows(nodes.village, "SELECT document FROM cases")
    assert saved <= {row[0].hex() for row in held}
    # The last one of a round may be saved and not yet said to be.
    assert len(saved) <= len(held) <= len(saved) + 30
    assert len(held) == len(set(held))
    twice = rows(
        nodes.village,
        "SELECT hex(document), count(*) FROM entries WHERE document != x'' GROUP BY 1",
    )
    counts = {document.lower(): count for document, count in twice}
    assert {counts[one] for one in amended} == {2}
    assert set(counts.values()) <= {1, 2}
    numbers = rows(nodes.village, "SELECT number FROM cases")
    assert len(numbers) == len(set(numbers))
    assert upkeep.verify(nodes.village).faults == ()
    sync(nodes.village, nodes.town)
    assert shared_digests(nodes.village, nodes.town)
    assert nodes.town.store.documents.count() == len(held)


def test_bundles_that_were_being_taken_in_are_taken_whole_or_not_at_all(
    nodes: Three,
) -> None:
    folder = nodes.path / "stick"
    folder.mkdir()
    for number in range(25):
        for _ in range(6):
            submit(nodes.village)
        # The town has acknowledged nothing: each bundle holds all that came before.
        (folder / f"{number:03}").write_bytes(bundle_for(nodes.village, nodes.town))
    home = nodes.town.home.path
    nodes.town.close()
    chance = random.Random(7)
    taken = set[str]()

    for number in range(8):
        lines = run_and_kill(
            _ABSORB,
            [str(home), str(number), str(folder)],
            chance.randint(1, 12),
            chance.random() * 0.05,
        )
        taken |= {line.split()[1] for line in lines if line.startswith("taken")}
        nodes.town = reopen(home, nodes.clock)
        count = nodes.town.store.documents.count()
        assert count % 6 == 0
        assert count >= 6 * len(taken)
        assert upkeep.verify(nodes.town).faults == ()
        nodes.town.close()

    nodes.town = reopen(home, nodes.clock)
    sync_all(nodes)
    assert nodes.town.store.documents.count() == 150
    assert shared_digests(nodes.village, nodes.town)
    before = digests(nodes.town)
    upkeep.rebuild(nodes.town)
    assert digests(nodes.town) == before
