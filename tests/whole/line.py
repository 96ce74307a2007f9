"""A bad line: a TCP proxy on loopback, slow, far, lossy, silent, or cut.

How rate, distance and loss are modelled stands in `line_model`. Besides:

- *Cut*: both ends lose the connection; what was under way never arrives. What had
  arrived is delivered first, so "cut after N bytes" delivers N bytes and not one more.
- *Stall*: connections stand and nothing arrives, until the line goes on.

The proxy is a thread with an event loop; all counts are of bytes as TCP carries them,
so with TLS and HTTP.
"""

import asyncio
import fcntl
import socket
import struct
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.whole.line_model import SEGMENT_BYTES, Lane, Losses, Quality, Way

LEAST_WINDOW_BYTES = 16 * 1024
WIDE_WINDOW_BYTES = 1024 * 1024
_STEP_BYTES = 64 * 1024
_WAIT_LIMIT_S = 120.0
_HAND_OVER_TRIES = 1000


@dataclass(slots=True)
class Carried:
    """One connection: what arrived each way, and what was under way when it ended."""

    number: int
    up: int = 0
    down: int = 0
    taken_up: int = 0
    taken_down: int = 0
    resent: int = 0
    was_cut: bool = False

    @property
    def under_way(self) -> int:
        """Bytes that were taken from a sender and have not arrived."""
        return self.taken_up + self.taken_down - self.up - self.down


@dataclass(slots=True)
class _Connection:
    carried: Carried
    near: socket.socket
    far: socket.socket
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


