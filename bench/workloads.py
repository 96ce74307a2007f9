"""The workloads: how each begins, and one measured exchange of both kinds."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import baseline, homes
from bench.homes import Start
from bench.measure import Cost, Row, cpu_s, rows_of

_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Workload:
    """What is exchanged: its start, and how many cases the name stands for."""

    name: str
    cases: int
    start: Start


def prepare(
    folder: Path, few: int, many: int, edited: int, say: Callable[[str], None]
) -> tuple[list[Workload], list[Row]]:
    """Make the start of each workload; return them, and what was measured meanwhile.

    Args:
        folder: an empty folder with room for some hundred megabytes.
        few: the smaller size, a multiple of `homes.CASES_A_DAY`.
        many: the larger size, another one.
        edited: how many of `many` are edited.
        say: told how far it is.
    """
    empty = homes.enrolled(folder / "empty")
    began_s = time.monotonic()
    new_few = _with_cases(empty, folder / "new-few", range(few))
    new_many = _with_cases(new_few, folder / "new-many", range(few, many))
    say(f"{many} cases written in {time.monotonic() - began_s:.1f} s")
    held_few, _ = _held(new_few, folder / "held-few")
    held_many, spent_s = _held(new_many, folder / "held-many")
    rate = many / spent_s
    say(f"{many} cases taken in by the town in {spent_s:.1f} s, without a line")
    changed = held_many.copy_to(folder / "changed")
    with homes.plain(changed / "plain.db") as db:
        every = [row[0] for row in db.execute("SELECT id FROM cases ORDER BY number")]
        wanted = every[:: len(every) // edited][:edited]
        baseline.put_out(db, homes.edit_cases(changed / "village", wanted))
    shutil.copy(held_many / "plain.db", changed / "plain-town.db")
    works = [
        Workload("W1 new", few, new_few),
        Workload("W1 new", many, new_many),
        Workload("W2 nothing", few, held_few),
        Workload("W2 nothing", many, held_many),
        Workload("W3 edited", edited, changed),
    ]
    rows = [
        Row("intake", many, "entries/s", None, rate, None),
        Row("disk", 100, "bytes/case", None, _disk_bytes(empty, folder), None),
    ]
    return works, rows


def measure(
    work: Workload, repeats: int, folder: Path, say: Callable[[str], None]
) -> list[Row]:
    """Return the medians of several pairs of exchanges, each on fresh homes."""
    pairs = []
    for _ in range(repeats):
        plain = _exchange(work.start, folder, _plain)
        ours = _exchange(work.start, folder, _ours)
        pairs.append((plain, ours))
        say(f"{work.name} {work.cases}: {plain} {ours}")
    return rows_of(work.name, work.cases, pairs)


def _exchange(
    start: Start, folder: Path, ends: Callable[[Start, int], tuple[list[str], ...]]
) -> Cost:
    with _fresh(start, folder) as copy:
        receiving, sending = ends(copy, _free_port())
        with _running(receiving) as receiver, _running(sending) as sender:
            assert sender.stdin and sender.stdout
            before_s = cpu_s(receiver.pid) + cpu_s(sender.pid)
            sender.stdin.write("go\n")
            sender.stdin.flush()
            cost = Cost(**json.loads(sender.stdout.readline()))
            after_s = cpu_s(receiver.pid) + cpu_s(sender.pid)
            return replace(cost, cpu_s=after_s - before_s)


def _ours(start: Start, port: int) -> tuple[list[str], ...]:
    return (
        ["town", str(start / "town"), str(port)],
        ["village", str(start / "village"), str(start / "warmer"), str(port)],
    )


def _plain(start: Start, port: int) -> tuple[list[str], ...]:
    return (
        ["plain-receiver", str(start / "plain-town.db"), str(port)],
        [
            "plain-sender", str(start / "plain.db"), str(start / "warmer.db"),
            str(port),
        ],
    )  # fmt: skip


@contextmanager
def _fresh(start: Start, folder: Path) -> Iterator[Start]:
    copy = start.copy_to(folder / "running")
    # The copy must not be written to disk by the first commit that is measured.
    os.sync()
    try:
        yield copy
    finally:
        shutil.rmtree(copy.path)


@contextmanager
def _running(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.ends", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        assert said == "ready", f"{arguments[0]} ended before it was ready"
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=_LIMIT_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _with_cases(before: Start, path: Path, numbers: range) -> Start:
    """Return a start with more new cases in it, for both kinds."""
    start = before.copy_to(path)
    with homes.plain(start / "plain.db") as db:
        baseline.put_out(db, homes.write_cases(start / "village", numbers))
    return start


def _held(new: Start, path: Path) -> tuple[Start, float]:
    """Return a start in which the town has it all; and the seconds that it took."""
    start = new.copy_to(path)
    with homes.plain(start / "plain.db") as db:
        baseline.keep(db, map(json.loads, baseline.take_out(db)))
    with homes.opened(start) as (village, town):
        spent_s = homes.settle(village, town)
    return start, spent_s


def _disk_bytes(empty: Start, folder: Path, cases: int = 100, changes: int = 10) -> int:
    """Return how much larger a home is for each case with ten changes."""
    start = empty.copy_to(folder / "disk")
    home = start / "village"
    before = (home / "node.db").stat().st_size
    ids = [row["id"] for row in homes.write_cases(home, range(cases))]
    for _ in homes.edit_cases(home, ids, times=changes - 1):
        pass
    return ((home / "node.db").stat().st_size - before) // cases
