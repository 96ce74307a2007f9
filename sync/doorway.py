"""Who stands at the door, and who has to make room: how many connections, how long.

uvicorn counts connections that have spoken TLS, and ends none of them. Here nobody
holds the door shut: neither by opening sockets and saying nothing, nor by asking and
not reading the answer. Who keeps us waiting makes room for those that come.
"""

import asyncio
import os
import socket
import struct
import weakref
from collections.abc import Iterable
from typing import Any

import uvicorn
from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

MAX_CONNECTIONS = 256
MOST_SOCKETS = 2 * MAX_CONNECTIONS
"""With those that have not spoken TLS yet: half of the 1024 files that a process may
have open at the least."""
MOST_OF_ADDRESS = 32
"""Several nodes stand behind one address, but not all of them."""
MOST_OF_SENDER = 4
"""A node syncs by itself, by hand, and has had a cut that we have not heard of."""
HANDSHAKE_LIMIT_S = 10
"""Two ways there and back, over the worst line."""
ANSWER_LIMIT_S = 60
"""For some of an answer to be read: the slowest line takes a full buffer in 32."""
WRITE_BUFFER_BYTES = 64 * 1024
"""Of one answer, in the kernel and before it: the largest bundle that a line gets."""
BACKLOG = 128
"""Sockets that are accepted at once, before those that have to go are gone."""
_LAST_READ_S, _LAST_READS = 0.01, 300
"""How often it is looked whether all has been read that came before a cut."""

_FORGET_UNSENT = struct.pack("ii", 1, 0)


class DoorServer(uvicorn.Server):
    """A server that also counts those that are not yet connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        """Not listening yet."""
        super().__init__(config)
        self._doors: list[_Listening] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen as uvicorn does, but count what is accepted."""
        self._doors = [_Listening(one, self.server_state) for one in sockets or []]
        await super().startup([*self._doors])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop as uvicorn does; then hang up on who is still at the door: before the
        handshake, or in a farewell that he does not answer.
        """
        await super().shutdown(sockets)
        for _ in range(_LAST_READS):
            there = [one.hang_up() for one in self._doors]
            if not any(there):
                return
            await asyncio.sleep(_LAST_READ_S)


class _Listening(socket.socket):
    """A listening socket that shuts out who never comes to speak TLS."""

    def __init__(self, plain: socket.socket, state: ServerState) -> None:
        number = os.dup(plain.fileno())
        super().__init__(plain.family, plain.type, plain.proto, number)
        # What is accepted inherits it. The kernel would take some MB of an answer
        # that nobody reads, and show no progress of a slow line for minutes.
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, WRITE_BUFFER_BYTES)
        self._state = state
        self._accepted: list[tuple[socket.socket, str]] = []

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept one more; where there are too many, the oldest silent one goes."""
        guest, address = super().accept()
        host = str(address[0])
        living = [one for one in self._accepted if one[0].fileno() >= 0]
        self._accepted = [*living, (guest, host)]
        of_host = [one for one, its in living if its == host]
        if len(of_host) >= MOST_OF_ADDRESS:
            self._end_oldest(of_host)
        if len(living) >= MOST_SOCKETS:
            self._end_oldest([one for one, _ in living])
        loop = asyncio.get_running_loop()
        loop.call_later(HANDSHAKE_LIMIT_S, self._end_oldest, [guest])
        return guest, address

    def hang_up(self) -> bool:
        """Hang up on all; say whether anybody was there."""
        there = [guest for guest, _ in self._accepted if guest.fileno() >= 0]
        for guest in there:
            _hang_up(guest)
        return bool(there)

    def _end_oldest(self, guests: list[socket.socket]) -> None:
        """End the first of some that has not spoken TLS, if there is one."""
        known = {_number(one) for one in self._state.connections}
        for guest in guests:
            if guest.fileno() >= 0 and guest.fileno() not in known:
                _hang_up(guest)
                self._accepted = [one for one in self._accepted if one[0] != guest]
                return


