"""The other end of the pipe: carry bytes to a peer and bring its bytes back.

The server's TLS certificate is pinned by its hash from the roster; neither a
certificate authority nor a date is asked, and nothing of the environment (proxies,
CA files) has a say.
"""

import json
import ssl
import warnings
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from sync.bundle import MAX_BUNDLE_BYTES
from sync.errors import Malformed, NotTrusted, PeerRefused, PeerUnreachable
from sync.server import BUNDLE_PATH, JOIN_PATH, MEDIA_TYPE

CONNECT_LIMIT_S = 5
READ_LIMIT_S = 120
_STEP_BYTES = 64 * 1024


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
        self._session.headers["Content-Type"] = MEDIA_TYPE

    def exchange(self, bundle: bytes) -> bytes:
        """Send a bundle and return the peer's.

        Raises:
            PeerUnreachable: no answer; nothing was lost.
            PeerRefused: the peer said no.
            NotTrusted: another machine answers at this address.
            Malformed: the answer is too long to be a bundle.
        """
        return self._post(BUNDLE_PATH, bundle)

    def join(self, request: bytes) -> bytes:
        """Send an enrolment request and return the grant. Raises as `exchange`."""
        return self._post(JOIN_PATH, request)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _post(self, path: str, body: bytes) -> bytes:
        url = self._url + path
        try:
            with warnings.catch_warnings():
                if not self._is_pinned:
                    warnings.simplefilter(
                        "ignore", urllib3.exceptions.InsecureRequestWarning
                    )
                with self._session.post(
                    url,
                    data=body,
                    timeout=(CONNECT_LIMIT_S, READ_LIMIT_S),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    reply = _read(response)
        except requests.exceptions.SSLError as error:
            if "ingerprint" in str(error):
                raise NotTrusted(
                    self._url, "another machine answers there (TLS key)"
                ) from error
            raise PeerUnreachable(self._url, "no TLS connection") from error
        except requests.exceptions.Timeout as error:
            raise PeerUnreachable(self._url, "no answer in time") from error
        except (
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as error:
            raise PeerUnreachable(self._url, _why(error)) from error
        if response.status_code != 200:
            raise PeerRefused(self._url, response.status_code, _detail(reply))
        return reply


class _PinnedAdapter(HTTPAdapter):
    def __init__(self, pinned: bytes | None) -> None:
        self._pinned = pinned
        super().__init__(pool_connections=1, pool_maxsize=1)

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


def _read(response: requests.Response) -> bytes:
    parts = bytearray()
    for part in response.iter_content(_STEP_BYTES):
        parts += part
        if len(parts) > MAX_BUNDLE_BYTES:
            raise Malformed("answer", "it is too long to be a bundle")
    return bytes(parts)


def _detail(reply: bytes) -> str:
    """Return the sentence of a problem answer, cut and harmless."""
    try:
        problem = json.loads(reply[:4096])
        detail = str(problem["detail"])
    except (ValueError, KeyError, TypeError, RecursionError):
        detail = "no reason given"
    return "".join(c for c in detail if c.isprintable())[:300]


def _why(error: Exception) -> str:
    text = str(error)
    for sign, words in (
        ("refused", "nothing listens there"),
        ("Name or service", "the name is not known"),
        ("unreachable", "no network"),
        ("reset", "the connection was cut"),
        ("RemoteDisconnected", "the connection was cut"),
        ("IncompleteRead", "the connection was cut"),
    ):
        if sign in text:
            return words
    return type(error).__name__