class Line:
    """A line to HOST:PORT; use it as a context. Whoever connects to `address` is
    connected with the far end.
    """

    def __init__(self, to: str, quality: Quality | None = None) -> None:
        self._to = to
        self.quality = quality or Quality()
        self.carried: list[Carried] = []
        """All connections so far, in the order in which they were opened."""
        self._lanes = {
            "up": Lane(self.quality.up_bit_s, self.quality.round_trip_s),
            "down": Lane(self.quality.down_bit_s, self.quality.round_trip_s),
        }
        self._open: dict[int, _Connection] = {}
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._moves, self._is_ending = asyncio.Event(), asyncio.Event()
        self._moves.set()
        self._is_down = False
        self._socket = socket.socket()
        # Loopback has segments of 64 KiB and buffers to fit: a sender would believe
        # that a megabyte had gone when a slow line had taken nothing yet.
        _like_a_line(self._socket)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        self._socket.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    @property
    def address(self) -> str:
        """Where to connect to, as HOST:PORT."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    @property
    def up(self) -> int:
        """Bytes that have arrived at the far end, by all connections."""
        return sum(one.up for one in self.carried)

    @property
    def down(self) -> int:
        """Bytes that have come back, by all connections."""
        return sum(one.down for one in self.carried)

    @property
    def cuts(self) -> int:
        """How many connections were cut."""
        return sum(one.was_cut for one in self.carried)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._command(self._is_ending.set)
        self._thread.join()
        self._socket.close()

    def cut(self) -> None:
        """Cut all connections now; new ones can be opened."""
        self._command(self._cut_all)

    def go_down(self) -> None:
        """Cut all connections, and every new one at once, until `come_up`."""
        self._command(self._go_down)

    def come_up(self) -> None:
        """Let connections be opened again."""
        self._command(lambda: setattr(self, "_is_down", False))

    def stall(self) -> None:
        """Let nothing arrive any more; connections stand."""
        self._command(self._moves.clear)

    def go_on(self) -> None:
        """Let what has been held back arrive."""
        self._command(self._moves.set)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what this line has carried."""
        with self._changed:
            assert self._changed.wait_for(holds, _WAIT_LIMIT_S), "it never came to be"

    def _command(self, act: Callable[[], object]) -> None:
        """Do something in the loop's thread, and wait until it is done."""
        done = threading.Event()

        def run() -> None:
            act()
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(_WAIT_LIMIT_S)

    # -- in the thread of the loop ----------------------------------------------

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            self._loop.add_reader(self._socket, self._accept, tasks)
            if self.quality.cut_every_s:
                tasks.create_task(self._cut_often())
            await self._is_ending.wait()
            self._loop.remove_reader(self._socket)
            for connection in self._open.values():
                connection.is_over.set()

    def _accept(self, tasks: asyncio.TaskGroup) -> None:
        """Take a call. Accepting must not wait: what is accepted must be closed."""
        near, _ = self._socket.accept()
        if self._is_down:
            near.close()
            return
        connection = _Connection(Carried(len(self.carried)), near, socket.socket())
        for one in (connection.near, connection.far):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _like_a_line(connection.far)
        self.carried.append(connection.carried)
        self._open[connection.carried.number] = connection
        tasks.create_task(self._carry(connection))

    async def _carry(self, connection: _Connection) -> None:
        """Serve one connection until both ends have closed it or it is cut."""
        work = self._loop.create_task(self._both_ways(connection))
        over = self._loop.create_task(connection.is_over.wait())
        tasks: tuple[asyncio.Task[Any], ...] = (work, over)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in (connection.near, connection.far):
            await _handed_over(one)
            one.close()
        del self._open[connection.carried.number]
        self._tell()

    async def _both_ways(self, connection: _Connection) -> None:
        host, _, port = self._to.rpartition(":")
        await self._loop.sock_connect(connection.far, (host, int(port)))
        async with asyncio.TaskGroup() as ways:
            ways.create_task(self._take(connection, "up"))
            ways.create_task(self._take(connection, "down"))

    async def _take(self, connection: _Connection, way: Way) -> None:
        """Carry one way until its sender has closed it and everything has arrived."""
        quality, carried, lane = self.quality, connection.carried, self._lanes[way]
        source = connection.near if way == "up" else connection.far
        losses = Losses(quality, carried.number, way)
        window = asyncio.Semaphore(_window_bytes(lane) // SEGMENT_BYTES)
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        # A connection is open after a round trip; only then something can be sent.
        opened_s = self._loop.time() + (quality.round_trip_s if way == "up" else 0.0)
        arrives_s, data = 0.0, b"begin"
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._deliver(connection, way, under_way, window))
            while data:
                await window.acquire()
                step = _STEP_BYTES if self._is_plain else losses.room()
                try:
                    data = await self._loop.sock_recv(source, step)
                except OSError:
                    data = b""
                lost = losses.of_next(len(data)) if data else 0
                now_s = max(self._loop.time(), opened_s)
                arrives_s = max(arrives_s, lane.send(len(data), now_s, lost))
                carried.resent += lost
                _count(carried, f"taken_{way}", len(data))
                under_way.put_nowait((arrives_s, data))
                self._tell()

    async def _deliver(
        self,
        connection: _Connection,
        way: Way,
        under_way: "asyncio.Queue[tuple[float, bytes]]",
        window: asyncio.Semaphore,
    ) -> None:
        """Hand over each piece at its time; an empty one is the end."""
        target = connection.far if way == "up" else connection.near
        carried, limit = connection.carried, self._cut_after(connection, way)
        while True:
            arrives_s, data = await under_way.get()
            if (pause_s := arrives_s - self._loop.time()) > 0:
                await asyncio.sleep(pause_s)
            await self._moves.wait()
            if limit:
                data = data[: limit - getattr(carried, way)]
            try:
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                await self._loop.sock_sendall(target, data)
            except OSError:
                connection.is_over.set()
                return
            _count(carried, way, len(data))
            self._tell()
            if limit and getattr(carried, way) >= limit:
                self._cut(connection)
                return
            window.release()

    async def _cut_often(self) -> None:
        while not self._is_ending.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self.quality.cut_every_s):
                    await self._is_ending.wait()
            self._cut_all()

    def _cut_after(self, connection: _Connection, way: Way) -> int:
        limits = self.quality.cut_after_up
        if way == "down":
            limits = self.quality.cut_after_down
        number = connection.carried.number
        return limits[number] if number < len(limits) else 0

    def _cut_all(self) -> None:
        for connection in self._open.values():
            self._cut(connection)

    def _cut(self, connection: _Connection) -> None:
        connection.carried.was_cut = True
        connection.is_over.set()

    def _go_down(self) -> None:
        self._is_down = True
        self._cut_all()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    @property
    def _is_plain(self) -> bool:
        quality = self.quality
        return not (quality.up_bit_s or quality.down_bit_s or quality.loss)


def _window_bytes(lane: Lane) -> int:
    """Return how much may be under way: what the line holds, or a modem's buffer."""
    if not lane.bit_s:
        return WIDE_WINDOW_BYTES
    return max(LEAST_WINDOW_BYTES, int(2 * lane.bit_s * lane.round_trip_s / 8))


def _like_a_line(one: socket.socket) -> None:
    """Give a socket the segments and the small buffers of a long line."""
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LEAST_WINDOW_BYTES)


async def _handed_over(one: socket.socket) -> None:
    """Wait until what was delivered is with the machine that it was delivered to.

    Closing before would throw it away, where bytes of the other way wait unread.
    """
    for _ in range(_HAND_OVER_TRIES):
        waiting = struct.unpack("i", fcntl.ioctl(one, termios.TIOCOUTQ, bytes(4)))
        if waiting == (0,):
            break
        await asyncio.sleep(0.001)


def _count(carried: Carried, name: str, size_bytes: int) -> None:
    setattr(carried, name, getattr(carried, name) + size_bytes)
