"""HTTP as a pipe for sealed bytes: POST a bundle, get one back.

Since every bundle is sealed and signed by itself, there are no cookies and no tokens.
The app knows nothing of what it carries: `answer` and `join` are functions of bytes,
called one at a time in a thread of their own.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeGuard

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from sync.bundle import MAX_BUNDLE_BYTES
from sync.errors import Malformed, NotForUs, NotTrusted, SyncError, TooNew

BUNDLE_PATH = "/v1/bundle"
JOIN_PATH = "/v1/join"
HEALTH_PATH = "/healthz"
MEDIA_TYPE = "application/vnd.lianban.bundle"

JOIN_LIMIT_BYTES = 16 * 1024
BODY_TIME_LIMIT_S = 120
MAX_CONNECTIONS = 256

STATUS: dict[type[SyncError], tuple[int, str]] = {
    Malformed: (400, "malformed"),
    NotTrusted: (401, "not-trusted"),
    NotForUs: (409, "not-for-us"),
    TooNew: (426, "too-new"),
}
"""What the peer did wrong, as HTTP status and word."""

Answer = Callable[[bytes], bytes]


class TooLarge(SyncError):
    """A body is larger than allowed; reading stopped there."""


def make_app(answer: Answer, join: Answer, executor: Executor) -> Starlette:
    """Return the ASGI app.

    Args:
        answer: takes a bundle, returns the bundle for its sender.
        join: takes an enrolment request, returns the grant.
        executor: where both are called; one thread, since the store has one too.
    """

    async def exchange(request: Request) -> Response:
        return await _call(request, answer, MAX_BUNDLE_BYTES, executor)

    async def enrol(request: Request) -> Response:
        return await _call(request, join, JOIN_LIMIT_BYTES, executor)

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route(BUNDLE_PATH, exchange, methods=["POST"]),
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
        self.since_s = self.loop.time()
        limit = self.limit_concurrency or MAX_CONNECTIONS
        # One that is told to go is still counted for a moment: keep some room.
        if len(self.connections) >= limit - limit // 8:
            silent = [one for one in self.connections if _is_silent(one)]
            if silent:
                min(silent, key=_silence).transport.abort()


def _is_silent(one: object) -> TypeGuard[_Protocol]:
    """Say whether a connection owes us bytes, and not we an answer to it."""
    if not isinstance(one, _Protocol) or one.transport.is_closing():
        return False
    cycle = one.cycle
    return cycle is None or cycle.response_complete or cycle.more_body


def _silence(one: _Protocol) -> tuple[bool, float]:
    """Order connections: those without a request first, then the oldest."""
    return one.cycle is not None, one.since_s


async def _call(
    request: Request, function: Answer, limit_bytes: int, executor: Executor
) -> Response:
    try:
        async with asyncio.timeout(BODY_TIME_LIMIT_S):
            body = await _read(request, limit_bytes)
    except (TimeoutError, ClientDisconnect):
        return _problem(408, "cut", "the body did not come to its end")
    except TooLarge:
        return _problem(413, "too-large", f"at most {limit_bytes} bytes are taken")
    loop = asyncio.get_running_loop()
    try:
        reply = await loop.run_in_executor(executor, function, body)
    except SyncError as error:
        status, word = STATUS.get(type(error), (503, "later"))
        return _problem(status, word, str(error))
    return Response(reply, media_type=MEDIA_TYPE)


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


def _problem(status: int, word: str, sentence: str) -> Response:
    return JSONResponse(
        {"type": f"urn:lianban:{word}", "status": status, "detail": sentence},
        status,
        media_type="application/problem+json",
        headers={"Connection": "close"} if status in (408, 413) else None,
    )
