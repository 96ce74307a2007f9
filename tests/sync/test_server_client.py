import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync import client as client_module
from sync.bundle import LEAST_BUNDLE_BYTES, MAX_BUNDLE_BYTES
from sync.client import Client
from sync.errors import (
    ChangeRefused,
    DocumentDamaged,
    Malformed,
    NotForUs,
    NotTrusted,
    PeerFault,
    PeerRefused,
    PeerUnreachable,
    Revoked,
    SyncError,
    TooNew,
)
from sync.exchange import SILENCE
from sync.framing import framed
from sync.paths import BUNDLES_PATH, HEALTH_PATH, JOIN_PATH
from tests.sync.served import (
    PATIENCE_S,
    SHORT,
    WELL,
    Peer,
    exchange,
    http_answer,
    request,
    response,
    reversed_bytes,
    speaking,
    whole,
)

# -- bytes there and back -----------------------------------------------------


@pytest.mark.parametrize(
    "size", [LEAST_BUNDLE_BYTES, 1000, 1_000_000, MAX_BUNDLE_BYTES]
)
def test_bytes_go_there_and_others_come_back(peer: Peer, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)

    with peer.client() as client:
        reply = exchange(client, body)

    assert peer.seen == [body]
    assert reply == body[::-1]


def test_one_connection_serves_many_exchanges(peer: Peer) -> None:
    with peer.client() as client:
        replies = [exchange(client, whole(b"%d" % n)) for n in range(20)]

    assert replies == [whole(b"%d" % n)[::-1] for n in range(20)]


def test_silence_is_an_answer_and_leaves_the_connection_open(peer: Peer) -> None:
    peer.answer = lambda said: SILENCE if said == SHORT else said[::-1]

    with peer.client() as client:
        replies = [exchange(client, said) for said in (SHORT, WELL, SHORT)]

    assert replies == [SILENCE, WELL[::-1], SILENCE]


def test_a_request_to_join_goes_to_another_handler(peer: Peer) -> None:
    with contextlib.closing(Client(peer.address, None)) as client:
        grant = client.join(b"request")

    assert grant == b"grant for request"
    assert peer.seen == []


def test_many_clients_at_once_are_all_answered(peer: Peer) -> None:
    def one(number: int) -> bytes:
        with peer.client() as client:
            return exchange(client, whole(b"%d" % number))

    with ThreadPoolExecutor(8) as crowd:
        replies = list(crowd.map(one, range(40)))

    assert replies == [whole(b"%d" % n)[::-1] for n in range(40)]


# -- who answers --------------------------------------------------------------


def test_another_machine_at_the_address_is_not_trusted_and_hears_nothing(
    peer: Peer,
) -> None:
    wrong = bytes(reversed(peer.pinned))

    with (
        contextlib.closing(Client(peer.address, wrong)) as client,
        pytest.raises(NotTrusted, match="another machine"),
    ):
        exchange(client, whole(b"secret"))

    assert peer.seen == []


def test_where_nothing_listens_the_peer_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with (
        contextlib.closing(Client(f"127.0.0.1:{port}", bytes(32))) as client,
        pytest.raises(PeerUnreachable, match="nothing listens there") as caught,
    ):
        exchange(client, SHORT)

    assert "nothing was lost" in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["", ":1", "127.0.0.1:99999", "[::1:5", "127.0.0.1:port", "user@:1"],
)
def test_an_address_that_is_none_is_an_unreachable_peer(address: str) -> None:
    with (
        contextlib.closing(Client(address, bytes(32))) as client,
        pytest.raises(PeerUnreachable),
    ):
        exchange(client, SHORT)


@pytest.mark.parametrize("address", ["a..b:1", "x" * 70 + ":1"])
def test_a_name_with_a_label_empty_or_too_long_is_an_unreachable_peer(
    address: str,
) -> None:
    with (
        contextlib.closing(Client(address, bytes(32))) as client,
        pytest.raises(PeerUnreachable),
    ):
        exchange(client, SHORT)


