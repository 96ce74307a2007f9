"""A real server and those who send too much, too little, or never end."""

import contextlib
import json
import select
import socket
import ssl
import threading
from pathlib import Path

import pytest

from sync import doorway, turns
from sync import server as sync_server
from sync.bundle import LEAST_BUNDLE_BYTES, MAX_BUNDLE_BYTES
from sync.client import Client
from sync.errors import (
    NotTrusted,
    PeerRefused,
    PeerUnreachable,
)
from sync.framing import framed
from sync.paths import HEALTH_PATH, JOIN_PATH
from sync.server import (
    JOIN_LIMIT_BYTES,
)
from tests.sync.served import (
    PASSPHRASE,
    PATIENCE_S,
    SHORT,
    WELL,
    Peer,
    exchange,
    http_answer,
    request,
    response,
    reversed_bytes,
    served,
    speaking,
    whole,
)

# -- bodies that are too long, or lie about it --------------------------------


def test_a_body_one_byte_too_long_is_refused_unread(peer: Peer) -> None:
    with contextlib.closing(peer.connect()) as connection:
        connection.sendall(request(bytes(JOIN_LIMIT_BYTES + 1), path=JOIN_PATH))
        answer, body = response(connection)

    assert answer.status == 413 and answer.headers["Connection"] == "close"
    assert json.loads(body)["type"] == "urn:lianban:too-large"
    assert peer.seen == [] and peer.is_well()


@pytest.mark.parametrize(
    "length", [0, LEAST_BUNDLE_BYTES - 1, MAX_BUNDLE_BYTES + 1, 2**32 - 1]
)
def test_a_length_that_no_bundle_has_is_refused(peer: Peer, length: int) -> None:
    with contextlib.closing(peer.connect()) as connection:
        connection.sendall(request(length.to_bytes(4, "big") + bytes(100)))
        answer, body = response(connection)

    assert answer.status == 400 and answer.headers["Connection"] == "close"
    assert json.loads(body)["type"] == "urn:lianban:malformed"
    assert peer.seen == [] and peer.is_well()


def _endless(peer: Peer, part: bytes, most_bytes: int) -> int:
    """Send a body without end until the server hangs up; return how much it took."""
    sent = 0
    framed_part = f"{len(part):x}\r\n".encode() + part + b"\r\n"
    with contextlib.closing(peer.connect()) as connection:
        head = {"Transfer-Encoding": "chunked"}
        start = request(b"", headers=head).replace(b"Content-Length: 0\r\n", b"")
        connection.sendall(start)
        with contextlib.suppress(OSError):  # it hangs up while we still talk
            while sent < most_bytes:
                connection.sendall(framed_part)
                sent += len(part)
    return sent


def test_a_body_without_end_is_refused_at_the_limit(peer: Peer) -> None:
    sent = _endless(peer, bytes(0x10000), 20 * MAX_BUNDLE_BYTES)

    assert sent < 20 * MAX_BUNDLE_BYTES
    assert peer.seen == [] and peer.is_well()


def test_a_stranger_s_bundle_is_not_read_to_its_end(peer: Peer) -> None:
    peer.stranger = NotTrusted("bundle", "not enrolled")
    body = framed(bytes(MAX_BUNDLE_BYTES))

    with contextlib.closing(peer.connect()) as connection:
        # Only a beginning is sent: that alone is answered once the sender ends.
        head = {"Content-Length": str(len(body))}
        connection.sendall(request(b"", headers=head) + body[:20_000])
        connection.unwrap().close()

    # A short bundle is whole at once, and asked about all the same.
    with peer.client() as client, pytest.raises(PeerRefused) as caught:
        exchange(client, SHORT)
    assert caught.value.status == 401 and SHORT in peer.admitted
    assert peer.admitted[0] == bytes(len(peer.admitted[0]))
    assert peer.seen == []


def test_each_bundle_is_handed_on_as_soon_as_it_is_whole(peer: Peer) -> None:
    """The line may be cut after it: what was whole stays."""
    first, second = b"a" * 5000, b"b" * 5000
    taken = threading.Event()

    def note(body: bytes) -> bytes:
        taken.set()
        return body[::-1]

    peer.answer = note
    body = framed(first) + framed(second)

    with contextlib.closing(peer.connect()) as connection:
        head = {"Content-Length": str(len(body))}
        connection.sendall(request(b"", headers=head) + body[:-1])
        assert taken.wait(PATIENCE_S)

    assert peer.is_well()
    assert peer.seen == [first, WELL]


