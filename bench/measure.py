"""What an exchange costs: CPU of both ends, time, bytes on the wire, requests.

CPU is read from the clocks of the processes that take part (user and system, all
threads, living children such as the sandbox included), before and after the exchange
only. Bytes are counted where the program meets the socket, before TLS: HTTP heads,
framing and bodies, both ways. What TLS adds is not among them; TCP's own count of the
connection, with TLS and its handshake, stands beside them.

Linux only: `/proc` and the CPU clocks of other processes.
"""

import http.client
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

_TCP_INFO_BYTES = 256
_BYTES_ACKED_AT = 120  # in `struct tcp_info` of linux/tcp.h, two u64 from here on


@dataclass(frozen=True, slots=True)
class Cost:
    """What one exchange took. What TCP carried has TLS in it, where there is TLS."""

    bytes: int
    cpu_s: float
    wall_s: float
    requests: int
    tcp_up: int = 0
    tcp_down: int = 0

    @property
    def tcp_bytes(self) -> int:
        """What TCP carried, both ways."""
        return self.tcp_up + self.tcp_down


MEASURES: dict[str, Callable[[Cost], float]] = {
    "bytes": lambda cost: cost.bytes,
    "tcp bytes": lambda cost: cost.tcp_bytes,
    "cpu_s": lambda cost: cost.cpu_s,
    "wall_s": lambda cost: cost.wall_s,
    "requests": lambda cost: cost.requests,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results; `ratio` is ours to the baseline."""

    work: str
    cases: int
    measure: str
    baseline: float | None
    ours: float
    ratio: float | None = None


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process and its living descendants have used."""
    # The kernel's name for the CPU clock of another process, see clock_getcpuclockid.
    own = time.clock_gettime((~pid << 3) | 2)
    return own + sum(cpu_s(child) for child in children(pid))


def resident_bytes(pid: int) -> int:
    """Return what a process and its living descendants hold in memory (RSS)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return own * 1024 + sum(resident_bytes(child) for child in children(pid))


def children(pid: int) -> list[int]:
    """Return the living children of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread may end while we look
            found += map(int, (task / "children").read_text().split())
    return found


def rows_of(
    work: str,
    cases: int,
    pairs: list[tuple[Cost, Cost]],
    measures: tuple[str, ...] = tuple(MEASURES),
) -> list[Row]:
    """Return medians of (baseline, ours) and of their ratios, pair by pair."""
    return [
        row_of(
            work,
            cases,
            measure,
            [(MEASURES[measure](a), MEASURES[measure](b)) for a, b in pairs],
        )
        for measure in measures
    ]


def row_of(
    work: str, cases: int, measure: str, values: list[tuple[float, float]]
) -> Row:
    """Return the medians of (baseline, ours) and of their ratios, pair by pair."""
    ratios = [b / a for a, b in values if a]
    return Row(
        work,
        cases,
        measure,
        median(a for a, _ in values),
        median(b for _, b in values),
        median(ratios) if ratios else None,
    )


class Meter:
    """Counts what this process sends and receives over TCP, and its answers."""

    def __init__(self) -> None:
        """Watch all connections of this process from now on."""
        self._bytes = self._requests = 0
        self._socket: socket.socket | None = None
        # Under TLS the methods of the plain socket see nothing, and the other way.
        self._count(ssl.SSLSocket, "send", lambda _, sent: sent)
        self._count(ssl.SSLSocket, "read", lambda _, got: _size(got))
        self._count(socket.socket, "send", lambda _, sent: sent)
        self._count(socket.socket, "sendall", lambda given, _: len(given[0]))
        self._count(socket.socket, "recv", lambda _, got: _size(got))
        self._count(socket.socket, "recv_into", lambda _, got: _size(got))
        begin = http.client.HTTPResponse.begin

        def counting_begin(response: Any) -> None:
            begin(response)
            self._requests += 1

        library: Any = http.client
        library.HTTPResponse.begin = counting_begin

    def time(self, exchange: Callable[[], object]) -> Cost:
        """Do an exchange; return its cost but for CPU, which is seen from outside.

        Its last connection must still be open, or TCP's count of it is gone.
        """
        self._bytes = self._requests = 0
        began_s = time.perf_counter()
        kept = exchange()
        wall_s = time.perf_counter() - began_s
        cost = Cost(self._bytes, 0.0, wall_s, self._requests, *self._tcp_bytes())
        del kept
        return cost

    def _count(
        self, kind: Any, name: str, size: Callable[[tuple[Any, ...], Any], int]
    ) -> None:
        real = getattr(kind, name)

        def counting(one: Any, *arguments: Any, **options: Any) -> Any:
            result = real(one, *arguments, **options)
            self._bytes += size(arguments, result)
            self._socket = one
            return result

        setattr(kind, name, counting)

    def _tcp_bytes(self) -> tuple[int, int]:
        """Return what was sent and received, of the connection used last."""
        if self._socket is None or self._socket.fileno() < 0:
            return 0, 0
        info = self._socket.getsockopt(
            socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES
        )
        sent, received = struct.unpack_from("QQ", info, _BYTES_ACKED_AT)
        return sent, received


def _size(result: Any) -> int:
    """Return the size of what a read gave: bytes, or a number where it had a buffer."""
    return result if isinstance(result, int) else len(result)
