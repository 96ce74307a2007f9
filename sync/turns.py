"""The bundles of runs that are whole and not yet taken in, and whose turn it is.

One thread takes in for everybody. It is given a few bundles of each run at a time, so
that nobody waits for all that another has sent; the rest waits here, up to a limit.
What is here is taken in also when its line was cut, and before the same sender is
answered in another run: what it is told then is all that has arrived.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from functools import partial
from typing import Protocol, TypeVar

from sync.errors import SyncError

T = TypeVar("T")

BUFFERED_LIMIT_BYTES = 32 * 1024 * 1024
"""Of bundles that are under way, over all connections together."""
WAITING_LIMIT_BYTES = 1024 * 1024
"""Of whole bundles of one run that wait for their turn while we read on."""
MOST_WAITING = 16
"""Whole bundles of one run that wait: so many of the largest fill the limit above."""
MOST_WAITING_IN_ALL = 1024
"""Over all connections: 64 whole runs, more than the thread does in a minute."""
MOST_HANDED_OVER = 2
"""Of one run to the thread: one that it works at, and one so that it need not wait."""
BUNDLE_COST_BYTES = 2 * 1024
"""What a waiting bundle takes besides its bytes: a job, a future, their callbacks."""


class Conversation(Protocol):
    """What answers one run of bundles. All of it is called in the executor."""

    def admit(self, beginning: bytes) -> bytes:
        """Return from whom a bundle that begins so says to be; nothing is proven.

        Raises:
            PeerFault: it need not be read to its end.
        """

    def take(self, bundle: bytes) -> None:
        """Take in one bundle; what is returned from is on disk."""

    def reply(self) -> Iterator[bytes]:
        """Yield the bundles of the answer, at least one, or `SILENCE` alone."""


class Turns:
    """All runs that are under way, and the one thread that takes them in."""

    def __init__(self, executor: Executor) -> None:
        """Begin with none."""
        self._executor = executor
        self.runs: set[Turn] = set()
        self.held_bytes = 0
        """Of bundles, whole or not, that lie in memory."""
        self.waiting = 0
        """Whole bundles that are not taken in."""

    def call(self, task: Callable[[], T]) -> asyncio.Future[T]:
        """Run a task in the thread."""
        return asyncio.get_running_loop().run_in_executor(self._executor, task)

    def check(self) -> None:
        """Raise a SyncError where too much is under way."""
        if self.held_bytes > BUFFERED_LIMIT_BYTES:
            raise SyncError("too much is under way just now; try later")


class Turn:
    """The bundles of one run."""

    def __init__(self, turns: Turns, conversation: Conversation) -> None:
        """Begin before the first bundle."""
        self._turns, self._conversation = turns, conversation
        self._waiting: deque[bytes] = deque()
        self._jobs: set[asyncio.Future[None]] = set()
        self._waiting_bytes = 0
        self._taken = 0
        self._fault: BaseException | None = None
        self._is_refused = False
        self.count = 0
        self.sender = b""
        self.is_admitted = False

    async def admit(self, beginning: bytes) -> None:
        """Ask whether the first bundle, that begins so, may come; once for a run."""
        conversation = self._conversation
        self.sender = await self._turns.call(lambda: conversation.admit(beginning))
        self.is_admitted = True

    async def take(self, bundle: bytes) -> None:
        """Put a bundle in the queue; wait while there are too many."""
        self._turns.runs.add(self)
        self.count += 1
        self._waiting.append(bundle)
        self._hold(bundle, 1)
        self._hand_over()
        while self._jobs and self._is_too_much():
            await self._progress()
        self.check()

    async def end(self) -> None:
        """Wait until all have been taken in."""
        while self._jobs:
            await self._progress()
        self._turns.runs.discard(self)

    async def follow(self) -> None:
        """Wait until all is taken in that is here by now of the sender's other runs."""
        for other in [one for one in self._turns.runs if one.sender == self.sender]:
            here = other.count
            while other._taken < here:
                await other._progress()

    def check(self) -> None:
        """Raise what was wrong with the first that was refused."""
        fault, self._fault = self._fault, None
        try:
            if fault is not None:
                raise fault
        finally:
            # What points to its own frame keeps a bundle until the next sweep.
            del fault

    async def _progress(self) -> None:
        await asyncio.wait(self._jobs, return_when=asyncio.FIRST_COMPLETED)

    def _hand_over(self) -> None:
        """Give the thread as much of this run as it may have at a time."""
        while self._waiting and len(self._jobs) < MOST_HANDED_OVER:
            bundle = self._waiting.popleft()
            job = self._turns.call(partial(self._take, bundle))
            self._jobs.add(job)
            job.add_done_callback(partial(self._note, bundle))

    def _note(self, bundle: bytes, job: asyncio.Future[None]) -> None:
        self._jobs.discard(job)
        self._taken += 1
        self._hold(bundle, -1)
        self._hand_over()

    def _hold(self, bundle: bytes, sign: int) -> None:
        cost_bytes = sign * (len(bundle) + BUNDLE_COST_BYTES)
        self._waiting_bytes += sign * len(bundle)
        self._turns.held_bytes += cost_bytes
        self._turns.waiting += sign

    def _is_too_much(self) -> bool:
        return (
            self.count - self._taken > MOST_WAITING
            or self._waiting_bytes > WAITING_LIMIT_BYTES
            or self._turns.waiting > MOST_WAITING_IN_ALL
            or self._turns.held_bytes > BUFFERED_LIMIT_BYTES // 2
        )

    def _take(self, bundle: bytes) -> None:
        """Take a bundle in, in the executor; those after a refused one are not."""
        if not self._is_refused:
            try:
                self._conversation.take(bundle)
            except BaseException as fault:  # noqa: BLE001 - raised by `check`
                self._is_refused = True
                self._fault = fault.with_traceback(None)
