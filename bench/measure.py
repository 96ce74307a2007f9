"""What an exchange costs: CPU of both ends, time, bytes on the wire, requests.

CPU is read from the clocks of the processes that take part (user and system, all
threads, living children such as the sandbox included), before and after the exchange
only. Bytes are counted where `http.client` meets the socket: request heads and bodies
as they are sent, answer heads as they came, bodies by their stated length. What TLS
adds is not among them; TCP's own count of the connection stands beside them.

Linux only: `/proc` and the CPU clocks of other processes.
"""

import http.client
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

_TCP_INFO_BYTES = 256
_BYTES_ACKED_AT = 120  # in `struct tcp_info` of linux/tcp.h, two u64 from here on


@dataclass(frozen=True, slots=True)
class Cost:
    """What one exchange took. `tcp_bytes` has TLS in it, where there is TLS."""

    bytes: int
    cpu_s: float
    wall_s: float
    requests: int
    tcp_bytes: int = 0


MEASURES = ("bytes", "cpu_s", "wall_s", "requests")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results; `ratio` is ours to the baseline."""

    work: str
    cases: int
    measure: str
    baseline: float | None
    ours: float
    ratio: float | None


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process and its living descendants have used."""
    # The kernel's name for the CPU clock of another process, see clock_getcpuclockid.
    own = time.clock_gettime((~pid << 3) | 2)
    return own + sum(cpu_s(child) for child in _children(pid))


def rows_of(work: str, cases: int, pairs: list[tuple[Cost, Cost]]) -> list[Row]:
    """Return medians of (baseline, ours) and of their ratios, pair by pair."""
    rows = []
    for measure in MEASURES:
        values = [(asdict(a)[measure], asdict(b)[measure]) for a, b in pairs]
        rows.append(
            Row(
                work,
                cases,
                measure,
                median(a for a, _ in values),
                median(b for _, b in values),
                median(b / a for a, b in values if a),
            )
        )
    return rows


class Meter:
    """Counts what goes through `http.client` in this process, from `start` on."""

    def __init__(self) -> None:
        """Watch all connections of this process from now on."""
        self._bytes = self._requests = 0
        self._socket: socket.socket | None = None
        send, begin = http.client.HTTPConnection.send, http.client.HTTPResponse.begin

        def counting_send(connection: Any, data: Any) -> None:
            self._bytes += len(data)
            send(connection, data)
            self._socket = connection.sock

        def counting_begin(response: Any) -> None:
            begin(response)
            head = f"HTTP/1.1 {response.status} {response.reason}\r\n\r\n"
            self._bytes += len(head) + (response.length or 0)
            self._bytes += sum(len(f"{k}: {v}\r\n") for k, v in response.getheaders())
            self._requests += 1

        library: Any = http.client
        library.HTTPConnection.send = counting_send
        library.HTTPResponse.begin = counting_begin

    def time(self, exchange: Callable[[], object]) -> Cost:
        """Do an exchange; return its cost but for CPU, which is seen from outside."""
        self._bytes = self._requests = 0
        began_s = time.perf_counter()
        connection = exchange()
        wall_s = time.perf_counter() - began_s
        assert connection is not None, "closed already: TCP's count is gone"
        return Cost(self._bytes, 0.0, wall_s, self._requests, self._tcp_bytes())

    def _tcp_bytes(self) -> int:
        if self._socket is None or self._socket.fileno() < 0:
            return 0
        info = self._socket.getsockopt(
            socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES
        )
        return sum(struct.unpack_from("QQ", info, _BYTES_ACKED_AT))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread may end while we look
            found += map(int, (task / "children").read_text().split())
    return found
