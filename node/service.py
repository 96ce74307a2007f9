"""A node's own syncing upward, in a thread with a connection of its own.

Only one process of a home does it: its service, or else its screens.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import structlog

from node import peers, speaking, talk, tidy, waiting
from node.logs import cause_of
from node.pauses import Pauses
from node.visits import Visits
from node.wiring import Node

if TYPE_CHECKING:
    from sync.client import Client

WATCH_S = 0.5

log = structlog.get_logger("lianban.service")


class Background:
    """Syncs with the node above: at once when something was written here, now and
    then to hear news, and after a failure with growing pauses. A call of `wake`
    ends any pause.
    """

    def __init__(self, node: Node, on_change: Callable[[], None] | None = None) -> None:
        """Prepare; `on_change` is called in the thread after each try."""
        self._node = node
        self._on_change = on_change
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._visits = Visits(node)
        self._tidying: threading.Thread | None = None

    def start(self) -> None:
        """Begin: upward if there is a node above, and with whom a person has added."""
        self._visits.start()
        if self._tidying is None:
            self._tidying = threading.Thread(target=self._tidy, name="tidy")
            self._tidying.start()
        if self._node.secrets.parent and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Try now: a person has asked for it."""
        self._visits.wake()
        self._wake.set()

    def stop(self) -> None:
        """End after the exchange that is going on."""
        self._visits.stop()
        self._stop.set()
        self._wake.set()
        for thread in (self._thread, self._tidying):
            if thread:
                thread.join(timeout=30)

    def _tidy(self) -> None:
        """Remove, once, files that were left over by what was cut off."""
        node = self._node.another_connection()
        try:
            count = tidy.sweep(node)
            if count:
                log.info("swept", files=count)
        except Exception as error:  # noqa: BLE001 - nobody waits for it
            log.info("sweep_failed", cause=cause_of(error))
        finally:
            node.close()

    def _run(self) -> None:
        node = self._node.another_connection()
        client: Client | None = None
        pauses = Pauses()
        try:
            while not self._stop.is_set():
                try:
                    peer = peers.find_neighbour(node)
                    client = client or peers.client_for(node, peer)
                    report = talk.sync_over(node, peer, client.exchange)
                    waiting.retry_if_news(node)
                    pause_s = pauses.after_success()
                    if report.did_anything:
                        log.info(
                            "synced",
                            peer=peer.node.hex(),
                            sent=report.sent,
                            received=report.received,
                            pieces_out=report.pieces_out,
                            pieces_in=report.pieces_in,
                            requests=report.requests,
                        )
                except Exception as error:  # noqa: BLE001 - tried again, whatever it was
                    pause_s = pauses.after(error)
                    node.forget()
                    if client:
                        client.close()
                        client = None
                    log.info("sync_failed", cause=cause_of(error), pause_s=pause_s)
                if self._on_change:
                    self._on_change()
                self._pause(node, pause_s, is_backing_off=pauses.is_backing_off)
        finally:
            if client:
                client.close()
            node.close()

    def _pause(self, node: Node, length_s: float, *, is_backing_off: bool) -> None:
        """Wait; new work here ends the pause unless the line has just failed."""
        before = node.store.data_version()
        waited_s = 0.0
        while waited_s < length_s and not self._wake.wait(WATCH_S):
            waited_s += WATCH_S
            if not is_backing_off and node.store.data_version() != before:
                if _owes(node):
                    break
                before = node.store.data_version()
        self._wake.clear()


class Relief:
    """Does the background sync of a home from when no other process does it.

    A service may end while the screens are open, or be ended for a stick.
    """

    def __init__(self, node: Node) -> None:
        """Prepare; nothing is held yet."""
        self._node = node
        self._held = ExitStack()
        self.background: Background | None = None

    def take_over(self) -> Background | None:
        """Begin, or go on; None while another process has the right to."""
        if self.background is None:
            with ExitStack() as attempt:
                if not attempt.enter_context(self._node.home.sole_server()):
                    return None
                self._held = attempt.pop_all()
            self.background = Background(self._node)
            self.background.start()
        return self.background

    def stop(self) -> None:
        """End after the exchange that is going on, and let another process begin."""
        if self.background is not None:
            self.background.stop()
            self.background = None
        self._held.close()


def _owes(node: Node) -> bool:
    """Say whether the node above lacks anything that is here."""
    above = node.roster.latest(node.secrets.parent)
    if above is None:
        return False
    scopes = speaking.shared_scopes(node, above)
    return bool(scopes) and node.store.arrivals.owed_to(above.node, scopes)[0] > 0
