"""Syncing by itself with the neighbours that a person has added.

Beside the syncing upward, in a thread of its own with a connection of its own: a
desk that is switched off must not hold up the line to the town.
"""

import threading
import time
from dataclasses import dataclass, field

import structlog

from node import peers, talk
from node.pauses import Pauses
from node.wiring import Node
from sync.identity import Certificate

WATCH_S = 0.5

log = structlog.get_logger("lianban.visits")


@dataclass(slots=True)
class _Turn:
    """When a neighbour's turn is, on the monotonic clock."""

    due_s: float = 0.0
    pauses: Pauses = field(default_factory=Pauses)


class Visits:
    """Visits every added neighbour again and again; the list is read each time."""

    def __init__(self, node: Node) -> None:
        """Prepare; nothing is done yet."""
        self._node = node
        self._turns: dict[bytes, _Turn] = {}
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. With nobody to visit it looks twice a second whether that changed."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="visits", daemon=True
            )
            self._thread.start()

    def wake(self) -> None:
        """Visit all of them now: a person has asked for it."""
        self._wake.set()

    def stop(self) -> None:
        """End after the exchange that is going on."""
        self._stop.set()
        self._wake.set()
        if self._thread:
            self._thread.join(timeout=30)

    def _run(self) -> None:
        node = self._node.another_connection()
        try:
            while not self._stop.is_set():
                is_asked = self._wake.is_set()
                self._wake.clear()
                try:
                    self._round(node, is_asked=is_asked)
                except Exception as error:  # noqa: BLE001 - tried again, whatever it was
                    node.forget()
                    log.info("visits_failed", cause=type(error).__name__)
                self._wake.wait(WATCH_S)
        finally:
            node.close()

    def _round(self, node: Node, *, is_asked: bool) -> None:
        for peer, _ in peers.visited(node):
            if peer.node == node.secrets.parent:
                continue
            turn = self._turns.setdefault(peer.node, _Turn())
            if self._stop.is_set() or not (is_asked or time.monotonic() >= turn.due_s):
                continue
            error = self._visit(node, peer)
            pauses = turn.pauses
            pause_s = pauses.after(error) if error else pauses.after_success()
            turn.due_s = time.monotonic() + pause_s

    def _visit(self, node: Node, peer: Certificate) -> Exception | None:
        """Exchange with a neighbour; return what went wrong."""
        try:
            client = peers.client_for(node, peer)
            try:
                report = talk.sync_over(node, peer, client.exchange)
            finally:
                client.close()
        except Exception as error:  # noqa: BLE001 - tried again, whatever it was
            node.forget()
            log.info("visit_failed", peer=peer.node.hex(), cause=type(error).__name__)
            return error
        if report.did_anything:
            log.info(
                "visited",
                peer=peer.node.hex(),
                sent=report.sent,
                received=report.received,
                pieces_out=report.pieces_out,
                pieces_in=report.pieces_in,
            )
        return None
