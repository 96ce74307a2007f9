"""A node at work without a person: its server, and its own syncing upward.

The server runs in the caller's thread; background syncing in a thread of its own,
with a connection of its own. Only one process of a home does either.
"""

import logging
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

import structlog
import uvicorn

from node import enrol, talk, tidy, waiting
from node.errors import AddressTaken
from node.pauses import Pauses
from node.visits import Visits
from node.wiring import Node
from sync.bundle import read_address
from sync.client import Client
from sync.errors import PeerFault, SyncError
from sync.server import make_app, make_server
from sync.turns import Conversation

T = TypeVar("T")

WATCH_S = 0.5
MOST_OPEN_FILES = 4096
"""Room for all sockets and files of the server; the usual 1024 leave little of it."""

log = structlog.get_logger("lianban.service")


class Background:
    """Syncs with the node above: at once when something was written here, now and
    then to hear news, and after a failure with growing pauses. A call of `wake`
    ends any pause.
    """

    def __init__(self, node: Node, on_change: Callable[[], None] | None = None) -> None:
        """Prepare; `on_change` is called in the thread after each try."""
        self._node = node
        self._on_change = on_change
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._visits = Visits(node)
        self._tidying: threading.Thread | None = None

    def start(self) -> None:
        """Begin: upward if there is a node above, and with whom a person has added."""
        self._visits.start()
        if self._tidying is None:
            self._tidying = threading.Thread(target=self._tidy, name="tidy")
            self._tidying.start()
        if self._node.secrets.parent and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Try now: a person has asked for it."""
        self._visits.wake()
        self._wake.set()

    def stop(self) -> None:
        """End after the exchange that is going on."""
        self._visits.stop()
        self._stop.set()
        self._wake.set()
        for thread in (self._thread, self._tidying):
            if thread:
                thread.join(timeout=30)

    def _tidy(self) -> None:
        """Remove, once, files that were left over by what was cut off."""
        node = self._node.another_connection()
        try:
            count = tidy.sweep(node)
            if count:
                log.info("swept", files=count)
        except Exception as error:  # noqa: BLE001 - nobody waits for it
            log.info("sweep_failed", cause=_cause(error))
        finally:
            node.close()

    def _run(self) -> None:
        node = self._node.another_connection()
        client: Client | None = None
        pauses = Pauses()
        try:
            while not self._stop.is_set():
                try:
                    peer = talk.find_neighbour(node)
                    client = client or talk.client_for(node, peer)
                    report = talk.sync_over(node, peer, client.exchange)
                    waiting.retry_if_news(node)
                    pause_s = pauses.after_success()
                    if report.did_anything:
                        log.info(
                            "synced",
                            peer=peer.node.hex(),
                            sent=report.sent,
                            received=report.received,
                            pieces_out=report.pieces_out,
                            pieces_in=report.pieces_in,
                            requests=report.requests,
                        )
                except Exception as error:  # noqa: BLE001 - tried again, whatever it was
                    pause_s = pauses.after(error)
                    node.forget()
                    if client:
                        client.close()
                        client = None
                    log.info("sync_failed", cause=_cause(error), pause_s=pause_s)
                if self._on_change:
                    self._on_change()
                self._pause(node, pause_s, is_backing_off=pauses.is_backing_off)
        finally:
            if client:
                client.close()
            node.close()

    def _pause(self, node: Node, length_s: float, *, is_backing_off: bool) -> None:
        """Wait; new work here ends the pause unless the line has just failed."""
        before = node.store.data_version()
        waited_s = 0.0
        while waited_s < length_s and not self._wake.wait(WATCH_S):
            waited_s += WATCH_S
            if not is_backing_off and node.store.data_version() != before:
                if _owes(node):
                    break
                before = node.store.data_version()
        self._wake.clear()


class Relief:
    """Does the background sync of a home from when no other process does it.

    A service may end while the screens are open, or be ended for a stick.
    """

    def __init__(self, node: Node) -> None:
        """Prepare; nothing is held yet."""
        self._node = node
        self._held = ExitStack()
        self.background: Background | None = None

    def take_over(self) -> Background | None:
        """Begin, or go on; None while another process has the right to."""
        if self.background is None:
            with ExitStack() as attempt:
                if not attempt.enter_context(self._node.home.sole_server()):
                    return None
                self._held = attempt.pop_all()
            self.background = Background(self._node)
            self.background.start()
        return self.background

    def stop(self) -> None:
        """End after the exchange that is going on, and let another process begin."""
        if self.background is not None:
            self.background.stop()
            self.background = None
        self._held.close()


def _owes(node: Node) -> bool:
    """Say whether the node above lacks anything that is here."""
    above = node.roster.latest(node.secrets.parent)
    if above is None:
        return False
    scopes = talk.shared_scopes(node, above)
    return bool(scopes) and node.store.journal.owed_to(above.node, scopes)[0] > 0


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
        self._answering = talk.Answering(node)

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
        while data := _guarded(self._node, "answer", lambda: next(replies, None)):
            yield data


def _guarded(node: Node, what: str, task: Callable[[], T]) -> T:
    """Run a task; what is our own fault becomes "come again later"."""
    try:
        return task()
    except PeerFault as fault:
        log.info(f"{what}_refused", cause=_cause(fault))
        raise
    except Exception as error:
        node.forget()
        log.error(f"{what}_failed", cause=_cause(error))
        raise SyncError("this node cannot do it just now; try later") from error


def _cause(error: Exception) -> str:
    """Return what went wrong and where, without any value: those may be personal."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = frame.tb_frame.f_code.co_qualname if frame else "?"
    return f"{type(error).__name__} in {where}:{frame.tb_lineno if frame else 0}"


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
