"""The parent's side of `sync.worker`: jobs in, outcomes out, whatever happens.

Jobs go to the child in groups. When a group kills the child or takes too long, it is
halved until the one job that does it is found; that one is refused "by backstop"
and the others are done. The child is started on first use and again after each death.
"""

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO

import msgspec

from sync.worker import Job, Outcome, write_frame

GROUP_JOBS = 256
TIME_LIMIT_S = 20.0
BACKSTOP = "backstop"
"""The refusal of a job that killed the child: the only verdict that is no count,
so it raises an alarm for a person."""


class Sandbox:
    """A child process for foreign changes. Safe to share between threads."""

    def __init__(self, time_limit_s: float = TIME_LIMIT_S) -> None:
        """Start nothing yet; the first job does."""
        self._time_limit_s = time_limit_s
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._decoder = msgspec.msgpack.Decoder(list[Outcome])

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Return one outcome for each job, in order."""
        outcomes: list[Outcome] = []
        with self._lock:
            for start in range(0, len(jobs), GROUP_JOBS):
                outcomes += self._run_group(jobs[start : start + GROUP_JOBS])
        return outcomes

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._kill()

    def __enter__(self) -> "Sandbox":
        """Use as a context manager: the child ends with it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the child."""
        self.close()

    def _run_group(self, jobs: Sequence[Job]) -> list[Outcome]:
        answer = self._ask(jobs)
        if answer is not None:
            return answer
        if len(jobs) == 1:
            return [Outcome(BACKSTOP)]
        half = len(jobs) // 2
        return self._run_group(jobs[:half]) + self._run_group(jobs[half:])

    def _ask(self, jobs: Sequence[Job]) -> list[Outcome] | None:
        child = self._child or self._start()
        assert child.stdin is not None and child.stdout is not None
        try:
            write_frame(child.stdin, msgspec.msgpack.encode(list(jobs)))  # type: ignore[arg-type]
            frame = _read_within(child.stdout, self._time_limit_s)
        except OSError:
            frame = None
        if frame is None:
            self._kill()
            return None
        outcomes = self._decoder.decode(frame)
        assert len(outcomes) == len(jobs)
        return outcomes

    def _start(self) -> subprocess.Popen[bytes]:
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-m", "sync.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"RUST_BACKTRACE": "0"},
            cwd="/",
        )
        return self._child

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still to be flushed has no reader
                    continue


def _read_within(pipe: IO[bytes], limit_s: float) -> bytes | None:
    """Return one frame, or None if the child died or the time is over."""
    deadline = time.monotonic() + limit_s
    wanted = 4
    parts = bytearray()
    body = False
    while True:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([pipe], [], [], left_s)[0]:
            return None
        part = os.read(pipe.fileno(), min(wanted - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
        if len(parts) == wanted:
            if body or not (wanted := int.from_bytes(parts, "big")):
                return bytes(parts) if body else None
            parts.clear()
            body = True