def test_a_run_goes_there_while_it_is_made_and_another_comes_back(peer: Peer) -> None:
    run = [bytes([n]) * (n * 7000 + LEAST_BUNDLE_BYTES) for n in range(20)]

    with peer.client() as client:
        replies = list(client.exchange(iter(run)))

    assert peer.seen == run
    assert replies == [one[::-1] for one in run]


def test_what_is_in_memory_of_unfinished_bundles_has_a_limit(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "BUFFERED_LIMIT_BYTES", 100_000)

    with peer.client() as client, pytest.raises(PeerRefused) as caught:
        exchange(client, bytes(2_000_000))

    assert caught.value.status == 503
    assert caught.value.retry_after_s == sync_server.RETRY_AFTER_S
    monkeypatch.undo()
    assert peer.is_well()


def test_a_run_that_ends_in_the_middle_of_a_bundle_is_malformed(peer: Peer) -> None:
    with contextlib.closing(peer.connect()) as connection:
        connection.sendall(request(framed(SHORT) + framed(SHORT)[:-1]))
        answer, body = response(connection)

    assert answer.status == 400
    assert "cut off" in json.loads(body)["detail"]
    assert peer.seen == [SHORT]


def test_the_answer_s_bundles_are_given_one_by_one_until_it_is_cut(
    identity: tuple[Path, Path, bytes],
) -> None:
    one, two = whole(b"one"), whole(b"two")
    body = framed(one) + framed(two) + framed(SHORT)[:-2]
    with speaking(identity, http_answer(body)) as client:
        replies = client.exchange(iter([SHORT]))

        assert (next(replies), next(replies)) == (one, two)
        with pytest.raises(PeerUnreachable, match="cut"):
            next(replies)


def test_a_length_that_is_longer_than_the_body_gives_no_request(peer: Peer) -> None:
    with contextlib.closing(peer.connect()) as connection:
        connection.sendall(request(b"short", headers={"Content-Length": "1000"}))
        connection.unwrap().close()

    assert peer.is_well()
    assert peer.seen == [WELL]


@pytest.mark.parametrize("length", ["2", "-1", "1e9", "99999999999999999999", "x"])
def test_a_length_that_lies_harms_nobody(peer: Peer, length: str) -> None:
    with contextlib.closing(peer.connect()) as connection:
        connection.sendall(
            request(b"longer than said", headers={"Content-Length": length})
        )

    assert peer.is_well()
    assert b"longer than said" not in peer.seen


@pytest.mark.parametrize(
    "junk",
    [
        b"\x00" * 1000,
        b"GET",
        b"POST " + b"/" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /v1/bundles HTTP/1.1\r\n" + b"X: y\r\n" * 50_000,
        b"POST /v1/bundles HTTP/9.9\r\n\r\n",
    ],
    ids=["zeros", "cut", "long path", "many heads", "version"],
)
def test_bytes_that_are_no_request_harm_nobody(peer: Peer, junk: bytes) -> None:
    with (
        contextlib.suppress(OSError),
        contextlib.closing(peer.connect()) as connection,
    ):
        connection.sendall(junk)

    assert peer.is_well()


# -- those who never end ------------------------------------------------------


def _half_open(peer: Peer, count: int, stack: contextlib.ExitStack) -> None:
    """Open connections that begin a request, each in its own way, and stop there."""
    begun = request(b"", headers={"Content-Length": "1000"})
    for number in range(count):
        connection = stack.enter_context(contextlib.closing(peer.connect()))
        connection.sendall((b"", b"POST", begun, begun + b"some")[number % 4])


def test_slow_half_open_connections_do_not_stop_a_good_client(
    identity: tuple[Path, Path, bytes],
) -> None:
    with served(identity) as peer, contextlib.ExitStack() as stack:
        _half_open(peer, 60, stack)
        for _ in range(60):
            plain = socket.create_connection(("127.0.0.1", peer.port), PATIENCE_S)
            stack.enter_context(contextlib.closing(plain))  # not even TLS

        assert peer.is_well()


