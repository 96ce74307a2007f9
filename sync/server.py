"""HTTP as a pipe for sealed bytes: POST a run of bundles, get one back.

Since every bundle is sealed and signed by itself, there are no cookies and no tokens.
The app knows nothing of what it carries. A bundle is handed on as soon as it is whole,
while the next is still under way: what a cut takes away is at most the last one.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Protocol, TypeGuard

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from sync.errors import Malformed, NotForUs, NotTrusted, SyncError, TooNew
from sync.framing import Frames, framed

BUNDLES_PATH = "/v1/bundles"
JOIN_PATH = "/v1/join"
HEALTH_PATH = "/healthz"

JOIN_LIMIT_BYTES = 16 * 1024
BUNDLE_TIME_LIMIT_S = 120
"""For each bundle of a run: the slowest line brings the smallest one in 8 seconds."""
RUN_TIME_LIMIT_S = 1200
MAX_CONNECTIONS = 256
BUFFERED_LIMIT_BYTES = 32 * 1024 * 1024
"""Of bundles that are under way, over all connections together."""
WAITING_LIMIT_BYTES = 1024 * 1024
"""Of whole bundles of one run that wait for their turn while we read on."""
STRAY_LIMIT_BYTES = 8 * 1024 * 1024
RETRY_AFTER_S = 5
_ADMITTED_FROM_BYTES = 600
_LAST_READ_S, _LAST_READS = 0.01, 300
"""How often it is looked whether all has been read that came before a cut."""

STATUS: dict[type[SyncError], tuple[int, str]] = {
    Malformed: (400, "malformed"),
    NotTrusted: (401, "not-trusted"),
    NotForUs: (409, "not-for-us"),
    TooNew: (426, "too-new"),
}
"""What the peer did wrong, as HTTP status and word."""

Answer = Callable[[bytes], bytes]


class Conversation(Protocol):
    """What answers one run of bundles. All of it is called in the executor."""

    def admit(self, beginning: bytes) -> None:
        """Raise a PeerFault if a bundle that begins so need not be read to its end."""

    def take(self, bundle: bytes) -> None:
        """Take in one bundle; what is returned from is on disk."""

    def reply(self) -> Iterator[bytes]:
        """Yield the bundles of the answer, at least one."""


class TooLarge(SyncError):
    """A body is larger than allowed; reading stopped there."""


def make_app(
    converse: Callable[[], Conversation], join: Answer, executor: Executor
) -> Starlette:
    """Return the ASGI app.

    Args:
        converse: begins a conversation, one for each run of bundles.
        join: takes an enrolment request, returns the grant.
        executor: where both are called; one thread, since the store has one too.
    """
    buffers = _Buffers()

    async def exchange(request: Request) -> Response:
        return await _exchange(request, converse(), buffers, executor)

    async def enrol(request: Request) -> Response:
        return await _call(request, join, JOIN_LIMIT_BYTES, executor)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route(BUNDLES_PATH, exchange, methods=["POST"]),
            Route(JOIN_PATH, enrol, methods=["POST"]),
            Route(HEALTH_PATH, health),
        ]
    )


def make_server(
    app: Starlette,
    certificate: Path,
    key: Path,
    key_passphrase: str,
) -> uvicorn.Server:
    """Return a TLS server for `app`; `run()` it with a bound socket."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            ssl_certfile=str(certificate),
            ssl_keyfile=str(key),
            ssl_keyfile_password=key_passphrase,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            lifespan="off",
            ws="none",
            http=_Protocol,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=5,
        )
    )


