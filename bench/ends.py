"""The processes that are measured: below and above, ours and the baseline.

    python -m bench.ends serve HOME PORT
    python -m bench.ends sync HOME PORT WARMER_HOME WARMER_PORT TRIES
    python -m bench.ends plain-serve FILE PORT
    python -m bench.ends plain-sync FILE PORT WARMER_FILE WARMER_PORT TRIES

Each says `ready` on stdout. A sender has by then brought one change to the receiver in
another node's name, so that both are warm, their child processes too. It does the
measured exchange over new connections on any line of stdin, prints its cost as JSON and
ends. Where the line is cut it tries again at once, TRIES times in all. A receiver
serves until it is terminated.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from http.client import HTTPException
from pathlib import Path

from bench import baseline, homes
from bench.homes import OPERATOR, PASSWORD
from bench.measure import Meter
from node import peers, talk
from node.collector import spare_collector
from node.serving import Server
from node.store.cases import Filter
from node.wiring import Node, open_node
from sync.client import Client
from sync.errors import PeerUnreachable
from sync.worker import Job


def serve(home: str, port: str) -> None:
    """Serve as the node above."""
    node = open_node(Path(home), OPERATOR, PASSWORD)
    server = Server(node, "127.0.0.1", int(port))
    threading.Thread(target=_tell_when_ready, args=(int(port),), daemon=True).start()
    server.run()


def sync(home: str, port: str, warmer: str, warmer_port: str, tries: str) -> None:
    """Sync upward, as the node below."""
    list(homes.edit_cases(Path(warmer), homes.phones([_only_case(warmer)])))
    other = _open(warmer, warmer_port)
    _sync(other).close()
    other.close()
    node = _open(home, port)
    node.sandbox.run([Job(b"", [b"warm"], [], [])])
    _measured(lambda: _sync(node), int(tries), PeerUnreachable)


def plain_serve(path: str, port: str) -> None:
    """Receive as the baseline does."""
    with baseline.make_receiver(Path(path), int(port)) as server:
        print("ready", flush=True)
        server.serve_forever()


def plain_sync(path: str, port: str, warmer: str, warmer_port: str, tries: str) -> None:
    """Send as the baseline does."""
    other = baseline.open_plain(Path(warmer))
    baseline.send(other, Path(warmer).stem, int(warmer_port))
    db, name = baseline.open_plain(Path(path)), Path(path).stem
    _measured(
        lambda: baseline.send(db, name, int(port)), int(tries), OSError, HTTPException
    )


def _only_case(home: str) -> str:
    with homes.opened(Path(home)) as node:
        (row,) = node.store.cases.page(Filter(), None, 1)
    return row.id


def _open(home: str, port: str) -> Node:
    node = open_node(Path(home), OPERATOR, PASSWORD)
    above = peers.find_neighbour(node)
    with node.store.transaction():
        peer = node.store.registry.peer(above.node)
        node.store.registry.set_peer(replace(peer, url=f"127.0.0.1:{port}"))
    return node


def _sync(node: Node) -> Client:
    """Exchange over a new connection, and return it: closing is not measured."""
    above = peers.find_neighbour(node)
    client = peers.client_for(node, above)
    report = talk.sync_over(node, above, client.exchange)
    assert not report.refused, report.refused
    return client


def _measured(
    exchange: Callable[[], object], tries: int, *cut: type[Exception]
) -> None:
    meter = Meter()

    def until_done() -> object:
        for _ in range(tries - 1):
            try:
                return exchange()
            except cut:
                pass
        return exchange()

    print("ready", flush=True)
    sys.stdin.readline()
    cost = meter.time(until_done)
    print(json.dumps(asdict(cost)), flush=True)
    sys.stdin.readline()  # the process must live until its CPU clock has been read


def _tell_when_ready(port: int) -> None:
    while True:
        time.sleep(0.02)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
    print("ready", flush=True)


ENDS: dict[str, Callable[..., None]] = {
    "serve": serve,
    "sync": sync,
    "plain-serve": plain_serve,
    "plain-sync": plain_sync,
}

if __name__ == "__main__":
    spare_collector()
    ENDS[sys.argv[1]](*sys.argv[2:])
