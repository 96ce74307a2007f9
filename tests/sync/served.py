"""A real server in a thread, and what is said to it; a false one."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from sync.bundle import LEAST_BUNDLE_BYTES
from sync.client import Client
from sync.errors import (
    PeerFault,
)
from sync.paths import BUNDLES_PATH
from sync.server import (
    MAX_CONNECTIONS,
    make_app,
    make_server,
)

PATIENCE_S = 30
PASSPHRASE = "only for this test"


def whole(word: bytes) -> bytes:
    """Return a word as long as the shortest bundle."""
    return word.ljust(LEAST_BUNDLE_BYTES, b".")


SHORT, WELL = whole(b"x"), whole(b"are you well")


def reversed_bytes(body: bytes) -> bytes:
    return body[::-1]


@dataclass
class Peer:
    """A real server in a thread, and what its handlers were given."""

    port: int
    pinned: bytes
    seen: list[bytes] = field(default_factory=list)
    answer: Callable[[bytes], bytes] = reversed_bytes
    admitted: list[bytes] = field(default_factory=list)
    stranger: PeerFault | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def client(self) -> "contextlib.closing[Client]":
        return contextlib.closing(Client(self.address, self.pinned))

    def is_well(self) -> bool:
        with self.client() as client:
            return exchange(client, WELL) == WELL[::-1]

    def connect(self) -> ssl.SSLSocket:
        """Return a bare TLS connection, to say what no client of ours would."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        return context.wrap_socket(plain)


def exchange(client: Client, bundle: bytes) -> bytes:
    """Send a run of one bundle and return the answer, a run of one."""
    (reply,) = client.exchange(iter([bundle]))
    return reply


@dataclass
class Echo:
    """Answers each bundle of a run by what the peer makes of it."""

    peer: Peer
    replies: list[bytes] = field(default_factory=list)

    def admit(self, beginning: bytes) -> bytes:
        self.peer.admitted.append(beginning)
        if self.peer.stranger:
            raise self.peer.stranger
        return beginning[:4]

    def take(self, bundle: bytes) -> None:
        self.peer.seen.append(bundle)
        self.replies.append(self.peer.answer(bundle))

    def reply(self) -> Iterator[bytes]:
        yield from self.replies


@contextlib.contextmanager
def served(
    identity: tuple[Path, Path, bytes], most_connections: int = MAX_CONNECTIONS
) -> Iterator[Peer]:
    certificate, key, pinned = identity
    # The socket listens before the server runs: connections wait, nobody sleeps.
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    peer = Peer(listening.getsockname()[1], pinned)

    with ThreadPoolExecutor(1) as executor:
        server: uvicorn.Server = make_server(
            make_app(lambda: Echo(peer), lambda body: b"grant for " + body, executor),
            certificate,
            key,
            PASSPHRASE,
        )
        assert server.config.limit_concurrency == MAX_CONNECTIONS
        server.config.limit_concurrency = most_connections
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield peer
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
            listening.close()
            assert not thread.is_alive()


def request(
    body: bytes,
    *,
    method: str = "POST",
    path: str = BUNDLES_PATH,
    headers: dict[str, str] | None = None,
) -> bytes:
    fields = {"Host": "x", "Content-Length": str(len(body))} | (headers or {})
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def response(connection: ssl.SSLSocket) -> tuple[http.client.HTTPResponse, bytes]:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer, answer.read()


@contextlib.contextmanager
def speaking(
    identity: tuple[Path, Path, bytes], answer: bytes, more: bytes | None = None
) -> Iterator[Client]:
    """A TLS server that says `answer`, and a client for it.

    Where there is `more`, that is said again and again until the client is gone.
    """
    certificate, key, pinned = identity
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key, PASSPHRASE)
    talking: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with (
                contextlib.suppress(OSError),
                context.wrap_socket(listening.accept()[0], server_side=True) as one,
            ):
                talking.append(one)
                one.recv(65536)
                one.sendall(answer)
                while more:
                    one.sendall(more)
                while more is not None and one.recv(65536):
                    pass
                one.unwrap().close()

        thread = threading.Thread(target=serve)
        thread.start()
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        with contextlib.closing(Client(address, pinned)) as client:
            yield client
        for one in talking if more is not None else []:
            # Not every kernel tells a sender at once that nobody listens any more.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)
        thread.join(PATIENCE_S)


def http_answer(
    body: bytes, status: str = "200 OK", length: int | None = None
) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n\r\n".encode() + body
