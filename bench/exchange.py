"""One measured exchange, of ours or of the baseline: real processes, perhaps a line."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.homes import Start
from bench.measure import Cost, cpu_s
from tests.whole.line import Line
from tests.whole.line_model import Quality

Kind = Literal["plain", "ours"]

_ENDS: dict[Kind, tuple[str, str, str]] = {
    "plain": ("plain-serve", "plain-sync", ".db"),
    "ours": ("serve", "sync", ""),
}
_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Hop:
    """Who exchanges with whom, by their names within a start.

    `warmer` is another node below the same one, in whose name both are warmed up.
    """

    below: str = "village"
    above: str = "town"
    warmer: str = "warmer"


VILLAGE_TOWN = Hop()
TOWN_DISTRICT = Hop("town", "district", "other-town")


def exchange(
    start: Start,
    kind: Kind,
    hop: Hop = VILLAGE_TOWN,
    quality: Quality | None = None,
    tries: int = 1,
) -> Cost:
    """Do an exchange and return what it took; the homes are another afterwards.

    Args:
        start: where the homes lie.
        kind: whose exchange.
        hop: between whom.
        quality: a line to lay between; without one they talk directly. Its counts
            stand in the place of TCP's own.
        tries: how often it is begun in all, where the line is cut.
    """
    serving, syncing, suffix = _ENDS[kind]
    port = _free_port()
    with ExitStack() as stack:
        above = stack.enter_context(
            _running(serving, str(start / f"{hop.above}{suffix}"), str(port))
        )
        line, far_port = None, port
        if quality is not None:
            line = stack.enter_context(Line(f"127.0.0.1:{port}", quality))
            far_port = int(line.address.rpartition(":")[2])
        below = stack.enter_context(
            _running(
                syncing,
                str(start / f"{hop.below}{suffix}"),
                str(far_port),
                str(start / f"{hop.warmer}{suffix}"),
                str(port),
                str(tries),
            )
        )
        assert below.stdin and below.stdout
        before_s = cpu_s(above.pid) + cpu_s(below.pid)
        below.stdin.write("go\n")
        below.stdin.flush()
        cost = Cost(**json.loads(below.stdout.readline()))
        after_s = cpu_s(above.pid) + cpu_s(below.pid)
        if line is not None:
            cost = replace(cost, tcp_up=line.up, tcp_down=line.down)
        return replace(cost, cpu_s=after_s - before_s)


@contextmanager
def fresh(start: Start, folder: Path) -> Iterator[Start]:
    """Give a copy of a start that may be changed; it is removed afterwards."""
    copy = start.copy_to(folder / "running")
    # The copy must not be written to disk by the first commit that is measured.
    os.sync()
    try:
        yield copy
    finally:
        shutil.rmtree(copy.path)


@contextmanager
def _running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
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