class _Protocol(H11Protocol):
    """HTTP as uvicorn speaks it, where nobody holds the door shut by silence.

    uvicorn counts connections that say nothing towards its limit and never ends them.
    Here the one that has been silent longest makes room for a new one.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.waits_left = _LAST_READS
        self.since_s = self.loop.time()
        limit = self.limit_concurrency or MAX_CONNECTIONS
        # One that is told to go is still counted for a moment: keep some room.
        if len(self.connections) >= limit - limit // 8:
            silent = [one for one in self.connections if _is_silent(one)]
            if silent:
                min(silent, key=_silence).transport.abort()


    def connection_lost(self, exc: Exception | None) -> None:
        """Let what has come before the line was cut be read; uvicorn forgets it."""
        if self.cycle is not None and self.cycle.body and self._may_wait():
            self.loop.call_later(_LAST_READ_S, self.connection_lost, exc)
        else:
            super().connection_lost(exc)

    def _may_wait(self) -> bool:
        self.waits_left -= 1
        return self.waits_left >= 0


def _is_silent(one: object) -> TypeGuard[_Protocol]:
    """Say whether a connection owes us bytes, and not we an answer to it."""
    if not isinstance(one, _Protocol) or one.transport.is_closing():
        return False
    cycle = one.cycle
    return cycle is None or cycle.response_complete or cycle.more_body


def _silence(one: _Protocol) -> tuple[bool, float]:
    """Order connections: those without a request first, then the oldest."""
    return one.cycle is not None, one.since_s


class _Buffers:
    """How much of unfinished bundles lies in memory, over all connections."""

    def __init__(self) -> None:
        self.held_bytes = 0


async def _exchange(
    request: Request, conversation: Conversation, buffers: _Buffers, executor: Executor
) -> Response:
    loop = asyncio.get_running_loop()
    parts = request.stream()
    try:
        async with asyncio.timeout(RUN_TIME_LIMIT_S):
            try:
                await _take_all(parts, conversation, buffers, executor)
            except SyncError:
                await _drain(parts)
                raise
        replies = conversation.reply()
        first = await loop.run_in_executor(executor, next, replies)
        second = await loop.run_in_executor(executor, next, replies, None)
    except (TimeoutError, ClientDisconnect):
        return _problem(408, "cut", "the bundles did not come to their end")
    except SyncError as error:
        return _fault(error)
    if second is None:
        return Response(framed(first))

    async def rest() -> AsyncIterator[bytes]:
        yield framed(first)
        following: bytes | None = second
        while following is not None:
            yield framed(following)
            following = await loop.run_in_executor(executor, next, replies, None)

    return StreamingResponse(rest())


async def _take_all(
    parts: AsyncIterator[bytes],
    conversation: Conversation,
    buffers: _Buffers,
    executor: Executor,
) -> None:
    """Hand on each bundle as soon as it is whole.

    Raises:
        SyncError: of the conversation, or the run is not one.
        TimeoutError, ClientDisconnect: it was cut; what was handed on stays.
    """
    loop = asyncio.get_running_loop()
    frames, turn = Frames(), _Turn(conversation, buffers, executor)
    is_admitted = False
    held_bytes = 0
    try:
        while True:
            async with asyncio.timeout(BUNDLE_TIME_LIMIT_S) as limit:
                async for part in parts:
                    is_whole = False
                    for bundle in frames.feed(part):
                        await turn.take(bundle)
                        is_admitted, is_whole = False, True
                    buffers.held_bytes += frames.held_bytes - held_bytes
                    held_bytes = frames.held_bytes
                    if buffers.held_bytes > BUFFERED_LIMIT_BYTES:
                        raise SyncError("too much is under way just now; try later")
                    if not is_admitted and held_bytes >= _ADMITTED_FROM_BYTES:
                        begun = frames.begun
                        await loop.run_in_executor(executor, conversation.admit, begun)
                        is_admitted = True
                    if is_whole:
                        limit.reschedule(loop.time() + BUNDLE_TIME_LIMIT_S)
            break
    finally:
        buffers.held_bytes -= held_bytes
        await turn.end()
    turn.check()
    if frames.held_bytes or not turn.count:
        raise Malformed("run of bundles", "it is cut off")


class _Turn:
    """The bundles of one run that are whole and not yet taken in.

    They are in the executor's queue already, so that they come before anything that
    the peer sends after a cut: what it is told then is all that has arrived.
    """

    def __init__(
        self, conversation: Conversation, buffers: _Buffers, executor: Executor
    ) -> None:
        self._conversation, self._buffers = conversation, buffers
        self._executor = executor
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self._waiting_bytes = 0
        self._fault: BaseException | None = None
        self.count = 0

    async def take(self, bundle: bytes) -> None:
        """Put a bundle in the queue; wait while there are too many."""
        loop = asyncio.get_running_loop()
        self.count += 1
        self._buffers.held_bytes += len(bundle)
        self._waiting_bytes += len(bundle)
        taken = loop.run_in_executor(self._executor, self._take, bundle)
        self._waiting.append((taken, len(bundle)))
        while self._waiting and self._is_too_much():
            await self._take_out()
        self.check()

    async def end(self) -> None:
        """Wait until all have been taken in."""
        while self._waiting:
            await self._take_out()

    def check(self) -> None:
        """Raise what was wrong with the first that was refused."""
        if self._fault is not None:
            raise self._fault

    async def _take_out(self) -> None:
        taken, size_bytes = self._waiting[0]
        await asyncio.wait([taken])
        self._waiting.popleft()
        self._buffers.held_bytes -= size_bytes
        self._waiting_bytes -= size_bytes

    def _is_too_much(self) -> bool:
        return (
            self._waiting_bytes > WAITING_LIMIT_BYTES
            or self._buffers.held_bytes > BUFFERED_LIMIT_BYTES // 2
        )

    def _take(self, bundle: bytes) -> None:
        """Take a bundle in, in the executor; those after a refused one are not."""
        if self._fault is None:
            try:
                self._conversation.take(bundle)
            except BaseException as fault:  # noqa: BLE001 - raised by `check`
                self._fault = fault


async def _drain(parts: AsyncIterator[bytes]) -> None:
    """Read on for a while and forget it: who is still sending hears no answer."""
    total = 0
    async for part in parts:
        total += len(part)
        if total > STRAY_LIMIT_BYTES:
            return


async def _call(
    request: Request, function: Answer, limit_bytes: int, executor: Executor
) -> Response:
    try:
        async with asyncio.timeout(BUNDLE_TIME_LIMIT_S):
            body = await _read(request, limit_bytes)
    except (TimeoutError, ClientDisconnect):
        return _problem(408, "cut", "the body did not come to its end")
    except TooLarge:
        return _problem(413, "too-large", f"at most {limit_bytes} bytes are taken")
    loop = asyncio.get_running_loop()
    try:
        reply = await loop.run_in_executor(executor, function, body)
    except SyncError as error:
        return _fault(error)
    return Response(reply)


async def _read(request: Request, limit_bytes: int) -> bytes:
    """Return the body, counted while it comes; what its head says is not believed."""
    parts: list[bytes] = []
    total = 0
    async for part in request.stream():
        total += len(part)
        if total > limit_bytes:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


def _fault(error: SyncError) -> Response:
    return _problem(*STATUS.get(type(error), (503, "later")), str(error))


def _problem(status: int, word: str, sentence: str) -> Response:
    # Not all of the request may have been read.
    headers = {"Connection": "close"}
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return JSONResponse(
        {"type": f"urn:lianban:{word}", "status": status, "detail": sentence},
        status,
        media_type="application/problem+json",
        headers=headers,
    )