def _silent_server(reply: bytes) -> Iterator[str]:
    """A plain listener that says `reply` to whoever comes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE_S)


@pytest.mark.parametrize(
    "reply", [b"", b"HTTP/1.1 200 OK\r\n\r\nhello", b"\x15\x03\x01", b"\x00" * 100]
)
def test_something_that_speaks_no_tls_is_unreachable(reply: bytes) -> None:
    with (
        contextlib.contextmanager(_silent_server)(reply) as address,
        contextlib.closing(Client(address, bytes(32))) as client,
        pytest.raises(PeerUnreachable),
    ):
        exchange(client, SHORT)


def test_the_environment_has_no_say(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, "/nonexistent/ca.pem")
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(netrc))

    assert peer.is_well()


# -- what a peer says no to ---------------------------------------------------

REFUSALS = [
    (Malformed("bundle", "cut off"), 400, "malformed"),
    (NotTrusted("bundle", "unknown sender"), 401, "not-trusted"),
    (Revoked(b"\xab" * 16), 403, "revoked"),
    (NotForUs("ab" * 16), 409, "not-for-us"),
    (TooNew("bundle", 2, 1), 426, "too-new"),
    (ChangeRefused("damaged", "cut off"), 503, "later"),
    (DocumentDamaged("cannot be read"), 503, "later"),
    (PeerFault("something else"), 503, "later"),
    (SyncError("something else"), 503, "later"),
]


@pytest.mark.parametrize(
    ("error", "status", "word"),
    REFUSALS,
    ids=[type(row[0]).__name__ for row in REFUSALS],
)
def test_each_refusal_has_a_status_and_a_word(
    peer: Peer, error: SyncError, status: int, word: str
) -> None:
    def refuse(_: bytes) -> bytes:
        raise error

    peer.answer = refuse

    with peer.client() as client, pytest.raises(PeerRefused) as caught:
        exchange(client, SHORT)
    with contextlib.closing(peer.connect()) as connection:
        connection.sendall(request(framed(SHORT)))
        answer, body = response(connection)

    assert caught.value.status == status and str(error) in caught.value.why
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["type"] == f"urn:lianban:{word}"


def test_a_mistake_of_the_handler_shows_nothing_of_itself(peer: Peer) -> None:
    def fail(_: bytes) -> bytes:
        raise KeyError("330881199001011234")

    peer.answer = fail

    with peer.client() as client, pytest.raises(PeerRefused) as caught:
        exchange(client, SHORT)

    assert caught.value.status == 500
    assert "330881" not in str(caught.value)
    peer.answer = reversed_bytes
    assert peer.is_well()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", BUNDLES_PATH, 405),
        ("PUT", BUNDLES_PATH, 405),
        ("GET", JOIN_PATH, 405),
        ("GET", HEALTH_PATH, 200),
        ("GET", "/", 404),
        ("POST", "/v2/bundles", 404),
        ("POST", "/v1/../v1/bundles", 404),
    ],
)
def test_there_is_nothing_but_three_paths(
    peer: Peer, method: str, path: str, status: int
) -> None:
    with contextlib.closing(peer.connect()) as connection:
        connection.sendall(request(b"", method=method, path=path))
        answer, _ = response(connection)

    assert answer.status == status
    assert peer.seen == []
    assert "server" not in answer.headers and "set-cookie" not in answer.headers


# -- answers that are too long, or say nothing --------------------------------


def test_an_answer_longer_than_a_bundle_is_refused(peer: Peer) -> None:
    peer.answer = lambda _: bytes(MAX_BUNDLE_BYTES + 1)

    with peer.client() as client, pytest.raises(Malformed, match="no bundle"):
        exchange(client, SHORT)


@pytest.mark.parametrize("more", [b"HTTP/1.1 100 Continue\r\n\r\n", b""])
def test_a_head_that_never_ends_is_not_waited_for_without_end(
    identity: tuple[Path, Path, bytes], monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    monkeypatch.setattr(client_module, "HEAD_LIMIT_S", 0.5)
    with (
        speaking(identity, b"HTTP/1.1 100 Continue\r\n", more) as client,
        pytest.raises(PeerUnreachable, match="no answer in time"),
    ):
        exchange(client, SHORT)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no HTTP at all\r\n\r\n", id="no HTTP"),
        pytest.param(http_answer(b"half", length=100), id="cut"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="chunks"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
            b"Content-Length: 4\r\n\r\nxxxx",
            id="no gzip",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n", id="heads"),
    ],
)
def test_an_answer_that_is_none_is_an_unreachable_peer(
    identity: tuple[Path, Path, bytes], answer: bytes
) -> None:
    with speaking(identity, answer) as client, pytest.raises(PeerUnreachable):
        exchange(client, SHORT)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"detail": "because"}', "because"),
        (b"", "no reason given"),
        (b"<html>", "no reason given"),
        (b"[1]", "no reason given"),
        (b'"text"', "no reason given"),
        (b'{"detail": "a\\u001b[31mb\\u202ec"}', "a[31mbc"),
        (b'{"detail": "' + b"x" * 2000 + b'"}', "x" * 300),
        (b'{"detail": "' + b"x" * 5000 + b'"}', "no reason given"),
    ],
)
def test_a_refusal_is_told_in_a_short_and_harmless_sentence(
    identity: tuple[Path, Path, bytes], body: bytes, why: str
) -> None:
    with (
        speaking(identity, http_answer(body, "403 Forbidden")) as client,
        pytest.raises(PeerRefused) as caught,
    ):
        exchange(client, SHORT)

    assert (caught.value.status, caught.value.why) == (403, why)


def test_a_refusal_of_a_thousand_brackets_is_a_refusal(
    identity: tuple[Path, Path, bytes],
) -> None:
    with (
        speaking(identity, http_answer(b"[" * 4096, "403 Forbidden")) as client,
        pytest.raises(PeerRefused),
    ):
        exchange(client, SHORT)


def test_a_redirection_is_not_followed(
    identity: tuple[Path, Path, bytes], peer: Peer
) -> None:
    elsewhere = f"https://{peer.address}{BUNDLES_PATH}"
    answer = (
        f"HTTP/1.1 307 Elsewhere\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"
    )

    with (
        speaking(identity, answer.encode()) as client,
        pytest.raises(PeerRefused) as caught,
    ):
        exchange(client, whole(b"secret"))

    assert caught.value.status == 307 and peer.seen == []
