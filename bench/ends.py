"""The four processes that are measured: sender and receiver, ours and the baseline.

    python -m bench.ends town HOME PORT
    python -m bench.ends village HOME WARMER_HOME PORT
    python -m bench.ends plain-receiver FILE PORT
    python -m bench.ends plain-sender FILE WARMER_FILE PORT

Each says `ready` on stdout. A sender has by then made one small exchange with the
receiver in another node's name, so that both are warm; it does the measured exchange
over a new connection on any line of stdin, prints its cost as JSON and ends.
A receiver serves until it is terminated.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from bench import baseline
from bench.homes import OPERATOR, PASSWORD
from bench.measure import Meter
from node import talk
from node.service import Server
from node.wiring import Node, open_node
from sync.client import Client


def town(home: str, port: str) -> None:
    """Serve as a town."""
    server = Server(open_node(Path(home), OPERATOR, PASSWORD), "127.0.0.1", int(port))
    threading.Thread(target=_tell_when_ready, args=(int(port),), daemon=True).start()
    server.run()


def village(home: str, warmer: str, port: str) -> None:
    """Sync once upward, as a village."""
    other = _open(warmer, port)
    _sync(other).close()
    other.close()
    node = _open(home, port)
    _measured(lambda: _sync(node))


def plain_receiver(path: str, port: str) -> None:
    """Receive as the baseline does."""
    with baseline.make_receiver(Path(path), int(port)) as server:
        print("ready", flush=True)
        server.serve_forever()


def plain_sender(path: str, warmer: str, port: str) -> None:
    """Send once, as the baseline does."""
    baseline.send(baseline.open_plain(Path(warmer)), int(port))
    db = baseline.open_plain(Path(path))
    _measured(lambda: baseline.send(db, int(port)))


def _open(home: str, port: str) -> Node:
    node = open_node(Path(home), OPERATOR, PASSWORD)
    above = talk.find_neighbour(node)
    with node.store.transaction():
        peer = node.store.registry.peer(above.node)
        node.store.registry.set_peer(replace(peer, url=f"127.0.0.1:{port}"))
    return node


def _sync(node: Node) -> Client:
    """Exchange over a new connection, and return it: closing is not measured."""
    above = talk.find_neighbour(node)
    client = talk.client_for(node, above)
    report = talk.sync_over(node, above, client.exchange)
    assert not report.refused, report.refused
    return client


def _measured(exchange: Callable[[], object]) -> None:
    meter = Meter()
    print("ready", flush=True)
    sys.stdin.readline()
    cost = meter.time(exchange)
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
    "town": town,
    "village": village,
    "plain-receiver": plain_receiver,
    "plain-sender": plain_sender,
}

if __name__ == "__main__":
    ENDS[sys.argv[1]](*sys.argv[2:])
