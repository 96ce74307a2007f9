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
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import IO

import msgspec

from sync.worker import Job, Outcome, write_frame

GROUP_JOBS = 64
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

    def run(self, jobs: Iterable[Job]) -> list[Outcome]:
        """Return one outcome for each job, in order.

        While the child works on one group, the next is taken from `jobs`: whoever
        makes them lazily works at the same time.
        """
        outcomes: list[Outcome] = []
        coming = iter(jobs)
        with self._lock:
            group = list(islice(coming, GROUP_JOBS))
            while group:
                is_sent = self._send(group)
                try:
                    following = list(islice(coming, GROUP_JOBS))
                except BaseException:
                    # The answer that is on its way must not meet the next caller.
                    self._kill()
                    raise
                answer = self._receive(len(group)) if is_sent else None
                outcomes += self._halve(group) if answer is None else answer
                group = following
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

    def _halve(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Return the outcomes of jobs that have killed the child together.

        A single one is tried once more in a fresh child: the old one may have died of
        something else.
        """
        if len(jobs) == 1:
            again = self._receive(1) if self._send(jobs) else None
            return [Outcome(BACKSTOP)] if again is None else again
        outcomes: list[Outcome] = []
        for half in (jobs[: len(jobs) // 2], jobs[len(jobs) // 2 :]):
            answer = self._receive(len(half)) if self._send(half) else None
            outcomes += self._halve(half) if answer is None else answer
        return outcomes

    def _send(self, jobs: Sequence[Job]) -> bool:
        child = self._child or self._start()
        assert child.stdin is not None
        try:
            write_frame(child.stdin, msgspec.msgpack.encode(list(jobs)))  # type: ignore[arg-type]
        except OSError:
            self._kill()
            return False
        return True

    def _receive(self, count: int) -> list[Outcome] | None:
        assert self._child is not None and self._child.stdout is not None
        try:
            frame = _read_within(self._child.stdout, self._time_limit_s)
        except OSError:
            frame = None
        if frame is None:
            self._kill()
            return None
        outcomes = self._decoder.decode(frame)
        assert len(outcomes) == count
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
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    wanted = 4
    parts = bytearray()
    body = False
    while True:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not poll.poll(left_s * 1000):
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
