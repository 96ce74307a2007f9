"""HTTP as a pipe for sealed bytes: POST a run of bundles, get one back.

Since every bundle is sealed and signed by itself, there are no cookies and no tokens.
The app knows nothing of what it carries. A bundle is handed on as soon as it is whole,
while the next is still under way: what a cut takes away is at most the last one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sync.doorway import BACKLOG, MAX_CONNECTIONS, Connection, DoorServer, connection_of
from sync.errors import (
    Malformed,
    NotForUs,
    NotTrusted,
    Revoked,
    SyncError,
    TooNew,
)
from sync.exchange import SILENCE
from sync.framing import BEGUN_BYTES, Frames, framed
from sync.paths import BUNDLES_PATH, HEALTH_PATH, JOIN_PATH
from sync.turns import Conversation, Turn, Turns

JOIN_LIMIT_BYTES = 16 * 1024
BUNDLE_TIME_LIMIT_S = 120
"""For each bundle of a run: the slowest line brings the smallest one in 8 seconds."""
RUN_TIME_LIMIT_S = 1200
STRAY_LIMIT_BYTES = 8 * 1024 * 1024
RETRY_AFTER_S = 5
_ADMITTED_FROM_BYTES = 600
_CLOSE = {"Connection": "close"}
"""Of all that is no answer of a conversation: a stranger asks once on a connection."""

STATUS: dict[type[SyncError], tuple[int, str]] = {
    Malformed: (400, "malformed"),
    NotTrusted: (401, "not-trusted"),
    Revoked: (403, "revoked"),
    NotForUs: (409, "not-for-us"),
    TooNew: (426, "too-new"),
}
"""What the peer did wrong, as HTTP status and word."""

Answer = Callable[[bytes], bytes]


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
    turns = Turns(executor)

    async def exchange(request: Request) -> Response:
        return await _exchange(request, converse(), turns)

    async def enrol(request: Request) -> Response:
        return await _call(request, join, JOIN_LIMIT_BYTES, turns)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=_CLOSE)

    return Starlette(
        routes=[
            Route(BUNDLES_PATH, exchange, methods=["POST"]),
            Route(JOIN_PATH, enrol, methods=["POST"]),
            Route(HEALTH_PATH, health),
        ],
        exception_handlers={HTTPException: _no_such},
    )


def make_server(
    app: Starlette,
    certificate: Path,
    key: Path,
    key_passphrase: str,
) -> uvicorn.Server:
    """Return a TLS server for `app`; `run()` it with a bound socket."""
    return DoorServer(
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
            http=Connection,
            limit_concurrency=MAX_CONNECTIONS,
            backlog=BACKLOG,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=5,
        )
    )


async def _exchange(
    request: Request, conversation: Conversation, turns: Turns
) -> Response:
    turn, connection = Turn(turns, conversation), connection_of(request)
    parts = request.stream()
    try:
        async with asyncio.timeout(RUN_TIME_LIMIT_S):
            try:
                await _take_all(parts, turn, turns)
            except SyncError:
                await _drain(parts)
                raise
        if connection is not None:
            connection.came_from(turn.sender)
        await turn.follow()
        if connection is not None and connection.transport.is_closing():
            raise ClientDisconnect  # it had to make room: nobody is left to hear
        replies = conversation.reply()
        first, second = await turns.call(lambda: (next(replies), next(replies, None)))
    except (TimeoutError, ClientDisconnect):
        return _problem(408, "cut", "the bundles did not come to their end")
    except SyncError as error:
        return _fault(error)
    if first == SILENCE:
        return Response(status_code=204)
    if second is None:
        return Response(framed(first))

    async def rest() -> AsyncIterator[bytes]:
        yield framed(first)
        following: bytes | None = second
        while following is not None:
            yield framed(following)
            if connection is not None:
                await connection.flow.drain()
            following = await turns.call(lambda: next(replies, None))

    return StreamingResponse(rest())


async def _take_all(parts: AsyncIterator[bytes], turn: Turn, turns: Turns) -> None:
    """Hand on each bundle as soon as it is whole.

    Raises:
        SyncError: of the conversation, or the run is not one.
        TimeoutError, ClientDisconnect: it was cut; what was handed on stays.
    """
    loop = asyncio.get_running_loop()
    frames = Frames()
    held_bytes = 0
    try:
        async with asyncio.timeout(BUNDLE_TIME_LIMIT_S) as limit:
            async for part in parts:
                is_whole = False
                for bundle in frames.feed(part):
                    if not turn.is_admitted:
                        await turn.admit(bundle[:BEGUN_BYTES])
                    await turn.take(bundle)
                    is_whole = True
                turns.held_bytes += frames.held_bytes - held_bytes
                held_bytes = frames.held_bytes
                turns.check()
                if not turn.is_admitted and held_bytes >= _ADMITTED_FROM_BYTES:
                    await turn.admit(frames.begun)
                if is_whole:
                    limit.reschedule(loop.time() + BUNDLE_TIME_LIMIT_S)
    finally:
        turns.held_bytes -= held_bytes
        await turn.end()
    turn.check()
    if frames.held_bytes or not turn.count:
        raise Malformed("run of bundles", "it is cut off")


async def _drain(parts: AsyncIterator[bytes]) -> None:
    """Read on for a while and forget it: who is still sending hears no answer."""
    total = 0
    async for part in parts:
        total += len(part)
        if total > STRAY_LIMIT_BYTES:
            return


async def _call(
    request: Request, function: Answer, limit_bytes: int, turns: Turns
) -> Response:
    try:
        async with asyncio.timeout(BUNDLE_TIME_LIMIT_S):
            body = await _read(request, limit_bytes)
    except (TimeoutError, ClientDisconnect):
        return _problem(408, "cut", "the body did not come to its end")
    except TooLarge:
        return _problem(413, "too-large", f"at most {limit_bytes} bytes are taken")
    try:
        reply = await turns.call(lambda: function(body))
    except SyncError as error:
        return _fault(error)
    return Response(reply, headers=_CLOSE)


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


async def _no_such(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _problem(error.status_code, "no-such", "there is nothing of that kind here")


def _fault(error: SyncError) -> Response:
    return _problem(*STATUS.get(type(error), (503, "later")), str(error))


def _problem(status: int, word: str, sentence: str) -> Response:
    # Not all of the request may have been read.
    headers = dict(_CLOSE)
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return JSONResponse(
        {"type": f"urn:lianban:{word}", "status": status, "detail": sentence},
        status,
        media_type="application/problem+json",
        headers=headers,
    )
