"""A node at work without a person: its server, in the caller's thread."""

import logging
import resource
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
import uvicorn

from node import answering, enrol, waiting
from node.errors import AddressTaken
from node.logs import cause_of
from node.wiring import Node
from sync.bundle import read_address
from sync.errors import PeerFault, SyncError
from sync.server import make_app, make_server
from sync.turns import Conversation

T = TypeVar("T")

MOST_OPEN_FILES = 4096
"""Room for all sockets and files of the server; the usual 1024 leave little of it."""

log = structlog.get_logger("lianban.service")


class Server:
    """The node's HTTPS server, for as long as `run` runs."""

    def __init__(self, node: Node, host: str, port: int) -> None:
        """Bind to an address; port 0 takes any free one. `run` begins to answer.

        Raises:
            NodeError: the address cannot be had.
        """
        # What uvicorn has to say is for programmers; ours is in the log of the home.
        logging.getLogger("uvicorn").addHandler(logging.NullHandler())
        self._socket = _bind(host, port)
        # The store is used from one thread.
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._node = self._executor.submit(node.another_connection).result()
        self._server: uvicorn.Server = make_server(
            make_app(self._converse, self._join, self._executor),
            node.home.tls_certificate,
            node.home.tls_key,
            node.keys.tls_passphrase.decode(),
        )

    def run(self) -> None:
        """Serve until a signal or `stop` ends it."""
        _allow_open_files()
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()
            self._executor.submit(self._node.close).result()
            self._executor.shutdown()

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._server.should_exit = True

    @property
    def address(self) -> str:
        """Where it listens, as HOST:PORT."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _converse(self) -> Conversation:
        return _GuardedAnswering(self._node)

    def _join(self, data: bytes) -> bytes:
        return _guarded(self._node, "join", lambda: enrol.grant(self._node, data))


class _GuardedAnswering:
    """The answering side, whose own faults become "come again later"."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._answering = answering.Answering(node)

    def admit(self, beginning: bytes) -> bytes:
        return _guarded(self._node, "answer", lambda: self._admitted(beginning))

    def _admitted(self, beginning: bytes) -> bytes:
        address = read_address(beginning)
        # A newer format is refused by `take`, which keeps that we must be upgraded.
        if (
            address.header is not None
            or self._node.roster.latest(address.sender) is None
        ):
            self._answering.admit(beginning)
        return address.sender

    def take(self, bundle: bytes) -> None:
        _guarded(self._node, "answer", lambda: self._answering.take(bundle))

    def reply(self) -> Iterator[bytes]:
        _guarded(self._node, "retry", lambda: waiting.retry_if_news(self._node))
        replies = self._answering.reply()
        while (data := self._next(replies)) is not None:
            yield data

    def _next(self, replies: Iterator[bytes]) -> bytes | None:
        return _guarded(self._node, "answer", lambda: next(replies, None))


def _guarded(node: Node, what: str, task: Callable[[], T]) -> T:
    """Run a task; what is our own fault becomes "come again later"."""
    try:
        return task()
    except PeerFault as fault:
        log.info(f"{what}_refused", cause=cause_of(fault))
        raise
    except Exception as error:
        node.forget()
        log.error(f"{what}_failed", cause=cause_of(error))
        raise SyncError("this node cannot do it just now; try later") from error


def _allow_open_files() -> None:
    """Take what the machine allows, up to `MOST_OPEN_FILES`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_endless = hard == resource.RLIM_INFINITY
    wanted = MOST_OPEN_FILES if is_endless else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _bind(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=128)
        # What is accepted inherits it; asyncio does not set it on a socket of ours.
        # Without it the body of each answer waits 40 ms for the ACK of its head.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except (OSError, OverflowError) as error:
        raise AddressTaken(f"{host}:{port}", str(error)) from error
