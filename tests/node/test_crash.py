"""Processes that are killed at any moment: what was said to be saved is there."""

import multiprocessing
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from node import upkeep
from node.lifecycle import Step
from tests.node.forge import bundle_for
from tests.node.nodes import (
    NOON_MS,
    Clock,
    Three,
    answer,
    digests,
    reopen,
    rows,
    sandbox,
    shared_digests,
    step,
    submit,
    sync,
    sync_all,
)

_FORKS = multiprocessing.get_context("forkserver")
# What a child needs is imported once, not by each of them; pypinyin is, where the
# first case is submitted, and takes longer than all that the child does.
_FORKS.set_forkserver_preload([__name__, "pypinyin"])


def submit_for_ever(say: Connection, home: Path, number: int) -> None:
    """Submit and amend cases, and say so of each."""
    node = reopen(home, Clock(NOON_MS + number * 100_000))
    say.send("open")
    while True:
        case = submit(node)
        say.send(f"saved {case.id}")
        step(node, case.id, Step.AMEND, remark="补")
        say.send(f"amended {case.id}")


def absorb_all(say: Connection, home: Path, number: int, folder: Path) -> None:
    """Take in all bundles of a folder, and say so of each."""
    node = reopen(home, Clock(NOON_MS + number * 100_000))
    say.send("open")
    for path in sorted(folder.iterdir()):
        answer(node, path.read_bytes())
        say.send(f"taken {path.name}")
    node.close()
    sandbox().close()
    say.send("done")


def run_and_kill(
    work: Callable[..., None], arguments: Sequence[object], after: int, wait_s: float
) -> list[str]:
    """Let a process work, hear some words of it, kill it a little later, and return
    all that it has said in full.
    """
    hear, say = _FORKS.Pipe(duplex=False)
    child = _FORKS.Process(target=work, args=(say, *arguments))
    child.start()
    say.close()
    words = []
    with hear, suppress(EOFError, ConnectionResetError):
        while len(words) < after:
            words.append(hear.recv())
        time.sleep(wait_s)
        child.kill()
        while True:
            words.append(hear.recv())
    child.join()
    assert words, "the process has not begun"
    return words


def test_what_was_said_to_be_saved_survives_any_kill(nodes: Three) -> None:
    home = nodes.village.home.path
    nodes.village.close()
    chance = random.Random(20261121)
    saved, amended = set[str](), set[str]()

    for number in range(30):
        lines = run_and_kill(
            submit_for_ever,
            [home, number],
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
            absorb_all,
            [home, number, folder],
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
