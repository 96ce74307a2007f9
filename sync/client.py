"""The other end of the pipe: carry a run of bundles to a peer and bring its run back.

The server's TLS certificate is pinned by its hash from the roster; neither a
certificate authority nor a date is asked, and nothing of the environment (proxies,
CA files) has a say.
"""

import json
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from itertools import chain
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.util import SKIP_HEADER, Retry

from sync.errors import Malformed, NotTrusted, PeerRefused, PeerUnreachable
from sync.exchange import SILENCE
from sync.framing import Frames, framed
from sync.paths import BUNDLES_PATH, JOIN_PATH

CONNECT_LIMIT_S = 5
READ_LIMIT_S = 120
BUNDLE_TIME_LIMIT_S = 120
"""For each bundle of an answer, however slowly its bytes may drip."""
HEAD_LIMIT_S = 180
"""From the end of our run to the end of the answer's head, whatever comes before it: a
socket's own limit begins again with each byte. Longer than it, so that silence, which
says more, is heard first."""
JOIN_LIMIT_BYTES = 64 * 1024
_STEP_BYTES = 16 * 1024

RECONNECT = Retry(
    total=None,
    connect=2,
    read=0,
    redirect=0,
    status=0,
    other=0,
    backoff_factor=0.2,
    backoff_jitter=0.2,
)
"""On the spot, and only where not a byte has been sent; longer pauses are the caller's,
since a person may end them."""