def test_more_half_open_connections_than_the_limit_do_not_stop_a_good_client(
    identity: tuple[Path, Path, bytes],
) -> None:
    # A lower limit makes the test quick; at 256 it is the same, measured.
    with served(identity, 16) as peer, contextlib.ExitStack() as stack:
        _half_open(peer, 20, stack)

        assert peer.is_well()


def test_sockets_that_never_speak_tls_make_room_for_those_that_come(peer: Peer) -> None:
    with contextlib.ExitStack() as stack:
        silent = []
        for _ in range(2 * doorway.MOST_OF_ADDRESS):
            plain = socket.create_connection(("127.0.0.1", peer.port), PATIENCE_S)
            silent.append(stack.enter_context(contextlib.closing(plain)))

        assert peer.is_well()
        assert silent[0].recv(1) == b""


def test_a_socket_that_never_speaks_tls_is_ended(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "HANDSHAKE_LIMIT_S", 0.1)

    with socket.create_connection(("127.0.0.1", peer.port), PATIENCE_S) as silent:
        assert silent.recv(1) == b""


def _unread(peer: Peer, stack: contextlib.ExitStack, word: bytes) -> ssl.SSLSocket:
    """Ask for more than the buffers hold, and read the head of the answer only."""
    connection = stack.enter_context(contextlib.closing(peer.connect()))
    connection.sendall(request(framed(whole(word)) * 8))
    assert connection.recv(4) == b"HTTP"
    return connection


def test_who_does_not_read_the_answer_makes_room_for_others(
    identity: tuple[Path, Path, bytes],
) -> None:
    with served(identity, 8) as peer, contextlib.ExitStack() as stack:
        peer.answer = lambda word: word * 5_000
        for number in range(10):
            _unread(peer, stack, b"%04d" % number)
        peer.answer = reversed_bytes

        assert peer.is_well()


def test_who_does_not_read_the_answer_is_not_waited_for_without_end(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "ANSWER_LIMIT_S", 0.1)
    peer.answer = lambda word: word * 5_000

    with contextlib.ExitStack() as stack:
        connection = _unread(peer, stack, b"slow")
        poll = select.poll()
        poll.register(connection, select.POLLRDHUP)

        # Nothing is read before the server has hung up.
        assert poll.poll(PATIENCE_S * 1000)


def test_one_node_has_few_connections_and_its_newest_are_heard(peer: Peer) -> None:
    with contextlib.ExitStack() as stack:
        asking = [peer.connect() for _ in range(doorway.MOST_OF_SENDER + 1)]
        for connection in asking:
            stack.enter_context(contextlib.closing(connection))
            connection.sendall(request(framed(WELL)))
            assert response(connection)[1] == framed(WELL[::-1])

        assert asking[0].recv(1) == b""
        asking[1].sendall(request(framed(WELL)))
        assert response(asking[1])[1] == framed(WELL[::-1])


def test_what_is_no_conversation_is_answered_once_on_a_connection(peer: Peer) -> None:
    for path, method in ((HEALTH_PATH, "GET"), (JOIN_PATH, "POST"), ("/", "GET")):
        with contextlib.closing(peer.connect()) as connection:
            connection.sendall(request(b"", method=method, path=path) * 3)
            answer, _ = response(connection)

            assert answer.headers["Connection"] == "close"
            assert connection.recv(1) == b""


def test_an_answer_says_nothing_that_nobody_reads(peer: Peer) -> None:
    with contextlib.closing(peer.connect()) as connection:
        connection.sendall(request(framed(SHORT)))
        answer, body = response(connection)

    assert body == framed(SHORT[::-1])
    assert [name.lower() for name in answer.headers] == ["content-length"]


def test_a_request_says_nothing_that_nobody_reads(
    identity: tuple[Path, Path, bytes],
) -> None:
    certificate, key, pinned = identity
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key, PASSPHRASE)
    heads: list[bytes] = []

    def listen() -> None:
        with (
            listening.accept()[0] as plain,
            context.wrap_socket(plain, server_side=True) as connection,
        ):
            heads.append(connection.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=listen)
        thread.start()
        client = Client(f"127.0.0.1:{listening.getsockname()[1]}", pinned)
        with contextlib.closing(client), pytest.raises(PeerUnreachable):
            exchange(client, SHORT)
        thread.join()

    head = heads[0].partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n")[1:]]
    assert names == [b"Host", b"Content-Length"]