class Connection(H11Protocol):
    """HTTP as uvicorn speaks it, where nobody keeps us waiting without end."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Begin before the handshake, as uvicorn does for each accepted socket."""
        state = app_state | {"connection": weakref.ref(self)}
        super().__init__(config, server_state, state, _loop)
        self.sender = b""
        self.waits_left = _LAST_READS
        self.waiting_since_s = self.loop.time()
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Come in; who has kept us waiting longest makes room."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(WRITE_BUFFER_BYTES)
        limit = self.limit_concurrency or MAX_CONNECTIONS
        others = self._others()
        # One that is told to go is still counted for a moment: keep some room.
        if len(others) + 1 >= limit - limit // 8:
            _end_one(others)
        host = self._host()
        neighbours = [one for one in others if one._host() == host]
        if len(neighbours) >= MOST_OF_ADDRESS:
            _end_one(neighbours)

    def came_from(self, sender: bytes) -> None:
        """Note whose bundles were taken in; the oldest of too many of his goes."""
        self.sender = sender
        his = [one for one in self._others() if one.sender == sender]
        if len(his) >= MOST_OF_SENDER:
            # An answer that is being made is worth more than a silent line.
            oldest = min(
                his, key=lambda one: (not one.is_waited_for, one.waiting_since_s)
            )
            oldest.end()

    def end(self) -> None:
        """Hang up at once."""
        found = self.transport.get_extra_info("socket")
        if found is not None:
            # Or the kernel would keep, for minutes, what nobody reads.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET_UNSENT)
        self.transport.abort()

    def pause_writing(self) -> None:
        """Wait for the other to read, but not for ever."""
        super().pause_writing()
        self.waiting_since_s = self.loop.time()
        self._patience = self.loop.call_later(ANSWER_LIMIT_S, self.end)

    def resume_writing(self) -> None:
        """Go on: some of the answer was read."""
        super().resume_writing()
        self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self.waiting_since_s = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let what has come before the line was cut be read; uvicorn forgets it."""
        self._stop_waiting()
        if self.cycle is not None and self.cycle.body and self._may_wait():
            self.loop.call_later(_LAST_READ_S, self.connection_lost, exc)
        else:
            super().connection_lost(exc)

    @property
    def is_coming(self) -> bool:
        """Whether a request is on its way, and not its answer."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and cycle.more_body

    @property
    def is_waited_for(self) -> bool:
        """Whether it owes us bytes, or its reading, and not we an answer to it."""
        cycle = self.cycle
        is_silent = cycle is None or cycle.response_complete or cycle.more_body
        return is_silent or self.flow.write_paused

    def _others(self) -> list["Connection"]:
        return [
            one
            for one in self.connections
            if isinstance(one, Connection)
            and one is not self
            and not one.transport.is_closing()
        ]

    def _host(self) -> str:
        return self.client[0] if self.client else ""

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _may_wait(self) -> bool:
        self.waits_left -= 1
        return self.waits_left >= 0


def connection_of(request: Request) -> Connection | None:
    """Return the connection of a request; None where the app is called without one."""
    find = getattr(request.state, "connection", None)
    return find() if find else None


def _end_one(among: Iterable[Connection]) -> None:
    """End who has kept us waiting longest; who is still sending goes last."""
    waited_for = [one for one in among if one.is_waited_for]
    if waited_for:
        longest = min(waited_for, key=lambda one: (one.is_coming, one.waiting_since_s))
        longest.end()


def _number(one: object) -> int:
    """Return the file number of a connection's socket."""
    assert isinstance(one, asyncio.Protocol)
    transport = getattr(one, "transport", None)
    found = transport.get_extra_info("socket") if transport else None
    return found.fileno() if found else -1


def _hang_up(guest: socket.socket) -> None:
    """Shut a socket whose transport will close it, if it is not gone by itself."""
    try:
        guest.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