class Client:
    """A connection to one peer, kept open between exchanges."""

    def __init__(self, address: str, pinned: bytes | None) -> None:
        """Prepare; nothing is sent yet.

        Args:
            address: HOST:PORT.
            pinned: SHA-256 of the peer's TLS certificate. None only while joining,
                when the answer is proven by the enrolment code instead.
        """
        self._url = f"https://{address}"
        self._is_pinned = pinned is not None
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = False
        self._session.mount("https://", _PinnedAdapter(pinned))
        self._session.headers.clear()
        # What urllib3 would add by itself: 62 bytes that nobody reads.
        self._session.headers["User-Agent"] = SKIP_HEADER
        self._session.headers["Accept-Encoding"] = SKIP_HEADER

    def exchange(self, bundles: Iterator[bytes]) -> Iterator[bytes]:
        """Send a run of bundles and yield the peer's, each as soon as it is whole, or
        `SILENCE`.

        The run is sent while it is made; the answer begins when it has ended.

        Raises:
            PeerUnreachable: the line was cut, or nobody answers; what has been
                yielded, and what the peer has taken, stands.
            PeerRefused: the peer said no.
            NotTrusted: another machine answers at this address.
            Malformed: the answer is no run of bundles.
        """
        first, second = next(bundles), next(bundles, None)
        # A run of one goes with its length, so that the line may be tried again.
        body: bytes | Iterator[bytes] = framed(first)
        if second is not None:
            body = map(framed, chain((first, second), bundles))
        frames = Frames()
        with self._posted(BUNDLES_PATH, body) as response:
            if response.status_code == 204:
                yield SILENCE
            deadline_s = time.monotonic() + BUNDLE_TIME_LIMIT_S
            parts = response.iter_content(_STEP_BYTES)
            while (part := self._next(parts)) is not None:
                for bundle in frames.feed(part):
                    yield bundle
                    deadline_s = time.monotonic() + BUNDLE_TIME_LIMIT_S
                if time.monotonic() > deadline_s:
                    raise PeerUnreachable(self._url, "no answer in time")
        if frames.held_bytes:
            raise PeerUnreachable(self._url, "the connection was cut")

    def join(self, request: bytes) -> bytes:
        """Send an enrolment request and return the grant. Raises as `exchange`."""
        with self._posted(JOIN_PATH, request) as response:
            parts = response.iter_content(_STEP_BYTES)
            reply = bytearray()
            while (part := self._next(parts)) is not None:
                reply += part
                if len(reply) > JOIN_LIMIT_BYTES:
                    raise Malformed("answer", "it is too long to be a grant")
            return bytes(reply)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    @contextmanager
    def _posted(
        self, path: str, body: bytes | Iterator[bytes]
    ) -> Iterator[requests.Response]:
        """Send a body; give the response, of which only the head has been read."""
        with self._errors(), warnings.catch_warnings():
            if not self._is_pinned:
                warnings.simplefilter(
                    "ignore", urllib3.exceptions.InsecureRequestWarning
                )
            response = self._session.post(
                self._url + path,
                data=body,
                timeout=(CONNECT_LIMIT_S, READ_LIMIT_S),
                allow_redirects=False,
                stream=True,
            )
        try:
            if response.status_code not in (200, 204):
                reply = self._next(response.iter_content(4096)) or b""
                raise PeerRefused(
                    self._url,
                    response.status_code,
                    _detail(reply),
                    _seconds(response.headers.get("Retry-After", "")),
                )
            yield response
        finally:
            response.close()

    def _next(self, parts: Iterator[bytes]) -> bytes | None:
        with self._errors():
            return next(parts, None)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the library's errors into ours."""
        try:
            yield
        except requests.exceptions.SSLError as error:
            if "ingerprint" in str(error):
                raise NotTrusted(
                    self._url, "another machine answers there (TLS key)"
                ) from error
            is_cut = "EOF" in str(error)
            why = "the connection was cut" if is_cut else "no TLS connection"
            raise PeerUnreachable(self._url, why) from error
        except requests.exceptions.Timeout as error:
            raise PeerUnreachable(self._url, "no answer in time") from error
        except (
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as error:
            raise PeerUnreachable(self._url, _why(error)) from error


class _Connection(HTTPSConnection):
    """A connection on which the head of an answer does not take for ever."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        """Return the answer's head; hang up when it takes too long."""
        assert self.sock is not None
        is_late = threading.Event()
        timer = threading.Timer(HEAD_LIMIT_S, _hang_up, (self.sock, is_late))
        timer.daemon = True
        timer.start()
        try:
            return super().getresponse()
        except (OSError, HTTPException) as error:
            if is_late.is_set():
                raise TimeoutError("the head of the answer did not end") from error
            raise
        finally:
            timer.cancel()


def _hang_up(line: socket.socket, is_late: threading.Event) -> None:
    is_late.set()
    with suppress(OSError):  # it is gone by itself
        # Below TLS: its state belongs to the thread that reads.
        socket.socket.shutdown(line, socket.SHUT_RDWR)


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class _PinnedAdapter(HTTPAdapter):
    def __init__(self, pinned: bytes | None) -> None:
        self._pinned = pinned
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=RECONNECT)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        if self._pinned is not None:
            options["assert_fingerprint"] = self._pinned.hex()
        options["assert_hostname"] = False
        # Without a context of ours urllib3 reads all authorities of this machine,
        # 19 ms of CPU for each connection, and none of them is ever asked.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        options["ssl_context"] = context
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}


def _detail(reply: bytes) -> str:
    """Return the sentence of a problem answer, cut and harmless."""
    try:
        problem = json.loads(reply[:4096])
        detail = str(problem["detail"])
    except (ValueError, KeyError, TypeError, RecursionError):
        detail = "no reason given"
    return "".join(c for c in detail if c.isprintable())[:300]


def _seconds(text: str) -> int:
    """Return what `Retry-After` says in seconds; 0 for a date or anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _why(error: Exception) -> str:
    text = str(error)
    for sign, words in (
        ("refused", "nothing listens there"),
        ("Name or service", "the name is not known"),
        ("unreachable", "no network"),
        ("reset", "the connection was cut"),
        ("Broken pipe", "the connection was cut"),
        ("RemoteDisconnected", "the connection was cut"),
        ("IncompleteRead", "the connection was cut"),
    ):
        if sign in text:
            return words
    return type(error).__name__
